// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of pidfd_open(2).
 *
 * Saved: the task that it refers to, PIDFD_THREAD.
 * Reset to default: its inode number.
 * Refused: those of processes that are not saved.
 *
 * Of a process that is gone there is nothing but that it is gone, and that two
 * pidfds are of the same one.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/pidfs.h>
#include <linux/sched.h>
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
	int number, gone = 0;

	number = ckpt_pid_save(ctx, pid, thread ? PIDTYPE_PID : PIDTYPE_TGID);
	if (number < 0)
		return ckpt_error(ctx, number,
				  "pidfd of process %d, which is not saved",
				  pid_vnr(pid));
	if (!number)
		gone = ckpt_object_save(ctx, CKPT_OBJ_GONE_PROCESS, pid);
	if (gone < 0)
		return gone;
	record = ckpt_record_add(ctx, CKPT_HDR_PIDFD);
	if (!record)
		return -ENOMEM;
	record->pid = number;
	record->gone = gone;
	record->flags = thread ? CKPT_PIDFD_THREAD : 0;
	return CKPT_FILE_PIDFD;
}

/**
 * ckpt_gone_process_save - save what pidfds of a reaped process have in common
 * @ctx: context
 * @object: struct pid
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_gone_process_save(struct ckpt_ctx *ctx, void *object)
{
	return ckpt_record_add(ctx, CKPT_HDR_GONE_PROCESS) ? 0 : -ENOMEM;
}

/**
 * ckpt_gone_process_restore - read and make the id of a process that is gone
 * @ctx: context
 *
 * The number is that of no process, and free again at once.
 *
 * Return: struct pid with a reference, or an error pointer.
 */
void *ckpt_gone_process_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_gone_process record;
	struct pid *pid;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_GONE_PROCESS, &record);
	if (ret)
		return ERR_PTR(ret);
	pid = alloc_pid(task_active_pid_ns(current), NULL, 0);
	if (IS_ERR(pid))
		return pid;
	get_pid(pid);
	free_pid(pid);
	return pid;
}

static struct file *open_gone(struct pid *pid, bool thread)
{
	struct file *file = pidfs_alloc_file(pid, O_RDWR);

	/* As for a process that is there, see pidfd_prepare(). */
	if (!IS_ERR(file) && thread)
		file->f_flags |= PIDFD_THREAD;
	return file;
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
	if (!record.pid == !record.gone)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "pidfd of process %u, and of one that is gone %u",
					  record.pid, record.gone));
	if (record.gone)
		return open_gone(ckpt_object_find(ctx, record.gone,
						  CKPT_OBJ_GONE_PROCESS),
				 thread);
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
