/* SPDX-License-Identifier: GPL-2.0 */
/* What the subjects with sockets have in common. */
#ifndef _CKPT_SELFTEST_SOCKETS_H
#define _CKPT_SELFTEST_SOCKETS_H

#include "pipes.h"

#include <linux/sockios.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline void make_pair(int type, int *fds)
{
	need(!socketpair(AF_UNIX, type, 0, fds));
}

static inline void set_option(int fd, int option, int value)
{
	need(!setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

static inline int get_option(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	need(!getsockopt(fd, SOL_SOCKET, option, &value, &len));
	return value;
}

static inline void check_option(int fd, int option, int want, const char *what)
{
	check_equal(get_option(fd, option), want, what);
}

/* Bytes that were sent from here and not read yet, with all that they cost. */
static inline int charged(int fd)
{
	int bytes = -1;

	need(!ioctl(fd, SIOCOUTQ, &bytes));
	return bytes;
}

/* Both directions work, and nothing else is in the way. */
static inline void check_talk(int a, int b, const char *what)
{
	put_bytes(a, 100, 77);
	take_packet(b, 100, 0, 77, what);
	put_bytes(b, 200, 78);
	take_packet(a, 200, 0, 78, what);
	check_empty(a, what);
	check_empty(b, what);
}

#endif /* _CKPT_SELFTEST_SOCKETS_H */
