// SPDX-License-Identifier: GPL-2.0
/*
 * Ending a process and all its descendants.
 *
 * A process that is killed leaves its children to another one, and can no longer
 * be told from others then. So all are stopped first, until there are no new
 * ones, and then killed. Each is held by a descriptor: its id may be somebody
 * else's by the time.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "kill_tree.h"
#include "util.h"

/**
 * struct victim - a process that is to be killed
 * @pid: its id
 * @fd: pidfd
 */
struct victim {
	pid_t pid;
	int fd;
};

/**
 * struct victims - all of them
 * @list: the first is the root
 * @nr: their number
 * @errnum: why one of them cannot be killed, or 0
 */
struct victims {
	struct victim *list;
	size_t nr;
	int errnum;
};

static bool is_victim(const struct victims *victims, pid_t pid)
{
	size_t i;

	for (i = 0; i < victims->nr; i++)
		if (victims->list[i].pid == pid)
			return true;
	return false;
}

static void send(struct victims *victims, int fd, int signo)
{
	if (pidfd_send_signal(fd, signo, NULL, 0) && errno != ESRCH &&
	    !victims->errnum)
		victims->errnum = errno;
}

static void add(struct victims *victims, pid_t pid, int fd)
{
	victims->list = must_grow(victims->list,
				  (victims->nr + 1) * sizeof(*victims->list));
	victims->list[victims->nr++] = (struct victim) { pid, fd };
	send(victims, fd, SIGSTOP);
}

/* Parent of a process, or 0. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[512] = "";
	const char *end;
	FILE *file;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	/* The name may hold anything. */
	end = strrchr(line, ')');
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static bool add_child(struct victims *victims, pid_t pid)
{
	int fd;

	if (pid == getpid() || is_victim(victims, pid) ||
	    !is_victim(victims, parent_of(pid)))
		return false;
	fd = pidfd_open(pid, 0);
	if (fd < 0)
		return false;
	/* Is it still the one that was looked at? */
	if (!is_victim(victims, parent_of(pid))) {
		close(fd);
		return false;
	}
	add(victims, pid, fd);
	return true;
}

/* Return: whether there were children that were not known. */
static bool add_children(struct victims *victims)
{
	bool found = false;
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			found |= add_child(victims, atoi(entry->d_name));
	if (proc)
		closedir(proc);
	return found;
}

/**
 * kill_tree - end a process and all its descendants, but for the caller
 * @root: the process
 * @root_fd: pidfd of it
 *
 * Return: 0, or the errno of the first that cannot be killed.
 */
int kill_tree(pid_t root, int root_fd)
{
	struct victims victims = { 0 };
	size_t i;

	add(&victims, root, root_fd);
	while (add_children(&victims))
		continue;
	for (i = 0; i < victims.nr; i++) {
		send(&victims, victims.list[i].fd, SIGKILL);
		if (i)
			close(victims.list[i].fd);
	}
	free(victims.list);
	return victims.errnum;
}
