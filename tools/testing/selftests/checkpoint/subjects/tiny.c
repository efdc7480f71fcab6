// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest process: no C library, a handful of pages, no descriptors but
 * those that it was given. For tests that need many images, or small ones.
 *
 *	tiny pause		sleep for good
 *	tiny busy		run for good
 *	tiny nanosleep|poll|futex	block for long, then tell
 *	tiny self FILE		save itself to FILE, then tell
 *	tiny rich FILE		the same, with one of everything
 *	tiny target		wait as the other subjects do, with one of everything
 *
 * It tells by its exit status; a target tells in the page of control.h.
 */
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "../control.h"
#include "../tiny.h"

#define fallthrough	__attribute__((__fallthrough__))

static unsigned long words[512] __attribute__((aligned(4096)));
static unsigned int futex_word = 3;
static unsigned long old_euid;
static char *shared_memory;
static long nameless[2];
static int pipe_fds[2], pair[2];
static long leased;
static long fifo;
static int posix_timer;
static long event_fd, timer_fd, signal_fd, inotify_fd, outer_epoll;

/* The kernel's capability sets, both halves. */
static unsigned int permitted(void)
{
	struct {
		unsigned int version;
		int pid;
	} header = { 0x20080522, 0 };
	unsigned int data[6] = { 0 };

	my_syscall2(__NR_capget, &header, data);
	return data[1] | data[4];
}

static int tell(void)
{
	long euid;
	int index;

	for (index = 0; index < 512; index++)
		if (words[index] != index * 0x9e3779b97f4a7c15UL)
			return TINY_BROKEN;
	if (shared_memory && shared_memory[4096] != 42)
		return TINY_BROKEN;
	for (index = 0; nameless[0] && index < 2; index++) {
		char text[8] = "";

		if (my_syscall4(__NR_pread64, nameless[index], text, 8, 4096) != 5 ||
		    text[4] != 'l')
			return TINY_BROKEN;
	}
	if (shared_memory) {
		char text[8];

		if (my_syscall3(__NR_read, pipe_fds[0], text, 8) != 3 || text[2] != 'c')
			return TINY_BROKEN;
	}
	if (shared_memory) {
		char text[8];

		/* MSG_DONTWAIT, MSG_OOB */
		if (my_syscall6(__NR_recvfrom, pair[1], text, 8, 0x41, 0, 0) != 1 ||
		    my_syscall6(__NR_recvfrom, pair[1], text, 8, 0x40, 0, 0) != 3 ||
		    text[2] != 'x')
			return TINY_BROKEN;
	}
	if (fifo) {
		char text[8];

		if (my_syscall3(__NR_read, fifo, text, 8) != 4 || text[3] != 'g')
			return TINY_BROKEN;
	}
	if (leased) {
		long pid = my_syscall0(__NR_getpid);

		/* F_GETOWN, F_GETSIG, F_GETLEASE */
		if (my_syscall3(__NR_fcntl, pipe_fds[0], 9, 0) != pid ||
		    my_syscall3(__NR_fcntl, pipe_fds[0], 11, 0) != 40 ||
		    my_syscall3(__NR_fcntl, leased, 1025, 0) != 0)
			return TINY_BROKEN;
	}
	euid = my_syscall0(__NR_geteuid);
	if (old_euid && (!euid || permitted()))
		return TINY_PRIVILEGED;
	return TINY_GOOD;
}

/* The kernel's struct sigaction. */
struct action {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static void handler(int signal)
{
	(void)signal;
}

/* Files of which nothing is left but the descriptor. */
static int open_nameless(void)
{
	int index;

	nameless[0] = my_syscall2(__NR_memfd_create, "tiny", 2);
	nameless[1] = my_syscall4(__NR_openat, AT_FDCWD, "/tmp", __O_TMPFILE | O_DIRECTORY | O_RDWR,
				  0600);
	for (index = 0; index < 2; index++)
		if (my_syscall4(__NR_pwrite64, nameless[index], "small", 5, 4096) != 5)
			return 0;
	/* F_ADD_SEALS: F_SEAL_GROW */
	return !my_syscall3(__NR_fcntl, nameless[0], 1033, 4);
}

/* Of a child that is no more, and of a directory. */
static int open_gone(void)
{
	static const char name[] = "/tmp/tiny-removed";
	long pid = my_syscall0(__NR_fork), fd;

	if (!pid)
		my_syscall1(__NR_exit, 0);
	fd = my_syscall2(__NR_pidfd_open, pid, 0);
	if (fd < 0 || my_syscall4(__NR_wait4, pid, 0, 0, 0) != pid)
		return 0;
	my_syscall3(__NR_mkdirat, AT_FDCWD, name, 0700);
	fd = my_syscall4(__NR_openat, AT_FDCWD, name, O_RDONLY | O_DIRECTORY, 0);
	return fd >= 0 && !my_syscall3(__NR_unlinkat, AT_FDCWD, name, 0x200);
}

/* A name beside that of the image. */
static const char *beside(const char *path, char last)
{
	static char name[256];
	int at;

	for (at = 0; path[at] && at < 248; at++)
		name[at] = path[at];
	name[at] = last;
	name[at + 1] = '\0';
	return name;
}

/* Behind a name, with unread data. */
static int open_fifo(const char *path)
{
	const char *name = beside(path, '|');

	/* It may be there already. */
	my_syscall4(__NR_mknodat, AT_FDCWD, name, S_IFIFO | 0600, 0);
	fifo = my_syscall4(__NR_openat, AT_FDCWD, name, O_RDWR | O_NONBLOCK, 0);
	return my_syscall3(__NR_write, fifo, "defg", 4) == 4;
}

/* One lock of each kind, a lease, an owner of signals. */
static int lock(const char *path)
{
	struct {
		short type, whence;
		long start, len;
		int pid;
	} range = { 1, 0, 5, 10, 0 };
	long pid = my_syscall0(__NR_getpid);
	const char *name = beside(path, '+');

	leased = my_syscall4(__NR_openat, AT_FDCWD, name, O_RDONLY | O_CREAT, 0600);
	my_syscall2(__NR_pidfd_open, pid, 0);
	/* F_SETLK, F_OFD_SETLK, LOCK_EX, F_SETLEASE; F_SETOWN, F_SETSIG, O_ASYNC */
	if (my_syscall3(__NR_fcntl, nameless[1], 6, &range))
		return 0;
	range.start = 50;
	return !my_syscall3(__NR_fcntl, nameless[1], 37, &range) &&
	       !my_syscall2(__NR_flock, nameless[1], 2) &&
	       !my_syscall3(__NR_fcntl, leased, 1024, 0) &&
	       !my_syscall3(__NR_fcntl, pipe_fds[0], 8, pid) &&
	       !my_syscall3(__NR_fcntl, pipe_fds[0], 10, 40) &&
	       !my_syscall3(__NR_fcntl, pipe_fds[0], 4, O_NONBLOCK | 020000);
}

/* It lets everything pass. */
static int set_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	return !my_syscall5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !my_syscall3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* A byte with a descriptor: the kernel's struct msghdr and what it points to. */
static void carry(int through, int fd)
{
	struct {
		unsigned long len;
		int level, type, fd, pad;
	} rights = { 20, 1, 1, fd, 0 };
	struct {
		const char *at;
		unsigned long len;
	} vec = { "z", 1 };
	struct {
		void *name;
		int name_len;
		void *vec;
		unsigned long nr_vecs;
		void *control;
		unsigned long control_len;
		int flags;
	} message = { 0, 0, &vec, 1, &rights, sizeof(rights), 0 };

	my_syscall3(__NR_sendmsg, through, &message, 0);
}

/* At least one of each type of record. */
static int get_rich(const char *path)
{
	struct action action = { handler, 0x04000000, handler, 0xff00 };
	unsigned long blocked = 1UL << 39 | 1UL << 11, timer[4] = { 50, 0, 1000, 0 };
	unsigned long node = 1;
	int on = 1;
	struct {
		char *at;
		int flags;
		unsigned long size;
	} stack = { (char *)words, 0, 4096 };
	/* The kernel's struct epoll_event: EPOLLIN, for edges. */
	struct {
		unsigned int events;
		unsigned long data;
	} __attribute__((packed)) event = { 0x80000001, 5 };
	int info[32] = { 0 }, signal;
	long fd, pid, epoll;
	char *map;

	for (signal = 20; signal < 24; signal++)
		my_syscall4(__NR_rt_sigaction, signal, &action, 0, 8);
	my_syscall4(__NR_rt_sigprocmask, 0, &blocked, 0, 8);
	info[0] = 40;
	info[2] = -1;
	/* No call within a call: they share registers. */
	pid = my_syscall0(__NR_getpid);
	if (my_syscall3(__NR_rt_sigqueueinfo, pid, 40, info) ||
	    my_syscall4(__NR_rt_tgsigqueueinfo, pid, pid, 40, info) ||
	    my_syscall2(__NR_kill, pid, 12))
		return 0;
	my_syscall3(__NR_setitimer, 0, timer, 0);
	my_syscall3(__NR_setitimer, 2, timer, 0);
	my_syscall2(__NR_sigaltstack, &stack, 0);
	my_syscall3(__NR_timer_create, 1, 0, &posix_timer);
	my_syscall4(__NR_timer_settime, posix_timer, 0, timer, 0);

	fd = my_syscall4(__NR_openat, AT_FDCWD, "/dev/zero", O_RDONLY, 0);
	my_syscall2(__NR_dup2, fd, 9);
	/* IN_MOVE_SELF; the second one tells that it is gone. */
	inotify_fd = my_syscall1(__NR_inotify_init1, 0);
	my_syscall3(__NR_inotify_add_watch, inotify_fd, "/", 0x800);
	my_syscall3(__NR_inotify_add_watch, inotify_fd, "/dev", 0x800);
	my_syscall2(__NR_inotify_rm_watch, inotify_fd, 2);
	my_syscall4(__NR_openat, AT_FDCWD, "/", O_RDONLY, 0);
	my_syscall4(__NR_openat, AT_FDCWD, "/dev/null", O_PATH, 0);
	my_syscall4(__NR_openat, AT_FDCWD, "/proc/self/status", O_RDONLY, 0);
	/* EFD_SEMAPHORE, EFD_NONBLOCK */
	event_fd = my_syscall2(__NR_eventfd2, 5, 04001);
	timer_fd = my_syscall2(__NR_timerfd_create, 1, 0);
	my_syscall4(__NR_timerfd_settime, timer_fd, 0, timer, 0);
	signal_fd = my_syscall4(__NR_signalfd4, -1, &blocked, 8, 0);
	epoll = my_syscall1(__NR_epoll_create1, 0);
	my_syscall4(__NR_epoll_ctl, epoll, 1, signal_fd, &event);
	/* An edge is reported when the epoll is added to another one. */
	outer_epoll = my_syscall1(__NR_epoll_create1, 0);
	my_syscall4(__NR_epoll_ctl, outer_epoll, 1, epoll, &event);
	my_syscall2(__NR_pipe2, pipe_fds, O_NONBLOCK);
	my_syscall3(__NR_write, pipe_fds[1], "abc", 3);
	/* A pair of sockets, with credentials, an answer, and a byte out of band. */
	my_syscall4(__NR_socketpair, 1, 1, 0, pair);
	my_syscall5(__NR_setsockopt, pair[1], 1, 16, &on, 4);
	my_syscall3(__NR_write, pair[0], "vwx", 3);
	my_syscall6(__NR_sendto, pair[0], "y", 1, 1, 0, 0);
	carry(pair[1], pipe_fds[0]);
	/* A TCP socket over IPv4 that listens where the kernel wants. */
	my_syscall2(__NR_listen, my_syscall3(__NR_socket, 2, 1, 0), 5);
	shared_memory = (char *)my_syscall6(__NR_mmap, 0, 3 * 4096, 3, 0x21, -1, 0);
	shared_memory[4096] = 42;
	/* Policies of memory, of the task and of a part of what is shared. */
	my_syscall3(__NR_set_mempolicy, 1, &node, 64);
	my_syscall6(__NR_mbind, shared_memory, 4096, 1, &node, 64, 0);
	/* Private, locked, with advice, and two of them that are one in memory. */
	map = (char *)my_syscall6(__NR_mmap, 0, 4 * 4096, 3, 0x22, -1, 0);
	map[0] = 1;
	map[4096] = 2;
	my_syscall2(__NR_mlock, map, 4096);
	my_syscall3(__NR_madvise, map + 4096, 4096, 18);
	my_syscall3(__NR_mprotect, map + 2 * 4096, 4096, 0);
	/* Namespaces of its own, UTS and IPC, are for root. */
	if (!old_euid && (my_syscall1(__NR_unshare, 0x0c000000) ||
			  my_syscall2(__NR_sethostname, "tiny", 4) ||
			  my_syscall3(__NR_semget, 0, 2, 0600) ||
			  my_syscall2(__NR_msgget, 0, 0600) ||
			  my_syscall4(__NR_msgsnd, 0, words + 2, 3, 0)))
		return 0;
	/* Who has a filter cannot save itself without privilege. */
	return shared_memory && map[4096] == 2 && open_nameless() && open_gone() &&
	       open_fifo(path) && lock(path) && (old_euid || set_filter());
}

static int save_itself(const char *path)
{
	long fd = my_syscall4(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	long ret;

	if (fd < 0)
		return TINY_FAILED;
	ret = my_syscall4(__NR_checkpoint, 0, fd, CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE);
	if (ret > 0)
		return TINY_SAVED;
	return ret < 0 ? TINY_FAILED : tell();
}

/* What can be read only once. */
static int tell_events(void)
{
	static unsigned int info[4][32];
	unsigned long count = 0, timer[4];
	int event[4] = { 0 }, index;

	/* A semaphore gives one of the five. */
	for (index = 0; index < 5; index++)
		if (my_syscall3(__NR_read, event_fd, &count, 8) != 8 || count != 1)
			return 0;
	/* An interval of 50 seconds, and less than the thousand that it began with. */
	if (my_syscall2(__NR_timerfd_gettime, timer_fd, timer) || timer[0] != 50 ||
	    timer[2] < 1 || timer[2] > 1000)
		return 0;
	if (my_syscall2(__NR_timer_gettime, posix_timer, timer) || timer[0] != 50 ||
	    timer[2] < 1 || timer[2] > 1000)
		return 0;
	/* The one for the thread, and the two for the process. */
	if (my_syscall3(__NR_read, signal_fd, info, sizeof(info)) != 3 * 128 ||
	    info[0][0] != 40 || info[1][0] != 12 || info[2][0] != 40)
		return 0;
	/* IN_IGNORED */
	return my_syscall3(__NR_read, inotify_fd, event, sizeof(event)) == 16 && event[0] == 2 &&
	       event[1] == 0x8000;
}

/* The kernel's struct new_utsname. */
static int is_called_tiny(void)
{
	static char uts[6][65];

	return !my_syscall1(__NR_uname, uts) && uts[1][0] == 't' && uts[1][3] == 'y';
}

static int epoll_tells(void)
{
	struct {
		unsigned int events;
		unsigned long data;
	} __attribute__((packed)) event = { 0, 0 };

	return my_syscall4(__NR_epoll_wait, outer_epoll, &event, 1, 0) == 1 && event.data == 5;
}

static void say(struct control *control, unsigned int state)
{
	__atomic_store_n(&control->state, state, __ATOMIC_SEQ_CST);
	my_syscall6(__NR_futex, &control->state, 1, 1, 0, 0, 0);
}

/*
 * As subjects/subject.c has it. A wait that ends for another reason, such as a
 * want of memory that a test has made, begins again.
 */
static int wait_and_tell(void)
{
	long fd = my_syscall4(__NR_openat, AT_FDCWD, CONTROL_FILE, O_RDWR, 0), at;
	static unsigned long nonce;
	struct control *control;
	int good;

	at = my_syscall6(__NR_mmap, 0, CONTROL_SIZE, 3, 1, fd, 0);
	if (fd < 0 || (unsigned long)at > -4096UL)
		return TINY_FAILED;
	control = (struct control *)at;
	my_syscall1(__NR_close, fd);
	control->starts++;
	if (!get_rich("leased") || my_syscall3(__NR_getrandom, &nonce, 8, 0) != 8)
		return TINY_FAILED;
	control->pid = my_syscall0(__NR_getpid);
	control->nonce = nonce;
	control->blocked_in = __NR_futex;
	say(control, SUBJECT_READY);
	while (!*(volatile unsigned int *)&control->go)
		my_syscall6(__NR_futex, &control->go, 0, 0, 0, 0, 0);
	/* In this order: an epoll tells of what can be read. */
	control->failures += !epoll_tells();
	control->failures += 10 * !tell_events();
	control->failures += 1000 * (my_syscall1(__NR_prctl, PR_GET_SECCOMP) !=
				     SECCOMP_MODE_FILTER);
	control->failures += 10000 * !is_called_tiny();
	control->failures += 100 * (tell() != TINY_GOOD);
	good = !control->failures;
	control->nonce_after = nonce;
	say(control, good ? SUBJECT_PASS : SUBJECT_FAIL);
	return !good;
}

int main(int argc, char **argv)
{
	struct timespec long_time = { 1000, 0 };
	int index;

	for (index = 0; index < 512; index++)
		words[index] = index * 0x9e3779b97f4a7c15UL;
	old_euid = my_syscall0(__NR_geteuid);
	if (argc < 2)
		return TINY_FAILED;
	switch (argv[1][0]) {
	case 'b':
		for (;;)
			__asm__ volatile("" : : : "memory");
	case 'r':
		if (argc < 3 || !get_rich(argv[2]))
			return TINY_FAILED;
		fallthrough;
	case 's':
		return argc < 3 ? TINY_FAILED : save_itself(argv[2]);
	case 't':
		return wait_and_tell();
	case 'n':
		my_syscall2(__NR_nanosleep, &long_time, 0);
		break;
	case 'f':
		my_syscall6(__NR_futex, &futex_word, 128, 3, &long_time, 0, 0);
		break;
	case 'p':
		if (argv[1][1] == 'o') {
			my_syscall3(__NR_poll, 0, 0, 1000000);
			break;
		}
		for (;;)
			my_syscall0(__NR_pause);
	}
	return tell();
}
