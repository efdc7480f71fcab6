// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that have pages in common until they write:
 *
 *	0 - 1 - 3
 *	0 - 2
 *
 * Each knows which pages it shares with whom, and so how large its part of the
 * memory is. The argument says of what kind that is: "small" pages, "huge" ones,
 * or a private mapping of a "file"; or that 3 has "moved" it, or that 1 has
 * exited ("dead").
 */
#include "subject.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NR_PROCESSES	4
#define NR_PAGES	1024UL
#define SIZE		(NR_PAGES * PAGE_SIZE)
/* Every so many pages the same happens. */
#define CYCLE		8
#define ALL		CYCLE

/* What happens, in the order in which it happens to a page. */
enum deed {
	WRITE,		/* page @which of each cycle, or ALL */
	DROP,		/* the same pages */
	FORK,		/* process @which */
};

static const struct event {
	unsigned int process;
	enum deed deed;
	unsigned int which;
} events[] = {
	{ 0, WRITE, ALL },
	{ 0, FORK, 1 },
	{ 0, WRITE, 1 },
	{ 1, WRITE, 2 },
	{ 1, FORK, 3 },
	{ 1, WRITE, 3 },
	{ 3, WRITE, 4 },
	{ 3, DROP, 2 },
	{ 0, FORK, 2 },
	{ 2, WRITE, 5 },
	{ 0, WRITE, 6 },
	{ 0, DROP, 7 },
};

/* What all do at a time, of struct common.step. */
enum step {
	START,
	MEASURE,	/* before */
	MEASURE_AGAIN,	/* and after */
	WRITE_0,
	WRITE_LAST = WRITE_0 + NR_PROCESSES - 1,
	END,
};

/**
 * struct common - in memory that all have in common
 * @step: enum step; a futex
 * @done: how often a child has done what it is to do; a futex
 */
static struct common {
	u32 step;
	u32 done;
} *common;

/* Which version of a page a process has, the same number for the same; or 0. */
static u64 versions[NR_PROCESSES][NR_PAGES];
static bool is_huge, is_moved, is_dead;
static unsigned int own;
static char *memory;

static void wake(u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void await(u32 *word, u32 wanted)
{
	u32 now;

	while ((now = READ_ONCE(*word)) != wanted)
		syscall(SYS_futex, word, FUTEX_WAIT, now, NULL, NULL, 0);
}

static void report_done(void)
{
	__atomic_add_fetch(&common->done, 1, __ATOMIC_SEQ_CST);
	wake(&common->done);
}

static bool exists(unsigned int process)
{
	return process != 1 || !is_dead;
}

static bool concerns(const struct event *event, unsigned long page)
{
	return event->which == ALL || page % CYCLE == event->which;
}

static bool happens(const struct event *event)
{
	/* What was dropped comes back with a huge page. */
	return event->deed != DROP || !is_huge;
}

static void foresee(void)
{
	unsigned long index, page;

	for (index = 0; index < ARRAY_SIZE(events); index++) {
		const struct event *event = &events[index];
		u64 *version = versions[event->process];

		if (event->deed == FORK)
			memcpy(versions[event->which], version, sizeof(versions[0]));
		for (page = 0; page < NR_PAGES && event->deed != FORK; page++)
			if (happens(event) && concerns(event, page))
				version[page] = event->deed == DROP ? 0 :
						index * NR_PAGES + page + 1;
	}
}

static u64 *word_of(unsigned long page)
{
	/* Not always in the same place. */
	return (u64 *)(memory + page * PAGE_SIZE + page % 512 * 8);
}

static void act(const struct event *event, u64 index)
{
	unsigned long page;

	for (page = 0; page < NR_PAGES; page++) {
		if (!happens(event) || !concerns(event, page))
			continue;
		if (event->deed == WRITE)
			*word_of(page) = index * NR_PAGES + page + 1;
		else
			need(!madvise(memory + page * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED));
	}
}

/* How many processes have this version? */
static unsigned int count_sharers(unsigned long page)
{
	unsigned int process, sharers = 0;

	for (process = 0; process < NR_PROCESSES; process++)
		sharers += exists(process) && versions[process][page] == versions[own][page];
	return sharers;
}

static long expected_part(void)
{
	unsigned long page, bytes = 0;

	for (page = 0; page < NR_PAGES; page++)
		if (versions[own][page])
			bytes += PAGE_SIZE / count_sharers(page);
	return bytes / 1024;
}

/* Kilobytes of the memory that are ours: each page divided by its users. */
static long own_part(void)
{
	unsigned long first, behind, start = 0, end = 0, sum = 0, part;
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];

	need(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &first, &behind) == 2) {
			start = first;
			end = behind;
		}
		if (start >= (unsigned long)memory && end <= (unsigned long)memory + SIZE &&
		    sscanf(line, "Pss: %lu kB", &part) == 1)
			sum += part;
	}
	fclose(file);
	return sum;
}

static void check_contents(void)
{
	unsigned long page, wrong = 0;

	for (page = 0; page < NR_PAGES; page++)
		/* To read what was dropped would bring it back. */
		if (versions[own][page])
			wrong += *word_of(page) != versions[own][page];
	check_equal(wrong, 0, "pages with other contents");
}

static void measure(void)
{
	long part = own_part(), expected = expected_part();

	check_contents();
	/* What was moved is not shared again: by nobody, and by one less. */
	if (is_moved && subject_was_restarted())
		return;
	check(labs(part - expected) <= expected / 50,
	      "process %u: its part of the memory is %ld kB, not %ld", own, part, expected);
}

/* One writes, and nobody else sees it. */
static void write_in_turn(unsigned int process)
{
	unsigned long page;

	for (page = 0; process == own && page < NR_PAGES; page++)
		if (versions[own][page])
			*word_of(page) = versions[own][page] += 1000 * NR_PAGES;
	check_contents();
}

static void do_step(u32 step)
{
	if (step == MEASURE || step == MEASURE_AGAIN)
		measure();
	else if (step >= WRITE_0 && step <= WRITE_LAST)
		write_in_turn(step - WRITE_0);
	if (own)
		report_done();
}

static void move(void)
{
	void *place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(place != MAP_FAILED);
	memory = mremap(memory, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	need(memory == place);
}

static void be_child(void)
{
	u32 step;

	if (own == 3 && is_moved)
		move();
	report_done();
	if (!exists(own))
		_exit(0);
	for (step = START + 1; step <= END; step++) {
		await(&common->step, step);
		do_step(step);
	}
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	_exit(0);
}

static void live(void)
{
	unsigned long index;

	for (index = 0; index < ARRAY_SIZE(events); index++) {
		const struct event *event = &events[index];

		if (event->process != own)
			continue;
		if (event->deed != FORK) {
			act(event, index);
			continue;
		}
		switch (fork()) {
		case -1:
			subject_die("fork: %s", strerror(errno));
		case 0:
			own = event->which;
		}
	}
	if (own)
		be_child();
	await(&common->done, NR_PROCESSES - 1);
}

static int nr_living(void)
{
	return NR_PROCESSES - 1 - is_dead;
}

/* All of them do it, and when all have done it this returns. */
static void let_all(u32 step)
{
	WRITE_ONCE(common->done, 0);
	WRITE_ONCE(common->step, step);
	wake(&common->step);
	do_step(step);
	await(&common->done, nr_living());
}

static void make_memory(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS, fd = -1;

	if (mode_is("file")) {
		fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		need(fd >= 0 && !ftruncate(fd, SIZE));
		flags = MAP_PRIVATE;
	}
	/* Aligned to a huge page. */
	memory = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(memory != MAP_FAILED);
	memory = (char *)(((unsigned long)memory + SIZE - 1) / SIZE * SIZE);
	need(mmap(memory, SIZE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == memory);
	if (fd >= 0)
		close(fd);
	else
		need(!madvise(memory, SIZE, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
}

static void setup(void)
{
	is_huge = mode_is("huge");
	is_moved = mode_is("moved");
	is_dead = mode_is("dead");
	common = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	need(common != MAP_FAILED);
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	make_memory();
	foresee();
	live();
	/* Its pages must be gone, and nobody waits for it. */
	if (is_dead) {
		siginfo_t info;

		need(!waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
	}
	let_all(MEASURE);
}

static void verify(void)
{
	u32 step;

	for (step = MEASURE_AGAIN; step <= END; step++)
		let_all(step);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	check_equal(errno, ECHILD, "waiting for the children");
}

const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_ALL };
