/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image: tasks, their credentials and signals.
 *
 * Part of <linux/checkpoint_image.h>, which has the rules for all records.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_TASKS_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_TASKS_H

#include <linux/checkpoint_image.h>

/* struct ckpt_hdr_pids.flags */
#define CKPT_PIDS_DEAD		0x1	/* it has exited, nobody has waited */
#define CKPT_PIDS_SUBREAPER	0x2	/* PR_SET_CHILD_SUBREAPER */
#define CKPT_PIDS_ALL		0x3

/**
 * struct ckpt_hdr_pids - ids of one task
 *
 * As the innermost pid namespace of the first task sees them; 0 for one
 * outside that namespace. A process comes after its parent, and its threads
 * follow it.
 *
 * @h: type and length
 * @pid: thread id
 * @tgid: thread group
 * @ppid: parent
 * @pgid: process group
 * @sid: session
 * @depth: levels of that namespace below the one of the checkpoint() caller
 * @flags: CKPT_PIDS_*
 * @pid_ns: innermost pid namespace of the task; 0: that of the first one
 */
struct ckpt_hdr_pids {
	struct ckpt_hdr h;
	__u32 pid;
	__u32 tgid;
	__u32 ppid;
	__u32 pgid;
	__u32 sid;
	__u32 depth;
	__u32 flags;
	__u32 pid_ns;
};

/**
 * struct ckpt_hdr_nested_pid - id in a pid namespace below that of the first task
 *
 * One for each such namespace that a task is in, the outermost first; and those of
 * process groups and sessions whose leaders are gone.
 *
 * @h: type and length
 * @pid: the id in the pid namespace of the first task
 * @pid_ns: pid namespace
 * @nested_pid: the id there; 1: its init
 * @reserved: 0
 */
struct ckpt_hdr_nested_pid {
	struct ckpt_hdr h;
	__u32 pid;
	__u32 pid_ns;
	__u32 nested_pid;
	__u32 reserved;
};

/* struct ckpt_hdr_task.flags */
#define CKPT_TASK_NO_NEW_PRIVS	0x01
#define CKPT_TASK_IO_FLUSHER	0x02	/* PR_SET_IO_FLUSHER */
#define CKPT_TASK_MCE_PROCESS	0x04	/* PR_MCE_KILL_SET */
#define CKPT_TASK_MCE_EARLY	0x08	/* and PR_MCE_KILL_EARLY */
#define CKPT_TASK_RESET_ON_FORK	0x10	/* SCHED_FLAG_RESET_ON_FORK */
#define CKPT_TASK_NO_TSC	0x20	/* PR_SET_TSC with PR_TSC_SIGSEGV */
#define CKPT_TASK_SECCOMP_STRICT 0x40	/* SECCOMP_SET_MODE_STRICT */
#define CKPT_TASK_UTIL_MIN	0x80	/* SCHED_FLAG_UTIL_CLAMP_MIN */
#define CKPT_TASK_UTIL_MAX	0x100	/* SCHED_FLAG_UTIL_CLAMP_MAX */
#define CKPT_TASK_MEMPOLICY	0x200	/* set_mempolicy(2): it follows */
#define CKPT_TASK_ALL		0x3ff

/**
 * struct ckpt_hdr_task - what belongs to the task alone
 *
 * Followed by a buffer with the processors that the task has chosen, see
 * sched_setaffinity(2): __u64 words, bit 0 of the first is processor 0. It is
 * empty if the task has not chosen. Then struct ckpt_hdr_mempolicy if there is
 * CKPT_TASK_MEMPOLICY.
 *
 * @h: type and length
 * @flags: CKPT_TASK_*
 * @exit_signal: signal that the parent gets when the task ends
 * @personality: execution domain, see personality(2)
 * @nice: -20 to 19
 * @sched_policy: SCHED_* as in sched_setattr(2)
 * @rt_priority: 1 to 99 for SCHED_FIFO and SCHED_RR, otherwise 0
 * @timer_slack_ns: see PR_SET_TIMERSLACK
 * @comm: name
 * @default_timer_slack_ns: what PR_SET_TIMERSLACK with 0 sets
 * @slice_ns: time slice asked for with sched_setattr(2), or 0
 * @ioprio: as ioprio_set(2) takes it; 0: none was set
 * @vfork_child: id of the child that the task waits for in vfork(2), or 0
 * @util_min: utilization clamp, 0 to 1024, if there is CKPT_TASK_UTIL_MIN
 * @util_max: likewise, if there is CKPT_TASK_UTIL_MAX
 */
struct ckpt_hdr_task {
	struct ckpt_hdr h;
	__u32 flags;
	__u32 exit_signal;
	__u32 personality;
	__s32 nice;
	__u32 sched_policy;
	__u32 rt_priority;
	__u64 timer_slack_ns;
	__u8 comm[16];
	__u64 default_timer_slack_ns;
	__u64 slice_ns;
	__u32 ioprio;
	__u32 vfork_child;
	__u32 util_min;
	__u32 util_max;
};

/**
 * struct ckpt_hdr_task_dead - what is left of a process that nobody waited for
 *
 * All that such a process has, see CKPT_PIDS_DEAD.
 *
 * @h: type and length
 * @status: as wait4(2) gives it
 * @exit_signal: signal that its parent got
 * @cred: credentials
 * @reserved: 0
 * @comm: name
 */
struct ckpt_hdr_task_dead {
	struct ckpt_hdr h;
	__u32 status;
	__u32 exit_signal;
	__u32 cred;
	__u32 reserved;
	__u8 comm[16];
};

/**
 * struct ckpt_hdr_task_objs - shared objects of the task
 * @h: type and length
 * @cred: credentials
 * @fs: root, working directory, umask
 * @files: descriptor table
 * @mm: address space
 * @sighand: signal handlers
 * @signal: state of the whole thread group
 * @seccomp_filter: the newest of its filters; 0: it has none
 * @nsproxy: namespaces; 0: all are those of whoever restarts
 */
struct ckpt_hdr_task_objs {
	struct ckpt_hdr h;
	__u32 cred;
	__u32 fs;
	__u32 files;
	__u32 mm;
	__u32 sighand;
	__u32 signal;
	__u32 seccomp_filter;
	__u32 nsproxy;
};

/**
 * struct ckpt_hdr_thread - state of one thread outside its registers
 *
 * Followed by @nr_pending struct ckpt_hdr_siginfo.
 *
 * @h: type and length
 * @clear_child_tid: address for set_tid_address(2), or 0
 * @set_child_tid: address given to clone(2), or 0
 * @robust_list: address for set_robust_list(2), or 0
 * @rseq: address of struct rseq, or 0
 * @rseq_len: its length
 * @rseq_sig: signature before abort handlers
 * @blocked: signal mask; bit 0 is signal 1
 * @altstack_sp: alternate signal stack, see sigaltstack(2)
 * @altstack_size: its bytes
 * @altstack_flags: SS_DISABLE, SS_AUTODISARM
 * @pdeath_signal: signal when the parent dies, or 0
 * @nr_pending: signals queued for this thread alone
 * @reserved: 0
 */
struct ckpt_hdr_thread {
	struct ckpt_hdr h;
	__u64 clear_child_tid;
	__u64 set_child_tid;
	__u64 robust_list;
	__u64 rseq;
	__u32 rseq_len;
	__u32 rseq_sig;
	__u64 blocked;
	__u64 altstack_sp;
	__u64 altstack_size;
	__u32 altstack_flags;
	__u32 pdeath_signal;
	__u32 nr_pending;
	__u32 reserved;
};

/* struct ckpt_hdr_restart_block.function */
#define CKPT_RESTART_NONE	0
#define CKPT_RESTART_NANOSLEEP	1
#define CKPT_RESTART_POLL	2
#define CKPT_RESTART_FUTEX	3
#define CKPT_RESTART_CPU_SLEEP	4

/**
 * struct ckpt_hdr_restart_block - how an interrupted system call goes on
 * @h: type and length
 * @function: CKPT_RESTART_*
 * @clockid: clock of a sleep
 * @has_timeout: poll: whether @remaining_ns counts
 * @nfds: poll: number of descriptors
 * @remaining_ns: time left, nanoseconds; may be negative: it is over
 * @user_pointer: timespec for the rest, pollfd array, or futex word
 * @futex_value: futex: expected value
 * @futex_bitset: futex: wake mask
 * @futex_op: futex: FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME as they apply
 * @reserved: 0
 */
struct ckpt_hdr_restart_block {
	struct ckpt_hdr h;
	__u32 function;
	__u32 clockid;
	__u32 has_timeout;
	__u32 nfds;
	__s64 remaining_ns;
	__u64 user_pointer;
	__u32 futex_value;
	__u32 futex_bitset;
	__u32 futex_op;
	__u32 reserved;
};

/* struct ckpt_hdr_cred.outer */
#define CKPT_CRED_UID		0x01
#define CKPT_CRED_EUID		0x02
#define CKPT_CRED_SUID		0x04
#define CKPT_CRED_FSUID		0x08
#define CKPT_CRED_GID		0x10
#define CKPT_CRED_EGID		0x20
#define CKPT_CRED_SGID		0x40
#define CKPT_CRED_FSGID		0x80
#define CKPT_CRED_ALL		0xff

/**
 * struct ckpt_hdr_cred - credentials
 *
 * Followed by a buffer with @ngroups __u32 supplementary groups, which have numbers
 * in @user_ns, and then @nouter_groups that have none there: their numbers are
 * those of whoever restarts.
 *
 * @h: type and length
 * @uid: real; numbers are those of @user_ns, but for @outer
 * @euid: effective
 * @suid: saved
 * @fsuid: for file access
 * @gid: real
 * @egid: effective
 * @sgid: saved
 * @fsgid: for file access
 * @cap_inheritable: capabilities, bit n is capability n
 * @cap_permitted: likewise
 * @cap_effective: likewise
 * @cap_bset: likewise
 * @cap_ambient: likewise
 * @securebits: see PR_SET_SECUREBITS
 * @ngroups: supplementary groups
 * @user_ns: user namespace; 0: that of whoever restarts
 * @outer: CKPT_CRED_*: those that have no number in @user_ns; what is here is the
 *	number for whoever restarts
 * @nouter_groups: supplementary groups without a number in @user_ns
 * @reserved: 0
 */
struct ckpt_hdr_cred {
	struct ckpt_hdr h;
	__u32 uid;
	__u32 euid;
	__u32 suid;
	__u32 fsuid;
	__u32 gid;
	__u32 egid;
	__u32 sgid;
	__u32 fsgid;
	__u64 cap_inheritable;
	__u64 cap_permitted;
	__u64 cap_effective;
	__u64 cap_bset;
	__u64 cap_ambient;
	__u32 securebits;
	__u32 ngroups;
	__u32 user_ns;
	__u32 outer;
	__u32 nouter_groups;
	__u32 reserved;
};

/* struct ckpt_hdr_seccomp_filter.flags */
#define CKPT_SECCOMP_LOG	0x1	/* SECCOMP_FILTER_FLAG_LOG */

/**
 * struct ckpt_hdr_seccomp_filter - a filter of seccomp(2)
 *
 * Followed by a buffer with the program, struct sock_filter each, as seccomp(2)
 * took it.
 *
 * @h: type and length
 * @prev: the filter that was there before; 0: none
 * @flags: CKPT_SECCOMP_*
 */
struct ckpt_hdr_seccomp_filter {
	struct ckpt_hdr h;
	__u32 prev;
	__u32 flags;
};

/**
 * struct ckpt_hdr_sighand - signal handlers
 * @h: type and length
 * @nr_actions: a struct ckpt_hdr_sigaction for each that is not the default
 * @reserved: 0
 */
struct ckpt_hdr_sighand {
	struct ckpt_hdr h;
	__u32 nr_actions;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_sigaction - what a signal does
 * @h: type and length
 * @signo: signal, ascending
 * @reserved: 0
 * @handler: address, SIG_DFL or SIG_IGN
 * @flags: SA_*
 * @restorer: address
 * @mask: blocked while the handler runs; bit 0 is signal 1
 */
struct ckpt_hdr_sigaction {
	struct ckpt_hdr h;
	__u32 signo;
	__u32 reserved;
	__u64 handler;
	__u64 flags;
	__u64 restorer;
	__u64 mask;
};

/* struct ckpt_hdr_signal.stop_flags */
#define CKPT_STOP_COMPLETE	0x01	/* all threads are stopped */
#define CKPT_STOP_WAITED	0x02	/* and who waited knows it */
#define CKPT_STOP_CONTINUED	0x04	/* continued, and nobody waited for that */
#define CKPT_STOP_TELL_STOPPED	0x08	/* the parent will get SIGCHLD for it */
#define CKPT_STOP_TELL_CONTINUED 0x10	/* likewise */
#define CKPT_STOP_ALL		0x1f

/**
 * struct ckpt_hdr_signal - state of a thread group
 *
 * Followed by @nr_posix_timers struct ckpt_hdr_posix_timer and @nr_pending
 * struct ckpt_hdr_siginfo.
 *
 * @h: type and length
 * @rlim_cur: soft limits in the order of RLIMIT_*; ~0 is RLIM_INFINITY
 * @rlim_max: hard limits
 * @itimer_value_ns: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF: time left; 0: off
 * @itimer_interval_ns: their periods
 * @oom_score_adj: -1000 to 1000
 * @nr_pending: signals queued for the thread group
 * @oom_score_adj_min: what oom_score_adj may be lowered to without privilege
 * @stop_signal: signal that has stopped the group, or 0
 * @stop_flags: CKPT_STOP_*
 * @nr_posix_timers: timers of timer_create(2)
 * @next_posix_timer_id: id that the next one gets, if it is free
 * @reserved: 0
 */
struct ckpt_hdr_signal {
	struct ckpt_hdr h;
	__u64 rlim_cur[16];
	__u64 rlim_max[16];
	__u64 itimer_value_ns[3];
	__u64 itimer_interval_ns[3];
	__s32 oom_score_adj;
	__u32 nr_pending;
	__s32 oom_score_adj_min;
	__u32 stop_signal;
	__u32 stop_flags;
	__u32 nr_posix_timers;
	__u32 next_posix_timer_id;
	__u32 reserved;
};

/* struct ckpt_hdr_posix_timer.cpu_time */
#define CKPT_CPU_TIME_PROF	0	/* of the process and of the kernel for it */
#define CKPT_CPU_TIME_VIRT	1	/* of the process alone */
#define CKPT_CPU_TIME_SCHED	2	/* all, as the scheduler counts it */

/* struct ckpt_hdr_posix_timer.flags */
#define CKPT_POSIX_TIMER_ABSOLUTE	0x1	/* @value_ns is a time of day */
#define CKPT_POSIX_TIMER_EXPIRED	0x2	/* begins anew when its signal is taken */
#define CKPT_POSIX_TIMER_QUEUED		0x4	/* its signal is pending */
#define CKPT_POSIX_TIMER_ALL		0x7

/**
 * struct ckpt_hdr_posix_timer - a timer of timer_create(2)
 * @h: type and length
 * @id: as timer_create(2) returned it
 * @clockid: CLOCK_*, or CLOCK_PROCESS_CPUTIME_ID or CLOCK_THREAD_CPUTIME_ID for
 *	all clocks of processor time
 * @cpu_time: CKPT_CPU_TIME_*, otherwise 0
 * @cpu_pid: process or thread whose processor time it is, 0 if it is gone
 * @notify: SIGEV_*
 * @signo: signal that it sends, or 0
 * @thread: thread that gets the signal with SIGEV_THREAD_ID, 0 if it is gone
 * @flags: CKPT_POSIX_TIMER_*
 * @sigval: sigev_value
 * @value_ns: time left, or time of day, or 0: it does not run. With
 *	CKPT_POSIX_TIMER_EXPIRED it does not run until the signal is taken
 * @interval_ns: period, or 0
 * @overrun: expirations that no signal has told yet, or -1
 * @overrun_last: as timer_getoverrun(2) returns it
 */
struct ckpt_hdr_posix_timer {
	struct ckpt_hdr h;
	__u32 id;
	__u32 clockid;
	__u32 cpu_time;
	__u32 cpu_pid;
	__u32 notify;
	__u32 signo;
	__u32 thread;
	__u32 flags;
	__u64 sigval;
	__u64 value_ns;
	__u64 interval_ns;
	__s64 overrun;
	__s64 overrun_last;
};

/* struct ckpt_hdr_siginfo.has_info */
#define CKPT_SIGINFO_NONE	0	/* pending without a queue entry */
#define CKPT_SIGINFO_OWN	1	/* queued */
#define CKPT_SIGINFO_TIMER	2	/* the entry of the POSIX timer in @info */

/**
 * struct ckpt_hdr_siginfo - one pending signal
 * @h: type and length
 * @signo: signal
 * @has_info: CKPT_SIGINFO_*. With CKPT_SIGINFO_TIMER, and a timer that does not
 *	say that its signal is pending, the timer had not expired yet when it was
 *	saved: the signal is not pending
 * @info: siginfo_t as a handler gets it
 */
struct ckpt_hdr_siginfo {
	struct ckpt_hdr h;
	__u32 signo;
	__u32 has_info;
	__u8 info[128];
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_TASKS_H */
