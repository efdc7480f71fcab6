// SPDX-License-Identifier: GPL-2.0
/*
 * Event counters: what was added is still there, in both modes, through each
 * descriptor.
 */
#include "subject.h"

#include <sys/eventfd.h>

#define COUNT	0x123456789abcULL
#define MOST	0xfffffffffffffffeULL

static int counter, again, empty, full, semaphore;

static void add(int fd, u64 value)
{
	need(write(fd, &value, sizeof(value)) == sizeof(value));
}

static u64 take(int fd)
{
	u64 value = 0;

	if (!check(read(fd, &value, sizeof(value)) == sizeof(value), "read: %s",
		   strerror(errno)))
		return 0;
	return value;
}

static void setup(void)
{
	counter = eventfd(0, 0);
	again = dup(counter);
	empty = eventfd(0, EFD_NONBLOCK);
	full = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	semaphore = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	need(counter >= 0 && again >= 0 && empty >= 0 && full >= 0 && semaphore >= 0);
	add(counter, COUNT);
	add(full, MOST);
}

static void verify(void)
{
	u64 one = 1;
	int index;

	add(again, 1);
	check_equal(take(counter), COUNT + 1, "counter");
	check(read(empty, &one, sizeof(one)) < 0 && errno == EAGAIN, "empty: %s", strerror(errno));
	check(write(full, &one, sizeof(one)) < 0 && errno == EAGAIN, "full: %s", strerror(errno));
	check_equal(take(full), MOST, "full counter");
	check(fcntl(full, F_GETFD) == FD_CLOEXEC, "close-on-exec");
	check(!(fcntl(counter, F_GETFL) & O_NONBLOCK), "counter became non-blocking");
	for (index = 0; index < 3; index++)
		check_equal(take(semaphore), 1, "semaphore");
	check(read(semaphore, &one, sizeof(one)) < 0 && errno == EAGAIN, "semaphore: %s",
	      strerror(errno));
}

/* Their numbers in fdinfo are given out anew. */
const struct subject subject = { .setup = setup, .verify = verify, .skip = SKIP_FILES };
