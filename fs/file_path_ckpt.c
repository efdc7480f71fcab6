// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of files that a path brings back: regular files,
 * directories, memory devices, and whatever is open as a path only.
 *
 * Saved: the path, and what identifies the file. If the name that it was
 *	opened by is gone, another one of it will do; a memory device has one
 *	that everybody knows.
 * Refused: unlinked files but regular ones and directories (for these see
 *	fs/unlinked_ckpt.c and fs/removed_directory_ckpt.c), paths that the
 *	caller of checkpoint() cannot see.
 *
 * The contents of a file stay in the file. A restart opens the path again with
 * the caller's rights and refuses what it finds if that is another file, unless
 * the caller has said in the image that another one will do.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/exportfs.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/stat.h>
#include <linux/time64.h>
#include <linux/uuid.h>

#include "internal.h"

static void identify(const struct inode *inode,
		     struct ckpt_hdr_file_path *record)
{
	struct timespec64 mtime = inode_get_mtime(inode);

	record->mode = inode->i_mode;
	record->fs_magic = inode->i_sb->s_magic;
	memcpy(record->fs_uuid, &inode->i_sb->s_uuid, sizeof(record->fs_uuid));
	record->ino = inode->i_ino;
	record->rdev = new_encode_dev(inode->i_rdev);
	record->generation = inode->i_generation;
	record->size = S_ISREG(inode->i_mode) ? i_size_read(inode) : 0;
	record->mtime_sec = mtime.tv_sec;
	record->mtime_nsec = mtime.tv_nsec;
	record->dev = new_encode_dev(inode->i_sb->s_dev);
}

/* The client of NFS gave it a name that goes when it is closed. */
static bool has_passing_name(const struct path *path)
{
	return READ_ONCE(path->dentry->d_flags) & DCACHE_NFSFS_RENAMED;
}

/**
 * ckpt_path_is_unlinked - was the name of an open file removed?
 * @path: its path
 *
 * Return: whether it was. The file may have other names.
 */
bool ckpt_path_is_unlinked(const struct path *path)
{
	return d_unlinked(path->dentry) || has_passing_name(path);
}

/**
 * ckpt_path_is_remote - is a file on a filesystem of another machine?
 * @path: the file
 *
 * Return: whether it is neither on a disk nor in memory.
 */
bool ckpt_path_is_remote(const struct path *path)
{
	const struct super_block *sb = d_real_inode(path->dentry)->i_sb;

	return !(sb->s_type->fs_flags & FS_REQUIRES_DEV) &&
	       sb->s_magic != TMPFS_MAGIC && sb->s_magic != RAMFS_MAGIC;
}

/*
 * Is an open file all that keeps the contents? The count of a client may be one
 * too high or too low, and NFS counts the name that it gave.
 */
static bool is_nameless(const struct path *path)
{
	const struct inode *inode = d_inode(path->dentry);

	return S_ISREG(inode->i_mode) && ckpt_path_is_unlinked(path) &&
	       inode->i_nlink <= ckpt_path_is_remote(path);
}

/* A hard link that the kernel happens to know: it must not search for one. */
static struct dentry *other_name(const struct path *path)
{
	struct inode *inode = d_inode(path->dentry);

	if (!inode->i_nlink || S_ISDIR(inode->i_mode) || has_passing_name(path))
		return NULL;
	return d_find_alias(inode);
}

/*
 * All nodes of a memory device are the same. That of a container may be gone, or
 * its mount.
 */
static const char *usual_name(const struct inode *inode)
{
	if (!S_ISCHR(inode->i_mode) || MAJOR(inode->i_rdev) != MEM_MAJOR)
		return NULL;
	switch (MINOR(inode->i_rdev)) {
	case 3:
		return "/dev/null";
	case 5:
		return "/dev/zero";
	case 7:
		return "/dev/full";
	case 8:
		return "/dev/random";
	case 9:
		return "/dev/urandom";
	default:
		return NULL;
	}
}

static int add_name(struct ckpt_ctx *ctx, const struct path *path,
		    const char *usual)
{
	int ret = path->dentry ? ckpt_path_add(ctx, path) : -ENOENT;

	if (ret != -ENOENT || !usual)
		return ret;
	ckpt_note(ctx, "a node of %s has no name here: that one will be opened",
		  usual);
	return ckpt_text_add(ctx, usual);
}

static struct ckpt_hdr_file_path *save_path(struct ckpt_ctx *ctx,
					    const struct path *path,
					    const char *usual)
{
	const struct inode *inode = d_inode(path->dentry);
	struct path linked = { .mnt = path->mnt };
	struct ckpt_hdr_file_path *record;
	int ret;

	if (ckpt_path_is_unlinked(path))
		linked.dentry = other_name(path);
	else if (inode->i_nlink)
		linked.dentry = dget(path->dentry);
	if (!linked.dentry && !usual) {
		ret = ckpt_error(ctx, -EBADF, "file %pd was unlinked%s",
				 path->dentry,
				 inode->i_nlink && !S_ISDIR(inode->i_mode) ?
				 ", and its other names are not known" : "");
		return ERR_PTR(ret);
	}
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_PATH);
	ret = -ENOMEM;
	if (record) {
		identify(inode, record);
		ret = add_name(ctx, &linked, usual);
	}
	if (ret)
		ckpt_error(ctx, ret, "file %pd cannot be named", path->dentry);
	dput(linked.dentry);
	return ret ? ERR_PTR(ret) : record;
}

/**
 * ckpt_file_path_save - append path and identity of a file
 * @ctx: context
 * @path: the file
 *
 * Return: 0, -EBADF if it was unlinked, -ENOENT if the caller's root directory
 * does not lead there, or another negative errno.
 */
int ckpt_file_path_save(struct ckpt_ctx *ctx, const struct path *path)
{
	return PTR_ERR_OR_ZERO(save_path(ctx, path, NULL));
}

/*
 * Directories of an overlayfs whose layers are on different filesystems have
 * another number each time they are looked up.
 */
static bool is_numbered_anew(const struct ckpt_hdr_file_path *saved)
{
	return saved->fs_magic == OVERLAYFS_SUPER_MAGIC &&
	       S_ISDIR(saved->mode);
}

/*
 * Inode numbers mean something within one instance of a filesystem, which its
 * uuid names. Where it has none, or another one (a tmpfs after a reboot), size
 * and time of modification have to do. They must also be the same when the
 * contents have become part of a memory image: program and libraries.
 */
static const char *difference(const struct ckpt_hdr_file_path *saved,
			      const struct ckpt_hdr_file_path *found)
{
	static const uuid_t no_uuid;
	bool same_fs = saved->fs_magic == found->fs_magic &&
		       !memcmp(saved->fs_uuid, found->fs_uuid,
			       sizeof(saved->fs_uuid));
	bool same_inode = (saved->ino == found->ino &&
			   saved->generation == found->generation) ||
			  is_numbered_anew(saved);
	bool has_uuid = memcmp(saved->fs_uuid, &no_uuid, sizeof(no_uuid));
	bool same_contents = saved->size == found->size &&
			     saved->mtime_sec == found->mtime_sec &&
			     saved->mtime_nsec == found->mtime_nsec;

	if ((saved->mode ^ found->mode) & S_IFMT)
		return "it is of another type";
	if (S_ISCHR(saved->mode) || S_ISBLK(saved->mode))
		return saved->rdev == found->rdev ? NULL :
						    "it is another device";
	if (saved->flags & CKPT_PATH_EXEC && !same_contents)
		return "its size or time of modification differs";
	if (same_fs && has_uuid)
		return same_inode ? NULL : "it is another file";
	if (same_fs && same_inode)
		return NULL;
	if (S_ISREG(saved->mode) && !same_contents)
		return "its size or time of modification differs";
	return NULL;
}

/* May another file be taken, other than in type? */
static bool will_do(const struct ckpt_hdr_file_path *saved,
		    const struct ckpt_hdr_file_path *found)
{
	if ((saved->mode ^ found->mode) & S_IFMT || S_ISCHR(saved->mode) ||
	    S_ISBLK(saved->mode))
		return false;
	if (saved->flags & CKPT_PATH_FORCE)
		return true;
	if (saved->flags & CKPT_PATH_EXEC)
		return false;
	if (saved->flags & CKPT_PATH_ANY)
		return true;
	return saved->flags & CKPT_PATH_MAY_GROW && S_ISREG(saved->mode) &&
	       found->size >= saved->size;
}

static int report_difference(struct ckpt_ctx *ctx, const char *name,
			     const struct ckpt_hdr_file_path *saved,
			     const struct ckpt_hdr_file_path *found,
			     const char *problem)
{
	time64_t saved_time = saved->mtime_sec, found_time = found->mtime_sec;
	dev_t saved_dev = new_decode_dev(saved->dev);
	dev_t found_dev = new_decode_dev(found->dev);

	return ckpt_error(ctx, -ESTALE,
			  "file %s is not the one that was saved: %s; saved: %llu bytes, modified %ptTs.%09u, inode %llu, device %u:%u; now: %llu bytes, modified %ptTs.%09u, inode %llu, device %u:%u",
			  name, problem, saved->size, &saved_time,
			  saved->mtime_nsec, saved->ino, MAJOR(saved_dev),
			  MINOR(saved_dev), found->size, &found_time,
			  found->mtime_nsec, found->ino, MAJOR(found_dev),
			  MINOR(found_dev));
}

/**
 * ckpt_file_path_open - read path and identity of a file, and open it
 * @ctx: context
 * @open_flags: O_*
 *
 * Context: Opens with the credentials of the current task.
 *
 * Return: struct file with a reference, or an error pointer: -ESTALE if the
 * path names another file now.
 */
struct file *ckpt_file_path_open(struct ckpt_ctx *ctx, int open_flags)
{
	struct ckpt_hdr_file_path record, found = {};
	const char *problem;
	struct file *file;
	char *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_PATH, &record);
	if (ret)
		return ERR_PTR(ret);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		return ERR_CAST(name);
	/* A FIFO or a device in its place must neither block nor act. */
	file = filp_open(name, open_flags | O_NONBLOCK | O_NOCTTY | O_LARGEFILE,
			 0);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "cannot open %s", name);
		goto free_name;
	}
	identify(file_inode(file), &found);
	problem = difference(&record, &found);
	if (problem && !will_do(&record, &found)) {
		ret = report_difference(ctx, name, &record, &found, problem);
		fput(file);
		file = ERR_PTR(ret);
	}
free_name:
	kvfree(name);
	return file;
}

static int kind_of(const struct inode *inode)
{
	if (S_ISREG(inode->i_mode))
		return CKPT_FILE_REGULAR;
	if (S_ISDIR(inode->i_mode))
		return CKPT_FILE_DIRECTORY;
	if (S_ISCHR(inode->i_mode))
		return CKPT_FILE_MEM_DEVICE;
	return -EBADF;
}

/*
 * Whoever maps a file of a stacked filesystem maps the one below it, and keeps
 * that when somebody writes to the file, which makes a copy: then what is
 * mapped has no path any more.
 */
static bool was_copied_up(const struct file *file)
{
	const struct inode *now = d_real_inode(file_user_path(file)->dentry);
	const struct inode *mapped = file_inode(file);
	struct timespec64 now_mtime, mapped_mtime;

	if (now == mapped)
		return false;
	now_mtime = inode_get_mtime(now);
	mapped_mtime = inode_get_mtime(mapped);
	/* A copy that nobody has written to yet is as good. */
	return i_size_read(now) != i_size_read(mapped) ||
	       !timespec64_equal(&now_mtime, &mapped_mtime);
}

/**
 * ckpt_file_save_generic - save an open file that its path brings back
 * @ctx: context
 * @file: regular file, directory or memory device; also what is below a file
 *	of a stacked filesystem
 *
 * The checkpoint method of ordinary filesystems and of memory devices.
 *
 * Return: CKPT_FILE_* or a negative errno.
 */
int ckpt_file_save_generic(struct ckpt_ctx *ctx, struct file *file)
{
	const struct path *path = file_user_path(file);
	const struct inode *inode = d_inode(path->dentry);
	struct ckpt_hdr_file_path *record;

	if (file->f_mode & FMODE_BACKING && was_copied_up(file))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "file %pd was changed on %s after it was mapped",
				  path->dentry, inode->i_sb->s_type->name);
	if (is_nameless(path) && ckpt_path_is_remote(path) &&
	    !has_passing_name(path))
		ckpt_note(ctx,
			  "file %pD was unlinked: its contents are saved, for nobody here knows whether it has other names",
			  file);
	if (is_nameless(path))
		return ckpt_file_save_unlinked(ctx, file);
	if (ckpt_directory_is_removed(path))
		return ckpt_file_save_removed_directory(ctx, path);
	record = save_path(ctx, path, usual_name(inode));
	if (IS_ERR(record))
		return PTR_ERR(record);
	ckpt_object_keep_path(ctx, file, record);
	return kind_of(inode);
}

/**
 * ckpt_file_save_for_memory - id of a file that is executed or mapped private
 * @ctx: context
 * @file: perhaps saved before, because it is open or mapped shared as well
 *
 * Memory that was not written to is not in the image but in the file, which
 * must have the same contents at the restart. The record of its path says so;
 * a file whose contents are in the image has none.
 *
 * Return: the id, positive, or a negative errno.
 */
int ckpt_file_save_for_memory(struct ckpt_ctx *ctx, struct file *file)
{
	int objref = ckpt_file_save_mapped(ctx, file);
	struct ckpt_hdr_file_path *record;

	if (objref < 0)
		return objref;
	record = ckpt_object_path(ctx, file);
	if (record)
		record->flags |= CKPT_PATH_EXEC;
	return objref;
}

/* Whether there still is a file of that name does not matter. */
static struct file *inherit(struct ckpt_ctx *ctx,
			    const struct ckpt_hdr_file *record)
{
	struct ckpt_hdr_file_path path;
	char *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_PATH, &path);
	if (ret)
		return ERR_PTR(ret);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		return ERR_CAST(name);
	kvfree(name);
	return ckpt_file_inherit(ctx, record);
}

/**
 * ckpt_file_restore_generic - open a file by its path
 * @ctx: context
 * @record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ESTALE if the
 * path names another file now, or as ckpt_file_inherit().
 */
struct file *ckpt_file_restore_generic(struct ckpt_ctx *ctx,
				       const struct ckpt_hdr_file *record)
{
	struct file *file;

	if (record->inherit >= 0)
		return inherit(ctx, record);
	file = ckpt_file_path_open(ctx, record->open_flags);
	if (IS_ERR(file))
		return file;
	if (kind_of(file_inode(file)) != record->kind ||
	    !file->f_op->checkpoint) {
		int ret = ckpt_error(ctx, -ESTALE,
				     "file %pD is not the one that was saved: it is of another type",
				     file);

		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

/**
 * ckpt_file_save_path_only - save what is open with O_PATH
 * @ctx: context
 * @file: file of any type: symbolic links, FIFOs, sockets, devices as well
 *
 * Return: CKPT_FILE_PATH_ONLY, CKPT_FILE_REMOVED_DIRECTORY or a negative errno.
 */
int ckpt_file_save_path_only(struct ckpt_ctx *ctx, struct file *file)
{
	int ret;

	if (ckpt_directory_is_removed(&file->f_path))
		return ckpt_file_save_removed_directory(ctx, &file->f_path);
	ret = ckpt_file_path_save(ctx, &file->f_path);
	return ret ?: CKPT_FILE_PATH_ONLY;
}

/**
 * ckpt_file_restore_path_only - open with O_PATH again
 * @ctx: context
 * @record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ESTALE if the
 * path names another file now.
 */
struct file *ckpt_file_restore_path_only(struct ckpt_ctx *ctx,
					 const struct ckpt_hdr_file *record)
{
	/* To open a device would be more than it was. */
	if (!(record->open_flags & O_PATH))
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "open flags %#o of a path only",
					  record->open_flags));
	return ckpt_file_path_open(ctx, record->open_flags);
}

/**
 * ckpt_path_unlink - remove a file, as unlink() does
 * @path: absolute
 *
 * Return: 0 or a negative errno.
 */
int ckpt_path_unlink(const char *path)
{
	struct filename *name = getname_kernel(path);

	return IS_ERR(name) ? PTR_ERR(name) : do_unlinkat(AT_FDCWD, name);
}
