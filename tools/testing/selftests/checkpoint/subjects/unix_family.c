// SPDX-License-Identifier: GPL-2.0
/* Unix sockets between processes: who has which end, who waits, who has sent. */
#include "sockets.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#define NR_CHILDREN	3

static int ends[NR_CHILDREN], peers[NR_CHILDREN], shared[2], ep;
static pid_t children[NR_CHILDREN];

/* Repeats what comes, until nobody can send any more. */
static void echo(int fd)
{
	char data[1000];
	ssize_t len;

	while ((len = read(fd, data, sizeof(data))) > 0)
		if (write(fd, data, len) != len)
			_exit(2);
	_exit(len ? 3 : 0);
}

/* What it may have of others would keep them from seeing the end. */
static void close_others(int fd)
{
	int index;

	for (index = 3; index < 50; index++)
		if (index != fd)
			close(index);
}

static void setup_echo(void)
{
	static const int types[NR_CHILDREN] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_STREAM };
	int index, fds[2];

	for (index = 0; index < NR_CHILDREN; index++) {
		make_pair(types[index], fds);
		ends[index] = fds[0];
		children[index] = fork();
		need(children[index] >= 0);
		if (!children[index]) {
			close_others(fds[1]);
			echo(fds[1]);
		}
		close(fds[1]);
	}
}

/* One child ends: it may have another id now. */
static void check_exit(const char *what)
{
	int status = -1;

	need(wait(&status) > 0);
	check_equal(status, 0, what);
}

static void verify_echo(void)
{
	int index;

	for (index = 0; index < NR_CHILDREN; index++) {
		put_bytes(ends[index], 300, index);
		take_packet(ends[index], 300, 0, index, "echo");
		close(ends[index]);
		check_exit("child");
	}
}

/* One open file of three processes, and its flags; the last one ends it. */
static void setup_shared(void)
{
	int index;

	make_pair(SOCK_STREAM, shared);
	put_bytes(shared[1], 6, 9);
	for (index = 0; index < NR_CHILDREN; index++) {
		children[index] = fork();
		need(children[index] >= 0);
		if (!children[index]) {
			char byte;

			close(shared[0]);
			/* Whoever reads it ends: nobody else gets it. */
			_exit(read(shared[1], &byte, 1) != 1);
		}
	}
}

static void verify_shared(void)
{
	int index;

	close(shared[1]);
	take_packet(shared[0], 6, 0, 9, "what was sent before");
	check_empty(shared[0], "others have the other end");
	for (index = 0; index < NR_CHILDREN; index++) {
		need(write(shared[0], "x", 1) == 1);
		need(wait(NULL) > 0);
	}
	check_end(shared[0], "nobody has the other end");
}

static struct ucred take_cred(int fd, int bytes, const char *what)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control_data;
	char data[100];
	struct iovec vec = { data, sizeof(data) };
	struct msghdr message = {
		.msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = &control_data, .msg_controllen = sizeof(control_data),
	};
	struct ucred cred = { -1, -1, -1 };

	check_equal(recvmsg(fd, &message, MSG_DONTWAIT), bytes, what);
	if (check(message.msg_controllen && control_data.header.cmsg_type == SCM_CREDENTIALS,
		  "%s: no credentials", what))
		memcpy(&cred, CMSG_DATA(&control_data.header), sizeof(cred));
	return cred;
}

/* Something is sent by somebody who has the socket too. */
static void await_charge(int fd, int before)
{
	while (charged(fd) <= before)
		;
}

/* Messages of three processes; one of those is no more, one is this one. */
static void setup_cred(void)
{
	int index, fds[2], type, charge;

	for (type = 0; type < 2; type++) {
		make_pair(type ? SOCK_DGRAM : SOCK_STREAM, fds);
		set_option(fds[0], SO_PASSCRED, 1);
		shared[type] = fds[0];
		put_bytes(fds[1], 5, 1);
		ends[type] = fds[1];
	}
	charge = charged(ends[1]);
	for (index = 0; index < 2; index++) {
		children[index] = fork();
		need(children[index] >= 0);
		if (children[index]) {
			/* It has sent to both when the second one has it. */
			await_charge(ends[1], charge);
			charge = charged(ends[1]);
			continue;
		}
		/* As root, two of them are somebody else. */
		if (!getuid() && (setgid(71 + index) || setuid(81 + index)))
			_exit(1);
		if (write(ends[0], "message", 6 + index) != 6 + index ||
		    write(ends[1], "message", 6 + index) != 6 + index)
			_exit(1);
		if (index)
			_exit(0);
		close_others(ends[1]);
		echo(ends[1]);
	}
	check_exit("child that ends");
	for (type = 0; type < 2; type++)
		need(write(ends[type], "last", 4) == 4);
}

static void check_cred(struct ucred cred, pid_t pid, uid_t uid, gid_t gid, const char *what)
{
	check_equal(cred.pid, pid, what);
	check_equal(cred.uid, getuid() ? getuid() : uid, what);
	check_equal(cred.gid, getuid() ? getgid() : gid, what);
}

/* Only the first child is left, and says who it is. */
static pid_t ask_child(void)
{
	struct ucred cred;

	need(write(shared[1], "who", 3) == 3);
	while (!(poll_now(shared[1]) & POLLIN))
		;
	cred = take_cred(shared[1], 3, "answer");
	check_cred(cred, subject_has_new_pid() ? cred.pid : children[0], 81, 71, "answer");
	return cred.pid;
}

static void verify_cred(void)
{
	pid_t gone = subject_was_restarted() ? 0 : children[1], child = 0;
	struct ucred of_child[2];
	int type;

	for (type = 0; type < 2; type++) {
		check_cred(take_cred(shared[type], 5, "own"), getpid(), 0, 0, "own");
		of_child[type] = take_cred(shared[type], 6, "child");
		check_cred(take_cred(shared[type], 7, "gone"), gone, 82, 72, "gone");
		check_cred(take_cred(shared[type], 4, "last"), getpid(), 0, 0, "last");
	}
	child = ask_child();
	for (type = 0; type < 2; type++)
		check_cred(of_child[type], child, 81, 71, "child");
	/* Not everybody, if it is wrong. */
	need(child > 1 && !kill(child, SIGKILL) && wait(NULL) > 0);
}

static void watch(int fd, unsigned int events)
{
	struct epoll_event event = { events, { .u32 = fd } };

	need(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
}

static void check_event(int fd, unsigned int events, const char *what)
{
	struct epoll_event event = { 0 };
	int count = epoll_wait(ep, &event, 1, 0);

	check_equal(count, fd >= 0, what);
	if (count > 0 && fd >= 0) {
		check_equal(event.data.u32, fd, what);
		check_equal(event.events, events, what);
	}
}

/* Edges: one that was reported, one that was not, and one of room. */
static void setup_epoll(void)
{
	int fds[3][2], index;

	ep = epoll_create1(0);
	for (index = 0; index < 3; index++) {
		make_pair(index == 2 ? SOCK_DGRAM : SOCK_STREAM, fds[index]);
		ends[index] = fds[index][0];
		peers[index] = fds[index][1];
	}
	put_bytes(peers[0], 5, 1);
	watch(ends[0], EPOLLIN | EPOLLET);
	check_event(ends[0], EPOLLIN, "edge before");
	set_nonblock(ends[1], true);
	while (write(ends[1], "x", 1) == 1)
		;
	watch(ends[1], EPOLLOUT | EPOLLET);
	check_event(-1, 0, "no room before");
	watch(ends[2], EPOLLIN);
	put_bytes(peers[2], 7, 2);
}

static void verify_epoll(void)
{
	static char data[1 << 20];

	check_event(ends[2], EPOLLIN, "level");
	take_packet(ends[2], 7, 0, 2, "datagram");
	check_event(-1, 0, "old edge, no room, nothing there");
	put_bytes(peers[0], 5, 1);
	check_event(ends[0], EPOLLIN, "new edge");
	check_event(-1, 0, "edge was reported");
	need(read(peers[1], data, sizeof(data)) > 0);
	check_event(ends[1], EPOLLOUT, "room");
	close(peers[2]);
	check_event(-1, 0, "datagram sockets tell no end");
	close(peers[0]);
	check_event(ends[0], EPOLLIN | EPOLLHUP, "end");
}

/* The hub of an event loop: everything waits in epoll_wait(). */
static void hold_loop(void)
{
	struct epoll_event event;

	subject_ready(SYS_epoll_wait);
	while (!subject_must_go())
		check(epoll_wait(ep, &event, 1, -1) == 1, "epoll_wait: %s", strerror(errno));
}

static void setup_loop(void)
{
	pid_t waker;
	int fds[2];

	ep = epoll_create1(0);
	make_pair(SOCK_STREAM, fds);
	watch(fds[0], EPOLLIN);
	waker = fork();
	need(waker >= 0);
	if (!waker) {
		subject_stay();
		need(write(fds[1], "x", 1) == 1);
		_exit(0);
	}
	children[0] = waker;
	ends[0] = fds[0];
}

static void verify_loop(void)
{
	check_event(ends[0], EPOLLIN, "what woke it up");
	check_exit("child");
}

static const struct subject_mode modes[] = {
	{ "echo", setup_echo, verify_echo },
	{ "shared", setup_shared, verify_shared },
	{ "cred", setup_cred, verify_cred },
	{ "epoll", setup_epoll, verify_epoll },
	{ "loop", setup_loop, verify_loop, hold_loop },
	{ }
};

const struct subject subject = { .skip = SKIP_FILES, .modes = modes };
