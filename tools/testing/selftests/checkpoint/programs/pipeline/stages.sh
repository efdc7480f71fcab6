#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# cat | sort | gzip >file, of all of Python's own modules.  sort has little memory and
# writes temporary files: it is the slow one, for which cat waits; gzip has nothing to
# read before sort has seen all.  Each line of the output tells what was read.

set -e -o pipefail
mapfile -t files < <(find /usr/lib/python3.11 -name '*.py' | sort)
at_once=8
exec 3>&1
for ((first = 0; first < ${#files[@]}; first += at_once)); do
	cat "${files[@]:first:at_once}"
	echo "${files[first]}" >&3
done | sort -S 512K -T . | gzip -n >sorted.gz
[ "$(gzip -cd sorted.gz | wc -l)" = "$(cat "${files[@]}" | wc -l)" ]
echo "done"
