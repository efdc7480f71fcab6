// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing two images.
 *
 * Equal means: the same records in the same order, with the same values in all
 * fields that the tables do not call volatile, and the same contents of the
 * same pages, however they are cut into records. What the kernel writes by
 * itself does not count: struct rseq has the number of the processor, and a
 * sleep that was interrupted has told the time left and goes on as another
 * system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ckptinfo.h"
#include "pages.h"
#include "util.h"

/* More than this is counted, not printed. */
#define SHOWN_DIFFERENCES	40

/* As the description of the header has it. */
#define PAGE_SIZE_MAX		65536

/* Of struct timespec, 64-bit. */
#define TIMESPEC_SIZE		16

#define UNPACK_ROOM		(64U << 10)

/**
 * struct item - a record, pages excepted
 * @type: its description
 * @offset: where it begins in the image
 * @len: its bytes
 * @data: points to them
 * @resumes: for CKPT_HDR_CPU: the task is to resume a system call
 * @group: the pages that it ends, for CKPT_HDR_PAGES_END
 */
struct item {
	const struct ckpt_record *type;
	u64 offset;
	u32 len;
	const unsigned char *data;
	bool resumes;
	struct page_group group;
};

/**
 * struct loaded - an image in memory
 * @file: its name
 * @data: its bytes
 * @size: their number
 * @at: how much image_next() has read
 * @items: its records
 * @nr_items: their number
 * @cpu: index of the last CKPT_HDR_CPU
 * @group: pages since the last CKPT_HDR_PAGES_END
 * @memories: pages of the address spaces read so far, by id of the object
 * @nr_memories: entries of @memories
 * @mm: id of the address space whose records are read
 * @page_size: bytes of a page
 */
struct loaded {
	const char *file;
	const unsigned char *data;
	size_t size;
	size_t at;
	struct item *items;
	size_t nr_items;
	size_t cpu;
	struct page_group group;
	struct page_group *memories;
	u32 nr_memories;
	u32 mm;
	u32 page_size;
};

/**
 * struct comparison - two images
 * @options: what the command line asks for
 * @images: the images
 * @masks: bytes of memory that do not count
 * @nr_differences: found so far
 */
struct comparison {
	const struct info_options *options;
	struct loaded images[2];
	struct page_masks masks;
	unsigned long nr_differences;
};

static ssize_t read_loaded(void *arg, void *data, size_t len)
{
	struct loaded *loaded = arg;

	len = smaller(len, loaded->size - loaded->at);
	memcpy(data, loaded->data + loaded->at, len);
	loaded->at += len;
	return len;
}

/* Return: descriptor of what is in a compressed file, or -1 after a message. */
static int unpack(const char *name, int fd)
{
	struct unpacker *unpacker = unpacker_open(image_read_fd, &fd);
	char *room = must_alloc(UNPACK_ROOM);
	FILE *file = tmpfile();
	ssize_t got = 0;
	int copy = -1;

	while (file && (got = unpacker_read(unpacker, room, UNPACK_ROOM)) > 0)
		if (write_all(fileno(file), room, got))
			break;
	if (got < 0)
		error("%s: %s", name, unpacker_error(unpacker));
	else if (!file || got)
		error("no room to unpack %s: %s", name, strerror(errno));
	else
		copy = dup(fileno(file));
	if (file)
		fclose(file);
	free(room);
	unpacker_close(unpacker);
	return copy;
}

static int map_file(struct loaded *loaded)
{
	int fd = open(loaded->file, O_RDONLY | O_CLOEXEC), packed = fd;
	struct stat st;
	void *data;

	if (fd >= 0 && is_packed_file(fd)) {
		fd = unpack(loaded->file, packed);
		close(packed);
		if (fd < 0)
			return -1;
	}
	if (fd < 0 || fstat(fd, &st)) {
		error("cannot read %s: %s", loaded->file, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || !st.st_size) {
		error("%s is no image", loaded->file);
		return -1;
	}
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		error("cannot read %s: %s", loaded->file, strerror(errno));
		return -1;
	}
	loaded->data = data;
	loaded->size = st.st_size;
	return 0;
}

static void keep_memory(struct loaded *loaded)
{
	u32 index, nr = loaded->mm + 1;

	if (nr > loaded->nr_memories) {
		loaded->memories = must_grow(loaded->memories,
					     nr * sizeof(*loaded->memories));
		for (index = loaded->nr_memories; index < nr; index++)
			loaded->memories[index] = (struct page_group) { 0 };
		loaded->nr_memories = nr;
	}
	loaded->memories[loaded->mm] = loaded->group;
}

/* Pages that another address space has: the same contents here. */
static void add_shared_pages(struct loaded *loaded,
			     const struct ckpt_hdr_pages_cow *pages)
{
	static const unsigned char zeros[PAGE_SIZE_MAX];
	u32 index;

	for (index = 0; index < pages->nr_pages; index++) {
		u64 offset = (u64)index * loaded->page_size;
		const unsigned char *data = NULL;

		if (pages->mm < loaded->nr_memories)
			data = page_group_find(&loaded->memories[pages->mm],
					       pages->source + offset,
					       loaded->page_size);
		page_group_add(&loaded->group, pages->start + offset, 1,
			       data ? data : zeros);
	}
}

static void add_item(struct loaded *loaded, const struct image_record *record)
{
	size_t nr_items = loaded->nr_items;
	struct item *item;

	if (!(nr_items & (nr_items - 1)))
		loaded->items = must_grow(loaded->items,
					  (nr_items ? nr_items * 2 : 1) *
					  sizeof(*loaded->items));
	item = &loaded->items[nr_items];
	*item = (struct item) {
		.type	= record->type,
		.offset	= record->offset,
		.len	= record->len,
		.data	= loaded->data + record->offset,
	};
	if (record->type->type == CKPT_HDR_PAGES_END) {
		page_group_sort(&loaded->group);
		item->group = loaded->group;
		if (loaded->group.is_memory)
			keep_memory(loaded);
		loaded->group = (struct page_group) { 0 };
	}
	loaded->nr_items++;
}

static void add_mask(struct page_masks *masks, u64 start, u64 len)
{
	if (!start || !len)
		return;
	masks->masks = must_grow(masks->masks, (masks->nr_masks + 1) *
				 sizeof(*masks->masks));
	masks->masks[masks->nr_masks++] = (struct page_mask) {
		.start	= start,
		.len	= len,
	};
}

static void note_resume(struct comparison *comparison, struct loaded *loaded,
			const struct ckpt_hdr_restart_block *block)
{
	if (block->function == CKPT_RESTART_NONE)
		return;
	if (loaded->nr_items)
		loaded->items[loaded->cpu].resumes = true;
	if (block->function == CKPT_RESTART_NANOSLEEP ||
	    block->function == CKPT_RESTART_CPU_SLEEP)
		add_mask(&comparison->masks, block->user_pointer,
			 TIMESPEC_SIZE);
}

static void note_record(struct comparison *comparison, struct loaded *loaded,
			const struct image_record *record)
{
	const struct ckpt_hdr_header *header = record->fields;
	const struct ckpt_hdr_thread *thread = record->fields;
	const struct ckpt_hdr_pages *pages = record->fields;
	const struct ckpt_hdr_objref *objref = record->fields;

	switch (record->type->type) {
	case CKPT_HDR_OBJREF:
		/* Nothing that it refers to has one of its own. */
		if (objref->objtype == CKPT_OBJ_MM)
			loaded->mm = objref->objref;
		break;
	case CKPT_HDR_HEADER:
		loaded->page_size = header->page_size;
		break;
	case CKPT_HDR_MM:
	case CKPT_HDR_VMA:
		/* Objects that mappings refer to come before them. */
		loaded->group.is_memory = true;
		break;
	case CKPT_HDR_SHMEM:
	case CKPT_HDR_MEMFD:
	case CKPT_HDR_UNLINKED:
		loaded->group.is_memory = false;
		break;
	case CKPT_HDR_THREAD:
		add_mask(&comparison->masks, thread->rseq, thread->rseq_len);
		break;
	case CKPT_HDR_RESTART_BLOCK:
		note_resume(comparison, loaded, record->fields);
		break;
	case CKPT_HDR_CPU:
		loaded->cpu = loaded->nr_items;
		break;
	case CKPT_HDR_PAGES:
		page_group_add(&loaded->group, pages->start, pages->nr_pages,
			       loaded->data + record->offset +
			       record->type->size);
		return;
	case CKPT_HDR_PAGES_COW:
		add_shared_pages(loaded, record->fields);
		return;
	}
	add_item(loaded, record);
}

static int load(struct comparison *comparison, struct loaded *loaded)
{
	enum image_result result;
	struct image image;

	if (map_file(loaded))
		return -1;
	image_open(&image, read_loaded, loaded);
	while ((result = image_next(&image)) == IMAGE_RECORD)
		note_record(comparison, loaded, &image.record);
	if (result == IMAGE_BAD)
		error("%s: at byte %llu: %s", loaded->file,
		      image.record.offset, image.error);
	else if (image.is_failed)
		error("%s records a failed checkpoint", loaded->file);
	image_close(&image);
	return result == IMAGE_BAD || image.is_failed ? -1 : 0;
}

__printf(2, 3)
static void differ(struct comparison *comparison, const char *format, ...)
{
	va_list args;

	if (++comparison->nr_differences > SHOWN_DIFFERENCES)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

/* --ignore takes "record" and "record.field". */
static bool is_ignored(const struct comparison *comparison, const char *record,
		       const char *field)
{
	const struct info_options *options = comparison->options;
	size_t len = strlen(record);
	unsigned int i;

	for (i = 0; i < options->nr_ignore; i++) {
		const char *name = options->ignore[i];

		if (strncmp(name, record, len))
			continue;
		if (!name[len] || (name[len] == '.' &&
				   !strcmp(name + len + 1, field)))
			return true;
	}
	return false;
}

/* A record of an older version may be shorter than the structure. */
static void copy_fields(const struct item *item, unsigned char *fields)
{
	memset(fields, 0, item->type->size);
	memcpy(fields, item->data, smaller(item->len, item->type->size));
}

static void compare_field(struct comparison *comparison,
			  const struct ckpt_field *field,
			  const struct item *items[2],
			  unsigned char *const fields[2])
{
	const char *record = items[0]->type->name;

	if (!memcmp(fields[0] + field->offset, fields[1] + field->offset,
		    field->size))
		return;
	if (items[0]->resumes && items[1]->resumes &&
	    !strcmp(field->name, "orig_ax"))
		return;
	if (field->flags & CKPT_FIELD_VOLATILE ||
	    is_ignored(comparison, record, field->name))
		return;
	differ(comparison, "%s at %llu and %llu: %s: ", record,
	       items[0]->offset,
	       items[1]->offset, field->name);
	if (comparison->nr_differences > SHOWN_DIFFERENCES)
		return;
	format_field(stdout, field, fields[0]);
	printf(" and ");
	format_field(stdout, field, fields[1]);
	putchar('\n');
}

static void compare_tails(struct comparison *comparison,
			  const struct item *items[2])
{
	const struct ckpt_record *type = items[0]->type;

	if (type->tail == CKPT_TAIL_NONE ||
	    is_ignored(comparison, type->name, "data"))
		return;
	if (items[0]->len == items[1]->len &&
	    !memcmp(items[0]->data + type->size, items[1]->data + type->size,
		    items[0]->len - type->size))
		return;
	differ(comparison, "%s at %llu and %llu: other contents\n", type->name,
	       items[0]->offset,
	       items[1]->offset);
}

static void page_differs(void *arg, u64 address, int only_in)
{
	struct comparison *comparison = arg;

	if (only_in)
		differ(comparison, "page %#llx: only in %s\n",
		       address,
		       comparison->images[only_in - 1].file);
	else
		differ(comparison, "byte %#llx of memory: other contents\n",
		       address);
}

static void compare_items(struct comparison *comparison,
			  const struct item *items[2])
{
	const struct ckpt_record *type = items[0]->type;
	unsigned char *fields[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fields[i] = must_alloc(type->size);
		copy_fields(items[i], fields[i]);
	}
	for (i = 0; i < type->nr_fields; i++)
		compare_field(comparison, &type->fields[i], items, fields);
	compare_tails(comparison, items);
	if (type->type == CKPT_HDR_PAGES_END &&
	    !is_ignored(comparison, "pages", ""))
		page_groups_compare(&items[0]->group, &items[1]->group,
				    comparison->images[0].page_size,
				    &comparison->masks, page_differs,
				    comparison);
	free(fields[0]);
	free(fields[1]);
}

static void compare_images(struct comparison *comparison)
{
	const struct loaded *one = &comparison->images[0];
	const struct loaded *two = &comparison->images[1];
	size_t i;

	for (i = 0; i < one->nr_items && i < two->nr_items; i++) {
		const struct item *items[2] = {
			&one->items[i], &two->items[i],
		};

		if (items[0]->type == items[1]->type) {
			compare_items(comparison, items);
			continue;
		}
		differ(comparison, "record %zu: %s at %llu and %s at %llu: the end\n",
		       i, items[0]->type->name,
		       items[0]->offset,
		       items[1]->type->name,
		       items[1]->offset);
		return;
	}
	if (one->nr_items != two->nr_items)
		differ(comparison, "%zu and %zu records\n", one->nr_items,
		       two->nr_items);
}

/* The tail counts records of pages too, and their number is free. */
static void allow_other_cuts(struct info_options *options)
{
	options->ignore = must_grow(options->ignore, (options->nr_ignore + 1) *
				    sizeof(*options->ignore));
	options->ignore[options->nr_ignore++] = "tail.nr_records";
}

static void unload(struct loaded *loaded)
{
	size_t i;

	for (i = 0; i < loaded->nr_items; i++)
		free(loaded->items[i].group.runs);
	free(loaded->items);
	free(loaded->memories);
	free(loaded->group.runs);
	if (loaded->data)
		munmap((void *)loaded->data, loaded->size);
}

/**
 * diff_images - print how two images differ
 * @options: names them
 *
 * Return: exit status: 0 if they are equal.
 */
int diff_images(struct info_options *options)
{
	struct comparison comparison = {
		.options	= options,
		.images		= {
			{ .file = options->file },
			{ .file = options->other },
		},
	};
	int status = 0;

	allow_other_cuts(options);
	if (load(&comparison, &comparison.images[0]) ||
	    load(&comparison, &comparison.images[1])) {
		status = EXIT_FAILED;
	} else {
		compare_images(&comparison);
		if (comparison.nr_differences > SHOWN_DIFFERENCES)
			printf("%lu differences more\n",
			       comparison.nr_differences - SHOWN_DIFFERENCES);
		status = comparison.nr_differences ? EXIT_FAILED : 0;
	}
	unload(&comparison.images[0]);
	unload(&comparison.images[1]);
	free(comparison.masks.masks);
	return status;
}
