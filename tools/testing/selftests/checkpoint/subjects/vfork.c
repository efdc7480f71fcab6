// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks that wait in vfork() until a child calls execve() or exits. The argument
 * says who waits for whom, and for what:
 *
 *	exit		the root process, for the end of its child
 *	execve		likewise, for execve()
 *	copied		likewise, for a child with memory of its own
 *	nested		the root process for its child, which waits for one as well
 *	thread		another thread
 *	sibling		a child, for one that has the same parent
 *	handlers	likewise, and the two share their signal handlers
 *
 * The last child waits until the subject may go on. Whoever waits for it finds
 * that it has: a wait that ends too early is noticed.
 */
#include "subject.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define STATUS		7
#define STACK_SIZE	(64 * 1024)

/**
 * struct common - shared by all
 * @root: as it sees itself
 * @sibling: the child that has the parent of the one that waits for it
 * @may_end: the last child was told to go
 * @has_waited: a child has waited for its own child
 */
static struct common {
	pid_t root;
	pid_t sibling;
	u32 may_end;
	u32 has_waited;
} *common;

static pid_t child;
/* Of the thread that waits: until it shall, and until it may end. */
static sem_t begin, end;
static pthread_t waiter;
static char *stack;

static void die_with_parent(void)
{
	need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
}

/* What the last child does. */
static void be_child(long blocked_in)
{
	die_with_parent();
	if (blocked_in)
		subject_ready_for(common->root, blocked_in);
	subject_stay();
	if (mode_is("handlers"))
		signal(SIGUSR1, SIG_IGN);
	WRITE_ONCE(common->may_end, 1);
	if (mode_is("execve"))
		execl("/proc/self/exe", "vfork", SUBJECT_ENDS, NULL);
	_exit(STATUS);
}

static int wanted_status(void)
{
	return mode_is("execve") ? SUBJECT_ENDS_WITH : STATUS;
}

static void check_child(pid_t pid)
{
	pid_t ended;
	int status;

	/* For any child nobody has waited in vfork() here. */
	if (pid > 0)
		check_equal(READ_ONCE(common->may_end), 1, "what the child has done");
	ended = waitpid(pid, &status, 0);
	check(ended > 0 && (pid < 0 || ended == pid), "child %d of %d", ended, pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == wanted_status(), "status %#x", status);
}

/*
 * The stack is that of whoever waits, so what this function keeps there is not to
 * be changed by the child.
 */
static void wait_for_child(void)
{
	pid_t pid = vfork();

	if (!pid)
		be_child(SYS_vfork);
	child = pid;
}

static void wait_for_copy(void)
{
	child = syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, 0);
	if (!child)
		be_child(SYS_clone);
}

static void wait_for_parent(void)
{
	pid_t pid = vfork();

	if (!pid) {
		die_with_parent();
		pid = vfork();
		if (!pid)
			be_child(SYS_vfork);
		check_child(pid);
		WRITE_ONCE(common->has_waited, 1);
		_exit(STATUS);
	}
	child = pid;
	check_equal(READ_ONCE(common->has_waited), 1, "what the grandchild has done");
}

static void *thread(void *unused)
{
	pid_t pid;

	(void)unused;
	sem_wait(&begin);
	pid = vfork();
	if (!pid)
		be_child(0);
	child = pid;
	sem_wait(&end);
	return NULL;
}

static void make_thread(void)
{
	need(!sem_init(&begin, 0, 0) && !sem_init(&end, 0, 0));
	need(!pthread_create(&waiter, NULL, thread, NULL));
}

static void wait_in_thread(void)
{
	sem_post(&begin);
	subject_wait();
}

static void check_thread(void)
{
	sem_post(&end);
	need(!pthread_join(waiter, NULL));
	check_child(child);
}

static void make_stack(void)
{
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	need(stack != MAP_FAILED);
}

static int be_sibling(void *unused)
{
	(void)unused;
	common->sibling = getpid();
	be_child(0);
	return 0;
}

/* The child of the root process makes one that is no child of its own. */
static void wait_for_sibling(void)
{
	child = fork();
	if (!child) {
		pid_t pid;

		die_with_parent();
		pid = clone(be_sibling, stack + STACK_SIZE,
			    CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD |
			    (mode_is("handlers") ? CLONE_SIGHAND : 0), NULL);
		check_equal(READ_ONCE(common->may_end), 1, "what the sibling has done");
		check_equal(signal(SIGUSR1, SIG_DFL) == SIG_IGN, mode_is("handlers"),
			    "handler of the sibling");
		if (!subject_has_new_pid())
			check_equal(pid, common->sibling, "id of the sibling");
		_exit(STATUS);
	}
	need(child > 0);
	subject_wait();
}

static void check_both(void)
{
	check_child(-1);
	check_child(-1);
}

static void check_one(void)
{
	check_child(child);
}

static void setup(void)
{
	common = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	need(common != MAP_FAILED);
	common->root = getpid();
}

static const struct subject_mode modes[] = {
	{ "exit", NULL, check_one, wait_for_child },
	{ "execve", NULL, check_one, wait_for_child },
	{ "copied", NULL, check_one, wait_for_copy },
	{ "nested", NULL, check_one, wait_for_parent },
	{ "thread", make_thread, check_thread, wait_in_thread },
	{ "sibling", make_stack, check_both, wait_for_sibling },
	{ "handlers", make_stack, check_both, wait_for_sibling },
	{ NULL }
};

const struct subject subject = {
	.setup	= setup,
	.modes	= modes,
};
