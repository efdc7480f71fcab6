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
 * Refused: connections that were not accepted yet; pieces that carry descriptors;
 *	pieces that are too large for a record; sockets that the image is written
 *	into.
 *
 * Sockets refer to each other in circles. So all of them are one object, which is
 * saved with the first socket that is met: the descriptors of all tasks are looked
 * through for them. Open sockets come first; then come those that nobody has open
 * any more, or nobody in the image, which an open one still refers to. Names are in
 * unix_name_ckpt.c, the restart in unix_restore_ckpt.c.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/jiffies.h>
#include <linux/nsproxy.h>
#include <linux/rhashtable.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

/* The target is stopped meanwhile, so outsiders get no longer than this. */
#define LOCK_PATIENCE	(2 * HZ)
/* What was sent in one piece; more than the kernel's limits allow normally. */
#define MESSAGE_LEN_MAX	SZ_1M

/**
 * struct ckpt_unix_message - one piece of a receive queue
 * @skb: a reference is held
 * @consumed: bytes that were read already
 * @is_oob: MSG_OOB reads it next
 */
struct ckpt_unix_message {
	struct sk_buff *skb;
	u32 consumed;
	bool is_oob;
};

/**
 * struct ckpt_unix_socket - a socket to be saved
 * @node: in ckpt_unix_sockets.by_address
 * @sk: the socket; a reference is held, or to a message that keeps it
 * @has_ref: a reference is held
 * @index: in the image, from 1 on
 * @is_open: somebody in the image has it open
 * @is_outside: its peer is not in the image
 * @messages: its receive queue as it was found
 * @nr_messages: how many
 */
struct ckpt_unix_socket {
	struct rhash_head node;
	struct sock *sk;
	bool has_ref;
	u32 index;
	bool is_open;
	bool is_outside;
	struct ckpt_unix_message *messages;
	u32 nr_messages;
};

/**
 * struct ckpt_unix_sockets - all unix sockets of an image being made
 * @by_address: struct ckpt_unix_socket.node
 * @by_index: the same, in the order of the image
 * @count: how many
 * @released: nothing is left but this structure
 */
struct ckpt_unix_sockets {
	struct rhashtable by_address;
	struct xarray by_index;
	u32 count;
	bool released;
};

static const struct rhashtable_params ckpt_unix_by_address = {
	.head_offset	= offsetof(struct ckpt_unix_socket, node),
	.key_offset	= offsetof(struct ckpt_unix_socket, sk),
	.key_len	= sizeof_field(struct ckpt_unix_socket, sk),
};

static struct ckpt_unix_socket *
find_socket(struct ckpt_unix_sockets *sockets, const struct sock *sk)
{
	return rhashtable_lookup_fast(&sockets->by_address, &sk,
				      ckpt_unix_by_address);
}

static struct ckpt_unix_socket *
add_socket(struct ckpt_unix_sockets *sockets, struct sock *sk, bool is_open)
{
	struct ckpt_unix_socket *socket = find_socket(sockets, sk);
	int ret;

	if (socket)
		return socket;
	socket = kzalloc(sizeof(*socket), GFP_KERNEL_ACCOUNT);
	if (!socket)
		return ERR_PTR(-ENOMEM);
	socket->sk = sk;
	socket->index = sockets->count + 1;
	socket->is_open = is_open;
	ret = xa_insert(&sockets->by_index, socket->index, socket,
			GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(socket);
		return ERR_PTR(ret);
	}
	/* Of a dead one only what it has sent may be left. */
	socket->has_ref = refcount_inc_not_zero(&sk->sk_refcnt);
	sockets->count++;
	ret = rhashtable_insert_fast(&sockets->by_address, &socket->node,
				     ckpt_unix_by_address);
	return ret ? ERR_PTR(ret) : socket;
}

/* The next socket of a descriptor table, with a reference to its file. */
static struct file *next_socket(struct files_struct *files, unsigned int *fd)
{
	struct file *file = NULL;
	struct fdtable *fdt;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (; *fd < fdt->max_fds && !file; ++*fd) {
		file = rcu_dereference_protected(fdt->fd[*fd],
						 lockdep_is_held(&files->file_lock));
		if (file && unix_get_socket(file))
			get_file(file);
		else
			file = NULL;
	}
	spin_unlock(&files->file_lock);
	return file;
}

static int add_from_table(struct ckpt_unix_sockets *sockets,
			  struct files_struct *files)
{
	struct file *file;
	unsigned int fd = 0;
	int ret = 0;

	while (!ret && (file = next_socket(files, &fd))) {
		struct sock *sk = sock_from_file(file)->sk;

		ret = PTR_ERR_OR_ZERO(add_socket(sockets, sk, true));
		fput(file);
		cond_resched();
		if (fatal_signal_pending(current))
			ret = -EINTR;
	}
	return ret;
}

static int add_from_tasks(struct ckpt_ctx *ctx,
			  struct ckpt_unix_sockets *sockets)
{
	struct files_struct *last = NULL;
	u32 index;
	int ret = 0;

	for (index = 0; index < ctx->nr_tasks && !ret; index++) {
		/* It is stopped, or dead and has none. */
		struct files_struct *files = ctx->tasks[index].task->files;

		/* Threads share it, as a rule. */
		if (files && files != last)
			ret = add_from_table(sockets, files);
		last = files;
	}
	return ret;
}

/*
 * No stopped task holds it. A process outside that shares the socket may, and
 * sleep with it: in a page fault on the memory that it reads into.
 */
static int lock_queue(struct ckpt_ctx *ctx, struct sock *sk)
{
	unsigned long limit = jiffies + LOCK_PATIENCE;

	while (!mutex_trylock(&unix_sk(sk)->iolock)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, limit))
			return ckpt_error(ctx, -EBUSY,
					  "a process outside holds unix socket %lu and does not let it go",
					  inode_number(sk));
		usleep_range(50, 200);
	}
	return 0;
}

#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
static const struct sk_buff *oob_message(struct sock *sk)
{
	return READ_ONCE(unix_sk(sk)->oob_skb);
}
#else
static const struct sk_buff *oob_message(struct sock *sk)
{
	return NULL;
}
#endif

/* References to all that is in it now. What others add goes on behind. */
static int fill_messages(struct ckpt_unix_socket *socket, u32 room)
{
	struct sk_buff_head *queue = &socket->sk->sk_receive_queue;
	struct sk_buff *skb;

	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb) {
		if (socket->nr_messages == room)
			break;
		socket->messages[socket->nr_messages++] =
			(struct ckpt_unix_message) {
			.skb	  = skb_get(skb),
			.consumed = UNIXCB(skb).consumed,
			.is_oob	  = skb == oob_message(socket->sk),
		};
	}
	spin_unlock(&queue->lock);
	return 0;
}

static int take_messages(struct ckpt_ctx *ctx, struct ckpt_unix_socket *socket)
{
	u32 room = skb_queue_len_lockless(&socket->sk->sk_receive_queue);
	int ret;

	/* Connections are none. */
	if (!room || READ_ONCE(socket->sk->sk_state) == TCP_LISTEN)
		return 0;
	socket->messages = kvcalloc(room, sizeof(*socket->messages),
				    GFP_KERNEL_ACCOUNT);
	if (!socket->messages)
		return -ENOMEM;
	ret = lock_queue(ctx, socket->sk);
	if (ret)
		return ret;
	ret = fill_messages(socket, room);
	mutex_unlock(&unix_sk(socket->sk)->iolock);
	return ret;
}

/* Those that sent what can be read yet: their names and their room count. */
static int add_senders(struct ckpt_unix_sockets *sockets,
		       const struct ckpt_unix_socket *socket)
{
	u32 index;
	int ret = 0;

	for (index = 0; index < socket->nr_messages && !ret; index++)
		ret = PTR_ERR_OR_ZERO(add_socket(sockets,
						 socket->messages[index].skb->sk,
						 false));
	return ret;
}

static bool is_dead(const struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

/* A peer that nobody has open any more is kept by the socket alone. */
static int add_dead_peer(struct ckpt_unix_sockets *sockets, struct sock *sk)
{
	struct sock *peer = unix_peer_get(sk);
	int ret = 0;

	if (peer && is_dead(peer))
		ret = PTR_ERR_OR_ZERO(add_socket(sockets, peer, false));
	if (peer)
		sock_put(peer);
	return ret;
}

static int add_others(struct ckpt_ctx *ctx, struct ckpt_unix_sockets *sockets)
{
	u32 nr_open = sockets->count, index;
	int ret = 0;

	for (index = 1; index <= nr_open && !ret; index++) {
		struct ckpt_unix_socket *socket;

		socket = xa_load(&sockets->by_index, index);
		ret = take_messages(ctx, socket);
		if (!ret)
			ret = add_dead_peer(sockets, socket->sk);
		if (!ret)
			ret = add_senders(sockets, socket);
		cond_resched();
	}
	return ret;
}

/* What is written into a socket is read from its peer. */
static int check_image(struct ckpt_ctx *ctx, struct ckpt_unix_sockets *sockets)
{
	struct unix_sock *image = unix_get_socket(ctx->stream.file);
	struct ckpt_unix_socket *socket;
	struct sock *peer;

	if (!image)
		return 0;
	socket = find_socket(sockets, &image->sk);
	peer = unix_peer_get(&image->sk);
	if (peer) {
		if (!socket)
			socket = find_socket(sockets, peer);
		sock_put(peer);
	}
	if (!socket)
		return 0;
	/* Not even the message may get into what is to be saved. */
	ctx->stream.broken = true;
	return ckpt_error(ctx, -EDEADLK,
			  "the image is written into unix socket %lu, which is part of what is to be saved",
			  inode_number(&image->sk));
}

static int collect(struct ckpt_ctx *ctx, struct ckpt_unix_sockets *sockets)
{
	int ret;

	ret = add_from_tasks(ctx, sockets);
	if (!ret)
		ret = check_image(ctx, sockets);
	return ret ?: add_others(ctx, sockets);
}

/**
 * ckpt_unix_sockets_put - drop the references to all unix sockets
 * @object: struct ckpt_unix_sockets; no socket is looked up any more
 */
void ckpt_unix_sockets_put(void *object)
{
	struct ckpt_unix_sockets *sockets = object;
	struct ckpt_unix_socket *socket;
	unsigned long index;

	if (sockets->released)
		return;
	sockets->released = true;
	rhashtable_destroy(&sockets->by_address);
	xa_for_each(&sockets->by_index, index, socket) {
		if (socket->has_ref)
			sock_put(socket->sk);
		while (socket->nr_messages)
			consume_skb(socket->messages[--socket->nr_messages].skb);
		kvfree(socket->messages);
		kfree(socket);
	}
	xa_destroy(&sockets->by_index);
}

/**
 * ckpt_unix_free - forget the unix sockets
 * @ctx: context
 */
void ckpt_unix_free(struct ckpt_ctx *ctx)
{
	if (!ctx->unix_sockets)
		return;
	ckpt_unix_sockets_put(ctx->unix_sockets);
	kfree(ctx->unix_sockets);
}

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
	if (cred->user_ns == current_user_ns())
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
	if (UNIXCB(skb).fp)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "descriptors are on their way to unix socket %lu",
				  inode_number(sk));
	if (skb->len > MESSAGE_LEN_MAX)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "a message of %u bytes waits in unix socket %lu",
				  skb->len, inode_number(sk));
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
	return skb_copy_bits(skb, skip, bytes, skb->len - skip);
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

static int save_all(struct ckpt_ctx *ctx)
{
	struct ckpt_unix_sockets *sockets;
	int ret;

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
		ret = ckpt_object_save(ctx, CKPT_OBJ_UNIX, sockets);
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
