// SPDX-License-Identifier: GPL-2.0
/* The descriptors of a sample: one of each kind of file. */
#include "sample.h"
#include "util.h"

#include <linux/checkpoint_image.h>

/* Descriptors of the null device and the terminal. */
#define NR_STANDARD	4
/* The first of the others. */
#define FIRST_OTHER	20

static u32 put_file(struct sample *sample, u32 kind, int fd, u32 flags)
{
	struct ckpt_hdr_file file = {
		.kind		= kind,
		.open_flags	= 2,
		.pos		= 10 * kind,
		.fd		= fd,
		.inherit	= -1,
		.flags		= flags,
	};
	u32 id = sample_object(sample, CKPT_OBJ_FILE);

	sample_put(sample, CKPT_HDR_FILE, &file, NULL, 0);
	return id;
}

static void put_path(struct sample *sample, const char *path)
{
	struct ckpt_hdr_file_path fields = {
		.mode = 0100644, .ino = 77, .size = 1234, .mtime_sec = -5,
		.fs_uuid = "0123456789abcde",
	};

	sample_put(sample, CKPT_HDR_FILE_PATH, &fields, NULL, 0);
	sample_text(sample, path);
}

static void put_desc(struct sample *sample, u32 fd, u32 file)
{
	struct ckpt_hdr_file_desc desc = {
		.fd = fd, .flags = CKPT_FD_CLOEXEC, .file = file,
	};

	sample_put(sample, CKPT_HDR_FILE_DESC, &desc, NULL, 0);
}

/**
 * sample_null_device - put an open file
 * @sample: the image
 *
 * Return: id of /dev/null, without a descriptor.
 */
u32 sample_null_device(struct sample *sample)
{
	u32 id = put_file(sample, CKPT_FILE_MEM_DEVICE, 0, 0);

	put_path(sample, "/dev/null");
	return id;
}

static u32 put_terminal(struct sample *sample, int fd)
{
	struct ckpt_hdr_file_external external = {
		.type = CKPT_EXTERNAL_TTY, .rdev = 0x8807,
	};
	u32 id = put_file(sample, CKPT_FILE_EXTERNAL, fd, CKPT_FILE_OUTSIDE);

	sample_put(sample, CKPT_HDR_FILE_EXTERNAL, &external, NULL, 0);
	sample_text(sample, "/dev/pts/7");
	return id;
}

/* All that may follow any open file, here too. */
static void put_regular(struct sample *sample)
{
	struct ckpt_hdr_file_lock lock = {
		.kind = CKPT_LOCK_OFD, .type = CKPT_LOCK_WRITE,
		.start = 50, .end = 59, .fd = -1,
	};

	put_path(sample, "/data/regular");
	sample_any(sample, CKPT_HDR_FILE_OWNER);
	sample_put(sample, CKPT_HDR_FILE_LOCK, &lock, NULL, 0);
	sample_any(sample, CKPT_HDR_FILE_LEASE);
}

static void put_pipe(struct sample *sample, u32 pipe_flags)
{
	struct ckpt_hdr_pipe pipe = {
		.flags = pipe_flags, .capacity = 65536, .nr_buffers = 1,
		.readers = 1, .writers = 1, .mode = 0600,
	};
	struct ckpt_hdr_pipe_buffer buffer = {
		.offset = 12, .flags = CKPT_PIPE_BUFFER_MERGE,
	};
	struct ckpt_hdr_file_pipe end = { .flags = CKPT_FILE_PIPE_NOWAIT };

	end.pipe = sample_object(sample, CKPT_OBJ_PIPE);
	sample_put(sample, CKPT_HDR_PIPE, &pipe, NULL, 0);
	sample_put(sample, CKPT_HDR_PIPE_BUFFER, &buffer, NULL, 0);
	sample_buffer(sample, 5);
	sample_put(sample, CKPT_HDR_FILE_PIPE, &end, NULL, 0);
	if (pipe_flags & CKPT_PIPE_FIFO)
		put_path(sample, "/data/fifo");
}

/* A pair, one byte out of band in it, and a server. */
static void put_unix(struct sample *sample)
{
	struct ckpt_hdr_unix_sockets all = { .nr_sockets = 3, .nr_messages = 1 };
	struct ckpt_hdr_unix_socket server = {
		.type = CKPT_UNIX_SEQPACKET, .state = CKPT_UNIX_LISTENING,
		.flags = CKPT_UNIX_NAMED | CKPT_UNIX_BOUND, .backlog = 5,
	};
	struct ckpt_hdr_unix_path path = { .mode = 0600, .uid = 1000 };
	struct ckpt_hdr_unix_socket one = {
		.type = CKPT_UNIX_STREAM, .state = CKPT_UNIX_CONNECTED,
	};
	struct ckpt_hdr_socket options = {
		.flags = CKPT_SOCKET_PASSCRED, .mode = 0777, .sndbuf = 212992,
		.rcvbuf = 212992, .rcvlowat = 1, .rcvtimeo_usec = -1,
		.sndtimeo_usec = 500000, .peek_off = -1,
	};
	struct ckpt_hdr_unix_message message = {
		.from = 1, .to = 2, .pid = 77, .uid = 1000, .nr_files = 1,
		.flags = CKPT_UNIX_MESSAGE_CRED | CKPT_UNIX_MESSAGE_OOB,
	};
	struct ckpt_hdr_unix_file carried = { .socket = 3 };
	struct ckpt_hdr_file_unix file = { .index = 2 };

	file.sockets = sample_object(sample, CKPT_OBJ_UNIX);
	sample_put(sample, CKPT_HDR_UNIX_SOCKETS, &all, NULL, 0);
	for (one.peer = 2; one.peer; one.peer--) {
		sample_put(sample, CKPT_HDR_UNIX_SOCKET, &one, NULL, 0);
		sample_put(sample, CKPT_HDR_SOCKET, &options, NULL, 0);
	}
	sample_put(sample, CKPT_HDR_UNIX_SOCKET, &server, NULL, 0);
	sample_put(sample, CKPT_HDR_SOCKET, &options, NULL, 0);
	sample_buffer(sample, 7);
	sample_put(sample, CKPT_HDR_UNIX_PATH, &path, NULL, 0);
	sample_text(sample, "/data/server");
	sample_put(sample, CKPT_HDR_UNIX_MESSAGE, &message, NULL, 0);
	sample_buffer(sample, 1);
	sample_put(sample, CKPT_HDR_UNIX_FILE, &carried, NULL, 0);
	sample_put(sample, CKPT_HDR_FILE_UNIX, &file, NULL, 0);
}

/* A listener on [::1]:6379. */
static void put_tcp(struct sample *sample)
{
	struct ckpt_hdr_file_tcp tcp = {
		.family = CKPT_TCP_IPV6, .state = CKPT_TCP_LISTENING,
		.flags = CKPT_TCP_PORT_CHOSEN, .port = 6379, .backlog = 511,
		.address = { [15] = 1 }, .device = "lo",
	};
	struct ckpt_hdr_tcp_options options = {
		.flags = CKPT_TCP_OPTION_NODELAY, .keepidle_sec = 300,
		.congestion = "cubic",
	};
	struct ckpt_hdr_ip_options ip = { .ttl = -1, .tos = 0x10 };
	struct ckpt_hdr_ipv6_options ipv6 = {
		.flags = CKPT_IPV6_OPTION_V6ONLY, .hops = -1,
		.addr_preferences = 0x500, .autoflowlabel = -1,
	};
	struct ckpt_hdr_socket socket = {
		.flags = CKPT_SOCKET_REUSEADDR, .mode = 0777, .sndbuf = 16384,
		.rcvbuf = 131072, .rcvlowat = 1, .rcvtimeo_usec = -1,
		.sndtimeo_usec = -1, .peek_off = -1,
	};

	sample_put(sample, CKPT_HDR_FILE_TCP, &tcp, NULL, 0);
	sample_put(sample, CKPT_HDR_TCP_OPTIONS, &options, NULL, 0);
	sample_put(sample, CKPT_HDR_IP_OPTIONS, &ip, NULL, 0);
	sample_put(sample, CKPT_HDR_IPV6_OPTIONS, &ipv6, NULL, 0);
	sample_put(sample, CKPT_HDR_SOCKET, &socket, NULL, 0);
}

static void put_inotify(struct sample *sample)
{
	struct ckpt_hdr_inotify inotify = {
		.nr_watches = 1, .nr_events = 2, .next_wd = 3, .max_events = 16,
	};
	struct ckpt_hdr_inotify_watch watch = { .wd = 2, .mask = 0x800 };
	struct ckpt_hdr_inotify_event event = { .wd = -1, .mask = 0x4000 };

	sample_put(sample, CKPT_HDR_INOTIFY, &inotify, NULL, 0);
	sample_put(sample, CKPT_HDR_INOTIFY_WATCH, &watch, NULL, 0);
	put_path(sample, "/data/watched");
	sample_put(sample, CKPT_HDR_INOTIFY_EVENT, &event, NULL, 0);
	event.wd = 2;
	event.flags = CKPT_INOTIFY_EVENT_NAME;
	sample_put(sample, CKPT_HDR_INOTIFY_EVENT, &event, NULL, 0);
	sample_text(sample, "created");
}

static void put_memfd(struct sample *sample)
{
	struct ckpt_hdr_file_memfd file = { .flags = CKPT_MEMFD_ORIGINAL };

	file.shmem = sample_object(sample, CKPT_OBJ_SHMEM);
	sample_any(sample, CKPT_HDR_MEMFD);
	sample_text(sample, "memfd:sample");
	sample_any(sample, CKPT_HDR_FILE_ATTRIBUTES);
	sample_pages(sample, SAMPLE_PAGE, 1, 1);
	sample_put(sample, CKPT_HDR_FILE_MEMFD, &file, NULL, 0);
}

static void put_unlinked(struct sample *sample)
{
	struct ckpt_hdr_file_unlinked file = { 0 };

	file.unlinked = sample_object(sample, CKPT_OBJ_UNLINKED);
	sample_any(sample, CKPT_HDR_UNLINKED);
	sample_text(sample, "/data");
	sample_any(sample, CKPT_HDR_FILE_ATTRIBUTES);
	sample_pages(sample, 2 * SAMPLE_PAGE, 1, 1);
	sample_put(sample, CKPT_HDR_FILE_UNLINKED, &file, NULL, 0);
}

static void put_pidfd(struct sample *sample)
{
	struct ckpt_hdr_pidfd file = { 0 };

	file.gone = sample_object(sample, CKPT_OBJ_GONE_PROCESS);
	sample_any(sample, CKPT_HDR_GONE_PROCESS);
	sample_put(sample, CKPT_HDR_PIDFD, &file, NULL, 0);
}

static void put_removed_directory(struct sample *sample)
{
	struct ckpt_hdr_file_removed_directory file = { 0 };

	file.directory = sample_object(sample, CKPT_OBJ_REMOVED_DIRECTORY);
	sample_any(sample, CKPT_HDR_REMOVED_DIRECTORY);
	sample_text(sample, "/data");
	sample_text(sample, "removed");
	sample_any(sample, CKPT_HDR_FILE_ATTRIBUTES);
	sample_put(sample, CKPT_HDR_FILE_REMOVED_DIRECTORY, &file, NULL, 0);
}

static void put_proc(struct sample *sample)
{
	struct ckpt_hdr_file_proc *record;

	sample_any(sample, CKPT_HDR_FILE_PROC);
	record = (void *)(sample->data + sample->len - sizeof(*record));
	record->mm = sample->mm;
	record->fs = sample->fs;
	sample_text(sample, "/proc");
	sample_text(sample, "status");
}

/* What follows the record of an open file, for each kind. */
static void put_kind(struct sample *sample, u32 kind)
{
	static const u32 single[CKPT_FILE_MAX] = {
		[CKPT_FILE_EVENTFD]	= CKPT_HDR_EVENTFD,
		[CKPT_FILE_SIGNALFD]	= CKPT_HDR_SIGNALFD,
		[CKPT_FILE_TIMERFD]	= CKPT_HDR_TIMERFD,
		[CKPT_FILE_EPOLL]	= CKPT_HDR_EPOLL,
	};

	if (single[kind])
		sample_any(sample, single[kind]);
	else if (kind == CKPT_FILE_REGULAR)
		put_regular(sample);
	else if (kind == CKPT_FILE_PIPE)
		put_pipe(sample, 0);
	else if (kind == CKPT_FILE_FIFO)
		put_pipe(sample, CKPT_PIPE_FIFO);
	else if (kind == CKPT_FILE_INOTIFY)
		put_inotify(sample);
	else if (kind == CKPT_FILE_MEMFD)
		put_memfd(sample);
	else if (kind == CKPT_FILE_UNLINKED)
		put_unlinked(sample);
	else if (kind == CKPT_FILE_UNIX)
		put_unix(sample);
	else if (kind == CKPT_FILE_TCP)
		put_tcp(sample);
	else if (kind == CKPT_FILE_PROC)
		put_proc(sample);
	else if (kind == CKPT_FILE_PIDFD)
		put_pidfd(sample);
	else if (kind == CKPT_FILE_REMOVED_DIRECTORY)
		put_removed_directory(sample);
	else
		put_path(sample, "/data/path");
}

/* Descriptor @fd is an epoll that watches the object @watched. */
static void put_epoll_items(struct sample *sample, u32 epoll, u32 watched,
			    u32 fd)
{
	struct ckpt_hdr_epoll_items items = { .epoll = epoll, .nr_items = 1 };
	struct ckpt_hdr_epoll_item item = {
		.file = watched, .fd = fd, .events = 0x80000001,
		.flags = CKPT_EPOLL_ITEM_READY, .data = 0x123456789abcdef0ULL,
	};

	sample_object(sample, CKPT_OBJ_EPOLL);
	sample_put(sample, CKPT_HDR_EPOLL_ITEMS, &items, NULL, 0);
	sample_put(sample, CKPT_HDR_EPOLL_ITEM, &item, NULL, 0);
}

/* Of a mapping, in truth: but the first pages shall be those of the heap. */
static void put_shared_memory(struct sample *sample)
{
	struct ckpt_hdr_shmem shmem = { .size = 3 * SAMPLE_PAGE };

	sample_object(sample, CKPT_OBJ_SHMEM);
	sample_put(sample, CKPT_HDR_SHMEM, &shmem, NULL, 0);
	sample_pages(sample, 0, 1, 1);
}

/**
 * sample_file_table - put the descriptors
 * @sample: the image
 * @null_device: from sample_null_device()
 *
 * 0 and 3 are /dev/null, 1 and 2 a terminal; one of each other kind follows.
 *
 * Return: id of the table.
 */
u32 sample_file_table(struct sample *sample, u32 null_device)
{
	struct ckpt_hdr_file_table table = { .nr_locks = 1 };
	u32 id, terminal, kind, fd = FIRST_OTHER, epoll = 0, eventfd = 0;

	/* Of the other kinds, all but these two. */
	table.nr_fds = NR_STANDARD + CKPT_FILE_MAX - 1 - 2;
	id = sample_object(sample, CKPT_OBJ_FILE_TABLE);
	sample_put(sample, CKPT_HDR_FILE_TABLE, &table, NULL, 0);
	put_desc(sample, 0, null_device);
	terminal = put_terminal(sample, 1);
	put_desc(sample, 1, terminal);
	put_desc(sample, 2, terminal);
	put_desc(sample, 3, null_device);
	for (kind = CKPT_FILE_REGULAR; kind < CKPT_FILE_MAX; kind++) {
		u32 file;

		if (kind == CKPT_FILE_MEM_DEVICE || kind == CKPT_FILE_EXTERNAL)
			continue;
		file = put_file(sample, kind, fd, kind == CKPT_FILE_REGULAR ?
				CKPT_FILE_HAS_OWNER | CKPT_FILE_HAS_LEASE : 0);
		put_kind(sample, kind);
		put_desc(sample, fd++, file);
		if (kind == CKPT_FILE_EPOLL)
			epoll = file;
		if (kind == CKPT_FILE_EVENTFD)
			eventfd = file;
	}
	put_epoll_items(sample, epoll, eventfd, fd - 1);
	sample_any(sample, CKPT_HDR_FILE_LOCK);
	put_shared_memory(sample);
	return id;
}
