// SPDX-License-Identifier: GPL-2.0
/*
 * THE description of the image: every field of every record.
 *
 * Validation, the output of ckptinfo, the format document and the comparison
 * of two images all come from these tables. The assertion behind each table
 * proves that it covers its structure: no hole, nothing described twice.
 */
#include "record.h"

#include <linux/checkpoint_image.h>

#define MAX_PID			(1U << 22)
#define ADDRESS_MAX		0x00ffffffffffffffULL
/* The longest time that the kernel's timers know. */
#define NS_MAX			0x7fffffffffffffffULL

/* One row each; HEX, VOLATILE and OPTIONAL may be or-ed into "flags". */
#define HEX			CKPT_FIELD_HEX
#define VOLATILE		CKPT_FIELD_VOLATILE
#define OPTIONAL		CKPT_FIELD_OPTIONAL

#define ROW(_s, _member, _kind, _low, _high, _flags) {			\
	.name	= #_member,						\
	.offset	= offsetof(struct ckpt_hdr_##_s, _member),		\
	.size	= sizeof_field(struct ckpt_hdr_##_s, _member),		\
	.kind	= CKPT_FIELD_##_kind,					\
	.flags	= _flags,						\
	.low	= (u64)(_low),						\
	.high	= (u64)(_high),						\
},

#define ROW_SIZE(_s, _member, _kind, _low, _high, _flags)		\
	+ sizeof_field(struct ckpt_hdr_##_s, _member)

#define DESCRIBE(_s, _rows)						\
static const struct ckpt_field _s##_fields[] = { _rows(ROW, _s) };	\
static_assert(sizeof(struct ckpt_hdr) _rows(ROW_SIZE, _s) ==		\
	      sizeof(struct ckpt_hdr_##_s),				\
	      "table covers struct ckpt_hdr_" #_s);			\
static_assert(sizeof(struct ckpt_hdr_##_s) % 8 == 0,			\
	      "size of struct ckpt_hdr_" #_s)

#define ANY(R, s, m, flags)	R(s, m, UINT, 0, ~0ULL, flags)
#define UINT(R, s, m, lo, hi)	R(s, m, UINT, lo, hi, 0)
#define MASK(R, s, m, bits)	R(s, m, MASK, bits, 0, HEX)
#define REF(R, s, m, type)	R(s, m, REF, CKPT_OBJ_##type, 0, 0)
#define OPT_REF(R, s, m, type)	R(s, m, REF, CKPT_OBJ_##type, 0, OPTIONAL)
#define ZERO(R, s, m)		R(s, m, ZERO, 0, 0, 0)
#define ADDRESS(R, s, m)	R(s, m, UINT, 0, ADDRESS_MAX, HEX)

#define HEADER(R, s)							\
	R(s, magic, UINT, CKPT_IMAGE_MAGIC, CKPT_IMAGE_MAGIC, HEX)	\
	UINT(R, s, version, CKPT_IMAGE_VERSION, CKPT_IMAGE_VERSION)	\
	UINT(R, s, arch, CKPT_ARCH_X86_64, CKPT_ARCH_X86_64)		\
	MASK(R, s, features, 0)						\
	ANY(R, s, time, VOLATILE)					\
	MASK(R, s, flags, 0x7)						\
	R(s, id, UINT, 1, 0x7fffffff, VOLATILE)				\
	UINT(R, s, page_size, 4096, 65536)				\
	UINT(R, s, comm_len, 16, 16)					\
	UINT(R, s, nr_signals, 64, 64)					\
	UINT(R, s, nr_rlimits, 16, 16)					\
	ZERO(R, s, reserved)
DESCRIBE(header, HEADER);

#define HEADER_ARCH(R, s)						\
	ANY(R, s, xfeatures, HEX)					\
	ANY(R, s, xstate_size, 0)					\
	ANY(R, s, vdso_size, 0)						\
	ANY(R, s, vdso_hash, HEX)					\
	ANY(R, s, vdso_chosen_hash, HEX)
DESCRIBE(header_arch, HEADER_ARCH);

#define BUFFER(R, s)							\
	UINT(R, s, nbytes, 0, CKPT_BUFFER_MAX)				\
	ZERO(R, s, reserved)
DESCRIBE(buffer, BUFFER);

#define OBJREF(R, s)							\
	UINT(R, s, objtype, 1, CKPT_OBJ_MAX - 1)			\
	UINT(R, s, objref, 1, 0x7fffffff)
DESCRIBE(objref, OBJREF);

#define CONTAINER(R, s)							\
	MASK(R, s, flags, CKPT_CONTAINER_SUBTREE)			\
	ZERO(R, s, reserved)
DESCRIBE(container, CONTAINER);

#define TREE(R, s)							\
	UINT(R, s, nr_tasks, 1, MAX_PID)				\
	ANY(R, s, nr_nested_pids, 0)
DESCRIBE(tree, TREE);

#define PIDS(R, s)							\
	R(s, pid, UINT, 1, MAX_PID, VOLATILE)				\
	R(s, tgid, UINT, 1, MAX_PID, VOLATILE)				\
	R(s, ppid, UINT, 0, MAX_PID, VOLATILE)				\
	R(s, pgid, UINT, 0, MAX_PID, VOLATILE)				\
	R(s, sid, UINT, 0, MAX_PID, VOLATILE)				\
	R(s, depth, UINT, 0, 32, VOLATILE)				\
	MASK(R, s, flags, CKPT_PIDS_ALL)				\
	OPT_REF(R, s, pid_ns, PID_NS)
DESCRIBE(pids, PIDS);

#define NESTED_PID(R, s)						\
	R(s, pid, UINT, 1, MAX_PID, VOLATILE)				\
	REF(R, s, pid_ns, PID_NS)					\
	UINT(R, s, nested_pid, 1, MAX_PID)				\
	ZERO(R, s, reserved)
DESCRIBE(nested_pid, NESTED_PID);

#define TASK(R, s)							\
	MASK(R, s, flags, CKPT_TASK_ALL)				\
	R(s, exit_signal, UINT, 0, 64, VOLATILE)			\
	ANY(R, s, personality, HEX)					\
	R(s, nice, SINT, -20, 19, 0)					\
	UINT(R, s, sched_policy, 0, 7)					\
	UINT(R, s, rt_priority, 0, 99)					\
	ANY(R, s, timer_slack_ns, 0)					\
	R(s, comm, TEXT, 0, 0, 0)					\
	ANY(R, s, default_timer_slack_ns, 0)				\
	UINT(R, s, slice_ns, 0, 100000000)				\
	UINT(R, s, ioprio, 0, 0xffff)					\
	R(s, vfork_child, UINT, 0, MAX_PID, VOLATILE)			\
	UINT(R, s, util_min, 0, 1024)					\
	UINT(R, s, util_max, 0, 1024)
DESCRIBE(task, TASK);

#define TASK_DEAD(R, s)							\
	MASK(R, s, status, 0xffff)					\
	UINT(R, s, exit_signal, 0, 64)					\
	REF(R, s, cred, CRED)						\
	ZERO(R, s, reserved)						\
	R(s, comm, TEXT, 0, 0, 0)
DESCRIBE(task_dead, TASK_DEAD);

#define TASK_OBJS(R, s)							\
	REF(R, s, cred, CRED)						\
	REF(R, s, fs, FS)						\
	REF(R, s, files, FILE_TABLE)					\
	REF(R, s, mm, MM)						\
	REF(R, s, sighand, SIGHAND)					\
	REF(R, s, signal, SIGNAL)					\
	OPT_REF(R, s, seccomp_filter, SECCOMP_FILTER)			\
	OPT_REF(R, s, nsproxy, NSPROXY)
DESCRIBE(task_objs, TASK_OBJS);

#define THREAD(R, s)							\
	ADDRESS(R, s, clear_child_tid)					\
	ADDRESS(R, s, set_child_tid)					\
	ADDRESS(R, s, robust_list)					\
	ADDRESS(R, s, rseq)						\
	UINT(R, s, rseq_len, 0, 4096)					\
	ANY(R, s, rseq_sig, HEX)					\
	ANY(R, s, blocked, HEX)						\
	ADDRESS(R, s, altstack_sp)					\
	ADDRESS(R, s, altstack_size)					\
	MASK(R, s, altstack_flags, 0x80000003)				\
	UINT(R, s, pdeath_signal, 0, 64)				\
	UINT(R, s, nr_pending, 0, 1U << 20)				\
	ZERO(R, s, reserved)
DESCRIBE(thread, THREAD);

#define RESTART_BLOCK(R, s)						\
	UINT(R, s, function, 0, CKPT_RESTART_CPU_SLEEP)			\
	ANY(R, s, clockid, 0)						\
	UINT(R, s, has_timeout, 0, 1)					\
	UINT(R, s, nfds, 0, 1U << 30)					\
	R(s, remaining_ns, SINT, -0x7fffffffffffffffLL,			\
	  0x7fffffffffffffffLL, VOLATILE)				\
	ADDRESS(R, s, user_pointer)					\
	ANY(R, s, futex_value, HEX)					\
	ANY(R, s, futex_bitset, HEX)					\
	MASK(R, s, futex_op, 0x180)					\
	ZERO(R, s, reserved)
DESCRIBE(restart_block, RESTART_BLOCK);

#define CRED(R, s)							\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, euid, 0, 0xfffffffe)					\
	UINT(R, s, suid, 0, 0xfffffffe)					\
	UINT(R, s, fsuid, 0, 0xfffffffe)				\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	UINT(R, s, egid, 0, 0xfffffffe)					\
	UINT(R, s, sgid, 0, 0xfffffffe)					\
	UINT(R, s, fsgid, 0, 0xfffffffe)				\
	ANY(R, s, cap_inheritable, HEX)					\
	ANY(R, s, cap_permitted, HEX)					\
	ANY(R, s, cap_effective, HEX)					\
	ANY(R, s, cap_bset, HEX)					\
	ANY(R, s, cap_ambient, HEX)					\
	MASK(R, s, securebits, 0xff)					\
	UINT(R, s, ngroups, 0, 65536)					\
	OPT_REF(R, s, user_ns, USER_NS)					\
	MASK(R, s, outer, CKPT_CRED_ALL)				\
	UINT(R, s, nouter_groups, 0, 65536)				\
	ZERO(R, s, reserved)
DESCRIBE(cred, CRED);

#define SECCOMP_FILTER(R, s)						\
	OPT_REF(R, s, prev, SECCOMP_FILTER)				\
	MASK(R, s, flags, CKPT_SECCOMP_LOG)
DESCRIBE(seccomp_filter, SECCOMP_FILTER);

#define CPU(R, s)							\
	ANY(R, s, r15, HEX) ANY(R, s, r14, HEX) ANY(R, s, r13, HEX)	\
	ANY(R, s, r12, HEX) ANY(R, s, bp, HEX) ANY(R, s, bx, HEX)	\
	ANY(R, s, r11, HEX) ANY(R, s, r10, HEX) ANY(R, s, r9, HEX)	\
	ANY(R, s, r8, HEX) ANY(R, s, ax, HEX) ANY(R, s, cx, HEX)	\
	ANY(R, s, dx, HEX) ANY(R, s, si, HEX) ANY(R, s, di, HEX)	\
	ANY(R, s, orig_ax, HEX) ADDRESS(R, s, ip)			\
	UINT(R, s, cs, 0, 0xffff) ANY(R, s, flags, HEX)			\
	ANY(R, s, sp, HEX) UINT(R, s, ss, 0, 0xffff)			\
	ADDRESS(R, s, fs_base) ADDRESS(R, s, gs_base)			\
	UINT(R, s, ds, 0, 0xffff) UINT(R, s, es, 0, 0xffff)		\
	UINT(R, s, fs, 0, 0xffff) UINT(R, s, gs, 0, 0xffff)
DESCRIBE(cpu, CPU);

#define CPU_XSTATE(R, s)						\
	ANY(R, s, features, HEX)
DESCRIBE(cpu_xstate, CPU_XSTATE);

#define FILE_TABLE(R, s)						\
	UINT(R, s, nr_fds, 0, 1U << 30)					\
	ANY(R, s, nr_locks, 0)
DESCRIBE(file_table, FILE_TABLE);

#define FILE_DESC(R, s)							\
	UINT(R, s, fd, 0, 1U << 30)					\
	MASK(R, s, flags, CKPT_FD_CLOEXEC)				\
	REF(R, s, file, FILE)						\
	ZERO(R, s, reserved)
DESCRIBE(file_desc, FILE_DESC);

#define FILE_RECORD(R, s)						\
	UINT(R, s, kind, CKPT_FILE_REGULAR, CKPT_FILE_MAX - 1)		\
	ANY(R, s, open_flags, HEX)					\
	R(s, pos, SINT, -0x7fffffffffffffffLL - 1,			\
	  0x7fffffffffffffffLL, 0)					\
	R(s, fd, SINT, -1, 1 << 30, 0)					\
	R(s, inherit, SINT, -1, 1 << 30, 0)				\
	MASK(R, s, flags, CKPT_FILE_ALL)				\
	ANY(R, s, nr_locks, 0)
DESCRIBE(file, FILE_RECORD);

#define FILE_OWNER(R, s)						\
	UINT(R, s, type, 0, 2)						\
	R(s, pid, UINT, 0, MAX_PID, VOLATILE)				\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, euid, 0, 0xfffffffe)					\
	UINT(R, s, signal, 0, 64)					\
	R(s, async_fd, SINT, -1, 1 << 30, 0)
DESCRIBE(file_owner, FILE_OWNER);

#define FILE_LOCK(R, s)							\
	UINT(R, s, kind, CKPT_LOCK_FLOCK, CKPT_LOCK_POSIX)		\
	UINT(R, s, type, CKPT_LOCK_READ, CKPT_LOCK_WRITE)		\
	UINT(R, s, start, 0, 0x7fffffffffffffffULL)			\
	UINT(R, s, end, 0, 0x7fffffffffffffffULL)			\
	R(s, fd, SINT, -1, 1 << 30, 0)					\
	ZERO(R, s, reserved)
DESCRIBE(file_lock, FILE_LOCK);

#define FILE_LEASE(R, s)						\
	UINT(R, s, type, CKPT_LOCK_READ, CKPT_LOCK_WRITE)		\
	MASK(R, s, flags, CKPT_LEASE_ALL)				\
	R(s, fd, SINT, 0, 1 << 30, 0)					\
	ZERO(R, s, reserved)						\
	R(s, downgrade_ns, UINT, 0, NS_MAX, VOLATILE)			\
	R(s, unlock_ns, UINT, 0, NS_MAX, VOLATILE)
DESCRIBE(file_lease, FILE_LEASE);

#define PIDFD(R, s)							\
	R(s, pid, UINT, 0, MAX_PID, VOLATILE)				\
	MASK(R, s, flags, CKPT_PIDFD_THREAD)				\
	OPT_REF(R, s, gone, GONE_PROCESS)				\
	ZERO(R, s, reserved)
DESCRIBE(pidfd, PIDFD);

#define GONE_PROCESS(R, s)						\
	ZERO(R, s, reserved)
DESCRIBE(gone_process, GONE_PROCESS);

#define FILE_EXTERNAL(R, s)						\
	UINT(R, s, type, CKPT_EXTERNAL_TTY, CKPT_EXTERNAL_OTHER)	\
	R(s, rdev, UINT, 0, ~0U, HEX | VOLATILE)
DESCRIBE(file_external, FILE_EXTERNAL);

#define FILE_PATH(R, s)							\
	MASK(R, s, flags, CKPT_PATH_EXEC | CKPT_PATH_MAY_GROW |		\
	     CKPT_PATH_ANY | CKPT_PATH_FORCE)				\
	ANY(R, s, mode, HEX)						\
	ANY(R, s, fs_magic, HEX)					\
	R(s, fs_uuid, BYTES, 0, 0, 0)					\
	ANY(R, s, ino, 0)						\
	ANY(R, s, rdev, HEX)						\
	ANY(R, s, generation, 0)					\
	ANY(R, s, size, VOLATILE)					\
	R(s, mtime_sec, SINT, -0x7fffffffffffffffLL,			\
	  0x7fffffffffffffffLL, VOLATILE)				\
	R(s, mtime_nsec, UINT, 0, 999999999, VOLATILE)			\
	ANY(R, s, dev, HEX | VOLATILE)
DESCRIBE(file_path, FILE_PATH);

#define EVENTFD(R, s)							\
	ANY(R, s, count, 0)						\
	MASK(R, s, flags, CKPT_EVENTFD_SEMAPHORE)			\
	ZERO(R, s, reserved)
DESCRIBE(eventfd, EVENTFD);

#define SIGNALFD(R, s)							\
	ANY(R, s, mask, HEX)
DESCRIBE(signalfd, SIGNALFD);

#define TIMERFD(R, s)							\
	UINT(R, s, clockid, 0, 9)					\
	MASK(R, s, settime_flags, 0x3)					\
	MASK(R, s, flags, CKPT_TIMERFD_ABSOLUTE | CKPT_TIMERFD_CANCELED) \
	ZERO(R, s, reserved)						\
	R(s, value_ns, UINT, 0, NS_MAX, VOLATILE)			\
	R(s, interval_ns, UINT, 0, NS_MAX, 0)				\
	R(s, ticks, UINT, 0, ~0ULL, VOLATILE)				\
	R(s, real_offset_ns, SINT, -0x7fffffffffffffffLL,		\
	  0x7fffffffffffffffLL, VOLATILE)
DESCRIBE(timerfd, TIMERFD);

#define EPOLL(R, s)							\
	UINT(R, s, busy_poll_usecs, 0, 0x7fffffff)			\
	UINT(R, s, busy_poll_budget, 0, 0xffff)				\
	MASK(R, s, flags, CKPT_EPOLL_PREFER_BUSY_POLL)			\
	ZERO(R, s, reserved)
DESCRIBE(epoll, EPOLL);

#define EPOLL_ITEMS(R, s)						\
	REF(R, s, epoll, FILE)						\
	ANY(R, s, nr_items, 0)
DESCRIBE(epoll_items, EPOLL_ITEMS);

#define EPOLL_ITEM(R, s)						\
	REF(R, s, file, FILE)						\
	UINT(R, s, fd, 0, 0x7fffffff)					\
	ANY(R, s, events, HEX)						\
	MASK(R, s, flags, CKPT_EPOLL_ITEM_READY)			\
	ANY(R, s, reported, HEX)					\
	ZERO(R, s, reserved)						\
	ANY(R, s, data, HEX)
DESCRIBE(epoll_item, EPOLL_ITEM);

#define FILE_PIPE(R, s)							\
	REF(R, s, pipe, PIPE)						\
	MASK(R, s, flags, CKPT_FILE_PIPE_ALL)
DESCRIBE(file_pipe, FILE_PIPE);

#define PIPE(R, s)							\
	MASK(R, s, flags, CKPT_PIPE_ALL)				\
	UINT(R, s, capacity, 4096, 1U << 31)				\
	UINT(R, s, nr_buffers, 0, 1U << 19)				\
	ANY(R, s, readers, 0)						\
	ANY(R, s, writers, 0)						\
	MASK(R, s, mode, 07777)						\
	ANY(R, s, uid, 0)						\
	ANY(R, s, gid, 0)
DESCRIBE(pipe, PIPE);

#define PIPE_BUFFER(R, s)						\
	UINT(R, s, offset, 0, 65535)					\
	MASK(R, s, flags, CKPT_PIPE_BUFFER_ALL)
DESCRIBE(pipe_buffer, PIPE_BUFFER);

#define FILE_PROC(R, s)							\
	UINT(R, s, where, CKPT_PROC_GLOBAL, CKPT_PROC_THREAD)		\
	MASK(R, s, mode, 0170000)					\
	OPT_REF(R, s, mm, MM)						\
	OPT_REF(R, s, fs, FS)
DESCRIBE(file_proc, FILE_PROC);

#define INOTIFY(R, s)							\
	ANY(R, s, nr_watches, 0)					\
	ANY(R, s, nr_events, 0)						\
	UINT(R, s, next_wd, 0, 0x80000000)				\
	ANY(R, s, max_events, 0)
DESCRIBE(inotify, INOTIFY);

#define INOTIFY_WATCH(R, s)						\
	UINT(R, s, wd, 1, 0x7fffffff)					\
	MASK(R, s, mask, 0x84000fff)
DESCRIBE(inotify_watch, INOTIFY_WATCH);

#define INOTIFY_EVENT(R, s)						\
	R(s, wd, SINT, -1, 0x7fffffff, 0)				\
	MASK(R, s, mask, 0x4000efff)					\
	ANY(R, s, cookie, 0)						\
	MASK(R, s, flags, CKPT_INOTIFY_EVENT_NAME)
DESCRIBE(inotify_event, INOTIFY_EVENT);

#define UNLINKED(R, s)							\
	ANY(R, s, fs_magic, HEX)					\
	MASK(R, s, flags, CKPT_UNLINKED_LINKABLE)			\
	ZERO(R, s, reserved)
DESCRIBE(unlinked, UNLINKED);

#define FILE_UNLINKED(R, s)						\
	REF(R, s, unlinked, UNLINKED)					\
	ZERO(R, s, reserved)
DESCRIBE(file_unlinked, FILE_UNLINKED);

#define REMOVED_DIRECTORY(R, s)						\
	ANY(R, s, fs_magic, HEX)
DESCRIBE(removed_directory, REMOVED_DIRECTORY);

#define FILE_REMOVED_DIRECTORY(R, s)					\
	REF(R, s, directory, REMOVED_DIRECTORY)				\
	ZERO(R, s, reserved)
DESCRIBE(file_removed_directory, FILE_REMOVED_DIRECTORY);

#define FILE_ATTRIBUTES(R, s)						\
	UINT(R, s, size, 0, 0x7fffffffffffffffULL)			\
	MASK(R, s, mode, 07777)						\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	R(s, atime_nsec, UINT, 0, 999999999, VOLATILE)			\
	R(s, atime_sec, SINT, -0x7fffffffffffffffLL,			\
	  0x7fffffffffffffffLL, VOLATILE)				\
	R(s, mtime_sec, SINT, -0x7fffffffffffffffLL,			\
	  0x7fffffffffffffffLL, 0)					\
	UINT(R, s, mtime_nsec, 0, 999999999)				\
	ZERO(R, s, reserved)
DESCRIBE(file_attributes, FILE_ATTRIBUTES);

#define FS(R, s)							\
	UINT(R, s, umask, 0, 0777)					\
	OPT_REF(R, s, removed_pwd, REMOVED_DIRECTORY)
DESCRIBE(fs, FS);

#define MM(R, s)							\
	ADDRESS(R, s, start_code) ADDRESS(R, s, end_code)		\
	ADDRESS(R, s, start_data) ADDRESS(R, s, end_data)		\
	ADDRESS(R, s, start_brk) ADDRESS(R, s, brk)			\
	ADDRESS(R, s, start_stack)					\
	ADDRESS(R, s, arg_start) ADDRESS(R, s, arg_end)			\
	ADDRESS(R, s, env_start) ADDRESS(R, s, env_end)			\
	ADDRESS(R, s, mmap_base)					\
	OPT_REF(R, s, exe_file, FILE)					\
	MASK(R, s, flags, CKPT_MM_ALL)					\
	UINT(R, s, dumpable, 0, 2)					\
	MASK(R, s, coredump_filter, 0x1ff)				\
	MASK(R, s, membarrier, 0x1fe)					\
	UINT(R, s, nr_vmas, 0, 0x7fffffff)				\
	OPT_REF(R, s, user_ns, USER_NS)					\
	ZERO(R, s, reserved)
DESCRIBE(mm, MM);

#define VMA(R, s)							\
	ADDRESS(R, s, start)						\
	ADDRESS(R, s, end)						\
	R(s, offset, UINT, 0, 0x7fffffffffffffffULL, HEX)		\
	UINT(R, s, kind, CKPT_VMA_ANON, CKPT_VMA_VVAR)			\
	MASK(R, s, flags, CKPT_VMA_ALL)					\
	OPT_REF(R, s, file, FILE)					\
	OPT_REF(R, s, shmem, SHMEM)					\
	R(s, cow_start, UINT, 0, ADDRESS_MAX, HEX | VOLATILE)		\
	R(s, cow_mm, REF, CKPT_OBJ_MM, 0, OPTIONAL | VOLATILE)		\
	ZERO(R, s, reserved)
DESCRIBE(vma, VMA);

#define PAGES(R, s)							\
	R(s, start, UINT, 0, 0x7fffffffffffffffULL, HEX)		\
	UINT(R, s, nr_pages, 1, CKPT_PAGES_MAX)				\
	MASK(R, s, flags, CKPT_PAGES_HUGE)
DESCRIBE(pages, PAGES);

#define PAGES_COW(R, s)							\
	ADDRESS(R, s, start)						\
	ADDRESS(R, s, source)						\
	UINT(R, s, nr_pages, 1, CKPT_PAGES_MAX)				\
	REF(R, s, mm, MM)
DESCRIBE(pages_cow, PAGES_COW);

#define PAGES_END(R, s)							\
	ANY(R, s, nr_pages, 0)
DESCRIBE(pages_end, PAGES_END);

#define MM_ARCH(R, s)							\
	ADDRESS(R, s, vdso)						\
	MASK(R, s, flags, CKPT_MM_X86_VSYSCALL)				\
	MASK(R, s, pkeys, 0xfffe)					\
	UINT(R, s, execute_only_pkey, 0, 15)
DESCRIBE(mm_arch, MM_ARCH);

#define SHMEM(R, s)							\
	R(s, size, UINT, 0, 0x7fffffffffffffffULL, 0)			\
	MASK(R, s, flags, CKPT_VMA_NORESERVE)				\
	ANY(R, s, nr_policies, 0)
DESCRIBE(shmem, SHMEM);

#define MEMFD(R, s)							\
	MASK(R, s, seals, 0x3f)						\
	ANY(R, s, nr_policies, 0)
DESCRIBE(memfd, MEMFD);

#define MEMPOLICY(R, s)							\
	UINT(R, s, mode, 1, 6)						\
	MASK(R, s, flags, CKPT_MEMPOLICY_ALL)				\
	R(s, home_node, SINT, -1, 65535, 0)				\
	ZERO(R, s, reserved)						\
	UINT(R, s, start, 0, 0x7fffffffffffffffULL)			\
	UINT(R, s, end, 0, 0x7fffffffffffffffULL)
DESCRIBE(mempolicy, MEMPOLICY);

#define FILE_MEMFD(R, s)						\
	REF(R, s, shmem, SHMEM)						\
	MASK(R, s, flags, CKPT_MEMFD_ORIGINAL)
DESCRIBE(file_memfd, FILE_MEMFD);

#define SIGHAND(R, s)							\
	UINT(R, s, nr_actions, 0, 64)					\
	ZERO(R, s, reserved)
DESCRIBE(sighand, SIGHAND);

#define SIGACTION(R, s)							\
	UINT(R, s, signo, 1, 64)					\
	ZERO(R, s, reserved)						\
	ADDRESS(R, s, handler)						\
	ANY(R, s, flags, HEX)						\
	ADDRESS(R, s, restorer)						\
	ANY(R, s, mask, HEX)
DESCRIBE(sigaction, SIGACTION);

#define SIGNAL(R, s)							\
	R(s, rlim_cur, ARRAY, 0, 0, 0)					\
	R(s, rlim_max, ARRAY, 0, 0, 0)					\
	R(s, itimer_value_ns, ARRAY, 0, 0, VOLATILE)			\
	R(s, itimer_interval_ns, ARRAY, 0, 0, 0)			\
	R(s, oom_score_adj, SINT, -1000, 1000, 0)			\
	UINT(R, s, nr_pending, 0, 1U << 20)				\
	R(s, oom_score_adj_min, SINT, -1000, 1000, 0)			\
	UINT(R, s, stop_signal, 0, 64)					\
	MASK(R, s, stop_flags, CKPT_STOP_ALL)				\
	UINT(R, s, nr_posix_timers, 0, 1U << 20)			\
	UINT(R, s, next_posix_timer_id, 0, 0x7fffffff)			\
	ZERO(R, s, reserved)
DESCRIBE(signal, SIGNAL);

#define POSIX_TIMER(R, s)						\
	UINT(R, s, id, 0, 0x7fffffff)					\
	UINT(R, s, clockid, 0, 11)					\
	UINT(R, s, cpu_time, 0, CKPT_CPU_TIME_SCHED)			\
	R(s, cpu_pid, UINT, 0, MAX_PID, VOLATILE)			\
	UINT(R, s, notify, 0, 4)					\
	UINT(R, s, signo, 0, 64)					\
	R(s, thread, UINT, 0, MAX_PID, VOLATILE)			\
	MASK(R, s, flags, CKPT_POSIX_TIMER_ALL)				\
	ANY(R, s, sigval, HEX)						\
	R(s, value_ns, UINT, 0, NS_MAX, VOLATILE)			\
	UINT(R, s, interval_ns, 0, NS_MAX)				\
	R(s, overrun, SINT, -1, NS_MAX, VOLATILE)			\
	R(s, overrun_last, SINT, -1, NS_MAX, 0)
DESCRIBE(posix_timer, POSIX_TIMER);

#define SIGINFO(R, s)							\
	UINT(R, s, signo, 1, 64)					\
	UINT(R, s, has_info, 0, CKPT_SIGINFO_TIMER)			\
	R(s, info, BYTES, 0, 0, 0)
DESCRIBE(siginfo, SIGINFO);

#define NSPROXY(R, s)							\
	OPT_REF(R, s, uts_ns, UTS_NS)					\
	OPT_REF(R, s, ipc_ns, IPC_NS)					\
	OPT_REF(R, s, pid_ns_for_children, PID_NS)			\
	ZERO(R, s, reserved)
DESCRIBE(nsproxy, NSPROXY);

#define UTS_NS(R, s)							\
	R(s, nodename, TEXT, 0, 0, 0)					\
	R(s, domainname, TEXT, 0, 0, 0)					\
	ZERO(R, s, reserved)						\
	OPT_REF(R, s, user_ns, USER_NS)
DESCRIBE(uts_ns, UTS_NS);

/* Index and sequence number of an IPC identifier, with or without ipcmni_extend. */
#define IPC_INDICES		(1U << 24)
#define IPC_SEQ_MAX		65535

#define IPC_NEXT(R, s, kind)						\
	UINT(R, s, kind##_seq, 0, IPC_SEQ_MAX)				\
	R(s, kind##_last, SINT, -1, IPC_INDICES - 1, 0)			\
	UINT(R, s, kind##_next, 0, IPC_INDICES)

#define IPC_NS(R, s)							\
	ANY(R, s, shmmax, 0)						\
	ANY(R, s, shmall, 0)						\
	UINT(R, s, shmmni, 0, IPC_INDICES)				\
	UINT(R, s, shm_rmid_forced, 0, 1)				\
	UINT(R, s, msgmax, 0, 0x7fffffff)				\
	UINT(R, s, msgmnb, 0, 0x7fffffff)				\
	UINT(R, s, msgmni, 0, IPC_INDICES)				\
	R(s, semmsl, SINT, -0x80000000LL, 0x7fffffff, 0)		\
	R(s, semmns, SINT, -0x80000000LL, 0x7fffffff, 0)		\
	R(s, semopm, SINT, -0x80000000LL, 0x7fffffff, 0)		\
	UINT(R, s, semmni, 0, IPC_INDICES)				\
	ANY(R, s, mq_queues_max, 0)					\
	UINT(R, s, mq_msg_max, 0, 65536)				\
	UINT(R, s, mq_msgsize_max, 0, 1U << 24)				\
	UINT(R, s, mq_msg_default, 0, 65536)				\
	UINT(R, s, mq_msgsize_default, 0, 1U << 24)			\
	IPC_NEXT(R, s, sem)						\
	IPC_NEXT(R, s, msg)						\
	IPC_NEXT(R, s, shm)						\
	UINT(R, s, nr_sem_sets, 0, IPC_INDICES)				\
	UINT(R, s, nr_msg_queues, 0, IPC_INDICES)			\
	OPT_REF(R, s, user_ns, USER_NS)
DESCRIBE(ipc_ns, IPC_NS);

#include "records_sockets.h"

#define IPC_PERM(R, s)							\
	UINT(R, s, id, 0, 0x7fffffff)					\
	ANY(R, s, key, HEX)						\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	UINT(R, s, cuid, 0, 0xfffffffe)					\
	UINT(R, s, cgid, 0, 0xfffffffe)					\
	MASK(R, s, mode, 0777)						\
	ZERO(R, s, reserved)
DESCRIBE(ipc_perm, IPC_PERM);

#define SECONDS(R, s, m)						\
	R(s, m, SINT, -0x7fffffffffffffffLL, 0x7fffffffffffffffLL, 0)

#define SEM_SET(R, s)							\
	SECONDS(R, s, otime)						\
	SECONDS(R, s, ctime)						\
	UINT(R, s, nsems, 1, CKPT_SEMS_MAX)			\
	ZERO(R, s, reserved)
DESCRIBE(sem_set, SEM_SET);

#define MSG_QUEUE(R, s)							\
	SECONDS(R, s, stime)						\
	SECONDS(R, s, rtime)						\
	SECONDS(R, s, ctime)						\
	ANY(R, s, qbytes, 0)						\
	ANY(R, s, nr_messages, 0)					\
	ZERO(R, s, reserved)
DESCRIBE(msg_queue, MSG_QUEUE);

static_assert(CKPT_MSG_MAX <= CKPT_BUFFER_MAX);

#define MSG(R, s)							\
	UINT(R, s, type, 1, 0x7fffffffffffffffULL)
DESCRIBE(msg, MSG);

#include "records_namespaces.h"

#define TAIL(R, s)							\
	R(s, magic, UINT, CKPT_IMAGE_TAIL_MAGIC,			\
	  CKPT_IMAGE_TAIL_MAGIC, HEX)					\
	ANY(R, s, nr_records, 0)					\
	ANY(R, s, checksum, HEX | VOLATILE)				\
	ANY(R, s, pages_checksum, HEX | VOLATILE)			\
	ZERO(R, s, reserved)
DESCRIBE(tail, TAIL);

#define ERROR(R, s)							\
	UINT(R, s, error, 1, 4095)					\
	ZERO(R, s, reserved)
DESCRIBE(error, ERROR);

#define RECORD(_type, _s, _tail) {					\
	.name		= #_s,						\
	.type		= CKPT_HDR_##_type,				\
	.size		= sizeof(struct ckpt_hdr_##_s),			\
	.min_size	= sizeof(struct ckpt_hdr_##_s),			\
	.tail		= CKPT_TAIL_##_tail,				\
	.nr_fields	= ARRAY_SIZE(_s##_fields),			\
	.fields		= _s##_fields,					\
}

/* Ascending types: ckpt_record_find() searches. */
const struct ckpt_record ckpt_records[] = {
	RECORD(HEADER,		header,		NONE),
	RECORD(HEADER_ARCH,	header_arch,	NONE),
	{
		.name		= "string",
		.type		= CKPT_HDR_STRING,
		.size		= sizeof(struct ckpt_hdr_string),
		.min_size	= sizeof(struct ckpt_hdr_string),
		.tail		= CKPT_TAIL_TEXT,
	},
	RECORD(BUFFER,		buffer,		BUFFER),
	RECORD(OBJREF,		objref,		NONE),
	RECORD(CONTAINER,	container,	NONE),
	RECORD(TREE,		tree,		NONE),
	RECORD(PIDS,		pids,		NONE),
	RECORD(NESTED_PID,	nested_pid,	NONE),
	RECORD(TASK,		task,		NONE),
	RECORD(TASK_OBJS,	task_objs,	NONE),
	RECORD(THREAD,		thread,		NONE),
	RECORD(RESTART_BLOCK,	restart_block,	NONE),
	RECORD(CRED,		cred,		NONE),
	RECORD(CPU,		cpu,		NONE),
	RECORD(CPU_XSTATE,	cpu_xstate,	NONE),
	RECORD(TASK_DEAD,	task_dead,	NONE),
	RECORD(SECCOMP_FILTER,	seccomp_filter,	NONE),
	RECORD(FILE_TABLE,	file_table,	NONE),
	RECORD(FILE_DESC,	file_desc,	NONE),
	RECORD(FILE,		file,		NONE),
	RECORD(FS,		fs,		NONE),
	RECORD(FILE_PATH,	file_path,	NONE),
	RECORD(FILE_PIPE,	file_pipe,	NONE),
	RECORD(PIPE,		pipe,		NONE),
	RECORD(PIPE_BUFFER,	pipe_buffer,	NONE),
	RECORD(EVENTFD,		eventfd,	NONE),
	RECORD(SIGNALFD,	signalfd,	NONE),
	RECORD(TIMERFD,		timerfd,	NONE),
	RECORD(EPOLL,		epoll,		NONE),
	RECORD(EPOLL_ITEM,	epoll_item,	NONE),
	RECORD(EPOLL_ITEMS,	epoll_items,	NONE),
	RECORD(INOTIFY,		inotify,	NONE),
	RECORD(INOTIFY_WATCH,	inotify_watch,	NONE),
	RECORD(INOTIFY_EVENT,	inotify_event,	NONE),
	RECORD(FILE_OWNER,	file_owner,	NONE),
	RECORD(FILE_LOCK,	file_lock,	NONE),
	RECORD(FILE_LEASE,	file_lease,	NONE),
	RECORD(PIDFD,		pidfd,		NONE),
	RECORD(GONE_PROCESS,	gone_process,	NONE),
	RECORD(UNLINKED,	unlinked,	NONE),
	RECORD(FILE_UNLINKED,	file_unlinked,	NONE),
	RECORD(FILE_ATTRIBUTES,	file_attributes, NONE),
	RECORD(FILE_PROC,	file_proc,	NONE),
	RECORD(REMOVED_DIRECTORY, removed_directory, NONE),
	RECORD(FILE_REMOVED_DIRECTORY, file_removed_directory, NONE),
	RECORD(FILE_EXTERNAL,	file_external,	NONE),
	RECORD(MM,		mm,		NONE),
	RECORD(VMA,		vma,		NONE),
	RECORD(PAGES,		pages,		PAGES),
	RECORD(PAGES_END,	pages_end,	NONE),
	RECORD(MM_ARCH,		mm_arch,	NONE),
	RECORD(SHMEM,		shmem,		NONE),
	RECORD(MEMFD,		memfd,		NONE),
	RECORD(FILE_MEMFD,	file_memfd,	NONE),
	RECORD(PAGES_COW,	pages_cow,	NONE),
	RECORD(MEMPOLICY,	mempolicy,	NONE),
	RECORD(SIGHAND,		sighand,	NONE),
	RECORD(SIGACTION,	sigaction,	NONE),
	RECORD(SIGNAL,		signal,		NONE),
	RECORD(SIGINFO,		siginfo,	NONE),
	RECORD(POSIX_TIMER,	posix_timer,	NONE),
	RECORD(NSPROXY,		nsproxy,	NONE),
	RECORD(UTS_NS,		uts_ns,		NONE),
	RECORD(IPC_NS,		ipc_ns,		NONE),
	RECORD(IPC_PERM,	ipc_perm,	NONE),
	RECORD(SEM_SET,		sem_set,	NONE),
	RECORD(MSG_QUEUE,	msg_queue,	NONE),
	RECORD(MSG,		msg,		NONE),
	RECORD(USER_NS,		user_ns,	NONE),
	RECORD(ID_EXTENT,	id_extent,	NONE),
	RECORD(PID_NS,		pid_ns,		NONE),
	RECORD(SOCKET,		socket,		NONE),
	RECORD(UNIX_SOCKETS,	unix_sockets,	NONE),
	RECORD(UNIX_SOCKET,	unix_socket,	NONE),
	RECORD(UNIX_MESSAGE,	unix_message,	NONE),
	RECORD(FILE_UNIX,	file_unix,	NONE),
	RECORD(UNIX_PATH,	unix_path,	NONE),
	RECORD(UNIX_FILE,	unix_file,	NONE),
	RECORD(FILE_TCP,	file_tcp,	NONE),
	RECORD(TCP_OPTIONS,	tcp_options,	NONE),
	RECORD(IP_OPTIONS,	ip_options,	NONE),
	RECORD(IPV6_OPTIONS,	ipv6_options,	NONE),
	RECORD(TAIL,		tail,		NONE),
	RECORD(ERROR,		error,		NONE),
};

const unsigned int ckpt_nr_records = ARRAY_SIZE(ckpt_records);
