// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of eventfd(2): part of eventfd.c.
 *
 * Saved: counter, semaphore mode.
 * Reset to default: the number in /proc/PID/fdinfo.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

/**
 * ckpt_eventfd_save - checkpoint method of eventfd
 * @ctx: context
 * @file: eventfd
 *
 * Return: CKPT_FILE_EVENTFD, -ENOMEM.
 */
int ckpt_eventfd_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct eventfd_ctx *eventfd = file->private_data;
	struct ckpt_hdr_eventfd *record;

	record = ckpt_record_add(ctx, CKPT_HDR_EVENTFD);
	if (!record)
		return -ENOMEM;
	if (eventfd->flags & EFD_SEMAPHORE)
		record->flags = CKPT_EVENTFD_SEMAPHORE;
	spin_lock_irq(&eventfd->wqh.lock);
	record->count = eventfd->count;
	spin_unlock_irq(&eventfd->wqh.lock);
	return CKPT_FILE_EVENTFD;
}

/**
 * ckpt_eventfd_restore - read and make an eventfd
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_eventfd_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_eventfd record;
	struct eventfd_ctx *eventfd;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_EVENTFD, &record);
	if (ret)
		return ERR_PTR(ret);
	file = ckpt_file_take(do_eventfd(0, record.flags &
						    CKPT_EVENTFD_SEMAPHORE ?
						    EFD_SEMAPHORE : 0));
	if (IS_ERR(file))
		return file;
	/* Nobody waits for it yet. */
	eventfd = file->private_data;
	eventfd->count = record.count;
	return file;
}

#endif /* CONFIG_CHECKPOINT */
