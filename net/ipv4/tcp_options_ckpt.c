// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the options of TCP sockets.
 *
 * Saved: options of tcp(7), ip(7) and ipv6(7) that a socket can have which is not
 *	connected.
 * Refused: what is more than a number; see tcp_ckpt.c.
 *
 * One function looks at a socket, for the image and for the new socket. What is
 * different in that is set as a program would, with the rights that it takes, and
 * must be the same then.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <net/inet_connection_sock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

/**
 * struct tcp_options - all options of a socket, as the image has them
 * @tcp: of TCP
 * @ip: of IP
 * @ipv6: of IPv6, if it is such a socket
 */
struct tcp_options {
	struct ckpt_hdr_tcp_options tcp;
	struct ckpt_hdr_ip_options ip;
	struct ckpt_hdr_ipv6_options ipv6;
};

/**
 * struct option - an option that is a number
 * @level: of setsockopt()
 * @option: of setsockopt()
 * @offset: of the word in struct tcp_options
 * @flag: the bit of the word that it is, or 0: all
 * @name: for messages
 */
struct option {
	int level;
	int option;
	size_t offset;
	u32 flag;
	const char *name;
};

/* The name is taken before it is replaced by its number. */
#define VALUE(_level, _record, _field, _option, _name)			\
	{ SOL_##_level, _option,					\
	  offsetof(struct tcp_options, _record._field), 0, _name }
#define FLAG(_level, _record, _flag, _option, _name)			\
	{ SOL_##_level, _option,					\
	  offsetof(struct tcp_options, _record.flags),			\
	  CKPT_##_level##_OPTION_##_flag, _name }
#define TCP_VALUE(_field, _option)					\
	VALUE(TCP, tcp, _field, _option, #_option)
#define TCP_FLAG(_flag, _option)					\
	FLAG(TCP, tcp, _flag, _option, #_option)
#define IP_VALUE(_field, _option)					\
	VALUE(IP, ip, _field, _option, #_option)
#define IP_FLAG(_flag)							\
	FLAG(IP, ip, _flag, IP_##_flag, "IP_" #_flag)
#define IPV6_VALUE(_field, _option)					\
	VALUE(IPV6, ipv6, _field, _option, #_option)
#define IPV6_FLAG(_flag)						\
	FLAG(IPV6, ipv6, _flag, IPV6_##_flag, "IPV6_" #_flag)

static const struct option options[] = {
	TCP_FLAG(NODELAY, TCP_NODELAY),
	TCP_FLAG(CORK, TCP_CORK),
	TCP_FLAG(QUICKACK, TCP_QUICKACK),
	TCP_FLAG(THIN_LINEAR, TCP_THIN_LINEAR_TIMEOUTS),
	TCP_FLAG(FASTOPEN_CONNECT, TCP_FASTOPEN_CONNECT),
	TCP_FLAG(FASTOPEN_NO_COOKIE, TCP_FASTOPEN_NO_COOKIE),
	TCP_FLAG(INQ, TCP_INQ),
	TCP_VALUE(linger2_sec, TCP_LINGER2),
	TCP_VALUE(save_syn, TCP_SAVE_SYN),
	TCP_VALUE(keepidle_sec, TCP_KEEPIDLE),
	TCP_VALUE(keepintvl_sec, TCP_KEEPINTVL),
	TCP_VALUE(keepcnt, TCP_KEEPCNT),
	TCP_VALUE(syncnt, TCP_SYNCNT),
	TCP_VALUE(defer_accept_sec, TCP_DEFER_ACCEPT),
	TCP_VALUE(fastopen, TCP_FASTOPEN),
	TCP_VALUE(user_timeout_msec, TCP_USER_TIMEOUT),
	TCP_VALUE(maxseg, TCP_MAXSEG),
	TCP_VALUE(window_clamp, TCP_WINDOW_CLAMP),
	TCP_VALUE(notsent_lowat, TCP_NOTSENT_LOWAT),
	TCP_VALUE(tx_delay_usec, TCP_TX_DELAY),
	IP_FLAG(PKTINFO),
	IP_FLAG(RECVTTL),
	IP_FLAG(RECVTOS),
	IP_FLAG(RECVOPTS),
	IP_FLAG(RETOPTS),
	IP_FLAG(PASSSEC),
	IP_FLAG(RECVORIGDSTADDR),
	IP_FLAG(CHECKSUM),
	IP_FLAG(RECVERR),
	IP_FLAG(RECVERR_RFC4884),
	IP_FLAG(FREEBIND),
	IP_FLAG(MULTICAST_LOOP),
	IP_FLAG(MULTICAST_ALL),
	IP_FLAG(TRANSPARENT),
	IP_FLAG(BIND_ADDRESS_NO_PORT),
	IP_VALUE(ttl, IP_TTL),
	IP_VALUE(minttl, IP_MINTTL),
	IP_VALUE(tos, IP_TOS),
	IP_VALUE(mtu_discover, IP_MTU_DISCOVER),
	IP_VALUE(local_port_range, IP_LOCAL_PORT_RANGE),
	IPV6_FLAG(V6ONLY),
	IPV6_FLAG(RECVPKTINFO),
	IPV6_FLAG(2292PKTINFO),
	IPV6_FLAG(RECVHOPLIMIT),
	IPV6_FLAG(2292HOPLIMIT),
	IPV6_FLAG(RECVRTHDR),
	IPV6_FLAG(2292RTHDR),
	IPV6_FLAG(RECVHOPOPTS),
	IPV6_FLAG(2292HOPOPTS),
	IPV6_FLAG(RECVDSTOPTS),
	IPV6_FLAG(2292DSTOPTS),
	IPV6_FLAG(FLOWINFO),
	IPV6_FLAG(RECVTCLASS),
	IPV6_FLAG(RECVPATHMTU),
	IPV6_FLAG(RECVORIGDSTADDR),
	IPV6_FLAG(RECVFRAGSIZE),
	IPV6_FLAG(RECVERR),
	IPV6_FLAG(RECVERR_RFC4884),
	IPV6_FLAG(MULTICAST_LOOP),
	IPV6_FLAG(MULTICAST_ALL),
	IPV6_FLAG(DONTFRAG),
	IPV6_FLAG(ROUTER_ALERT_ISOLATE),
	IPV6_FLAG(FLOWINFO_SEND),
	IPV6_VALUE(hops, IPV6_UNICAST_HOPS),
	IPV6_VALUE(minhops, IPV6_MINHOPCOUNT),
	IPV6_VALUE(tclass, IPV6_TCLASS),
	IPV6_VALUE(mtu_discover, IPV6_MTU_DISCOVER),
	IPV6_VALUE(mtu, IPV6_MTU),
	IPV6_VALUE(addr_preferences, IPV6_ADDR_PREFERENCES),
	IPV6_VALUE(autoflowlabel, IPV6_AUTOFLOWLABEL),
};

#define ADD_FLAG(_flags, _level, _flag, _is_on)				\
	(*(_flags) |= (_is_on) ? CKPT_##_level##_OPTION_##_flag : 0)

static void get_tcp_flags(struct sock *sk, u32 *flags)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	ADD_FLAG(flags, TCP, NODELAY, tp->nonagle & TCP_NAGLE_OFF);
	ADD_FLAG(flags, TCP, CORK, tp->nonagle & TCP_NAGLE_CORK);
	ADD_FLAG(flags, TCP, QUICKACK, !inet_csk_in_pingpong_mode(sk));
	ADD_FLAG(flags, TCP, THIN_LINEAR, tp->thin_lto);
	ADD_FLAG(flags, TCP, FASTOPEN_CONNECT, tp->fastopen_connect);
	ADD_FLAG(flags, TCP, FASTOPEN_NO_COOKIE, tp->fastopen_no_cookie);
	ADD_FLAG(flags, TCP, INQ, tp->recvmsg_inq);
	ADD_FLAG(flags, TCP, CONGESTION_CHOSEN, icsk->icsk_ca_setsockopt);
}

/* What is kept in another form than it is told, and needs no lock. */
static int get_defer_accept(struct sock *sk)
{
	int value = 0, len = sizeof(value);

	do_tcp_getsockopt(sk, SOL_TCP, TCP_DEFER_ACCEPT, KERNEL_SOCKPTR(&value),
			  KERNEL_SOCKPTR(&len));
	return value;
}

static void get_tcp(struct sock *sk, struct ckpt_hdr_tcp_options *record)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	int linger2 = READ_ONCE(tp->linger2);

	get_tcp_flags(sk, &record->flags);
	record->linger2_sec = linger2 < 0 ? -1 : linger2 / HZ;
	record->save_syn = tp->save_syn;
	record->keepidle_sec = READ_ONCE(tp->keepalive_time) / HZ;
	record->keepintvl_sec = READ_ONCE(tp->keepalive_intvl) / HZ;
	record->keepcnt = READ_ONCE(tp->keepalive_probes);
	record->syncnt = READ_ONCE(icsk->icsk_syn_retries);
	record->defer_accept_sec = get_defer_accept(sk);
	record->fastopen = READ_ONCE(icsk->icsk_accept_queue.fastopenq.max_qlen);
	record->user_timeout_msec = READ_ONCE(icsk->icsk_user_timeout);
	record->maxseg = READ_ONCE(tp->rx_opt.user_mss);
	record->window_clamp = READ_ONCE(tp->window_clamp);
	record->notsent_lowat = READ_ONCE(tp->notsent_lowat);
	record->tx_delay_usec = READ_ONCE(tp->tcp_tx_delay);
	rcu_read_lock();
	strscpy_pad(record->congestion, READ_ONCE(icsk->icsk_ca_ops)->name);
	rcu_read_unlock();
}

#define ADD_IP_FLAG(_flag, _bit)					\
	ADD_FLAG(&record->flags, IP, _flag, inet_test_bit(_bit, sk))

static void get_ip(struct sock *sk, struct ckpt_hdr_ip_options *record)
{
	const struct inet_sock *inet = inet_sk(sk);

	ADD_IP_FLAG(PKTINFO, PKTINFO);
	ADD_IP_FLAG(RECVTTL, TTL);
	ADD_IP_FLAG(RECVTOS, TOS);
	ADD_IP_FLAG(RECVOPTS, RECVOPTS);
	ADD_IP_FLAG(RETOPTS, RETOPTS);
	ADD_IP_FLAG(PASSSEC, PASSSEC);
	ADD_IP_FLAG(RECVORIGDSTADDR, ORIGDSTADDR);
	ADD_IP_FLAG(CHECKSUM, CHECKSUM);
	ADD_IP_FLAG(RECVERR, RECVERR);
	ADD_IP_FLAG(RECVERR_RFC4884, RECVERR_RFC4884);
	ADD_IP_FLAG(FREEBIND, FREEBIND);
	ADD_IP_FLAG(MULTICAST_LOOP, MC_LOOP);
	ADD_IP_FLAG(MULTICAST_ALL, MC_ALL);
	ADD_IP_FLAG(TRANSPARENT, TRANSPARENT);
	ADD_IP_FLAG(BIND_ADDRESS_NO_PORT, BIND_ADDRESS_NO_PORT);
	record->ttl = READ_ONCE(inet->uc_ttl);
	record->minttl = READ_ONCE(inet->min_ttl);
	record->tos = READ_ONCE(inet->tos);
	record->mtu_discover = READ_ONCE(inet->pmtudisc);
	record->local_port_range = READ_ONCE(inet->local_port_range);
}

#if IS_ENABLED(CONFIG_IPV6)
#define ADD_IPV6_FLAG(_flag, _is_on)					\
	ADD_FLAG(&record->flags, IPV6, _flag, _is_on)

static void get_ipv6_flags(struct sock *sk, struct ckpt_hdr_ipv6_options *record)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	ADD_IPV6_FLAG(V6ONLY, ipv6_only_sock(sk));
	ADD_IPV6_FLAG(RECVPKTINFO, np->rxopt.bits.rxinfo);
	ADD_IPV6_FLAG(2292PKTINFO, np->rxopt.bits.rxoinfo);
	ADD_IPV6_FLAG(RECVHOPLIMIT, np->rxopt.bits.rxhlim);
	ADD_IPV6_FLAG(2292HOPLIMIT, np->rxopt.bits.rxohlim);
	ADD_IPV6_FLAG(RECVRTHDR, np->rxopt.bits.srcrt);
	ADD_IPV6_FLAG(2292RTHDR, np->rxopt.bits.osrcrt);
	ADD_IPV6_FLAG(RECVHOPOPTS, np->rxopt.bits.hopopts);
	ADD_IPV6_FLAG(2292HOPOPTS, np->rxopt.bits.ohopopts);
	ADD_IPV6_FLAG(RECVDSTOPTS, np->rxopt.bits.dstopts);
	ADD_IPV6_FLAG(2292DSTOPTS, np->rxopt.bits.odstopts);
	ADD_IPV6_FLAG(FLOWINFO, np->rxopt.bits.rxflow);
	ADD_IPV6_FLAG(RECVTCLASS, np->rxopt.bits.rxtclass);
	ADD_IPV6_FLAG(RECVPATHMTU, np->rxopt.bits.rxpmtu);
	ADD_IPV6_FLAG(RECVORIGDSTADDR, np->rxopt.bits.rxorigdstaddr);
	ADD_IPV6_FLAG(RECVFRAGSIZE, np->rxopt.bits.recvfragsize);
	ADD_IPV6_FLAG(RECVERR, inet_test_bit(RECVERR6, sk));
	ADD_IPV6_FLAG(RECVERR_RFC4884, inet_test_bit(RECVERR6_RFC4884, sk));
	ADD_IPV6_FLAG(MULTICAST_LOOP, inet_test_bit(MC6_LOOP, sk));
	ADD_IPV6_FLAG(MULTICAST_ALL, inet_test_bit(MC6_ALL, sk));
	ADD_IPV6_FLAG(DONTFRAG, inet_test_bit(DONTFRAG, sk));
	ADD_IPV6_FLAG(ROUTER_ALERT_ISOLATE, inet_test_bit(RTALERT_ISOLATE, sk));
	ADD_IPV6_FLAG(FLOWINFO_SEND, inet_test_bit(SNDFLOW, sk));
}

static u32 addr_preferences(u8 chosen)
{
	u32 value = chosen & IPV6_PREFER_SRC_COA ? IPV6_PREFER_SRC_COA :
						   IPV6_PREFER_SRC_HOME;

	if (chosen & IPV6_PREFER_SRC_TMP)
		return value | IPV6_PREFER_SRC_TMP;
	if (chosen & IPV6_PREFER_SRC_PUBLIC)
		return value | IPV6_PREFER_SRC_PUBLIC;
	return value | IPV6_PREFER_SRC_PUBTMP_DEFAULT;
}

static void get_ipv6(struct sock *sk, struct ckpt_hdr_ipv6_options *record)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	get_ipv6_flags(sk, record);
	record->hops = READ_ONCE(np->hop_limit);
	record->minhops = READ_ONCE(np->min_hopcount);
	record->tclass = READ_ONCE(np->tclass);
	record->mtu_discover = READ_ONCE(np->pmtudisc);
	record->mtu = READ_ONCE(np->frag_size);
	record->addr_preferences = addr_preferences(READ_ONCE(np->srcprefs));
	record->autoflowlabel = inet_test_bit(AUTOFLOWLABEL_SET, sk) ?
				inet_test_bit(AUTOFLOWLABEL, sk) : -1;
}
#else
static void get_ipv6(struct sock *sk, struct ckpt_hdr_ipv6_options *record)
{
}
#endif

static bool is_ipv6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6;
}

static void get_all(struct sock *sk, struct tcp_options *all)
{
	memset(all, 0, sizeof(*all));
	get_tcp(sk, &all->tcp);
	get_ip(sk, &all->ip);
	if (is_ipv6(sk))
		get_ipv6(sk, &all->ipv6);
}

/**
 * ckpt_tcp_options_save - append the options of a socket
 * @ctx: context
 * @sk: TCP socket of the target, not connected
 *
 * Return: 0 or -ENOMEM.
 */
int ckpt_tcp_options_save(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct ckpt_hdr_tcp_options *tcp;
	struct ckpt_hdr_ip_options *ip;
	struct ckpt_hdr_ipv6_options *ipv6;

	tcp = ckpt_record_add(ctx, CKPT_HDR_TCP_OPTIONS);
	if (!tcp)
		return -ENOMEM;
	get_tcp(sk, tcp);
	ip = ckpt_record_add(ctx, CKPT_HDR_IP_OPTIONS);
	if (!ip)
		return -ENOMEM;
	get_ip(sk, ip);
	if (!is_ipv6(sk))
		return 0;
	ipv6 = ckpt_record_add(ctx, CKPT_HDR_IPV6_OPTIONS);
	if (!ipv6)
		return -ENOMEM;
	get_ipv6(sk, ipv6);
	return 0;
}

static int value_of(const struct tcp_options *all, const struct option *option)
{
	u32 word = *(const u32 *)((const char *)all + option->offset);

	return option->flag ? !!(word & option->flag) : word;
}

static int set_option(struct ckpt_ctx *ctx, struct socket *sock,
		      const struct option *option, int value)
{
	int ret = sock_common_setsockopt(sock, option->level, option->option,
					 KERNEL_SOCKPTR(&value), sizeof(value));

	return ret ? ckpt_error(ctx, ret, "%s of a TCP socket: %d",
				option->name, value) : 0;
}

/* First: it may have a say in IP_TOS. */
static int set_congestion(struct ckpt_ctx *ctx, struct socket *sock,
			  const struct tcp_options *want,
			  const struct tcp_options *have)
{
	const char *name = want->tcp.congestion;
	bool chosen = want->tcp.flags & CKPT_TCP_OPTION_CONGESTION_CHOSEN;
	int ret;

	if (!chosen && !strcmp(name, have->tcp.congestion))
		return 0;
	ret = sock_common_setsockopt(sock, SOL_TCP, TCP_CONGESTION,
				     KERNEL_SOCKPTR((void *)name),
				     strlen(name));
	if (ret)
		return ckpt_error(ctx, ret, "TCP_CONGESTION of a TCP socket: %s",
				  name);
	lock_sock(sock->sk);
	inet_csk(sock->sk)->icsk_ca_setsockopt = chosen;
	release_sock(sock->sk);
	return 0;
}

/* What was rounded, or bounded, is not what was saved. */
static int check_option(struct ckpt_ctx *ctx, const struct option *option,
			int want, int have)
{
	/* The system may let fewer wait. */
	if (want == have || option->offset == offsetof(struct tcp_options,
						       tcp.fastopen))
		return 0;
	return ckpt_error(ctx, -EINVAL, "%s of a TCP socket: %d", option->name,
			  want);
}

static int set_all(struct ckpt_ctx *ctx, struct socket *sock,
		   const struct tcp_options *want)
{
	unsigned int nr = ARRAY_SIZE(options), index;
	struct tcp_options have;
	int ret;

	get_all(sock->sk, &have);
	ret = set_congestion(ctx, sock, want, &have);
	for (index = 0; index < nr && !ret; index++) {
		int value = value_of(want, &options[index]);

		if (value != value_of(&have, &options[index]))
			ret = set_option(ctx, sock, &options[index], value);
	}
	get_all(sock->sk, &have);
	for (index = 0; index < nr && !ret; index++)
		ret = check_option(ctx, &options[index],
				   value_of(want, &options[index]),
				   value_of(&have, &options[index]));
	return ret;
}

/**
 * ckpt_tcp_options_restore - read the options of a socket, and set them
 * @ctx: context
 * @sock: a new TCP socket
 *
 * Return: 0 or a negative errno.
 */
int ckpt_tcp_options_restore(struct ckpt_ctx *ctx, struct socket *sock)
{
	struct tcp_options want = { };
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_TCP_OPTIONS, &want.tcp);
	if (!ret)
		ret = ckpt_record_read(ctx, CKPT_HDR_IP_OPTIONS, &want.ip);
	if (!ret && is_ipv6(sock->sk))
		ret = ckpt_record_read(ctx, CKPT_HDR_IPV6_OPTIONS, &want.ipv6);
	return ret ?: set_all(ctx, sock, &want);
}
