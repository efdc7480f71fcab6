// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of open files that lead outside of the image.
 *
 * Saved: what was there, for messages.
 * Reset: everything else; the file that takes its place keeps flags and
 *	position of its own.
 *
 * Terminals always do, and with CHECKPOINT_EXTERNAL whatever cannot be saved: no
 * restart takes place before somebody has said what is to be there instead.
 *
 * Whoever restarts connects such a file to one of his own descriptors. That
 * gives him nothing that he does not have: the task that is restored is a child
 * of his, and has these descriptors already.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stat.h>

/**
 * ckpt_file_external_save - append what is outside of the image
 * @ctx: context
 * @file: the open file
 * @type: CKPT_EXTERNAL_*
 * @rdev: device number, or 0
 * @name: for people if the caller of checkpoint() cannot see its path
 *
 * Return: CKPT_FILE_EXTERNAL or a negative errno.
 */
int ckpt_file_external_save(struct ckpt_ctx *ctx, struct file *file, u32 type,
			    dev_t rdev, const char *name)
{
	struct ckpt_hdr_file_external *record;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_FILE_EXTERNAL);
	if (!record)
		return -ENOMEM;
	record->type = type;
	record->rdev = new_encode_dev(rdev);
	ret = ckpt_path_add(ctx, &file->f_path);
	if (ret == -ENOENT)
		ret = ckpt_text_add(ctx, name);
	return ret ?: CKPT_FILE_EXTERNAL;
}

/**
 * ckpt_file_leave_out - append what was open instead of what cannot be saved
 * @ctx: context; the caller of checkpoint() has allowed it
 * @file: the open file
 *
 * Return: CKPT_FILE_EXTERNAL or a negative errno.
 */
int ckpt_file_leave_out(struct ckpt_ctx *ctx, struct file *file)
{
	const struct inode *inode = file_user_inode(file);
	char *name;
	int ret;

	name = kasprintf(GFP_KERNEL_ACCOUNT, "%pD of type %s", file,
			 inode->i_sb->s_type->name);
	if (!name)
		return -ENOMEM;
	ret = ckpt_file_external_save(ctx, file, CKPT_EXTERNAL_OTHER,
				      S_ISCHR(inode->i_mode) ||
				      S_ISBLK(inode->i_mode) ? inode->i_rdev : 0,
				      name);
	kfree(name);
	return ret;
}

/**
 * ckpt_file_inherit - take a descriptor of the caller instead of a saved file
 * @ctx: context
 * @record: its first record, with the number of the descriptor
 *
 * Context: The current task is the one that is restored, and has the table of
 * descriptors that restart() was called with.
 *
 * Return: struct file with a reference, or an error pointer: -EBADF if there is
 * none, or if it cannot be read or written as the saved file could; -EINVAL if
 * it is the image, the log or an epoll.
 */
struct file *ckpt_file_inherit(struct ckpt_ctx *ctx,
			       const struct ckpt_hdr_file *record)
{
	fmode_t access = OPEN_FMODE(record->open_flags) &
			 (FMODE_READ | FMODE_WRITE);
	struct file *file = fget(record->inherit);
	int ret;

	if (!file)
		return ERR_PTR(ckpt_error(ctx, -EBADF,
					  "descriptor %d, to be inherited, is not open",
					  record->inherit));
	ret = 0;
	if (file == ctx->stream.file || file == ctx->logfile)
		ret = ckpt_error(ctx, -EINVAL,
				 "descriptor %d cannot be inherited: it is the %s",
				 record->inherit,
				 file == ctx->logfile ? "log" : "image");
	else if (ckpt_file_is_epoll(file))
		ret = ckpt_error(ctx, -EINVAL,
				 "descriptor %d cannot be inherited: it is an epoll",
				 record->inherit);
	else if (access & ~file->f_mode)
		ret = ckpt_error(ctx, -EBADF,
				 "descriptor %d cannot be inherited: it is not open for %s as the saved one was",
				 record->inherit,
				 access & ~file->f_mode & FMODE_READ ?
				 "reading" : "writing");
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static int ask_for_it(struct ckpt_ctx *ctx, const struct ckpt_hdr_file *record,
		      u32 type, const char *name)
{
	bool tty = type == CKPT_EXTERNAL_TTY;
	const char *before = tty ? "the terminal " : "";
	const char *behind = tty ? "" : ", which is not in the image";

	if (record->fd < 0)
		return ckpt_error(ctx, -ENOTCONN,
				  "%s%s was open at no descriptor: nothing can take its place",
				  before, name);
	return ckpt_error(ctx, -ENOTCONN,
			  "descriptor %d was %s%s%s: connect it with restart --inherit-fd %d%s",
			  record->fd, before, name, behind, record->fd,
			  record->fd <= 2 ? " or --inherit-stdio" : "");
}

/**
 * ckpt_file_external_restore - take what replaces a file outside of the image
 * @ctx: context
 * @record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ENOTCONN if
 * nothing was named, or as ckpt_file_inherit().
 */
struct file *ckpt_file_external_restore(struct ckpt_ctx *ctx,
					const struct ckpt_hdr_file *record)
{
	struct ckpt_hdr_file_external external;
	struct file *file;
	char *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_EXTERNAL, &external);
	if (ret)
		return ERR_PTR(ret);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		return ERR_CAST(name);
	if (record->inherit >= 0)
		file = ckpt_file_inherit(ctx, record);
	else
		file = ERR_PTR(ask_for_it(ctx, record, external.type, name));
	kvfree(name);
	return file;
}
