// SPDX-License-Identifier: GPL-2.0
/* All subjects, one line for each run. */
#include <stddef.h>

#include "cases.h"

#define CPU(name, program, arg, ...)	{ "cpu", name, program, arg, __VA_ARGS__ }
#define TIME(name, program, arg, ...)	{ "time", name, program, arg, LASTS __VA_ARGS__ }
#define SIGNALS(name, program, arg, ...) { "signals", name, program, arg, __VA_ARGS__ }
#define TASK(name, program, arg, ...)	{ "task", name, program, arg, __VA_ARGS__ }
#define MEMORY(name, program, arg, ...)	{ "memory", name, program, arg, __VA_ARGS__ }
#define FILES(name, program, arg, ...)	{ "files", name, program, arg, __VA_ARGS__ }
#define EVENTS(name, program, arg, ...)	{ "events", name, program, arg, __VA_ARGS__ }
#define LIBC(name, program, arg, ...)	{ "libc", name, program, arg, __VA_ARGS__ }

const struct subject_case subject_cases[] = {
	CPU("regs", "regs", "most", RUNS),
	CPU("regs-rest", "regs", "rest", RUNS),
	CPU("regs-syscall", "regs", "syscall"),
	CPU("x87", "fpu", "x87", RUNS),
	CPU("x87-syscall", "fpu", "x87-syscall"),
	CPU("sse", "fpu", "sse", RUNS),
	CPU("sse-syscall", "fpu", "sse-syscall"),
	CPU("avx", "fpu", "avx", RUNS),
	CPU("avx-syscall", "fpu", "avx-syscall"),
	CPU("avx512", "fpu", "avx512", RUNS),
	CPU("pkru", "fpu", "pkru", RUNS),
	CPU("tls", "tls", ""),
	CPU("rseq", "rseq", "registered"),
	CPU("rseq-section", "rseq", "section", RUNS, 5),
	CPU("vdso", "vdso", "", RUNS | WORKS, 8),

	TIME("nanosleep", "sleep", "nanosleep"),
	TIME("sleep-monotonic", "sleep", "clock-monotonic"),
	TIME("sleep-realtime", "sleep", "clock-realtime"),
	TIME("sleep-boottime", "sleep", "clock-boottime"),
	TIME("sleep-until-monotonic", "sleep", "until-monotonic", | SAME_BOOT),
	TIME("sleep-until-realtime", "sleep", "until-realtime", | SAME_BOOT),
	TIME("poll", "sleep", "poll"),
	TIME("ppoll", "sleep", "ppoll", | DRIFTS),
	TIME("select", "sleep", "select", | DRIFTS),
	TIME("pselect", "sleep", "pselect", | DRIFTS),
	TIME("futex", "sleep", "futex"),
	TIME("futex-monotonic", "sleep", "futex-monotonic"),
	TIME("futex-realtime", "sleep", "futex-realtime", | SAME_BOOT),
	TIME("itimer-fires", "itimer", "fires", | RUNS),
	{ "time", "itimers", "itimer", "armed" },

	SIGNALS("sighandlers", "sighandlers", ""),
	SIGNALS("sigmask", "sigmask", ""),
	SIGNALS("sigsuspend", "sigmask", "suspend"),
	SIGNALS("altstack", "altstack", "idle"),
	SIGNALS("altstack-disarm", "altstack", "disarm"),
	SIGNALS("altstack-on", "altstack", "on"),
	SIGNALS("altstack-on-disarm", "altstack", "on-disarm"),
	SIGNALS("pending", "pending", ""),

	TASK("rlimits", "rlimits", ""),
	TASK("rlimits-user", "rlimits", "", ORDINARY),
	TASK("comm", "attributes", "comm"),
	TASK("personality", "attributes", "personality"),
	TASK("dumpable-off", "attributes", "dumpable-off"),
	TASK("dumpable-on", "attributes", "dumpable-on"),
	TASK("no-new-privs", "attributes", "no-new-privs"),
	TASK("no-new-privs-user", "attributes", "no-new-privs", ORDINARY),
	TASK("nice", "attributes", "nice"),
	TASK("nice-user", "attributes", "nice", ORDINARY),
	TASK("sched-batch", "attributes", "batch"),
	TASK("sched-idle", "attributes", "idle"),
	TASK("sched-fifo", "attributes", "fifo"),
	TASK("timer-slack", "attributes", "timer-slack"),
	TASK("oom-score", "attributes", "oom"),
	TASK("pdeath", "attributes", "pdeath"),
	TASK("thp-disable", "attributes", "thp-disable"),
	TASK("umask", "attributes", "umask"),
	TASK("creds-ids", "creds", "ids"),
	TASK("creds-caps", "creds", "caps"),
	TASK("creds-securebits", "creds", "securebits"),
	TASK("creds-user", "creds", "user", ORDINARY),
	TASK("robust-list", "robust", ""),
	TASK("identity", "identity", ""),
	TASK("title", "identity", "title"),
	TASK("cwd", "identity", "cwd"),
	TASK("cwd-user", "identity", "cwd", ORDINARY),
	TASK("chroot", "identity", "chroot"),

	MEMORY("anonymous", "memory", "anonymous"),
	MEMORY("heap", "memory", "heap"),
	MEMORY("heap-user", "memory", "heap", ORDINARY),
	MEMORY("stack", "memory", "stack"),
	MEMORY("grows-down", "memory", "grows"),
	MEMORY("sparse", "memory", "sparse"),
	MEMORY("zero-pages", "memory", "zero"),
	MEMORY("file-private", "mappings", "private"),
	MEMORY("file-untouched", "mappings", "untouched"),
	MEMORY("file-shared", "mappings", "shared"),
	MEMORY("file-shared-closed", "mappings", "shared-closed"),
	MEMORY("file-short", "mappings", "short"),
	MEMORY("shared-anonymous", "mappings", "anonymous"),
	MEMORY("shared-dev-zero", "mappings", "dev-zero"),
	MEMORY("private-dev-zero", "mappings", "zero-private"),
	MEMORY("locked", "vmflags", "locked"),
	MEMORY("lock-all", "vmflags", "lock-all"),
	MEMORY("advice", "vmflags", "advice"),
	MEMORY("huge", "vmflags", "huge"),

	FILES("file-flags", "files", "flags"),
	FILES("file-sharing", "files", "sharing"),
	FILES("file-sharing-user", "files", "sharing", ORDINARY),
	FILES("directory", "files", "directory"),
	FILES("devices", "files", "devices"),
	FILES("many-files", "files", "many"),

	EVENTS("eventfd", "eventfd", ""),
	EVENTS("eventfd-user", "eventfd", "", ORDINARY),
	EVENTS("signalfd", "signalfd", ""),
	EVENTS("timerfd-armed", "timerfd", "armed"),
	EVENTS("timerfd-ticks", "timerfd", "ticks"),
	EVENTS("timerfd-day", "timerfd", "day", SAME_BOOT),
	EVENTS("timerfd-cancelled", "timerfd", "cancelled", SAME_BOOT),

	LIBC("musl-heap", "memory.musl", "heap"),
	LIBC("musl-tls", "tls.musl", ""),
	LIBC("musl-signals", "sighandlers.musl", ""),
	LIBC("dynamic-heap", "memory.dynamic", "heap", DYNAMIC),
	LIBC("dynamic-tls", "tls.dynamic", "", DYNAMIC),
	LIBC("dynamic-vdso", "vdso.dynamic", "", DYNAMIC | RUNS | WORKS, 4),
};

const size_t nr_subject_cases = sizeof(subject_cases) / sizeof(*subject_cases);
