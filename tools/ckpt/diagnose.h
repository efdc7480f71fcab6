/* SPDX-License-Identifier: GPL-2.0 */
/* What is wrong with an image. */
#ifndef _CKPT_DIAGNOSE_H
#define _CKPT_DIAGNOSE_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * enum diagnosis - what an image is
 * @IMAGE_IS_GOOD: complete and intact
 * @IMAGE_IS_BAD: truncated, corrupt, or no image at all
 * @IMAGE_HAS_FAILED: a checkpoint failed, and the image tells why
 */
enum diagnosis {
	IMAGE_IS_GOOD,
	IMAGE_IS_BAD,
	IMAGE_HAS_FAILED,
};

enum diagnosis diagnose(int fd, off_t at);

#endif /* _CKPT_DIAGNOSE_H */
