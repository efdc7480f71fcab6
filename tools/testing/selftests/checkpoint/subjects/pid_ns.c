// SPDX-License-Identifier: GPL-2.0
/*
 * Processes in pid namespaces of their own, of each other, and of their children.
 *
 * The argument names a plan: who creates whom, and where. Each process tells what it
 * is called in every namespace, what it calls the others, and which namespaces it has;
 * and that is what it must tell afterwards, too. Then all create children, which get
 * the ids that come next there, and go to the same inits when they are orphans.
 */
#include "subject.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MAX_NODES	40
#define VIEW_SIZE	2048
#define MAX_LEVELS	16
/* Sent to the init of a namespace by everybody there. */
#define SIGNAL		(SIGRTMIN + 1)

/* struct node.flags */
#define NEW		0x0001	/* created in a new namespace, of which it is the init */
#define INTO		0x0002	/* created in the namespace of the node @where */
#define SESSION		0x0004	/* leads a session */
#define GROUP		0x0008	/* leads a group */
#define EXITS		0x0010	/* and nobody waits for it */
#define ORPHAN		0x0020	/* whoever has created it is gone */
#define THREAD		0x0040	/* has another thread */
#define CHILDLESS	0x0080	/* its children would be in a new namespace */
#define WIDOW		0x0100	/* the init of the namespace of its children is gone */
#define UNSHARES	0x0200	/* its children are in a new namespace, begun by the first */
#define REAPER		0x0400	/* adopts orphans */
#define JOINS		0x0800	/* the group of the node @where */
#define FOLLOWS		0x1000	/* its children are in the namespace of @where */

/**
 * struct node - one process of a plan
 * @parent: index of the one that creates it
 * @flags: see above
 * @where: index of another
 */
struct node {
	int parent;
	unsigned int flags;
	int where;
};

/* What to do, of struct member.order. */
enum order {
	DONE,
	LOOK,
	PROBE,		/* create a child, and learn its id */
	ORPHANS,	/* leave an orphan, and learn who adopts it */
	SIGNALS,	/* what was sent to it */
	END,
};

/**
 * struct member - one process, in memory that all have in common
 * @order: enum order; a futex
 * @failed: line of this file where something is wrong, or 0
 * @error: errno there
 * @pid: its id where it is
 * @level: below the namespace of the root
 * @ns: index of the init of its namespace, or 0
 * @children_ns: of that of its children, or -1: there is none
 * @probed: ids of the child that it has created last, the innermost first
 * @nr_probed: their number
 * @adopter: id of who has adopted an orphan, as that sees it
 * @view: what it has seen
 */
struct member {
	u32 order;
	u32 failed;
	int error;
	pid_t pid;
	int level;
	int ns;
	int children_ns;
	pid_t probed[MAX_LEVELS];
	int nr_probed;
	pid_t adopter;
	char view[VIEW_SIZE];
};

static struct shared {
	struct member members[MAX_NODES];
	/* Of each namespace, by its init: the last id that was given out. */
	pid_t last[MAX_NODES];
} *shared;

static const struct node one[] = {
	{ 0 }, { 0, NEW },
};

static const struct node deep[] = {
	{ 0 }, { 0, NEW }, { 1, NEW | SESSION }, { 2, NEW | THREAD }, { 3, NEW },
	{ 4, NEW | GROUP }, { 5, NEW }, { 6, NEW }, { 7, THREAD }, { 4, 0 }, { 2, 0 },
	{ 2, SESSION }, { 11, NEW },
};

static const struct node wide[] = {
	{ 0, THREAD }, { 0, NEW | THREAD }, { 0, NEW | SESSION }, { 0, NEW | GROUP },
	{ 1, 0 }, { 1, SESSION }, { 5, GROUP }, { 5, JOINS, 6 }, { 2, 0 }, { 2, NEW },
	{ 2, NEW }, { 0, GROUP }, { 11, NEW }, { 12, 0 }, { 12, GROUP },
};

static const struct node dead[] = {
	{ 0 }, { 0, NEW | EXITS }, { 0, NEW }, { 2, EXITS }, { 2, NEW | EXITS },
	{ 2, SESSION }, { 5, EXITS }, { 5, NEW }, { 7, EXITS }, { 0, EXITS },
};

static const struct node orphans[] = {
	{ 0, REAPER }, { 0, NEW }, { 1, ORPHAN }, { 1, SESSION }, { 3, ORPHAN },
	{ 1, REAPER }, { 5, 0 }, { 6, ORPHAN }, { 6, ORPHAN | NEW }, { 8, 0 },
	{ 0, GROUP }, { 10, ORPHAN | NEW }, { 11, 0 }, { 0, SESSION }, { 13, ORPHAN | NEW },
	{ 14, ORPHAN }, { 1, ORPHAN | EXITS },
};

static const struct node children[] = {
	{ 0 }, { 0, UNSHARES }, { 1, 0 }, { 1, 0 }, { 1, EXITS }, { 2, 0 }, { 0, CHILDLESS },
	{ 0, WIDOW }, { 2, CHILDLESS }, { 2, WIDOW }, { 2, UNSHARES }, { 10, 0 },
	{ 0, UNSHARES | THREAD }, { 12, SESSION },
};

static const struct node entered[] = {
	{ 0 }, { 0, NEW }, { 1, NEW }, { 0, INTO, 1 }, { 0, INTO, 2 }, { 1, INTO, 2 },
	{ 4, SESSION }, { 3, EXITS }, { 0, INTO | EXITS, 2 }, { 0, FOLLOWS, 2 },
	{ 0, FOLLOWS, 1 }, { 3, NEW }, { 0, INTO | GROUP, 2 }, { 0, JOINS, 12 },
};

static const struct {
	const char *name;
	const struct node *nodes;
	int nr_nodes;
} plans[] = {
	{ "one", one, ARRAY_SIZE(one) },
	{ "deep", deep, ARRAY_SIZE(deep) },
	{ "wide", wide, ARRAY_SIZE(wide) },
	{ "dead", dead, ARRAY_SIZE(dead) },
	{ "orphans", orphans, ARRAY_SIZE(orphans) },
	{ "children", children, ARRAY_SIZE(children) },
	{ "entered", entered, ARRAY_SIZE(entered) },
};

static const struct node *nodes;
static int nr_nodes;
static char views[MAX_NODES][VIEW_SIZE];
static ino_t inodes[MAX_NODES][2];
static int own, locks = -1, pair[2] = { -1, -1 }, parent_fd = -1;

#define must(condition) do {						\
	if (!(condition) && !shared->members[own].failed) {		\
		shared->members[own].error = errno;			\
		shared->members[own].failed = __LINE__;			\
	}								\
} while (0)

static void set_order(int index, enum order order)
{
	struct member *member = &shared->members[index];

	__atomic_store_n(&member->order, order, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &member->order, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void await_order(int index, enum order old)
{
	struct member *member = &shared->members[index];

	while (READ_ONCE(member->order) == old)
		syscall(SYS_futex, &member->order, FUTEX_WAIT, old, NULL, NULL, 0);
}

__attribute__((format(printf, 1, 2)))
static void add(const char *format, ...)
{
	char *view = shared->members[own].view;
	size_t len = strlen(view);
	va_list args;

	va_start(args, format);
	vsnprintf(view + len, VIEW_SIZE - len, format, args);
	va_end(args);
}

static const char *line_of(const char *path, const char *key)
{
	static char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = read(fd, text, sizeof(text) - 1);
	char *line;

	close(fd);
	text[got > 0 ? got : 0] = '\0';
	line = strstr(text, key);
	if (!line)
		return "";
	line += strlen(key);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* From the namespace of the root on; or without, if it may be called something else. */
static void add_ids(const char *path, const char *key)
{
	const char *line = line_of(path, key), *at;
	int nr = shared->members[own].level + !subject_has_new_pid();

	for (at = line + strlen(line); nr > 0 && at > line; nr--)
		while (at > line && *--at != '\t')
			continue;
	add("%s%s", key, nr ? " too few" : at);
}

/* Each namespace has its own. */
static void set_noexec(void)
{
	int fd = open("/proc/sys/vm/memfd_noexec", O_WRONLY | O_CLOEXEC);

	must(write(fd, "1", 1) == 1);
	close(fd);
}

static void add_namespace(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", name);
	/* The numbers are others after a restart: only who has the same is compared. */
	add("%s %llu ", name, stat(path, &st) ? 0ULL : (unsigned long long)st.st_ino);
}

/* What it calls the others, by the owners of locks; 0: they are outside. */
static void add_others(void)
{
	struct flock lock = { 0 };
	int index;

	for (index = 0; index < nr_nodes; index++) {
		lock.l_type = F_WRLCK;
		lock.l_whence = SEEK_SET;
		lock.l_start = index;
		lock.l_len = 1;
		must(!fcntl(locks, F_GETLK, &lock));
		/* That of the root may be another one. */
		if (lock.l_type == F_UNLCK)
			add(" -");
		else if (!shared->members[own].level && subject_has_new_pid())
			add(" ?");
		else
			add(" %d", lock.l_pid);
	}
}

static void look(void)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	char path[64];

	shared->members[own].view[0] = '\0';
	add_namespace("pid");
	add_namespace("pid_for_children");
	add("\nids:");
	add_ids("/proc/thread-self/status", "NSpid:");
	add_ids("/proc/thread-self/status", "NStgid:");
	add_ids("/proc/thread-self/status", "NSpgid:");
	add_ids("/proc/thread-self/status", "NSsid:");
	if (shared->members[own].level || !subject_has_new_pid())
		add(" own %d parent %d group %d session %d", getpid(), own ? getppid() : 0,
		    own ? getpgrp() : 0, own ? getsid(0) : 0);
	add("\nmemfd_noexec %s ", line_of("/proc/sys/vm/memfd_noexec", ""));
	must(!getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	must(cred.pid == getpid());
	must(fcntl(pair[0], F_GETOWN) == getpid());
	if (parent_fd >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", parent_fd);
		add_ids(path, "NSpid:");
		must(!syscall(SYS_pidfd_send_signal, parent_fd, 0, NULL, 0));
	}
	add("\nothers:");
	add_others();
}

static pid_t wait_for(pid_t pid, int *status)
{
	pid_t got;

	while ((got = waitpid(pid, status, __WALL)) < 0 && errno == EINTR)
		continue;
	return got;
}

/* From the innermost namespace outwards. */
static void tell_ids(struct member *self)
{
	const char *line = line_of("/proc/thread-self/status", "NSpid:");
	const char *at = line + strlen(line);

	self->nr_probed = 0;
	while (at > line && self->nr_probed < MAX_LEVELS) {
		while (at > line && *--at != '\t')
			continue;
		self->probed[self->nr_probed++] = atoi(at + 1);
	}
}

/* Its ids are the next ones. */
static void probe(void)
{
	struct member *self = &shared->members[own];
	pid_t pid;

	self->nr_probed = 0;
	pid = fork();
	if (!pid) {
		tell_ids(self);
		_exit(0);
	}
	if (nodes[own].flags & WIDOW) {
		must(pid < 0 && errno == ENOMEM);
		return;
	}
	must(pid > 0 && wait_for(pid, NULL) == pid);
	if (nodes[own].flags & CHILDLESS) {
		must(self->nr_probed && self->probed[0] == 1);
		must(fork() < 0 && errno == ENOMEM);
	}
}

/* An orphan in the namespace of its parent, that is gone. */
static void leave_orphan(void)
{
	struct member *self = &shared->members[own];
	pid_t pid, parent;

	if (self->children_ns != self->ns)
		return;
	self->adopter = -1;
	pid = fork();
	if (!pid) {
		parent = getpid();
		if (!fork()) {
			while (getppid() == parent)
				poll(NULL, 0, 1);
			__atomic_store_n(&self->adopter, getppid(), __ATOMIC_SEQ_CST);
			_exit(0);
		}
		_exit(0);
	}
	must(pid > 0 && wait_for(pid, NULL) == pid);
	while (READ_ONCE(self->adopter) == -1)
		poll(NULL, 0, 1);
}

static bool is_alive(int index)
{
	return !(nodes[index].flags & EXITS);
}

static void take_signals(void)
{
	const struct timespec none = { 0 };
	int index, wanted = 0;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	for (index = 0; index < nr_nodes; index++) {
		if (own && index != own && shared->members[index].ns == own)
			wanted++;
	}
	while (sigtimedwait(&set, &info, &none) == SIGNAL) {
		const struct member *sender = &shared->members[info.si_value.sival_int];

		must(info.si_pid == sender->pid && sender->ns == own);
		wanted--;
	}
	must(!wanted);
}

static void obey(enum order order)
{
	switch (order) {
	case LOOK:
		return look();
	case PROBE:
		return probe();
	case ORPHANS:
		return leave_orphan();
	case SIGNALS:
		return take_signals();
	default:
		return;
	}
}

static bool tell(int index, enum order order)
{
	struct member *member = &shared->members[index];

	if (index) {
		set_order(index, order);
		await_order(index, order);
	} else {
		obey(order);
	}
	return check(!member->failed, "process %d cannot do %d: line %u, %s", index, order,
		     member->failed, strerror(member->error));
}

static void *idle(void *argument)
{
	for (;;)
		pause();
	return argument;
}

/* What the kernel keeps ids for. */
static void hold_ids(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = own, .l_len = 1 };
	pthread_t thread;

	close(locks);
	close(pair[0]);
	close(pair[1]);
	close(parent_fd);
	parent_fd = -1;
	locks = open("locks", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(locks >= 0 && !fcntl(locks, F_SETLK, &lock));
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	must(!fcntl(pair[0], F_SETOWN, getpid()));
	if (own && getppid() && shared->members[nodes[own].parent].pid == getppid())
		parent_fd = syscall(SYS_pidfd_open, getppid(), 0);
	if (nodes[own].flags & THREAD)
		must(!pthread_create(&thread, NULL, idle, NULL));
}

static void send_to_init(void)
{
	const struct member *self = &shared->members[own];

	if (self->level && self->ns != own)
		must(!sigqueue(1, SIGNAL, (union sigval) { .sival_int = own }));
}

static void choose_namespace(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	must(fd >= 0 && !setns(fd, CLONE_NEWPID));
	close(fd);
}

/* The id that the process has for another one that it sees. */
static pid_t id_of(int index)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = index, .l_len = 1,
	};

	must(!fcntl(locks, F_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid > 0);
	return lock.l_pid;
}

static void live(int index);

static void create(int index)
{
	const struct node *node = &nodes[index];
	struct member *member = &shared->members[index];
	struct clone_args {
		u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = node->flags & NEW ? CLONE_NEWPID : 0, .exit_signal = SIGCHLD };
	int children_ns = shared->members[own].children_ns;

	if (node->flags & INTO) {
		choose_namespace(id_of(node->where));
		children_ns = shared->members[node->where].ns;
	} else if (node->flags & NEW || children_ns < 0) {
		children_ns = index;
		if (shared->members[own].children_ns < 0)
			shared->members[own].children_ns = index;
	}
	member->ns = children_ns;
	member->children_ns = children_ns;
	member->level = children_ns == shared->members[own].ns ? shared->members[own].level :
			children_ns == index ? shared->members[own].level + 1 :
			shared->members[children_ns].level;
	member->order = END;
	if (!syscall(SYS_clone3, &args, sizeof(args)))
		live(index);
	if (node->flags & INTO)
		choose_namespace(getpid());
	await_order(index, END);
}

static void create_children(void)
{
	int index;

	for (index = own + 1; index < nr_nodes; index++) {
		pid_t pid;

		if (nodes[index].parent != own)
			continue;
		if (!(nodes[index].flags & ORPHAN)) {
			create(index);
			continue;
		}
		pid = fork();
		if (!pid) {
			create(index);
			_exit(0);
		}
		must(pid > 0 && wait_for(pid, NULL) == pid);
	}
}

static void choose_for_children(void)
{
	struct member *self = &shared->members[own];
	unsigned int flags = nodes[own].flags;
	pid_t pid;

	if (flags & (CHILDLESS | WIDOW | UNSHARES)) {
		must(!unshare(CLONE_NEWPID));
		self->children_ns = -1;
	}
	if (flags & WIDOW) {
		pid = fork();
		if (!pid)
			_exit(0);
		must(pid > 0 && wait_for(pid, NULL) == pid);
	}
	if (flags & FOLLOWS) {
		choose_namespace(id_of(nodes[own].where));
		self->children_ns = shared->members[nodes[own].where].ns;
	}
}

static void live(int index)
{
	const struct node *node = &nodes[index];
	enum order order;

	own = index;
	prctl(PR_SET_PDEATHSIG, 0);
	shared->members[own].pid = getpid();
	if (node->flags & SESSION)
		setsid();
	if (node->flags & GROUP)
		must(!setpgid(0, 0));
	if (node->flags & JOINS)
		must(!setpgid(0, id_of(node->where)));
	if (node->flags & REAPER)
		must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	if (node->flags & EXITS) {
		send_to_init();
		set_order(own, DONE);
		_exit(own);
	}
	hold_ids();
	send_to_init();
	if (shared->members[own].level == 2 && shared->members[own].ns == own)
		set_noexec();
	choose_for_children();
	create_children();
	set_order(own, DONE);
	do {
		await_order(own, DONE);
		order = READ_ONCE(shared->members[own].order);
		obey(order);
		set_order(own, DONE);
	} while (order != END);
	while (wait_for(-1, NULL) > 0)
		continue;
	_exit(0);
}

static void look_at_all(void)
{
	int index;

	for (index = 0; index < nr_nodes; index++)
		if (is_alive(index))
			tell(index, LOOK);
}

/* Take the numbers of the namespaces out of a view: they are others later. */
static void take_inodes(char *view, ino_t *two)
{
	unsigned long long first = 0, second = 0;
	char *rest = strchr(view, '\n');

	check(sscanf(view, "pid %llu pid_for_children %llu", &first, &second) == 2,
	      "no namespaces: %s", view);
	two[0] = first;
	two[1] = second;
	if (rest)
		memmove(view, rest, strlen(rest) + 1);
}

static void take_views(char (*into)[VIEW_SIZE], ino_t (*two)[2])
{
	int index;

	look_at_all();
	for (index = 0; index < nr_nodes; index++) {
		memcpy(into[index], shared->members[index].view, VIEW_SIZE);
		if (is_alive(index))
			take_inodes(into[index], two[index]);
	}
}

/* That of the parent of its init. */
static int outside(int ns)
{
	return shared->members[nodes[ns].parent].ns;
}

/* The ids of each namespace are given out one by one. */
static void probe_one(int index, bool first)
{
	struct member *member = &shared->members[index];
	int ns = member->children_ns, level = 0;

	tell(index, PROBE);
	/* What began with the child has nobody to ask. */
	if (ns < 0 && member->nr_probed) {
		ns = member->ns;
		level = 1;
	}
	for (; ns > 0 && level < member->nr_probed; ns = outside(ns), level++) {
		pid_t id = member->probed[level];

		if (!first)
			check(id == shared->last[ns] + 1,
			      "in that of %d the child of %d is %d, not %d", ns, index, id,
			      shared->last[ns] + 1);
		shared->last[ns] = id;
	}
	if (first || !(nodes[index].flags & (CHILDLESS | WIDOW)))
		return;
	/* A fork() that fails in the end takes ids, too. */
	for (ns = member->ns; ns > 0; ns = outside(ns))
		shared->last[ns]++;
}

static void probe_all(bool first)
{
	int index;

	/* At first those stay what they are that it would change. */
	for (index = 0; index < nr_nodes; index++)
		if (is_alive(index) && !(first && nodes[index].flags & (CHILDLESS | WIDOW)))
			probe_one(index, first);
}

/* Inside a namespace an init is 1, a subreaper what it is. */
static void check_orphans(void)
{
	int index, above;

	for (index = 1; index < nr_nodes; index++) {
		struct member *member = &shared->members[index];

		if (!is_alive(index) || !member->level || member->children_ns != member->ns)
			continue;
		above = index;
		while (!(nodes[above].flags & REAPER) && shared->members[above].pid != 1 &&
		       nodes[above].parent)
			above = nodes[above].parent;
		tell(index, ORPHANS);
		check(member->adopter == shared->members[above].pid || member->adopter == 1,
		      "an orphan of %d goes to %d", index, member->adopter);
	}
}

static void setup(void)
{
	size_t plan;
	sigset_t set;

	for (plan = 0; plan < ARRAY_SIZE(plans); plan++) {
		if (!mode_is(plans[plan].name))
			continue;
		nodes = plans[plan].nodes;
		nr_nodes = plans[plan].nr_nodes;
	}
	need(nodes);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	need(shared != MAP_FAILED);
	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (nodes[0].flags & REAPER)
		need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	shared->members[0].pid = getpid();
	hold_ids();
	create_children();
	probe_all(true);
	take_views(views, inodes);
}

static void check_namespaces(ino_t (*now)[2])
{
	int first, second, which;

	for (which = 0; which < 4; which++)
		for (first = 0; first < nr_nodes; first++)
			for (second = 0; second < nr_nodes; second++)
				check((now[first][which & 1] == now[second][which >> 1]) ==
				      (inodes[first][which & 1] == inodes[second][which >> 1]),
				      "namespaces of %d and %d", first, second);
}

static void verify(void)
{
	static char now[MAX_NODES][VIEW_SIZE];
	static ino_t now_inodes[MAX_NODES][2];
	int index;

	take_views(now, now_inodes);
	for (index = 0; index < nr_nodes; index++)
		check(!strcmp(now[index], views[index]), "%d saw%s\nand sees%s", index,
		      views[index], now[index]);
	check_namespaces(now_inodes);
	for (index = 0; index < nr_nodes; index++)
		if (is_alive(index))
			tell(index, SIGNALS);
	probe_all(false);
	check_orphans();
	for (index = nr_nodes; index-- > 1;)
		if (is_alive(index))
			set_order(index, END);
	while (wait_for(-1, NULL) > 0)
		continue;
}

const struct subject subject = {
	.setup	= setup,
	.verify	= verify,
};
