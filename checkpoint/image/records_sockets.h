/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Part of records.c: the description of the records of sockets.
 */

#define SOCKET(R, s)							\
	MASK(R, s, flags, CKPT_SOCKET_ALL)				\
	MASK(R, s, mode, 07777)						\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	UINT(R, s, sndbuf, 1, 0x7fffffff)				\
	UINT(R, s, rcvbuf, 1, 0x7fffffff)				\
	MASK(R, s, buffer_locks, 0x3)					\
	UINT(R, s, rcvlowat, 1, 0x7fffffff)				\
	R(s, rcvtimeo_usec, SINT, -1, NS_MAX, 0)			\
	R(s, sndtimeo_usec, SINT, -1, NS_MAX, 0)			\
	ANY(R, s, linger_sec, 0)					\
	ANY(R, s, priority, 0)						\
	ANY(R, s, mark, HEX)						\
	R(s, peek_off, SINT, -1, 0x7fffffff, 0)				\
	UINT(R, s, error, 0, 4095)					\
	MASK(R, s, shutdown, 0x3)
DESCRIBE(socket, SOCKET);

#define UNIX_SOCKETS(R, s)						\
	UINT(R, s, nr_sockets, 1, 0x7fffffff)				\
	ANY(R, s, nr_messages, 0)
DESCRIBE(unix_sockets, UNIX_SOCKETS);

#define UNIX_SOCKET(R, s)						\
	UINT(R, s, type, CKPT_UNIX_STREAM, CKPT_UNIX_SEQPACKET)		\
	MASK(R, s, flags, CKPT_UNIX_ALL)				\
	UINT(R, s, state, CKPT_UNIX_UNCONNECTED, CKPT_UNIX_LISTENING)	\
	UINT(R, s, peer, 0, 0x7fffffff)					\
	OPT_REF(R, s, peer_cred, CRED)					\
	R(s, peer_pid, UINT, 0, MAX_PID, VOLATILE)			\
	ANY(R, s, backlog, 0)						\
	ZERO(R, s, reserved)
DESCRIBE(unix_socket, UNIX_SOCKET);

#define UNIX_PATH(R, s)							\
	MASK(R, s, mode, 07777)						\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	ZERO(R, s, reserved)
DESCRIBE(unix_path, UNIX_PATH);

#define UNIX_MESSAGE(R, s)						\
	UINT(R, s, from, 1, 0x7fffffff)					\
	UINT(R, s, to, 1, 0x7fffffff)					\
	MASK(R, s, flags, CKPT_UNIX_MESSAGE_ALL)			\
	R(s, pid, UINT, 0, MAX_PID, VOLATILE)				\
	UINT(R, s, uid, 0, 0xfffffffe)					\
	UINT(R, s, gid, 0, 0xfffffffe)					\
	R(s, time_ns, SINT, -0x7fffffffffffffffLL,			\
	  0x7fffffffffffffffLL, 0)					\
	UINT(R, s, nr_files, 0, 253)					\
	ZERO(R, s, reserved)
DESCRIBE(unix_message, UNIX_MESSAGE);

#define UNIX_FILE(R, s)							\
	OPT_REF(R, s, file, FILE)					\
	UINT(R, s, socket, 0, 0x7fffffff)
DESCRIBE(unix_file, UNIX_FILE);

#define FILE_UNIX(R, s)							\
	REF(R, s, sockets, UNIX)					\
	UINT(R, s, index, 1, 0x7fffffff)
DESCRIBE(file_unix, FILE_UNIX);

#define FILE_TCP(R, s)							\
	UINT(R, s, family, CKPT_TCP_IPV4, CKPT_TCP_IPV6)		\
	UINT(R, s, state, CKPT_TCP_CLOSED, CKPT_TCP_LISTENING)		\
	MASK(R, s, flags, CKPT_TCP_ALL)					\
	UINT(R, s, port, 0, 65535)					\
	UINT(R, s, backlog, 0, 0x7fffffff)				\
	ZERO(R, s, reserved)						\
	R(s, address, BYTES, 0, 0, 0)					\
	R(s, device, TEXT, 0, 0, 0)
DESCRIBE(file_tcp, FILE_TCP);

#define TCP_OPTIONS(R, s)						\
	MASK(R, s, flags, CKPT_TCP_OPTION_ALL)				\
	R(s, linger2_sec, SINT, -1, 0x7fffffff, 0)			\
	UINT(R, s, save_syn, 0, 2)					\
	UINT(R, s, keepidle_sec, 0, 32767)				\
	UINT(R, s, keepintvl_sec, 0, 32767)				\
	UINT(R, s, keepcnt, 0, 127)					\
	UINT(R, s, syncnt, 0, 127)					\
	UINT(R, s, defer_accept_sec, 0, 0x7fffffff)			\
	UINT(R, s, fastopen, 0, 0x7fffffff)				\
	UINT(R, s, user_timeout_msec, 0, 0x7fffffff)			\
	UINT(R, s, maxseg, 0, 65535)					\
	ANY(R, s, window_clamp, 0)					\
	ANY(R, s, notsent_lowat, 0)					\
	ANY(R, s, tx_delay_usec, 0)					\
	R(s, congestion, TEXT, 0, 0, 0)
DESCRIBE(tcp_options, TCP_OPTIONS);

#define IP_OPTIONS(R, s)						\
	MASK(R, s, flags, CKPT_IP_OPTION_ALL)				\
	R(s, ttl, SINT, -1, 255, 0)					\
	UINT(R, s, minttl, 0, 255)					\
	R(s, tos, UINT, 0, 255, HEX)					\
	UINT(R, s, mtu_discover, 0, 5)					\
	ANY(R, s, local_port_range, HEX)
DESCRIBE(ip_options, IP_OPTIONS);

#define IPV6_OPTIONS(R, s)						\
	MASK(R, s, flags, CKPT_IPV6_OPTION_ALL)				\
	R(s, hops, SINT, -1, 255, 0)					\
	UINT(R, s, minhops, 0, 255)					\
	R(s, tclass, UINT, 0, 255, HEX)					\
	UINT(R, s, mtu_discover, 0, 5)					\
	UINT(R, s, mtu, 0, 0x7fffffff)					\
	MASK(R, s, addr_preferences, 0x507)				\
	R(s, autoflowlabel, SINT, -1, 1, 0)
DESCRIBE(ipv6_options, IPV6_OPTIONS);
