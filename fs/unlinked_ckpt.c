// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of regular files that have no name any more.
 *
 * Saved: contents, size, mode, owner, times, the directory; whether the file
 *	may still be linked. It is one object, however many open files and
 *	mappings it has.
 * Reset: inode number, the name that /proc shows, time of the last change of
 *	attributes; blocks of zeros become holes.
 * Refused: files with extended attributes, append-only, immutable, protected by
 *	fs-verity, or in a tmpfs with NUMA policies; files that the caller may not
 *	read; files of another machine, or with a lease for writing, that are not
 *	open for reading.
 *
 * Only the open file keeps the contents, so they are in the image. Those in tmpfs
 * are captured as shared memory is, see mm/shared_ckpt.c. Others are copied while
 * the target is stopped, for the time that takes, into memory or to another file,
 * see fs/unlinked_copy_ckpt.c. The restart is in fs/unlinked_restore_ckpt.c.
 */
#include <linux/blk_types.h>
#include <linux/bvec.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/user_namespace.h>
#include <linux/xattr.h>

/* Pages that are not too many for memory, whatever it has. */
#define SMALL_PAGES	(SZ_4M >> PAGE_SHIFT)

/*
 * Another machine knows a file without a name only by the open file of the
 * target: it may neither open it again nor tell anything about it.
 */
static bool is_remote(const struct file *file)
{
	return ckpt_path_is_remote(file_user_path(file));
}

/* Who may trace the target may read what it may read, and nothing else. */
static int may_read(const struct file *file)
{
	if (file->f_mode & FMODE_READ)
		return 0;
	return path_permission(file_user_path(file), MAY_READ);
}

/* Opening the file would break it, and wait for a holder who is stopped. */
static bool has_write_lease(const struct inode *inode)
{
	struct file_lock_context *locks = locks_inode_context(inode);
	const struct file_lease *lease;

	if (!locks || list_empty_careful(&locks->flc_lease))
		return false;
	guard(spinlock)(&locks->flc_lock);
	list_for_each_entry(lease, &locks->flc_lease, c.flc_list)
		if (lease->c.flc_type == F_WRLCK)
			return true;
	return false;
}

static const char *unsupported(const struct file *file)
{
	const struct inode *inode = file_user_inode(file);

	if (is_remote(file) && !(file->f_mode & FMODE_READ))
		return "is unlinked, on another machine, and not open for reading";
	if (IS_APPEND(inode) || IS_IMMUTABLE(inode))
		return "is unlinked and append-only or immutable";
	if (IS_VERITY(inode))
		return "is unlinked and protected by fs-verity";
	if (ckpt_shmem_has_policy(file_inode(file)))
		return "is unlinked and has a NUMA policy";
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
	if (has_write_lease(inode) && !(file->f_mode & FMODE_READ))
		return ckpt_error(ctx, -EBUSY,
				  "file %pD has a lease, no name, and is not open for reading",
				  file);
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

/* What another machine answers about a file that it knows by its name. */
static bool is_unknown(int error)
{
	return error == -ENOENT || error == -ESTALE;
}

/* Security labels are those of the restart, as for every file. */
static int check_xattrs(struct ckpt_ctx *ctx, struct dentry *dentry)
{
	ssize_t size = vfs_listxattr(dentry, NULL, 0);
	char *names, *name;
	int ret = 0;

	/* What another machine does not know by name has none to tell. */
	if (size == -EOPNOTSUPP || is_unknown(size) || !size)
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
	/* Then what it has told before is all that anybody knows. */
	if (is_unknown(ret)) {
		generic_fillattr(mnt_idmap(path->mnt), STATX_BASIC_STATS,
				 d_inode(path->dentry), &stat);
		ret = 0;
	}
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

/*
 * Returns how much of the page is in the file, 0 beyond its end.
 *
 * It may be the file of the target, whose position stays where it is, and which
 * may be watched: so this is not kernel_read(), which tells that it was read.
 */
static ssize_t read_page(struct file *file, struct page *page, pgoff_t index)
{
	struct bio_vec bvec;
	struct iov_iter iter;
	struct kiocb kiocb;
	size_t done;

	bvec_set_page(&bvec, page, PAGE_SIZE, 0);
	iov_iter_bvec(&iter, ITER_DEST, &bvec, 1, PAGE_SIZE);
	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = (loff_t)index << PAGE_SHIFT;
	while (iov_iter_count(&iter)) {
		ssize_t got = file->f_op->read_iter(&kiocb, &iter);

		if (got < 0)
			return got;
		if (!got)
			break;
	}
	done = PAGE_SIZE - iov_iter_count(&iter);
	memset(page_address(page) + done, 0, PAGE_SIZE - done);
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

/**
 * ckpt_file_open_unnoticed - open a file for reading, for ourselves
 * @path: regular file
 *
 * Watches tell what programs do with a file: we are none.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_file_open_unnoticed(const struct path *path)
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

/*
 * By the open file of the target, since no other one can be had. There is no
 * other place for it, and nobody tells where its holes are.
 */
static int copy_as_target(struct ckpt_ctx *ctx, struct file *file, loff_t size)
{
	struct memory_copy copy = {
		.copies	= ckpt_page_copies_alloc(),
		.file	= file,
		.room	= ULONG_MAX,
	};
	int ret;

	if (!copy.copies)
		return -ENOMEM;
	ret = copy_range(&copy, 0, DIV_ROUND_UP_ULL(size, PAGE_SIZE));
	if (!ret) {
		ckpt_page_copies_append(ctx, copy.copies);
		return 0;
	}
	ckpt_page_copies_free(copy.copies);
	return ret == -E2BIG ? -ENOMEM : ret;
}

static int save_contents(struct ckpt_ctx *ctx, struct file *file, loff_t size)
{
	struct inode *inode;
	struct file *reader;
	int ret = may_read(file);

	if (ret)
		return ckpt_error(ctx, ret,
				  "unlinked file %pD may not be read", file);
	if (is_remote(file) || has_write_lease(file_user_inode(file)))
		return copy_as_target(ctx, file, size);
	inode = d_real_inode(file_user_path(file)->dentry);
	if (shmem_mapping(inode->i_mapping))
		return ckpt_shared_save(ctx, inode, size);
	/* A position and read-ahead of our own, and no trace of the reading. */
	reader = ckpt_file_open_unnoticed(file_user_path(file));
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
