#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: words.bash FILES RESULT LOG
#
# How often each word occurs in the files whose names FILES holds, counted by a
# pipeline, and their checksums, computed by a background job meanwhile. Another
# one counts all words, from a FIFO.

split_words()
{
	local file n=0

	while read -r file; do
		tr -cs '[:alnum:]_' '\n' <"$file"
		(( ++n % 5 )) || echo "$n files" >>"$log"
	done <"$files"
}

files=$1 result=$2 log=$3

while read -r file; do
	sha256sum "$file"
done <"$files" >"$result.sums" &

mkfifo "$result.fifo"
wc -l <"$result.fifo" >"$result.total" &

split_words | tee "$result.fifo" | sort | uniq -c |
	sort -k 1,1nr -k 2 >"$result.words"
wait
cat "$result.sums" "$result.total" "$result.words" >"$result"
rm "$result.sums" "$result.total" "$result.words" "$result.fifo"
echo "done" >>"$log"
