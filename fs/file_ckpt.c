// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of open files that have a path: regular files,
 * directories, memory devices.
 *
 * Saved: path, open flags, position, and what identifies the file.
 * Refused: unlinked files, files with locks or leases, with an owner for
 *	signals, with directory notification, paths that the caller of
 *	checkpoint() cannot see, and every type without the method.
 *
 * The contents of a file stay in the file. A restart opens the path again with
 * the caller's rights and refuses what it finds if that is another file.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/dnotify.h>
#include <linux/err.h>
#include <linux/exportfs.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/stat.h>
#include <linux/uuid.h>

/* What open() is told again; the rest was for the first open() only. */
#define REOPEN_FLAGS							\
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC |	\
	 FASYNC | O_DIRECT | O_LARGEFILE | O_NOATIME | O_PATH |		\
	 O_DIRECTORY | O_NOFOLLOW)

static bool has_locks(struct file *file)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct file_lock *lock;
	struct file_lease *lease;
	bool found = false;

	if (!locks)
		return false;
	spin_lock(&locks->flc_lock);
	list_for_each_entry(lock, &locks->flc_posix, c.flc_list)
		found |= lock->c.flc_file == file;
	list_for_each_entry(lock, &locks->flc_flock, c.flc_list)
		found |= lock->c.flc_file == file;
	list_for_each_entry(lease, &locks->flc_lease, c.flc_list)
		found |= lease->c.flc_file == file;
	spin_unlock(&locks->flc_lock);
	return found;
}

static int check_unsupported(struct ckpt_ctx *ctx, struct file *file)
{
	struct fown_struct *owner = file_f_owner(file);
	struct inode *inode = file_inode(file);

	if (d_unlinked(file->f_path.dentry) || !inode->i_nlink)
		return ckpt_error(ctx, -EBADF, "file %pD was unlinked", file);
	if (has_locks(file))
		return ckpt_error(ctx, -EBADF, "file %pD has a lock or a lease",
				  file);
#ifdef CONFIG_DNOTIFY
	if (S_ISDIR(inode->i_mode) && inode->i_fsnotify_mask & FS_RENAME)
		return ckpt_error(ctx, -EBADF,
				  "directory %pD has notification", file);
#endif
	if (file->f_flags & FASYNC || (owner && owner->pid))
		return ckpt_error(ctx, -EBUSY,
				  "file %pD has an owner for signals", file);
	return 0;
}

static int kind_of(const struct inode *inode)
{
	if (S_ISREG(inode->i_mode))
		return CKPT_FILE_REGULAR;
	if (S_ISDIR(inode->i_mode))
		return CKPT_FILE_DIRECTORY;
	if (S_ISCHR(inode->i_mode))
		return CKPT_FILE_MEM_DEVICE;
	return 0;
}

static void identify(struct file *file, struct ckpt_hdr_file *record)
{
	struct inode *inode = file_inode(file);
	struct timespec64 mtime = inode_get_mtime(inode);

	record->kind = kind_of(inode);
	record->mode = inode->i_mode;
	record->fs_magic = inode->i_sb->s_magic;
	memcpy(record->fs_uuid, &inode->i_sb->s_uuid, sizeof(record->fs_uuid));
	record->ino = inode->i_ino;
	record->rdev = new_encode_dev(inode->i_rdev);
	record->generation = inode->i_generation;
	record->size = S_ISREG(inode->i_mode) ? i_size_read(inode) : 0;
	record->mtime_sec = mtime.tv_sec;
	record->mtime_nsec = mtime.tv_nsec;
}

/**
 * ckpt_file_save_generic - save an open file that its path brings back
 * @ctx: context
 * @file: regular file, directory or memory device
 *
 * The checkpoint method of ordinary filesystems and of memory devices.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_save_generic(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file *record;
	int ret;

	ret = check_unsupported(ctx, file);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE);
	if (!record)
		return -ENOMEM;
	identify(file, record);
	if (ctx->saving_mapping)
		record->flags |= CKPT_FILE_EXEC;
	record->open_flags = file->f_flags & REOPEN_FLAGS;
	record->pos = file->f_pos;
	ret = ckpt_path_add(ctx, &file->f_path);
	if (ret)
		return ckpt_error(ctx, ret, "file %pD cannot be named", file);
	return 0;
}

/**
 * ckpt_file_save - save an open file of any type
 * @ctx: context
 * @object: struct file
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_save(struct ckpt_ctx *ctx, void *object)
{
	struct file *file = object;

	if (file->f_mode & FMODE_PATH)
		return ckpt_error(ctx, -EBADF,
				  "file %pD is open as a path only", file);
	if (!file->f_op->checkpoint)
		return ckpt_error(ctx, -EBADF,
				  "file %pD of type %s cannot be saved (%ps)",
				  file, file_inode(file)->i_sb->s_type->name,
				  file->f_op);
	return file->f_op->checkpoint(ctx, file);
}

static int open_again(struct ckpt_ctx *ctx, const struct ckpt_hdr_file *record,
		      const char *name, struct file **opened)
{
	int flags = record->open_flags;
	struct file *file;

	if (flags & ~REOPEN_FLAGS || flags & FASYNC)
		return ckpt_error(ctx, -EINVAL, "open flags %#o of %s", flags,
				  name);
	/* A FIFO or a device in its place must neither block nor act. */
	file = filp_open(name, (flags & ~FASYNC) | O_NONBLOCK | O_NOCTTY |
			 O_LARGEFILE, 0);
	if (IS_ERR(file))
		return ckpt_error(ctx, PTR_ERR(file), "cannot open %s", name);
	*opened = file;
	return 0;
}

/*
 * Inode numbers mean something within one instance of a filesystem, which its
 * uuid names. Where it has none, or another one (a tmpfs after a reboot), size
 * and time of modification have to do. They must also be the same when the
 * contents have become part of a memory image: program and libraries.
 */
static const char *difference(const struct ckpt_hdr_file *saved,
			      const struct ckpt_hdr_file *found)
{
	static const uuid_t no_uuid;
	bool same_fs = saved->fs_magic == found->fs_magic &&
		       !memcmp(saved->fs_uuid, found->fs_uuid,
			       sizeof(saved->fs_uuid));
	bool same_inode = saved->ino == found->ino &&
			  saved->generation == found->generation;
	bool has_uuid = memcmp(saved->fs_uuid, &no_uuid, sizeof(no_uuid));
	bool same_contents = saved->size == found->size &&
			     saved->mtime_sec == found->mtime_sec &&
			     saved->mtime_nsec == found->mtime_nsec;

	if ((saved->mode ^ found->mode) & S_IFMT)
		return "it is of another type";
	if (saved->kind == CKPT_FILE_MEM_DEVICE)
		return saved->rdev == found->rdev ? NULL :
						    "it is another device";
	if (saved->flags & CKPT_FILE_EXEC && !same_contents)
		return "its size or time of modification differs";
	if (same_fs && has_uuid)
		return same_inode ? NULL : "it is another file";
	if (same_fs && same_inode)
		return NULL;
	if (saved->kind == CKPT_FILE_REGULAR && !same_contents)
		return "its size or time of modification differs";
	return NULL;
}

static int set_position(struct file *file, const struct ckpt_hdr_file *record)
{
	loff_t result;

	if (!record->pos || !(file->f_mode & FMODE_LSEEK))
		return 0;
	result = vfs_llseek(file, record->pos, SEEK_SET);
	return result < 0 ? result : 0;
}

/* Flags that open() was not told, or that it does not keep. */
static int set_flags(struct file *file, const struct ckpt_hdr_file *record)
{
	spin_lock(&file->f_lock);
	file->f_flags &= ~(O_NONBLOCK | O_LARGEFILE);
	file->f_flags |= record->open_flags & (O_NONBLOCK | O_LARGEFILE);
	spin_unlock(&file->f_lock);
	return 0;
}

/**
 * ckpt_file_restore - read and open a file
 * @ctx: context
 *
 * Return: struct file with a reference, or an error pointer: -ESTALE if the
 * path names another file now.
 */
void *ckpt_file_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_file record, found = {};
	struct file *file = NULL;
	const char *problem;
	char *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE, &record);
	if (ret)
		return ERR_PTR(ret);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		return name;
	ret = open_again(ctx, &record, name, &file);
	if (ret)
		goto free_name;
	identify(file, &found);
	problem = found.kind == record.kind && file->f_op->checkpoint ?
		  difference(&record, &found) : "it is of another type";
	if (problem) {
		ret = ckpt_error(ctx, -ESTALE,
				 "file %s is not the one that was saved: %s",
				 name, problem);
		goto put_file;
	}
	ret = set_position(file, &record);
	if (!ret)
		ret = set_flags(file, &record);
	if (ret) {
		ckpt_error(ctx, ret, "position %lld of file %s", record.pos,
			   name);
		goto put_file;
	}
	kvfree(name);
	return file;

put_file:
	fput(file);
free_name:
	kvfree(name);
	return ERR_PTR(ret);
}
