// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of pid namespaces below that of the first task: part of
 * pid_namespace.c.
 *
 * Saved: which is in which, the ids of the tasks in each, the next id, and
 *	vm.memfd_noexec; that nobody has been in one yet, or nobody can be any more.
 * Reset to default: what reboot(2) was told; who is charged for the namespace.
 * Refused: namespaces with a process that is not saved, with process accounting,
 *	or of another user namespace than that of the caller.
 *
 * Whoever creates the tasks of a restart creates the namespaces with them. A restart
 * itself makes those alone that are for the children of a task and have nobody.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>

/**
 * ckpt_pid_ns_ref - save a pid namespace and those that it is in
 * @ctx: context
 * @ns: that of the first task or below it, kept by a stopped task
 *
 * The outermost first: nothing is nested.
 *
 * Return: its id, 0 if it is that of the first task, or a negative errno.
 */
int ckpt_pid_ns_ref(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	int ret = 0;
	unsigned int level;

	for (level = ctx->pid_ns->level; level <= ns->level && ret >= 0;
	     level++) {
		struct pid_namespace *outer = ns;

		while (outer->level > level)
			outer = outer->parent;
		if (level > ctx->pid_ns->level)
			ret = ckpt_object_save(ctx, CKPT_OBJ_PID_NS, outer);
		else if (outer != ctx->pid_ns)
			break;
	}
	/* Nobody gets there from that of an ancestor. */
	if (level <= ns->level || ns->level < ctx->pid_ns->level)
		return ret < 0 ? ret :
		       ckpt_error(ctx, -EPERM, "it has its own pid namespace");
	return ret;
}

static int check_init(struct ckpt_ctx *ctx, struct pid_namespace *ns,
		      u32 *state)
{
	struct task_struct *init;
	bool is_saved = false;
	pid_t id = 0;

	scoped_guard(rcu) {
		struct pid *pid = find_pid_ns(1, ns);

		init = pid_task(pid, PIDTYPE_TGID);
		if (init) {
			id = task_pid_vnr(init);
			is_saved = ckpt_tree_has(ctx, init);
		}
	}
	if (is_saved)
		return ckpt_tree_check_strangers(ctx, ns);
	if (init)
		return ckpt_error(ctx, -EBUSY,
				  "process %d, the init of its pid namespace or that of its children, is not saved",
				  id);
	*state = READ_ONCE(ns->pid_allocated) & PIDNS_ADDING ?
		 CKPT_PID_NS_EMPTY : CKPT_PID_NS_DEAD;
	return 0;
}

static int check_owner(struct ckpt_ctx *ctx, const struct pid_namespace *ns)
{
	if (ns->user_ns != current_user_ns())
		return ckpt_error(ctx, -EPERM,
				  "its pid namespace belongs to another user namespace");
#ifdef CONFIG_BSD_PROCESS_ACCT
	if (READ_ONCE(ns->bacct))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "its pid namespace has process accounting");
#endif
	return 0;
}

/**
 * ckpt_pid_ns_save - save a pid namespace
 * @ctx: context
 * @object: struct pid_namespace, kept by a stopped task; its parent was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_pid_ns_save(struct ckpt_ctx *ctx, void *object)
{
	struct pid_namespace *ns = object;
	struct ckpt_hdr_pid_ns *record;
	u32 state = CKPT_PID_NS_INHABITED;
	int ret;

	ret = check_owner(ctx, ns);
	if (!ret)
		ret = check_init(ctx, ns, &state);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_PID_NS);
	if (!record)
		return -ENOMEM;
	record->parent = ckpt_object_id(ctx, ns->parent);
	record->state = state;
	record->next_pid = idr_get_cursor(&ns->idr);
#if defined(CONFIG_SYSCTL) && defined(CONFIG_MEMFD_CREATE)
	record->memfd_noexec = READ_ONCE(ns->memfd_noexec_scope);
#endif
	return 0;
}

/**
 * struct settings_step - what is written to the files of /proc at the end
 * @step: embedded
 * @pid_ns: has them; the table of objects has it
 */
struct settings_step {
	struct ckpt_last_step step;
	struct ckpt_pid_ns *pid_ns;
};

static int set_settings(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	struct ckpt_pid_ns *pid_ns =
		container_of(step, struct settings_step, step)->pid_ns;

	idr_set_cursor(&pid_ns->ns->idr, pid_ns->record.next_pid);
#if defined(CONFIG_SYSCTL) && defined(CONFIG_MEMFD_CREATE)
	WRITE_ONCE(pid_ns->ns->memfd_noexec_scope, pid_ns->record.memfd_noexec);
#endif
	return 0;
}

static void free_settings(struct ckpt_last_step *step)
{
	kfree(container_of(step, struct settings_step, step));
}

/**
 * ckpt_pid_ns_put_off - set what a pid namespace has besides tasks at the end
 * @ctx: context, restoring
 * @pid_ns: was found
 *
 * The last of its tasks must have got their ids, and memfds their modes.
 *
 * Return: 0, -EPERM, -EXDEV, -ENOMEM.
 */
int ckpt_pid_ns_put_off(struct ckpt_ctx *ctx, struct ckpt_pid_ns *pid_ns)
{
	struct settings_step *step;

	/* What files of /proc demand of who writes to them. */
	if (!ns_capable(pid_ns->ns->user_ns, CAP_SYS_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "no right to a pid namespace");
	if (!(IS_ENABLED(CONFIG_SYSCTL) && IS_ENABLED(CONFIG_MEMFD_CREATE)) &&
	    pid_ns->record.memfd_noexec)
		return ckpt_error(ctx, -EXDEV,
				  "this kernel has no vm.memfd_noexec");
	step = kzalloc(sizeof(*step), GFP_KERNEL_ACCOUNT);
	if (!step)
		return -ENOMEM;
	step->step.run = set_settings;
	step->step.free = free_settings;
	step->pid_ns = pid_ns;
	ckpt_last_step_add(ctx, &step->step);
	return 0;
}

static int check_place(struct ckpt_ctx *ctx, const struct ckpt_pid_ns *pid_ns)
{
	const struct ckpt_pid_ns *parent = pid_ns->parent;
	u32 state = pid_ns->record.state;
	bool has_tasks = state == CKPT_PID_NS_INHABITED;

	if (pid_ns->level > MAX_PID_NS_LEVEL)
		return ckpt_error(ctx, -EINVAL,
				  "pid namespaces are nested too deep");
	if (ctx->tree_is_read == has_tasks)
		return ckpt_error(ctx, -EINVAL,
				  "a pid namespace with tasks is not among their ids, or one without is");
	/* One who came there later would have no init above him. */
	if (parent && parent->record.state != CKPT_PID_NS_INHABITED &&
	    state != CKPT_PID_NS_DEAD)
		return ckpt_error(ctx, -EINVAL,
				  "a pid namespace is in one that has no init");
	return 0;
}

/* As unshare(2) does, and with the same right. */
static int create_without_tasks(struct ckpt_ctx *ctx,
				struct ckpt_pid_ns *pid_ns)
{
	struct user_namespace *owner = current_user_ns();
	struct pid_namespace *ns;
	int ret;

	ret = ckpt_namespaces_may_create(ctx, "pid", owner);
	if (ret)
		return ret;
	ns = create_pid_namespace(owner, pid_ns->parent ? pid_ns->parent->ns :
							  ctx->pid_ns);
	if (IS_ERR(ns))
		return ckpt_error(ctx, PTR_ERR(ns),
				  "cannot create a pid namespace");
	if (pid_ns->record.state == CKPT_PID_NS_DEAD) {
		disable_pid_allocation(ns);
		/* Nobody asks who it was: links in /proc tell that it was there. */
		ns->child_reaper = init_pid_ns.child_reaper;
	}
	pid_ns->ns = ns;
	return ckpt_pid_ns_put_off(ctx, pid_ns);
}

/**
 * ckpt_pid_ns_restore - read a pid namespace, and create it if it has no tasks
 * @ctx: context
 *
 * Return: struct ckpt_pid_ns, or an error pointer.
 */
void *ckpt_pid_ns_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_pid_ns *pid_ns;
	int ret;

	pid_ns = kzalloc(sizeof(*pid_ns), GFP_KERNEL_ACCOUNT);
	if (!pid_ns)
		return ERR_PTR(-ENOMEM);
	xa_init(&pid_ns->ids);
	ret = ckpt_record_read(ctx, CKPT_HDR_PID_NS, &pid_ns->record);
	if (ret)
		goto drop;
	pid_ns->parent = ckpt_object_find(ctx, pid_ns->record.parent,
					  CKPT_OBJ_PID_NS);
	pid_ns->level = pid_ns->parent ? pid_ns->parent->level + 1 : 1;
	ret = check_place(ctx, pid_ns);
	if (!ret && pid_ns->record.state != CKPT_PID_NS_INHABITED)
		ret = create_without_tasks(ctx, pid_ns);
	if (!ret)
		return pid_ns;
drop:
	ckpt_pid_ns_drop(pid_ns);
	return ERR_PTR(ret);
}

/**
 * ckpt_pid_ns_drop - forget a pid namespace
 * @object: struct ckpt_pid_ns
 */
void ckpt_pid_ns_drop(void *object)
{
	struct ckpt_pid_ns *pid_ns = object;

	if (pid_ns->ns)
		put_pid_ns(pid_ns->ns);
	xa_destroy(&pid_ns->ids);
	kfree(pid_ns);
}

static bool is_within(const struct pid_namespace *inner,
		      const struct pid_namespace *outer)
{
	while (inner && inner != outer)
		inner = inner->parent;
	return inner;
}

/* One task can make the init of a namespace, which is in the one outside. */
static int check_empty(struct ckpt_ctx *ctx, struct pid_namespace *ns)
{
	struct ckpt_pid_ns *pid_ns;
	u32 objref;

	for (objref = 1; objref <= ctx->nr_objects; objref++) {
		pid_ns = ckpt_object_find(ctx, objref, CKPT_OBJ_PID_NS);
		if (!pid_ns || pid_ns->ns != ns ||
		    pid_ns->record.state != CKPT_PID_NS_EMPTY)
			continue;
		if (!pid_ns->holder)
			pid_ns->holder = current;
		if (pid_ns->holder != current ||
		    ns->parent != task_active_pid_ns(current))
			return ckpt_error(ctx, -EINVAL,
					  "a pid namespace without an init is for the children of two tasks, or of one outside");
	}
	return 0;
}

/**
 * ckpt_pid_ns_check_children - may children of the current task be there?
 * @ctx: context
 * @stage: of the current task
 * @ns: pid namespace for them
 *
 * Return: 0, -EINVAL, -EPERM.
 */
int ckpt_pid_ns_check_children(struct ckpt_ctx *ctx,
			       const struct ckpt_task_stage *stage,
			       struct pid_namespace *ns)
{
	struct pid_namespace *active = task_active_pid_ns(current);

	if (ns == active)
		return 0;
	if (!stage->nsproxy || !is_within(ns, active))
		return ckpt_error(ctx, -EINVAL,
				  "its children would be in a pid namespace that is not below its own");
	if (!ckpt_namespaces_may_enter(stage, ns->user_ns))
		return ckpt_error(ctx, -EPERM,
				  "no right to a pid namespace for children");
	return check_empty(ctx, ns);
}

#endif /* CONFIG_CHECKPOINT */
