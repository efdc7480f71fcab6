# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts in dev/ share: where things are and how to speak.

set -euo pipefail
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KERNEL=${KERNEL:-6.12}
BUILD=$(realpath -m "${BUILD:-$TOP/build}")
# shellcheck disable=SC2034
SRC=$BUILD/linux-$KERNEL
# shellcheck disable=SC2034
QEMU_CONFIG=$TOP/tools/testing/selftests/checkpoint/qemu
mkdir -p "$BUILD"

say()
{
	printf '  %-8s %s\n' "$1" "$2"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# kernel_dir FLAVOUR: the output directory of one kernel.
kernel_dir()
{
	echo "$BUILD/kernel-$KERNEL-$1"
}

# take_lock NAME: one build of a kind at a time in this output directory.
take_lock()
{
	exec 9>"$BUILD/.lock-$1"
	flock -n 9 || { say WAIT "for another build in $BUILD"; flock 9; }
}

# run_logged LOG COMMAND...: quiet when it works, the lines that matter when
# it does not.
run_logged()
{
	local log=$1

	shift
	if "$@" >"$log" 2>&1 </dev/null; then
		return 0
	fi
	echo
	echo "---- ${log##*/}: the lines that matter ----"
	grep -nE -A4 '(: (fatal )?error:|Error [0-9]|undefined reference|No rule to make|\*\*\*)' "$log" |
		head -n 40 || true
	echo "---- end of the log ----"
	tail -n 8 "$log"
	echo "---- full log: $log ----"
	return 1
}
