// SPDX-License-Identifier: GPL-2.0
/*
 * Files of an overlayfs: who maps one maps the file below it, which is another
 * one as soon as somebody writes.
 */
#include "file_process.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(overlay)
{
	char dir[PATH_MAX / 2];
	pid_t pid;
};

FIXTURE_VARIANT(overlay)
{
	/* Has the lower layer a filesystem of its own? */
	bool is_apart;
};

FIXTURE_VARIANT_ADD(overlay, one_filesystem)
{
	.is_apart = false,
};

FIXTURE_VARIANT_ADD(overlay, two_filesystems)
{
	.is_apart = true,
};

static bool mount_overlay(const char *layers, const char *at)
{
	return !mount("overlay", at, "overlay", 0, layers) ||
	       complain("overlay on %s: %s", at, strerror(errno));
}

#define LAYERS	"lowerdir=lower,upperdir=upper,workdir=work"

FIXTURE_SETUP(overlay)
{
	static const char * const dirs[] = {
		"lower", "upper", "work", "merged", "upper2", "work2", "merged2",
	};
	size_t index;

	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "overlay", 0755));
	for (index = 0; index < sizeof(dirs) / sizeof(*dirs); index++)
		ASSERT_EQ(0, mkdir(dirs[index], 0755));
	if (variant->is_apart)
		ASSERT_EQ(0, mount("none", "lower", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir("lower/sub", 0755));
	ASSERT_TRUE(make_letters("lower/data", 'd') && make_letters("lower/other", 'o'));
	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "lower/program", 0755));
	ASSERT_TRUE(mount_overlay(LAYERS, "merged"));
}

FIXTURE_TEARDOWN(overlay)
{
	EXPECT_FALSE(leaves_children());
	if (self->dir[0] != '/' || chdir(self->dir))
		return;
	umount2("merged2", MNT_DETACH);
	EXPECT_EQ(0, umount2("merged", MNT_DETACH));
	umount2("lower", MNT_DETACH);
	if (!chdir(".."))
		remove_tree(self->dir);
}

static bool start_and_save(bool (*body)(void))
{
	return save_and_kill(start_in("merged", body, 0));
}

static bool map_private(void)
{
	int fd = open("data", O_RDONLY);

	return fd == 0 && map_at(fd, PRIVATE_AT, PROT_READ | PROT_WRITE, MAP_PRIVATE) && !close(fd);
}

static bool map_both(void)
{
	int fd = open("data", O_RDONLY);

	return fd == 0 && map_at(fd, PRIVATE_AT, PROT_READ, MAP_PRIVATE) &&
	       map_at(fd, SHARED_AT, PROT_READ, MAP_SHARED);
}

TEST_F_TIMEOUT(overlay, mapped, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(start_and_save(map_both));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd') && memory_is(pid, SHARED_AT, 'd'));
	EXPECT_TRUE(file_is(pid, 'd'));
	EXPECT_TRUE(maps_name(pid, "overlay/merged/data\n"));
	/* And once more. */
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd'));
	kill_and_reap(pid);
}

static bool map_and_write(void)
{
	int fd = open("data", O_RDWR);

	if (fd != 0 || !map_at(fd, PRIVATE_AT, PROT_READ | PROT_WRITE, MAP_PRIVATE) ||
	    !map_at(fd, SHARED_AT, PROT_READ | PROT_WRITE, MAP_SHARED))
		return false;
	memset(SHARED_AT, 's', FILE_SIZE);
	memset(PRIVATE_AT, 'p', FILE_SIZE);
	return true;
}

/* What was written through a mapping is in the file, and shared again. */
TEST_F_TIMEOUT(overlay, written, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(start_and_save(map_and_write));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'p') && memory_is(pid, SHARED_AT, 's'));
	EXPECT_TRUE(file_is(pid, 's'));
	EXPECT_TRUE(make_letters("merged/data", 'n'));
	EXPECT_TRUE(memory_is(pid, SHARED_AT, 'n') && memory_is(pid, PRIVATE_AT, 'p'));
	kill_and_reap(pid);
}

/* Copied up, but with the same contents: nobody can tell the difference. */
TEST_F_TIMEOUT(overlay, copied_up, LIMIT)
{
	pid_t pid = start_in("merged", map_both, 0);

	ASSERT_NE(0, pid);
	ASSERT_EQ(0, chmod("merged/data", 0640));
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd') && file_is(pid, 'd'));
	kill_and_reap(pid);
}

/* It still sees what was there before, and no path leads to that. */
TEST_F_TIMEOUT(overlay, changed_while_mapped, LIMIT)
{
	pid_t pid = start_in("merged", map_private, 0);

	ASSERT_NE(0, pid);
	wait_for_file_clock();
	ASSERT_TRUE(make_letters("merged/data", 'n'));
	ASSERT_TRUE(memory_is(pid, PRIVATE_AT, 'd'));
	EXPECT_EQ(-EOPNOTSUPP, save_process(pid));
	EXPECT_TRUE(file_holds(LOG, "file data was changed on overlay after it was mapped"));
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd'));
	kill_and_reap(pid);
}

static bool open_read_only(void)
{
	return open("data", O_RDONLY) == 0;
}

/* An open file follows, as it does without a checkpoint. */
TEST_F_TIMEOUT(overlay, changed_while_open, LIMIT)
{
	pid_t pid = start_in("merged", open_read_only, 0);

	ASSERT_NE(0, pid);
	ASSERT_TRUE(make_letters("merged/data", 'n'));
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(file_is(pid, 'n'));
	kill_and_reap(pid);
}

/* Between checkpoint and restart. */
TEST_F_TIMEOUT(overlay, changed_between, LIMIT)
{
	ASSERT_TRUE(start_and_save(map_private));
	ASSERT_EQ(0, chmod("merged/data", 0640));
	EXPECT_EQ(0, try_restart("image", LOG));
	wait_for_file_clock();
	ASSERT_TRUE(make_letters("merged/data", 'n'));
	EXPECT_EQ(-ESTALE, try_restart("image", LOG));
	EXPECT_TRUE(file_holds(LOG, "merged/data is not the one that was saved"));
}

static bool map_and_unlink(void)
{
	return map_both() && !unlink("data");
}

/* Of the lower layer, which still has it. */
TEST_F_TIMEOUT(overlay, unlinked, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(start_and_save(map_and_unlink));
	ASSERT_TRUE(make_letters("lower/data", 'n'));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd') && memory_is(pid, SHARED_AT, 'd'));
	EXPECT_TRUE(file_is(pid, 'd'));
	EXPECT_EQ(-1, access("merged/data", F_OK));
	kill_and_reap(pid);
}

static bool write_and_unlink(void)
{
	return map_and_write() && !unlink("data");
}

/* Of the upper layer, with shared mappings that write. */
TEST_F_TIMEOUT(overlay, written_and_unlinked, LIMIT)
{
	struct iovec ours = { "m", 1 }, its = { SHARED_AT, 1 };
	char path[64], byte = 0;
	pid_t pid;
	int fd;

	ASSERT_TRUE(start_and_save(write_and_unlink));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'p') && memory_is(pid, SHARED_AT, 's'));
	EXPECT_TRUE(file_is(pid, 's'));
	EXPECT_EQ(1, process_vm_writev(pid, &ours, 1, &its, 1, 0));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ('m', byte);
	close(fd);
	kill_and_reap(pid);
}

TEST_F_TIMEOUT(overlay, executable, LIMIT)
{
	pid_t pid = start_program("merged");

	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(executes(pid, "overlay/merged/program"));
	EXPECT_TRUE(maps_name(pid, "overlay/merged/program\n"));
	/* As an upgrade does it. */
	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "merged/new", 0755));
	ASSERT_EQ(0, rename("merged/new", "merged/program"));
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(executes(pid, "(deleted)"));
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);
}

static bool open_directory(void)
{
	return open("sub", O_RDONLY | O_DIRECTORY) == 0 && open("data", O_RDONLY) == 1 &&
	       open("other", O_RDWR | O_APPEND) == 2;
}

/* Directories have another inode number then, if there are two filesystems. */
TEST_F_TIMEOUT(overlay, mounted_again, LIMIT)
{
	static const char * const others[] = { "merged/a", "merged/b", "merged/c" };
	size_t index;

	for (index = 0; index < 3; index++)
		ASSERT_EQ(0, mkdir(others[index], 0755));
	ASSERT_EQ(0, umount("merged"));
	ASSERT_TRUE(mount_overlay(LAYERS, "merged"));
	ASSERT_TRUE(start_and_save(open_directory));
	EXPECT_EQ(0, try_restart("image", LOG));
	ASSERT_EQ(0, umount("merged"));
	ASSERT_TRUE(mount_overlay(LAYERS, "merged"));
	/* They are numbered in the order in which they are met. */
	for (index = 0; index < 3; index++)
		ASSERT_EQ(0, access(others[index], F_OK));
	EXPECT_EQ(0, try_restart("image", LOG)) {
		show_file(LOG);
	}
	/* A directory is still no file. */
	ASSERT_EQ(0, rmdir("merged/sub"));
	ASSERT_TRUE(make_letters("merged/sub", 'd'));
	EXPECT_NE(0, try_restart("image", LOG));
}

/* A container within a container. */
TEST_F_TIMEOUT(overlay, nested, LIMIT)
{
	pid_t pid;

	/* A tmpfs, since an overlayfs cannot be the upper layer of another. */
	ASSERT_TRUE(mount_overlay("lowerdir=merged,upperdir=upper2,workdir=work2", "merged2"));
	pid = start_in("merged2", map_both, 0);
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd') && file_is(pid, 'd'));
	EXPECT_TRUE(maps_name(pid, "overlay/merged2/data\n"));
	kill_and_reap(pid);
	pid = start_in("merged2", map_and_unlink, 0);
	ASSERT_TRUE(save_and_kill(pid));
	pid = bring_back();
	ASSERT_NE(0, pid);
	EXPECT_TRUE(memory_is(pid, PRIVATE_AT, 'd') && file_is(pid, 'd'));
	kill_and_reap(pid);
}

/* The overlayfs opens what is below with its own rights, and says so. */
TEST_F_TIMEOUT(overlay, file_of_another_user, LIMIT)
{
	pid_t pid = start_in("merged", map_private, ORDINARY_UID), child;

	ASSERT_TRUE(save_and_kill(pid));
	ASSERT_EQ(0, chmod("image", 0644));
	unlink(LOG);
	ASSERT_EQ(0, close(open(LOG, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)));
	ASSERT_EQ(0, chmod(LOG, 0666));
	fflush(stdout);
	child = fork();
	if (!child) {
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		_exit(-try_restart("image", LOG));
	}
	EXPECT_TRUE(reap(child, 0, "ordinary user"));
}

TEST_HARNESS_MAIN
