// SPDX-License-Identifier: GPL-2.0
/*
 * seccomp(2): "one" filter; "privileged", without no_new_privs; "chain", three
 * of them, one as long as can be; "deep", many; "actions", each that a filter can
 * ask for;
 * "threads", with filters of their own and one in common; "synced", to which the
 * first has given its filter; "family", processes that have inherited filters;
 * "strict", a thread in strict mode; "interrupted", a thread whose filter does
 * not let its system call be resumed.
 */
#include "subject.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>

#define LONGEST	BPF_MAXINSNS
/* What a call for each of them would need is several kernel stacks. */
#define DEEP	600
/* An error that no system call here has for another reason. */
#define ERROR(n)	(SECCOMP_RET_ERRNO | (n))

#define LOAD(member)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
				 offsetof(struct seccomp_data, member))
#define IS(value)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)
#define RETURN(action)	BPF_STMT(BPF_RET | BPF_K, (action))

/* A system call that another thread or process shall try; negative: end. */
struct question {
	long number;
	long argument;
};

/* A thread or process that does as it is told. */
struct worker {
	pthread_t thread;
	void (*confine)(void);
	int ask[2];
	int answer[2];
};

static struct worker workers[3];

static long install(unsigned int flags, struct sock_filter *code, size_t len)
{
	struct sock_fprog program = { len, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* A filter with one opinion about one system call. */
static long add_filter(unsigned int flags, long number, u32 action)
{
	struct sock_filter code[] = {
		LOAD(nr), IS(number), RETURN(action), RETURN(SECCOMP_RET_ALLOW),
	};

	return install(flags, code, ARRAY_SIZE(code));
}

/* The same, but one argument decides. */
static long add_filter_of_argument(long number, u32 argument, u32 action)
{
	struct sock_filter code[] = {
		LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		LOAD(args[0]), IS(argument), RETURN(action),
		RETURN(SECCOMP_RET_ALLOW),
	};

	return install(0, code, ARRAY_SIZE(code));
}

/* The same, but it takes as many instructions as a filter may have. */
static long add_long_filter(unsigned int flags, long number, u32 action)
{
	static struct sock_filter code[LONGEST];
	const struct sock_filter end[] = {
		LOAD(nr), IS(number), RETURN(action), RETURN(SECCOMP_RET_ALLOW),
	};
	size_t index;

	for (index = 0; index < LONGEST - ARRAY_SIZE(end); index++)
		code[index] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, index);
	memcpy(code + index, end, sizeof(end));
	return install(flags, code, LONGEST);
}

static void give_up_privileges(void)
{
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/* 0, or the error of a system call. */
static int try(long number, long argument)
{
	char room[1024];

	return syscall(number, argument ?: (long)room) < 0 ? errno : 0;
}

static int nr_filters(void)
{
	static const char key[] = "Seccomp_filters:";
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	char text[4096] = "", *line;

	need(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	line = strstr(text, key);
	return line ? atoi(line + strlen(key)) : -1;
}

static void serve(struct worker *self)
{
	pid_t id = syscall(SYS_gettid);
	struct question question;

	need(write(self->answer[1], &id, sizeof(id)) == sizeof(id));
	if (self->confine)
		self->confine();
	while (read(self->ask[0], &question, sizeof(question)) == sizeof(question)) {
		int answer;

		if (question.number < 0)
			break;
		answer = try(question.number, question.argument);
		need(write(self->answer[1], &answer, sizeof(answer)) == sizeof(answer));
	}
}

static void tell(struct worker *worker, long number, long argument)
{
	struct question question = { number, argument };

	need(write(worker->ask[1], &question, sizeof(question)) == sizeof(question));
}

static int hear(struct worker *worker)
{
	int answer;

	need(read(worker->answer[0], &answer, sizeof(answer)) == sizeof(answer));
	return answer;
}

static int ask(struct worker *worker, long number)
{
	tell(worker, number, 0);
	return hear(worker);
}

/* Until it waits in a system call; its id is the first thing that it tells. */
static pid_t wait_until_in(struct worker *worker, long number)
{
	pid_t id = hear(worker);
	char path[64], text[8];

	snprintf(path, sizeof(path), "/proc/%d/syscall", id);
	do {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, text, sizeof(text) - 1);

		need(fd >= 0 && got > 0);
		close(fd);
		text[got] = '\0';
		sched_yield();
	} while (text[0] < '0' || text[0] > '9' || atoi(text) != number);
	return id;
}

static void *run(void *argument)
{
	serve(argument);
	return argument;
}

static void start_thread(struct worker *new, void (*confine)(void))
{
	new->confine = confine;
	need(!pipe(new->ask) && !pipe(new->answer));
	errno = pthread_create(&new->thread, NULL, run, new);
	need(!errno);
}

static void end_thread(struct worker *worker)
{
	void *result;

	tell(worker, -1, 0);
	need(!pthread_join(worker->thread, &result));
	check(result == worker, "result of a thread");
}

static void setup_one(void)
{
	give_up_privileges();
	need(!add_filter_of_argument(SYS_getsid, 12345, ERROR(33)));
}

static void verify_one(void)
{
	check_equal(try(SYS_getsid, 12345), 33, "error of what is forbidden");
	check_equal(try(SYS_getsid, getpid()), 0, "error of what is not");
	check_equal(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER, "mode");
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) && errno == EINVAL,
	      "another mode was set");
}

static void setup_privileged(void)
{
	need(!add_filter_of_argument(SYS_getsid, 12345, ERROR(33)));
}

static void setup_chain(void)
{
	give_up_privileges();
	need(!add_filter(0, SYS_getppid, ERROR(40)));
	need(!add_long_filter(SECCOMP_FILTER_FLAG_LOG, SYS_sysinfo, ERROR(41)));
	need(!add_filter(SECCOMP_FILTER_FLAG_SPEC_ALLOW, SYS_getppid, ERROR(42)));
}

static void verify_chain(void)
{
	check_equal(try(SYS_getppid, 0), 42, "error by the newest of two filters");
	check_equal(try(SYS_sysinfo, 0), 41, "error by a long filter");
	check_equal(try(SYS_uname, 0), 0, "error of what all filters let pass");
	/* Against what was let pass without asking. */
	need(!add_filter(0, SYS_uname, ERROR(43)));
	check_equal(try(SYS_uname, 0), 43, "error by a filter that was added");
	check_equal(nr_filters(), 4, "filters");
}

static void setup_deep(void)
{
	unsigned int index;

	give_up_privileges();
	for (index = 0; index < DEEP; index++)
		need(!add_filter_of_argument(SYS_getsid, index + 10000, ERROR(33)));
}

static void verify_deep(void)
{
	check_equal(try(SYS_getsid, 10000), 33, "error by the oldest");
	check_equal(try(SYS_getsid, 10000 + DEEP - 1), 33, "error by the newest");
	check_equal(try(SYS_getsid, getpid()), 0, "error of what is not forbidden");
	check_equal(nr_filters(), DEEP, "filters");
}

static siginfo_t trapped;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	trapped = *info;
}

static void setup_actions(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	need(!sigaction(SIGSYS, &action, NULL));
	give_up_privileges();
	need(!add_filter(0, SYS_getppid, SECCOMP_RET_TRAP | 77));
	need(!add_filter(0, SYS_sysinfo, SECCOMP_RET_TRACE | 1));
	need(!add_filter(0, SYS_times, SECCOMP_RET_USER_NOTIF));
	need(!add_filter(SECCOMP_FILTER_FLAG_LOG, SYS_uname, SECCOMP_RET_LOG));
	need(!add_filter(0, SYS_sched_rr_get_interval, SECCOMP_RET_KILL_THREAD));
	need(!add_filter(0, SYS_sched_getparam, SECCOMP_RET_KILL_PROCESS));
	start_thread(&workers[0], NULL);
	wait_until_in(&workers[0], SYS_read);
}

static void verify_actions(void)
{
	int status = 0;
	pid_t pid;

	syscall(SYS_getppid);
	check_equal(trapped.si_code, 1 /* SYS_SECCOMP */, "code of the signal");
	check_equal(trapped.si_errno, 77, "data of the filter");
	check_equal(trapped.si_syscall, SYS_getppid, "number of the system call");
	check_equal(trapped.si_arch, AUDIT_ARCH_X86_64, "its architecture");
	check_equal(try(SYS_sysinfo, 0), ENOSYS, "error without a tracer");
	check_equal(try(SYS_times, 0), ENOSYS, "error without a listener");
	check_equal(try(SYS_uname, 0), 0, "error of what is logged");

	tell(&workers[0], SYS_sched_rr_get_interval, 0);
	need(!pthread_join(workers[0].thread, NULL));
	pid = fork();
	if (!pid) {
		syscall(SYS_sched_getparam, 0, NULL);
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %#x", status);
}

static void forbid_sysinfo(void)
{
	need(!add_filter(0, SYS_sysinfo, ERROR(51)));
}

static void forbid_uname(void)
{
	need(!add_filter(0, SYS_uname, ERROR(52)));
}

static void setup_threads(void)
{
	unsigned int index;

	give_up_privileges();
	need(!add_filter(0, SYS_getppid, ERROR(50)));
	start_thread(&workers[0], NULL);
	start_thread(&workers[1], forbid_sysinfo);
	start_thread(&workers[2], forbid_uname);
	for (index = 0; index < 3; index++)
		wait_until_in(&workers[index], SYS_read);
}

static void verify_threads(void)
{
	unsigned int index;

	for (index = 0; index < 3; index++) {
		struct worker *worker = &workers[index];

		check_equal(ask(worker, SYS_getppid), 50, "error by what all have");
		check_equal(ask(worker, SYS_sysinfo), index == 1 ? 51 : 0, "sysinfo()");
		check_equal(ask(worker, SYS_uname), index == 2 ? 52 : 0, "uname()");
	}
	/* The filter of one is no ancestor of the others' ones. */
	check(add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_times, ERROR(53)) > 0,
	      "a thread has lost its own filter");
	end_thread(&workers[1]);
	end_thread(&workers[2]);
	/* But what the other two have is one and the same. */
	check_equal(add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_times, ERROR(53)), 0,
		    "synchronizing");
	check_equal(ask(&workers[0], SYS_times), 53, "error in another thread");
	end_thread(&workers[0]);
}

static void setup_synced(void)
{
	start_thread(&workers[0], NULL);
	start_thread(&workers[1], NULL);
	wait_until_in(&workers[0], SYS_read);
	wait_until_in(&workers[1], SYS_read);
	give_up_privileges();
	need(!add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_getppid, ERROR(60)));
	need(!add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_sysinfo, ERROR(61)));
}

static void verify_synced(void)
{
	unsigned int index;

	for (index = 0; index < 2; index++) {
		check_equal(ask(&workers[index], SYS_getppid), 60, "error by the first");
		check_equal(ask(&workers[index], SYS_sysinfo), 61, "error by the second");
	}
	check_equal(add_filter(SECCOMP_FILTER_FLAG_TSYNC, SYS_times, ERROR(62)), 0,
		    "synchronizing");
	for (index = 0; index < 2; index++) {
		check_equal(ask(&workers[index], SYS_times), 62, "error by the third");
		end_thread(&workers[index]);
	}
}

/* The next generation is born under the filters of this one. */
static void have_child(struct worker *child, unsigned int generations)
{
	pid_t pid;

	need(!pipe(child->ask) && !pipe(child->answer));
	if (generations > 1)
		need(!pipe(child[1].ask) && !pipe(child[1].answer));
	pid = fork();
	need(pid >= 0);
	if (pid)
		return;
	if (generations > 1) {
		forbid_sysinfo();
		pid = fork();
		need(pid >= 0);
		if (!pid) {
			forbid_uname();
			serve(child + 1);
			_exit(0);
		}
	}
	serve(child);
	if (generations > 1)
		need(wait(NULL) > 0);
	_exit(0);
}

static void setup_family(void)
{
	unsigned int index;

	give_up_privileges();
	need(!add_filter(0, SYS_getppid, ERROR(50)));
	have_child(&workers[0], 1);
	have_child(&workers[1], 2);
	for (index = 0; index < 3; index++)
		wait_until_in(&workers[index], SYS_read);
}

static void verify_family(void)
{
	unsigned int index;

	check_equal(try(SYS_getppid, 0), 50, "error");
	check_equal(try(SYS_sysinfo, 0), 0, "error of what only children may not");
	for (index = 0; index < 3; index++) {
		struct worker *worker = &workers[index];

		check_equal(ask(worker, SYS_getppid), 50, "error by what all have");
		check_equal(ask(worker, SYS_sysinfo), index ? 51 : 0, "sysinfo()");
		check_equal(ask(worker, SYS_uname), index == 2 ? 52 : 0, "uname()");
	}
	tell(&workers[2], -1, 0);
	tell(&workers[1], -1, 0);
	tell(&workers[0], -1, 0);
	need(wait(NULL) > 0 && wait(NULL) > 0);
}

static u32 nr_faults;

/* RDTSC, two bytes, is left out. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)signal;
	(void)info;
	nr_faults++;
	at->uc_mcontext.gregs[REG_RIP] += 2;
}

static void read_time_stamp(void)
{
	asm volatile("rdtsc" : : : "rax", "rdx");
}

/* With the four system calls that it has. */
static void *live_strictly(void *argument)
{
	struct worker *self = argument;
	pid_t id = syscall(SYS_gettid);
	struct question question;

	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	syscall(SYS_write, self->answer[1], &id, sizeof(id));
	while (syscall(SYS_read, self->ask[0], &question, sizeof(question)) > 0) {
		read_time_stamp();
		id = nr_faults;
		syscall(SYS_write, self->answer[1], &id, sizeof(id));
		if (question.number)
			syscall(question.number);
	}
	syscall(SYS_exit, 0);
	return NULL;
}

static void setup_strict(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	unsigned int index;

	need(!sigaction(SIGSEGV, &action, NULL));
	for (index = 0; index < 2; index++) {
		struct worker *new = &workers[index];

		need(!pipe(new->ask) && !pipe(new->answer));
		errno = pthread_create(&new->thread, NULL, live_strictly, new);
		need(!errno);
		wait_until_in(new, SYS_read);
	}
}

static void verify_strict(void)
{
	check_equal(prctl(PR_GET_SECCOMP), SECCOMP_MODE_DISABLED, "mode");
	read_time_stamp();
	check_equal(nr_faults, 0, "faults of the first thread");
	check_equal(ask(&workers[0], 0), 1, "faults");
	check_equal(ask(&workers[0], 0), 2, "faults");
	/* One ends as it may; what the other does is its end. */
	check_equal(ask(&workers[0], SYS_exit), 3, "faults");
	need(!pthread_join(workers[0].thread, NULL));
	check_equal(ask(&workers[1], SYS_getppid), 4, "faults");
	need(!pthread_join(workers[1].thread, NULL));
}

/* As after any signal, such as SIGSTOP, that no handler takes. */
static void sleep_long(void)
{
	struct timespec time = { 1000, 0 };

	need(!add_filter(0, SYS_restart_syscall, ERROR(70)));
	check(nanosleep(&time, NULL) < 0 && errno == 70, "nanosleep(): %s",
	      strerror(errno));
}

static void setup_interrupted(void)
{
	give_up_privileges();
	start_thread(&workers[0], sleep_long);
	wait_until_in(&workers[0], SYS_clock_nanosleep);
}

static void verify_interrupted(void)
{
	check_equal(ask(&workers[0], SYS_uname), 0, "uname()");
	end_thread(&workers[0]);
}

static const struct subject_mode modes[] = {
	{ "one", setup_one, verify_one },
	{ "privileged", setup_privileged, verify_one },
	{ "chain", setup_chain, verify_chain },
	{ "deep", setup_deep, verify_deep },
	{ "actions", setup_actions, verify_actions },
	{ "threads", setup_threads, verify_threads },
	{ "synced", setup_synced, verify_synced },
	{ "family", setup_family, verify_family },
	{ "strict", setup_strict, verify_strict },
	{ "interrupted", setup_interrupted, verify_interrupted },
	{ }
};

const struct subject subject = { .modes = modes };
