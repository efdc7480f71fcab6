// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that wait for a pipe, each in a child of its own: for something to
 * read, for room, or for somebody at the other end. Each still waits afterwards,
 * and ends as it should when the root does what it waits for.
 */
#include "pipes.h"

#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define TEXT	"0123456789"
#define LEN	10

/* The pipe that is written into, and the one behind it. */
static int in[2], out[2];
static unsigned char bytes[PIPE_BYTES];

static bool reads(int fd, int len)
{
	char got[PIPE_BYTES];

	return read(fd, got, len) == LEN && !memcmp(got, TEXT, LEN);
}

static bool wait_in_read(void)
{
	return reads(in[0], 20);
}

static bool wait_in_write(void)
{
	return write(in[1], TEXT, LEN) == LEN;
}

static bool wait_in_splice(void)
{
	return splice(in[0], NULL, out[1], NULL, 20, 0) == LEN && reads(out[0], 20);
}

static bool wait_in_splice_full(void)
{
	return write(in[1], TEXT, LEN) == LEN &&
	       splice(in[0], NULL, out[1], NULL, LEN, 0) == LEN && reads(out[0], 20);
}

static bool wait_in_tee(void)
{
	return tee(in[0], out[1], 20, 0) == LEN && reads(in[0], 20) && reads(out[0], 20);
}

static bool wait_in_tee_full(void)
{
	return write(in[1], TEXT, LEN) == LEN && tee(in[0], out[1], 20, 0) == LEN &&
	       reads(in[0], 20) && reads(out[0], 20);
}

static bool wait_in_vmsplice(void)
{
	struct iovec one = { TEXT, LEN };

	return vmsplice(in[1], &one, 1, 0) == LEN && reads(in[0], 20);
}

static bool wait_in_poll(void)
{
	struct pollfd ends[2] = { { in[0], POLLIN }, { out[0], POLLIN } };

	return poll(ends, 2, -1) == 1 && ends[0].revents == POLLIN && !ends[1].revents;
}

static bool wait_in_poll_full(void)
{
	struct pollfd ends[2] = { { out[1], POLLOUT }, { in[1], POLLOUT } };

	return poll(ends, 2, -1) == 1 && ends[0].revents == POLLOUT && !ends[1].revents;
}

static bool wait_in_open(void)
{
	int fd = open("fifo", O_RDONLY);

	return fd >= 0 && reads(fd, 20);
}

static void put(const int *fds)
{
	check(write(fds[1], TEXT, LEN) == LEN, "write: %s", strerror(errno));
}

static void drain(const int *fds)
{
	int left = PIPE_BYTES, got = 1;

	while (left && got > 0) {
		got = read(fds[0], bytes, left);
		left -= got > 0 ? got : 0;
	}
	check(!left, "read: %s", strerror(errno));
}

static void put_fifo(const int *fds)
{
	int fd = open("fifo", O_WRONLY);

	(void)fds;
	check(fd >= 0 && write(fd, TEXT, LEN) == LEN, "FIFO: %s", strerror(errno));
	close(fd);
}

/**
 * struct waiting - one child
 * @nr: the system call in which it waits
 * @wait: it waits; is what came right?
 * @full: this pipe is full: 1 in, 2 out, 3 both
 * @act: ends the wait
 * @acts_out: with the second pipe
 */
static const struct waiting {
	long nr;
	bool (*wait)(void);
	int full;
	void (*act)(const int *fds);
	bool acts_out;
} waiting[] = {
	{ SYS_read, wait_in_read, 0, put },
	{ SYS_write, wait_in_write, 1, drain },
	{ SYS_splice, wait_in_splice, 0, put },
	{ SYS_splice, wait_in_splice_full, 2, drain, true },
	{ SYS_tee, wait_in_tee, 0, put },
	{ SYS_tee, wait_in_tee_full, 2, drain, true },
	{ SYS_vmsplice, wait_in_vmsplice, 1, drain },
	{ SYS_poll, wait_in_poll, 0, put },
	{ SYS_poll, wait_in_poll_full, 3, drain, true },
	{ SYS_openat, wait_in_open, 0, put_fifo },
};

#define NR_WAITING	((int)ARRAY_SIZE(waiting))
#define GOOD(index)	(20 + (index))

static int pipes[NR_WAITING][2][2];

/* The number of the system call is there only if it sleeps. */
static void await_blocked(pid_t pid, long nr)
{
	char path[64], text[64];
	long now = -1;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (now != nr) {
		int fd = open(path, O_RDONLY);
		ssize_t len;

		need(fd >= 0);
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		need(len > 0);
		text[len] = '\0';
		now = text[0] == 'r' ? -1 : strtol(text, NULL, 10);
	}
}

static void start(int index)
{
	const struct waiting *it = &waiting[index];
	pid_t pid;

	need(!pipe(in) && !pipe(out));
	memcpy(pipes[index][0], in, sizeof(in));
	memcpy(pipes[index][1], out, sizeof(out));
	need(!(it->full & 1) || write(in[1], bytes, PIPE_BYTES) == PIPE_BYTES);
	need(!(it->full & 2) || write(out[1], bytes, PIPE_BYTES) == PIPE_BYTES);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(it->wait() ? GOOD(index) : 1);
	}
	await_blocked(pid, it->nr);
}

static void setup(void)
{
	int index;

	need(!mkfifo("fifo", 0644));
	for (index = 0; index < NR_WAITING; index++)
		start(index);
}

static void verify(void)
{
	int index, status;

	if (!check(waitpid(-1, NULL, WNOHANG) == 0, "one has not waited"))
		return;
	for (index = 0; index < NR_WAITING; index++) {
		const struct waiting *it = &waiting[index];

		it->act(pipes[index][it->acts_out]);
		check(wait(&status) > 0 && status == GOOD(index) << 8,
		      "wait %d: status %#x", index, status);
		if (it->act == drain && it->nr == SYS_write)
			check(reads(pipes[index][0][0], 20), "what was written");
	}
}

const struct subject subject = { .setup = setup, .verify = verify };
