// SPDX-License-Identifier: GPL-2.0
/*
 * Processes, not threads, that share what clone() lets them share. The argument
 * says what, and ends with "dead" if some have lost their parent:
 *
 *	0 - 1 - 3	share with each other
 *	0 - 2		share nothing
 *	2 - 4, 2 - 5	share with each other
 *
 * If so, 1 has exited and nobody has waited for it, and 2 was waited for.
 *
 * The first one tells each of the others to change something, and asks all what
 * they see of it.
 */
#include "subject.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NR_MEMBERS	6
#define FIRST_FD	100
#define STACK_SIZE	65536

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
};

static const unsigned int parents[NR_MEMBERS] = { 0, 0, 0, 1, 2, 2 };
static struct view views[NR_MEMBERS];
static int shared;
static bool parents_die;
static volatile long word;

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
	return !parents_die || (index != 1 && index != 2);
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

static void create(unsigned int index, int flags);

static int be_member(void *argument)
{
	struct member *self = argument;
	unsigned int own = self - members, index;

	for (index = own + 1; index < NR_MEMBERS; index++)
		if (parents[index] == own)
			create(index, shared);
	set_order(self, DONE);
	for (;;) {
		await_order(self, DONE);
		if (self->order == EXIT)
			_exit(status_of(own));
		if (self->order == END)
			break;
		self->answer = obey(self->order, self->argument);
		set_order(self, DONE);
	}
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	_exit(status_of(own));
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
	static const unsigned int groups[NR_MEMBERS] = { 0, 0, 1, 0, 1, 1 };

	return groups[first] == groups[second];
}

static bool sees(unsigned int index, unsigned int other, int what)
{
	return index == other || (is_shared(index, other) && shared & what);
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
	for (other = 0; other < NR_MEMBERS; other++) {
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
}

static void change_all(void)
{
	unsigned int index;

	for (index = 0; index < NR_MEMBERS; index++)
		if (is_alive(index))
			change(index);
}

/* Another than who opened it closes it, if it can. */
static void close_all(void)
{
	unsigned int index, other, closer;

	for (index = 0; index < NR_MEMBERS; index++) {
		int fd = FIRST_FD + index;

		if (!is_alive(index))
			continue;
		for (other = 0, closer = index; other < NR_MEMBERS; other++)
			if (is_alive(other) && sees(index, other, CLONE_FILES))
				closer = other;
		check_equal(tell(closer, CLOSE, fd), 0, "closing a descriptor");
		check_equal(tell(index, IS_OPEN, fd), 0, "a descriptor that was closed");
	}
}

static void look(struct view *all)
{
	unsigned int index, fd;

	for (index = 0; index < NR_MEMBERS; index++) {
		struct view *view = &all[index];

		if (!is_alive(index))
			continue;
		view->open = 0;
		for (fd = 0; fd < NR_MEMBERS; fd++)
			view->open |= tell(index, IS_OPEN, FIRST_FD + fd) << fd;
		view->word = tell(index, READ, 0);
		view->place = tell(index, PLACE, 0);
		view->mask = tell(index, GET_MASK, 0);
	}
}

static void make_places(void)
{
	unsigned int index;
	char name[32];

	for (index = 0; index < NR_MEMBERS; index++) {
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
	parents_die = strstr(subject_arg, "dead");
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
	change_all();
	look(views);
}

static void check_views(void)
{
	struct view now[NR_MEMBERS] = { 0 };
	unsigned int index;

	look(now);
	for (index = 0; index < NR_MEMBERS; index++) {
		check_equal(now[index].open, views[index].open, "descriptors");
		check_equal(now[index].word, views[index].word, "word in memory");
		check_equal(now[index].place, views[index].place, "working directory");
		check_equal(now[index].mask, views[index].mask, "umask");
	}
}

/* All of them end, and whose child each one was says who waits for it. */
static void end_all(void)
{
	unsigned int index, nr_children = 0;
	siginfo_t info;

	for (index = NR_MEMBERS - 1; index; index--) {
		if (is_alive(index))
			set_order(&members[index], END);
		if (parents_die ? index != 2 : !parents[index])
			nr_children++;
	}
	while (!waitid(P_ALL, 0, &info, WEXITED)) {
		check(info.si_code == CLD_EXITED && info.si_status > status_of(0) &&
		      info.si_status < status_of(NR_MEMBERS),
		      "a child has ended: code %d, status %d", info.si_code, info.si_status);
		nr_children--;
	}
	check_equal(nr_children, 0, "children that have not ended");
}

static void verify(void)
{
	check_views();
	/* For what is open now none of them has to be open. */
	close_all();
	change_all();
	close_all();
	end_all();
}

const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_STATUS };
