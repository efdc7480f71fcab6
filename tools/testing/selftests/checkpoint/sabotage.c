// SPDX-License-Identifier: GPL-2.0
/* What is spoilt in the image of which subject: one line each. */
#include <stdbool.h>
#include <stddef.h>

#include <linux/checkpoint_image.h>

#include "sabotage.h"

#define ROWS(...)	((const struct sabotage[]){ __VA_ARGS__, { END } })
/* Offsets in the XSAVE area, which is the buffer behind this record. */
#define XSTATE(offset)	"cpu_xstate+" #offset

/* In the buffer behind the first NUMA policy: the first word of its nodes. */
#define NODES		"mempolicy+56"

const struct sabotage_subject sabotage_subjects[] = {
	{ "regs", "most", 0, ROWS(
		{ XOR, "cpu.r15", 1 }, { XOR, "cpu.r14", 1 }, { XOR, "cpu.r13", 1 },
		{ XOR, "cpu.r12", 1 }, { XOR, "cpu.bp", 1 }, { XOR, "cpu.bx", 1 },
		{ XOR, "cpu.r11", 1 }, { XOR, "cpu.r10", 1 }, { XOR, "cpu.r9", 1 },
		{ XOR, "cpu.r8", 1 }, { XOR, "cpu.ax", 1 }, { XOR, "cpu.dx", 1 },
		{ XOR, "cpu.si", 1 }, { XOR, "cpu.di", 1 }, { XOR, "cpu.sp", 8 },
		{ XOR, "cpu.flags", 0x1 }, { XOR, "cpu.flags", 0x400 },
		{ XOR, "cpu.flags", 0x800 }, { XOR, "cpu.fs_base", 0x1000 },
		{ XOR, "cpu.gs_base", 0x1000 }, { SET, "cpu.ds", 0 }, { SET, "cpu.es", 0 },
		{ SET, "cpu.cs", 0x10, .refused = true },
		{ SET, "cpu.ss", 0x18, .refused = true }) },
	{ "regs", "rest", 0, ROWS({ XOR, "cpu.cx", 1 }) },
	{ "regs", "syscall", 0, ROWS(
		{ XOR, "cpu.r15", 1 }, { XOR, "cpu.bx", 1 }, { XOR, "cpu.r9", 1 },
		{ XOR, "cpu.flags", 0x1 }) },
	{ "fpu", "x87", 0, ROWS(
		{ BYTES, XSTATE(32), 0x400 }, { BYTES, XSTATE(34), 0x4000 },
		{ BYTES, XSTATE(72), 1 }, { BYTES, XSTATE(120), 0x10 }) },
	{ "fpu", "sse", 0, ROWS(
		{ BYTES, XSTATE(192), 1 }, { BYTES, XSTATE(440), 1 },
		{ BYTES, XSTATE(56), 0x8000 }) },
	{ "fpu", "avx", 0, ROWS({ BYTES, XSTATE(608), 1 }, { BYTES, XSTATE(856), 1 }) },
	{ "fpu", "avx512", 0, ROWS(
		{ XOR, "cpu_xstate.features", 0x20 }, { XOR, "cpu_xstate.features", 0x40 },
		{ XOR, "cpu_xstate.features", 0x80 },
		{ COMPONENT, XSTATE(32), 1, 5 }, { COMPONENT, XSTATE(88), 1ULL << 63, 5 },
		{ COMPONENT, XSTATE(32), 1, 6 }, { COMPONENT, XSTATE(536), 1, 6 },
		{ COMPONENT, XSTATE(32), 1, 7 }, { COMPONENT, XSTATE(1048), 1, 7 }) },
	{ "tls", "", 0, ROWS({ PATTERN, NULL, 3, 100 }, { XOR, "cpu.fs_base", 0x1000 }) },
	{ "rseq", "registered", 0, ROWS(
		{ SET, "thread.rseq", 0 }, { XOR, "thread.rseq_sig", 1 }) },

	{ "vdso", "calls", 0, ROWS(
		{ ADD, "mm_arch.vdso", 4096, .refused = true },
		{ SET, "mm_arch.vdso", 0, .refused = true }) },
	{ "vdso", "absent", 0, ROWS({ SET, "mm_arch.vdso", 4096, .refused = true }) },

	{ "sleep", "nanosleep", 2000, ROWS(
		{ LATER, "restart_block.remaining_ns", 3000 },
		{ ADD, "restart_block.remaining_ns", -1500000000ULL },
		{ SET, "restart_block.function", 0 }) },
	{ "sleep", "poll", 2000, ROWS(
		{ LATER, "restart_block.remaining_ns", 3000 },
		{ ADD, "restart_block.remaining_ns", -1500000000ULL }) },
	{ "sleep", "futex", 2000, ROWS(
		{ LATER, "restart_block.remaining_ns", 3000 },
		{ ADD, "restart_block.remaining_ns", -1500000000ULL },
		{ ADD, "restart_block.futex_value", 1 }) },
	{ "itimer", "armed", 0, ROWS(
		{ SET, "signal.itimer_value_ns[0]", 0 },
		{ LATER, "signal.itimer_value_ns[0]", 10000 },
		{ SET, "signal.itimer_value_ns[1]", 0 },
		{ SET, "signal.itimer_value_ns[2]", 0 },
		{ SET, "signal.itimer_interval_ns[0]", 0 },
		{ SET, "signal.itimer_interval_ns[2]", 0 }) },
	{ "posix_timers", "alone", 0, ROWS(
		{ ADD, "posix_timer[33].value_ns", -10000000000ULL },
		{ SET, "posix_timer[31].value_ns", 0 },
		{ LATER, "posix_timer[2].value_ns", 10000 },
		{ ADD, "posix_timer[30].interval_ns", 1 }, { SET, "posix_timer[33].notify", 2 },
		{ SET, "posix_timer[29].clockid", 7 }, { ADD, "posix_timer[27].signo", 1 },
		{ ADD, "posix_timer[27].id", 1000 }, { ADD, "posix_timer[26].sigval", 1 },
		{ SET, "posix_timer[22].thread", 0 }, { SET, "posix_timer[3].cpu_pid", 0 },
		{ SET, "posix_timer[15].cpu_time", 2 },
		{ ADD, "posix_timer[25].overrun_last", 1 },
		{ ADD, "signal.next_posix_timer_id", 1 },
		{ SET, "posix_timer[29].flags", 1, .refused = true }) },
	{ "posix_timers", "day", 0, ROWS(
		{ SET, "posix_timer[1].flags", 0 }, { ADD, "posix_timer[0].interval_ns", 1 },
		{ LATER, "posix_timer[0].value_ns", 10000 }) },
	{ "posix_timers", "queued", 0, ROWS(
		{ SET, "posix_timer[5].flags", 0 }, { SET, "posix_timer[4].flags", 0 },
		{ SET, "posix_timer[1].flags", 0 }, { SET, "posix_timer[0].flags", 0 },
		{ ADD, "posix_timer[3].overrun", 100000 },
		{ SET, "posix_timer[3].interval_ns", 0, .refused = true },
		{ SET, "posix_timer[1].value_ns", 0, .refused = true }) },
	{ "posix_timers", "gone", 0, ROWS({ SET, "posix_timer[1].notify", 0 }) },

	{ "sighandlers", "", 0, ROWS(
		{ SET, "sigaction[0].flags", 0x04000000 }, { XOR, "sigaction[1].mask", 1 },
		{ SET, "sigaction[2].handler", 1 }, { XOR, "sigaction[3].flags", 0x10000000 },
		{ XOR, "sigaction[40].mask", 1ULL << 63 },
		{ SET, "sigaction[20].restorer", 0 }) },
	{ "sigmask", "", 0, ROWS(
		{ XOR, "thread.blocked", 1 }, { XOR, "thread.blocked", 1ULL << 63 }) },
	{ "sigmask", "suspend", 0, ROWS({ XOR, "thread.blocked", 1 }) },
	{ "altstack", "idle", 0, ROWS(
		{ ADD, "thread.altstack_sp", 4096 }, { ADD, "thread.altstack_size", -4096ULL },
		{ SET, "thread.altstack_flags", 2 }) },
	{ "altstack", "disarm", 0, ROWS({ SET, "thread.altstack_flags", 0 }) },
	{ "altstack", "on", 0, ROWS({ SET, "thread.altstack_flags", 2 },
				    { PATTERN, NULL, 10, 7 }) },
	{ "pending", "", 0, ROWS(
		{ XOR, "siginfo[0].info[8]", 1 }, { XOR, "siginfo[1].info[24]", 1 },
		{ XOR, "siginfo[4].info[24]", 1 }, { XOR, "siginfo[5].info[16]", 1 }) },

	{ "rlimits", "", 0, ROWS(
		{ ADD, "signal.rlim_cur[0]", -1ULL }, { ADD, "signal.rlim_max[1]", -1ULL },
		{ ADD, "signal.rlim_cur[7]", -1ULL }, { ADD, "signal.rlim_max[15]", -1ULL }) },
	{ "attributes", "comm", 0, ROWS({ XOR, "task.comm[0]", 1 }) },
	{ "attributes", "personality", 0, ROWS({ XOR, "task.personality", 0x40000 }) },
	{ "attributes", "dumpable-off", 0, ROWS({ SET, "mm.dumpable", 1 }) },
	{ "attributes", "dumpable-on", 0, ROWS({ SET, "mm.dumpable", 0 }) },
	{ "attributes", "no-new-privs", 0, ROWS({ SET, "task.flags", 0 }) },
	{ "attributes", "nice", 0, ROWS({ SET, "task.nice", 0 }) },
	{ "attributes", "batch", 0, ROWS({ SET, "task.sched_policy", 0 }) },
	{ "attributes", "fifo", 0, ROWS({ ADD, "task.rt_priority", 1 }) },
	{ "attributes", "timer-slack", 0, ROWS(
		{ ADD, "task.timer_slack_ns", 1 },
		{ ADD, "task.default_timer_slack_ns", 1 }) },
	{ "attributes", "oom", 0, ROWS({ ADD, "signal.oom_score_adj", 1 },
				       { XOR, "mm.coredump_filter", 1 }) },
	{ "attributes", "pdeath", 0, ROWS({ SET, "thread.pdeath_signal", 0 }) },
	{ "attributes", "thp-disable", 0, ROWS({ XOR, "mm.flags", 8 }) },
	{ "settings", "ioprio", 0, ROWS({ SET, "task.ioprio", 0 }) },
	{ "settings", "io-flusher", 0, ROWS({ SET, "task.flags", 0 }) },
	{ "settings", "mce-early", 0, ROWS({ SET, "task.flags", 4 }) },
	{ "settings", "mce-late", 0, ROWS({ SET, "task.flags", 0 }) },
	{ "settings", "reset-on-fork", 0, ROWS({ SET, "task.flags", 0 }) },
	{ "numa", "task-0", 0, ROWS(
		{ SET, "mempolicy.mode", 1 }, { BYTES, NODES, 3 },
		{ SET, "mempolicy.flags", 1 }, { SET, "mempolicy.flags", 4 },
		{ SET, "mempolicy.flags", 3, .refused = true },
		{ SET, "mempolicy.mode", 4, .refused = true },
		{ SET, "mempolicy.mode", 7, .refused = true },
		{ BYTES, NODES, 2, .refused = true }, { BYTES, NODES, 6, .refused = true },
		{ SET, "mempolicy.home_node", 0, .refused = true },
		{ SET, "mempolicy.end", 4096, .refused = true },
		{ SET, "task.flags", 0, .refused = true }) },
	{ "numa", "task-2", 0, ROWS(
		{ BYTES, NODES, 2 }, { SET, "mempolicy.flags", 4, .refused = true }) },
	{ "numa", "task-9", 0, ROWS({ SET, "mempolicy.flags", 0, .refused = true }) },
	{ "numa", "mappings", 0, ROWS(
		{ SET, "mempolicy[0].mode", 1 }, { BYTES, NODES, 3 },
		{ SET, "mempolicy[14].home_node", 9, .refused = true },
		{ SET, "mempolicy[14].home_node", 2000, .refused = true },
		{ SET, "mempolicy[2].home_node", 1, .refused = true },
		{ SET, "mempolicy[2].start", 4096, .refused = true },
		{ CLEAR, "vma.flags", CKPT_VMA_MEMPOLICY, .refused = true }) },
	{ "numa", "shared", 0, ROWS(
		{ SET, "mempolicy[0].mode", 1 }, { SET, "mempolicy[0].end", 4096 },
		{ SET, "mempolicy[1].start", 0 },
		{ SET, "mempolicy[0].end", 0, .refused = true },
		{ SET, "mempolicy[0].end", 4097, .refused = true },
		{ SET, "mempolicy[2].home_node", 1, .refused = true },
		{ SET, "shmem.nr_policies", 0, .refused = true },
		{ ADD, "shmem.nr_policies", 1, .refused = true }) },
	{ "numa", "memfd", 0, ROWS(
		{ SET, "mempolicy[0].mode", 1 },
		{ SET, "memfd.nr_policies", 1, .refused = true }) },
	{ "settings", "util-both", 0, ROWS(
		{ SET, "task.util_min", 101 }, { SET, "task.util_max", 1024 },
		{ SET, "task.util_min", 901, .refused = true },
		{ SET, "task.util_max", 1025, .refused = true },
		{ SET, "task.flags", 0x80, .refused = true },
		{ SET, "task.flags", 0, .refused = true }) },
	{ "settings", "util-max-realtime", 0, ROWS(
		{ SET, "task.util_max", 301 }, { SET, "task.flags", 0x180 }) },
	{ "settings", "slice", 0, ROWS({ SET, "task.slice_ns", 0 }) },
	{ "settings", "oom-min", 0, ROWS({ SET, "signal.oom_score_adj_min", 0 }) },
	{ "settings", "mdwe", 0, ROWS({ SET, "mm.flags", 1 }) },
	{ "settings", "mdwe-alone", 0, ROWS({ XOR, "mm.flags", 0x20 }) },
	{ "settings", "no-tsc", 0, ROWS({ SET, "task.flags", 0 }) },
	{ "settings", "pkeys", 0, ROWS(
		{ SET, "mm_arch.pkeys", 0 }, { SET, "mm_arch.pkeys", 0xe }) },
	{ "attributes", "umask", 0, ROWS({ SET, "fs.umask", 0 }) },
	{ "creds", "ids", 0, ROWS(
		{ ADD, "cred.uid", 1 }, { ADD, "cred.suid", 1 }, { ADD, "cred.fsuid", 1 },
		{ ADD, "cred.gid", 1 }, { ADD, "cred.egid", 1 }, { ADD, "cred.sgid", 1 },
		{ ADD, "cred.fsgid", 1 }, { BYTES, "cred+128", 1 }) },
	{ "creds", "caps", 0, ROWS(
		{ XOR, "cred.cap_inheritable", 1 << 13 }, { XOR, "cred.cap_effective", 1 },
		{ XOR, "cred.cap_bset", 1 << 20 }, { SET, "cred.cap_ambient", 0 },
		{ XOR, "cred.cap_effective", 1ULL << 63, .refused = true }) },
	{ "creds", "securebits", 0, ROWS({ SET, "cred.securebits", 0 }) },
	{ "creds", "keep-caps", 0, ROWS({ SET, "cred.securebits", 0 }) },
	{ "seccomp", "one", 0, ROWS(
		{ SET, "task_objs.seccomp_filter", 0 }, { SET, "task.flags", 0 },
		{ BYTES, "seccomp_filter+64", 1ULL << 32 }) },
	{ "seccomp", "chain", 0, ROWS(
		{ SET, "seccomp_filter[1].prev", 0 }, { SET, "seccomp_filter[2].prev", 0 },
		{ ADD, "task_objs.seccomp_filter", -1ULL }) },
	{ "namespaces", "uts-alone", 0, ROWS(
		{ XOR, "uts_ns.nodename[4]", 1 }, { XOR, "uts_ns.domainname[0]", 1 },
		{ SET, "task_objs.nsproxy", 0 },
		{ SET, "nsproxy.uts_ns", 0, .refused = true }) },
	{ "user_ns", "alone", 0, ROWS(
		{ ADD, "user_ns.owner", 1 }, { XOR, "user_ns.flags", CKPT_USER_NS_SETGROUPS },
		{ SET, "user_ns.max_user_namespaces", 7 },
		{ SET, "user_ns.max_uts_namespaces", 7 }, { SET, "cred.user_ns", 0 },
		{ ADD, "id_extent[0].lower_first", 1 }, { ADD, "id_extent[0].count", 1 },
		{ ADD, "id_extent[1].count", 1 }, { SET, "uts_ns.user_ns", 0 },
		{ SET, "ipc_ns.user_ns", 0 }, { XOR, "cred.cap_bset", 1 },
		{ ADD, "id_extent[0].first", 1, .refused = true },
		{ ADD, "id_extent[1].first", 1, .refused = true }) },
	{ "namespaces", "ipc-alone", 0, ROWS(
		{ ADD, "ipc_ns.shmmax", 1 }, { ADD, "ipc_ns.shmall", 1 },
		{ ADD, "ipc_ns.shmmni", 1 }, { XOR, "ipc_ns.shm_rmid_forced", 1 },
		{ ADD, "ipc_ns.msgmax", 1 }, { ADD, "ipc_ns.msgmnb", 1 },
		{ ADD, "ipc_ns.msgmni", 1 }, { ADD, "ipc_ns.semmsl", 1 },
		{ ADD, "ipc_ns.semmns", 1 }, { ADD, "ipc_ns.semopm", 1 },
		{ ADD, "ipc_ns.semmni", 1 }, { ADD, "ipc_ns.mq_queues_max", 1 },
		{ ADD, "ipc_ns.mq_msg_max", 1 }, { ADD, "ipc_ns.mq_msgsize_max", 1 },
		{ ADD, "ipc_ns.mq_msg_default", 1 }, { ADD, "ipc_ns.mq_msgsize_default", 1 },
		{ ADD, "ipc_ns.sem_seq", 1 }, { ADD, "ipc_ns.sem_last", 1 },
		{ ADD, "ipc_ns.sem_next", 1 }, { ADD, "ipc_ns.msg_seq", 1 },
		{ ADD, "ipc_ns.msg_last", 1 }, { ADD, "ipc_ns.msg_next", 1 },
		{ ADD, "ipc_ns.shm_seq", 1 }, { ADD, "ipc_ns.shm_last", 1 },
		{ ADD, "ipc_ns.shm_next", 1 }, { SET, "task_objs.nsproxy", 0 },
		{ ADD, "ipc_perm[0].id", 3 }, { ADD, "ipc_perm[1].key", 1 },
		{ ADD, "ipc_perm[0].uid", 1 }, { ADD, "ipc_perm[1].gid", 1 },
		{ ADD, "ipc_perm[0].cuid", 1 }, { ADD, "ipc_perm[1].cgid", 1 },
		{ XOR, "ipc_perm[0].mode", 1 }, { ADD, "sem_set[1].otime", 1 },
		{ ADD, "sem_set[0].ctime", 1 }, { BYTES, "sem_set+52", 1 },
		{ BYTES, "sem_set+48", 1ULL << 15, .refused = true },
		{ ADD, "sem_set[0].nsems", 1, .refused = true },
		{ SET, "ipc_ns.nr_sem_sets", 1, .refused = true },
		{ SET, "ipc_ns.nr_sem_sets", 3, .refused = true },
		{ ADD, "ipc_perm[2].id", 3 }, { ADD, "ipc_perm[3].key", 1 },
		{ ADD, "ipc_perm[3].cuid", 1 }, { XOR, "ipc_perm[2].mode", 1 },
		{ ADD, "msg_queue[0].stime", 1 }, { ADD, "msg_queue[1].rtime", 1 },
		{ ADD, "msg_queue[0].ctime", 1 }, { ADD, "msg_queue[1].qbytes", 1 },
		{ ADD, "msg[0].type", 1 }, { ADD, "msg[6].type", 1 },
		{ BYTES, "msg+32", 1 }, { ADD, "msg_queue[0].nr_messages", 1, .refused = true },
		{ SET, "ipc_ns.nr_msg_queues", 3, .refused = true }) },
	{ "robust", "", 0, ROWS(
		{ SET, "thread.robust_list", 0 }, { ADD, "thread.clear_child_tid", 4 }) },
	{ "identity", "", 0, ROWS(
		{ ADD, "mm.arg_start", 1 }, { ADD, "mm.env_end", -1ULL },
		{ SET, "mm.exe_file", 1, .refused = true }) },
	{ "identity", "cwd", 0, ROWS({ TEXT, "/room", .text = "/imag", .refused = true },
				     { TEXT, "cwd/room", .text = "cwd/./.." }) },

	{ "memory", "anonymous", 0, ROWS(
		{ PATTERN, NULL, 0, 500 }, { PATTERN, NULL, 1, 3 }, { PATTERN, NULL, 2, 3 },
		{ PATTERN, NULL, 3, 600 }, { PATTERN, NULL, 5, 511 }) },
	{ "memory", "heap", 0, ROWS(
		{ ADD, "mm.brk", 4096 }, { PATTERN, NULL, 1, 0 }, { PATTERN, NULL, 299, 0 }) },
	{ "memory", "stack", 0, ROWS({ PATTERN, NULL, 49, 100 }, { PATTERN, NULL, 0, 1000 }) },
	{ "memory", "sparse", 0, ROWS({ PATTERN, NULL, 39, 0 }) },
	{ "memory", "zero", 0, ROWS({ PATTERN, NULL, 3, 9 }) },
	{ "mappings", "private", 0, ROWS(
		{ PATTERN, NULL, 5000, 7 }, { PATTERN, NULL, 5000 + 8192, 7 }) },
	{ "mappings", "anonymous", 0, ROWS({ PATTERN, NULL, 44, 0 }, { PATTERN, NULL, 45, 9 }) },

	{ "vmflags", "locked", 0, ROWS(
		{ CLEAR, "vma.flags", CKPT_VMA_LOCKED }, { PATTERN, NULL, 1, 3 },
		{ CLEAR, "vma.flags", CKPT_VMA_LOCKONFAULT }) },
	{ "vmflags", "lock-all", 0, ROWS(
		{ XOR, "mm.flags", CKPT_MM_LOCK_FUTURE }, { XOR, "mm.flags", CKPT_MM_LOCK_ONFAULT },
		{ PATTERN, NULL, 3, 3 }) },
	{ "vmflags", "advice", 0, ROWS(
		{ CLEAR, "vma.flags", CKPT_VMA_DONTFORK },
		{ CLEAR, "vma.flags", CKPT_VMA_WIPEONFORK },
		{ CLEAR, "vma.flags", CKPT_VMA_DONTDUMP },
		{ CLEAR, "vma.flags", CKPT_VMA_SEQ_READ },
		{ CLEAR, "vma.flags", CKPT_VMA_RAND_READ },
		{ CLEAR, "vma.flags", CKPT_VMA_HUGEPAGE },
		{ CLEAR, "vma.flags", CKPT_VMA_NOHUGEPAGE },
		{ CLEAR, "vma.flags", CKPT_VMA_MERGEABLE },
		{ PATTERN, NULL, 4, 3 }, { PATTERN, NULL, 4, 515 }, { PATTERN, NULL, 5, 5 }) },
	{ "vmflags", "huge", 0, ROWS(
		{ CLEAR, "vma.flags", CKPT_VMA_HUGEPAGE }, { PATTERN, NULL, 6, 300000 }) },
	{ "vmflags", "names", 0, ROWS(
		{ TEXT, "one heap", .text = "one HEAP" },
		{ TEXT, "other/heap", .text = "other`heap", .refused = true },
		{ CLEAR, "vma.flags", CKPT_VMA_NAMED, .refused = true }) },
	{ "waits", "sigwait", 0, ROWS(
		{ SET, "signal.itimer_value_ns[0]", 0 },
		{ XOR, "thread.blocked", 1 << (14 - 1) }) },

	{ "descriptors", "thousands", 0, ROWS(
		{ ADD, "file[3000].pos", 1 }, { XOR, "file_desc[700].flags", 1 },
		{ ADD, "signal.rlim_cur[7]", -1ULL }) },
	{ "descriptors", "far", 0, ROWS(
		{ ADD, "file[5].pos", 1 }, { ADD, "file[8].pos", 1ULL << 33 }) },
	{ "moved", "", 0, ROWS(
		{ ADD, "file[4].pos", 1 }, { TEXT, "replaced", .text = "replaceD" },
		{ TEXT, "to/second", .text = "from/data", .refused = true },
		{ TEXT, "to/elsewhere", .text = "to/elsewherE", .refused = true }) },
	{ "unlinked", "opens", 0, ROWS(
		{ PATTERN, NULL, 0, 511 }, { PATTERN, NULL, 4 * 4096, 511 },
		{ ADD, "file_attributes[0].size", 1 }, { ADD, "file_attributes[0].size", -1ULL },
		{ XOR, "file_attributes[0].mode", 1 }, { ADD, "file_attributes[0].uid", 1 },
		{ ADD, "file_attributes[0].gid", 1 }, { ADD, "file_attributes[0].mtime_sec", 1 },
		{ ADD, "file_attributes[0].mtime_nsec", 1 }, { SET, "file_attributes[1].size", 1 },
		{ TEXT, "written", .text = "writteN" }, { ADD, "file[4].pos", 1 },
		{ XOR, "file[6].open_flags", 0x400 },
		{ ADD, "file_unlinked[1].unlinked", 1, .refused = true }) },
	{ "unlinked", "sparse", 0, ROWS(
		{ PATTERN, NULL, 1, 5 }, { PATTERN, NULL, 3, 5 }, { ADD, "pages[2].start", 4096 },
		{ TEXT, "middle", .text = "Middle" }) },
	{ "unlinked", "mapped", 0, ROWS(
		{ PATTERN, NULL, 5, 9 }, { PATTERN, NULL, 2, 9 }, { PATTERN, NULL, 3, 0 },
		{ PATTERN, NULL, 4, 9 }, { PATTERN, NULL, 6, 9 }) },
	{ "unlinked", "nameless", 0, ROWS(
		{ XOR, "unlinked[0].flags", 1 }, { XOR, "unlinked[1].flags", 1 },
		{ XOR, "unlinked[2].flags", 1 }, { TEXT, "homeless", .text = "homelesS" }) },
	{ "removed", "pwd", 0, ROWS(
		{ XOR, "file_attributes[0].mode", 1 }, { ADD, "file_attributes[0].uid", 1 },
		{ ADD, "file_attributes[0].gid", 1 }, { ADD, "file_attributes[0].mtime_sec", 1 },
		{ ADD, "file_attributes[0].mtime_nsec", 1 },
		{ XOR, "removed_directory[0].fs_magic", 1, .refused = true },
		{ TEXT, "gone", .text = "g/ne", .refused = true },
		{ SET, "fs[0].removed_pwd", 0, .refused = true }) },
	{ "removed", "open", 0, ROWS(
		{ ADD, "file_removed_directory[1].directory", 1, .refused = true }) },
	{ "memfd", "contents", 0, ROWS(
		{ PATTERN, NULL, 1, 9 }, { PATTERN, NULL, 2, 511 }, { PATTERN, NULL, 5, 9 },
		{ ADD, "file_attributes[0].size", 1 }, { XOR, "file_attributes[0].mode", 1 },
		{ ADD, "file_attributes[0].uid", 1 }, { ADD, "file_attributes[0].gid", 1 },
		{ ADD, "file_attributes[0].mtime_sec", 1 },
		{ ADD, "file_attributes[0].mtime_nsec", 1 },
		{ SET, "memfd[0].seals", 0 }, { BYTES, "memfd+32", 1 },
		{ BYTES, "memfd+24", 0x20, .refused = true },
		{ ADD, "file[4].pos", 1 }, { ADD, "file_memfd[1].shmem", 1, .refused = true }) },
	{ "memfd", "seals", 0, ROWS(
		{ SET, "memfd[1].seals", 1 }, { XOR, "memfd[2].seals", 2 },
		{ XOR, "memfd[3].seals", 4 }, { XOR, "memfd[4].seals", 8 },
		{ XOR, "memfd[5].seals", 1 }, { XOR, "memfd[6].seals", 0x10 },
		{ XOR, "memfd[7].seals", 0x20 }, { XOR, "file_attributes[7].mode", 0111 },
		{ PATTERN, NULL, 103, 9 }) },
	{ "memfd", "seal-later", 0, ROWS(
		{ SET, "memfd.seals", 0 }, { PATTERN, NULL, 1, 9 }) },
	{ "memfd", "mapped", 0, ROWS(
		{ PATTERN, NULL, 1, 9 }, { PATTERN, NULL, 2, 9 }, { PATTERN, NULL, 3, 9 },
		{ PATTERN, NULL, 4, 9 }, { SET, "file_memfd[0].flags", 0 }) },
	{ "eventfd", "", 0, ROWS(
		{ ADD, "eventfd[0].count", 1 }, { SET, "eventfd[1].count", 1 },
		{ ADD, "eventfd[2].count", -1ULL }, { SET, "eventfd[3].flags", 0 },
		{ SET, "eventfd[0].flags", 1 }, { XOR, "file[4].open_flags", 0x800 },
		{ XOR, "file[5].open_flags", 0x800 }, { XOR, "file_desc[6].flags", 1 }) },
	{ "signalfd", "", 0, ROWS(
		{ XOR, "signalfd[0].mask", 1 << (10 - 1) },
		{ XOR, "signalfd[0].mask", 1ULL << (39 - 1) },
		{ XOR, "signalfd[0].mask", 1 << (12 - 1) },
		{ XOR, "signalfd[1].mask", 1 << (12 - 1) }) },
	{ "timerfd", "armed", 0, ROWS(
		{ SET, "timerfd[0].value_ns", 0 }, { LATER, "timerfd[1].value_ns", 10000 },
		{ ADD, "timerfd[2].interval_ns", 1 }, { SET, "timerfd[3].clockid", 7 },
		{ ADD, "timerfd[4].value_ns", -10000000000ULL },
		{ SET, "timerfd[5].value_ns", 1000000000 }, { SET, "timerfd[6].settime_flags", 0 },
		{ LATER, "timerfd[7].value_ns", 10000 }, { SET, "timerfd[8].settime_flags", 0 },
		{ SET, "timerfd[6].flags", 1, .refused = true },
		{ SET, "timerfd[6].flags", 2, .refused = true }) },
	{ "timerfd", "ticks", 0, ROWS(
		{ SET, "timerfd[0].ticks", 0 }, { SET, "timerfd[0].ticks", 2 },
		{ SET, "timerfd[0].value_ns", 1 }, { SET, "timerfd[1].interval_ns", 0 },
		{ ADD, "timerfd[1].ticks", 100000 }) },
	{ "timerfd", "day", 0, ROWS(
		{ LATER, "timerfd[0].value_ns", 10000 }, { LATER, "timerfd[1].value_ns", 10000 },
		{ SET, "timerfd[0].flags", 0 }, { SET, "timerfd[1].flags", 0 }) },
	/* Others set the clock here, which cancels too: timerfd_test runs alone. */
	{ "timerfd", "cancelled", 0, ROWS(
		{ SET, "timerfd[0].settime_flags", 1, .refused = true }) },
	{ "files", "flags", 0, ROWS(
		{ ADD, "file[4].pos", 1 }, { XOR, "file[5].open_flags", 0x400 },
		{ XOR, "file_desc[5].flags", 1 }, { ADD, "file_desc[6].fd", 1 }) },
	{ "files", "sharing", 0, ROWS(
		{ XOR, "file_desc[5].flags", 1 }, { ADD, "file[4].pos", 1 },
		{ ADD, "file[5].pos", 1 }) },
	{ "epoll", "empty", 0, ROWS(
		{ ADD, "epoll.busy_poll_usecs", 1 }, { ADD, "epoll.busy_poll_budget", 1 },
		{ SET, "epoll.flags", 0 }) },
	{ "epoll", "level", 0, ROWS(
		{ XOR, "epoll_item[0].events", 1 }, { XOR, "epoll_item[3].events", 2 },
		{ ADD, "epoll_item[1].fd", 1 }, { XOR, "epoll_item[2].data", 1ULL << 63 },
		{ ADD, "epoll_item[0].file", 1 },
		{ SET, "epoll_items.nr_items", 3, .refused = true }) },
	{ "epoll", "edge", 0, ROWS(
		{ SET, "epoll_item[1].flags", 1 },
		{ SET, "epoll_item[1].reported", 0 }, { XOR, "epoll_item[2].events", 1U << 31 }) },
	{ "epoll", "oneshot", 0, ROWS(
		{ ADD, "epoll_item[1].events", 0x19 }, { XOR, "epoll_item[0].events", 1 << 30 }) },
	{ "epoll", "exclusive", 0, ROWS({ XOR, "epoll_item[0].events", 1 << 28 }) },
	{ "epoll", "wakeup", 0, ROWS({ XOR, "epoll_item[0].events", 1 << 29 }) },
	{ "epoll", "signals", 0, ROWS(
		{ SET, "epoll_item[0].flags", 0 }, { SET, "epoll_item[1].flags", 0 }) },
	{ "epoll", "order", 0, ROWS({ SET, "epoll_item[0].flags", 0 }) },
	{ "epoll", "closed", 0, ROWS({ ADD, "epoll_item[2].fd", 1 }) },

	{ "paths", "path-only", 0, ROWS(
		{ XOR, "file[4].open_flags", 010000000, .refused = true },
		{ XOR, "file[6].open_flags", 0400000, .refused = true },
		{ TEXT, "/fifo", .text = "/file", .refused = true },
		{ TEXT, "/directory", .text = "/directors", .refused = true }) },
	{ "paths", "proc", 0, ROWS(
		{ SET, "file_proc[0].where", 0, .refused = true },
		{ SET, "file_proc[0].mode", 0040000, .refused = true },
		{ ADD, "file[8].pos", 1 }, { TEXT, "meminfo", .text = "version" },
		{ TEXT, "sys/kernel/hostname", .text = "../../../etc/passwd",
		  .refused = true }) },
	{ "proc", "memory", 0, ROWS(
		{ SET, "file_proc[0].mm", 0, .refused = true },
		{ SET, "file_proc[1].fs", 2, .refused = true },
		{ ADD, "file[5].pos", 8 }) },
	{ "proc", "mounts", 0, ROWS(
		{ SET, "file_proc[0].fs", 0, .refused = true },
		{ SET, "file_proc[1].mm", 3, .refused = true }) },
	{ "files", "directory", 0, ROWS({ SET, "file[4].pos", 0 }) },
	{ "locks", "posix", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { SET, "file_lock[1].type", 2 },
		{ ADD, "file_lock[2].start", 1 }, { ADD, "file_lock[2].end", -1ULL },
		{ ADD, "file_lock[3].end", -1ULL }, { ADD, "file_lock[2].fd", 1 }) },
	{ "locks", "ofd", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { ADD, "file_lock[3].start", 1 },
		{ ADD, "file_lock[3].end", 1 }) },
	{ "locks", "flock", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { SET, "file_lock[0].kind", 2 }) },
	{ "locks", "posix-unlinked", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { ADD, "file_lock[2].start", 1 },
		{ ADD, "file_lock[2].fd", 1 }) },
	{ "locks", "ofd-memfd", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { ADD, "file_lock[3].start", 1 }) },
	{ "locks", "flock-unlinked", 0, ROWS(
		{ SET, "file_lock[0].type", 1 }, { SET, "file_lock[0].kind", 2 }) },
	{ "leases", "read", 0, ROWS({ SET, "file_lease.type", 2 }, { SET, "file_owner.signal", 5 },
				    { SET, "file_owner.pid", 0 }) },
	{ "leases", "write", 0, ROWS({ ADD, "file_lease.fd", 1 }, { SET, "file_lease.flags", 2 },
				     { SET, "file_owner.type", 0 }) },
	{ "leases", "broken", 0, ROWS({ SET, "file_lease.flags", 0 }) },
	{ "leases", "read-nameless", 0, ROWS(
		{ SET, "file_lease.type", 2 }, { SET, "file_owner.signal", 5 }) },
	{ "leases", "broken-nameless", 0, ROWS({ SET, "file_lease.flags", 0 }) },
	{ "leases", "write-memfd", 0, ROWS({ SET, "file_lease.type", 1, .refused = true }) },
	{ "files", "devices", 0, ROWS(
		{ TEXT, "/dev/zero", .text = "/dev/full", .refused = true },
		{ TEXT, "/dev/full", .text = "/dev/zero", .refused = true },
		{ TEXT, "/dev/random", .text = "/dev/nosuch", .refused = true }) },
	{ "leases", "downgraded", 0, ROWS({ SET, "file_lease.flags", 2 }) },
	{ "owner", "", 0, ROWS(
		{ XOR, "file_owner[0].signal", 1 }, { ADD, "file_owner[0].async_fd", 1 },
		{ SET, "file_owner[0].async_fd", (u32)-1 }, { SET, "file_owner[0].type", 0 },
		{ SET, "file_owner[1].pid", 0 }, { SET, "file_owner[2].type", 1 },
		{ SET, "file_owner[0].pid", 1, .refused = true }) },
	{ "pidfd", "", 0, ROWS(
		{ SET, "pidfd[3].flags", 0 }, { SET, "pidfd[0].flags", 1 },
		{ SET, "pidfd[0].pid", 1, .refused = true },
		{ SET, "pidfd[0].pid", 0, .refused = true }) },
	{ "pidfd", "gone", 0, ROWS(
		{ SET, "pidfd[1].flags", 0 }, { SET, "pidfd[0].flags", 1 },
		{ SET, "pidfd[0].pid", 1, .refused = true },
		{ SET, "pidfd[0].gone", 0, .refused = true }) },
	{ "pipe", "byte", 0, ROWS(
		{ BYTES, "pipe_buffer+32", 1 }, { SET, "pipe.capacity", 4096 * 3, .refused = true },
		{ SET, "pipe.flags", 2, .refused = true }) },
	{ "pipe", "partial", 0, ROWS(
		{ SET, "pipe_buffer[1].flags", 0 }, { ADD, "pipe_buffer[1].offset", 5 },
		{ SET, "pipe_buffer[0].offset", 4000, .refused = true }) },
	{ "pipe", "large", 0, ROWS({ SET, "pipe.capacity", 2 << 20 }) },
	{ "pipe", "small", 0, ROWS({ SET, "pipe.capacity", 8192 }) },
	{ "pipe", "packets", 0, ROWS(
		{ SET, "pipe_buffer[0].flags", 0 }, { SET, "pipe_buffer[1].flags", 0 }) },
	{ "pipe", "owner", 0, ROWS(
		{ ADD, "pipe.uid", 1 }, { ADD, "pipe.gid", 1 }, { XOR, "pipe.mode", 1 }) },
	{ "pipe", "reopened", 0, ROWS(
		{ SET, "file_pipe[0].flags", 0 }, { SET, "file_pipe[2].flags", 1 }) },
	{ "pipe_matrix", "2", 0, ROWS(
		{ XOR, "file[4].open_flags", 0x800 }, { ADD, "pipe[3].nr_buffers", 1,
		  .refused = true }, { ADD, "file_pipe[2].pipe", 1, .refused = true }) },
	{ "fifo", "first", 0, ROWS({ SET, "file_pipe.flags", 0 }) },
	{ "fifo", "reader", 0, ROWS({ SET, "file_pipe.flags", 2 }) },
	{ "fifo", "packets", 0, ROWS({ SET, "pipe.capacity", 65536 }) },
	{ "fifo", "both", 0, ROWS({ SET, "pipe.flags", 0, .refused = true }) },
	{ "inotify", "watches", 0, ROWS(
		{ XOR, "inotify_watch[0].mask", 0x100 }, { XOR, "inotify_watch[1].mask", 4 },
		{ XOR, "inotify_watch[2].mask", 0x80000000 },
		{ XOR, "inotify_watch[4].mask", 0x04000000 },
		{ ADD, "inotify_watch[4].wd", 1 }, { ADD, "inotify.next_wd", 1 },
		{ ADD, "inotify.next_wd", -1ULL },
		{ ADD, "inotify_watch[3].wd", 2, .refused = true }) },
	{ "inotify", "events", 0, ROWS(
		{ XOR, "inotify_event[0].mask", 0x200 }, { XOR, "inotify_event[0].wd", 3 },
		{ XOR, "inotify_event[3].cookie", 1 }, { BYTES, "inotify_event+32", 1ULL << 32 },
		{ SET, "inotify_event[1].flags", 0, .refused = true }) },
	{ "inotify", "overflow", 0, ROWS({ ADD, "inotify.max_events", -1ULL }) },
	{ }
};
