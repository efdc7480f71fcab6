/* SPDX-License-Identifier: GPL-2.0 */
/* Reading bytes that may be compressed. What is read is hostile input. */
#ifndef _CKPT_UNPACK_H
#define _CKPT_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * typedef image_read_t - where the bytes of an image come from
 * @arg: of the caller
 * @data: room for them
 * @len: how much room
 *
 * Return: bytes read, 0 at the end, -1 with errno set.
 */
typedef ssize_t (*image_read_t)(void *arg, void *data, size_t len);

struct unpacker;

struct unpacker *unpacker_open(image_read_t read, void *arg);
void unpacker_close(struct unpacker *unpacker);
ssize_t unpacker_read(struct unpacker *unpacker, void *data, size_t len);
int unpacker_end_frame(struct unpacker *unpacker);
const char *unpacker_error(const struct unpacker *unpacker);
const char *unpacker_format(const struct unpacker *unpacker);
unsigned long long unpacker_taken(const struct unpacker *unpacker);
bool is_packed_file(int fd);

#endif /* _CKPT_UNPACK_H */
