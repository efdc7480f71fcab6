/* SPDX-License-Identifier: GPL-2.0 */
/* Trying one bad image after the other. */
#ifndef _CKPT_SELFTEST_ATTACK_H
#define _CKPT_SELFTEST_ATTACK_H

#include "image_edit.h"

#include "mutate.h"

/**
 * struct attack - a list of bad images
 * @name: for people
 * @image: the good one that they are made of
 * @first: what the number of the first one is
 * @count: how many
 * @make: makes number @first + @index; its length
 * @may_run: some of them may be images all the same
 * @coordinated: as restart(1) does it: a child becomes the process of the
 *	image, or else is what it was. Otherwise who tries becomes it
 * @uid: who tries
 * @how: restart(1) does it, with this option, for what are several processes
 */
struct attack {
	char name[64];
	const struct image *image;
	u64 first;
	u64 count;
	size_t (*make)(const struct attack *attack, u64 index, unsigned char *out,
		       struct mutation *mutation);
	bool may_run;
	bool coordinated;
	uid_t uid;
	const char *how;
};

/* Once, before all others; false if there is no memory. */
bool attack_prepare(void);
/*
 * Let restart(1) do it once. Whether the program of the image ran, for no longer than
 * @limit_ms; what the tool ended with in @status, -1 if that had to be ended.
 */
bool attack_by_tool(int fd, const char *how, int limit_ms, int *status);
/* Try them all. */
bool attack_run(const struct attack *attack);
/*
 * Root, but neither free of all limits nor able to use up the machine: the
 * processes that are saved, and those that try.
 */
void limit_rights(void);

#endif /* _CKPT_SELFTEST_ATTACK_H */
