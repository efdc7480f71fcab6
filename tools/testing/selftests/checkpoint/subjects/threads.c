// SPDX-License-Identifier: GPL-2.0
/*
 * Threads: "blocked", each in another system call, with a name, a mask, an
 * alternate stack, thread-local memory and a pending signal of its own;
 * "blocked-user", those that need not have the ids that they had; "many",
 * hundreds that wait for one futex; "joined", all ended but not yet joined;
 * "locks", an owner of a lock, those who wait for it, and one that dies with a
 * robust one; "apart", with descriptors, a working directory and users of its
 * own; "running", in user mode.
 */
#include "subject.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MANY	300
#define SLACK	70000

/* What one thread is, and must be again. */
struct thread {
	pthread_t thread;
	unsigned int index;
	pid_t tid;
	int pipe[2];
	u32 gate;
	char stack[16384];
	const struct part *part;
	u64 count;
};

/* One way to wait; the last one takes the id that the C library knows. */
struct part {
	const char *name;
	void (*wait)(struct thread *self);
	/* In the first thread: end that wait. */
	void (*wake)(struct thread *other);
};

static struct thread threads[MANY];
static unsigned int nr_threads;
static u32 gate, nr_ready, stop;
static __thread u64 words[64];
static __thread unsigned int own_index;
static pthread_mutex_t mutex, robust;

static pid_t own_tid(void)
{
	return syscall(SYS_gettid);
}

static void futex_wait(u32 *word)
{
	while (!READ_ONCE(*word))
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void futex_open(u32 *word)
{
	WRITE_ONCE(*word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void wait_futex(struct thread *self)
{
	futex_wait(&self->gate);
}

static void wake_futex(struct thread *other)
{
	futex_open(&other->gate);
}

static void wait_read(struct thread *self)
{
	char text[8] = "";

	check_equal(read(self->pipe[0], text, sizeof(text)), 4, "bytes");
	check(!strcmp(text, "wake"), "read '%s'", text);
}

static void wait_poll(struct thread *self)
{
	struct pollfd poll_fd = { .fd = self->pipe[0], .events = POLLIN };

	check_equal(poll(&poll_fd, 1, -1), 1, "poll()");
	wait_read(self);
}

static void wait_epoll(struct thread *self)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = self->index };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	need(!epoll_ctl(fd, EPOLL_CTL_ADD, self->pipe[0], &event));
	event.data.u32 = 0;
	check_equal(epoll_wait(fd, &event, 1, -1), 1, "epoll_wait()");
	check_equal(event.data.u32, self->index, "data of the event");
	close(fd);
	wait_read(self);
}

static void wake_pipe(struct thread *other)
{
	need(write(other->pipe[1], "wake", 4) == 4);
}

static void wait_signal(struct thread *self)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	check_equal(sigwaitinfo(&set, &info), SIGUSR2, "sigwaitinfo()");
	/* The C library hides that it was sent to the thread alone. */
	check_equal(info.si_code, SI_USER, "si_code");
	(void)self;
}

static void wake_signal(struct thread *other)
{
	need(!pthread_kill(other->thread, SIGUSR2));
}

static void wait_condition(struct thread *self)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	(void)self;
}

static void wake_condition(struct thread *other)
{
	(void)other;
}

static const struct part parts[] = {
	{ "futex", wait_futex, wake_futex },
	{ "read", wait_read, wake_pipe },
	{ "poll", wait_poll, wake_pipe },
	{ "epoll", wait_epoll, wake_pipe },
	{ "signal", wait_signal, wake_signal },
};

static const struct part locker = { "lock", wait_condition, wake_condition };
static const struct part waiter = { "futex", wait_futex, wake_futex };

static void block(sigset_t *set, unsigned int index)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR2);
	sigaddset(set, SIGRTMIN + 1 + index % 8);
	sigaddset(set, SIGRTMIN + 10);
	need(!pthread_sigmask(SIG_SETMASK, set, NULL));
}

static int own_nice(const struct thread *self)
{
	return 1 + self->index % 19;
}

/* What few other threads have. */
static void become_special(struct thread *self)
{
	stack_t stack = { .ss_sp = self->stack, .ss_size = sizeof(self->stack) };
	union sigval value = { .sival_int = self->index + 1000 };
	char name[16];
	sigset_t set;

	snprintf(name, sizeof(name), "thread-%u", self->index);
	need(!prctl(PR_SET_NAME, name));
	need(!prctl(PR_SET_TIMERSLACK, SLACK + self->index));
	need(!sigaltstack(&stack, NULL));
	need(!setpriority(PRIO_PROCESS, own_tid(), own_nice(self)));
	block(&set, self->index);
	need(!pthread_sigqueue(pthread_self(), SIGRTMIN + 10, value));
	pattern_fill(words, sizeof(words), self->index);
}

static void check_pending(struct thread *self)
{
	struct timespec now = { 0, 0 };
	siginfo_t info = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 10);
	check_equal(sigtimedwait(&set, &info, &now), SIGRTMIN + 10, "its pending signal");
	check_equal(info.si_value.sival_int, self->index + 1000, "value of the signal");
	check(sigtimedwait(&set, &info, &now) < 0 && errno == EAGAIN,
	      "the signal of another thread");
}

static void check_special(struct thread *self)
{
	char want[16], name[16] = "";
	sigset_t set, now;
	stack_t stack;
	int signo;

	snprintf(want, sizeof(want), "thread-%u", self->index);
	need(!prctl(PR_GET_NAME, name));
	check(!strcmp(name, want), "thread %u is called %s", self->index, name);
	check_equal(prctl(PR_GET_TIMERSLACK), SLACK + self->index, "timer slack");
	need(!sigaltstack(NULL, &stack));
	check(stack.ss_sp == self->stack && !stack.ss_flags, "alternate stack");
	check_equal(getpriority(PRIO_PROCESS, own_tid()), own_nice(self), "nice value");
	need(!pthread_sigmask(SIG_SETMASK, NULL, &now));
	block(&set, self->index);
	for (signo = 1; signo <= SIGRTMAX; signo++)
		check(sigismember(&set, signo) == sigismember(&now, signo),
		      "thread %u: mask of signal %d", self->index, signo);
	check_pending(self);
	pattern_check(words, sizeof(words), self->index, "thread-local memory");
	check_equal(own_index, self->index, "thread-local variable");
}

static void *run(void *argument)
{
	struct thread *self = argument;

	own_index = self->index;
	self->tid = own_tid();
	if (self->part != &locker)
		become_special(self);
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	self->part->wait(self);
	if (!subject_has_new_pid())
		check_equal(own_tid(), self->tid, "thread id");
	check(pthread_self() == self->thread, "pthread_self()");
	if (self->part != &locker)
		check_special(self);
	return self;
}

static void start(const struct part *part, void *(*body)(void *))
{
	struct thread *new = &threads[nr_threads];
	pthread_attr_t small;

	new->index = nr_threads++;
	new->part = part;
	if (part && part->wake == wake_pipe)
		need(!pipe(new->pipe));
	pthread_attr_init(&small);
	need(!pthread_attr_setstacksize(&small, 64 * 1024));
	errno = pthread_create(&new->thread, &small, body, new);
	need(!errno);
}

/* Until all have told, and are where they shall be when they are saved. */
static void wait_ready(void)
{
	unsigned int index;

	while (READ_ONCE(nr_ready) < nr_threads)
		sched_yield();
	for (index = 0; index < nr_threads; index++) {
		char path[64], text[8];

		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", threads[index].tid);
		for (;;) {
			int fd = open(path, O_RDONLY | O_CLOEXEC);

			need(fd >= 0 && read(fd, text, sizeof(text)) > 0);
			close(fd);
			if (text[0] != 'r' && text[0] != '-')
				break;
			sched_yield();
		}
	}
}

static void *count(void *argument)
{
	struct thread *self = argument;
	u64 state = self->index + 1;

	own_index = self->index;
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	/* All of it in registers. */
	while (!READ_ONCE(stop)) {
		unsigned int step;

		for (step = 0; step < 1000; step++)
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		self->count++;
	}
	return (void *)state;
}

static void check_count(struct thread *other)
{
	u64 state = other->index + 1, step;
	void *result;

	need(!pthread_join(other->thread, &result));
	for (step = 0; step < other->count * 1000; step++)
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	check((u64)result == state, "thread %u has counted wrong", other->index);
}

static void *die_with_lock(void *argument)
{
	need(!pthread_mutex_lock(&robust));
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	futex_wait(&gate);
	return argument;
}

static void *live_apart(void *argument)
{
	struct thread *self = argument;
	struct stat st;
	int fd;

	need(!unshare(CLONE_FILES | CLONE_FS));
	need(!mkdir("apart", 0755) || errno == EEXIST);
	need(!chdir("apart"));
	umask(0123);
	fd = open("mine", O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(fd >= 0);
	need(dup2(fd, 77) == 77);
	need(write(77, "abc", 3) == 3);
	/* The system call is about this thread alone. */
	need(!syscall(SYS_setresuid, 1, 2, 0));
	self->tid = own_tid();
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	futex_wait(&gate);
	check_equal(lseek(77, 0, SEEK_CUR), 3, "position");
	check(!fstat(77, &st) && st.st_size == 3, "size");
	check(!stat("mine", &st), "working directory");
	check_equal(umask(0), 0123, "umask");
	check_equal(getuid(), 1, "user");
	check_equal(geteuid(), 2, "effective user");
	return argument;
}

static void *end_at_once(void *argument)
{
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	return argument;
}

static void make_mutexes(void)
{
	pthread_mutexattr_t attr;

	need(!pthread_mutexattr_init(&attr));
	need(!pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	need(!pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK));
	need(!pthread_mutex_init(&mutex, &attr));
	need(!pthread_mutexattr_init(&attr));
	need(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	need(!pthread_mutex_init(&robust, &attr));
}

static void setup(void)
{
	unsigned int index;
	struct stat st;

	if (mode_is("blocked")) {
		for (index = 0; index < 2 * ARRAY_SIZE(parts); index++)
			start(&parts[index % ARRAY_SIZE(parts)], run);
	} else if (mode_is("blocked-user")) {
		for (index = 0; index < ARRAY_SIZE(parts) - 1; index++)
			start(&parts[index], run);
	} else if (mode_is("many")) {
		for (index = 0; index < MANY; index++)
			start(&waiter, run);
	} else if (mode_is("joined")) {
		for (index = 0; index < 5; index++)
			start(NULL, end_at_once);
		/* One link for each, and two as every directory has. */
		do {
			sched_yield();
			need(!stat("/proc/self/task", &st));
		} while (st.st_nlink != 3);
		return;
	} else if (mode_is("running")) {
		for (index = 0; index < 3; index++)
			start(NULL, count);
		while (READ_ONCE(nr_ready) < nr_threads)
			sched_yield();
		return;
	} else if (mode_is("locks")) {
		make_mutexes();
		need(!pthread_mutex_lock(&mutex));
		for (index = 0; index < 3; index++)
			start(&locker, run);
		threads[nr_threads].tid = own_tid();
		start(NULL, die_with_lock);
	} else if (mode_is("apart")) {
		start(NULL, live_apart);
	} else {
		subject_die("no mode '%s'", subject_arg);
	}
	wait_ready();
}

static void hold(void)
{
	if (mode_is("running"))
		subject_spin();
	else
		subject_wait();
}

static void verify_locks(void)
{
	check_equal(pthread_mutex_unlock(&mutex), 0, "unlocking what it holds");
	futex_open(&gate);
	check_equal(pthread_join(threads[nr_threads - 1].thread, NULL), 0, "join");
	check_equal(pthread_mutex_lock(&robust), EOWNERDEAD, "lock of a dead owner");
	nr_threads--;
}

static void verify(void)
{
	unsigned int index;
	void *result;

	WRITE_ONCE(stop, 1);
	if (mode_is("locks"))
		verify_locks();
	futex_open(&gate);
	for (index = 0; index < nr_threads; index++) {
		struct thread *other = &threads[index];

		if (mode_is("running")) {
			check_count(other);
			continue;
		}
		if (other->part)
			other->part->wake(other);
		need(!pthread_join(other->thread, &result));
		check(result == other, "result of thread %u", index);
	}
	if (mode_is("apart")) {
		struct stat st;

		check(fcntl(77, F_GETFD) < 0 && errno == EBADF, "a descriptor of another thread");
		check(!stat("apart/mine", &st), "working directory");
		check_equal(getuid(), 0, "user");
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
