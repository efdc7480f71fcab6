// SPDX-License-Identifier: GPL-2.0
/* An image as text: a summary, every record, the errors. */
#include <string.h>
#include <time.h>

#include "ckptinfo.h"
#include "outside.h"
#include "util.h"

/* Bytes of a buffer that are shown. */
#define SHOWN_BYTES	32

#define MIB		(1024.0 * 1024.0)

static void print_fields(const struct image_record *record)
{
	unsigned int i;

	for (i = 0; i < record->type->nr_fields; i++) {
		const struct ckpt_field *field = &record->type->fields[i];

		if (field->kind == CKPT_FIELD_ZERO)
			continue;
		printf(" %s=", field->name);
		format_field(stdout, field, record->fields);
	}
}

/* The program's registers in a few lines, for those who ask. */
static void print_registers(const struct image_record *record)
{
	unsigned int i;

	for (i = 0; i < record->type->nr_fields; i++) {
		const struct ckpt_field *field = &record->type->fields[i];
		u64 value = ckpt_field_value(field, record->fields);

		printf("  %8s %016llx", field->name, value);
		if (i % 3 == 2 || i + 1 == record->type->nr_fields)
			putchar('\n');
	}
}

static void print_text(const struct image_record *record)
{
	char clean[4 * CKPT_TEXT_MAX];
	const char *text = image_text(record);

	printf(" \"%s\"", clean_text(clean, sizeof(clean), text, strlen(text)));
}

static void print_buffer(const struct image_record *record)
{
	const struct ckpt_hdr_buffer *buffer = record->fields;
	const unsigned char *data = record->tail;
	u32 i, shown = smaller(buffer->nbytes, SHOWN_BYTES);

	printf(" data=");
	for (i = 0; i < shown; i++)
		printf("%02x", data[i]);
	if (shown < buffer->nbytes)
		printf("...");
}

/**
 * image_print_verdict - say what an image is worth
 * @image: it was read to its end
 * @result: with this
 */
void image_print_verdict(const struct image *image, enum image_result result)
{
	if (result == IMAGE_BAD)
		printf("BAD: at byte %llu: %s\n",
		       image->record.offset, image->error);
	else if (image->is_failed)
		printf("FAILED: the checkpoint did not succeed (ckptinfo -e)\n");
	else
		printf("complete, checksum %016llx\n",
		       image->checksum);
}

static void record_line(const struct info_options *options, struct image *image)
{
	const struct image_record *record = &image->record;

	(void)options;
	printf("%12llu %4u %-13s %8u ", record->offset,
	       record->type->type, record->type->name, record->len);
	print_fields(record);
	if (record->type->tail == CKPT_TAIL_TEXT)
		print_text(record);
	else if (record->type->tail == CKPT_TAIL_BUFFER)
		print_buffer(record);
	putchar('\n');
}

static void records_begin(const struct info_options *options)
{
	(void)options;
	printf("%12s %4s %-13s %8s  %s\n", "offset", "type", "name", "length",
	       "fields");
}

static void records_end(const struct info_options *options,
			const struct image *image, enum image_result result)
{
	(void)options;
	image_print_verdict(image, result);
}

const struct info_view info_records = {
	.begin	= records_begin,
	.record	= record_line,
	.end	= records_end,
};

/* What a failed checkpoint left. */
static void error_record(const struct info_options *options,
			 struct image *image)
{
	const struct ckpt_hdr_error *fields = image->record.fields;
	char clean[4 * CKPT_TEXT_MAX];
	static u32 errnum;
	const char *text;

	(void)options;
	if (image->record.type->type == CKPT_HDR_ERROR)
		errnum = fields->error;
	if (!image->is_failed || image->record.type->type != CKPT_HDR_STRING)
		return;
	text = image_text(&image->record);
	printf("error %u (%s): %s\n", errnum, strerror(errnum),
	       clean_text(clean, sizeof(clean), text, strlen(text)));
}

static void errors_end(const struct info_options *options,
		       const struct image *image, enum image_result result)
{
	(void)options;
	if (result == IMAGE_BAD)
		image_print_verdict(image, result);
	else if (!image->is_failed)
		printf("no error recorded\n");
}

const struct info_view info_errors = {
	.record	= error_record,
	.end	= errors_end,
};

/* What the summary counts. */
static struct {
	unsigned int nr_strings;
	u64 nr_vmas;
	u64 nr_files;
	u64 nr_fds;
	u64 nr_tasks;
	u64 nr_threads;
	u64 nr_pages;
	u64 nr_shared;
	u64 pages_size;
	struct outside_list outside;
} summary;

static void summary_begin(const struct info_options *options)
{
	(void)options;
	memset(&summary, 0, sizeof(summary));
}

static void summarise_header(const struct ckpt_hdr_header *header)
{
	time_t seconds = header->time;
	char taken[64] = "?";
	struct tm broken;

	if (localtime_r(&seconds, &broken))
		strftime(taken, sizeof(taken), "%Y-%m-%d %H:%M:%S %z", &broken);
	printf("format    version %u, id %u\n", header->version, header->id);
	printf("taken     %s\n", taken);
}

static void summarise_string(const struct image_record *record)
{
	static const char * const names[] = { "kernel", "build", "machine" };

	if (summary.nr_strings >= ARRAY_SIZE(names))
		return;
	printf("%-9s", names[summary.nr_strings++]);
	print_text(record);
	putchar('\n');
}

static void summarise_task(const struct ckpt_hdr_task *task)
{
	char comm[4 * sizeof(task->comm) + 1];
	const char *text = (const char *)task->comm;

	printf("task      %s\n",
	       clean_text(comm, sizeof(comm), text,
			  strnlen(text, sizeof(task->comm))));
}

static void summarise_pids(const struct ckpt_hdr_pids *ids)
{
	if (ids->pid != ids->tgid) {
		summary.nr_threads++;
		return;
	}
	printf("ids       pid %u, parent %u, group %u, session %u\n", ids->pid,
	       ids->ppid, ids->pgid, ids->sid);
}

/* For each descriptor that a restart has to connect. */
static void summarise_outside(void)
{
	unsigned int i;

	for (i = 0; i < summary.outside.nr_files; i++) {
		const struct outside *file = &summary.outside.files[i];
		char clean[4 * CKPT_TEXT_MAX];
		const char *name = file->name ? file->name : "?";

		printf("external  descriptor %d: %s %s\n", file->fd,
		       outside_type(file),
		       clean_text(clean, sizeof(clean), name, strlen(name)));
	}
	outside_free(&summary.outside);
}

static void summary_record(const struct info_options *options,
			   struct image *image)
{
	const struct image_record *record = &image->record;

	outside_note(&summary.outside, record->type->type, record->fields,
		     record->tail);
	switch (record->type->type) {
	case CKPT_HDR_HEADER:
		summarise_header(record->fields);
		break;
	case CKPT_HDR_STRING:
		summarise_string(record);
		break;
	case CKPT_HDR_PIDS:
		summarise_pids(record->fields);
		break;
	case CKPT_HDR_TASK:
		/* The name of a process is that of its first thread. */
		if (!summary.nr_tasks++)
			summarise_task(record->fields);
		break;
	case CKPT_HDR_VMA:
		summary.nr_vmas++;
		break;
	case CKPT_HDR_FILE:
		summary.nr_files++;
		break;
	case CKPT_HDR_FILE_DESC:
		summary.nr_fds++;
		break;
	case CKPT_HDR_PAGES:
		summary.nr_pages +=
			((const struct ckpt_hdr_pages *)record->fields)->nr_pages;
		summary.pages_size += record->tail_len;
		break;
	case CKPT_HDR_PAGES_COW:
		summary.nr_shared +=
			((const struct ckpt_hdr_pages_cow *)record->fields)->nr_pages;
		break;
	case CKPT_HDR_CPU:
		if (options->registers)
			print_registers(record);
		break;
	}
}

static void summary_end(const struct info_options *options,
			const struct image *image, enum image_result result)
{
	(void)options;
	if (summary.nr_threads)
		printf("threads   %llu\n", summary.nr_threads + 1);
	printf("memory    %llu mappings, %llu pages saved, %.1f MiB\n",
	       summary.nr_vmas, summary.nr_pages,
	       summary.pages_size / MIB);
	if (summary.nr_shared)
		printf("shared    %llu pages more, under copy-on-write\n",
		       summary.nr_shared);
	printf("files     %llu descriptors, %llu open files\n",
	       summary.nr_fds, summary.nr_files);
	summarise_outside();
	printf("size      %llu bytes, %llu records\n",
	       image->offset, image->nr_records);
	if (unpacker_format(image->unpacker))
		printf("packed    %llu bytes, %s\n",
		       unpacker_taken(image->unpacker),
		       unpacker_format(image->unpacker));
	printf("state     ");
	image_print_verdict(image, result);
}

const struct info_view info_summary = {
	.begin	= summary_begin,
	.record	= summary_record,
	.end	= summary_end,
};
