// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a process while its image is written: it runs, so it may do
 * whatever it likes to the memory that the image is about. And what happens when
 * there is no memory for both.
 */
#include "harness.h"
#include "saver.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define PAGE		4096UL
/* Far more than a pipe holds. */
#define NR_PAGES	2048U
#define SIZE		(NR_PAGES * PAGE)
#define CGROUP		"/sys/fs/cgroup/ckpt-emission"
/* One page table each. */
#define TABLE_SPAN	(2UL << 20)
#define NR_TABLES	2048UL

enum { WAIT, ACT, CHECK };

/**
 * struct orders - shared by test and target, in a file
 * @command: what the target is to do
 * @ready: the memory is there
 * @acted: it has done what it was to do
 */
struct orders {
	u32 command;
	u32 ready;
	u32 acted;
};

/**
 * struct deed - what a process does meanwhile
 * @act: returns where the memory is then
 * @is_left: does the memory look like that afterwards? NULL: the process is gone
 */
struct deed {
	unsigned char *(*act)(unsigned char *memory);
	bool (*is_left)(const unsigned char *memory);
};

static struct orders *orders;
static const struct deed *deed;
static pid_t children[3];
static unsigned int nr_children;

/* Differs from page to page, and no page is zero. */
static void fill(unsigned char *memory, unsigned int generation)
{
	unsigned int page;

	for (page = 0; page < NR_PAGES; page++) {
		u32 *words = (u32 *)(memory + page * PAGE);

		words[0] = generation << 24 | page;
		words[PAGE / sizeof(*words) - 1] = ~words[0];
	}
}

static bool holds(const unsigned char *memory, unsigned int generation, unsigned int nr_pages)
{
	unsigned int page;

	for (page = 0; page < nr_pages; page++) {
		const u32 *words = (const u32 *)(memory + page * PAGE);

		if (words[0] != (generation << 24 | page) ||
		    words[PAGE / sizeof(*words) - 1] != ~words[0])
			return false;
	}
	return true;
}

static unsigned char *overwrite(unsigned char *memory)
{
	fill(memory, 2);
	return memory;
}

static bool is_overwritten(const unsigned char *memory)
{
	return holds(memory, 2, NR_PAGES);
}

static unsigned char *unmap(unsigned char *memory)
{
	return munmap(memory + SIZE / 2, SIZE / 2) ? NULL : memory;
}

static bool is_half(const unsigned char *memory)
{
	unsigned char resident[1];

	return holds(memory, 1, NR_PAGES / 2) &&
	       mincore((void *)(memory + SIZE / 2), PAGE, resident) && errno == ENOMEM;
}

static unsigned char *remap(unsigned char *memory)
{
	unsigned char *place = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mremap(memory, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, place) != place)
		return NULL;
	/* What is there now is somebody else's. */
	if (mmap(memory, SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != memory)
		return NULL;
	fill(memory, 3);
	fill(place, 2);
	return place;
}

static unsigned char *discard(unsigned char *memory)
{
	return madvise(memory, SIZE, MADV_DONTNEED) ? NULL : memory;
}

static bool is_discarded(const unsigned char *memory)
{
	unsigned long byte;

	for (byte = 0; byte < SIZE; byte += PAGE)
		if (memory[byte])
			return false;
	return true;
}

static unsigned char *protect(unsigned char *memory)
{
	if (mprotect(memory, SIZE / 2, PROT_NONE) || mprotect(memory, SIZE / 2, PROT_READ))
		return NULL;
	return memory;
}

static bool is_first(const unsigned char *memory)
{
	return holds(memory, 1, NR_PAGES);
}

static unsigned char *have_child(unsigned char *memory)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fill(memory, 3);
		_exit(holds(memory, 3, NR_PAGES) ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && !status ? overwrite(memory) : NULL;
}

static unsigned char *execute(unsigned char *memory)
{
	const char *const argv[] = { helper_path("await_file"), NULL };

	(void)memory;
	tell_word(&orders->acted, 1);
	/* Ends at once, for want of arguments. */
	execv(argv[0], (char *const *)argv);
	return NULL;
}

static unsigned char *leave(unsigned char *memory)
{
	(void)memory;
	tell_word(&orders->acted, 1);
	_exit(0);
}

static unsigned char *die(unsigned char *memory)
{
	tell_word(&orders->acted, 1);
	raise(SIGKILL);
	return memory;
}

/* Children that have the same pages, as a family of workers has. */
static void have_children(void)
{
	unsigned int index;

	for (index = 0; index < nr_children; index++) {
		children[index] = fork();
		if (!children[index])
			for (;;)
				pause();
	}
}

static unsigned char *overwrite_alone(unsigned char *memory)
{
	unsigned int index;

	for (index = 0; index < nr_children; index++) {
		kill(children[index], SIGKILL);
		if (!reap(children[index], SIGKILL, "a child"))
			return NULL;
	}
	return overwrite(memory);
}

static void be_target(void)
{
	unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Whoever restarts it is its parent, and does not wait. */
	prctl(PR_SET_PDEATHSIG, 0);
	fill(memory, 1);
	have_children();
	tell_word(&orders->ready, 1);
	await_word(&orders->command, WAIT, 0);
	if (READ_ONCE(orders->command) == ACT) {
		memory = deed->act(memory);
		if (!memory)
			_exit(2);
		tell_word(&orders->acted, 1);
		await_word(&orders->command, ACT, 0);
		_exit(deed->is_left(memory) ? BODY_GOOD : 3);
	}
	_exit(holds(memory, 1, NR_PAGES) ? BODY_GOOD : 4);
}

/* Many page tables, and little else. */
static void be_sparse(void)
{
	char *memory = mmap(NULL, NR_TABLES * TABLE_SPAN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned long table;

	for (table = 0; table < NR_TABLES; table++)
		memory[table * TABLE_SPAN] = 1;
	tell_word(&orders->ready, 1);
	await_word(&orders->command, WAIT, 0);
	for (table = 0; table < NR_TABLES; table++)
		if (memory[table * TABLE_SPAN] != 1)
			_exit(4);
}

/**
 * struct situation - what both fixtures have
 * @dir: working directory
 * @target: the process, or 0
 */
struct situation {
	char dir[PATH_MAX];
	pid_t target;
};

static bool set_up(struct situation *situation)
{
	return enter_directory(situation->dir, "emission", 0755) &&
	       !prctl(PR_SET_CHILD_SUBREAPER, 1) &&
	       (orders = map_new_file("orders", PAGE));
}

static void tear_down(struct situation *situation)
{
	if (situation->target)
		kill(situation->target, SIGKILL);
	end_children();
	munmap(orders, PAGE);
	leave_directory(situation->dir);
}

static bool start(struct situation *situation, void (*body)(void))
{
	situation->target = start_body(body);
	return await_word(&orders->ready, 0, situation->target);
}

static bool act(struct situation *situation)
{
	tell_word(&orders->command, ACT);
	return await_word(&orders->acted, 0, situation->target);
}

static bool ends(struct situation *situation, int status, const char *what)
{
	pid_t pid = situation->target;

	situation->target = 0;
	return reap(pid, status, what);
}

FIXTURE(emission)
{
	struct situation situation;
};

FIXTURE_VARIANT(emission)
{
	struct deed deed;
	int status;
};

#define EMISSION(_name, _act, _is_left, _status)			\
	FIXTURE_VARIANT_ADD(emission, _name)				\
	{								\
		.deed = { _act, _is_left }, .status = _status,		\
	}

EMISSION(overwrites, overwrite, is_overwritten, 0);
EMISSION(unmaps, unmap, is_half, 0);
EMISSION(remaps, remap, is_overwritten, 0);
EMISSION(discards, discard, is_discarded, 0);
EMISSION(protects, protect, is_first, 0);
EMISSION(forks, have_child, is_overwritten, 0);
EMISSION(executes, execute, NULL, 2 << 8);
EMISSION(exits, leave, NULL, 0);
EMISSION(is_killed, die, NULL, SIGKILL);

FIXTURE_SETUP(emission)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(set_up(&self->situation));
	deed = &variant->deed;
	nr_children = 0;
	ASSERT_TRUE(start(&self->situation, be_target));
}

FIXTURE_TEARDOWN(emission)
{
	tear_down(&self->situation);
}

/* The image is of the moment in which it was stopped, whatever it does then. */
TEST_F_TIMEOUT(emission, is_of_its_moment, LIMIT)
{
	struct saver saver;
	pid_t pid = self->situation.target;

	ASSERT_TRUE(start_saver(&saver, pid, NULL)) show_file("log");
	ASSERT_TRUE(act(&self->situation));
	if (!deed->is_left)
		EXPECT_TRUE(ends(&self->situation, variant->status, "the original"));
	ASSERT_TRUE(end_saver(&saver, "image", 0)) show_file("log");
	if (deed->is_left) {
		tell_word(&orders->command, CHECK);
		EXPECT_TRUE(ends(&self->situation, BODY_GOOD << 8, "the original"));
	}
	tell_word(&orders->command, CHECK);
	ASSERT_TRUE(restart_image(self->situation.dir, "image"));
	EXPECT_TRUE(reap(pid, BODY_GOOD << 8, "the restarted process"));
}

/* Two that save it at once disturb neither each other nor the process. */
TEST_F_TIMEOUT(emission, is_saved_twice_at_once, LIMIT)
{
	struct saver first, second;
	pid_t pid = self->situation.target;

	ASSERT_TRUE(start_saver(&first, pid, NULL)) show_file("log");
	ASSERT_TRUE(start_saver(&second, pid, NULL)) show_file("log");
	ASSERT_TRUE(act(&self->situation));
	ASSERT_TRUE(end_saver(&second, "other", 0)) show_file("log");
	ASSERT_TRUE(end_saver(&first, "image", 0)) show_file("log");
	tell_word(&orders->command, CHECK);
	EXPECT_TRUE(ends(&self->situation, deed->is_left ? BODY_GOOD << 8 : variant->status,
			 "the original"));
	ASSERT_TRUE(restart_image(self->situation.dir, "image"));
	EXPECT_TRUE(reap(pid, BODY_GOOD << 8, "the restarted process"));
	ASSERT_TRUE(restart_image(self->situation.dir, "other"));
	EXPECT_TRUE(reap(pid, BODY_GOOD << 8, "the other restarted process"));
}

/* What was kept for the image is let go. */
TEST_F_TIMEOUT(emission, saver_is_killed, LIMIT)
{
	struct saver saver;

	ASSERT_TRUE(start_saver(&saver, self->situation.target, NULL)) show_file("log");
	ASSERT_TRUE(act(&self->situation));
	kill(saver.pid, SIGKILL);
	EXPECT_TRUE(reap(saver.pid, SIGKILL, "the saver"));
	close(saver.image);
	tell_word(&orders->command, CHECK);
	EXPECT_TRUE(ends(&self->situation, deed->is_left ? BODY_GOOD << 8 : variant->status,
			 "the original"));
}

FIXTURE(memory)
{
	struct situation situation;
};

FIXTURE_VARIANT(memory)
{
	unsigned int nr_children;
};

FIXTURE_VARIANT_ADD(memory, of_one)
{
	.nr_children = 0,
};

FIXTURE_VARIANT_ADD(memory, of_family)
{
	.nr_children = 3,
};

FIXTURE_SETUP(memory)
{
	static const struct deed overwrites = { overwrite_alone, is_overwritten };

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(set_up(&self->situation));
	deed = &overwrites;
	nr_children = variant->nr_children;
}

FIXTURE_TEARDOWN(memory)
{
	tear_down(&self->situation);
	rmdir(CGROUP);
}

static void be_limited(void)
{
	if (!write_file(CGROUP "/cgroup.procs", "0"))
		_exit(1);
	be_target();
}

/* So much of the image is written that the pages of it are more than a few. */
static bool read_most(const struct saver *saver)
{
	static char buffer[65536];
	size_t done = 0;

	while (done < SIZE / 8 * 7) {
		ssize_t got = read(saver->image, buffer, sizeof(buffer));

		if (got <= 0)
			return complain("the image ends at %zu", done);
		done += got;
	}
	return true;
}

/*
 * The process has memory for itself, and not for what the checkpoint keeps as it
 * was: pages that are still to be written, and of a family also those that are.
 */
TEST_F_TIMEOUT(memory, target_is_at_its_limit, LIMIT)
{
	struct saver saver;

	if (!limit_memory(CGROUP, "13M"))
		SKIP(return, "no cgroup of memory");
	ASSERT_TRUE(start(&self->situation, be_limited));
	ASSERT_TRUE(start_saver(&saver, self->situation.target, NULL)) show_file("log");
	EXPECT_TRUE(!nr_children || read_most(&saver));
	EXPECT_TRUE(act(&self->situation));
	EXPECT_TRUE(end_saver(&saver, "image", ENOMEM)) show_file("log");
	EXPECT_TRUE(file_holds("log", "memory ran out, so the snapshot was given up"));
	tell_word(&orders->command, CHECK);
	EXPECT_TRUE(ends(&self->situation, BODY_GOOD << 8, "the original"));
	EXPECT_TRUE(file_holds(CGROUP "/memory.events", "oom_kill 0"));
}

/* It is told so; nobody is killed, neither it nor anybody else. */
TEST_F_TIMEOUT(memory, saver_is_at_its_limit, LIMIT)
{
	struct saver saver;

	if (nr_children)
		SKIP(return, "is about one process");
	if (!limit_memory(CGROUP, "3M"))
		SKIP(return, "no cgroup of memory");
	ASSERT_TRUE(start(&self->situation, be_sparse));
	ASSERT_TRUE(start_saver(&saver, self->situation.target, CGROUP "/cgroup.procs"))
		show_file("log");
	EXPECT_TRUE(end_saver(&saver, "image", ENOMEM)) show_file("log");
	EXPECT_TRUE(file_holds("log", "no memory for a snapshot of"));
	EXPECT_TRUE(file_holds(CGROUP "/memory.events", "oom_kill 0"));
	tell_word(&orders->command, CHECK);
	EXPECT_TRUE(ends(&self->situation, BODY_GOOD << 8, "the original"));
}

TEST_HARNESS_MAIN
