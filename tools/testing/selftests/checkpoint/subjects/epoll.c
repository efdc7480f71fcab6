// SPDX-License-Identifier: GPL-2.0
/*
 * Instances of epoll.
 *
 *	empty		without items; parameters of busy polling
 *	level		ready and idle files of several kinds
 *	edge		edges that were reported, that were not, and new ones
 *	late		an edge that comes while the process is away
 *	oneshot		armed, armed and ready, disarmed
 *	exclusive	not for EPOLL_CTL_MOD
 *	wakeup		keeps the system awake
 *	order		of the ready list
 *	nested		as deep as can be, and no deeper; no cycle
 *	signals		what is ready only when the process goes on
 *	closed		the descriptor is gone, or is another file; a dup is left
 *	dup		one file under two numbers
 *	many		10,000 items
 */
#include "subject.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#ifndef EPIOCSPARAMS
struct epoll_params {
	u32 busy_poll_usecs;
	u16 busy_poll_budget;
	u8 prefer_busy_poll;
	u8 __pad;
};

#define EPIOCSPARAMS	_IOW(0x8A, 0x01, struct epoll_params)
#define EPIOCGPARAMS	_IOR(0x8A, 0x02, struct epoll_params)
#endif

#define DATA		0x8877665544332200ULL
#define NR_MANY		10000
#define NR_FILES	8
#define DEEPEST		5	/* as many instances, each in the next */

static int ep, ep2, files[NR_FILES], chain[DEEPEST], pipe_fds[2];
static struct epoll_params params = { 50, 8, 1, 0 };
static char items[8192];
static int *many;

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

static int new_counter(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	need(fd >= 0);
	return fd;
}

static int new_epoll(void)
{
	int fd = epoll_create1(0);

	need(fd >= 0);
	return fd;
}

static int control_item(int epoll, int op, int fd, u32 events, u64 data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(epoll, op, fd, &event);
}

static void watch(int epoll, int fd, u32 events, u64 data)
{
	need(!control_item(epoll, EPOLL_CTL_ADD, fd, events, data));
}

/* One event, or none: data 0. */
static u64 next_event(int epoll, u32 *events)
{
	struct epoll_event event = { 0 };
	int nr = epoll_wait(epoll, &event, 1, 0);

	check(nr >= 0, "epoll_wait: %s", strerror(errno));
	if (events)
		*events = event.events;
	return nr == 1 ? event.data.u64 : 0;
}

static void expect(int epoll, u64 data, u32 events, const char *what)
{
	u32 got = 0;

	check_equal(next_event(epoll, &got), data, what);
	check_equal(got, events, what);
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(left, right);
}

/*
 * What the kernel tells of the items, without what is given out anew, and in
 * another order than that of addresses.
 */
static void describe(int epoll, char *out, size_t size)
{
	static char lines[64][128];
	char path[64], line[256];
	size_t nr = 0, index, len = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	info = fopen(path, "r");
	need(info);
	while (fgets(line, sizeof(line), info)) {
		char *end = strstr(line, " pos:");

		if (!end || strncmp(line, "tfd:", 4))
			continue;
		need(nr < ARRAY_SIZE(lines));
		snprintf(lines[nr++], sizeof(lines[0]), "%.*s", (int)(end - line), line);
	}
	fclose(info);
	qsort(lines, nr, sizeof(lines[0]), compare_lines);
	*out = '\0';
	for (index = 0; index < nr; index++)
		len += (size_t)snprintf(out + len, size - len, "%s\n", lines[index]);
}

static void check_items(void)
{
	char now[sizeof(items)];

	describe(ep, now, sizeof(now));
	check(!strcmp(items, now), "items were:\n%sare:\n%s", items, now);
}

static void setup_empty(void)
{
	if (ioctl(ep, EPIOCSPARAMS, &params))
		subject_skip("no busy polling: %s", strerror(errno));
}

static void verify_empty(void)
{
	struct epoll_params now = { 0 };

	check(!ioctl(ep, EPIOCGPARAMS, &now), "EPIOCGPARAMS: %s", strerror(errno));
	check(!memcmp(&now, &params, sizeof(now)), "parameters: %u us, budget %u, prefer %u",
	      now.busy_poll_usecs, now.busy_poll_budget, now.prefer_busy_poll);
	expect(ep, 0, 0, "no item");
	watch(ep, files[0], EPOLLIN, DATA);
	add(files[0]);
	expect(ep, DATA, EPOLLIN, "new item");
}

static void setup_level(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	struct pollfd poller = { timer, POLLIN, 0 };

	need(timer >= 0 && !pipe2(pipe_fds, O_NONBLOCK));
	watch(ep, files[0], EPOLLIN, DATA);
	watch(ep, files[1], EPOLLIN | EPOLLPRI, DATA + 1);
	watch(ep, pipe_fds[0], EPOLLIN | EPOLLRDHUP, DATA + 2);
	add(files[0]);
	need(write(pipe_fds[1], "x", 1) == 1);
	need(!timerfd_settime(timer, 0, &soon, NULL));
	watch(ep, timer, EPOLLIN, DATA + 3);
	/* It becomes ready and stays so; the order is that of the lines above. */
	need(poll(&poller, 1, -1) == 1);
}

static void verify_level(void)
{
	struct epoll_event events[NR_FILES];
	int round, index, nr;
	unsigned int seen;

	for (round = 0; round < 2; round++) {
		nr = epoll_wait(ep, events, NR_FILES, 0);
		check_equal(nr, 3, "ready files");
		for (seen = 0, index = 0; index < nr; index++)
			seen |= 1 << (events[index].data.u64 - DATA);
		check_equal(seen, 0xd, "which are ready");
	}
	take(files[0]);
	add(files[1]);
	nr = epoll_wait(ep, events, NR_FILES, 0);
	for (seen = 0, index = 0; index < nr; index++)
		seen |= 1 << (events[index].data.u64 - DATA);
	check_equal(seen, 0xe, "which are ready later");
	close(pipe_fds[1]);
	need(read(pipe_fds[0], &seen, 1) == 1);
	while (nr > 0 && events[nr - 1].data.u64 != DATA + 2)
		nr = epoll_wait(ep, events, 1, 0);
	check_equal(nr > 0 ? events[nr - 1].events : 0, EPOLLHUP, "events of the pipe");
}

static void setup_edge(void)
{
	int index;

	for (index = 0; index < 4; index++)
		watch(ep, files[index], EPOLLIN | EPOLLET, DATA + 1 + (u64)index);
	need(!pipe2(pipe_fds, O_NONBLOCK));
	watch(ep, pipe_fds[1], EPOLLOUT | EPOLLET, DATA + 5);
	need(next_event(ep, NULL) == DATA + 5);
	/* Reported; reported and taken; neither; idle. */
	add(files[0]);
	add(files[1]);
	need(next_event(ep, NULL) == DATA + 1 && next_event(ep, NULL) == DATA + 2);
	take(files[1]);
	add(files[2]);
}

static void verify_edge(void)
{
	expect(ep, DATA + 3, EPOLLIN, "edge that was not reported");
	expect(ep, 0, 0, "edges that were reported");
	add(files[1]);
	expect(ep, DATA + 2, EPOLLIN, "edge after another that was taken");
	add(files[0]);
	expect(ep, DATA + 1, EPOLLIN, "edge after another that was not");
	add(files[3]);
	expect(ep, DATA + 4, EPOLLIN, "first edge");
	expect(ep, 0, 0, "edges that were reported now");
}

/* The moment comes before the process is back, or a bit later. */
static void setup_late(void)
{
	struct itimerspec when = { 0 };

	need(!clock_gettime(CLOCK_REALTIME, &when.it_value));
	when.it_value.tv_nsec += 200 * MSEC;
	when.it_value.tv_sec += when.it_value.tv_nsec / NSEC_PER_SEC;
	when.it_value.tv_nsec %= NSEC_PER_SEC;
	files[1] = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	need(files[1] >= 0);
	watch(ep, files[1], EPOLLIN | EPOLLET, DATA);
	ep2 = new_epoll();
	watch(ep2, ep, EPOLLIN | EPOLLET, DATA + 1);
	expect(ep2, 0, 0, "it is too early");
	need(!timerfd_settime(files[1], TFD_TIMER_ABSTIME, &when, NULL));
}

static void verify_late(void)
{
	struct epoll_event event = { 0 };

	check_equal(epoll_wait(ep2, &event, 1, -1), 1, "edge of the epoll");
	check_equal(event.data.u64, DATA + 1, "edge of the epoll");
	expect(ep, DATA, EPOLLIN, "edge of the timer");
	expect(ep, 0, 0, "after the edge");
	expect(ep2, 0, 0, "after the edge of the epoll");
}

static void setup_oneshot(void)
{
	watch(ep, files[0], EPOLLIN | EPOLLONESHOT, DATA + 1);
	watch(ep, files[1], EPOLLIN | EPOLLONESHOT, DATA + 2);
	watch(ep, files[2], EPOLLIN | EPOLLONESHOT | EPOLLET, DATA + 3);
	add(files[0]);
	need(next_event(ep, NULL) == DATA + 1);
	add(files[1]);
}

static void verify_oneshot(void)
{
	expect(ep, DATA + 2, EPOLLIN, "item that is armed and ready");
	expect(ep, 0, 0, "disarmed items");
	add(files[0]);
	expect(ep, 0, 0, "item that is disarmed");
	add(files[2]);
	expect(ep, DATA + 3, EPOLLIN, "item that is armed");
	need(!control_item(ep, EPOLL_CTL_MOD, files[0], EPOLLIN | EPOLLONESHOT, DATA + 4));
	expect(ep, DATA + 4, EPOLLIN, "item that is armed again");
}

static void setup_exclusive(void)
{
	watch(ep, files[0], EPOLLIN | EPOLLEXCLUSIVE, DATA);
	watch(ep, files[1], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, DATA + 1);
	add(files[1]);
	need(next_event(ep, NULL) == DATA + 1);
}

static void verify_exclusive(void)
{
	/* EPOLL_CTL_MOD takes no effect: an exclusive item stays as it is. */
	control_item(ep, EPOLL_CTL_MOD, files[0], EPOLLOUT, DATA + 7);
	check_items();
	expect(ep, 0, 0, "exclusive items");
	add(files[0]);
	expect(ep, DATA, EPOLLIN, "exclusive item");
}

static void setup_wakeup(void)
{
	watch(ep, files[0], EPOLLIN | EPOLLWAKEUP, DATA);
	watch(ep, files[1], EPOLLIN | EPOLLWAKEUP | EPOLLET, DATA + 1);
	add(files[1]);
	need(next_event(ep, NULL) == DATA + 1);
	describe(ep, items, sizeof(items));
	if (!strstr(items, "events: 20000019"))
		subject_skip("the system never sleeps, or the right to prevent it is missing");
	add(files[0]);
}

static void verify_wakeup(void)
{
	expect(ep, DATA, EPOLLIN, "item");
}

static const int order[] = { 4, 1, 6, 0, 7, 2, 5, 3 };

static void setup_order(void)
{
	int index;

	for (index = 0; index < NR_FILES; index++)
		watch(ep, files[index], EPOLLIN | EPOLLET, DATA + 1 + (u64)index);
	for (index = 0; index < NR_FILES; index++)
		add(files[order[index]]);
}

static void verify_order(void)
{
	int index;

	for (index = 0; index < NR_FILES; index++)
		expect(ep, DATA + 1 + (u64)order[index], EPOLLIN, "order");
	expect(ep, 0, 0, "end of the list");
}

/* The outermost is opened first, and the innermost last. */
static void setup_nested(void)
{
	int index;

	for (index = 0; index < DEEPEST; index++)
		chain[index] = new_epoll();
	for (index = 0; index + 1 < DEEPEST; index++)
		watch(chain[index], chain[index + 1], EPOLLIN, DATA + 1 + (u64)index);
	watch(chain[DEEPEST - 1], files[0], EPOLLIN, DATA + DEEPEST);
	/* There is more than one way to the innermost. */
	watch(ep, chain[2], EPOLLIN | EPOLLET, DATA + 7);
	watch(ep, chain[3], EPOLLIN, DATA + 8);
	add(files[0]);
	need(next_event(ep, NULL) && next_event(ep, NULL));
}

static void verify_nested(void)
{
	int index, more = new_epoll();

	expect(ep, DATA + 8, EPOLLIN, "diamond, level");
	expect(ep, DATA + 8, EPOLLIN, "diamond, edge again");
	for (index = 0; index < DEEPEST; index++)
		expect(chain[index], DATA + 1 + (u64)index, EPOLLIN, "chain");
	take(files[0]);
	for (index = DEEPEST - 1; index >= 0; index--)
		expect(chain[index], 0, 0, "chain, taken");
	expect(ep, 0, 0, "diamond, taken");
	add(files[0]);
	for (index = 0; index < DEEPEST; index++)
		expect(chain[index], DATA + 1 + (u64)index, EPOLLIN, "chain, again");
	check(control_item(more, EPOLL_CTL_ADD, chain[0], EPOLLIN, 0) && errno == ELOOP,
	      "one more level: %s", strerror(errno));
	check(control_item(chain[DEEPEST - 1], EPOLL_CTL_ADD, chain[0], EPOLLIN, 0) &&
	      errno == ELOOP, "a cycle: %s", strerror(errno));
	check(control_item(chain[1], EPOLL_CTL_ADD, chain[1], EPOLLIN, 0) && errno == EINVAL,
	      "itself: %s", strerror(errno));
}

static void setup_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(!sigprocmask(SIG_BLOCK, &set, NULL));
	files[1] = signalfd(-1, &set, SFD_NONBLOCK);
	need(files[1] >= 0);
	watch(ep, files[1], EPOLLIN, DATA);
	ep2 = new_epoll();
	watch(ep2, ep, EPOLLIN, DATA + 1);
	need(!raise(SIGUSR1));
}

static void verify_signals(void)
{
	struct signalfd_siginfo info;

	expect(ep2, DATA + 1, EPOLLIN, "outer epoll");
	expect(ep, DATA, EPOLLIN, "signal");
	need(read(files[1], &info, sizeof(info)) == sizeof(info));
	expect(ep, 0, 0, "no signal");
	need(!raise(SIGUSR1));
	expect(ep2, DATA + 1, EPOLLIN, "outer epoll, next signal");
}

static void setup_closed(void)
{
	int fd = files[1];

	watch(ep, fd, EPOLLIN, DATA + 1);
	watch(ep, files[2], EPOLLIN | EPOLLET, DATA + 2);
	files[5] = fcntl(fd, F_DUPFD, 50);
	files[6] = fcntl(files[2], F_DUPFD, 50);
	need(files[5] >= 50 && files[6] >= 50);
	close(files[2]);
	/* Another file takes the number, and is watched as well. */
	need(dup2(files[3], fd) == fd);
	close(files[3]);
	watch(ep, fd, EPOLLIN, DATA + 3);
	add(files[5]);
	add(files[6]);
	need(next_event(ep, NULL) && next_event(ep, NULL));
}

static void verify_closed(void)
{
	char now[sizeof(items)];

	expect(ep, DATA + 1, EPOLLIN, "file under a number that was reused");
	expect(ep, DATA + 1, EPOLLIN, "edge of a closed descriptor");
	check(control_item(ep, EPOLL_CTL_DEL, files[2], 0, 0) && errno == EBADF, "closed: %s",
	      strerror(errno));
	check(control_item(ep, EPOLL_CTL_DEL, files[5], 0, 0) && errno == ENOENT, "dup: %s",
	      strerror(errno));
	take(files[5]);
	expect(ep, 0, 0, "taken");
	add(files[6]);
	expect(ep, DATA + 2, EPOLLIN, "new edge of a closed descriptor");
	add(files[1]);
	expect(ep, DATA + 3, EPOLLIN, "file that took the number");
	/* The items go with the last descriptors. */
	close(files[5]);
	close(files[6]);
	check(!control_item(ep, EPOLL_CTL_DEL, files[1], 0, 0), "delete: %s", strerror(errno));
	describe(ep, now, sizeof(now));
	check(!*now, "left over: %s", now);
}

static void setup_dup(void)
{
	files[7] = dup(files[0]);
	need(files[7] >= 0);
	watch(ep, files[0], EPOLLIN, DATA + 1);
	watch(ep, files[7], EPOLLIN | EPOLLET, DATA + 2);
}

static void verify_dup(void)
{
	u64 sum;

	expect(ep, 0, 0, "idle");
	add(files[7]);
	sum = next_event(ep, NULL) - DATA;
	sum += next_event(ep, NULL) - DATA;
	check_equal(sum, 3, "both items");
	expect(ep, DATA + 1, EPOLLIN, "level");
	check(!control_item(ep, EPOLL_CTL_DEL, files[7], 0, 0), "delete: %s", strerror(errno));
	check(!control_item(ep, EPOLL_CTL_DEL, files[0], 0, 0), "delete: %s", strerror(errno));
}

/* Every third has reported its edge, every seventh has one to report. */
static void setup_many(void)
{
	struct rlimit limit = { NR_MANY + 100, NR_MANY + 100 };
	struct epoll_event events[64];
	int index;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		subject_skip("no room for descriptors: %s", strerror(errno));
	many = calloc(NR_MANY, sizeof(*many));
	need(many);
	for (index = 0; index < NR_MANY; index++) {
		many[index] = new_counter();
		watch(ep, many[index], EPOLLIN | EPOLLET, (u64)index);
		if (index % 3 == 0)
			add(many[index]);
	}
	while (epoll_wait(ep, events, 64, 0) > 0)
		continue;
	for (index = 0; index < NR_MANY; index++)
		if (index % 7 == 0)
			add(many[index]);
}

static void verify_many(void)
{
	struct epoll_event event;
	int index, value;

	for (index = 0; index < NR_MANY; index += 7)
		if (!check(epoll_wait(ep, &event, 1, 0) == 1 && event.data.u64 == (u64)index,
			   "edge %d: %lld", index, (long long)event.data.u64))
			return;
	expect(ep, 0, 0, "end of the list");
	for (index = 0; index < NR_MANY; index++) {
		value = (index % 3 == 0) + (index % 7 == 0);
		if (value)
			take(many[index]);
		add(many[index]);
		if (!check(epoll_wait(ep, &event, 1, 0) == 1 && event.data.u64 == (u64)index,
			   "new edge %d: %lld", index, (long long)event.data.u64))
			return;
	}
}

static const struct subject_mode modes[] = {
	{ "empty", setup_empty, verify_empty },
	{ "level", setup_level, verify_level },
	{ "edge", setup_edge, verify_edge },
	{ "late", setup_late, verify_late },
	{ "oneshot", setup_oneshot, verify_oneshot },
	{ "exclusive", setup_exclusive, verify_exclusive },
	{ "wakeup", setup_wakeup, verify_wakeup },
	{ "order", setup_order, verify_order },
	{ "nested", setup_nested, verify_nested },
	{ "signals", setup_signals, verify_signals },
	{ "closed", setup_closed, verify_closed },
	{ "dup", setup_dup, verify_dup },
	{ "many", setup_many, verify_many },
	{ }
};

static void setup(void)
{
	int index;

	ep = new_epoll();
	for (index = 0; index < NR_FILES; index++)
		files[index] = new_counter();
}

static void hold(void)
{
	if (!mode_is("many"))
		describe(ep, items, sizeof(items));
	subject_wait();
}

static void verify(void)
{
	if (!mode_is("many"))
		check_items();
}

/* Inode numbers of what is watched are in fdinfo. */
const struct subject subject = {
	.setup = setup, .hold = hold, .verify = verify, .skip = SKIP_FILES, .modes = modes,
};
