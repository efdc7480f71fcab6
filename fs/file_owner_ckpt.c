// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the owners of open files: F_SETOWN, F_SETSIG,
 * O_ASYNC.
 *
 * Saved: task, process or process group that gets the signals, the users who
 *	made it the owner, the signal, and the descriptor that it tells.
 * Reset to default: the users, if nobody is the owner or it is gone.
 * Refused: owners that are not saved.
 *
 * Signals come when the task has become the saved one, and not before: the
 * task that is not yet the saved one would die of them. So everything that may
 * fail is done while the file is built, without an owner, and what is left for
 * the commit is the owner itself.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pipe_fs_i.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

/**
 * struct owner - what the commit gives an open file
 * @list: in ckpt_ctx.file_owners
 * @file: borrowed from the table of objects
 * @pid: with a reference, or NULL
 * @uid: real user
 * @euid: effective user
 */
struct owner {
	struct list_head list;
	struct file *file;
	struct pid *pid;
	kuid_t uid;
	kuid_t euid;
};

static int find_async(struct fasync_struct **head, struct file *file)
{
	struct fasync_struct *entry;

	guard(rcu)();
	for (entry = rcu_dereference_raw(*head); entry;
	     entry = rcu_dereference_raw(entry->fa_next))
		if (entry->fa_file == file)
			return READ_ONCE(entry->fa_fd);
	return -1;
}

/*
 * Only who sends the signals knows the descriptor. Where nobody can be asked,
 * it is the first one that the file was met at.
 */
static int async_descriptor(struct file *file,
			    const struct ckpt_hdr_file *file_record)
{
	struct pipe_inode_info *pipe = file->private_data;
	int fd;

	if (!(file->f_flags & FASYNC) || !file->f_op->fasync)
		return -1;
	if (IS_ENABLED(CONFIG_UNIX) && file_record->kind == CKPT_FILE_UNIX)
		return find_async(&sock_from_file(file)->wq.fasync_list, file);
	if (file_record->kind != CKPT_FILE_PIPE &&
	    file_record->kind != CKPT_FILE_FIFO)
		return file_record->fd;
	fd = find_async(&pipe->fasync_readers, file);
	return fd >= 0 ? fd : find_async(&pipe->fasync_writers, file);
}

static u32 type_saved(enum pid_type type)
{
	switch (type) {
	case PIDTYPE_TGID:
		return F_OWNER_PID;
	case PIDTYPE_PGID:
		return F_OWNER_PGRP;
	default:
		return F_OWNER_TID;
	}
}

static enum pid_type type_restored(u32 type)
{
	switch (type) {
	case F_OWNER_PID:
		return PIDTYPE_TGID;
	case F_OWNER_PGRP:
		return PIDTYPE_PGID;
	default:
		return PIDTYPE_PID;
	}
}

static int save_pid(struct ckpt_ctx *ctx, struct file *file, struct pid *pid,
		    enum pid_type type)
{
	int number = ckpt_pid_save(ctx, pid, type);

	if (number < 0)
		return ckpt_error(ctx, number,
				  "file %pD sends signals to %s %d, which is not saved",
				  file, type == PIDTYPE_PGID ? "process group" :
				  "process", pid_vnr(pid));
	return number;
}

/**
 * ckpt_file_owner_save - save the owner of an open file, if it may have one
 * @ctx: context
 * @file: open file
 * @file_record: its first record, with its kind
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_owner_save(struct ckpt_ctx *ctx, struct file *file,
			 struct ckpt_hdr_file *file_record)
{
	struct fown_struct *owner = file_f_owner(file);
	struct ckpt_hdr_file_owner *record;
	enum pid_type type;
	kuid_t uid, euid;
	struct pid *pid;
	int number;

	if (!owner && !(file->f_flags & FASYNC))
		return 0;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_OWNER);
	if (!record)
		return -ENOMEM;
	file_record->flags |= CKPT_FILE_HAS_OWNER;
	record->async_fd = async_descriptor(file, file_record);
	if (!owner)
		return 0;

	read_lock_irq(&owner->lock);
	pid = get_pid(owner->pid);
	type = owner->pid_type;
	uid = owner->uid;
	euid = owner->euid;
	record->signal = owner->signum;
	read_unlock_irq(&owner->lock);

	record->type = type_saved(type);
	if (!pid)
		return 0;
	number = save_pid(ctx, file, pid, type);
	put_pid(pid);
	if (number <= 0)
		return number;
	record->pid = number;
	record->uid = from_kuid_munged(current_user_ns(), uid);
	record->euid = from_kuid_munged(current_user_ns(), euid);
	return 0;
}

/* Whom it may signal depends on these users: they must be within reach. */
static int set_users(struct ckpt_ctx *ctx, struct owner *owner,
		     const struct ckpt_hdr_file_owner *record)
{
	owner->uid = make_kuid(current_user_ns(), record->uid);
	owner->euid = make_kuid(current_user_ns(), record->euid);
	if (!uid_valid(owner->uid) || !uid_valid(owner->euid))
		return ckpt_error(ctx, -EINVAL,
				  "an id has no meaning in this user namespace");
	if (!ckpt_cred_may_be_user(owner->uid) ||
	    !ckpt_cred_may_be_user(owner->euid))
		return ckpt_error(ctx, -EPERM,
				  "no right to send signals as user %u (effective %u)",
				  record->uid, record->euid);
	return 0;
}

static int prepare(struct ckpt_ctx *ctx, struct file *file,
		   const struct ckpt_hdr_file_owner *record)
{
	enum pid_type type = type_restored(record->type);
	struct fown_struct *fown;
	struct owner *owner;
	int ret;

	ret = file_f_owner_allocate(file);
	if (ret)
		return ret;
	owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);
	if (!owner)
		return -ENOMEM;
	owner->file = file;
	/* From here on it is freed with the context. */
	list_add_tail(&owner->list, &ctx->file_owners);

	fown = file_f_owner(file);
	write_lock_irq(&fown->lock);
	fown->pid_type = type;
	fown->signum = record->signal;
	write_unlock_irq(&fown->lock);
	if (!record->pid)
		return 0;
	owner->pid = ckpt_pid_find(ctx, record->pid, type);
	if (!owner->pid)
		return ckpt_error(ctx, -EINVAL,
				  "file %pD sends signals to process %u, which is not in the image",
				  file, record->pid);
	return set_users(ctx, owner, record);
}

/**
 * ckpt_file_owner_restore - read the owner of an open file
 * @ctx: context
 * @file: open file, or NULL: it is inherited and stays as it is
 * @open_flags: that were saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_owner_restore(struct ckpt_ctx *ctx, struct file *file,
			    unsigned int open_flags)
{
	struct ckpt_hdr_file_owner record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_OWNER, &record);
	if (ret || !file)
		return ret;
	if (record.async_fd >= 0 &&
	    !(open_flags & FASYNC && file->f_op->fasync))
		return ckpt_error(ctx, -EINVAL,
				  "file %pD sends no signals", file);
	ret = prepare(ctx, file, &record);
	if (!ret && record.async_fd >= 0)
		ret = file->f_op->fasync(record.async_fd, file, 1);
	return min(ret, 0);
}

/**
 * ckpt_file_owners_commit - let open files send signals
 * @ctx: context; all that get any have become the saved tasks
 */
void ckpt_file_owners_commit(struct ckpt_ctx *ctx)
{
	struct owner *owner;

	list_for_each_entry(owner, &ctx->file_owners, list) {
		struct fown_struct *fown = file_f_owner(owner->file);

		write_lock_irq(&fown->lock);
		if (owner->pid) {
			security_file_set_fowner(owner->file);
			fown->uid = owner->uid;
			fown->euid = owner->euid;
			/* The reference changes hands. */
			swap(fown->pid, owner->pid);
		}
		write_unlock_irq(&fown->lock);
		ckpt_file_lease_commit(owner->file);
	}
}

/**
 * ckpt_file_owners_free - forget what the commit needed
 * @ctx: context
 */
void ckpt_file_owners_free(struct ckpt_ctx *ctx)
{
	struct owner *owner, *next;

	list_for_each_entry_safe(owner, next, &ctx->file_owners, list) {
		put_pid(owner->pid);
		kfree(owner);
	}
	INIT_LIST_HEAD(&ctx->file_owners);
}
