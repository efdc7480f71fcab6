// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of files and of shared memory: private ones with and without
 * changes, shared ones, and what else shares the memory behind them.
 */
#include "subject.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define BYTES	(64 * PAGE_SIZE)
#define BIG	(4UL << 20)

static char *map, *second;
static int fd = -1;

static void make_file(size_t bytes, u64 seed)
{
	char page[PAGE_SIZE];
	size_t offset;

	fd = open("data", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	need(fd >= 0);
	for (offset = 0; offset < bytes; offset += PAGE_SIZE) {
		pattern_fill(page, PAGE_SIZE, seed + offset);
		need(write(fd, page, PAGE_SIZE) == PAGE_SIZE);
	}
}

static void check_page(char *at, u64 seed, const char *what)
{
	pattern_check(at, PAGE_SIZE, seed, what);
}

static void check_file(off_t offset, u64 seed, const char *what)
{
	char page[PAGE_SIZE] __attribute__((aligned(8)));
	int file = open("data", O_RDONLY | O_CLOEXEC);

	need(file >= 0);
	need(pread(file, page, PAGE_SIZE, offset) == PAGE_SIZE);
	check_page(page, seed, what);
	close(file);
}

static char *map_file(size_t bytes, int prot, int flags, off_t offset)
{
	char *at = mmap(NULL, bytes, prot, flags, fd, offset);

	need(at != MAP_FAILED);
	return at;
}

/* Every second page is changed, then some can't be written any more. */
static void setup_private(void)
{
	size_t offset;

	make_file(BYTES, 1);
	map = map_file(BYTES - 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 4 * PAGE_SIZE);
	for (offset = 0; offset < BYTES - 4 * PAGE_SIZE; offset += 2 * PAGE_SIZE)
		pattern_fill(map + offset, PAGE_SIZE, 5000 + offset);
	need(!mprotect(map + 8 * PAGE_SIZE, 8 * PAGE_SIZE, PROT_READ));
	need(!mprotect(map + 24 * PAGE_SIZE, 8 * PAGE_SIZE, PROT_READ | PROT_EXEC));
	close(fd);
	fd = -1;
}

static void verify_private(void)
{
	size_t offset;

	for (offset = 0; offset < BYTES - 4 * PAGE_SIZE; offset += PAGE_SIZE) {
		bool changed = !(offset % (2 * PAGE_SIZE));

		check_page(map + offset, changed ? 5000 + offset : 1 + offset + 4 * PAGE_SIZE,
			   changed ? "changed page" : "untouched page");
		check_file(offset + 4 * PAGE_SIZE, 1 + offset + 4 * PAGE_SIZE, "file");
	}
	need(!mprotect(map, BYTES - 4 * PAGE_SIZE, PROT_READ | PROT_WRITE));
	pattern_fill(map, PAGE_SIZE, 99);
	pattern_fill(map + PAGE_SIZE, PAGE_SIZE, 98);
	check_page(map, 99, "page written again");
	check_file(5 * PAGE_SIZE, 1 + 5 * PAGE_SIZE, "file below a page written now");
}

/* All of a large file was read, one page changed: only that is saved. */
static void setup_untouched(void)
{
	size_t offset;

	make_file(BIG, 2);
	map = map_file(BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	second = map_file(BIG, PROT_READ, MAP_SHARED, 0);
	for (offset = 0; offset < BIG; offset += PAGE_SIZE)
		need(READ_ONCE(map[offset]) == READ_ONCE(second[offset]));
	pattern_fill(map + 17 * PAGE_SIZE, PAGE_SIZE, 77);
	control->image_max = 2 << 20;
}

static void verify_untouched(void)
{
	size_t offset;

	for (offset = 0; offset < BIG; offset += PAGE_SIZE) {
		check_page(map + offset, offset == 17 * PAGE_SIZE ? 77 : 2 + offset,
			   "private page");
		check_page(second + offset, 2 + offset, "shared page");
	}
}

/* What is written to the file shows in memory, and the other way round. */
static void setup_shared(void)
{
	make_file(BYTES, 3);
	map = map_file(BYTES / 2, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	second = map_file(BYTES, PROT_READ, MAP_SHARED, 0);
	pattern_fill(map + PAGE_SIZE, PAGE_SIZE, 33);
	if (mode_is("shared-closed")) {
		close(fd);
		fd = -1;
	}
}

static void verify_shared(void)
{
	char page[PAGE_SIZE] __attribute__((aligned(8)));

	check_page(map, 3, "page");
	check_page(map + PAGE_SIZE, 33, "page written before");
	check_page(second + PAGE_SIZE, 33, "page written before, second mapping");
	check_page(second + BYTES - PAGE_SIZE, 3 + BYTES - PAGE_SIZE, "last page");
	pattern_fill(map + 5 * PAGE_SIZE, PAGE_SIZE, 55);
	check_page(second + 5 * PAGE_SIZE, 55, "page written now, second mapping");
	check_file(5 * PAGE_SIZE, 55, "file after a page was written");
	if (fd < 0)
		fd = open("data", O_RDWR | O_CLOEXEC);
	pattern_fill(page, PAGE_SIZE, 66);
	need(pwrite(fd, page, PAGE_SIZE, 6 * PAGE_SIZE) == PAGE_SIZE);
	check_page(map + 6 * PAGE_SIZE, 66, "page after the file was written");
}

/* One memory at two addresses, one of them from its middle. */
static void setup_anonymous(void)
{
	if (mode_is("dev-zero")) {
		int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);

		need(zero >= 0);
		map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
		close(zero);
	} else {
		map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	need(map != MAP_FAILED);
	/* An old size of 0 duplicates a shared mapping. */
	second = mremap(map + BYTES / 2, 0, BYTES / 2, MREMAP_MAYMOVE);
	need(second != MAP_FAILED);
	pattern_fill(map, 8 * PAGE_SIZE, 44);
	pattern_fill(second, 8 * PAGE_SIZE, 45);
}

static void verify_anonymous(void)
{
	size_t offset;

	pattern_check(map, 8 * PAGE_SIZE, 44, "first mapping");
	pattern_check(second, 8 * PAGE_SIZE, 45, "second mapping");
	pattern_check(map + BYTES / 2, 8 * PAGE_SIZE, 45, "second through the first");
	for (offset = 8 * PAGE_SIZE; offset < BYTES / 2; offset += 8)
		if (*(u64 *)(map + offset)) {
			check(false, "untouched page holds something");
			break;
		}
	pattern_fill(map + BYTES / 2 + 9 * PAGE_SIZE, PAGE_SIZE, 46);
	check_page(second + 9 * PAGE_SIZE, 46, "second after the first was written");
	pattern_fill(second + 20 * PAGE_SIZE, PAGE_SIZE, 47);
	check_page(map + BYTES / 2 + 20 * PAGE_SIZE, 47, "first after the second was written");
}

/* A private mapping of /dev/zero is private memory. */
static void setup_zero_private(void)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);

	need(zero >= 0);
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	need(map != MAP_FAILED);
	close(zero);
	pattern_fill(map + PAGE_SIZE, 3 * PAGE_SIZE, 22);
}

static void verify_zero_private(void)
{
	check(!*(u64 *)map, "untouched page holds something");
	pattern_check(map + PAGE_SIZE, 3 * PAGE_SIZE, 22, "private pages");
}

/* More was mapped than the file has: those pages are not there. */
static void setup_short(void)
{
	make_file(3 * PAGE_SIZE, 4);
	map = map_file(8 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	pattern_fill(map + PAGE_SIZE, PAGE_SIZE, 88);
}

static void verify_short(void)
{
	check_page(map, 4, "page");
	check_page(map + PAGE_SIZE, 88, "changed page");
	need(!ftruncate(fd, 5 * PAGE_SIZE));
	check(!*(u64 *)(map + 4 * PAGE_SIZE), "page of the grown file");
	/* Reading through a system call tells without a signal. */
	check(write(STDOUT_FILENO, map + 6 * PAGE_SIZE, 1) == -1 && errno == EFAULT,
	      "memory behind the end of the file");
}

static const struct subject_mode modes[] = {
	{ "private", setup_private, verify_private },
	{ "untouched", setup_untouched, verify_untouched },
	{ "shared", setup_shared, verify_shared },
	{ "shared-closed", setup_shared, verify_shared },
	{ "anonymous", setup_anonymous, verify_anonymous },
	{ "dev-zero", setup_anonymous, verify_anonymous },
	{ "zero-private", setup_zero_private, verify_zero_private },
	{ "short", setup_short, verify_short },
	{ }
};

const struct subject subject = { .modes = modes };
