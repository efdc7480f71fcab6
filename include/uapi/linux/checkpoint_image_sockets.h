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
#define CKPT_SOCKET_ALL			0x3fffff

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

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_SOCKETS_H */
