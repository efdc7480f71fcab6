// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc that keep something from when they were opened: the address
 * space of the process, its root directory, the last change that was told.
 *
 *	memory		what shows the address space
 *	mounts		what shows the mounts, also through epolls
 */
#include "subject.h"

#include <poll.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define TEXT_MAX	(256 << 10)
/* So much of a text was read before. */
#define PART		100
/* Of an address that looks like a negative number. */
#define HIGH		((off_t)0xffffffffff600000UL)

/* The texts. */
static const char * const texts[] = {
	"/proc/self/maps", "/proc/self/environ", "/proc/thread-self/maps", "/proc/self/mounts",
	"/proc/self/mountinfo", "/proc/swaps",
};

#define NR_TEXTS	((int)ARRAY_SIZE(texts))
#define FIRST_MOUNTS	3

static int whole[NR_TEXTS], part[NR_TEXTS];
static int smaps, rollup, mem, high, auxv, pagemap, mountstats;
static int level, edge, hostname;
static char *area;
static char first[TEXT_MAX], second[TEXT_MAX];

static int open_file(const char *name, int flags)
{
	int fd = open(name, flags);

	need(fd >= 0);
	return fd;
}

static ssize_t read_all(int fd, char *to)
{
	ssize_t len = 0, got;

	while ((got = read(fd, to + len, TEXT_MAX - 1 - len)) > 0)
		len += got;
	check(!got, "read: %s", strerror(errno));
	to[len] = '\0';
	return len;
}

static void open_texts(int from, int to)
{
	int index;

	for (index = from; index < to; index++) {
		whole[index] = open_file(texts[index], O_RDONLY);
		part[index] = open_file(texts[index], O_RDONLY | O_CLOEXEC);
		need(read(part[index], first, PART) > 0);
	}
}

/* They show what a new one shows, and go on where they were. */
static void verify_texts(int from, int to)
{
	int index;

	for (index = from; index < to; index++) {
		off_t position = lseek(part[index], 0, SEEK_CUR);
		int fd = open_file(texts[index], O_RDONLY);
		ssize_t len = read_all(fd, first);

		close(fd);
		check(position > 0 && position <= PART, "%s: position %ld", texts[index],
		      (long)position);
		check(len > 0, "%s is empty", texts[index]);
		check_equal(read_all(whole[index], second), len, texts[index]);
		check(!memcmp(first, second, len), "%s shows: %s, not: %s", texts[index], second,
		      first);
		check_equal(read_all(part[index], second), len - position, texts[index]);
		check(!memcmp(first + position, second, len - position), "%s goes on with: %s",
		      texts[index], second);
	}
}

static void setup_memory(void)
{
	need(!setenv("CKPT_TEST", "a variable that the kernel does not see", 1));
	area = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	need(area != MAP_FAILED);
	pattern_fill(area, PAGE_SIZE, 7);
	need(!mprotect(area, 2 * PAGE_SIZE, PROT_READ));
	open_texts(0, FIRST_MOUNTS);
	smaps = open_file("/proc/self/smaps", O_RDONLY);
	rollup = open_file("/proc/self/smaps_rollup", O_RDONLY);
	auxv = open_file("/proc/self/auxv", O_RDONLY);
	pagemap = open_file("/proc/self/pagemap", O_RDONLY);
	need(lseek(pagemap, (uintptr_t)area / PAGE_SIZE * 8, SEEK_SET) > 0);
	mem = open_file("/proc/self/mem", O_RDWR);
	need(lseek(mem, (uintptr_t)area, SEEK_SET) == (off_t)(uintptr_t)area);
	high = open_file("/proc/thread-self/mem", O_RDONLY);
	need(lseek(high, HIGH, SEEK_SET) == HIGH);
}

static void verify_mem(void)
{
	static char page[PAGE_SIZE] __attribute__((aligned(8)));

	check(read(mem, page, PAGE_SIZE) == PAGE_SIZE, "mem: %s", strerror(errno));
	pattern_check(page, PAGE_SIZE, 7, "mem");
	check_equal(lseek(mem, 0, SEEK_CUR), (uintptr_t)area + PAGE_SIZE, "position of mem");
	pattern_fill(page, PAGE_SIZE, 8);
	/* Also what only a debugger may change. */
	check(pwrite(mem, page, PAGE_SIZE, (uintptr_t)area + PAGE_SIZE) == PAGE_SIZE &&
	      pwrite(mem, page, PAGE_SIZE, (uintptr_t)area + 2 * PAGE_SIZE) == PAGE_SIZE,
	      "write to mem: %s", strerror(errno));
	pattern_check(area, PAGE_SIZE, 7, "page before it");
	pattern_check(area + PAGE_SIZE, PAGE_SIZE, 8, "page written through mem");
	pattern_check(area + 2 * PAGE_SIZE, PAGE_SIZE, 8, "writable page written through mem");
	check_equal(lseek(high, 0, SEEK_CUR), HIGH, "high position of mem");
}

static void verify_auxv(void)
{
	ssize_t len = read_all(auxv, first), at;
	u64 entry[2] = { 0 };

	/* Pairs of a type and a value. */
	for (at = 0; at < len && entry[0] != AT_RANDOM; at += sizeof(entry))
		memcpy(entry, first + at, sizeof(entry));
	check(entry[0] == AT_RANDOM && entry[1] == getauxval(AT_RANDOM),
	      "AT_RANDOM is not what it was");
}

static void verify_memory(void)
{
	char range[64];
	u64 pages[4];

	verify_texts(0, FIRST_MOUNTS);
	snprintf(range, sizeof(range), "%lx-", (unsigned long)area);
	read_all(smaps, first);
	check(strstr(first, range), "%s is not in smaps", range);
	read_all(rollup, first);
	check(strstr(first, "[rollup]") && strstr(first, "\nRss:"), "smaps_rollup shows: %s",
	      first);
	check(read(pagemap, pages, sizeof(pages)) == sizeof(pages), "pagemap: %s",
	      strerror(errno));
	check(pages[0] >> 63 && !(pages[3] >> 63), "pagemap: %llx, %llx",
	      (unsigned long long)pages[0], (unsigned long long)pages[3]);
	verify_auxv();
	verify_mem();
}

static void add(int epoll, int fd, u32 events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static void setup_mounts(void)
{
	struct epoll_event event;

	open_texts(FIRST_MOUNTS, NR_TEXTS);
	mountstats = open_file("/proc/self/mountstats", O_RDONLY);
	hostname = open_file("/proc/sys/kernel/hostname", O_RDONLY);
	level = epoll_create1(0);
	edge = epoll_create1(EPOLL_CLOEXEC);
	need(level >= 0 && edge >= 0);
	add(level, part[FIRST_MOUNTS], EPOLLPRI);
	add(level, hostname, EPOLLPRI);
	add(edge, part[FIRST_MOUNTS + 1], EPOLLPRI | EPOLLET);
	while (epoll_wait(level, &event, 1, 0) > 0 || epoll_wait(edge, &event, 1, 0) > 0)
		continue;
}

/* An epoll whose items only an unusual event makes ready tells of all of them. */
static bool tells_of(int epoll, int nr_items)
{
	struct epoll_event events[2];
	int count = epoll_wait(epoll, events, 2, 0);
	bool good = count == nr_items;

	while (count-- > 0)
		good &= events[count].events == (EPOLLPRI | EPOLLERR);
	return good;
}

static bool changed(int fd)
{
	struct pollfd file = { .fd = fd, .events = POLLPRI };

	return poll(&file, 1, 0) == 1 && file.revents == (POLLPRI | POLLERR);
}

/*
 * After a restart everything may have changed, and is told to have. Otherwise
 * others mount what they like: what is not told is the business of a test that
 * has the machine for itself.
 */
static void verify_mounts(void)
{
	int index;

	if (subject_was_restarted()) {
		for (index = FIRST_MOUNTS; index < NR_TEXTS; index++)
			check(changed(whole[index]), "%s: no change", texts[index]);
		check(tells_of(level, 2), "level: not told");
		check(tells_of(edge, 1), "edge: not told");
		check(!changed(hostname), "hostname: told again");
	}
	verify_texts(FIRST_MOUNTS, NR_TEXTS);
	check(read_all(mountstats, first) > 0 && strstr(first, "with fstype"),
	      "mountstats shows: %s", first);
}

static void setup(void)
{
	if (mode_is("memory"))
		setup_memory();
	else
		setup_mounts();
}

static void verify(void)
{
	if (mode_is("memory"))
		verify_memory();
	else
		verify_mounts();
}

/* Their names have the number of the process. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
