// SPDX-License-Identifier: GPL-2.0
/*
 * A process and its descendants, which know what they are to each other.
 *
 * All of it is planned before the first is created: who is whose child, who
 * leads a session or a group or joins one, who exits and is not waited for, who
 * exits and leaves orphans that others adopt. The argument is the plan: a name,
 * or "random-N".
 */
#include "subject.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MAX_NODES	48
#define STACK_SIZE	32768

/* struct node.kind */
enum kind {
	LIVE,		/* there to the end */
	EXITED,		/* nobody waits for it before the end */
	KILLED,		/* likewise, by a signal */
	GONE,		/* exits and is waited for; its children are adopted */
};

/* struct node.flags */
#define EARLY		0x01	/* created before its parent leads a session */
#define LEADS_SESSION	0x02
#define LEADS_GROUP	0x04
#define REAPER		0x08	/* adopts orphans */
#define THREADS		0x10	/* has two more */
#define WAITS		0x20	/* sits in wait(), not in futex() */
#define SHARES		0x40	/* has a child more, which has its signal handlers */

/**
 * struct node - one process
 * @parent: who creates it
 * @kind: what becomes of it
 * @flags: see above
 * @joins: node whose group it joins, or 0
 * @pid: its id; so are the others, as it sees them
 * @ppid: parent, at the end that who has adopted it
 * @pgid: process group
 * @sid: session
 */
struct node {
	unsigned int parent;
	enum kind kind;
	unsigned int flags;
	unsigned int joins;
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
};

/**
 * struct forest - shared by all
 * @nodes: the first is the root
 * @nr_nodes: their number
 * @nr_arrived: who has come to each step of the creation
 * @nr_members: who has to
 */
static struct forest {
	struct node nodes[MAX_NODES];
	unsigned int nr_nodes;
	u32 nr_arrived[4];
	u32 nr_members[4];
} *forest;

static u64 seed, nr_drawn;
static u32 gate;
static pid_t sharer;

static unsigned int draw(unsigned int limit)
{
	return pattern_word(seed, nr_drawn++) % limit;
}

static unsigned int add(unsigned int parent, enum kind kind, unsigned int flags)
{
	struct node *node = &forest->nodes[forest->nr_nodes];

	need(forest->nr_nodes < MAX_NODES);
	node->parent = parent;
	node->kind = kind;
	node->flags = flags;
	return forest->nr_nodes++;
}

static unsigned int session_leader(unsigned int index);

/* Leader of the session that a node is created in. */
static unsigned int first_session(unsigned int index)
{
	const struct node *node = &forest->nodes[index];

	if (!index)
		return 0;
	return node->flags & EARLY ? first_session(node->parent) :
				     session_leader(node->parent);
}

static unsigned int session_leader(unsigned int index)
{
	return forest->nodes[index].flags & LEADS_SESSION ? index : first_session(index);
}

static void plan_random(void)
{
	unsigned int wanted = 3 + draw(24);

	forest->nodes[0].flags |= REAPER;
	while (forest->nr_nodes < wanted) {
		unsigned int parent = draw(forest->nr_nodes), index, other;
		struct node *node;

		if (forest->nodes[parent].kind == EXITED ||
		    forest->nodes[parent].kind == KILLED)
			continue;
		index = add(parent, LIVE, 0);
		node = &forest->nodes[index];
		switch (draw(8)) {
		case 0:
			node->kind = EXITED;
			break;
		case 1:
			node->kind = KILLED;
			break;
		case 2:
			node->kind = GONE;
			break;
		}
		if (!draw(4))
			node->flags |= LEADS_SESSION;
		else if (!draw(3))
			node->flags |= LEADS_GROUP;
		if (forest->nodes[parent].flags & LEADS_SESSION && !draw(3))
			node->flags |= EARLY;
		if (node->kind == LIVE && !draw(6))
			node->flags |= THREADS;
		if (node->kind == LIVE && !draw(6))
			node->flags |= REAPER;
		if (node->kind == LIVE && !draw(5))
			node->flags |= SHARES;
		if (node->flags & (LEADS_SESSION | LEADS_GROUP))
			continue;
		other = draw(index);
		if (forest->nodes[other].flags & LEADS_GROUP &&
		    session_leader(other) == session_leader(index))
			node->joins = other;
	}
}

static void make_plan(void)
{
	unsigned int child, other;

	add(0, LIVE, LEADS_SESSION);
	if (mode_is("children")) {
		child = add(0, LIVE, SHARES);
		add(0, LIVE, WAITS | SHARES);
		add(2, LIVE, 0);
		add(child, LIVE, THREADS);
		add(child, LIVE, 0);
	} else if (mode_is("dead")) {
		add(0, EXITED, 0);
		add(0, KILLED, LEADS_GROUP);
		child = add(0, LIVE, 0);
		add(child, EXITED, LEADS_SESSION);
		forest->nodes[add(child, LIVE, 0)].joins = 2;
	} else if (mode_is("groups")) {
		child = add(0, LIVE, LEADS_GROUP);
		other = add(0, GONE, LEADS_GROUP);
		forest->nodes[add(0, LIVE, 0)].joins = child;
		forest->nodes[add(0, LIVE, 0)].joins = other;
		forest->nodes[add(0, EXITED, 0)].joins = other;
		child = add(0, LIVE, LEADS_SESSION);
		add(child, LIVE, EARLY);
		add(child, LIVE, LEADS_GROUP);
		add(child, LIVE, LEADS_SESSION);
	} else if (mode_is("orphans")) {
		forest->nodes[0].flags |= REAPER;
		/* In the root's session, in one of their own, in one whose leader is gone. */
		child = add(0, GONE, 0);
		add(child, LIVE, 0);
		add(child, EXITED, 0);
		child = add(0, LIVE, LEADS_SESSION);
		other = add(child, GONE, 0);
		add(other, LIVE, THREADS);
		child = add(0, GONE, LEADS_SESSION);
		add(child, LIVE, LEADS_GROUP);
		add(child, LIVE, 0);
		/* Adopted by another. */
		child = add(0, LIVE, REAPER | LEADS_SESSION);
		other = add(child, GONE, LEADS_SESSION);
		add(other, LIVE, 0);
	} else if (sscanf(subject_arg, "random-%llu", (unsigned long long *)&seed) == 1) {
		plan_random();
	} else {
		subject_die("no plan %s", subject_arg);
	}
}

static void arrive(unsigned int step)
{
	__atomic_add_fetch(&forest->nr_arrived[step], 1, __ATOMIC_SEQ_CST);
}

static void await(unsigned int step)
{
	while (__atomic_load_n(&forest->nr_arrived[step], __ATOMIC_SEQ_CST) <
	       forest->nr_members[step])
		sched_yield();
}

static void *be_thread(void *unused)
{
	while (!READ_ONCE(gate))
		syscall(SYS_futex, &gate, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return unused;
}

/* In the memory of its parent, which does not look at errno meanwhile. */
static int be_sharer(void *leads_session)
{
	if (leads_session)
		syscall(SYS_setsid);
	be_thread(NULL);
	_exit(signal(SIGUSR2, SIG_DFL) != SIG_IGN);
}

static void create_sharer(unsigned int index)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = CLONE_VM | CLONE_SIGHAND;

	need(stack != MAP_FAILED);
	if (index & 1)
		flags |= CLONE_FILES;
	if (index & 2)
		flags |= CLONE_FS;
	sharer = clone(be_sharer, stack + STACK_SIZE, flags | SIGCHLD, index & 4 ? stack : NULL);
	need(sharer > 0);
}

/* It ends when it has seen what handler is there now. */
static void check_sharer(void)
{
	int status;

	check(waitpid(sharer, &status, 0) == sharer, "no child with the same handlers");
	check_equal(status, 0, "status of who has the same handlers");
}

static int code_of(unsigned int index)
{
	return 100 + index;
}

static void live(unsigned int index);

static void create(unsigned int creator, unsigned int early)
{
	unsigned int index;

	for (index = creator + 1; index < forest->nr_nodes; index++) {
		pid_t pid;

		if (forest->nodes[index].parent != creator ||
		    (forest->nodes[index].flags & EARLY) != early)
			continue;
		pid = fork();
		need(pid >= 0);
		if (!pid) {
			live(index);
			_exit(code_of(index));
		}
	}
}

static void note_ids(struct node *node)
{
	node->pid = getpid();
	node->ppid = getppid();
	node->pgid = getpgid(0);
	node->sid = getsid(0);
}

static void wait_gone(unsigned int creator)
{
	unsigned int index;

	for (index = 1; index < forest->nr_nodes; index++)
		if (forest->nodes[index].parent == creator &&
		    forest->nodes[index].kind == GONE)
			need(waitpid(forest->nodes[index].pid, NULL, 0) > 0);
}

/* What is left of those that it has created, or that it has adopted. */
static void note_dead(void)
{
	unsigned int index;

	for (index = 1; index < forest->nr_nodes; index++) {
		struct node *node = &forest->nodes[index];
		siginfo_t ended;

		if (node->kind != EXITED && node->kind != KILLED)
			continue;
		if (waitid(P_PID, node->pid, &ended, WEXITED | WNOWAIT))
			continue;
		node->ppid = getpid();
		node->pgid = getpgid(node->pid);
		node->sid = getsid(node->pid);
	}
}

/* Up to where the forest is as planned. */
static void grow(unsigned int index)
{
	struct node *node = &forest->nodes[index];

	node->pid = getpid();
	if (node->flags & REAPER)
		need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (index)
		need(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	create(index, EARLY);
	if (index && node->flags & LEADS_SESSION)
		need(setsid() == node->pid);
	else if (node->flags & LEADS_GROUP)
		need(!setpgid(0, 0));
	create(index, 0);
	arrive(0);
	await(0);
	if (node->joins)
		need(!setpgid(0, forest->nodes[node->joins].pid));
	/* The death of who is gone must not be that of its children. */
	prctl(PR_SET_PDEATHSIG, 0);
	arrive(1);
	await(1);
	if (node->kind == KILLED)
		kill(getpid(), SIGTERM);
	wait_gone(index);
	if (node->kind != LIVE)
		_exit(code_of(index));
	arrive(2);
	await(2);
	if (index)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	note_ids(node);
	note_dead();
	if (node->flags & THREADS) {
		pthread_t thread;

		need(!pthread_create(&thread, NULL, be_thread, NULL));
		need(!pthread_create(&thread, NULL, be_thread, NULL));
	}
	if (node->flags & SHARES)
		create_sharer(index);
	arrive(3);
}

static void check_ids(const struct node *node)
{
	check_equal(getpid(), node->pid, "pid");
	/* Of the first one that is restart(1) now. */
	if (node != &forest->nodes[0])
		check_equal(getppid(), node->ppid, "parent");
	check_equal(getpgid(0), node->pgid, "process group");
	check_equal(getsid(0), node->sid, "session");
}

static void check_status(const struct node *node, unsigned int index, int status)
{
	if (node->kind == KILLED)
		check_equal(status, SIGTERM, "status of who was killed");
	else
		check_equal(status, code_of(index) << 8, "status");
}

/* Its children, and whom it has adopted, end before it does. */
static void reap(const struct node *parent)
{
	unsigned int index;
	int status;

	for (index = 1; index < forest->nr_nodes; index++) {
		const struct node *node = &forest->nodes[index];

		if (node->kind == GONE || node->ppid != parent->pid)
			continue;
		if (node->kind != LIVE) {
			check_equal(getpgid(node->pid), node->pgid, "group of a dead child");
			check_equal(getsid(node->pid), node->sid, "session of a dead child");
		}
		/* In wait() it has seen the first end. */
		if (waitpid(node->pid, &status, 0) != node->pid)
			check(false, "no child %d: %s", node->pid, strerror(errno));
		else
			check_status(node, index, status);
	}
	check(waitpid(-1, &status, 0) < 0 && errno == ECHILD, "one child too many");
}

static void check_all(unsigned int index)
{
	const struct node *node = &forest->nodes[index];

	check_ids(node);
	signal(SIGUSR2, SIG_IGN);
	WRITE_ONCE(gate, 1);
	syscall(SYS_futex, &gate, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
	if (node->flags & SHARES)
		check_sharer();
	reap(node);
}

static void wait_go(const struct node *node)
{
	siginfo_t ended;

	if (node->flags & WAITS) {
		check(!waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT), "waitid(): %s",
		      strerror(errno));
		check(subject_must_go(), "a child has ended early");
	}
	subject_stay();
}

static void live(unsigned int index)
{
	grow(index);
	wait_go(&forest->nodes[index]);
	check_all(index);
}

static void count_members(void)
{
	unsigned int index;

	forest->nr_members[0] = forest->nr_nodes;
	forest->nr_members[1] = forest->nr_nodes;
	for (index = 0; index < forest->nr_nodes; index++)
		forest->nr_members[2] += forest->nodes[index].kind == LIVE;
	forest->nr_members[3] = forest->nr_members[2];
}

static void setup(void)
{
	forest = mmap(NULL, sizeof(*forest), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(forest != MAP_FAILED);
	make_plan();
	count_members();
	grow(0);
	await(3);
}

static void verify(void)
{
	check_all(0);
}

const struct subject subject = {
	.setup	= setup,
	.verify	= verify,
	.skip	= SKIP_STATUS,
};
