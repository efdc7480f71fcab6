// SPDX-License-Identifier: GPL-2.0
/*
 * How much slower a server is while it is saved: a client asks it all the time, and
 * counts.  The connection cannot be saved, so it is left out of the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define CGROUPS		"/sys/fs/cgroup"
#define SERVER		CGROUPS "/server"
#define ROUNDS		(by_clock ? 5 : 1)
/* Answers that tell how fast it is: some seconds, or billions of instructions. */
#define BEFORE		(by_clock ? 16384 : 262144)
/* Requests of a batch that write. */
#define WRITES		(REDIS_BATCH / 8)

/**
 * struct tally - of the client, for whoever measures
 * @answers: that were right
 * @longest: time that it waited for a batch of them since this was set to 0
 * @wanted: so many are waited for
 * @reached: a futex: they are there
 */
struct tally {
	volatile uint64_t answers;
	volatile uint64_t longest;
	volatile uint64_t wanted;
	volatile uint32_t reached;
};

static struct tally *tally;

static void be_client(size_t count)
{
	int fd = redis_connect();
	uint64_t random = 1;

	for (;;) {
		uint64_t start = now_ticks(), ticks;
		size_t keys[REDIS_BATCH], i;

		for (i = 0; i < REDIS_BATCH; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			keys[i] = random % (count * REDIS_KEYS);
		}
		if (!redis_requests(fd, keys, REDIS_BATCH, WRITES))
			die("redis gave a wrong answer");
		tally->answers += REDIS_BATCH;
		if (!tally->reached && tally->answers >= tally->wanted) {
			tally->reached = 1;
			syscall(SYS_futex, &tally->reached, FUTEX_WAKE, 1);
		}
		ticks = now_ticks() - start;
		if (ticks > tally->longest)
			tally->longest = ticks;
	}
}

static void await_answers(uint64_t count)
{
	struct timespec patience = { .tv_sec = PATIENCE_MS / 1000 };

	tally->wanted = tally->answers + count;
	tally->reached = 0;
	while (!tally->reached)
		if (syscall(SYS_futex, &tally->reached, FUTEX_WAIT, 0, &patience) &&
		    errno == ETIMEDOUT)
			die("the client gets no answers");
}

/* Answers in a second or in a billion instructions, since then. */
static uint64_t rate(uint64_t answers, uint64_t start)
{
	return (tally->answers - answers) * 1000000000ULL / (now_ticks() - start);
}

static uint64_t read_number(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die("no number: %s", strerror(errno));
	return strtoull(text, NULL, 10);
}

static int must_open(const char *name, int flags)
{
	int fd = open(name, flags);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	return fd;
}

/*
 * The copies of what the server writes are charged to it: what its memory grows by,
 * at most, is held twice.
 */
static void measure(pid_t server, bool idle)
{
	const char *engine = idle ? "ckpt-idle" : "ckpt";
	char number[16];
	char *const save[] = { "checkpoint", "-q", "-f", "--external-fd", "all",
			       "-o", IMAGE, number, idle ? "--idle" : NULL, NULL };
	int peak = must_open(SERVER "/memory.peak", O_RDWR);
	int current = must_open(SERVER "/memory.current", O_RDONLY);
	uint64_t answers = tally->answers, start = now_ticks(), ticks, had;

	snprintf(number, sizeof(number), "%d", server);
	await_answers(BEFORE);
	report(engine, "answers_before", rate(answers, start));
	/* From here on, for this descriptor. */
	if (write(peak, "0", 1) != 1)
		die("memory.peak: %s", strerror(errno));
	had = read_number(current);
	tally->longest = 0;
	answers = tally->answers;
	start = now_ticks();
	must_run(&ticks, save);
	report(engine, "answers_during", rate(answers, start));
	report_cost(engine, "checkpoint", ticks);
	report_cost(engine, "longest_wait", tally->longest);
	report(engine, "held_bytes", read_number(peak) - had);
	close(peak);
	close(current);
	unlink(IMAGE);
}

int measure_service(size_t count)
{
	pid_t server, client;
	int round;

	tally = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		die("no memory");
	write_file(CGROUPS "/cgroup.subtree_control", "+memory");
	if (mkdir(SERVER, 0755))
		die(SERVER ": %s", strerror(errno));
	server = redis_begin(count, SERVER "/cgroup.procs");
	client = fork();
	if (!client)
		be_client(count);
	for (round = 0; round < ROUNDS; round++) {
		measure(server, round % 2);
		measure(server, !(round % 2));
	}
	if (waitpid(client, NULL, WNOHANG))
		die("the client has ended");
	kill(client, SIGKILL);
	waitpid(client, NULL, 0);
	if (!redis_verify(count))
		die("redis has other values now");
	end(server);
	return 0;
}
