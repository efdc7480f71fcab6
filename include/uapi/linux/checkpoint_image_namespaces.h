/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image: namespaces.
 *
 * Part of <linux/checkpoint_image.h>, which has the rules for all records.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H

#include <linux/checkpoint_image.h>

/**
 * struct ckpt_hdr_nsproxy - the namespaces of a task
 *
 * Those that the caller of checkpoint() was in are not in the image: 0 stands
 * for the namespace of whoever restarts. One at least is another.
 *
 * @h: type and length
 * @uts_ns: UTS namespace, or 0
 * @ipc_ns: IPC namespace, or 0
 * @pid_ns_for_children: pid namespace of the children that it creates; 0: that of
 *	the first task
 * @reserved: 0
 */
struct ckpt_hdr_nsproxy {
	struct ckpt_hdr h;
	__u32 uts_ns;
	__u32 ipc_ns;
	__u32 pid_ns_for_children;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_uts_ns - UTS namespace
 *
 * What uname(2) tells besides is of the kernel.
 *
 * @h: type and length
 * @nodename: as sethostname(2) takes it
 * @domainname: as setdomainname(2) takes it
 * @reserved: 0
 * @user_ns: user namespace that it belongs to; 0: that of whoever restarts
 */
struct ckpt_hdr_uts_ns {
	struct ckpt_hdr h;
	__u8 nodename[65];
	__u8 domainname[65];
	__u8 reserved[2];
	__u32 user_ns;
};

/**
 * struct ckpt_hdr_ipc_ns - IPC namespace
 *
 * Limits have the names and the meaning of the files in /proc/sys/kernel and,
 * with "mq_", in /proc/sys/fs/mqueue. An identifier is an index and a sequence
 * number; three groups of fields tell which comes next.
 *
 * Followed by a struct ckpt_hdr_ipc_perm and a struct ckpt_hdr_sem_set for each of
 * the @nr_sem_sets sets of semaphores, then by a struct ckpt_hdr_ipc_perm and a
 * struct ckpt_hdr_msg_queue for each of the @nr_msg_queues message queues.
 *
 * @h: type and length
 * @shmmax: bytes of a segment of shared memory
 * @shmall: pages of all segments
 * @shmmni: segments
 * @shm_rmid_forced: 1: segments that nobody has attached are removed
 * @msgmax: bytes of a message
 * @msgmnb: bytes of the messages in a queue
 * @msgmni: queues
 * @semmsl: semaphores of a set; this and the next are the numbers in "sem"
 * @semmns: semaphores
 * @semopm: operations of a semop(2)
 * @semmni: sets
 * @mq_queues_max: POSIX message queues
 * @mq_msg_max: messages of such a queue
 * @mq_msgsize_max: bytes of a message there
 * @mq_msg_default: what a queue has that was created without attributes
 * @mq_msgsize_default: likewise
 * @sem_seq: sequence number of the last set of semaphores that was created
 * @sem_last: its index, or -1: there was none
 * @sem_next: index from which on a free one is looked for
 * @msg_seq: the same for message queues
 * @msg_last: likewise
 * @msg_next: likewise
 * @shm_seq: the same for shared memory
 * @shm_last: likewise
 * @shm_next: likewise
 * @nr_sem_sets: sets of semaphores
 * @nr_msg_queues: message queues
 * @user_ns: user namespace that it belongs to; 0: that of whoever restarts
 */
struct ckpt_hdr_ipc_ns {
	struct ckpt_hdr h;
	__u64 shmmax;
	__u64 shmall;
	__u32 shmmni;
	__u32 shm_rmid_forced;
	__u32 msgmax;
	__u32 msgmnb;
	__u32 msgmni;
	__s32 semmsl;
	__s32 semmns;
	__s32 semopm;
	__u32 semmni;
	__u32 mq_queues_max;
	__u32 mq_msg_max;
	__u32 mq_msgsize_max;
	__u32 mq_msg_default;
	__u32 mq_msgsize_default;
	__u32 sem_seq;
	__s32 sem_last;
	__u32 sem_next;
	__u32 msg_seq;
	__s32 msg_last;
	__u32 msg_next;
	__u32 shm_seq;
	__s32 shm_last;
	__u32 shm_next;
	__u32 nr_sem_sets;
	__u32 nr_msg_queues;
	__u32 user_ns;
};

/**
 * struct ckpt_hdr_ipc_perm - what all objects of an IPC namespace have
 * @h: type and length
 * @id: identifier
 * @key: as semget(2) and its like take it; 0 is IPC_PRIVATE
 * @uid: owner; numbers are those of whoever restarts
 * @gid: group
 * @cuid: creator
 * @cgid: its group
 * @mode: permission bits
 * @reserved: 0
 */
struct ckpt_hdr_ipc_perm {
	struct ckpt_hdr h;
	__u32 id;
	__u32 key;
	__u32 uid;
	__u32 gid;
	__u32 cuid;
	__u32 cgid;
	__u32 mode;
	__u32 reserved;
};

/* Semaphores of a set: sembuf.sem_num names no more. */
#define CKPT_SEMS_MAX	65536

/**
 * struct ckpt_hdr_sem_set - set of semaphores
 *
 * Followed by a buffer with @nsems __u16 values.
 *
 * @h: type and length
 * @otime: when the last operation was, seconds since 1970, or 0
 * @ctime: when it was created or changed
 * @nsems: semaphores
 * @reserved: 0
 */
struct ckpt_hdr_sem_set {
	struct ckpt_hdr h;
	__s64 otime;
	__s64 ctime;
	__u32 nsems;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_msg_queue - message queue
 *
 * Followed by @nr_messages struct ckpt_hdr_msg, the oldest first.
 *
 * @h: type and length
 * @stime: when the last message was sent, seconds since 1970, or 0
 * @rtime: when the last one was received
 * @ctime: when the queue was created or changed
 * @qbytes: bytes of messages that it takes
 * @nr_messages: messages
 * @reserved: 0
 */
struct ckpt_hdr_msg_queue {
	struct ckpt_hdr h;
	__s64 stime;
	__s64 rtime;
	__s64 ctime;
	__u64 qbytes;
	__u32 nr_messages;
	__u32 reserved;
};

/* Bytes of a message. */
#define CKPT_MSG_MAX	1048576

/**
 * struct ckpt_hdr_msg - message
 *
 * Followed by a buffer with its text.
 *
 * @h: type and length
 * @type: as msgsnd(2) takes it
 */
struct ckpt_hdr_msg {
	struct ckpt_hdr h;
	__u64 type;
};

/* struct ckpt_hdr_user_ns.flags */
#define CKPT_USER_NS_SETGROUPS	0x1	/* setgroups(2) is allowed */
#define CKPT_USER_NS_MAP_ROOT	0x2	/* root of the parent may be mapped */
#define CKPT_USER_NS_ALL	0x3

/* Extents of a map. */
#define CKPT_EXTENTS_MAX	340

/**
 * struct ckpt_hdr_user_ns - user namespace
 *
 * Followed by a struct ckpt_hdr_id_extent for each of the @nr_uids of
 * /proc/PID/uid_map, of the @nr_gids of gid_map and of the @nr_projids of
 * projid_map. A map without extents was not written yet.
 *
 * Limits have the names of the files in /proc/sys/user, or those of the resource
 * limits that its creator had.
 *
 * @h: type and length
 * @parent: user namespace; 0: that of whoever restarts
 * @owner: user who has created it; numbers are those of the parent
 * @group: and the group
 * @flags: CKPT_USER_NS_*; the second counts as long as there is no uid_map
 * @nr_uids: extents of uid_map
 * @nr_gids: extents of gid_map
 * @nr_projids: extents of projid_map
 * @reserved: 0
 * @max_user_namespaces: limit
 * @max_pid_namespaces: likewise
 * @max_uts_namespaces: likewise
 * @max_ipc_namespaces: likewise
 * @max_net_namespaces: likewise
 * @max_mnt_namespaces: likewise
 * @max_cgroup_namespaces: likewise
 * @max_time_namespaces: likewise
 * @max_inotify_instances: likewise
 * @max_inotify_watches: likewise
 * @max_fanotify_groups: likewise
 * @max_fanotify_marks: likewise
 * @nproc: RLIMIT_NPROC of its creator
 * @msgqueue: RLIMIT_MSGQUEUE
 * @sigpending: RLIMIT_SIGPENDING
 * @memlock: RLIMIT_MEMLOCK
 */
struct ckpt_hdr_user_ns {
	struct ckpt_hdr h;
	__u32 parent;
	__u32 owner;
	__u32 group;
	__u32 flags;
	__u32 nr_uids;
	__u32 nr_gids;
	__u32 nr_projids;
	__u32 reserved;
	__u32 max_user_namespaces;
	__u32 max_pid_namespaces;
	__u32 max_uts_namespaces;
	__u32 max_ipc_namespaces;
	__u32 max_net_namespaces;
	__u32 max_mnt_namespaces;
	__u32 max_cgroup_namespaces;
	__u32 max_time_namespaces;
	__u32 max_inotify_instances;
	__u32 max_inotify_watches;
	__u32 max_fanotify_groups;
	__u32 max_fanotify_marks;
	__u64 nproc;
	__u64 msgqueue;
	__u64 sigpending;
	__u64 memlock;
};

/**
 * struct ckpt_hdr_id_extent - numbers that a user namespace maps to its parent
 * @h: type and length
 * @first: the first in the namespace
 * @lower_first: the first in its parent
 * @count: how many
 * @reserved: 0
 */
struct ckpt_hdr_id_extent {
	struct ckpt_hdr h;
	__u32 first;
	__u32 lower_first;
	__u32 count;
	__u32 reserved;
};

/* struct ckpt_hdr_pid_ns.state */
#define CKPT_PID_NS_INHABITED	0	/* its init is a task of the image */
#define CKPT_PID_NS_EMPTY	1	/* nobody has been in it yet */
#define CKPT_PID_NS_DEAD	2	/* its init is gone */

/**
 * struct ckpt_hdr_pid_ns - pid namespace below that of the first task
 *
 * Those with tasks come with the ids of the tasks, the others, which are only for
 * children, later.
 *
 * @h: type and length
 * @parent: pid namespace that it is in; 0: that of the first task
 * @state: CKPT_PID_NS_*
 * @next_pid: the next process or thread gets this id, or the next free one
 * @memfd_noexec: as /proc/sys/vm/memfd_noexec there
 */
struct ckpt_hdr_pid_ns {
	struct ckpt_hdr h;
	__u32 parent;
	__u32 state;
	__u32 next_pid;
	__u32 memfd_noexec;
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H */
