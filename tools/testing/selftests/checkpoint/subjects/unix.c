// SPDX-License-Identifier: GPL-2.0
/* Pairs of unix sockets: what is in them, how much fits, and who is at the end. */
#include "sockets.h"

#include <sys/epoll.h>
#include <sys/uio.h>

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
static const char *const names[] = { "stream", "dgram", "seqpacket" };

#define NR_TYPES	3

static int pairs[NR_TYPES][2], others[4];
static int fill_bytes[NR_TYPES], fill_charge[NR_TYPES];
static struct stat before[NR_TYPES];

static void make_pairs(void)
{
	int type;

	for (type = 0; type < NR_TYPES; type++)
		make_pair(types[type], pairs[type]);
}

static void verify_pairs(void)
{
	int type;

	for (type = 0; type < NR_TYPES; type++)
		check_talk(pairs[type][0], pairs[type][1], names[type]);
}

static void setup_empty(void)
{
	int type;

	make_pairs();
	for (type = 0; type < NR_TYPES; type++)
		need(!fstat(pairs[type][0], &before[type]));
}

static void check_peer(int fd, const char *what)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	need(!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	check_equal(cred.pid, getpid(), what);
	check_equal(cred.uid, geteuid(), what);
	check_equal(cred.gid, getegid(), what);
}

static void verify_empty(void)
{
	struct sockaddr_un address;
	socklen_t len;
	struct stat st;
	int type;

	for (type = 0; type < NR_TYPES; type++) {
		int *fds = pairs[type];

		check_option(fds[0], SO_TYPE, types[type], "type");
		check_option(fds[0], SO_DOMAIN, AF_UNIX, "domain");
		check_option(fds[0], SO_ERROR, 0, "error");
		check_option(fds[0], SO_ACCEPTCONN, 0, "listens");
		check_equal(fcntl(fds[1], F_GETFL), O_RDWR, "flags");
		len = sizeof(address);
		need(!getsockname(fds[0], (void *)&address, &len));
		check_equal(len, sizeof(sa_family_t), "length of no name");
		len = sizeof(address);
		check(!getpeername(fds[0], (void *)&address, &len), "no peer");
		check_peer(fds[0], names[type]);
		check_peer(fds[1], names[type]);
		need(!fstat(fds[0], &st));
		check_equal(st.st_mode, before[type].st_mode, "mode");
		check_equal(st.st_uid, before[type].st_uid, "owner");
		check_equal(charged(fds[0]), 0, "nothing sent");
		check_equal(poll_now(fds[0]), POLLOUT, "poll");
	}
	verify_pairs();
}

/* Sizes of messages: an empty one is one too, but not of a stream. */
static const int sizes[] = { 1, 5000, 70, 40000, 3 };

#define NR_SIZES	5

static void setup_queued(void)
{
	unsigned char part[6000];
	int type, index;

	make_pairs();
	for (type = 0; type < NR_TYPES; type++) {
		for (index = 0; index < NR_SIZES; index++)
			put_bytes(pairs[type][0], sizes[index], index);
		put_bytes(pairs[type][1], 11, 50);
	}
	need(write(pairs[1][1], "", 0) == 0);
	need(write(pairs[2][1], "", 0) == 0);
	put_bytes(pairs[1][1], 12, 51);
	put_bytes(pairs[2][1], 12, 51);
	/* Read in part: the first byte, and some of the second piece. */
	need(read(pairs[0][1], part, 2001) == 2001);
}

static void verify_queued(void)
{
	int type, index;

	check_unread(pairs[0][1], 5001 + 70 + 40000 + 3 - 2001, "stream");
	check_unread(pairs[1][1], 1, "first datagram");
	check_unread(pairs[2][1], 45074, "seqpacket");
	take_bytes(pairs[0][1], 3000, 2000, 1, "rest of a piece");
	take_bytes(pairs[0][1], 70, 0, 2, "piece");
	take_bytes(pairs[0][1], 40000, 0, 3, "large piece");
	take_bytes(pairs[0][1], 3, 0, 4, "last piece");
	take_bytes(pairs[0][0], 11, 0, 50, "answer");
	for (type = 1; type < NR_TYPES; type++) {
		for (index = 0; index < NR_SIZES; index++)
			take_packet(pairs[type][1], sizes[index], 0, index, names[type]);
		take_packet(pairs[type][0], 11, 0, 50, "answer");
		take_packet(pairs[type][0], 0, 0, 0, "empty answer");
		take_packet(pairs[type][0], 12, 0, 51, "last answer");
	}
	for (type = 0; type < NR_TYPES; type++) {
		check_equal(charged(pairs[type][0]), 0, "all was read");
		check_equal(charged(pairs[type][1]), 0, "all was read");
	}
	verify_pairs();
}

static int fill_pair(int fd, int bytes)
{
	int count = 0;

	set_nonblock(fd, true);
	while (write(fd, before, bytes) == bytes)
		count++;
	need(errno == EAGAIN);
	return count;
}

static void setup_full(void)
{
	int type;

	make_pairs();
	for (type = 0; type < NR_TYPES; type++) {
		fill_bytes[type] = fill_pair(pairs[type][0], 100);
		fill_charge[type] = charged(pairs[type][0]);
		need(fill_bytes[type] > 5);
	}
}

static void verify_full(void)
{
	char got[100];
	int type;

	for (type = 0; type < NR_TYPES; type++) {
		int fd = pairs[type][0];

		check_equal(charged(fd), fill_charge[type], names[type]);
		check(write(fd, "x", 1) == -1 && errno == EAGAIN, "%s: not full", names[type]);
		check(!(poll_now(fd) & POLLOUT), "%s: poll tells of room", names[type]);
		while (fill_bytes[type]--)
			check_equal(read(pairs[type][1], got, 100), 100, names[type]);
		check_equal(charged(fd), 0, names[type]);
		check_equal(poll_now(fd), POLLOUT, names[type]);
		set_nonblock(fd, false);
	}
	verify_pairs();
}

/* Larger than a page, than what a record of a pipe has, and than the defaults. */
static void setup_large(void)
{
	int type;

	make_pairs();
	for (type = 0; type < NR_TYPES; type++) {
		set_option(pairs[type][0], SO_SNDBUF, 212992);
		put_bytes(pairs[type][0], 200000, type);
		fill_charge[type] = charged(pairs[type][0]);
		/* Less than what waits. */
		set_option(pairs[type][0], SO_SNDBUF, 10000);
	}
	set_option(pairs[0][1], SO_RCVBUF, 5000);
}

static void verify_large(void)
{
	int type;

	for (type = 0; type < NR_TYPES; type++) {
		check_option(pairs[type][0], SO_SNDBUF, 20000, "SO_SNDBUF");
		check_equal(charged(pairs[type][0]), fill_charge[type], "charged");
		take_packet(pairs[type][1], 200000, 0, type, names[type]);
	}
	check_option(pairs[0][1], SO_RCVBUF, 10000, "SO_RCVBUF");
	verify_pairs();
}

/* More than an ordinary user may send. */
static void setup_huge(void)
{
	make_pair(SOCK_DGRAM, pairs[1]);
	set_option(pairs[1][0], SO_SNDBUFFORCE, 2 << 20);
	put_bytes(pairs[1][0], 1 << 20, 1);
	put_bytes(pairs[1][0], 900000, 2);
}

static void verify_huge(void)
{
	check_option(pairs[1][0], SO_SNDBUF, 4 << 20, "SO_SNDBUF");
	take_packet(pairs[1][1], 1 << 20, 0, 1, "huge datagram");
	take_packet(pairs[1][1], 900000, 0, 2, "next one");
}

static void setup_shutdown(void)
{
	int type;

	block_sigpipe();
	make_pairs();
	for (type = 0; type < NR_TYPES; type++) {
		put_bytes(pairs[type][0], 10, 1);
		put_bytes(pairs[type][1], 20, 2);
	}
	need(!shutdown(pairs[0][0], SHUT_WR));
	need(!shutdown(pairs[1][0], SHUT_RD));
	need(!shutdown(pairs[2][0], SHUT_WR));
	make_pair(SOCK_STREAM, others);
	put_bytes(others[0], 30, 3);
	need(!shutdown(others[0], SHUT_RDWR));
}

static void verify_shutdown(void)
{
	check_broken(pairs[0][0], "not written any more");
	take_packet(pairs[0][1], 10, 0, 1, "bytes before the end");
	check_end(pairs[0][1], "stream");
	check_equal(poll_now(pairs[0][1]), POLLIN | POLLOUT, "poll of half a stream");
	take_packet(pairs[0][0], 20, 0, 2, "other direction");
	put_bytes(pairs[0][1], 5, 4);
	take_packet(pairs[0][0], 5, 0, 4, "other direction");

	take_packet(pairs[1][1], 10, 0, 1, "datagram");
	check(write(pairs[1][1], "x", 1) == -1 && errno == EPIPE, "datagram to who does not read");
	take_packet(pairs[1][0], 20, 0, 2, "datagram from before");
	take_packet(pairs[1][0], 0, 0, 0, "no datagrams any more");

	take_packet(pairs[2][1], 10, 0, 1, "packet");
	check_end(pairs[2][1], "seqpacket");

	check_broken(others[1], "both directions");
	take_packet(others[1], 30, 0, 3, "bytes before the end");
	check_end(others[1], "both directions");
	check_equal(poll_now(others[0]), POLLIN | POLLHUP | POLLOUT, "poll of none");
}

/* The other end is closed: with and without bytes in either direction. */
static int ends[NR_TYPES][3];

static void setup_closed(void)
{
	int type, how, fds[2];

	block_sigpipe();
	for (type = 0; type < NR_TYPES; type++) {
		for (how = 0; how < 3; how++) {
			make_pair(types[type], fds);
			ends[type][how] = fds[0];
			if (how == 1)
				put_bytes(fds[1], 40, 4);
			if (how == 2)
				put_bytes(fds[0], 50, 5);
			close(fds[1]);
		}
	}
}

static void check_gone(int fd, const char *what)
{
	check_end(fd, what);
	check(write(fd, "x", 1) == -1 && errno == EPIPE, "%s: somebody reads", what);
	check_equal(has_sigpipe(), get_option(fd, SO_TYPE) == SOCK_STREAM, "SIGPIPE");
	check_equal(poll_now(fd), POLLIN | POLLOUT | POLLHUP, what);
}

static void verify_closed(void)
{
	int type;

	for (type = 0; type < NR_TYPES; type += 2) {
		check_gone(ends[type][0], "closed");
		take_packet(ends[type][1], 40, 0, 4, "last words");
		check_gone(ends[type][1], "closed after last words");
		/* Who had not read what we have sent. */
		check(poll_now(ends[type][2]) & POLLERR, "poll: no error");
		check(read(ends[type][2], others, 4) == -1 && errno == ECONNRESET,
		      "not reset: %s", strerror(errno));
		check_gone(ends[type][2], "reset");
	}
	check(write(ends[1][0], "x", 1) == -1 && errno == ECONNREFUSED, "datagram to nobody");
	take_packet(ends[1][1], 40, 0, 4, "last datagram");
	check(write(ends[1][1], "x", 1) == -1 && errno == ECONNREFUSED, "datagram to nobody");
	check(write(ends[1][1], "x", 1) == -1 && errno == ENOTCONN, "no peer any more");
}

/* An error that was told already stays away. */
static void setup_error_told(void)
{
	make_pair(SOCK_STREAM, pairs[0]);
	put_bytes(pairs[0][0], 50, 5);
	close(pairs[0][1]);
	need(get_option(pairs[0][0], SO_ERROR) == ECONNRESET);
}

static void verify_error_told(void)
{
	check_option(pairs[0][0], SO_ERROR, 0, "error");
	check_end(pairs[0][0], "stream");
}

static const struct {
	int option;
	int value;
	int shown;
	const char *name;
} options[] = {
	{ SO_REUSEADDR, 1, 1, "SO_REUSEADDR" },
	{ SO_KEEPALIVE, 1, 1, "SO_KEEPALIVE" },
	{ SO_DONTROUTE, 1, 1, "SO_DONTROUTE" },
	{ SO_BROADCAST, 1, 1, "SO_BROADCAST" },
	{ SO_OOBINLINE, 1, 1, "SO_OOBINLINE" },
	{ SO_NO_CHECK, 1, 1, "SO_NO_CHECK" },
	{ SO_TIMESTAMP, 1, 1, "SO_TIMESTAMP" },
	{ SO_PASSCRED, 1, 1, "SO_PASSCRED" },
	{ SO_PASSSEC, 1, 1, "SO_PASSSEC" },
	{ SO_RXQ_OVFL, 1, 1, "SO_RXQ_OVFL" },
	{ SO_WIFI_STATUS, 1, 1, "SO_WIFI_STATUS" },
	{ SO_NOFCS, 1, 1, "SO_NOFCS" },
	{ SO_SELECT_ERR_QUEUE, 1, 1, "SO_SELECT_ERR_QUEUE" },
	{ SO_LOCK_FILTER, 1, 1, "SO_LOCK_FILTER" },
	{ SO_PRIORITY, 5, 5, "SO_PRIORITY" },
	{ SO_RCVLOWAT, 20, 20, "SO_RCVLOWAT" },
	{ SO_SNDBUF, 30000, 60000, "SO_SNDBUF" },
	{ SO_RCVBUF, 20000, 40000, "SO_RCVBUF" },
	{ 72 /* SO_BUF_LOCK */, 1, 1, "SO_BUF_LOCK" },
	{ SO_PEEK_OFF, 0, 0, "SO_PEEK_OFF" },
};

#define NR_OPTIONS	(sizeof(options) / sizeof(*options))

static const struct timeval receive_limit = { 0, 40000 }, send_limit = { 3, 700000 };

static void setup_options(void)
{
	struct linger linger = { 1, 12 };
	size_t index;

	make_pair(SOCK_STREAM, pairs[0]);
	for (index = 0; index < NR_OPTIONS; index++)
		set_option(pairs[0][0], options[index].option, options[index].value);
	need(!setsockopt(pairs[0][0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	need(!setsockopt(pairs[0][0], SOL_SOCKET, SO_RCVTIMEO, &receive_limit,
			 sizeof(receive_limit)));
	need(!setsockopt(pairs[0][0], SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof(send_limit)));
	need(!fchmod(pairs[0][0], 0640));
}

static void check_limit(int fd, int option, const struct timeval *want, const char *what)
{
	struct timeval got = { -1, -1 };
	socklen_t len = sizeof(got);

	need(!getsockopt(fd, SOL_SOCKET, option, &got, &len));
	check_equal(got.tv_sec, want->tv_sec, what);
	check_equal(got.tv_usec, want->tv_usec, what);
}

static void verify_options(void)
{
	static const struct timeval never;
	struct linger linger = { 0 };
	socklen_t len = sizeof(linger);
	struct stat st;
	size_t index;
	char byte;

	for (index = 0; index < NR_OPTIONS; index++)
		check_option(pairs[0][0], options[index].option, options[index].shown,
			     options[index].name);
	need(!getsockopt(pairs[0][0], SOL_SOCKET, SO_LINGER, &linger, &len));
	check_equal(linger.l_onoff, 1, "SO_LINGER");
	check_equal(linger.l_linger, 12, "SO_LINGER");
	check_limit(pairs[0][0], SO_RCVTIMEO, &receive_limit, "SO_RCVTIMEO");
	check_limit(pairs[0][0], SO_SNDTIMEO, &send_limit, "SO_SNDTIMEO");
	check_limit(pairs[0][1], SO_RCVTIMEO, &never, "SO_RCVTIMEO of the other one");
	check_option(pairs[0][1], SO_PASSCRED, 0, "SO_PASSCRED of the other one");
	check_option(pairs[0][1], SO_PEEK_OFF, -1, "SO_PEEK_OFF of the other one");
	check(read(pairs[0][0], &byte, 1) == -1 && errno == EAGAIN, "the limit is gone");
	need(!fstat(pairs[0][0], &st));
	check_equal(st.st_mode & 07777, 0640, "mode");
}

/* Those that take a right. */
static void setup_privileged(void)
{
	make_pair(SOCK_STREAM, pairs[0]);
	set_option(pairs[0][0], SO_MARK, 77);
	set_option(pairs[0][0], SO_PRIORITY, 100);
	set_option(pairs[0][0], SO_DEBUG, 1);
	set_option(pairs[0][1], SO_RCVBUFFORCE, 50 << 20);
	need(!fchown(pairs[0][0], 1234, 5678));
}

static void verify_privileged(void)
{
	struct stat st;

	check_option(pairs[0][0], SO_MARK, 77, "SO_MARK");
	check_option(pairs[0][0], SO_PRIORITY, 100, "SO_PRIORITY");
	check_option(pairs[0][0], SO_DEBUG, 1, "SO_DEBUG");
	check_option(pairs[0][1], SO_RCVBUF, 100 << 20, "SO_RCVBUF");
	need(!fstat(pairs[0][0], &st));
	check_equal(st.st_uid, 1234, "owner");
	check_equal(st.st_gid, 5678, "group");
}

/* A byte out of band, one that was read, and one that another has replaced. */
static void setup_oob(void)
{
	char byte;
	int index;

	for (index = 0; index < 3; index++) {
		make_pair(SOCK_STREAM, pairs[index]);
		put_bytes(pairs[index][0], 10, 1);
		need(send(pairs[index][0], "O", 1, MSG_OOB) == 1);
		put_bytes(pairs[index][0], 10, 2);
	}
	need(recv(pairs[1][1], &byte, 1, MSG_OOB) == 1);
	need(send(pairs[2][0], "P", 1, MSG_OOB) == 1);
}

static bool at_mark(int fd)
{
	int mark = -1;

	need(!ioctl(fd, SIOCATMARK, &mark));
	return mark;
}

static void verify_oob(void)
{
	char byte = 0;

	check(poll_now(pairs[0][1]) & POLLIN, "poll");
	check(recv(pairs[0][1], &byte, 1, MSG_OOB) == 1 && byte == 'O', "byte out of band");
	take_packet(pairs[0][1], 10, 0, 1, "up to the mark");
	check(at_mark(pairs[0][1]), "not at the mark");
	take_packet(pairs[0][1], 10, 0, 2, "behind the mark");

	check(recv(pairs[1][1], &byte, 1, MSG_OOB) == -1 && errno == EINVAL, "read twice");
	take_packet(pairs[1][1], 10, 0, 1, "up to the mark");
	check(at_mark(pairs[1][1]), "not at the mark");
	take_packet(pairs[1][1], 10, 0, 2, "behind the mark");

	check(recv(pairs[2][1], &byte, 1, MSG_OOB) == 1 && byte == 'P', "newer byte");
	take_bytes(pairs[2][1], 10, 0, 1, "before the older byte");
	check(read(pairs[2][1], &byte, 1) == 1 && byte == 'O', "older byte in line");
	take_packet(pairs[2][1], 10, 0, 2, "behind the older byte");
	check_talk(pairs[0][0], pairs[0][1], "afterwards");
}

static volatile sig_atomic_t signals, signal_fd_seen;

static void count_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	signals++;
	signal_fd_seen = info->si_fd;
}

static void setup_flags(void)
{
	struct sigaction action = { .sa_sigaction = count_signal, .sa_flags = SA_SIGINFO };

	need(!sigaction(SIGRTMIN, &action, NULL));
	make_pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, pairs[0]);
	others[0] = dup2(pairs[0][1], 40);
	need(!fcntl(40, F_SETOWN, getpid()) && !fcntl(40, F_SETSIG, SIGRTMIN));
	need(!fcntl(40, F_SETFL, O_ASYNC | O_APPEND));
}

static void verify_flags(void)
{
	check_equal(fcntl(pairs[0][0], F_GETFL), O_RDWR | O_NONBLOCK, "flags");
	check_equal(fcntl(pairs[0][1], F_GETFL), O_RDWR | O_ASYNC | O_APPEND, "flags");
	check_equal(fcntl(pairs[0][0], F_GETFD), FD_CLOEXEC, "close on exec");
	check_equal(fcntl(40, F_GETFD), 0, "close on exec of the duplicate");
	check_equal(fcntl(40, F_GETOWN), getpid(), "owner");
	check_equal(signals, 0, "signals before");
	need(write(pairs[0][0], "x", 1) == 1);
	check_equal(signals, 1, "signals");
	check_equal(signal_fd_seen, 40, "descriptor that it tells");
	close(pairs[0][1]);
	check(read(40, others, 1) == 1, "the duplicate is not the same");
}

/* Fresh sockets and one that is a peer of its own kind by chance. */
static void setup_alone(void)
{
	int type;

	for (type = 0; type < NR_TYPES; type++)
		pairs[type][0] = socket(AF_UNIX, types[type], 0);
}

static void verify_alone(void)
{
	struct sockaddr_un address = { AF_UNIX, "name" };
	int type;

	for (type = 0; type < NR_TYPES; type++) {
		int fd = pairs[type][0];

		check(send(fd, "x", 1, MSG_NOSIGNAL) == -1 && errno == ENOTCONN,
		      "%s: send: %s", names[type], strerror(errno));
		unlink("name");
		check(!bind(fd, (void *)&address, sizeof(address)), "bind: %s", strerror(errno));
	}
}

static void setup_many(void)
{
	int index, fds[2];

	for (index = 0; index < 200; index++) {
		make_pair(types[index % NR_TYPES], fds);
		need(fds[0] == 3 + 2 * index);
		put_bytes(fds[0], index + 1, index);
	}
}

static void verify_many(void)
{
	int index;

	for (index = 0; index < 200; index++)
		take_packet(4 + 2 * index, index + 1, 0, index, "bytes");
}

static const struct subject_mode modes[] = {
	{ "empty", setup_empty, verify_empty },
	{ "queued", setup_queued, verify_queued },
	{ "full", setup_full, verify_full },
	{ "large", setup_large, verify_large },
	{ "huge", setup_huge, verify_huge },
	{ "shutdown", setup_shutdown, verify_shutdown },
	{ "closed", setup_closed, verify_closed },
	{ "error-told", setup_error_told, verify_error_told },
	{ "options", setup_options, verify_options },
	{ "privileged", setup_privileged, verify_privileged },
	{ "oob", setup_oob, verify_oob },
	{ "flags", setup_flags, verify_flags },
	{ "alone", setup_alone, verify_alone },
	{ "many", setup_many, verify_many },
	{ }
};

const struct subject subject = { .modes = modes };
