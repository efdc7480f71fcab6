// SPDX-License-Identifier: GPL-2.0
/*
 * What is wrong with an image: printed on standard error for a user whose
 * restart failed.
 */
#include <string.h>
#include <unistd.h>

#include "diagnose.h"
#include "image.h"
#include "util.h"

/**
 * struct diagnosed - where diagnose() is
 * @fd: the image
 * @at: position in a file, or -1
 */
struct diagnosed {
	int fd;
	off_t at;
};

static ssize_t read_diagnosed(void *arg, void *data, size_t len)
{
	struct diagnosed *diagnosed = arg;
	ssize_t got;

	if (diagnosed->at < 0)
		return read(diagnosed->fd, data, len);
	got = pread(diagnosed->fd, data, len, diagnosed->at);
	if (got > 0)
		diagnosed->at += got;
	return got;
}

static void show_reason(const struct image_record *record, u32 errnum)
{
	char clean[CKPT_TEXT_MAX];
	const char *text = image_text(record);

	error("the image records a failed checkpoint: %s (%s)",
	      clean_text(clean, sizeof(clean), text, strlen(text)),
	      strerror(errnum));
}

/**
 * diagnose - read an image to its end and print what is wrong with it
 * @fd: the image
 * @at: where it begins in a file, or -1 to read it from where @fd is
 *
 * Return: enum diagnosis.
 */
enum diagnosis diagnose(int fd, off_t at)
{
	struct diagnosed diagnosed = { .fd = fd, .at = at };
	enum image_result result;
	struct image image;
	bool is_failed;
	u32 errnum = 0;

	image_open(&image, read_diagnosed, &diagnosed);
	while ((result = image_next(&image)) == IMAGE_RECORD) {
		const struct ckpt_hdr_error *fields = image.record.fields;
		u32 type = image.record.type->type;

		if (type == CKPT_HDR_ERROR)
			errnum = fields->error;
		else if (image.is_failed && type == CKPT_HDR_STRING)
			show_reason(&image.record, errnum);
	}
	is_failed = image.is_failed;
	if (result == IMAGE_BAD)
		error("the image is no good: at byte %llu: %s",
		      image.record.offset, image.error);
	image_close(&image);
	if (is_failed)
		return IMAGE_HAS_FAILED;
	return result == IMAGE_BAD ? IMAGE_IS_BAD : IMAGE_IS_GOOD;
}
