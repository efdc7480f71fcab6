// SPDX-License-Identifier: GPL-2.0
/*
 * User namespaces in images: an ordinary user brings his back, and gets no further,
 * neither by editing an image nor by restarting that of somebody else.
 */
#include "harness.h"
#include "image_edit.h"
#include "ns_restart.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/checkpoint_image.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "tiny.h"

#define NONE		CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
#define ROOT		0
#define OTHER		(ORDINARY_UID + 1)
#define SWITCH		"/proc/sys/kernel/unprivileged_userns_clone"
/* Of user namespaces in each other, above that of the guest. */
#define DEPTH_MAX	33

FIXTURE(user_ns)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

/* What is in the maps of a target, and is there still. */
static const char *uids, *gids;
static int pair[2] = { -1, -1 };

static bool map_holds(const char *name, const char *want)
{
	unsigned int first, lower, count;
	char path[32], line[64] = "";
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	file = fopen(path, "r");
	good = file && fscanf(file, "%u %u %u", &first, &lower, &count) == 3;
	if (file)
		fclose(file);
	snprintf(line, sizeof(line), "%u %u %u", first, lower, count);
	return good && !strncmp(line, want, strlen(line));
}

/* The working directory is outside of the new root: that leads to where /proc is. */
static bool leave_root(void)
{
	int depth;

	if (access("/below", F_OK) || chroot("sub"))
		return false;
	for (depth = 0; depth < 10; depth++)
		chdir("..");
	return !chroot(".");
}

/* Root there, with the rights of root there, and in no other place. */
static bool is_right(void)
{
	struct ucred peer = { .uid = 5 };
	socklen_t len = sizeof(peer);

	if (!leave_root())
		return false;
	if (!map_holds("uid_map", uids) || !map_holds("gid_map", gids) || getuid() || getgid())
		return false;
	if (getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid)
		return false;
	return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1 && !sethostname("here", 4) &&
	       prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER &&
	       !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

/* As unshare -Ur does it, or with the help of root, who has the right to more. */
static bool enter(pid_t pid, bool deny)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (!write_file(path, uids))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
	if (deny && !write_file(path, "deny"))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	return write_file(path, gids);
}

/* What needs a right, and whoever has made the namespace has it there. */
static bool use_rights(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, code };

	return !chroot(".") && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void stay(void)
{
	while (access("go", F_OK))
		poll(NULL, 0, 20);
	_exit(is_right() ? TINY_GOOD : TINY_BROKEN);
}

/* An ordinary user's process in a user namespace with maps that he, or root, writes. */
static pid_t start_target(const char *uid_map, const char *gid_map, uid_t writer)
{
	int ready[2], mapped[2];
	char byte = 0;
	pid_t pid;

	uids = uid_map;
	gids = gid_map;
	if (pipe(ready) || pipe(mapped))
		return 0;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		be_user(ORDINARY_UID);
		if (unshare(CLONE_NEWUSER | CLONE_NEWUTS))
			_exit(91);
		if (writer && !enter(getpid(), true))
			_exit(92);
		write(ready[1], &byte, 1);
		if (read(mapped[0], &byte, 1) != 1 || (!writer && (setgid(0) || setuid(0))))
			_exit(93);
		prctl(PR_SET_DUMPABLE, 1);
		syscall(SYS_close_range, 0, ~0U, 0);
		if (!use_rights())
			_exit(94);
		stay();
	}
	if (read(ready[0], &byte, 1) != 1 || (!writer && !enter(pid, false)))
		complain("cannot map: %s", strerror(errno));
	write(mapped[1], &byte, 1);
	close(ready[0]);
	close(ready[1]);
	close(mapped[0]);
	close(mapped[1]);
	if (wait_blocked(pid, NR64_POLL))
		return pid;
	kill_and_reap(pid);
	return 0;
}

static bool make_image(struct image *image, const char *uid_map, const char *gid_map, uid_t user)
{
	pid_t pid, saver;
	int status;

	unlink("go");
	unlink("image");
	pid = start_target(uid_map, gid_map, user);
	if (!pid)
		return false;
	saver = fork();
	if (!saver) {
		be_user(user);
		_exit(save_to("image", pid, "log-of-save") <= 0);
	}
	status = exit_status(saver);
	kill_and_reap(pid);
	if (status || mknod("go", S_IFREG | 0644, 0)) {
		show_file("log-of-save");
		return false;
	}
	return image_load(image, "image");
}

#define OWN_MAP		"0 1000 1"

FIXTURE_SETUP(user_ns)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_TRUE(enter_directory(self->dir, "user_ns", 0777));
	ASSERT_EQ(0, chmod(".", 0777));
	ASSERT_EQ(0, mknod("below", S_IFREG | 0644, 0));
	ASSERT_EQ(0, mkdir("sub", 0755));
	ASSERT_TRUE(make_image(&self->image, OWN_MAP, OWN_MAP, ORDINARY_UID));
}

FIXTURE_TEARDOWN(user_ns)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

/* Saved and restarted by who has made it, without any right. */
TEST_F_TIMEOUT(user_ns, own, LIMIT)
{
	EXPECT_EQ(1, image_count(&self->image, "user_ns"));
	EXPECT_EQ(2, image_count(&self->image, "id_extent"));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ORDINARY_UID)) {
		show_file("log");
	}
	/* Root could have written that map, too. */
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ROOT)) {
		show_file("log");
	}
	EXPECT_TRUE(is_refused(&self->image, OTHER, EPERM,
			       "no right to a user namespace of user 1000, group 1000"));
}

static const char uid_map[] = "no right to the uid_map of a user namespace";
static const char gid_map[] = "no right to the gid_map of a user namespace";
static const char owned[] = "no right to a user namespace of user";
static const char no_object[] = "reference to no such object";
static const char no_number[] = "an id has no meaning in this user namespace";
static const char no_map[] = "cannot be mapped to";
static const char in_range[] = "value out of range";

/* Each makes an image of somebody who may more than the user could have given him. */
static const struct {
	const char *what;
	u64 value;
	int error;
	const char *word;
} claims[] = {
	{ "id_extent[0].lower_first", 0, EPERM, uid_map },
	{ "id_extent[0].lower_first", OTHER, EPERM, uid_map },
	{ "id_extent[0].count", 2, EPERM, uid_map },
	{ "id_extent[0].count", 0xfffffc17, EPERM, uid_map },
	{ "id_extent[0].count", 0xfffffc18, EINVAL, no_map },
	{ "id_extent[0].count", 0xffffffff, EINVAL, no_map },
	{ "id_extent[0].count", 0, EINVAL, in_range },
	{ "id_extent[0].first", 0xfffffffe, EINVAL, no_number },
	{ "id_extent[0].first", 0xffffffff, EINVAL, in_range },
	{ "id_extent[0].lower_first", 0xffffffff, EINVAL, in_range },
	{ "id_extent[0].first", 5, EINVAL, no_number },
	{ "id_extent[0].reserved", 1, EINVAL, "reserved field is not zero" },
	{ "id_extent[1].lower_first", 0, EPERM, gid_map },
	{ "id_extent[1].lower_first", OTHER, EPERM, gid_map },
	{ "id_extent[1].count", 2, EPERM, gid_map },
	{ "id_extent[1].first", 7, EINVAL, no_number },
	{ "user_ns.flags", CKPT_USER_NS_SETGROUPS, EPERM, gid_map },
	{ "user_ns.flags", CKPT_USER_NS_MAP_ROOT, EPERM,
	  "no right to map root in a user namespace later" },
	{ "user_ns.flags", 4, EINVAL, "unknown bits" },
	{ "user_ns.owner", 0, EPERM, owned },
	{ "user_ns.owner", OTHER, EPERM, owned },
	{ "user_ns.group", 0, EPERM, owned },
	{ "user_ns.group", OTHER, EPERM, owned },
	{ "user_ns.owner", 0xffffffff, EINVAL, in_range },
	{ "user_ns.nr_uids", 0, EINVAL, "" },
	{ "user_ns.nr_uids", 2, EINVAL, "" },
	{ "user_ns.nr_gids", 0, EINVAL, "" },
	{ "user_ns.nr_projids", 1, EINVAL, "" },
	{ "user_ns.nr_uids", 341, EINVAL, in_range },
	{ "user_ns.reserved", 1, EINVAL, "reserved field is not zero" },
	{ "user_ns.max_uts_namespaces", 0x80000000, EINVAL, in_range },
	{ "user_ns.msgqueue", 819201, EPERM,
	  "no right to RLIMIT_MSGQUEUE 819201 of a user namespace" },
	{ "user_ns.nproc", 1ULL << 63, EINVAL, in_range },
	{ "cred.uid", 1, EINVAL, no_number },
	{ "cred.fsgid", 1000, EINVAL, no_number },
	{ "cred.user_ns", 0, EPERM, "no right to become user 0 (effective 0)" },
	{ "cred.outer", CKPT_CRED_UID, EPERM, "no right to become user 0 (effective 0)" },
	{ "cred.outer", CKPT_CRED_EGID, EPERM, "no right to become group 0 (effective 0)" },
	{ "cred.outer", 0x100, EINVAL, "unknown bits" },
	{ "cred.nouter_groups", 1, EINVAL, "0 bytes for 1 groups" },
	{ "cred.ngroups", 65536, EINVAL, "0 bytes for 65536 groups" },
	{ "cred.cap_permitted", 1ULL << 63, EINVAL, "unknown capabilities" },
	{ "cred.cap_permitted", 0, EINVAL, "the sets of capabilities contradict each other" },
};

TEST_F_TIMEOUT(user_ns, claims, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(claims) / sizeof(*claims); index++) {
		struct image claim;

		ASSERT_TRUE(image_copy(&claim, &self->image));
		ASSERT_TRUE(image_set(&claim, claims[index].what, claims[index].value));
		EXPECT_TRUE(is_refused(&claim, ORDINARY_UID, claims[index].error,
				       claims[index].word)) {
			TH_LOG("%s = %#llx", claims[index].what,
			       (unsigned long long)claims[index].value);
		}
		image_free(&claim);
	}
	/* Where he is he is, whatever he is called elsewhere. */
	image_set(&self->image, "cred.uid", ORDINARY_UID);
	image_set(&self->image, "cred.outer", CKPT_CRED_UID);
	EXPECT_TRUE(is_refused(&self->image, ORDINARY_UID, EINVAL, no_number));
}

/* What he may give away. */
TEST_F_TIMEOUT(user_ns, fewer_rights, LIMIT)
{
	struct image *image = &self->image;

	image_set(image, "user_ns.max_user_namespaces", 0);
	image_set(image, "user_ns.max_uts_namespaces", 0);
	image_set(image, "user_ns.msgqueue", 819200);
	EXPECT_EQ(TINY_GOOD, restart_as(image, ORDINARY_UID));
	image_set(image, "cred.cap_effective",
		  1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT);
	EXPECT_EQ(TINY_GOOD, restart_as(image, ORDINARY_UID));
	image_set(image, "cred.cap_effective", 0);
	EXPECT_EQ(TINY_BROKEN, restart_as(image, ORDINARY_UID));
	image_set(image, "cred.cap_permitted", 0);
	image_set(image, "cred.cap_bset", 0);
	EXPECT_EQ(TINY_BROKEN, restart_as(image, ORDINARY_UID));
}

TEST_F_TIMEOUT(user_ns, references, LIMIT)
{
	struct image *image = &self->image;
	u64 user_ns, cred, fs;

	ASSERT_TRUE(image_get(image, "cred.user_ns", &user_ns));
	ASSERT_TRUE(image_get(image, "task_objs.cred", &cred));
	ASSERT_TRUE(image_get(image, "task_objs.fs", &fs));
	/* Of itself, of what contains it, of something else, of what comes later. */
	image_set(image, "user_ns.parent", user_ns);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "user_ns.parent", cred);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "user_ns.parent", user_ns + 1);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "user_ns.parent", 0);
	image_set(image, "cred.user_ns", cred);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "cred.user_ns", user_ns);
	image_set(image, "mm.user_ns", fs);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "mm.user_ns", user_ns);
	EXPECT_EQ(TINY_GOOD, restart_as(image, ORDINARY_UID));
	image_set(image, "mm.user_ns", 0);
	image_set(image, "uts_ns.user_ns", cred);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	/* To somebody who has no right to it, or none there. */
	image_set(image, "uts_ns.user_ns", 0);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EPERM,
			       "no right to create a namespace: UTS"));
	EXPECT_EQ(TINY_BROKEN, restart_as(image, ROOT));
}

/* Somebody who is in none of the namespaces that he has made. */
TEST_F_TIMEOUT(user_ns, outside, LIMIT)
{
	static const char * const ids[] = { "uid", "euid", "suid", "fsuid", "gid", "egid",
					    "sgid", "fsgid" };
	struct image *image = &self->image;
	char field[32];
	size_t index;
	u64 user_ns;

	ASSERT_TRUE(image_get(image, "cred.user_ns", &user_ns));
	image_set(image, "cred.user_ns", 0);
	for (index = 0; index < sizeof(ids) / sizeof(*ids); index++) {
		snprintf(field, sizeof(field), "cred.%s", ids[index]);
		image_set(image, field, ORDINARY_UID);
	}
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EPERM, "no right to its capabilities"));
	image_set(image, "cred.cap_permitted", 0);
	image_set(image, "cred.cap_effective", 0);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EPERM,
			       "no right to the namespaces of another task"));
	image_set(image, "task_objs.nsproxy", 0);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EPERM,
			       "no right to change the root directory"));
	image_set(image, "mm.user_ns", user_ns);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL,
			       "its memory belongs to a user namespace that it is not in"));
	image_set(image, "mm.user_ns", 0);
	EXPECT_EQ(TINY_BROKEN, restart_as(image, ROOT));
}

/* More than one number is for who may become anybody. */
TEST_F_TIMEOUT(user_ns, two_extents, LIMIT)
{
	struct image image;

	ASSERT_TRUE(make_image(&image, "0 1000 1\n1 100000 10", "0 1000 1\n1 200000 10", ROOT));
	EXPECT_EQ(4, image_count(&image, "id_extent"));
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT)) {
		show_file("log");
	}
	EXPECT_TRUE(is_refused(&image, ORDINARY_UID, EPERM, uid_map));
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETUID));
	EXPECT_TRUE(file_holds("log", owned));
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETGID));
	EXPECT_TRUE(file_holds("log", owned));
	image_set(&image, "user_ns.owner", 0);
	image_set(&image, "user_ns.group", 0);
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETUID));
	EXPECT_TRUE(file_holds("log", uid_map));
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETGID));
	EXPECT_TRUE(file_holds("log", gid_map));
	/* Nobody makes files for the root of others without the right to. */
	EXPECT_EQ(TINY_GOOD, restart_without(&image, ROOT, CAP_SETFCAP));
	image_set(&image, "id_extent[1].lower_first", 0);
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETFCAP));
	EXPECT_TRUE(file_holds("log", uid_map));
	/* No number twice. */
	image_set(&image, "id_extent[1].first", 0);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL, no_map));
	image_set(&image, "id_extent[1].first", 1);
	image_set(&image, "id_extent[1].lower_first", 991);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL, no_map));
	image_free(&image);
}

static bool be_in_user_namespaces(int depth)
{
	char map[32];

	be_user(ORDINARY_UID);
	snprintf(map, sizeof(map), "%d %d 1", ORDINARY_UID, ORDINARY_UID);
	while (depth--)
		if (unshare(CLONE_NEWUSER) || !write_file("/proc/self/uid_map", map) ||
		    (access("/proc/self/setgroups", F_OK) == 0 &&
		     !write_file("/proc/self/setgroups", "deny")) ||
		    !write_file("/proc/self/gid_map", map))
			return false;
	return true;
}

/* Exit status of who restarts it that deep in user namespaces. */
static int restart_in_depth(struct image *image, int depth, const char *limit)
{
	int fd, log;
	pid_t pid;

	if (!open_both(image, true, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		if (!be_in_user_namespaces(depth) ||
		    (limit && !write_file("/proc/sys/user/max_user_namespaces", limit)))
			_exit(96);
		_exit(become(fd, log));
	}
	close(fd);
	close(log);
	return exit_status(pid);
}

TEST_F_TIMEOUT(user_ns, limits, LIMIT)
{
	static const char full[] = "cannot create a user namespace";
	struct image *image = &self->image;

	EXPECT_EQ(TINY_GOOD, restart_in_depth(image, 1, NULL)) {
		show_file("log");
	}
	EXPECT_EQ(TINY_GOOD, restart_in_depth(image, 1, "1"));
	EXPECT_EQ(ENOSPC, restart_in_depth(image, 1, "0"));
	EXPECT_TRUE(file_holds("log", full));
	EXPECT_EQ(TINY_GOOD, restart_in_depth(image, DEPTH_MAX - 1, NULL));
	EXPECT_EQ(ENOSPC, restart_in_depth(image, DEPTH_MAX, NULL));
	EXPECT_TRUE(file_holds("log", full));
	/* Where setgroups() is denied it is so below. */
	image_set(image, "user_ns.flags", CKPT_USER_NS_SETGROUPS);
	EXPECT_EQ(EPERM, restart_in_depth(image, 1, NULL));
	EXPECT_TRUE(file_holds("log", "setgroups() is denied where a user namespace is created"));
	image_set(image, "user_ns.flags", 0);
	/* Others than those that are mapped where the restart is. */
	image_set(image, "id_extent[0].count", 2);
	EXPECT_EQ(EPERM, restart_in_depth(image, 1, NULL));
	EXPECT_TRUE(file_holds("log", "uid_map: 2 numbers from 1000 on are not mapped"));
	image_set(image, "id_extent[0].count", 1);
	image_set(image, "user_ns.owner", 7);
	EXPECT_EQ(EINVAL, restart_in_depth(image, 1, NULL));
	EXPECT_TRUE(file_holds("log", "the owner of a user namespace has no meaning"));
}

TEST_F_TIMEOUT(user_ns, forbidden, LIMIT)
{
	struct image *image = &self->image;
	int fd, log;
	pid_t pid;

	ASSERT_TRUE(open_both(image, true, &fd, &log));
	pid = fork();
	if (!pid) {
		if (chroot("."))
			_exit(96);
		be_user(ORDINARY_UID);
		_exit(become(fd, log));
	}
	EXPECT_EQ(EPERM, exit_status(pid));
	EXPECT_TRUE(file_holds("log", "cannot create a user namespace"));
	close(fd);
	close(log);
	if (access(SWITCH, F_OK))
		return;
	ASSERT_TRUE(write_file(SWITCH, "0"));
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EPERM,
			       "no right to create a namespace: user"));
	EXPECT_EQ(TINY_GOOD, restart_as(image, ROOT));
	ASSERT_TRUE(write_file(SWITCH, "1"));
}

static void *stay_in_thread(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A process, and a child with a thread in a user namespace. */
static pid_t start_family(void)
{
	pid_t pid = fork(), child;
	pthread_t thread;

	if (pid)
		return wait_blocked(pid, NR64_PAUSE) ? pid : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER) || !write_file("/proc/self/uid_map", "0 0 1") ||
		    pthread_create(&thread, NULL, stay_in_thread, NULL))
			_exit(1);
		mknod("ready", S_IFREG | 0644, 0);
		stay_in_thread(NULL);
	}
	while (access("ready", F_OK))
		poll(NULL, 0, 5);
	stay_in_thread(NULL);
	_exit(0);
}

/* What restart(1) says of an image. */
static bool tool_refuses(struct image *image, const char *word)
{
	char path[PATH_MAX], output[PATH_MAX], cwd[PATH_MAX / 2];
	const char *const argv[] = { tool_path("restart"), "-v", "-i", path, NULL };

	if (!getcwd(cwd, sizeof(cwd)) || !make_path(path, sizeof(path), cwd, "edited") ||
	    !make_path(output, sizeof(output), cwd, "output"))
		return false;
	image_seal(image);
	unlink("edited");
	unlink("output");
	if (!image_store(image, path) || !exit_status(spawn(argv, output)))
		return false;
	if (file_holds("output", word))
		return true;
	show_file("output");
	return false;
}

/* Threads, and who shares directories, are in one user namespace. */
TEST_F_TIMEOUT(user_ns, together, LIMIT)
{
	struct image image;
	u64 creds[3], fs[2];
	pid_t pid;

	unlink("go");
	pid = start_family();
	ASSERT_GT(pid, 0);
	ASSERT_GT(save_to("family", pid, "log"), 0) {
		show_file("log");
	}
	kill_and_reap(pid);
	end_children();
	ASSERT_TRUE(image_load(&image, "family"));
	EXPECT_EQ(1, image_count(&image, "user_ns"));
	ASSERT_TRUE(image_get(&image, "task_objs[0].cred", &creds[0]));
	ASSERT_TRUE(image_get(&image, "task_objs[1].cred", &creds[1]));
	ASSERT_TRUE(image_get(&image, "task_objs[2].cred", &creds[2]));
	ASSERT_TRUE(image_get(&image, "task_objs[0].fs", &fs[0]));
	ASSERT_TRUE(image_get(&image, "task_objs[1].fs", &fs[1]));
	EXPECT_NE(creds[0], creds[1]);

	image_set(&image, "task_objs[2].cred", creds[0]);
	EXPECT_TRUE(tool_refuses(&image, "its directories are shared with another user namespace"));
	image_set(&image, "task_objs[2].fs", fs[0]);
	EXPECT_TRUE(tool_refuses(&image, "task 2 is in another user namespace than its process"));
	image_set(&image, "task_objs[2].cred", creds[2]);
	EXPECT_TRUE(tool_refuses(&image, "its directories are shared with another user namespace"));
	image_free(&image);
}

/* A task that waits elsewhere would have another caller's namespace for 0. */
TEST_F_TIMEOUT(user_ns, coordinator_elsewhere, LIMIT)
{
	int fd, log, ready[2];
	pid_t pid, target;
	char byte;

	ASSERT_TRUE(open_both(&self->image, true, &fd, &log));
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		target = fork();
		if (!target) {
			if (unshare(CLONE_NEWUSER))
				_exit(96);
			close(ready[1]);
			sys_restart(0, 0, 0, NONE);
			_exit(errno);
		}
		close(ready[1]);
		read(ready[0], &byte, 1);
		sys_restart(target, fd, 0, log);
		byte = errno;
		kill_and_reap(target);
		_exit(byte);
	}
	close(ready[1]);
	EXPECT_EQ(EINVAL, exit_status(pid));
	EXPECT_TRUE(file_holds("log", "in another user namespace than its coordinator")) {
		show_file("log");
	}
	close(ready[0]);
	close(fd);
	close(log);
}

/* What a process gets that saves itself where not all of its ids have numbers. */
static int save_itself(bool map, const char *word)
{
	pid_t pid = fork();
	long ret;

	if (pid)
		return exit_status(pid);
	if (map) {
		static const gid_t group = 77;

		if (setgroups(1, &group))
			_exit(99);
	}
	if (unshare(CLONE_NEWUSER) ||
	    (map && (!write_file("/proc/self/uid_map", "0 0 1") ||
		     !write_file("/proc/self/setgroups", "deny") ||
		     !write_file("/proc/self/gid_map", "0 0 1"))))
		_exit(98);
	ret = save_to("self", 0, "log");
	_exit(ret != -EOPNOTSUPP || !file_holds("log", word));
}

/* They would be lost, so it is refused. */
TEST_F_TIMEOUT(user_ns, no_numbers, LIMIT)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWPID, .exit_signal = SIGCHLD,
	};
	pid_t pid;

	EXPECT_EQ(0, save_itself(false, "its user or group has no number in the user namespace"));
	EXPECT_EQ(0, save_itself(true, "one of its groups has no number in the user namespace"));
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		syscall(SYS_close_range, 0, ~0U, 0);
		stay_in_thread(NULL);
	}
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(-EPERM, save_to("self", pid, "log"));
	EXPECT_TRUE(file_holds("log", "its pid namespace belongs to another user namespace"));
	kill_and_reap(pid);
}

TEST_HARNESS_MAIN
