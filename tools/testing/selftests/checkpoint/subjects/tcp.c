// SPDX-License-Identifier: GPL-2.0
/* TCP sockets that are not connected: who listens, where, and with what options. */
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND		78
#endif

#define NR_MANY			100
#define NR_CHILDREN		3

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int server, second, ep, many[NR_MANY];
static pid_t child;

/* Nobody else has it: neither another subject nor the kernel, which gives others. */
static int own_port(int index)
{
	static int first;

	if (!first)
		first = 2000 + getpid() % 3500 * 8;
	return first + index;
}

static socklen_t make_address(union address *address, const char *text, int port)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return sizeof(address->v4);
	}
	need(inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1);
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	return sizeof(address->v6);
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	need(fd >= 0);
	return fd;
}

static bool bind_to(int fd, const char *text, int port)
{
	union address address;
	socklen_t len = make_address(&address, text, port);

	return !bind(fd, &address.any, len);
}

static int bound(const char *text, int port)
{
	int fd = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET);

	set_option(fd, SO_REUSEADDR, 1);
	need(bind_to(fd, text, port));
	return fd;
}

static int listening(const char *text, int port, int backlog)
{
	int fd = bound(text, port);

	need(!listen(fd, backlog));
	return fd;
}

static int connect_to(const char *text, int port)
{
	int fd = new_socket(strchr(text, ':') ? AF_INET6 : AF_INET);
	union address address;
	socklen_t len = make_address(&address, text, port);

	if (!connect(fd, &address.any, len))
		return fd;
	close(fd);
	return -errno;
}

static void check_name(int fd, const char *text, int port, const char *what)
{
	union address want, got = { 0 };
	socklen_t len = make_address(&want, text, port), got_len = sizeof(got);

	need(!getsockname(fd, &got.any, &got_len));
	check_equal(got_len, len, what);
	check(!memcmp(&want, &got, len), "%s: another address", what);
}

/* An end that was closed at once leaves nothing that waits. */
static void end(int fd)
{
	struct linger linger = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void check_serves(int fd, const char *text, int port, const char *what)
{
	int client = connect_to(text, port), accepted;

	if (!check(client >= 0, "%s: connect: %s", what, strerror(-client)))
		return;
	accepted = accept(fd, NULL, NULL);
	if (check(accepted >= 0, "%s: accept: %s", what, strerror(errno)))
		check_talk(client, accepted, what);
	end(client);
	end(accepted);
}

static void check_backlog(int fd, unsigned int backlog)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	need(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	check_equal(info.tcpi_sacked, backlog, "backlog");
	check_equal(info.tcpi_unacked, 0, "connections that wait");
}

static void setup_v4(void)
{
	server = listening("127.0.0.1", own_port(0), 7);
}

static void verify_v4(void)
{
	check_option(server, SO_ACCEPTCONN, 1, "listens");
	check_name(server, "127.0.0.1", own_port(0), "server");
	check_backlog(server, 7);
	check_serves(server, "127.0.0.1", own_port(0), "server");
	check(connect_to("127.0.0.2", own_port(0)) == -ECONNREFUSED, "it listens elsewhere, too");
}

static void setup_v6(void)
{
	server = listening("::1", own_port(0), 7);
}

static void verify_v6(void)
{
	check_name(server, "::1", own_port(0), "server");
	check_backlog(server, 7);
	check_serves(server, "::1", own_port(0), "server");
}

static void setup_v6only(void)
{
	int on = 1;

	server = new_socket(AF_INET6);
	need(!setsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	need(bind_to(server, "::", own_port(0)) && !listen(server, 5));
	/* There is room for another one. */
	second = listening("0.0.0.0", own_port(0), 6);
}

static void verify_v6only(void)
{
	check_name(server, "::", own_port(0), "server");
	check_serves(server, "::1", own_port(0), "IPv6");
	check_serves(second, "127.0.0.1", own_port(0), "IPv4");
	check_backlog(second, 6);
}

static void setup_dual(void)
{
	server = listening("::", own_port(0), 5);
}

static void verify_dual(void)
{
	check_serves(server, "::1", own_port(0), "IPv6");
	check_serves(server, "127.0.0.1", own_port(0), "IPv4");
}

/* Addresses and ports, and who has chosen them; nobody listens. */
static void setup_bound(void)
{
	int on = 1;

	server = bound("127.0.0.1", own_port(0));
	second = bound("::ffff:127.0.0.1", own_port(1));
	many[0] = bound("127.0.0.3", 0);
	many[1] = new_socket(AF_INET);
	need(!setsockopt(many[1], IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)));
	need(bind_to(many[1], "127.0.0.4", 0));
}

static int port_of(int fd)
{
	union address got = { 0 };
	socklen_t len = sizeof(got);

	need(!getsockname(fd, &got.any, &len));
	return ntohs(got.v4.sin_port);
}

static int old_port;

static void setup_bound_all(void)
{
	setup_bound();
	old_port = port_of(many[0]);
	need(old_port);
}

/* Who listens no more loses a port that he has not chosen: he can bind again. */
static bool loses_port(int fd)
{
	need(!listen(fd, 1) && !shutdown(fd, SHUT_RD));
	return bind_to(fd, "127.0.0.1", own_port(5));
}

static void verify_bound_all(void)
{
	check_name(server, "127.0.0.1", own_port(0), "bound");
	check_name(second, "::ffff:127.0.0.1", own_port(1), "bound to a mapped address");
	check_name(many[0], "127.0.0.3", old_port, "bound by the kernel");
	check_name(many[1], "127.0.0.4", 0, "bound without a port");
	check(connect_to("127.0.0.1", own_port(0)) == -ECONNREFUSED, "somebody listens");
	/* Nobody else gets it. */
	check(!bind_to(new_socket(AF_INET), "127.0.0.1", own_port(0)) && errno == EADDRINUSE,
	      "the port is free: %s", strerror(errno));
	check(!loses_port(server), "the port that was chosen is lost");
	check(loses_port(many[0]), "the port that the kernel has chosen is kept");
	need(!listen(server, 5));
	check_serves(server, "127.0.0.1", own_port(0), "bound before");
}

static void setup_fresh(void)
{
	server = new_socket(AF_INET);
	second = new_socket(AF_INET6);
	set_nonblock(second, true);
	many[0] = new_socket(AF_INET);
	/* It fails, and tells the end. */
	need(shutdown(many[0], SHUT_RDWR) == -1 && errno == ENOTCONN);
}

static void verify_fresh(void)
{
	check_name(server, "0.0.0.0", 0, "new socket");
	check_name(second, "::", 0, "new socket of IPv6");
	check_equal(fcntl(second, F_GETFL), O_RDWR | O_NONBLOCK, "flags");
	check_equal(poll_now(server), POLLOUT | POLLHUP, "poll of a new socket");
	check_equal(poll_now(many[0]) & POLLIN, POLLIN, "poll of one that was shut down");
	check(bind_to(server, "127.0.0.1", own_port(0)) && !listen(server, 5), "listen: %s",
	      strerror(errno));
	check_serves(server, "127.0.0.1", own_port(0), "new socket");
	check(bind_to(second, "::1", own_port(1)) && !listen(second, 5), "listen: %s",
	      strerror(errno));
	check(accept(second, NULL, NULL) == -1 && errno == EAGAIN, "it waits");
}

/* The kernel has chosen the port, and chooses another one the next time. */
static void setup_auto(void)
{
	server = new_socket(AF_INET);
	need(!listen(server, 4));
	old_port = port_of(server);
}

static void verify_auto(void)
{
	check_name(server, "0.0.0.0", old_port, "server");
	check_serves(server, "127.0.0.1", old_port, "server");
	check(loses_port(server), "the port that the kernel has chosen is kept");
}

struct wanted {
	int level;
	int option;
	int value;
	const char *name;
};

#define WANT(level, option, value)	{ level, option, value, #option }
#define TCP(option, value)		WANT(IPPROTO_TCP, option, value)
#define IP(option, value)		WANT(IPPROTO_IP, option, value)
#define IPV6(option, value)		WANT(IPPROTO_IPV6, option, value)
#define SOCKET(option, value)		WANT(SOL_SOCKET, option, value)

static const struct wanted plain[] = {
	TCP(TCP_NODELAY, 1), TCP(TCP_CORK, 1),
	TCP(TCP_KEEPIDLE, 77), TCP(TCP_KEEPINTVL, 11), TCP(TCP_KEEPCNT, 3),
	TCP(TCP_SYNCNT, 4), TCP(TCP_LINGER2, 9), TCP(TCP_DEFER_ACCEPT, 7),
	TCP(TCP_FASTOPEN, 5), TCP(TCP_USER_TIMEOUT, 12345), TCP(TCP_MAXSEG, 1000),
	TCP(TCP_WINDOW_CLAMP, 40000), TCP(TCP_NOTSENT_LOWAT, 4321),
	TCP(TCP_SAVE_SYN, 1), TCP(TCP_THIN_LINEAR_TIMEOUTS, 1), TCP(TCP_INQ, 1),
	TCP(TCP_FASTOPEN_NO_COOKIE, 1), TCP(TCP_TX_DELAY, 0),
	IP(IP_TOS, 0x48), IP(IP_TTL, 33), IP(IP_MINTTL, 3), IP(IP_MTU_DISCOVER, 3),
	IP(IP_FREEBIND, 1), IP(IP_RECVERR, 1), IP(IP_RECVTTL, 1), IP(IP_RECVTOS, 1),
	IP(IP_PKTINFO, 1), IP(IP_MULTICAST_LOOP, 0), IP(IP_MULTICAST_ALL, 0),
	IP(51 /* IP_LOCAL_PORT_RANGE */, 5000 | 6000 << 16),
	SOCKET(SO_KEEPALIVE, 1), SOCKET(SO_ZEROCOPY, 1), SOCKET(SO_PRIORITY, 3),
	SOCKET(SO_OOBINLINE, 1), SOCKET(SO_RCVLOWAT, 100),
	{ }
};

/* What listen() would forget. */
static const struct wanted late[] = {
	TCP(TCP_QUICKACK, 0),
	{ }
};

static const struct wanted ipv6[] = {
	IPV6(IPV6_TCLASS, 0x28), IPV6(IPV6_UNICAST_HOPS, 44), IPV6(IPV6_RECVERR, 1),
	IPV6(IPV6_RECVPKTINFO, 1), IPV6(IPV6_RECVHOPLIMIT, 1), IPV6(IPV6_RECVTCLASS, 1),
	IPV6(IPV6_MTU_DISCOVER, 2), IPV6(73 /* IPV6_MINHOPCOUNT */, 2),
	IPV6(70 /* IPV6_AUTOFLOWLABEL */, 0), IPV6(72 /* IPV6_ADDR_PREFERENCES */, 0x402),
	IPV6(IPV6_DONTFRAG, 1), IPV6(33 /* IPV6_FLOWINFO_SEND */, 1),
	IPV6(IPV6_FREEBIND, 1), IP(IP_TOS, 0x48), TCP(TCP_KEEPIDLE, 78),
	{ }
};

static const struct wanted privileged[] = {
	IP(IP_TRANSPARENT, 1), SOCKET(SO_MARK, 42), SOCKET(SO_PRIORITY, 7),
	{ }
};

static void set_wanted(int fd, const struct wanted *it)
{
	for (; it->name; it++)
		if (setsockopt(fd, it->level, it->option, &it->value, sizeof(it->value)))
			subject_die("%s: %s", it->name, strerror(errno));
}

static void check_wanted(int fd, const struct wanted *it)
{
	for (; it->name; it++) {
		int value = -1;
		socklen_t len = sizeof(value);

		check(!getsockopt(fd, it->level, it->option, &value, &len), "%s: %s", it->name,
		      strerror(errno));
		check_equal(value, it->value, it->name);
	}
}

static void check_congestion(int fd, const char *want)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	need(!getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
	check(!strcmp(name, want), "congestion control %s", name);
}

static void setup_options(void)
{
	server = new_socket(AF_INET);
	set_option(server, SO_REUSEADDR, 1);
	set_wanted(server, plain);
	/* Free to choose for everybody. */
	need(!setsockopt(server, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	need(bind_to(server, "127.0.0.1", own_port(0)) && !listen(server, 20));
	set_wanted(server, late);
	second = new_socket(AF_INET6);
	set_wanted(second, ipv6);
	need(bind_to(second, "::1", own_port(1)) && !listen(second, 20));
}

static void verify_options(void)
{
	int client, accepted;

	check_wanted(server, plain);
	check_wanted(server, late);
	check_wanted(second, ipv6);
	check_congestion(server, "reno");
	check_option(server, SO_REUSEADDR, 1, "SO_REUSEADDR");
	check_option(second, SO_REUSEADDR, 0, "SO_REUSEADDR");
	/* Who is accepted gets them, too. */
	client = connect_to("127.0.0.1", own_port(0));
	need(client >= 0 && write(client, "x", 1) == 1);
	accepted = accept(server, NULL, NULL);
	need(accepted >= 0);
	check_congestion(accepted, "reno");
	check_option(accepted, SO_KEEPALIVE, 1, "SO_KEEPALIVE of a connection");
	end(client);
	end(accepted);
	check_serves(second, "::1", own_port(1), "IPv6");
}

/* An address that the system has not, packets that others see, a device. */
static void setup_privileged(void)
{
	server = new_socket(AF_INET);
	set_wanted(server, privileged);
	need(!setsockopt(server, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	need(bind_to(server, "203.0.113.77", own_port(0)) && !listen(server, 5));
	second = new_socket(AF_INET6);
	need(!setsockopt(second, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	need(bind_to(second, "::", own_port(1)) && !listen(second, 5));
	many[0] = listening("127.0.0.1", 1 + getpid() % 1000, 5);
}

static void verify_privileged(void)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	check_wanted(server, privileged);
	check_name(server, "203.0.113.77", own_port(0), "transparent");
	need(!getsockopt(server, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	check(!strcmp(name, "lo"), "device %s", name);
	check_serves(second, "::1", own_port(1), "on a device");
	check_serves(many[0], "127.0.0.1", port_of(many[0]), "on a low port");
}

/* Two who listen on one port; each gets something out of many. */
static void setup_reuseport(void)
{
	server = new_socket(AF_INET);
	second = new_socket(AF_INET);
	set_option(server, SO_REUSEPORT, 1);
	set_option(second, SO_REUSEPORT, 1);
	need(bind_to(server, "127.0.0.1", own_port(0)) && !listen(server, 100));
	need(bind_to(second, "127.0.0.1", own_port(0)) && !listen(second, 100));
}

static void verify_reuseport(void)
{
	int index;

	check_option(server, SO_REUSEPORT, 1, "SO_REUSEPORT");
	for (index = 0; index < 64; index++)
		need(connect_to("127.0.0.1", own_port(0)) >= 0);
	check_equal(poll_now(server), POLLIN, "the first one");
	check_equal(poll_now(second), POLLIN, "the second one");
}

static void serve_once(void)
{
	int accepted = accept(server, NULL, NULL);
	char byte;

	/* So long until the other end goes. */
	_exit(accepted < 0 || read(accepted, &byte, 1) != 1 || byte != 'x');
}

/* One open file of several processes, and each of them waits in accept(). */
static void setup_shared(void)
{
	int index;

	server = listening("127.0.0.1", own_port(0), 9);
	for (index = 0; index < NR_CHILDREN; index++) {
		child = fork();
		need(child >= 0);
		if (!child)
			serve_once();
	}
}

static void verify_shared(void)
{
	int index, status, client;

	for (index = 0; index < NR_CHILDREN; index++) {
		client = connect_to("127.0.0.1", own_port(0));
		need(client >= 0 && write(client, "x", 1) == 1);
		status = -1;
		need(wait(&status) > 0);
		check_equal(status, 0, "child");
		end(client);
	}
	set_nonblock(server, true);
	check(accept(server, NULL, NULL) == -1 && errno == EAGAIN, "one more connection");
	set_nonblock(server, false);
	check_serves(server, "127.0.0.1", own_port(0), "parent");
}

/* It waits in accept() itself until a child connects. */
static void setup_accept(void)
{
	server = listening("127.0.0.1", own_port(0), 3);
	child = fork();
	need(child >= 0);
	if (!child) {
		subject_stay();
		_exit(connect_to("127.0.0.1", own_port(0)) < 0);
	}
}

static void hold_accept(void)
{
	subject_ready(SYS_accept);
	second = syscall(SYS_accept, server, NULL, NULL);
}

static void verify_accept(void)
{
	int status = -1;

	check(second >= 0, "accept: %s", strerror(errno));
	need(wait(&status) > 0);
	check_equal(status, 0, "child");
	check_end(second, "the child is gone");
}

static void watch(int fd, u32 events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	need(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
}

static void check_event(int fd, u32 events, const char *what)
{
	struct epoll_event event = { 0 };

	if (!check_equal(epoll_wait(ep, &event, 1, 0), fd >= 0, what) || fd < 0)
		return;
	check_equal(event.data.fd, fd, what);
	check_equal(event.events, events, what);
}

static void setup_epoll(void)
{
	ep = epoll_create1(0);
	server = listening("127.0.0.1", own_port(0), 3);
	second = listening("::1", own_port(1), 3);
	many[0] = bound("127.0.0.1", own_port(2));
	watch(server, EPOLLIN);
	watch(second, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE);
	check_event(-1, 0, "nobody has connected");
}

static void verify_epoll(void)
{
	check_event(-1, 0, "nobody has connected yet");
	need(connect_to("::1", own_port(1)) >= 0);
	check_event(second, EPOLLIN, "edge");
	check_event(-1, 0, "edge was reported");
	need(connect_to("127.0.0.1", own_port(0)) >= 0);
	check_event(server, EPOLLIN, "level");
	check_event(server, EPOLLIN, "level again");
	watch(many[0], EPOLLIN);
	check_event(server, EPOLLIN, "level once more");
}

/* Everything of one port, each with an address of its own. */
static void setup_many(void)
{
	char text[32];
	int index;

	for (index = 0; index < NR_MANY; index++) {
		snprintf(text, sizeof(text), "127.0.7.%d", index + 1);
		many[index] = listening(text, own_port(0), index + 1);
	}
}

static void verify_many(void)
{
	char text[32];
	int index;

	for (index = 0; index < NR_MANY; index++) {
		snprintf(text, sizeof(text), "127.0.7.%d", index + 1);
		check_backlog(many[index], index + 1);
		check_serves(many[index], text, own_port(0), text);
	}
}

static const struct subject_mode modes[] = {
	{ "v4", setup_v4, verify_v4 },
	{ "v6", setup_v6, verify_v6 },
	{ "v6only", setup_v6only, verify_v6only },
	{ "dual", setup_dual, verify_dual },
	{ "bound", setup_bound_all, verify_bound_all },
	{ "fresh", setup_fresh, verify_fresh },
	{ "auto", setup_auto, verify_auto },
	{ "options", setup_options, verify_options },
	{ "privileged", setup_privileged, verify_privileged },
	{ "reuseport", setup_reuseport, verify_reuseport },
	{ "shared", setup_shared, verify_shared },
	{ "accept", setup_accept, verify_accept, hold_accept },
	{ "epoll", setup_epoll, verify_epoll },
	{ "many", setup_many, verify_many },
	{ }
};

const struct subject subject = { .skip = SKIP_FILES, .modes = modes };
