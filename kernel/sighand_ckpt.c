// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of signal handlers.
 *
 * Saved: the handler of each signal, with its flags and mask.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct ckpt_sighand_stage - signal handlers as restored
 * @actions: by signal number minus one
 */
struct ckpt_sighand_stage {
	struct k_sigaction actions[_NSIG];
};

static bool is_default(const struct k_sigaction *action)
{
	return !action->sa.sa_handler && !action->sa.sa_flags &&
	       !action->sa.sa_mask.sig[0];
}

/**
 * ckpt_sighand_save - save signal handlers
 * @ctx: context
 * @object: struct sighand_struct of a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_sighand_save(struct ckpt_ctx *ctx, void *object)
{
	struct sighand_struct *sighand = object;
	struct ckpt_hdr_sighand *header;
	int index;

	BUILD_BUG_ON(sizeof(sigset_t) != sizeof(u64));
	header = ckpt_record_add(ctx, CKPT_HDR_SIGHAND);
	if (!header)
		return -ENOMEM;
	for (index = 0; index < _NSIG; index++) {
		const struct k_sigaction *action = &sighand->action[index];
		struct ckpt_hdr_sigaction *record;

		if (is_default(action))
			continue;
		record = ckpt_record_add(ctx, CKPT_HDR_SIGACTION);
		if (!record)
			return -ENOMEM;
		header->nr_actions++;
		record->signo = index + 1;
		record->handler = (uintptr_t)action->sa.sa_handler;
		record->flags = action->sa.sa_flags & ~SA_IMMUTABLE;
		record->restorer = (uintptr_t)action->sa.sa_restorer;
		record->mask = action->sa.sa_mask.sig[0];
	}
	return 0;
}

static int read_action(struct ckpt_ctx *ctx, struct ckpt_sighand_stage *stage,
		       u32 *last)
{
	struct ckpt_hdr_sigaction record;
	struct k_sigaction *action;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGACTION, &record);
	if (ret)
		return ret;
	if (record.signo <= *last)
		return ckpt_error(ctx, -EINVAL, "handlers are not in order");
	*last = record.signo;
	if (record.flags & ~(u64)UAPI_SA_FLAGS)
		return ckpt_error(ctx, -EINVAL, "unknown flags of a handler");
	if (sig_kernel_only(record.signo))
		return ckpt_error(ctx, -EINVAL, "signal %u cannot be handled",
				  record.signo);
	action = &stage->actions[record.signo - 1];
	action->sa.sa_handler = (__sighandler_t)(uintptr_t)record.handler;
	action->sa.sa_flags = record.flags;
	action->sa.sa_restorer = (__sigrestore_t)(uintptr_t)record.restorer;
	action->sa.sa_mask.sig[0] = record.mask;
	sigdelsetmask(&action->sa.sa_mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	return 0;
}

/**
 * ckpt_sighand_restore - read signal handlers
 * @ctx: context
 *
 * Return: struct ckpt_sighand_stage, or an error pointer.
 */
void *ckpt_sighand_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_sighand_stage *stage;
	struct ckpt_hdr_sighand header;
	u32 last = 0;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGHAND, &header);
	if (ret)
		return ERR_PTR(ret);
	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return ERR_PTR(-ENOMEM);
	while (header.nr_actions--) {
		ret = read_action(ctx, stage, &last);
		if (ret) {
			kfree(stage);
			return ERR_PTR(ret);
		}
	}
	return stage;
}

/**
 * ckpt_sighand_drop - free what ckpt_sighand_restore() returned
 * @object: struct ckpt_sighand_stage
 */
void ckpt_sighand_drop(void *object)
{
	kfree(object);
}

/**
 * ckpt_sighand_commit - make them the handlers of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Threads share theirs already: one sets them for all.
 *
 * Return: 0.
 */
int ckpt_sighand_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct sighand_struct *sighand = ckpt_sighand(current);

	if (!stage->acts_for_group)
		return 0;
	spin_lock_irq(&sighand->siglock);
	memcpy(sighand->action, stage->sighand->actions,
	       sizeof(sighand->action));
	spin_unlock_irq(&sighand->siglock);
	return 0;
}
