// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of pages under copy-on-write.
 *
 * After fork() parent and child have the same pages until one of them writes.
 * Such a page is in the image once, in the address space that is written first.
 * The others refer to it there, and a restart maps it to all of them again.
 *
 * Only mappings that descend from one another, or from the same one, can share
 * a page: their anon_vmas have the same root then. These are found while the
 * target is stopped; the pages themselves when they are written.
 *
 * Reset: that a page is shared if mremap() has moved it in one of the address
 *	spaces. It becomes a copy then.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/rhashtable.h>
#include <linux/rmap.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <asm/tlb.h>

/* A place is one value entry: number of the page, and id of the object. */
#define PAGE_NUMBER_BITS	44
#define OBJREF_BITS		(BITS_PER_XA_VALUE - PAGE_NUMBER_BITS)

/**
 * struct hierarchy - mappings that may have pages in common
 * @node: in struct ckpt_cow.hierarchies
 * @root: of their anon_vmas; compared only with those of living mappings
 * @mm: id of the address space that was saved first
 * @start: address of a mapping in it
 * @is_shared: another address space has such a mapping, too
 */
struct hierarchy {
	struct rhash_head node;
	const struct anon_vma *root;
	u32 mm;
	unsigned long start;
	bool is_shared;
};

/**
 * struct ckpt_cow - what address spaces have in common
 * @hierarchies: struct hierarchy, by root
 * @pages: frame number to place, of pages that were written to the image; a
 *	reference is held, so that the frame holds nothing else meanwhile
 */
struct ckpt_cow {
	struct rhashtable hierarchies;
	struct xarray pages;
};

static const struct rhashtable_params by_root = {
	.head_offset	= offsetof(struct hierarchy, node),
	.key_offset	= offsetof(struct hierarchy, root),
	.key_len	= sizeof_field(struct hierarchy, root),
	.automatic_shrinking = false,
};

static struct ckpt_cow *cow_alloc(void)
{
	struct ckpt_cow *cow;

	cow = kzalloc(sizeof(*cow), GFP_KERNEL_ACCOUNT);
	if (!cow)
		return NULL;
	if (rhashtable_init(&cow->hierarchies, &by_root)) {
		kfree(cow);
		return NULL;
	}
	xa_init(&cow->pages);
	return cow;
}

static void free_hierarchy(void *hierarchy, void *unused)
{
	kfree(hierarchy);
}

/**
 * ckpt_cow_forget_pages - let go of pages that were written to the image
 * @ctx: context; the checkpoint has failed, and may not have noticed yet
 */
void ckpt_cow_forget_pages(struct ckpt_ctx *ctx)
{
	unsigned long number;
	void *place;

	if (!ctx->cow)
		return;
	xa_for_each(&ctx->cow->pages, number, place)
		if (xa_erase(&ctx->cow->pages, number))
			put_page(pfn_to_page(number));
}

/**
 * ckpt_cow_free - forget what address spaces have in common
 * @ctx: context
 */
void ckpt_cow_free(struct ckpt_ctx *ctx)
{
	struct ckpt_cow *cow = ctx->cow;
	unsigned long number;
	void *place;

	if (!cow)
		return;
	ctx->cow = NULL;
	xa_for_each(&cow->pages, number, place)
		put_page(pfn_to_page(number));
	xa_destroy(&cow->pages);
	rhashtable_free_and_destroy(&cow->hierarchies, free_hierarchy, NULL);
	kfree(cow);
}

static struct hierarchy *find_hierarchy(struct ckpt_ctx *ctx,
					const struct vm_area_struct *vma)
{
	return rhashtable_lookup_fast(&ctx->cow->hierarchies,
				      &vma->anon_vma->root, by_root);
}

static int add_hierarchy(struct ckpt_ctx *ctx, const struct vm_area_struct *vma,
			 u32 mm)
{
	struct hierarchy *hierarchy;
	int ret;

	hierarchy = kzalloc(sizeof(*hierarchy), GFP_KERNEL_ACCOUNT);
	if (!hierarchy)
		return -ENOMEM;
	hierarchy->root = vma->anon_vma->root;
	hierarchy->mm = mm;
	hierarchy->start = vma->vm_start;
	ret = rhashtable_insert_fast(&ctx->cow->hierarchies, &hierarchy->node,
				     by_root);
	if (ret)
		kfree(hierarchy);
	return ret;
}

/**
 * ckpt_cow_save_vma - find out with whom a mapping may share pages
 * @ctx: context; its tasks are stopped
 * @vma: private mapping; the lock of its address space is held, which is being
 *	saved
 * @record: @cow_mm and @cow_start are filled in
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_cow_save_vma(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		      struct ckpt_hdr_vma *record)
{
	struct hierarchy *hierarchy;
	u32 mm;

	mmap_assert_locked(vma->vm_mm);
	/* Without an anon_vma no page can be private. */
	if (!vma->anon_vma || !ckpt_tree_has_processes(ctx))
		return 0;
	if (!ctx->cow)
		ctx->cow = cow_alloc();
	if (!ctx->cow)
		return -ENOMEM;
	mm = ckpt_object_id(ctx, vma->vm_mm);
	hierarchy = find_hierarchy(ctx, vma);
	if (!hierarchy)
		return add_hierarchy(ctx, vma, mm);
	if (hierarchy->mm != mm) {
		hierarchy->is_shared = true;
		record->cow_mm = hierarchy->mm;
		record->cow_start = hierarchy->start;
	}
	return 0;
}

/**
 * ckpt_cow_may_share - may a mapping have pages that another one has as well?
 * @ctx: context; everything is captured
 * @vma: private mapping of a snapshot
 *
 * Return: whether its pages are worth looking for.
 */
bool ckpt_cow_may_share(struct ckpt_ctx *ctx, const struct vm_area_struct *vma)
{
	struct hierarchy *hierarchy = NULL;

	if (ctx->cow && vma->anon_vma)
		hierarchy = find_hierarchy(ctx, vma);
	return hierarchy && hierarchy->is_shared;
}

/**
 * ckpt_cow_find - where in the image is a page?
 * @ctx: context
 * @mm: id of the address space that has the page
 * @page: a reference is held; ckpt_cow_may_share() is true for its mapping
 * @place: set if another address space brought the page into the image
 *
 * Return: whether one did.
 */
bool ckpt_cow_find(struct ckpt_ctx *ctx, u32 mm, struct page *page,
		   struct ckpt_cow_place *place)
{
	void *entry = xa_load(&ctx->cow->pages, page_to_pfn(page));

	if (!entry)
		return false;
	place->mm = xa_to_value(entry) >> PAGE_NUMBER_BITS;
	place->address = (xa_to_value(entry) &
			  (BIT_ULL(PAGE_NUMBER_BITS) - 1)) << PAGE_SHIFT;
	return place->mm != mm;
}

/**
 * ckpt_cow_add - a page was written to the image
 * @ctx: context
 * @page: a reference is held; ckpt_cow_may_share() is true for its mapping
 * @mm: id of its address space
 * @address: of the page in it
 *
 * The page is kept until the end of the checkpoint if anybody else has it.
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_cow_add(struct ckpt_ctx *ctx, struct page *page, u32 mm,
		 unsigned long address)
{
	struct folio *folio = page_folio(page);
	u64 value = (u64)mm << PAGE_NUMBER_BITS | address >> PAGE_SHIFT;
	int ret;

	/* The snapshot has it. Of a large folio it may have another part. */
	if (!folio_test_large(folio) && folio_mapcount(folio) < 2)
		return 0;
	/* Equal pages that do not descend from one another. */
	if (folio_test_ksm(folio))
		return 0;
	/* In the image once more then: that is only larger than need be. */
	if (mm >> OBJREF_BITS || address >> PAGE_SHIFT >> PAGE_NUMBER_BITS)
		return 0;
	/* Before: ckpt_cow_forget_pages() may be at work. */
	get_page(page);
	ret = xa_insert(&ctx->cow->pages, page_to_pfn(page),
			xa_mk_value(value), GFP_KERNEL_ACCOUNT);
	if (ret)
		put_page(page);
	return ret == -EBUSY ? 0 : ret;
}

static struct vm_area_struct *find_private(struct ckpt_ctx *ctx,
					   struct mm_struct *mm,
					   unsigned long address)
{
	struct vm_area_struct *vma = vma_lookup(mm, address);

	if (vma && ckpt_vma_is_private(vma))
		return vma;
	ckpt_error(ctx, -EINVAL, "%#lx is not private memory", address);
	return NULL;
}

/* As fork() does: the source first. */
static int lock_both(struct mm_struct *source_mm, struct mm_struct *mm)
{
	if (mmap_write_lock_killable(source_mm))
		return -EINTR;
	mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
	return 0;
}

static void unlock_both(struct mm_struct *source_mm, struct mm_struct *mm)
{
	mmap_write_unlock(mm);
	mmap_write_unlock(source_mm);
}

static int link_locked(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct mm_struct *source_mm,
		       const struct ckpt_hdr_vma *record)
{
	struct vm_area_struct *vma, *source;

	vma = find_private(ctx, mm, record->start);
	source = find_private(ctx, source_mm, record->cow_start);
	if (!vma || !source)
		return -EINVAL;
	/* It is one with a neighbour that descends from somebody already. */
	if (vma->anon_vma)
		return 0;
	/* The source may have lost all pages that it had. */
	if (anon_vma_prepare(source))
		return -ENOMEM;
	vma_start_write(vma);
	return anon_vma_fork(vma, source);
}

/**
 * ckpt_cow_link - let a mapping descend from that of another address space
 * @ctx: context
 * @mm: address space, private to the restart; its mappings are made, their
 *	contents not read yet
 * @record: of the mapping
 *
 * The reverse mapping of the pages that they will share needs this before any
 * page is there.
 *
 * Return: 0, -EINVAL, -EINTR, -ENOMEM.
 */
int ckpt_cow_link(struct ckpt_ctx *ctx, struct mm_struct *mm,
		  const struct ckpt_hdr_vma *record)
{
	struct mm_struct *source_mm;
	int ret;

	if (!record->cow_mm)
		return 0;
	source_mm = ckpt_object_find(ctx, record->cow_mm, CKPT_OBJ_MM);
	ret = lock_both(source_mm, mm);
	if (ret)
		return ret;
	ret = link_locked(ctx, mm, source_mm, record);
	unlock_both(source_mm, mm);
	return ret;
}

/* The reverse mapping finds the pages of the root in all that descend. */
static void move_to_root(struct folio *folio, struct anon_vma *root)
{
	folio_lock(folio);
	/* As folio_move_anon_rmap(), and exclusive it is no more. */
	if (folio_test_anon(folio) && !folio_test_ksm(folio))
		WRITE_ONCE(folio->mapping, (void *)root + PAGE_MAPPING_ANON);
	folio_unlock(folio);
}

/*
 * Pages that the source has for itself, because it descends from a third one,
 * cannot be found in others that do. What is swapped out is brought in.
 */
static int move_all_to_root(struct ckpt_ctx *ctx, struct mm_struct *source_mm,
			    unsigned long start, unsigned long end)
{
	struct vm_area_struct *source;
	struct page *page;
	long ret = 0;

	mmap_read_lock(source_mm);
	for (; start < end && ret >= 0; start += PAGE_SIZE) {
		source = find_private(ctx, source_mm, start);
		if (!source)
			ret = -EINVAL;
		if (ret || !source->anon_vma ||
		    source->anon_vma == source->anon_vma->root)
			continue;
		ret = get_user_pages_remote(source_mm, start, 1, FOLL_FORCE,
					    &page, NULL);
		if (ret <= 0)
			continue;
		move_to_root(page_folio(page), source->anon_vma->root);
		put_page(page);
		ret = 0;
		cond_resched();
	}
	mmap_read_unlock(source_mm);
	return ret;
}

static void split_at(struct vm_area_struct *vma, unsigned long address)
{
	if (address & ~HPAGE_PMD_MASK)
		split_huge_pmd_address(vma, address, false, NULL);
}

/* What was shared has the protection of the source. */
static void protect(struct vm_area_struct *vma, unsigned long start,
		    unsigned long end)
{
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, vma->vm_mm);
	change_protection(&tlb, vma, start, end, 0);
	tlb_finish_mmu(&tlb);
}

/*
 * copy_page_range() for a part of a mapping, and for mappings that need not be
 * protected alike.
 */
static int share(struct vm_area_struct *vma, struct vm_area_struct *source,
		 unsigned long start, unsigned long end)
{
	struct mm_struct *source_mm = source->vm_mm;
	unsigned long next, address = start;
	struct mmu_notifier_range range;
	pgd_t *to, *from;
	int ret = 0;

	vma_start_write(vma);
	vma_start_write(source);
	/* A huge page may have been put there for the sake of a neighbour. */
	zap_page_range_single(vma, start, end - start, NULL);
	split_at(source, start);
	split_at(source, end);
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_PAGE, 0,
				source_mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	raw_write_seqcount_begin(&source_mm->write_protect_seq);
	to = pgd_offset(vma->vm_mm, start);
	from = pgd_offset(source_mm, start);
	do {
		next = pgd_addr_end(address, end);
		if (!pgd_none_or_clear_bad(from))
			ret = copy_p4d_range(vma, source, to, from, address,
					     next);
	} while (to++, from++, address = next, address != end && !ret);
	raw_write_seqcount_end(&source_mm->write_protect_seq);
	mmu_notifier_invalidate_range_end(&range);
	flush_tlb_range(source, start, end);
	if (pgprot_val(vma->vm_page_prot) != pgprot_val(source->vm_page_prot))
		protect(vma, start, end);
	return ret;
}

/* Pages of a file may be mapped where that file is, and nowhere else. */
static bool have_same_file(const struct vm_area_struct *vma,
			   const struct vm_area_struct *source)
{
	if (vma->vm_ops != source->vm_ops || !vma->vm_file != !source->vm_file)
		return false;
	return !vma->vm_file ||
	       file_inode(vma->vm_file) == file_inode(source->vm_file);
}

static bool can_share(const struct vm_area_struct *vma,
		      const struct vm_area_struct *source,
		      unsigned long address)
{
	return vma->anon_vma && source->anon_vma &&
	       vma->anon_vma->root == source->anon_vma->root &&
	       have_same_file(vma, source) &&
	       linear_page_index((struct vm_area_struct *)vma, address) ==
	       linear_page_index((struct vm_area_struct *)source, address);
}

/*
 * Shares pages from @start on, up to the end of a mapping or @end. Returns
 * where to go on: @start if the page there cannot be shared; or an errno.
 */
static long share_some(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       struct mm_struct *source_mm, unsigned long start,
		       unsigned long end)
{
	struct vm_area_struct *vma, *source;
	long ret;

	ret = lock_both(source_mm, mm);
	if (ret)
		return ret;
	ret = -EINVAL;
	vma = find_private(ctx, mm, start);
	source = find_private(ctx, source_mm, start);
	if (vma && source) {
		end = min3(end, vma->vm_end, source->vm_end);
		ret = start;
		if (can_share(vma, source, start))
			ret = share(vma, source, start, end) ?: end;
	}
	unlock_both(source_mm, mm);
	return ret;
}

static int copy_one(struct ckpt_ctx *ctx, struct mm_struct *mm,
		    struct mm_struct *source_mm, unsigned long address,
		    unsigned long source_address)
{
	struct page *page, *source;
	long ret = -EINVAL;

	mmap_read_lock(source_mm);
	if (find_private(ctx, source_mm, source_address))
		ret = get_user_pages_remote(source_mm, source_address, 1,
					    FOLL_FORCE, &source, NULL);
	mmap_read_unlock(source_mm);
	if (ret < 0)
		return ret;
	ret = -EINVAL;
	mmap_read_lock(mm);
	if (find_private(ctx, mm, address))
		ret = pin_user_pages_remote(mm, address, 1,
					    FOLL_WRITE | FOLL_FORCE, &page,
					    NULL);
	mmap_read_unlock(mm);
	if (ret > 0) {
		copy_highpage(page, source);
		unpin_user_pages_dirty_lock(&page, 1, true);
		ret = 0;
	}
	put_page(source);
	return ret;
}

/**
 * ckpt_cow_restore - map pages that another address space has
 * @ctx: context
 * @mm: address space, private to the restart
 * @record: from the image; all its pages are below TASK_SIZE_MAX
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cow_restore(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     const struct ckpt_hdr_pages_cow *record)
{
	unsigned long start = record->start, source = record->source;
	unsigned long end = start + record->nr_pages * PAGE_SIZE;
	struct mm_struct *source_mm;
	long ret = 0;

	might_sleep();
	source_mm = ckpt_object_find(ctx, record->mm, CKPT_OBJ_MM);
	if (start == source)
		ret = move_all_to_root(ctx, source_mm, start, end);
	while (!ret && start < end) {
		long next = start;

		if (start == source)
			next = share_some(ctx, mm, source_mm, start, end);
		if (next < 0)
			ret = next;
		if (next == start) {
			ret = copy_one(ctx, mm, source_mm, start, source);
			next = start + PAGE_SIZE;
		}
		source += next - start;
		start = next;
		cond_resched();
	}
	if (ret)
		return ckpt_error(ctx, ret, "%u pages at %#llx cannot be shared",
				  record->nr_pages, record->start);
	return 0;
}
