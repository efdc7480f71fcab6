// SPDX-License-Identifier: GPL-2.0
/*
 * Which unix sockets a checkpoint saves, and what is in them: part of af_unix.c.
 *
 * The sockets of all descriptor tables come first, then those that are on their
 * way through one of them, and at last those that nobody in the image has open,
 * but that an open one still refers to: peers that are gone, and senders. Messages
 * stay in their queues. What is held here are references to them, and to the files
 * that they carry.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>

/**
 * struct ckpt_unix_message - one piece of a receive queue
 * @skb: a reference is held
 * @consumed: bytes that were read already
 * @is_oob: MSG_OOB reads it next
 * @files: that it carries, with references of our own; or NULL
 */
struct ckpt_unix_message {
	struct sk_buff *skb;
	u32 consumed;
	bool is_oob;
	struct scm_fp_list *files;
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
 * @nr_met: how many of them have descriptors; then come those on their way
 * @released: nothing is left but this structure
 */
struct ckpt_unix_sockets {
	struct rhashtable by_address;
	struct xarray by_index;
	u32 count;
	u32 nr_met;
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

static int add_from_table(struct ckpt_unix_sockets *sockets,
			  struct files_struct *files)
{
	struct file *file;
	unsigned int fd;
	bool cloexec;
	int ret = 0;

	for (fd = 0; !ret && (file = ckpt_file_table_next(files, &fd, &cloexec));
	     fd++) {
		struct unix_sock *u = unix_get_socket(file);

		if (u)
			ret = PTR_ERR_OR_ZERO(add_socket(sockets, &u->sk, true));
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
	unsigned long since = jiffies;
	int ret = 0;

	while (!ret && !mutex_trylock(&unix_sk(sk)->iolock)) {
		ret = ckpt_outsider_wait(since);
		if (ret == -EBUSY)
			ckpt_error(ctx, ret,
				   "a process outside holds unix socket %lu and does not let it go",
				   inode_number(sk));
	}
	return ret;
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

/* As if it was looked at with MSG_PEEK. */
static int take_files(struct ckpt_unix_socket *socket)
{
	u32 index;

	for (index = 0; index < socket->nr_messages; index++) {
		struct ckpt_unix_message *message = &socket->messages[index];
		struct scm_fp_list *files = UNIXCB(message->skb).fp;

		if (!files)
			continue;
		message->files = scm_fp_dup(files);
		if (!message->files)
			return -ENOMEM;
		unix_peek_fpl(message->files);
	}
	return 0;
}

/* References to all that is in it now. What others add goes on behind. */
static void fill_messages(struct ckpt_unix_socket *socket, u32 room)
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
	fill_messages(socket, room);
	ret = take_files(socket);
	mutex_unlock(&unix_sk(socket->sk)->iolock);
	return ret;
}

/* Open sockets that are on their way, and may hold others on theirs. */
static int add_carried(struct ckpt_unix_sockets *sockets,
		       const struct ckpt_unix_socket *socket)
{
	u32 index;
	int nr, ret = 0;

	for (index = 0; index < socket->nr_messages; index++) {
		struct scm_fp_list *files = socket->messages[index].files;

		for (nr = 0; files && nr < files->count && !ret; nr++) {
			struct unix_sock *u = unix_get_socket(files->fp[nr]);

			if (u)
				ret = PTR_ERR_OR_ZERO(add_socket(sockets,
								 &u->sk, true));
		}
	}
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
	u32 nr_open, index;
	int ret = 0;

	sockets->nr_met = sockets->count;
	for (index = 1; index <= sockets->count && !ret; index++) {
		struct ckpt_unix_socket *socket;

		socket = xa_load(&sockets->by_index, index);
		ret = take_messages(ctx, socket);
		if (!ret)
			ret = add_carried(sockets, socket);
		cond_resched();
	}
	nr_open = sockets->count;
	for (index = 1; index <= nr_open && !ret; index++) {
		struct ckpt_unix_socket *socket;

		socket = xa_load(&sockets->by_index, index);
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
		ret = add_others(ctx, sockets);
	return ret ?: check_image(ctx, sockets);
}

static void free_message(struct ckpt_unix_message *message)
{
	struct scm_cookie scm = { .fp = message->files };

	scm_destroy(&scm);
	consume_skb(message->skb);
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
			free_message(&socket->messages[--socket->nr_messages]);
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

#endif /* CONFIG_CHECKPOINT */
