// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of shared memory without a name, and of mappings of
 * files in tmpfs.
 *
 * Saved: size, accounting, the pages that exist and hold something.
 * Refused: SysV shared memory, memfd, unlinked files.
 *
 * Shared pages are not copied on write, so they are copied while the target is
 * stopped.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/string.h>

/* The name that MAP_SHARED | MAP_ANONYMOUS memory has. */
#define ANONYMOUS_NAME	"dev/zero"

/**
 * struct shmem_copy - a segment with copies of shared pages
 * @segment: its place in the image
 * @pages: index of the page to its copy
 */
struct shmem_copy {
	struct ckpt_segment segment;
	struct xarray pages;
};

static bool is_anonymous(const struct file *file)
{
	return file->f_path.mnt->mnt_flags & MNT_INTERNAL &&
	       !strcmp(file->f_path.dentry->d_name.name, ANONYMOUS_NAME);
}

/**
 * ckpt_vma_save_shmem - checkpoint method of mappings of shared memory
 * @ctx: context
 * @vma: mapping; the lock of its address space is held
 * @record: kind and object are filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_save_shmem(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			struct ckpt_hdr_vma *record)
{
	int objref;

	if (!is_anonymous(vma->vm_file))
		return ckpt_vma_save_file(ctx, vma, record);
	objref = ckpt_object_save(ctx, CKPT_OBJ_SHMEM, file_inode(vma->vm_file));
	if (objref < 0)
		return objref;
	record->kind = CKPT_VMA_SHMEM;
	record->shmem = objref;
	record->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	return 0;
}

static bool is_zero(struct page *page)
{
	void *data = kmap_local_page(page);
	bool zero = !memchr_inv(data, 0, PAGE_SIZE);

	kunmap_local(data);
	return zero;
}

static int emit_segment(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct ckpt_hdr_pages_end end = {
		.h.type	= CKPT_HDR_PAGES_END,
		.h.len	= sizeof(end),
	};
	struct ckpt_hdr_pages *header;
	struct shmem_copy *copy;
	unsigned long index;
	struct page *page;
	int ret = 0;

	copy = container_of(segment, struct shmem_copy, segment);
	header = kzalloc(sizeof(*header), GFP_KERNEL_ACCOUNT);
	if (!header)
		return -ENOMEM;
	xa_for_each(&copy->pages, index, page) {
		struct bio_vec bvecs[2];

		if (is_zero(page))
			continue;
		header->h.type = CKPT_HDR_PAGES;
		header->h.len = sizeof(*header) + PAGE_SIZE;
		header->start = (u64)index << PAGE_SHIFT;
		header->nr_pages = 1;
		bvec_set_page(&bvecs[1], page, PAGE_SIZE, 0);
		ret = ckpt_stream_write_pages(ctx, header, bvecs,
					      ARRAY_SIZE(bvecs));
		if (ret)
			break;
		end.nr_pages++;
	}
	kfree(header);
	return ret ?: ckpt_stream_write_record(ctx, &end);
}

static void free_segment(struct ckpt_segment *segment)
{
	struct shmem_copy *copy;
	unsigned long index;
	struct page *page;

	copy = container_of(segment, struct shmem_copy, segment);
	xa_for_each(&copy->pages, index, page)
		put_page(page);
	xa_destroy(&copy->pages);
	kfree(copy);
}

static const struct ckpt_segment_ops shmem_copy_ops = {
	.emit	= emit_segment,
	.free	= free_segment,
};

static int copy_one(struct shmem_copy *copy, struct inode *inode, pgoff_t index)
{
	struct page *page;
	struct folio *folio;
	int ret;

	/* SGP_READ: no page where there is none; swapped out pages come in. */
	ret = shmem_get_folio(inode, index, 0, &folio, SGP_READ);
	if (ret || !folio)
		return ret;
	page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
	if (page) {
		copy_highpage(page, folio_file_page(folio, index));
		ret = xa_insert(&copy->pages, index, page, GFP_KERNEL_ACCOUNT);
		if (ret)
			put_page(page);
	} else {
		ret = -ENOMEM;
	}
	folio_unlock(folio);
	folio_put(folio);
	return ret;
}

static int copy_all(struct shmem_copy *copy, struct inode *inode)
{
	XA_STATE(xas, &inode->i_mapping->i_pages, 0);
	pgoff_t index = 0;
	void *entry;
	int ret;

	for (;;) {
		xas_set(&xas, index);
		rcu_read_lock();
		entry = xas_find(&xas, ULONG_MAX);
		rcu_read_unlock();
		if (!entry)
			return 0;
		index = max(index, xas.xa_index);
		ret = copy_one(copy, inode, index);
		if (ret)
			return ret;
		index++;
		cond_resched();
	}
}

/**
 * ckpt_shmem_save - save shared memory without a name
 * @ctx: context
 * @object: its inode
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shmem_save(struct ckpt_ctx *ctx, void *object)
{
	struct inode *inode = object;
	struct ckpt_hdr_shmem *record;
	struct shmem_copy *copy;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_SHMEM);
	copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!record || !copy) {
		kfree(copy);
		return -ENOMEM;
	}
	record->size = i_size_read(inode);
	if (SHMEM_I(inode)->flags & VM_NORESERVE)
		record->flags = CKPT_VMA_NORESERVE;
	copy->segment.ops = &shmem_copy_ops;
	xa_init(&copy->pages);
	ret = copy_all(copy, inode);
	if (ret) {
		free_segment(&copy->segment);
		return ret;
	}
	ckpt_segment_add(ctx, &copy->segment);
	return 0;
}

static int fill(struct ckpt_ctx *ctx, struct inode *inode,
		const struct ckpt_hdr_pages *record)
{
	pgoff_t index = record->start >> PAGE_SHIFT;
	u32 left = record->nr_pages;

	if (offset_in_page(record->start) ||
	    record->start + (u64)left * PAGE_SIZE >
	    PAGE_ALIGN(i_size_read(inode)))
		return ckpt_error(ctx, -EINVAL,
				  "%u pages at %#llx of shared memory", left,
				  record->start);
	for (; left; left--, index++) {
		struct folio *folio;
		struct bio_vec bvec;
		int ret;

		folio = shmem_read_folio(inode->i_mapping, index);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		bvec_set_page(&bvec, folio_file_page(folio, index), PAGE_SIZE,
			      0);
		ret = ckpt_stream_read_pages(ctx, &bvec, 1);
		folio_mark_dirty(folio);
		folio_put(folio);
		if (ret)
			return ret;
	}
	return 0;
}

static int restore_pages(struct ckpt_ctx *ctx, struct inode *inode)
{
	struct ckpt_hdr_pages_end end;
	struct ckpt_hdr_pages record;
	u64 nr_pages = 0;
	int ret;

	for (;;) {
		ret = ckpt_record_peek(ctx);
		if (ret < 0)
			return ret;
		if (ret == CKPT_HDR_PAGES_END)
			break;
		ret = ckpt_record_read(ctx, CKPT_HDR_PAGES, &record);
		if (!ret)
			ret = fill(ctx, inode, &record);
		if (ret)
			return ret;
		nr_pages += record.nr_pages;
	}
	ret = ckpt_record_read(ctx, CKPT_HDR_PAGES_END, &end);
	if (!ret && end.nr_pages != nr_pages)
		ret = ckpt_error(ctx, -EINVAL, "%llu pages instead of %llu",
				 nr_pages, end.nr_pages);
	return ret;
}

/**
 * ckpt_shmem_restore - read shared memory without a name
 * @ctx: context
 *
 * Return: struct file with a reference, or an error pointer.
 */
void *ckpt_shmem_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_shmem record;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SHMEM, &record);
	if (ret)
		return ERR_PTR(ret);
	if (offset_in_page(record.size) || !record.size)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "shared memory of %llu bytes",
					  record.size));
	file = shmem_kernel_file_setup(ANONYMOUS_NAME, record.size,
				       record.flags & CKPT_VMA_NORESERVE ?
				       VM_NORESERVE : 0);
	if (IS_ERR(file))
		return file;
	ret = restore_pages(ctx, file_inode(file));
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}
