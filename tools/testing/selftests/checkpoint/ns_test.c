// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces in images: who may save them and who may have them again, images
 * that somebody has edited, and containers.
 */
#include "harness.h"
#include "image_edit.h"
#include "ns_restart.h"

#include <linux/capability.h>
#include <linux/checkpoint_image.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"

#include "tiny.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
#define ROOT	0
#define INSIDE	"inside"
/* A limit of message queues that is not the default. */
#define LIMIT_INSIDE	5000
#define LIMIT_DEFAULT	8192
#define KEY		0x6e730001

FIXTURE(ns)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

static bool is_called(const char *name)
{
	struct utsname uts;

	return !uname(&uts) && !strcmp(uts.nodename, name);
}

static bool is_inside(void)
{
	return is_called(INSIDE);
}

/* The test has edited the image if there is that file. */
static bool is_inside_ipc(void)
{
	struct msginfo info;

	return msgctl(0, IPC_INFO, (struct msqid_ds *)&info) >= 0 &&
	       info.msgmax == (access("default", F_OK) ? LIMIT_INSIDE : LIMIT_DEFAULT);
}

/* What a target looks at. */
static bool (*is_right)(void) = is_inside;

/* Waits for a file; is it still where it was then? */
static void stay(int good)
{
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	while (access("go", F_OK))
		poll(NULL, 0, 20);
	_exit(is_right() ? good : TINY_BROKEN);
}

static bool enter_own(void)
{
	return !unshare(CLONE_NEWUTS) && !sethostname(INSIDE, strlen(INSIDE));
}

static bool enter_own_ipc(void)
{
	is_right = is_inside_ipc;
	return !unshare(CLONE_NEWIPC) && write_file("/proc/sys/kernel/msgmax", "5000");
}

static bool let_go(void)
{
	return !mknod("go", S_IFREG | 0644, 0);
}

/* A child that waits, too, with nothing open. */
static void start_child(void)
{
	int fds[2];
	char byte;

	if (pipe(fds))
		_exit(97);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay(TINY_GOOD);
	}
	close(fds[1]);
	/* It has closed the other end. */
	if (read(fds[0], &byte, 1))
		_exit(97);
}

/* A process in namespaces of its own, and with a child there. */
static pid_t start_target(bool (*enter)(void), bool with_child)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!enter())
			_exit(98);
		be_user(ORDINARY_UID);
		if (with_child)
			start_child();
		stay(TINY_GOOD);
	}
	if (wait_blocked(pid, NR64_POLL))
		return pid;
	kill_and_reap(pid);
	return 0;
}

static bool make_image(struct image *image, bool (*enter)(void), bool with_child)
{
	pid_t pid = start_target(enter, with_child);
	bool good;

	if (!pid)
		return false;
	good = save_to("image", pid, "log") > 0 && image_load(image, "image");
	kill_and_reap(pid);
	end_children();
	return good;
}

FIXTURE_SETUP(ns)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_TRUE(enter_directory(self->dir, "ns", 0777));
	ASSERT_TRUE(make_image(&self->image, enter_own, false)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
}

FIXTURE_TEARDOWN(ns)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	EXPECT_FALSE(is_called(INSIDE));
	leave_directory(self->dir);
}

TEST_F_TIMEOUT(ns, unchanged, LIMIT)
{
	EXPECT_EQ(1, image_count(&self->image, "nsproxy"));
	EXPECT_EQ(1, image_count(&self->image, "uts_ns"));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ROOT));
}

/* What unshare(2) refuses, a restart refuses, too. */
TEST_F_TIMEOUT(ns, unprivileged, LIMIT)
{
	EXPECT_TRUE(is_refused(&self->image, ORDINARY_UID, EPERM,
			       "no right to create a namespace: UTS"));
}

/* Whoever starts a program decides where it runs. */
TEST_F_TIMEOUT(ns, left_out, LIMIT)
{
	image_set(&self->image, "task_objs.nsproxy", 0);
	EXPECT_EQ(TINY_BROKEN, restart_as(&self->image, ROOT));
}

/* Where it may, it may as often as there are. */
static int in_user_namespace(int fd, int bad, int log, const char *limit, const char *word)
{
	int round;

	be_user(ORDINARY_UID);
	if (unshare(CLONE_NEWUSER) || !write_file("/proc/self/uid_map", "1000 1000 1") ||
	    !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/gid_map", "1000 1000 1"))
		return 96;
	if (become(fd, log) != TINY_GOOD)
		return 95;
	if (!write_file(limit, "0") || become(fd, log) != ENOSPC || !file_holds("log", word))
		return 94;
	if (!write_file(limit, "1"))
		return 93;
	/* Of what was not to be, nothing is left. */
	for (round = 0; round < 5; round++)
		if (become(bad, log) != EINVAL)
			return 92;
	return become(fd, log);
}

static int restart_there(struct image *image, const char *limit, const char *word)
{
	int fd, bad, log, status;
	pid_t pid;

	if (!open_both(image, true, &fd, &log))
		return -1;
	close(log);
	/* What is wrong is found at the end. */
	image->data[image->len - sizeof(struct ckpt_hdr_tail) +
		    offsetof(struct ckpt_hdr_tail, checksum)] ^= 1;
	if (!open_both(image, false, &bad, &log))
		return -1;
	pid = fork();
	if (!pid)
		_exit(in_user_namespace(fd, bad, log, limit, word));
	close(fd);
	close(bad);
	close(log);
	status = exit_status(pid);
	if (status != TINY_GOOD)
		show_file("log");
	return status;
}

TEST_F_TIMEOUT(ns, user_namespace, LIMIT)
{
	EXPECT_EQ(TINY_GOOD, restart_there(&self->image, "/proc/sys/user/max_uts_namespaces",
					   "cannot create a UTS namespace"));
}

/* Limits are for whoever may write them: root, where he is. */
TEST_F_TIMEOUT(ns, limits, LIMIT)
{
	static const char limit[] = "/proc/sys/user/max_ipc_namespaces";
	struct image image;

	ASSERT_EQ(0, unlink("go"));
	ASSERT_TRUE(make_image(&image, enter_own_ipc, false)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
	EXPECT_EQ(1, image_count(&image, "ipc_ns"));
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));
	EXPECT_TRUE(is_refused(&image, ORDINARY_UID, EPERM, "no right to create a namespace: IPC"));
	EXPECT_EQ(95, restart_there(&image, limit, "none"));
	EXPECT_TRUE(file_holds("log", "no right to the limits of an IPC namespace"));

	image_set(&image, "ipc_ns.msgmax", LIMIT_DEFAULT);
	ASSERT_EQ(0, mknod("default", S_IFREG | 0644, 0));
	EXPECT_EQ(TINY_GOOD, restart_there(&image, limit, "cannot create an IPC namespace"));

	image_set(&image, "ipc_ns.shmmni", 1 << 20);
	EXPECT_TRUE(is_refused(&image, ROOT, EXDEV, "this kernel has at most 32768 identifiers"));
	image_set(&image, "ipc_ns.shmmni", 4096);
	image_set(&image, "ipc_ns.msg_last", 32768);
	EXPECT_TRUE(is_refused(&image, ROOT, EXDEV, "this kernel has at most 32768 identifiers"));
	image_set(&image, "ipc_ns.msg_last", -1ULL);
	image_set(&image, "ipc_ns.sem_next", 32769);
	EXPECT_TRUE(is_refused(&image, ROOT, EXDEV, "this kernel has at most 32768 identifiers"));
	image_set(&image, "ipc_ns.sem_next", 32768);
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));
	image_set(&image, "ipc_ns.mq_msgsize_max", 127);
	EXPECT_TRUE(is_refused(&image, ROOT, EXDEV,
			       "limits for POSIX message queues that this kernel does not take"));
	image_set(&image, "ipc_ns.mq_msgsize_max", 128);
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));
	image_set(&image, "ipc_ns.msgmni", (1 << 24) + 1);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL, "value out of range"));
	image_free(&image);
}

TEST_F_TIMEOUT(ns, fields, LIMIT)
{
	static const char no_object[] = "reference to no such object";
	struct image *image = &self->image;
	u64 nsproxy, uts_ns, cred;
	char *name;

	ASSERT_TRUE(image_get(image, "task_objs.nsproxy", &nsproxy));
	ASSERT_TRUE(image_get(image, "nsproxy.uts_ns", &uts_ns));
	ASSERT_TRUE(image_get(image, "task_objs.cred", &cred));

	image_set(image, "task_objs.nsproxy", uts_ns);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "task_objs.nsproxy", uts_ns + 1);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "task_objs.nsproxy", nsproxy);

	image_set(image, "nsproxy.uts_ns", nsproxy);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "nsproxy.uts_ns", cred);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, no_object));
	image_set(image, "nsproxy.uts_ns", 0);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL,
			       "a set of namespaces that are all the caller's"));
	image_set(image, "nsproxy.uts_ns", uts_ns);

	name = image_at(image, image_find(image, "uts_ns", 0) + sizeof(struct ckpt_hdr),
			sizeof(struct ckpt_hdr_uts_ns) - sizeof(struct ckpt_hdr));
	ASSERT_NE(NULL, name);
	EXPECT_STREQ(INSIDE, name);
	name[64] = 'x';
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, "text without an end"));
	memset(name, 'x', 65);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, "text without an end"));
	memset(name, 0, 65);
	memset(name + 65, 'x', 65);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, "text without an end"));
	memset(name + 65, 0, 65);
	name[130] = 1;
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, "reserved field is not zero"));
	name[130] = 0;
	EXPECT_EQ(TINY_BROKEN, restart_as(image, ROOT));
	memcpy(name, INSIDE, sizeof(INSIDE));
	EXPECT_EQ(TINY_GOOD, restart_as(image, ROOT));
}

/* What saving a process in such namespaces gives, and says. */
static bool save_is_refused(bool (*enter)(void), int error, const char *word)
{
	pid_t pid;
	long ret;

	if (unlink("go"))
		return complain("go: %s", strerror(errno));
	pid = start_target(enter, false);
	if (!pid)
		return false;
	ret = save_to("image", pid, "log");
	kill_and_reap(pid);
	if (ret == -error && file_holds("log", word))
		return let_go();
	show_file("log");
	return complain("%ld, not %d: %s", ret, -error, word);
}

static bool sees_ipc(void)
{
	struct {
		long type;
		char text[4];
	} message = { 5, "abcd" };

	return msgrcv(msgget(KEY, 0), &message, 4, 0, IPC_NOWAIT) == 3 && message.type == 5 &&
	       semctl(semget(KEY, 0, 0), 1, GETVAL) == 7 &&
	       semctl(semget(KEY + 1, 0, 0), 0, GETVAL) == 9;
}

/* It is the ordinary user's, and more than the limits allow now. */
static bool have_ipc(void)
{
	static const long message[2] = { 5 };

	is_right = sees_ipc;
	if (unshare(CLONE_NEWIPC) || setegid(ORDINARY_UID) || seteuid(ORDINARY_UID) ||
	    semctl(semget(KEY, 2, IPC_CREAT | 0600), 1, SETVAL, 7) ||
	    semctl(semget(KEY + 1, 1, IPC_CREAT | 0600), 0, SETVAL, 9) ||
	    msgsnd(msgget(KEY, IPC_CREAT | 0600), message, 3, 0))
		return false;
	return !seteuid(0) && !setegid(0) && write_file("/proc/sys/kernel/sem", "1 1 1 1") &&
	       write_file("/proc/sys/kernel/msgmax", "1") &&
	       write_file("/proc/sys/kernel/msgmnb", "1") &&
	       write_file("/proc/sys/kernel/msgmni", "0");
}

TEST_F_TIMEOUT(ns, semaphores, LIMIT)
{
	static const char * const ids[] = { "uid", "euid", "suid", "fsuid", "gid", "egid",
					    "sgid", "fsgid" };
	static const char creator[] = "no right to IPC objects that user ";
	struct image image;
	char field[32];
	size_t index;
	u64 id, key;

	ASSERT_EQ(0, unlink("go"));
	ASSERT_TRUE(make_image(&image, have_ipc, false)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
	EXPECT_EQ(2, image_count(&image, "sem_set"));
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT)) {
		show_file("log");
	}
	/* Two of them cannot be one. */
	ASSERT_TRUE(image_get(&image, "ipc_perm[0].id", &id));
	ASSERT_TRUE(image_get(&image, "ipc_perm[0].key", &key));
	image_set(&image, "ipc_perm[1].id", id);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL, "another IPC object than 0 is in its place"));
	image_set(&image, "ipc_perm[1].id", id + 32768);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL, "another IPC object than 32768 is in its"));
	image_set(&image, "ipc_perm[1].id", id + 7);
	image_set(&image, "ipc_perm[1].key", key);
	EXPECT_TRUE(is_refused(&image, ROOT, EINVAL,
			       "cannot create SysV semaphores 7 with key 0x6e730001"));
	image_set(&image, "ipc_perm[1].key", key + 1);
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));

	image_set(&image, "ipc_perm[1].cuid", 1234);
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ROOT));
	for (index = 0; index < sizeof(ids) / sizeof(*ids); index++) {
		snprintf(field, sizeof(field), "cred.%s", ids[index]);
		image_set(&image, field, 0);
	}
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETUID));
	EXPECT_TRUE(file_holds("log", creator));
	for (index = 0; index < 3; index++) {
		snprintf(field, sizeof(field), "ipc_perm[%zu].cuid", index);
		image_set(&image, field, 0);
	}
	EXPECT_EQ(EPERM, restart_without(&image, ROOT, CAP_SETGID));
	EXPECT_TRUE(file_holds("log", creator));
	image_free(&image);
}

TEST_F_TIMEOUT(ns, messages, LIMIT)
{
	static const char * const limits[] = { "semmsl", "semmns", "semopm", "semmni", "msgmax",
					       "msgmnb", "msgmni" };
	static const u64 defaults[] = { 32000, 1024000000, 500, 32000, LIMIT_DEFAULT, 16384,
					32000 };
	struct image *image = &self->image;
	char field[32];
	size_t index;

	ASSERT_EQ(0, unlink("go"));
	image_free(image);
	ASSERT_TRUE(make_image(image, have_ipc, false));
	ASSERT_TRUE(let_go());
	image_set(image, "msg.type", 0);
	EXPECT_TRUE(is_refused(image, ROOT, EINVAL, "value out of range"));
	image_set(image, "msg.type", 5);
	/* More than any limit can be. */
	image_set(image, "msg_queue.qbytes", 1ULL << 32);
	EXPECT_EQ(TINY_GOOD, restart_as(image, ROOT));
	for (index = 0; index < sizeof(defaults) / sizeof(*defaults); index++) {
		snprintf(field, sizeof(field), "ipc_ns.%s", limits[index]);
		image_set(image, field, defaults[index]);
	}
	EXPECT_EQ(95, restart_there(image, "none", "none"));
	EXPECT_TRUE(file_holds("log", "no right to SysV message queue 0 of 4294967296 bytes"));
	image_set(image, "msg_queue.qbytes", 2);
	EXPECT_EQ(94, restart_there(image, "none", "none"));
}

/* Who has an adjustment to undo, and becomes a process that cannot. */
static int become_with_adjustment(struct image *image, int set)
{
	struct sembuf up = { 0, 1, SEM_UNDO };
	int fd, log;
	pid_t pid;

	if (!open_both(image, true, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		if (semop(set, &up, 1))
			_exit(97);
		be_user(ROOT);
		sys_restart(0, fd, RESTART_TASKSELF, log);
		_exit(errno);
	}
	close(fd);
	close(log);
	return exit_status(pid);
}

/* As unshare(2) does: nothing can be undone from another namespace. */
TEST_F_TIMEOUT(ns, adjustments_are_undone, LIMIT)
{
	struct image image;
	int set;

	ASSERT_EQ(0, unlink("go"));
	ASSERT_TRUE(make_image(&image, enter_own_ipc, false)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
	set = semget(IPC_PRIVATE, 1, 0600);
	ASSERT_GE(set, 0);
	EXPECT_EQ(TINY_GOOD, become_with_adjustment(&image, set));
	EXPECT_EQ(0, semctl(set, 0, GETVAL));
	EXPECT_EQ(0, semctl(set, 0, IPC_RMID));
	image_free(&image);
}

static bool have_half_a_name(void)
{
	return !unshare(CLONE_NEWUTS) && !sethostname("a\0b", 3);
}

static bool have_half_a_domain(void)
{
	return !unshare(CLONE_NEWUTS) && !setdomainname("a\0b", 3);
}

TEST_F_TIMEOUT(ns, name_with_nul, LIMIT)
{
	static const char why[] = "the name of its host or domain has a NUL byte";

	EXPECT_TRUE(save_is_refused(have_half_a_name, EOPNOTSUPP, why));
	EXPECT_TRUE(save_is_refused(have_half_a_domain, EOPNOTSUPP, why));
}

static bool enter_ns_of(pid_t pid, const char *kind, int flag)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = setns(fd, flag);
	close(fd);
	return !ret;
}

/* What somebody is told who has entered a user namespace, and then one of those. */
static int save_from_inside(int flag, const char *word)
{
	pid_t saver = fork(), pid;
	long ret;

	if (saver)
		return exit_status(saver);
	if (unshare(CLONE_NEWUSER) || !write_file("/proc/self/uid_map", "0 0 1") ||
	    !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/gid_map", "0 0 1"))
		_exit(99);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		stay(TINY_GOOD);
	}
	if (!wait_blocked(pid, NR64_POLL) || unshare(flag))
		_exit(98);
	ret = save_to("image", pid, "log");
	kill_and_reap(pid);
	_exit(ret == -EPERM && file_holds("log", word) ? 0 : 97);
}

/* A restart could not give it back to whom it belongs. */
TEST_F_TIMEOUT(ns, other_owner, LIMIT)
{
	ASSERT_EQ(0, unlink("go"));
	EXPECT_EQ(0, save_from_inside(CLONE_NEWUTS,
				      "its UTS namespace belongs to another user namespace"));
	EXPECT_EQ(0, save_from_inside(CLONE_NEWIPC,
				      "its IPC namespace belongs to another user namespace"));
	ASSERT_TRUE(let_go());
}

/* Those of the caller are not in the image, whichever they are. */
TEST_F_TIMEOUT(ns, of_the_caller, LIMIT)
{
	struct image image;
	pid_t pid, saver;

	ASSERT_EQ(0, unlink("go"));
	pid = start_target(enter_own, false);
	ASSERT_GT(pid, 0);
	saver = fork();
	if (!saver)
		_exit(!enter_ns_of(pid, "uts", CLONE_NEWUTS) || save_to("image", pid, "log") <= 0);
	EXPECT_EQ(0, exit_status(saver));
	kill_and_reap(pid);
	ASSERT_TRUE(let_go());
	ASSERT_TRUE(image_load(&image, "image"));
	EXPECT_EQ(0, image_count(&image, "nsproxy"));
	EXPECT_EQ(TINY_BROKEN, restart_as(&image, ORDINARY_UID));
	image_free(&image);
}

static void nothing(void)
{
}

static void have_own_mounts(void)
{
	if (unshare(CLONE_NEWNS))
		_exit(96);
}

static void be_ordinary(void)
{
	be_user(ORDINARY_UID);
}

/* What who coordinates the restart of a process and its child gets, and says. */
static int coordinate(struct image *image, void (*parent)(void), void (*child)(void))
{
	int fd, log, status = -1;
	pid_t pid, target;

	if (!open_both(image, true, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		target = fork();
		if (!target) {
			be_user(ROOT);
			if (!fork()) {
				child();
				sys_restart(0, 1, 0, NONE);
				_exit(errno);
			}
			parent();
			sys_restart(0, 0, 0, NONE);
			_exit(errno);
		}
		if (sys_restart(target, fd, 0, log)) {
			int error = errno;

			kill_and_reap(target);
			_exit(error);
		}
		waitpid(target, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	close(fd);
	close(log);
	status = exit_status(pid);
	end_children();
	return status;
}

/* Nobody gets into a namespace because another task of the image is there. */
TEST_F_TIMEOUT(ns, tasks_that_differ, LIMIT)
{
	struct image image;

	ASSERT_EQ(0, unlink("go"));
	ASSERT_TRUE(make_image(&image, enter_own, true)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
	EXPECT_EQ(1, image_count(&image, "nsproxy"));
	EXPECT_EQ(TINY_GOOD, coordinate(&image, nothing, nothing)) {
		show_file("log");
	}
	EXPECT_EQ(EINVAL, coordinate(&image, nothing, have_own_mounts));
	EXPECT_TRUE(file_holds("log", "the tasks to restore are in different namespaces"));
	EXPECT_EQ(EPERM, coordinate(&image, nothing, be_ordinary));
	EXPECT_TRUE(file_holds("log", "no right to the namespaces of another task"));
	EXPECT_EQ(EPERM, coordinate(&image, be_ordinary, nothing));
	EXPECT_TRUE(file_holds("log", "no right to create a namespace: UTS"));
	image_free(&image);
}

/* A container: the init of a pid namespace, with other namespaces and a child. */
static pid_t start_container(void)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (sethostname(INSIDE, strlen(INSIDE)))
			_exit(98);
		start_child();
		stay(BODY_GOOD);
	}
	return pid > 0 && wait_blocked(pid, NR64_POLL) ? pid : 0;
}

static int run(const char *tool, const char *const *options, const char *dir)
{
	const char *argv[8] = { tool_path(tool) };
	char output[PATH_MAX];
	int index;

	if (!argv[0] || !make_path(output, sizeof(output), dir, "output"))
		return -1;
	unlink("log");
	unlink("output");
	for (index = 0; options[index]; index++)
		argv[index + 1] = options[index];
	return exit_status(spawn(argv, output));
}

TEST_F_TIMEOUT(ns, container, LIMIT)
{
	char image[PATH_MAX], pid_text[16];
	const char *const save[] = { "-c", "-f", "-o", image, pid_text, NULL };
	const char *const restore[] = { "--pidns", "--copy-status", "-i", image, NULL };
	pid_t pid;

	ASSERT_TRUE(make_path(image, sizeof(image), self->dir, "image"));
	ASSERT_EQ(0, unlink("go"));
	pid = start_container();
	ASSERT_GT(pid, 0);
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	EXPECT_EQ(0, run("checkpoint", save, self->dir)) {
		show_file("output");
	}
	kill_and_reap(pid);
	ASSERT_TRUE(let_go());
	EXPECT_EQ(BODY_GOOD, run("restart", restore, self->dir)) {
		show_file("output");
	}
}

TEST_HARNESS_MAIN
