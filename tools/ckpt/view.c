// SPDX-License-Identifier: GPL-2.0
/* Showing an image in the way that the user wants. */
#include "ckptinfo.h"
#include "util.h"

static const struct info_view *choose_view(const struct info_options *options)
{
	if (options->errors)
		return &info_errors;
	if (options->pids)
		return &info_pids;
	if (options->json)
		return &info_json;
	return options->verbose ? &info_records : &info_summary;
}

/**
 * view_image - check an image and show it on standard output
 * @options: how to show it
 * @read: where its bytes come from
 * @arg: for @read
 *
 * Return: exit status.
 */
int view_image(const struct info_options *options, image_read_t read, void *arg)
{
	const struct info_view *view = choose_view(options);
	enum image_result result;
	struct image image;
	bool is_failed;

	image_open(&image, read, arg);
	if (view->begin)
		view->begin(options);
	while ((result = image_next(&image)) == IMAGE_RECORD)
		view->record(options, &image);
	if (view->end)
		view->end(options, &image, result);
	is_failed = image.is_failed;
	image_close(&image);
	if (is_failed)
		return EXIT_RECORDED;
	return result == IMAGE_BAD ? EXIT_FAILED : 0;
}
