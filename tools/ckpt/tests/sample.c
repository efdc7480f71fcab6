// SPDX-License-Identifier: GPL-2.0
/*
 * Images made by hand, for tests without a kernel.
 *
 * A sample has one of everything that an image can hold. It is no process that
 * could run.
 */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "sample.h"
#include "util.h"

#include <linux/checkpoint_image.h>

#define PAGE		4096
#define HEAP		0x10000000ULL
#define NR_PAGES	8

/**
 * sample_fields - fill a record with possible values
 * @type: its description
 * @fields: room for its C structure
 */
void sample_fields(const struct ckpt_record *type, void *fields)
{
	struct ckpt_hdr header = { .type = type->type, .len = type->size };
	unsigned int i;

	memset(fields, 0, type->size);
	memcpy(fields, &header, sizeof(header));
	for (i = 0; i < type->nr_fields; i++) {
		const struct ckpt_field *field = &type->fields[i];
		u64 value = 0;

		if (field->kind == CKPT_FIELD_UINT)
			value = field->low;
		else if (field->kind == CKPT_FIELD_REF)
			value = 1;
		/* The machine is little-endian: the low bytes come first. */
		if (field->size <= sizeof(value))
			memcpy((char *)fields + field->offset, &value,
			       field->size);
	}
}

/**
 * sample_put - append a record
 * @sample: the image
 * @type: enum ckpt_hdr_type
 * @fields: C structure whose header does not matter, or NULL for any values
 * @tail: bytes behind the fields, or NULL
 * @tail_len: their number, padding included
 */
void sample_put(struct sample *sample, u32 type, const void *fields,
		const void *tail, size_t tail_len)
{
	const struct ckpt_record *record = ckpt_record_find(type);
	struct ckpt_hdr header = {
		.type	= type,
		.len	= record->size + tail_len,
	};
	unsigned char *at;

	sample->data = must_grow(sample->data, sample->len + header.len);
	at = sample->data + sample->len;
	if (fields)
		memcpy(at, fields, record->size);
	else
		sample_fields(record, at);
	memcpy(at, &header, sizeof(header));
	if (tail_len)
		memcpy(at + record->size, tail, tail_len);
	sample->len += header.len;
	sample->nr_records++;
}

/**
 * sample_text - append a string
 * @sample: the image
 * @text: the string
 */
void sample_text(struct sample *sample, const char *text)
{
	char padded[CKPT_TEXT_MAX] = { 0 };
	size_t len = strlen(text);

	memcpy(padded, text, len);
	sample_put(sample, CKPT_HDR_STRING, NULL, padded, (len + 8) & ~7UL);
}

/**
 * sample_begin - put what every image begins with, up to the container
 * @sample: the image, empty
 */
void sample_begin(struct sample *sample)
{
	sample_put(sample, CKPT_HDR_HEADER, NULL, NULL, 0);
	sample_text(sample, "6.12.0");
	sample_text(sample, "#1 SMP");
	sample_text(sample, "x86_64");
	sample_put(sample, CKPT_HDR_HEADER_ARCH, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_CONTAINER, NULL, NULL, 0);
}

/**
 * sample_end - append the tail, or make it right again
 * @sample: the image
 */
void sample_end(struct sample *sample)
{
	struct ckpt_hdr_tail tail = {
		.magic		= CKPT_IMAGE_TAIL_MAGIC,
		.nr_records	= sample->nr_records,
		.checksum	= XXH64(sample->data, sample->len, 0),
	};

	sample_put(sample, CKPT_HDR_TAIL, &tail, NULL, 0);
}

/**
 * sample_fail - append why the checkpoint failed
 * @sample: the image
 * @errnum: positive errno
 * @message: the kernel's message
 */
void sample_fail(struct sample *sample, u32 errnum, const char *message)
{
	struct ckpt_hdr_error fields = { .error = errnum };

	sample_put(sample, CKPT_HDR_ERROR, &fields, NULL, 0);
	sample_text(sample, message);
}

static void put_object(struct sample *sample, u32 objtype, u32 objref)
{
	struct ckpt_hdr_objref fields = {
		.objtype	= objtype,
		.objref		= objref,
	};

	sample_put(sample, CKPT_HDR_OBJREF, &fields, NULL, 0);
}

static void put_buffer(struct sample *sample, u32 nbytes)
{
	struct ckpt_hdr_buffer fields = { .nbytes = nbytes };
	char data[256] = { 0 };

	memset(data, 0x5a, nbytes);
	sample_put(sample, CKPT_HDR_BUFFER, &fields, data, (nbytes + 7) & ~7U);
}

static void put_pages(struct sample *sample, u32 pages_per_record)
{
	struct ckpt_hdr_pages_end end = { .nr_pages = NR_PAGES };
	unsigned char *data = must_alloc(NR_PAGES * PAGE);
	u32 done, page;

	for (done = 0; done < NR_PAGES; done += pages_per_record) {
		struct ckpt_hdr_pages fields = {
			.start		= HEAP + done * PAGE,
			.nr_pages	= pages_per_record,
		};

		for (page = 0; page < pages_per_record; page++)
			memset(data + page * PAGE, 'a' + done + page, PAGE);
		sample_put(sample, CKPT_HDR_PAGES, &fields, data,
			   pages_per_record * PAGE);
	}
	sample_put(sample, CKPT_HDR_PAGES_END, &end, NULL, 0);
	free(data);
}

static void put_desc(struct sample *sample, u32 fd, u32 file)
{
	struct ckpt_hdr_file_desc desc = { .fd = fd, .file = file };

	sample_put(sample, CKPT_HDR_FILE_DESC, &desc, NULL, 0);
}

static void put_null_device(struct sample *sample)
{
	struct ckpt_hdr_file file = {
		.kind		= CKPT_FILE_MEM_DEVICE,
		.inherit	= -1,
	};

	put_object(sample, CKPT_OBJ_FILE, 4);
	sample_put(sample, CKPT_HDR_FILE, &file, NULL, 0);
	sample_put(sample, CKPT_HDR_FILE_PATH, NULL, NULL, 0);
	sample_text(sample, "/dev/null");
}

static void put_terminal(struct sample *sample)
{
	struct ckpt_hdr_file file = {
		.kind		= CKPT_FILE_EXTERNAL,
		.open_flags	= 2,
		.fd		= 1,
		.inherit	= -1,
		.flags		= CKPT_FILE_OUTSIDE,
	};

	put_object(sample, CKPT_OBJ_FILE, 5);
	sample_put(sample, CKPT_HDR_FILE, &file, NULL, 0);
	sample_put(sample, CKPT_HDR_FILE_EXTERNAL, NULL, NULL, 0);
	sample_text(sample, "/dev/pts/7");
}

/* 0 and 3 are /dev/null, 1 and 2 a terminal. */
static void put_files(struct sample *sample)
{
	struct ckpt_hdr_file_table table = { .nr_fds = 4 };

	put_object(sample, CKPT_OBJ_FS, 2);
	sample_put(sample, CKPT_HDR_FS, NULL, NULL, 0);
	sample_text(sample, "/");
	sample_text(sample, "/tmp");
	put_object(sample, CKPT_OBJ_FILE_TABLE, 3);
	sample_put(sample, CKPT_HDR_FILE_TABLE, &table, NULL, 0);
	put_null_device(sample);
	put_desc(sample, 0, 4);
	put_terminal(sample);
	put_desc(sample, 1, 5);
	put_desc(sample, 2, 5);
	put_desc(sample, 3, 4);
}

static void put_memory(struct sample *sample, u32 pages_per_record)
{
	struct ckpt_hdr_mm mm = { .exe_file = 4, .nr_vmas = 1 };
	struct ckpt_hdr_vma vma = {
		.start	= HEAP,
		.end	= HEAP + NR_PAGES * PAGE,
		.kind	= CKPT_VMA_ANON,
		.flags	= CKPT_VMA_READ | CKPT_VMA_WRITE,
	};

	put_object(sample, CKPT_OBJ_MM, 6);
	sample_put(sample, CKPT_HDR_MM, &mm, NULL, 0);
	put_buffer(sample, 40);
	sample_put(sample, CKPT_HDR_MM_ARCH, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_VMA, &vma, NULL, 0);
	put_pages(sample, pages_per_record);
}

static void put_signals(struct sample *sample)
{
	struct ckpt_hdr_sighand sighand = { .nr_actions = 1 };

	put_object(sample, CKPT_OBJ_SIGHAND, 7);
	sample_put(sample, CKPT_HDR_SIGHAND, &sighand, NULL, 0);
	sample_put(sample, CKPT_HDR_SIGACTION, NULL, NULL, 0);
	put_object(sample, CKPT_OBJ_SIGNAL, 8);
	sample_put(sample, CKPT_HDR_SIGNAL, NULL, NULL, 0);
}

/**
 * sample_image - make a complete image
 * @sample: empty; sample_free() gives the memory back
 * @pid: process id of its one task
 * @pages_per_record: how its pages are cut into records: 1, 2, 4 or 8
 */
void sample_image(struct sample *sample, u32 pid, u32 pages_per_record)
{
	struct ckpt_hdr_pids ids = {
		.pid = pid, .tgid = pid, .ppid = 1, .pgid = pid, .sid = 1,
	};
	struct ckpt_hdr_task task = { .exit_signal = 17, .comm = "sample" };
	struct ckpt_hdr_thread thread = {
		.rseq = HEAP + 64, .rseq_len = 32, .nr_pending = 1,
	};
	struct ckpt_hdr_task_objs objs = {
		.cred = 1, .fs = 2, .files = 3, .mm = 6, .sighand = 7,
		.signal = 8,
	};

	*sample = (struct sample) { 0 };
	sample_begin(sample);
	sample_put(sample, CKPT_HDR_TREE, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_PIDS, &ids, NULL, 0);
	sample_put(sample, CKPT_HDR_TASK, &task, NULL, 0);
	put_object(sample, CKPT_OBJ_CRED, 1);
	sample_put(sample, CKPT_HDR_CRED, NULL, NULL, 0);
	put_buffer(sample, 12);
	put_files(sample);
	put_memory(sample, pages_per_record);
	put_signals(sample);
	sample_put(sample, CKPT_HDR_TASK_OBJS, &objs, NULL, 0);
	sample_put(sample, CKPT_HDR_THREAD, &thread, NULL, 0);
	sample_put(sample, CKPT_HDR_SIGINFO, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_RESTART_BLOCK, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_CPU, NULL, NULL, 0);
	sample_put(sample, CKPT_HDR_CPU_XSTATE, NULL, NULL, 0);
	put_buffer(sample, 200);
	sample_end(sample);
}

/**
 * sample_free - give back the memory
 * @sample: the image
 */
void sample_free(struct sample *sample)
{
	free(sample->data);
	*sample = (struct sample) { 0 };
}
