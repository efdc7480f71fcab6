/* SPDX-License-Identifier: GPL-2.0 */
/* What mm/oom_ckpt.c does for snapshots. */
#ifndef _MM_OOM_CKPT_H
#define _MM_OOM_CKPT_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct ckpt_ctx;
struct mem_cgroup;
struct mm_struct;

/**
 * struct ckpt_kept_mm - an address space that only a checkpoint uses
 * @node: in the list of all, whose lock protects the rest
 * @ctx: of the checkpoint
 * @mm: with a reference; NULL when it was given up
 * @memcg: that its pages count for, with a reference
 * @given_up: when that was decided, in jiffies, and never 0 then
 * @is_gone: @work is done
 * @work: gives it up
 */
struct ckpt_kept_mm {
	struct list_head node;
	struct ckpt_ctx *ctx;
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	unsigned long given_up;
	bool is_gone;
	struct work_struct work;
};

void ckpt_kept_mm_add(struct ckpt_ctx *ctx, struct ckpt_kept_mm *kept,
		      struct mm_struct *mm, struct mm_struct *like);
struct mm_struct *ckpt_kept_mm_get(struct ckpt_kept_mm *kept);
void ckpt_kept_mm_remove(struct ckpt_kept_mm *kept);

#endif /* _MM_OOM_CKPT_H */
