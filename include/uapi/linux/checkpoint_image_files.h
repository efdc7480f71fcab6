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
 * @reserved: 0
 */
struct ckpt_hdr_file_table {
	struct ckpt_hdr h;
	__u32 nr_fds;
	__u32 reserved;
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
#define CKPT_FILE_EVENTFD	6
#define CKPT_FILE_SIGNALFD	7
#define CKPT_FILE_TIMERFD	8
#define CKPT_FILE_EXTERNAL	14	/* leads outside of the image */
#define CKPT_FILE_MAX		15	/* one more than the last kind */

/**
 * struct ckpt_hdr_file - open file description
 *
 * Followed by the records of its kind: for CKPT_FILE_REGULAR,
 * CKPT_FILE_DIRECTORY and CKPT_FILE_MEM_DEVICE a struct ckpt_hdr_file_path, for
 * CKPT_FILE_EXTERNAL a struct ckpt_hdr_file_external.
 *
 * A checkpoint writes -1 to @inherit. Who restarts may write the number of a
 * descriptor there: that of the task being restored, before it is restored.
 * What is open at it takes the place of the saved file, with the flags and the
 * position that it has. Only kinds that lead outside of the image allow it.
 *
 * @h: type and length
 * @kind: CKPT_FILE_*
 * @open_flags: O_* as fcntl(2) shows them
 * @pos: file position
 * @fd: descriptor that it was met at first, or -1
 * @inherit: descriptor to take instead, or -1
 */
struct ckpt_hdr_file {
	struct ckpt_hdr h;
	__u32 kind;
	__u32 open_flags;
	__s64 pos;
	__s32 fd;
	__s32 inherit;
};

/* struct ckpt_hdr_file_external.type: numbers are never reused */
#define CKPT_EXTERNAL_TTY	1

/**
 * struct ckpt_hdr_file_external - an open file whose other side is not saved
 *
 * Followed by its name as a string, which is for people only.
 *
 * @h: type and length
 * @type: CKPT_EXTERNAL_*
 * @rdev: device number of a terminal
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
};

/**
 * struct ckpt_hdr_fs - root, working directory, umask
 *
 * Followed by the paths of the root and of the working directory as two
 * strings, seen from the root directory of the caller of checkpoint().
 *
 * @h: type and length
 * @umask: as umask(2)
 * @reserved: 0
 */
struct ckpt_hdr_fs {
	struct ckpt_hdr h;
	__u32 umask;
	__u32 reserved;
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_FILES_H */
