/* SPDX-License-Identifier: GPL-2.0 */
/* A filesystem with one file, which is read and written as a test likes. */
#ifndef _CKPT_SELFTEST_FUSE_FILE_H
#define _CKPT_SELFTEST_FUSE_FILE_H

#include "harness.h"

/* Bytes of the file, all of them the same letter. */
#define FUSE_FILE_SIZE		4096
#define FUSE_FILE_LETTER	'f'

/* What becomes of who reads the file. */
enum fuse_answer {
	FUSE_ANSWER,	/* he gets it */
	FUSE_WAIT,	/* he waits until that changes */
};

/**
 * struct fuse_file - a mounted filesystem
 * @dir: where; the file is "file" in there
 * @pid: who serves it
 * @control: in memory that it shares
 */
struct fuse_file {
	const char *dir;
	pid_t pid;
	struct fuse_control *control;
};

/* Whoever writes to the file gets -EIO: then the kernel has it no more. */
bool fuse_file_mount(struct fuse_file *fuse, const char *dir);
void fuse_file_umount(struct fuse_file *fuse);
void fuse_file_set_answer(struct fuse_file *fuse, enum fuse_answer answer);
/* Wait until somebody waits. */
bool fuse_file_await_reader(struct fuse_file *fuse);

#endif /* _CKPT_SELFTEST_FUSE_FILE_H */
