/* SPDX-License-Identifier: GPL-2.0 */
/* The file that an image is written to. */
#ifndef _CKPT_OUTPUT_H
#define _CKPT_OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct output - where the image goes
 * @fd: for the system call
 * @file: name that the complete image gets, or NULL
 * @partial: name until then, or NULL if the image is written in place
 * @overwrite: @file may exist already
 */
struct output {
	int fd;
	const char *file;
	char *partial;
	bool overwrite;
};

int output_open(struct output *output);
int output_commit(struct output *output);
void output_discard(struct output *output);
void output_abort(struct output *output, int errnum);
off_t output_size(int fd);

#endif /* _CKPT_OUTPUT_H */
