/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of messages, for checkpoint and restart.
 *
 * Included at the end of ipc/msgutil.c, which keeps for itself how they are laid
 * out.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/string.h>

/* Between a message and @data, in pieces. */
static void copy_text(struct msg_msg *msg, char *data, size_t len, bool out)
{
	struct msg_msgseg *segment = msg->next;
	size_t part = min(len, DATALEN_MSG);
	void *text = msg + 1;

	for (;;) {
		if (out)
			memcpy(data, text, part);
		else
			memcpy(text, data, part);
		data += part;
		len -= part;
		if (!len)
			break;
		text = segment + 1;
		segment = segment->next;
		part = min(len, DATALEN_SEG);
	}
}

/**
 * ckpt_msg_text - copy the text of a message
 * @msg: its queue is locked
 * @data: room for as many bytes as the message has
 */
void ckpt_msg_text(struct msg_msg *msg, void *data)
{
	copy_text(msg, data, msg->m_ts, true);
}

/**
 * ckpt_msg_create - make a message
 * @type: positive
 * @data: its text
 * @len: bytes
 *
 * Return: the message, for free_msg(), or an error pointer.
 */
struct msg_msg *ckpt_msg_create(long type, void *data, size_t len)
{
	struct msg_msg *msg = alloc_msg(len);
	int ret;

	if (!msg)
		return ERR_PTR(-ENOMEM);
	copy_text(msg, data, len, false);
	msg->m_type = type;
	msg->m_ts = len;
	ret = security_msg_msg_alloc(msg);
	if (ret) {
		free_msg(msg);
		return ERR_PTR(ret);
	}
	return msg;
}
