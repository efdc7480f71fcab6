// SPDX-License-Identifier: GPL-2.0
/* FIFOs: the same pipes behind a name. */
#include "pipes.h"

static int fds[4];

static int open_fifo(const char *name, int flags)
{
	int fd = open(name, flags | O_NONBLOCK);

	need(fd >= 0);
	return fd;
}

static void make_fifo(void)
{
	block_sigpipe();
	need(!mkfifo("fifo", 0644));
}

/* Both ends, opened one after the other. */
static void make_both(void)
{
	make_fifo();
	fds[0] = open_fifo("fifo", O_RDONLY);
	fds[1] = open_fifo("fifo", O_WRONLY);
}

static void setup_both(void)
{
	char bytes[10];

	make_both();
	put_bytes(fds[1], 5000, 1);
	need(read(fds[0], bytes, 10) == 10);
}

static void verify_both(void)
{
	struct stat st;

	need(!fstat(fds[0], &st));
	check_equal(st.st_mode, S_IFIFO | 0644, "mode");
	check_equal(fcntl(fds[0], F_GETFL), O_RDONLY | O_NONBLOCK | 0100000, "flags");
	check_equal(fcntl(fds[1], F_GETFL), O_WRONLY | O_NONBLOCK | 0100000, "flags");
	take_packet(fds[0], 4990, 10, 1, "bytes");
	check_empty(fds[0], "FIFO");
	put_bytes(fds[1], 10, 2);
	take_packet(fds[0], 10, 0, 2, "new bytes");
	fds[2] = open_fifo("fifo", O_WRONLY);
	close(fds[1]);
	put_bytes(fds[2], 10, 3);
	take_packet(fds[0], 10, 0, 3, "bytes of the new writer");
	close(fds[2]);
	check_end(fds[0], "FIFO");
	check_equal(poll_now(fds[0]), POLLHUP, "poll");
	fds[1] = open_fifo("fifo", O_WRONLY);
	close(fds[0]);
	check_broken(fds[1], "FIFO");
}

/* No writer yet: poll() waits for the first one. */
static void setup_first(void)
{
	make_fifo();
	fds[0] = open_fifo("fifo", O_RDONLY);
	need(!poll_now(fds[0]));
}

static void verify_first(void)
{
	check_equal(poll_now(fds[0]), 0, "poll before a writer came");
	check_end(fds[0], "FIFO");
	fds[1] = open_fifo("fifo", O_WRONLY);
	check_empty(fds[0], "FIFO");
	put_bytes(fds[1], 10, 4);
	close(fds[1]);
	check_equal(poll_now(fds[0]), POLLIN | POLLHUP, "poll");
	take_packet(fds[0], 10, 0, 4, "bytes");
}

/* The last writer has gone. */
static void setup_reader(void)
{
	make_both();
	set_nonblock(fds[0], false);
	put_bytes(fds[1], 700, 5);
	close(fds[1]);
	need(poll_now(fds[0]) == (POLLIN | POLLHUP));
}

static void verify_reader(void)
{
	check_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0, "O_NONBLOCK");
	check_equal(poll_now(fds[0]), POLLIN | POLLHUP, "poll");
	take_packet(fds[0], 700, 0, 5, "bytes");
	check_end(fds[0], "FIFO");
	check_equal(poll_now(fds[0]), POLLHUP, "poll");
}

static void setup_writer(void)
{
	make_both();
	put_bytes(fds[1], 800, 6);
	close(fds[0]);
}

static void verify_writer(void)
{
	check_equal(poll_now(fds[1]), POLLOUT | POLLERR, "poll");
	check_broken(fds[1], "FIFO");
	check(open("fifo", O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO,
	      "opened for nobody: %s", strerror(errno));
	fds[0] = open_fifo("fifo", O_RDONLY);
	take_packet(fds[0], 800, 0, 6, "bytes that nobody had read");
	put_bytes(fds[1], 10, 7);
	take_packet(fds[0], 10, 0, 7, "bytes");
}

/* Nobody but its owner may open it, and only for writing. */
static void setup_write_only(void)
{
	make_both();
	close(fds[0]);
	need(!chmod("fifo", 0200));
}

static void verify_write_only(void)
{
	check_broken(fds[1], "FIFO");
	check(open("fifo", O_RDONLY | O_NONBLOCK) == -1 && errno == EACCES, "may be read: %s",
	      strerror(errno));
	need(!chmod("fifo", 0600));
	fds[0] = open_fifo("fifo", O_RDONLY);
	put_bytes(fds[1], 10, 8);
	take_packet(fds[0], 10, 0, 8, "bytes");
}

static void setup_duplex(void)
{
	make_fifo();
	fds[0] = open_fifo("fifo", O_RDWR | O_CLOEXEC);
	put_bytes(fds[0], 900, 9);
}

static void verify_duplex(void)
{
	check_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "close on exec");
	take_packet(fds[0], 900, 0, 9, "bytes");
	check_empty(fds[0], "FIFO");
	put_bytes(fds[0], 10, 10);
	take_packet(fds[0], 10, 0, 10, "bytes");
}

/* Two names of one FIFO, and several open file descriptions. */
static void setup_names(void)
{
	make_fifo();
	need(!link("fifo", "other"));
	fds[0] = open_fifo("other", O_RDONLY);
	fds[1] = open_fifo("fifo", O_WRONLY);
	fds[2] = open_fifo("fifo", O_WRONLY | O_APPEND);
	fds[3] = dup(fds[0]);
	set_nonblock(fds[1], false);
	put_bytes(fds[1], 50, 11);
	put_bytes(fds[2], 50, 12);
}

static void verify_names(void)
{
	check_equal(fcntl(fds[1], F_GETFL), O_WRONLY | 0100000, "flags");
	check_equal(fcntl(fds[2], F_GETFL), O_WRONLY | O_APPEND | O_NONBLOCK | 0100000, "flags");
	take_bytes(fds[0], 50, 0, 11, "bytes");
	take_bytes(fds[3], 50, 0, 12, "bytes");
	close(fds[1]);
	check_empty(fds[0], "one writer is left");
	close(fds[2]);
	check_end(fds[0], "no writer is left");
	fds[1] = open_fifo("fifo", O_WRONLY);
	close(fds[0]);
	put_bytes(fds[1], 50, 13);
	close(fds[3]);
	check_broken(fds[1], "FIFO");
}

/* The name that it was opened by is gone, but not the only one. */
static void setup_other_name(void)
{
	make_both();
	need(!link("fifo", "other") && !unlink("fifo"));
	put_bytes(fds[1], 60, 18);
}

static void verify_other_name(void)
{
	take_packet(fds[0], 60, 0, 18, "bytes");
	close(fds[1]);
	fds[1] = open_fifo("other", O_WRONLY);
	put_bytes(fds[1], 60, 19);
	take_packet(fds[0], 60, 0, 19, "bytes of who found the other name");
}

static void setup_packets(void)
{
	make_both();
	need(fcntl(fds[0], F_SETPIPE_SZ, 1 << 18) == 1 << 18);
	need(!fcntl(fds[1], F_SETFL, O_DIRECT));
	put_bytes(fds[1], 10, 14);
	put_bytes(fds[1], 20, 15);
}

static void verify_packets(void)
{
	check_equal(fcntl(fds[1], F_GETFL), O_WRONLY | O_DIRECT | 0100000, "flags");
	check_equal(fcntl(fds[1], F_GETPIPE_SZ), 1 << 18, "capacity");
	take_packet(fds[0], 10, 0, 14, "packet");
	take_packet(fds[0], 20, 0, 15, "packet");
}

static void setup_full(void)
{
	make_both();
	put_bytes(fds[1], PIPE_BYTES, 16);
	need(write(fds[1], "x", 1) == -1 && errno == EAGAIN);
}

static void verify_full(void)
{
	check(write(fds[1], "x", 1) == -1 && errno == EAGAIN, "not full");
	take_packet(fds[0], PIPE_BYTES, 0, 16, "bytes");
	check_empty(fds[0], "FIFO");
}

/* Nobody can open it any more, but both ends are there. */
static void setup_unlinked(void)
{
	setup_both();
	need(!chmod("fifo", 0620) && !chown("fifo", 1234, 5678) && !unlink("fifo"));
}

static void verify_unlinked(void)
{
	struct stat st;

	need(!fstat(fds[0], &st));
	check_equal(st.st_mode, S_IFIFO | 0620, "mode");
	check_equal(st.st_uid, 1234, "owner");
	check_equal(st.st_gid, 5678, "group");
	check_equal(fcntl(fds[1], F_GETFL), O_WRONLY | O_NONBLOCK | 0100000, "flags");
	take_packet(fds[0], 4990, 10, 1, "bytes");
	check_empty(fds[0], "FIFO");
	close(fds[1]);
	check_end(fds[0], "FIFO");
	check_equal(poll_now(fds[0]), POLLHUP, "poll");
}

static void setup_unlinked_first(void)
{
	setup_first();
	need(!unlink("fifo"));
}

static void verify_unlinked_first(void)
{
	check_equal(poll_now(fds[0]), 0, "poll before a writer came");
	fds[1] = reopen(fds[0], O_WRONLY);
	put_bytes(fds[1], 10, 17);
	close(fds[1]);
	check_equal(poll_now(fds[0]), POLLIN | POLLHUP, "poll");
	take_packet(fds[0], 10, 0, 17, "bytes");
}

static void setup_unlinked_writer(void)
{
	setup_writer();
	need(!unlink("fifo"));
}

static void verify_unlinked_writer(void)
{
	check_broken(fds[1], "FIFO");
	fds[0] = reopen(fds[1], O_RDONLY | O_NONBLOCK);
	take_packet(fds[0], 800, 0, 6, "bytes that nobody had read");
}

static const struct subject_mode modes[] = {
	{ "both", setup_both, verify_both },
	{ "first", setup_first, verify_first },
	{ "reader", setup_reader, verify_reader },
	{ "writer", setup_writer, verify_writer },
	{ "write-only", setup_write_only, verify_write_only },
	{ "duplex", setup_duplex, verify_duplex },
	{ "names", setup_names, verify_names },
	{ "other-name", setup_other_name, verify_other_name },
	{ "packets", setup_packets, verify_packets },
	{ "full", setup_full, verify_full },
	{ "unlinked", setup_unlinked, verify_unlinked },
	{ "unlinked-first", setup_unlinked_first, verify_unlinked_first },
	{ "unlinked-writer", setup_unlinked_writer, verify_unlinked_writer },
	{ }
};

/* An unlinked FIFO has lost its name when it comes back. */
const struct subject subject = { .modes = modes, .skip = SKIP_FILES };
