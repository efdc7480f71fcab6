// SPDX-License-Identifier: GPL-2.0
/*
 * Pages under copy-on-write in an image: each is there once, however many
 * processes have it; and what no kernel writes about them is refused, or does
 * what it says and no more. That the processes share them again after a restart
 * is what subjects/cow finds out.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/checkpoint_image.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/swap.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define CGROUP		"/sys/fs/cgroup/cow-test"
#define NR64_WAIT4	61
#define NR64_SIGWAIT	128
#define PAGE		4096UL
#define NR_PAGES	1024
#define SIZE		(NR_PAGES * PAGE)
/* The children of the larger family. */
#define MANY		8
/* What a process takes in an image besides the memory that is looked at. */
#define OVERHEAD	(192 << 10)

/* Where the processes have their memory, and what they hold there. */
#define PRIVATE		((unsigned char *)0x10000000)
#define SHARED		((unsigned char *)0x20000000)
/* What each of a line writes to before it has a child. */
#define OWN_PAGES	64
/* The page that a child looks at. */
#define LOOKED_AT	5

static unsigned char contents(unsigned long page)
{
	return 1 + page % 100;
}

static void await_signal(void)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (sigwait(&set, &signo))
		_exit(12);
}

static void fill(unsigned long first, unsigned long nr_pages)
{
	unsigned long page;

	for (page = first; page < first + nr_pages; page++)
		memset(PRIVATE + page * PAGE, contents(page), PAGE);
}

/* Of a file, that is sparse, the second half stays as the file has it. */
static void map_memory(bool from_file)
{
	int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd = -1;

	if (from_file)
		fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	else
		flags |= MAP_ANONYMOUS;
	/* At the offset that memory without a file has. */
	if ((from_file && ftruncate(fd, (off_t)PRIVATE + SIZE)) ||
	    mmap(PRIVATE, SIZE, PROT_READ | PROT_WRITE, flags, fd,
		 from_file ? (off_t)PRIVATE : 0) != PRIVATE ||
	    mmap(SHARED, PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != SHARED)
		_exit(10);
	fill(0, from_file ? NR_PAGES / 2 : NR_PAGES);
	SHARED[0] = 1;
}

/* Its status is what it finds, and that of its child. */
static void be_child(void)
{
	int status = 0;

	syscall(SYS_close_range, 0, ~0U, 0);
	await_signal();
	wait4(-1, &status, 0, NULL);
	_exit(PRIVATE[LOOKED_AT * PAGE] + WEXITSTATUS(status));
}

/* In a line each has pages that it shares only with those behind it. */
static void start_children(int nr_children, bool in_line, int tell)
{
	int index;
	pid_t pid;

	for (index = 0; index < nr_children; index++) {
		pid_t child = fork();

		if (!child && !in_line)
			be_child();
		if (in_line && child) {
			if (index)
				be_child();
			return;
		}
		pid = in_line ? getpid() : child;
		if (write(tell, &pid, sizeof(pid)) != sizeof(pid))
			_exit(11);
		if (in_line)
			fill(index * OWN_PAGES, OWN_PAGES);
	}
	if (in_line)
		be_child();
}

/* Its status is the sum of those of its children. */
static void be_parent(int nr_children, bool in_line, bool from_file, int tell)
{
	int status, sum = 0;
	sigset_t set;

	setsid();
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	map_memory(from_file);
	start_children(nr_children, in_line, tell);
	syscall(SYS_close_range, 0, ~0U, 0);
	while (wait4(-1, &status, 0, NULL) > 0)
		sum += WEXITSTATUS(status);
	_exit(sum);
}

/**
 * struct family - processes that are restarted
 * @parent: process id of the first
 * @children: of the others
 * @image_path: they are in it
 * @log_path: what the kernel says
 * @output_path: what restart(1) says
 */
struct family {
	pid_t parent;
	pid_t children[MANY];
	char image_path[PATH_MAX];
	char log_path[PATH_MAX];
	char output_path[PATH_MAX];
};

FIXTURE(cow)
{
	char dir[PATH_MAX / 2];
	struct image image;
	struct family family;
};

FIXTURE_VARIANT(cow)
{
	int nr_children;
	bool in_line;
	bool from_file;
};

FIXTURE_VARIANT_ADD(cow, one_child)
{
	.nr_children = 1,
};

FIXTURE_VARIANT_ADD(cow, many_children)
{
	.nr_children = MANY,
};

FIXTURE_VARIANT_ADD(cow, line)
{
	.nr_children = 3,
	.in_line = true,
};

FIXTURE_VARIANT_ADD(cow, file)
{
	.nr_children = 1,
	.from_file = true,
};

FIXTURE_SETUP(cow)
{
	struct family *family = &self->family;
	int fds[2], index;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "cow", 0777));
	ASSERT_TRUE(make_path(family->image_path, PATH_MAX, self->dir, "image"));
	ASSERT_TRUE(make_path(family->log_path, PATH_MAX, self->dir, "log"));
	ASSERT_TRUE(make_path(family->output_path, PATH_MAX, self->dir, "output"));
	/* They come to us when restart(1) has ended. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	family->parent = fork();
	if (!family->parent)
		be_parent(variant->nr_children, variant->in_line, variant->from_file, fds[1]);
	close(fds[1]);
	for (index = 0; index < variant->nr_children; index++) {
		ASSERT_EQ(sizeof(pid_t), read(fds[0], &family->children[index], sizeof(pid_t)));
		ASSERT_TRUE(wait_blocked(family->children[index], NR64_SIGWAIT));
	}
	close(fds[0]);
	ASSERT_TRUE(wait_blocked(family->parent, NR64_WAIT4));
	ASSERT_GT(save_to("image", family->parent, "log"), 0) show_file("log");
	kill_and_reap(family->parent);
	end_children();
	ASSERT_TRUE(image_load(&self->image, "image"));
}

FIXTURE_TEARDOWN(cow)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static bool store(struct image *image)
{
	image_seal(image);
	return image_store(image, "image");
}

/* restart(1) ends when they have come back, or with status 1. */
static bool restart_ends(struct family *family, int status)
{
	const char *const argv[] = {
		tool_path("restart"), "--pids", "--no-wait", "-i", family->image_path,
		"-l", family->log_path, NULL
	};

	unlink("log");
	return reap(spawn(argv, family->output_path), status << 8, "restart(1)");
}

static bool show_all(void)
{
	show_file("output");
	show_file("log");
	return false;
}

/* Each child finds this in its page. */
static bool end_well(struct family *family, int nr_children, int found)
{
	int index;

	for (index = 0; index < nr_children; index++)
		if (!wait_blocked(family->children[index], NR64_SIGWAIT) ||
		    kill(family->children[index], SIGUSR2))
			return show_all();
	return reap(family->parent, nr_children * found << 8, "the parent");
}

static bool comes_back(struct family *family, int nr_children, int found)
{
	return restart_ends(family, 0) ? end_well(family, nr_children, found) : show_all();
}

static bool is_refused(struct family *family, const char *reason)
{
	bool good = restart_ends(family, 1);

	if (!file_holds("log", reason) && !file_holds("output", reason))
		good = complain("the reason is not '%s'", reason);
	return good || show_all();
}

static u64 field_of(const struct image *image, const char *type, unsigned int index,
		    const char *field)
{
	char what[64];
	u64 value = 0;

	snprintf(what, sizeof(what), "%s[%u].%s", type, index, field);
	image_get(image, what, &value);
	return value;
}

/* Pages that a child has from its parent, and this one among them. */
static bool is_reference(const struct image *image, unsigned int index)
{
	u64 page = (u64)PRIVATE + LOOKED_AT * PAGE;

	return page - field_of(image, "pages_cow", index, "start") <
	       field_of(image, "pages_cow", index, "nr_pages") * PAGE;
}

/* The mapping of PRIVATE in a child. */
static bool is_mapping(const struct image *image, unsigned int index)
{
	return field_of(image, "vma", index, "start") == (u64)PRIVATE &&
	       field_of(image, "vma", index, "cow_mm");
}

/* And in the parent. */
static bool is_origin(const struct image *image, unsigned int index)
{
	return field_of(image, "vma", index, "start") == (u64)PRIVATE &&
	       !field_of(image, "vma", index, "cow_mm");
}

/* Change a field of the first record that is wanted. */
static bool set_first(struct image *image, const char *type,
		      bool (*is_wanted)(const struct image *image, unsigned int index),
		      const char *field, u64 value)
{
	unsigned int index, count = image_count(image, type);
	char what[64];

	for (index = 0; index < count && !is_wanted(image, index); index++)
		continue;
	snprintf(what, sizeof(what), "%s[%u].%s", type, index, field);
	return index < count ? image_set(image, what, value) : complain("no record %s", type);
}

static bool set_in_reference(struct image *image, const char *field, u64 value)
{
	return set_first(image, "pages_cow", is_reference, field, value);
}

static bool set_in_mapping(struct image *image, const char *field, u64 value)
{
	return set_first(image, "vma", is_mapping, field, value);
}

TEST_F_TIMEOUT(cow, in_image_once, LIMIT)
{
	unsigned long size = variant->from_file ? SIZE / 2 : SIZE;

	EXPECT_LT(size, self->image.len);
	EXPECT_GT(size + (variant->nr_children + 1) * OVERHEAD +
		  (variant->in_line ? variant->nr_children * OWN_PAGES * PAGE : 0),
		  self->image.len);
	EXPECT_TRUE(comes_back(&self->family, variant->nr_children, contents(LOOKED_AT)));
}

/* The kernel needs the relation to share; without it the pages are copied. */
TEST_F_TIMEOUT(cow, without_relative, LIMIT)
{
	ASSERT_TRUE(set_in_mapping(&self->image, "cow_mm", 0));
	ASSERT_TRUE(store(&self->image));
	EXPECT_TRUE(comes_back(&self->family, variant->nr_children, contents(LOOKED_AT)));
}

/* One bit of one page, and the tail is not made right. */
TEST_F_TIMEOUT(cow, damaged_page, LIMIT)
{
	unsigned int last = image_count(&self->image, "pages") - 1;
	long at = image_find(&self->image, "pages", last);
	unsigned char *byte = image_at(&self->image, at + sizeof(struct ckpt_hdr_pages) + 5, 1);

	ASSERT_TRUE(byte);
	*byte ^= 0x10;
	ASSERT_TRUE(image_store(&self->image, "image"));
	EXPECT_TRUE(is_refused(&self->family, "the checksum of the pages differs"));
	EXPECT_FALSE(leaves_children());
}

static bool set_in(struct image *image, const char *type, unsigned int index,
		   const char *field, u64 value)
{
	char what[64];

	snprintf(what, sizeof(what), "%s[%u].%s", type, index, field);
	return image_set(image, what, value);
}

/* Pages of the parent that come once more: the last ones count. */
TEST_F_TIMEOUT(cow, pages_twice, LIMIT)
{
	unsigned int index, last = 0, count = image_count(&self->image, "pages");
	u64 start;

	if (variant->nr_children > 1)
		SKIP(return, "one child is enough, and a line has other pages");
	for (index = 0; index < count; index++)
		if (field_of(&self->image, "pages", index, "start") - (u64)PRIVATE < SIZE)
			last = index;
	start = field_of(&self->image, "pages", last, "start");
	ASSERT_LT((u64)PRIVATE, start);
	ASSERT_TRUE(set_in(&self->image, "pages", last, "start", (u64)PRIVATE));
	/* Where they were is nothing now that children could share. */
	count = image_count(&self->image, "pages_cow");
	for (index = 0; index < count; index++) {
		if (field_of(&self->image, "pages_cow", index, "source") != start)
			continue;
		ASSERT_TRUE(set_in(&self->image, "pages_cow", index, "source",
				   (u64)PRIVATE));
	}
	ASSERT_TRUE(store(&self->image));
	EXPECT_TRUE(comes_back(&self->family, variant->nr_children,
			       contents((start - (u64)PRIVATE) / PAGE + LOOKED_AT)));
}

/* Whoever writes an image decides what is in it: other pages are as good. */
TEST_F_TIMEOUT(cow, pages_from_elsewhere, LIMIT)
{
	ASSERT_TRUE(set_in_reference(&self->image, "source", (u64)PRIVATE + 3 * PAGE));
	ASSERT_TRUE(store(&self->image));
	if (variant->nr_children == 1)
		EXPECT_TRUE(comes_back(&self->family, 1, contents(LOOKED_AT + 3)));
}

/* The child has so many pages more from its parent than it had. */
static bool extend_last_reference(struct image *image, u64 nr_pages)
{
	unsigned int index = image_count(image, "pages_cow");
	u64 end = (u64)PRIVATE + SIZE / 2;
	struct ckpt_hdr_pages_cow *run;
	struct ckpt_hdr_pages_end *total;
	long at;

	do {
		if (!index--)
			return complain("the last page is not shared");
		at = image_find(image, "pages_cow", index);
		run = image_at(image, at, sizeof(*run));
	} while (run->start + run->nr_pages * PAGE != end);
	run->nr_pages += nr_pages;
	while (strcmp(image_type(image, at), "pages_end"))
		at = image_next(image, at);
	total = image_at(image, at, sizeof(*total));
	total->nr_pages += nr_pages;
	return true;
}

/* A page of a file, by what /proc/PID/pagemap says. */
static bool is_file_page(pid_t pid, const unsigned char *address)
{
	char path[64];
	u64 entry = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	pread(fd, &entry, sizeof(entry), (u64)address / PAGE * sizeof(entry));
	close(fd);
	return entry >> 61 & 1;
}

/*
 * The parent has locked its mapping, which it can only read now, so that pages of
 * the file are there that it has not written to. They must not get into memory
 * without a file: nobody would find them there when the file is truncated.
 */
TEST_F_TIMEOUT(cow, pages_of_a_file, LIMIT)
{
	const unsigned char *page = PRIVATE + SIZE / 2 + 10 * PAGE;
	struct family *family = &self->family;

	if (!variant->from_file)
		SKIP(return, "is about a file");
	ASSERT_TRUE(set_first(&self->image, "vma", is_origin, "flags",
			      CKPT_VMA_READ | CKPT_VMA_ACCOUNT | CKPT_VMA_LOCKED));
	ASSERT_TRUE(set_in_mapping(&self->image, "kind", CKPT_VMA_ANON));
	ASSERT_TRUE(set_in_mapping(&self->image, "file", 0));
	ASSERT_TRUE(set_in_mapping(&self->image, "offset", 0));
	ASSERT_TRUE(extend_last_reference(&self->image, 64));
	ASSERT_TRUE(store(&self->image));
	ASSERT_TRUE(restart_ends(family, 0)) show_all();
	EXPECT_TRUE(is_file_page(family->parent, page));
	EXPECT_FALSE(is_file_page(family->children[0], page));
	EXPECT_EQ(0, truncate("file", 0));
	EXPECT_TRUE(end_well(family, 1, contents(LOOKED_AT)));
}

/* The image ends within a record that refers to pages, or in front of it. */
TEST_F_TIMEOUT(cow, image_ends, LIMIT)
{
	unsigned int index, count = image_count(&self->image, "pages_cow");
	size_t len, whole = self->image.len;

	ASSERT_LT(0, count);
	/* The first, the last and some: each costs a restart. */
	for (index = 0; index < count; index += 1 + count / 4) {
		long at = image_find(&self->image, "pages_cow", index);

		for (len = at; len <= at + sizeof(struct ckpt_hdr_pages_cow);
		     len += sizeof(struct ckpt_hdr_pages_cow) / 2) {
			self->image.len = len;
			ASSERT_TRUE(image_store(&self->image, "image"));
			EXPECT_TRUE(restart_ends(&self->family, 1)) {
				TH_LOG("%zu of %zu bytes", len, whole);
			}
			EXPECT_FALSE(leaves_children());
		}
	}
	self->image.len = whole;
}

/* Nothing more can be written when such a record is to be: nobody is harmed. */
TEST_F_TIMEOUT(cow, file_too_large, LIMIT)
{
	unsigned int index, count = image_count(&self->image, "pages_cow");
	struct family *family = &self->family;
	struct rlimit limit, old;
	long ret;

	ASSERT_TRUE(restart_ends(family, 0)) show_all();
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	for (index = 0; index < count; index++) {
		limit.rlim_cur = image_find(&self->image, "pages_cow", index) +
				 sizeof(struct ckpt_hdr_pages_cow) / 2;
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
		ret = save_to("second", family->parent, "log");
		ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
		EXPECT_EQ(-EFBIG, ret);
	}
	EXPECT_GT(save_to("second", family->parent, "log"), 0);
	EXPECT_TRUE(end_well(family, variant->nr_children, contents(LOOKED_AT)));
}

/* Nobody reads on, and the one who writes is killed. */
TEST_F_TIMEOUT(cow, caller_killed, LIMIT)
{
	long at = image_find(&self->image, "pages_cow", 0);
	struct family *family = &self->family;
	static char buffer[PAGE];
	pid_t caller;
	int fds[2];

	ASSERT_TRUE(restart_ends(family, 0)) show_all();
	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	ASSERT_EQ(PAGE, fcntl(fds[1], F_SETPIPE_SZ, PAGE));
	caller = fork();
	if (!caller) {
		sys_checkpoint(family->parent, fds[1], CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE);
		_exit(0);
	}
	close(fds[1]);
	/* Some pages were written, and some are remembered. */
	for (; at > (long)PAGE; at -= PAGE)
		ASSERT_LT(0, read(fds[0], buffer, PAGE));
	ASSERT_TRUE(wait_blocked(caller, __NR_checkpoint));
	kill(caller, SIGKILL);
	EXPECT_TRUE(reap(caller, SIGKILL, "caller"));
	close(fds[0]);
	EXPECT_TRUE(end_well(family, variant->nr_children, contents(LOOKED_AT)));
}

/* Which pages of PRIVATE a process has in swap, and how many. */
static int count_swapped(pid_t pid, bool *swapped)
{
	static u64 entries[NR_PAGES];
	char path[64];
	int fd, page, count = 0;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pread(fd, entries, sizeof(entries), (u64)PRIVATE / PAGE * sizeof(u64)) !=
	    sizeof(entries))
		complain("%s: %s", path, strerror(errno));
	close(fd);
	for (page = 0; page < NR_PAGES; page++) {
		swapped[page] = entries[page] >> 62 & 1;
		count += swapped[page];
	}
	return count;
}

static void forget_use(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	write_file(path, "1");
}

static void restart_in_cgroup(struct family *family)
{
	/* Who restarts is charged. */
	if (!write_file(CGROUP "/cgroup.procs", "0"))
		_exit(20);
	_exit(!restart_ends(family, 0));
}

/*
 * A page can only be put out if the kernel finds everybody who has it: then each
 * of them has it in swap.
 */
TEST_F_TIMEOUT(cow, swapped_out, LIMIT)
{
	struct family *family = &self->family;
	int nr_swapped = 0, nr_own = 0, nr_differences = 0, index, page;
	bool before[NR_PAGES], now[NR_PAGES];
	pid_t pid;

	if (getuid())
		SKIP(return, "needs root");
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	rmdir(CGROUP);
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	ASSERT_TRUE(make_swap("swap", 2 * NR_PAGES));
	pid = fork();
	if (!pid)
		restart_in_cgroup(family);
	EXPECT_TRUE(reap(pid, 0, "the one in the cgroup")) show_all();
	/* What was used lately would be spared. */
	forget_use(family->parent);
	for (index = 0; index < variant->nr_children; index++)
		forget_use(family->children[index]);
	for (index = 0; index < 20 && count_swapped(family->parent, before) < NR_PAGES / 4;
	     index++)
		write_file(CGROUP "/memory.reclaim", "64M");
	for (index = 0; index < variant->nr_children; index++) {
		count_swapped(family->children[index], now);
		for (page = 0; page < NR_PAGES; page++) {
			/* One that the process before has not. */
			if (variant->in_line && page / OWN_PAGES == index)
				nr_own += now[page];
			else
				nr_differences += now[page] != before[page];
			nr_swapped += now[page];
		}
		memcpy(before, now, sizeof(before));
	}
	TH_LOG("%d pages in swap, %d of them own", nr_swapped, nr_own);
	EXPECT_EQ(0, nr_differences);
	EXPECT_LT(100 * variant->nr_children, nr_swapped);
	if (variant->in_line)
		EXPECT_LT(0, nr_own);
	EXPECT_TRUE(end_well(family, variant->nr_children, contents(LOOKED_AT)));
	EXPECT_EQ(0, swapoff("swap"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

TEST_F_TIMEOUT(cow, refuses, LIMIT)
{
	static const struct {
		bool in_mapping;
		const char *field;
		u64 value;
		const char *reason;
	} rows[] = {
		{ false, "source", 0x20000000, "is not private memory" },
		{ false, "source", 0x30000000, "is not private memory" },
		{ false, "start", 0x20000000, "is not private memory" },
		{ false, "source", 0x10000001, "pages at 0x10000001" },
		{ false, "start", 0x10000001, "pages at 0x10000001" },
		{ false, "start", 0x7ffffffff000, "pages at 0x7ffffffff000" },
		{ false, "source", 0x7ffffffff000, "pages at 0x7ffffffff000" },
		{ false, "mm", 0, "mm" },
		{ false, "mm", 9999, "mm" },
		{ true, "cow_start", 0x20000000, "is not private memory" },
		{ true, "cow_start", 0x30000000, "is not private memory" },
		{ true, "cow_mm", 9999, "cow_mm" },
	};
	size_t index;

	if (variant->nr_children > 1)
		SKIP(return, "is about one child");
	for (index = 0; index < sizeof(rows) / sizeof(*rows); index++) {
		struct image changed = { 0 };

		ASSERT_TRUE(image_copy(&changed, &self->image));
		ASSERT_TRUE((rows[index].in_mapping ? set_in_mapping : set_in_reference)
			    (&changed, rows[index].field, rows[index].value));
		ASSERT_TRUE(store(&changed));
		image_free(&changed);
		EXPECT_TRUE(is_refused(&self->family, rows[index].reason)) {
			TH_LOG("%s = %#llx", rows[index].field,
			       (unsigned long long)rows[index].value);
		}
		EXPECT_FALSE(leaves_children());
	}
}

TEST_HARNESS_MAIN
