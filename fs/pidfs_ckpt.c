// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of pidfd_open(2).
 *
 * Saved: the task that it refers to, PIDFD_THREAD.
 * Reset to default: its inode number.
 * Refused: those of processes that are not saved, and of those that are gone.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <uapi/linux/pidfd.h>

/**
 * ckpt_pidfd_save - checkpoint method of pidfd
 * @ctx: context
 * @file: pidfd
 *
 * Return: CKPT_FILE_PIDFD, or a negative errno.
 */
int ckpt_pidfd_save(struct ckpt_ctx *ctx, struct file *file)
{
	bool thread = file->f_flags & PIDFD_THREAD;
	struct pid *pid = pidfd_pid(file);
	struct ckpt_hdr_pidfd *record;
	int number;

	number = ckpt_pid_save(ctx, pid, thread ? PIDTYPE_PID : PIDTYPE_TGID);
	if (number < 0)
		return ckpt_error(ctx, number,
				  "pidfd of process %d, which is not saved",
				  pid_vnr(pid));
	/* Nobody can get one by a system call. */
	if (!number)
		return ckpt_error(ctx, -EBUSY,
				  "pidfd of a process that is gone");
	record = ckpt_record_add(ctx, CKPT_HDR_PIDFD);
	if (!record)
		return -ENOMEM;
	record->pid = number;
	record->flags = thread ? CKPT_PIDFD_THREAD : 0;
	return CKPT_FILE_PIDFD;
}

/**
 * ckpt_pidfd_restore - read and make a pidfd
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_pidfd_restore(struct ckpt_ctx *ctx,
				const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_pidfd record;
	struct file *file;
	struct pid *pid;
	bool thread;
	int fd;

	fd = ckpt_record_read(ctx, CKPT_HDR_PIDFD, &record);
	if (fd)
		return ERR_PTR(fd);
	thread = record.flags & CKPT_PIDFD_THREAD;
	pid = ckpt_pid_find(ctx, record.pid,
			    thread ? PIDTYPE_PID : PIDTYPE_TGID);
	if (!pid)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "pidfd of process %u, which is not in the image",
					  record.pid));
	fd = pidfd_prepare(pid, thread ? PIDFD_THREAD : 0, &file);
	put_pid(pid);
	if (fd < 0)
		return ERR_PTR(ckpt_error(ctx, fd, "pidfd of process %u",
					  record.pid));
	put_unused_fd(fd);
	return file;
}
