// SPDX-License-Identifier: GPL-2.0
/*
 * Unlinked files whose directory takes no file at the restart: they come back
 * in memory, and the log says so; or the restart is refused. And those that are
 * too large for memory at the checkpoint, or grow while it looks at them.
 */
#include "harness.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
/* Its constants are those of <linux/fs.h>, by other means. */
#include <sys/mount.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define CGROUP	"/sys/fs/cgroup/unlinked-test"
#define IN_MEMORY	"is in memory: none can be made in"

FIXTURE(unlinked)
{
	char dir[PATH_MAX / 2];
	struct subject_run run;
};

FIXTURE_SETUP(unlinked)
{
	struct subject_run *run = &self->run;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "unlinked", 0755));
	ASSERT_EQ(0, mkdir("run", 0755));
	ASSERT_EQ(0, mkdir("run/aside", 0755));
	snprintf(run->dir, sizeof(run->dir), "%s/run", self->dir);
	snprintf(run->program, sizeof(run->program), "%s", helper_path("subjects/unlinked"));
	ASSERT_EQ(0, mount("run/aside", "run/aside", NULL, MS_BIND, NULL));
}

FIXTURE_TEARDOWN(unlinked)
{
	EXPECT_FALSE(leaves_children());
	if (self->run.control)
		subject_unmap(&self->run);
	while (!umount2("run/aside", MNT_DETACH))
		continue;
	leave_directory(self->dir);
}

static bool set_read_only(bool is_read_only)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | (is_read_only ? MS_RDONLY : 0);

	return !mount(NULL, "run/aside", NULL, flags, NULL) ||
	       complain("remount: %s", strerror(errno));
}

static bool start(struct subject_run *run, const char *arg)
{
	run->arg = arg;
	if (run->uid && (chown("run", run->uid, run->uid) ||
			 chown("run/aside", run->uid, run->uid)))
		return false;
	if (!subject_map(run, true))
		return false;
	run->control->flags |= CONTROL_IN_MEMORY;
	if (subject_start(run))
		return subject_settle(run, run->pid);
	show_file("run/log");
	return complain("no subject");
}

static bool save_and_kill(const char *image, pid_t pid)
{
	long ret = save_to(image, pid, "log");

	kill_and_reap(pid);
	if (ret > 0)
		return true;
	show_file("log");
	return complain("checkpoint: %ld", ret);
}

static bool start_and_save(struct subject_run *run, const char *arg)
{
	return start(run, arg) && save_and_kill("image", run->pid);
}

/* Again with the process id, and where it was. 0 if that fails. */
static pid_t bring_back(struct subject_run *run, const char *image)
{
	pid_t pid;

	unlink("log");
	run->control->flags |= CONTROL_RESTARTED;
	pid = restart_from(image, run->control->pid, "log");
	if (pid > 0 && subject_settle(run, pid))
		return pid;
	show_file("log");
	complain("restart: %d", pid);
	return 0;
}

static bool passes(struct subject_run *run, pid_t pid)
{
	bool good;

	subject_go(run);
	good = subject_verdict(run, pid);
	good &= reap(pid, 0, "subject");
	if (!good)
		show_file("run/log");
	return good;
}

/* The subject has passed: a later life of it is asked the same. */
static void rewind_verdict(struct subject_run *run)
{
	run->control->state = SUBJECT_READY;
	run->control->go = 0;
	run->control->nonce_after = 0;
}

/* How many descriptors of a process are files with such a name? */
static int descriptors_like(pid_t pid, const char *prefix)
{
	int fd, found = 0;

	for (fd = 3; fd < 20; fd++) {
		char link[64], name[PATH_MAX] = "";

		snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
		if (readlink(link, name, sizeof(name) - 1) > 0)
			found += !strncmp(name, prefix, strlen(prefix));
	}
	return found;
}

/*
 * Into memory; out of memory and into it again, which must be no loss; and back
 * to where it belongs as soon as that takes it.
 */
static bool survives_read_only(struct subject_run *run, const char *arg, int descriptors)
{
	char at_home[PATH_MAX];
	int in_memory, on_disk;
	pid_t pid;

	if (!start_and_save(run, arg) || !set_read_only(true))
		return false;
	pid = bring_back(run, "image");
	if (!pid || !file_holds("log", IN_MEMORY) || !save_and_kill("image2", pid))
		return false;
	pid = bring_back(run, "image2");
	if (!pid || !file_holds("log", IN_MEMORY))
		return false;
	in_memory = descriptors_like(pid, "/unlinked:");
	if (!passes(run, pid) || !set_read_only(false))
		return false;
	rewind_verdict(run);
	pid = bring_back(run, "image2");
	snprintf(at_home, sizeof(at_home), "%s/aside/#", run->dir);
	on_disk = descriptors_like(pid, at_home);
	if (!pid || !passes(run, pid))
		return false;
	return (in_memory == descriptors && on_disk == descriptors) ||
	       complain("%d descriptors in memory, %d on disk", in_memory, on_disk);
}

TEST_F_TIMEOUT(unlinked, read_only, LIMIT)
{
	EXPECT_TRUE(survives_read_only(&self->run, "opens", 6));
}

TEST_F_TIMEOUT(unlinked, read_only_sparse, LIMIT)
{
	EXPECT_TRUE(survives_read_only(&self->run, "sparse", 1));
}

TEST_F_TIMEOUT(unlinked, read_only_mapped, LIMIT)
{
	EXPECT_TRUE(survives_read_only(&self->run, "mapped", 1));
}

static pid_t start_many(const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		int index;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (chdir(dir))
			_exit(1);
		for (index = 0; index < 20; index++)
			if (open("one", O_RDWR | O_CREAT | O_EXCL, 0644) != index || unlink("one"))
				_exit(2);
		for (;;)
			pause();
	}
	return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

/* They must not keep out the reason of a failure. */
TEST_F_TIMEOUT(unlinked, many_notes, LIMIT)
{
	pid_t pid = start_many("run/aside");
	char line[2048];
	int notes = 0, more = 0;
	FILE *file;

	ASSERT_NE(0, pid);
	ASSERT_TRUE(save_and_kill("image", pid));
	ASSERT_TRUE(set_read_only(true));
	unlink("log");
	EXPECT_EQ(0, try_restart("image", "log"));
	file = fopen("log", "re");
	ASSERT_NE(NULL, file);
	while (fgets(line, sizeof(line), file)) {
		notes += !!strstr(line, IN_MEMORY);
		more += !strncmp(line, "[note][more are not told] ", 26);
	}
	fclose(file);
	EXPECT_EQ(8, notes);
	EXPECT_EQ(1, more);
}

/* A filesystem that makes no files without a name. */
TEST_F_TIMEOUT(unlinked, no_tmpfile, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(start_and_save(&self->run, "sparse"));
	ASSERT_EQ(0, mount("none", "run/aside", "mqueue", 0, NULL));
	pid = bring_back(&self->run, "image");
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_holds("log", IN_MEMORY) && file_holds("log", "(error -95)"));
	EXPECT_TRUE(passes(&self->run, pid));
}

static bool ordinary_brings_back(struct subject_run *run)
{
	pid_t pid;

	if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		return false;
	run->control->flags |= CONTROL_NEW_PID | CONTROL_RESTARTED;
	pid = restart_from("image", 0, "log");
	if (pid <= 0)
		return complain("restart: %d", pid);
	return passes(run, pid);
}

/* Who may not write there has memory all the same. */
TEST_F_TIMEOUT(unlinked, not_permitted, LIMIT)
{
	pid_t pid;

	self->run.uid = ORDINARY_UID;
	ASSERT_TRUE(start_and_save(&self->run, "sparse"));
	ASSERT_EQ(0, chown("run/aside", 0, 0));
	ASSERT_EQ(0, chmod("image", 0644));
	unlink("log");
	ASSERT_EQ(0, close(open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0666)));
	ASSERT_EQ(0, chmod("log", 0666));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!ordinary_brings_back(&self->run));
	EXPECT_TRUE(reap(pid, 0, "ordinary user"));
	EXPECT_TRUE(file_holds("log", IN_MEMORY) && file_holds("log", "(error -13)"));
}

/* What the disk has no room for must not fill memory instead. */
TEST_F_TIMEOUT(unlinked, full, LIMIT)
{
	ASSERT_TRUE(start_and_save(&self->run, "opens"));
	ASSERT_EQ(0, mount("none", "run/aside", "tmpfs", 0, "size=8k"));
	EXPECT_EQ(-ENOSPC, try_restart("image", "log"));
	EXPECT_TRUE(file_holds("log", "cannot write to file"));
}

/* It could get a name in a directory, and could not from there. */
TEST_F_TIMEOUT(unlinked, linkable, LIMIT)
{
	ASSERT_TRUE(start_and_save(&self->run, "nameless"));
	ASSERT_TRUE(set_read_only(true));
	unlink("log");
	EXPECT_EQ(-EROFS, try_restart("image", "log"));
	EXPECT_TRUE(file_holds("log", "cannot create a file without a name in"));
	EXPECT_TRUE(file_holds("log", "run/aside"));
}

/* The user may choose another directory. */
TEST_F_TIMEOUT(unlinked, elsewhere, LIMIT)
{
	char option[2 * PATH_MAX], image[PATH_MAX], where[PATH_MAX];
	const char *const argv[] = { tool_path("restart"), "--pids", option, "-i", image,
				     "--no-wait", NULL };
	pid_t pid;

	ASSERT_TRUE(start_and_save(&self->run, "nameless"));
	pid = self->run.control->pid;
	ASSERT_TRUE(set_read_only(true));
	ASSERT_EQ(0, mkdir("other", 0755));
	snprintf(where, sizeof(where), "%s/other", self->dir);
	snprintf(option, sizeof(option), "--file=%s/aside=%s", self->run.dir, where);
	snprintf(image, sizeof(image), "%s/image", self->dir);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	unlink("log");
	EXPECT_TRUE(reap(spawn(argv, "log"), 0, "restart(1)")) {
		show_file("log");
	}
	EXPECT_TRUE(subject_settle(&self->run, pid));
	EXPECT_EQ(4, descriptors_like(pid, where));
	EXPECT_EQ(0, descriptors_like(pid, "/unlinked:"));
	kill_and_reap(pid);
}

/* The tool tells as well, and goes on. */
TEST_F_TIMEOUT(unlinked, told_by_the_tool, LIMIT)
{
	char image[PATH_MAX];
	const char *const argv[] = { tool_path("restart"), "--pids", "-i", image, "--copy-status",
				     NULL };
	pid_t tool;

	ASSERT_TRUE(start_and_save(&self->run, "sparse"));
	ASSERT_TRUE(set_read_only(true));
	snprintf(image, sizeof(image), "%s/image", self->dir);
	self->run.control->flags |= CONTROL_RESTARTED;
	unlink("log");
	tool = spawn(argv, "log");
	EXPECT_TRUE(passes(&self->run, tool));
	EXPECT_TRUE(file_holds("log", "restart: kernel: ") && file_holds("log", IN_MEMORY));
}

static long shmem_of_cgroup(void)
{
	char line[128];
	FILE *file = fopen(CGROUP "/memory.stat", "re");
	long bytes = -1;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "shmem %ld", &bytes);
	if (file)
		fclose(file);
	return bytes;
}

static bool is_charged(struct subject_run *run)
{
	s64 limit = hang_limit();
	pid_t pid;
	long bytes;

	if (!write_file(CGROUP "/cgroup.procs", "0"))
		return complain("cgroup.procs: %s", strerror(errno));
	pid = bring_back(run, "image");
	/* The kernel adds up small changes every two seconds only. */
	while (bytes = shmem_of_cgroup(), bytes < 6 * 4096 && monotonic_ns() < limit)
		usleep(10000);
	if (!pid || !passes(run, pid))
		return false;
	/* Six pages. */
	return bytes >= 6 * 4096 || complain("%ld bytes are charged", bytes);
}

/* Memory of who restarts, as all that it allocates. */
TEST_F_TIMEOUT(unlinked, charged, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(start_and_save(&self->run, "opens"));
	ASSERT_TRUE(set_read_only(true));
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	ASSERT_TRUE(!mkdir(CGROUP, 0755) || errno == EEXIST);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(!is_charged(&self->run));
	EXPECT_TRUE(reap(pid, 0, "who restarts"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* The library of "mapped" is executable. */
TEST_F_TIMEOUT(unlinked, noexec, LIMIT)
{
	static const char sysctl[] = "/proc/sys/vm/memfd_noexec";
	struct subject_run *run = &self->run;
	pid_t pid;

	ASSERT_TRUE(start_and_save(run, "mapped"));
	ASSERT_TRUE(set_read_only(true));
	ASSERT_TRUE(write_file(sysctl, "2"));
	unlink("log");
	EXPECT_EQ(-EACCES, try_restart("image", "log"));
	EXPECT_TRUE(file_holds("log", "forbids an executable file in memory"));
	EXPECT_TRUE(write_file(sysctl, "0"));
	pid = bring_back(run, "image");
	EXPECT_TRUE(pid && passes(run, pid));
}

/* Others must not become executable there later. */
TEST_F_TIMEOUT(unlinked, sealed, LIMIT)
{
	static const char sysctl[] = "/proc/sys/vm/memfd_noexec";
	struct subject_run *run = &self->run;
	char path[64];
	pid_t pid;

	ASSERT_TRUE(start_and_save(run, "sparse"));
	ASSERT_TRUE(set_read_only(true));
	ASSERT_TRUE(write_file(sysctl, "2"));
	pid = bring_back(run, "image");
	EXPECT_TRUE(write_file(sysctl, "0"));
	ASSERT_NE(0, pid);
	snprintf(path, sizeof(path), "/proc/%d/fd/3", pid);
	EXPECT_EQ(-1, chmod(path, 0755));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, chmod(path, 0600));
	EXPECT_EQ(0, chmod(path, 0644));
	EXPECT_TRUE(passes(run, pid));
}

/* A file that is larger than the memory of who saves it. */
#define LARGE_PAGES	6144
#define LARGE_HOLE	0x400000000L
#define LARGE_MEMORY	"12M"

static pid_t start_large(const char *dir)
{
	pid_t pid = fork();

	if (!pid) {
		u32 words[1024], page, index;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (chdir(dir) || open("large", O_RDWR | O_CREAT | O_EXCL, 0644) != 0)
			_exit(1);
		for (page = 0; page < LARGE_PAGES; page++) {
			for (index = 0; index < 1024; index++)
				words[index] = page * 1024 + index + 1;
			if (write(0, words, sizeof(words)) != sizeof(words))
				_exit(2);
		}
		/* Nobody who has it open may write to it any more. */
		if (pwrite(0, "far", 3, LARGE_HOLE) != 3 || open("large", O_RDONLY) != 1 ||
		    unlink("large") || dup2(1, 0) || close(1))
			_exit(3);
		for (;;)
			pause();
	}
	return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

static bool large_is_right(pid_t pid)
{
	u32 words[1024], page, index;
	char path[64], far[8] = "";
	bool good = true;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (page = 0; page < LARGE_PAGES && good; page++) {
		good = read(fd, words, sizeof(words)) == sizeof(words);
		for (index = 0; index < 1024; index++)
			good &= words[index] == page * 1024 + index + 1;
	}
	good &= pread(fd, far, 8, LARGE_HOLE) == 3 && !strcmp(far, "far");
	good &= lseek(fd, (off_t)LARGE_PAGES * 4096, SEEK_DATA) == LARGE_HOLE;
	close(fd);
	return good || complain("page %u is another one", page);
}

/* By a child with so little memory; what checkpoint() said. */
static long save_with_little_to(const char *image, const char *memory, pid_t target)
{
	int status = 0;
	pid_t pid;

	unlink("log");
	if (!limit_memory(CGROUP, memory))
		return -EIO;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		long ret;

		if (!write_file(CGROUP "/cgroup.procs", "0"))
			_exit(EIO);
		ret = save_to(image, target, "log");
		_exit(ret < 0 ? -ret : 0);
	}
	waitpid(pid, &status, 0);
	if (rmdir(CGROUP))
		complain("rmdir: %s", strerror(errno));
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static long save_with_little(const char *memory, pid_t target)
{
	return save_with_little_to("image", memory, target);
}

static bool is_on_tmpfs(void)
{
	struct statfs fs;

	return !statfs(".", &fs) && fs.f_type == TMPFS_MAGIC;
}

TEST_F_TIMEOUT(unlinked, large, LIMIT)
{
	pid_t pid = start_large("run/aside");

	ASSERT_NE(0, pid);
	if (is_on_tmpfs()) {
		/* It is in memory already, and the image is not to be there as well. */
		EXPECT_EQ(0, save_with_little_to("/dev/null", LARGE_MEMORY, pid)) {
			show_file("log");
		}
		EXPECT_TRUE(large_is_right(pid));
		kill_and_reap(pid);
		return;
	}
	EXPECT_EQ(0, save_with_little(LARGE_MEMORY, pid)) {
		show_file("log");
	}
	EXPECT_TRUE(large_is_right(pid));
	kill_and_reap(pid);
	pid = restart_from("image", 0, "log");
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(large_is_right(pid));
	kill_and_reap(pid);
}

/* An overlayfs is not frozen itself, but the disk that it is on. */
static const char *frozen_directory(void)
{
	struct statfs fs;

	return !statfs(".", &fs) && fs.f_type == OVERLAYFS_SUPER_MAGIC ? "/mnt/disk" : ".";
}

#define TOO_LARGE	"is too large for memory and cannot be copied on its filesystem"

/* Each makes the checkpoint fail, and nothing else. */
TEST_F_TIMEOUT(unlinked, large_refused, LIMIT)
{
	struct rlimit old, limit;
	pid_t pid;
	int fd;

	if (is_on_tmpfs())
		SKIP(return, "tmpfs");
	pid = start_large("run/aside");
	ASSERT_NE(0, pid);
	ASSERT_TRUE(set_read_only(true));
	EXPECT_EQ(-EROFS, save_with_little(LARGE_MEMORY, pid));
	EXPECT_TRUE(file_holds("log", TOO_LARGE));
	ASSERT_TRUE(set_read_only(false));

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	limit.rlim_cur = LARGE_HOLE;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(-EFBIG, save_with_little(LARGE_MEMORY, pid));
	EXPECT_TRUE(file_holds("log", TOO_LARGE));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));

	/* Image and log must be on another filesystem then. */
	ASSERT_EQ(0, mkdir("/tmp/unlinked-frozen", 0700));
	fd = open(frozen_directory(), O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, chdir("/tmp/unlinked-frozen"));
	EXPECT_EQ(0, ioctl(fd, FIFREEZE, 0));
	EXPECT_EQ(-EBUSY, save_with_little(LARGE_MEMORY, pid));
	EXPECT_EQ(0, ioctl(fd, FITHAW, 0));
	EXPECT_TRUE(file_holds("log", TOO_LARGE));
	ASSERT_EQ(0, chdir(self->dir));
	close(fd);
	remove_tree("/tmp/unlinked-frozen");

	EXPECT_TRUE(large_is_right(pid));
	kill_and_reap(pid);
}

#define BLOCK		4096
#define NR_BLOCKS	256	/* that are there before anything is appended */

/* Blocks that tell where they belong. */
static bool append_block(int fd, unsigned int number)
{
	char block[BLOCK];

	memset(block, number % 251, sizeof(block));
	return write(fd, block, sizeof(block)) == sizeof(block);
}

static bool holds_blocks(int fd, off_t bytes)
{
	unsigned int number;
	char block[BLOCK];

	for (number = 0; number < bytes / BLOCK; number++) {
		if (read(fd, block, BLOCK) != BLOCK || block[0] != (char)(number % 251) ||
		    memcmp(block, block + 1, BLOCK - 1))
			return complain("block %u is not there", number);
	}
	return true;
}

/* The file as the restarted process has it: what was there at one moment. */
static bool has_blocks(pid_t pid, off_t least, off_t most)
{
	char path[64];
	struct stat st;
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	good = fd >= 0 && !fstat(fd, &st) &&
	       ((st.st_size >= least && st.st_size <= most && !(st.st_size % BLOCK)) ||
		complain("%lld bytes instead of %lld to %lld", (long long)st.st_size,
			 (long long)least, (long long)most)) &&
	       holds_blocks(fd, st.st_size);
	close(fd);
	return good;
}

static off_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_size;
}

/* Somebody who has it open too appends to an unlinked file all the time. */
static bool save_while_growing(void)
{
	int fd = open("growing", O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	pid_t target, writer, pid;
	off_t least, most;
	unsigned int number;
	bool good;

	for (number = 0; number < NR_BLOCKS; number++)
		if (!append_block(fd, number))
			return complain("write: %s", strerror(errno));
	if (unlink("growing"))
		return false;
	target = start_with(fd, fd, NULL);
	writer = fork();
	if (!writer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (append_block(fd, number))
			number++;
		_exit(1);
	}
	while (size_of(fd) == NR_BLOCKS * BLOCK && !has_ended(writer, 0))
		continue;
	least = size_of(fd);
	good = save_to("image", target, "log") > 0;
	most = size_of(fd);
	kill_and_reap(writer);
	kill_and_reap(target);
	close(fd);
	if (!good)
		return complain("it cannot be saved");
	pid = restart_from("image", 0, "log");
	if (pid <= 0)
		return complain("restart: %s", strerror(-pid));
	good = has_blocks(pid, least, most);
	kill_and_reap(pid);
	return good;
}

TEST_F_TIMEOUT(unlinked, growing, LIMIT)
{
	int round;

	for (round = 0; round < 20; round++) {
		ASSERT_TRUE(save_while_growing()) {
			show_file("log");
		}
	}
}

/* Can two files share their blocks here? */
static bool can_clone(void)
{
	int from = open("first", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int to = open("second", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool good = write(from, "first", 5) == 5 && !ioctl(to, FICLONE, from);

	close(from);
	close(to);
	return good;
}

/* Leaves some room for what a filesystem has to note, but not for the file. */
#define ROOM		(LARGE_PAGES * 4096L / 2)

static bool fill_disk(void)
{
	int fd = open("filler", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t bytes = 1 << 30, end = 0;

	while (fd >= 0 && bytes >= 1 << 20) {
		if (!fallocate(fd, 0, end, bytes))
			end += bytes;
		else if (errno == ENOSPC)
			bytes /= 2;
		else
			return complain("filler: %s", strerror(errno));
	}
	if (end <= ROOM || ftruncate(fd, end - ROOM))
		return complain("filler of %lld bytes", (long long)end);
	close(fd);
	sync();
	return true;
}

/* What is written into a tmpfs would count for who saves. */
static pid_t take_image(void)
{
	static char bytes[65536];
	ssize_t got;
	int in, out;
	pid_t pid;

	if (mkfifo("image", 0600))
		return -1;
	pid = fork();
	if (pid)
		return pid;
	in = open("image", O_RDONLY | O_CLOEXEC);
	out = open("taken", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while ((got = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, got) != got)
			_exit(1);
	_exit(got < 0);
}

/* A copy fits on a full disk if it shares the blocks of the file. */
TEST_F_TIMEOUT(unlinked, large_on_full_disk, LIMIT)
{
	pid_t pid, taker;
	bool shares;

	if (is_on_tmpfs())
		SKIP(return, "tmpfs");
	shares = can_clone();
	pid = start_large("run/aside");
	ASSERT_NE(0, pid);
	sync();
	ASSERT_TRUE(fill_disk());
	/* Image and log must be on another filesystem then. */
	ASSERT_EQ(0, mkdir("/tmp/unlinked-full", 0700));
	ASSERT_EQ(0, chdir("/tmp/unlinked-full"));
	taker = take_image();
	EXPECT_EQ(shares ? 0 : -ENOSPC, save_with_little(LARGE_MEMORY, pid)) {
		show_file("log");
	}
	EXPECT_TRUE(reap(taker, 0, "who takes the image"));
	EXPECT_TRUE(shares || file_holds("log", TOO_LARGE));
	EXPECT_TRUE(large_is_right(pid));
	kill_and_reap(pid);
	ASSERT_EQ(0, chdir(self->dir));
	ASSERT_EQ(0, unlink("filler"));
	if (shares) {
		pid = restart_from("/tmp/unlinked-full/taken", 0, "log");
		ASSERT_GT(pid, 0);
		EXPECT_TRUE(large_is_right(pid));
		kill_and_reap(pid);
	}
	remove_tree("/tmp/unlinked-full");
}

TEST_HARNESS_MAIN
