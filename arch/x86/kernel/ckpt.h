/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that save the state of x86-64 tasks share with each other. */
#ifndef _X86_KERNEL_CKPT_H
#define _X86_KERNEL_CKPT_H

#include <linux/checkpoint_ctx.h>

/**
 * struct ckpt_cpu_stage - registers as restored
 * @regs: general registers, checked
 * @nbytes: bytes of @xstate
 * @xstate: the rest in the form of NT_X86_XSTATE, or of NT_PRFPREG on a
 *	processor without XSAVE
 */
struct ckpt_cpu_stage {
	struct ckpt_hdr_cpu regs;
	u32 nbytes;
	u8 xstate[] __aligned(64);
};

void ckpt_vdso_save_header(struct ckpt_hdr_header_arch *record);
int ckpt_vdso_check_header(struct ckpt_ctx *ctx);
u64 ckpt_vdso_find(struct mm_struct *mm);

#endif /* _X86_KERNEL_CKPT_H */
