// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the utilization clamps of a task.
 *
 * Saved: what sched_setattr() was given, for each clamp if it ever was.
 * Reset to default: a clamp that was never set is that of the scheduling policy,
 *	whatever the caller of restart() has.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/mmu_context.h>
#include <linux/security.h>
#include <uapi/linux/sched/types.h>

#include "sched.h"

#ifdef CONFIG_UCLAMP_TASK

static const struct {
	enum uclamp_id id;
	u32 flag;
} clamps[] = {
	{ UCLAMP_MIN, CKPT_TASK_UTIL_MIN },
	{ UCLAMP_MAX, CKPT_TASK_UTIL_MAX },
};

#define UTIL_FLAGS	(CKPT_TASK_UTIL_MIN | CKPT_TASK_UTIL_MAX)

static u32 *value_of(struct ckpt_hdr_task *record, enum uclamp_id id)
{
	return id == UCLAMP_MIN ? &record->util_min : &record->util_max;
}

static bool has_clamps(const struct task_struct *task)
{
	return task->uclamp_req[UCLAMP_MIN].user_defined ||
	       task->uclamp_req[UCLAMP_MAX].user_defined;
}

/**
 * ckpt_uclamp_save - save the utilization clamps of a task
 * @task: stopped, or the caller
 * @record: flags and values are filled in
 */
void ckpt_uclamp_save(struct task_struct *task, struct ckpt_hdr_task *record)
{
	unsigned int index;

	/* Others may set them also while it is stopped. */
	guard(raw_spinlock_irqsave)(&task->pi_lock);
	for (index = 0; index < ARRAY_SIZE(clamps); index++) {
		const struct uclamp_se *clamp =
			&task->uclamp_req[clamps[index].id];

		if (!clamp->user_defined)
			continue;
		record->flags |= clamps[index].flag;
		*value_of(record, clamps[index].id) = clamp->value;
	}
}

/**
 * ckpt_uclamp_check - may the current task get these utilization clamps?
 * @ctx: context
 * @record: from the image
 *
 * As sched_setattr() checks them, which asks for no capability.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_uclamp_check(struct ckpt_ctx *ctx, const struct ckpt_hdr_task *record)
{
	u32 min = record->util_min, max = record->util_max;

	if (((record->flags & UTIL_FLAGS) == UTIL_FLAGS && min > max) ||
	    (min && !(record->flags & CKPT_TASK_UTIL_MIN)) ||
	    (max && !(record->flags & CKPT_TASK_UTIL_MAX)))
		return ckpt_error(ctx, -EINVAL,
				  "utilization clamps from %u to %u", min, max);
	if (!(record->flags & UTIL_FLAGS) && !has_clamps(current))
		return 0;
	return security_task_setscheduler(current);
}

/**
 * ckpt_uclamp_fill_in - let the current task get the utilization clamps
 * @record: from the image, checked
 * @attr: what is set with sched_setattr_nocheck()
 */
void ckpt_uclamp_fill_in(const struct ckpt_hdr_task *record,
			 struct sched_attr *attr)
{
	/* Where nobody has any the scheduler does not count them. */
	if (!(record->flags & UTIL_FLAGS) && !has_clamps(current))
		return;
	attr->sched_flags |= SCHED_FLAG_UTIL_CLAMP;
	/* -1: none. */
	attr->sched_util_min = record->flags & CKPT_TASK_UTIL_MIN ?
			       record->util_min : -1;
	attr->sched_util_max = record->flags & CKPT_TASK_UTIL_MAX ?
			       record->util_max : -1;
}

#endif /* CONFIG_UCLAMP_TASK */
