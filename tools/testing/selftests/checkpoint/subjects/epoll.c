// SPDX-License-Identifier: GPL-2.0
/*
 * What an epoll watches.
 *
 *	items		level, edge, one-shot, exclusive; reported before or not
 *	closed		the descriptor is closed, the file lives on as another
 *	nested		an epoll in an epoll in an epoll
 *	many		more than anybody counts by hand
 */
#include "subject.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#define MANY		2000
#define DATA(index)	(0x1234567800000000ULL + (index))

enum { LEVEL, EDGE, OLD_EDGE, ONCE, SPENT, EXCLUSIVE, IDLE, NR_ITEMS };

static int epoll, outer, outermost;
static int fds[MANY];

static void add(int fd)
{
	u64 one = 1;

	need(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void take(int fd)
{
	u64 value;

	need(read(fd, &value, sizeof(value)) == sizeof(value));
}

static int make(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	need(fd >= 0);
	return fd;
}

static void watch(int on, int fd, u32 events, u64 data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	need(!epoll_ctl(on, EPOLL_CTL_ADD, fd, &event));
}

/* Bits of the items that are reported; all their data must be what it was. */
static u64 reported(int on, int most)
{
	struct epoll_event events[NR_ITEMS];
	int count = epoll_wait(on, events, most, 0), index;
	u64 bits = 0;

	check(count >= 0, "epoll_wait: %s", strerror(errno));
	for (index = 0; index < count; index++) {
		u64 number = events[index].data.u64 - DATA(0);

		if (check(number < NR_ITEMS, "data %#llx",
			  (unsigned long long)events[index].data.u64))
			bits |= 1ULL << number;
		check_equal(events[index].events, EPOLLIN, "events");
	}
	return bits;
}

static void setup_items(void)
{
	static const u32 events[NR_ITEMS] = {
		[EDGE] = EPOLLET, [OLD_EDGE] = EPOLLET, [ONCE] = EPOLLONESHOT,
		[SPENT] = EPOLLONESHOT, [EXCLUSIVE] = EPOLLEXCLUSIVE,
	};
	int index;

	for (index = 0; index < NR_ITEMS; index++) {
		fds[index] = make();
		watch(epoll, fds[index], EPOLLIN | events[index], DATA(index));
	}
	add(fds[OLD_EDGE]);
	add(fds[SPENT]);
	need(reported(epoll, NR_ITEMS) == (1 << OLD_EDGE | 1 << SPENT));
	for (index = LEVEL; index < IDLE; index++)
		if (index != OLD_EDGE && index != SPENT)
			add(fds[index]);
}

static void setup(void)
{
	const struct rlimit many = { MANY + 64, MANY + 64 };
	int index;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	need(epoll >= 0);
	if (mode_is("items")) {
		setup_items();
	} else if (mode_is("closed")) {
		fds[0] = make();
		watch(epoll, fds[0], EPOLLIN, DATA(0));
		fds[1] = dup(fds[0]);
		close(fds[0]);
		/* The number now stands for something else. */
		need(make() == fds[0]);
	} else if (mode_is("nested")) {
		outer = epoll_create1(0);
		outermost = epoll_create1(0);
		fds[0] = make();
		watch(epoll, fds[0], EPOLLIN, DATA(0));
		watch(outer, epoll, EPOLLIN, DATA(1));
		watch(outermost, outer, EPOLLIN, DATA(2));
	} else {
		setrlimit(RLIMIT_NOFILE, &many);
		for (index = 0; index < MANY; index++) {
			fds[index] = make();
			watch(epoll, fds[index], EPOLLIN, DATA(index));
		}
	}
}

static void verify_items(void)
{
	struct epoll_event again = { .events = EPOLLIN, .data.u64 = DATA(SPENT) };
	u64 ready = 1 << LEVEL | 1 << EDGE | 1 << ONCE | 1 << EXCLUSIVE;

	check_equal(reported(epoll, NR_ITEMS), ready, "items at first");
	check_equal(reported(epoll, NR_ITEMS), 1 << LEVEL | 1 << EXCLUSIVE, "items then");
	add(fds[OLD_EDGE]);
	add(fds[IDLE]);
	add(fds[SPENT]);
	check_equal(reported(epoll, NR_ITEMS),
		    1 << LEVEL | 1 << EXCLUSIVE | 1 << OLD_EDGE | 1 << IDLE, "items with news");
	need(!epoll_ctl(epoll, EPOLL_CTL_MOD, fds[SPENT], &again));
	check(reported(epoll, NR_ITEMS) & 1 << SPENT, "the one-shot item was not armed again");
}

static void verify_closed(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	check_equal(reported(epoll, 1), 0, "items");
	add(fds[0]);
	check_equal(reported(epoll, 1), 0, "the other file's");
	add(fds[1]);
	check_equal(reported(epoll, 1), 1, "items");
	/* Nobody can name it any more. */
	check(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event) && errno == ENOENT, "MOD: %s",
	      strerror(errno));
	check(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[1], &event) && errno == ENOENT, "MOD: %s",
	      strerror(errno));
}

static void verify_nested(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	check_equal(reported(outermost, 1), 0, "items");
	add(fds[0]);
	check_equal(reported(outermost, 1), 1 << 2, "outermost");
	check_equal(reported(outer, 1), 1 << 1, "outer");
	check_equal(reported(epoll, 1), 1 << 0, "inner");
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, outermost, &event) && errno == ELOOP, "loop: %s",
	      strerror(errno));
}

static void verify_many(void)
{
	struct epoll_event event;
	int index;

	for (index = 0; index < MANY; index++) {
		if (!check(!epoll_wait(epoll, &event, 1, 0), "item too many"))
			break;
		add(fds[index]);
		if (!check(epoll_wait(epoll, &event, 1, 0) == 1 && event.data.u64 == DATA(index),
			   "item %d is missing", index))
			break;
		take(fds[index]);
	}
}

static void verify(void)
{
	check_equal(fcntl(epoll, F_GETFD), FD_CLOEXEC, "close-on-exec");
	if (mode_is("items"))
		verify_items();
	else if (mode_is("closed"))
		verify_closed();
	else if (mode_is("nested"))
		verify_nested();
	else
		verify_many();
}

/* The numbers of eventfds in fdinfo are given out anew. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
