// SPDX-License-Identifier: GPL-2.0
/*
 * Images made by hand, for tests without a kernel.
 *
 * A sample has one of everything that an image can hold. It is no process that
 * could run. Its descriptors are made in sample_files.c.
 */
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "sample.h"
#include "util.h"

#include <linux/checkpoint_image.h>

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

/* The largest possible value: other digits than those of no value at all. */
static u64 largest(const struct ckpt_field *field)
{
	if (field->kind == CKPT_FIELD_UINT || field->kind == CKPT_FIELD_SINT)
		return field->high;
	if (field->kind == CKPT_FIELD_MASK)
		return field->low;
	return field->kind == CKPT_FIELD_REF;
}

static void fill_field(const struct ckpt_field *field, void *at)
{
	u64 value = largest(field);
	u16 i;

	if (field->kind == CKPT_FIELD_TEXT)
		memcpy(at, "text", sizeof("text"));
	else if (field->kind == CKPT_FIELD_BYTES)
		for (i = 0; i < field->size; i++)
			((unsigned char *)at)[i] = 0xa0 + i;
	else if (field->kind == CKPT_FIELD_ARRAY)
		for (i = 0; i < field->size / sizeof(u64); i++)
			((u64 *)at)[i] = i ? 1000ULL + i : ~0ULL;
	else
		memcpy(at, &value, field->size);
}

/**
 * sample_any - append a record whose values do not matter
 * @sample: the image
 * @type: enum ckpt_hdr_type, one without a tail
 */
void sample_any(struct sample *sample, u32 type)
{
	const struct ckpt_record *record = ckpt_record_find(type);
	u64 *fields = must_alloc(record->size);
	unsigned int i;

	for (i = 0; i < record->nr_fields; i++)
		fill_field(&record->fields[i],
			   (char *)fields + record->fields[i].offset);
	sample_put(sample, type, fields, NULL, 0);
	free(fields);
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
	};

	digest_image(sample->data, sample->len, &tail);
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

/**
 * sample_object - announce an object
 * @sample: the image
 * @objtype: enum ckpt_obj_type
 *
 * Return: its id.
 */
u32 sample_object(struct sample *sample, u32 objtype)
{
	struct ckpt_hdr_objref fields = {
		.objtype	= objtype,
		.objref		= ++sample->nr_objects,
	};

	sample_put(sample, CKPT_HDR_OBJREF, &fields, NULL, 0);
	return fields.objref;
}

/**
 * sample_buffer - append a buffer
 * @sample: the image
 * @nbytes: at most 256
 */
void sample_buffer(struct sample *sample, u32 nbytes)
{
	struct ckpt_hdr_buffer fields = { .nbytes = nbytes };
	char data[256] = { 0 };

	memset(data, 0x5a, nbytes);
	sample_put(sample, CKPT_HDR_BUFFER, &fields, data, (nbytes + 7) & ~7U);
}

/**
 * sample_pages - append the pages of an object
 * @sample: the image
 * @start: where the first belongs
 * @nr_pages: how many
 * @pages_per_record: how they are cut into records; divides @nr_pages
 */
void sample_pages(struct sample *sample, u64 start, u32 nr_pages,
		  u32 pages_per_record)
{
	struct ckpt_hdr_pages_end end = { .nr_pages = nr_pages };
	unsigned char *data = must_alloc(pages_per_record * SAMPLE_PAGE);
	u32 done, page;

	for (done = 0; done < nr_pages; done += pages_per_record) {
		struct ckpt_hdr_pages fields = {
			.start		= start + done * SAMPLE_PAGE,
			.nr_pages	= pages_per_record,
		};

		for (page = 0; page < pages_per_record; page++)
			memset(data + page * SAMPLE_PAGE, 'a' + done + page,
			       SAMPLE_PAGE);
		sample_put(sample, CKPT_HDR_PAGES, &fields, data,
			   pages_per_record * SAMPLE_PAGE);
	}
	sample_put(sample, CKPT_HDR_PAGES_END, &end, NULL, 0);
	free(data);
}

static u32 put_directories(struct sample *sample)
{
	struct ckpt_hdr_fs record = { 0 };
	u32 fs = sample_object(sample, CKPT_OBJ_FS);

	sample_put(sample, CKPT_HDR_FS, &record, NULL, 0);
	sample_text(sample, "/");
	sample_text(sample, "/tmp");
	return fs;
}

/* Each page is shared but the first, which was written since. */
static void put_shared_pages(struct sample *sample, u32 mm)
{
	struct ckpt_hdr_pages first = { .start = HEAP, .nr_pages = 1 };
	struct ckpt_hdr_pages_cow rest = {
		.start		= HEAP + SAMPLE_PAGE,
		.source		= HEAP + SAMPLE_PAGE,
		.nr_pages	= NR_PAGES - 1,
		.mm		= mm,
	};
	struct ckpt_hdr_pages_end end = { .nr_pages = NR_PAGES };
	unsigned char data[SAMPLE_PAGE];

	memset(data, 'a', sizeof(data));
	sample_put(sample, CKPT_HDR_PAGES, &first, data, sizeof(data));
	sample_put(sample, CKPT_HDR_PAGES_COW, &rest, NULL, 0);
	sample_put(sample, CKPT_HDR_PAGES_END, &end, NULL, 0);
}

/*
 * Its executable is what descriptors 0 and 3 have open, too. Its pages are those
 * of an address space that was put before if @cow_mm is one.
 */
static u32 put_memory(struct sample *sample, u32 pages_per_record, u32 cow_mm,
		      u32 *exe)
{
	struct ckpt_hdr_mm mm = { .nr_vmas = 1, .flags = CKPT_MM_TOPDOWN };
	struct ckpt_hdr_vma vma = {
		.start	= HEAP,
		.end	= HEAP + NR_PAGES * SAMPLE_PAGE,
		.kind	= CKPT_VMA_ANON,
		.flags	= CKPT_VMA_READ | CKPT_VMA_WRITE | CKPT_VMA_MEMPOLICY,
		.cow_mm	= cow_mm,
		.cow_start = cow_mm ? HEAP : 0,
	};
	u32 id = sample_object(sample, CKPT_OBJ_MM);

	*exe = sample_null_device(sample);
	mm.exe_file = *exe;
	sample_put(sample, CKPT_HDR_MM, &mm, NULL, 0);
	sample_buffer(sample, 40);
	sample_any(sample, CKPT_HDR_MM_ARCH);
	sample_put(sample, CKPT_HDR_VMA, &vma, NULL, 0);
	sample_any(sample, CKPT_HDR_MEMPOLICY);
	sample_buffer(sample, 8);
	if (cow_mm)
		put_shared_pages(sample, cow_mm);
	else
		sample_pages(sample, HEAP, NR_PAGES, pages_per_record);
	return id;
}

static u32 put_handlers(struct sample *sample)
{
	struct ckpt_hdr_sighand sighand = { .nr_actions = 1 };
	u32 id = sample_object(sample, CKPT_OBJ_SIGHAND);

	sample_put(sample, CKPT_HDR_SIGHAND, &sighand, NULL, 0);
	sample_any(sample, CKPT_HDR_SIGACTION);
	return id;
}

static u32 put_signals(struct sample *sample)
{
	struct ckpt_hdr_signal signal = { .nr_posix_timers = 1 };
	u32 id = sample_object(sample, CKPT_OBJ_SIGNAL);

	sample_put(sample, CKPT_HDR_SIGNAL, &signal, NULL, 0);
	sample_any(sample, CKPT_HDR_POSIX_TIMER);
	return id;
}

static u32 put_user_ns(struct sample *sample)
{
	struct ckpt_hdr_user_ns user_ns = {
		.owner = 1000, .group = 1000, .flags = CKPT_USER_NS_SETGROUPS,
		.nr_uids = 2, .nr_gids = 1, .nr_projids = 1,
		.max_uts_namespaces = 7, .nproc = 1 << 20,
	};
	u32 id = sample_object(sample, CKPT_OBJ_USER_NS), index;

	sample_put(sample, CKPT_HDR_USER_NS, &user_ns, NULL, 0);
	for (index = 0; index < 4; index++)
		sample_any(sample, CKPT_HDR_ID_EXTENT);
	return id;
}

static u32 put_cred(struct sample *sample)
{
	struct ckpt_hdr_cred cred = {
		.uid = 1000, .euid = 1000, .ngroups = 2, .nouter_groups = 1,
		.outer = CKPT_CRED_SUID,
	};
	u32 id = sample_object(sample, CKPT_OBJ_CRED);

	cred.user_ns = put_user_ns(sample);
	sample_put(sample, CKPT_HDR_CRED, &cred, NULL, 0);
	sample_buffer(sample, (cred.ngroups + cred.nouter_groups) * sizeof(u32));
	return id;
}

static void put_ids(struct sample *sample, u32 pid, u32 parent, u32 flags, u32 pid_ns)
{
	struct ckpt_hdr_pids ids = {
		.pid = pid, .tgid = pid, .ppid = parent, .pgid = pid, .sid = 1,
		.flags = flags, .pid_ns = pid_ns,
	};

	sample_put(sample, CKPT_HDR_PIDS, &ids, NULL, 0);
}

static u32 put_filter(struct sample *sample, u32 prev)
{
	struct ckpt_hdr_seccomp_filter filter = {
		.prev = prev, .flags = CKPT_SECCOMP_LOG,
	};
	u32 id = sample_object(sample, CKPT_OBJ_SECCOMP_FILTER);

	sample_put(sample, CKPT_HDR_SECCOMP_FILTER, &filter, NULL, 0);
	sample_buffer(sample, 16);
	return id;
}

static u32 put_namespaces(struct sample *sample)
{
	struct ckpt_hdr_uts_ns uts_ns = {
		.nodename = "sample", .domainname = "example.org",
	};
	struct ckpt_hdr_ipc_ns ipc_ns = {
		.shmmax = 1 << 20, .semmni = 100, .sem_last = -1, .msg_last = 3,
		.mq_msg_max = 10, .mq_msgsize_max = 8192, .mq_msg_default = 10,
		.mq_msgsize_default = 8192, .nr_sem_sets = 1, .nr_msg_queues = 1,
	};
	struct ckpt_hdr_msg_queue queue = { .qbytes = 16384, .nr_messages = 1 };
	struct ckpt_hdr_sem_set set = { .otime = 1000, .ctime = -1, .nsems = 5 };
	struct ckpt_hdr_pid_ns pid_ns = { .state = CKPT_PID_NS_EMPTY };
	struct ckpt_hdr_nsproxy nsproxy = { 0 };
	u32 id = sample_object(sample, CKPT_OBJ_NSPROXY);

	nsproxy.uts_ns = sample_object(sample, CKPT_OBJ_UTS_NS);
	sample_put(sample, CKPT_HDR_UTS_NS, &uts_ns, NULL, 0);
	nsproxy.ipc_ns = sample_object(sample, CKPT_OBJ_IPC_NS);
	sample_put(sample, CKPT_HDR_IPC_NS, &ipc_ns, NULL, 0);
	sample_any(sample, CKPT_HDR_IPC_PERM);
	sample_put(sample, CKPT_HDR_SEM_SET, &set, NULL, 0);
	sample_buffer(sample, set.nsems * sizeof(u16));
	sample_any(sample, CKPT_HDR_IPC_PERM);
	sample_put(sample, CKPT_HDR_MSG_QUEUE, &queue, NULL, 0);
	sample_any(sample, CKPT_HDR_MSG);
	sample_buffer(sample, 17);
	nsproxy.pid_ns_for_children = sample_object(sample, CKPT_OBJ_PID_NS);
	sample_put(sample, CKPT_HDR_PID_NS, &pid_ns, NULL, 0);
	sample_put(sample, CKPT_HDR_NSPROXY, &nsproxy, NULL, 0);
	return id;
}

/* Return: credentials of the task. */
static u32 put_task(struct sample *sample, u32 pages_per_record, u32 cow_mm)
{
	struct ckpt_hdr_task task = { .exit_signal = 17, .comm = "sample" };
	struct ckpt_hdr_thread thread = {
		.rseq = HEAP + 64, .rseq_len = 32, .nr_pending = 1,
	};
	struct ckpt_hdr_task_objs objs = { 0 };
	u32 exe;

	sample_any(sample, CKPT_HDR_CPU);
	sample_any(sample, CKPT_HDR_CPU_XSTATE);
	sample_buffer(sample, 200);
	sample_put(sample, CKPT_HDR_TASK, &task, NULL, 0);
	sample_buffer(sample, 0);
	objs.cred = put_cred(sample);
	objs.fs = put_directories(sample);
	objs.mm = put_memory(sample, pages_per_record, cow_mm, &exe);
	sample->fs = objs.fs;
	sample->mm = objs.mm;
	objs.files = sample_file_table(sample, exe);
	objs.sighand = put_handlers(sample);
	objs.signal = put_signals(sample);
	objs.seccomp_filter = put_filter(sample, put_filter(sample, 0));
	objs.nsproxy = put_namespaces(sample);
	sample_put(sample, CKPT_HDR_TASK_OBJS, &objs, NULL, 0);
	sample_put(sample, CKPT_HDR_THREAD, &thread, NULL, 0);
	sample_any(sample, CKPT_HDR_SIGINFO);
	sample_any(sample, CKPT_HDR_RESTART_BLOCK);
	return objs.cred;
}

/**
 * sample_image - make a complete image
 * @sample: empty; sample_free() gives the memory back
 * @pid: process id of its one task
 * @pages_per_record: how its pages are cut into records: 1, 2, 4 or 8
 */
void sample_image(struct sample *sample, u32 pid, u32 pages_per_record)
{
	*sample = (struct sample) { 0 };
	sample_begin(sample);
	sample_put(sample, CKPT_HDR_TREE, NULL, NULL, 0);
	put_ids(sample, pid, 1, 0, 0);
	put_task(sample, pages_per_record, 0);
	sample_end(sample);
}

/**
 * sample_family - make a complete image with a child that has exited, the init of a
 *	pid namespace
 * @sample: empty; sample_free() gives the memory back
 * @pid: process id of the parent; the child's is one more
 */
void sample_family(struct sample *sample, u32 pid)
{
	struct ckpt_hdr_tree tree = { .nr_tasks = 2, .nr_nested_pids = 1 };
	struct ckpt_hdr_nested_pid nested = { .pid = pid + 1, .nested_pid = 1 };
	struct ckpt_hdr_task_dead dead = {
		.status = 0x300, .exit_signal = 17, .comm = "child",
	};

	*sample = (struct sample) { 0 };
	sample_begin(sample);
	sample_put(sample, CKPT_HDR_TREE, &tree, NULL, 0);
	put_ids(sample, pid, 1, CKPT_PIDS_SUBREAPER, 0);
	nested.pid_ns = sample_object(sample, CKPT_OBJ_PID_NS);
	sample_any(sample, CKPT_HDR_PID_NS);
	put_ids(sample, pid + 1, pid, CKPT_PIDS_DEAD, nested.pid_ns);
	sample_put(sample, CKPT_HDR_NESTED_PID, &nested, NULL, 0);
	dead.cred = put_task(sample, 2, 0);
	sample_put(sample, CKPT_HDR_TASK_DEAD, &dead, NULL, 0);
	sample_end(sample);
}

/**
 * sample_fork - make a complete image of a process and its child
 * @sample: empty; sample_free() gives the memory back
 * @pid: process id of the parent; the child's is one more
 * @shares: the child's pages are in the image only with the parent's
 */
void sample_fork(struct sample *sample, u32 pid, bool shares)
{
	struct ckpt_hdr_tree tree = { .nr_tasks = 2 };

	*sample = (struct sample) { 0 };
	sample_begin(sample);
	sample_put(sample, CKPT_HDR_TREE, &tree, NULL, 0);
	put_ids(sample, pid, 1, 0, 0);
	put_ids(sample, pid + 1, pid, 0, 0);
	put_task(sample, 2, 0);
	put_task(sample, 2, shares ? sample->mm : 0);
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
