// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of files that are watched.
 *
 *	watches		each of them is still there, with its number and its mask,
 *			and nothing has happened meanwhile
 *	shared		two instances, and descriptors that share one
 *	events		what was not read is read now, in order and in full
 *	overflow	more had happened than the queue takes
 *	unlinked	the contents of a file in the directory are saved, unseen
 */
#include "subject.h"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define WATCH	"watched/"
#define ROOM	0x100000
#define EVENT	(sizeof(struct inotify_event))

static int instance, twin, again, other;
static int dir, file, once, link_wd, gone, tidy, held, empty;
static char bytes[ROOM] __attribute__((aligned(8)));
static ssize_t len;

static void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0644);

	need(fd >= 0);
	close(fd);
}

static void append(const char *name)
{
	int fd = open(name, O_WRONLY | O_APPEND);

	need(fd >= 0);
	need(write(fd, "x", 1) == 1);
	close(fd);
}

static int watch(int fd, const char *name, u32 mask)
{
	int wd = inotify_add_watch(fd, name, mask);

	need(wd >= 0);
	return wd;
}

static void expect_none(int fd, const char *when)
{
	struct {
		struct inotify_event event;
		char name[NAME_MAX + 1];
	} got = { 0 };
	ssize_t ret = read(fd, &got, sizeof(got));

	check(ret < 0 && errno == EAGAIN, "%s: event %#x of watch %d, name '%.255s'", when,
	      got.event.mask, got.event.wd, got.event.len ? got.name : "");
}

/* One event, no more at a time. */
static void expect(int fd, int wd, u32 mask, const char *name)
{
	struct {
		struct inotify_event event;
		char name[NAME_MAX + 1];
	} got = { 0 };
	size_t room = EVENT;

	if (*name)
		room += (strlen(name) + 1 + EVENT - 1) / EVENT * EVENT;
	if (!check(read(fd, &got, room) == (ssize_t)room, "event %#x of watch %d: %s", mask, wd,
		   strerror(errno)))
		return;
	check_equal(got.event.wd, wd, "watch");
	check_equal(got.event.mask, mask, "event");
	check_equal(got.event.cookie, 0, "cookie");
	check(!strcmp(got.event.len ? got.name : "", name), "name '%.255s' instead of '%s'",
	      got.name, name);
}

static void make_files(void)
{
	need(!mkdir("watched", 0755));
	need(!mkdir("tidy", 0755));
	touch(WATCH "file");
	touch(WATCH "once");
	touch(WATCH "gone");
	touch("target");
	need(!symlink("../target", WATCH "link"));
	instance = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	twin = inotify_init1(IN_NONBLOCK);
	empty = inotify_init1(IN_NONBLOCK);
	need(instance >= 0 && twin >= 0 && empty >= 0);
}

static void setup_watches(void)
{
	dir = watch(instance, "watched", IN_CREATE | IN_DELETE | IN_OPEN | IN_ONLYDIR);
	file = watch(instance, WATCH "file", IN_MODIFY);
	gone = watch(instance, WATCH "gone", IN_ALL_EVENTS);
	once = watch(instance, WATCH "once", IN_MODIFY | IN_ONESHOT);
	link_wd = watch(instance, WATCH "link", IN_ATTRIB | IN_DONT_FOLLOW);
	tidy = watch(instance, "tidy", IN_MODIFY | IN_EXCL_UNLINK);
	need(watch(instance, WATCH "file", IN_ATTRIB | IN_MASK_ADD) == file);
	/* A number is missing, and no number comes twice. */
	need(!inotify_rm_watch(instance, gone));
	need(read(instance, bytes, ROOM) == (ssize_t)EVENT);
	need(watch(instance, WATCH "gone", IN_ATTRIB) == tidy + 1);
	need(!inotify_rm_watch(instance, tidy + 1));
	need(read(instance, bytes, ROOM) == (ssize_t)EVENT);
	/* A restart opens these again, which nobody is to see. */
	held = open(WATCH "file", O_RDONLY);
	need(held >= 0 && open("watched", O_RDONLY | O_DIRECTORY) >= 0);
	need(read(instance, bytes, ROOM) > 0);
}

static void verify_tidy(void)
{
	int fd = open("tidy/file", O_WRONLY | O_CREAT, 0644);

	need(fd >= 0 && write(fd, "x", 1) == 1);
	expect(instance, tidy, IN_MODIFY, "file");
	need(!unlink("tidy/file"));
	need(write(fd, "x", 1) == 1);
	expect_none(instance, "unlinked file");
	close(fd);
}

static void verify_watches(void)
{
	int wd;

	expect_none(instance, "restart");
	expect_none(empty, "instance without a watch");
	touch(WATCH "new");
	expect(instance, dir, IN_CREATE, "new");
	expect(instance, dir, IN_OPEN, "new");
	need(!unlink(WATCH "new"));
	expect(instance, dir, IN_DELETE, "new");
	append(WATCH "file");
	expect(instance, dir, IN_OPEN, "file");
	expect(instance, file, IN_MODIFY, "");
	need(!chmod(WATCH "file", 0644));
	expect(instance, file, IN_ATTRIB, "");
	need(!utimensat(AT_FDCWD, WATCH "link", NULL, AT_SYMLINK_NOFOLLOW));
	expect(instance, link_wd, IN_ATTRIB, "");
	append(WATCH "once");
	expect(instance, dir, IN_OPEN, "once");
	expect(instance, once, IN_MODIFY, "");
	expect(instance, once, IN_IGNORED, "");
	append(WATCH "once");
	expect(instance, dir, IN_OPEN, "once");
	expect_none(instance, "the second time");
	verify_tidy();
	/* It is the same watch, and another one is a new one. */
	check_equal(inotify_add_watch(instance, WATCH "file", IN_MODIFY), file, "known watch");
	wd = inotify_add_watch(instance, WATCH "gone", IN_MODIFY);
	check_equal(wd, tidy + 2, "new watch");
	append(WATCH "gone");
	expect(instance, dir, IN_OPEN, "gone");
	expect(instance, wd, IN_MODIFY, "");
	check(!inotify_rm_watch(instance, dir), "remove: %s", strerror(errno));
	expect(instance, dir, IN_IGNORED, "");
	touch(WATCH "gone");
	expect_none(instance, "removed watch");
	check_equal(inotify_add_watch(empty, "watched", IN_CREATE), 1, "first watch");
}

static void setup_shared(void)
{
	again = dup(instance);
	other = dup2(twin, 40);
	need(again >= 0 && other == 40);
	dir = watch(instance, "watched", IN_CREATE);
	file = watch(twin, "tidy", IN_DELETE);
	once = watch(twin, "watched", IN_DELETE);
	touch(WATCH "new");
}

static void verify_shared(void)
{
	expect(again, dir, IN_CREATE, "new");
	expect_none(instance, "read through the other descriptor");
	need(!unlink(WATCH "new"));
	expect_none(again, "not for this one");
	expect(other, once, IN_DELETE, "new");
	expect_none(twin, "read through the other descriptor");
	touch("tidy/file");
	need(!unlink("tidy/file"));
	expect(twin, file, IN_DELETE, "file");
	check(fcntl(instance, F_GETFD) == FD_CLOEXEC && !fcntl(again, F_GETFD), "close-on-exec");
	touch(WATCH "new");
}

/* Both instances have the same to tell, and one has told it. */
static void setup_events(void)
{
	char name[sizeof(WATCH) + NAME_MAX] = WATCH;
	int fds[] = { instance, twin };
	unsigned int index;

	memset(name + strlen(WATCH), 'n', NAME_MAX);
	for (index = 0; index < ARRAY_SIZE(fds); index++) {
		dir = watch(fds[index], "watched", IN_ALL_EVENTS);
		gone = watch(fds[index], WATCH "gone", IN_ALL_EVENTS);
		once = watch(fds[index], WATCH "once", IN_OPEN | IN_ONESHOT);
	}
	touch(name);
	need(!rename(name, WATCH "n"));
	need(!rename(WATCH "n", WATCH "exactly-15-long"));
	need(!rename(WATCH "exactly-15-long", WATCH "exactly-16-long."));
	need(!mkdir(WATCH "sub", 0755));
	need(!rmdir(WATCH "sub"));
	need(!unlink(WATCH "gone"));
	append(WATCH "once");
	held = open(WATCH "file", O_WRONLY);
	need(held >= 0 && write(held, "x", 1) == 1);
	len = read(twin, bytes, ROOM);
	need(len > 20 * (ssize_t)EVENT);
}

static void verify_events(void)
{
	static char queued[ROOM] __attribute__((aligned(8)));
	ssize_t got;
	int size = 0;

	expect_none(twin, "everything was read");
	/* What happens again is no second event. */
	need(write(held, "x", 1) == 1);
	expect(twin, dir, IN_MODIFY, "file");
	check(!ioctl(instance, FIONREAD, &size), "FIONREAD: %s", strerror(errno));
	check_equal(size, len, "bytes to read");
	got = read(instance, queued, ROOM);
	check(got == len && !memcmp(queued, bytes, len), "%zd bytes were queued, %zd are", len,
	      got);
	expect_none(instance, "everything is read");
	need(write(held, "x", 1) == 1);
	expect(instance, dir, IN_MODIFY, "file");
	expect(twin, dir, IN_MODIFY, "file");
	check(inotify_rm_watch(instance, gone) && errno == EINVAL, "watch on a file that is gone");
}

/* Returns the bytes that are there to be read then. */
static int fill_queue(void)
{
	int size = 0, last, count;

	/* To ask for the size makes the kernel go through all events. */
	do {
		last = size;
		for (count = 0; count < 500; count++)
			touch(WATCH "file");
		need(!ioctl(instance, FIONREAD, &size));
	} while (size > last);
	return size;
}

static void setup_overflow(void)
{
	dir = watch(instance, "watched", IN_OPEN | IN_CLOSE);
	len = fill_queue();
}

static void verify_overflow(void)
{
	const struct inotify_event *event = NULL;
	ssize_t got, total = 0, at;

	/* It is full, still. */
	touch(WATCH "file");
	while ((got = read(instance, bytes, ROOM)) > 0) {
		for (at = 0; at < got; at += EVENT + event->len) {
			event = (const void *)(bytes + at);
			if (event->mask != IN_Q_OVERFLOW)
				check(event->wd == dir && !strcmp(event->name, "file"),
				      "event %#x of watch %d", event->mask, event->wd);
		}
		total += got;
	}
	check_equal(total, len, "bytes read");
	check(event && event->mask == IN_Q_OVERFLOW && event->wd == -1 && !event->len,
	      "no overflow");
	touch(WATCH "file");
	expect(instance, dir, IN_OPEN, "file");
	expect(instance, dir, IN_CLOSE_WRITE, "file");
	expect_none(instance, "the queue is empty");
	check_equal(fill_queue(), len, "bytes that the queue takes");
}

static void setup_unlinked(void)
{
	held = open(WATCH "file", O_RDWR);
	need(held >= 0 && write(held, "text", 4) == 4);
	need(!unlink(WATCH "file"));
	dir = watch(instance, "watched", IN_ALL_EVENTS);
}

static void verify_unlinked(void)
{
	struct stat st;

	expect_none(instance, "unlinked file");
	need(!fstat(held, &st));
	check_equal(st.st_size, 4, "size of the unlinked file");
	touch(WATCH "gone");
	expect(instance, dir, IN_OPEN, "gone");
}

static const struct subject_mode modes[] = {
	{ "watches", setup_watches, verify_watches },
	{ "shared", setup_shared, verify_shared },
	{ "events", setup_events, verify_events },
	{ "unlinked", setup_unlinked, verify_unlinked },
	{ "overflow", setup_overflow, verify_overflow },
	{ }
};

const struct subject subject = { .setup = make_files, .modes = modes };
