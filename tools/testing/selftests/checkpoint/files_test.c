// SPDX-License-Identifier: GPL-2.0
/*
 * A restart finds the files that the process had, or says which it does not
 * find: vanished, replaced, of another type, not permitted any more.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

#include <linux/checkpoint_image.h>

#include "kselftest_harness.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(files)
{
	char dir[PATH_MAX / 2];
	pid_t pid;
};

/* A process with a file, a directory and a mapping of each kind. */
static void be_process(const char *dir)
{
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	if (chdir(dir))
		_exit(1);
	syscall(SYS_close_range, 0, ~0U, 0);
	/* 0: a file, 1: a directory; mapped files are closed. */
	if (open("data", O_RDWR) != 0 || open("sub", O_RDONLY) != 1)
		_exit(2);
	fd = open("private", O_RDWR);
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		_exit(3);
	close(fd);
	fd = open("shared", O_RDWR);
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		_exit(4);
	close(fd);
	for (;;)
		pause();
}

static bool make_file(const char *name, char with)
{
	char bytes[8192];
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good;

	memset(bytes, with, sizeof(bytes));
	good = fd >= 0 && write(fd, bytes, sizeof(bytes)) == sizeof(bytes);
	close(fd);
	return good;
}

FIXTURE_SETUP(files)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(enter_directory(self->dir, "files", 0755));
	ASSERT_EQ(0, mkdir("sub", 0755));
	ASSERT_TRUE(make_file("data", 'd') && make_file("private", 'p') &&
		    make_file("shared", 's'));
	self->pid = fork();
	if (!self->pid)
		be_process(self->dir);
	ASSERT_TRUE(wait_blocked(self->pid, NR64_PAUSE));
	ASSERT_GT(save_to("../image", self->pid, "../log"), 0) {
		show_file("../log");
	}
	kill_and_reap(self->pid);
	unlink("../log");
}

FIXTURE_TEARDOWN(files)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
	unlink("image");
	unlink("log");
}

/* What a restart says now; a process that runs is ended. */
static long restart_now(void)
{
	return try_restart("../image", "../log");
}

/* The same if the image says that other files will do. */
static long restart_allowing(u32 flags)
{
	struct image image;
	unsigned int index;
	char what[64];
	u64 before;
	long ret;

	if (!image_load(&image, "../image"))
		return -EIO;
	for (index = 0; index < image_count(&image, "file_path"); index++) {
		snprintf(what, sizeof(what), "file_path[%u].flags", index);
		if (!image_get(&image, what, &before) ||
		    !image_set(&image, what, before | flags))
			return -EIO;
	}
	image_seal(&image);
	if (!image_store(&image, "../allowing"))
		return -EIO;
	image_free(&image);
	ret = try_restart("../allowing", "../log");
	unlink("../allowing");
	return ret;
}

/* And with the tool. */
static bool tool_restarts(const char *option, int status)
{
	const char *const argv[] = { tool_path("restart"), "-i", "image", option, "--no-wait",
				     NULL };
	char image[PATH_MAX];
	const char *full[6];

	memcpy(full, argv, sizeof(argv));
	if (!realpath("../image", image))
		return false;
	full[2] = image;
	return reap(spawn(full, "../log"), status << 8, "restart(1)");
}

TEST_F_TIMEOUT(files, unchanged, LIMIT)
{
	EXPECT_EQ(0, restart_now());
}

/* What goes on in the files meanwhile is their business. */
TEST_F_TIMEOUT(files, contents_changed, LIMIT)
{
	int fd = open("data", O_WRONLY | O_APPEND | O_CLOEXEC);

	ASSERT_EQ(3, write(fd, "end", 3));
	close(fd);
	ASSERT_TRUE(make_file("shared", 'x'));
	ASSERT_EQ(0, mkdir("sub/new", 0755));
	EXPECT_EQ(0, restart_now());
}

/* But a private mapping is half in the image: the rest must be as it was. */
TEST_F_TIMEOUT(files, private_changed, LIMIT)
{
	wait_for_file_clock();
	ASSERT_TRUE(make_file("private", 'x'));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/private"));
}

TEST_F_TIMEOUT(files, vanished, LIMIT)
{
	static const char * const names[] = { "data", "private", "shared" };
	size_t index;

	for (index = 0; index < 3; index++) {
		char word[64];

		ASSERT_EQ(0, rename(names[index], "elsewhere"));
		EXPECT_EQ(-ENOENT, restart_now());
		snprintf(word, sizeof(word), "files/%s", names[index]);
		EXPECT_TRUE(file_holds("../log", word));
		ASSERT_EQ(0, rename("elsewhere", names[index]));
		unlink("../log");
	}
	ASSERT_EQ(0, rmdir("sub"));
	EXPECT_EQ(-ENOENT, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/sub"));
	ASSERT_EQ(0, rename(self->dir, "../moved"));
	EXPECT_EQ(-ENOENT, restart_now());
	ASSERT_EQ(0, rename("../moved", self->dir));
}

TEST_F_TIMEOUT(files, replaced, LIMIT)
{
	static const char * const names[] = { "data", "private", "shared" };
	size_t index;

	for (index = 0; index < 3; index++) {
		char word[64];

		/* The same size, the same bytes: another file. */
		ASSERT_EQ(0, rename(names[index], "elsewhere"));
		ASSERT_TRUE(make_file(names[index], names[index][0]));
		EXPECT_EQ(-ESTALE, restart_now());
		snprintf(word, sizeof(word), "files/%s", names[index]);
		EXPECT_TRUE(file_holds("../log", word));
		ASSERT_EQ(0, rename("elsewhere", names[index]));
		unlink("../log");
	}
	EXPECT_EQ(0, restart_now());
}

TEST_F_TIMEOUT(files, another_type, LIMIT)
{
	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_EQ(0, mkdir("data", 0755));
	EXPECT_NE(0, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/data"));
	ASSERT_EQ(0, rmdir("data"));
	/* Neither waits for a writer, nor takes it for the file. */
	ASSERT_EQ(0, mkfifo("data", 0644));
	EXPECT_EQ(-ESTALE, restart_now());
	ASSERT_EQ(0, unlink("data"));
	ASSERT_EQ(0, symlink("/dev/null", "data"));
	EXPECT_EQ(-ESTALE, restart_now());
	ASSERT_EQ(0, unlink("data"));
	ASSERT_EQ(0, symlink("/dev/ptmx", "data"));
	EXPECT_EQ(-ESTALE, restart_now());
	ASSERT_EQ(0, unlink("data"));
	ASSERT_EQ(0, rename("elsewhere", "data"));
	EXPECT_EQ(0, restart_now());
}

/* A longer way to the same file is the same file. */
TEST_F_TIMEOUT(files, behind_symlink, LIMIT)
{
	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_EQ(0, symlink("elsewhere", "data"));
	EXPECT_EQ(0, restart_now());
}

/* The restart has the rights of who restarts. */
TEST_F_TIMEOUT(files, not_permitted, LIMIT)
{
	pid_t pid;

	ASSERT_EQ(0, chmod("data", 0600));
	ASSERT_EQ(0, chmod("../image", 0644));
	ASSERT_EQ(0, chmod("..", 0777));
	ASSERT_EQ(0, chmod(".", 0777));
	pid = fork();
	if (!pid) {
		if (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
			_exit(1);
		_exit(-restart_now());
	}
	/* It does not even get as far as the credentials of root. */
	EXPECT_TRUE(reap(pid, EPERM << 8, "ordinary user") ||
		    reap(pid, EACCES << 8, "ordinary user"));
}

/* The executable is a file like others. */
TEST_F_TIMEOUT(files, executable_replaced, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	pid = fork();
	if (!pid) {
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		execl("program", "program", "pause", NULL);
		_exit(1);
	}
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	ASSERT_GT(save_to("../image", pid, "../log"), 0);
	kill_and_reap(pid);
	EXPECT_EQ(0, restart_now());
	wait_for_file_clock();
	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/program"));
	ASSERT_EQ(0, unlink("program"));
	EXPECT_EQ(-ENOENT, restart_now());
}

/* Both are named: what was saved, and what is there. */
TEST_F_TIMEOUT(files, difference_told, LIMIT)
{
	char word[128];
	struct stat st;

	ASSERT_EQ(0, stat("data", &st));
	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_TRUE(make_file("data", 'd'));
	ASSERT_EQ(0, truncate("data", 77));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/data is not the one that was saved"));
	snprintf(word, sizeof(word), ".%09lu, inode %lu, device ", st.st_mtim.tv_nsec, st.st_ino);
	EXPECT_TRUE(file_holds("../log", "; saved: 8192 bytes, modified 20") &&
		    file_holds("../log", word));
	ASSERT_EQ(0, stat("data", &st));
	snprintf(word, sizeof(word), ".%09lu, inode %lu, device ", st.st_mtim.tv_nsec, st.st_ino);
	EXPECT_TRUE(file_holds("../log", "; now: 77 bytes, modified 20") &&
		    file_holds("../log", word));
}

TEST_F_TIMEOUT(files, may_grow, LIMIT)
{
	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_TRUE(make_file("data", 'x'));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_EQ(0, restart_allowing(CKPT_PATH_MAY_GROW));
	ASSERT_EQ(0, truncate("data", 9000));
	EXPECT_EQ(0, restart_allowing(CKPT_PATH_MAY_GROW));
	ASSERT_EQ(0, truncate("data", 8191));
	EXPECT_EQ(-ESTALE, restart_allowing(CKPT_PATH_MAY_GROW));
	EXPECT_EQ(0, restart_allowing(CKPT_PATH_ANY));
	EXPECT_EQ(0, restart_allowing(CKPT_PATH_FORCE));
}

/* What has become part of memory must not grow either. */
TEST_F_TIMEOUT(files, private_forced, LIMIT)
{
	ASSERT_EQ(0, rename("private", "elsewhere"));
	ASSERT_TRUE(make_file("private", 'x'));
	ASSERT_EQ(0, truncate("private", 9000));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_EQ(-ESTALE, restart_allowing(CKPT_PATH_MAY_GROW));
	EXPECT_EQ(-ESTALE, restart_allowing(CKPT_PATH_ANY | CKPT_PATH_MAY_GROW));
	EXPECT_EQ(0, restart_allowing(CKPT_PATH_FORCE));
}

/* Nothing allows a file of another type, or another device. */
TEST_F_TIMEOUT(files, other_type_forced, LIMIT)
{
	const u32 all = CKPT_PATH_MAY_GROW | CKPT_PATH_ANY | CKPT_PATH_FORCE;

	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_EQ(0, mkfifo("data", 0644));
	EXPECT_EQ(-ESTALE, restart_allowing(all));
	ASSERT_EQ(0, unlink("data"));
	ASSERT_EQ(0, symlink("/dev/null", "data"));
	EXPECT_EQ(-ESTALE, restart_allowing(all));
	ASSERT_EQ(0, unlink("data"));
	EXPECT_EQ(-ENOENT, restart_allowing(all));
}

TEST_F_TIMEOUT(files, policies_of_the_tool, LIMIT)
{
	ASSERT_EQ(0, rename("data", "elsewhere"));
	ASSERT_TRUE(make_file("data", 'x'));
	ASSERT_EQ(0, truncate("data", 9000));
	EXPECT_TRUE(tool_restarts("--file-changed=refuse", 1));
	EXPECT_TRUE(file_holds("../log", "--file-changed may help"));
	EXPECT_TRUE(tool_restarts("--file-changed=grown", 0));
	ASSERT_EQ(0, truncate("data", 10));
	EXPECT_TRUE(tool_restarts("--file-changed=grown", 1));
	EXPECT_TRUE(tool_restarts("--file-changed=any", 0));
	wait_for_file_clock();
	ASSERT_TRUE(make_file("private", 'x'));
	EXPECT_TRUE(tool_restarts("--file-changed=any", 1));
	EXPECT_TRUE(tool_restarts("--file-changed=force", 0));
}

/* The same files, in a place of their own. */
TEST_F_TIMEOUT(files, other_root, LIMIT)
{
	char option[PATH_MAX];

	ASSERT_EQ(0, mkdir("../root", 0755));
	snprintf(option, sizeof(option), "--root=%s/../root", self->dir);
	EXPECT_TRUE(tool_restarts("--root=/no/such/root", 1));
	EXPECT_TRUE(file_holds("../log", "/no/such/root"));
	/* Nothing is there yet. */
	EXPECT_TRUE(tool_restarts(option, 1));
	ASSERT_EQ(0, mount("/", "../root", NULL, MS_BIND | MS_REC, NULL));
	EXPECT_TRUE(tool_restarts(option, 0));
	EXPECT_EQ(0, umount2("../root", MNT_DETACH));
	EXPECT_EQ(0, rmdir("../root"));
}

/* A file that has moved, and is the same otherwise. */
TEST_F_TIMEOUT(files, moved, LIMIT)
{
	char option[2 * PATH_MAX];

	ASSERT_EQ(0, rename("data", "elsewhere-with-a-much-longer-name"));
	EXPECT_EQ(-ENOENT, restart_now());
	snprintf(option, sizeof(option), "--file=%s/data=%s/elsewhere-with-a-much-longer-name",
		 self->dir, self->dir);
	EXPECT_TRUE(tool_restarts(option, 0));
}

/* Save a process that has made the state and nothing else; what that says. */
static long save_with(bool (*make)(void))
{
	pid_t pid = fork();
	long ret;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		if (!make())
			_exit(1);
		for (;;)
			pause();
	}
	if (!wait_blocked(pid, NR64_PAUSE))
		return -ESRCH;
	ret = save_to("../image", pid, "../log");
	ret = ret < 0 ? -errno : 0;
	kill_and_reap(pid);
	return ret;
}

/* A file that is mapped private, and open besides. */
static bool map_and_keep_open(void)
{
	return open("private", O_RDWR) == 0 &&
	       mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0) != MAP_FAILED;
}

/* Mapped twice through one open file; the lower address is saved first. */
static bool map_twice(int lower, int higher)
{
	char *at = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED && open("private", O_RDWR) == 0 &&
	       mmap(at, 4096, PROT_READ, MAP_FIXED | lower, 0, 0) == at &&
	       mmap(at + 8192, 4096, PROT_READ, MAP_FIXED | higher, 0, 0) == at + 8192 &&
	       !close(0);
}

static bool map_shared_below_private(void)
{
	return map_twice(MAP_SHARED, MAP_PRIVATE);
}

static bool map_private_below_shared(void)
{
	return map_twice(MAP_PRIVATE, MAP_SHARED);
}

static bool map_shared_twice(void)
{
	return map_twice(MAP_SHARED, MAP_SHARED);
}

/* However an open file is met first: its contents are memory. */
TEST_F_TIMEOUT(files, private_and_more_changed, LIMIT)
{
	static bool (*const ways[])(void) = {
		map_and_keep_open, map_shared_below_private, map_private_below_shared,
	};
	size_t index;

	for (index = 0; index < sizeof(ways) / sizeof(*ways); index++) {
		TH_LOG("way %zu", index);
		ASSERT_EQ(0, save_with(ways[index]));
		EXPECT_EQ(0, restart_now());
		wait_for_file_clock();
		/* The same inode and size. */
		ASSERT_TRUE(make_file("private", 'a' + index));
		unlink("../log");
		EXPECT_EQ(-ESTALE, restart_now());
		EXPECT_TRUE(file_holds("../log",
				       "files/private is not the one that was saved: its size"));
		EXPECT_EQ(-ESTALE, restart_allowing(CKPT_PATH_ANY));
		EXPECT_EQ(0, restart_allowing(CKPT_PATH_FORCE));
	}
	ASSERT_EQ(0, save_with(map_shared_twice));
	wait_for_file_clock();
	ASSERT_TRUE(make_file("private", 'x'));
	EXPECT_EQ(0, restart_now());
}

static bool unlink_below(void)
{
	int fd = open("sub/data", O_RDWR | O_CREAT | O_EXCL, 0644);

	return fd >= 0 && write(fd, "data", 4) == 4 && !unlink("sub/data");
}

/* It has a name in no directory, so that another one will do. */
TEST_F_TIMEOUT(files, unlinked_and_directory_gone, LIMIT)
{
	ASSERT_EQ(0, save_with(unlink_below));
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, rmdir("sub"));
	EXPECT_EQ(0, restart_now());
	ASSERT_TRUE(make_file("sub", 'x'));
	EXPECT_EQ(0, restart_now());
}

static bool unlink_deep(void)
{
	int fd = open("sub/deep/data", O_RDWR | O_CREAT | O_EXCL, 0644);

	return fd >= 0 && !unlink("sub/deep/data");
}

static bool nameless_deep(void)
{
	return open("sub/deep", O_TMPFILE | O_RDWR, 0644) >= 0;
}

/*
 * But none of a filesystem that only happens to be above: memory will do,
 * unless the file could get a name.
 */
TEST_F_TIMEOUT(files, unlinked_and_filesystem_gone, LIMIT)
{
	ASSERT_EQ(0, mount("none", "sub", "ramfs", 0, NULL));
	EXPECT_EQ(0, mkdir("sub/deep", 0755));
	EXPECT_EQ(0, save_with(nameless_deep));
	EXPECT_EQ(0, restart_now());
	EXPECT_EQ(0, umount("sub"));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/sub is not on the filesystem"));
	ASSERT_EQ(0, mount("none", "sub", "ramfs", 0, NULL));
	EXPECT_EQ(0, mkdir("sub/deep", 0755));
	EXPECT_EQ(0, save_with(unlink_deep));
	EXPECT_EQ(0, umount("sub"));
	unlink("../log");
	EXPECT_EQ(0, restart_now());
	EXPECT_TRUE(file_holds("../log", "is in memory: none can be made in"));
	EXPECT_TRUE(file_holds("../log", "files/sub (error -116)"));
}

static bool nameless_below(void)
{
	int fd = open("sub", O_TMPFILE | O_RDWR, 0644);

	return fd >= 0 && write(fd, "data", 4) == 4;
}

TEST_F_TIMEOUT(files, unlinked_and_read_only, LIMIT)
{
	ASSERT_EQ(0, mount("sub", "sub", NULL, MS_BIND, NULL));
	EXPECT_EQ(0, save_with(nameless_below));
	EXPECT_EQ(0, restart_now());
	EXPECT_EQ(0, mount(NULL, "sub", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, restart_now());
	EXPECT_TRUE(file_holds("../log", "without a name in"));
	EXPECT_TRUE(file_holds("../log", "files/sub"));
	EXPECT_EQ(0, umount("sub"));
}

static bool make_nameless_large(void)
{
	return open(".", O_TMPFILE | O_RDWR, 0600) == 0 && !ftruncate(0, 100000);
}

static bool make_memfd_large(void)
{
	return memfd_create("large", 0) == 0 && !ftruncate(0, 100000);
}

/* The limit of who restarts, and no signal. */
TEST_F_TIMEOUT(files, unlinked_too_large, LIMIT)
{
	struct rlimit old, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	limit = old;
	ASSERT_EQ(0, save_with(make_nameless_large));
	limit.rlim_cur = 99999;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(-EFBIG, restart_now());
	limit.rlim_cur = 100000;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(0, restart_now());
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	ASSERT_EQ(0, save_with(make_memfd_large));
	limit.rlim_cur = 99999;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_EQ(-EFBIG, restart_now());
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	EXPECT_EQ(0, restart_now());
}

static pid_t start_and_unlink(bool from_memfd)
{
	pid_t pid = fork();

	if (!pid) {
		char *const argv[] = { "program", "pause", NULL }, *const envp[] = { NULL };
		int fd = from_memfd ? memfd_create("program", 0) : open("program", O_RDONLY);
		int source = open("program", O_RDONLY);

		setsid();
		if (from_memfd && sendfile(fd, source, NULL, 1 << 20) <= 0)
			_exit(1);
		/* The descriptor that it is executed from stays open. */
		dup2(fd, 100);
		syscall(SYS_close_range, 0, 99, 0);
		unlink("program");
		syscall(SYS_execveat, 100, "", argv, envp, AT_EMPTY_PATH);
		_exit(2);
	}
	if (!wait_blocked(pid, NR64_PAUSE))
		return -1;
	return pid;
}

/* A program whose file was unlinked, or never was one. */
TEST_F_TIMEOUT(files, unlinked_executable, LIMIT)
{
	int from_memfd;

	for (from_memfd = 0; from_memfd < 2; from_memfd++) {
		pid_t pid;

		ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
		pid = start_and_unlink(from_memfd);
		ASSERT_GT(pid, 0);
		EXPECT_GT(save_to("../image", pid, "../log"), 0) {
			show_file("../log");
		}
		kill_and_reap(pid);
		EXPECT_EQ(0, restart_now()) {
			show_file("../log");
		}
	}
}

/* What is mapped of the program moves to memory of its own, byte by byte. */
static bool leave_executable(void)
{
	struct {
		char *start;
		size_t bytes;
		int prot;
	} areas[16];
	char exe[PATH_MAX], line[PATH_MAX + 128];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t nr = 0, index;

	if (len < 0 || !maps)
		return false;
	exe[len] = '\0';
	while (nr < 16 && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char bits[8];

		if (!strstr(line, exe) || sscanf(line, "%lx-%lx %7s", &start, &end, bits) != 3)
			continue;
		areas[nr].start = (char *)start;
		areas[nr].bytes = end - start;
		areas[nr].prot = (bits[0] == 'r' ? PROT_READ : 0) |
				 (bits[1] == 'w' ? PROT_WRITE : 0) |
				 (bits[2] == 'x' ? PROT_EXEC : 0);
		nr++;
	}
	fclose(maps);
	for (index = 0; index < nr; index++) {
		char *copy = mmap(NULL, areas[index].bytes, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (copy == MAP_FAILED)
			return false;
		memcpy(copy, areas[index].start, areas[index].bytes);
		if (mprotect(copy, areas[index].bytes, areas[index].prot) ||
		    mremap(copy, areas[index].bytes, areas[index].bytes,
			   MREMAP_MAYMOVE | MREMAP_FIXED, areas[index].start) == MAP_FAILED)
			return false;
	}
	return nr;
}

static bool call_itself_program(void)
{
	return leave_executable() && open("program", O_RDONLY) == 0 &&
	       lseek(0, 5, SEEK_SET) == 5 && !prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0);
}

static bool has_program(pid_t pid, const char *dir)
{
	char path[64], link[PATH_MAX] = "", want[PATH_MAX];

	snprintf(want, sizeof(want), "%s/program", dir);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (readlink(path, link, sizeof(link) - 1) < 0 || strcmp(link, want))
		return complain("executable: %s", link);
	memset(link, 0, sizeof(link));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	if (readlink(path, link, sizeof(link) - 1) < 0 || strcmp(link, want))
		return complain("descriptor 0: %s", link);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/0", pid);
	return file_holds(path, "pos:\t5\n");
}

/*
 * An open file that prctl() has made the executable: one object for both, and
 * nothing of it is mapped.
 */
TEST_F_TIMEOUT(files, executable_by_prctl, LIMIT)
{
	pid_t pid;

	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	ASSERT_EQ(0, save_with(call_itself_program));
	pid = restart_from("../image", 0, "../log");
	ASSERT_GT(pid, 0) {
		show_file("../log");
	}
	EXPECT_TRUE(has_program(pid, self->dir));
	/* Saved once more it is the same. */
	EXPECT_GT(save_to("../image", pid, "../log"), 0);
	kill_and_reap(pid);
	pid = restart_from("../image", 0, "../log");
	ASSERT_GT(pid, 0);
	EXPECT_TRUE(has_program(pid, self->dir));
	kill_and_reap(pid);
	/* It is an executable: its contents count, and who may execute it. */
	ASSERT_EQ(0, chmod("program", 0644));
	EXPECT_EQ(-EACCES, restart_now());
	EXPECT_TRUE(file_holds("../log", "executable program"));
	wait_for_file_clock();
	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	EXPECT_EQ(-ESTALE, restart_now());
	EXPECT_TRUE(file_holds("../log", "files/program"));
}

static bool become_another_program(void)
{
	return open("/proc/self/mem", O_RDONLY) == 0 &&
	       !execl("program", "program", "pause", NULL);
}

/* What was opened before shows memory that is gone. */
TEST_F_TIMEOUT(files, memory_before_execve, LIMIT)
{
	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "program", 0755));
	EXPECT_EQ(-EBADF, save_with(become_another_program));
	EXPECT_TRUE(file_holds("../log",
			       "file mem of /proc shows the memory of before an execve()"));
}

static bool forget_other_name(void)
{
	int fd = open("data", O_RDWR), caches = open("/proc/sys/vm/drop_caches", O_WRONLY);

	return fd == 0 && !link("data", "sub/other") && !unlink("data") &&
	       write(caches, "2", 1) == 1 && !close(caches);
}

/* It need not be searched for when the kernel knows it. */
TEST_F_TIMEOUT(files, other_name, LIMIT)
{
	struct statfs fs;
	struct stat st;

	ASSERT_EQ(0, statfs(".", &fs));
	/* There no name is ever forgotten. */
	if (fs.f_type == TMPFS_MAGIC)
		SKIP(return, "tmpfs");
	EXPECT_EQ(-EBADF, save_with(forget_other_name));
	EXPECT_TRUE(file_holds("../log", "other names are not known"));
	EXPECT_EQ(0, stat("sub/other", &st));
	EXPECT_EQ(1, st.st_nlink);
}

TEST_HARNESS_MAIN
