// SPDX-License-Identifier: GPL-2.0
/*
 * Processes, not threads, that share what clone() lets them share. The argument
 * says what:
 *
 *	0 - 1 - 3	share with each other
 *	0 - 2		share nothing
 *	2 - 4, 2 - 5	share with each other
 *
 * and how it ends what else there is about them:
 *
 *	dead		1 has exited and nobody has waited for it; 2 has exited, too,
 *			and was waited for
 *	executed	1 has executed a program, and shares nothing any more
 *	threads		6 is a thread of 1, and 7 one of 4
 *	leaderless	likewise, and 4 has exited as a thread: 7 is all there is of it
 *	many		many epolls of each watch its signals
 *
 * The first one tells each of the others to change something, and asks all what
 * they see of it.
 */
#include "subject.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NR_PROCESSES	6
#define MAX_MEMBERS	8
#define FIRST_FD	100
#define FIRST_SIGNALFD	120
#define FIRST_EPOLL	200
/* More than the kernel moves at once. */
#define MANY_EPOLLS	20
#define STACK_SIZE	65536
#define THREAD_FLAGS	(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_FS)

/* Signals, the first of which has a handler; all others are blocked. */
#define HANDLED		40
#define KEPT		41
#define WATCHED		42
/* In the mask of that handler, and in the mask of a member, tell whose it is. */
#define FIRST_INSIDE	44
#define FIRST_BLOCKED	52

/* What to do, of struct member.order. */
enum order {
	DONE,
	OPEN,		/* a descriptor */
	CLOSE,
	IS_OPEN,
	WRITE,		/* a word of memory */
	READ,
	MOVE,		/* to a working directory */
	PLACE,		/* the working directory */
	MASK,		/* set the umask */
	GET_MASK,
	HANDLE,		/* set the handler */
	HANDLER,	/* whose it is */
	RAISE,		/* and whose the mask was in the handler */
	BLOCK,		/* set the signal mask */
	BLOCKED,	/* whose it is */
	KEEP,		/* a signal that is pending */
	IS_KEPT,
	TAKE,		/* it */
	WATCH,		/* signals */
	NOTICE,		/* one of these */
	EXECUTE,	/* and wait for the children */
	LEAVE,		/* the process to its other threads */
	EXIT,		/* without waiting for anybody */
	END,		/* after the children */
};

/**
 * struct member - one of the processes, in memory that all have in common
 * @order: enum order; a futex
 * @argument: of the order
 * @answer: of the order
 */
static struct member {
	u32 order;
	long argument;
	long answer;
} *members;

/* What one of them has. */
struct view {
	long open;
	long word;
	long place;
	long mask;
	long handler;
	long blocked;
	long is_kept;
};

static const unsigned int parents[MAX_MEMBERS] = { 0, 0, 0, 1, 2, 2, 1, 4 };
static struct view views[MAX_MEMBERS];
static unsigned int nr_members = NR_PROCESSES;
static unsigned int nr_epolls = 1;
static int shared;
static bool parents_die, has_executed, leader_leaves;
static volatile long word, seen;

static long is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void make_name(char *name, size_t size, long number)
{
	snprintf(name, size, "place-%ld", number);
}

static long current_place(void)
{
	char path[4096];
	long number = -1;

	if (!getcwd(path, sizeof(path)) ||
	    sscanf(strrchr(path, '/'), "/place-%ld", &number) != 1)
		return -1;
	return number;
}

static long move(long number)
{
	char name[32];

	make_name(name, sizeof(name), number);
	return current_place() < 0 ? chdir(name) : chdir("..") ?: chdir(name);
}

static long mask(void)
{
	mode_t now = umask(0);

	umask(now);
	return now;
}

static long owner(const sigset_t *set, int first)
{
	int index;

	for (index = 0; index < MAX_MEMBERS; index++)
		if (sigismember(set, first + index))
			return index;
	return -1;
}

static void handle(int signal)
{
	sigset_t set;

	(void)signal;
	sigprocmask(SIG_BLOCK, NULL, &set);
	seen = owner(&set, FIRST_INSIDE);
}

static long set_handler(long number)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, FIRST_INSIDE + number);
	return sigaction(HANDLED, &action, NULL);
}

static long handler(void)
{
	struct sigaction action;

	return sigaction(HANDLED, NULL, &action) ? -2 : owner(&action.sa_mask, FIRST_INSIDE);
}

/* To this thread alone. */
static long send(int signal)
{
	return syscall(SYS_tgkill, getpid(), gettid(), signal);
}

static long raise_handled(void)
{
	seen = -2;
	return send(HANDLED) ? -3 : seen;
}

static long block(long number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KEPT);
	sigaddset(&set, WATCHED);
	sigaddset(&set, FIRST_BLOCKED + number);
	return sigprocmask(SIG_SETMASK, &set, NULL);
}

static long blocked(void)
{
	sigset_t set;

	return sigprocmask(SIG_BLOCK, NULL, &set) || !sigismember(&set, KEPT) ? -2 :
	       owner(&set, FIRST_BLOCKED);
}

static long is_kept(void)
{
	sigset_t set;

	return sigpending(&set) ?: sigismember(&set, KEPT);
}

static long take(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, KEPT);
	return sigtimedwait(&set, NULL, &at_once) == KEPT;
}

static int epoll_of(long number, unsigned int index)
{
	return FIRST_EPOLL + number * MANY_EPOLLS + index;
}

static long watch(long number)
{
	struct epoll_event event = { .events = EPOLLIN };
	int signals = FIRST_SIGNALFD + number, fd;
	unsigned int index;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, WATCHED);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	if (dup2(fd, signals) < 0 || close(fd))
		return -1;
	for (index = 0; index < nr_epolls; index++) {
		int epoll = epoll_of(number, index);

		fd = epoll_create1(0);
		if (dup2(fd, epoll) < 0 || close(fd) ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &event))
			return -1;
	}
	return 0;
}

/* Return: how many of its epolls tell that many events. */
static long count_epolls(long number, int nr_events)
{
	struct epoll_event event;
	unsigned int index;
	long count = 0;

	for (index = 0; index < nr_epolls; index++)
		count += epoll_wait(epoll_of(number, index), &event, 1, 0) == nr_events;
	return count;
}

/* Return: whether all is as it should be. */
static long notice(long number)
{
	struct signalfd_siginfo info = { 0 };

	return count_epolls(number, 0) == nr_epolls && !send(WATCHED) &&
	       count_epolls(number, 1) == nr_epolls &&
	       read(FIRST_SIGNALFD + number, &info, sizeof(info)) > 0 &&
	       info.ssi_signo == WATCHED && count_epolls(number, 0) == nr_epolls;
}

/* Runs in the member itself. */
static long obey(enum order order, long argument)
{
	switch (order) {
	case OPEN:
		return dup2(0, argument) != argument;
	case CLOSE:
		return close(argument);
	case IS_OPEN:
		return is_open(argument);
	case WRITE:
		word = argument;
		return 0;
	case READ:
		return word;
	case MOVE:
		return move(argument);
	case PLACE:
		return current_place();
	case MASK:
		umask(argument);
		return 0;
	case GET_MASK:
		return mask();
	case HANDLE:
		return set_handler(argument);
	case HANDLER:
		return handler();
	case RAISE:
		return raise_handled();
	case BLOCK:
		return block(argument);
	case BLOCKED:
		return blocked();
	case KEEP:
		return send(KEPT);
	case IS_KEPT:
		return is_kept();
	case TAKE:
		return take();
	case WATCH:
		return watch(argument);
	case NOTICE:
		return notice(argument);
	default:
		return 0;
	}
}

static void set_order(struct member *member, enum order order)
{
	__atomic_store_n(&member->order, order, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &member->order, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void await_order(struct member *member, enum order old)
{
	while (READ_ONCE(member->order) == old)
		syscall(SYS_futex, &member->order, FUTEX_WAIT, old, NULL, NULL, 0);
}

static bool is_alive(unsigned int index)
{
	switch (index) {
	case 1:
		return !parents_die && !has_executed;
	case 2:
		return !parents_die;
	case 4:
		return !leader_leaves;
	default:
		return true;
	}
}

/* Let one of them do something. */
static long tell(unsigned int index, enum order order, long argument)
{
	struct member *member = &members[index];

	if (!index)
		return obey(order, argument);
	member->argument = argument;
	set_order(member, order);
	await_order(member, order);
	return member->answer;
}

static int status_of(unsigned int index)
{
	return 20 + index;
}

static bool is_thread(unsigned int index)
{
	return index >= NR_PROCESSES;
}

/* The kernel says that it is done when it does not use the memory any more. */
static void stop_obeying(struct member *self)
{
	syscall(SYS_set_tid_address, &self->order);
	if (self->order == EXECUTE)
		execl("/proc/self/exe", "sharing", SUBJECT_WAITS, NULL);
	syscall(SYS_exit, status_of(self - members));
}

static void create(unsigned int index, int flags);

static int be_member(void *argument)
{
	struct member *self = argument;
	unsigned int own = self - members, index;

	for (index = own + 1; index < nr_members; index++)
		if (parents[index] == own)
			create(index, is_thread(index) ? THREAD_FLAGS : shared);
	set_order(self, DONE);
	for (;;) {
		await_order(self, DONE);
		if (self->order == EXECUTE || self->order == LEAVE)
			stop_obeying(self);
		if (self->order == EXIT)
			_exit(status_of(own));
		if (self->order == END)
			break;
		self->answer = obey(self->order, self->argument);
		set_order(self, DONE);
	}
	while (!is_thread(own) && waitpid(-1, NULL, 0) > 0)
		continue;
	syscall(is_thread(own) ? SYS_exit : SYS_exit_group, status_of(own));
	return 0;
}

/* Until it is there, with those that it creates. */
static void create(unsigned int index, int flags)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(stack != MAP_FAILED);
	members[index].order = END;
	need(clone(be_member, stack + STACK_SIZE, flags | SIGCHLD, &members[index]) > 0);
	await_order(&members[index], END);
}

/* Do two of them have something in common? */
static bool is_shared(unsigned int first, unsigned int second)
{
	static const unsigned int groups[MAX_MEMBERS] = { 0, 0, 1, 0, 1, 1, 0, 1 };

	return groups[first] == groups[second];
}

static unsigned int process_of(unsigned int index)
{
	return is_thread(index) ? parents[index] : index;
}

static bool sees(unsigned int index, unsigned int other, int what)
{
	return process_of(index) == process_of(other) ||
	       (is_shared(index, other) && shared & what);
}

static void change_signals(unsigned int index)
{
	unsigned int other;

	check_equal(tell(index, HANDLE, index), 0, "setting a handler");
	check_equal(tell(index, BLOCK, index), 0, "setting the signal mask");
	check_equal(tell(index, KEEP, 0), 0, "sending a signal");
	for (other = 0; other < nr_members; other++) {
		bool has_it = sees(index, other, CLONE_SIGHAND);

		if (!is_alive(other))
			continue;
		check((tell(other, HANDLER, 0) == index) == has_it, "%u set a handler: %u",
		      index, other);
		if (has_it)
			check_equal(tell(other, RAISE, 0), index, "mask in the handler");
		check((tell(other, BLOCKED, 0) == index) == (index == other),
		      "%u set its signal mask: %u", index, other);
		check((tell(other, IS_KEPT, 0) == 1) == (index == other),
		      "%u has a signal: %u", index, other);
	}
	check_equal(tell(index, TAKE, 0), 1, "taking a signal");
}

/* Each in turn changes it, and all look. */
static void change(unsigned int index)
{
	unsigned int other;
	int fd = FIRST_FD + index;

	check_equal(tell(index, OPEN, fd), 0, "opening a descriptor");
	tell(index, WRITE, 1000 + index);
	check_equal(tell(index, MOVE, index), 0, "changing the directory");
	tell(index, MASK, 010 + index);
	for (other = 0; other < nr_members; other++) {
		if (!is_alive(other))
			continue;
		check(tell(other, IS_OPEN, fd) == sees(index, other, CLONE_FILES),
		      "%u opened a descriptor: %u", index, other);
		check((tell(other, READ, 0) == 1000 + index) == sees(index, other, CLONE_VM),
		      "%u wrote to memory: %u", index, other);
		check((tell(other, PLACE, 0) == index) == sees(index, other, CLONE_FS),
		      "%u changed its directory: %u", index, other);
		check((tell(other, GET_MASK, 0) == 010 + index) ==
		      sees(index, other, CLONE_FS), "%u changed its umask: %u", index, other);
	}
	change_signals(index);
}

static void change_all(void)
{
	unsigned int index;

	for (index = 0; index < nr_members; index++)
		if (is_alive(index))
			change(index);
}

/* Another than who opened it closes it, if it can. */
static void close_all(void)
{
	unsigned int index, other, closer;

	for (index = 0; index < nr_members; index++) {
		int fd = FIRST_FD + index;

		if (!is_alive(index))
			continue;
		for (other = 0, closer = index; other < nr_members; other++)
			if (is_alive(other) && sees(index, other, CLONE_FILES))
				closer = other;
		check_equal(tell(closer, CLOSE, fd), 0, "closing a descriptor");
		check_equal(tell(index, IS_OPEN, fd), 0, "a descriptor that was closed");
	}
}

static void look(struct view *all)
{
	unsigned int index, fd;

	for (index = 0; index < nr_members; index++) {
		struct view *view = &all[index];

		if (!is_alive(index))
			continue;
		view->open = 0;
		for (fd = 0; fd < nr_members; fd++)
			view->open |= tell(index, IS_OPEN, FIRST_FD + fd) << fd;
		view->word = tell(index, READ, 0);
		view->place = tell(index, PLACE, 0);
		view->mask = tell(index, GET_MASK, 0);
		view->handler = tell(index, HANDLER, 0);
		view->blocked = tell(index, BLOCKED, 0);
		view->is_kept = tell(index, IS_KEPT, 0);
	}
}

static void make_places(void)
{
	unsigned int index;
	char name[32];

	for (index = 0; index < nr_members; index++) {
		make_name(name, sizeof(name), index);
		need(!mkdir(name, 0755));
	}
}

static void read_mode(void)
{
	if (strstr(subject_arg, "files"))
		shared |= CLONE_FILES;
	if (strstr(subject_arg, "memory"))
		shared |= CLONE_VM;
	if (strstr(subject_arg, "directories"))
		shared |= CLONE_FS;
	if (strstr(subject_arg, "handlers"))
		shared |= CLONE_SIGHAND | CLONE_VM;
	leader_leaves = strstr(subject_arg, "leaderless");
	if (leader_leaves || strstr(subject_arg, "threads"))
		nr_members = MAX_MEMBERS;
	if (strstr(subject_arg, "many"))
		nr_epolls = MANY_EPOLLS;
	parents_die = strstr(subject_arg, "dead");
	has_executed = strstr(subject_arg, "executed");
	if (!shared)
		subject_die("nothing to share in '%s'", subject_arg);
}

static void end_parents(void)
{
	siginfo_t info;

	/* Which its children get a new parent for. */
	set_order(&members[2], EXIT);
	need(!waitid(P_ALL, 0, &info, WEXITED));
	set_order(&members[1], EXIT);
	need(!waitid(P_ALL, 0, &info, WEXITED | WNOWAIT));
}

static void let_go(unsigned int index, enum order order)
{
	set_order(&members[index], order);
	await_order(&members[index], order);
	need(members[index].order == DONE);
}

/* Where a signalfd looks is known by the handlers of who added it. */
static bool can_watch(void)
{
	return shared & CLONE_SIGHAND || !(shared & CLONE_FILES);
}

static void watch_all(void)
{
	unsigned int index;

	for (index = 0; index < nr_members; index++)
		if (is_alive(index) && can_watch())
			check_equal(tell(index, WATCH, index), 0, "watching a signal");
}

static void notice_all(void)
{
	unsigned int index;

	for (index = 0; index < nr_members; index++)
		if (is_alive(index) && can_watch())
			check_equal(tell(index, NOTICE, index), 1, "a signal that is watched");
}

static bool keeps(unsigned int index)
{
	return is_alive(index) && index % 2;
}

static void keep_signals(void)
{
	unsigned int index;

	for (index = 0; index < nr_members; index++)
		if (keeps(index))
			check_equal(tell(index, KEEP, 0), 0, "sending a signal");
}

static void take_signals(void)
{
	unsigned int index;

	for (index = 0; index < nr_members; index++)
		if (keeps(index))
			check_equal(tell(index, TAKE, 0), 1, "taking a signal");
}

static void setup(void)
{
	members = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	need(members != MAP_FAILED);
	read_mode();
	make_places();
	need(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	create(1, shared);
	create(2, 0);
	if (parents_die)
		end_parents();
	if (has_executed)
		let_go(1, EXECUTE);
	if (leader_leaves)
		let_go(4, LEAVE);
	watch_all();
	change_all();
	notice_all();
	keep_signals();
	look(views);
}

static void check_views(void)
{
	struct view now[MAX_MEMBERS] = { 0 };
	unsigned int index;

	look(now);
	for (index = 0; index < nr_members; index++) {
		check_equal(now[index].open, views[index].open, "descriptors");
		check_equal(now[index].word, views[index].word, "word in memory");
		check_equal(now[index].place, views[index].place, "working directory");
		check_equal(now[index].mask, views[index].mask, "umask");
		check_equal(now[index].handler, views[index].handler, "handler");
		check_equal(now[index].blocked, views[index].blocked, "signal mask");
		check_equal(now[index].is_kept, views[index].is_kept, "pending signal");
	}
}

/* All of them end, and whose child each one was says who waits for it. */
static void end_all(void)
{
	unsigned int index, nr_children = 0;
	siginfo_t info;

	for (index = nr_members - 1; index; index--) {
		if (is_alive(index))
			set_order(&members[index], END);
		if (!is_thread(index) && (parents_die ? index != 2 : !parents[index]))
			nr_children++;
	}
	while (!waitid(P_ALL, 0, &info, WEXITED)) {
		check(info.si_code == CLD_EXITED &&
		      ((info.si_status > status_of(0) && info.si_status < status_of(nr_members)) ||
		       (has_executed && info.si_status == SUBJECT_ENDS_WITH)),
		      "a child has ended: code %d, status %d", info.si_code, info.si_status);
		nr_children--;
	}
	check_equal(nr_children, 0, "children that have not ended");
}

static void verify(void)
{
	check_views();
	take_signals();
	notice_all();
	/* For what is open now none of them has to be open. */
	close_all();
	change_all();
	close_all();
	end_all();
}

const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_STATUS };
