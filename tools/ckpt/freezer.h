/* SPDX-License-Identifier: GPL-2.0 */
/* The cgroup that a program is left frozen in. */
#ifndef _CKPT_FREEZER_H
#define _CKPT_FREEZER_H

/**
 * struct freezer - a cgroup v2
 * @dir: its directory, or NULL: there is none
 * @procs: its cgroup.procs, open for writing
 * @freeze: its cgroup.freeze, likewise
 */
struct freezer {
	const char *dir;
	int procs;
	int freeze;
};

int freezer_open(struct freezer *freezer);
int freezer_enter(const struct freezer *freezer);
int freezer_freeze_when_read(const struct freezer *freezer, int pipe);
void freezer_thaw(const struct freezer *freezer);

#endif /* _CKPT_FREEZER_H */
