// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of unix sockets: part of af_unix.c.
 *
 * Saved: pairs of sockets, with what was sent and not read yet, piece by piece
 *	and without reading it, its times and the credentials that go with it;
 *	the byte that was sent out of band; what was shut down, peers that are
 *	gone, errors; who the peer was when it connected.
 * Reset: processes that are not saved, in credentials: as if they had no id;
 *	what was read already of a piece that is read in part.
 * Refused: connections that were not accepted yet; pieces that are too large for a
 *	record; sockets that the image is written into.
 *
 * Sockets refer to each other in circles. So all of them are one object, which is
 * saved with the first socket that is met; unix_collect_ckpt.c finds them, names
 * are in unix_name_ckpt.c, and the restart is in unix_restore_ckpt.c.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/sizes.h>

/* What was sent in one piece; more than the kernel's limits allow normally. */
#define MESSAGE_LEN_MAX	SZ_1M

static u32 type_saved(const struct sock *sk)
{
	switch (sk->sk_type) {
	case SOCK_STREAM:
		return CKPT_UNIX_STREAM;
	case SOCK_SEQPACKET:
		return CKPT_UNIX_SEQPACKET;
	default:
		return CKPT_UNIX_DGRAM;
	}
}

/* Who is not saved has no id in the image. */
static u32 pid_saved(struct ckpt_ctx *ctx, struct pid *pid)
{
	int number = pid ? ckpt_pid_save(ctx, pid, PIDTYPE_TGID) : 0;

	return max(number, 0);
}

static int save_peer_cred(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct cred *cred;
	int objref;

	spin_lock(&sk->sk_peer_lock);
	cred = get_cred(sk->sk_peer_cred);
	spin_unlock(&sk->sk_peer_lock);
	if (!cred)
		return 0;
	if (in_userns(current_user_ns(), cred->user_ns))
		objref = ckpt_object_save(ctx, CKPT_OBJ_CRED, (void *)cred);
	else
		objref = ckpt_error(ctx, -EPERM,
				    "the peer of unix socket %lu was of another user namespace",
				    inode_number(sk));
	put_cred(cred);
	return objref;
}

static bool is_listening(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_LISTEN;
}

/* Each of those has a socket that nobody has open yet. */
static int check_pending(struct ckpt_ctx *ctx, const struct sock *sk)
{
	u32 count = skb_queue_len_lockless(&sk->sk_receive_queue);

	if (!is_listening(sk) || !count)
		return 0;
	return ckpt_error(ctx, -EBUSY,
			  "%u connections to unix socket %lu were not accepted yet",
			  count, inode_number(sk));
}

static void save_peer(struct ckpt_ctx *ctx, struct ckpt_unix_socket *socket,
		      struct ckpt_hdr_unix_socket *record)
{
	struct ckpt_unix_socket *found;
	struct sock *sk = socket->sk;
	struct sock *peer;
	struct pid *pid;

	spin_lock(&sk->sk_peer_lock);
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	record->peer_pid = pid_saved(ctx, pid);
	put_pid(pid);
	peer = unix_peer_get(sk);
	if (!peer)
		return;
	found = find_socket(ctx->unix_sockets, peer);
	/* Known only as a sender, it is open elsewhere. */
	if (found && (found->is_open || is_dead(peer))) {
		record->peer = found->index;
	} else {
		record->flags |= CKPT_UNIX_OUTSIDE;
		socket->is_outside = true;
	}
	sock_put(peer);
}

static int save_socket(struct ckpt_ctx *ctx, struct ckpt_unix_socket *socket)
{
	struct ckpt_hdr_unix_socket *record;
	struct sock *sk = socket->sk;
	int peer_cred = 0, ret;

	ret = socket->is_open ? check_pending(ctx, sk) : 0;
	if (!ret && socket->is_open)
		peer_cred = save_peer_cred(ctx, sk);
	if (ret || peer_cred < 0)
		return ret ?: peer_cred;
	record = ckpt_record_add(ctx, CKPT_HDR_UNIX_SOCKET);
	if (!record)
		return -ENOMEM;
	record->type = type_saved(sk);
	record->state = CKPT_UNIX_UNCONNECTED;
	record->flags = name_flags(sk, socket->is_open);
	if (!socket->is_open) {
		record->flags |= CKPT_UNIX_CLOSED;
		return save_name(ctx, sk, record->flags);
	}
	record->peer_cred = peer_cred;
	if (is_listening(sk)) {
		record->state = CKPT_UNIX_LISTENING;
		record->backlog = READ_ONCE(sk->sk_max_ack_backlog);
	} else if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED) {
		record->state = CKPT_UNIX_CONNECTED;
	}
	save_peer(ctx, socket, record);
	ret = ckpt_socket_save(ctx, sk);
	return ret ?: save_name(ctx, sk, record->flags);
}

static void save_credentials(struct ckpt_ctx *ctx, const struct sk_buff *skb,
			     struct ckpt_hdr_unix_message *record)
{
	struct user_namespace *user_ns = current_user_ns();

	if (!UNIXCB(skb).pid && !uid_valid(UNIXCB(skb).uid))
		return;
	record->flags |= CKPT_UNIX_MESSAGE_CRED;
	record->pid = pid_saved(ctx, UNIXCB(skb).pid);
	record->uid = from_kuid_munged(user_ns, UNIXCB(skb).uid);
	record->gid = from_kgid_munged(user_ns, UNIXCB(skb).gid);
}

static int check_message(struct ckpt_ctx *ctx, const struct sock *sk,
			 const struct sk_buff *skb)
{
	if (skb->len > MESSAGE_LEN_MAX)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "a message of %u bytes waits in unix socket %lu",
				  skb->len, inode_number(sk));
	return 0;
}

/* What the message is kept for is open in the image. */
static int save_carried(struct ckpt_ctx *ctx, const struct scm_fp_list *files)
{
	int index;

	for (index = 0; index < files->count; index++) {
		struct file *file = files->fp[index];
		struct ckpt_hdr_file *record;
		int objref;

		if (unix_get_socket(file))
			continue;
		objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, file);
		if (objref < 0)
			return ckpt_error(ctx, objref,
					  "%pD, on its way through a unix socket",
					  file);
		record = ckpt_object_record(ctx, file);
		record->flags &= ~CKPT_FILE_ONLY_WATCHED;
	}
	return 0;
}

static int name_carried(struct ckpt_ctx *ctx, const struct scm_fp_list *files)
{
	int index;

	for (index = 0; index < files->count; index++) {
		struct unix_sock *u = unix_get_socket(files->fp[index]);
		struct ckpt_hdr_unix_file *record;

		record = ckpt_record_add(ctx, CKPT_HDR_UNIX_FILE);
		if (!record)
			return -ENOMEM;
		if (u)
			record->socket = find_socket(ctx->unix_sockets,
						     &u->sk)->index;
		else
			record->file = ckpt_object_id(ctx, files->fp[index]);
	}
	return 0;
}

static int save_message(struct ckpt_ctx *ctx,
			const struct ckpt_unix_socket *socket,
			const struct ckpt_unix_message *message)
{
	struct ckpt_hdr_unix_message *record;
	struct sk_buff *skb = message->skb;
	u32 skip = message->consumed;
	void *bytes;
	int ret;

	ret = check_message(ctx, socket->sk, skb);
	if (!ret && message->files)
		ret = save_carried(ctx, message->files);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_UNIX_MESSAGE);
	if (!record)
		return -ENOMEM;
	record->from = find_socket(ctx->unix_sockets, skb->sk)->index;
	record->to = socket->index;
	if (message->is_oob)
		record->flags |= CKPT_UNIX_MESSAGE_OOB;
	/* A byte stays there after MSG_OOB has read it, to stop who reads. */
	if (skip && skip == skb->len) {
		record->flags |= CKPT_UNIX_MESSAGE_READ;
		skip--;
	}
	if (skb->tstamp) {
		record->flags |= CKPT_UNIX_MESSAGE_TIME;
		record->time_ns = ktime_to_ns(skb->tstamp);
	}
	save_credentials(ctx, skb, record);
	bytes = ckpt_buffer_add(ctx, skb->len - skip);
	if (!bytes)
		return -ENOMEM;
	ret = skb_copy_bits(skb, skip, bytes, skb->len - skip);
	if (ret || !message->files)
		return ret;
	record->nr_files = message->files->count;
	return name_carried(ctx, message->files);
}

static int save_queue(struct ckpt_ctx *ctx,
		      const struct ckpt_unix_socket *socket)
{
	u32 index;
	int ret = 0;

	for (index = 0; index < socket->nr_messages && !ret; index++)
		ret = save_message(ctx, socket, &socket->messages[index]);
	return ret;
}

/**
 * ckpt_unix_sockets_save - save all unix sockets
 * @ctx: context
 * @object: struct ckpt_unix_sockets
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unix_sockets_save(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_hdr_unix_sockets *record;
	struct ckpt_unix_sockets *sockets = object;
	struct ckpt_unix_socket *socket;
	unsigned long index;
	int ret = 0;

	record = ckpt_record_add(ctx, CKPT_HDR_UNIX_SOCKETS);
	if (!record)
		return -ENOMEM;
	xa_for_each(&sockets->by_index, index, socket) {
		ret = save_socket(ctx, socket);
		if (ret)
			return ret;
		record->nr_sockets++;
		record->nr_messages += socket->nr_messages;
	}
	xa_for_each(&sockets->by_index, index, socket) {
		ret = save_queue(ctx, socket);
		if (ret)
			break;
	}
	return ret;
}

/* Those that have no descriptor have an open file all the same. */
static int save_files_of_carried(struct ckpt_ctx *ctx)
{
	struct ckpt_unix_sockets *sockets = ctx->unix_sockets;
	u32 index;

	for (index = sockets->nr_met + 1; index <= sockets->count; index++) {
		struct ckpt_unix_socket *socket;
		int ret;

		socket = xa_load(&sockets->by_index, index);
		if (!socket->is_open)
			break;
		if (socket->is_outside)
			return ckpt_error(ctx, -EBUSY,
					  "unix socket %lu is on its way through another one, and leads outside",
					  inode_number(socket->sk));
		ret = ckpt_object_save(ctx, CKPT_OBJ_FILE,
				       socket->sk->sk_socket->file);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int save_all(struct ckpt_ctx *ctx)
{
	struct ckpt_unix_sockets *sockets;
	int objref = 0, ret;

	if (ctx->unix_sockets)
		return ckpt_object_save(ctx, CKPT_OBJ_UNIX, ctx->unix_sockets);
	sockets = kzalloc(sizeof(*sockets), GFP_KERNEL_ACCOUNT);
	if (!sockets)
		return -ENOMEM;
	xa_init(&sockets->by_index);
	ret = rhashtable_init(&sockets->by_address, &ckpt_unix_by_address);
	if (ret) {
		kfree(sockets);
		return ret;
	}
	/* From here on it is freed with the context. */
	ctx->unix_sockets = sockets;
	ret = collect(ctx, sockets);
	if (!ret)
		objref = ckpt_object_save(ctx, CKPT_OBJ_UNIX, sockets);
	if (objref > 0)
		ret = save_files_of_carried(ctx);
	if (!ret)
		ret = objref;
	/* The target goes on: nothing of it may be held. */
	if (ret < 0)
		ckpt_unix_sockets_put(sockets);
	return ret;
}

/**
 * ckpt_unix_save - save an open file of a unix socket
 * @ctx: context
 * @file: file
 *
 * Return: CKPT_FILE_UNIX or a negative errno.
 */
int ckpt_unix_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file_unix *record;
	struct ckpt_unix_socket *socket;
	int objref;

	objref = save_all(ctx);
	if (objref < 0)
		return objref;
	socket = find_socket(ctx->unix_sockets, sock_from_file(file)->sk);
	if (!socket || !socket->is_open)
		return ckpt_error(ctx, -EBUSY,
				  "unix socket %lu is watched by an epoll, and only others have it open",
				  file_inode(file)->i_ino);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_UNIX);
	if (!record)
		return -ENOMEM;
	record->sockets = objref;
	record->index = socket->index;
	return CKPT_FILE_UNIX;
}

/**
 * ckpt_unix_is_outside - is the peer of a socket outside of the image?
 * @ctx: context; all tasks are captured
 * @file: saved as CKPT_FILE_UNIX
 *
 * Return: whether it is.
 */
bool ckpt_unix_is_outside(struct ckpt_ctx *ctx, struct file *file)
{
	return find_socket(ctx->unix_sockets,
			   sock_from_file(file)->sk)->is_outside;
}

#endif /* CONFIG_CHECKPOINT */
