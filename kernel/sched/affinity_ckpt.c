// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the processors that a task wants to run on.
 *
 * Saved: the set that sched_setaffinity() was given, if it ever was.
 * Reset to default: a task that never chose runs wherever the restart may.
 *
 * On another machine some of the processors may not be there, or the cpuset
 * may be another one. The task then has what is left of its set or, as after
 * the last of them was unplugged, every processor that it may have.
 */
#include <linux/bitmap.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cpumask.h>
#include <linux/cpuset.h>
#include <linux/err.h>
#include <linux/security.h>
#include <linux/slab.h>

#include "sched.h"

/* Bytes for more processors than any kernel knows. */
#define AFFINITY_MAX	8192

/**
 * ckpt_affinity_save - save which processors a task has chosen
 * @ctx: context
 * @task: stopped, or the caller
 *
 * A buffer of 64-bit words; empty if the task has not chosen.
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_affinity_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	bool has_chosen = READ_ONCE(task->user_cpus_ptr);
	u64 *words;

	words = ckpt_buffer_add(ctx, has_chosen ?
				BITS_TO_U64(nr_cpu_ids) * sizeof(*words) : 0);
	if (!words)
		return -ENOMEM;
	if (!has_chosen)
		return 0;
	/* Others may choose for it also while it is stopped. */
	guard(raw_spinlock_irqsave)(&task->pi_lock);
	bitmap_to_arr64(words, cpumask_bits(task->user_cpus_ptr), nr_cpu_ids);
	return 0;
}

static int make_masks(struct ckpt_task_stage *stage, const u64 *words,
		      u32 nbytes)
{
	int ret = security_task_setscheduler(current);

	if (ret || !IS_ENABLED(CONFIG_SMP))
		return ret;
	stage->affinity = alloc_user_cpus_ptr(NUMA_NO_NODE);
	stage->allowed = alloc_user_cpus_ptr(NUMA_NO_NODE);
	if (!stage->affinity || !stage->allowed)
		return -ENOMEM;
	cpumask_clear(stage->affinity);
	bitmap_from_arr64(cpumask_bits(stage->affinity), words,
			  min(nbytes * BITS_PER_BYTE, nr_cpu_ids));
	return 0;
}

/**
 * ckpt_affinity_restore - read which processors a task has chosen
 * @ctx: context
 * @stage: affinity and allowed are filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_affinity_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	u32 nbytes;
	u64 *words;
	int ret = 0;

	words = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(words))
		return PTR_ERR(words);
	if (nbytes % sizeof(*words) || nbytes > AFFINITY_MAX)
		ret = ckpt_error(ctx, -EINVAL, "%u bytes of processors",
				 nbytes);
	else if (nbytes)
		ret = make_masks(stage, words, nbytes);
	kvfree(words);
	return ret;
}

/**
 * ckpt_affinity_commit - choose the processors of the current task
 * @stage: from ckpt_affinity_restore()
 */
void ckpt_affinity_commit(struct ckpt_task_stage *stage)
{
	struct affinity_context context = {
		.new_mask	= stage->allowed,
		.user_mask	= stage->affinity,
		.flags		= SCA_USER | SCA_CHECK,
	};

	if (!stage->affinity)
		return;
	cpuset_cpus_allowed(current, stage->allowed);
	if (cpumask_intersects(stage->allowed, stage->affinity))
		cpumask_and(stage->allowed, stage->allowed, stage->affinity);
	/* Fails only if a processor vanishes now: the task stays where it is. */
	__set_cpus_allowed_ptr(current, &context);
	/* The set of before, or that of the image if it failed. */
	stage->affinity = context.user_mask;
}

/**
 * ckpt_affinity_release - free what ckpt_affinity_restore() made
 * @stage: of a task
 */
void ckpt_affinity_release(struct ckpt_task_stage *stage)
{
	kfree(stage->affinity);
	kfree(stage->allowed);
	stage->affinity = NULL;
	stage->allowed = NULL;
}
