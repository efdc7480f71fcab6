/* SPDX-License-Identifier: GPL-2.0 */
/* Images that a kernel would not write. */
#ifndef _CKPT_MUTATE_H
#define _CKPT_MUTATE_H

#include <stddef.h>

#include "port.h"

/* A mutation makes an image longer by at most this. */
#define MUTATE_GROWTH	65536

/**
 * struct mutation - what mutate_image() did
 * @text: in words
 */
struct mutation {
	char text[160];
};

size_t mutate_image(const void *image, size_t len, u64 seed, void *out,
		    struct mutation *mutation);

#endif /* _CKPT_MUTATE_H */
