// SPDX-License-Identifier: GPL-2.0
/* Pipes: what is in them, how much fits, and who has which end. */
#include "pipes.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int fds[2], others[4];
static unsigned char *memory;

static void make_pipe(int flags)
{
	need(!pipe2(fds, flags));
}

static void setup_empty(void)
{
	make_pipe(0);
}

static void verify_empty(void)
{
	check_empty(fds[0], "pipe");
	check_equal(fcntl(fds[0], F_GETPIPE_SZ), PIPE_BYTES, "capacity");
	check_equal(fill_singly(fds[1]), PIPE_BYTES, "room");
	check_unread(fds[0], PIPE_BYTES, "bytes");
}

static void setup_byte(void)
{
	make_pipe(O_CLOEXEC);
	put_bytes(fds[1], 1, 1);
}

static void verify_byte(void)
{
	check_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "close on exec");
	check_unread(fds[0], 1, "bytes");
	take_bytes(fds[0], 1, 0, 1, "byte");
	check_empty(fds[0], "pipe");
}

/* Partly read, partly filled slots: where they begin counts for what fits. */
static void setup_partial(void)
{
	char bytes[5000];

	make_pipe(0);
	put_bytes(fds[1], 5000, 1);
	put_bytes(fds[1], 4000, 2);
	put_bytes(fds[1], 7, 3);
	need(read(fds[0], bytes, 4500) == 4500);
}

static void verify_partial(void)
{
	/* 904 and 4000 bytes do not go into one page; 4007 do. */
	check_equal(fill_singly(fds[1]), 4096 - 4007 + 14 * 4096, "room");
	take_bytes(fds[0], 500, 4500, 1, "rest of the first");
	take_bytes(fds[0], 4000, 0, 2, "second");
	take_bytes(fds[0], 7, 0, 3, "third");
	check_unread(fds[0], 4096 - 4007 + 14 * 4096, "bytes written afterwards");
}

static void setup_full(void)
{
	make_pipe(O_NONBLOCK);
	put_bytes(fds[1], PIPE_BYTES, 5);
	need(write(fds[1], "x", 1) == -1 && errno == EAGAIN);
}

static void verify_full(void)
{
	check(write(fds[1], "x", 1) == -1 && errno == EAGAIN, "not full");
	check_equal(poll_now(fds[1]), 0, "poll of a full pipe");
	take_bytes(fds[0], PIPE_BYTES, 0, 5, "bytes");
	check(read(fds[0], others, 1) == -1 && errno == EAGAIN, "not empty");
	put_bytes(fds[1], 10, 6);
	take_bytes(fds[0], 10, 0, 6, "bytes afterwards");
}

static void setup_large(void)
{
	make_pipe(0);
	need(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	put_bytes(fds[1], 700000, 7);
}

static void verify_large(void)
{
	check_equal(fcntl(fds[0], F_GETPIPE_SZ), 1 << 20, "capacity");
	take_bytes(fds[0], 700000, 0, 7, "bytes");
	set_nonblock(fds[1], true);
	put_bytes(fds[1], 1 << 20, 8);
	check(write(fds[1], "x", 1) == -1 && errno == EAGAIN, "more fits than before");
}

/* More than who is nobody special may have. */
static void setup_huge(void)
{
	make_pipe(0);
	need(fcntl(fds[1], F_SETPIPE_SZ, 4 << 20) == 4 << 20);
	put_bytes(fds[1], 1 << 20, 9);
	put_bytes(fds[1], 100, 10);
}

static void verify_huge(void)
{
	check_equal(fcntl(fds[0], F_GETPIPE_SZ), 4 << 20, "capacity");
	take_bytes(fds[0], 1 << 20, 0, 9, "bytes");
	take_bytes(fds[0], 100, 0, 10, "bytes");
}

static void setup_small(void)
{
	make_pipe(O_NONBLOCK);
	need(fcntl(fds[1], F_SETPIPE_SZ, 4096) == 4096);
	put_bytes(fds[1], 4096, 11);
}

static void verify_small(void)
{
	check_equal(fcntl(fds[0], F_GETPIPE_SZ), 4096, "capacity");
	check(write(fds[1], "x", 1) == -1 && errno == EAGAIN, "not full");
	take_bytes(fds[0], 4096, 0, 11, "bytes");
	check_equal(fill_singly(fds[1]), 4096, "room");
}

/* One read, one packet; and bytes behind them that are none. */
static void setup_packets(void)
{
	make_pipe(O_DIRECT);
	put_bytes(fds[1], 1, 13);
	put_bytes(fds[1], 100, 14);
	put_bytes(fds[1], 5000, 15);
	put_bytes(fds[1], 4000, 16);
	need(!fcntl(fds[1], F_SETFL, 0));
	put_bytes(fds[1], 30, 17);
	put_bytes(fds[1], 31, 18);
	need(!fcntl(fds[1], F_SETFL, O_DIRECT));
}

static void verify_packets(void)
{
	check_equal(fcntl(fds[1], F_GETFL) & O_DIRECT, O_DIRECT, "O_DIRECT");
	check_equal(fcntl(fds[0], F_GETFL) & O_DIRECT, 0, "O_DIRECT of the other end");
	take_packet(fds[0], 1, 0, 13, "first packet");
	take_packet(fds[0], 100, 0, 14, "second packet");
	take_packet(fds[0], 4096, 0, 15, "third packet");
	take_packet(fds[0], 904, 4096, 15, "rest of the third packet");
	/* What is not read of a packet is lost. */
	take_bytes(fds[0], 10, 0, 16, "last packet");
	take_bytes(fds[0], 30, 0, 17, "bytes behind");
	take_packet(fds[0], 31, 0, 18, "bytes behind");
	check_empty(fds[0], "pipe");
	put_bytes(fds[1], 20, 17);
	put_bytes(fds[1], 21, 18);
	take_packet(fds[0], 20, 0, 17, "new packet");
	take_packet(fds[0], 21, 0, 18, "new packet");
}

/* A write() that fails leaves a slot with nothing in it. */
static void setup_hollow(void)
{
	make_pipe(O_NONBLOCK);
	need(syscall(SYS_write, fds[1], 8, 10) == -1 && errno == EFAULT);
	need(poll_now(fds[0]) == POLLIN);
}

static void verify_hollow(void)
{
	char byte;

	check_equal(poll_now(fds[0]), POLLIN, "poll");
	check_unread(fds[0], 0, "bytes");
	check(read(fds[0], &byte, 1) == -1 && errno == EAGAIN, "not empty");
	check_equal(poll_now(fds[0]), 0, "poll afterwards");
}

static int make_data_file(size_t bytes, u64 seed)
{
	int fd = open("data", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	need(fd >= 0);
	put_bytes(fd, bytes, seed);
	return fd;
}

/* Other bytes in the file are none in the image. */
static void change_data_file(int fd)
{
	need(!lseek(fd, 0, SEEK_SET));
	put_bytes(fd, 20000, 99);
	close(fd);
}

static void setup_spliced(void)
{
	loff_t at = 1000;

	make_pipe(0);
	put_bytes(fds[1], 10, 20);
	others[0] = make_data_file(20000, 21);
	need(splice(others[0], &at, fds[1], NULL, 15000, 0) == 15000);
	put_bytes(fds[1], 10, 22);
}

static void verify_spliced(void)
{
	if (subject_was_restarted())
		change_data_file(others[0]);
	take_bytes(fds[0], 10, 0, 20, "bytes in front");
	take_bytes(fds[0], 15000, 1000, 21, "spliced bytes");
	take_bytes(fds[0], 10, 0, 22, "bytes behind");
}

/* A file that is gone; and nothing may be appended to its page. */
static void setup_spliced_gone(void)
{
	make_pipe(0);
	others[0] = make_data_file(20000, 23);
	need(!lseek(others[0], 0, SEEK_SET));
	need(splice(others[0], NULL, fds[1], NULL, 100, 0) == 100);
	close(others[0]);
	need(!unlink("data"));
}

static void verify_spliced_gone(void)
{
	check_equal(fill_singly(fds[1]), 15 * 4096, "room");
	take_bytes(fds[0], 100, 0, 23, "spliced bytes");
}

static void setup_vmspliced(void)
{
	struct iovec pieces[2];

	make_pipe(0);
	memory = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(memory != MAP_FAILED);
	pattern_bytes(memory, 32768, 24);
	pieces[0] = (struct iovec){ memory + 100, 9000 };
	pieces[1] = (struct iovec){ memory + 20000, 50 };
	need(vmsplice(fds[1], pieces, 2, 0) == 9050);
}

static void verify_vmspliced(void)
{
	if (subject_was_restarted())
		memset(memory, 0, 32768);
	take_bytes(fds[0], 9000, 100, 24, "first piece");
	take_bytes(fds[0], 50, 20000, 24, "second piece");
}

/* The same pages in two pipes, and partly read in one of them. */
static void setup_teed(void)
{
	char bytes[3000];

	make_pipe(0);
	need(!pipe(others));
	put_bytes(fds[1], 10000, 25);
	need(tee(fds[0], others[1], 10000, 0) == 10000);
	need(read(fds[0], bytes, 3000) == 3000);
	put_bytes(others[1], 5, 26);
}

static void verify_teed(void)
{
	put_bytes(fds[1], 6, 27);
	take_bytes(fds[0], 7000, 3000, 25, "rest");
	take_bytes(fds[0], 6, 0, 27, "bytes behind");
	take_bytes(others[0], 10000, 0, 25, "what tee() made");
	take_bytes(others[0], 5, 0, 26, "bytes behind that");
	check_empty(fds[0], "pipe");
	check_empty(others[0], "other pipe");
}

/* A socket gives buffers that are larger than a page. */
static void setup_socket(void)
{
	int pair[2];

	make_pipe(0);
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	put_bytes(pair[0], 60000, 28);
	need(splice(pair[1], NULL, fds[1], NULL, 60000, 0) == 60000);
	close(pair[0]);
	close(pair[1]);
}

static void verify_socket(void)
{
	check_unread(fds[0], 60000, "bytes");
	take_bytes(fds[0], 60000, 0, 28, "bytes of the socket");
	check_empty(fds[0], "pipe");
}

/* No writer any more, but something to read. */
static void setup_reader_only(void)
{
	make_pipe(0);
	put_bytes(fds[1], 300, 30);
	close(fds[1]);
}

static void verify_reader_only(void)
{
	take_packet(fds[0], 300, 0, 30, "bytes");
	check_end(fds[0], "pipe");
	check_equal(poll_now(fds[0]), POLLHUP, "poll");
}

static void setup_writer_only(void)
{
	block_sigpipe();
	make_pipe(0);
	put_bytes(fds[1], 300, 31);
	close(fds[0]);
}

static void verify_writer_only(void)
{
	int reader;

	check_equal(poll_now(fds[1]), POLLOUT | POLLERR, "poll");
	check_broken(fds[1], "pipe");
	reader = reopen(fds[1], O_RDONLY);
	take_packet(reader, 300, 0, 31, "bytes that nobody had read");
	check_empty(reader, "pipe");
}

/* The last of several that close an end: only then it is the end. */
static void setup_duplicates(void)
{
	block_sigpipe();
	make_pipe(0);
	others[0] = dup(fds[0]);
	others[1] = dup2(fds[1], 50);
	others[2] = fcntl(fds[1], F_DUPFD_CLOEXEC, 60);
	close(fds[1]);
	put_bytes(others[2], 10, 32);
}

static void verify_duplicates(void)
{
	set_nonblock(fds[0], true);
	check(fcntl(others[0], F_GETFL) & O_NONBLOCK, "flags of an end are not shared");
	check(!(fcntl(others[1], F_GETFL) & O_NONBLOCK), "flags of both ends are shared");
	set_nonblock(fds[0], false);
	check_equal(fcntl(others[2], F_GETFD), FD_CLOEXEC, "close on exec");
	put_bytes(others[1], 10, 33);
	take_bytes(fds[0], 10, 0, 32, "bytes");
	take_bytes(others[0], 10, 0, 33, "bytes");
	close(others[1]);
	check_empty(fds[0], "one writer left");
	close(others[2]);
	check_end(fds[0], "no writer left");
	close(fds[0]);
	take_packet(others[0], 0, 0, 0, "end");
}

static bool takes_nowait(int fd)
{
	char byte;
	struct iovec one = { &byte, 1 };

	return preadv2(fd, &one, 1, -1, RWF_NOWAIT) == -1 && errno == EAGAIN;
}

/* Several open file descriptions of one end, and one of both. */
static void setup_reopened(void)
{
	block_sigpipe();
	make_pipe(0);
	others[0] = reopen(fds[0], O_RDONLY | O_NONBLOCK);
	others[1] = reopen(fds[0], O_WRONLY | O_APPEND);
	others[2] = reopen(fds[0], O_RDWR);
	need(takes_nowait(fds[0]) && !takes_nowait(others[0]));
	put_bytes(others[1], 20, 34);
}

static void verify_reopened(void)
{
	check_equal(fcntl(fds[0], F_GETFL), O_RDONLY, "flags");
	check_equal(fcntl(fds[1], F_GETFL), O_WRONLY, "flags");
	check_equal(fcntl(others[0], F_GETFL), O_RDONLY | O_NONBLOCK | 0100000, "flags");
	check_equal(fcntl(others[1], F_GETFL), O_WRONLY | O_APPEND | 0100000, "flags");
	check_equal(fcntl(others[2], F_GETFL), O_RDWR | 0100000, "flags");
	take_bytes(others[2], 20, 0, 34, "bytes");
	check(takes_nowait(fds[0]), "RWF_NOWAIT is refused");
	check(!takes_nowait(others[0]), "RWF_NOWAIT is taken");
	close(fds[1]);
	close(others[1]);
	check_empty(fds[0], "both ends are open");
	close(fds[0]);
	close(others[0]);
	put_bytes(others[2], 20, 35);
	others[0] = reopen(others[2], O_WRONLY);
	take_bytes(others[2], 20, 0, 35, "bytes");
	close(others[2]);
	check_broken(others[0], "only the new writer");
}

/* The first end that was opened need not be the first that is saved. */
static void setup_swapped(void)
{
	int reader;

	make_pipe(O_NONBLOCK);
	reader = dup2(fds[0], 40);
	need(dup2(fds[1], fds[0]) == fds[0]);
	need(dup2(reader, fds[1]) == fds[1]);
	close(reader);
	put_bytes(fds[0], 9, 36);
}

static void verify_swapped(void)
{
	take_packet(fds[1], 9, 0, 36, "bytes");
	check(read(fds[1], others, 1) == -1 && errno == EAGAIN, "O_NONBLOCK is gone");
	check(write(fds[1], "x", 1) == -1 && errno == EBADF, "the reader writes");
}

static void setup_owner(void)
{
	make_pipe(0);
	need(!fchown(fds[0], 1234, 5678) && !fchmod(fds[1], 0640));
}

static void verify_owner(void)
{
	struct stat st;

	need(!fstat(fds[0], &st));
	check_equal(st.st_uid, 1234, "owner");
	check_equal(st.st_gid, 5678, "group");
	check_equal(st.st_mode, S_IFIFO | 0640, "mode");
}

/* Two pipes do not become one, and many are no problem. */
static void setup_many(void)
{
	int index;

	for (index = 0; index < 200; index++) {
		make_pipe(0);
		put_bytes(fds[1], index, index);
	}
}

static void verify_many(void)
{
	int index;

	for (index = 0; index < 200; index++) {
		check_unread(3 + 2 * index, index, "bytes");
		if (index)
			take_packet(3 + 2 * index, index, 0, index, "bytes");
	}
}

static const struct subject_mode modes[] = {
	{ "empty", setup_empty, verify_empty },
	{ "byte", setup_byte, verify_byte },
	{ "partial", setup_partial, verify_partial },
	{ "full", setup_full, verify_full },
	{ "large", setup_large, verify_large },
	{ "huge", setup_huge, verify_huge },
	{ "small", setup_small, verify_small },
	{ "packets", setup_packets, verify_packets },
	{ "hollow", setup_hollow, verify_hollow },
	{ "spliced", setup_spliced, verify_spliced },
	{ "spliced-gone", setup_spliced_gone, verify_spliced_gone },
	{ "vmspliced", setup_vmspliced, verify_vmspliced },
	{ "teed", setup_teed, verify_teed },
	{ "socket", setup_socket, verify_socket },
	{ "reader-only", setup_reader_only, verify_reader_only },
	{ "writer-only", setup_writer_only, verify_writer_only },
	{ "duplicates", setup_duplicates, verify_duplicates },
	{ "reopened", setup_reopened, verify_reopened },
	{ "swapped", setup_swapped, verify_swapped },
	{ "owner", setup_owner, verify_owner },
	{ "many", setup_many, verify_many },
	{ }
};

const struct subject subject = { .modes = modes };
