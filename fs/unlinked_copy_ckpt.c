// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of unlinked files that are too large for memory: a copy on the
 * same filesystem keeps the contents until they are in the image.
 *
 * The target is stopped for the time that takes, except where the filesystem
 * can let two files share their blocks. The copy has no name and goes when the
 * checkpoint ends, whatever happens.
 */
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/uio.h>

/**
 * struct unlinked_copy - a segment with the contents of a file
 * @segment: its place in the image
 * @file: the copy
 * @size: of the file
 */
struct unlinked_copy {
	struct ckpt_segment segment;
	struct file *file;
	loff_t size;
};

/**
 * struct window - some pages of a file on their way
 * @from: file that is read
 * @size: of it
 * @to: file that is written, or NULL
 * @ctx: context of the image that is written
 * @batch: of the image, or NULL
 * @pages: in memory
 * @bvecs: the same
 */
struct window {
	struct file *from;
	loff_t size;
	struct file *to;
	struct ckpt_ctx *ctx;
	struct ckpt_page_batch *batch;
	struct page *pages[CKPT_PAGE_BATCH];
	struct bio_vec bvecs[CKPT_PAGE_BATCH];
};

static void window_free(struct window *window)
{
	unsigned int index;

	for (index = 0; index < CKPT_PAGE_BATCH; index++)
		if (window->pages[index])
			put_page(window->pages[index]);
	kfree(window);
}

static struct window *window_alloc(struct file *from, loff_t size)
{
	struct window *window;
	unsigned int index;

	window = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
	if (!window)
		return NULL;
	window->from = from;
	window->size = size;
	for (index = 0; index < CKPT_PAGE_BATCH; index++) {
		window->pages[index] = ckpt_page_copies_new();
		if (!window->pages[index]) {
			window_free(window);
			return NULL;
		}
		bvec_set_page(&window->bvecs[index], window->pages[index],
			      PAGE_SIZE, 0);
	}
	return window;
}

/* What is beyond the end, by now, is zeros. */
static int window_read(struct window *window, pgoff_t index,
		       unsigned int nr_pages)
{
	loff_t position = (loff_t)index << PAGE_SHIFT;
	size_t len = min_t(loff_t, (size_t)nr_pages << PAGE_SHIFT,
			   window->size - position);
	struct iov_iter iter;

	iov_iter_bvec(&iter, ITER_DEST, window->bvecs, nr_pages,
		      (size_t)nr_pages << PAGE_SHIFT);
	iov_iter_truncate(&iter, len);
	while (iov_iter_count(&iter)) {
		ssize_t got = vfs_iter_read(window->from, &iter, &position, 0);

		if (got < 0)
			return got;
		if (!got)
			break;
	}
	len -= iov_iter_count(&iter);
	for (; len < (size_t)nr_pages << PAGE_SHIFT;
	     len = (len | ~PAGE_MASK) + 1)
		memset(page_address(window->pages[len >> PAGE_SHIFT]) +
		       offset_in_page(len), 0, PAGE_SIZE - offset_in_page(len));
	return 0;
}

static int window_write(struct window *window, pgoff_t index,
			unsigned int nr_pages)
{
	loff_t position = (loff_t)index << PAGE_SHIFT;
	size_t len = min_t(loff_t, (size_t)nr_pages << PAGE_SHIFT,
			   window->size - position);
	struct iov_iter iter;

	iov_iter_bvec(&iter, ITER_SOURCE, window->bvecs, nr_pages, len);
	while (iov_iter_count(&iter)) {
		ssize_t done = vfs_iter_write(window->to, &iter, &position, 0);

		if (done <= 0)
			return done ?: -EIO;
	}
	return 0;
}

static int window_emit(struct window *window, pgoff_t index,
		       unsigned int nr_pages)
{
	unsigned int done;
	int ret = 0;

	for (done = 0; done < nr_pages && !ret; done++)
		ret = ckpt_page_batch_add(window->ctx, window->batch,
					  index + done, window->pages[done]);
	/* The pages are used again. */
	return ret ?: ckpt_page_batch_flush(window->ctx, window->batch);
}

static int move_range(void *object, pgoff_t index, pgoff_t end)
{
	struct window *window = object;
	int ret = 0;

	while (index < end && !ret) {
		unsigned int nr_pages = min_t(pgoff_t, end - index,
					      CKPT_PAGE_BATCH);

		ret = window_read(window, index, nr_pages);
		if (ret)
			break;
		if (window->batch)
			ret = window_emit(window, index, nr_pages);
		else
			ret = window_write(window, index, nr_pages);
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		index += nr_pages;
		cond_resched();
	}
	return ret;
}

static int emit(struct ckpt_ctx *ctx, struct ckpt_segment *segment)
{
	struct unlinked_copy *copy;
	struct window *window;
	int ret = -ENOMEM;

	copy = container_of(segment, struct unlinked_copy, segment);
	window = window_alloc(copy->file, copy->size);
	if (!window)
		return -ENOMEM;
	window->ctx = ctx;
	window->batch = ckpt_page_batch_alloc();
	if (window->batch)
		ret = ckpt_file_data_walk(copy->file, copy->size, move_range,
					  window);
	if (!ret)
		ret = ckpt_page_batch_end(ctx, window->batch);
	kfree(window->batch);
	window_free(window);
	return ret;
}

static void free_copy(struct ckpt_segment *segment)
{
	struct unlinked_copy *copy;

	copy = container_of(segment, struct unlinked_copy, segment);
	fput(copy->file);
	kfree(copy);
}

static const struct ckpt_segment_ops copy_ops = {
	.emit	= emit,
	.free	= free_copy,
};

/* A copy in memory would take what there is not enough of. */
static bool is_on_disk(const struct file *file)
{
	const struct inode *inode = d_real_inode(file->f_path.dentry);

	return inode->i_sb->s_type->fs_flags & FS_REQUIRES_DEV;
}

/* Writing would wait, with the target stopped, for whoever has frozen it. */
static bool is_frozen(const struct super_block *sb)
{
	return READ_ONCE(sb->s_writers.frozen) != SB_UNFROZEN;
}

/* With the rights of the caller, whose quota it is as well. */
static struct file *create(const struct path *directory)
{
	const int flags = O_RDWR | O_LARGEFILE | O_EXCL | O_NOATIME |
			  __FMODE_NONOTIFY;
	struct file *file;
	int ret;

	ret = mnt_want_write(directory->mnt);
	if (ret)
		return ERR_PTR(ret);
	file = kernel_tmpfile_open(mnt_idmap(directory->mnt), directory,
				   S_IFREG | 0600, flags, current_cred());
	mnt_drop_write(directory->mnt);
	if (IS_ERR(file) || is_on_disk(file))
		return file;
	fput(file);
	return ERR_PTR(-ENOMEM);
}

static int fill(struct file *copy, struct file *file, loff_t size)
{
	struct window *window;
	int ret;

	/* Nothing is copied where both can have the same blocks. */
	if (vfs_clone_file_range(file, 0, copy, 0, 0, 0) >= 0)
		return 0;
	window = window_alloc(file, size);
	if (!window)
		return -ENOMEM;
	window->to = copy;
	ret = ckpt_file_data_walk(file, size, move_range, window);
	window_free(window);
	return ret;
}

/**
 * ckpt_unlinked_copy - copy the contents of a file to another one beside it
 * @ctx: context
 * @file: open for reading; the target is stopped
 * @directory: where the copy is made
 * @size: of the file
 *
 * The copy becomes a segment, and is read when the target runs again.
 *
 * Return: 0 or a negative errno: -EFBIG beyond the limit of the caller, -EBUSY
 * if the filesystem is frozen.
 */
int ckpt_unlinked_copy(struct ckpt_ctx *ctx, struct file *file,
		       const struct path *directory, loff_t size)
{
	struct unlinked_copy *copy;
	int ret = 0;

	/* A signal would come as well, which an error does not need. */
	if (size > rlimit(RLIMIT_FSIZE))
		return -EFBIG;
	/* A stacked filesystem writes to the one below. */
	if (is_frozen(directory->dentry->d_sb) ||
	    is_frozen(d_real_inode(file->f_path.dentry)->i_sb))
		return -EBUSY;
	copy = kzalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	copy->segment.ops = &copy_ops;
	copy->size = size;
	copy->file = create(directory);
	if (IS_ERR(copy->file))
		ret = PTR_ERR(copy->file);
	else
		ret = fill(copy->file, file, size);
	if (!ret) {
		ckpt_segment_add(ctx, &copy->segment);
		return 0;
	}
	if (!IS_ERR(copy->file))
		fput(copy->file);
	kfree(copy);
	return ret;
}
