// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of TCP sockets that are not connected.
 *
 * Saved: new sockets, bound ones, listeners; over IPv4 and IPv6; address, port,
 *	device, backlog; options, see tcp_options_ckpt.c and net/socket_ckpt.c.
 * Reset: which member of a reuseport group takes a connection; whatever arrives
 *	while the program is not there.
 * Refused: sockets that are or were connected, listeners with connections that
 *	wait for accept(); by their names what is more than a number, such as keys
 *	for signatures.
 *
 * A socket is bound when it is read, so that nobody else takes the port, and
 * listens when the whole image was found good: nobody connects to a restart that
 * fails. What is left of old connections to the port is no obstacle, as with
 * SO_REUSEADDR; for who may set TCP_REPAIR not even if it was not set.
 *
 * Nothing is locked when saving: the target is stopped, and whoever else has the
 * socket could hold the lock for as long as he likes.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/sockptr.h>
#include <linux/socket.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>

static unsigned long inode_number(const struct sock *sk)
{
	return SOCK_INODE(sk->sk_socket)->i_ino;
}

static bool is_ipv6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6;
}

static void set_address(struct sockaddr_storage *to, bool ipv6,
			const void *address, u16 port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (ipv6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, address, sizeof(in6->sin6_addr));
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, address, sizeof(in->sin_addr));
	}
}

static const void *own_address(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (is_ipv6(sk))
		return &sk->sk_v6_rcv_saddr;
#endif
	return &sk->sk_rcv_saddr;
}

static const void *peer_address(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (is_ipv6(sk))
		return &sk->sk_v6_daddr;
#endif
	return &sk->sk_daddr;
}

/* Return: 0, CKPT_FILE_EXTERNAL, or a negative errno. */
static int check_state(struct ckpt_ctx *ctx, struct file *file, struct sock *sk)
{
	u32 count = READ_ONCE(sk->sk_ack_backlog);
	int state = READ_ONCE(sk->sk_state);
	struct sockaddr_storage peer;

	if (state != TCP_CLOSE && state != TCP_LISTEN) {
		set_address(&peer, is_ipv6(sk), peer_address(sk),
			    ntohs(sk->sk_dport));
		return ckpt_file_refuse(ctx, file,
					"TCP socket %lu is connected to %pISpc",
					inode_number(sk), &peer);
	}
	/* What it has received may be left, and how it ended. */
	if (sk->sk_socket->state != SS_UNCONNECTED)
		return ckpt_file_refuse(ctx, file,
					"TCP socket %lu was connected",
					inode_number(sk));
	if (state == TCP_LISTEN && count)
		return ckpt_error(ctx, -EBUSY,
				  "%u connections to TCP socket %lu were not accepted yet",
				  count, inode_number(sk));
	return 0;
}

static bool has_group_program(const struct sock *sk)
{
	const struct sock_reuseport *group;
	bool has_one;

	rcu_read_lock();
	group = rcu_dereference(sk->sk_reuseport_cb);
	has_one = group && rcu_access_pointer(group->prog);
	rcu_read_unlock();
	return has_one;
}

#if IS_ENABLED(CONFIG_IPV6)
static const char *unusual_ipv6(struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	u8 reflect = READ_ONCE(sock_net(sk)->ipv6.sysctl.flowlabel_reflect);

	if (!is_ipv6(sk))
		return NULL;
	if (rcu_access_pointer(np->opt))
		return "IPv6 extension headers";
	if (np->sticky_pktinfo.ipi6_ifindex ||
	    !ipv6_addr_any(&np->sticky_pktinfo.ipi6_addr))
		return "IPV6_PKTINFO";
	if (READ_ONCE(np->ucast_oif))
		return "IPV6_UNICAST_IF";
	if (np->ipv6_ac_list)
		return "IPv6 anycast addresses";
	if (rcu_access_pointer(inet_sk(sk)->ipv6_fl_list) || np->flow_label ||
	    inet_test_bit(REPFLOW, sk) !=
	    !!(reflect & FLOWLABEL_REFLECT_ESTABLISHED))
		return "IPv6 flow labels";
	return NULL;
}
#else
static const char *unusual_ipv6(struct sock *sk)
{
	return NULL;
}
#endif

static bool has_keys(const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tp->md5sig_info))
		return true;
#endif
#ifdef CONFIG_TCP_AO
	if (rcu_access_pointer(tp->ao_info))
		return true;
#endif
	return false;
}

static bool has_policy(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[0]) ||
	       rcu_access_pointer(sk->sk_policy[1]);
#else
	return false;
#endif
}

static bool has_bpf(const struct sock *sk)
{
#ifdef CONFIG_BPF
	if (tcp_sk(sk)->bpf_sock_ops_cb_flags)
		return true;
#endif
#ifdef CONFIG_BPF_SYSCALL
	if (rcu_access_pointer(sk->sk_bpf_storage))
		return true;
#endif
	return false;
}

/* What no image has room for, or NULL. */
static const char *unusual_state(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct inet_sock *inet = inet_sk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	if (icsk->icsk_ulp_ops)
		return "TCP_ULP";
	if (has_keys(tp))
		return "keys for signatures";
	if (tp->repair)
		return "TCP_REPAIR";
	if (rcu_access_pointer(icsk->icsk_accept_queue.fastopenq.ctx))
		return "TCP_FASTOPEN_KEY";
	if (has_group_program(sk))
		return "a program for its reuseport group";
	if (has_bpf(sk))
		return "BPF programs";
	if (has_policy(sk))
		return "an IPsec policy";
	if (rcu_access_pointer(inet->inet_opt))
		return "IP options";
	if (READ_ONCE(inet->uc_index))
		return "IP_UNICAST_IF";
	if (!skb_queue_empty_lockless(&sk->sk_error_queue))
		return "errors that were not read";
	if (READ_ONCE(sk->sk_user_data))
		return "a user in the kernel";
	return unusual_ipv6(sk);
}

/* An index means nothing after a reboot. */
static int save_device(struct ckpt_ctx *ctx, struct sock *sk,
		       struct ckpt_hdr_file_tcp *record)
{
	int index = READ_ONCE(sk->sk_bound_dev_if);
	const struct net_device *device;

	BUILD_BUG_ON(sizeof(record->device) != IFNAMSIZ);
	if (!index)
		return 0;
	rcu_read_lock();
	device = dev_get_by_index_rcu(sock_net(sk), index);
	if (device)
		strscpy_pad(record->device, device->name);
	rcu_read_unlock();
	if (device)
		return 0;
	return ckpt_error(ctx, -ENODEV,
			  "TCP socket %lu is bound to network device %d, which is gone",
			  inode_number(sk), index);
}

/**
 * ckpt_tcp_save - save an open file of a TCP socket that is not connected
 * @ctx: context
 * @file: file
 *
 * Return: CKPT_FILE_TCP, CKPT_FILE_EXTERNAL, or a negative errno.
 */
int ckpt_tcp_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct sock *sk = sock_from_file(file)->sk;
	struct ckpt_hdr_file_tcp *record;
	const char *unusual;
	int ret;

	/* Other protocols have taken over the methods of TCP. */
	if (!sk_is_tcp(sk))
		return ckpt_file_refuse(ctx, file,
					"file %pD of type %s cannot be saved",
					file,
					file_inode(file)->i_sb->s_type->name);
	ret = check_state(ctx, file, sk);
	if (ret)
		return ret;
	unusual = unusual_state(sk);
	if (unusual)
		return ckpt_error(ctx, -EOPNOTSUPP, "TCP socket %lu has %s",
				  inode_number(sk), unusual);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_TCP);
	if (!record)
		return -ENOMEM;
	record->family = is_ipv6(sk) ? CKPT_TCP_IPV6 : CKPT_TCP_IPV4;
	record->state = CKPT_TCP_CLOSED;
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN) {
		record->state = CKPT_TCP_LISTENING;
		record->backlog = min_t(u32, READ_ONCE(sk->sk_max_ack_backlog),
					INT_MAX);
	}
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		record->flags |= CKPT_TCP_PORT_CHOSEN;
	record->port = READ_ONCE(inet_sk(sk)->inet_num);
	memcpy(record->address, own_address(sk),
	       is_ipv6(sk) ? sizeof(struct in6_addr) : sizeof(struct in_addr));
	ret = save_device(ctx, sk, record);
	if (!ret)
		ret = ckpt_tcp_options_save(ctx, sk);
	if (!ret)
		ret = ckpt_socket_save(ctx, sk);
	return ret ?: CKPT_FILE_TCP;
}

/* No socket can be like this. */
static const char *record_problem(const struct ckpt_hdr_file_tcp *record)
{
	const size_t len = sizeof(struct in_addr);

	if (record->state == CKPT_TCP_LISTENING) {
		if (!record->port)
			return "it listens without a port";
	} else if (record->backlog) {
		return "it does not listen";
	}
	if (record->flags & CKPT_TCP_PORT_CHOSEN && !record->port)
		return "a port was chosen, and there is none";
	if (record->family == CKPT_TCP_IPV4 &&
	    memchr_inv(record->address + len, 0,
		       sizeof(record->address) - len))
		return "its address is too long";
	return NULL;
}

static int bind_to_device(struct ckpt_ctx *ctx, struct socket *sock,
			  const char *name)
{
	int ret;

	if (!*name)
		return 0;
	ret = sock_setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE,
			      KERNEL_SOCKPTR((void *)name), strlen(name));
	return ret ? ckpt_error(ctx, ret, "SO_BINDTODEVICE of a socket: %s",
				name) : 0;
}

/**
 * struct port_step - what is done to a socket that takes its port
 * @sock: the socket
 * @address: that it is bound to
 * @backlog: for listen()
 */
struct port_step {
	struct socket *sock;
	struct sockaddr_storage address;
	int backlog;
};

static int do_bind(const struct port_step *step)
{
	struct sockaddr_storage address = step->address;
	struct socket *sock = step->sock;
	int len = is_ipv6(sock->sk) ? sizeof(struct sockaddr_in6) :
				      sizeof(struct sockaddr_in);

	return READ_ONCE(sock->ops)->bind(sock, (struct sockaddr *)&address,
					  len);
}

static int do_listen(const struct port_step *step)
{
	return READ_ONCE(step->sock->ops)->listen(step->sock, step->backlog);
}

/* Nobody has it open, and what is left of it takes no new connection. */
static bool is_over(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT ||
	       (sk->sk_state != TCP_LISTEN && sock_flag(sk, SOCK_DEAD));
}

static struct inet_bind_hashbucket *bucket_of(const struct sock *sk, u16 port)
{
	struct inet_hashinfo *hashinfo = tcp_or_dccp_get_hashinfo(sk);

	return &hashinfo->bhash[inet_bhashfn(sock_net(sk), port,
					     hashinfo->bhash_size)];
}

/* What is over does not keep its port, as if it allowed SO_REUSEADDR. */
static void release_port(const struct sock *sk, u16 port)
{
	struct inet_bind_hashbucket *head = bucket_of(sk, port);
	struct inet_bind2_bucket *bound;
	struct inet_bind_bucket *bucket;
	struct sock *other;

	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(bucket, &head->chain) {
		if (bucket->port != port ||
		    !net_eq(ib_net(bucket), sock_net(sk)))
			continue;
		hlist_for_each_entry(bound, &bucket->bhash2, bhash_node)
			sk_for_each_bound(other, &bound->owners)
				if (is_over(other))
					other->sk_reuse = SK_CAN_REUSE;
	}
	spin_unlock_bh(&head->lock);
}

static void set_reuse(struct sock *sk, unsigned char reuse)
{
	lock_sock(sk);
	sk->sk_reuse = reuse;
	release_sock(sk);
}

/* Who comes next must not take the socket for one that shares its port. */
static void forget_reuse(struct sock *sk, u16 port)
{
	struct inet_bind_hashbucket *head = bucket_of(sk, port);

	lock_sock(sk);
	spin_lock_bh(&head->lock);
	if (inet_csk(sk)->icsk_bind_hash)
		inet_csk_update_fastreuse(inet_csk(sk)->icsk_bind_hash, sk);
	spin_unlock_bh(&head->lock);
	release_sock(sk);
}

/*
 * The program that was killed had the port, and its connections keep it for a
 * while. TCP_REPAIR, which ignores them as well, takes CAP_NET_ADMIN.
 */
static int take_port(const struct port_step *step, u16 port,
		     int (*act)(const struct port_step *step))
{
	struct sock *sk = step->sock->sk;
	unsigned char reuse = sk->sk_reuse;
	int ret = act(step);

	if (ret != -EADDRINUSE || !port)
		return ret;
	if (ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		release_port(sk, port);
	set_reuse(sk, SK_CAN_REUSE);
	ret = act(step);
	set_reuse(sk, reuse);
	if (!ret)
		forget_reuse(sk, port);
	return ret;
}

/* An address without a port is possible with IP_BIND_ADDRESS_NO_PORT only. */
static int bind_without_port(struct port_step *step)
{
	struct sock *sk = step->sock->sk;
	bool kept = inet_test_bit(BIND_ADDRESS_NO_PORT, sk);
	int ret;

	inet_set_bit(BIND_ADDRESS_NO_PORT, sk);
	ret = take_port(step, 0, do_bind);
	inet_assign_bit(BIND_ADDRESS_NO_PORT, sk, kept);
	return ret;
}

static int bind_socket(struct ckpt_ctx *ctx, struct port_step *step,
		       const struct ckpt_hdr_file_tcp *record)
{
	struct sock *sk = step->sock->sk;
	int ret;

	if (!record->port &&
	    !memchr_inv(record->address, 0, sizeof(record->address)))
		return 0;
	ret = security_socket_bind(step->sock,
				   (struct sockaddr *)&step->address,
				   sizeof(step->address));
	if (!ret && record->port)
		ret = take_port(step, record->port, do_bind);
	else if (!ret)
		ret = bind_without_port(step);
	if (ret)
		return ckpt_error(ctx, ret,
				  "cannot bind a TCP socket to %pISpc",
				  &step->address);
	/* The kernel had chosen it, and would choose another one later. */
	if (!(record->flags & CKPT_TCP_PORT_CHOSEN)) {
		lock_sock(sk);
		sk->sk_userlocks &= ~SOCK_BINDPORT_LOCK;
		release_sock(sk);
	}
	return 0;
}

/**
 * struct listener - a socket that is to listen when the image was found good
 * @step: in ckpt_ctx.last_steps
 * @cred: of the task that made the socket
 * @file: its open file
 * @port: what listen() needs
 */
struct listener {
	struct ckpt_last_step step;
	const struct cred *cred;
	struct file *file;
	struct port_step port;
};

static int begin_listening(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	struct listener *listener = container_of(step, struct listener, step);
	struct port_step *port = &listener->port;
	struct sock *sk = port->sock->sk;
	const struct cred *old = override_creds(listener->cred);
	bool delays = inet_csk_in_pingpong_mode(sk);
	int ret;

	ret = security_socket_listen(port->sock, port->backlog);
	if (!ret)
		ret = take_port(port, inet_sk(sk)->inet_num, do_listen);
	revert_creds(old);
	if (ret)
		return ckpt_error(ctx, ret, "cannot listen on %pISpc",
				  &port->address);
	/* TCP_QUICKACK was set after listen(), which forgets it. */
	lock_sock(sk);
	if (delays)
		inet_csk_enter_pingpong_mode(sk);
	release_sock(sk);
	return 0;
}

static void listener_free(struct ckpt_last_step *step)
{
	struct listener *listener = container_of(step, struct listener, step);

	put_cred(listener->cred);
	fput(listener->file);
	kfree(listener);
}

static int add_listener(struct ckpt_ctx *ctx, struct file *file,
			const struct port_step *step,
			const struct ckpt_hdr_file_tcp *record)
{
	u32 limit = READ_ONCE(sock_net(step->sock->sk)->core.sysctl_somaxconn);
	struct listener *listener;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return -ENOMEM;
	listener->step.run = begin_listening;
	listener->step.free = listener_free;
	listener->cred = get_current_cred();
	listener->file = get_file(file);
	listener->port = *step;
	listener->port.backlog = min(record->backlog, limit);
	ckpt_last_step_add(ctx, &listener->step);
	return 0;
}

/* What no option brings about. */
static int set_rest(struct ckpt_ctx *ctx, struct sock *sk,
		    const struct ckpt_hdr_file_tcp *record,
		    const struct ckpt_hdr_socket *options)
{
	if (options->shutdown && record->state == CKPT_TCP_LISTENING)
		return ckpt_error(ctx, -EINVAL,
				  "TCP socket: it listens and is shut down");
	/* The kernel bounds what it is given, without a word. */
	if (READ_ONCE(sk->sk_rcvlowat) != options->rcvlowat)
		return ckpt_error(ctx, -EPERM, "SO_RCVLOWAT of a socket: %u",
				  options->rcvlowat);
	WRITE_ONCE(sk->sk_shutdown, options->shutdown);
	WRITE_ONCE(sk->sk_err, options->error);
	return 0;
}

static int restore_socket(struct ckpt_ctx *ctx, struct file *file,
			  const struct ckpt_hdr_file_tcp *record)
{
	bool ipv6 = record->family == CKPT_TCP_IPV6;
	struct port_step step = { .sock = sock_from_file(file) };
	struct ckpt_hdr_socket options;
	struct sock *sk = step.sock->sk;
	int ret;

	ret = ckpt_tcp_options_restore(ctx, step.sock);
	/* IP_TOS has set the priority. */
	if (!ret)
		ret = ckpt_socket_restore(ctx, file, &options);
	if (!ret)
		ret = bind_to_device(ctx, step.sock, record->device);
	if (ret)
		return ret;
	set_address(&step.address, ipv6, record->address, record->port);
	if (ipv6)
		((struct sockaddr_in6 *)&step.address)->sin6_scope_id =
			READ_ONCE(sk->sk_bound_dev_if);
	ret = bind_socket(ctx, &step, record);
	if (!ret)
		ret = set_rest(ctx, sk, record, &options);
	if (!ret && record->state == CKPT_TCP_LISTENING)
		ret = add_listener(ctx, file, &step, record);
	return ret;
}

static struct file *make_file(struct ckpt_ctx *ctx,
			      const struct ckpt_hdr_file_tcp *record)
{
	int family = record->family == CKPT_TCP_IPV6 ? PF_INET6 : PF_INET;
	struct socket *sock;
	int ret;

	ret = sock_create(family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (ret)
		return ERR_PTR(ckpt_error(ctx, ret,
					  "cannot create a TCP socket of IPv%u",
					  record->family));
	/* If it fails it takes the socket with it. */
	return sock_alloc_file(sock, 0, NULL);
}

/**
 * ckpt_tcp_restore - read and make an open file of a TCP socket
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -EADDRINUSE if
 * somebody has the port.
 */
struct file *ckpt_tcp_restore(struct ckpt_ctx *ctx,
			      const struct ckpt_hdr_file *file_record)
{
	const unsigned int settable = O_APPEND | O_DSYNC | __O_SYNC |
				      O_NOATIME;
	struct ckpt_hdr_file_tcp record;
	const char *problem;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_TCP, &record);
	if (ret)
		return ERR_PTR(ret);
	problem = record_problem(&record);
	if (!problem && (file_record->open_flags & O_ACCMODE) != O_RDWR)
		problem = "it is not open to be read and written";
	if (problem)
		return ERR_PTR(ckpt_error(ctx, -EINVAL, "TCP socket: %s",
					  problem));
	file = make_file(ctx, &record);
	if (IS_ERR(file))
		return file;
	ret = restore_socket(ctx, file, &record);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	spin_lock(&file->f_lock);
	file->f_flags |= file_record->open_flags & settable;
	spin_unlock(&file->f_lock);
	return file;
}
