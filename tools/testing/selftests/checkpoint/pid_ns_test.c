// SPDX-License-Identifier: GPL-2.0
/*
 * Pid namespaces in images: with new ids outside of them, of containers, in 32 levels;
 * what is not saved; and images that tell of namespaces which cannot be.
 */
#include "harness.h"
#include "image_edit.h"
#include "ns_restart.h"

#include <linux/capability.h>
#include <linux/checkpoint_image.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#define NONE		CHECKPOINT_FD_NONE
/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300
/* As many as the kernel allows below the first one. */
#define LEVELS		32

FIXTURE(pid_ns)
{
	char dir[PATH_MAX / 2];
	char path[PATH_MAX / 2];
};

FIXTURE_SETUP(pid_ns)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	ASSERT_TRUE(enter_directory(self->dir, "pid_ns", 0777));
	ASSERT_NE(NULL, getcwd(self->path, sizeof(self->path)));
}

FIXTURE_TEARDOWN(pid_ns)
{
	EXPECT_FALSE(leaves_children());
	leave_directory(self->dir);
}

static pid_t fork_with(u64 flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	return syscall(SYS_clone3, &args, sizeof(args));
}

static void stay(void)
{
	for (;;)
		pause();
}

static void choose_namespace(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 || setns(fd, CLONE_NEWPID))
		_exit(90);
	close(fd);
}

/* A child in a namespace of its own. */
static void have_init(void)
{
	if (!fork_with(CLONE_NEWPID))
		stay();
}

/* And another one in that namespace. */
static void have_two(void)
{
	pid_t init = fork_with(CLONE_NEWPID);

	if (!init)
		stay();
	choose_namespace(init);
	if (!fork())
		stay();
	choose_namespace(getpid());
}

static void have_empty(void)
{
	unshare(CLONE_NEWPID);
}

static void have_two_empty(void)
{
	unshare(CLONE_NEWPID);
	/* Somebody who has one, too, and does not inherit it. */
	choose_namespace(getpid());
	if (!fork()) {
		unshare(CLONE_NEWPID);
		stay();
	}
	unshare(CLONE_NEWPID);
}

static void nest(int levels)
{
	if (levels && !fork_with(CLONE_NEWPID)) {
		nest(levels - 1);
		stay();
	}
}

static void have_deep(void)
{
	nest(LEVELS - 1);
}

static void have_deepest(void)
{
	nest(LEVELS);
}

static void have_user(void)
{
	if (!fork_with(CLONE_NEWUSER | CLONE_NEWPID))
		stay();
}

static pid_t join;

/* In somebody else's container. */
static void have_joined(void)
{
	choose_namespace(join);
	if (!fork())
		stay();
	choose_namespace(getpid());
}

static void will_join(void)
{
	choose_namespace(join);
}

/* What a process can see and has none of is left out: /proc and files of ours. */
static pid_t start(u64 flags, void (*body)(void))
{
	pid_t pid = fork_with(flags);

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		syscall(SYS_close_range, 0, ~0U, 0);
		body();
		stay();
	}
	return pid > 0 && wait_blocked(pid, NR64_PAUSE) ? pid : 0;
}

/* Their ids, with spaces between them. */
static void read_children(pid_t pid, char *text, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	close(fd);
}

/* All its descendants are where they stay. */
static bool is_settled(pid_t pid)
{
	char text[256], *at = text, *end;

	if (!wait_blocked(pid, NR64_PAUSE))
		return false;
	read_children(pid, text, sizeof(text));
	for (; (pid = strtol(at, &end, 10)); at = end)
		if (!is_settled(pid))
			return false;
	return true;
}

static pid_t only_child_of(pid_t pid)
{
	char text[32];

	read_children(pid, text, sizeof(text));
	return atoi(text);
}

static void end(pid_t pid)
{
	kill_and_reap(pid);
	end_children();
}

/* An image of it; it is gone. */
static bool make_image(struct image *image, u64 flags, void (*body)(void))
{
	pid_t pid = start(flags, body);
	bool good;

	good = pid && is_settled(pid) && save_process_with(pid, CHECKPOINT_SUBTREE) > 0;
	if (!good)
		show_file("log");
	end(pid);
	return good && image_load(image, "image");
}

static bool says(const char *file, const char *word)
{
	if (file_holds(file, word))
		return true;
	show_file(file);
	return complain("%s does not say '%s'", file, word);
}

/* restart(1), which ends with this status; -1: it cannot be started. */
static int run_restart(struct image *image, const char *path, const char *how)
{
	char input[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = { tool_path("restart"), how, "-W", "-v", "-i", input, NULL };

	if (!make_path(input, sizeof(input), path, "edited") ||
	    !make_path(output, sizeof(output), path, "output"))
		return -1;
	image_seal(image);
	unlink("edited");
	unlink("output");
	return image_store(image, input) ? exit_status(spawn(argv, output)) : -1;
}

static bool restarts(struct image *image, const char *path, const char *how)
{
	bool good = !run_restart(image, path, how);

	if (!good)
		show_file("output");
	end_children();
	return good;
}

static bool tool_refuses(struct image *image, const char *path, const char *how,
			 const char *word)
{
	bool good = run_restart(image, path, how) > 0 && says("output", word);

	return good & !leaves_children();
}

/* What the kernel says of it. */
static bool is_refused_by_kernel(struct image *image, const char *word)
{
	int fd, log, error = 0;
	pid_t pid;

	if (!open_both(image, true, &fd, &log))
		return false;
	pid = fork();
	if (!pid)
		stay();
	if (lseek(fd, 0, SEEK_SET) || !sys_restart(pid, fd, 0, log))
		complain("it was restarted");
	else
		error = errno;
	kill_and_reap(pid);
	close(fd);
	close(log);
	if (error != EINVAL)
		return complain("%d", error);
	return says("log", word);
}

/* The subjects again, with other ids outside of the namespaces. */
TEST_F_TIMEOUT(pid_ns, new_ids, LIMIT)
{
	static const char * const plans[] = {
		"one", "deep", "wide", "dead", "orphans", "children", "entered",
	};
	size_t index;

	for (index = 0; index < sizeof(plans) / sizeof(*plans); index++) {
		struct subject_run run = { .arg = plans[index] };
		char image[PATH_MAX], log[PATH_MAX];
		bool good;
		pid_t tool;

		ASSERT_EQ(0, mkdir(plans[index], 0755));
		ASSERT_TRUE(make_path(run.dir, sizeof(run.dir), self->path, plans[index]));
		ASSERT_TRUE(make_path(image, sizeof(image), run.dir, "image"));
		ASSERT_TRUE(make_path(log, sizeof(log), run.dir, "log"));
		snprintf(run.program, sizeof(run.program), "%s",
			 helper_path("subjects/pid_ns"));
		ASSERT_TRUE(subject_map(&run, true));
		run.control->flags |= CONTROL_NEW_PID;
		good = subject_start(&run) && subject_settle(&run, run.pid);
		good = good && save_to(image, run.pid, "log") > 0;
		end(run.pid);
		tool = good ? subject_restart(&run, "--no-pidns", "image") : -1;
		if (tool > 0) {
			subject_go(&run);
			good = subject_verdict(&run, tool);
			good &= reap(tool, 0, "restart(1)");
		}
		EXPECT_TRUE(good && tool > 0) {
			TH_LOG("%s", plans[index]);
			show_file(log);
			snprintf(log, sizeof(log), "%s/restart.out", plans[index]);
			show_file(log);
		}
		end_children();
		subject_unmap(&run);
	}
}

/* All of a container, which has others in it. */
TEST_F_TIMEOUT(pid_ns, container, LIMIT)
{
	struct image image;
	pid_t pid, stranger;

	pid = start(CLONE_NEWPID, have_two);
	ASSERT_TRUE(pid && is_settled(pid));
	EXPECT_GT(save_process_with(pid, 0), 0) show_file("log");
	ASSERT_TRUE(image_load(&image, "image"));
	EXPECT_EQ(1, image_count(&image, "pid_ns"));
	EXPECT_EQ(2, image_count(&image, "nested_pid"));
	join = pid;
	stranger = start(0, have_joined);
	ASSERT_TRUE(stranger && is_settled(stranger));
	EXPECT_EQ(-EBUSY, save_process_with(pid, 0));
	EXPECT_TRUE(says("log", "has entered the pid namespace from outside"));
	end(stranger);
	end(pid);
	EXPECT_TRUE(restarts(&image, self->path, "--pidns"));
	image_free(&image);
}

/* As deep as it goes; and one more is too deep. */
TEST_F_TIMEOUT(pid_ns, levels, LIMIT)
{
	struct {
		struct ckpt_hdr_objref objref;
		struct ckpt_hdr_pid_ns pid_ns;
	} deeper = {
		.objref	= {
			.h = { CKPT_HDR_OBJREF, sizeof(deeper.objref) },
			.objtype = CKPT_OBJ_PID_NS, .objref = LEVELS + 1,
		},
		.pid_ns	= {
			.h = { CKPT_HDR_PID_NS, sizeof(deeper.pid_ns) }, .parent = LEVELS,
		},
	};
	struct image image, more;
	long at;

	/* clone3() takes no more ids than for so many. */
	ASSERT_TRUE(make_image(&image, 0, have_deep));
	EXPECT_TRUE(restarts(&image, self->path, "--pids"));
	EXPECT_TRUE(restarts(&image, self->path, "--pidns"));
	image_free(&image);

	ASSERT_TRUE(make_image(&image, 0, have_deepest));
	EXPECT_EQ(LEVELS, image_count(&image, "pid_ns"));
	EXPECT_EQ(LEVELS * (LEVELS + 1) / 2, image_count(&image, "nested_pid"));
	EXPECT_TRUE(restarts(&image, self->path, "--no-pidns"));
	EXPECT_TRUE(tool_refuses(&image, self->path, "--pids", "nested too deep"));
	EXPECT_TRUE(tool_refuses(&image, self->path, "--pidns", "nested too deep"));

	at = image_next(&image, image_find(&image, "pid_ns", LEVELS - 1));
	ASSERT_GT(at, 0);
	more.len = image.len + sizeof(deeper);
	more.room = more.len;
	more.data = malloc(more.len);
	memcpy(more.data, image.data, at);
	memcpy(more.data + at, &deeper, sizeof(deeper));
	memcpy(more.data + at + sizeof(deeper), image.data + at, image.len - at);
	EXPECT_TRUE(is_refused_by_kernel(&more, "pid namespaces are nested too deep"));
	image_free(&more);
	image_free(&image);
}

#define NO_INIT	"the init of its pid namespace or that of its children, is not saved"

/* It would not be what it was. */
TEST_F_TIMEOUT(pid_ns, refused, LIMIT)
{
	pid_t pid, other, stranger;

	pid = start(0, have_user);
	ASSERT_TRUE(pid && is_settled(pid));
	EXPECT_EQ(-EPERM, save_process_with(pid, CHECKPOINT_SUBTREE));
	EXPECT_TRUE(says("log", "its pid namespace belongs to another user namespace"));
	end(pid);

	/* Children of these two are in the namespace of a third one, or would be. */
	other = start(CLONE_NEWPID, have_init);
	ASSERT_TRUE(other && is_settled(other));
	join = other;
	pid = start(0, will_join);
	ASSERT_TRUE(pid && is_settled(pid));
	EXPECT_EQ(-EBUSY, save_process_with(pid, CHECKPOINT_SUBTREE));
	EXPECT_TRUE(says("log", NO_INIT));
	kill_and_reap(pid);
	pid = start(0, have_joined);
	ASSERT_TRUE(pid && is_settled(pid));
	EXPECT_EQ(-EBUSY, save_process_with(pid, CHECKPOINT_SUBTREE));
	EXPECT_TRUE(says("log", NO_INIT));
	end(pid);

	pid = start(0, have_init);
	ASSERT_TRUE(pid && is_settled(pid));
	EXPECT_GT(save_process_with(pid, CHECKPOINT_SUBTREE), 0) show_file("log");
	join = only_child_of(pid);
	ASSERT_GT(join, 0);
	stranger = start(0, have_joined);
	ASSERT_TRUE(stranger && is_settled(stranger));
	EXPECT_EQ(-EBUSY, save_process_with(pid, CHECKPOINT_SUBTREE));
	EXPECT_TRUE(says("log", "has entered the pid namespace from outside"));
	end(stranger);
}

#define BAD_ORDER	"are not in the order of its pid namespaces"
#define NOT_EACH	"has not an id in each of its pid namespaces"
#define IN_RANGE	"value out of range"
#define NO_OBJECT	"reference to no such object"
#define NOT_BELOW	"is in a pid namespace that is not below that of its parent"
#define MISPLACED	"a pid namespace with tasks is not among their ids, or one without is"

/* Of a process, the init of a namespace and another one there, both its children. */
static const struct {
	const char *what;
	u64 value;
	const char *word;
} claims[] = {
	{ "pid_ns.parent", 1, NO_OBJECT },
	{ "pid_ns.state", CKPT_PID_NS_EMPTY, MISPLACED },
	{ "pid_ns.state", CKPT_PID_NS_DEAD, MISPLACED },
	{ "pid_ns.state", 3, IN_RANGE },
	{ "pid_ns.next_pid", (1 << 22) + 1, IN_RANGE },
	{ "pid_ns.memfd_noexec", 3, IN_RANGE },
	{ "pids[0].pid_ns", 1, NO_OBJECT },
	{ "pids[1].pid_ns", 2, NO_OBJECT },
	{ "pids[1].pid_ns", 0, "is the init of a pid namespace that is not its own" },
	{ "pids[2].pid_ns", 0, NOT_EACH },
	{ "pids[1].flags", CKPT_PIDS_DEAD,
	  "a pid namespace has other tasks than task 1, its init, which is dead" },
	{ "tree.nr_nested_pids", 1, NOT_EACH },
	{ "tree.nr_nested_pids", 0, NOT_EACH },
	{ "tree.nr_nested_pids", 3, "instead of nested_pid" },
	{ "nested_pid[0].pid_ns", 0, NO_OBJECT },
	{ "nested_pid[0].pid_ns", 2, NO_OBJECT },
	{ "nested_pid[0].nested_pid", 0, IN_RANGE },
	{ "nested_pid[0].nested_pid", 5, "a pid namespace has no init" },
	{ "nested_pid[1].nested_pid", 1, "two tasks have the id 1 in a pid namespace" },
	{ "nested_pid[0].pid", 4000000, NOT_EACH },
	{ "nested_pid[1].pid", 4000000, NOT_EACH },
	{ "nested_pid[0].reserved", 1, "reserved field is not zero" },
};

TEST_F_TIMEOUT(pid_ns, claims, LIMIT)
{
	struct image image, claim;
	u64 init;
	size_t index;

	ASSERT_TRUE(make_image(&image, 0, have_two));
	for (index = 0; index < sizeof(claims) / sizeof(*claims); index++) {
		ASSERT_TRUE(image_copy(&claim, &image));
		ASSERT_TRUE(image_set(&claim, claims[index].what, claims[index].value));
		EXPECT_TRUE(is_refused_by_kernel(&claim, claims[index].word)) {
			TH_LOG("%s = %llu", claims[index].what,
			       (unsigned long long)claims[index].value);
		}
		EXPECT_NE(0, run_restart(&claim, self->path, "--pidns"));
		EXPECT_FALSE(leaves_children());
		image_free(&claim);
	}
	ASSERT_TRUE(image_get(&image, "pids[1].pid", &init));
	ASSERT_TRUE(image_copy(&claim, &image));
	image_set(&claim, "nested_pid[1].pid", init);
	EXPECT_TRUE(is_refused_by_kernel(&claim, BAD_ORDER));
	image_free(&claim);
	image_set(&image, "pids[2].ppid", init);
	image_set(&image, "pids[2].pid_ns", 0);
	EXPECT_TRUE(is_refused_by_kernel(&image, NOT_BELOW));
	image_free(&image);
}

/* Where they wait: outside, in one each, or where they were. */
enum { FLAT, APART, RIGHT };

/* Who waits to be restored, in these namespaces or those. */
static void wait_there(int how)
{
	pid_t init = fork_with(how == FLAT ? 0 : CLONE_NEWPID);

	if (!init) {
		sys_restart(0, 1, 0, NONE);
		_exit(0);
	}
	if (how == RIGHT)
		choose_namespace(init);
	if (!fork_with(how == APART ? CLONE_NEWPID : 0)) {
		sys_restart(0, 2, 0, NONE);
		_exit(0);
	}
	if (how == RIGHT)
		choose_namespace(getpid());
	sys_restart(0, 0, 0, NONE);
	_exit(0);
}

/* With a right dropped by who coordinates. Return: errno. */
static int coordinate(struct image *image, int how, int capability)
{
	int fd, log, error;
	pid_t coordinator, pid;

	if (!open_both(image, true, &fd, &log) || lseek(fd, 0, SEEK_SET))
		return -1;
	coordinator = fork();
	if (!coordinator) {
		pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			wait_there(how);
		}
		if (capability >= 0)
			drop_capability(capability);
		error = sys_restart(pid, fd, 0, log) ? errno : 0;
		_exit(error);
	}
	error = exit_status(coordinator);
	close(fd);
	close(log);
	end_children();
	return error;
}

#define BECOMES		"who would become task "
#define WHERE		" is no task in the pid namespace where it was"

/* An image says where they were, and that is where they must be. */
TEST_F_TIMEOUT(pid_ns, elsewhere, LIMIT)
{
	struct image image;

	ASSERT_TRUE(make_image(&image, 0, have_two));
	EXPECT_EQ(0, coordinate(&image, RIGHT, -1)) show_file("log");
	EXPECT_EQ(EINVAL, coordinate(&image, FLAT, -1));
	EXPECT_TRUE(says("log", BECOMES "1" WHERE));
	EXPECT_EQ(EINVAL, coordinate(&image, APART, -1));
	EXPECT_TRUE(says("log", BECOMES "2" WHERE));
	EXPECT_EQ(EPERM, coordinate(&image, RIGHT, CAP_SYS_ADMIN));
	EXPECT_TRUE(says("log", "no right to a pid namespace"));
	image_set(&image, "nested_pid[1].nested_pid", 7);
	EXPECT_EQ(EINVAL, coordinate(&image, RIGHT, -1));
	EXPECT_TRUE(says("log", BECOMES "2 is no task with its id in a pid namespace"));
	image_free(&image);

	/* And in one alone, if the image says so. */
	ASSERT_TRUE(make_image(&image, 0, stay));
	EXPECT_TRUE(restarts(&image, self->path, "--pidns"));
	image_free(&image);
}

/* A namespace that nobody is in yet. */
TEST_F_TIMEOUT(pid_ns, empty, LIMIT)
{
	struct image image, claim;
	u64 first;

	ASSERT_TRUE(make_image(&image, 0, have_empty));
	EXPECT_EQ(1, image_count(&image, "pid_ns"));
	EXPECT_EQ(0, image_count(&image, "nested_pid"));
	EXPECT_EQ(EPERM, restart_without(&image, 0, CAP_SYS_ADMIN));
	EXPECT_TRUE(says("log", "no right to create a namespace: pid"));
	ASSERT_TRUE(image_copy(&claim, &image));
	image_set(&claim, "nsproxy.pid_ns_for_children", 0);
	EXPECT_TRUE(is_refused(&claim, 0, EINVAL,
			       "a set of namespaces that are all the caller's"));
	image_free(&claim);
	image_set(&image, "pid_ns.state", CKPT_PID_NS_INHABITED);
	EXPECT_TRUE(is_refused(&image, 0, EINVAL, MISPLACED));
	image_free(&image);

	ASSERT_TRUE(make_image(&image, 0, have_two_empty));
	EXPECT_EQ(2, image_count(&image, "pid_ns"));
	EXPECT_TRUE(restarts(&image, self->path, "--pidns"));
	ASSERT_TRUE(image_get(&image, "nsproxy[0].pid_ns_for_children", &first));
	ASSERT_TRUE(image_copy(&claim, &image));
	image_set(&claim, "nsproxy[1].pid_ns_for_children", first);
	EXPECT_TRUE(tool_refuses(&claim, self->path, "--pidns",
				 "a pid namespace without an init is for the children of"));
	image_free(&claim);
	image_set(&image, "pid_ns[1].parent", first);
	EXPECT_TRUE(tool_refuses(&image, self->path, "--pidns",
				 "a pid namespace is in one that has no init"));
	image_free(&image);
}

TEST_HARNESS_MAIN
