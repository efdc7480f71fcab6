// SPDX-License-Identifier: GPL-2.0
/*
 * Memory runs out while a checkpoint is at work.
 *
 * A target that writes to memory which a snapshot shares with it gets new pages,
 * and the old ones still count for its memory cgroup. So a snapshot can make a
 * target reach a limit that it would never have reached. Before the kernel kills
 * anybody for memory, snapshots in the cgroup that has none are given up: the
 * checkpoint fails with -ENOMEM, and the memory is free. fork() has the same
 * effect, but there the child can be killed.
 *
 * Nor is anybody killed for what a checkpoint itself asks for: its caller is told
 * that there is no memory.
 */
#include <linux/checkpoint.h>
#include <linux/checkpoint_ctx.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "internal.h"
#include "oom_ckpt.h"

/*
 * Ticks that may pass until the memory of a snapshot is free: until the work has
 * been done, and until who was reading the snapshot has let go of it.
 */
#define PATIENCE	(2 * HZ)
#define GRACE		DIV_ROUND_UP(HZ, 10)

/* Checkpoints, and the snapshots of all; under the lock. */
static DEFINE_SPINLOCK(lock);
static LIST_HEAD(checkpoints);
static LIST_HEAD(snapshots);

/* Has a thread for times without memory. */
static struct workqueue_struct *workqueue;

/**
 * ckpt_oom_begin - let no process be killed for a checkpoint
 * @ctx: context of the caller
 */
void ckpt_oom_begin(struct ckpt_ctx *ctx)
{
	ctx->caller = current;
	spin_lock(&lock);
	list_add(&ctx->among_checkpoints, &checkpoints);
	spin_unlock(&lock);
}

/**
 * ckpt_oom_end - the end of ckpt_oom_begin()
 * @ctx: context; may never have begun
 */
void ckpt_oom_end(struct ckpt_ctx *ctx)
{
	if (!ctx->caller)
		return;
	spin_lock(&lock);
	list_del(&ctx->among_checkpoints);
	spin_unlock(&lock);
	ctx->caller = NULL;
}

static struct mm_struct *take_mm(struct ckpt_kept_mm *kept)
{
	struct mm_struct *mm;

	spin_lock(&lock);
	mm = kept->mm;
	kept->mm = NULL;
	spin_unlock(&lock);
	return mm;
}

static void give_up(struct work_struct *work)
{
	struct ckpt_kept_mm *kept;
	struct mm_struct *mm;

	kept = container_of(work, struct ckpt_kept_mm, work);
	ckpt_cow_forget_pages(kept->ctx);
	mm = take_mm(kept);
	if (mm)
		mmput(mm);
	spin_lock(&lock);
	kept->is_gone = true;
	spin_unlock(&lock);
}

/**
 * ckpt_kept_mm_add - an address space that nobody uses but a checkpoint
 * @ctx: context
 * @kept: to be filled in
 * @mm: the address space; its reference passes to @kept
 * @like: whose memory it shares, and whose memory cgroup pays for it
 */
void ckpt_kept_mm_add(struct ckpt_ctx *ctx, struct ckpt_kept_mm *kept,
		      struct mm_struct *mm, struct mm_struct *like)
{
	kept->ctx = ctx;
	kept->mm = mm;
	kept->memcg = get_mem_cgroup_from_mm(like);
	kept->given_up = 0;
	kept->is_gone = false;
	INIT_WORK(&kept->work, give_up);
	spin_lock(&lock);
	list_add(&kept->node, &snapshots);
	spin_unlock(&lock);
}

/**
 * ckpt_kept_mm_get - use the address space
 * @kept: from ckpt_kept_mm_add()
 *
 * Return: the address space with a reference for mmput(); NULL if it was given
 * up.
 */
struct mm_struct *ckpt_kept_mm_get(struct ckpt_kept_mm *kept)
{
	struct mm_struct *mm;

	spin_lock(&lock);
	mm = kept->given_up ? NULL : kept->mm;
	if (mm)
		mmget(mm);
	spin_unlock(&lock);
	return mm;
}

/**
 * ckpt_kept_mm_remove - the end of ckpt_kept_mm_add()
 * @kept: from there
 *
 * Context: Sleeps until nobody gives it up any more.
 */
void ckpt_kept_mm_remove(struct ckpt_kept_mm *kept)
{
	struct mm_struct *mm;

	spin_lock(&lock);
	list_del(&kept->node);
	spin_unlock(&lock);
	cancel_work_sync(&kept->work);
	mm = take_mm(kept);
	if (mm)
		mmput(mm);
	mem_cgroup_put(kept->memcg);
}

static bool is_caller(const struct task_struct *task)
{
	const struct ckpt_ctx *ctx;

	lockdep_assert_held(&lock);
	list_for_each_entry(ctx, &checkpoints, among_checkpoints)
		if (ctx->caller == task)
			return true;
	return false;
}

/* Is there a snapshot that is given up now, or was and is not gone? */
static bool give_up_snapshots(struct mem_cgroup *memcg)
{
	struct ckpt_kept_mm *kept;
	bool is_any = false;

	lockdep_assert_held(&lock);
	list_for_each_entry(kept, &snapshots, node) {
		if (memcg && !mem_cgroup_is_descendant(kept->memcg, memcg))
			continue;
		if (!kept->given_up) {
			kept->given_up = jiffies | 1;
			queue_work(workqueue, &kept->work);
		}
		if (time_before(jiffies, kept->given_up +
				(kept->is_gone ? GRACE : PATIENCE)))
			is_any = true;
	}
	return is_any;
}

/**
 * ckpt_out_of_memory - see that nobody is killed because of a checkpoint
 * @oc: what the memory is wanted for
 *
 * Context: May sleep; the lock of the OOM killer is held.
 *
 * Return: whether to fail, to try again, or to go on and kill.
 */
enum ckpt_oom ckpt_out_of_memory(const struct oom_control *oc)
{
	enum ckpt_oom verdict = CKPT_OOM_KILL;

	/* Somebody at the keyboard wants to see one killed. */
	if (oc->order == -1)
		return CKPT_OOM_KILL;
	spin_lock(&lock);
	if (!(oc->gfp_mask & __GFP_NOFAIL) && is_caller(current))
		verdict = CKPT_OOM_FAIL;
	else if (give_up_snapshots(oc->memcg))
		verdict = CKPT_OOM_RETRY;
	spin_unlock(&lock);
	if (verdict == CKPT_OOM_RETRY)
		schedule_timeout_killable(1);
	return verdict;
}

static int __init ckpt_oom_init(void)
{
	workqueue = alloc_workqueue("ckpt_oom", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}
subsys_initcall(ckpt_oom_init);
