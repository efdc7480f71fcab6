// SPDX-License-Identifier: GPL-2.0
/*
 * What the tracepoints tell of a checkpoint, of a restart, and of one of each
 * that fails. They are recorded in an instance of tracefs that is the test's.
 */
#include "harness.h"

#include <dirent.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/ckpt_test"
#define EVENTS		INSTANCE "/events/checkpoint"
#define NONE		CHECKPOINT_FD_NONE
#define MAX_LINES	1000
/* Seconds for one test, also in the debug kernel. */
#define LIMIT		300

static const char * const events[] = {
	"ckpt_phase", "ckpt_object_save", "ckpt_object_restore", "ckpt_error",
	"ckpt_shared",
};

#define NR_EVENTS	(sizeof(events) / sizeof(*events))

/**
 * struct event - a line of the trace
 * @pid: the task that was running
 * @name: of the tracepoint
 * @text: what it says
 */
struct event {
	pid_t pid;
	char name[32];
	char text[400];
};

/**
 * struct record - what was recorded since the last time
 * @events: each line of the trace
 * @nr_events: how many
 */
struct record {
	struct event *events;
	size_t nr_events;
};

FIXTURE(trace)
{
	struct record record;
	int image;
};

static bool have_tracefs(void)
{
	return !access(TRACEFS "/instances", F_OK) ||
	       !mount("tracefs", TRACEFS, "tracefs", 0, NULL);
}

FIXTURE_SETUP(trace)
{
	size_t index;

	self->image = -1;
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	if (getuid())
		SKIP(return, "needs root");
	if (!have_tracefs())
		SKIP(return, "this kernel has no tracefs");
	rmdir(INSTANCE);
	ASSERT_EQ(0, mkdir(INSTANCE, 0755));
	for (index = 0; index < NR_EVENTS; index++) {
		char path[256];

		snprintf(path, sizeof(path), EVENTS "/%s/enable", events[index]);
		ASSERT_TRUE(write_file(path, "1"));
	}
	self->record.events = calloc(MAX_LINES, sizeof(*self->record.events));
	ASSERT_NE(NULL, self->record.events);
	self->image = memfd_create("image", MFD_CLOEXEC);
}

FIXTURE_TEARDOWN(trace)
{
	if (self->image < 0)
		return;
	write_file(EVENTS "/enable", "0");
	EXPECT_EQ(0, rmdir(INSTANCE));
	EXPECT_FALSE(leaves_children());
	free(self->record.events);
	close(self->image);
}

/* "  comm-PID  [CPU] FLAGS TIME: NAME: TEXT" */
static bool parse_line(char *line, struct event *event)
{
	char *cpu = strstr(line, " ["), *name, *text, *dash;

	line[strcspn(line, "\n")] = '\0';
	if (!cpu)
		return false;
	*cpu = '\0';
	dash = strrchr(line, '-');
	name = strstr(cpu + 1, ": ");
	text = name ? strstr(name + 2, ": ") : NULL;
	if (!dash || !text)
		return false;
	event->pid = atoi(dash + 1);
	snprintf(event->name, sizeof(event->name), "%.*s", (int)(text - name - 2), name + 2);
	snprintf(event->text, sizeof(event->text), "%s", text + 2);
	return true;
}

/* The kernel forgets it when somebody opens it to write it anew. */
static bool forget(void)
{
	int fd = open(INSTANCE "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return complain("trace: %s", strerror(errno));
	close(fd);
	return true;
}

/* Take what was recorded since the last time. */
static bool take(struct record *record)
{
	FILE *file = fopen(INSTANCE "/trace", "re");
	char line[1024];

	record->nr_events = 0;
	if (!file)
		return complain("trace: %s", strerror(errno));
	while (record->nr_events < MAX_LINES && fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!parse_line(line, &record->events[record->nr_events++]))
			complain("not understood: %s", line);
	}
	fclose(file);
	return forget();
}

static size_t count(const struct record *record, const char *name)
{
	size_t index, number = 0;

	for (index = 0; index < record->nr_events; index++)
		number += !strcmp(record->events[index].name, name);
	return number;
}

/* The phases are these, in this order, of this image, told by this task. */
static bool check_phases(const struct record *record, long id, pid_t pid,
			 const char * const *phases)
{
	size_t index;

	for (index = 0; index < record->nr_events; index++) {
		const struct event *event = &record->events[index];
		char wanted[64];

		if (strcmp(event->name, "ckpt_phase"))
			continue;
		if (!*phases)
			return complain("unexpected: %s", event->text);
		if (id)
			snprintf(wanted, sizeof(wanted), "id=%ld phase=%s", id, *phases);
		else
			snprintf(wanted, sizeof(wanted), " phase=%s", *phases);
		if (id ? strcmp(event->text, wanted) : !strstr(event->text, wanted))
			return complain("'%s', expected '%s'", event->text, wanted);
		if (event->pid != pid)
			return complain("%s: task %d, expected %d", *phases, event->pid, pid);
		phases++;
	}
	return !*phases || complain("no phase %s", *phases);
}

/* Each object has a type and a number; the numbers are those from 1. */
static bool check_objects(const struct record *record, const char *name, pid_t pid)
{
	size_t index, number = count(record, name);
	bool found[MAX_LINES + 1] = { false };

	for (index = 0; index < record->nr_events; index++) {
		const struct event *event = &record->events[index];
		const char *tail = strstr(event->text, " objref=");
		unsigned int objref = tail ? atoi(tail + 8) : 0;

		if (strcmp(event->name, name))
			continue;
		/* "type=" and a name, whatever that is. */
		if (strncmp(event->text, "type=", 5) || tail <= event->text + 5 ||
		    !objref || objref > number || found[objref])
			return complain("%s: %s", name, event->text);
		if (event->pid != pid)
			return complain("%s: task %d, expected %d", name, event->pid, pid);
		found[objref] = true;
	}
	return number || complain("no %s", name);
}

/* An error of this number, of this task, whose text has this in it. */
static bool check_error(const struct record *record, int error, pid_t pid, const char *text)
{
	char wanted[32], where[32];
	size_t index;

	snprintf(wanted, sizeof(wanted), "error=%d [err %d]", error, error);
	snprintf(where, sizeof(where), "task %d (", pid);
	for (index = 0; index < record->nr_events; index++) {
		const struct event *event = &record->events[index];

		if (!strcmp(event->name, "ckpt_error") &&
		    !strncmp(event->text, wanted, strlen(wanted)) &&
		    strstr(event->text, where) && strstr(event->text, text))
			return true;
	}
	return complain("no ckpt_error '%s ... %s ... %s'", wanted, where, text);
}

static bool is_known(const char *name)
{
	size_t index;

	for (index = 0; index < NR_EVENTS; index++)
		if (!strcmp(events[index], name))
			return true;
	return false;
}

/* One that is not listed here is not tested. */
TEST_F_TIMEOUT(trace, all_events, LIMIT)
{
	DIR *dir = opendir(EVENTS);
	size_t number = 0;
	struct dirent *entry;

	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "ckpt_", 5))
			continue;
		EXPECT_TRUE(is_known(entry->d_name))
			TH_LOG("%s has no test", entry->d_name);
		number++;
	}
	closedir(dir);
	EXPECT_EQ(NR_EVENTS, number);
}

static const char * const all_phases[] = { "quiesce", "capture", "thaw", "emit", "end", NULL };

TEST_F_TIMEOUT(trace, checkpoint_and_restart, LIMIT)
{
	static const char * const commit[] = { "commit", NULL };
	pid_t pid = start_tiny("pause", 0);
	size_t nr_objects;
	long id;

	ASSERT_GT(pid, 0);
	id = sys_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, STDOUT_FILENO);
	ASSERT_GT(id, 0);
	kill_and_reap(pid);
	ASSERT_TRUE(take(&self->record));
	EXPECT_TRUE(check_phases(&self->record, id, getpid(), all_phases));
	EXPECT_TRUE(check_objects(&self->record, "ckpt_object_save", getpid()));
	EXPECT_EQ(0, count(&self->record, "ckpt_object_restore"));
	EXPECT_EQ(0, count(&self->record, "ckpt_error"));
	nr_objects = count(&self->record, "ckpt_object_save");

	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	pid = restart_from_fd(self->image, 0, STDOUT_FILENO);
	ASSERT_GT(pid, 0);
	kill_and_reap(pid);
	ASSERT_TRUE(take(&self->record));
	EXPECT_TRUE(check_phases(&self->record, id, pid, commit));
	EXPECT_TRUE(check_objects(&self->record, "ckpt_object_restore", pid));
	EXPECT_EQ(nr_objects, count(&self->record, "ckpt_object_restore"));
	EXPECT_EQ(0, count(&self->record, "ckpt_object_save"));
	EXPECT_EQ(0, count(&self->record, "ckpt_error"));
}

/* It saves nothing, so it emits nothing. */
TEST_F_TIMEOUT(trace, refused_checkpoint, LIMIT)
{
	static const char * const phases[] = { "quiesce", "capture", "thaw", "end", NULL };
	pid_t pid = fork();

	if (!pid) {
		syscall(SYS_close_range, 0, ~0U, 0);
		setsid();
		socket(AF_INET, SOCK_DGRAM, 0);
		for (;;)
			pause();
	}
	ASSERT_TRUE(wait_blocked(pid, NR64_PAUSE));
	EXPECT_EQ(-1, sys_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, NONE));
	EXPECT_EQ(EBADF, errno);
	kill_and_reap(pid);
	ASSERT_TRUE(take(&self->record));
	EXPECT_TRUE(check_phases(&self->record, 0, getpid(), phases));
	EXPECT_TRUE(check_error(&self->record, -EBADF, pid, "sock"));
	EXPECT_EQ(0, count(&self->record, "ckpt_object_restore"));
}

/* Nothing is committed of an image that has no end. */
TEST_F_TIMEOUT(trace, refused_restart, LIMIT)
{
	static const char * const none[] = { NULL };
	pid_t pid = start_tiny("pause", 0), child;

	ASSERT_GT(pid, 0);
	ASSERT_GT(sys_checkpoint(pid, self->image, CHECKPOINT_SUBTREE, STDOUT_FILENO), 0);
	kill_and_reap(pid);
	ASSERT_TRUE(take(&self->record));
	ASSERT_EQ(0, ftruncate(self->image, lseek(self->image, 0, SEEK_END) - 1));
	ASSERT_EQ(0, lseek(self->image, 0, SEEK_SET));
	child = fork();
	if (!child) {
		sys_restart(0, self->image, RESTART_TASKSELF, NONE);
		_exit(errno);
	}
	EXPECT_TRUE(reap(child, EPIPE << 8, "restart"));
	ASSERT_TRUE(take(&self->record));
	EXPECT_TRUE(check_phases(&self->record, 0, child, none));
	EXPECT_TRUE(check_error(&self->record, -EPIPE, child, ""));
	EXPECT_TRUE(check_objects(&self->record, "ckpt_object_restore", child));
}

TEST_HARNESS_MAIN
