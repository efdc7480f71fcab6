// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of NUMA policies: part of mempolicy.c.
 *
 * Saved: what set_mempolicy(), mbind() and set_mempolicy_home_node() were given,
 *	of a task, of a mapping, and of shared memory without a name and memfds.
 * Reset to default: which node of an interleaved policy is next. Who has no policy
 *	of its own keeps that of whoever restarts, as in fork() and execve().
 * Elsewhere: the policy of a file in a tmpfs stays with the file.
 *
 * On another machine nodes may be missing, or a cpuset may not have them. As the
 * system calls do, a restart takes those that are there, and fails if there is none.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/bitmap.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

/* Bytes for more nodes than any kernel knows. */
#define NODES_MAX	8192

static const struct {
	unsigned short kernel;
	u32 image;
} mode_flags[] = {
	{ MPOL_F_STATIC_NODES,		CKPT_MEMPOLICY_STATIC },
	{ MPOL_F_RELATIVE_NODES,	CKPT_MEMPOLICY_RELATIVE },
	{ MPOL_F_NUMA_BALANCING,	CKPT_MEMPOLICY_BALANCE },
};

/* With these flags the nodes need not be there, or are not those that count. */
#define KEEPS_USER_NODES	(MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)

/* @policy cannot change; @start and @end of a part of shared memory, or 0. */
static int add_policy(struct ckpt_ctx *ctx, const struct mempolicy *policy,
		      u64 start, u64 end)
{
	const nodemask_t *nodes = policy->flags & KEEPS_USER_NODES ?
				  &policy->w.user_nodemask : &policy->nodes;
	struct ckpt_hdr_mempolicy *record;
	unsigned int index;
	u64 *words;

	record = ckpt_record_add(ctx, CKPT_HDR_MEMPOLICY);
	if (!record)
		return -ENOMEM;
	record->mode = policy->mode;
	for (index = 0; index < ARRAY_SIZE(mode_flags); index++)
		if (policy->flags & mode_flags[index].kernel)
			record->flags |= mode_flags[index].image;
	record->home_node = policy->home_node == NUMA_NO_NODE ?
			    -1 : policy->home_node;
	record->start = start;
	record->end = end;
	words = ckpt_buffer_add(ctx, policy->mode == MPOL_LOCAL ? 0 :
				BITS_TO_U64(MAX_NUMNODES) * sizeof(*words));
	if (!words)
		return -ENOMEM;
	if (policy->mode != MPOL_LOCAL)
		bitmap_to_arr64(words, nodes_addr(*nodes), MAX_NUMNODES);
	return 0;
}

/**
 * ckpt_mempolicy_save_task - save the NUMA policy of a task
 * @ctx: context
 * @task: stopped, or the caller; has a policy
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_mempolicy_save_task(struct ckpt_ctx *ctx, struct task_struct *task)
{
	struct mempolicy policy;

	/* A cpuset may give the task other nodes also while it is stopped. */
	task_lock(task);
	policy = *task->mempolicy;
	task_unlock(task);
	return add_policy(ctx, &policy, 0, 0);
}

/**
 * ckpt_mempolicy_save_vma - save the NUMA policy of a mapping
 * @ctx: context
 * @vma: mapping with a policy; the lock of its address space is held
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_mempolicy_save_vma(struct ckpt_ctx *ctx,
			    const struct vm_area_struct *vma)
{
	mmap_assert_locked(vma->vm_mm);
	return add_policy(ctx, vma->vm_policy, 0, 0);
}

/* The first one at @index or behind, with a reference, and where it begins. */
static struct mempolicy *next_shared(struct shared_policy *shared,
				     pgoff_t *index, pgoff_t *end)
{
	struct mempolicy *policy = NULL;
	struct sp_node *node;

	read_lock(&shared->lock);
	node = sp_lookup(shared, *index, ULONG_MAX);
	if (node) {
		*index = max(*index, node->start);
		*end = node->end;
		policy = node->policy;
		mpol_get(policy);
	}
	read_unlock(&shared->lock);
	return policy;
}

/**
 * ckpt_mempolicy_save_shared - save the NUMA policies of shared memory
 * @ctx: context
 * @shared: policies of its inode
 * @nr_policies: set to the number of records
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_mempolicy_save_shared(struct ckpt_ctx *ctx,
			       struct shared_policy *shared, u32 *nr_policies)
{
	struct mempolicy *policy;
	pgoff_t index = 0, end;
	int ret = 0;

	/* Those of shared memory never change: others take their place. */
	while (!ret && (policy = next_shared(shared, &index, &end))) {
		ret = add_policy(ctx, policy, (u64)index << PAGE_SHIFT,
				 (u64)end << PAGE_SHIFT);
		mpol_put(policy);
		index = end;
		(*nr_policies)++;
	}
	return ret;
}

static int read_nodes(struct ckpt_ctx *ctx, nodemask_t *nodes)
{
	u32 nbytes, nr_words, index;
	u64 *words = ckpt_buffer_read(ctx, &nbytes);
	int ret = 0;

	if (IS_ERR(words))
		return PTR_ERR(words);
	nr_words = nbytes / sizeof(*words);
	nodes_clear(*nodes);
	if (nbytes % sizeof(*words) || nbytes > NODES_MAX)
		ret = ckpt_error(ctx, -EINVAL, "%u bytes of nodes", nbytes);
	for (index = BITS_TO_U64(MAX_NUMNODES); index < nr_words && !ret; index++)
		if (words[index])
			ret = ckpt_error(ctx, -EINVAL,
					 "a NUMA policy has node %u: this kernel knows %d",
					 index * 64 + (u32)__ffs64(words[index]),
					 MAX_NUMNODES);
	if (!ret)
		bitmap_from_arr64(nodes_addr(*nodes), words,
				  min_t(u32, nbytes * BITS_PER_BYTE,
					MAX_NUMNODES));
	kvfree(words);
	return ret;
}

/* As mbind() and set_mempolicy() do it with what they were given. */
static int set_nodes(struct ckpt_ctx *ctx, struct mempolicy *policy,
		     nodemask_t *nodes)
{
	NODEMASK_SCRATCH(scratch);
	bool some_missing;
	int ret;

	if (!scratch)
		return -ENOMEM;
	task_lock(current);
	ret = mpol_set_nodemask(policy, nodes, scratch);
	some_missing = !(policy->flags & KEEPS_USER_NODES) &&
		       policy->mode != MPOL_LOCAL &&
		       !nodes_subset(*nodes, scratch->mask1);
	task_unlock(current);
	if (ret == -EINVAL)
		ckpt_error(ctx, ret, "no node of a NUMA policy is there: %*pbl",
			   nodemask_pr_args(nodes));
	else if (!ret && some_missing)
		ckpt_note(ctx, "some nodes of a NUMA policy are not there: %*pbl",
			  nodemask_pr_args(nodes));
	NODEMASK_SCRATCH_FREE(scratch);
	return ret;
}

/* With the checks of the system calls. */
static struct mempolicy *read_policy(struct ckpt_ctx *ctx,
				     struct ckpt_hdr_mempolicy *record)
{
	unsigned short flags;
	struct mempolicy *policy;
	unsigned int index;
	nodemask_t nodes;
	int mode, ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_MEMPOLICY, record);
	if (!ret)
		ret = read_nodes(ctx, &nodes);
	if (ret)
		return ERR_PTR(ret);
	mode = record->mode;
	for (index = 0; index < ARRAY_SIZE(mode_flags); index++)
		if (record->flags & mode_flags[index].image)
			mode |= mode_flags[index].kernel;
	ret = sanitize_mpol_flags(&mode, &flags);
	policy = ret ? ERR_PTR(ret) : mpol_new(mode, flags, &nodes);
	/* No nodes stand for a mode of their own, which is what was saved. */
	if (!IS_ERR(policy) && policy->mode != record->mode) {
		mpol_put(policy);
		policy = ERR_PTR(-EINVAL);
	}
	if (IS_ERR(policy)) {
		ckpt_error(ctx, PTR_ERR(policy),
			   "NUMA policy %u with flags %#x for nodes %*pbl",
			   record->mode, record->flags,
			   nodemask_pr_args(&nodes));
		return policy;
	}
	ret = set_nodes(ctx, policy, &nodes);
	if (ret) {
		mpol_put(policy);
		return ERR_PTR(ret);
	}
	return policy;
}

static int check_no_place(struct ckpt_ctx *ctx,
			  const struct ckpt_hdr_mempolicy *record)
{
	if (record->start || record->end)
		return ckpt_error(ctx, -EINVAL, "NUMA policy from %#llx to %#llx",
				  record->start, record->end);
	return 0;
}

/* Only mappings have one. */
static int check_no_home(struct ckpt_ctx *ctx,
			 const struct ckpt_hdr_mempolicy *record)
{
	if (record->home_node != -1)
		return ckpt_error(ctx, -EINVAL, "NUMA policy with home node %d",
				  record->home_node);
	return 0;
}

/**
 * ckpt_mempolicy_restore_task - read the NUMA policy of a task
 * @ctx: context
 * @stage: mempolicy is filled in, or stays NULL; and mems_allowed
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mempolicy_restore_task(struct ckpt_ctx *ctx,
				struct ckpt_task_stage *stage)
{
	struct ckpt_hdr_mempolicy record;
	struct mempolicy *policy;

	/* Before anything of the task is made, its memory included. */
	task_lock(current);
	stage->mems_allowed = cpuset_current_mems_allowed;
	task_unlock(current);
	if (!(stage->task.flags & CKPT_TASK_MEMPOLICY))
		return 0;
	policy = read_policy(ctx, &record);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	stage->mempolicy = policy;
	stage->has_mempolicy = true;
	return check_no_place(ctx, &record) ?: check_no_home(ctx, &record);
}

/*
 * Has the cpuset been given other nodes since it was looked at? Then policies that
 * are nobody's have not been told. To tell them for nothing is no good: some forget
 * the nodes that the user had named.
 */
static bool cpuset_has_changed(const struct ckpt_task_stage *stage)
{
	return !nodes_equal(stage->mems_allowed, cpuset_current_mems_allowed);
}

/**
 * ckpt_mempolicy_swap - exchange the NUMA policy of the current task
 * @stage: with the policy that it shall have, and then the one that it had
 *
 * Nothing happens if there is none for it. Memory that is made with the saved policy
 * in force is where the task wants it.
 */
void ckpt_mempolicy_swap(struct ckpt_task_stage *stage)
{
	if (!stage->has_mempolicy)
		return;
	task_lock(current);
	swap(current->mempolicy, stage->mempolicy);
	if (cpuset_has_changed(stage))
		mpol_rebind_policy(current->mempolicy,
				   &cpuset_current_mems_allowed);
	task_unlock(current);
}

/**
 * ckpt_mempolicy_commit - make the saved NUMA policy that of the current task
 * @stage: from ckpt_mempolicy_restore_task(); then has the one of before
 */
void ckpt_mempolicy_commit(struct ckpt_task_stage *stage)
{
	if (!stage->has_mempolicy)
		return;
	ckpt_mempolicy_swap(stage);
	/* As set_mempolicy() begins. */
	current->il_prev = MAX_NUMNODES - 1;
	current->il_weight = 0;
}

/**
 * ckpt_mempolicy_release - drop what ckpt_mempolicy_restore_task() made
 * @stage: of a task
 */
void ckpt_mempolicy_release(struct ckpt_task_stage *stage)
{
	mpol_put(stage->mempolicy);
	stage->mempolicy = NULL;
}

static int restore_home(struct ckpt_ctx *ctx, struct mempolicy *policy,
			s32 home_node)
{
	if (home_node == -1)
		return 0;
	/* As set_mempolicy_home_node() has it. */
	if (policy->mode != MPOL_BIND && policy->mode != MPOL_PREFERRED_MANY)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "NUMA policy %u with a home node",
				  policy->mode);
	if (home_node >= MAX_NUMNODES || !node_online(home_node))
		return ckpt_error(ctx, -EINVAL,
				  "the home node of a NUMA policy is not there: %d",
				  home_node);
	policy->home_node = home_node;
	return 0;
}

/*
 * As mbind(), but for the memory that is mapped: shared memory has policies of its
 * own, which others may have changed after this one was set.
 */
static int set_policy(struct mm_struct *mm, unsigned long start,
		      unsigned long end, struct mempolicy *policy)
{
	struct vm_area_struct *vma, *prev;
	struct vma_iterator vmi;
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma_iter_init(&vmi, mm, start);
	prev = vma_prev(&vmi);
	for_each_vma_range(vmi, vma, end) {
		struct mempolicy *new;

		if (mpol_equal(vma->vm_policy, policy)) {
			prev = vma;
			continue;
		}
		if (start > vma->vm_start)
			prev = vma;
		vma = vma_modify_policy(&vmi, prev, vma,
					max(start, vma->vm_start),
					min(end, vma->vm_end), policy);
		if (IS_ERR(vma)) {
			ret = PTR_ERR(vma);
			break;
		}
		prev = vma;
		vma_start_write(vma);
		new = mpol_dup(policy);
		if (IS_ERR(new)) {
			ret = PTR_ERR(new);
			break;
		}
		swap(vma->vm_policy, new);
		mpol_put(new);
	}
	mmap_write_unlock(mm);
	return ret;
}

/**
 * ckpt_mempolicy_restore_vma - read the NUMA policy of a mapping and set it
 * @ctx: context
 * @mm: the current address space, private to the restart
 * @vma: record of the mapping, which was made
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mempolicy_restore_vma(struct ckpt_ctx *ctx, struct mm_struct *mm,
			       const struct ckpt_hdr_vma *vma)
{
	struct ckpt_hdr_mempolicy record;
	struct mempolicy *policy;
	int ret;

	if (!(vma->flags & CKPT_VMA_MEMPOLICY))
		return 0;
	policy = read_policy(ctx, &record);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	ret = check_no_place(ctx, &record);
	if (!ret)
		ret = restore_home(ctx, policy, record.home_node);
	if (!ret)
		ret = set_policy(mm, vma->start, vma->end, policy);
	mpol_put(policy);
	return ret;
}

/**
 * ckpt_mempolicy_commit_mm - look at the nodes of a new address space again
 * @stage: with the address space that becomes that of the current task
 */
void ckpt_mempolicy_commit_mm(struct ckpt_task_stage *stage)
{
	bool has_changed;
	nodemask_t nodes;

	task_lock(current);
	has_changed = cpuset_has_changed(stage);
	nodes = cpuset_current_mems_allowed;
	task_unlock(current);
	if (has_changed)
		mpol_rebind_mm(stage->mm, &nodes);
}

static int check_part(struct ckpt_ctx *ctx,
		      const struct ckpt_hdr_mempolicy *record)
{
	if (record->start >= record->end || offset_in_page(record->start) ||
	    offset_in_page(record->end))
		return ckpt_error(ctx, -EINVAL, "NUMA policy from %#llx to %#llx",
				  record->start, record->end);
	return 0;
}

static int restore_part(struct ckpt_ctx *ctx, struct shared_policy *shared)
{
	struct ckpt_hdr_mempolicy record;
	struct mempolicy *policy;
	struct sp_node *node;
	int ret;

	policy = read_policy(ctx, &record);
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	ret = check_part(ctx, &record);
	if (!ret)
		ret = restore_home(ctx, policy, record.home_node);
	if (!ret) {
		node = sp_alloc(record.start >> PAGE_SHIFT,
				record.end >> PAGE_SHIFT, policy);
		ret = node ? 0 : -ENOMEM;
	}
	if (!ret) {
		ret = shared_policy_replace(shared, node->start, node->end, node);
		if (ret)
			sp_free(node);
	}
	mpol_put(policy);
	return ret;
}

/**
 * ckpt_mempolicy_restore_shared - read NUMA policies of shared memory, set them
 * @ctx: context
 * @shared: policies of its inode
 * @nr_policies: how many to read
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mempolicy_restore_shared(struct ckpt_ctx *ctx,
				  struct shared_policy *shared, u32 nr_policies)
{
	int ret = 0;

	while (nr_policies-- && !ret)
		ret = restore_part(ctx, shared);
	return ret;
}

#endif /* CONFIG_CHECKPOINT */
