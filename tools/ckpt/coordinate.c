// SPDX-License-Identifier: GPL-2.0
/*
 * The coordinator: the process that creates the tasks and makes the system
 * call that brings them back.
 *
 * Usually that is restart(1) itself. In a new pid namespace whose saved root
 * was not its init, it is a small init made for the purpose. That one then
 * reaps what ends in the namespace, and ends when nothing is left. It tells
 * restart(1) over a channel what happens, and cannot outlive it unless it was
 * asked to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ckpt.h"
#include "restart.h"
#include "util.h"

/* Return: 0, or -1 with the reason in the outcome. */
static int bring_back(struct restart *restart)
{
	struct restart_outcome *outcome = &restart->outcome;

	outcome->stage = STAGE_RESTART;
	if (ckpt_restart(outcome->pid, restart->image_fd,
			 restart->options->flags, restart->kmsg.fd) < 0) {
		outcome->errnum = errno;
		if (restart->crew->errnum) {
			outcome->stage = STAGE_CREATE;
			outcome->errnum = restart->crew->errnum;
			outcome->failed_id = restart->crew->failed_id;
		}
		return -1;
	}
	outcome->stage = STAGE_RUNNING;
	return 0;
}

/* One that was reaped already may have left its id to somebody else. */
static bool is_child(pid_t pid)
{
	siginfo_t info;

	return pid > 0 && !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
}

static void end_process(pid_t pid)
{
	if (!is_child(pid))
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		continue;
}

/* Children come to us when their parent has ended, and parents come first. */
static void end_crew(struct restart *restart)
{
	unsigned int nr_pids = restart->forest.nr_tasks + restart->plan.nr_ghosts;
	unsigned int nr_left, i;

	/* The ids are those of our namespace, unless an init has ended its own. */
	if (!restart->crew || !restart->crew->coordinator) {
		end_process(restart->outcome.pid);
		return;
	}
	restart->crew->pids[0] = restart->outcome.pid;
	/* The init of a namespace waits for all in there: for none of them alone. */
	do {
		nr_left = 0;
		for (i = 0; i < nr_pids; i++)
			if (is_child(restart->crew->pids[i])) {
				kill(restart->crew->pids[i], SIGKILL);
				if (!waitpid(restart->crew->pids[i], NULL, __WALL | WNOHANG))
					nr_left++;
			}
		if (nr_left)
			crew_pause();
	} while (nr_left);
}

/**
 * coordinate_here - be the coordinator
 * @restart: outcome is filled in
 */
void coordinate_here(struct restart *restart)
{
	int was_subreaper = 0;

	prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* First of all, while the ids that the tasks need are free. */
	if (create_forest(restart) || helpers_start(restart) ||
	    bring_back(restart))
		end_crew(restart);
	prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
	undo_on_signal(0);
	helpers_stop(restart);
}

/**
 * coordinate_abort - leave nothing behind in the new namespace
 * @restart: a restart that failed, or whose init has ended
 */
void coordinate_abort(struct restart *restart)
{
	end_process(restart->init);
}

/* The channel carries outcomes, and once the pidfd of the root task. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int tell(struct restart *restart, int fd)
{
	union control control = { 0 };
	struct iovec data = {
		.iov_base	= &restart->outcome,
		.iov_len	= sizeof(restart->outcome),
	};
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.room;
		message.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(restart->channel, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Return: 1 if there was an outcome, 0 at the end, -1 if interrupted. */
static int hear(struct restart *restart)
{
	struct restart_outcome outcome;
	union control control = { 0 };
	struct iovec data = {
		.iov_base	= &outcome,
		.iov_len	= sizeof(outcome),
	};
	struct msghdr message = {
		.msg_iov	= &data,
		.msg_iovlen	= 1,
		.msg_control	= control.room,
		.msg_controllen	= sizeof(control.room),
	};
	ssize_t got = recvmsg(restart->channel, &message, MSG_CMSG_CLOEXEC);

	if (got != sizeof(outcome))
		return got < 0 && errno == EINTR ? -1 : 0;
	restart->outcome = outcome;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&restart->root_fd, CMSG_DATA(&control.header),
		       sizeof(int));
	return 1;
}

static int mount_proc(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL))
		return -1;
	return mount("proc", "/proc", "proc",
		     MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/**
 * enter_mount_namespace - show the processes of a new pid namespace in /proc
 *
 * Return: 0, or -1 with errno set.
 */
int enter_mount_namespace(void)
{
	return unshare(CLONE_NEWNS) || mount_proc() ? -1 : 0;
}

/* Let go of what the user may be waiting for: a pipe's other end, a terminal. */
static void release_files(struct restart *restart)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd;

	close(restart->image_fd);
	close(restart->root_fd);
	changes_release(&restart->options->changes);
	for (fd = 0; fd < 3; fd++) {
		if (null >= 0)
			dup2(null, fd);
		else
			close(fd);
	}
}

/* Reap until nobody is left. */
static void reap(struct restart *restart)
{
	siginfo_t ended;

	for (;;) {
		if (waitid(P_ALL, 0, &ended, WEXITED | __WALL)) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (ended.si_pid != restart->outcome.pid)
			continue;
		restart->outcome.stage = STAGE_ENDED;
		restart->outcome.code = ended.si_code;
		restart->outcome.status = ended.si_status;
		tell(restart, -1);
	}
}

static void be_init(struct restart *restart)
{
	struct pollfd parent = { .fd = restart->channel };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before, and its id reads 0 here in any case. */
	if (poll(&parent, 1, 0))
		_exit(EXIT_FAILED);
	prctl(PR_SET_NAME, "restart-init");
	if (restart->options->mntns && enter_mount_namespace()) {
		restart->outcome.errnum = errno;
		tell(restart, -1);
		_exit(EXIT_FAILED);
	}
	if (create_forest(restart) || bring_back(restart)) {
		tell(restart, -1);
		_exit(EXIT_FAILED);
	}
	/* If nobody hears it then nobody is there to end us. */
	if (tell(restart, restart->root_fd))
		_exit(EXIT_FAILED);
	if (restart->options->detach)
		prctl(PR_SET_PDEATHSIG, 0);
	release_files(restart);
	reap(restart);
	_exit(0);
}

/* Return: 0, or -1 with the reason in the outcome. */
static int make_init(struct restart *restart)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -1;
	restart->init = create_process(CLONE_NEWPID, 0, NULL);
	if (!restart->init) {
		close(ends[0]);
		restart->channel = ends[1];
		be_init(restart);
	}
	restart->channel = ends[0];
	close(ends[1]);
	return restart->init < 0 ? -1 : 0;
}

/**
 * coordinate_in_namespace - make a pid namespace with a coordinator as init
 * @restart: init, channel, root_fd and outcome are filled in
 */
void coordinate_in_namespace(struct restart *restart)
{
	restart->outcome.stage = STAGE_NAMESPACE;
	/* Outside of the namespace, where they would take ids. */
	if (helpers_start(restart))
		return;
	if (make_init(restart)) {
		restart->outcome.errnum = errno;
		helpers_stop(restart);
		return;
	}
	undo_on_signal(restart->init);
	switch (hear(restart)) {
	case 0:
		/* Killed before it could tell. */
		restart->outcome.errnum = ECHILD;
		break;
	case -1:
		restart->outcome.errnum = EINTR;
		break;
	}
	if (restart->outcome.stage != STAGE_RUNNING)
		coordinate_abort(restart);
	undo_on_signal(0);
	helpers_stop(restart);
}

/**
 * coordinate_hear - read what the init of the new namespace has to tell
 * @restart: outcome is filled in
 *
 * Return: whether there may be more.
 */
bool coordinate_hear(struct restart *restart)
{
	return hear(restart) != 0;
}
