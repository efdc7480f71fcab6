// SPDX-License-Identifier: GPL-2.0
/* Names of unix sockets: who is found by them, and whom they are told. */
#include "sockets.h"

#include <stddef.h>

static int server, clients[4], accepted[4];
static struct stat file;

static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
	size_t len = strlen(name);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, name, len);
	/* An at sign stands for the NUL byte that an abstract name begins with. */
	if (name[0] == '@')
		address->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + len + (name[0] != '@');
}

static int bound(int type, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = address_of(&address, name);
	int fd = socket(AF_UNIX, type, 0);

	unlink(name);
	need(fd >= 0 && !bind(fd, (void *)&address, len));
	return fd;
}

static bool connect_to(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = address_of(&address, name);

	return !connect(fd, (void *)&address, len);
}

static int connected(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);

	need(fd >= 0 && connect_to(fd, name));
	return fd;
}

static void check_address(const struct sockaddr_un *got, socklen_t len, const char *name,
			  const char *what)
{
	struct sockaddr_un want;

	check_equal(len, name ? address_of(&want, name) : sizeof(sa_family_t), what);
	if (name)
		check(!memcmp(got, &want, len), "%s: another name", what);
}

static void check_names(int fd, const char *own, const char *peer, const char *what)
{
	struct sockaddr_un got;
	socklen_t len = sizeof(got);

	need(!getsockname(fd, (void *)&got, &len));
	check_address(&got, len, own, what);
	len = sizeof(got);
	if (check(!getpeername(fd, (void *)&got, &len), "%s: no peer", what))
		check_address(&got, len, peer, what);
}

static const char *server_name;

static void setup_server(const char *name, int type)
{
	server_name = name;
	server = bound(type, name);
	need(!listen(server, 3));
	clients[0] = connected(type, name);
	accepted[0] = accept(server, NULL, NULL);
	need(accepted[0] >= 0);
	put_bytes(clients[0], 10, 1);
	put_bytes(accepted[0], 20, 2);
}

static void verify_server(void)
{
	int type = get_option(server, SO_TYPE), index;
	struct sockaddr_un got;
	socklen_t len = sizeof(got);

	check_option(server, SO_ACCEPTCONN, 1, "listens");
	need(!getsockname(server, (void *)&got, &len));
	check_address(&got, len, server_name, "server");
	check_names(clients[0], NULL, server_name, "client");
	check_names(accepted[0], server_name, NULL, "accepted");
	take_packet(accepted[0], 10, 0, 1, "bytes of the client");
	take_packet(clients[0], 20, 0, 2, "bytes of the server");
	check_talk(clients[0], accepted[0], "old connection");

	/* As many as the backlog lets wait, and one. */
	for (index = 0; index < 4; index++)
		clients[index] = connected(type, server_name);
	type = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
	check(!connect_to(type, server_name) && errno == EAGAIN, "backlog: %s", strerror(errno));
	check_equal(poll_now(server), POLLIN, "poll of a listener");
	for (index = 0; index < 4; index++) {
		accepted[index] = accept(server, NULL, NULL);
		check(accepted[index] >= 0, "accept: %s", strerror(errno));
		check_talk(clients[index], accepted[index], "new connection");
	}
}

static void setup_path(void)
{
	umask(0177);
	setup_server("server", SOCK_STREAM);
	umask(022);
	need(!stat("server", &file));
}

static void verify_path(void)
{
	struct stat st;

	verify_server();
	need(!stat("server", &st));
	check_equal(st.st_mode, file.st_mode, "mode of the file");
	check_equal(st.st_uid, file.st_uid, "owner of the file");
	check_equal(st.st_gid, file.st_gid, "group of the file");
}

static void setup_owner(void)
{
	setup_server("server", SOCK_SEQPACKET);
	need(!chown("server", 123, 456) && !chmod("server", 0707));
	need(!stat("server", &file));
}

static void setup_abstract(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "@ckpt-names-%d", getpid());
	setup_server(name, SOCK_SEQPACKET);
}

/* Nobody finds it any more, but it is told. */
static void setup_unlinked(void)
{
	setup_server("server", SOCK_STREAM);
	need(!unlink("server"));
}

static void verify_unlinked(void)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	check(stat("server", &st) == -1 && errno == ENOENT, "there is a file");
	check_option(server, SO_ACCEPTCONN, 1, "listens");
	check_names(clients[0], NULL, "server", "client");
	check_names(accepted[0], "server", NULL, "accepted");
	take_packet(accepted[0], 10, 0, 1, "bytes of the client");
	check(!connect_to(fd, "server") && errno == ENOENT, "somebody is there");
	/* The name is free. */
	close(server);
	server = bound(SOCK_STREAM, "server");
	need(!listen(server, 1) && connect_to(fd, "server"));
}

/* The server has gone; its connections and its file stay. */
static void setup_server_gone(void)
{
	setup_server("server", SOCK_STREAM);
	close(server);
}

static void verify_server_gone(void)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	check_names(clients[0], NULL, "server", "client");
	check_names(accepted[0], "server", NULL, "accepted");
	take_packet(accepted[0], 10, 0, 1, "bytes of the client");
	if (!subject_was_rebooted())
		check(!stat("server", &st), "the file is gone");
	check(!connect_to(fd, "server"), "somebody listens");
}

static void check_sender(int fd, size_t bytes, u64 seed, const char *name, const char *what)
{
	static unsigned char data[1000];
	struct sockaddr_un got;
	socklen_t len = sizeof(got);
	ssize_t count = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (void *)&got, &len);

	check_bytes(data, count, bytes, 0, seed, what);
	if (!name)
		check_equal(len, 0, what);
	else
		check_address(&got, len, name, what);
}

static char auto_name[8];

/* A server of datagrams, and who has sent some: named, nameless, and gone. */
static void setup_datagrams(void)
{
	struct sockaddr_un address;
	socklen_t len = sizeof(address);
	int gone;

	server = bound(SOCK_DGRAM, "log");
	clients[0] = bound(SOCK_DGRAM, "client");
	need(connect_to(clients[0], "log"));
	clients[1] = connected(SOCK_DGRAM, "log");
	clients[2] = socket(AF_UNIX, SOCK_DGRAM, 0);
	address.sun_family = AF_UNIX;
	need(!bind(clients[2], (void *)&address, sizeof(sa_family_t)));
	need(!getsockname(clients[2], (void *)&address, &len) && len == 8);
	memcpy(auto_name, address.sun_path, 6);
	auto_name[0] = '@';
	need(connect_to(clients[2], "log"));
	gone = bound(SOCK_DGRAM, "gone");
	need(connect_to(gone, "log"));
	put_bytes(clients[0], 1, 1);
	put_bytes(clients[1], 2, 2);
	put_bytes(gone, 3, 3);
	put_bytes(clients[2], 4, 4);
	close(gone);
	unlink("gone");
	/* Connected to one that is not connected to it, but to itself. */
	clients[3] = bound(SOCK_DGRAM, "self");
	need(connect_to(clients[3], "self"));
	put_bytes(clients[3], 5, 5);
}

static void verify_datagrams(void)
{
	struct sockaddr_un address;
	socklen_t len = address_of(&address, "client");
	int fresh;

	check_sender(server, 1, 1, "client", "named");
	check_sender(server, 2, 2, NULL, "nameless");
	check_sender(server, 3, 3, "gone", "gone");
	check_sender(server, 4, 4, auto_name, "named by the kernel");
	check_names(clients[0], "client", "log", "client");
	check_names(clients[2], auto_name, "log", "client with a name of the kernel's");
	put_bytes(clients[1], 6, 6);
	check_sender(server, 6, 6, NULL, "afterwards");
	fresh = connected(SOCK_DGRAM, "log");
	put_bytes(fresh, 7, 7);
	check_sender(server, 7, 7, NULL, "new client");
	check(sendto(server, "x", 1, 0, (void *)&address, len) == 1, "answer: %s",
	      strerror(errno));
	need(recv(clients[0], &fresh, 1, MSG_DONTWAIT) == 1);
	check(sendto(clients[3], "x", 1, 0, (void *)&address, len) == -1 && errno == EPERM,
	      "to who is connected to another one");
	check_sender(clients[3], 5, 5, "self", "self");
	put_bytes(clients[3], 8, 8);
	check_sender(clients[3], 8, 8, "self", "self");
}

static const struct subject_mode modes[] = {
	{ "path", setup_path, verify_path },
	{ "owner", setup_owner, verify_path },
	{ "abstract", setup_abstract, verify_server },
	{ "unlinked", setup_unlinked, verify_unlinked },
	{ "server-gone", setup_server_gone, verify_server_gone },
	{ "datagrams", setup_datagrams, verify_datagrams },
	{ }
};

const struct subject subject = { .modes = modes };
