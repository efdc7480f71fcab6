/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of ckptinfo(1). */
#ifndef _CKPT_CKPTINFO_H
#define _CKPT_CKPTINFO_H

#include <stdbool.h>
#include <stdio.h>

#include "image.h"

/* The image records a failed checkpoint. */
#define EXIT_RECORDED	3

/**
 * struct info_options - what the command line asks for
 * @file: the image, or NULL for standard input
 * @other: with @diff: the image to compare it with
 * @ignore: with @diff: records and fields that do not count
 * @nr_ignore: their number
 * @describe: "rst" or "json": describe the format, not an image
 * @verbose: every record
 * @json: one JSON document
 * @errors: only error records
 * @pids: only the tasks
 * @registers: the registers too
 * @diff: compare two images
 */
struct info_options {
	const char *file;
	const char *other;
	const char **ignore;
	unsigned int nr_ignore;
	const char *describe;
	bool verbose;
	bool json;
	bool errors;
	bool pids;
	bool registers;
	bool diff;
};

/**
 * struct info_view - a way to show an image
 * @begin: called first, may be NULL
 * @record: called for each record
 * @end: called last, with what image_next() returned; may be NULL
 */
struct info_view {
	void (*begin)(const struct info_options *options);
	void (*record)(const struct info_options *options, struct image *image);
	void (*end)(const struct info_options *options,
		    const struct image *image, enum image_result result);
};

extern const struct info_view info_summary;
extern const struct info_view info_records;
extern const struct info_view info_errors;
extern const struct info_view info_pids;
extern const struct info_view info_json;

void format_field(FILE *out, const struct ckpt_field *field,
		  const void *record);
const char *format_kind(const struct ckpt_field *field);
const char *format_tail(const struct ckpt_record *record);
const char *format_object(u64 objtype);
void format_limits(char *out, size_t size, const struct ckpt_field *field);

int view_image(const struct info_options *options, image_read_t read,
	       void *arg);

void image_print_verdict(const struct image *image, enum image_result result);

void describe_rst(void);
void describe_json(void);

int diff_images(struct info_options *options);

#endif /* _CKPT_CKPTINFO_H */
