// SPDX-License-Identifier: GPL-2.0
/*
 * Shared memory that is written to while a checkpoint has not written it to the
 * image yet.
 *
 * Captured mappings are in a table, and AS_CKPT_CAPTURED says so. Whoever is
 * about to write to a page comes here first, with the folio locked, and gives
 * each checkpoint that wants the page a copy:
 *
 * - in a page fault. Until then no page table entry is writable, see
 *   mm/shared_mappings_ckpt.c. Whoever gets the page for writing from a page
 *   table, now or for later, has been here;
 * - in write(), and where a part of a folio is cleared by truncation. A folio
 *   that truncation takes away as a whole stays as it is;
 * - before pages are pinned by their place in the file. All pages of the mapping
 *   are copied then, because nobody tells when they are written to. Likewise
 *   before somebody waits until nobody has references to them.
 *
 * Swapping and migration do not change what is in a page; the reference of the
 * checkpoint keeps them from giving it to somebody else.
 *
 * If there is no memory for a copy the checkpoint fails, and the writer never
 * learns of it.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait_bit.h>

#include "shared_ckpt.h"

DEFINE_STATIC_KEY_FALSE(ckpt_capture_key);

/* All captured mappings, by address, with their order; under the lock. */
static DEFINE_SPINLOCK(table_lock);
static DEFINE_HASHTABLE(table, 8);
static u64 last_number;

/**
 * ckpt_capture_begin - let writers look for captured memory
 * @ctx: context; the target is not stopped yet
 *
 * Context: May sleep.
 */
void ckpt_capture_begin(struct ckpt_ctx *ctx)
{
	static_branch_inc(&ckpt_capture_key);
	ctx->captures = true;
}

/**
 * ckpt_capture_end - they need not any more
 * @ctx: context; its segments are gone
 *
 * Context: May sleep.
 */
void ckpt_capture_end(struct ckpt_ctx *ctx)
{
	if (ctx->captures)
		static_branch_dec(&ckpt_capture_key);
	ctx->captures = false;
}

/* Which one comes behind a number? The caller is one of its users then. */
static struct ckpt_shared *find_next(const struct address_space *mapping,
				     u64 number)
{
	struct ckpt_shared *shared, *next = NULL;

	spin_lock(&table_lock);
	hash_for_each_possible(table, shared, node, (unsigned long)mapping)
		if (shared->inode->i_mapping == mapping &&
		    shared->number > number &&
		    (!next || shared->number < next->number))
			next = shared;
	if (next)
		refcount_inc(&next->users);
	spin_unlock(&table_lock);
	return next;
}

static void release(struct ckpt_shared *shared)
{
	refcount_dec(&shared->users);
	/* Only the address counts from now on. */
	smp_mb__after_atomic();
	wake_up_var(&shared->users);
}

/**
 * ckpt_shared_publish - let writers find captured memory
 * @shared: its pages may be added later
 */
void ckpt_shared_publish(struct ckpt_shared *shared)
{
	struct address_space *mapping = shared->inode->i_mapping;

	spin_lock(&table_lock);
	shared->number = ++last_number;
	hash_add(table, &shared->node, (unsigned long)mapping);
	set_bit(AS_CKPT_CAPTURED, &mapping->flags);
	spin_unlock(&table_lock);
	/* Who does not see it has the lock of a folio, and that is seen. */
	smp_mb();
	shared->is_published = true;
}

/**
 * ckpt_shared_unpublish - let nobody find it any more
 * @shared: captured memory
 *
 * Context: Sleeps until nobody uses it.
 */
void ckpt_shared_unpublish(struct ckpt_shared *shared)
{
	struct address_space *mapping = shared->inode->i_mapping;
	struct ckpt_shared *other;
	bool is_captured = false;

	if (!shared->is_published)
		return;
	shared->is_published = false;
	spin_lock(&table_lock);
	hash_del(&shared->node);
	hash_for_each_possible(table, other, node, (unsigned long)mapping)
		if (other->inode->i_mapping == mapping)
			is_captured = true;
	if (!is_captured)
		clear_bit(AS_CKPT_CAPTURED, &mapping->flags);
	spin_unlock(&table_lock);
	wait_var_event(&shared->users, refcount_read(&shared->users) == 1);
}

/* The copy that replaces a page, or NULL. */
static struct page *copy_page_of(struct ckpt_shared *shared, struct page *page)
{
	struct mem_cgroup *old;
	struct page *copy;

	/* What was written to since is worth nothing without the others. */
	if (READ_ONCE(shared->error))
		return NULL;
	old = set_active_memcg(shared->memcg);
	copy = ckpt_page_copies_new();
	set_active_memcg(old);
	if (!copy) {
		WRITE_ONCE(shared->error, -ENOMEM);
		return NULL;
	}
	if (copy_mc_highpage(copy, page)) {
		WRITE_ONCE(shared->error, -EHWPOISON);
		put_page(copy);
		return NULL;
	}
	return copy;
}

/* The folio of the page is locked. */
static void replace(struct ckpt_shared *shared, pgoff_t index,
		    struct page *page)
{
	struct page *copy;

	if (xa_load(&shared->pages, index) != ckpt_shared_original(page))
		return;
	copy = copy_page_of(shared, page);
	/* There is an entry already, so this needs no memory. */
	xa_lock(&shared->pages);
	if (copy) {
		__xa_store(&shared->pages, index, copy, 0);
		shared->nr_copies++;
		shared->peak = max(shared->peak, shared->nr_copies);
	} else {
		__xa_erase(&shared->pages, index);
	}
	xa_unlock(&shared->pages);
	put_page(page);
}

/**
 * ckpt_shared_lock_original - lock a page that was not copied
 * @shared: captured memory
 * @index: of the page in its file
 *
 * Return: the page, with its folio locked and a reference for
 * ckpt_shared_unlock(); NULL if there is none, or it was copied.
 */
struct page *ckpt_shared_lock_original(struct ckpt_shared *shared,
				       pgoff_t index)
{
	struct page *page = NULL;
	void *entry;

	xa_lock(&shared->pages);
	entry = xa_load(&shared->pages, index);
	if (ckpt_shared_is_original(entry)) {
		page = xa_untag_pointer(entry);
		get_page(page);
	}
	xa_unlock(&shared->pages);
	if (!page)
		return NULL;
	folio_lock(page_folio(page));
	if (xa_load(&shared->pages, index) == entry)
		return page;
	ckpt_shared_unlock(page);
	return NULL;
}

/**
 * ckpt_shared_unlock - let a page go
 * @page: from ckpt_shared_lock_original()
 */
void ckpt_shared_unlock(struct page *page)
{
	folio_unlock(page_folio(page));
	put_page(page);
}

/**
 * ckpt_shared_copy_one - replace a page by a copy
 * @shared: captured memory
 * @index: of the page in its file
 */
void ckpt_shared_copy_one(struct ckpt_shared *shared, pgoff_t index)
{
	struct page *page = ckpt_shared_lock_original(shared, index);

	if (!page)
		return;
	replace(shared, index, page);
	ckpt_shared_unlock(page);
}

/**
 * ckpt_shared_copy_all - replace all pages by copies
 * @shared: captured memory
 *
 * No reference to a page is left, also if this fails.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shared_copy_all(struct ckpt_shared *shared)
{
	unsigned long index;
	void *entry;

	xa_for_each(&shared->pages, index, entry) {
		if (ckpt_shared_is_original(entry))
			ckpt_shared_copy_one(shared, index);
		cond_resched();
	}
	return READ_ONCE(shared->error);
}

/**
 * __ckpt_vma_is_captured - see ckpt_vma_is_captured()
 * @vma: likewise
 *
 * Return: likewise.
 */
bool __ckpt_vma_is_captured(const struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       test_bit(AS_CKPT_CAPTURED, &vma->vm_file->f_mapping->flags);
}

static bool is_captured(const struct address_space *mapping)
{
	return mapping && test_bit(AS_CKPT_CAPTURED, &mapping->flags);
}

/**
 * __ckpt_folio_before_write - see ckpt_folio_before_write()
 * @folio: likewise
 * @offset: likewise
 * @len: likewise
 */
void __ckpt_folio_before_write(struct folio *folio, size_t offset, size_t len)
{
	struct address_space *mapping = folio->mapping;
	struct ckpt_shared *shared;
	size_t page, end;
	u64 number = 0;

	/* Every page of every image in tmpfs comes here: as little as can be. */
	if ((unsigned long)mapping & PAGE_MAPPING_FLAGS || !is_captured(mapping))
		return;
	end = min(offset + len, folio_size(folio));
	while ((shared = find_next(mapping, number))) {
		number = shared->number;
		for (page = offset >> PAGE_SHIFT; page << PAGE_SHIFT < end;
		     page++)
			replace(shared, folio->index + page,
				folio_page(folio, page));
		release(shared);
	}
}

/**
 * __ckpt_page_before_write - see ckpt_page_before_write()
 * @page: likewise
 */
void __ckpt_page_before_write(struct page *page)
{
	struct folio *folio = page_folio(page);

	__ckpt_folio_before_write(folio,
				  folio_page_idx(folio, page) << PAGE_SHIFT,
				  PAGE_SIZE);
}

/**
 * __ckpt_mapping_before_pin - see ckpt_mapping_before_pin()
 * @mapping: likewise
 */
void __ckpt_mapping_before_pin(struct address_space *mapping)
{
	struct ckpt_shared *shared;
	u64 number = 0;

	/* The pins that were taken before are seen by who captures it now. */
	smp_mb();
	if (!is_captured(mapping))
		return;
	while ((shared = find_next(mapping, number))) {
		number = shared->number;
		ckpt_shared_copy_all(shared);
		release(shared);
	}
}
