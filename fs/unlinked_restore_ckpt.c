// SPDX-License-Identifier: GPL-2.0
/*
 * Restart of regular files that have no name any more.
 *
 * A restart makes an unnamed file in the directory where the file was, or in the
 * nearest one above it that is still there. Where none can be made, because
 * nobody may write there or the filesystem cannot do it, memory takes the
 * contents, and the log tells: see mm/unlinked_memory_ckpt.c. But not those of a
 * file that could get a name: it would be on another filesystem then.
 *
 * What is saved is in fs/unlinked_ckpt.c.
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
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/**
 * ckpt_file_attributes_read - read what ckpt_file_attributes_save() appended
 * @ctx: context
 * @record: filled in
 *
 * Return: 0 or a negative errno: -EFBIG if the file would be larger than the
 * limit of the current task.
 */
int ckpt_file_attributes_read(struct ckpt_ctx *ctx,
			      struct ckpt_hdr_file_attributes *record)
{
	int ret = ckpt_record_read(ctx, CKPT_HDR_FILE_ATTRIBUTES, record);

	/* A signal would end the task, which an error does not. */
	if (!ret && record->size > rlimit(RLIMIT_FSIZE))
		ret = ckpt_error(ctx, -EFBIG, "file of %llu bytes",
				 record->size);
	return ret;
}

static int set_mode(struct ckpt_ctx *ctx, struct file *file,
		    const struct ckpt_hdr_file_attributes *record)
{
	int ret;

	/* The new owner alone may have these bits; and chown() clears them. */
	ret = vfs_fchmod(file, record->mode & ~(S_ISUID | S_ISGID));
	if (!ret)
		ret = vfs_fchown(file, record->uid, record->gid);
	if (!ret && record->mode & (S_ISUID | S_ISGID))
		ret = vfs_fchmod(file, record->mode);
	/* It stays with whom it is then, as a copy of the file would. */
	if (ret == -EPERM)
		ret = 0;
	return ret;
}

/**
 * ckpt_file_attributes_set - set mode, owner and times of a new file
 * @ctx: context
 * @file: made by the restart; its size and contents are right
 * @record: from the image
 *
 * Owner, and what depends on the owner, are set as far as the current task has
 * the right.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_attributes_set(struct ckpt_ctx *ctx, struct file *file,
			     const struct ckpt_hdr_file_attributes *record)
{
	struct timespec64 times[2] = {
		{ record->atime_sec, record->atime_nsec },
		{ record->mtime_sec, record->mtime_nsec },
	};
	int ret;

	ret = vfs_utimes(&file->f_path, times);
	if (!ret)
		ret = set_mode(ctx, file, record);
	if (ret)
		return ckpt_error(ctx, ret, "attributes of file %pD", file);
	return 0;
}

/*
 * The nearest directory above one that is gone will do: nobody can tell where
 * a file without a name is. But it must not end up beneath a mount point whose
 * filesystem is not there. @directory is cut down to the one that was tried.
 */
static struct file *create_unnamed(char *directory,
				   const struct ckpt_hdr_unlinked *record)
{
	int flags = O_TMPFILE | O_RDWR | O_LARGEFILE;
	struct file *file;
	bool moved = false;

	if (!(record->flags & CKPT_UNLINKED_LINKABLE))
		flags |= O_EXCL;
	for (;;) {
		char *last;

		file = filp_open(*directory ? directory : "/", flags, 0600);
		if (file != ERR_PTR(-ENOENT) && file != ERR_PTR(-ENOTDIR))
			break;
		last = strrchr(directory, '/');
		if (!last)
			break;
		*last = '\0';
		moved = true;
	}
	if (IS_ERR(file) || !moved ||
	    file_inode(file)->i_sb->s_magic == record->fs_magic)
		return file;
	fput(file);
	return ERR_PTR(-ESTALE);
}

static int report_directory(struct ckpt_ctx *ctx, int error,
			    const char *directory)
{
	if (!*directory)
		directory = "/";
	if (error == -ESTALE)
		return ckpt_error(ctx, error,
				  "%s is not on the filesystem of the unlinked file",
				  directory);
	return ckpt_error(ctx, error,
			  "cannot create a file without a name in %s",
			  directory);
}

/*
 * No file can be made there for a reason that would be the same tomorrow. One
 * that does not fit on the disk is not to fill memory instead.
 */
static bool may_be_memory(int error, const struct ckpt_hdr_unlinked *record)
{
	if (record->flags & CKPT_UNLINKED_LINKABLE)
		return false;
	switch (error) {
	case -EROFS:
	case -EOPNOTSUPP:
	case -EACCES:
	case -EPERM:
	case -ESTALE:
		return true;
	default:
		return false;
	}
}

static struct file *create(struct ckpt_ctx *ctx, const char *directory,
			   const struct ckpt_hdr_unlinked *record,
			   const struct ckpt_hdr_file_attributes *attributes)
{
	char *tried = kstrdup(directory, GFP_KERNEL_ACCOUNT);
	struct file *file;
	int error;

	if (!tried)
		return ERR_PTR(-ENOMEM);
	file = create_unnamed(tried, record);
	if (!IS_ERR(file))
		goto free_tried;
	error = PTR_ERR(file);
	if (may_be_memory(error, record)) {
		file = ckpt_unlinked_create_memory(ctx, directory, record,
						   attributes->mode);
		if (!IS_ERR(file))
			ckpt_note(ctx,
				  "the unlinked file of %llu bytes from %s is in memory: none can be made in %s (error %d)",
				  attributes->size, directory,
				  *tried ? tried : "/", error);
	} else {
		report_directory(ctx, error, tried);
	}
free_tried:
	kfree(tried);
	return file;
}

/**
 * struct unlinked_stage - a file on its way out of the image
 * @file: the file
 * @size: that it gets
 * @page: for one page of it
 */
struct unlinked_stage {
	struct file *file;
	loff_t size;
	struct page *page;
};

static int fill(struct ckpt_ctx *ctx, void *object, pgoff_t index)
{
	struct unlinked_stage *stage = object;
	loff_t position = (loff_t)index << PAGE_SHIFT;
	size_t len = min_t(loff_t, PAGE_SIZE, stage->size - position);
	const char *data = page_address(stage->page);
	struct bio_vec bvec;
	int ret;

	bvec_set_page(&bvec, stage->page, PAGE_SIZE, 0);
	ret = ckpt_stream_read_pages(ctx, &bvec, 1);
	if (ret)
		return ret;
	while (len) {
		ssize_t done = kernel_write(stage->file, data, len, &position);

		if (done <= 0)
			return ckpt_error(ctx, done ?: -EIO,
					  "cannot write to file %pD",
					  stage->file);
		data += done;
		len -= done;
	}
	return 0;
}

static int set_size(struct file *file, loff_t size)
{
	int ret = mnt_want_write_file(file);

	if (ret)
		return ret;
	ret = do_truncate(file_mnt_idmap(file), file->f_path.dentry, size, 0,
			  file);
	mnt_drop_write_file(file);
	return ret;
}

static int restore_contents(struct ckpt_ctx *ctx, struct file *file,
			    const struct ckpt_hdr_file_attributes *record)
{
	struct unlinked_stage stage = {
		.file	= file,
		.size	= record->size,
		.page	= alloc_page(GFP_KERNEL_ACCOUNT),
	};
	int ret = -ENOMEM;

	if (stage.page)
		ret = set_size(file, record->size);
	if (ret) {
		ckpt_error(ctx, ret, "file of %llu bytes", record->size);
	} else {
		ret = ckpt_page_copies_read(ctx, record->size, fill, &stage);
		if (!ret)
			ret = ckpt_file_attributes_set(ctx, file, record);
	}
	if (stage.page)
		put_page(stage.page);
	return ret;
}

static struct file *restore_file(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_file_attributes attributes;
	struct ckpt_hdr_unlinked record;
	struct file *file;
	char *directory;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UNLINKED, &record);
	if (ret)
		return ERR_PTR(ret);
	directory = ckpt_text_read(ctx);
	if (IS_ERR(directory))
		return ERR_CAST(directory);
	ret = ckpt_file_attributes_read(ctx, &attributes);
	file = ret ? ERR_PTR(ret) : create(ctx, directory, &record, &attributes);
	kvfree(directory);
	if (IS_ERR(file))
		return file;
	ret = restore_contents(ctx, file, &attributes);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

/**
 * ckpt_unlinked_restore - read an unlinked file
 * @ctx: context
 *
 * Context: Creates the file with the credentials of the current task.
 *
 * Return: struct file with a reference, open as a path only, or an error pointer.
 */
void *ckpt_unlinked_restore(struct ckpt_ctx *ctx)
{
	struct file *file = restore_file(ctx);
	struct file *path_only;

	if (IS_ERR(file))
		return file;
	path_only = dentry_open(&file->f_path, O_PATH, current_cred());
	/*
	 * At once: a file that is open for writing cannot be executed, and one
	 * that is open at all cannot get a lease for writing.
	 */
	__fput_sync(file);
	return path_only;
}

/**
 * ckpt_file_restore_unlinked - read and open a file that has no name
 * @ctx: context
 * @record: its first record
 *
 * The contents came out of the image, so no permission is asked for: who was
 * to be kept from them holds nothing of them yet.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_file_restore_unlinked(struct ckpt_ctx *ctx,
					const struct ckpt_hdr_file *record)
{
	struct ckpt_hdr_file_unlinked unlinked;
	struct file *contents, *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_UNLINKED, &unlinked);
	if (ret)
		return ERR_PTR(ret);
	contents = ckpt_object_find(ctx, unlinked.unlinked, CKPT_OBJ_UNLINKED);
	if (record->open_flags & (O_PATH | O_DIRECTORY))
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "file %pD, open flags %#o", contents,
					  record->open_flags));
	file = dentry_open(&contents->f_path, record->open_flags,
			   current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, PTR_ERR(file), "cannot open file %pD",
			   contents);
	return file;
}
