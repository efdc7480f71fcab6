// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the vdso, the kernel's code in user space.
 *
 * Saved: its place. The contents are those of the running kernel.
 * Refused: a vdso that was cut or written to or has lost its data, and at
 *	restart the vdso of another kernel.
 *
 * Programs keep addresses into the vdso, and are stopped inside it. It is the
 * same on each machine that runs the same build, but for the instructions that
 * were chosen for the processor when the kernel started. Where these are does
 * not depend on the processor; only a task that was stopped in the middle of
 * some needs the very same ones.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include <asm/alternative.h>
#include <asm/vdso.h>

#include "ckpt.h"

/* Of the vdso as it was built, and as it is after the choice. */
static u64 built_hash __ro_after_init;
static u64 chosen_hash __ro_after_init;

static const struct alt_instr *first_choice(void)
{
	return vdso_image_64.data + vdso_image_64.alt;
}

static unsigned int nr_choices(void)
{
	return vdso_image_64.alt_len / sizeof(struct alt_instr);
}

/* Offset in the vdso of the instructions that were chosen. */
static unsigned long choice_offset(const struct alt_instr *choice)
{
	return (void *)&choice->instr_offset + choice->instr_offset -
	       vdso_image_64.data;
}

static u64 __init hash(const void *data)
{
	struct xxh64_state state;

	xxh64_reset(&state, 0);
	xxh64_update(&state, data, vdso_image_64.size);
	xxh64_update(&state, &vdso_image_64.sym_vvar_start,
		     sizeof(vdso_image_64.sym_vvar_start));
	return xxh64_digest(&state);
}

static int __init hash_vdso(void)
{
	const struct alt_instr *choice = first_choice();
	const struct alt_instr *end = choice + nr_choices();
	void *data = kmemdup(vdso_image_64.data, vdso_image_64.size,
			     GFP_KERNEL);

	if (!data)
		return -ENOMEM;
	chosen_hash = hash(data);
	for (; choice < end; choice++)
		memset(data + choice_offset(choice), 0, choice->instrlen);
	built_hash = hash(data);
	kfree(data);
	return 0;
}
late_initcall(hash_vdso);

/**
 * ckpt_vdso_save_header - say which vdso the tasks have
 * @record: filled in
 */
void ckpt_vdso_save_header(struct ckpt_hdr_header_arch *record)
{
	record->vdso_size = vdso_image_64.size;
	record->vdso_hash = built_hash;
	record->vdso_chosen_hash = chosen_hash;
}

/**
 * ckpt_vdso_check_header - is the vdso of the image that of this kernel?
 * @ctx: context with the header read
 *
 * Return: 0, -EXDEV.
 */
int ckpt_vdso_check_header(struct ckpt_ctx *ctx)
{
	if (ctx->arch.vdso_size != vdso_image_64.size ||
	    ctx->arch.vdso_hash != built_hash)
		return ckpt_error(ctx, -EXDEV,
				  "the image was made by a kernel with another vdso");
	return 0;
}

static bool is_within_choice(unsigned long offset)
{
	const struct alt_instr *choice = first_choice();
	const struct alt_instr *end = choice + nr_choices();

	for (; choice < end; choice++)
		if (offset > choice_offset(choice) &&
		    offset < choice_offset(choice) + choice->instrlen)
			return true;
	return false;
}

/**
 * arch_ckpt_check_place - can the task go on where it was stopped?
 * @ctx: context
 * @stage: with registers and address space
 *
 * Return: 0, -EXDEV.
 */
int arch_ckpt_check_place(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	u64 offset = stage->cpu->regs.ip -
		     (uintptr_t)stage->mm->context.vdso;

	if (ctx->arch.vdso_chosen_hash != chosen_hash &&
	    stage->mm->context.vdso && is_within_choice(offset))
		return ckpt_error(ctx, -EXDEV,
				  "it was stopped in instructions of the vdso that another processor has");
	return 0;
}

static bool is_mapped_at(struct mm_struct *mm, unsigned long address,
			 const struct vm_special_mapping *mapping)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);

	return vma && vma_is_special_mapping(vma, mapping);
}

/**
 * ckpt_vdso_find - where is the vdso mapped?
 * @mm: address space
 *
 * The kernel remembers where it was, also when it is not there any more.
 *
 * Return: its address, or 0.
 */
u64 ckpt_vdso_find(struct mm_struct *mm)
{
	unsigned long vdso = (uintptr_t)mm->context.vdso;
	bool is_mapped;

	mmap_read_lock(mm);
	is_mapped = is_mapped_at(mm, vdso, &vdso_mapping);
	mmap_read_unlock(mm);
	return is_mapped ? vdso : 0;
}

/**
 * ckpt_vma_save_special - checkpoint method of the kernel's own mappings
 * @ctx: context
 * @vma: mapping
 * @record: kind is filled in
 *
 * Return: 0, -EOPNOTSUPP.
 */
int ckpt_vma_save_special(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			  struct ckpt_hdr_vma *record)
{
	unsigned long vdso = (uintptr_t)vma->vm_mm->context.vdso;
	unsigned long size = vma->vm_end - vma->vm_start;

	record->flags &= CKPT_VMA_READ | CKPT_VMA_WRITE | CKPT_VMA_EXEC;
	record->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	if (vma->anon_vma)
		return ckpt_error(ctx, -EOPNOTSUPP, "its vdso was written to");
	if (vma_is_special_mapping(vma, &vdso_mapping) &&
	    size == vdso_image_64.size && vma->vm_start == vdso &&
	    record->flags == (CKPT_VMA_READ | CKPT_VMA_EXEC) &&
	    is_mapped_at(vma->vm_mm, vdso - 1, &vvar_mapping)) {
		record->kind = CKPT_VMA_VDSO;
		return 0;
	}
	if (vma_is_special_mapping(vma, &vvar_mapping) &&
	    size == -vdso_image_64.sym_vvar_start && vma->vm_end == vdso &&
	    record->flags == CKPT_VMA_READ &&
	    is_mapped_at(vma->vm_mm, vdso, &vdso_mapping)) {
		record->kind = CKPT_VMA_VVAR;
		return 0;
	}
	return ckpt_error(ctx, -EOPNOTSUPP,
			  "it has a mapping of the kernel in an unusual form");
}

/**
 * arch_ckpt_map_vdso - map the vdso where it was
 * @ctx: context
 * @mm: the current address space, private to the restart
 * @record: of the vdso or of its data; whichever comes first maps both
 *
 * Return: 0 or a negative errno.
 */
int arch_ckpt_map_vdso(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       const struct ckpt_hdr_vma *record)
{
	unsigned long vvar_size = -vdso_image_64.sym_vvar_start;
	unsigned long vvar = record->start;
	unsigned long size = vvar_size;
	int ret;

	if (record->kind == CKPT_VMA_VDSO) {
		vvar = record->start - vvar_size;
		size = vdso_image_64.size;
	}
	if (record->end - record->start != size || record->start < vvar_size ||
	    vvar < mmap_min_addr)
		return ckpt_error(ctx, -EINVAL, "vdso at %#llx", record->start);
	if (mm->context.vdso == (void __user *)(vvar + vvar_size))
		return 0;
	ret = map_vdso_once(&vdso_image_64, vvar);
	if (!ret && mm->context.vdso != (void __user *)(vvar + vvar_size))
		ret = -EINVAL;
	if (ret)
		return ckpt_error(ctx, ret, "vdso at %#llx", record->start);
	return 0;
}
