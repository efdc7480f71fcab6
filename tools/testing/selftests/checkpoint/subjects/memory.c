// SPDX-License-Identifier: GPL-2.0
/* Private memory without a file: heap, stack, mappings with what is in them. */
#include "subject.h"

#include <alloca.h>
#include <malloc.h>
#include <sys/mman.h>

#define NR_BLOCKS	300

static struct area {
	char *at;
	size_t bytes;
	int prot;
} areas[6];

static char *blocks[NR_BLOCKS];
static size_t block_sizes[NR_BLOCKS];
static char *brk_before, *sparse, *grows;

static char *map(size_t bytes, int flags)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			-1, 0);

	need(at != MAP_FAILED);
	return at;
}

/* All protections, a hole in the middle, and a mapping that was moved. */
static void setup_anonymous(void)
{
	static const int prots[] = {
		PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, PROT_READ | PROT_EXEC,
		PROT_READ | PROT_WRITE | PROT_EXEC, PROT_READ | PROT_WRITE,
	};
	size_t index;

	for (index = 0; index < ARRAY_SIZE(areas); index++) {
		struct area *area = &areas[index];

		area->bytes = (index + 3) * PAGE_SIZE;
		area->prot = prots[index];
		area->at = map(area->bytes + PAGE_SIZE, 0);
		pattern_fill(area->at, area->bytes, index);
		need(!munmap(area->at + area->bytes, PAGE_SIZE));
		if (index == 5) {
			char *moved = mremap(area->at, area->bytes, 2 * area->bytes,
					     MREMAP_MAYMOVE | MREMAP_FIXED,
					     map(64 * PAGE_SIZE, 0) + 7 * PAGE_SIZE);

			need(moved != MAP_FAILED);
			area->at = moved;
		}
		need(!mprotect(area->at, area->bytes, area->prot));
	}
}

static void verify_anonymous(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(areas); index++) {
		struct area *area = &areas[index];

		need(!mprotect(area->at, area->bytes, PROT_READ | PROT_WRITE));
		pattern_check(area->at, area->bytes, index, "mapping");
		pattern_fill(area->at, area->bytes, index + 100);
		pattern_check(area->at, area->bytes, index + 100, "mapping, written again");
	}
	for (index = 0; index < areas[5].bytes; index++)
		if (areas[5].at[areas[5].bytes + index])
			check(false, "untouched memory holds something");
}

static void setup_heap(void)
{
	size_t index;

	/* Nothing of it in mappings of its own. */
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
	for (index = 0; index < NR_BLOCKS; index++) {
		block_sizes[index] = 8 * (1 + pattern_word(9, index) % 1000);
		blocks[index] = malloc(block_sizes[index]);
		need(blocks[index]);
		pattern_fill(blocks[index], block_sizes[index], index);
	}
	for (index = 0; index < NR_BLOCKS; index += 3) {
		free(blocks[index]);
		blocks[index] = NULL;
	}
	brk_before = sbrk(0);
}

/* Where the new memory is. The libraries have different ideas of sbrk(). */
static char *grow_heap(size_t bytes)
{
#ifdef __GLIBC__
	return sbrk(bytes);
#else
	char *old = (char *)syscall(SYS_brk, 0);

	return (char *)syscall(SYS_brk, old + bytes) == old + bytes ? old : NULL;
#endif
}

static void verify_heap(void)
{
	size_t index;
	char *more;

	check(sbrk(0) == brk_before, "break: %p, was %p", sbrk(0), brk_before);
	for (index = 0; index < NR_BLOCKS; index++)
		if (blocks[index])
			pattern_check(blocks[index], block_sizes[index], index, "heap block");
	more = grow_heap(5 * PAGE_SIZE);
	check(more == brk_before, "the heap does not grow: %p", more);
	if (more == brk_before) {
		pattern_fill(more, 5 * PAGE_SIZE, 55);
		pattern_check(more, 5 * PAGE_SIZE, 55, "end of the heap");
	}
	for (index = 0; index < NR_BLOCKS; index++) {
		free(blocks[index]);
		blocks[index] = malloc(12345);
		check(blocks[index], "malloc() fails");
	}
}

static void recurse(int depth, void (*at_bottom)(void))
{
	u64 frame[1024];

	pattern_fill(frame, sizeof(frame), depth);
	if (depth % 1000)
		recurse(depth - 1, at_bottom);
	else if (at_bottom)
		at_bottom();
	pattern_check(frame, sizeof(frame), depth, "stack frame");
}

/* 400 kB deep, saved there; afterwards much deeper. */
static void hold_stack(void)
{
	recurse(50, subject_wait);
}

/* Another mapping that grows down by itself. */
static void setup_grows(void)
{
	char *room = map(256 * PAGE_SIZE, 0);

	need(!munmap(room, 256 * PAGE_SIZE));
	grows = mmap(room + 250 * PAGE_SIZE, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	need(grows != MAP_FAILED);
	pattern_fill(grows, 4 * PAGE_SIZE, 77);
}

static void verify_grows(void)
{
	int page;

	pattern_check(grows, 4 * PAGE_SIZE, 77, "mapping that grows down");
	check(smaps_has_flag(grows, "gd"), "does not grow down");
	for (page = 1; page < 5; page++)
		WRITE_ONCE(grows[-page * (long)PAGE_SIZE], page);
	for (page = 1; page < 5; page++)
		check_equal(grows[-page * (long)PAGE_SIZE], page, "grown page");
}

/* 64 GiB of address space, 40 pages in it: the image is small, too. */
#define SPARSE_BYTES	(64UL << 30)

static size_t sparse_offset(int index)
{
	return pattern_word(21, index) % (SPARSE_BYTES / PAGE_SIZE) * PAGE_SIZE;
}

static void setup_sparse(void)
{
	int index;

	sparse = map(SPARSE_BYTES, MAP_NORESERVE);
	for (index = 0; index < 40; index++)
		pattern_fill(sparse + sparse_offset(index), PAGE_SIZE, index);
	control->image_max = 2 << 20;
}

static void verify_sparse(void)
{
	int index;

	check(smaps_has_flag(sparse, "nr"), "memory is reserved");
	for (index = 0; index < 40; index++)
		pattern_check(sparse + sparse_offset(index), PAGE_SIZE, index, "sparse page");
	for (index = 0; index < 40; index++) {
		size_t offset = sparse_offset(index + 1000);

		check(!*(u64 *)(sparse + offset), "untouched page holds something");
	}
}

/* Memory that was only read is zero, and takes no room in the image. */
static void setup_zero(void)
{
	size_t offset;

	sparse = map(32 << 20, 0);
	need(!madvise(sparse, 32 << 20, MADV_NOHUGEPAGE));
	for (offset = 0; offset < 16 << 20; offset += PAGE_SIZE)
		need(!READ_ONCE(sparse[offset]));
	pattern_fill(sparse + (3 << 20), PAGE_SIZE, 3);
	control->image_max = 2 << 20;
}

static void verify_zero(void)
{
	size_t offset;

	pattern_check(sparse + (3 << 20), PAGE_SIZE, 3, "page between zero pages");
	for (offset = 0; offset < 32 << 20; offset += PAGE_SIZE)
		if (offset != 3 << 20)
			check(!READ_ONCE(sparse[offset]), "page %#zx is not zero", offset);
	pattern_fill(sparse, 32 << 20, 4);
	pattern_check(sparse, 32 << 20, 4, "written zero pages");
}

static void setup_stack(void)
{
	recurse(1060, NULL);
}

static void verify_stack(void)
{
	recurse(300, NULL);
}

static const struct subject_mode modes[] = {
	{ "anonymous", setup_anonymous, verify_anonymous },
	{ "heap", setup_heap, verify_heap },
	{ "stack", setup_stack, verify_stack, hold_stack },
	{ "grows", setup_grows, verify_grows },
	{ "sparse", setup_sparse, verify_sparse },
	{ "zero", setup_zero, verify_zero },
	{ }
};

const struct subject subject = { .modes = modes };
