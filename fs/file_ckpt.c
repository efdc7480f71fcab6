// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of open file descriptions: what all kinds share.
 *
 * Saved: kind, open flags, position; owner, locks and lease have handlers of
 *	their own.
 * Refused: files with directory notification, files outside of the image that
 *	are locked, and every type without the checkpoint method, unless the
 *	caller of checkpoint() has said that another file will take its place.
 *
 * The file's own method appends the records of its kind; ckpt_file_kinds[]
 * knows who reads them.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/stat.h>
#include <linux/uidgid.h>

/*
 * Of a file that a stacked filesystem opened below, to be mapped, that
 * filesystem tells how it is saved.
 */
static const struct file_operations *methods(const struct file *file)
{
	if (file->f_mode & FMODE_BACKING)
		return file_user_inode(file)->i_fop;
	return file->f_op;
}

/**
 * ckpt_file_has_method - can open files of this type be saved?
 * @file: open file
 *
 * Return: whether it has the checkpoint method.
 */
bool ckpt_file_has_method(const struct file *file)
{
	return methods(file)->checkpoint;
}

/* What is open as a path only has no method, and /proc has too many. */
static int save_kind(struct ckpt_ctx *ctx, struct file *file)
{
	if (ckpt_file_is_proc(file))
		return ckpt_file_save_proc(ctx, file);
	if (file->f_mode & FMODE_PATH)
		return ckpt_file_save_path_only(ctx, file);
	if (!ckpt_file_has_method(file))
		return ckpt_file_refuse(ctx, file,
					"file %pD of type %s cannot be saved",
					file,
					file_user_inode(file)->i_sb->s_type->name);
	return methods(file)->checkpoint(ctx, file);
}

/* What a file of any kind may have, besides the state of its kind. */
static int save_attachments(struct ckpt_ctx *ctx, struct file *file,
			    struct ckpt_hdr_file *record)
{
	int ret;

	ret = ckpt_file_owner_save(ctx, file, record);
	if (!ret)
		ret = ckpt_file_locks_save(ctx, file, &record->nr_locks);
	if (ret)
		return ret;
	if (record->nr_locks && record->kind == CKPT_FILE_EXTERNAL)
		return ckpt_error(ctx, -EBADF,
				  "file %pD is locked, and outside of the image",
				  file);
	ret = ckpt_file_lease_save(ctx, file, record->kind);
	if (ret < 0)
		return ret;
	if (ret)
		record->flags |= CKPT_FILE_HAS_LEASE;
	return 0;
}

static int restore_attachments(struct ckpt_ctx *ctx, struct file *file,
			       const struct ckpt_hdr_file *record,
			       unsigned int open_flags)
{
	u32 index;
	int ret = 0;

	/* What was inherited is used by others too: it stays as it is. */
	if (record->inherit >= 0)
		file = NULL;
	if (record->flags & CKPT_FILE_HAS_LEASE &&
	    !(record->flags & CKPT_FILE_HAS_OWNER))
		return ckpt_error(ctx, -EINVAL, "a lease that tells nobody");
	if (record->flags & CKPT_FILE_HAS_OWNER)
		ret = ckpt_file_owner_restore(ctx, file, open_flags);
	for (index = 0; index < record->nr_locks && !ret; index++)
		ret = ckpt_file_lock_restore(ctx, file);
	if (!ret && record->flags & CKPT_FILE_HAS_LEASE)
		ret = ckpt_file_lease_restore(ctx, file);
	return ret;
}

/**
 * ckpt_file_save - save an open file of any kind
 * @ctx: context
 * @object: struct file
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_save(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_hdr_file *record;
	struct file *file = object;
	int kind;

	kind = ckpt_dnotify_check(ctx, file);
	if (kind)
		return kind;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE);
	if (!record)
		return -ENOMEM;
	record->open_flags = file->f_flags & CKPT_OPEN_FLAGS;
	record->pos = file->f_pos;
	if (file->f_mode & FMODE_BACKING) {
		/* Nobody reads or writes it. O_NOATIME is not the user's. */
		record->open_flags &= O_ACCMODE | O_LARGEFILE;
		record->pos = 0;
	}
	record->fd = ctx->descriptor;
	record->inherit = -1;
	/* What is mapped or on its way through a socket cannot be replaced. */
	ctx->may_leave_out = ctx->flags & CHECKPOINT_EXTERNAL && record->fd >= 0;
	/* What the file refers to has not been met at this descriptor. */
	ctx->descriptor = -1;
	kind = save_kind(ctx, file);
	ctx->may_leave_out = false;
	if (kind < 0)
		return kind;
	record->kind = kind;
	ckpt_object_keep_record(ctx, file, record);
	return save_attachments(ctx, file, record);
}

/**
 * ckpt_file_save_mapped - id of a file that is executed or mapped
 * @ctx: context
 * @file: perhaps saved before, because it is open as well
 *
 * Return: the id, positive, or a negative errno: -EBADF if it was left out.
 */
int ckpt_file_save_mapped(struct ckpt_ctx *ctx, struct file *file)
{
	int objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, file);
	struct ckpt_hdr_file *record;

	if (objref < 0)
		return objref;
	record = ckpt_object_record(ctx, file);
	if (record->kind == CKPT_FILE_EXTERNAL)
		return ckpt_error(ctx, -EBADF,
				  "file %pD is mapped, and outside of the image",
				  file);
	record->flags |= CKPT_FILE_MAPPED;
	return objref;
}

/**
 * ckpt_file_complete - say whether an open file leads outside of the image
 * @ctx: context
 * @object: struct file
 * @kept: struct ckpt_hdr_file
 *
 * Return: 0, -EBUSY if nobody in the image has it open.
 */
int ckpt_file_complete(struct ckpt_ctx *ctx, void *object, void *kept)
{
	struct ckpt_hdr_file *record = kept;
	const struct ckpt_file_kind *kind = &ckpt_file_kinds[record->kind];

	if (record->flags & CKPT_FILE_ONLY_WATCHED)
		return ckpt_error(ctx, -EBUSY,
				  "an epoll watches file %pD, which only others have open",
				  (struct file *)object);
	if (kind->may_inherit &&
	    (!kind->is_outside || kind->is_outside(ctx, object)))
		record->flags |= CKPT_FILE_OUTSIDE;
	return 0;
}

/**
 * ckpt_file_take - take an open file out of the descriptor table
 * @fd: descriptor that a system call has made in the current task, or the
 *	negative errno that it has returned
 *
 * Handlers restore with the functions that make files for system calls.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_file_take(int fd)
{
	struct file *file;

	if (fd < 0)
		return ERR_PTR(fd);
	file = fget(fd);
	close_fd(fd);
	return file ?: ERR_PTR(-EBADF);
}

/**
 * ckpt_file_set_mode - give a new file its owner and its permission bits
 * @file: the file; may be open as a path only
 * @uid: as the current task sees it
 * @gid: likewise
 * @mode: bits of chmod()
 *
 * Does what chown() and chmod() do, if the file is not like that by itself: then
 * it takes no right.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_set_mode(struct file *file, u32 uid, u32 gid, umode_t mode)
{
	struct user_namespace *user_ns = current_user_ns();
	const struct inode *inode = file_inode(file);
	int ret = 0;

	if (from_kuid_munged(user_ns, inode->i_uid) != uid ||
	    from_kgid_munged(user_ns, inode->i_gid) != gid)
		ret = vfs_fchown(file, uid, gid);
	if (!ret && (inode->i_mode & S_IALLUGO) != mode)
		ret = vfs_fchmod(file, mode);
	return ret;
}

static int set_position(struct ckpt_ctx *ctx, struct file *file,
			const struct ckpt_hdr_file *record)
{
	loff_t result;

	if (!record->pos || !(file->f_mode & FMODE_LSEEK))
		return 0;
	result = vfs_llseek(file, record->pos, SEEK_SET);
	/* A position that is an address may look negative, even like an error. */
	if (IS_ERR_VALUE(result) && file->f_pos != record->pos)
		return ckpt_error(ctx, result, "position %lld of file %pD",
				  record->pos, file);
	return 0;
}

/* Flags that open() was not told, or that it does not keep. */
static void set_flags(struct file *file, unsigned int open_flags)
{
	unsigned int settable = O_NONBLOCK | O_LARGEFILE | FASYNC;

	/* It created the file then, and says nothing now. */
	if (open_flags & __O_TMPFILE && S_ISREG(file_inode(file)->i_mode))
		settable |= O_TMPFILE;
	spin_lock(&file->f_lock);
	file->f_flags &= ~settable;
	file->f_flags |= open_flags & settable;
	spin_unlock(&file->f_lock);
}

/* What may be unread was in a pipe, or its like, that another one replaces. */
static bool is_unread_sound(const struct ckpt_hdr_file *record)
{
	u32 unread = record->flags & (CKPT_FILE_UNREAD_DROPPED |
				      CKPT_FILE_UNREAD_MOVED);

	return !unread || (ckpt_file_kinds[record->kind].may_hold_unread &&
			   record->inherit >= 0 && is_power_of_2(unread));
}

/* May another file take its place, if that is wanted? */
static int check_inherit(struct ckpt_ctx *ctx,
			 const struct ckpt_hdr_file *record,
			 const struct ckpt_file_kind *kind)
{
	if (record->inherit < 0 || kind->may_inherit)
		return 0;
	if (!kind->may_replace)
		return ckpt_error(ctx, -EINVAL,
				  "descriptor %d was a %s: nothing can be inherited in its place",
				  record->fd, kind->name);
	if (record->flags & CKPT_FILE_MAPPED)
		return ckpt_error(ctx, -EBUSY,
				  "descriptor %d was a %s that is mapped: nothing can be inherited in its place",
				  record->fd, kind->name);
	return 0;
}

/**
 * ckpt_file_restore - read and open a file of any kind
 * @ctx: context
 *
 * Return: struct file with a reference, or an error pointer.
 */
void *ckpt_file_restore(struct ckpt_ctx *ctx)
{
	const struct ckpt_file_kind *kind;
	struct ckpt_hdr_file record;
	unsigned int open_flags;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE, &record);
	if (ret)
		return ERR_PTR(ret);
	if (record.open_flags & ~CKPT_OPEN_FLAGS)
		return ERR_PTR(ckpt_error(ctx, -EINVAL, "open flags %#o",
					  record.open_flags));
	open_flags = record.open_flags;
	record.open_flags &= ~FASYNC;
	if (open_flags & __O_TMPFILE)
		record.open_flags &= ~O_TMPFILE;
	kind = &ckpt_file_kinds[record.kind];
	if (!kind->restore)
		return ERR_PTR(ckpt_error(ctx, -EINVAL, "file of kind %u",
					  record.kind));
	ret = check_inherit(ctx, &record, kind);
	if (ret)
		return ERR_PTR(ret);
	if (!is_unread_sound(&record))
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "flags %#x of descriptor %d",
					  record.flags, record.fd));
	file = kind->restore(ctx, &record);
	if (IS_ERR(file))
		return file;
	if (record.inherit < 0) {
		ret = set_position(ctx, file, &record);
		if (ret)
			goto put_file;
		set_flags(file, open_flags);
	}
	ret = restore_attachments(ctx, file, &record, open_flags);
	if (ret)
		goto put_file;
	return file;

put_file:
	fput(file);
	return ERR_PTR(ret);
}
