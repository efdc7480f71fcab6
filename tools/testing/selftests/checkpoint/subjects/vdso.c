// SPDX-License-Identifier: GPL-2.0
/*
 * The vdso. Calls into it without a pause: the checkpoint finds the process
 * inside it sooner or later. The test takes many checkpoints of this one. And
 * one that was moved, or is not there: then the C library's functions for the
 * time lead nowhere.
 */
#include "subject.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>

/**
 * struct range - a mapping
 * @at: where it begins
 * @size: bytes
 */
struct range {
	char *at;
	size_t size;
};

static unsigned long vdso;
static struct range code, data;

static void setup(void)
{
	vdso = getauxval(AT_SYSINFO_EHDR);
	if (!vdso)
		subject_skip("no vdso");
}

static struct range find_mapping(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0, end = 0;
	char line[512];

	need(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, name))
			sscanf(line, "%lx-%lx", &start, &end);
	fclose(maps);
	need(end > start);
	return (struct range) { (char *)start, end - start };
}

static void find_both(void)
{
	code = find_mapping("[vdso]");
	data = find_mapping("[vvar]");
	need(data.at + data.size == code.at);
}

static void move(struct range *range, char *to)
{
	need(mremap(range->at, range->size, range->size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	range->at = to;
}

static void setup_moved(void)
{
	char *room;

	find_both();
	room = mmap(NULL, code.size + data.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(room != MAP_FAILED);
	move(&data, room);
	move(&code, room + data.size);
}

static void setup_absent(void)
{
	find_both();
	need(!munmap(code.at, code.size));
	need(!munmap(data.at, data.size));
}

static s64 read_clock(clockid_t clock)
{
	struct timespec now = { -1, -1 };

	if (clock_gettime(clock, &now))
		check(false, "clock_gettime: %s", strerror(errno));
	check(now.tv_nsec >= 0 && now.tv_nsec < NSEC_PER_SEC, "nanoseconds: %ld", now.tv_nsec);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void hold(void)
{
	s64 last = 0, last_real = 0;

	subject_ready(SUBJECT_RUNS);
	while (!subject_must_go()) {
		s64 now = read_clock(CLOCK_MONOTONIC);
		s64 real = read_clock(CLOCK_REALTIME);
		struct timeval day;
		unsigned int cpu;

		/* After a reboot the clock that counts from then starts again. */
		if (!subject_was_rebooted())
			check(now >= last, "time went back by %lld ns", (long long)(last - now));
		check(real >= last_real, "date went back by %lld ns",
		      (long long)(last_real - real));
		last = now;
		last_real = real;
		need(!gettimeofday(&day, NULL));
		check(day.tv_sec >= real / NSEC_PER_SEC, "seconds went back");
		cpu = sched_getcpu();
		check(cpu < 4096, "processor %u", cpu);
		control->counter[0]++;
		WRITE_ONCE(control->looping, 1);
	}
}

static void verify_place(void)
{
	const Elf64_Ehdr *header = (void *)vdso;

	check(!memcmp(header->e_ident, ELFMAG, SELFMAG), "no vdso at its address");
	check_equal(getauxval(AT_SYSINFO_EHDR), vdso, "address of the vdso");
	hold();
}

/* A function of the vdso where it is now. */
static void *find_function(const char *name)
{
	const Elf64_Ehdr *header = (void *)code.at;
	const Elf64_Shdr *sections = (void *)(code.at + header->e_shoff), *section = sections;
	const Elf64_Sym *symbol, *end;
	const char *names;

	while (section->sh_type != SHT_DYNSYM)
		section++;
	names = code.at + sections[section->sh_link].sh_offset;
	symbol = (void *)(code.at + section->sh_offset);
	end = symbol + section->sh_size / sizeof(*symbol);
	for (; symbol < end; symbol++)
		if (!strcmp(names + symbol->st_name, name))
			return code.at + symbol->st_value;
	subject_die("the vdso has no %s", name);
}

static s64 ask_kernel(clockid_t clock)
{
	struct timespec now = { -1, -1 };

	check(!syscall(SYS_clock_gettime, clock, &now), "clock_gettime: %s", strerror(errno));
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void verify_moved(void)
{
	int (*clock_gettime_of_vdso)(clockid_t clock, struct timespec *now);
	int round;

	clock_gettime_of_vdso = find_function("__vdso_clock_gettime");
	for (round = 0; round < 100; round++) {
		s64 before = ask_kernel(CLOCK_MONOTONIC), after, inside;
		struct timespec now = { -1, -1 };

		check(!clock_gettime_of_vdso(CLOCK_MONOTONIC, &now), "the vdso fails");
		after = ask_kernel(CLOCK_MONOTONIC);
		inside = now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
		check(before <= inside && inside <= after,
		      "the vdso says %lld, the kernel %lld and %lld", (long long)inside,
		      (long long)before, (long long)after);
	}
}

static void check_absent(const struct range *range)
{
	unsigned char there;
	size_t offset;

	for (offset = 0; offset < range->size; offset += PAGE_SIZE)
		check(mincore(range->at + offset, PAGE_SIZE, &there) == -1 && errno == ENOMEM,
		      "something is mapped at %p", range->at + offset);
}

static void verify_absent(void)
{
	check_absent(&code);
	check_absent(&data);
}

static const struct subject_mode modes[] = {
	{ "calls", NULL, verify_place, hold },
	{ "moved", setup_moved, verify_moved },
	{ "absent", setup_absent, verify_absent },
	{ }
};

const struct subject subject = { .setup = setup, .modes = modes };
