// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of sockets: what those of all families have in common.
 *
 * Saved: options of socket(7), owner and permission bits, the error that was not
 *	told yet, and which directions were shut down.
 * Reset: inode number, SO_COOKIE, cgroup, security label.
 * Refused: every family whose protocol has no checkpoint method; sockets of
 *	another network namespace; options that few use, by their names.
 *
 * An option that is as in a new socket is not set, so that it takes no right.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/sockptr.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include <net/busy_poll.h>
#include <net/sock.h>

/* Options that are on or off, and that setsockopt() alone turns. */
static const struct {
	u32 flag;
	int option;
	const char *name;
} switches[] = {
	{ CKPT_SOCKET_DEBUG, SO_DEBUG, "SO_DEBUG" },
	{ CKPT_SOCKET_REUSEADDR, SO_REUSEADDR, "SO_REUSEADDR" },
	{ CKPT_SOCKET_KEEPALIVE, SO_KEEPALIVE, "SO_KEEPALIVE" },
	{ CKPT_SOCKET_DONTROUTE, SO_DONTROUTE, "SO_DONTROUTE" },
	{ CKPT_SOCKET_BROADCAST, SO_BROADCAST, "SO_BROADCAST" },
	{ CKPT_SOCKET_OOBINLINE, SO_OOBINLINE, "SO_OOBINLINE" },
	{ CKPT_SOCKET_NO_CHECK, SO_NO_CHECK, "SO_NO_CHECK" },
	{ CKPT_SOCKET_TIMESTAMP_OLD, SO_TIMESTAMP_OLD, "SO_TIMESTAMP" },
	{ CKPT_SOCKET_TIMESTAMPNS_OLD, SO_TIMESTAMPNS_OLD, "SO_TIMESTAMPNS" },
	{ CKPT_SOCKET_TIMESTAMP_NEW, SO_TIMESTAMP_NEW, "SO_TIMESTAMP" },
	{ CKPT_SOCKET_TIMESTAMPNS_NEW, SO_TIMESTAMPNS_NEW, "SO_TIMESTAMPNS" },
	{ CKPT_SOCKET_PASSCRED, SO_PASSCRED, "SO_PASSCRED" },
	{ CKPT_SOCKET_PASSPIDFD, SO_PASSPIDFD, "SO_PASSPIDFD" },
	{ CKPT_SOCKET_PASSSEC, SO_PASSSEC, "SO_PASSSEC" },
	{ CKPT_SOCKET_RXQ_OVFL, SO_RXQ_OVFL, "SO_RXQ_OVFL" },
	{ CKPT_SOCKET_WIFI_STATUS, SO_WIFI_STATUS, "SO_WIFI_STATUS" },
	{ CKPT_SOCKET_NOFCS, SO_NOFCS, "SO_NOFCS" },
	{ CKPT_SOCKET_SELECT_ERR_QUEUE, SO_SELECT_ERR_QUEUE,
	  "SO_SELECT_ERR_QUEUE" },
	{ CKPT_SOCKET_RCVMARK, SO_RCVMARK, "SO_RCVMARK" },
	{ CKPT_SOCKET_REUSEPORT, SO_REUSEPORT, "SO_REUSEPORT" },
	{ CKPT_SOCKET_ZEROCOPY, SO_ZEROCOPY, "SO_ZEROCOPY" },
	/* Last: it locks. */
	{ CKPT_SOCKET_LOCK_FILTER, SO_LOCK_FILTER, "SO_LOCK_FILTER" },
};

static u32 get_switches(struct sock *sk)
{
	unsigned int index;
	u32 flags = 0;

	for (index = 0; index < ARRAY_SIZE(switches); index++) {
		int value = 0, len = sizeof(value);

		if (!sk_getsockopt(sk, SOL_SOCKET, switches[index].option,
				   KERNEL_SOCKPTR(&value),
				   KERNEL_SOCKPTR(&len)) && value)
			flags |= switches[index].flag;
	}
	return flags;
}

/* What a new socket has. */
static u8 usual_txrehash(const struct sock *sk)
{
	return sk_is_inet(sk) ? READ_ONCE(sock_net(sk)->core.sysctl_txrehash) :
				0;
}

/* What no image has room for, or NULL. */
static const char *unusual_option(struct sock *sk)
{
	if (rcu_access_pointer(sk->sk_filter))
		return "a filter";
	if (sk->sk_prot != sk->sk_prot_creator)
		return "been added to a map of sockets";
	if (READ_ONCE(sk->sk_tsflags))
		return "SO_TIMESTAMPING";
	if (READ_ONCE(sk->sk_bound_dev_if) && !sk_is_tcp(sk))
		return "SO_BINDTODEVICE";
	if (sock_flag(sk, SOCK_TXTIME))
		return "SO_TXTIME";
	if (READ_ONCE(sk->sk_max_pacing_rate) != ~0UL)
		return "SO_MAX_PACING_RATE";
	if (READ_ONCE(sk->sk_reserved_mem))
		return "SO_RESERVE_MEM";
	if (READ_ONCE(sk->sk_incoming_cpu) != -1)
		return "SO_INCOMING_CPU";
	if (READ_ONCE(sk->sk_txrehash) != usual_txrehash(sk))
		return "SO_TXREHASH";
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (READ_ONCE(sk->sk_ll_usec) != READ_ONCE(sysctl_net_busy_read))
		return "SO_BUSY_POLL";
	if (READ_ONCE(sk->sk_prefer_busy_poll))
		return "SO_PREFER_BUSY_POLL";
	if (READ_ONCE(sk->sk_busy_poll_budget))
		return "SO_BUSY_POLL_BUDGET";
#endif
	return NULL;
}

static s64 timeout_saved(long timeout)
{
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return -1;
	/* As getsockopt() tells it, which setsockopt() gives back. */
	return (s64)(timeout / HZ) * USEC_PER_SEC +
	       timeout % HZ * USEC_PER_SEC / HZ;
}

static long timeout_restored(s64 usec)
{
	u32 rest;
	u64 seconds;

	if (usec < 0)
		return MAX_SCHEDULE_TIMEOUT;
	seconds = div_u64_rem(usec, USEC_PER_SEC, &rest);
	if (seconds >= MAX_SCHEDULE_TIMEOUT / HZ - 1)
		return MAX_SCHEDULE_TIMEOUT;
	return seconds * HZ + DIV_ROUND_UP(rest, USEC_PER_SEC / HZ);
}

/**
 * ckpt_socket_save - append what sockets of all families have
 * @ctx: context
 * @sk: open socket of the target
 *
 * Return: 0 or a negative errno.
 */
int ckpt_socket_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct inode *inode = SOCK_INODE(sk->sk_socket);
	struct user_namespace *user_ns = current_user_ns();
	const char *unusual = unusual_option(sk);
	struct ckpt_hdr_socket *record;

	if (!net_eq(sock_net(sk), current->nsproxy->net_ns))
		return ckpt_error(ctx, -EPERM,
				  "socket %lu is of another network namespace",
				  inode->i_ino);
	if (unusual)
		return ckpt_error(ctx, -EOPNOTSUPP, "socket %lu has %s",
				  inode->i_ino, unusual);
	record = ckpt_record_add(ctx, CKPT_HDR_SOCKET);
	if (!record)
		return -ENOMEM;
	record->flags = get_switches(sk);
	if (sock_flag(sk, SOCK_LINGER))
		record->flags |= CKPT_SOCKET_LINGER;
	if (test_bit(SOCKWQ_ASYNC_NOSPACE, &sk->sk_socket->wq.flags))
		record->flags |= CKPT_SOCKET_ASYNC_NOSPACE;
	record->mode = inode->i_mode & 07777;
	record->uid = from_kuid_munged(user_ns, inode->i_uid);
	record->gid = from_kgid_munged(user_ns, inode->i_gid);
	record->sndbuf = READ_ONCE(sk->sk_sndbuf);
	record->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		record->buffer_locks |= CKPT_SOCKET_SNDBUF;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		record->buffer_locks |= CKPT_SOCKET_RCVBUF;
	record->rcvlowat = READ_ONCE(sk->sk_rcvlowat);
	record->rcvtimeo_usec = timeout_saved(READ_ONCE(sk->sk_rcvtimeo));
	record->sndtimeo_usec = timeout_saved(READ_ONCE(sk->sk_sndtimeo));
	record->linger_sec = READ_ONCE(sk->sk_lingertime) / HZ;
	record->priority = READ_ONCE(sk->sk_priority);
	record->mark = READ_ONCE(sk->sk_mark);
	record->peek_off = max(READ_ONCE(sk->sk_peek_off), -1);
	record->error = READ_ONCE(sk->sk_err);
	record->shutdown = READ_ONCE(sk->sk_shutdown);
	return 0;
}

static int set_option(struct ckpt_ctx *ctx, struct socket *sock, int option,
		      int value, const char *name)
{
	int ret = sock_setsockopt(sock, SOL_SOCKET, option,
				  KERNEL_SOCKPTR(&value), sizeof(value));

	return ret ? ckpt_error(ctx, ret, "%s of a socket: %d", name, value) :
		     0;
}

static int set_switches(struct ckpt_ctx *ctx, struct socket *sock, u32 flags)
{
	u32 changes = flags ^ get_switches(sock->sk);
	unsigned int index;
	int ret = 0;

	for (index = 0; index < ARRAY_SIZE(switches) && !ret; index++) {
		u32 flag = switches[index].flag;

		if (changes & flag)
			ret = set_option(ctx, sock, switches[index].option,
					 !!(flags & flag),
					 switches[index].name);
	}
	return ret;
}

static int set_owner(struct ckpt_ctx *ctx, struct file *file,
		     const struct ckpt_hdr_socket *record)
{
	int ret = ckpt_file_set_mode(file, record->uid, record->gid,
				     record->mode);

	if (ret)
		return ckpt_error(ctx, ret, "socket of user %u, group %u",
				  record->uid, record->gid);
	return 0;
}

/* As SO_SNDBUF or SO_RCVBUF, which double what they are given, or the FORCE. */
static int set_size(struct ckpt_ctx *ctx, struct sock *sk, int *size, u32 wanted,
		    u32 least, u32 most, const char *name)
{
	if (*size == wanted)
		return 0;
	if (wanted < least)
		return ckpt_error(ctx, -EINVAL, "%s of a socket: %u bytes",
				  name, wanted);
	if (wanted > 2ULL * most &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "%s of a socket: %u bytes need CAP_NET_ADMIN",
				  name, wanted);
	WRITE_ONCE(*size, wanted);
	return 0;
}

static int set_sizes(struct ckpt_ctx *ctx, struct sock *sk,
		     const struct ckpt_hdr_socket *record)
{
	int ret;

	ret = set_size(ctx, sk, &sk->sk_sndbuf, record->sndbuf,
		       SOCK_MIN_SNDBUF, READ_ONCE(sysctl_wmem_max),
		       "SO_SNDBUF");
	if (!ret)
		ret = set_size(ctx, sk, &sk->sk_rcvbuf, record->rcvbuf,
			       SOCK_MIN_RCVBUF, READ_ONCE(sysctl_rmem_max),
			       "SO_RCVBUF");
	if (record->buffer_locks & CKPT_SOCKET_SNDBUF)
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	if (record->buffer_locks & CKPT_SOCKET_RCVBUF)
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	return ret;
}

static int set_numbers(struct ckpt_ctx *ctx, struct socket *sock,
		       const struct ckpt_hdr_socket *record)
{
	struct sock *sk = sock->sk;
	int ret = 0;

	if (READ_ONCE(sk->sk_priority) != record->priority)
		ret = set_option(ctx, sock, SO_PRIORITY, record->priority,
				 "SO_PRIORITY");
	if (!ret && READ_ONCE(sk->sk_mark) != record->mark)
		ret = set_option(ctx, sock, SO_MARK, record->mark, "SO_MARK");
	if (!ret && READ_ONCE(sk->sk_rcvlowat) != record->rcvlowat)
		ret = set_option(ctx, sock, SO_RCVLOWAT, record->rcvlowat,
				 "SO_RCVLOWAT");
	if (!ret && READ_ONCE(sk->sk_peek_off) != record->peek_off)
		ret = set_option(ctx, sock, SO_PEEK_OFF, record->peek_off,
				 "SO_PEEK_OFF");
	return ret;
}

/**
 * ckpt_socket_restore - read what sockets of all families have, and set it
 * @ctx: context
 * @file: a new socket
 * @record: room for the record; errors and what is shut down are left to the
 *	caller, who needs the socket without
 *
 * Return: 0 or a negative errno.
 */
int ckpt_socket_restore(struct ckpt_ctx *ctx, struct file *file,
			struct ckpt_hdr_socket *record)
{
	struct socket *sock = sock_from_file(file);
	struct sock *sk = sock->sk;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_SOCKET, record);
	if (!ret)
		ret = set_owner(ctx, file, record);
	if (!ret)
		ret = set_sizes(ctx, sk, record);
	if (!ret)
		ret = set_numbers(ctx, sock, record);
	if (!ret)
		ret = set_switches(ctx, sock, record->flags);
	if (ret)
		return ret;
	if (record->flags & CKPT_SOCKET_LINGER)
		sock_set_flag(sk, SOCK_LINGER);
	if (record->flags & CKPT_SOCKET_ASYNC_NOSPACE)
		set_bit(SOCKWQ_ASYNC_NOSPACE, &sock->wq.flags);
	if (record->linger_sec >= MAX_SCHEDULE_TIMEOUT / HZ)
		WRITE_ONCE(sk->sk_lingertime, MAX_SCHEDULE_TIMEOUT);
	else
		WRITE_ONCE(sk->sk_lingertime,
			   (unsigned long)record->linger_sec * HZ);
	WRITE_ONCE(sk->sk_rcvtimeo, timeout_restored(record->rcvtimeo_usec));
	WRITE_ONCE(sk->sk_sndtimeo, timeout_restored(record->sndtimeo_usec));
	return 0;
}

/**
 * ckpt_file_save_socket - save an open file of a socket
 * @ctx: context
 * @file: file
 *
 * Return: CKPT_FILE_* or a negative errno: -EBADF if sockets of this family are
 * not saved.
 */
int ckpt_file_save_socket(struct ckpt_ctx *ctx, struct file *file)
{
	struct socket *sock = sock_from_file(file);
	const struct proto_ops *ops = READ_ONCE(sock->ops);

	if (!sock->sk || !ops || !ops->checkpoint)
		return ckpt_file_refuse(ctx, file,
					"file %pD of type %s cannot be saved",
					file,
					file_inode(file)->i_sb->s_type->name);
	return ops->checkpoint(ctx, file);
}
