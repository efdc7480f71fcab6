/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image: sockets.
 *
 * Part of <linux/checkpoint_image.h>, which has the rules for all records.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_SOCKETS_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_SOCKETS_H

#include <linux/checkpoint_image.h>

/* struct ckpt_hdr_socket.flags: options of socket(7) that are on */
#define CKPT_SOCKET_DEBUG		0x1
#define CKPT_SOCKET_REUSEADDR		0x2
#define CKPT_SOCKET_KEEPALIVE		0x4
#define CKPT_SOCKET_DONTROUTE		0x8
#define CKPT_SOCKET_BROADCAST		0x10
#define CKPT_SOCKET_OOBINLINE		0x20
#define CKPT_SOCKET_NO_CHECK		0x40
#define CKPT_SOCKET_TIMESTAMP_OLD	0x80
#define CKPT_SOCKET_TIMESTAMPNS_OLD	0x100
#define CKPT_SOCKET_TIMESTAMP_NEW	0x200
#define CKPT_SOCKET_TIMESTAMPNS_NEW	0x400
#define CKPT_SOCKET_PASSCRED		0x800
#define CKPT_SOCKET_PASSPIDFD		0x1000
#define CKPT_SOCKET_PASSSEC		0x2000
#define CKPT_SOCKET_RXQ_OVFL		0x4000
#define CKPT_SOCKET_WIFI_STATUS		0x8000
#define CKPT_SOCKET_NOFCS		0x10000
#define CKPT_SOCKET_SELECT_ERR_QUEUE	0x20000
#define CKPT_SOCKET_LOCK_FILTER		0x40000
#define CKPT_SOCKET_RCVMARK		0x80000
#define CKPT_SOCKET_LINGER		0x100000
#define CKPT_SOCKET_ASYNC_NOSPACE	0x200000 /* O_ASYNC tells when there is room */
#define CKPT_SOCKET_REUSEPORT		0x400000
#define CKPT_SOCKET_ZEROCOPY		0x800000
#define CKPT_SOCKET_ALL			0xffffff

/* struct ckpt_hdr_socket.buffer_locks: sizes that were chosen */
#define CKPT_SOCKET_SNDBUF		0x1
#define CKPT_SOCKET_RCVBUF		0x2

/**
 * struct ckpt_hdr_socket - what sockets of all families have
 *
 * Part of other records' sequence. Times that have no end are -1.
 *
 * @h: type and length
 * @flags: CKPT_SOCKET_DEBUG and the like
 * @mode: permission bits
 * @uid: owner
 * @gid: group
 * @sndbuf: SO_SNDBUF as getsockopt(2) tells it
 * @rcvbuf: SO_RCVBUF, likewise
 * @buffer_locks: CKPT_SOCKET_SNDBUF, CKPT_SOCKET_RCVBUF
 * @rcvlowat: SO_RCVLOWAT
 * @rcvtimeo_usec: SO_RCVTIMEO; 0: do not wait
 * @sndtimeo_usec: SO_SNDTIMEO, likewise
 * @linger_sec: SO_LINGER, in force or not
 * @priority: SO_PRIORITY
 * @mark: SO_MARK
 * @peek_off: SO_PEEK_OFF, or -1
 * @error: errno of SO_ERROR, positive, or 0
 * @shutdown: bit 0: not read any more, bit 1: not written any more
 */
struct ckpt_hdr_socket {
	struct ckpt_hdr h;
	__u32 flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 sndbuf;
	__u32 rcvbuf;
	__u32 buffer_locks;
	__u32 rcvlowat;
	__s64 rcvtimeo_usec;
	__s64 sndtimeo_usec;
	__u32 linger_sec;
	__u32 priority;
	__u32 mark;
	__s32 peek_off;
	__u32 error;
	__u32 shutdown;
};

/**
 * struct ckpt_hdr_unix_sockets - all unix sockets of an image
 *
 * They refer to each other, so they are one object. Followed by @nr_sockets
 * times a struct ckpt_hdr_unix_socket with what comes behind it: first the
 * sockets that are open. Then come @nr_messages times a struct
 * ckpt_hdr_unix_message with what comes behind it, those of each receiver in the
 * order in which they are read.
 *
 * @h: type and length
 * @nr_sockets: how many
 * @nr_messages: that were not read yet
 */
struct ckpt_hdr_unix_sockets {
	struct ckpt_hdr h;
	__u32 nr_sockets;
	__u32 nr_messages;
};

/* struct ckpt_hdr_unix_socket.type */
#define CKPT_UNIX_STREAM	1
#define CKPT_UNIX_DGRAM		2
#define CKPT_UNIX_SEQPACKET	3

/* struct ckpt_hdr_unix_socket.state */
#define CKPT_UNIX_UNCONNECTED	1
#define CKPT_UNIX_CONNECTED	2
#define CKPT_UNIX_LISTENING	3

/* struct ckpt_hdr_unix_socket.flags */
#define CKPT_UNIX_CLOSED	0x1	/* of nobody, or outside: only a sender or a peer */
#define CKPT_UNIX_OUTSIDE	0x2	/* the peer is not in the image */
#define CKPT_UNIX_NAMED		0x4	/* has a name */
#define CKPT_UNIX_BOUND		0x8	/* and is found by it */
#define CKPT_UNIX_ALL		0xf

/**
 * struct ckpt_hdr_unix_socket - a unix socket
 *
 * Sockets are counted from 1 on. Followed by a struct ckpt_hdr_socket unless it is
 * CKPT_UNIX_CLOSED. If it is CKPT_UNIX_NAMED, its name comes then as a struct
 * ckpt_hdr_buffer: the sun_path of bind(2), with the NUL byte that ends a path. If
 * it is CKPT_UNIX_BOUND, too, and the name is not abstract, a struct
 * ckpt_hdr_unix_path follows.
 *
 * @h: type and length
 * @type: CKPT_UNIX_STREAM and the like
 * @flags: CKPT_UNIX_*
 * @state: CKPT_UNIX_UNCONNECTED and the like
 * @peer: the socket that it is connected to, or 0
 * @peer_cred: SO_PEERCRED, SO_PEERGROUPS: credentials, or 0: none
 * @peer_pid: process of SO_PEERCRED, as struct ckpt_hdr_pids has it; 0: none, or
 *	it is not saved
 * @backlog: that listen(2) was told; 0 unless CKPT_UNIX_LISTENING
 * @reserved: 0
 */
struct ckpt_hdr_unix_socket {
	struct ckpt_hdr h;
	__u32 type;
	__u32 flags;
	__u32 state;
	__u32 peer;
	__u32 peer_cred;
	__u32 peer_pid;
	__u32 backlog;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_unix_path - the file of a socket that is found by a path
 *
 * Followed by the path as a string, seen from the root directory of the caller of
 * checkpoint().
 *
 * @h: type and length
 * @mode: permission bits
 * @uid: owner
 * @gid: group
 * @reserved: 0
 */
struct ckpt_hdr_unix_path {
	struct ckpt_hdr h;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
};

/* struct ckpt_hdr_unix_message.flags */
#define CKPT_UNIX_MESSAGE_CRED	0x1	/* says who has sent it */
#define CKPT_UNIX_MESSAGE_OOB	0x2	/* the byte that MSG_OOB reads next */
#define CKPT_UNIX_MESSAGE_READ	0x4	/* only marks where an MSG_OOB byte was */
#define CKPT_UNIX_MESSAGE_TIME	0x8	/* has a time */
#define CKPT_UNIX_MESSAGE_ALL	0xf

/**
 * struct ckpt_hdr_unix_message - what was sent in one piece and not read yet
 *
 * Followed by its bytes as a struct ckpt_hdr_buffer, and by @nr_files times a struct
 * ckpt_hdr_unix_file.
 *
 * @h: type and length
 * @from: socket that has sent it
 * @to: socket that it can be read from
 * @flags: CKPT_UNIX_MESSAGE_*
 * @pid: SCM_CREDENTIALS: process, as struct ckpt_hdr_pids has it; 0: none, or it
 *	is not saved
 * @uid: and user; 0 without CKPT_UNIX_MESSAGE_CRED
 * @gid: and group; 0 without CKPT_UNIX_MESSAGE_CRED
 * @time_ns: when it was sent, since 1970; 0 without CKPT_UNIX_MESSAGE_TIME
 * @nr_files: open files that it carries
 * @reserved: 0
 */
struct ckpt_hdr_unix_message {
	struct ckpt_hdr h;
	__u32 from;
	__u32 to;
	__u32 flags;
	__u32 pid;
	__u32 uid;
	__u32 gid;
	__s64 time_ns;
	__u32 nr_files;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_unix_file - an open file that is on its way: SCM_RIGHTS
 *
 * One of @file and @socket is not 0.
 *
 * @h: type and length
 * @file: an open file, no unix socket
 * @socket: a unix socket, from 1 on; its open file comes behind the sockets
 */
struct ckpt_hdr_unix_file {
	struct ckpt_hdr h;
	__u32 file;
	__u32 socket;
};

/**
 * struct ckpt_hdr_file_unix - open file of a unix socket
 * @h: type and length
 * @sockets: the unix sockets of the image
 * @index: which of them, from 1 on
 */
struct ckpt_hdr_file_unix {
	struct ckpt_hdr h;
	__u32 sockets;
	__u32 index;
};

/* struct ckpt_hdr_file_tcp.family */
#define CKPT_TCP_IPV4		4
#define CKPT_TCP_IPV6		6

/* struct ckpt_hdr_file_tcp.state */
#define CKPT_TCP_CLOSED		1
#define CKPT_TCP_LISTENING	2

/* struct ckpt_hdr_file_tcp.flags */
#define CKPT_TCP_PORT_CHOSEN	0x1	/* by bind(2), not by the kernel */
#define CKPT_TCP_ALL		0x1

/**
 * struct ckpt_hdr_file_tcp - open file of a TCP socket that is not connected
 *
 * Followed by a struct ckpt_hdr_tcp_options, a struct ckpt_hdr_ip_options, with
 * CKPT_TCP_IPV6 a struct ckpt_hdr_ipv6_options, and a struct ckpt_hdr_socket.
 *
 * @h: type and length
 * @family: CKPT_TCP_IPV4, CKPT_TCP_IPV6
 * @state: CKPT_TCP_CLOSED, CKPT_TCP_LISTENING
 * @flags: CKPT_TCP_*
 * @port: that it is bound to, or 0
 * @backlog: that listen(2) was told; 0 unless CKPT_TCP_LISTENING
 * @reserved: 0
 * @address: that it is bound to, in the order of the network; an IPv4 address
 *	is in the first four bytes, then come zeroes
 * @device: name of the network device of SO_BINDTODEVICE, or of the scope of
 *	@address; or empty
 */
struct ckpt_hdr_file_tcp {
	struct ckpt_hdr h;
	__u32 family;
	__u32 state;
	__u32 flags;
	__u32 port;
	__u32 backlog;
	__u32 reserved;
	__u8 address[16];
	char device[16];
};

/* struct ckpt_hdr_tcp_options.flags: options of tcp(7) that are on */
#define CKPT_TCP_OPTION_NODELAY			0x1
#define CKPT_TCP_OPTION_CORK			0x2
#define CKPT_TCP_OPTION_QUICKACK		0x4
#define CKPT_TCP_OPTION_THIN_LINEAR		0x8
#define CKPT_TCP_OPTION_FASTOPEN_CONNECT	0x10
#define CKPT_TCP_OPTION_FASTOPEN_NO_COOKIE	0x20
#define CKPT_TCP_OPTION_INQ			0x40
#define CKPT_TCP_OPTION_CONGESTION_CHOSEN	0x80 /* by TCP_CONGESTION */
#define CKPT_TCP_OPTION_ALL			0xff

/**
 * struct ckpt_hdr_tcp_options - options of tcp(7)
 *
 * A number that the system has a default for is 0 if that holds.
 *
 * @h: type and length
 * @flags: CKPT_TCP_OPTION_*
 * @linger2_sec: TCP_LINGER2
 * @save_syn: TCP_SAVE_SYN
 * @keepidle_sec: TCP_KEEPIDLE
 * @keepintvl_sec: TCP_KEEPINTVL
 * @keepcnt: TCP_KEEPCNT
 * @syncnt: TCP_SYNCNT
 * @defer_accept_sec: TCP_DEFER_ACCEPT
 * @fastopen: TCP_FASTOPEN: how many connections
 * @user_timeout_msec: TCP_USER_TIMEOUT
 * @maxseg: TCP_MAXSEG
 * @window_clamp: TCP_WINDOW_CLAMP
 * @notsent_lowat: TCP_NOTSENT_LOWAT
 * @tx_delay_usec: TCP_TX_DELAY
 * @congestion: TCP_CONGESTION
 */
struct ckpt_hdr_tcp_options {
	struct ckpt_hdr h;
	__u32 flags;
	__s32 linger2_sec;
	__u32 save_syn;
	__u32 keepidle_sec;
	__u32 keepintvl_sec;
	__u32 keepcnt;
	__u32 syncnt;
	__u32 defer_accept_sec;
	__u32 fastopen;
	__u32 user_timeout_msec;
	__u32 maxseg;
	__u32 window_clamp;
	__u32 notsent_lowat;
	__u32 tx_delay_usec;
	char congestion[16];
};

/* struct ckpt_hdr_ip_options.flags: options of ip(7) that are on */
#define CKPT_IP_OPTION_PKTINFO			0x1
#define CKPT_IP_OPTION_RECVTTL			0x2
#define CKPT_IP_OPTION_RECVTOS			0x4
#define CKPT_IP_OPTION_RECVOPTS			0x8
#define CKPT_IP_OPTION_RETOPTS			0x10
#define CKPT_IP_OPTION_PASSSEC			0x20
#define CKPT_IP_OPTION_RECVORIGDSTADDR		0x40
#define CKPT_IP_OPTION_CHECKSUM			0x80
#define CKPT_IP_OPTION_RECVERR			0x100
#define CKPT_IP_OPTION_RECVERR_RFC4884		0x200
#define CKPT_IP_OPTION_FREEBIND			0x400
#define CKPT_IP_OPTION_MULTICAST_LOOP		0x800
#define CKPT_IP_OPTION_MULTICAST_ALL		0x1000
#define CKPT_IP_OPTION_TRANSPARENT		0x2000
#define CKPT_IP_OPTION_BIND_ADDRESS_NO_PORT	0x4000
#define CKPT_IP_OPTION_ALL			0x7fff

/**
 * struct ckpt_hdr_ip_options - options of ip(7)
 * @h: type and length
 * @flags: CKPT_IP_OPTION_*
 * @ttl: IP_TTL; -1: the default of the system
 * @minttl: IP_MINTTL
 * @tos: IP_TOS
 * @mtu_discover: IP_MTU_DISCOVER
 * @local_port_range: IP_LOCAL_PORT_RANGE
 */
struct ckpt_hdr_ip_options {
	struct ckpt_hdr h;
	__u32 flags;
	__s32 ttl;
	__u32 minttl;
	__u32 tos;
	__u32 mtu_discover;
	__u32 local_port_range;
};

/* struct ckpt_hdr_ipv6_options.flags: options of ipv6(7) that are on */
#define CKPT_IPV6_OPTION_V6ONLY			0x1
#define CKPT_IPV6_OPTION_RECVPKTINFO		0x2
#define CKPT_IPV6_OPTION_2292PKTINFO		0x4
#define CKPT_IPV6_OPTION_RECVHOPLIMIT		0x8
#define CKPT_IPV6_OPTION_2292HOPLIMIT		0x10
#define CKPT_IPV6_OPTION_RECVRTHDR		0x20
#define CKPT_IPV6_OPTION_2292RTHDR		0x40
#define CKPT_IPV6_OPTION_RECVHOPOPTS		0x80
#define CKPT_IPV6_OPTION_2292HOPOPTS		0x100
#define CKPT_IPV6_OPTION_RECVDSTOPTS		0x200
#define CKPT_IPV6_OPTION_2292DSTOPTS		0x400
#define CKPT_IPV6_OPTION_FLOWINFO		0x800
#define CKPT_IPV6_OPTION_RECVTCLASS		0x1000
#define CKPT_IPV6_OPTION_RECVPATHMTU		0x2000
#define CKPT_IPV6_OPTION_RECVORIGDSTADDR	0x4000
#define CKPT_IPV6_OPTION_RECVFRAGSIZE		0x8000
#define CKPT_IPV6_OPTION_RECVERR		0x10000
#define CKPT_IPV6_OPTION_RECVERR_RFC4884	0x20000
#define CKPT_IPV6_OPTION_MULTICAST_LOOP		0x40000
#define CKPT_IPV6_OPTION_MULTICAST_ALL		0x80000
#define CKPT_IPV6_OPTION_DONTFRAG		0x100000
#define CKPT_IPV6_OPTION_ROUTER_ALERT_ISOLATE	0x200000
#define CKPT_IPV6_OPTION_FLOWINFO_SEND		0x400000
#define CKPT_IPV6_OPTION_ALL			0x7fffff

/**
 * struct ckpt_hdr_ipv6_options - options of ipv6(7)
 * @h: type and length
 * @flags: CKPT_IPV6_OPTION_*
 * @hops: IPV6_UNICAST_HOPS; -1: the default of the system
 * @minhops: IPV6_MINHOPCOUNT
 * @tclass: IPV6_TCLASS
 * @mtu_discover: IPV6_MTU_DISCOVER
 * @mtu: IPV6_MTU, or 0
 * @addr_preferences: IPV6_ADDR_PREFERENCES
 * @autoflowlabel: IPV6_AUTOFLOWLABEL; -1: the default of the system
 */
struct ckpt_hdr_ipv6_options {
	struct ckpt_hdr h;
	__u32 flags;
	__s32 hops;
	__u32 minhops;
	__u32 tclass;
	__u32 mtu_discover;
	__u32 mtu;
	__u32 addr_preferences;
	__s32 autoflowlabel;
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_SOCKETS_H */
