// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that have pages in common until they write:
 *
 *	0 - 1 - 3
 *	0 - 2
 *
 * Each knows which pages it shares with whom, and so how large its part of the
 * memory is. The argument says of what kind that is: "small" pages, "huge" ones,
 * or a private mapping of a "file"; or that 3 has "moved" it, that 1 has exited
 * ("dead"), or that some may not do with a part what the others may ("protected").
 */
#include "subject.h"

#include <linux/futex.h>
#include <setjmp.h>
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

/* Pages of which one process has changed the protection, from this one on. */
#define NR_PROTECTED	64UL

static const struct protection {
	unsigned int process;
	unsigned long first;
	int prot;
} protections[] = {
	{ 0, NR_PAGES - 3 * NR_PROTECTED, PROT_NONE },
	{ 3, NR_PAGES - 2 * NR_PROTECTED, PROT_READ },
	{ 2, NR_PAGES - NR_PROTECTED, PROT_NONE },
};

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
static bool is_huge, is_moved, is_dead, is_protected;
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

/* May the process access the page like that? */
static bool may(unsigned long page, int prot)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(protections); index++) {
		const struct protection *protection = &protections[index];

		if (is_protected && protection->process == own &&
		    page - protection->first < NR_PROTECTED)
			return protection->prot & prot;
	}
	return true;
}

static void protect(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(protections); index++)
		if (is_protected && protections[index].process == own)
			need(!mprotect(memory + protections[index].first * PAGE_SIZE,
				       NR_PROTECTED * PAGE_SIZE, protections[index].prot));
}

static sigjmp_buf out_of_fault;

static void leave_fault(int signo)
{
	siglongjmp(out_of_fault, signo);
}

/* Reads it, or writes what is there already. */
static bool faults(unsigned long page, int prot)
{
	volatile u64 *word = word_of(page);

	if (sigsetjmp(out_of_fault, 1))
		return true;
	if (prot == PROT_WRITE)
		*word = versions[own][page];
	else
		(void)*word;
	return false;
}

static void check_protection(void)
{
	unsigned long page, wrong = 0;

	signal(SIGSEGV, leave_fault);
	for (page = 0; page < NR_PAGES; page++) {
		wrong += !may(page, PROT_READ) && !faults(page, PROT_READ);
		wrong += !may(page, PROT_WRITE) && !faults(page, PROT_WRITE);
	}
	signal(SIGSEGV, SIG_DFL);
	check_equal(wrong, 0, "accesses that are not allowed");
}

static void check_contents(void)
{
	unsigned long page, wrong = 0;

	for (page = 0; page < NR_PAGES; page++)
		/* To read what was dropped would bring it back. */
		if (versions[own][page] && may(page, PROT_READ))
			wrong += *word_of(page) != versions[own][page];
	check_equal(wrong, 0, "pages with other contents");
}

static void measure(void)
{
	long part = own_part(), expected = expected_part();

	check_contents();
	check_protection();
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
		if (versions[own][page] && may(page, PROT_WRITE))
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
	protect();
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
	protect();
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
	is_protected = mode_is("protected");
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
