/* SPDX-License-Identifier: GPL-2.0 */
/* A process between the kernel, which writes an image, and its file. */
#ifndef _CKPT_PACK_H
#define _CKPT_PACK_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * enum pack_format - how the image is compressed
 * @PACK_PLAIN: not at all
 * @PACK_ZSTD: by libzstd
 * @PACK_LZ4: by liblz4
 */
enum pack_format {
	PACK_PLAIN,
	PACK_ZSTD,
	PACK_LZ4,
};

/**
 * struct packer - the process, and what it is for
 * @format: how the image is compressed
 * @level: how much
 * @direct: write past the page cache
 * @idle: leave the processor and the disk to others
 * @parent: who makes the system call
 * @pid: the process, or 0
 * @fd: the pipe that it reads
 * @image_size: bytes that it has read, in memory that all have
 */
struct packer {
	enum pack_format format;
	int level;
	bool direct;
	bool idle;
	pid_t parent;
	pid_t pid;
	int fd;
	unsigned long long *image_size;
};

bool packer_choose(struct packer *packer, const char *text);
bool packer_is_wanted(const struct packer *packer);
int packer_prepare(struct packer *packer, int out);
int packer_start(struct packer *packer, int out);
int packer_finish(struct packer *packer);

#endif /* _CKPT_PACK_H */
