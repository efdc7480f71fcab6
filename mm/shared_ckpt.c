// SPDX-License-Identifier: GPL-2.0
/*
 * Contents of shared memory, and of files in tmpfs that have no name.
 *
 * Pages of a file are not copied on write. So a checkpoint takes a reference to
 * each of them while the target is stopped, and is told before anybody writes to
 * one: see mm/shared_write_ckpt.c. Then it gets a copy of that page. All others
 * are copied one after the other on their way to the image, while the target
 * runs: they may be written to as soon as that is done, and what reads the image
 * may be who is to write.
 *
 * Copied while the target is stopped: memory of a few pages, pages that are
 * swapped out, those to which a device may write, and all if a process outside
 * keeps a lock of its address space from us.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <trace/events/checkpoint.h>

#include "internal.h"
#include "shared_ckpt.h"

/* Copying so many costs less than protecting them. */
#define SMALL_PAGES	16

/* As for ckpt_page_copies_new(): nobody is to be killed for it. */
#define GFP_TABLE	(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* Brings a page in that is swapped out. */
static int add_copy(struct ckpt_shared *shared, pgoff_t index)
{
	struct folio *folio;
	struct page *page;
	int ret;

	/* SGP_READ: no page where there is none. */
	ret = shmem_get_folio(shared->inode, index, 0, &folio, SGP_READ);
	if (ret || !folio)
		return ret;
	page = ckpt_page_copies_new();
	if (page) {
		copy_highpage(page, folio_file_page(folio, index));
		ret = xa_insert(&shared->pages, index, page, GFP_TABLE);
		if (ret)
			put_page(page);
	} else {
		ret = -ENOMEM;
	}
	folio_unlock(folio);
	folio_put(folio);
	if (ret == -EBUSY)
		return 0;
	if (!ret)
		shared->nr_pages++;
	return ret;
}

/* A large entry comes in as a whole. */
static int add_swapped(struct ckpt_shared *shared, pgoff_t index)
{
	unsigned int order = xa_get_order(&shared->inode->i_mapping->i_pages,
					  index);
	pgoff_t end = round_down(index, 1UL << order) + (1UL << order);
	int ret = 0;

	for (index = round_down(index, 1UL << order);
	     index < min(end, shared->end) && !ret; index++)
		ret = add_copy(shared, index);
	return ret;
}

/* Whether there was memory for it. */
static bool add_page(struct ckpt_shared *shared, struct xa_state *xas,
		     pgoff_t index, struct page *page)
{
	void *entry;

	/* Most come one after the other, and the next place is near. */
	if (index == xas->xa_index + 1) {
		entry = xas_next(xas);
	} else {
		xas_set(xas, index);
		entry = xas_load(xas);
	}
	/* It was one of a smaller folio before. */
	if (entry)
		return true;
	xas_store(xas, ckpt_shared_original(page));
	if (xas_error(xas))
		return false;
	get_page(page);
	shared->nr_pages++;
	return true;
}

/* The lock of the pages is held, and dropped to get memory. */
static int add_folio(struct ckpt_shared *shared, struct xa_state *xas,
		     struct folio *folio, pgoff_t index)
{
	pgoff_t start = round_down(index, folio_nr_pages(folio));
	unsigned int nr = min_t(pgoff_t, folio_nr_pages(folio),
				shared->end - start);
	unsigned int page = 0;
	bool again;

	/* Reserved with fallocate(), and not used. */
	if (!folio_test_uptodate(folio))
		return 0;
	while (page < nr) {
		if (add_page(shared, xas, start + page,
			     folio_page(folio, page))) {
			page++;
			continue;
		}
		xa_unlock(&shared->pages);
		again = xas_nomem(xas, GFP_TABLE);
		xa_lock(&shared->pages);
		if (!again)
			return xas_error(xas);
	}
	return 0;
}

static int add_batch(struct ckpt_shared *shared, struct folio_batch *batch,
		     const pgoff_t *indices)
{
	XA_STATE(xas, &shared->pages, indices[0]);
	unsigned int entry;
	int ret = 0;

	xa_lock(&shared->pages);
	for (entry = 0; entry < folio_batch_count(batch) && !ret; entry++) {
		struct folio *folio = batch->folios[entry];

		if (!xa_is_value(folio)) {
			ret = add_folio(shared, &xas, folio, indices[entry]);
			continue;
		}
		xa_unlock(&shared->pages);
		ret = add_swapped(shared, indices[entry]);
		/* Others may have changed the tree. */
		xas_reset(&xas);
		xa_lock(&shared->pages);
	}
	xa_unlock(&shared->pages);
	/* Gives back what it did not need of the memory that it got. */
	xas_reset(&xas);
	xas_nomem(&xas, 0);
	for (entry = 0; entry < folio_batch_count(batch); entry++)
		if (!xa_is_value(batch->folios[entry]))
			folio_put(batch->folios[entry]);
	folio_batch_reinit(batch);
	return ret;
}

static int add_all(struct ckpt_shared *shared)
{
	struct address_space *mapping = shared->inode->i_mapping;
	pgoff_t indices[PAGEVEC_SIZE];
	struct folio_batch batch;
	pgoff_t index = 0;
	int ret = 0;

	folio_batch_init(&batch);
	while (!ret && index < shared->end &&
	       find_get_entries(mapping, &index, shared->end - 1, &batch,
				indices)) {
		ret = add_batch(shared, &batch, indices);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return ret;
}

/*
 * Somebody outside may have been in the middle of write() when we came, and a
 * device may write at any time.
 */
static void settle_one(struct ckpt_shared *shared, pgoff_t index)
{
	struct page *page = ckpt_shared_lock_original(shared, index);
	bool is_pinned;

	if (!page)
		return;
	is_pinned = folio_maybe_dma_pinned(page_folio(page));
	ckpt_shared_unlock(page);
	if (is_pinned)
		ckpt_shared_copy_one(shared, index);
}

static bool is_settled(const void *entry)
{
	struct folio *folio;

	if (!ckpt_shared_is_original(entry))
		return true;
	folio = page_folio((struct page *)xa_untag_pointer((void *)entry));
	return !folio_test_locked(folio) && !folio_maybe_dma_pinned(folio);
}

static int settle(struct ckpt_shared *shared)
{
	XA_STATE(xas, &shared->pages, 0);
	unsigned int done = 0;
	void *entry;

	xas_lock(&xas);
	xas_for_each(&xas, entry, ULONG_MAX) {
		bool is_bad = !is_settled(entry);
		pgoff_t index = xas.xa_index;

		if (!is_bad && ++done % XA_CHECK_SCHED)
			continue;
		xas_pause(&xas);
		xas_unlock(&xas);
		if (is_bad)
			settle_one(shared, index);
		cond_resched();
		xas_lock(&xas);
	}
	xas_unlock(&xas);
	return READ_ONCE(shared->error);
}

static int capture(struct ckpt_shared *shared)
{
	struct address_space *mapping = shared->inode->i_mapping;
	int ret;

	if (mapping->nrpages > SMALL_PAGES)
		ckpt_shared_publish(shared);
	ret = add_all(shared);
	if (ret)
		return ret;
	if (!shared->is_published)
		return ckpt_shared_copy_all(shared);
	shared->is_protected = true;
	ret = ckpt_shared_protect(mapping);
	if (!ret)
		return settle(shared);
	if (ret != -EBUSY)
		return ret;
	ckpt_shared_unpublish(shared);
	return ckpt_shared_copy_all(shared);
}

static int complete_segment(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct ckpt_shared *shared;
	int ret;

	shared = container_of(segment, struct ckpt_shared, segment);
	ret = capture(shared);
	if (ret && ret != -EINTR)
		return ckpt_error(ctx, ret, "shared memory of %lu pages",
				  shared->inode->i_mapping->nrpages);
	return ret;
}

/**
 * struct pages_out - pages on their way to the image
 * @batch: what is to be written
 * @pages: room for one copy each; or NULL
 */
struct pages_out {
	struct ckpt_page_batch *batch;
	struct page *pages[CKPT_PAGE_BATCH];
};

/*
 * Moves contents to *@page, or replaces it by the copy that there is. Then the
 * page may be written to.
 */
static void take(struct ckpt_shared *shared, pgoff_t index, struct page **page)
{
	struct page *original = ckpt_shared_lock_original(shared, index);
	struct page *copy;

	if (original) {
		if (copy_mc_highpage(*page, original))
			WRITE_ONCE(shared->error, -EHWPOISON);
		xa_erase(&shared->pages, index);
		put_page(original);
		ckpt_shared_unlock(original);
		return;
	}
	/* Somebody has copied it, if not before then right now. */
	xa_lock(&shared->pages);
	copy = __xa_erase(&shared->pages, index);
	if (copy)
		shared->nr_copies--;
	xa_unlock(&shared->pages);
	if (copy) {
		put_page(*page);
		*page = copy;
	}
}

static int emit_page(struct ckpt_ctx *ctx, struct ckpt_shared *shared,
		     struct pages_out *out, pgoff_t index)
{
	int slot = ckpt_page_batch_prepare(ctx, out->batch, index);
	struct page **page;

	if (slot < 0)
		return slot;
	page = &out->pages[slot];
	if (!*page)
		*page = ckpt_page_copies_new();
	if (!*page)
		return -ENOMEM;
	take(shared, index, page);
	/* It may have been written to, and not copied before. */
	if (READ_ONCE(shared->error))
		return READ_ONCE(shared->error);
	return ckpt_page_batch_add(ctx, out->batch, index, *page);
}

static int emit_pages(struct ckpt_ctx *ctx, struct ckpt_shared *shared,
		      struct pages_out *out)
{
	unsigned long index;
	void *entry;
	int ret;

	xa_for_each(&shared->pages, index, entry) {
		ret = emit_page(ctx, shared, out, index);
		if (ret)
			return ret;
		cond_resched();
	}
	/* Then one may have been given up, and is not even found. */
	return READ_ONCE(shared->error) ?: ckpt_page_batch_end(ctx, out->batch);
}

static int emit_segment(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct ckpt_shared *shared;
	struct pages_out *out;
	unsigned int slot;
	int ret = -ENOMEM;

	shared = container_of(segment, struct ckpt_shared, segment);
	out = kzalloc(sizeof(*out), GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	out->batch = ckpt_page_batch_alloc();
	if (out->batch)
		ret = emit_pages(ctx, shared, out);
	for (slot = 0; slot < CKPT_PAGE_BATCH; slot++)
		if (out->pages[slot])
			put_page(out->pages[slot]);
	kfree(out->batch);
	kfree(out);
	if (READ_ONCE(shared->error))
		ckpt_error(ctx, ret,
			   "shared memory was written to, and there was no memory to keep it as it was");
	return ret;
}

static void free_segment(struct ckpt_segment *segment)
{
	struct super_block *sb;
	struct ckpt_shared *shared;
	unsigned long index;
	void *entry;

	shared = container_of(segment, struct ckpt_shared, segment);
	ckpt_shared_unpublish(shared);
	if (shared->is_protected)
		ckpt_shared_unprotect(shared->inode->i_mapping);
	trace_ckpt_shared(shared->nr_pages, shared->peak);
	xa_for_each(&shared->pages, index, entry) {
		put_page(xa_untag_pointer(entry));
		cond_resched();
	}
	xa_destroy(&shared->pages);
	sb = shared->inode->i_sb;
	iput(shared->inode);
	deactivate_super(sb);
	mem_cgroup_put(shared->memcg);
	kfree(shared);
}

static const struct ckpt_segment_ops shared_ops = {
	.complete	= complete_segment,
	.emit		= emit_segment,
	.free		= free_segment,
};

/**
 * ckpt_shared_save - save the contents of memory that is a file
 * @ctx: context
 * @inode: shared memory, or a file in tmpfs
 * @size: that was saved
 *
 * It is captured when all tasks are.
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_shared_save(struct ckpt_ctx *ctx, struct inode *inode, loff_t size)
{
	struct ckpt_shared *shared;

	shared = kzalloc(sizeof(*shared), GFP_KERNEL_ACCOUNT);
	if (!shared)
		return -ENOMEM;
	shared->segment.ops = &shared_ops;
	refcount_set(&shared->users, 1);
	xa_init(&shared->pages);
	shared->end = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	shared->memcg = get_mem_cgroup_from_mm(current->mm);
	/* Without the mount: the target may unmount it as if we were not. */
	ihold(inode);
	atomic_inc(&inode->i_sb->s_active);
	shared->inode = inode;
	ckpt_segment_add(ctx, &shared->segment);
	return 0;
}
