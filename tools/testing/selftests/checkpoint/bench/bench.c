// SPDX-License-Identifier: GPL-2.0
/*
 * Count the instructions of checkpoint and restart, beside CRIU and beside what
 * no implementation can do without. For a guest whose time stamp counter counts
 * instructions (dev/guest --icount); elsewhere the figures are ticks.
 *
 *	bench run WORKLOAD KIND COUNT [ENGINE,...]
 *				prints lines "WORKLOAD ENGINE METRIC VALUE"
 *	bench time ...		the same by the clock, for each of some runs
 *	bench count WORKLOAD KIND COUNT
 *				the same as run, of our own engine alone, some times
 *	bench service WORKLOAD redis MIB
 *				how fast a server is while it is saved: service.c
 *	bench service-time ...	the same by the clock
 *	bench calls		what other system calls cost: calls.c
 *	bench subject KIND COUNT
 *				the process that is saved: subject.c
 *
 * Waiting is not work. A process of the lowest priority runs whenever nothing
 * else does and counts the ticks it gets; they are taken off each figure. By the
 * clock all counts: ticks are nanoseconds then, and nothing is taken off.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "bench.h"

#define TRACING		"/sys/kernel/tracing/"
#define TIMED_RUNS	5
/* Of ours alone. Where tasks wait for one another no two runs are the same. */
#define COUNTED_RUNS	5
/* Of what takes long, and of what takes very long: redis has to be filled. */
#define MANY		256
#define LONG_RUNS	3
#define REDIS_RUNS	1
/* The counting loop itself takes far less, an interrupt far more. */
#define UNDISTURBED	200

static volatile uint64_t *idle_ticks;
const char *workload;
bool by_clock;
/* No other engine, and no floors. */
static bool alone;
/* What the subject had when it was saved. */
static struct memory_use before;

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

void report(const char *engine, const char *metric, uint64_t value)
{
	printf("%s %s %s %llu\n", workload, engine, metric,
	       (unsigned long long)value);
	fflush(stdout);
}

void report_cost(const char *engine, const char *what, uint64_t ticks)
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

uint64_t now_ticks(void)
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

void must_run(uint64_t *ticks, char *const argv[])
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

static bool has_text(const char *name, const char *text)
{
	char line[256];
	bool found = false;
	FILE *file = fopen(name, "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text);
	if (file)
		fclose(file);
	return found;
}

void await_text(const char *name, const char *text)
{
	struct pollfd changes = { .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
	char events[4096];

	if (inotify_add_watch(changes.fd, DIR_NAME, IN_CREATE | IN_MODIFY) < 0)
		die("inotify: %s", strerror(errno));
	while (!has_text(name, text))
		if (poll(&changes, 1, PATIENCE_MS) <= 0 ||
		    read(changes.fd, events, sizeof(events)) <= 0)
			die("%s has no '%s'", name, text);
	close(changes.fd);
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

pid_t begin(const struct load *load)
{
	char count[24];
	pid_t pid;

	if (!strcmp(load->kind, "redis"))
		return redis_begin(load->count, NULL);
	snprintf(count, sizeof(count), "%zu", load->count);
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
		execl("/proc/self/exe", "bench", "subject", load->kind, count,
		      NULL);
		_exit(127);
	}
	wait_for(READY);
	return pid;
}

void end(pid_t pid)
{
	kill(pid, SIGKILL);
	/* Its children come to us, and have its process group. */
	while (waitpid(-pid, NULL, 0) > 0)
		continue;
}

static bool ask(pid_t pid)
{
	char text[7] = "";
	int fd;

	if (kill(pid, SIGUSR1))
		return false;
	wait_for(VERDICT);
	fd = open(VERDICT, O_RDONLY);
	if (fd < 0 || read(fd, text, 6) != 6)
		return false;
	close(fd);
	return !strcmp(text, "intact");
}

/* Each page once, to within 2 percent and some that a restart has to touch. */
static void verify_memory(const struct load *load, pid_t pid, const char *engine)
{
	struct memory_use after;

	memory_of(pid, !strcmp(load->kind, "shared"), &after);
	report(engine, "restored_bytes", after.unique);
	if (before.huge)
		report(engine, "restored_huge_bytes", after.huge);
	if (!strcmp(engine, "ckpt") && after.unique >
	    before.unique + before.unique / 50 + before.tasks * 8 * PAGE)
		die("the memory is not shared as it was: %llu bytes were %llu",
		    (unsigned long long)after.unique,
		    (unsigned long long)before.unique);
}

void verify(const struct load *load, pid_t pid, const char *engine)
{
	bool good;

	if (kill(pid, 0))
		die("%s brought nothing back", engine);
	if (before.unique)
		verify_memory(load, pid, engine);
	good = strcmp(load->kind, "redis") ? ask(pid) : redis_verify(load->count);
	if (!good)
		die("%s brought back another process", engine);
	if (!strcmp(load->kind, "redis"))
		kill(pid, SIGKILL);
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
	if (!alone && !by_clock && !quiet) {
		memory_of(pid, !strcmp(load->kind, "shared"), &before);
		report("unique", "image_bytes", before.unique);
	}
	write_file(TRACING "trace", "");
	must_run(&saving, save);
	frozen = frozen_ticks();
	if (stat(IMAGE, &info))
		die("no image");
	end(pid);
	must_run(&loading, back);
	verify(load, pid, "ckpt");
	unlink(IMAGE);
	if (quiet)
		return;
	report_cost("ckpt", "stop", frozen);
	report_cost("ckpt", "checkpoint", saving);
	report_cost("ckpt", "restart", loading);
	if (!by_clock)
		report("ckpt", "image_bytes", info.st_size);
}

/* The engines that are measured, in this order and then in the other. */
static const struct engine {
	const char *name;
	void (*measure)(const struct load *load, bool quiet);
} engines[] = {
	{ "ckpt", measure_ckpt },
	{ "criu", measure_criu },
	{ "criu-predump", measure_criu_predump },
};

#define NR_ENGINES	(sizeof(engines) / sizeof(*engines))

static bool wanted(const char *list, const char *name)
{
	size_t length = strlen(name);
	const char *end;

	for (;; list = end + 1) {
		end = strchrnul(list, ',');
		if ((size_t)(end - list) == length &&
		    !strncmp(list, name, length))
			return true;
		if (!*end)
			return false;
	}
}

static int number_of_runs(const struct load *load)
{
	if (alone)
		return COUNTED_RUNS;
	if (!by_clock)
		return 1;
	if (!strcmp(load->kind, "redis"))
		return REDIS_RUNS;
	if (load->count >= MANY || !strcmp(load->kind, "cow"))
		return LONG_RUNS;
	return TIMED_RUNS;
}

static void measure_all(const struct load *load, const char *list)
{
	const struct load nothing = { "anon", 0 };
	int run, runs = number_of_runs(load);
	size_t i;

	/* CRIU probes the kernel the first time; programs come into memory. */
	for (i = 0; i < NR_ENGINES; i++)
		if (wanted(list, engines[i].name))
			engines[i].measure(&nothing, true);
	for (run = 0; run < runs; run++) {
		if (!alone)
			measure_floors(load);
		for (i = 0; i < NR_ENGINES; i++) {
			size_t engine = run % 2 ? NR_ENGINES - 1 - i : i;

			if (wanted(list, engines[engine].name))
				engines[engine].measure(load, false);
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct load load;
	bool serves;

	if (argc == 2 && !strcmp(what, "nothing"))
		return 0;
	if (argc == 4 && !strcmp(what, "subject"))
		return subject(argv[2], strtoul(argv[3], NULL, 10));
	mkdir(DIR_NAME, 0755);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (argc == 2 && !strcmp(what, "calls")) {
		workload = what;
		return measure_calls();
	}
	by_clock = !strcmp(what, "time") || !strcmp(what, "service-time");
	serves = !strncmp(what, "service", 7);
	alone = !strcmp(what, "count");
	if (argc < 5 || argc > 6 ||
	    (!by_clock && !alone && !serves && strcmp(what, "run"))) {
		fprintf(stderr, "usage: bench run|time WORKLOAD KIND COUNT [ENGINE,...]\n"
			"       bench count|service|service-time WORKLOAD KIND COUNT\n"
			"       bench calls\n");
		return 2;
	}
	workload = argv[2];
	load.kind = argv[3];
	load.count = strtoul(argv[4], NULL, 10);
	count_idle();
	if (serves)
		return measure_service(load.count);
	write_file(TRACING "trace_clock", by_clock ? "mono" : "x86-tsc");
	write_file(TRACING "events/checkpoint/ckpt_phase/enable", "1");
	measure_all(&load, alone ? "ckpt" : argc > 5 ? argv[5] : "ckpt,criu");
	return 0;
}
