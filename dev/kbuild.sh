# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Running the kernel's own build: included by the scripts that need it.

# Fixed names and times, so that equal sources give equal objects and ccache
# hits, in whatever directory they are built.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export KBUILD_BUILD_USER=ckpt KBUILD_BUILD_HOST=ckpt KBUILD_BUILD_VERSION=1
export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES

KCC=gcc
if command -v ccache >/dev/null; then
	KCC="ccache gcc"
fi

# kmake OUT ARGS...: make in the kernel tree ($KTREE overrides which).
kmake()
{
	local out=$1

	shift
	make -C "${KTREE:-$SRC}" O="$out" ARCH=x86_64 CC="$KCC" HOSTCC="$KCC" \
		-j"$(nproc)" "$@"
}

# kconfig OUT FRAGMENT...: allnoconfig plus the fragments, made again only when
# a fragment or a Kconfig file changed; fails when an option did not survive.
kconfig()
{
	local out=$1 key

	shift
	key=$({ cat "$@"; cat "$TOP/checkpoint/Kconfig" 2>/dev/null
		cat "$BUILD/linux-$KERNEL.state/"{unpacked,patch-key} 2>/dev/null
	      } | sha256sum)
	if [[ -f $out/.config && -f $out/config.key && $(<"$out/config.key") == "$key" ]]; then
		return
	fi
	mkdir -p "$out"
	rm -f "$out/config.key"
	sed -E 's/^(CONFIG_[A-Za-z0-9_]+)=n$/# \1 is not set/' "$@" >"$out/fragment.config"
	# A tree without the hooks (no series yet) has none of our options.
	grep -q checkpoint/Kconfig "${KTREE:-$SRC}/"{Kconfig,init/Kconfig} 2>/dev/null ||
		sed -i '/^CONFIG_CHECKPOINT\(=\|_KUNIT\)/d' "$out/fragment.config"
	say CONFIG "${out##*/}"
	# Keep the time stamp of a configuration that comes out the same.
	[[ -f $out/.config ]] && cp -p "$out/.config" "$out/.config.kept"
	run_logged "$out/config.log" kmake "$out" \
		KCONFIG_ALLCONFIG="$out/fragment.config" allnoconfig ||
		die "configuration failed"
	if [[ -f $out/.config.kept ]] && cmp -s "$out/.config" "$out/.config.kept"; then
		mv "$out/.config.kept" "$out/.config"
	fi
	check_config "$out"
	echo "$key" >"$out/config.key"
}

# off_fragment: the fragment of the plain kernel without our option; prints its name.
off_fragment()
{
	sed 's/^CONFIG_CHECKPOINT=y$//' "$QEMU_CONFIG/kernel.config" >"$BUILD/off.config"
	echo "$BUILD/off.config"
}

# check_config OUT: every line of the fragments must hold in .config.
check_config()
{
	local out=$1 line sym want have lost=0
	declare -A wanted

	while read -r line; do
		case $line in
		CONFIG_*=*)	wanted[${line%%=*}]=${line#*=} ;;
		'# CONFIG_'*' is not set')
			sym=${line#\# }
			wanted[${sym%% *}]=n ;;
		esac
	done <"$out/fragment.config"
	for sym in "${!wanted[@]}"; do
		want=${wanted[$sym]}
		have=$(sed -n "s/^$sym=//p" "$out/.config")
		if [[ ${have:-n} != "$want" ]]; then
			echo "    $sym: wanted $want, is ${have:-not set}"
			lost=1
		fi
	done
	if (( lost )); then
		[[ ${CONFIG_LOST_OK:-} ]] || die "these options did not survive (${out##*/})"
		echo "    (going on: CONFIG_LOST_OK is set)"
	fi
}
