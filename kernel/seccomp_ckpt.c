// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of seccomp(2): part of seccomp.c.
 *
 * Saved: filters, as they were given to seccomp(2), and who shares them; whether
 *	they log. Strict mode is a flag of the task.
 * Reset to default: what the kernel knows of calls that every filter lets pass,
 *	which follows from the filters; SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
 *	which means nothing when the listener is gone.
 * Refused: filters with a listener.
 *
 * A restart adds what the caller could add by system calls. It takes nothing
 * away: who is under seccomp cannot restart at all.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#ifdef CONFIG_SECCOMP_FILTER

#ifndef SECCOMP_ARCH_NATIVE
#error "seccomp_prepare_filter() has to keep programs as they were given"
#endif

/**
 * ckpt_seccomp_filter_save - save a filter
 * @ctx: context
 * @object: struct seccomp_filter; the one before it was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_seccomp_filter_save(struct ckpt_ctx *ctx, void *object)
{
	struct seccomp_filter *filter = object;
	const struct sock_fprog_kern *program = filter->prog->orig_prog;
	struct ckpt_hdr_seccomp_filter *record;
	void *instructions;

	/* Who listens may go away meanwhile: it is only looked whether there is. */
	if (READ_ONCE(filter->notif))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "one of its seccomp filters has a listener");
	record = ckpt_record_add(ctx, CKPT_HDR_SECCOMP_FILTER);
	if (!record)
		return -ENOMEM;
	if (filter->prev)
		record->prev = ckpt_object_id(ctx, filter->prev);
	if (filter->log)
		record->flags |= CKPT_SECCOMP_LOG;
	instructions = ckpt_buffer_add(ctx, bpf_classic_proglen(program));
	if (!instructions)
		return -ENOMEM;
	memcpy(instructions, program->filter, bpf_classic_proglen(program));
	return 0;
}

/* The oldest first: nobody refers to what comes later, and nothing is nested. */
static int save_chain(struct ckpt_ctx *ctx, struct seccomp_filter *newest)
{
	struct seccomp_filter *filter, **unsaved;
	unsigned int nr = 0, index;
	int ret = 0;

	for (filter = newest; filter && !ckpt_object_id(ctx, filter);
	     filter = filter->prev)
		nr++;
	unsaved = kvmalloc_array(nr, sizeof(*unsaved), GFP_KERNEL_ACCOUNT);
	if (!unsaved)
		return -ENOMEM;
	for (index = nr, filter = newest; index; filter = filter->prev)
		unsaved[--index] = filter;
	for (index = 0; index < nr && ret >= 0; index++)
		ret = ckpt_object_save(ctx, CKPT_OBJ_SECCOMP_FILTER,
				       unsaved[index]);
	kvfree(unsaved);
	return ret < 0 ? ret : ckpt_object_id(ctx, newest);
}

/**
 * ckpt_seccomp_save - save the filters of a task
 * @ctx: context
 * @task: stopped, or the caller, with all its threads: no filter comes or goes
 *
 * Whoever is in a sandbox shall not learn of what it is made; ptrace() does not
 * tell that either.
 *
 * Return: the id of its newest filter, 0 if it has none, or a negative errno.
 */
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	switch (task->seccomp.mode) {
	case SECCOMP_MODE_DISABLED:
	case SECCOMP_MODE_STRICT:
		return 0;
	case SECCOMP_MODE_FILTER:
		break;
	default:
		return ckpt_error(ctx, -ESRCH, "seccomp is about to end it");
	}
	if (current->seccomp.mode != SECCOMP_MODE_DISABLED &&
	    !capable(CAP_SYS_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "it has seccomp filters, and the caller is under seccomp itself");
	return save_chain(ctx, task->seccomp.filter);
}

/* By the functions that seccomp(2) calls, with all their checks. */
static struct bpf_prog *make_program(const void *instructions, u32 nbytes)
{
	const struct sock_fprog length = {
		.len = nbytes / sizeof(struct sock_filter),
	};
	struct bpf_prog *program;

	/* Who gives us an image without memory for it is told, not the log. */
	program = bpf_prog_alloc(bpf_prog_size(length.len), __GFP_NOWARN);
	if (!program)
		return ERR_PTR(-ENOMEM);
	memcpy(program->insns, instructions, nbytes);
	program->len = length.len;
	program->orig_prog = NULL;
	if (bpf_prog_store_orig_filter(program, &length)) {
		__bpf_prog_free(program);
		return ERR_PTR(-ENOMEM);
	}
	return bpf_prepare_filter(program, seccomp_check_filter);
}

static struct seccomp_filter *make_filter(struct ckpt_ctx *ctx)
{
	struct seccomp_filter *filter;
	struct bpf_prog *program;
	void *instructions;
	u32 nbytes;

	instructions = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(instructions))
		return instructions;
	if (!nbytes || nbytes % sizeof(struct sock_filter) ||
	    nbytes / sizeof(struct sock_filter) > BPF_MAXINSNS)
		program = ERR_PTR(-EINVAL);
	else
		program = make_program(instructions, nbytes);
	kvfree(instructions);
	if (IS_ERR(program)) {
		ckpt_error(ctx, PTR_ERR(program),
			   "%u bytes that are no seccomp filter", nbytes);
		return ERR_CAST(program);
	}
	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter) {
		bpf_prog_destroy(program);
		return ERR_PTR(-ENOMEM);
	}
	filter->prog = program;
	mutex_init(&filter->notify_lock);
	init_waitqueue_head(&filter->wqh);
	refcount_set(&filter->refs, 1);
	refcount_set(&filter->users, 1);
	return filter;
}

/* As seccomp_attach_filter() does, but to a filter, not to a task. */
static int append_filter(struct ckpt_ctx *ctx, struct seccomp_filter *filter,
			 struct seccomp_filter *prev)
{
	unsigned long instructions = filter->prog->len;
	const struct seccomp_filter *walker;

	for (walker = prev; walker; walker = walker->prev)
		instructions += walker->prog->len + 4;
	if (instructions > MAX_INSNS_PER_PATH)
		return ckpt_error(ctx, -EINVAL,
				  "seccomp filters of %lu instructions, more than %lu",
				  instructions, MAX_INSNS_PER_PATH);
	if (prev) {
		__get_seccomp_filter(prev);
		refcount_inc(&prev->users);
	}
	filter->prev = prev;
	seccomp_cache_prepare(filter);
	return 0;
}

/**
 * ckpt_seccomp_filter_restore - read a filter
 * @ctx: context
 *
 * The right to have it is checked for the task that uses it.
 *
 * Return: struct seccomp_filter with a reference and a user, or an error pointer.
 */
void *ckpt_seccomp_filter_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_seccomp_filter record;
	struct seccomp_filter *filter;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SECCOMP_FILTER, &record);
	if (ret)
		return ERR_PTR(ret);
	filter = make_filter(ctx);
	if (IS_ERR(filter))
		return filter;
	filter->log = record.flags & CKPT_SECCOMP_LOG;
	ret = append_filter(ctx, filter,
			    ckpt_object_find(ctx, record.prev,
					     CKPT_OBJ_SECCOMP_FILTER));
	if (ret) {
		seccomp_filter_free(filter);
		return ERR_PTR(ret);
	}
	return filter;
}

/**
 * ckpt_seccomp_filter_drop - give up a filter that was read
 * @object: from ckpt_seccomp_filter_restore()
 */
void ckpt_seccomp_filter_drop(void *object)
{
	__seccomp_filter_release(object);
}

static unsigned int count_filters(const struct seccomp_filter *filter)
{
	unsigned int nr = 0;

	for (; filter; filter = filter->prev)
		nr++;
	return nr;
}

/* Nobody who is restored has any, see restore_task(), nor gets one meanwhile. */
static void commit_filters(struct seccomp_filter *new)
{
	lockdep_assert_held(&ckpt_sighand(current)->siglock);
	/* The table of objects keeps its own reference. */
	__get_seccomp_filter(new);
	refcount_inc(&new->users);
	current->seccomp.filter = new;
	atomic_set(&current->seccomp.filter_count, count_filters(new));
}

#else

static void commit_filters(struct seccomp_filter *new)
{
}

#endif /* CONFIG_SECCOMP_FILTER */

/**
 * ckpt_seccomp_restore - check the right to filters and to strict mode
 * @ctx: context
 * @stage: its first record was read, and its objects
 *
 * Return: 0 or a negative errno.
 */
int ckpt_seccomp_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	u32 flags = stage->task.flags;

	if (!stage->seccomp_filter)
		return 0;
	if (flags & CKPT_TASK_SECCOMP_STRICT)
		return ckpt_error(ctx, -EINVAL,
				  "strict mode of seccomp with filters");
	if (!(flags & CKPT_TASK_NO_NEW_PRIVS) &&
	    !ckpt_user_ns_is_new(stage->cred->user_ns) &&
	    !ns_capable_noaudit(current_user_ns(), CAP_SYS_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "no right to seccomp filters without no_new_privs");
	return 0;
}

/**
 * ckpt_seccomp_commit - put the current task under seccomp
 * @ctx: context
 * @stage: found good by ckpt_seccomp_restore()
 *
 * How it may speculate was saved, or refused, apart from that: seccomp changes
 * nothing of it here.
 *
 * Return: 0.
 */
int ckpt_seccomp_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	int mode = SECCOMP_MODE_DISABLED;

	if (stage->seccomp_filter)
		mode = SECCOMP_MODE_FILTER;
	else if (stage->task.flags & CKPT_TASK_SECCOMP_STRICT)
		mode = SECCOMP_MODE_STRICT;
	if (mode == SECCOMP_MODE_DISABLED)
		return 0;
	spin_lock_irq(&ckpt_sighand(current)->siglock);
	if (mode == SECCOMP_MODE_FILTER)
		commit_filters(stage->seccomp_filter);
#ifdef TIF_NOTSC
	if (mode == SECCOMP_MODE_STRICT)
		disable_TSC();
#endif
	seccomp_assign_mode(current, mode, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	spin_unlock_irq(&ckpt_sighand(current)->siglock);
	return 0;
}

#endif /* CONFIG_CHECKPOINT */
