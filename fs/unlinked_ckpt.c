// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of regular files that have no name any more.
 *
 * Saved: contents, size, mode, owner, times, the directory; whether the file
 *	may still be linked. It is one object, however many open files and
 *	mappings it has.
 * Reset: inode number, the name that /proc shows, time of the last change of
 *	attributes; blocks of zeros become holes.
 * Refused: files on filesystems that are not local, with extended attributes,
 *	append-only, immutable, or protected by fs-verity; files that the caller
 *	may not read.
 *
 * Only the open file keeps the contents, so they are in the image: they are
 * copied while the target is stopped, for the time that takes, into memory or
 * to another file, see fs/unlinked_copy_ckpt.c. A restart makes
 * an unnamed file in the same directory, or in the nearest one above it that
 * is still there. Where none can be made, because nobody may write there or the
 * filesystem cannot do it, memory takes the contents, and the log tells: see
 * mm/unlinked_memory_ckpt.c. But not those of a file that could get a name: it
 * would be on another filesystem then.
 */
#include <linux/blk_types.h>
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/user_namespace.h>
#include <linux/xattr.h>

/* Pages that are not too many for memory, whatever it has. */
#define SMALL_PAGES	(SZ_4M >> PAGE_SHIFT)

/* Reading must not wait for another machine while the target is stopped. */
static bool is_local(const struct file *file)
{
	const struct inode *inode = d_real_inode(file_user_path(file)->dentry);
	const struct super_block *sb = inode->i_sb;

	return sb->s_type->fs_flags & FS_REQUIRES_DEV ||
	       sb->s_magic == TMPFS_MAGIC || sb->s_magic == RAMFS_MAGIC;
}

/* Who may trace the target may read what it may read, and nothing else. */
static int may_read(const struct file *file)
{
	if (file->f_mode & FMODE_READ)
		return 0;
	return path_permission(file_user_path(file), MAY_READ);
}

/* Opening the file would break it, and wait for a holder who is stopped. */
static bool has_leases(const struct inode *inode)
{
	struct file_lock_context *locks = locks_inode_context(inode);

	return locks && !list_empty_careful(&locks->flc_lease);
}

static const char *unsupported(const struct file *file)
{
	const struct inode *inode = file_user_inode(file);

	if (!is_local(file))
		return "is unlinked and not on a local filesystem";
	if (IS_APPEND(inode) || IS_IMMUTABLE(inode))
		return "is unlinked and append-only or immutable";
	if (IS_VERITY(inode))
		return "is unlinked and protected by fs-verity";
	return NULL;
}

/**
 * ckpt_file_save_unlinked - save an open file that has no name
 * @ctx: context
 * @file: regular file
 *
 * Return: CKPT_FILE_UNLINKED or a negative errno.
 */
int ckpt_file_save_unlinked(struct ckpt_ctx *ctx, struct file *file)
{
	struct inode *inode = d_inode(file_user_path(file)->dentry);
	struct ckpt_hdr_file_unlinked *record;
	int objref;

	if (unsupported(file))
		return ckpt_error(ctx, -EBADF, "file %pD %s", file,
				  unsupported(file));
	if (has_leases(inode))
		return ckpt_error(ctx, -EBUSY,
				  "file %pD has a lease and no name", file);
	ctx->contents_of = file;
	objref = ckpt_object_save(ctx, CKPT_OBJ_UNLINKED, inode);
	ctx->contents_of = NULL;
	if (objref < 0)
		return objref;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_UNLINKED);
	if (!record)
		return -ENOMEM;
	record->unlinked = objref;
	return CKPT_FILE_UNLINKED;
}

/* Security labels are those of the restart, as for every file. */
static int check_xattrs(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	ssize_t size = vfs_listxattr(dentry, NULL, 0);
	char *names, *name;
	int ret = 0;

	if (size == -EOPNOTSUPP || !size)
		return 0;
	if (size < 0)
		return size;
	names = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!names)
		return -ENOMEM;
	size = vfs_listxattr(dentry, names, size);
	if (size < 0)
		ret = size;
	for (name = names; !ret && name < names + size;
	     name += strlen(name) + 1)
		if (!strstarts(name, XATTR_SECURITY_PREFIX))
			ret = ckpt_error(ctx, -EOPNOTSUPP,
					 "file %pd is unlinked and has the extended attribute %s",
					 dentry, name);
	kvfree(names);
	return ret;
}

/**
 * ckpt_file_attributes_save - append size, mode, owner and times of a file
 * @ctx: context
 * @path: regular file or directory that has no name any more
 *
 * Return: the size, 0 of a directory, or a negative errno.
 */
loff_t ckpt_file_attributes_save(struct ckpt_ctx *ctx, const struct path *path)
{
	struct user_namespace *user_ns = current_user_ns();
	struct ckpt_hdr_file_attributes *record;
	struct kstat stat;
	int ret;

	ret = check_xattrs(ctx, path->dentry);
	if (!ret)
		ret = vfs_getattr_nosec(path, &stat, STATX_BASIC_STATS,
					AT_STATX_DONT_SYNC);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_ATTRIBUTES);
	if (!record)
		return -ENOMEM;
	record->size = S_ISREG(stat.mode) ? stat.size : 0;
	record->mode = stat.mode & S_IALLUGO;
	record->uid = from_kuid_munged(user_ns, stat.uid);
	record->gid = from_kgid_munged(user_ns, stat.gid);
	record->atime_sec = stat.atime.tv_sec;
	record->atime_nsec = stat.atime.tv_nsec;
	record->mtime_sec = stat.mtime.tv_sec;
	record->mtime_nsec = stat.mtime.tv_nsec;
	return record->size;
}

/* Returns how much of the page is in the file, 0 beyond its end. */
static ssize_t read_page(struct file *file, struct page *page, pgoff_t index)
{
	loff_t position = (loff_t)index << PAGE_SHIFT;
	void *data = page_address(page);
	size_t done = 0;

	while (done < PAGE_SIZE) {
		ssize_t got = kernel_read(file, data + done, PAGE_SIZE - done,
					  &position);

		if (got < 0)
			return got;
		if (!got)
			break;
		done += got;
	}
	memset(data + done, 0, PAGE_SIZE - done);
	return done;
}

/**
 * struct memory_copy - contents of a file on their way into memory
 * @copies: so far
 * @file: open for reading
 * @room: pages that may be added
 * @nr_pages: pages that were added
 */
struct memory_copy {
	struct ckpt_page_copies *copies;
	struct file *file;
	unsigned long room;
	unsigned long nr_pages;
};

/* -E2BIG: memory should not take all of it. */
static int keep_page(struct memory_copy *copy, pgoff_t index, struct page *page)
{
	int ret;

	if (copy->nr_pages == copy->room)
		return -E2BIG;
	ret = ckpt_page_copies_add(copy->copies, index, page);
	if (!ret)
		copy->nr_pages++;
	return ret;
}

static int copy_range(void *object, pgoff_t index, pgoff_t end)
{
	struct memory_copy *copy = object;
	struct page *page = NULL;
	ssize_t got = 1;
	int ret = 0;

	for (; index < end && got && !ret; index++) {
		if (!page)
			page = ckpt_page_copies_new();
		/* A cgroup may have less memory than there is. */
		if (!page)
			return copy->nr_pages < SMALL_PAGES ? -ENOMEM : -E2BIG;
		got = read_page(copy->file, page, index);
		if (got < 0)
			ret = got;
		else if (fatal_signal_pending(current))
			ret = -EINTR;
		/* What cannot tell where its holes are reads as zeros. */
		if (ret || !memchr_inv(page_address(page), 0, PAGE_SIZE))
			continue;
		ret = keep_page(copy, index, page);
		if (!ret)
			page = NULL;
		cond_resched();
	}
	if (page)
		put_page(page);
	return ret;
}

/**
 * ckpt_file_data_walk - visit the parts of a file that are no holes
 * @file: open for reading; its position is changed
 * @size: where to end
 * @range: called with the first page of each and that behind the last
 * @object: for @range
 *
 * Others may append meanwhile: what they add is not part of this moment.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_data_walk(struct file *file, loff_t size, ckpt_data_range_t range,
			void *object)
{
	loff_t data, hole = 0;
	pgoff_t index = 0;
	int ret = 0;

	while (!ret) {
		pgoff_t end;

		data = vfs_llseek(file, hole, SEEK_DATA);
		/* Nothing but a hole up to its end. */
		if (data == -ENXIO || data >= size)
			return 0;
		if (data < 0)
			return data;
		hole = vfs_llseek(file, data, SEEK_HOLE);
		if (hole < 0)
			return hole == -ENXIO ? 0 : hole;
		index = max_t(pgoff_t, index, data >> PAGE_SHIFT);
		end = DIV_ROUND_UP_ULL(min(hole, size), PAGE_SIZE);
		if (index < end) {
			ret = range(object, index, end);
			index = end;
		}
	}
	return ret;
}

/* Watches tell what programs do with a file: we are none. */
static struct file *open_unnoticed(const struct path *path)
{
	return dentry_open(path, O_RDONLY | O_LARGEFILE | O_NOATIME |
			   O_NONBLOCK | __FMODE_NONOTIFY, current_cred());
}

/**
 * ckpt_path_find_living - nearest directory above that was not removed
 * @path: what was removed
 * @directory: filled in; the mount is that of @path, without a reference
 */
void ckpt_path_find_living(const struct path *path, struct path *directory)
{
	directory->mnt = path->mnt;
	directory->dentry = dget_parent(path->dentry);
	while (d_unlinked(directory->dentry)) {
		struct dentry *removed = directory->dentry;

		directory->dentry = dget_parent(removed);
		dput(removed);
	}
}

/* Where the file is, or was before a restart put it into memory. */
static int save_origin(struct ckpt_ctx *ctx, struct file *file,
		       struct ckpt_hdr_unlinked *record)
{
	struct path directory;
	int ret;

	if (ckpt_unlinked_is_memory(file))
		return ckpt_unlinked_save_origin(ctx, file, record);
	ckpt_path_find_living(file_user_path(file), &directory);
	record->fs_magic = directory.dentry->d_sb->s_magic;
	ret = ckpt_path_add(ctx, &directory);
	dput(directory.dentry);
	return ret;
}

static int copy_beside(struct ckpt_ctx *ctx, struct file *file,
		       struct file *reader, loff_t size)
{
	struct path directory;
	int ret;

	ckpt_path_find_living(file_user_path(file), &directory);
	ret = ckpt_unlinked_copy(ctx, reader, &directory, size);
	dput(directory.dentry);
	if (ret)
		return ckpt_error(ctx, ret,
				  "unlinked file %pD is too large for memory and cannot be copied on its filesystem",
				  file);
	return 0;
}

/*
 * What is on a disk can be copied there. It must not drive everything else out
 * of memory, and there may be other files.
 */
static unsigned long room_in_memory(const struct inode *inode)
{
	if (!(inode->i_sb->s_type->fs_flags & FS_REQUIRES_DEV))
		return ULONG_MAX;
	return max_t(long, si_mem_available() / 4, SMALL_PAGES);
}

static int copy_contents(struct ckpt_ctx *ctx, struct file *file,
			 struct file *reader, loff_t size)
{
	const struct inode *inode = d_real_inode(reader->f_path.dentry);
	struct memory_copy copy = {
		.file	= reader,
		.room	= room_in_memory(inode),
	};
	int ret;

	/* Blocks that it does not have yet show when there is no more room. */
	if (inode->i_blocks >> (PAGE_SHIFT - SECTOR_SHIFT) > copy.room)
		return copy_beside(ctx, file, reader, size);
	copy.copies = ckpt_page_copies_alloc();
	if (!copy.copies)
		return -ENOMEM;
	ret = ckpt_file_data_walk(reader, size, copy_range, &copy);
	if (!ret) {
		ckpt_page_copies_append(ctx, copy.copies);
		return 0;
	}
	ckpt_page_copies_free(copy.copies);
	return ret == -E2BIG ? copy_beside(ctx, file, reader, size) : ret;
}

static int save_contents(struct ckpt_ctx *ctx, struct file *file, loff_t size)
{
	struct file *reader;
	int ret = may_read(file);

	if (ret)
		return ckpt_error(ctx, ret,
				  "unlinked file %pD may not be read", file);
	/* A position and read-ahead of our own, and no trace of the reading. */
	reader = open_unnoticed(file_user_path(file));
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	ret = copy_contents(ctx, file, reader, size);
	/* Not when the checkpoint ends: the target may set a lease before. */
	__fput_sync(reader);
	return ret;
}

/**
 * ckpt_unlinked_save - save an unlinked file
 * @ctx: context with an open file of it
 * @object: its inode
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_save(struct ckpt_ctx *ctx, void *object)
{
	struct file *file = ctx->contents_of;
	struct ckpt_hdr_unlinked *record;
	struct inode *inode = object;
	loff_t size;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_UNLINKED);
	if (!record)
		return -ENOMEM;
	if (READ_ONCE(inode->i_state) & I_LINKABLE)
		record->flags = CKPT_UNLINKED_LINKABLE;
	ret = save_origin(ctx, file, record);
	if (!ret) {
		size = ckpt_file_attributes_save(ctx, file_user_path(file));
		ret = size < 0 ? size : save_contents(ctx, file, size);
	}
	if (ret)
		return ckpt_error(ctx, ret, "unlinked file %pD", file);
	return 0;
}

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
 * Return: struct file with a reference, open for reading, or an error pointer.
 */
void *ckpt_unlinked_restore(struct ckpt_ctx *ctx)
{
	struct file *file = restore_file(ctx);
	struct file *reader;

	if (IS_ERR(file))
		return file;
	reader = open_unnoticed(&file->f_path);
	/* At once: a file that is open for writing cannot be executed. */
	__fput_sync(file);
	return reader;
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
