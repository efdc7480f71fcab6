// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of interrupted system calls.
 *
 * Saved: what restart_syscall() needs to go on with nanosleep(),
 *	clock_nanosleep(), poll() and futex().
 * Refused: sleeps on alarm clocks.
 *
 * The kernel keeps the absolute end of a wait. In an image it is the time that
 * was left: clocks start anew with each boot. The end of a futex wait on
 * CLOCK_REALTIME is a moment in the outside world and stays.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/futex.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/posix-timers.h>
#include <linux/restart_block.h>
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "../futex/futex.h"

static bool clock_now(struct task_struct *task, clockid_t clock, u64 *now)
{
	u64 samples[CPUCLOCK_MAX];

	switch (clock) {
	case CLOCK_MONOTONIC:
		*now = ktime_get_ns();
		return true;
	case CLOCK_REALTIME:
		*now = ktime_get_real_ns();
		return true;
	case CLOCK_BOOTTIME:
		*now = ktime_get_boottime_ns();
		return true;
	case CLOCK_TAI:
		*now = ktime_get_clocktai_ns();
		return true;
	case CLOCK_PROCESS_CPUTIME_ID:
		thread_group_sample_cputime(task, samples);
		*now = samples[CPUCLOCK_SCHED];
		return true;
	default:
		return false;
	}
}

static int save_sleep(struct ckpt_ctx *ctx, struct task_struct *task,
		      struct ckpt_hdr_restart_block *record)
{
	const struct restart_block *block = &task->restart_block;
	u64 now;

	if (!clock_now(task, block->nanosleep.clockid, &now))
		return ckpt_error(ctx, -EOPNOTSUPP, "it sleeps on clock %d",
				  block->nanosleep.clockid);
	record->clockid = block->nanosleep.clockid;
	record->remaining_ns = block->nanosleep.expires - now;
	if (block->nanosleep.type == TT_NATIVE)
		record->user_pointer = (uintptr_t)block->nanosleep.rmtp;
	else if (block->nanosleep.type == TT_COMPAT)
		return ckpt_error(ctx, -EOPNOTSUPP, "its sleep is a 32-bit one");
	return 0;
}

static int save_poll(const struct restart_block *block,
		     struct ckpt_hdr_restart_block *record)
{
	struct timespec64 end = {
		.tv_sec		= block->poll.tv_sec,
		.tv_nsec	= block->poll.tv_nsec,
	};

	record->user_pointer = (uintptr_t)block->poll.ufds;
	record->nfds = block->poll.nfds;
	record->has_timeout = !!block->poll.has_timeout;
	if (record->has_timeout)
		record->remaining_ns = timespec64_to_ns(&end) - ktime_get_ns();
	return 0;
}

static int save_futex(const struct restart_block *block,
		      struct ckpt_hdr_restart_block *record)
{
	record->user_pointer = (uintptr_t)block->futex.uaddr;
	record->futex_value = block->futex.val;
	record->futex_bitset = block->futex.bitset;
	if (!(block->futex.flags & FLAGS_SHARED))
		record->futex_op |= FUTEX_PRIVATE_FLAG;
	record->has_timeout = !!(block->futex.flags & FLAGS_HAS_TIMEOUT);
	record->remaining_ns = block->futex.time;
	if (block->futex.flags & FLAGS_CLOCKRT)
		record->futex_op |= FUTEX_CLOCK_REALTIME;
	else
		record->remaining_ns -= ktime_get_ns();
	return 0;
}

/**
 * ckpt_restart_block_save - save how an interrupted system call goes on
 * @ctx: context
 * @task: stopped, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_restart_block_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct restart_block *block = &task->restart_block;
	struct ckpt_hdr_restart_block *record;

	record = ckpt_record_add(ctx, CKPT_HDR_RESTART_BLOCK);
	if (!record)
		return -ENOMEM;
	/* A call that began after the interrupted one left the block behind. */
	if (task == current || block->fn == do_no_restart_syscall)
		return 0;
	if (block->fn == hrtimer_nanosleep_restart) {
		record->function = CKPT_RESTART_NANOSLEEP;
		return save_sleep(ctx, task, record);
	}
	if (block->fn == posix_cpu_nsleep_restart) {
		record->function = CKPT_RESTART_CPU_SLEEP;
		return save_sleep(ctx, task, record);
	}
	if (block->fn == do_restart_poll) {
		record->function = CKPT_RESTART_POLL;
		return save_poll(block, record);
	}
	if (block->fn == futex_wait_restart) {
		record->function = CKPT_RESTART_FUTEX;
		return save_futex(block, record);
	}
	return ckpt_error(ctx, -EOPNOTSUPP,
			  "it is to resume a system call of an unknown kind");
}

static int check_sleep(struct ckpt_ctx *ctx,
		       const struct ckpt_hdr_restart_block *record)
{
	bool is_cpu_clock = record->clockid == CLOCK_PROCESS_CPUTIME_ID;
	bool is_cpu_sleep = record->function == CKPT_RESTART_CPU_SLEEP;
	u64 now;

	if (!clock_now(current, record->clockid, &now) ||
	    is_cpu_clock != is_cpu_sleep)
		return ckpt_error(ctx, -EINVAL, "sleep on clock %d",
				  record->clockid);
	return 0;
}

/**
 * ckpt_restart_block_restore - read how an interrupted system call goes on
 * @ctx: context
 * @stage: filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_restart_block_restore(struct ckpt_ctx *ctx,
			       struct ckpt_task_stage *stage)
{
	struct ckpt_hdr_restart_block *record = &stage->restart_block;
	int ret = ckpt_record_read(ctx, CKPT_HDR_RESTART_BLOCK, record);

	if (ret)
		return ret;
	if (record->function == CKPT_RESTART_NANOSLEEP ||
	    record->function == CKPT_RESTART_CPU_SLEEP)
		return check_sleep(ctx, record);
	if (record->function == CKPT_RESTART_FUTEX && !record->futex_bitset)
		return ckpt_error(ctx, -EINVAL, "futex wait for no bit");
	return 0;
}

/* An end in the past, however long ago, is an end now. */
static u64 end_of_wait(u64 now, s64 remaining)
{
	return remaining > 0 ? ktime_add_safe(now, remaining) : now;
}

static void commit_sleep(struct restart_block *block,
			 const struct ckpt_hdr_restart_block *record)
{
	u64 now = 0;

	clock_now(current, record->clockid, &now);
	block->nanosleep.clockid = record->clockid;
	block->nanosleep.expires = end_of_wait(now, record->remaining_ns);
	block->nanosleep.type = record->user_pointer ? TT_NATIVE : TT_NONE;
	block->nanosleep.rmtp = u64_to_user_ptr(record->user_pointer);
}

static void commit_poll(struct restart_block *block,
			const struct ckpt_hdr_restart_block *record)
{
	struct timespec64 end;

	end = ns_to_timespec64(end_of_wait(ktime_get_ns(),
					   record->remaining_ns));
	block->poll.ufds = u64_to_user_ptr(record->user_pointer);
	block->poll.nfds = record->nfds;
	block->poll.has_timeout = record->has_timeout;
	block->poll.tv_sec = end.tv_sec;
	block->poll.tv_nsec = end.tv_nsec;
}

static void commit_futex(struct restart_block *block,
			 const struct ckpt_hdr_restart_block *record)
{
	u32 flags = FLAGS_SIZE_32;

	if (!(record->futex_op & FUTEX_PRIVATE_FLAG))
		flags |= FLAGS_SHARED;
	if (record->futex_op & FUTEX_CLOCK_REALTIME)
		flags |= FLAGS_CLOCKRT;
	if (record->has_timeout)
		flags |= FLAGS_HAS_TIMEOUT;
	block->futex.uaddr = u64_to_user_ptr(record->user_pointer);
	block->futex.val = record->futex_value;
	block->futex.bitset = record->futex_bitset;
	block->futex.flags = flags;
	if (flags & FLAGS_CLOCKRT)
		block->futex.time = max_t(s64, record->remaining_ns, 0);
	else
		block->futex.time = end_of_wait(ktime_get_ns(),
						record->remaining_ns);
}

/**
 * ckpt_restart_block_commit - set it for the current task
 * @ctx: context
 * @stage: from ckpt_restart_block_restore()
 *
 * Return: 0.
 */
int ckpt_restart_block_commit(struct ckpt_ctx *ctx,
			      struct ckpt_task_stage *stage)
{
	const struct ckpt_hdr_restart_block *record = &stage->restart_block;
	struct restart_block *block = &current->restart_block;

	switch (record->function) {
	case CKPT_RESTART_NANOSLEEP:
		commit_sleep(block, record);
		block->fn = hrtimer_nanosleep_restart;
		break;
	case CKPT_RESTART_CPU_SLEEP:
		commit_sleep(block, record);
		block->fn = posix_cpu_nsleep_restart;
		break;
	case CKPT_RESTART_POLL:
		commit_poll(block, record);
		block->fn = do_restart_poll;
		break;
	case CKPT_RESTART_FUTEX:
		commit_futex(block, record);
		block->fn = futex_wait_restart;
		break;
	default:
		block->fn = do_no_restart_syscall;
		break;
	}
	return 0;
}
