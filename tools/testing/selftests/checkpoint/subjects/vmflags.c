// SPDX-License-Identifier: GPL-2.0
/*
 * What mappings are told to be: locked, wiped or absent after fork(), huge,
 * and so on. That all of it is in /proc/self/smaps as before is checked for
 * every subject; here are its effects, and contents that fork() would lose.
 */
#include "subject.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT	1
#endif

#define BYTES	(16 * PAGE_SIZE)
#define HUGE	(2UL << 20)

static char *map, *second;

static char *map_memory(size_t bytes)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(at != MAP_FAILED);
	return at;
}

static void setup_locked(void)
{
	map = map_memory(BYTES);
	second = map_memory(BYTES);
	need(!mlock(map, BYTES));
	need(!mlock2(second, BYTES, MLOCK_ONFAULT));
	pattern_fill(map, PAGE_SIZE, 1);
	pattern_fill(second, PAGE_SIZE, 2);
}

static void verify_locked(void)
{
	pattern_check(map, PAGE_SIZE, 1, "locked");
	pattern_check(second, PAGE_SIZE, 2, "locked on fault");
	check(smaps_has_flag(map, "lo"), "not locked");
	check_equal(smaps_kb(map, "Locked"), BYTES >> 10, "locked kB");
	check_equal(smaps_kb(map, "Rss"), BYTES >> 10, "resident kB");
	check_equal(smaps_kb(second, "Rss"), PAGE_SIZE >> 10, "resident kB, on fault");
}

static void setup_lock_all(void)
{
	map = map_memory(BYTES);
	pattern_fill(map, PAGE_SIZE, 3);
	need(!mlockall(MCL_CURRENT | MCL_FUTURE));
}

static void verify_lock_all(void)
{
	unsigned char resident[BYTES / PAGE_SIZE];
	size_t index;

	pattern_check(map, PAGE_SIZE, 3, "locked");
	second = map_memory(BYTES);
	check(smaps_has_flag(second, "lo"), "new mapping is not locked");
	need(!mincore(second, BYTES, resident));
	for (index = 0; index < BYTES / PAGE_SIZE; index++)
		check(resident[index] & 1, "page %zu of a new mapping is not there", index);
}

static void setup_advice(void)
{
	static const int advice[] = {
		MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP, MADV_SEQUENTIAL,
		MADV_RANDOM, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE,
	};
	size_t index;

	map = map_memory(2 * ARRAY_SIZE(advice) * PAGE_SIZE);
	pattern_fill(map, 2 * ARRAY_SIZE(advice) * PAGE_SIZE, 4);
	for (index = 0; index < ARRAY_SIZE(advice); index++)
		if (madvise(map + 2 * index * PAGE_SIZE, PAGE_SIZE, advice[index]))
			subject_log("madvise %d: %s", advice[index], strerror(errno));
	/* A shared mapping that is not for the child either. */
	second = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(second != MAP_FAILED);
	pattern_fill(second, BYTES, 5);
	need(!madvise(second, BYTES, MADV_DONTFORK));
}

static void verify_advice(void)
{
	pid_t child;
	int status;

	pattern_check(map, 16 * PAGE_SIZE, 4, "memory with advice");
	pattern_check(second, BYTES, 5, "shared memory with advice");
	check(smaps_has_flag(map, "dc"), "copied on fork");
	check(smaps_has_flag(map + 2 * PAGE_SIZE, "wf"), "not wiped on fork");
	check(smaps_has_flag(map + 4 * PAGE_SIZE, "dd"), "in core dumps");

	child = fork();
	need(child >= 0);
	if (!child) {
		char byte;

		/* Wiped; and not there: a write from it fails. */
		if (map[2 * PAGE_SIZE])
			_exit(1);
		if (pwrite(STDOUT_FILENO, map, 1, 0) != -1 || errno != EFAULT)
			_exit(2);
		byte = map[4 * PAGE_SIZE];
		_exit(byte == map[4 * PAGE_SIZE] ? 0 : 3);
	}
	need(waitpid(child, &status, 0) == child);
	check_equal(status, 0, "what the child saw");
}

/* Filled while it may be huge, and huge it is afterwards, too. */
static void setup_huge(void)
{
	char *room = map_memory(4 * HUGE);

	map = (char *)(((uintptr_t)room + HUGE - 1) & ~(HUGE - 1));
	need(!madvise(map, 2 * HUGE, MADV_HUGEPAGE));
	pattern_fill(map, 2 * HUGE, 6);
	if (smaps_kb(map, "AnonHugePages") != 2 * HUGE >> 10)
		subject_skip("no huge pages: %ld kB", smaps_kb(map, "AnonHugePages"));
}

static void verify_huge(void)
{
	pattern_check(map, 2 * HUGE, 6, "huge pages");
	check_equal(smaps_kb(map, "AnonHugePages"), 2 * HUGE >> 10, "kB in huge pages");
}

static void name_pages(char *at, size_t nr_pages, const char *name)
{
	need(!prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, nr_pages * PAGE_SIZE, name));
}

/* The longest, the shortest, one beside another, and one of shared memory. */
static void setup_names(void)
{
	char longest[80];

	map = map_memory(BYTES);
	second = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(second != MAP_FAILED);
	pattern_fill(map, BYTES, 7);
	pattern_fill(second, BYTES, 8);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	name_pages(map, 2, "one heap");
	name_pages(map + 2 * PAGE_SIZE, 2, "other/heap");
	name_pages(map + 6 * PAGE_SIZE, 1, longest);
	name_pages(map + 8 * PAGE_SIZE, 1, "");
	name_pages(second, 16, "shared by all");
}

/* What follows the other columns of a mapping. */
static void check_name(const char *at, const char *wanted)
{
	char line[512], name[512];
	unsigned long start, end;
	FILE *maps = fopen("/proc/self/maps", "r");

	need(maps);
	while (fgets(line, sizeof(line), maps)) {
		*name = '\0';
		need(sscanf(line, "%lx-%lx %*s %*s %*s %*s %511[^\n]", &start, &end, name) >= 2);
		if (start <= (uintptr_t)at && end > (uintptr_t)at)
			check(!strcmp(name, wanted), "%p is '%s', was '%s'", at, name, wanted);
	}
	fclose(maps);
}

static void verify_names(void)
{
	char longest[100] = "[anon:";

	memset(longest + 6, 'x', 79);
	strcat(longest, "]");
	pattern_check(map, BYTES, 7, "memory with names");
	pattern_check(second, BYTES, 8, "shared memory with a name");
	check_name(map, "[anon:one heap]");
	check_name(map + 2 * PAGE_SIZE, "[anon:other/heap]");
	check_name(map + 4 * PAGE_SIZE, "");
	check_name(map + 6 * PAGE_SIZE, longest);
	check_name(map + 8 * PAGE_SIZE, "[anon:]");
	check_name(second, "[anon_shmem:shared by all]");
}

static const struct subject_mode modes[] = {
	{ "locked", setup_locked, verify_locked },
	{ "lock-all", setup_lock_all, verify_lock_all },
	{ "advice", setup_advice, verify_advice },
	{ "huge", setup_huge, verify_huge },
	{ "names", setup_names, verify_names },
	{ }
};

const struct subject subject = { .modes = modes };
