/* SPDX-License-Identifier: GPL-2.0 */
/* Images that a test changes: the records by their names, the tail made right. */
#ifndef _CKPT_SELFTEST_IMAGE_EDIT_H
#define _CKPT_SELFTEST_IMAGE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "control.h"

/**
 * struct image - an image in memory
 * @data: its bytes
 * @len: how many
 * @room: for how many there is room
 */
struct image {
	unsigned char *data;
	size_t len;
	size_t room;
};

bool image_load_fd(struct image *image, int fd);
bool image_load(struct image *image, const char *path);
bool image_store_fd(const struct image *image, int fd);
bool image_store(const struct image *image, const char *path);
bool image_copy(struct image *to, const struct image *from);
void image_free(struct image *image);

/*
 * The offset of record number @index of those of a type, or -1. Types go by
 * their names in the table of records.
 */
long image_find(const struct image *image, const char *type, unsigned int index);
/* How many records of a type there are. */
unsigned int image_count(const struct image *image, const char *type);
/* The offset of the record behind the one at @offset, or -1. */
long image_next(const struct image *image, long offset);
/* The name of the type of a record. */
const char *image_type(const struct image *image, long offset);
/* The text of a string record. */
const char *image_text(const struct image *image, long offset);

/*
 * restart(1), with an image of which only the first bytes ever come: it has read
 * them all, and waits. The pid; the other end of the pipe in @writer.
 */
pid_t image_restart_part(const struct image *image, size_t len, const char *how,
			 const char *log, int *writer);

/* "type.field" or "type[index].field" or "type.field[element]", 64 bits at most. */
bool image_get(const struct image *image, const char *what, u64 *value);
bool image_set(struct image *image, const char *what, u64 value);
/* Any bytes of a record, those behind its fields too. */
void *image_at(struct image *image, long offset, size_t bytes);

/* Count and checksum in the tail as they must be. */
void image_seal(struct image *image);

#endif /* _CKPT_SELFTEST_IMAGE_EDIT_H */
