// SPDX-License-Identifier: GPL-2.0
/*
 * What the handlers need of a filesystem, in whatever one this runs: open and
 * mapped files, directories, an executable, files without a name.
 */
#include "file_process.h"

#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(filesystem)
{
	char dir[PATH_MAX / 2];
	bool is_9p, is_nfs;
};

FIXTURE_SETUP(filesystem)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "filesystem", 0755));
	/* statfs() tells what the server has. */
	self->is_9p = !strncmp(self->dir, "/mnt/share/", 11);
	self->is_nfs = !strncmp(self->dir, "/mnt/nfs/", 9);
	ASSERT_EQ(0, mkdir("sub", 0755));
	ASSERT_TRUE(make_letters("data", 'd') && make_letters("other", 'o'));
}

FIXTURE_TEARDOWN(filesystem)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static bool open_some(void)
{
	return open("data", O_RDWR) == 0 && lseek(0, 1234, SEEK_SET) == 1234 &&
	       open("sub", O_RDONLY | O_DIRECTORY) == 1 &&
	       open("other", O_WRONLY | O_APPEND) == 2 && dup2(0, 10) == 10;
}

static bool has_position(pid_t pid, int fd, const char *want)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	return file_holds(path, want);
}

TEST_F_TIMEOUT(filesystem, open, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(save_and_kill(start_in(".", open_some, 0)));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'd'));
	EXPECT_TRUE(has_position(pid, 0, "pos:\t1234\n") && has_position(pid, 10, "pos:\t1234\n"));
	EXPECT_TRUE(has_position(pid, 2, "flags:\t0102001\n"));
	kill_and_reap(pid);
	/* Another file, and another type. */
	ASSERT_EQ(0, rename("data", "moved"));
	EXPECT_EQ(-ENOENT, try_restart("image", LOG));
	ASSERT_EQ(0, mkdir("data", 0755));
	EXPECT_NE(0, try_restart("image", LOG));
	ASSERT_EQ(0, rmdir("data"));
	ASSERT_TRUE(make_letters("data", 'x'));
	ASSERT_EQ(0, truncate("data", 99));
	EXPECT_EQ(-ESTALE, try_restart("image", LOG));
	ASSERT_EQ(0, rename("moved", "data"));
	EXPECT_EQ(0, try_restart("image", LOG));
}

static bool map_some(void)
{
	int fd = open("data", O_RDWR);

	if (fd != 0 || !map_at(fd, PRIVATE_AT, PROT_READ | PROT_WRITE, MAP_PRIVATE) ||
	    !map_at(fd, SHARED_AT, PROT_READ, MAP_SHARED))
		return false;
	memset(PRIVATE_AT + FILE_SIZE / 2, 'p', FILE_SIZE / 2);
	return true;
}

static bool half_is(pid_t pid, char with)
{
	char bytes[FILE_SIZE];
	struct iovec ours = { bytes, FILE_SIZE }, its = { PRIVATE_AT, FILE_SIZE };

	return process_vm_readv(pid, &ours, 1, &its, 1, 0) == FILE_SIZE &&
	       bytes[0] == with && bytes[FILE_SIZE / 2] == 'p' && bytes[FILE_SIZE - 1] == 'p';
}

TEST_F_TIMEOUT(filesystem, mapped, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(save_and_kill(start_in(".", map_some, 0)));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, SHARED_AT, 'd') && half_is(pid, 'd'));
	EXPECT_TRUE(maps_name(pid, "filesystem/data\n"));
	kill_and_reap(pid);
}

TEST_F_TIMEOUT(filesystem, executable, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	ASSERT_TRUE(save_and_kill(start_program(".")));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(executes(pid, "filesystem/program"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);
	/* The clock of some filesystems counts seconds. */
	ASSERT_EQ(0, truncate("program", 100000));
	EXPECT_EQ(-ESTALE, try_restart("image", LOG));
}

/* Nobody may have it open for writing. */
static int protect(const char *name)
{
	struct fsverity_enable_arg arg = {
		.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096,
	};
	int fd = open(name, O_RDONLY | O_CLOEXEC), ret;

	ret = fd < 0 || ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) ? -errno : 0;
	close(fd);
	return ret;
}

static bool is_protected(pid_t pid)
{
	struct fsverity_digest *digest;
	char path[64], room[sizeof(*digest) + 64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	digest = (struct fsverity_digest *)room;
	digest->digest_size = 64;
	ret = ioctl(fd, FS_IOC_MEASURE_VERITY, digest);
	close(fd);
	return !ret && digest->digest_size == 32;
}

static bool map_protected(void)
{
	return open("data", O_RDONLY) == 0 &&
	       map_at(0, PRIVATE_AT, PROT_READ | PROT_WRITE, MAP_PRIVATE) &&
	       map_at(0, SHARED_AT, PROT_READ, MAP_SHARED);
}

static bool map_protected_and_unlink(void)
{
	return map_protected() && !unlink("data");
}

/* An ordinary file that nobody can write to, as long as it has a name. */
TEST_F_TIMEOUT(filesystem, verity, LIMIT)
{
	int ret = protect("data");
	pid_t pid;

	if (ret == -EOPNOTSUPP || ret == -ENOTTY)
		SKIP(return, "no fs-verity here");
	ASSERT_EQ(0, ret);
	ASSERT_TRUE(save_and_kill(start_in(".", map_protected, 0)));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'd') && memory_is(pid, SHARED_AT, 'd') &&
		    memory_is(pid, PRIVATE_AT, 'd'));
	EXPECT_TRUE(is_protected(pid));
	kill_and_reap(pid);
	/* A file with the contents of the image would be another one. */
	pid = start_in(".", map_protected_and_unlink, 0);
	ASSERT_NE(0, pid);
	EXPECT_EQ(-EBADF, save_process(pid));
	EXPECT_TRUE(file_holds(LOG, "file data is unlinked and protected by fs-verity"));
	EXPECT_TRUE(file_is(pid, 'd') && is_protected(pid));
	kill_and_reap(pid);
}

static bool map_and_unlink(void)
{
	return map_some() && !unlink("data");
}

TEST_F_TIMEOUT(filesystem, unlinked, LIMIT)
{
	pid_t pid = start_in(".", map_and_unlink, 0);

	ASSERT_NE(0, pid);
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, SHARED_AT, 'd') && half_is(pid, 'd') && file_is(pid, 'd'));
	kill_and_reap(pid);
	if (self->is_9p || self->is_nfs)
		EXPECT_TRUE(file_holds(LOG, " is in memory: none can be made in "));
}

static bool forget_and_unlink(void)
{
	return open("data", O_RDONLY) == 0 && !posix_fadvise(0, 0, 0, POSIX_FADV_DONTNEED) &&
	       !unlink("data");
}

static bool set_loopback(const char *state)
{
	const char *const argv[] = { "/bin/busybox", "ifconfig", "lo", state, NULL };

	return reap(spawn(argv, "/dev/null"), 0, "ifconfig");
}

/* A checkpoint that waits for the server can be killed, and the process goes on. */
TEST_F_TIMEOUT(filesystem, unlinked_without_server, LIMIT)
{
	pid_t pid, caller;

	if (!self->is_nfs)
		SKIP(return, "needs a server of its own");
	pid = start_in(".", forget_and_unlink, 0);
	ASSERT_NE(0, pid);
	ASSERT_TRUE(set_loopback("down"));
	caller = fork();
	if (!caller) {
		int fd = memfd_create("image", MFD_CLOEXEC);

		sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE);
		_exit(1);
	}
	EXPECT_TRUE(wait_blocked(caller, __NR_checkpoint));
	EXPECT_FALSE(has_ended(caller, NSEC_PER_SEC));
	EXPECT_EQ(0, kill(caller, SIGKILL));
	EXPECT_TRUE(reap(caller, SIGKILL, "who saves"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_TRUE(set_loopback("up"));
	EXPECT_TRUE(file_is(pid, 'd'));
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'd'));
	kill_and_reap(pid);
}

static bool write_and_unlink(void)
{
	return open("data", O_WRONLY) == 0 && !unlink("data");
}

/* Only who has it open can read it: the server does not know it by name. */
TEST_F_TIMEOUT(filesystem, unlinked_for_writing, LIMIT)
{
	pid_t pid = start_in(".", write_and_unlink, 0);

	ASSERT_NE(0, pid);
	if (self->is_9p || self->is_nfs) {
		EXPECT_EQ(-EBADF, save_process(pid));
		EXPECT_TRUE(file_holds(LOG, "on another machine, and not open for reading"));
		kill_and_reap(pid);
		return;
	}
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'd'));
	kill_and_reap(pid);
}

/* On an overlayfs a new link is known when somebody has looked at it. */
static bool link_and_unlink(void)
{
	return open("data", O_RDWR) == 0 && !link("data", "linked") && !unlink("data") &&
	       !access("linked", F_OK);
}

static bool is_linked(pid_t pid)
{
	char path[64], target[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	len = readlink(path, target, sizeof(target));
	return len > 7 && !memcmp(target + len - 7, "/linked", 7);
}

/*
 * NFS has a name for the file then, which is not there after a restart. A client of
 * 9p does not count names, and may have forgotten the other one.
 */
TEST_F_TIMEOUT(filesystem, unlinked_with_a_link, LIMIT)
{
	pid_t pid = start_in(".", link_and_unlink, 0);
	bool is_copy;

	ASSERT_NE(0, pid);
	if (self->is_nfs) {
		EXPECT_EQ(-EBADF, save_process(pid));
		EXPECT_TRUE(file_holds(LOG, "was unlinked, and its other names are not known"));
		kill_and_reap(pid);
		return;
	}
	ASSERT_EQ(0, save_process(pid));
	is_copy = self->is_9p && file_holds(LOG, "nobody here knows whether it has other names");
	kill_and_reap(pid);
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'd'));
	EXPECT_EQ(!is_copy, is_linked(pid));
	kill_and_reap(pid);
}

TEST_HARNESS_MAIN
