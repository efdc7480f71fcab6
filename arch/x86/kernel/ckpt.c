// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of what x86-64 tasks have of their own.
 *
 * Saved: general registers, segment bases, x87, SSE, AVX, AVX-512 and PKRU
 *	state in the forms that ptrace() gives them, place of the vdso, which
 *	protection keys are taken.
 * Refused: 32-bit tasks, hardware breakpoints, port permissions, LDT entries,
 *	TLS segments, shadow stacks, disabled CPUID, AMX, restricted
 *	speculation.
 *
 * A restart takes registers as sigreturn and ptrace() do: nothing that user
 * mode could not have set by itself.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/pkeys.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/user.h>

#include <asm/fpu/api.h>
#include <asm/fpu/regset.h>
#include <asm/fpu/xstate.h>
#include <asm/pkru.h>
#include <asm/prctl.h>
#include <asm/proto.h>
#include <asm/ptrace.h>
#include <asm/segment.h>

#include "ckpt.h"
#include "fpu/internal.h"
#include "fpu/legacy.h"
#include "fpu/xstate.h"

/* Bits of the flags register that user mode owns: those of ptrace(), and ID. */
#define USER_FLAGS							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |		\
	 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF |		\
	 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_RF |		\
	 X86_EFLAGS_AC | X86_EFLAGS_NT | X86_EFLAGS_ID)

/* The legacy area, with x87 and SSE, and the header behind it. */
#define LEGACY_SIZE	sizeof(struct fxregs_state)
#define LEGACY_FEATURES	XFEATURE_MASK_FPSSE

static u32 xstate_size(void)
{
	return cpu_feature_enabled(X86_FEATURE_XSAVE) ? fpu_user_cfg.max_size :
							LEGACY_SIZE;
}

static u64 xstate_features(void)
{
	return cpu_feature_enabled(X86_FEATURE_XSAVE) ?
	       fpu_user_cfg.max_features : LEGACY_FEATURES;
}

/**
 * arch_ckpt_save_header - say what a restart needs from processor and kernel
 * @ctx: context
 *
 * Return: 0, -ENOMEM.
 */
int arch_ckpt_save_header(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_header_arch *record;

	record = ckpt_record_add(ctx, CKPT_HDR_HEADER_ARCH);
	if (!record)
		return -ENOMEM;
	record->xfeatures = xstate_features();
	record->xstate_size = xstate_size();
	ckpt_vdso_save_header(record);
	return 0;
}

/**
 * arch_ckpt_check_header - can this processor and kernel take the image?
 * @ctx: context with the header read
 *
 * What the tasks really use is checked with their registers.
 *
 * Return: 0, -EXDEV.
 */
int arch_ckpt_check_header(struct ckpt_ctx *ctx)
{
	return ckpt_vdso_check_header(ctx);
}

#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
static void save_pkeys(struct mm_struct *mm, struct ckpt_hdr_mm_arch *record)
{
	if (!arch_pkeys_enabled())
		return;
	/* Key 0 is everybody's. */
	record->pkeys = mm_pkey_allocation_map(mm) & ~1U;
	record->execute_only_pkey = max(mm->context.execute_only_pkey, 0);
}

static int restore_pkeys(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 const struct ckpt_hdr_mm_arch *record)
{
	if (!record->pkeys && !record->execute_only_pkey)
		return 0;
	if (!arch_pkeys_enabled())
		return ckpt_error(ctx, -EXDEV,
				  "this processor has no protection keys");
	if (record->execute_only_pkey &&
	    !(record->pkeys & BIT(record->execute_only_pkey)))
		return ckpt_error(ctx, -EINVAL, "protection key %u is free",
				  record->execute_only_pkey);
	mm_pkey_allocation_map(mm) |= record->pkeys;
	if (record->execute_only_pkey)
		mm->context.execute_only_pkey = record->execute_only_pkey;
	return 0;
}
#else
static void save_pkeys(struct mm_struct *mm, struct ckpt_hdr_mm_arch *record)
{
}

static int restore_pkeys(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 const struct ckpt_hdr_mm_arch *record)
{
	if (!record->pkeys && !record->execute_only_pkey)
		return 0;
	return ckpt_error(ctx, -EXDEV, "this kernel has no protection keys");
}
#endif

/**
 * arch_ckpt_save_mm - save the architecture's part of an address space
 * @ctx: context
 * @mm: address space
 *
 * Return: 0 or a negative errno.
 */
int arch_ckpt_save_mm(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_hdr_mm_arch *record;

#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (READ_ONCE(mm->context.ldt))
		return ckpt_error(ctx, -EOPNOTSUPP, "it has LDT entries");
#endif
	if (mm_lam_cr3_mask(mm))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it uses linear address masking");
	record = ckpt_record_add(ctx, CKPT_HDR_MM_ARCH);
	if (!record)
		return -ENOMEM;
	record->vdso = ckpt_vdso_find(mm);
	if (test_bit(MM_CONTEXT_HAS_VSYSCALL, &mm->context.flags))
		record->flags |= CKPT_MM_X86_VSYSCALL;
	save_pkeys(mm, record);
	return 0;
}

/**
 * arch_ckpt_restore_mm - read the architecture's part of an address space
 * @ctx: context
 * @mm: address space; the vdso's place is set when it is mapped
 * @record: filled in
 *
 * Return: 0 or a negative errno.
 */
int arch_ckpt_restore_mm(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 struct ckpt_hdr_mm_arch *record)
{
	int ret = ckpt_record_read(ctx, CKPT_HDR_MM_ARCH, record);

	if (ret)
		return ret;
	if (record->flags & CKPT_MM_X86_VSYSCALL)
		set_bit(MM_CONTEXT_HAS_VSYSCALL, &mm->context.flags);
	return restore_pkeys(ctx, mm, record);
}

/**
 * arch_ckpt_check_mm - do the mappings agree with the architecture's part?
 * @ctx: context
 * @mm: address space with all of its mappings
 * @record: from arch_ckpt_restore_mm()
 *
 * Return: 0, -EINVAL.
 */
int arch_ckpt_check_mm(struct ckpt_ctx *ctx, const struct mm_struct *mm,
		       const struct ckpt_hdr_mm_arch *record)
{
	u64 vdso = (uintptr_t)mm->context.vdso;

	if (record->vdso != vdso)
		return ckpt_error(ctx, -EINVAL,
				  "the vdso is to be at %#llx, and is mapped at %#llx",
				  record->vdso, vdso);
	return 0;
}

static bool has_tls_segments(const struct thread_struct *thread)
{
	int index;

	for (index = 0; index < GDT_ENTRY_TLS_ENTRIES; index++)
		if (!desc_empty(&thread->tls_array[index]))
			return true;
	return false;
}

static bool has_breakpoints(const struct thread_struct *thread)
{
	int index;

	for (index = 0; index < HBP_NUM; index++)
		if (thread->ptrace_bps[index])
			return true;
	return false;
}

static bool is_32bit(struct task_struct *task)
{
	return !user_64bit_mode(task_pt_regs(task)) ||
	       test_tsk_thread_flag(task, TIF_ADDR32);
}

static bool has_restricted_speculation(struct task_struct *task)
{
	return task_spec_ssb_disable(task) || task_spec_ssb_noexec(task) ||
	       task_spec_ib_disable(task) ||
	       test_tsk_thread_flag(task, TIF_SPEC_L1D_FLUSH);
}

/* The whole process has the permission, whoever has used it. */
static bool may_use_amx(struct task_struct *task)
{
	const struct fpu *fpu = &task->group_leader->thread.fpu;

	return READ_ONCE(fpu->perm.__state_perm) & XFEATURE_MASK_USER_DYNAMIC;
}

static int check_unsupported(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct thread_struct *thread = &task->thread;

	if (is_32bit(task))
		return ckpt_error(ctx, -EOPNOTSUPP, "it is a 32-bit task");
	if (has_breakpoints(thread))
		return ckpt_error(ctx, -EBUSY, "it has hardware breakpoints");
#ifdef CONFIG_X86_IOPL_IOPERM
	if (thread->io_bitmap || thread->iopl_emul)
		return ckpt_error(ctx, -EBUSY, "it may use I/O ports");
#endif
	if (has_tls_segments(thread))
		return ckpt_error(ctx, -EOPNOTSUPP, "it has TLS segments");
#ifdef CONFIG_X86_USER_SHADOW_STACK
	if (thread->features)
		return ckpt_error(ctx, -EOPNOTSUPP, "it has a shadow stack");
	if (thread->features_locked)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has locked the features of shadow stacks");
#endif
	if (may_use_amx(task))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has the permission to use AMX");
	if (has_restricted_speculation(task))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has set PR_SET_SPECULATION_CTRL");
	if (test_tsk_thread_flag(task, TIF_NOCPUID))
		return ckpt_error(ctx, -EOPNOTSUPP, "it may not use CPUID");
	return 0;
}

static const struct user_regset *find_regset(struct task_struct *task,
					     unsigned int note_type)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	unsigned int index;

	for (index = 0; index < view->n; index++)
		if (view->regsets[index].core_note_type == note_type)
			return &view->regsets[index];
	return NULL;
}

/* What 64-bit code has: flat segments, and bases instead of selectors. */
static bool are_plain_selectors(const struct ckpt_hdr_cpu *regs)
{
	return regs->cs == __USER_CS && regs->ss == __USER_DS &&
	       (!regs->ds || regs->ds == __USER_DS) &&
	       (!regs->es || regs->es == __USER_DS) && !regs->fs && !regs->gs;
}

static int save_general(struct ckpt_ctx *ctx, struct task_struct *task)
{
	const struct user_regset *regset = find_regset(task, NT_PRSTATUS);
	struct ckpt_hdr_cpu *record;
	int ret;

	BUILD_BUG_ON(sizeof(*record) - sizeof(record->h) !=
		     sizeof(struct user_regs_struct));
	record = ckpt_record_add(ctx, CKPT_HDR_CPU);
	if (!record)
		return -ENOMEM;
	ret = regset_get(task, (struct user_regset *)regset,
			 sizeof(struct user_regs_struct), &record->h + 1);
	if (ret < 0)
		return ret;
	if (!are_plain_selectors(record))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "it has segment selectors of its own");
	/* Who saves itself continues with 0 from the call. */
	if (task == current) {
		record->ax = 0;
		record->orig_ax = -1;
	}
	return 0;
}

static int save_extended(struct ckpt_ctx *ctx, struct task_struct *task)
{
	bool has_xsave = cpu_feature_enabled(X86_FEATURE_XSAVE);
	const struct user_regset *regset;
	struct ckpt_hdr_cpu_xstate *record;
	struct xregs_state *xstate;
	int ret;

	regset = find_regset(task, has_xsave ? NT_X86_XSTATE : NT_PRFPREG);
	record = ckpt_record_add(ctx, CKPT_HDR_CPU_XSTATE);
	if (!record)
		return -ENOMEM;
	xstate = ckpt_buffer_add(ctx, xstate_size());
	if (!xstate)
		return -ENOMEM;
	/* Of a running task only the processor knows it. */
	if (task == current)
		task->thread.pkru = read_pkru();
	ret = regset_get(task, (struct user_regset *)regset, xstate_size(),
			 xstate);
	if (ret < 0)
		return ret;
	record->features = has_xsave ? xstate->header.xfeatures :
				       LEGACY_FEATURES;
	if (record->features & XFEATURE_MASK_USER_DYNAMIC)
		return ckpt_error(ctx, -EOPNOTSUPP, "it uses AMX");
	return 0;
}

/**
 * ckpt_cpu_save - save the registers of a task
 * @ctx: context
 * @task: stopped at the user-mode boundary, or the caller
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cpu_save(struct ckpt_ctx *ctx, struct task_struct *task)
{
	int ret = check_unsupported(ctx, task);

	if (!ret)
		ret = save_general(ctx, task);
	return ret ?: save_extended(ctx, task);
}

static int check_general(struct ckpt_ctx *ctx, const struct ckpt_hdr_cpu *regs)
{
	if (!are_plain_selectors(regs))
		return ckpt_error(ctx, -EINVAL, "segment selectors");
	if (regs->ip >= TASK_SIZE_MAX || regs->fs_base >= TASK_SIZE_MAX ||
	    regs->gs_base >= TASK_SIZE_MAX)
		return ckpt_error(ctx, -EINVAL,
				  "registers point out of user space");
	return 0;
}

/* Everything that copying to the task could find wrong. */
static int check_extended(struct ckpt_ctx *ctx, struct ckpt_cpu_stage *stage,
			  u64 features)
{
	struct xregs_state *xstate = (struct xregs_state *)stage->xstate;

	if (features & ~xstate_features())
		return ckpt_error(ctx, -EXDEV,
				  "this processor lacks state components %#llx",
				  features & ~xstate_features());
	if (xstate->i387.mxcsr & ~mxcsr_feature_mask)
		return ckpt_error(ctx, -EINVAL, "MXCSR %#x",
				  xstate->i387.mxcsr);
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE))
		return 0;
	if (features & XFEATURE_MASK_USER_DYNAMIC)
		return ckpt_error(ctx, -EOPNOTSUPP, "the image uses AMX");
	memset(&xstate->header, 0, sizeof(xstate->header));
	xstate->header.xfeatures = features;
	return 0;
}

static int read_extended(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage,
			 const struct ckpt_hdr_cpu *regs)
{
	struct ckpt_hdr_cpu_xstate record;
	struct ckpt_cpu_stage *cpu;
	u32 nbytes;
	void *data;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_CPU_XSTATE, &record);
	if (ret)
		return ret;
	data = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(data))
		return PTR_ERR(data);
	ret = -ENOMEM;
	cpu = kvzalloc(struct_size(cpu, xstate, xstate_size()),
		       GFP_KERNEL_ACCOUNT);
	if (!cpu)
		goto free_data;
	stage->cpu = cpu;
	cpu->regs = *regs;
	cpu->nbytes = xstate_size();
	/* A component that the buffer does not reach is in its first state. */
	memcpy(cpu->xstate, data, min(nbytes, cpu->nbytes));
	if (nbytes < LEGACY_SIZE)
		ret = ckpt_error(ctx, -EINVAL, "%u bytes of state", nbytes);
	else
		ret = check_extended(ctx, cpu, record.features);

free_data:
	kvfree(data);
	return ret;
}

/**
 * ckpt_cpu_restore - read the registers of a task
 * @ctx: context
 * @stage: filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cpu_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct ckpt_hdr_cpu regs;
	int ret;

	if (is_32bit(current))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "the task to restore is a 32-bit one");
	ret = ckpt_record_read(ctx, CKPT_HDR_CPU, &regs);
	if (!ret)
		ret = check_general(ctx, &regs);
	return ret ?: read_extended(ctx, stage, &regs);
}

static int commit_extended(struct ckpt_cpu_stage *cpu)
{
	struct fpu *fpu = &current->thread.fpu;
	int ret = 0;

	/* Memory holds the state from here until the return to user mode. */
	kernel_fpu_begin();
	kernel_fpu_end();
	fpregs_lock();
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		ret = copy_uabi_from_kernel_to_xstate(fpu->fpstate, cpu->xstate,
						      &current->thread.pkru);
	else
		memcpy(&fpu->fpstate->regs.fxsave, cpu->xstate, LEGACY_SIZE);
	fpu->last_cpu = -1;
	/* Not among what the return to user mode loads. */
	if (!ret)
		write_pkru(current->thread.pkru);
	fpregs_unlock();
	return ret;
}

static void commit_segments(const struct ckpt_hdr_cpu *saved)
{
	loadsegment(ds, saved->ds);
	loadsegment(es, saved->es);
	do_arch_prctl_64(current, ARCH_SET_FS, saved->fs_base);
	do_arch_prctl_64(current, ARCH_SET_GS, saved->gs_base);
}

static void commit_general(const struct ckpt_hdr_cpu *saved)
{
	struct pt_regs *regs = current_pt_regs();

	regs->r15 = saved->r15;
	regs->r14 = saved->r14;
	regs->r13 = saved->r13;
	regs->r12 = saved->r12;
	regs->bp = saved->bp;
	regs->bx = saved->bx;
	regs->r11 = saved->r11;
	regs->r10 = saved->r10;
	regs->r9 = saved->r9;
	regs->r8 = saved->r8;
	regs->ax = saved->ax;
	regs->cx = saved->cx;
	regs->dx = saved->dx;
	regs->si = saved->si;
	regs->di = saved->di;
	regs->orig_ax = saved->orig_ax;
	regs->ip = saved->ip;
	regs->cs = saved->cs;
	regs->sp = saved->sp;
	regs->ss = saved->ss;
	regs->flags = (saved->flags & USER_FLAGS) | X86_EFLAGS_IF |
		      X86_EFLAGS_FIXED;
}

/**
 * ckpt_cpu_commit_extended - set the vector registers of the current task
 * @ctx: context
 * @stage: from ckpt_cpu_restore()
 *
 * Return: 0, or -EINVAL with nothing changed.
 */
int ckpt_cpu_commit_extended(struct ckpt_ctx *ctx,
			     struct ckpt_task_stage *stage)
{
	return commit_extended(stage->cpu);
}

/**
 * ckpt_cpu_commit_general - set the general registers of the current task
 * @ctx: context
 * @stage: from ckpt_cpu_restore()
 *
 * Leaving an address space resets segment bases, so this comes after it.
 *
 * Return: 0.
 */
int ckpt_cpu_commit_general(struct ckpt_ctx *ctx,
			    struct ckpt_task_stage *stage)
{
	commit_segments(&stage->cpu->regs);
	commit_general(&stage->cpu->regs);
	/* Have an interrupted system call looked at on the way out. */
	set_thread_flag(TIF_SIGPENDING);
	return 0;
}

/**
 * arch_ckpt_return_value - what the interrupted system call returns
 * @stage: committed
 *
 * Return: the saved value of the result register.
 */
long arch_ckpt_return_value(struct ckpt_task_stage *stage)
{
	return stage->cpu->regs.ax;
}

/**
 * ckpt_cpu_release - free the registers that were read
 * @stage: of a task
 */
void ckpt_cpu_release(struct ckpt_task_stage *stage)
{
	kvfree(stage->cpu);
	stage->cpu = NULL;
}
