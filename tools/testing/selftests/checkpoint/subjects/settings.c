// SPDX-License-Identifier: GPL-2.0
/* What a process has told the kernel about how it wants to be treated. */
#include "subject.h"

#include <linux/ioprio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/wait.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER		57
#define PR_GET_IO_FLUSHER		58
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE			65
#define PR_GET_MDWE			66
#define PR_MDWE_REFUSE_EXEC_GAIN	1
#endif
#ifndef PR_MDWE_NO_INHERIT
#define PR_MDWE_NO_INHERIT		2
#endif

#define NOBODY		1000
#define IOPRIO		IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6)
#define SLICE		(7 * MSEC)
#define OOM_MIN		"321"
#define OOM_LOWER	"100"

/* struct sched_attr, which the C library's headers do not go with. */
struct attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
	u32 util_min, util_max;
};

#define UTIL_MIN	0x20
#define UTIL_MAX	0x40
#define KEEP_ALL	0x18

static cpu_set_t chosen;

static void set_affinity(void)
{
	int cpu;

	need(!sched_getaffinity(0, sizeof(chosen), &chosen));
	/* Those of a test may be one already, but this is another. */
	for (cpu = sysconf(_SC_NPROCESSORS_ONLN); cpu-- > 1;)
		if (cpu != sched_getcpu())
			break;
	CPU_ZERO(&chosen);
	CPU_SET(cpu, &chosen);
	need(!sched_setaffinity(0, sizeof(chosen), &chosen));
}

static void check_affinity(void)
{
	cpu_set_t now;

	need(!sched_getaffinity(0, sizeof(now), &now));
	check(CPU_EQUAL(&now, &chosen), "%d processors, was 1", CPU_COUNT(&now));
	check(CPU_ISSET(sched_getcpu(), &chosen), "on processor %d", sched_getcpu());
}

static void set_ioprio(void)
{
	need(!syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO));
}

static void check_ioprio(void)
{
	check_equal(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), IOPRIO, "I/O priority");
}

static void set_io_flusher(void)
{
	need(!prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0));
}

static void check_io_flusher(void)
{
	check_equal(prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), 1, "I/O flusher");
}

static void set_mce_early(void)
{
	need(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
}

static void check_mce_early(void)
{
	check_equal(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_EARLY, "memory errors");
}

static void set_mce_late(void)
{
	need(!prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0));
}

static void check_mce_late(void)
{
	check_equal(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0), PR_MCE_KILL_LATE, "memory errors");
}

static void set_reset_on_fork(void)
{
	struct sched_param none = { 0 };

	need(!sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none));
}

static void check_reset_on_fork(void)
{
	check_equal(sched_getscheduler(0), SCHED_BATCH | SCHED_RESET_ON_FORK, "policy");
}

static void set_slice(void)
{
	struct attr attr = { .size = sizeof(attr), .policy = SCHED_OTHER, .runtime = SLICE };

	need(!syscall(SYS_sched_setattr, 0, &attr, 0));
}

static void check_slice(void)
{
	struct attr attr = { 0 };

	need(!syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	check_equal(attr.runtime, SLICE, "slice");
}

static void set_util(struct attr attr)
{
	attr.size = sizeof(attr);
	if (syscall(SYS_sched_setattr, 0, &attr, 0)) {
		if (errno == EOPNOTSUPP)
			subject_skip("no utilization clamps");
		need(!errno);
	}
}

static void check_util(u32 min, u32 max)
{
	struct attr attr = { 0 };

	need(!syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
	check_equal(attr.util_min, min, "least utilization");
	check_equal(attr.util_max, max, "most utilization");
}

static void set_util_both(void)
{
	struct attr attr = {
		.flags = UTIL_MIN | UTIL_MAX | KEEP_ALL, .util_min = 100, .util_max = 900,
	};

	set_util(attr);
}

/* A clamp that was set stays in another class, which sets others anew. */
static void check_util_both(void)
{
	struct attr attr = { .size = sizeof(attr), .policy = SCHED_BATCH };

	check_util(100, 900);
	need(!syscall(SYS_sched_setattr, 0, &attr, 0));
	check_util(100, 900);
}

static void set_util_min(void)
{
	set_util((struct attr){ .flags = UTIL_MIN | KEEP_ALL, .util_min = 1024 });
}

static void check_util_min(void)
{
	check_util(1024, 1024);
	/* The other one was not set: it may not be lower. */
	set_util((struct attr){ .flags = UTIL_MIN | KEEP_ALL, .util_min = -1 });
	check_util(0, 1024);
}

/* The lower clamp is that of the class: it is above the other. */
static void set_util_max_realtime(void)
{
	struct sched_param param = { .sched_priority = 5 };

	set_util((struct attr){ .flags = UTIL_MAX | KEEP_ALL, .util_max = 300 });
	need(!sched_setscheduler(0, SCHED_FIFO, &param));
	check_util(1024, 300);
}

static void check_util_max_realtime(void)
{
	struct sched_param none = { 0 };

	check_util(1024, 300);
	need(!sched_setscheduler(0, SCHED_OTHER, &none));
	check_util(0, 300);
}

static bool write_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, score, strlen(score)) == (ssize_t)strlen(score);

	if (fd >= 0)
		close(fd);
	return good;
}

static void set_oom_min(void)
{
	need(write_score(OOM_MIN));
}

/* An ordinary user may raise it, and lower it to what root had set. */
static void check_oom_min(void)
{
	need(!setresuid(NOBODY, NOBODY, NOBODY));
	need(!prctl(PR_SET_DUMPABLE, 1));
	check(write_score("500"), "cannot raise the score: %s", strerror(errno));
	check(write_score(OOM_MIN), "cannot put the score back: %s", strerror(errno));
	check(!write_score(OOM_LOWER), "the score can be lowered");
}

static void set_mdwe(void)
{
	need(!prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0));
}

static void check_denied(void)
{
	void *at = mmap(NULL, PAGE_SIZE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	check(at == MAP_FAILED && errno == EACCES, "memory can be written and executed");
}

static void check_mdwe(void)
{
	check_equal(prctl(PR_GET_MDWE, 0, 0, 0, 0), PR_MDWE_REFUSE_EXEC_GAIN, "MDWE");
	check_denied();
}

/* With memory that it would not get any more. */
static void set_mdwe_alone(void)
{
	void *at = mmap(NULL, PAGE_SIZE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	need(at != MAP_FAILED);
	*(int *)at = 1;
	need(!prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT, 0, 0, 0));
}

static void check_mdwe_alone(void)
{
	check_equal(prctl(PR_GET_MDWE, 0, 0, 0, 0),
		    PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT, "MDWE");
	check_denied();
}

static int first_key, second_key, third_key;

static void set_pkeys(void)
{
	first_key = syscall(SYS_pkey_alloc, 0, 0);
	if (first_key < 0)
		subject_skip("no protection keys");
	second_key = syscall(SYS_pkey_alloc, 0, 0);
	third_key = syscall(SYS_pkey_alloc, 0, 0);
	need(third_key > 0);
	need(!syscall(SYS_pkey_free, second_key));
}

static void check_pkeys(void)
{
	check_equal(syscall(SYS_pkey_alloc, 0, 0), second_key, "the free key");
	check(!syscall(SYS_pkey_free, first_key), "a key is lost: %s", strerror(errno));
	check(!syscall(SYS_pkey_free, third_key), "a key is lost: %s", strerror(errno));
}

/* All is undone already; and of another set there is nothing left to undo. */
static int semaphore;

static void set_undo(void)
{
	struct sembuf up = { 0, 1, SEM_UNDO }, down = { 0, -1, SEM_UNDO };
	int other = semget(IPC_PRIVATE, 1, 0600);

	semaphore = semget(IPC_PRIVATE, 3, 0600);
	need(semaphore >= 0 && other >= 0);
	need(!semop(semaphore, &up, 1) && !semop(semaphore, &down, 1));
	need(!semop(other, &up, 1) && !semctl(other, 0, IPC_RMID));
}

static void check_undo(void)
{
	struct sembuf up = { 0, 1, SEM_UNDO };

	check(!semop(semaphore, &up, 1), "semop: %s", strerror(errno));
	check(!semctl(semaphore, 0, IPC_RMID), "semctl: %s", strerror(errno));
}

static void set_no_tsc(void)
{
	need(!prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
}

/* The kernel complains of a fault that nobody handles. */
static void exit_after_fault(int signal)
{
	_exit(signal);
}

static void check_no_tsc(void)
{
	int mode = 0, status = 0;
	pid_t pid;

	need(!prctl(PR_GET_TSC, &mode));
	check_equal(mode, PR_TSC_SIGSEGV, "time stamp counter");
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, exit_after_fault);
		asm volatile("rdtsc" : : : "rax", "rdx");
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == SIGSEGV, "status %#x", status);
}

static void *tell_id(void *id)
{
	*(pid_t *)id = syscall(SYS_gettid);
	return NULL;
}

static void set_thread_gone(void)
{
	pthread_t thread;
	pid_t id;

	need(!pthread_create(&thread, NULL, tell_id, &id));
	need(!pthread_join(thread, NULL));
	/* The kernel is done with it a moment later. */
	while (!syscall(SYS_tgkill, getpid(), id, 0))
		sched_yield();
}

static const struct setting {
	const char *name;
	void (*set)(void);
	void (*look)(void);
} settings[] = {
	{ "affinity", set_affinity, check_affinity },
	{ "ioprio", set_ioprio, check_ioprio },
	{ "io-flusher", set_io_flusher, check_io_flusher },
	{ "mce-early", set_mce_early, check_mce_early },
	{ "mce-late", set_mce_late, check_mce_late },
	{ "reset-on-fork", set_reset_on_fork, check_reset_on_fork },
	{ "slice", set_slice, check_slice },
	{ "util-both", set_util_both, check_util_both },
	{ "util-min", set_util_min, check_util_min },
	{ "util-max-realtime", set_util_max_realtime, check_util_max_realtime },
	{ "oom-min", set_oom_min, check_oom_min },
	{ "mdwe", set_mdwe, check_mdwe },
	{ "mdwe-alone", set_mdwe_alone, check_mdwe_alone },
	{ "pkeys", set_pkeys, check_pkeys },
	{ "no-tsc", set_no_tsc, check_no_tsc },
	{ "undo", set_undo, check_undo },
	{ "thread-gone", set_thread_gone, set_thread_gone },
};

static const struct setting *setting;

static void setup(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(settings); index++)
		if (mode_is(settings[index].name))
			setting = &settings[index];
	need(setting);
	setting->set();
}

static void verify(void)
{
	setting->look();
}

const struct subject subject = { .setup = setup, .verify = verify };
