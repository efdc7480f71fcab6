// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory that somebody else changes while a checkpoint writes it, who is
 * not saved: in every way in which memory changes that is not a page fault of the
 * saved process. What comes back is as it was.
 */
#include "harness.h"
#include "saver.h"

#include <linux/io_uring.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define HUGE		"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define PAGE		4096UL
#define WORDS		(PAGE / sizeof(u64))
#define NR_PAGES	512U
#define SIZE		(NR_PAGES * PAGE)
#define FD		3
#define NR64_SIGWAIT	128
#ifndef F_SEAL_WRITE
#define F_SEAL_WRITE	0x8
#endif

static u64 content(unsigned int page, u64 generation)
{
	return (generation + 1) << 16 | page;
}

static void store(void *to, unsigned int page, u64 generation)
{
	volatile u64 *words = to;
	unsigned int word;

	for (word = 0; word < WORDS; word++)
		words[word] = content(page, generation);
}

static void must(bool good)
{
	if (!good)
		_exit(10);
}

/* It never writes again, and finds what it has written once. */
static void be_target(bool maps)
{
	static u64 buffer[WORDS];
	unsigned int page, word;
	sigset_t set;
	int signo;

	setsid();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_SETMASK, &set, NULL);
	must(dup2(syscall(SYS_memfd_create, "memory", MFD_ALLOW_SEALING), FD) == FD);
	syscall(SYS_close_range, 0, FD - 1, 0);
	syscall(SYS_close_range, FD + 1, ~0U, 0);
	for (page = 0; page < NR_PAGES; page++) {
		store(buffer, page, 0);
		must(write(FD, buffer, PAGE) == (ssize_t)PAGE);
	}
	if (maps)
		must(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, FD, 0) !=
		     MAP_FAILED);
	must(!sigwait(&set, &signo));
	for (page = 0; page < NR_PAGES; page++) {
		must(pread(FD, buffer, PAGE, page * PAGE) == (ssize_t)PAGE);
		for (word = 0; word < WORDS; word++)
			if (buffer[word] != content(page, 0))
				_exit(11);
	}
	_exit(BODY_GOOD);
}

/* ------------------------------------------------- how the memory changes */

/**
 * struct outsider - what somebody outside has of it
 * @fd: the memory
 * @memory: mapped, and written to before the checkpoint
 * @ring: with @memory pinned, or -1
 * @params: of it
 */
struct outsider {
	int fd;
	char *memory;
	int ring;
	struct io_uring_params params;
};

static void store_all(char *memory)
{
	unsigned int page;

	for (page = 0; page < NR_PAGES; page++)
		store(memory + page * PAGE, page, 1);
}

static bool by_store(struct outsider *outsider)
{
	store_all(outsider->memory);
	return true;
}

static char *map(struct outsider *outsider)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, outsider->fd, 0);

	if (memory == MAP_FAILED)
		complain("mmap: %s", strerror(errno));
	return memory;
}

static bool by_new_mapping(struct outsider *outsider)
{
	char *memory = map(outsider);

	if (memory == MAP_FAILED)
		return false;
	store_all(memory);
	return !munmap(memory, SIZE);
}

static bool by_pwrite(struct outsider *outsider)
{
	static u64 buffer[WORDS];
	unsigned int page;

	for (page = 0; page < NR_PAGES; page++) {
		store(buffer, page, 1);
		if (pwrite(outsider->fd, buffer, PAGE, page * PAGE) != (ssize_t)PAGE)
			return complain("pwrite: %s", strerror(errno));
	}
	return true;
}

/* The entries are made by a user, who wants them writable. */
static bool by_user_faults(struct outsider *outsider)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MINOR };
	struct uffdio_continue fault = { .range.len = SIZE };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *memory = map(outsider);

	area.range.start = (uintptr_t)memory;
	area.range.len = SIZE;
	fault.range.start = (uintptr_t)memory;
	if (fd < 0 || memory == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &area) || ioctl(fd, UFFDIO_CONTINUE, &fault))
		return complain("userfaultfd: %s", strerror(errno));
	store_all(memory);
	close(fd);
	return !munmap(memory, SIZE);
}

/* Pinned before, as for a device. */
static bool pin(struct outsider *outsider)
{
	struct iovec all = { outsider->memory, SIZE };

	outsider->ring = syscall(SYS_io_uring_setup, 1, &outsider->params);
	return (outsider->ring >= 0 &&
		!syscall(SYS_io_uring_register, outsider->ring, IORING_REGISTER_BUFFERS,
			 &all, 1)) || complain("io_uring: %s", strerror(errno));
}

/* One request to read all of a file into what is pinned. */
static bool read_pinned(struct outsider *outsider, int fd)
{
	struct io_uring_params *params = &outsider->params;
	struct io_uring_sqe *entry;
	struct io_uring_cqe *done;
	u32 *array, *tail;
	char *queue;

	entry = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, outsider->ring,
		     IORING_OFF_SQES);
	queue = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, outsider->ring,
		     IORING_OFF_SQ_RING);
	if (entry == MAP_FAILED || queue == MAP_FAILED)
		return complain("io_uring: %s", strerror(errno));
	entry->opcode = IORING_OP_READ_FIXED;
	entry->fd = fd;
	entry->addr = (uintptr_t)outsider->memory;
	entry->len = SIZE;
	array = (u32 *)(queue + params->sq_off.array);
	tail = (u32 *)(queue + params->sq_off.tail);
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, outsider->ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return complain("io_uring: %s", strerror(errno));
	done = (struct io_uring_cqe *)(queue + params->cq_off.cqes);
	return done->res == (int)SIZE || complain("io_uring: %d of %lu", done->res, SIZE);
}

static bool by_pinned_buffer(struct outsider *outsider)
{
	int fd = open("source", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static u64 buffer[WORDS];
	unsigned int page;
	bool good;

	for (page = 0; page < NR_PAGES; page++) {
		store(buffer, page, 1);
		if (write(fd, buffer, PAGE) != (ssize_t)PAGE)
			return complain("source: %s", strerror(errno));
	}
	good = read_pinned(outsider, fd);
	close(fd);
	return good;
}

/* Nobody writes any more, and no checkpoint stands in the way of that. */
static bool by_sealing(struct outsider *outsider)
{
	return !fcntl(outsider->fd, F_ADD_SEALS, F_SEAL_WRITE) ||
	       complain("F_ADD_SEALS: %s", strerror(errno));
}

static bool by_removal(struct outsider *outsider)
{
	return !ftruncate(outsider->fd, 0) || complain("ftruncate: %s", strerror(errno));
}

/* Seven pages and a half at a time. */
static bool by_holes(struct outsider *outsider)
{
	off_t offset;

	for (offset = 0; offset + 8 * PAGE <= SIZE; offset += 8 * PAGE)
		if (fallocate(outsider->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      offset, 7 * PAGE + PAGE / 2))
			return complain("fallocate: %s", strerror(errno));
	return true;
}

static unsigned long count_swapped(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (info.totalswap - info.freeswap) * info.mem_unit / PAGE;
}

/* Nobody else has it mapped. */
static bool swap_out(struct outsider *outsider)
{
	char *memory = map(outsider);
	int tries;

	if (!make_swap("swap", 2 * NR_PAGES) || memory == MAP_FAILED)
		return false;
	/* Pages that are still in a batch of some processor are left out at first. */
	for (tries = 0; tries < 20 && count_swapped() < NR_PAGES / 2; tries++)
		if (madvise(memory, SIZE, MADV_POPULATE_READ) ||
		    madvise(memory, SIZE, MADV_PAGEOUT))
			return complain("madvise: %s", strerror(errno));
	munmap(memory, SIZE);
	return count_swapped() >= NR_PAGES / 2 || complain("%lu pages are in swap",
							    count_swapped());
}

FIXTURE(outside)
{
	char dir[PATH_MAX / 2];
	struct outsider outsider;
	pid_t target;
};

FIXTURE_VARIANT(outside)
{
	bool is_unmapped;
	bool is_huge;
	bool needs_disk;
	bool (*prepare)(struct outsider *outsider);
	bool (*change)(struct outsider *outsider);
};

#define OUTSIDE(_name, ...)						\
	FIXTURE_VARIANT_ADD(outside, _name) { __VA_ARGS__ }

OUTSIDE(stores, .change = by_store);
OUTSIDE(new_mapping, .change = by_new_mapping);
OUTSIDE(pwrite, .change = by_pwrite);
OUTSIDE(user_faults, .change = by_user_faults);
OUTSIDE(pinned_buffer, .prepare = pin, .change = by_pinned_buffer);
OUTSIDE(sealing, .is_unmapped = true, .change = by_sealing);
OUTSIDE(removal, .change = by_removal);
OUTSIDE(holes, .change = by_holes);
OUTSIDE(swapped, .is_unmapped = true, .needs_disk = true, .prepare = swap_out,
	.change = by_pwrite);
OUTSIDE(huge_swapped, .is_unmapped = true, .is_huge = true, .needs_disk = true,
	.prepare = swap_out, .change = by_pwrite);

static bool is_on_disk(void)
{
	struct statfs fs;

	return !statfs(".", &fs) && fs.f_type != TMPFS_MAGIC;
}

static bool open_memory(struct outsider *outsider, pid_t target, bool is_unmapped)
{
	char path[64];

	outsider->ring = -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", target, FD);
	outsider->fd = open(path, O_RDWR | O_CLOEXEC);
	if (outsider->fd < 0)
		return complain("%s: %s", path, strerror(errno));
	if (is_unmapped)
		return true;
	outsider->memory = map(outsider);
	if (outsider->memory == MAP_FAILED)
		return false;
	/* Its entries are writable, and nothing has changed. */
	return !madvise(outsider->memory, SIZE, MADV_POPULATE_WRITE);
}

FIXTURE_SETUP(outside)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (variant->needs_disk && !is_on_disk())
		SKIP(return, "nowhere to swap to");
	if (variant->is_huge && !write_file(HUGE, "always"))
		SKIP(return, "no huge pages of shared memory");
	ASSERT_TRUE(enter_directory(self->dir, "outside", 0755));
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	self->target = fork();
	if (!self->target)
		be_target(!variant->is_unmapped);
	ASSERT_TRUE(wait_blocked(self->target, NR64_SIGWAIT));
	ASSERT_TRUE(open_memory(&self->outsider, self->target, variant->is_unmapped));
	if (variant->prepare)
		ASSERT_TRUE(variant->prepare(&self->outsider));
}

FIXTURE_TEARDOWN(outside)
{
	if (variant->is_huge)
		write_file(HUGE, "never");
	if (variant->needs_disk)
		swapoff("swap");
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

TEST_F_TIMEOUT(outside, is_as_it_was, LIMIT)
{
	struct saver saver;

	ASSERT_TRUE(start_saver(&saver, self->target, NULL)) show_file("log");
	EXPECT_TRUE(variant->change(&self->outsider));
	ASSERT_TRUE(end_saver(&saver, "image", 0)) show_file("log");
	kill_and_reap(self->target);
	ASSERT_TRUE(restart_image(self->dir, "image"));
	ASSERT_TRUE(wait_blocked(self->target, NR64_SIGWAIT));
	kill(self->target, SIGUSR1);
	EXPECT_TRUE(reap(self->target, BODY_GOOD << 8, "the restarted process"));
}

TEST_HARNESS_MAIN
