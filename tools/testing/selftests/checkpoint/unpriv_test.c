// SPDX-License-Identifier: GPL-2.0
/*
 * An ordinary user saves and restarts what is his, and gets no further: not to
 * processes of others, and not by editing an image.
 */
#include "harness.h"
#include "image_edit.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/checkpoint_image.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>

#include "kselftest_harness.h"

#include "tiny.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE			65
#define PR_MDWE_REFUSE_EXEC_GAIN	1
#endif
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK		0x40000000
#endif
#define NONE	CHECKPOINT_FD_NONE
#define SYSCTL	"/proc/sys/kernel/ckpt_unpriv_allowed"
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

FIXTURE(user)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

static void be_ordinary(void)
{
	if (setgroups(0, NULL) || setgid(ORDINARY_UID) || setuid(ORDINARY_UID))
		_exit(99);
}

FIXTURE_SETUP(user)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_TRUE(enter_directory(self->dir, "user", 0777));
	/* An image of a process of the user's. */
	ASSERT_TRUE(make_tiny_image("rich", "image", ORDINARY_UID));
	ASSERT_TRUE(image_load(&self->image, "image"));
}

FIXTURE_TEARDOWN(user)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

/* What somebody gets who becomes the process of this image; its exit status. */
static int restart_after(struct image *image, void (*prepare)(void),
			 void (*then)(void))
{
	int fd = memfd_create("image", MFD_CLOEXEC), status = -1;
	pid_t pid;

	image_seal(image);
	if (!image_store_fd(image, fd))
		return -1;
	pid = fork();
	if (!pid) {
		prepare();
		if (then)
			then();
		sys_restart(0, fd, RESTART_TASKSELF, NONE);
		_exit(errno);
	}
	close(fd);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

static int restart_as_user(struct image *image, void (*prepare)(void))
{
	return restart_after(image, be_ordinary, prepare);
}

TEST_F_TIMEOUT(user, own_image, LIMIT)
{
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, NULL));
}

/* Another process of his, by pid, and back as a child. */
TEST_F_TIMEOUT(user, own_process, LIMIT)
{
	pid_t pid = fork();

	if (!pid) {
		pid_t target, again;
		int fd;

		be_ordinary();
		target = start_tiny("pause", 0);
		if (target <= 0)
			_exit(1);
		fd = open("other", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (sys_checkpoint(target, fd, CHECKPOINT_SUBTREE, STDOUT_FILENO) <= 0)
			_exit(2);
		kill_and_reap(target);
		lseek(fd, 0, SEEK_SET);
		again = restart_from_fd(fd, 0, STDOUT_FILENO);
		if (again <= 0)
			_exit(3);
		kill_and_reap(again);
		_exit(0);
	}
	EXPECT_TRUE(reap(pid, 0, "ordinary user"));
}

/* What a user gets who saves this process, or is refused. */
static int save_as_user(pid_t target)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd = open("stolen", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		be_ordinary();
		if (sys_checkpoint(target, fd, CHECKPOINT_SUBTREE, NONE) > 0)
			_exit(0);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The image tells why it failed, and nothing of what the process holds. */
static bool image_is_empty(void)
{
	struct stat st;

	return !stat("stolen", &st) && st.st_size < 2048;
}

TEST_F_TIMEOUT(user, processes_of_others, LIMIT)
{
	static const uid_t uids[] = { 0, ORDINARY_UID + 1 };
	size_t index;

	for (index = 0; index < 2; index++) {
		pid_t pid = start_tiny("pause", uids[index]);

		ASSERT_GT(pid, 0);
		EXPECT_EQ(EPERM, save_as_user(pid));
		EXPECT_TRUE(image_is_empty());
		kill_and_reap(pid);
	}
	/* So far nobody was refused who should not have been. */
	{
		pid_t pid = start_tiny("pause", ORDINARY_UID);

		EXPECT_EQ(0, save_as_user(pid));
		kill_and_reap(pid);
	}
}

/* A capability that lasts over the change of the user, and over execve(). */
static void have_privilege(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &header, data);
	data[0].inheritable = 1 << CAP_NET_RAW;
	if (syscall(SYS_capset, &header, data) ||
	    prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0))
		_exit(98);
}

/* The same user, but it may more; or its memory is a secret. */
TEST_F_TIMEOUT(user, privileged_process, LIMIT)
{
	pid_t pid;

	before_tiny = have_privilege;
	pid = start_tiny("pause", ORDINARY_UID);
	before_tiny = NULL;
	ASSERT_GT(pid, 0);
	EXPECT_EQ(EPERM, save_as_user(pid));
	EXPECT_TRUE(image_is_empty());
	kill_and_reap(pid);

	ASSERT_TRUE(copy_file(helper_path("subjects/tiny"), "secret", 0111));
	pid = fork();
	if (!pid) {
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		be_ordinary();
		execl("secret", "secret", "pause", NULL);
		_exit(1);
	}
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(EPERM, save_as_user(pid));
	kill_and_reap(pid);
}

static int queue_mode, set_mode;

/* In an IPC namespace with others, who have created something there. */
static void be_among_others(void)
{
	if (unshare(CLONE_NEWIPC) || msgget(1, IPC_CREAT | queue_mode) < 0 ||
	    semget(1, 1, IPC_CREAT | set_mode) < 0)
		_exit(98);
}

static int save_among_others(int queue, int set)
{
	int ret;
	pid_t pid;

	queue_mode = queue;
	set_mode = set;
	before_tiny = be_among_others;
	pid = start_tiny("pause", ORDINARY_UID);
	before_tiny = NULL;
	if (!pid)
		return -1;
	ret = save_as_user(pid);
	kill_and_reap(pid);
	return ret;
}

/* What the user's process may not read there the user may not, either. */
TEST_F_TIMEOUT(user, ipc_of_others, LIMIT)
{
	EXPECT_EQ(EACCES, save_among_others(0600, 0604));
	EXPECT_TRUE(image_is_empty());
	EXPECT_EQ(EACCES, save_among_others(0604, 0600));
	EXPECT_TRUE(image_is_empty());
	EXPECT_EQ(0, save_among_others(0604, 0604));
}

TEST_F_TIMEOUT(user, not_dumpable, LIMIT)
{
	pid_t pid = fork();

	if (!pid) {
		be_ordinary();
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		prctl(PR_SET_DUMPABLE, 0);
		for (;;)
			pause();
	}
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(EPERM, save_as_user(pid));
	kill_and_reap(pid);
}

static bool set_sysctl(const char *value)
{
	int fd = open(SYSCTL, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return good;
}

TEST_F_TIMEOUT(user, sysctl, LIMIT)
{
	pid_t pid = start_tiny("pause", ORDINARY_UID), child;
	struct image own;
	char value = 0;
	int fd = open(SYSCTL, O_RDONLY | O_CLOEXEC);

	ASSERT_GT(pid, 0);
	ASSERT_EQ(1, read(fd, &value, 1));
	EXPECT_EQ('1', value);
	EXPECT_FALSE(set_sysctl("2"));
	EXPECT_FALSE(set_sysctl("-1"));
	ASSERT_TRUE(set_sysctl("0"));
	EXPECT_EQ(EPERM, save_as_user(pid));
	EXPECT_EQ(EPERM, restart_as_user(&self->image, NULL));
	child = fork();
	if (!child) {
		be_ordinary();
		if (set_sysctl("1"))
			_exit(1);
		sys_restart(0, 0, 0, NONE);
		_exit(errno == EPERM ? 0 : 2);
	}
	EXPECT_TRUE(reap(child, 0, "ordinary user"));
	/* Root may go on. */
	EXPECT_TRUE(make_tiny_image("rich", "root", 0));
	ASSERT_TRUE(image_load(&own, "root"));
	image_free(&own);
	EXPECT_GT(save_to("other", pid, "log"), 0);
	ASSERT_TRUE(set_sysctl("1"));
	EXPECT_EQ(0, save_as_user(pid));
	kill_and_reap(pid);
}

#define CAP(name)	(1ULL << CAP_##name)

/* Each makes an image of a process that may more than the user may. */
static const struct {
	const char *what;
	u64 value;
	int error;
} claims[] = {
	{ "cred.uid", 0, EPERM },
	{ "cred.euid", 0, EPERM },
	{ "cred.suid", 0, EPERM },
	{ "cred.fsuid", 0, EPERM },
	{ "cred.uid", ORDINARY_UID + 1, EPERM },
	{ "cred.suid", ORDINARY_UID + 1, EPERM },
	{ "cred.uid", 0xffffffff, EINVAL },
	{ "cred.gid", 0, EPERM },
	{ "cred.egid", 0, EPERM },
	{ "cred.sgid", 0, EPERM },
	{ "cred.fsgid", 0, EPERM },
	{ "cred.fsgid", ORDINARY_UID + 1, EPERM },
	{ "cred.cap_permitted", CAP(NET_RAW), EPERM },
	{ "cred.cap_permitted", ~0ULL >> 23, EPERM },
	{ "cred.cap_inheritable", CAP(SYS_ADMIN), EPERM },
	{ "cred.cap_effective", CAP(SYS_ADMIN), EINVAL },
	{ "cred.cap_ambient", CAP(SYS_ADMIN), EINVAL },
	{ "cred.cap_bset", 0, EPERM },
	{ "cred.securebits", 1, EPERM },
	{ "task.nice", (u32)-5, EPERM },
	{ "task.sched_policy", 1, EPERM },
	{ "task.sched_policy", 2, EPERM },
	{ "task.sched_policy", 6, EINVAL },
	{ "task.flags", CKPT_TASK_MEMPOLICY | CKPT_TASK_IO_FLUSHER, EPERM },
	{ "task.flags", CKPT_TASK_MEMPOLICY | CKPT_TASK_MCE_EARLY, EINVAL },
	{ "task.ioprio", 0x2000, EPERM },
	{ "task.ioprio", 0x8000, EINVAL },
	{ "signal.oom_score_adj", (u32)-500, EPERM },
	{ "signal.oom_score_adj_min", (u32)-500, EPERM },
	{ "mm.flags", 0x21, EINVAL },
	{ "vma.start", 0, EPERM },
};

static void claim_priority(struct image *image, const char *what, u64 value)
{
	/* A real-time policy comes with a priority, others must not have one. */
	if (!strcmp(what, "task.sched_policy") && (value == 1 || value == 2))
		image_set(image, "task.rt_priority", 10);
}

TEST_F_TIMEOUT(user, edited_images, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(claims) / sizeof(*claims); index++) {
		struct image claim;

		ASSERT_TRUE(image_copy(&claim, &self->image));
		ASSERT_TRUE(image_set(&claim, claims[index].what, claims[index].value));
		claim_priority(&claim, claims[index].what, claims[index].value);
		EXPECT_EQ(claims[index].error, restart_as_user(&claim, NULL)) {
			TH_LOG("%s = %#llx", claims[index].what,
			       (unsigned long long)claims[index].value);
		}
		image_free(&claim);
	}
}

static void keep_caps(void)
{
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

static unsigned int own_securebits;

static void set_own_securebits(void)
{
	if (prctl(PR_SET_SECUREBITS, own_securebits, 0, 0, 0))
		_exit(99);
}

/* What root gets who has set these. */
static int restart_locked(struct image *image, unsigned int securebits)
{
	own_securebits = securebits;
	return restart_after(image, set_own_securebits, NULL);
}

/* What PR_SET_SECUREBITS and PR_SET_KEEPCAPS would not do. */
TEST_F_TIMEOUT(user, securebits, LIMIT)
{
	struct image root;

	/* The bit that everybody may set and clear. */
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, keep_caps));
	ASSERT_TRUE(image_set(&self->image, "cred.securebits", SECBIT_KEEP_CAPS));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, NULL));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, keep_caps));
	ASSERT_TRUE(image_set(&self->image, "cred.securebits", SECBIT_KEEP_CAPS_LOCKED));
	EXPECT_EQ(EPERM, restart_as_user(&self->image, NULL));

	/* With every capability, but a bit is locked. */
	ASSERT_TRUE(make_tiny_image("rich", "root", 0));
	ASSERT_TRUE(image_load(&root, "root"));
	EXPECT_EQ(TINY_GOOD, restart_locked(&root, 0));
	EXPECT_EQ(TINY_GOOD, restart_locked(&root, SECBIT_NO_SETUID_FIXUP));
	EXPECT_EQ(EPERM, restart_locked(&root, SECBIT_NOROOT_LOCKED));
	EXPECT_EQ(EPERM, restart_locked(&root, SECBIT_KEEP_CAPS_LOCKED));
	ASSERT_TRUE(image_set(&root, "cred.securebits", SECBIT_NOROOT_LOCKED));
	EXPECT_EQ(TINY_GOOD, restart_locked(&root, SECBIT_NOROOT_LOCKED));
	ASSERT_TRUE(image_set(&root, "cred.securebits",
			      SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED));
	EXPECT_EQ(TINY_GOOD, restart_locked(&root, 0));
	EXPECT_EQ(EPERM, restart_locked(&root, SECBIT_NO_SETUID_FIXUP_LOCKED));
	ASSERT_TRUE(image_set(&root, "cred.securebits",
			      SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED));
	EXPECT_EQ(EPERM, restart_locked(&root, SECBIT_KEEP_CAPS_LOCKED));
	image_free(&root);
}

/* All that root has, at once: an image of root's own. */
TEST_F_TIMEOUT(user, image_of_root, LIMIT)
{
	struct image image;

	ASSERT_TRUE(make_tiny_image("rich", "root", 0));
	ASSERT_TRUE(image_load(&image, "root"));
	EXPECT_EQ(EPERM, restart_as_user(&image, NULL));
	image_free(&image);
}

/* It has others, which say what comes behind it. */
static bool add_flag(struct image *image, u64 flag)
{
	u64 flags;

	return image_get(image, "task.flags", &flags) &&
	       image_set(image, "task.flags", flags | flag);
}

static void set_no_new_privs(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

TEST_F_TIMEOUT(user, no_new_privs, LIMIT)
{
	EXPECT_EQ(EPERM, restart_as_user(&self->image, set_no_new_privs));
	ASSERT_TRUE(add_flag(&self->image, CKPT_TASK_NO_NEW_PRIVS));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, set_no_new_privs));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, NULL));
}

static u32 nr_signals;

static void count(int signal)
{
	(void)signal;
	nr_signals++;
}

/* Who restarts a process is told of its end as he has asked for. */
TEST_F_TIMEOUT(user, exit_signal, LIMIT)
{
	int fd = memfd_create("image", MFD_CLOEXEC), status;
	pid_t pid;

	ASSERT_TRUE(image_set(&self->image, "task.exit_signal", SIGUSR1));
	image_seal(&self->image);
	ASSERT_TRUE(image_store_fd(&self->image, fd));
	signal(SIGUSR1, count);
	pid = restart_from_fd(fd, 0, NONE);
	ASSERT_GT(pid, 0);
	/* Without __WALL: it is an ordinary child. */
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(TINY_GOOD, WEXITSTATUS(status));
	EXPECT_EQ(0, nr_signals);
	close(fd);
}

static void be_idle(void)
{
	struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_IDLE, &none);
}

static void reset_on_fork(void)
{
	struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

/* What cannot be given up by a system call. */
TEST_F_TIMEOUT(user, scheduling, LIMIT)
{
	EXPECT_EQ(EPERM, restart_as_user(&self->image, be_idle));
	EXPECT_EQ(EPERM, restart_as_user(&self->image, reset_on_fork));
	ASSERT_TRUE(add_flag(&self->image, CKPT_TASK_RESET_ON_FORK));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, reset_on_fork));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, NULL));
}

static void dispatch_calls(void)
{
	static char selector;

	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector))
		_exit(99);
}

/* It points into the memory that the restart replaces. */
TEST_F_TIMEOUT(user, syscall_dispatch, LIMIT)
{
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, dispatch_calls));
}

static void refuse_exec_gain(void)
{
	prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
}

TEST_F_TIMEOUT(user, mdwe, LIMIT)
{
	u64 flags;

	EXPECT_EQ(EPERM, restart_as_user(&self->image, refuse_exec_gain));
	ASSERT_TRUE(image_get(&self->image, "mm.flags", &flags));
	ASSERT_TRUE(image_set(&self->image, "mm.flags", flags | 0x10));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, refuse_exec_gain));
}

static void lower_hard_limits(void)
{
	struct rlimit limit = { 60, 60 };

	setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F_TIMEOUT(user, hard_limits, LIMIT)
{
	char what[32];
	int limit;

	for (limit = 0; limit < RLIM_NLIMITS; limit++) {
		struct image image;
		struct rlimit own;
		u64 old;

		ASSERT_TRUE(image_copy(&image, &self->image));
		snprintf(what, sizeof(what), "signal.rlim_max[%d]", limit);
		ASSERT_TRUE(image_get(&image, what, &old));
		ASSERT_EQ(0, getrlimit(limit, &own));
		if (own.rlim_max != RLIM_INFINITY) {
			ASSERT_TRUE(image_set(&image, what, own.rlim_max + 1));
			EXPECT_EQ(EPERM, restart_as_user(&image, NULL)) {
				TH_LOG("limit %d", limit);
			}
		}
		image_free(&image);
	}
	EXPECT_EQ(EPERM, restart_as_user(&self->image, lower_hard_limits));
	ASSERT_TRUE(image_set(&self->image, "signal.rlim_max[7]", 60));
	ASSERT_TRUE(image_set(&self->image, "signal.rlim_cur[7]", 60));
	EXPECT_EQ(TINY_GOOD, restart_as_user(&self->image, lower_hard_limits));
}

static void forbid_locking(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static void forbid_queueing(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_SIGPENDING, &limit);
}

static void lower_limits_of_image(struct image *image, int limit)
{
	char what[32];

	snprintf(what, sizeof(what), "signal.rlim_cur[%d]", limit);
	image_set(image, what, 0);
	snprintf(what, sizeof(what), "signal.rlim_max[%d]", limit);
	image_set(image, what, 0);
}

/* Soft limits are in force while the process is restored. */
TEST_F_TIMEOUT(user, limits_in_force, LIMIT)
{
	struct image image;

	ASSERT_TRUE(image_copy(&image, &self->image));
	lower_limits_of_image(&image, RLIMIT_MEMLOCK);
	EXPECT_EQ(EPERM, restart_as_user(&image, forbid_locking));
	image_free(&image);

	ASSERT_TRUE(image_copy(&image, &self->image));
	lower_limits_of_image(&image, RLIMIT_SIGPENDING);
	EXPECT_EQ(EAGAIN, restart_as_user(&image, forbid_queueing));
	image_free(&image);

	/* A descriptor that dup2() would not give. */
	ASSERT_TRUE(image_copy(&image, &self->image));
	ASSERT_TRUE(image_set(&image, "file_desc[3].fd", 5000000));
	EXPECT_EQ(EMFILE, restart_as_user(&image, NULL));
	image_free(&image);
}

/* The text of the record that names the file of a descriptor. */
static long text_of_file(struct image *image, const char *text)
{
	unsigned int index;

	for (index = 0; index < image_count(image, "string"); index++) {
		long at = image_find(image, "string", index);

		if (!strcmp(image_text(image, at), text))
			return at;
	}
	return -1;
}

/* Files are opened with the rights of the user, not of whoever had them open. */
TEST_F_TIMEOUT(user, files_of_others, LIMIT)
{
	unsigned int index;
	struct image image;
	long at;
	int fd;

	/* A name as long as the one it takes the place of. */
	fd = open("imagX", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_GE(fd, 0);
	close(fd);
	ASSERT_TRUE(image_copy(&image, &self->image));
	for (index = 0, at = -1; index < image_count(&image, "string"); index++) {
		char *text;

		at = image_find(&image, "string", index);
		text = (char *)image_text(&image, at);
		if (strlen(text) > 6 && !strcmp(text + strlen(text) - 6, "/image")) {
			text[strlen(text) - 1] = 'X';
			break;
		}
	}
	ASSERT_LT(index, image_count(&image, "string"));
	EXPECT_EQ(EACCES, restart_as_user(&image, NULL));
	image_free(&image);

	/* One that may only be read is not opened for writing. */
	at = text_of_file(&self->image, "/dev/zero");
	ASSERT_GE(at, 0);
	ASSERT_EQ(0, chmod("image", 0444));
	ASSERT_EQ(0, chown("image", 0, 0));
	EXPECT_EQ(EACCES, restart_as_user(&self->image, NULL));
}

/* Another root directory is for who may change it. */
TEST_F_TIMEOUT(user, root_directory, LIMIT)
{
	struct ckpt_string {
		u32 type, len;
		char text[8];
	} *root;
	long fs = image_find(&self->image, "fs", 0);

	ASSERT_GE(fs, 0);
	/* Behind the record are two strings: "/" and the working directory. */
	root = image_at(&self->image, fs + 16, sizeof(*root));
	ASSERT_NE(NULL, root);
	ASSERT_EQ(0, strcmp(root->text, "/"));
	memcpy(root->text, "/tmp", 5);
	EXPECT_EQ(EPERM, restart_as_user(&self->image, NULL));
}

TEST_HARNESS_MAIN
