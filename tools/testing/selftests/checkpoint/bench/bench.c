// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions of checkpoint and restart, beside CRIU and beside what
 * no implementation can do without. For a guest whose time stamp counter counts
 * instructions (dev/guest --icount); elsewhere the figures are ticks.
 *
 *	bench run WORKLOAD KIND COUNT	prints lines "WORKLOAD ENGINE METRIC VALUE"
 *	bench count WORKLOAD KIND COUNT	the same, of our own engine alone
 *	bench time WORKLOAD KIND COUNT	the same by the clock, for each of some runs
 *	bench subject KIND COUNT	the process that is saved, see subject.c
 *
 * Waiting is not work. A process of the lowest priority runs whenever nothing
 * else does and counts the ticks it gets; they are taken off each figure. By the
 * clock all counts: ticks are nanoseconds then, and nothing is taken off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define IMAGE		DIR_NAME "/image"
#define CRIU_DIR	DIR_NAME "/criu"
#define TRACING		"/sys/kernel/tracing/"
#define REPETITIONS	3
#define TIMED_RUNS	5
/* The counting loop itself takes far less, an interrupt far more. */
#define UNDISTURBED	200

/**
 * struct load - what the subject holds
 * @kind: of what
 * @count: how many, as text
 */
struct load {
	const char *kind;
	const char *count;
};

static volatile uint64_t *idle_ticks;
static const char *workload;
static bool by_clock;
static bool alone;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "bench: %s: ", workload ? workload : "");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	exit(1);
}

static void report(const char *engine, const char *metric, uint64_t value)
{
	printf("%s %s %s %llu\n", workload, engine, metric,
	       (unsigned long long)value);
	fflush(stdout);
}

static void report_cost(const char *engine, const char *what, uint64_t ticks)
{
	char metric[32];

	if (by_clock) {
		printf("%s %s %s_ms %.3f\n", workload, engine, what, ticks / 1e6);
		fflush(stdout);
		return;
	}
	snprintf(metric, sizeof(metric), "%s_insns", what);
	report(engine, metric, ticks);
}

/* -------------------------------------------------------------- measuring */

static uint64_t now_ticks(void)
{
	struct timespec now;

	if (!by_clock)
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void count_idle(void)
{
	struct sched_param lowest = { 0 };
	uint64_t last, now;

	idle_ticks = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (idle_ticks == MAP_FAILED)
		die("no memory");
	if (by_clock || fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_IDLE, &lowest))
		die("SCHED_IDLE: %s", strerror(errno));
	for (last = __rdtsc();; last = now) {
		now = __rdtsc();
		if (now - last < UNDISTURBED)
			*idle_ticks += now - last;
	}
}

/* Redirect, run, and leave the ticks that were not idle in @ticks. */
static int run(uint64_t *ticks, char *const argv[])
{
	uint64_t idle = *idle_ticks, start = now_ticks();
	pid_t pid = fork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_RDONLY);
		int out = open(DIR_NAME "/output", O_WRONLY | O_CREAT | O_TRUNC,
			       0644);

		dup2(null, 0);
		dup2(out, 1);
		dup2(out, 2);
		close(null);
		close(out);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("%s does not start", argv[0]);
	*ticks = now_ticks() - start - (*idle_ticks - idle);
	return status;
}

static void must_run(uint64_t *ticks, char *const argv[])
{
	int status = run(ticks, argv);
	char line[256];
	FILE *output;

	if (!status)
		return;
	output = fopen(DIR_NAME "/output", "r");
	while (output && fgets(line, sizeof(line), output))
		fprintf(stderr, "%s", line);
	die("%s: status %#x", argv[0], status);
}

static void wait_for(const char *name)
{
	int tries;

	for (tries = 0; access(name, F_OK); tries++) {
		if (tries > 10000)
			die("no %s", name);
		usleep(10000);
	}
	usleep(10000);
}

static pid_t begin(const struct load *load)
{
	pid_t pid;

	unlink(READY);
	unlink(VERDICT);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		close(null);
		setsid();
		execl("/proc/self/exe", "bench", "subject", load->kind,
		      load->count, NULL);
		_exit(127);
	}
	wait_for(READY);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	/* Its children come to us, and have its process group. */
	while (waitpid(-pid, NULL, 0) > 0)
		continue;
}

static void verify(pid_t pid, const char *engine)
{
	char text[7] = "";
	int fd;

	if (kill(pid, SIGUSR1))
		die("%s brought nothing back", engine);
	wait_for(VERDICT);
	fd = open(VERDICT, O_RDONLY);
	if (fd < 0 || read(fd, text, 6) != 6 || strcmp(text, "intact"))
		die("%s brought back another process", engine);
	close(fd);
	while (!kill(pid, 0)) {
		waitpid(pid, NULL, WNOHANG);
		usleep(10000);
	}
}

/* ------------------------------------------------------------------- ours */

/* The time stamp of an event: ticks with the clock x86-tsc, else seconds. */
static uint64_t stamp_ticks(const char *text)
{
	unsigned long long whole = 0, micros = 0;

	if (sscanf(text, "%llu.%6llu", &whole, &micros) < 1)
		return 0;
	return by_clock ? whole * 1000000000ULL + micros * 1000 : whole;
}

/* The time between two phases, from the trace. */
static uint64_t frozen_ticks(void)
{
	uint64_t stamp[2] = { 0 };
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512];

	while (trace && fgets(line, sizeof(line), trace)) {
		char *event = strstr(line, ": ckpt_phase:");

		if (!event)
			continue;
		while (event > line && event[-1] != ' ')
			event--;
		if (strstr(event, "phase=quiesce"))
			stamp[0] = stamp_ticks(event);
		else if (strstr(event, "phase=thaw"))
			stamp[1] = stamp_ticks(event);
	}
	if (trace)
		fclose(trace);
	if (!stamp[0] || stamp[1] <= stamp[0])
		die("the trace does not tell the stop time");
	return stamp[1] - stamp[0];
}

static void measure_ckpt(const struct load *load, bool quiet)
{
	pid_t pid = begin(load);
	char number[16];
	char *const save[] = { "checkpoint", "-q", "-f", "-o", IMAGE, number, NULL };
	char *const back[] = { "restart", "-q", "--pids", "--no-wait", "-i", IMAGE,
			       NULL };
	uint64_t saving, loading, frozen;
	struct stat info;

	snprintf(number, sizeof(number), "%d", pid);
	write_file(TRACING "trace", "");
	must_run(&saving, save);
	frozen = frozen_ticks();
	if (stat(IMAGE, &info))
		die("no image");
	end(pid);
	must_run(&loading, back);
	verify(pid, "restart");
	unlink(IMAGE);
	if (quiet)
		return;
	report_cost("ckpt", "stop", frozen);
	report_cost("ckpt", "checkpoint", saving);
	report_cost("ckpt", "restart", loading);
	if (!by_clock)
		report("ckpt", "image_bytes", info.st_size);
}

/* ------------------------------------------------------------------- CRIU */

static uint64_t varint(const uint8_t **at, const uint8_t *limit)
{
	uint64_t value = 0;
	int shift;

	for (shift = 0; *at < limit && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	die("CRIU's statistics are not as expected");
	return 0;
}

/*
 * CRIU's own figures, in microseconds of a guest where an instruction takes a
 * nanosecond: freezing_time and frozen_time, fields 1 and 2 of the message that
 * is field 1. Like our phases they last from the first attempt to stop the
 * process to its release.
 */
static uint64_t criu_frozen(void)
{
	FILE *file = fopen(CRIU_DIR "/stats-dump", "r");
	uint8_t buffer[512];
	size_t size = file ? fread(buffer, 1, sizeof(buffer), file) : 0;
	const uint8_t *at = buffer + 12, *limit = buffer + size;
	uint64_t micros = 0;

	if (file)
		fclose(file);
	if (size < 16 || varint(&at, limit) != 0x0a)
		die("CRIU left no statistics");
	varint(&at, limit);
	while (at < limit) {
		uint64_t tag = varint(&at, limit);
		uint64_t value = varint(&at, limit);

		if (tag == (1 << 3) || tag == (2 << 3))
			micros += value;
	}
	return micros * 1000;
}

static uint64_t empty_directory(const char *name)
{
	DIR *dir = opendir(name);
	struct dirent *entry;
	uint64_t bytes = 0;

	while (dir && (entry = readdir(dir))) {
		struct stat info;

		if (fstatat(dirfd(dir), entry->d_name, &info, 0) ||
		    !S_ISREG(info.st_mode))
			continue;
		if (strstr(entry->d_name, ".img"))
			bytes += info.st_size;
		unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	return bytes;
}

static void measure_criu(const struct load *load, bool quiet)
{
	char number[16];
	char *const dump[] = { "criu", "dump", "-v0", "-R", "-D", CRIU_DIR, "-t",
			       number, NULL };
	char *const restore[] = { "criu", "restore", "-v0", "-d", "-D", CRIU_DIR,
				  NULL };
	uint64_t saving, loading, frozen;
	pid_t pid;

	if (alone)
		return;
	pid = begin(load);
	snprintf(number, sizeof(number), "%d", pid);
	mkdir(CRIU_DIR, 0755);
	must_run(&saving, dump);
	frozen = criu_frozen();
	end(pid);
	must_run(&loading, restore);
	verify(pid, "CRIU");
	if (!quiet) {
		report_cost("criu", "stop", frozen);
		report_cost("criu", "checkpoint", saving);
		report_cost("criu", "restart", loading);
	}
	if (!quiet && !by_clock)
		report("criu", "image_bytes", empty_directory(CRIU_DIR));
	else
		empty_directory(CRIU_DIR);
}

/* ------------------------------------------------------------------ floors */

static uint64_t floor_fork(void)
{
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < REPETITIONS; i++) {
		uint64_t start = __rdtsc(), ticks;
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		ticks = __rdtsc() - start;
		waitpid(pid, NULL, 0);
		if (ticks < best)
			best = ticks;
	}
	return best;
}

static void floor_copies(const uint64_t *memory, size_t size)
{
	uint64_t *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t start, ticks[3];
	int fd;

	if (copy == MAP_FAILED)
		die("no memory");
	start = __rdtsc();
	memcpy(copy, memory, size);
	ticks[0] = __rdtsc() - start;
	if (!intact(copy, size))
		die("memcpy");
	munmap(copy, size);

	fd = open(DIR_NAME "/floor", O_RDWR | O_CREAT | O_TRUNC, 0644);
	start = __rdtsc();
	if (write(fd, memory, size) != (ssize_t)size)
		die("write: %s", strerror(errno));
	ticks[1] = __rdtsc() - start;

	copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	start = __rdtsc();
	if (pread(fd, copy, size, 0) != (ssize_t)size)
		die("pread: %s", strerror(errno));
	ticks[2] = __rdtsc() - start;
	munmap(copy, size);
	close(fd);
	unlink(DIR_NAME "/floor");

	report("memcpy", "stop_insns", ticks[0]);
	report("write", "checkpoint_insns", ticks[1]);
	report("pread", "restart_insns", ticks[2]);
}

/* In a process of its own that is as big as the subject. */
static void measure_floors(size_t size)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		uint64_t *memory = fill(size);

		report("fork", "stop_insns", floor_fork());
		if (size)
			floor_copies(memory, size);
		exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the floors could not be measured");
}

int main(int argc, char **argv)
{
	const struct load nothing = { "anon", "0" };
	struct load load;
	int runs;

	if (argc == 4 && !strcmp(argv[1], "subject"))
		return subject(argv[2], strtoul(argv[3], NULL, 10));
	by_clock = argc == 5 && !strcmp(argv[1], "time");
	alone = argc == 5 && !strcmp(argv[1], "count");
	if (argc != 5 || (!by_clock && !alone && strcmp(argv[1], "run"))) {
		fprintf(stderr, "usage: bench run|count|time WORKLOAD KIND COUNT\n");
		return 2;
	}
	workload = argv[2];
	load.kind = argv[3];
	load.count = argv[4];
	mkdir(DIR_NAME, 0755);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	write_file(TRACING "trace_clock", by_clock ? "mono" : "x86-tsc");
	write_file(TRACING "events/checkpoint/ckpt_phase/enable", "1");
	count_idle();

	/* CRIU probes the kernel the first time; programs come into memory. */
	measure_ckpt(&nothing, true);
	measure_criu(&nothing, true);

	if (!by_clock && !alone && !strcmp(load.kind, "anon"))
		measure_floors(strtoul(load.count, NULL, 10) << 20);
	for (runs = by_clock ? TIMED_RUNS : 1; runs; runs--) {
		measure_ckpt(&load, false);
		measure_criu(&load, false);
	}
	return 0;
}
