# SPDX-License-Identifier: GPL-2.0
#
# A concordance: for each word of the input, how often it occurs, in how many
# files, where first, and the word that follows it most often.  Progress goes to
# standard error, the result to standard output.

FNR == 1 {
	if (++files % 10 == 0)
		printf "%d files, %d lines, %d words\n", files, NR, different > "/dev/stderr"
}

{
	n = split($0, word, /[^A-Za-z_0-9]+/)
	for (i = 1; i <= n; i++) {
		w = tolower(word[i])
		if (w !~ /^[a-z]/)
			continue
		if (!count[w]++) {
			different++
			first[w] = FILENAME ":" FNR
		}
		if (seen[w] != files) {
			seen[w] = files
			in_files[w]++
		}
		if (++pair[last, w] > best[last]) {
			best[last] = pair[last, w]
			follower[last] = w
		}
		last = w
	}
}

END {
	m = asorti(count, order)
	for (i = 1; i <= m; i++) {
		w = order[i]
		print w, count[w], in_files[w], first[w], follower[w], best[w]
	}
	print "done" > "/dev/stderr"
}
