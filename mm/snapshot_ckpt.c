// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the contents of private memory.
 *
 * Capture duplicates the page tables as fork() does: the target and the
 * snapshot share all pages until one of them writes. So the target is stopped
 * for the time that this takes, not for a copy of its memory. The pages are
 * written to the image from the snapshot while the target runs.
 *
 * Saved: pages that exist and hold something. A page of a file that was not
 * modified is in the file; a page of zeros is what a fresh mapping has; one that
 * the address space shares under copy-on-write may be in the image already.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "oom_ckpt.h"

/* Pages that one record and one write carry. */
#define BATCH_PAGES	256

struct snapshot;

/**
 * struct batch - pages on their way from the snapshot to the image
 * @header: record in front of them; written from here, so not vmalloc() memory
 * @bvecs: room for @header, then one page each; a reference is held
 * @nr_pages: pages in @bvecs
 * @start: address of the first
 * @huge: they belong to huge pages
 * @fault_at: page that is not present and has to be brought in first
 * @must_fault: @fault_at is set
 * @next: the walk goes on here
 * @is_fresh_zero: where there is no page, a restart finds zeros
 * @may_share: another address space may have the same pages
 */
struct batch {
	struct ckpt_hdr_pages header;
	struct bio_vec bvecs[BATCH_PAGES + 1];
	unsigned int nr_pages;
	unsigned long start;
	bool huge;
	unsigned long fault_at;
	bool must_fault;
	unsigned long next;
	bool is_fresh_zero;
	bool may_share;
};

enum run_kind {
	RUN_NONE,
	RUN_WRITE,
	RUN_REFER,
	RUN_SKIP,
};

/**
 * struct run - consecutive pages of a batch with one fate
 * @kind: enum run_kind
 * @first: index of the first
 * @nr_pages: how many
 * @place: of the first in the image, for RUN_REFER
 */
struct run {
	enum run_kind kind;
	unsigned int first;
	unsigned int nr_pages;
	struct ckpt_cow_place place;
};

/* Takes the pages of a batch and leaves it empty, also when it fails. */
typedef int (*consume_t)(struct ckpt_ctx *ctx, struct snapshot *snapshot,
			 struct batch *batch);

/**
 * struct snapshot - memory at the moment of the checkpoint
 * @segment: its place in the image
 * @kept: duplicate of the target's address space; nobody runs on it
 * @objref: id of the target's address space
 * @nr_pages: written so far
 * @target: the address space itself, as long as it is copied from; or NULL
 * @copies: struct page_copy.list: what a duplicate leaves out
 */
struct snapshot {
	struct ckpt_segment segment;
	struct ckpt_kept_mm kept;
	u32 objref;
	u64 nr_pages;
	struct mm_struct *target;
	struct list_head copies;
};

/**
 * struct page_copy - one page that fork() does not duplicate
 * @list: in snapshot.copies
 * @address: of the page
 * @page: a copy
 */
struct page_copy {
	struct list_head list;
	unsigned long address;
	struct page *page;
};

/* Anything but consecutive pages of one kind needs a record of its own. */
static bool fits(const struct batch *batch, unsigned long address, bool huge)
{
	if (!batch->nr_pages)
		return true;
	return batch->nr_pages < BATCH_PAGES && batch->huge == huge &&
	       address == batch->start + batch->nr_pages * PAGE_SIZE;
}

static void add_page(struct batch *batch, unsigned long address,
		     struct page *page, bool huge)
{
	if (!batch->nr_pages) {
		batch->start = address;
		batch->huge = huge;
	}
	get_page(page);
	bvec_set_page(&batch->bvecs[++batch->nr_pages], page, PAGE_SIZE, 0);
}

/* Called with the lock of the page table held, which the caller drops. */
static int collect_huge(pmd_t *pmd, unsigned long address, unsigned long end,
			struct mm_walk *walk)
{
	struct batch *batch = walk->private;
	struct page *page = NULL;
	int ret = 0;

	if (!pmd_present(*pmd)) {
		batch->fault_at = address;
		batch->must_fault = true;
		ret = 1;
	} else {
		page = vm_normal_page_pmd(walk->vma, address, *pmd);
	}
	if (page)
		page += (address & ~HPAGE_PMD_MASK) >> PAGE_SHIFT;
	for (; !ret && page && address < end; address += PAGE_SIZE, page++) {
		if (!PageAnon(page))
			continue;
		if (!fits(batch, address, true)) {
			ret = 1;
			break;
		}
		add_page(batch, address, page, true);
	}
	batch->next = ret ? address : end;
	return ret;
}

/* Returns 1 to end the walk: the batch is full, or a page is to be brought in. */
static int collect(pmd_t *pmd, unsigned long address, unsigned long end,
		   struct mm_walk *walk)
{
	struct batch *batch = walk->private;
	struct vm_area_struct *vma = walk->vma;
	pte_t *first, *entry;
	spinlock_t *ptl;
	int ret = 0;

	ptl = pmd_trans_huge_lock(pmd, vma);
	if (ptl) {
		ret = collect_huge(pmd, address, end, walk);
		spin_unlock(ptl);
		return ret;
	}
	first = pte_offset_map_lock(walk->mm, pmd, address, &ptl);
	if (!first) {
		walk->action = ACTION_AGAIN;
		return 0;
	}
	for (entry = first; address < end; entry++, address += PAGE_SIZE) {
		pte_t pte = ptep_get(entry);
		struct page *page;

		if (pte_none(pte))
			continue;
		if (!pte_present(pte)) {
			batch->fault_at = address;
			batch->must_fault = true;
			ret = 1;
			break;
		}
		page = vm_normal_page(vma, address, pte);
		if (!page || !PageAnon(page))
			continue;
		if (!fits(batch, address, false)) {
			ret = 1;
			break;
		}
		add_page(batch, address, page, false);
	}
	batch->next = address;
	pte_unmap_unlock(first, ptl);
	return ret;
}

static int skip_shared(unsigned long start, unsigned long end,
		       struct mm_walk *walk)
{
	struct batch *batch = walk->private;

	/* Without an anon_vma no page can be private. */
	if (walk->vma->anon_vma && !(walk->vma->vm_flags & VM_MAYSHARE))
		return 0;
	batch->next = end;
	return 1;
}

static const struct mm_walk_ops collect_ops = {
	.pmd_entry	= collect,
	.test_walk	= skip_shared,
	.walk_lock	= PGWALK_RDLOCK,
};

static bool is_zero(struct page *page)
{
	void *data = kmap_local_page(page);
	bool zero = !memchr_inv(data, 0, PAGE_SIZE);

	kunmap_local(data);
	return zero;
}

static int write_run(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		     struct batch *batch, const struct run *run)
{
	struct bio_vec *first = &batch->bvecs[run->first];
	struct bio_vec saved = *first;
	unsigned long start = batch->start + run->first * PAGE_SIZE;
	unsigned int index;
	int ret;

	batch->header = (struct ckpt_hdr_pages) {
		.h.type		= CKPT_HDR_PAGES,
		.h.len		= sizeof(batch->header) +
				  run->nr_pages * PAGE_SIZE,
		.start		= start,
		.nr_pages	= run->nr_pages,
		.flags		= batch->huge ? CKPT_PAGES_HUGE : 0,
	};
	/* The header takes the place before the run, and gives it back. */
	ret = ckpt_stream_write_pages(ctx, &batch->header, first,
				      run->nr_pages + 1);
	*first = saved;
	if (!batch->may_share)
		return ret;
	for (index = 0; index < run->nr_pages && !ret; index++)
		ret = ckpt_cow_add(ctx, first[index + 1].bv_page,
				   snapshot->objref, start + index * PAGE_SIZE);
	return ret;
}

/* The pages are in the image: says where. */
static int write_reference(struct ckpt_ctx *ctx, struct batch *batch,
			   const struct run *run)
{
	struct ckpt_hdr_pages_cow record = {
		.h.type		= CKPT_HDR_PAGES_COW,
		.h.len		= sizeof(record),
		.start		= batch->start + run->first * PAGE_SIZE,
		.source		= run->place.address,
		.nr_pages	= run->nr_pages,
		.mm		= run->place.mm,
	};

	return ckpt_stream_write_record(ctx, &record);
}

static void release_batch(struct batch *batch)
{
	unsigned int index;

	for (index = 0; index < batch->nr_pages; index++)
		put_page(batch->bvecs[index + 1].bv_page);
	batch->nr_pages = 0;
}

/* What is to be done with a page. */
static struct run run_of_page(struct ckpt_ctx *ctx, struct snapshot *snapshot,
			      struct batch *batch, unsigned int index)
{
	struct page *page = batch->bvecs[index + 1].bv_page;
	struct run run = { .kind = RUN_WRITE, .first = index, .nr_pages = 1 };

	if (batch->may_share &&
	    ckpt_cow_find(ctx, snapshot->objref, page, &run.place))
		run.kind = RUN_REFER;
	/* Left out where a fresh mapping has zeros as well. */
	else if (batch->is_fresh_zero && is_zero(page))
		run.kind = RUN_SKIP;
	return run;
}

static bool run_continues(const struct run *run, const struct run *next)
{
	return run->kind == next->kind &&
	       (run->kind != RUN_REFER ||
		(run->place.mm == next->place.mm &&
		 run->place.address + run->nr_pages * PAGE_SIZE ==
		 next->place.address));
}

static int end_run(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		   struct batch *batch, const struct run *run)
{
	if (run->kind == RUN_SKIP || !run->nr_pages)
		return 0;
	snapshot->nr_pages += run->nr_pages;
	if (run->kind == RUN_REFER)
		return write_reference(ctx, batch, run);
	return write_run(ctx, snapshot, batch, run);
}

static int write_batch(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		       struct batch *batch)
{
	struct run run = {};
	unsigned int index;
	int ret = 0;

	for (index = 0; index < batch->nr_pages && !ret; index++) {
		struct run next = run_of_page(ctx, snapshot, batch, index);

		if (run_continues(&run, &next)) {
			run.nr_pages++;
			continue;
		}
		ret = end_run(ctx, snapshot, batch, &run);
		run = next;
	}
	if (!ret)
		ret = end_run(ctx, snapshot, batch, &run);
	release_batch(batch);
	return ret;
}

static int copy_one(struct snapshot *snapshot, unsigned long address,
		    struct page *page)
{
	struct page_copy *copy;

	copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	copy->page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
	if (!copy->page) {
		kfree(copy);
		return -ENOMEM;
	}
	copy->address = address;
	copy_highpage(copy->page, page);
	list_add_tail(&copy->list, &snapshot->copies);
	return 0;
}

static int copy_batch(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		      struct batch *batch)
{
	unsigned int index;
	int ret = 0;

	for (index = 0; index < batch->nr_pages && !ret; index++)
		ret = copy_one(snapshot, batch->start + index * PAGE_SIZE,
			       batch->bvecs[index + 1].bv_page);
	release_batch(batch);
	return ret;
}

/* What is visited: with a reference, also that of an mm that is given up. */
static struct mm_struct *source_get(struct ckpt_ctx *ctx,
				    struct snapshot *snapshot)
{
	struct mm_struct *mm = snapshot->target;

	if (mm) {
		mmget(mm);
		return mm;
	}
	mm = ckpt_kept_mm_get(&snapshot->kept);
	if (!mm)
		ckpt_error(ctx, -ENOMEM,
			   "memory ran out, so the snapshot was given up");
	return mm;
}

/* A swapped out page is brought in; one under migration is waited for. */
static int fault_in(struct ckpt_ctx *ctx, struct mm_struct *mm,
		    unsigned long address)
{
	struct page *page;
	long ret;

	mmap_read_lock(mm);
	ret = get_user_pages_remote(mm, address, 1, FOLL_FORCE, &page, NULL);
	mmap_read_unlock(mm);
	if (ret < 0)
		return ckpt_error(ctx, ret, "page at %#lx cannot be read",
				  address);
	put_page(page);
	return 0;
}

static int visit_batch(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		       struct batch *batch, unsigned long start,
		       unsigned long end, consume_t consume)
{
	struct mm_struct *mm = source_get(ctx, snapshot);
	int ret;

	if (!mm)
		return -ENOMEM;
	batch->must_fault = false;
	mmap_read_lock(mm);
	ret = walk_page_range(mm, start, end, &collect_ops, batch);
	mmap_read_unlock(mm);
	if (!ret)
		batch->next = end;
	if (ret >= 0 && batch->must_fault)
		ret = fault_in(ctx, mm, batch->fault_at);
	/* Not held any longer than that: writing may take for ever. */
	mmput(mm);
	return ret < 0 ? ret : consume(ctx, snapshot, batch);
}

static int visit_range(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		       struct batch *batch, unsigned long start,
		       unsigned long end, consume_t consume)
{
	int ret = 0;

	while (start < end && !ret) {
		ret = visit_batch(ctx, snapshot, batch, start, end, consume);
		start = batch->next;
		cond_resched();
	}
	release_batch(batch);
	return ret;
}

/* The next mapping from an address on that has private memory, and any flag. */
static struct vm_area_struct *next_private(struct mm_struct *mm,
					   unsigned long address,
					   vm_flags_t flags)
{
	VMA_ITERATOR(vmi, mm, address);
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	for_each_vma(vmi, vma)
		if (vma->anon_vma && !(vma->vm_flags & VM_MAYSHARE) &&
		    vma->vm_flags & flags)
			return vma;
	return NULL;
}

/* The next range to visit, from its end on. */
static int next_range(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		      vm_flags_t flags, struct batch *batch,
		      unsigned long *start, unsigned long *end)
{
	struct mm_struct *mm = source_get(ctx, snapshot);
	struct vm_area_struct *vma;

	if (!mm)
		return -ENOMEM;
	mmap_read_lock(mm);
	vma = next_private(mm, *end, flags);
	if (vma) {
		*start = vma->vm_start;
		*end = vma->vm_end;
		batch->is_fresh_zero = vma_is_anonymous(vma) && !vma->vm_file;
		/* Not of what is captured now, but of a snapshot. */
		batch->may_share = !snapshot->target &&
				   ckpt_cow_may_share(ctx, vma);
	}
	mmap_read_unlock(mm);
	mmput(mm);
	return vma ? 1 : 0;
}

/*
 * Hands all pages of private memory to @consume, in mappings with any of
 * @flags. Nobody changes the mappings meanwhile: they are those of the snapshot,
 * or of a stopped task.
 */
static int visit_private(struct ckpt_ctx *ctx, struct snapshot *snapshot,
			 vm_flags_t flags, consume_t consume)
{
	unsigned long start = 0, end = 0;
	struct batch *batch;
	int ret;

	batch = kzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	do {
		ret = next_range(ctx, snapshot, flags, batch, &start, &end);
		if (ret <= 0)
			break;
		ret = visit_range(ctx, snapshot, batch, start, end, consume);
	} while (!ret);
	kfree(batch);
	return ret;
}

static int emit_copies(struct ckpt_ctx *ctx, struct snapshot *snapshot)
{
	struct page_copy *copy;
	struct batch *batch;
	int ret = 0;

	if (list_empty(&snapshot->copies))
		return 0;
	batch = kzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	list_for_each_entry(copy, &snapshot->copies, list) {
		if (!fits(batch, copy->address, false))
			ret = write_batch(ctx, snapshot, batch);
		if (ret)
			break;
		add_page(batch, copy->address, copy->page, false);
	}
	if (!ret)
		ret = write_batch(ctx, snapshot, batch);
	kfree(batch);
	return ret;
}

static int emit_end(struct ckpt_ctx *ctx, u64 nr_pages)
{
	struct ckpt_hdr_pages_end record = {
		.h.type		= CKPT_HDR_PAGES_END,
		.h.len		= sizeof(record),
		.nr_pages	= nr_pages,
	};

	return ckpt_stream_write_record(ctx, &record);
}

static int emit_segment(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct snapshot *snapshot;
	int ret;

	snapshot = container_of(segment, struct snapshot, segment);
	ret = visit_private(ctx, snapshot, ~0UL, write_batch);
	if (!ret)
		ret = emit_copies(ctx, snapshot);
	return ret ?: emit_end(ctx, snapshot->nr_pages);
}

static void free_segment(struct ckpt_segment *segment)
{
	struct page_copy *copy, *next;
	struct snapshot *snapshot;

	snapshot = container_of(segment, struct snapshot, segment);
	list_for_each_entry_safe(copy, next, &snapshot->copies, list) {
		list_del(&copy->list);
		put_page(copy->page);
		kfree(copy);
	}
	if (snapshot->kept.ctx)
		ckpt_kept_mm_remove(&snapshot->kept);
	kfree(snapshot);
}

static const struct ckpt_segment_ops snapshot_ops = {
	.emit	= emit_segment,
	.free	= free_segment,
};

static int duplicate(struct ckpt_ctx *ctx, struct snapshot *snapshot,
		     struct mm_struct *mm)
{
	struct mm_struct *copy = dup_mm(ctx->task, mm);

	if (copy) {
		ckpt_kept_mm_add(ctx, &snapshot->kept, copy, mm);
		return 0;
	}
	return ckpt_error(ctx, fatal_signal_pending(current) ? -EINTR : -ENOMEM,
			  "no memory for a snapshot of %lu pages",
			  get_mm_rss(mm));
}

/**
 * ckpt_mm_capture_pages - capture the contents of private memory
 * @ctx: context
 * @mm: address space of a stopped task; its mappings are saved already
 * @any_flags: flags that any of them has
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_capture_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  vm_flags_t any_flags)
{
	const vm_flags_t left_out = VM_DONTCOPY | VM_WIPEONFORK;
	struct snapshot *snapshot;
	int ret = 0;

	snapshot = kzalloc(sizeof(*snapshot), GFP_KERNEL_ACCOUNT);
	if (!snapshot)
		return -ENOMEM;
	snapshot->segment.ops = &snapshot_ops;
	snapshot->objref = ckpt_object_id(ctx, mm);
	INIT_LIST_HEAD(&snapshot->copies);
	/*
	 * MADV_DONTFORK and MADV_WIPEONFORK keep memory out of a duplicate.
	 * There is little of it as a rule: keys, and buffers of devices.
	 */
	if (any_flags & left_out) {
		snapshot->target = mm;
		ret = visit_private(ctx, snapshot, left_out, copy_batch);
		snapshot->target = NULL;
	}
	if (!ret)
		ret = duplicate(ctx, snapshot, mm);
	if (ret) {
		free_segment(&snapshot->segment);
		return ret;
	}
	ckpt_segment_add(ctx, &snapshot->segment);
	return 0;
}
