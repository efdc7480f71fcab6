// SPDX-License-Identifier: GPL-2.0
/*
 * Restart of unix sockets: part of af_unix.c. What is saved is told in
 * unix_ckpt.c.
 *
 * The records make new sockets, as socketpair() does, which wait in the table of
 * objects for the open files that they belong to. Those that nobody had open any
 * more are closed when everything is in its place.
 *
 * Messages are put into the queues as if they had been sent: whoever sent them
 * has that much less room. No message gets in that its sender had no room for, by
 * its own limit or by that of the system.
 *
 * Refused: a socket whose peer was outside of the image, unless another one takes
 *	its place; then unread data, unless it was told that it is dropped;
 *	credentials that who restarts could not have.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

/**
 * struct restored_socket - a unix socket that was read from an image
 * @record: its record
 * @options: the record behind it
 * @sock: the new socket
 * @file: its open file, NULL if nobody has it open
 * @name: its name, if it has one
 * @taken: it has become a file of the image
 */
struct restored_socket {
	struct ckpt_hdr_unix_socket record;
	struct ckpt_hdr_socket options;
	struct socket *sock;
	struct file *file;
	struct restored_name name;
	bool taken;
};

/**
 * struct ckpt_unix_stage - all unix sockets of an image being read
 * @ctx: context; it lives longer
 * @cred: of the task that made the sockets, which names are given with as well
 * @sockets: by index, the first has index 1
 * @count: how many
 * @room: for how many
 */
struct ckpt_unix_stage {
	struct ckpt_ctx *ctx;
	const struct cred *cred;
	struct restored_socket *sockets;
	u32 count;
	u32 room;
};

static struct restored_socket *socket_at(struct ckpt_unix_stage *stage,
					 u32 index)
{
	return index && index <= stage->count ? &stage->sockets[index - 1] :
						NULL;
}

static bool is_closed(const struct restored_socket *socket)
{
	return socket->record.flags & CKPT_UNIX_CLOSED;
}

static int type_restored(u32 type)
{
	switch (type) {
	case CKPT_UNIX_STREAM:
		return SOCK_STREAM;
	case CKPT_UNIX_SEQPACKET:
		return SOCK_SEQPACKET;
	default:
		return SOCK_DGRAM;
	}
}

static struct restored_socket *next_place(struct ckpt_unix_stage *stage)
{
	if (stage->count == stage->room) {
		u32 room = stage->room ? 2 * stage->room : 8;
		void *sockets = kvrealloc(stage->sockets,
					  array_size(room, sizeof(*stage->sockets)),
					  GFP_KERNEL_ACCOUNT);

		if (!sockets)
			return NULL;
		stage->sockets = sockets;
		stage->room = room;
	}
	memset(&stage->sockets[stage->count], 0, sizeof(*stage->sockets));
	return &stage->sockets[stage->count++];
}

static int restore_peer_cred(struct ckpt_ctx *ctx, struct sock *sk,
			     const struct ckpt_hdr_unix_socket *record)
{
	if (!record->peer_cred) {
		if (record->peer_pid)
			return ckpt_error(ctx, -EINVAL,
					  "a peer without credentials");
		return 0;
	}
	if (record->peer_pid) {
		sk->sk_peer_pid = ckpt_pid_find(ctx, record->peer_pid,
						PIDTYPE_TGID);
		if (!sk->sk_peer_pid)
			return ckpt_error(ctx, -EINVAL,
					  "the peer of a unix socket was process %u, which is not in the image",
					  record->peer_pid);
	}
	sk->sk_peer_cred = get_cred(ckpt_object_find(ctx, record->peer_cred,
						     CKPT_OBJ_CRED));
	return 0;
}

static int read_socket(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage)
{
	struct restored_socket *socket = next_place(stage);
	struct file *file;
	int ret;

	if (!socket)
		return -ENOMEM;
	ret = ckpt_record_read(ctx, CKPT_HDR_UNIX_SOCKET, &socket->record);
	if (!ret)
		ret = sock_create(PF_UNIX, type_restored(socket->record.type),
				  0, &socket->sock);
	if (ret)
		return ret;
	if (is_closed(socket)) {
		if (socket->record.peer || socket->record.peer_cred ||
		    socket->record.peer_pid ||
		    socket->record.state != CKPT_UNIX_UNCONNECTED ||
		    socket->record.flags & ~(CKPT_UNIX_CLOSED |
					     CKPT_UNIX_NAMED))
			return ckpt_error(ctx, -EINVAL,
					  "a closed unix socket has a peer");
		return read_name(ctx, &socket->name, socket->sock->sk,
				 socket->record.flags);
	}
	file = sock_alloc_file(socket->sock, 0, NULL);
	if (IS_ERR(file)) {
		/* It took the socket with it. */
		socket->sock = NULL;
		return PTR_ERR(file);
	}
	socket->file = file;
	ret = ckpt_socket_restore(ctx, file, &socket->options);
	if (!ret)
		ret = restore_peer_cred(ctx, socket->sock->sk,
					&socket->record);
	return ret ?: read_name(ctx, &socket->name, socket->sock->sk,
				socket->record.flags);
}

/* No pair of sockets can be like this. */
static const char *peer_problem(struct ckpt_unix_stage *stage, u32 index)
{
	const struct restored_socket *socket = socket_at(stage, index);
	const struct ckpt_hdr_unix_socket *record = &socket->record;
	const struct restored_socket *peer = socket_at(stage, record->peer);
	bool connected = record->state == CKPT_UNIX_CONNECTED;
	bool outside = record->flags & CKPT_UNIX_OUTSIDE;

	if (record->peer && !peer)
		return "there is no such peer";
	if (record->state == CKPT_UNIX_LISTENING) {
		if (peer || outside)
			return "it listens and has a peer";
		if (record->type == CKPT_UNIX_DGRAM)
			return "a datagram socket listens";
		return record->flags & CKPT_UNIX_NAMED ?
			NULL : "it listens without a name";
	}
	if (record->backlog)
		return "it does not listen";
	if (peer && outside)
		return "the peer is in the image and outside";
	/* A datagram socket is also connected if another one is, to it. */
	if (!connected && (peer || outside))
		return "it is not connected";
	if (record->type == CKPT_UNIX_DGRAM)
		return peer && peer->record.type != record->type ?
			"the peer is of another type" : NULL;
	if (connected && !peer && !outside)
		return "it is connected to nobody";
	if (!peer)
		return NULL;
	if (peer->record.type != record->type)
		return "the peer is of another type";
	if (peer == socket)
		return "it is connected to itself";
	if (!is_closed(peer) && peer->record.peer != index)
		return "the peer has another one";
	return NULL;
}

static bool is_mutual(const struct ckpt_unix_stage *stage, u32 index)
{
	u32 peer = stage->sockets[index - 1].record.peer;

	return stage->sockets[peer - 1].record.peer == index;
}

/* As for socketpair(), or for connect() of a datagram socket. */
static int check_link(struct ckpt_unix_stage *stage, u32 index)
{
	struct restored_socket *socket = socket_at(stage, index);
	struct restored_socket *peer = socket_at(stage, socket->record.peer);

	if (peer == socket || !is_mutual(stage, index))
		return security_unix_may_send(socket->sock, peer->sock);
	/* Once for both. */
	if (socket->record.peer < index)
		return 0;
	return security_socket_socketpair(socket->sock, peer->sock);
}

static void set_state(struct restored_socket *socket)
{
	struct sock *sk = socket->sock->sk;

	if (socket->record.state != CKPT_UNIX_CONNECTED)
		return;
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	socket->sock->state = SS_CONNECTED;
}

static int connect_to_peer(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage,
			   u32 index)
{
	struct restored_socket *socket = socket_at(stage, index);
	const char *problem = peer_problem(stage, index);
	struct sock *sk = socket->sock->sk;
	struct restored_socket *peer;
	int ret;

	if (problem)
		return ckpt_error(ctx, -EINVAL, "unix socket %u: %s", index,
				  problem);
	set_state(socket);
	peer = socket_at(stage, socket->record.peer);
	if (!peer)
		return 0;
	ret = check_link(stage, index);
	if (ret)
		return ckpt_error(ctx, ret, "no right to connect unix sockets");
	sock_hold(peer->sock->sk);
	unix_state_lock(sk);
	unix_peer(sk) = peer->sock->sk;
	unix_state_unlock(sk);
	return 0;
}

static const char *
message_problem(const struct ckpt_hdr_unix_message *record, u32 len,
		const struct restored_socket *from,
		const struct restored_socket *to, u32 peer_of_to)
{
	const u32 marks = CKPT_UNIX_MESSAGE_OOB | CKPT_UNIX_MESSAGE_READ;
	bool is_stream;

	if (!from || !to)
		return "there is no such socket";
	if (from->record.type != to->record.type)
		return "the sockets are of different types";
	if (is_closed(to) || to->record.state == CKPT_UNIX_LISTENING)
		return "nobody can read it";
	if (to->record.type != CKPT_UNIX_DGRAM) {
		bool outside = to->record.flags & CKPT_UNIX_OUTSIDE;

		if (outside ? !is_closed(from) : record->from != peer_of_to)
			return "it is not from the peer";
	}
	is_stream = to->record.type == CKPT_UNIX_STREAM;
	if (record->flags & marks && (!is_stream || len != 1))
		return "only one byte of a stream is out of band";
	if (is_stream && !len)
		return "it is empty";
	if (!(record->flags & CKPT_UNIX_MESSAGE_CRED) &&
	    (record->pid || record->uid || record->gid))
		return "credentials that are none";
	if (!(record->flags & CKPT_UNIX_MESSAGE_TIME) && record->time_ns)
		return "a time that is none";
	return NULL;
}

/* How much of a message sendmsg() puts into pages of their own. */
static u32 bytes_in_pages(const struct sock *sk, u32 len)
{
	if (sk->sk_type == SOCK_STREAM) {
		if (len <= SKB_MAX_HEAD(0))
			return 0;
		return min3((u32)PAGE_ALIGN(len - SKB_MAX_HEAD(0)),
			    (u32)UNIX_SKB_FRAGS_SZ, len);
	}
	if (len <= SKB_MAX_ALLOC)
		return 0;
	return PAGE_ALIGN(min_t(u32, len - SKB_MAX_ALLOC,
				MAX_SKB_FRAGS * PAGE_SIZE));
}

/* Laid out as sendmsg() does, so that it takes as much room. */
static struct sk_buff *alloc_message(struct sock *sk, u32 len, int *error)
{
	u32 paged = bytes_in_pages(sk, len);
	struct sk_buff *skb;

	skb = alloc_skb_with_frags(len - paged, paged, PAGE_ALLOC_COSTLY_ORDER,
				   error, sk->sk_allocation);
	if (!skb)
		return NULL;
	skb_set_owner_w(skb, sk);
	skb_put(skb, len - paged);
	skb->data_len = paged;
	skb->len = len;
	return skb;
}

/* SO_SNDBUF may be smaller now than it was when the message was sent. */
static bool has_room(const struct sock *sk)
{
	u64 limit = max_t(u64, READ_ONCE(sk->sk_sndbuf),
			  2ULL * READ_ONCE(sysctl_wmem_max));

	return sk_wmem_alloc_get(sk) < limit ||
	       ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN);
}

static struct sk_buff *make_message(struct ckpt_ctx *ctx, struct sock *sk,
				    const void *bytes, u32 len)
{
	struct sk_buff *skb;
	int ret = -ENOBUFS;

	if (!has_room(sk)) {
		ret = ckpt_error(ctx, -EPERM,
				 "more unread bytes from one socket than net.core.wmem_max allows");
		return ERR_PTR(ret);
	}
	skb = alloc_message(sk, len, &ret);
	if (!skb)
		return ERR_PTR(ret);
	ret = skb_store_bits(skb, 0, bytes, len);
	if (!ret)
		return skb;
	kfree_skb(skb);
	return ERR_PTR(ret);
}

/* By the rules of SCM_CREDENTIALS, but for the process, which is of the image. */
static int set_credentials(struct ckpt_ctx *ctx, struct sk_buff *skb,
			   const struct ckpt_hdr_unix_message *record)
{
	kuid_t uid = make_kuid(current_user_ns(), record->uid);
	kgid_t gid = make_kgid(current_user_ns(), record->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return ckpt_error(ctx, -EINVAL,
				  "an id has no meaning in this user namespace");
	if (!ckpt_cred_may_be_user(uid) || !ckpt_cred_may_be_group(gid))
		return ckpt_error(ctx, -EPERM,
				  "no right to a message of user %u, group %u",
				  record->uid, record->gid);
	if (record->pid) {
		UNIXCB(skb).pid = ckpt_pid_find(ctx, record->pid, PIDTYPE_TGID);
		if (!UNIXCB(skb).pid)
			return ckpt_error(ctx, -EINVAL,
					  "a message of process %u, which is not in the image",
					  record->pid);
	}
	UNIXCB(skb).uid = uid;
	UNIXCB(skb).gid = gid;
	return 0;
}

static void set_label(struct sk_buff *skb, struct socket *sock)
{
	struct scm_cookie scm = { };

	unix_get_peersec_dgram(sock, &scm);
	unix_get_secdata(&scm, skb);
}

static void queue_message(struct sock *sk, struct sk_buff *skb, u32 flags)
{
	struct unix_sock *u = unix_sk(sk);

	if (flags & CKPT_UNIX_MESSAGE_READ)
		UNIXCB(skb).consumed = 1;
	unix_state_lock(sk);
	scm_stat_add(sk, skb);
	spin_lock(&sk->sk_receive_queue.lock);
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	if (flags & CKPT_UNIX_MESSAGE_OOB)
		WRITE_ONCE(u->oob_skb, skb);
#endif
	__skb_queue_tail(&sk->sk_receive_queue, skb);
	spin_unlock(&sk->sk_receive_queue.lock);
	unix_state_unlock(sk);
}

static int check_oob(struct ckpt_ctx *ctx, struct sock *sk, u32 flags)
{
	if (!(flags & CKPT_UNIX_MESSAGE_OOB))
		return 0;
	if (!IS_ENABLED(CONFIG_AF_UNIX_OOB))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "this kernel has no MSG_OOB for unix sockets");
	if (oob_message(sk) || flags & CKPT_UNIX_MESSAGE_READ)
		return ckpt_error(ctx, -EINVAL,
				  "two bytes out of band in one socket");
	return 0;
}

static struct file *find_carried(struct ckpt_ctx *ctx,
				 struct ckpt_unix_stage *stage,
				 const struct ckpt_hdr_unix_file *record)
{
	struct restored_socket *socket = socket_at(stage, record->socket);
	struct file *file = NULL;

	if (record->file && !record->socket)
		file = ckpt_object_find(ctx, record->file, CKPT_OBJ_FILE);
	else if (socket && !record->file)
		file = socket->file;
	/* Of the sockets each has one way only to be named. */
	if (file && record->file && unix_get_socket(file))
		file = NULL;
	return file;
}

static int read_carried(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage,
			struct scm_fp_list *files)
{
	struct ckpt_hdr_unix_file record;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UNIX_FILE, &record);
	if (ret)
		return ret;
	file = find_carried(ctx, stage, &record);
	if (!file)
		return ckpt_error(ctx, -EINVAL,
				  "a message carries no open file");
	if (unix_get_socket(file))
		files->count_unix++;
	files->fp[files->count++] = get_file(file);
	return 0;
}

/* As SCM_RIGHTS does, with its limit. */
static int read_files(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage,
		      struct sk_buff *skb, u32 count)
{
	struct scm_cookie scm = { };
	int ret = 0;

	if (!count)
		return 0;
	if (count > SCM_MAX_FD)
		return ckpt_error(ctx, -EINVAL, "a message with %u files",
				  count);
	scm.fp = kzalloc(sizeof(*scm.fp), GFP_KERNEL_ACCOUNT);
	if (!scm.fp)
		return -ENOMEM;
	scm.fp->max = SCM_MAX_FD;
	INIT_LIST_HEAD(&scm.fp->vertices);
	scm.fp->user = get_uid(current_user());
	while (count-- && !ret)
		ret = read_carried(ctx, stage, scm.fp);
	if (!ret) {
		ret = unix_attach_fds(&scm, skb);
		if (ret)
			ckpt_error(ctx, ret,
				   "too many descriptors on their way for RLIMIT_NOFILE");
	}
	scm_destroy(&scm);
	return ret;
}

static int restore_message(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage,
			   const struct ckpt_hdr_unix_message *record,
			   const void *bytes, u32 len)
{
	struct restored_socket *from = socket_at(stage, record->from);
	struct restored_socket *to = socket_at(stage, record->to);
	const char *problem;
	struct sk_buff *skb;
	int ret;

	problem = message_problem(record, len, from, to,
				  to ? to->record.peer : 0);
	if (problem)
		return ckpt_error(ctx, -EINVAL,
				  "message from unix socket %u to %u: %s",
				  record->from, record->to, problem);
	ret = check_oob(ctx, to->sock->sk, record->flags);
	if (ret)
		return ret;
	skb = make_message(ctx, from->sock->sk, bytes, len);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	UNIXCB(skb).uid = INVALID_UID;
	UNIXCB(skb).gid = INVALID_GID;
	skb->destructor = unix_wfree;
	if (record->flags & CKPT_UNIX_MESSAGE_CRED)
		ret = set_credentials(ctx, skb, record);
	if (!ret)
		ret = read_files(ctx, stage, skb, record->nr_files);
	if (ret) {
		kfree_skb(skb);
		return ret;
	}
	if (record->flags & CKPT_UNIX_MESSAGE_TIME)
		skb->tstamp = ns_to_ktime(record->time_ns);
	set_label(skb, from->sock);
	queue_message(to->sock->sk, skb, record->flags);
	return 0;
}

static int read_message(struct ckpt_ctx *ctx, struct ckpt_unix_stage *stage)
{
	struct ckpt_hdr_unix_message record;
	void *bytes;
	u32 len;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UNIX_MESSAGE, &record);
	if (ret)
		return ret;
	bytes = ckpt_buffer_read(ctx, &len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	ret = restore_message(ctx, stage, &record, bytes, len);
	kvfree(bytes);
	return ret;
}

/* What would have been in the way before, and then those that are closed. */
static void finish(struct ckpt_unix_stage *stage)
{
	u32 index;

	for (index = 0; index < stage->count; index++) {
		struct restored_socket *socket = &stage->sockets[index];
		struct sock *sk = socket->sock->sk;

		if (is_closed(socket)) {
			sock_release(socket->sock);
			socket->sock = NULL;
			continue;
		}
		WRITE_ONCE(sk->sk_shutdown, socket->options.shutdown);
		WRITE_ONCE(sk->sk_err, socket->options.error);
	}
}

/**
 * ckpt_unix_sockets_restore - read and make all unix sockets
 * @ctx: context
 *
 * Return: struct ckpt_unix_stage or an error pointer.
 */
void *ckpt_unix_sockets_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_unix_sockets record;
	struct ckpt_unix_stage *stage;
	u32 index;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UNIX_SOCKETS, &record);
	if (ret)
		return ERR_PTR(ret);
	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return ERR_PTR(-ENOMEM);
	stage->ctx = ctx;
	stage->cred = get_current_cred();
	for (index = 0; index < record.nr_sockets && !ret; index++)
		ret = read_socket(ctx, stage);
	for (index = 1; index <= record.nr_sockets && !ret; index++)
		ret = connect_to_peer(ctx, stage, index);
	for (index = 0; index < record.nr_messages && !ret; index++)
		ret = read_message(ctx, stage);
	if (ret) {
		ckpt_unix_sockets_drop(stage);
		return ERR_PTR(ret);
	}
	finish(stage);
	return stage;
}

/* As listen(), but who had called it stays the peer of who connects. */
static int publish_listener(struct ckpt_ctx *ctx,
			    struct restored_socket *socket)
{
	u32 limit = READ_ONCE(sock_net(socket->sock->sk)->core.sysctl_somaxconn);
	u32 backlog = min(socket->record.backlog, limit);
	struct sock *sk = socket->sock->sk;
	int ret;

	if (socket->record.state != CKPT_UNIX_LISTENING)
		return 0;
	ret = security_socket_listen(socket->sock, backlog);
	if (ret)
		return ckpt_error(ctx, ret, "no right to listen");
	unix_state_lock(sk);
	sk->sk_max_ack_backlog = backlog;
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	unix_state_unlock(sk);
	return 0;
}

/**
 * ckpt_unix_sockets_publish - let others find the sockets by their names
 * @ctx: context
 * @object: struct ckpt_unix_stage
 *
 * Return: 0, -EADDRINUSE if somebody has a name, or another errno.
 */
int ckpt_unix_sockets_publish(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_unix_stage *stage = object;
	const struct cred *old = override_creds(stage->cred);
	u32 index;
	int ret = 0;

	for (index = 0; index < stage->count && !ret; index++) {
		struct restored_socket *socket = &stage->sockets[index];

		/* Another file may have taken its place. */
		if (!socket->taken)
			continue;
		ret = publish_name(ctx, &socket->name, socket->sock);
		if (!ret)
			ret = publish_listener(ctx, socket);
	}
	revert_creds(old);
	return ret;
}

/**
 * ckpt_unix_sockets_drop - forget the unix sockets that were restored
 * @object: struct ckpt_unix_stage
 *
 * Their files stay, if they were taken.
 */
void ckpt_unix_sockets_drop(void *object)
{
	struct ckpt_unix_stage *stage = object;
	const struct cred *old = override_creds(stage->cred);
	u32 index;

	for (index = 0; index < stage->count; index++) {
		struct restored_socket *socket = &stage->sockets[index];

		if (!stage->ctx->committed && socket->sock)
			remove_file(&socket->name, socket->sock->sk);
		free_name(&socket->name);
		if (socket->file)
			fput(socket->file);
		else if (socket->sock)
			sock_release(socket->sock);
	}
	revert_creds(old);
	put_cred(stage->cred);
	kvfree(stage->sockets);
	kfree(stage);
}

/* Another file takes its place: what becomes of what was not read? */
static struct file *inherit_socket(struct ckpt_ctx *ctx,
				   const struct restored_socket *socket,
				   const struct ckpt_hdr_file *record)
{
	u32 unread = skb_queue_len(&socket->sock->sk->sk_receive_queue);

	if (record->flags & CKPT_FILE_UNREAD_MOVED && unread)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "%u unread messages of the socket of descriptor %d cannot be moved",
					  unread, record->fd));
	if (unread && !(record->flags & CKPT_FILE_UNREAD_DROPPED))
		return ERR_PTR(ckpt_error(ctx, -EBUSY,
					  "the socket of descriptor %d held %u unread messages: drop them with restart --unread drop",
					  record->fd, unread));
	if (unread)
		ckpt_note(ctx,
			  "%u unread messages of the socket of descriptor %d were dropped",
			  unread, record->fd);
	return ckpt_file_inherit(ctx, record);
}

/**
 * ckpt_unix_restore - read an open file of a unix socket
 * @ctx: context
 * @record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ENOTCONN if the
 * peer was outside of the image, -EBUSY if it is not said what becomes of unread
 * messages, or as ckpt_file_inherit().
 */
struct file *ckpt_unix_restore(struct ckpt_ctx *ctx,
			       const struct ckpt_hdr_file *record)
{
	const unsigned int settable = O_APPEND | O_DSYNC | __O_SYNC |
				      O_NOATIME;
	struct ckpt_hdr_file_unix unix_record;
	struct restored_socket *socket;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_UNIX, &unix_record);
	if (ret)
		return ERR_PTR(ret);
	socket = socket_at(ckpt_object_find(ctx, unix_record.sockets,
					    CKPT_OBJ_UNIX), unix_record.index);
	if (!socket || !socket->file || socket->taken ||
	    (record->open_flags & O_ACCMODE) != O_RDWR)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "there is no unix socket %u to open",
					  unix_record.index));
	if (record->inherit >= 0)
		return inherit_socket(ctx, socket, record);
	if (socket->record.flags & CKPT_UNIX_OUTSIDE)
		return ERR_PTR(ckpt_error(ctx, -ENOTCONN,
					  "the other end of the socket of descriptor %d was outside the image: connect it with restart --inherit-fd %d",
					  record->fd, record->fd));
	socket->taken = true;
	file = get_file(socket->file);
	spin_lock(&file->f_lock);
	file->f_flags |= record->open_flags & settable;
	spin_unlock(&file->f_lock);
	return file;
}

#endif /* CONFIG_CHECKPOINT */
