// SPDX-License-Identifier: GPL-2.0
/*
 * Restart of the contents of private memory: pages are read from the image
 * into the new address space without a copy in between.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/rmap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>

/* Pages that one read fills. */
#define BATCH_PAGES	256

/**
 * struct batch - pages of the new address space that one read fills
 * @nr_pages: in @pages, of those that are not mapped yet
 * @pages: with a reference each, or pinned; NULL if mapped
 * @bvecs: the same, for the read
 */
struct batch {
	unsigned int nr_pages;
	struct page *pages[BATCH_PAGES];
	struct bio_vec bvecs[BATCH_PAGES];
};

/* A shared mapping has its contents elsewhere: an image must not write there. */
static int check_private(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	while (start < end) {
		vma = vma_lookup(mm, start);
		if (!vma || !ckpt_vma_is_private(vma))
			return ckpt_error(ctx, -EINVAL,
					  "contents for %#lx, which is not private memory",
					  start);
		start = vma->vm_end;
	}
	return 0;
}

/*
 * Huge pages: a fault decides whether there is one, and which pages there are. They
 * are filled where they are.
 */
static int fill_present(struct ckpt_ctx *ctx, struct mm_struct *mm,
			struct batch *batch, unsigned long start,
			unsigned long nr_pages)
{
	long index, pinned;
	int ret;

	mmap_read_lock(mm);
	ret = check_private(ctx, mm, start, start + nr_pages * PAGE_SIZE);
	pinned = ret ?: pin_user_pages_remote(mm, start, nr_pages,
					      FOLL_WRITE | FOLL_FORCE,
					      batch->pages, NULL);
	mmap_read_unlock(mm);
	if (ret)
		return ret;
	if (pinned < 0)
		return ckpt_error(ctx, pinned, "no page at %#lx", start);
	for (index = 0; index < pinned; index++)
		bvec_set_page(&batch->bvecs[index], batch->pages[index],
			      PAGE_SIZE, 0);
	ret = pinned == nr_pages ? 0 : -ENOMEM;
	if (!ret)
		ret = ckpt_stream_read_pages(ctx, batch->bvecs, nr_pages);
	unpin_user_pages_dirty_lock(batch->pages, pinned, true);
	return ret;
}

static struct folio *allocate_page(struct vm_area_struct *vma,
				   unsigned long address)
{
	struct folio *folio;

	if (anon_vma_prepare(vma))
		return NULL;
	folio = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, address, false);
	if (!folio)
		return NULL;
	if (mem_cgroup_charge(folio, vma->vm_mm, GFP_KERNEL)) {
		folio_put(folio);
		return NULL;
	}
	folio_throttle_swaprate(folio, GFP_KERNEL);
	return folio;
}

/* What is allocated is in the batch, also after a failure. */
static int allocate_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  struct batch *batch, unsigned long start,
			  unsigned long nr_pages)
{
	unsigned long end = start + nr_pages * PAGE_SIZE, address;
	struct vm_area_struct *vma = NULL;

	mmap_assert_locked(mm);
	for (address = start; address < end; address += PAGE_SIZE) {
		struct folio *folio;

		if (!vma || address >= vma->vm_end)
			vma = vma_lookup(mm, address);
		folio = allocate_page(vma, address);
		if (!folio)
			return ckpt_error(ctx, -ENOMEM, "no page at %#lx",
					  address);
		bvec_set_folio(&batch->bvecs[batch->nr_pages], folio,
			       PAGE_SIZE, 0);
		batch->pages[batch->nr_pages++] = folio_page(folio, 0);
	}
	return 0;
}

/* As do_anonymous_page() maps a page for a write, or wp_page_copy() a copy. */
static void map_page(struct vm_area_struct *vma, unsigned long address,
		     pte_t *entry, struct page *page)
{
	struct folio *folio = page_folio(page);
	pte_t pte = pte_mkdirty(mk_pte(page, vma->vm_page_prot));

	__folio_mark_uptodate(folio);
	folio_add_new_anon_rmap(folio, vma, address, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	set_pte_at(vma->vm_mm, address, entry,
		   maybe_mkwrite(pte_sw_mkyoung(pte), vma));
}

/* Maps pages below one page table, as far as nothing is there; how many. */
static unsigned long map_below(struct vm_area_struct *vma,
			       unsigned long address, struct page **pages,
			       unsigned long most)
{
	unsigned long nr_mapped = 0;
	pte_t *first;
	spinlock_t *ptl;

	most = min(most, (vma->vm_end - address) >> PAGE_SHIFT);
	most = min(most, PTRS_PER_PTE - pte_index(address));
	first = get_locked_pte(vma->vm_mm, address, &ptl);
	if (!first)
		return 0;
	while (nr_mapped < most && pte_none(ptep_get(first + nr_mapped))) {
		map_page(vma, address + nr_mapped * PAGE_SIZE,
			 first + nr_mapped, pages[nr_mapped]);
		nr_mapped++;
	}
	pte_unmap_unlock(first, ptl);
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, nr_mapped);
	return nr_mapped;
}

/* A page is there already: of the file, a huge one, or the same once more. */
static int copy_over(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     unsigned long address, struct page *page)
{
	struct page *present;
	long pinned;

	pinned = pin_user_pages_remote(mm, address, 1, FOLL_WRITE | FOLL_FORCE,
				       &present, NULL);
	if (pinned != 1)
		return ckpt_error(ctx, pinned ?: -ENOMEM, "no page at %#lx",
				  address);
	copy_highpage(present, page);
	unpin_user_pages_dirty_lock(&present, 1, true);
	return 0;
}

/* Those that are mapped leave the batch. */
static int map_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     struct batch *batch, unsigned long start)
{
	unsigned int index = 0;
	int ret = 0;

	mmap_assert_locked(mm);
	while (index < batch->nr_pages && !ret) {
		unsigned long address = start + index * PAGE_SIZE, nr_mapped;
		struct page **pages = &batch->pages[index];

		nr_mapped = map_below(vma_lookup(mm, address), address, pages,
				      batch->nr_pages - index);
		memset(pages, 0, nr_mapped * sizeof(*pages));
		index += nr_mapped;
		if (!nr_mapped)
			ret = copy_over(ctx, mm, address,
					batch->pages[index++]);
	}
	return ret;
}

/*
 * The pages are filled before they are mapped: they need neither zeros nor a
 * fault. Nobody else changes the mappings meanwhile.
 */
static int fill_fresh(struct ckpt_ctx *ctx, struct mm_struct *mm,
		      struct batch *batch, unsigned long start,
		      unsigned long nr_pages)
{
	unsigned int index;
	int ret;

	batch->nr_pages = 0;
	mmap_read_lock(mm);
	ret = check_private(ctx, mm, start, start + nr_pages * PAGE_SIZE);
	if (!ret)
		ret = allocate_pages(ctx, mm, batch, start, nr_pages);
	mmap_read_unlock(mm);
	if (!ret)
		ret = ckpt_stream_read_pages(ctx, batch->bvecs, nr_pages);
	if (!ret) {
		mmap_read_lock(mm);
		ret = map_pages(ctx, mm, batch, start);
		mmap_read_unlock(mm);
	}
	for (index = 0; index < batch->nr_pages; index++)
		if (batch->pages[index])
			put_page(batch->pages[index]);
	return ret;
}

static int check_range(struct ckpt_ctx *ctx, u64 start, u32 nr_pages)
{
	if (offset_in_page(start) || start >= TASK_SIZE_MAX ||
	    nr_pages > (TASK_SIZE_MAX - start) >> PAGE_SHIFT)
		return ckpt_error(ctx, -EINVAL, "%u pages at %#llx", nr_pages,
				  start);
	return 0;
}

static int restore_run(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct batch *batch, const struct ckpt_hdr_pages *record)
{
	unsigned long start = record->start;
	unsigned long left = record->nr_pages;
	int ret = check_range(ctx, start, left);

	if (ret)
		return ret;
	while (left) {
		unsigned long nr_pages = min_t(unsigned long, left,
					       BATCH_PAGES);

		if (record->flags & CKPT_PAGES_HUGE)
			ret = fill_present(ctx, mm, batch, start, nr_pages);
		else
			ret = fill_fresh(ctx, mm, batch, start, nr_pages);
		if (ret)
			return ret;
		start += nr_pages * PAGE_SIZE;
		left -= nr_pages;
		cond_resched();
	}
	return 0;
}

/* Reads one record and its pages; returns their number, or an errno. */
static int restore_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 struct batch *batch)
{
	struct ckpt_hdr_pages record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES, &record);
	if (!ret)
		ret = restore_run(ctx, mm, batch, &record);
	return ret ?: record.nr_pages;
}

static int restore_cow(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct ckpt_hdr_pages_cow record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_COW, &record);
	if (!ret)
		ret = check_range(ctx, record.start, record.nr_pages);
	if (!ret)
		ret = check_range(ctx, record.source, record.nr_pages);
	if (!ret)
		ret = ckpt_cow_restore(ctx, mm, &record);
	return ret ?: record.nr_pages;
}

static int restore_all(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct batch *batch)
{
	struct ckpt_hdr_pages_end end;
	u64 nr_pages = 0;
	int ret;

	for (;;) {
		ret = ckpt_record_peek(ctx);
		if (ret < 0)
			return ret;
		if (ret == CKPT_HDR_PAGES_END)
			break;
		if (ret == CKPT_HDR_PAGES_COW)
			ret = restore_cow(ctx, mm);
		else
			ret = restore_pages(ctx, mm, batch);
		if (ret < 0)
			return ret;
		nr_pages += ret;
	}
	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_END, &end);
	if (!ret && end.nr_pages != nr_pages)
		ret = ckpt_error(ctx, -EINVAL, "%llu pages instead of %llu",
				 nr_pages, end.nr_pages);
	return ret;
}

/**
 * ckpt_mm_restore_pages - read the contents of private memory
 * @ctx: context
 * @mm: address space with its mappings made, private to the restart
 *
 * Return: 0 or a negative errno.
 */
int ckpt_mm_restore_pages(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	struct batch *batch;
	int ret;

	batch = kvzalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	ret = restore_all(ctx, mm, batch);
	kvfree(batch);
	return ret;
}
