/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that is saved again and again, while something fails at one place
 * of its image after the other.
 */
#ifndef _CKPT_SELFTEST_SWEEP_H
#define _CKPT_SELFTEST_SWEEP_H

#include "harness.h"
#include "image_edit.h"

#define NONE		CHECKPOINT_FD_NONE
#define PAGE		4096

/**
 * struct place - somewhere in an image
 * @at: bytes before it
 * @nr_records: whole records before it
 * @type: of the record that begins there, or that it is within
 * @within: in the middle of a record, not between two
 */
struct place {
	long at;
	unsigned int nr_records;
	const char *type;
	bool within;
};

/**
 * struct target - subjects/tiny, with at least one of each type of record
 * @run: the process; its pid is 0 when it was ended
 * @fd: a memfd with an image of it
 * @image: the same image
 * @size: its bytes; every image of the target has as many
 * @places: where each record begins, and the middle of each
 * @nr_places: how many, the end of the image not counted
 */
struct target {
	struct subject_run run;
	int fd;
	struct image image;
	long size;
	struct place *places;
	unsigned int nr_places;
};

/* Start one in this directory, which must not be there. */
bool target_start(struct target *target, const char *dir);
/* It goes on and is right, unless it was ended; and nobody is left. */
bool target_end(struct target *target);
/* Was it let go, and nobody is left? Whether it is right is seen at the end. */
bool target_goes_on(struct target *target);
/* For those that restart it. */
void target_kill(struct target *target);
/* The subject as it is at the begin of its wait: for the next restart. */
void target_wind_back(struct target *target);
/* A restarted one, or the target itself, is as it was saved. */
bool target_is_right(struct target *target, pid_t pid);
/* Say where something went wrong. */
bool complain_at(const struct place *place, const char *what);

/* A negative errno if it fails. */
long target_save(const struct target *target, int fd);
/* The same, into a file that is emptied first. */
long target_save_again(const struct target *target, int fd);

#endif /* _CKPT_SELFTEST_SWEEP_H */
