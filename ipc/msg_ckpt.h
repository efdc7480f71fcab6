/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint and restart of SysV message queues.
 *
 * Saved: the queues of the IPC namespaces that are saved, with their messages in
 *	their order, times, owners, permissions, and how much they take.
 * Reset to default: which process has sent and which has received last; security
 *	labels.
 * Refused: messages of more than a MiB.
 *
 * Included at the end of ipc/msg.c, which keeps its structures for itself.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/minmax.h>

/* A copy of a message; its text follows. */
struct message_copy {
	long type;
	size_t size;
};

#define COPY_SIZE(_text_size)						\
	ALIGN(sizeof(struct message_copy) + (_text_size),		\
	      __alignof__(struct message_copy))

/* Under the lock nothing can be allocated, without it others send messages. */
#define COPY_ATTEMPTS	100

static size_t copies_size(const struct msg_queue *queue)
{
	return queue->q_qnum * COPY_SIZE(0) + queue->q_cbytes +
	       queue->q_qnum * __alignof__(struct message_copy);
}

static void copy_messages(const struct msg_queue *queue, void *room)
{
	struct msg_msg *msg;

	list_for_each_entry(msg, &queue->q_messages, m_list) {
		struct message_copy *copy = room;

		copy->type = msg->m_type;
		copy->size = msg->m_ts;
		ckpt_msg_text(msg, copy + 1);
		room += COPY_SIZE(copy->size);
	}
}

/* Return: copies of all messages, or an error pointer. */
static void *copy_queue(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			struct msg_queue *queue, struct ckpt_hdr_ipc_perm *perm,
			struct ckpt_hdr_msg_queue *record)
{
	unsigned int attempt;
	size_t size = 0;

	for (attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
		void *room = kvmalloc(size ?: 1, GFP_KERNEL_ACCOUNT);
		size_t needed;
		int ret;

		if (!room)
			return ERR_PTR(-ENOMEM);
		ipc_lock_object(&queue->q_perm);
		needed = copies_size(queue);
		ret = ckpt_ipc_perm_fill_in(ns, perm, &queue->q_perm);
		if (!ret && needed <= size) {
			record->stime = queue->q_stime;
			record->rtime = queue->q_rtime;
			record->ctime = queue->q_ctime;
			record->qbytes = queue->q_qbytes;
			record->nr_messages = queue->q_qnum;
			copy_messages(queue, room);
		}
		ipc_unlock_object(&queue->q_perm);
		if (!ret && needed <= size)
			return room;
		kvfree(room);
		if (ret)
			return ERR_PTR(ckpt_error(ctx, ret,
						  "no right to read SysV message queue %d",
						  queue->q_perm.id));
		size = needed;
	}
	return ERR_PTR(ckpt_error(ctx, -EBUSY,
				  "SysV message queue %d does not come to rest",
				  queue->q_perm.id));
}

static int save_messages(struct ckpt_ctx *ctx, const void *copies, u32 nr)
{
	while (nr--) {
		const struct message_copy *copy = copies;
		struct ckpt_hdr_msg *record;
		void *text;

		if (copy->size > CKPT_MSG_MAX)
			return ckpt_error(ctx, -EOPNOTSUPP,
					  "a SysV message of %zu bytes",
					  copy->size);
		record = ckpt_record_add(ctx, CKPT_HDR_MSG);
		if (!record)
			return -ENOMEM;
		record->type = copy->type;
		text = ckpt_buffer_add(ctx, copy->size);
		if (!text)
			return -ENOMEM;
		memcpy(text, copy + 1, copy->size);
		copies += COPY_SIZE(copy->size);
	}
	return 0;
}

static int save_queue(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		      struct kern_ipc_perm *ipcp)
{
	struct msg_queue *queue = container_of(ipcp, struct msg_queue, q_perm);
	struct ckpt_hdr_msg_queue *record;
	struct ckpt_hdr_ipc_perm *perm;
	void *copies;
	int ret;

	perm = ckpt_record_add(ctx, CKPT_HDR_IPC_PERM);
	if (!perm)
		return -ENOMEM;
	record = ckpt_record_add(ctx, CKPT_HDR_MSG_QUEUE);
	if (!record)
		return -ENOMEM;
	copies = copy_queue(ctx, ns, queue, perm, record);
	if (IS_ERR(copies))
		return PTR_ERR(copies);
	ret = save_messages(ctx, copies, record->nr_messages);
	kvfree(copies);
	return ret;
}

/**
 * ckpt_msg_queues_save - save the message queues of an IPC namespace
 * @ctx: context
 * @ns: the namespace
 * @nr: how many queues there are
 *
 * Return: 0 or a negative errno.
 */
int ckpt_msg_queues_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			 u32 *nr)
{
	return ckpt_ipc_objects_save(ctx, ns, &msg_ids(ns), save_queue, nr);
}

static int create_queue(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			const struct ckpt_hdr_ipc_perm *perm)
{
	static const struct ipc_ops create = { .getnew = newque };
	struct ipc_params params = {};
	int ret;

	ret = ckpt_ipc_object_create(ns, &msg_ids(ns), &create, &params, perm);
	if (ret)
		return ckpt_error(ctx, ret,
				  "cannot create SysV message queue %u with key %#x",
				  perm->id, perm->key);
	return 0;
}

static int read_message(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			struct msg_queue *queue, u64 most)
{
	struct ckpt_hdr_msg record;
	struct msg_msg *msg;
	u32 nbytes;
	void *text;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_MSG, &record);
	if (ret)
		return ret;
	text = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (nbytes > ns->msg_ctlmax || queue->q_cbytes + nbytes > most ||
	    queue->q_qnum + 1 > most)
		msg = ERR_PTR(ckpt_error(ctx, -EPERM,
					 "no right to as many messages in SysV message queue %d",
					 queue->q_perm.id));
	else
		msg = ckpt_msg_create(record.type, text, nbytes);
	kvfree(text);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	list_add_tail(&msg->m_list, &queue->q_messages);
	queue->q_cbytes += nbytes;
	queue->q_qnum++;
	percpu_counter_add_local(&ns->percpu_msg_bytes, nbytes);
	percpu_counter_add_local(&ns->percpu_msg_hdrs, 1);
	return 0;
}

/**
 * ckpt_msg_queue_restore - create a message queue
 * @ctx: context
 * @ns: private to the restart
 *
 * What is too much for its limits somebody may have sent before these were
 * lowered; @ns has the limits that the caller could set.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_msg_queue_restore(struct ckpt_ctx *ctx, struct ipc_namespace *ns)
{
	struct ckpt_hdr_msg_queue record;
	struct ckpt_hdr_ipc_perm perm;
	struct msg_queue *queue;
	u32 index;
	int ret;

	ret = ckpt_ipc_perm_read(ctx, &msg_ids(ns), &perm);
	if (!ret)
		ret = ckpt_record_read(ctx, CKPT_HDR_MSG_QUEUE, &record);
	if (!ret && record.qbytes > ns->msg_ctlmnb &&
	    !capable(CAP_SYS_RESOURCE))
		ret = ckpt_error(ctx, -EPERM,
				 "no right to SysV message queue %u of %llu bytes",
				 perm.id, record.qbytes);
	if (!ret)
		ret = create_queue(ctx, ns, &perm);
	if (ret)
		return ret;
	/* Nobody else has the namespace yet. */
	queue = container_of(ckpt_ipc_perm_set(&msg_ids(ns), &perm),
			     struct msg_queue, q_perm);
	for (index = 0; index < record.nr_messages && !ret; index++)
		ret = read_message(ctx, ns, queue,
				   max_t(u64, record.qbytes, ns->msg_ctlmnb));
	queue->q_stime = record.stime;
	queue->q_rtime = record.rtime;
	queue->q_ctime = record.ctime;
	queue->q_qbytes = record.qbytes;
	return ret;
}
