/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image: descriptor tables and open files.
 *
 * Part of <linux/checkpoint_image.h>, which has the rules for all records.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_FILES_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_FILES_H

#include <linux/checkpoint_image.h>

/**
 * struct ckpt_hdr_file_table - descriptor table
 * @h: type and length
 * @nr_fds: a struct ckpt_hdr_file_desc for each follows
 * @nr_locks: then a struct ckpt_hdr_file_lock for each POSIX lock
 */
struct ckpt_hdr_file_table {
	struct ckpt_hdr h;
	__u32 nr_fds;
	__u32 nr_locks;
};

/* struct ckpt_hdr_file_desc.flags */
#define CKPT_FD_CLOEXEC		0x1

/**
 * struct ckpt_hdr_file_desc - one descriptor
 * @h: type and length
 * @fd: its number; ascending within the table
 * @flags: CKPT_FD_*
 * @file: the open file description
 * @reserved: 0
 */
struct ckpt_hdr_file_desc {
	struct ckpt_hdr h;
	__u32 fd;
	__u32 flags;
	__u32 file;
	__u32 reserved;
};

/* struct ckpt_hdr_file.kind: numbers are never reused */
#define CKPT_FILE_REGULAR	1
#define CKPT_FILE_DIRECTORY	2
#define CKPT_FILE_MEM_DEVICE	3
#define CKPT_FILE_FIFO		4
#define CKPT_FILE_PIPE		5
#define CKPT_FILE_EVENTFD	6
#define CKPT_FILE_SIGNALFD	7
#define CKPT_FILE_TIMERFD	8
#define CKPT_FILE_EPOLL		9
#define CKPT_FILE_INOTIFY	10
#define CKPT_FILE_PIDFD		11
#define CKPT_FILE_MEMFD		12
#define CKPT_FILE_UNLINKED	13
#define CKPT_FILE_EXTERNAL	14	/* leads outside of the image */
#define CKPT_FILE_PATH_ONLY	15	/* O_PATH */
#define CKPT_FILE_PROC		16	/* of /proc, perhaps with O_PATH */
#define CKPT_FILE_REMOVED_DIRECTORY 17
#define CKPT_FILE_UNIX		18	/* unix socket */
#define CKPT_FILE_TCP		19	/* TCP socket that is not connected */
#define CKPT_FILE_MAX		20	/* one more than the last kind */

/* struct ckpt_hdr_file.flags */
#define CKPT_FILE_OUTSIDE	0x1	/* leads outside of the image */
#define CKPT_FILE_HAS_OWNER	0x2	/* of signals */
#define CKPT_FILE_HAS_LEASE	0x4
#define CKPT_FILE_UNREAD_DROPPED 0x8	/* what was unread in the pipe is not kept */
#define CKPT_FILE_UNREAD_MOVED	0x10	/* it goes into the pipe that is inherited */
#define CKPT_FILE_MAPPED	0x20	/* nothing else can be in its place */
#define CKPT_FILE_ALL		0x3f

/**
 * struct ckpt_hdr_file - open file description
 *
 * Followed by the records of its kind: for CKPT_FILE_REGULAR,
 * CKPT_FILE_DIRECTORY, CKPT_FILE_MEM_DEVICE and CKPT_FILE_PATH_ONLY a struct
 * ckpt_hdr_file_path; for CKPT_FILE_PROC a struct ckpt_hdr_file_proc; for
 * CKPT_FILE_PIPE a struct ckpt_hdr_file_pipe, for CKPT_FILE_FIFO both, with the
 * path behind; for CKPT_FILE_MEMFD a struct ckpt_hdr_file_memfd, for
 * CKPT_FILE_UNLINKED a struct ckpt_hdr_file_unlinked, for
 * CKPT_FILE_REMOVED_DIRECTORY a struct ckpt_hdr_file_removed_directory, for
 * CKPT_FILE_UNIX a struct ckpt_hdr_file_unix; for the others the record that has
 * their name. Then come a struct ckpt_hdr_file_owner if there is
 * CKPT_FILE_HAS_OWNER, @nr_locks times a struct ckpt_hdr_file_lock, and a struct
 * ckpt_hdr_file_lease if there is CKPT_FILE_HAS_LEASE.
 *
 * A checkpoint writes -1 to @inherit. Who restarts may write the number of a
 * descriptor there: that of the task being restored, before it is restored.
 * What is open at it takes the place of the saved file, with the flags and the
 * position that it has. Kinds that lead outside of the image allow it, and those
 * that have nothing but a path: regular files and memory devices. Of a pipe that
 * held unread data one of the CKPT_FILE_UNREAD_* has to be added.
 *
 * @h: type and length
 * @kind: CKPT_FILE_*
 * @open_flags: O_* as fcntl(2) shows them
 * @pos: file position
 * @fd: descriptor that it was met at first, or -1
 * @inherit: descriptor to take instead, or -1
 * @flags: CKPT_FILE_OUTSIDE and the like
 * @nr_locks: that belong to the open file description
 */
struct ckpt_hdr_file {
	struct ckpt_hdr h;
	__u32 kind;
	__u32 open_flags;
	__s64 pos;
	__s32 fd;
	__s32 inherit;
	__u32 flags;
	__u32 nr_locks;
};

/**
 * struct ckpt_hdr_file_owner - whom an open file sends signals
 * @h: type and length
 * @type: F_OWNER_* of fcntl(F_SETOWN_EX)
 * @pid: its id, as struct ckpt_hdr_pids has it; 0: nobody
 * @uid: who made it the owner, real user; 0 if it is nobody
 * @euid: effective user, likewise
 * @signal: as fcntl(F_SETSIG)
 * @async_fd: descriptor that O_ASYNC tells the owner, or -1: not in force
 */
struct ckpt_hdr_file_owner {
	struct ckpt_hdr h;
	__u32 type;
	__u32 pid;
	__u32 uid;
	__u32 euid;
	__u32 signal;
	__s32 async_fd;
};

/* struct ckpt_hdr_file_lock.kind */
#define CKPT_LOCK_FLOCK		1	/* flock(2) */
#define CKPT_LOCK_OFD		2	/* fcntl(F_OFD_SETLK) */
#define CKPT_LOCK_POSIX		3	/* fcntl(F_SETLK) */

/* struct ckpt_hdr_file_lock.type, struct ckpt_hdr_file_lease.type */
#define CKPT_LOCK_READ		1	/* shared */
#define CKPT_LOCK_WRITE		2	/* exclusive */

/**
 * struct ckpt_hdr_file_lock - a lock on a file, or on a part of it
 *
 * Locks of the kinds CKPT_LOCK_FLOCK and CKPT_LOCK_OFD belong to the open file
 * description whose records they follow, those of CKPT_LOCK_POSIX to the
 * descriptor table.
 *
 * @h: type and length
 * @kind: CKPT_LOCK_FLOCK and the like
 * @type: CKPT_LOCK_READ, CKPT_LOCK_WRITE
 * @start: first byte
 * @end: last byte; 2^63 - 1: however far the file goes
 * @fd: descriptor of a POSIX lock, otherwise -1
 * @reserved: 0
 */
struct ckpt_hdr_file_lock {
	struct ckpt_hdr h;
	__u32 kind;
	__u32 type;
	__u64 start;
	__u64 end;
	__s32 fd;
	__u32 reserved;
};

/* struct ckpt_hdr_file_lease.flags */
#define CKPT_LEASE_DOWNGRADE	0x1	/* somebody asked for CKPT_LOCK_READ */
#define CKPT_LEASE_UNLOCK	0x2	/* somebody asked for its end */
#define CKPT_LEASE_ALL		0x3

/**
 * struct ckpt_hdr_file_lease - fcntl(F_SETLEASE)
 * @h: type and length
 * @type: CKPT_LOCK_READ, CKPT_LOCK_WRITE
 * @flags: CKPT_LEASE_*
 * @fd: descriptor that the owner of the file is told
 * @reserved: 0
 * @downgrade_ns: time left until it is changed by force, or 0: never
 * @unlock_ns: time left until it is taken away by force, or 0: never
 */
struct ckpt_hdr_file_lease {
	struct ckpt_hdr h;
	__u32 type;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
	__u64 downgrade_ns;
	__u64 unlock_ns;
};

/* struct ckpt_hdr_pidfd.flags */
#define CKPT_PIDFD_THREAD	0x1	/* PIDFD_THREAD */

/**
 * struct ckpt_hdr_pidfd - pidfd_open(2), for CKPT_FILE_PIDFD
 * @h: type and length
 * @pid: id of the task, as struct ckpt_hdr_pids has it; 0 if it is gone
 * @flags: CKPT_PIDFD_*
 * @gone: the process that is gone, or 0
 * @reserved: 0
 */
struct ckpt_hdr_pidfd {
	struct ckpt_hdr h;
	__u32 pid;
	__u32 flags;
	__u32 gone;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_gone_process - a process that has ended and was waited for
 * @h: type and length
 * @reserved: 0
 */
struct ckpt_hdr_gone_process {
	struct ckpt_hdr h;
	__u64 reserved;
};

/* struct ckpt_hdr_file_external.type: numbers are never reused */
#define CKPT_EXTERNAL_TTY	1
#define CKPT_EXTERNAL_OTHER	2	/* of a kind that cannot be saved */

/**
 * struct ckpt_hdr_file_external - an open file whose other side is not saved
 *
 * Followed by its name as a string, which is for people only.
 *
 * @h: type and length
 * @type: CKPT_EXTERNAL_*
 * @rdev: device number of a terminal or another device, or 0
 */
struct ckpt_hdr_file_external {
	struct ckpt_hdr h;
	__u32 type;
	__u32 rdev;
};

/* struct ckpt_hdr_file_path.flags */
#define CKPT_PATH_EXEC		0x1	/* executed or mapped private: contents count */
/*
 * What else will do if the path names another file now. No checkpoint writes
 * these; who restarts may set them. The type must be the same in any case.
 */
#define CKPT_PATH_MAY_GROW	0x2	/* regular, not CKPT_PATH_EXEC: no shorter */
#define CKPT_PATH_ANY		0x4	/* not CKPT_PATH_EXEC: any */
#define CKPT_PATH_FORCE		0x8	/* any, even if the process crashes then */

/**
 * struct ckpt_hdr_file_path - a file that has a path
 *
 * Followed by the path as a string, seen from the root directory of the
 * caller of checkpoint(). The other fields tell at restart whether the path
 * still names that file.
 *
 * @h: type and length
 * @flags: CKPT_PATH_*
 * @mode: type and permission bits
 * @fs_magic: type of the filesystem
 * @fs_uuid: the filesystem, all zero if it has none
 * @ino: inode number
 * @rdev: device number of a device file
 * @generation: inode generation
 * @size: bytes when saved, of a regular file
 * @mtime_sec: last modification
 * @mtime_nsec: its nanoseconds
 * @dev: device number of the filesystem, for messages only
 */
struct ckpt_hdr_file_path {
	struct ckpt_hdr h;
	__u32 flags;
	__u32 mode;
	__u64 fs_magic;
	__u8 fs_uuid[16];
	__u64 ino;
	__u32 rdev;
	__u32 generation;
	__u64 size;
	__s64 mtime_sec;
	__u32 mtime_nsec;
	__u32 dev;
};

/* struct ckpt_hdr_eventfd.flags */
#define CKPT_EVENTFD_SEMAPHORE	0x1

/**
 * struct ckpt_hdr_eventfd - eventfd(2), for CKPT_FILE_EVENTFD
 * @h: type and length
 * @count: its counter
 * @flags: CKPT_EVENTFD_*
 * @reserved: 0
 */
struct ckpt_hdr_eventfd {
	struct ckpt_hdr h;
	__u64 count;
	__u32 flags;
	__u32 reserved;
};

/* struct ckpt_hdr_file_pipe.flags */
#define CKPT_FILE_PIPE_NOWAIT	0x1	/* takes RWF_NOWAIT */
#define CKPT_FILE_PIPE_NO_HUP	0x2	/* poll() waits for the first writer */
#define CKPT_FILE_PIPE_ALL	0x3

/**
 * struct ckpt_hdr_file_pipe - open file description of a pipe or of a FIFO
 * @h: type and length
 * @pipe: what it is an end of
 * @flags: CKPT_FILE_PIPE_*
 */
struct ckpt_hdr_file_pipe {
	struct ckpt_hdr h;
	__u32 pipe;
	__u32 flags;
};

/* struct ckpt_hdr_pipe.flags */
#define CKPT_PIPE_FIFO			0x1	/* has a path */
#define CKPT_PIPE_OUTSIDE_READERS	0x2	/* open for reading elsewhere, too */
#define CKPT_PIPE_OUTSIDE_WRITERS	0x4	/* open for writing elsewhere, too */
#define CKPT_PIPE_ALL			0x7

/**
 * struct ckpt_hdr_pipe - pipe, or what is behind a FIFO
 *
 * Followed by @nr_buffers times a struct ckpt_hdr_pipe_buffer and its bytes,
 * oldest first.
 *
 * @h: type and length
 * @flags: CKPT_PIPE_*
 * @capacity: bytes, as fcntl(F_GETPIPE_SZ) tells; a power of two
 * @nr_buffers: that hold unread data
 * @readers: open file descriptions in the image that read from it
 * @writers: and that write to it
 * @mode: permission bits; 0 of a FIFO with a path
 * @uid: owner; 0 of a FIFO with a path
 * @gid: group; 0 of a FIFO with a path
 */
struct ckpt_hdr_pipe {
	struct ckpt_hdr h;
	__u32 flags;
	__u32 capacity;
	__u32 nr_buffers;
	__u32 readers;
	__u32 writers;
	__u32 mode;
	__u32 uid;
	__u32 gid;
};

/* struct ckpt_hdr_pipe_buffer.flags */
#define CKPT_PIPE_BUFFER_PACKET	0x1	/* one read() does not get more */
#define CKPT_PIPE_BUFFER_MERGE	0x2	/* write() may append to it */
#define CKPT_PIPE_BUFFER_ALL	0x3

/**
 * struct ckpt_hdr_pipe_buffer - unread data in one slot of a pipe
 *
 * Followed by the bytes as a struct ckpt_hdr_buffer.
 *
 * @h: type and length
 * @offset: of the bytes in their page: how much room is behind them
 * @flags: CKPT_PIPE_BUFFER_*
 */
struct ckpt_hdr_pipe_buffer {
	struct ckpt_hdr h;
	__u32 offset;
	__u32 flags;
};

/**
 * struct ckpt_hdr_signalfd - signalfd(2), for CKPT_FILE_SIGNALFD
 * @h: type and length
 * @mask: signals that it accepts; bit 0 is signal 1
 */
struct ckpt_hdr_signalfd {
	struct ckpt_hdr h;
	__u64 mask;
};

/* struct ckpt_hdr_timerfd.flags */
#define CKPT_TIMERFD_ABSOLUTE	0x1	/* @value_ns is a time of the clock */
#define CKPT_TIMERFD_CANCELED	0x2	/* the clock was set: read(2) will say so */

/**
 * struct ckpt_hdr_timerfd - timerfd_create(2), for CKPT_FILE_TIMERFD
 * @h: type and length
 * @clockid: CLOCK_*
 * @settime_flags: TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET
 * @flags: CKPT_TIMERFD_*
 * @reserved: 0
 * @value_ns: time left, nanoseconds; 0: not armed
 * @interval_ns: period, or 0
 * @ticks: expirations that were not read yet
 * @real_offset_ns: CLOCK_REALTIME minus CLOCK_MONOTONIC when the timer was last
 *	told that the clock was set, or made; 0 unless that cancels it
 */
struct ckpt_hdr_timerfd {
	struct ckpt_hdr h;
	__u32 clockid;
	__u32 settime_flags;
	__u32 flags;
	__u32 reserved;
	__u64 value_ns;
	__u64 interval_ns;
	__u64 ticks;
	__s64 real_offset_ns;
};

/* struct ckpt_hdr_epoll.flags */
#define CKPT_EPOLL_PREFER_BUSY_POLL	0x1

/**
 * struct ckpt_hdr_epoll - epoll_create1(2), for CKPT_FILE_EPOLL
 *
 * Its items are in a struct ckpt_hdr_epoll_items.
 *
 * @h: type and length
 * @busy_poll_usecs: as struct epoll_params
 * @busy_poll_budget: likewise
 * @flags: CKPT_EPOLL_*
 * @reserved: 0
 */
struct ckpt_hdr_epoll {
	struct ckpt_hdr h;
	__u32 busy_poll_usecs;
	__u32 busy_poll_budget;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_epoll_items - all items of an epoll
 *
 * Followed by @nr_items times a struct ckpt_hdr_epoll_item: those of the ready
 * list first, in its order. An epoll comes behind those that it watches.
 *
 * @h: type and length
 * @epoll: the epoll, an open file
 * @nr_items: how many
 */
struct ckpt_hdr_epoll_items {
	struct ckpt_hdr h;
	__u32 epoll;
	__u32 nr_items;
};

/* struct ckpt_hdr_epoll_item.flags */
#define CKPT_EPOLL_ITEM_READY	0x1	/* on the ready list */

/**
 * struct ckpt_hdr_epoll_item - an open file that an epoll watches
 * @h: type and length
 * @file: the open file
 * @fd: number that it was added with; something else may be open there now
 * @events: EPOLL*; a one-shot item that is disarmed has no events
 * @flags: CKPT_EPOLL_ITEM_*
 * @reported: EPOLL* that an edge-triggered item has reported already
 * @reserved: 0
 * @data: of the user
 */
struct ckpt_hdr_epoll_item {
	struct ckpt_hdr h;
	__u32 file;
	__u32 fd;
	__u32 events;
	__u32 flags;
	__u32 reported;
	__u32 reserved;
	__u64 data;
};

/**
 * struct ckpt_hdr_inotify - inotify(7), for CKPT_FILE_INOTIFY
 *
 * Followed by @nr_watches times a struct ckpt_hdr_inotify_watch with what comes
 * behind it, ascending by number, and by @nr_events times a struct
 * ckpt_hdr_inotify_event, oldest first.
 *
 * @h: type and length
 * @nr_watches: watches
 * @nr_events: events that were not read yet
 * @next_wd: the next watch gets this number, or the next one that is free
 * @max_events: how many events may wait at most
 */
struct ckpt_hdr_inotify {
	struct ckpt_hdr h;
	__u32 nr_watches;
	__u32 nr_events;
	__u32 next_wd;
	__u32 max_events;
};

/**
 * struct ckpt_hdr_inotify_watch - one watch
 *
 * Followed by a struct ckpt_hdr_file_path with its path: what is watched. If
 * that is a symbolic link, then the link itself.
 *
 * @h: type and length
 * @wd: its number
 * @mask: IN_* events, IN_EXCL_UNLINK, IN_ONESHOT
 */
struct ckpt_hdr_inotify_watch {
	struct ckpt_hdr h;
	__u32 wd;
	__u32 mask;
};

/* struct ckpt_hdr_inotify_event.flags */
#define CKPT_INOTIFY_EVENT_NAME	0x1	/* a string with a name follows */

/**
 * struct ckpt_hdr_inotify_event - an event that was not read yet
 * @h: type and length
 * @wd: watch that it is about, or -1 for IN_Q_OVERFLOW
 * @mask: IN_*
 * @cookie: the same in both events of a rename
 * @flags: CKPT_INOTIFY_EVENT_*
 */
struct ckpt_hdr_inotify_event {
	struct ckpt_hdr h;
	__s32 wd;
	__u32 mask;
	__u32 cookie;
	__u32 flags;
};

/**
 * struct ckpt_hdr_file_attributes - a file whose contents are in the image
 *
 * @h: type and length
 * @size: bytes
 * @mode: permission bits
 * @uid: owner; numbers are those of the task's user namespace
 * @gid: likewise
 * @atime_nsec: nanoseconds of @atime_sec
 * @atime_sec: last access
 * @mtime_sec: last modification
 * @mtime_nsec: its nanoseconds
 * @reserved: 0
 */
struct ckpt_hdr_file_attributes {
	struct ckpt_hdr h;
	__u64 size;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 atime_nsec;
	__s64 atime_sec;
	__s64 mtime_sec;
	__u32 mtime_nsec;
	__u32 reserved;
};

/* struct ckpt_hdr_file_proc.where */
#define CKPT_PROC_GLOBAL	0	/* in /proc itself */
#define CKPT_PROC_PROCESS	1	/* in the directory of the process */
#define CKPT_PROC_THREAD	2	/* in the directory of the thread */

/**
 * struct ckpt_hdr_file_proc - an open file of /proc
 *
 * Followed by two strings: the directory where /proc is mounted, seen from the
 * root directory of the caller of checkpoint(), and the name from @where on.
 *
 * @h: type and length
 * @where: CKPT_PROC_*
 * @mode: type
 * @mm: address space that it shows, or 0
 * @fs: whose root directory it shows mounts below, or 0
 */
struct ckpt_hdr_file_proc {
	struct ckpt_hdr h;
	__u32 where;
	__u32 mode;
	__u32 mm;
	__u32 fs;
};

/* struct ckpt_hdr_unlinked.flags */
#define CKPT_UNLINKED_LINKABLE	0x1	/* O_TMPFILE without O_EXCL */

/**
 * struct ckpt_hdr_unlinked - a regular file that has no name any more
 *
 * Followed by the directory that it was in as a string, seen from the root
 * directory of the caller of checkpoint(); by struct ckpt_hdr_file_attributes;
 * and by struct ckpt_hdr_pages and a struct ckpt_hdr_pages_end.
 *
 * @h: type and length
 * @fs_magic: type of its filesystem
 * @flags: CKPT_UNLINKED_*
 * @reserved: 0
 */
struct ckpt_hdr_unlinked {
	struct ckpt_hdr h;
	__u64 fs_magic;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_file_unlinked - an open file of an unlinked file
 * @h: type and length
 * @unlinked: the file
 * @reserved: 0
 */
struct ckpt_hdr_file_unlinked {
	struct ckpt_hdr h;
	__u32 unlinked;
	__u32 reserved;
};

/* struct ckpt_hdr_file_memfd.flags */
#define CKPT_MEMFD_ORIGINAL	0x1	/* made by memfd_create(2), not by open(2) */

/**
 * struct ckpt_hdr_file_memfd - an open file of a memfd
 * @h: type and length
 * @shmem: the memory
 * @flags: CKPT_MEMFD_*
 */
struct ckpt_hdr_file_memfd {
	struct ckpt_hdr h;
	__u32 shmem;
	__u32 flags;
};

/**
 * struct ckpt_hdr_removed_directory - a directory that was removed
 *
 * Followed by the nearest directory above it that was not removed as a string,
 * seen from the root directory of the caller of checkpoint(); by its own name
 * as a string; and by struct ckpt_hdr_file_attributes.
 *
 * @h: type and length
 * @fs_magic: type of its filesystem
 */
struct ckpt_hdr_removed_directory {
	struct ckpt_hdr h;
	__u64 fs_magic;
};

/**
 * struct ckpt_hdr_file_removed_directory - an open directory that was removed
 * @h: type and length
 * @directory: the directory
 * @reserved: 0
 */
struct ckpt_hdr_file_removed_directory {
	struct ckpt_hdr h;
	__u32 directory;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_fs - root, working directory, umask
 *
 * Followed by the paths of the root and of the working directory as two
 * strings, seen from the root directory of the caller of checkpoint(). The
 * latter is left out if @removed_pwd is not 0.
 *
 * @h: type and length
 * @umask: as umask(2)
 * @removed_pwd: the working directory if it was removed, or 0
 */
struct ckpt_hdr_fs {
	struct ckpt_hdr h;
	__u32 umask;
	__u32 removed_pwd;
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_FILES_H */
