// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of signalfd(2): part of signalfd.c.
 *
 * Saved: the signals that it accepts. Those that are pending belong to the
 *	task.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

/**
 * ckpt_signalfd_save - checkpoint method of signalfd
 * @ctx: context
 * @file: signalfd
 *
 * Return: CKPT_FILE_SIGNALFD, -ENOMEM.
 */
int ckpt_signalfd_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct signalfd_ctx *signalfd = file->private_data;
	struct ckpt_hdr_signalfd *record;

	record = ckpt_record_add(ctx, CKPT_HDR_SIGNALFD);
	if (!record)
		return -ENOMEM;
	/* It keeps those that it does not accept. */
	record->mask = ~signalfd->sigmask.sig[0];
	return CKPT_FILE_SIGNALFD;
}

/**
 * ckpt_signalfd_restore - read and make a signalfd
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_signalfd_restore(struct ckpt_ctx *ctx,
				   const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_signalfd record;
	sigset_t mask;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SIGNALFD, &record);
	if (ret)
		return ERR_PTR(ret);
	BUILD_BUG_ON(sizeof(mask) != sizeof(record.mask));
	mask.sig[0] = record.mask;
	return ckpt_file_take(do_signalfd4(-1, &mask, 0));
}

#endif /* CONFIG_CHECKPOINT */
