/* SPDX-License-Identifier: GPL-2.0 */
/* What the files mm/shared_*ckpt.c share with each other alone. */
#ifndef _MM_SHARED_CKPT_H
#define _MM_SHARED_CKPT_H

#include <linux/checkpoint_ctx.h>
#include <linux/xarray.h>

struct address_space;
struct inode;
struct mem_cgroup;
struct super_block;

/**
 * struct ckpt_shared - a segment with the contents of shared memory
 *
 * An entry of @pages is a page itself, with a reference, tagged as an original;
 * or a copy, as soon as somebody wants to write to the page; or none any more,
 * when it is in the image. Who replaces an original holds the lock of its folio.
 *
 * @segment: its place in the image
 * @node: in the table of captured mappings, if @is_published
 * @number: order in which they came into the table
 * @users: one, and those who are replacing an original
 * @inode: of the memory; a reference is held, and one to its superblock, whose
 *	last mount may go meanwhile
 * @end: index behind the last page that counts
 * @memcg: of the checkpoint, pays for copies
 * @pages: index of the page in its file to the page or its copy
 * @error: a page could not be copied, and has been written to since
 * @is_published: writers find it
 * @is_protected: mappings may have been changed
 * @nr_pages: in @pages at first
 * @nr_copies: in @pages now, protected by its lock
 * @peak: the largest number of copies so far, protected likewise
 */
struct ckpt_shared {
	struct ckpt_segment segment;
	struct hlist_node node;
	u64 number;
	refcount_t users;
	struct inode *inode;
	pgoff_t end;
	struct mem_cgroup *memcg;
	struct xarray pages;
	int error;
	bool is_published;
	bool is_protected;
	unsigned long nr_pages;
	unsigned long nr_copies;
	unsigned long peak;
};

#define CKPT_SHARED_ORIGINAL	1

static inline void *ckpt_shared_original(struct page *page)
{
	return xa_tag_pointer(page, CKPT_SHARED_ORIGINAL);
}

static inline bool ckpt_shared_is_original(const void *entry)
{
	return xa_pointer_tag((void *)entry) == CKPT_SHARED_ORIGINAL;
}

/* shared_write_ckpt.c */
void ckpt_shared_publish(struct ckpt_shared *shared);
void ckpt_shared_unpublish(struct ckpt_shared *shared);
struct page *ckpt_shared_lock_original(struct ckpt_shared *shared,
				       pgoff_t index);
void ckpt_shared_unlock(struct page *page);
void ckpt_shared_copy_one(struct ckpt_shared *shared, pgoff_t index);
int ckpt_shared_copy_all(struct ckpt_shared *shared);

/* shared_mappings_ckpt.c */
int ckpt_shared_protect(struct address_space *mapping);
void ckpt_shared_unprotect(struct address_space *mapping);

#endif /* _MM_SHARED_CKPT_H */
