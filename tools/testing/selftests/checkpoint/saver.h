/* SPDX-License-Identifier: GPL-2.0 */
/* A checkpoint whose image is not read before the test wants it to go on. */
#ifndef _CKPT_SELFTEST_SAVER_H
#define _CKPT_SELFTEST_SAVER_H

#include "harness.h"

/**
 * struct saver - a process that calls checkpoint()
 * @pid: process id
 * @image: the image comes out here
 * @begun: what was read of it to find out that it comes
 */
struct saver {
	pid_t pid;
	int image;
	char begun[16];
};

/*
 * Saves a process, in a cgroup if its file cgroup.procs is given, with messages in
 * "log". When this returns the process runs again.
 */
bool start_saver(struct saver *saver, pid_t target, const char *cgroup);
/* Lets the image go on into a file; @status is what checkpoint() fails with, or 0. */
bool end_saver(struct saver *saver, const char *path, int status);
/* Restarts the processes of an image with the ids that they had; they are children then. */
bool restart_image(const char *dir, const char *name);

#endif /* _CKPT_SELFTEST_SAVER_H */
