// SPDX-License-Identifier: GPL-2.0
/*
 * An unmodified redis-server as the subject: its client gives it keys and asks
 * for all of them afterwards.  It has nothing but its memory.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PORT		6379
#define PORT_TEXT	"6379"
#define RDB		"dump.rdb"
#define LOG		DIR_NAME "/redis.log"
#define VALUE		1000
/* What goes around a value. */
#define OVERHEAD	64

static void must_send(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent <= 0)
			die("redis: %s", strerror(errno));
		data += sent;
		size -= sent;
	}
}

static bool receive(int fd, void *data, size_t size)
{
	while (size) {
		ssize_t got = recv(fd, data, size, MSG_WAITALL);

		if (got <= 0)
			return false;
		data += got;
		size -= got;
	}
	return true;
}

/* One line of an answer; what it ends with stays. */
static bool receive_line(int fd, char *line, size_t size)
{
	size_t length = 0;

	while (length + 1 < size) {
		if (!receive(fd, line + length, 1))
			return false;
		if (line[length++] == '\n')
			break;
	}
	line[length] = '\0';
	return true;
}

static void make_value(size_t key, uint64_t *value)
{
	size_t i;

	for (i = 0; i < VALUE / sizeof(*value); i++)
		value[i] = pattern(key * VALUE + i);
}

static size_t put_set(char *request, size_t key)
{
	int head = sprintf(request, "*3\r\n$3\r\nSET\r\n$12\r\nkey:%08zu\r\n$%d\r\n",
			   key, VALUE);
	uint64_t value[VALUE / sizeof(uint64_t)];

	make_value(key, value);
	memcpy(request + head, value, VALUE);
	memcpy(request + head + VALUE, "\r\n", 2);
	return head + VALUE + 2;
}

static size_t put_get(char *request, size_t key)
{
	return sprintf(request, "*2\r\n$3\r\nGET\r\n$12\r\nkey:%08zu\r\n", key);
}

static bool is_set(int fd)
{
	char answer[5];

	return receive(fd, answer, 5) && !memcmp(answer, "+OK\r\n", 5);
}

static bool is_value(int fd, size_t key)
{
	char answer[7 + VALUE + 2], want[8];
	uint64_t value[VALUE / sizeof(uint64_t)];

	make_value(key, value);
	sprintf(want, "$%d\r\n", VALUE);
	return receive(fd, answer, sizeof(answer)) &&
	       !memcmp(answer, want, 7) && !memcmp(answer + 7, value, VALUE) &&
	       !memcmp(answer + 7 + VALUE, "\r\n", 2);
}

/* All at once; the first @writes of them write the value that the key has. */
bool redis_requests(int fd, const size_t *keys, size_t count, size_t writes)
{
	static char request[REDIS_BATCH * (VALUE + OVERHEAD)];
	size_t size = 0, i;

	for (i = 0; i < count; i++)
		size += i < writes ? put_set(request + size, keys[i]) :
				     put_get(request + size, keys[i]);
	must_send(fd, request, size);
	for (i = 0; i < count; i++)
		if (!(i < writes ? is_set(fd) : is_value(fd, keys[i])))
			return false;
	return true;
}

/* All keys. */
static bool for_all(int fd, size_t count, bool write)
{
	size_t keys[REDIS_BATCH], first, i;

	for (first = 0; first < count * REDIS_KEYS; first += REDIS_BATCH) {
		for (i = 0; i < REDIS_BATCH; i++)
			keys[i] = first + i;
		if (!redis_requests(fd, keys, REDIS_BATCH, write * REDIS_BATCH))
			return false;
	}
	return true;
}

int redis_connect(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("redis does not accept connections: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Returns when the server has closed it, too: a connection cannot be saved. */
void redis_disconnect(int fd)
{
	char c;

	shutdown(fd, SHUT_WR);
	while (recv(fd, &c, 1, 0) > 0)
		continue;
	close(fd);
}

pid_t redis_begin(size_t count, const char *cgroup)
{
	pid_t pid;
	int fd;

	unlink(LOG);
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		if (cgroup)
			write_file(cgroup, "0");
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		close(null);
		setsid();
		execlp("redis-server", "redis-server", "--port", PORT_TEXT,
		       "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		       "--dir", DIR_NAME, "--dbfilename", RDB, "--logfile", LOG, NULL);
		_exit(127);
	}
	/* It opens the file for each line, and never has it among its descriptors. */
	await_text(LOG, "Ready to accept connections");
	fd = redis_connect();
	if (!for_all(fd, count, true))
		die("redis does not take its keys");
	redis_disconnect(fd);
	return pid;
}

bool redis_verify(size_t count)
{
	int fd = redis_connect();
	bool good = for_all(fd, count, false);

	redis_disconnect(fd);
	return good;
}

static unsigned long long ask_number(int fd, const char *request, const char *field)
{
	unsigned long long number = 0;
	bool found = false;
	char line[256];
	long size;

	must_send(fd, request, strlen(request));
	if (!receive_line(fd, line, sizeof(line)) || line[0] != '$')
		die("redis: %s", line);
	for (size = atol(line + 1) + 2; size > 0; size -= strlen(line)) {
		if (!receive_line(fd, line, sizeof(line)))
			die("redis ends");
		if (!strncmp(line, field, strlen(field))) {
			number = strtoull(line + strlen(field), NULL, 10);
			found = true;
		}
	}
	if (!found)
		die("redis does not tell %s", field);
	return number;
}

/* Its own snapshot: how long the fork() takes, and to save everything. */
void redis_floors(size_t count)
{
	static const char *const begin_saving = "BGSAVE\r\n", *const save = "SAVE\r\n";
	pid_t pid = redis_begin(count, NULL);
	int fd = redis_connect();
	uint64_t start, ticks;
	struct stat info;
	char line[256];

	must_send(fd, begin_saving, strlen(begin_saving));
	if (!receive_line(fd, line, sizeof(line)) || line[0] != '+')
		die("redis: BGSAVE: %s", line);
	await_text(LOG, "Background saving terminated with success");
	report_cost("bgsave", "stop",
		    ask_number(fd, "INFO stats\r\n", "latest_fork_usec:") * 1000);
	start = now_ticks();
	must_send(fd, save, strlen(save));
	if (!is_set(fd))
		die("redis does not save");
	ticks = now_ticks() - start;
	report_cost("bgsave", "checkpoint", ticks);
	if (stat(DIR_NAME "/" RDB, &info))
		die("redis has saved nothing");
	if (!by_clock)
		report("bgsave", "image_bytes", info.st_size);
	unlink(DIR_NAME "/" RDB);
	redis_disconnect(fd);
	end(pid);
}
