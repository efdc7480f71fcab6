// SPDX-License-Identifier: GPL-2.0
/* Descriptors that are on their way through unix sockets. */
#include "sockets.h"

static int pairs[3][2];

static void send_fds(int through, const int *fds, int count, const char *text)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(10 * sizeof(int))];
	} control_data = { .header = { CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec vec = { (char *)text, strlen(text) };
	struct msghdr message = {
		.msg_iov = &vec, .msg_iovlen = 1, .msg_control = &control_data,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};

	memcpy(CMSG_DATA(&control_data.header), fds, count * sizeof(int));
	need(sendmsg(through, &message, 0) == (ssize_t)vec.iov_len);
}

static void take_fds(int from, int *fds, int count, const char *text)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(10 * sizeof(int))];
	} control_data;
	char got[100] = "";
	struct iovec vec = { got, sizeof(got) - 1 };
	struct msghdr message = {
		.msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = &control_data, .msg_controllen = sizeof(control_data),
	};

	check_equal(recvmsg(from, &message, MSG_DONTWAIT), strlen(text), text);
	check(!strcmp(got, text), "%s: is %s", text, got);
	need(message.msg_controllen && control_data.header.cmsg_type == SCM_RIGHTS);
	check_equal(control_data.header.cmsg_len, CMSG_LEN(count * sizeof(int)), text);
	memcpy(fds, CMSG_DATA(&control_data.header), count * sizeof(int));
}

/* Files that nobody else has open any more, in streams and datagrams. */
static void setup_files(void)
{
	int fds[3], index;

	for (index = 0; index < 2; index++) {
		make_pair(index ? SOCK_DGRAM : SOCK_STREAM, pairs[index]);
		fds[0] = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
		need(fds[0] >= 0);
		put_bytes(fds[0], 100, 1);
		need(lseek(fds[0], 40, SEEK_SET) == 40);
		need(!pipe(fds + 1));
		put_bytes(fds[2], 50, 2);
		send_fds(pairs[index][0], fds, 3, "three");
		put_bytes(pairs[index][0], 7, 3);
		close(fds[0]);
		close(fds[1]);
		close(fds[2]);
	}
}

static void verify_files(void)
{
	int fds[3], index;

	for (index = 0; index < 2; index++) {
		take_fds(pairs[index][1], fds, 3, "three");
		take_packet(fds[0], 60, 40, 1, "file");
		close(fds[2]);
		take_packet(fds[1], 50, 0, 2, "pipe");
		check_end(fds[1], "pipe");
		take_packet(pairs[index][1], 7, 0, 3, "bytes behind");
		check_talk(pairs[index][0], pairs[index][1], "afterwards");
	}
}

/* Sockets on their way through sockets that are on theirs; one with a copy here. */
static void setup_sockets(void)
{
	int index;

	for (index = 0; index < 3; index++)
		make_pair(index == 1 ? SOCK_SEQPACKET : SOCK_STREAM, pairs[index]);
	set_nonblock(pairs[2][1], true);
	put_bytes(pairs[2][0], 9, 4);
	send_fds(pairs[1][0], &pairs[2][1], 1, "inner");
	close(pairs[2][1]);
	send_fds(pairs[0][0], pairs[1], 2, "outer");
	close(pairs[1][1]);
}

static void verify_sockets(void)
{
	int fds[2], inner;

	take_fds(pairs[0][1], fds, 2, "outer");
	/* The same open file as before. */
	set_nonblock(pairs[1][0], true);
	check(fcntl(fds[0], F_GETFL) & O_NONBLOCK, "not the same socket");
	set_nonblock(pairs[1][0], false);
	take_fds(fds[1], &inner, 1, "inner");
	check(fcntl(inner, F_GETFL) & O_NONBLOCK, "O_NONBLOCK is gone");
	set_nonblock(inner, false);
	take_packet(inner, 9, 0, 4, "bytes");
	check_talk(pairs[2][0], inner, "inner pair");
	check_talk(fds[0], fds[1], "outer pair");
}

/* A socket in its own queue: nobody can ever have it, but it is no leak. */
static void setup_circle(void)
{
	int fds[2];

	make_pair(SOCK_STREAM, pairs[0]);
	make_pair(SOCK_STREAM, fds);
	send_fds(fds[0], fds, 2, "circle");
	send_fds(pairs[0][0], fds, 2, "both");
	close(fds[0]);
	close(fds[1]);
}

static void verify_circle(void)
{
	int fds[2], again[2];

	take_fds(pairs[0][1], fds, 2, "both");
	take_fds(fds[1], again, 2, "circle");
	close(fds[0]);
	check_talk(again[0], fds[1], "through the copy");
	close(again[0]);
	check_end(fds[1], "nobody has the other end");
}

static const struct subject_mode modes[] = {
	{ "files", setup_files, verify_files },
	{ "sockets", setup_sockets, verify_sockets },
	{ "circle", setup_circle, verify_circle },
	{ }
};

const struct subject subject = { .modes = modes };
