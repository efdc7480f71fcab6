// SPDX-License-Identifier: GPL-2.0
/*
 * Images with seccomp filters that somebody has edited; and who is under seccomp:
 * he may neither restart anything nor save the filters of others.
 */
#include "harness.h"
#include "image_edit.h"

#include <grp.h>
#include <linux/checkpoint_image.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "tiny.h"

#define NONE	CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300
/* What getppid() gives where it is forbidden. */
#define ERROR	33
#define ROOT	0

FIXTURE(seccomp)
{
	char dir[PATH_MAX / 2];
	struct image image;
};

static bool add(const struct sock_filter *code, size_t len)
{
	struct sock_fprog program = { len, (struct sock_filter *)code };

	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static bool forbid_getppid(void)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ERROR),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return add(code, 4);
}

static bool allow_all(void)
{
	const struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	return add(&code, 1);
}

/* As many of the longest filters as there can be. */
static void fill_up(void)
{
	static struct sock_filter code[BPF_MAXINSNS];
	size_t index;

	for (index = 0; index < BPF_MAXINSNS; index++)
		code[index] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, index);
	code[index - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	while (add(code, BPF_MAXINSNS))
		;
}

static void be_user(uid_t uid)
{
	if (uid && (setgroups(0, NULL) || setgid(uid) || setuid(uid)))
		_exit(99);
}

/* Waits for a file; is it still confined then? */
static void be_confined(void (*more)(void))
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	be_user(ORDINARY_UID);
	/* Another user than its parent's, and to be saved by itself. */
	prctl(PR_SET_DUMPABLE, 1);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || !allow_all() || !forbid_getppid())
		_exit(98);
	if (more)
		more();
	while (access("go", F_OK))
		poll(NULL, 0, 20);
	_exit(syscall(SYS_getppid) < 0 && errno == ERROR ? TINY_GOOD : TINY_BROKEN);
}

/* Until it waits, and its filters are there. */
static pid_t start_confined(void (*more)(void))
{
	pid_t pid = fork();

	if (!pid)
		be_confined(more);
	if (wait_blocked(pid, NR64_POLL))
		return pid;
	kill_and_reap(pid);
	return 0;
}

static bool make_image(struct image *image, void (*more)(void))
{
	pid_t pid = start_confined(more);
	bool good;

	if (!pid)
		return false;
	good = save_to("image", pid, "log") > 0 && image_load(image, "image");
	kill_and_reap(pid);
	return good;
}

/* Whoever waits looks whether it is confined. */
static bool let_go(void)
{
	return !mknod("go", S_IFREG | 0644, 0);
}

FIXTURE_SETUP(seccomp)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root to begin with");
	ASSERT_TRUE(enter_directory(self->dir, "seccomp", 0777));
	ASSERT_TRUE(make_image(&self->image, NULL)) {
		show_file("log");
	}
	ASSERT_TRUE(let_go());
}

FIXTURE_TEARDOWN(seccomp)
{
	image_free(&self->image);
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

/* An image for who restarts, and an empty log. */
static bool open_both(struct image *image, int *fd, int *log)
{
	*fd = memfd_create("image", MFD_CLOEXEC);
	*log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	image_seal(image);
	return *fd >= 0 && *log >= 0 && image_store_fd(image, *fd);
}

/* Exit status of who becomes the process of the image; its errno if it cannot. */
static int restart_as(struct image *image, uid_t uid, bool (*prepare)(void))
{
	int fd, log, status = -1;
	pid_t pid;

	if (!open_both(image, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_user(uid);
		if (prepare && !prepare())
			_exit(97);
		sys_restart(0, fd, RESTART_TASKSELF, log);
		_exit(errno);
	}
	close(fd);
	close(log);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

/* Is that image refused, with this message? */
static bool is_refused(struct image *image, uid_t uid, int error, const char *word)
{
	int got = restart_as(image, uid, NULL);

	if (got != error)
		return complain("%d, not %d", got, error);
	if (!file_holds("log", word)) {
		show_file("log");
		return complain("the log does not say '%s'", word);
	}
	return true;
}

TEST_F_TIMEOUT(seccomp, unchanged, LIMIT)
{
	EXPECT_EQ(2, image_count(&self->image, "seccomp_filter"));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ORDINARY_UID, NULL));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ROOT, NULL));
}

/* Behind the record and the header of the buffer. */
static struct sock_filter *instruction(struct image *image, unsigned int filter,
				       unsigned int number)
{
	long at = image_find(image, "seccomp_filter", filter);

	return image_at(image, at + sizeof(struct ckpt_hdr_seccomp_filter) +
			sizeof(struct ckpt_hdr_buffer) + number * sizeof(struct sock_filter),
			sizeof(struct sock_filter));
}

static const struct {
	unsigned int number;
	struct sock_filter code;
} bad_instructions[] = {
	{ 0, BPF_STMT(0xffff, 0) },
	{ 0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(struct seccomp_data)) },
	{ 0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2) },
	{ 0, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0) },
	{ 0, BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0) },
	{ 0, BPF_STMT(BPF_LD | BPF_MEM, 3) },
	{ 0, BPF_STMT(BPF_LD | BPF_MEM, 1000) },
	{ 0, BPF_STMT(BPF_ST, 16) },
	{ 0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0) },
	{ 0, BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32) },
	{ 1, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0) },
	{ 1, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 255) },
	{ 1, BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff) },
	{ 2, BPF_STMT(BPF_RET | BPF_X, 0) },
	{ 3, BPF_STMT(BPF_LD | BPF_IMM, 0) },
};

/* What seccomp(2) would not take, a restart does not take either. */
TEST_F_TIMEOUT(seccomp, instructions, LIMIT)
{
	size_t index;

	for (index = 0; index < sizeof(bad_instructions) / sizeof(*bad_instructions); index++) {
		struct image bad;

		ASSERT_TRUE(image_copy(&bad, &self->image));
		*instruction(&bad, 1, bad_instructions[index].number) =
			bad_instructions[index].code;
		EXPECT_TRUE(is_refused(&bad, ORDINARY_UID, EINVAL,
				       "32 bytes that are no seccomp filter")) {
			TH_LOG("instruction %zu", index);
		}
		image_free(&bad);
	}
	/* What a filter says is another matter. */
	instruction(&self->image, 1, 2)->k = SECCOMP_RET_ALLOW;
	EXPECT_EQ(TINY_BROKEN, restart_as(&self->image, ORDINARY_UID, NULL));
}

TEST_F_TIMEOUT(seccomp, length, LIMIT)
{
	struct ckpt_hdr_buffer *buffer;
	long at;

	instruction(&self->image, 1, 3)->k = 0;
	at = image_next(&self->image, image_find(&self->image, "seccomp_filter", 1));
	buffer = image_at(&self->image, at, sizeof(*buffer));
	ASSERT_NE(NULL, buffer);
	buffer->nbytes -= 4;
	EXPECT_TRUE(is_refused(&self->image, ORDINARY_UID, EINVAL,
			       "28 bytes that are no seccomp filter"));
}

#define FLAGS(bits)	"task.flags", (bits)
#define NNP		CKPT_TASK_NO_NEW_PRIVS
#define STRICT		CKPT_TASK_SECCOMP_STRICT

TEST_F_TIMEOUT(seccomp, fields, LIMIT)
{
	static const char no_object[] = "reference to no such object";
	struct image *image = &self->image;
	u64 newest, oldest, cred;

	ASSERT_TRUE(image_get(image, "task_objs.seccomp_filter", &newest));
	ASSERT_TRUE(image_get(image, "seccomp_filter[1].prev", &oldest));
	ASSERT_TRUE(image_get(image, "task_objs.cred", &cred));
	ASSERT_EQ(newest, oldest + 1);

	/* Itself, one that comes later, and none. */
	image_set(image, "seccomp_filter[1].prev", newest);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, no_object));
	image_set(image, "seccomp_filter[1].prev", cred);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, no_object));
	image_set(image, "seccomp_filter[1].prev", oldest);
	image_set(image, "seccomp_filter[0].prev", newest);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, no_object));
	image_set(image, "seccomp_filter[0].prev", 0);
	image_set(image, "task_objs.seccomp_filter", newest + 1);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, no_object));
	image_set(image, "task_objs.seccomp_filter", cred);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, no_object));
	image_set(image, "task_objs.seccomp_filter", newest);

	image_set(image, "seccomp_filter[1].flags", 2);
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL, "unknown bits"));
	image_set(image, "seccomp_filter[1].flags", CKPT_SECCOMP_LOG);
	EXPECT_EQ(TINY_GOOD, restart_as(image, ORDINARY_UID, NULL));

	image_set(image, FLAGS(NNP | STRICT));
	EXPECT_TRUE(is_refused(image, ORDINARY_UID, EINVAL,
			       "strict mode of seccomp with filters"));
}

/* A filter for a program that could become another user is for the privileged. */
TEST_F_TIMEOUT(seccomp, no_new_privs, LIMIT)
{
	image_set(&self->image, FLAGS(0));
	EXPECT_TRUE(is_refused(&self->image, ORDINARY_UID, EPERM,
			       "no right to seccomp filters without no_new_privs"));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ROOT, NULL));
}

/* Whoever starts a program decides what confines it. */
TEST_F_TIMEOUT(seccomp, left_out, LIMIT)
{
	image_set(&self->image, "task_objs.seccomp_filter", 0);
	EXPECT_EQ(TINY_BROKEN, restart_as(&self->image, ORDINARY_UID, NULL));
}

/* Another filter like the newest, on top of that. */
static bool add_filter(struct image *image)
{
	long at = image_find(image, "seccomp_filter",
			     image_count(image, "seccomp_filter") - 1);
	long from = at - sizeof(struct ckpt_hdr_objref);
	long end = image_next(image, image_next(image, at));
	size_t bytes = end - from;
	struct ckpt_hdr_objref *object;
	struct ckpt_hdr_seccomp_filter *filter;
	unsigned char *data;
	u64 newest;

	if (at < 0 || end < 0 || !image_get(image, "task_objs.seccomp_filter", &newest))
		return false;
	data = realloc(image->data, image->room + bytes);
	if (!data)
		return false;
	image->data = data;
	image->room += bytes;
	memmove(data + end + bytes, data + end, image->len - end);
	memcpy(data + end, data + from, bytes);
	image->len += bytes;
	object = (void *)(data + end);
	filter = (void *)(object + 1);
	if (object->h.type != CKPT_HDR_OBJREF || object->objref != newest)
		return complain("the last object is no filter");
	object->objref++;
	filter->prev = newest;
	return image_set(image, "task_objs.seccomp_filter", newest + 1);
}

TEST_F_TIMEOUT(seccomp, too_many, LIMIT)
{
	struct image image;

	ASSERT_EQ(0, unlink("go"));
	ASSERT_TRUE(make_image(&image, fill_up));
	ASSERT_TRUE(let_go());
	EXPECT_LT(4, image_count(&image, "seccomp_filter"));
	EXPECT_EQ(TINY_GOOD, restart_as(&image, ORDINARY_UID, NULL));
	ASSERT_TRUE(add_filter(&image));
	EXPECT_TRUE(is_refused(&image, ORDINARY_UID, EINVAL, "seccomp filters of "));
	image_free(&image);

	ASSERT_TRUE(add_filter(&self->image));
	EXPECT_EQ(TINY_GOOD, restart_as(&self->image, ORDINARY_UID, NULL));
}

static bool confine(void)
{
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && allow_all();
}

/* An image could open files for him that his filter does not let him open. */
TEST_F_TIMEOUT(seccomp, caller_under_seccomp, LIMIT)
{
	static const char why[] = "the caller is under seccomp";
	struct image image;

	EXPECT_EQ(EPERM, restart_as(&self->image, ORDINARY_UID, confine));
	EXPECT_TRUE(file_holds("log", why));
	EXPECT_EQ(EPERM, restart_as(&self->image, ROOT, confine));
	EXPECT_TRUE(file_holds("log", why));
	/* Nor without the filters. */
	ASSERT_TRUE(image_copy(&image, &self->image));
	image_set(&image, "task_objs.seccomp_filter", 0);
	EXPECT_EQ(EPERM, restart_as(&image, ROOT, confine));
	image_free(&image);
}

/* What who coordinates a restart gets, and says. */
static int coordinate(struct image *image, bool (*parent)(void), bool (*child)(void))
{
	int fd, log, status = -1;
	pid_t pid, target;

	if (!open_both(image, &fd, &log))
		return -1;
	pid = fork();
	if (!pid) {
		target = fork();
		if (!target) {
			if (child && !child())
				_exit(97);
			sys_restart(0, 0, 0, NONE);
			_exit(errno);
		}
		if (parent && !parent())
			_exit(97);
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
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

TEST_F_TIMEOUT(seccomp, coordinator_under_seccomp, LIMIT)
{
	EXPECT_EQ(TINY_GOOD, coordinate(&self->image, NULL, NULL));
	EXPECT_EQ(EPERM, coordinate(&self->image, confine, NULL));
	EXPECT_TRUE(file_holds("log", "the caller is under seccomp"));
	EXPECT_EQ(EPERM, coordinate(&self->image, NULL, confine));
	EXPECT_TRUE(file_holds("log", "the caller is under seccomp"));
}

/* What who saves a process of his gets. */
static int save_as(pid_t target, uid_t uid, bool (*prepare)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		int fd = memfd_create("image", MFD_CLOEXEC);
		int log = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);

		be_user(uid);
		if (prepare && !prepare())
			_exit(97);
		_exit(sys_checkpoint(target, fd, CHECKPOINT_SUBTREE, log) > 0 ? 0 : errno);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

/* Who is in a sandbox is not to know of what it is made, unless he may anything. */
TEST_F_TIMEOUT(seccomp, saving_under_seccomp, LIMIT)
{
	pid_t pid;

	ASSERT_EQ(0, unlink("go"));
	pid = start_confined(NULL);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, save_as(pid, ORDINARY_UID, NULL));
	EXPECT_EQ(EPERM, save_as(pid, ORDINARY_UID, confine));
	EXPECT_TRUE(file_holds("log", "it has seccomp filters, and the caller is under seccomp"));
	EXPECT_EQ(0, save_as(pid, ROOT, confine));
	kill_and_reap(pid);

	/* What has none is no secret. */
	pid = start_tiny("pause", ORDINARY_UID);
	ASSERT_GT(pid, 0);
	EXPECT_EQ(0, save_as(pid, ORDINARY_UID, confine));
	kill_and_reap(pid);
}

TEST_HARNESS_MAIN
