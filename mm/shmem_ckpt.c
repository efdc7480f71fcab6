// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of shared memory without a name, and of mappings of
 * files in tmpfs. What a memfd has besides is in mm/memfd_ckpt.c; how pages are
 * captured in mm/shared_ckpt.c.
 *
 * Saved: size, accounting, NUMA policies, the pages that exist and hold something.
 * Reset: memory that was reserved with fallocate() and not used.
 * Refused: SysV shared memory.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>

/* The name that MAP_SHARED | MAP_ANONYMOUS memory has. */
#define ANONYMOUS_NAME	"dev/zero"

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

	if (!is_anonymous(vma->vm_file)) {
		int ret = ckpt_vma_save_file(ctx, vma, record);

		return ret ?: ckpt_memfd_save_vma(ctx, vma, record);
	}
	objref = ckpt_object_save(ctx, CKPT_OBJ_SHMEM, file_inode(vma->vm_file));
	if (objref < 0)
		return objref;
	record->kind = CKPT_VMA_SHMEM;
	record->shmem = objref;
	record->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	return 0;
}

/**
 * ckpt_shmem_has_policy - has a file in memory NUMA policies?
 * @inode: of any file
 *
 * Return: whether it has.
 */
bool ckpt_shmem_has_policy(struct inode *inode)
{
#ifdef CONFIG_NUMA
	return shmem_mapping(inode->i_mapping) &&
	       !RB_EMPTY_ROOT(&SHMEM_I(inode)->policy.root);
#else
	return false;
#endif
}

/**
 * ckpt_shmem_save_policies - save the NUMA policies of a file in memory
 * @ctx: context
 * @inode: of the file
 * @nr_policies: set to the number of records
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shmem_save_policies(struct ckpt_ctx *ctx, struct inode *inode,
			     u32 *nr_policies)
{
	return ckpt_mempolicy_save_shared(ctx, &SHMEM_I(inode)->policy,
					  nr_policies);
}

/**
 * ckpt_shmem_save - save shared memory without a name, or a memfd
 * @ctx: context
 * @object: its inode
 *
 * Return: 0 or a negative errno.
 */
int ckpt_shmem_save(struct ckpt_ctx *ctx, void *object)
{
	struct inode *inode = object;
	struct ckpt_hdr_shmem *record;
	int ret;

	if (ctx->contents_of) {
		ret = ckpt_memfd_save(ctx, ctx->contents_of);
		return ret ?: ckpt_shared_save(ctx, inode, i_size_read(inode));
	}
	record = ckpt_record_add(ctx, CKPT_HDR_SHMEM);
	if (!record)
		return -ENOMEM;
	record->size = i_size_read(inode);
	if (SHMEM_I(inode)->flags & VM_NORESERVE)
		record->flags = CKPT_VMA_NORESERVE;
	ret = ckpt_shmem_save_policies(ctx, inode, &record->nr_policies);
	return ret ?: ckpt_shared_save(ctx, inode, record->size);
}

static int fill(struct ckpt_ctx *ctx, void *object, pgoff_t index)
{
	struct inode *inode = object;
	struct folio *folio;
	struct bio_vec bvec;
	int ret;

	folio = shmem_read_folio(inode->i_mapping, index);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	bvec_set_page(&bvec, folio_file_page(folio, index), PAGE_SIZE, 0);
	ret = ckpt_stream_read_pages(ctx, &bvec, 1);
	folio_mark_dirty(folio);
	folio_put(folio);
	return ret;
}

static struct file *restore_memory(struct ckpt_ctx *ctx, u32 *nr_policies)
{
	struct ckpt_hdr_shmem record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SHMEM, &record);
	if (ret)
		return ERR_PTR(ret);
	if (offset_in_page(record.size) || !record.size)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "shared memory of %llu bytes",
					  record.size));
	*nr_policies = record.nr_policies;
	return shmem_kernel_file_setup(ANONYMOUS_NAME, record.size,
				       record.flags & CKPT_VMA_NORESERVE ?
				       VM_NORESERVE : 0);
}

/**
 * ckpt_shmem_restore - read shared memory without a name, or a memfd
 * @ctx: context
 *
 * Return: struct file with a reference, or an error pointer.
 */
void *ckpt_shmem_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_memfd_stage memfd;
	struct file *file;
	u32 nr_policies;
	bool is_memfd;
	int ret;

	ret = ckpt_record_peek(ctx);
	if (ret < 0)
		return ERR_PTR(ret);
	is_memfd = ret == CKPT_HDR_MEMFD;
	file = is_memfd ? ckpt_memfd_restore(ctx, &memfd) :
			  restore_memory(ctx, &nr_policies);
	if (IS_ERR(file))
		return file;
	if (is_memfd)
		nr_policies = memfd.record.nr_policies;
	/* They say where the pages are to be. */
	ret = ckpt_mempolicy_restore_shared(ctx, &SHMEM_I(file_inode(file))->policy,
					    nr_policies);
	if (!ret)
		ret = ckpt_page_copies_read(ctx, i_size_read(file_inode(file)),
					    fill, file_inode(file));
	if (!ret && is_memfd)
		ret = ckpt_memfd_restore_end(ctx, file, &memfd);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}
