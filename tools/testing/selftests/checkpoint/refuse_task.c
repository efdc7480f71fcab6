// SPDX-License-Identifier: GPL-2.0
/* State of tasks that a checkpoint must refuse. */
#include "refuse.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/io.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE		67
#endif
#ifndef ARCH_REQ_XCOMP_PERM
#define ARCH_REQ_XCOMP_PERM		0x1023
#endif
#define XFEATURE_XTILEDATA		18
#ifndef SECCOMP_SET_MODE_FILTER
#define SECCOMP_SET_MODE_FILTER		1
#endif

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* The sharer becomes the child of somebody else, and dies with that. */
static bool start_sharer(unsigned long flags)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct clone_args args = {
		.flags = flags | CLONE_PARENT,
		.stack = flags & CLONE_VM ? (uintptr_t)stack : 0,
		.stack_size = flags & CLONE_VM ? sizeof(stack) : 0,
	};
	long pid;

	if (!(flags & CLONE_VM)) {
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			idle(NULL);
		}
		return pid > 0;
	}
	/* With a stack of its own it cannot return from the call here. */
	asm volatile("syscall\n"
		     "test %%rax, %%rax\n"
		     "jnz 1f\n"
		     "2: mov $34, %%eax\n"
		     "syscall\n"
		     "jmp 2b\n"
		     "1:"
		     : "=a"(pid)
		     : "a"(SYS_clone3), "D"(&args), "S"(sizeof(args))
		     : "rcx", "r11", "memory");
	return pid > 0;
}

static bool share_files(void)
{
	return start_sharer(CLONE_FILES);
}

static void *idle_apart(void *unshared)
{
	sem_t *semaphore = unshared;

	if (unshare(CLONE_FILES))
		return NULL;
	sem_post(semaphore);
	return idle(NULL);
}

/* Its table has as many users as the process has threads, but they are others. */
static bool share_files_with_thread_apart(void)
{
	static sem_t unshared;
	pthread_t thread;

	return !sem_init(&unshared, 0, 0) &&
	       !pthread_create(&thread, NULL, idle_apart, &unshared) &&
	       !sem_wait(&unshared) && share_files();
}

static bool share_fs(void)
{
	return start_sharer(CLONE_FS);
}

static bool share_memory(void)
{
	return start_sharer(CLONE_VM);
}

static bool share_handlers(void)
{
	return start_sharer(CLONE_VM | CLONE_SIGHAND);
}

/* The listener is another process: its descriptor is refused for what it is. */
static bool set_filter_with_listener(void)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, allow };
	int fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return false;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		     &program);
	return fd >= 0 && start_sharer(0) && !close(fd);
}

/* Of the test, which is not saved. */
static bool make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	clockid_t clock;
	timer_t timer;

	return !clock_getcpuclockid(getppid(), &clock) && !timer_create(clock, &event, &timer);
}

static bool make_sem_undo(void)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf up = { 1, 1, SEM_UNDO };

	/* The set stays when the process ends: the list would go with it. */
	return id >= 0 && !semop(id, &up, 1);
}

static bool share_undo(void)
{
	return start_sharer(CLONE_SYSVSEM);
}

static bool restrict_speculation(void)
{
	return !prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0);
}

static bool permit_amx(void)
{
	return !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
}

static bool create_shm(void)
{
	return shmget(0x636b7074, 4096, IPC_CREAT | 0600) >= 0;
}

static bool be_traced(void)
{
	return !ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* A tracer that is a child of the test, not of this process. */
static bool trace_another(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		idle(NULL);
	}
	return pid > 0 && !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static bool set_deadline(void)
{
	/* struct sched_attr, which the C library's headers do not go with. */
	struct {
		u32 size, policy;
		u64 flags;
		s32 nice;
		u32 priority;
		u64 runtime, deadline, period;
	} attr = {
		.size = sizeof(attr), .policy = SCHED_DEADLINE,
		.runtime = 1000000, .deadline = 100000000, .period = 100000000,
	};

	return !syscall(SYS_sched_setattr, 0, &attr, 0);
}

static bool unshare_mounts(void)
{
	return !unshare(CLONE_NEWNS);
}

static bool unshare_network(void)
{
	return !unshare(CLONE_NEWNET);
}

/* More than semop(2) can name. */
static bool have_semaphores(void)
{
	int fd;

	if (unshare(CLONE_NEWIPC))
		return false;
	fd = open("/proc/sys/kernel/sem", O_WRONLY);
	return write(fd, "70000 100000 32 32", 18) == 18 && !close(fd) &&
	       semget(IPC_PRIVATE, 65537, 0600) >= 0;
}

static bool have_long_message(void)
{
	static const struct {
		long type;
		char text[(1 << 20) + 1];
	} message = { 1 };
	int index;

	if (unshare(CLONE_NEWIPC))
		return false;
	for (index = 0; index < 2; index++) {
		int fd = open(index ? "/proc/sys/kernel/msgmnb" : "/proc/sys/kernel/msgmax",
			      O_WRONLY);

		if (write(fd, "2000000", 7) != 7 || close(fd))
			return false;
	}
	return !msgsnd(msgget(IPC_PRIVATE, 0600), &message, sizeof(message.text), IPC_NOWAIT);
}

/* Its creator has gone: nobody who is saved would be refused for it. */
static bool have_segment(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWIPC))
		return false;
	pid = fork();
	if (!pid)
		_exit(shmget(IPC_PRIVATE, 4096, 0600) < 0);
	return waitpid(pid, NULL, 0) == pid;
}

static bool have_posix_queue(void)
{
	int queue;

	if (unshare(CLONE_NEWIPC))
		return false;
	queue = syscall(SYS_mq_open, "queue", O_RDWR | O_CREAT, 0600, NULL);
	return queue >= 0 && !close(queue);
}

static bool unshare_cgroup(void)
{
	return !unshare(CLONE_NEWCGROUP);
}

/* Takes effect for children only, and so must be refused, too. */
static bool unshare_pids(void)
{
	return !unshare(CLONE_NEWUSER | CLONE_NEWPID);
}

/* Whoever has mounted it is gone, and so is the mount: the entries stay. */
static bool have_binfmt_misc(void)
{
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWUSER))
		return false;
	pid = fork();
	if (!pid)
		_exit(unshare(CLONE_NEWNS) ||
		      mount("binfmt_misc", "/tmp", "binfmt_misc", 0, NULL));
	return waitpid(pid, &status, 0) == pid && !status;
}

static bool unshare_time(void)
{
	return !unshare(CLONE_NEWTIME);
}

static bool set_tls_segment(void)
{
	struct user_desc desc = {
		.entry_number = 12, .base_addr = 0x12345000, .limit = 0xabcd,
		.seg_32bit = 1, .limit_in_pages = 1, .useable = 1,
	};

	return !syscall(SYS_set_thread_area, &desc);
}

static bool set_ldt(void)
{
	struct user_desc desc = {
		.entry_number = 3, .base_addr = 0x1000, .limit = 0xfff, .seg_32bit = 1,
	};

	return !syscall(SYS_modify_ldt, 1, &desc, sizeof(desc));
}

static bool set_gs_selector(void)
{
	asm volatile("mov %0, %%gs" : : "r"(0x2b));
	return true;
}

static bool set_ports(void)
{
	return !ioperm(0x80, 1, 1);
}

static bool set_iopl(void)
{
	return !iopl(3);
}

static bool forbid_cpuid(void)
{
	return !syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
}

static bool dispatch_calls(void)
{
	static char selector;

	return !prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
}

/* There is one only where a core has several threads. */
static bool have_cookie(void)
{
	return !prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD, 0);
}

static bool merge_memory(void)
{
	return !prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
}

/* A mapping that the kernel has made, by its name. */
static bool unmap(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start = 0, end = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, name))
			sscanf(line, "%lx-%lx", &start, &end);
	if (maps)
		fclose(maps);
	return end > start && !munmap((void *)start, end - start);
}

static bool unmap_vdso(void)
{
	return unmap("[vdso]");
}

static bool unmap_vdso_data(void)
{
	return unmap("[vvar]");
}

static bool restrict_files(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK };
	int fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	bool good = fd >= 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
		    !syscall(SYS_landlock_restrict_self, fd, 0);

	close(fd);
	return good;
}

static bool nothing(void)
{
	return true;
}

static bool seize(pid_t pid)
{
	return !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
}

static bool seize_and_stop(pid_t pid)
{
	int status;

	return seize(pid) && !ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	       waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

const struct refusal task_refusals[] = {
	{ "shared-files", share_files, EBUSY, "descriptor table" },
	{ "shared-files-thread", share_files_with_thread_apart, EBUSY, "descriptor table" },
	{ "shared-fs", share_fs, EBUSY, "working directory" },
	{ "shared-memory", share_memory, EBUSY, "memory" },
	{ "shared-handlers", share_handlers, EBUSY, "signal handlers" },
	{ "seccomp-listener-outside", set_filter_with_listener, EOPNOTSUPP,
	  "one of its seccomp filters has a listener" },
	{ "posix-timer", make_timer, EBUSY, "runs on the clock of process" },
	{ "sem-undo", make_sem_undo, EOPNOTSUPP, "semaphore" },
	{ "shared-undo", share_undo, EBUSY, "semaphore" },
	{ "shm-created", create_shm, EOPNOTSUPP, "shared memory" },
	{ "traced", be_traced, EBUSY, "traced" },
	{ "tracer", trace_another, EBUSY, "traced" },
	{ "deadline", set_deadline, EOPNOTSUPP, "SCHED_DEADLINE" },
	{ "mount-namespace", unshare_mounts, EPERM, "mount namespace" },
	{ "network-namespace", unshare_network, EPERM, "network namespace" },
	{ "ipc-semaphores", have_semaphores, EOPNOTSUPP, "a set of 65537 SysV semaphores" },
	{ "ipc-message", have_long_message, EOPNOTSUPP, "a SysV message of 1048577 bytes" },
	{ "ipc-segment", have_segment, EOPNOTSUPP,
	  "its IPC namespace has 1 shared memory segments and 0 POSIX message queues" },
	{ "ipc-posix-queue", have_posix_queue, EOPNOTSUPP,
	  "0 shared memory segments and 1 POSIX message queues" },
	{ "cgroup-namespace", unshare_cgroup, EPERM, "cgroup namespace" },
	{ "pid-namespace", unshare_pids, EPERM,
	  "its pid namespace belongs to another user namespace" },
	{ "binfmt-misc", have_binfmt_misc, EOPNOTSUPP,
	  "its user namespace has a binfmt_misc of its own" },
	{ "time-namespace", unshare_time, EPERM, "time namespace" },
	{ "tls-segment", set_tls_segment, EOPNOTSUPP, "TLS segments" },
	{ "ldt", set_ldt, EOPNOTSUPP, "LDT" },
	{ "gs-selector", set_gs_selector, EOPNOTSUPP, "segment" },
	{ "ioperm", set_ports, EBUSY, "ports" },
	{ "iopl", set_iopl, EBUSY, "ports" },
	{ "no-cpuid", forbid_cpuid, EOPNOTSUPP, "CPUID" },
	{ "syscall-dispatch", dispatch_calls, EOPNOTSUPP, "dispatched" },
	{ "core-cookie", have_cookie, EOPNOTSUPP, "it has a core scheduling cookie" },
	{ "memory-merge", merge_memory, EOPNOTSUPP, "MEMORY_MERGE" },
	{ "speculation", restrict_speculation, EOPNOTSUPP, "SPECULATION" },
	{ "amx-permission", permit_amx, EOPNOTSUPP, "AMX" },
	{ "vdso-data-alone", unmap_vdso, EOPNOTSUPP, "unusual form" },
	{ "vdso-without-data", unmap_vdso_data, EOPNOTSUPP, "unusual form" },
	{ "landlock", restrict_files, EOPNOTSUPP, "Landlock" },
	{ "seized", nothing, EBUSY, "traced", seize },
	{ "trapped", nothing, EBUSY, "traced", seize_and_stop },
};

const size_t nr_task_refusals = sizeof(task_refusals) / sizeof(*task_refusals);
