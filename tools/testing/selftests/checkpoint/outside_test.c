// SPDX-License-Identifier: GPL-2.0
/*
 * usage: outside_test --stage1|--stage2
 *
 * A process of which nearly all that it has open leads outside: a terminal, two
 * pipes, a unix socket, and a UDP socket, which cannot be saved.  The test is on the
 * other side.  restart(1) gives it other ones, and a log of another name: at once,
 * with the same process id, in a new pid namespace, and after a reboot.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "kselftest.h"

/* The descriptors of the process: what it reads, and where it answers. */
enum { TTY, PIPE_IN = 3, PIPE_OUT, UNIX, UDP, LOG };
/* Where restart(1) has what it is to inherit. */
#define OURS		20
#define ENDED		55

/**
 * struct place - what is on the other side
 * @master: of the terminal
 * @to: write end of the pipe that it reads
 * @from: read end of the other one
 * @peer: of its socket
 * @udp: of that which cannot be saved
 * @theirs: what the process has of these, in the order of its descriptors
 */
struct place {
	int master;
	int to;
	int from;
	int peer;
	int udp;
	int theirs[LOG];
};

static bool make_terminal(struct place *at)
{
	char name[32];

	at->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (at->master < 0 || grantpt(at->master) || unlockpt(at->master) ||
	    ptsname_r(at->master, name, sizeof(name)))
		return false;
	at->theirs[TTY] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return at->theirs[TTY] >= 0;
}

/* Two of them that send to each other. */
static bool make_udp(int fds[2])
{
	struct sockaddr_in names[2] = { 0 };
	socklen_t len = sizeof(names[0]);
	int i;

	for (i = 0; i < 2; i++) {
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		names[i].sin_family = AF_INET;
		names[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(fds[i], (void *)&names[i], len) ||
		    getsockname(fds[i], (void *)&names[i], &len))
			return false;
	}
	return !connect(fds[0], (void *)&names[1], len) &&
	       !connect(fds[1], (void *)&names[0], len);
}

static bool make_place(struct place *at, bool is_udp)
{
	int in[2], out[2], pair[2], other[2];

	if (!make_terminal(at) || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return complain("%s", strerror(errno));
	/* Anything will do that can be read and written. */
	if (is_udp ? !make_udp(other) :
		     socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other))
		return complain("%s", strerror(errno));
	at->to = in[1];
	at->theirs[PIPE_IN] = in[0];
	at->from = out[0];
	at->theirs[PIPE_OUT] = out[1];
	at->peer = pair[0];
	at->theirs[UNIX] = pair[1];
	at->udp = other[0];
	at->theirs[UDP] = other[1];
	return true;
}

static void close_place(struct place *at)
{
	close(at->master);
	close(at->to);
	close(at->from);
	close(at->peer);
	close(at->udp);
}

static void close_theirs(struct place *at)
{
	int fd;

	for (fd = TTY; fd < LOG; fd++)
		if (fd == TTY || fd >= PIPE_IN)
			close(at->theirs[fd]);
}

static void answer(int in, int out)
{
	char line[256] = "> ";
	ssize_t len = read(in, line + 2, sizeof(line) - 2);

	if (len < 0)
		_exit(1);
	if (!len)
		_exit(ENDED);
	if (write(LOG, line, len + 2) != len + 2 || write(out, line, len + 2) != len + 2)
		_exit(2);
}

static void be_server(void)
{
	struct pollfd fds[] = {
		{ TTY, POLLIN, 0 }, { PIPE_IN, POLLIN, 0 }, { UNIX, POLLIN, 0 },
		{ UDP, POLLIN, 0 },
	};
	int i;

	for (;;) {
		if (syscall(SYS_poll, fds, 4, -1) < 1)
			_exit(3);
		for (i = 0; i < 4; i++)
			if (fds[i].revents)
				answer(fds[i].fd, fds[i].fd == PIPE_IN ? PIPE_OUT : fds[i].fd);
	}
}

static pid_t start_server(struct place *at)
{
	pid_t pid = fork();
	int copies[LOG], fd;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		for (fd = TTY; fd < LOG; fd++)
			copies[fd] = fcntl(at->theirs[fd], F_DUPFD, 100);
		syscall(SYS_close_range, 0, 99, 0);
		for (fd = PIPE_IN; fd < LOG; fd++)
			dup2(copies[fd], fd);
		for (fd = TTY; fd < PIPE_IN; fd++)
			dup2(copies[TTY], fd);
		if (open("log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644) != LOG)
			_exit(1);
		syscall(SYS_close_range, LOG + 1, ~0U, 0);
		execl("./server", "server", "--serve", NULL);
		_exit(1);
	}
	close_theirs(at);
	return wait_blocked(pid, NR64_POLL) ? pid : 0;
}

/* Is a line answered? A terminal shows what is typed as well. */
static bool talks(int to, int from, const char *word, int number)
{
	s64 limit = hang_limit();
	char text[512] = "", want[64];
	size_t len = 0;

	snprintf(want, sizeof(want), "> %s-%d", word, number);
	if (dprintf(to, "%s\n", want + 2) < 0)
		return complain("%s: %s", want, strerror(errno));
	while (!strstr(text, want) && len < sizeof(text) - 1) {
		struct pollfd ready = { .fd = from, .events = POLLIN };
		ssize_t got;

		if (monotonic_ns() > limit)
			return complain("'%s' did not come, but '%s'", want, text);
		if (poll(&ready, 1, 100) < 1)
			continue;
		got = read(from, text + len, sizeof(text) - 1 - len);
		if (got <= 0)
			return complain("'%s' did not come, but an end", want);
		len += got;
	}
	return strstr(text, want);
}

static bool all_talk(struct place *at, const char *log, const char *word)
{
	char want[128];

	snprintf(want, sizeof(want), "> %s-1\n> %s-2\n> %s-3\n> %s-4\n", word, word, word, word);
	return talks(at->master, at->master, word, 1) && talks(at->to, at->from, word, 2) &&
	       talks(at->peer, at->peer, word, 3) && talks(at->udp, at->udp, word, 4) &&
	       (file_holds(log, want) || complain("%s does not hold '%s'", log, want));
}

static bool in_directory(char *path, size_t size, const char *name)
{
	char dir[PATH_MAX / 2];

	return getcwd(dir, sizeof(dir)) && make_path(path, size, dir, name);
}

static bool save(pid_t pid, const char *external, int status, const char *word)
{
	char number[16], image[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = {
		tool_path("checkpoint"), "-f", "-o", image, "--external-fd", external, number, NULL
	};

	snprintf(number, sizeof(number), "%d", pid);
	if (!in_directory(image, sizeof(image), "image") ||
	    !in_directory(output, sizeof(output), "output"))
		return false;
	unlink("output");
	if (reap(spawn(argv, output), status << 8, "checkpoint(1)") && file_holds("output", word))
		return true;
	show_file("output");
	return false;
}

/* restart(1), with the new ones, which nobody else has then. */
static pid_t start_restart(struct place *at, const char *how)
{
	const char *const argv[] = {
		tool_path("restart"), how, "--copy-status", "-i", "image", "-l", "messages",
		"--inherit-fd", "0:20", "--inherit-fd", "3:23", "--inherit-fd", "4:24",
		"--inherit-fd", "5:25", "--inherit-fd", "6:26", "--inherit-fd", "7:27", NULL
	};
	pid_t pid = fork();
	int fd;

	if (!pid) {
		setsid();
		for (fd = TTY; fd < LOG; fd++)
			if (fd == TTY || fd >= PIPE_IN)
				dup2(at->theirs[fd], OURS + fd);
		fd = open("new-log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
		dup2(fd, OURS + LOG);
		close(fd);
		fd = open("output", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		dup2(fd, 2);
		execv(argv[0], (char *const *)argv);
		_exit(112);
	}
	close_theirs(at);
	return pid;
}

static bool comes_back(const char *how)
{
	struct place at;
	bool good;
	pid_t tool;

	if (!make_place(&at, false))
		return false;
	unlink("messages");
	tool = start_restart(&at, how);
	good = all_talk(&at, "new-log", how + 2);
	if (!good) {
		show_file("output");
		show_file("messages");
	}
	/* It ends with the input from its pipe. */
	close(at.to);
	if (!good)
		kill(tool, SIGKILL);
	good &= reap(tool, good ? ENDED << 8 : SIGKILL, "restart(1)");
	close_place(&at);
	return good;
}

static void first_stage(void)
{
	struct place at;
	bool good;
	pid_t pid;

	ksft_set_plan(5);
	/* The program must be the same after the reboot: this one comes anew. */
	good = copy_file("/proc/self/exe", "server", 0755) && make_place(&at, true);
	pid = good ? start_server(&at) : 0;
	good = pid > 0 && all_talk(&at, "log", "before") && wait_blocked(pid, NR64_POLL);
	/* What cannot be saved has to be named, and nothing else is. */
	good = good &&
	       save(pid, "9", 1, "descriptor 6 is UDP of type sockfs, which cannot be saved") &&
	       file_holds("output", "use --external-fd 6 as well") && access("image", F_OK) &&
	       access("image.partial", F_OK);
	ksft_test_result(good, "another one is named\n");
	good = good && save(pid, "6", 0, "descriptor 0 is the terminal ");
	ksft_test_result(good && all_talk(&at, "log", "after"), "in place\n");
	if (pid)
		kill_and_reap(pid);
	if (pid)
		close_place(&at);
	ksft_test_result(good && unlink("log") == 0 && comes_back("--no-pidns"), "no-pidns\n");
	ksft_test_result(good && comes_back("--pids"), "pids\n");
	ksft_test_result(good && comes_back("--pidns"), "pidns\n");
}

static void second_stage(void)
{
	ksft_set_plan(1);
	ksft_test_result(comes_back("--pidns"), "reboot\n");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "--serve"))
		be_server();
	signal(SIGPIPE, SIG_IGN);
	ksft_print_header();
	if (!have_checkpoint())
		ksft_exit_skip("this kernel has no checkpoint()\n");
	if (!strcmp(argv[1], "--stage1"))
		first_stage();
	else
		second_stage();
	ksft_finished();
}
