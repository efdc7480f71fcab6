// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory that changes while a checkpoint writes it: nothing of that may
 * come into the image, and nothing may be lost in the process that goes on.
 *
 * The process gives its pages one number after the other, and each must have the
 * one before. It alone knows, in private memory, where it is. So it finds out
 * after a restart if any page is not as it was at that moment. The image goes
 * into a pipe that nobody empties before all pages have changed.
 */
#include "harness.h"
#include "saver.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define CGROUP		"/sys/fs/cgroup/shared-test"
#define HUGE		"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define PAGE		4096UL
#define WORDS		(PAGE / sizeof(u64))
#define NR_PAGES	1024U
#define SIZE		(NR_PAGES * PAGE)
#define MAX_WORKERS	4
/* Rounds through all pages while the image waits, and before the end. */
#define ROUNDS		2
#define FD		3

/* Where the processes have their memory, and where they have it for a moment. */
#define MEMORY		((char *)0x40000000)
#define ELSEWHERE	((char *)0x50000000)

enum kind {
	ANONYMOUS,
	MEMFD,
	UNLINKED,
};

static u64 content(unsigned int page, u64 generation)
{
	return (generation + 1) << 16 | page;
}

static u64 *at(unsigned int page)
{
	return (u64 *)(MEMORY + page * PAGE);
}

static void store(void *to, unsigned int page, u64 generation)
{
	volatile u64 *words = to;
	unsigned int word;

	for (word = 0; word < WORDS; word++)
		words[word] = content(page, generation);
}

static bool holds(unsigned int page, unsigned int first, unsigned int nr_words, u64 value)
{
	volatile u64 *words = at(page);
	unsigned int word;

	for (word = first; word < first + nr_words; word++)
		if (words[word] != value)
			return false;
	return true;
}

static bool is_page(unsigned int page, u64 generation)
{
	return holds(page, 0, WORDS, content(page, generation));
}

static void must(bool good)
{
	if (!good)
		_exit(10);
}

/* ------------------------------------------------------- how pages change */

static void by_store(unsigned int page, u64 generation)
{
	store(at(page), page, generation);
}

/* The page table entry goes, and comes back by reading. */
static void by_reading_first(unsigned int page, u64 generation)
{
	must(!madvise(at(page), PAGE, MADV_DONTNEED));
	must(is_page(page, generation - 1));
	by_store(page, generation);
}

static void by_writing_first(unsigned int page, u64 generation)
{
	must(!madvise(at(page), PAGE, MADV_DONTNEED));
	by_store(page, generation);
}

static void by_populating(unsigned int page, u64 generation)
{
	must(!madvise(at(page), PAGE, MADV_POPULATE_WRITE));
	by_store(page, generation);
}

static void by_mprotect(unsigned int page, u64 generation)
{
	must(!mprotect(at(page), PAGE, PROT_READ));
	must(!mprotect(at(page), PAGE, PROT_READ | PROT_WRITE));
	by_store(page, generation);
}

/* With entries of huge pages. */
static void by_mprotect_of_all(unsigned int page, u64 generation)
{
	if (!(page % 128)) {
		must(!mprotect(MEMORY, SIZE, PROT_READ));
		must(!mprotect(MEMORY, SIZE, PROT_READ | PROT_WRITE));
	}
	by_store(page, generation);
}

static void by_mremap(unsigned int page, u64 generation)
{
	char *to = ELSEWHERE + page * PAGE;

	must(mremap(at(page), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	store(to, page, generation);
	must(mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at(page)) == at(page));
}

static void by_pwrite(unsigned int page, u64 generation)
{
	u64 buffer[WORDS];

	store(buffer, page, generation);
	must(pwrite(FD, buffer, PAGE, page * PAGE) == (ssize_t)PAGE);
}

static void by_new_mapping(unsigned int page, u64 generation)
{
	char *to = ELSEWHERE + page * PAGE;

	must(mmap(to, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, FD,
		  page * PAGE) == to);
	store(to, page, generation);
	must(!munmap(to, PAGE));
}

static void by_hole(unsigned int page, u64 generation)
{
	must(!fallocate(FD, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page * PAGE, PAGE));
	must(holds(page, 0, WORDS, 0));
	if (page & 1)
		must(!fallocate(FD, 0, page * PAGE, PAGE));
	by_pwrite(page, generation);
}

/* From the kernel, which gets the page as it would for a device. */
static void by_pinning(unsigned int page, u64 generation)
{
	u64 buffer[WORDS];
	struct iovec from = { buffer, PAGE }, to = { at(page), PAGE };

	store(buffer, page, generation);
	must(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == (ssize_t)PAGE);
}

/* Some of them, by a child that was not there before. */
static void by_child(unsigned int page, u64 generation)
{
	int status;
	pid_t pid;

	if (page % 32) {
		by_store(page, generation);
		return;
	}
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		by_store(page, generation);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid && !status);
}

/* From the end on the file gets shorter, and then longer again. */
static int truncate_all(u64 generation)
{
	unsigned int page;

	for (page = NR_PAGES; page--;) {
		if (!holds(page, 0, WORDS / 2, content(page, generation - 1)))
			return 20;
		must(!ftruncate(FD, page * PAGE + PAGE / 2));
		if (!holds(page, 0, WORDS / 2, content(page, generation - 1)))
			return 21;
		if (!holds(page, WORDS / 2, WORDS / 2, 0))
			return 22;
	}
	for (page = 0; page < NR_PAGES; page++)
		by_pwrite(page, generation);
	return 0;
}

/* ------------------------------------------------------- who changes them */

/**
 * struct setting - what a process does
 * @kind: of memory
 * @huge: in huge pages
 * @nr_processes: that share it
 * @nr_threads: of each
 * @put: gives a page its next number
 * @put_all: or all of them
 */
struct setting {
	enum kind kind;
	bool huge;
	int nr_processes;
	int nr_threads;
	void (*put)(unsigned int page, u64 generation);
	int (*put_all)(u64 generation);
};

static const struct setting *setting;

/**
 * struct progress - shared by the test and all workers, in a file
 * @begun: rounds that each of them has begun
 * @changes: changes whenever one of them does
 */
struct progress {
	u32 begun[MAX_WORKERS];
	u32 changes;
};

static struct progress *progress;

/* In memory that they share: it is time to end. */
static volatile u32 *is_told;

static int work(unsigned int first, unsigned int step)
{
	unsigned int page, left = ROUNDS;
	u64 generation;

	for (generation = 1;; generation++) {
		progress->begun[first]++;
		tell_word(&progress->changes, READ_ONCE(progress->changes) + 1);
		if (setting->put_all) {
			int ret = setting->put_all(generation);

			if (ret)
				return ret;
		}
		for (page = first; !setting->put_all && page < NR_PAGES; page += step) {
			if (!is_page(page, generation - 1))
				return 23;
			setting->put(page, generation);
		}
		if (*is_told && !left--)
			return 0;
	}
}

static void *thread(void *first)
{
	return (void *)(intptr_t)work((intptr_t)first, setting->nr_threads);
}

static int work_in_threads(void)
{
	pthread_t threads[MAX_WORKERS];
	int index, ret = 0;
	void *result;

	for (index = 0; index < setting->nr_threads; index++)
		must(!pthread_create(&threads[index], NULL, thread, (void *)(intptr_t)index));
	for (index = 0; index < setting->nr_threads; index++) {
		must(!pthread_join(threads[index], &result));
		ret = ret ?: (intptr_t)result;
	}
	return ret;
}

static int work_in_processes(void)
{
	int index, status, ret;

	for (index = 1; index < setting->nr_processes; index++) {
		pid_t pid = fork();

		must(pid >= 0);
		if (!pid)
			_exit(work(index, setting->nr_processes));
	}
	ret = work(0, setting->nr_processes);
	while (wait(&status) > 0)
		ret = ret ?: WEXITSTATUS(status);
	return ret;
}

static int open_memory(void)
{
	switch (setting->kind) {
	case MEMFD:
		return syscall(SYS_memfd_create, "memory", 0);
	case UNLINKED:
		return open("tmpfs", O_TMPFILE | O_RDWR, 0600);
	default:
		return -1;
	}
}

static void make_memory(void)
{
	int flags = MAP_SHARED | MAP_FIXED_NOREPLACE, fd = open_memory();
	unsigned int page;

	if (fd < 0)
		flags |= MAP_ANONYMOUS;
	else
		must(dup2(fd, FD) == FD && !ftruncate(FD, SIZE));
	must(mmap(MEMORY, SIZE, PROT_READ | PROT_WRITE, flags, fd < 0 ? -1 : FD, 0) == MEMORY);
	if (setting->huge)
		must(!madvise(MEMORY, SIZE, MADV_HUGEPAGE));
	for (page = 0; page < NR_PAGES; page++)
		by_store(page, 0);
	syscall(SYS_close_range, 0, FD - 1, 0);
	syscall(SYS_close_range, fd < 0 ? FD : FD + 1, ~0U, 0);
}

static void tell(int signal)
{
	(void)signal;
	*is_told = 1;
}

static void be_target(void)
{
	int ret;

	setsid();
	signal(SIGUSR1, tell);
	is_told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(is_told != MAP_FAILED);
	make_memory();
	if (setting->nr_threads)
		ret = work_in_threads();
	else if (setting->nr_processes)
		ret = work_in_processes();
	else
		ret = work(0, 1);
	_exit(ret ?: BODY_GOOD);
}

/* What the slowest worker has come to. */
static u32 rounds_begun(void)
{
	int nr_workers = (setting->nr_threads ?: setting->nr_processes) ?: 1;
	u32 slowest = ~0U;
	int index;

	for (index = 0; index < nr_workers; index++)
		if (READ_ONCE(progress->begun[index]) < slowest)
			slowest = READ_ONCE(progress->begun[index]);
	return slowest;
}

static bool await_rounds(pid_t pid, unsigned int rounds)
{
	u32 last = rounds_begun() + rounds;

	for (;;) {
		u32 changes = READ_ONCE(progress->changes);

		if (rounds_begun() > last)
			return true;
		if (!await_word(&progress->changes, changes, pid))
			return false;
	}
}

/**
 * struct situation - where a test runs
 * @dir: its directory
 * @setting: what the target does
 * @target: its process id
 */
struct situation {
	char dir[PATH_MAX / 2];
	struct setting setting;
	pid_t target;
};

static bool begin(struct situation *situation, const struct setting *wanted)
{
	if (!enter_directory(situation->dir, "shared", 0755) || mkdir("tmpfs", 0755) ||
	    mount("tmpfs", "tmpfs", "tmpfs", 0, NULL) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return complain("no directory");
	progress = map_new_file("progress", sizeof(*progress));
	if (!progress)
		return complain("no file");
	situation->setting = *wanted;
	setting = &situation->setting;
	if (setting->huge && !write_file(HUGE, "always"))
		return false;
	situation->target = fork();
	if (!situation->target)
		be_target();
	return await_rounds(situation->target, 0);
}

static bool finish(struct situation *situation)
{
	bool good = !leaves_children();

	if (situation->setting.huge)
		write_file(HUGE, "never");
	munmap(progress, sizeof(*progress));
	umount2("tmpfs", MNT_DETACH);
	leave_directory(situation->dir);
	return good;
}

/* The process ends after some more rounds, and has found everything right. */
static bool ends_well(pid_t pid, const char *who)
{
	kill(pid, SIGUSR1);
	return reap(pid, BODY_GOOD << 8, who);
}

static bool comes_back(const char *dir, const char *image, pid_t pid)
{
	return restart_image(dir, image) && ends_well(pid, "the restarted process");
}

FIXTURE(shared)
{
	struct situation situation;
};

FIXTURE_VARIANT(shared)
{
	struct setting setting;
};

#define SHARED(_name, ...)						\
	FIXTURE_VARIANT_ADD(shared, _name)				\
	{								\
		.setting = { __VA_ARGS__ },				\
	}

SHARED(stores, .put = by_store);
SHARED(stores_to_huge_pages, .huge = true, .put = by_store);
SHARED(stores_to_memfd, .kind = MEMFD, .put = by_store);
SHARED(stores_to_unlinked, .kind = UNLINKED, .put = by_store);
SHARED(stores_of_processes, .nr_processes = 3, .put = by_store);
SHARED(stores_of_threads, .nr_threads = 3, .put = by_store);
SHARED(reads_first, .put = by_reading_first);
SHARED(writes_first, .put = by_writing_first);
SHARED(reads_first_in_huge_pages, .huge = true, .put = by_reading_first);
SHARED(writes_first_in_huge_pages, .huge = true, .put = by_writing_first);
SHARED(populates, .put = by_populating);
SHARED(mprotect, .put = by_mprotect);
SHARED(mprotect_of_huge_pages, .huge = true, .put = by_mprotect_of_all);
SHARED(mremap, .put = by_mremap);
SHARED(pins, .put = by_pinning);
SHARED(children, .put = by_child);
SHARED(pwrite, .kind = MEMFD, .put = by_pwrite);
SHARED(pwrite_of_huge_pages, .kind = MEMFD, .huge = true, .put = by_pwrite);
SHARED(pwrite_to_unlinked, .kind = UNLINKED, .put = by_pwrite);
SHARED(pwrite_of_processes, .kind = MEMFD, .nr_processes = 3, .put = by_pwrite);
SHARED(new_mappings, .kind = MEMFD, .put = by_new_mapping);
SHARED(new_mappings_of_unlinked, .kind = UNLINKED, .put = by_new_mapping);
SHARED(holes, .kind = MEMFD, .put = by_hole);
SHARED(holes_in_huge_pages, .kind = MEMFD, .huge = true, .put = by_hole);
SHARED(truncate, .kind = MEMFD, .put_all = truncate_all);
SHARED(truncate_huge_pages, .kind = MEMFD, .huge = true, .put_all = truncate_all);
SHARED(truncate_unlinked, .kind = UNLINKED, .put_all = truncate_all);

FIXTURE_SETUP(shared)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(begin(&self->situation, &variant->setting));
}

FIXTURE_TEARDOWN(shared)
{
	EXPECT_TRUE(finish(&self->situation));
}

TEST_F_TIMEOUT(shared, is_as_it_was, LIMIT)
{
	struct saver saver;

	ASSERT_TRUE(start_saver(&saver, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, ROUNDS));
	ASSERT_TRUE(end_saver(&saver, "image", 0)) show_file("log");
	EXPECT_TRUE(ends_well(self->situation.target, "the original"));
	EXPECT_TRUE(comes_back(self->situation.dir, "image", self->situation.target));
}

/* What may happen to the checkpoint. */
FIXTURE(saver)
{
	struct situation situation;
};

FIXTURE_VARIANT(saver)
{
	struct setting setting;
};

FIXTURE_VARIANT_ADD(saver, stores)
{
	.setting = { .put = by_store },
};

FIXTURE_VARIANT_ADD(saver, stores_of_threads)
{
	.setting = { .kind = MEMFD, .nr_threads = 3, .put = by_store },
};

FIXTURE_VARIANT_ADD(saver, pwrite)
{
	.setting = { .kind = MEMFD, .huge = true, .put = by_pwrite },
};

FIXTURE_SETUP(saver)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(begin(&self->situation, &variant->setting));
}

FIXTURE_TEARDOWN(saver)
{
	EXPECT_TRUE(finish(&self->situation));
}

/* Each has a moment of its own. */
TEST_F_TIMEOUT(saver, is_saved_twice_at_once, LIMIT)
{
	struct saver first, second;

	ASSERT_TRUE(start_saver(&first, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, 1));
	ASSERT_TRUE(start_saver(&second, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, ROUNDS));
	ASSERT_TRUE(end_saver(&first, "image", 0)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, 1));
	ASSERT_TRUE(end_saver(&second, "other", 0)) show_file("log");
	EXPECT_TRUE(ends_well(self->situation.target, "the original"));
	EXPECT_TRUE(comes_back(self->situation.dir, "image", self->situation.target));
	EXPECT_TRUE(comes_back(self->situation.dir, "other", self->situation.target));
}

/* Then nobody wants the pages any more, and the next one is as good. */
TEST_F_TIMEOUT(saver, saver_is_killed, LIMIT)
{
	struct saver saver;

	ASSERT_TRUE(start_saver(&saver, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, 1));
	kill(saver.pid, SIGKILL);
	EXPECT_TRUE(reap(saver.pid, SIGKILL, "the saver"));
	close(saver.image);
	EXPECT_TRUE(await_rounds(self->situation.target, ROUNDS));
	ASSERT_TRUE(start_saver(&saver, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, ROUNDS));
	ASSERT_TRUE(end_saver(&saver, "image", 0)) show_file("log");
	EXPECT_TRUE(ends_well(self->situation.target, "the original"));
	EXPECT_TRUE(comes_back(self->situation.dir, "image", self->situation.target));
}

/* The checkpoint pays for the copies, and fails; the process never learns of it. */
TEST_F_TIMEOUT(saver, no_memory, LIMIT)
{
	struct saver saver;

	if (!limit_memory(CGROUP, "2M"))
		SKIP(goto out, "no cgroup of memory");
	ASSERT_TRUE(start_saver(&saver, self->situation.target, CGROUP "/cgroup.procs"))
		show_file("log");
	EXPECT_TRUE(await_rounds(self->situation.target, ROUNDS));
	EXPECT_TRUE(end_saver(&saver, "image", ENOMEM)) show_file("log");
	EXPECT_TRUE(file_holds("log", "there was no memory to keep it as it was"));
	EXPECT_EQ(0, rmdir(CGROUP));
out:
	EXPECT_TRUE(ends_well(self->situation.target, "the original"));
}

TEST_HARNESS_MAIN
