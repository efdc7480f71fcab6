// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that hold descriptors of each other, and files that send signals to
 * each other: pidfd_open() and F_SETOWN of parents, children, threads, process
 * groups, and of one that is dead.
 *
 *	0 - 1 - 5
 *	0 - 2 (with a thread, 3) - 4	2 leads the process group of 4
 *	0 - a dead one
 *
 * All of them have one of each other and of themselves. They take turns to send,
 * and at each turn all look what has come. The argument says what sends.
 */
#include "subject.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD		3
#endif
#define PIDFD_THREAD	O_EXCL
#define SIGNAL		40
#define DEAD_STATUS	7

enum {
	ROOT,
	CHILD,
	LEADER,
	THREAD,		/* of the leader */
	MEMBER,		/* of its group */
	GRANDCHILD,
	NR_MEMBERS,
	GROUP = NR_MEMBERS,
	NR_TARGETS,
};

static const struct {
	int parent;
	enum __pid_type type;
} targets[NR_TARGETS] = {
	[ROOT]		= { -1, F_OWNER_PID },
	[CHILD]		= { ROOT, F_OWNER_PID },
	[LEADER]	= { ROOT, F_OWNER_PID },
	[THREAD]	= { -1, F_OWNER_TID },
	[MEMBER]	= { LEADER, F_OWNER_PID },
	[GRANDCHILD]	= { CHILD, F_OWNER_PID },
	[GROUP]		= { -1, F_OWNER_PGRP },
};

/**
 * struct family - shared by all
 * @turn: they all meet here
 * @ids: as each of them sees its own
 * @dead: id of the dead one
 */
static struct family {
	pthread_barrier_t turn;
	pid_t ids[NR_MEMBERS];
	pid_t dead;
} *family;

/**
 * struct sender - what sends a target a signal
 * @fd: pidfd, or the end of a pipe that is read from
 * @writer: the other end
 */
struct sender {
	int fd;
	int writer;
};

/* Of one member: they are copied, or in another thread. */
static __thread struct sender senders[NR_TARGETS];
static __thread int dead_fd;

static void meet(void)
{
	pthread_barrier_wait(&family->turn);
}

static bool with_pidfds(void)
{
	return mode_is("pidfds");
}

static pid_t id_of(int target)
{
	return family->ids[target == GROUP ? LEADER : target];
}

static int open_pidfd(pid_t pid, unsigned int flags)
{
	int fd = syscall(SYS_pidfd_open, pid, flags);

	need(fd >= 0);
	return fd;
}

static void make_sender(int target)
{
	struct f_owner_ex owner = { targets[target].type, id_of(target) };
	struct sender *sender = &senders[target];
	int fds[2];

	if (with_pidfds()) {
		sender->fd = open_pidfd(id_of(target),
					owner.type == F_OWNER_TID ? PIDFD_THREAD : 0);
		return;
	}
	need(!pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	sender->fd = fds[0];
	sender->writer = fds[1];
	need(!fcntl(fds[0], F_SETOWN_EX, &owner) && !fcntl(fds[0], F_SETSIG, SIGNAL) &&
	     !fcntl(fds[0], F_SETFL, O_NONBLOCK | O_ASYNC));
}

/* The last number of a line of fdinfo: that of the innermost namespace. */
static long shown_id(int fd)
{
	char path[64], line[256];
	long value = -2;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	file = fopen(path, "re");
	need(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "NSpid:", 6))
			value = strtol(strrchr(line, '\t'), NULL, 10);
	fclose(file);
	return value;
}

static void check_sender(int member, int target)
{
	const struct sender *sender = &senders[target];
	struct f_owner_ex owner = { F_OWNER_TID, -1 };

	if (with_pidfds()) {
		struct pollfd poller = { sender->fd, POLLIN, 0 };

		check_equal(shown_id(sender->fd), id_of(target), "id of a pidfd");
		check(!poll(&poller, 1, 0), "%d: %d has exited", member, target);
		return;
	}
	need(!fcntl(sender->fd, F_GETOWN_EX, &owner));
	check_equal(owner.pid, id_of(target), "owner");
	check_equal(owner.type, targets[target].type, "type of the owner");
	check_equal(fcntl(sender->fd, F_GETSIG), SIGNAL, "signal of a file");
}

static void send_to(int member, int target)
{
	const struct sender *sender = &senders[target];
	char byte;

	if (with_pidfds()) {
		check(!syscall(SYS_pidfd_send_signal, sender->fd, SIGNAL, NULL, 0),
		      "%d to %d: %s", member, target, strerror(errno));
		return;
	}
	need(write(sender->writer, "x", 1) == 1);
	need(read(sender->fd, &byte, 1) == 1);
}

static bool has_come(void)
{
	struct timespec none = { 0 };
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	return sigtimedwait(&set, &info, &none) == SIGNAL;
}

static bool is_meant(int member, int target)
{
	return member == target ||
	       (target == GROUP && (member == LEADER || member == MEMBER));
}

/* The thread looks when its process has taken what is for both. */
static void look(int member, int sender, int target)
{
	bool is_first = member != THREAD;

	if (!is_first)
		meet();
	check(has_come() == is_meant(member, target), "%d to %d: %d %s", sender, target,
	      member, is_meant(member, target) ? "got nothing" : "got a signal");
	if (is_first)
		meet();
}

static void take_turns(int member)
{
	int nr_targets = with_pidfds() ? NR_MEMBERS : NR_TARGETS;
	int sender, target;

	for (target = 0; target < nr_targets; target++)
		check_sender(member, target);
	for (sender = 0; sender < NR_MEMBERS; sender++) {
		for (target = 0; target < nr_targets; target++) {
			meet();
			if (sender == member)
				send_to(member, target);
			meet();
			look(member, sender, target);
		}
	}
}

static void check_dead(void)
{
	struct pollfd poller = { dead_fd, POLLIN, 0 };

	if (with_pidfds())
		check(poll(&poller, 1, 0) == 1 && poller.revents & POLLIN,
		      "the dead one lives");
}

static void wait_for(int target)
{
	siginfo_t info = { 0 };
	int ret;

	if (with_pidfds())
		ret = waitid(P_PIDFD, senders[target].fd, &info, WEXITED);
	else
		ret = waitid(P_PID, family->ids[target], &info, WEXITED);
	check(!ret && info.si_code == CLD_EXITED && info.si_status == target,
	      "child %d: %s, code %d, status %d", target, strerror(errno), info.si_code,
	      info.si_status);
}

static void reap_children(int member)
{
	int target;

	for (target = 0; target < NR_MEMBERS; target++)
		if (targets[target].parent == member)
			wait_for(target);
}

static pid_t own_id(int member)
{
	return member == THREAD ? syscall(SYS_gettid) : getpid();
}

/* Up to where all know all. */
static void join(int member)
{
	int target;

	family->ids[member] = own_id(member);
	meet();
	for (target = 0; target < (with_pidfds() ? NR_MEMBERS : NR_TARGETS); target++)
		make_sender(target);
	if (with_pidfds())
		dead_fd = open_pidfd(family->dead, 0);
	meet();
}

static void test(int member)
{
	/* Perhaps another one now. */
	family->ids[member] = own_id(member);
	meet();
	take_turns(member);
	check_dead();
	meet();
}

static void *be_thread(void *unused)
{
	join(THREAD);
	subject_stay();
	test(THREAD);
	return unused;
}

static void be(int member);

static void create_children(int member)
{
	int child;

	for (child = 0; child < NR_MEMBERS; child++) {
		if (targets[child].parent != member || fork())
			continue;
		be(child);
		_exit(child);
	}
}

static void be(int member)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (member == LEADER)
		need(!setpgid(0, 0) && !pthread_create(&thread, NULL, be_thread, NULL));
	create_children(member);
	join(member);
	subject_stay();
	test(member);
	if (member == LEADER)
		need(!pthread_join(thread, NULL));
	reap_children(member);
}

static void setup(void)
{
	pthread_barrierattr_t attributes;
	siginfo_t info;
	sigset_t set;
	pid_t dead;

	family = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	need(family != MAP_FAILED);
	need(!pthread_barrierattr_init(&attributes) &&
	     !pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) &&
	     !pthread_barrier_init(&family->turn, &attributes, NR_MEMBERS));
	sigemptyset(&set);
	sigaddset(&set, SIGNAL);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	dead = fork();
	if (!dead)
		_exit(DEAD_STATUS);
	need(!waitid(P_PID, dead, &info, WEXITED | WNOWAIT));
	family->dead = dead;
	create_children(ROOT);
	join(ROOT);
}

static void verify(void)
{
	siginfo_t info = { 0 };

	test(ROOT);
	if (with_pidfds()) {
		check(!waitid(P_PIDFD, dead_fd, &info, WEXITED), "waitid(): %s",
		      strerror(errno));
		check_equal(info.si_status, DEAD_STATUS, "status of the dead one");
	}
	reap_children(ROOT);
}

const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_STATUS };
