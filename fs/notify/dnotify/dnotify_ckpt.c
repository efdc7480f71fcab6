// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of directory notification: part of dnotify.c.
 *
 * Refused: directories whose events are sent as signals, F_NOTIFY.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>

/**
 * ckpt_dnotify_check - refuse directory notification
 * @ctx: context
 * @file: open file
 *
 * Return: 0, -EBADF if it sends signals when something happens there.
 */
int ckpt_dnotify_check(struct ckpt_ctx *ctx, struct file *file)
{
	struct inode *inode = file_inode(file);
	struct fsnotify_mark *mark;
	struct dnotify_struct *dn;
	bool found = false;

	if (!S_ISDIR(inode->i_mode) || !inode->i_fsnotify_mask)
		return 0;
	mark = fsnotify_find_inode_mark(inode, dnotify_group);
	if (!mark)
		return 0;
	spin_lock(&mark->lock);
	dn = container_of(mark, struct dnotify_mark, fsn_mark)->dn;
	for (; dn && !found; dn = dn->dn_next)
		found = dn->dn_filp == file;
	spin_unlock(&mark->lock);
	fsnotify_put_mark(mark);
	if (found)
		return ckpt_error(ctx, -EBADF,
				  "directory %pD has notification", file);
	return 0;
}

#endif /* CONFIG_CHECKPOINT */
