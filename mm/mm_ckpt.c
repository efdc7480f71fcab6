// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of address spaces.
 *
 * Saved: mappings, contents, layout, auxiliary vector, executable, dumpable
 *	flag, core dump filter, membarrier registrations, mlockall(),
 *	PR_SET_MDWE, the user namespace that the program was started in.
 * Reset to default: accounting, such as peak sizes and fault counts; a user
 *	namespace above that of the caller.
 * Refused: address spaces that a process outside uses too.
 *
 * A restart builds the new address space beside the old one. While a mapping
 * is made the task runs on the new one, then it goes back: a restart that
 * fails leaves the old one as it was.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/membarrier.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_context.h>
#include <linux/namei.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

/* The bits that mean "registered and ready", and the command that sets them. */
static const struct {
	int state;
	int command;
} membarrier_map[] = {
	{ MEMBARRIER_STATE_GLOBAL_EXPEDITED |
	  MEMBARRIER_STATE_GLOBAL_EXPEDITED_READY,
	  MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED |
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_READY,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE |
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE_READY,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ |
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ_READY,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

static void save_flags(struct mm_struct *mm, struct ckpt_hdr_mm *record)
{
	int index, state = atomic_read(&mm->membarrier_state);

	if (test_bit(MMF_TOPDOWN, &mm->flags))
		record->flags |= CKPT_MM_TOPDOWN;
	if (mm->def_flags & VM_LOCKED)
		record->flags |= CKPT_MM_LOCK_FUTURE;
	if (mm->def_flags & VM_LOCKONFAULT)
		record->flags |= CKPT_MM_LOCK_ONFAULT;
	if (test_bit(MMF_DISABLE_THP, &mm->flags))
		record->flags |= CKPT_MM_THP_DISABLE;
	if (test_bit(MMF_HAS_MDWE, &mm->flags))
		record->flags |= CKPT_MM_MDWE;
	if (test_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags))
		record->flags |= CKPT_MM_MDWE_NO_INHERIT;
	record->dumpable = get_dumpable(mm);
	record->coredump_filter = (mm->flags & MMF_DUMP_FILTER_MASK) >>
				  MMF_DUMP_FILTER_SHIFT;
	for (index = 0; index < ARRAY_SIZE(membarrier_map); index++)
		if (state & membarrier_map[index].state)
			record->membarrier |= membarrier_map[index].command;
}

static void save_layout(struct mm_struct *mm, struct ckpt_hdr_mm *record)
{
	spin_lock(&mm->arg_lock);
	record->start_code = mm->start_code;
	record->end_code = mm->end_code;
	record->start_data = mm->start_data;
	record->end_data = mm->end_data;
	record->start_brk = mm->start_brk;
	record->brk = mm->brk;
	record->start_stack = mm->start_stack;
	record->arg_start = mm->arg_start;
	record->arg_end = mm->arg_end;
	record->env_start = mm->env_start;
	record->env_end = mm->env_end;
	record->mmap_base = mm->mmap_base;
	spin_unlock(&mm->arg_lock);
}

static int save_exe_file(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 u32 *exe_file)
{
	struct file *file = get_mm_exe_file(mm);
	int objref;

	if (!file)
		return 0;
	objref = ckpt_file_save_for_memory(ctx, file);
	if (objref < 0)
		ckpt_error(ctx, objref, "executable %pD", file);
	else
		*exe_file = objref;
	fput(file);
	return objref < 0 ? objref : 0;
}

/* One above that of the caller is replaced by that of whoever restarts. */
static int save_user_ns(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	if (!in_userns(current_user_ns(), mm->user_ns))
		return 0;
	return ckpt_user_ns_ref(ctx, mm->user_ns);
}

static void set_user_ns(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 objref)
{
	struct user_namespace *old = mm->user_ns;

	mm->user_ns = get_user_ns(ckpt_user_ns_find(ctx, objref));
	put_user_ns(old);
}

/* Nobody else may write to the memory while it is being saved. */
static int check_users(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct task_struct *other;
	pid_t pid = 0;

	rcu_read_lock();
	for_each_process(other) {
		if (READ_ONCE(other->mm) == mm && !ckpt_tree_has(ctx, other)) {
			pid = task_pid_vnr(other);
			break;
		}
	}
	rcu_read_unlock();
	if (pid)
		return ckpt_error(ctx, -EBUSY,
				  "its memory is shared with process %d", pid);
	return 0;
}

/**
 * ckpt_mm_save - save an address space
 * @ctx: context
 * @object: struct mm_struct of a stopped task
 *
 * Its memory is captured, not copied: see mm/snapshot_ckpt.c.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_save(struct ckpt_ctx *ctx, void *object)
{
	struct mm_struct *mm = object;
	struct ckpt_hdr_mm *record;
	vm_flags_t any_flags = 0;
	u32 exe_file = 0;
	int user_ns, ret;
	void *auxv;

	/* The task and the table of objects hold one each. */
	if (atomic_read(&mm->mm_users) > 2) {
		ret = check_users(ctx, mm);
		if (ret)
			return ret;
	}
	ret = save_exe_file(ctx, mm, &exe_file);
	if (ret)
		return ret;
	user_ns = save_user_ns(ctx, mm);
	if (user_ns < 0)
		return user_ns;
	record = ckpt_record_add(ctx, CKPT_HDR_MM);
	if (!record)
		return -ENOMEM;
	record->exe_file = exe_file;
	record->user_ns = user_ns;
	save_layout(mm, record);
	save_flags(mm, record);
	auxv = ckpt_buffer_add(ctx, sizeof(mm->saved_auxv));
	if (!auxv)
		return -ENOMEM;
	memcpy(auxv, mm->saved_auxv, sizeof(mm->saved_auxv));
	ret = arch_ckpt_save_mm(ctx, mm);
	if (!ret)
		ret = ckpt_vmas_save(ctx, mm, &record->nr_vmas, &any_flags);
	return ret ?: ckpt_mm_capture_pages(ctx, mm, any_flags);
}

/**
 * ckpt_mm_switch - run the current task on another address space
 * @mm: with a reference, which the task takes over
 *
 * Return: the address space until now, with the task's reference.
 */
struct mm_struct *ckpt_mm_switch(struct mm_struct *mm)
{
	struct mm_struct *old = current->mm;

	sched_mm_cid_before_execve(current);
	task_lock(current);
	local_irq_disable();
	current->active_mm = mm;
	current->mm = mm;
	membarrier_update_current_mm(mm);
	if (!IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	activate_mm(old, mm);
	if (IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	task_unlock(current);
	lru_gen_use_mm(mm);
	sched_mm_cid_after_execve(current);
	return old;
}

static int check_mdwe(struct ckpt_ctx *ctx, const struct ckpt_hdr_mm *record)
{
	if (record->flags & CKPT_MM_MDWE_NO_INHERIT &&
	    !(record->flags & CKPT_MM_MDWE))
		return ckpt_error(ctx, -EINVAL, "PR_SET_MDWE flags");
	if (test_bit(MMF_HAS_MDWE, &current->mm->flags) &&
	    !(record->flags & CKPT_MM_MDWE))
		return ckpt_error(ctx, -EPERM,
				  "the caller cannot give up PR_SET_MDWE");
	return 0;
}

static int check_layout(struct ckpt_ctx *ctx, const struct ckpt_hdr_mm *record)
{
	const u64 places[] = {
		record->start_code, record->end_code, record->start_data,
		record->end_data, record->start_brk, record->brk,
		record->start_stack, record->arg_start, record->arg_end,
		record->env_start, record->env_end, record->mmap_base,
	};
	int index;

	for (index = 0; index < ARRAY_SIZE(places); index++)
		if (places[index] > TASK_SIZE_MAX)
			return ckpt_error(ctx, -EINVAL,
					  "the layout leaves user space");
	if (record->start_code > record->end_code ||
	    record->start_data > record->end_data ||
	    record->start_brk > record->brk ||
	    record->arg_start > record->arg_end ||
	    record->env_start > record->env_end ||
	    record->start_stack < mmap_min_addr ||
	    offset_in_page(record->mmap_base) || !record->mmap_base)
		return ckpt_error(ctx, -EINVAL,
				  "the layout contradicts itself");
	if (record->flags & CKPT_MM_LOCK_ONFAULT &&
	    !(record->flags & CKPT_MM_LOCK_FUTURE))
		return ckpt_error(ctx, -EINVAL, "mlockall() flags");
	if (record->flags & CKPT_MM_LOCK_FUTURE && !can_do_mlock())
		return ckpt_error(ctx, -EPERM, "no right to lock memory");
	return check_mdwe(ctx, record);
}

static void set_layout(struct mm_struct *mm, const struct ckpt_hdr_mm *record)
{
	mm->start_code = record->start_code;
	mm->end_code = record->end_code;
	mm->start_data = record->start_data;
	mm->end_data = record->end_data;
	mm->start_brk = record->start_brk;
	mm->brk = record->brk;
	mm->start_stack = record->start_stack;
	mm->arg_start = record->arg_start;
	mm->arg_end = record->arg_end;
	mm->env_start = record->env_start;
	mm->env_end = record->env_end;
	mm->mmap_base = record->mmap_base;
	mm->task_size = TASK_SIZE;
}

static void set_flags(struct mm_struct *mm, const struct ckpt_hdr_mm *record)
{
	int index, state = 0;

	if (record->flags & CKPT_MM_TOPDOWN)
		set_bit(MMF_TOPDOWN, &mm->flags);
	else
		clear_bit(MMF_TOPDOWN, &mm->flags);
	if (record->flags & CKPT_MM_THP_DISABLE)
		set_bit(MMF_DISABLE_THP, &mm->flags);
	else
		clear_bit(MMF_DISABLE_THP, &mm->flags);
	/* Of the caller: an image with it is not made. */
	clear_bit(MMF_VM_MERGE_ANY, &mm->flags);
	mm->flags &= ~MMF_DUMP_FILTER_MASK;
	mm->flags |= (unsigned long)record->coredump_filter <<
		     MMF_DUMP_FILTER_SHIFT;
	/* The task that uses it has not run yet: registered is ready. */
	for (index = 0; index < ARRAY_SIZE(membarrier_map); index++)
		if (record->membarrier & membarrier_map[index].command)
			state |= membarrier_map[index].state;
	atomic_set(&mm->membarrier_state, state);
}

/* What execve() of that file asks for; its name will be in /proc/PID/exe. */
static int set_exe_file(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 objref)
{
	struct file *file;
	int ret;

	if (!objref)
		return 0;
	file = ckpt_object_find(ctx, objref, CKPT_OBJ_FILE);
	ret = -EACCES;
	if (S_ISREG(file_inode(file)->i_mode) && !path_noexec(&file->f_path))
		ret = file_permission(file, MAY_EXEC);
	if (!ret)
		ret = set_mm_exe_file(mm, file);
	if (ret)
		return ckpt_error(ctx, ret, "executable %pD", file);
	return 0;
}

static int read_auxv(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	u32 nbytes;
	u8 *auxv = ckpt_buffer_read(ctx, &nbytes);

	if (IS_ERR(auxv))
		return PTR_ERR(auxv);
	memset(mm->saved_auxv, 0, sizeof(mm->saved_auxv));
	/* Another kernel may have room for less or more; it ends with zeros. */
	memcpy(mm->saved_auxv, auxv,
	       min_t(u32, nbytes, sizeof(mm->saved_auxv) -
				  2 * sizeof(mm->saved_auxv[0])));
	kvfree(auxv);
	return 0;
}

static int restore_vmas(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 nr_vmas)
{
	struct ckpt_hdr_vma *records = NULL;
	u32 index, room = 0;
	int ret = 0;

	for (index = 0; index < nr_vmas && !ret; index++) {
		struct mm_struct *old;

		/* Grows as the image does, not as its header claims. */
		if (index == room) {
			struct ckpt_hdr_vma *larger;

			room = room ? 2 * room : 64;
			larger = kvrealloc(records, room * sizeof(*records),
					   GFP_KERNEL_ACCOUNT);
			if (!larger) {
				ret = -ENOMEM;
				break;
			}
			records = larger;
		}
		ret = ckpt_record_read(ctx, CKPT_HDR_VMA, &records[index]);
		if (ret)
			break;
		old = ckpt_mm_switch(mm);
		ret = ckpt_vma_restore(ctx, mm, &records[index]);
		ckpt_mm_switch(old);
	}
	for (index = 0; index < nr_vmas && !ret; index++)
		ret = ckpt_cow_link(ctx, mm, &records[index]);
	if (!ret)
		ret = ckpt_mm_restore_pages(ctx, mm);
	if (!ret) {
		struct mm_struct *old = ckpt_mm_switch(mm);

		for (index = 0; index < nr_vmas && !ret; index++)
			ret = ckpt_vma_restore_end(ctx, mm, &records[index]);
		ckpt_mm_switch(old);
	}
	kvfree(records);
	return ret;
}

static int restore_contents(struct ckpt_ctx *ctx, struct mm_struct *mm,
			    const struct ckpt_hdr_mm *record)
{
	int ret = set_exe_file(ctx, mm, record->exe_file);
	struct ckpt_hdr_mm_arch arch;

	if (!ret)
		ret = read_auxv(ctx, mm);
	if (!ret)
		ret = arch_ckpt_restore_mm(ctx, mm, &arch);
	if (!ret)
		ret = restore_vmas(ctx, mm, record->nr_vmas);
	if (!ret)
		ret = arch_ckpt_check_mm(ctx, mm, &arch);
	if (ret)
		return ret;
	/* Only now: it would have locked what others do not want locked. */
	if (record->flags & CKPT_MM_LOCK_FUTURE)
		mm->def_flags |= VM_LOCKED;
	if (record->flags & CKPT_MM_LOCK_ONFAULT)
		mm->def_flags |= VM_LOCKONFAULT;
	/* And it would have refused memory that was made before it was set. */
	if (record->flags & CKPT_MM_MDWE)
		set_bit(MMF_HAS_MDWE, &mm->flags);
	if (record->flags & CKPT_MM_MDWE_NO_INHERIT)
		set_bit(MMF_HAS_MDWE_NO_INHERIT, &mm->flags);
	set_layout(mm, record);
	return 0;
}

/**
 * ckpt_mm_restore - read an address space
 * @ctx: context
 *
 * Return: struct mm_struct with a reference, or an error pointer.
 */
void *ckpt_mm_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_mm record;
	struct mm_struct *mm;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_MM, &record);
	if (!ret)
		ret = check_layout(ctx, &record);
	if (ret)
		return ERR_PTR(ret);
	mm = mm_alloc();
	if (!mm)
		return ERR_PTR(-ENOMEM);
	lru_gen_add_mm(mm);
	set_layout(mm, &record);
	set_flags(mm, &record);
	set_dumpable(mm, record.dumpable);
	set_user_ns(ctx, mm, record.user_ns);
	ret = restore_contents(ctx, mm, &record);
	if (ret) {
		mmput(mm);
		return ERR_PTR(ret);
	}
	return mm;
}

/**
 * ckpt_mm_commit - make it the address space of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Return: 0.
 */
int ckpt_mm_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct mm_struct *mm = stage->mm;
	struct mm_struct *old = current->mm;

	/* What exec does when the old memory goes: robust list, vfork. */
	exec_mm_release(current, old);
	ckpt_mempolicy_commit_mm(stage);
	down_write(&current->signal->exec_update_lock);
	mmget(mm);
	ckpt_mm_switch(mm);
	up_write(&current->signal->exec_update_lock);
	setmax_mm_hiwater_rss(&current->signal->maxrss, old);
	mm_update_next_owner(old);
	mmput(old);
	return 0;
}
