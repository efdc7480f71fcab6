// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of open terminals.
 *
 * Saved: which terminal it was, for messages.
 * Reset: everything about it. A restart takes another terminal, or any file,
 *	in its place, which has settings, size and buffers of its own.
 * Refused: masters of pseudo-terminals, unless who restarts has another file in
 *	their place.
 *
 * A terminal that was hung up is saved as well: what takes its place is not.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/fs.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

/**
 * ckpt_tty_save - save an open terminal as a file outside of the image
 * @ctx: context
 * @file: the open file
 *
 * Return: CKPT_FILE_EXTERNAL or a negative errno: -EBADF for the master of a
 * pseudo-terminal.
 */
int ckpt_tty_save(struct ckpt_ctx *ctx, struct file *file)
{
	const struct tty_file_private *private = file->private_data;
	struct tty_struct *tty = private->tty;

	if (tty->driver->type == TTY_DRIVER_TYPE_PTY &&
	    tty->driver->subtype == PTY_TYPE_MASTER)
		return ckpt_file_refuse(ctx, file,
					"%pD is the master of a pseudo-terminal: these cannot be saved yet",
					file);
	return ckpt_file_external_save(ctx, file, CKPT_EXTERNAL_TTY,
				       tty_devnum(tty), tty_name(tty));
}
