/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc says about the process: a check that needs to know nothing about
 * the subject, and so catches what the subject did not think of.
 */
#ifndef _CKPT_SELFTEST_SNAPSHOT_H
#define _CKPT_SELFTEST_SNAPSHOT_H

#include <stddef.h>

#define SNAPSHOT_MAX	(128 * 1024)

/**
 * struct snapshot - one line for each fact
 * @len: bytes of @text
 * @text: lines, NUL-terminated
 */
struct snapshot {
	size_t len;
	char text[SNAPSHOT_MAX];
};

/* Neither may allocate memory: that would change what they look at. */
void snapshot_take(struct snapshot *snapshot, unsigned int skip);
/* Differences count as failed checks. */
void snapshot_compare(const struct snapshot *before, const struct snapshot *after);

#endif /* _CKPT_SELFTEST_SNAPSHOT_H */
