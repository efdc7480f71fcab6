/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image.
 *
 * An image is one forward-only stream of records. Each begins with struct
 * ckpt_hdr; its length counts the header and is a multiple of eight. Values
 * have the byte order of the machine that the header names. Nothing in a
 * record is a number private to one kernel: where the kernel's own value may
 * change between versions, the record has a canonical one (CKPT_VMA_*,
 * CKPT_RESTART_*, ...).
 *
 * A record without a tail may grow at its end in later versions: a reader
 * takes the shorter record of an older kernel (missing fields are zero) and a
 * longer one if the bytes that it does not know are zero. A record with a tail
 * never changes. checkpoint/image/records.c describes every field.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_H

#include <linux/types.h>

#define CKPT_IMAGE_MAGIC	0x0054504b43554e4cULL	/* "LNUCKPT" */
#define CKPT_IMAGE_TAIL_MAGIC	0x004c494154504b43ULL	/* "CKPTAIL" */
#define CKPT_IMAGE_VERSION	2

/* Type numbers are never reused. */
enum ckpt_hdr_type {
	CKPT_HDR_HEADER		= 1,
	CKPT_HDR_HEADER_ARCH	= 2,
	CKPT_HDR_STRING		= 3,
	CKPT_HDR_BUFFER		= 4,
	CKPT_HDR_OBJREF		= 5,

	CKPT_HDR_CONTAINER	= 101,
	CKPT_HDR_TREE		= 102,
	CKPT_HDR_PIDS		= 103,
	CKPT_HDR_NESTED_PID	= 104,

	CKPT_HDR_TASK		= 201,
	CKPT_HDR_TASK_OBJS	= 202,
	CKPT_HDR_THREAD		= 203,
	CKPT_HDR_RESTART_BLOCK	= 204,
	CKPT_HDR_CRED		= 205,
	CKPT_HDR_CPU		= 206,
	CKPT_HDR_CPU_XSTATE	= 207,
	CKPT_HDR_TASK_DEAD	= 208,
	CKPT_HDR_SECCOMP_FILTER	= 209,

	CKPT_HDR_FILE_TABLE	= 301,
	CKPT_HDR_FILE_DESC	= 302,
	CKPT_HDR_FILE		= 303,
	CKPT_HDR_FS		= 304,
	CKPT_HDR_FILE_PATH	= 305,
	CKPT_HDR_FILE_PIPE	= 310,
	CKPT_HDR_PIPE		= 311,
	CKPT_HDR_PIPE_BUFFER	= 312,
	CKPT_HDR_EVENTFD	= 320,
	CKPT_HDR_SIGNALFD	= 321,
	CKPT_HDR_TIMERFD	= 322,
	CKPT_HDR_EPOLL		= 330,
	CKPT_HDR_EPOLL_ITEM	= 331,
	CKPT_HDR_EPOLL_ITEMS	= 332,
	CKPT_HDR_INOTIFY	= 340,
	CKPT_HDR_INOTIFY_WATCH	= 341,
	CKPT_HDR_INOTIFY_EVENT	= 342,
	CKPT_HDR_FILE_OWNER	= 350,
	CKPT_HDR_FILE_LOCK	= 351,
	CKPT_HDR_FILE_LEASE	= 352,
	CKPT_HDR_PIDFD		= 353,
	CKPT_HDR_GONE_PROCESS	= 354,
	CKPT_HDR_UNLINKED	= 360,
	CKPT_HDR_FILE_UNLINKED	= 361,
	CKPT_HDR_FILE_ATTRIBUTES = 362,
	CKPT_HDR_FILE_PROC	= 363,
	CKPT_HDR_REMOVED_DIRECTORY = 364,
	CKPT_HDR_FILE_REMOVED_DIRECTORY = 365,
	CKPT_HDR_FILE_EXTERNAL	= 370,

	CKPT_HDR_MM		= 401,
	CKPT_HDR_VMA		= 402,
	CKPT_HDR_PAGES		= 403,
	CKPT_HDR_PAGES_END	= 404,
	CKPT_HDR_MM_ARCH	= 405,
	CKPT_HDR_SHMEM		= 406,
	CKPT_HDR_MEMFD		= 407,
	CKPT_HDR_FILE_MEMFD	= 408,
	CKPT_HDR_PAGES_COW	= 409,
	CKPT_HDR_MEMPOLICY	= 420,

	CKPT_HDR_SIGHAND	= 501,
	CKPT_HDR_SIGACTION	= 502,
	CKPT_HDR_SIGNAL		= 503,
	CKPT_HDR_SIGINFO	= 504,
	CKPT_HDR_POSIX_TIMER	= 505,

	CKPT_HDR_NSPROXY	= 601,
	CKPT_HDR_UTS_NS		= 602,
	CKPT_HDR_IPC_NS		= 603,
	CKPT_HDR_IPC_PERM	= 604,
	CKPT_HDR_SEM_SET	= 605,
	CKPT_HDR_MSG_QUEUE	= 606,
	CKPT_HDR_MSG		= 607,
	CKPT_HDR_USER_NS	= 608,
	CKPT_HDR_ID_EXTENT	= 609,
	CKPT_HDR_PID_NS		= 610,

	CKPT_HDR_SOCKET		= 701,
	CKPT_HDR_UNIX_SOCKETS	= 710,
	CKPT_HDR_UNIX_SOCKET	= 711,
	CKPT_HDR_UNIX_MESSAGE	= 712,
	CKPT_HDR_FILE_UNIX	= 713,
	CKPT_HDR_UNIX_PATH	= 714,
	CKPT_HDR_UNIX_FILE	= 715,
	CKPT_HDR_FILE_TCP	= 720,
	CKPT_HDR_TCP_OPTIONS	= 721,
	CKPT_HDR_IP_OPTIONS	= 722,
	CKPT_HDR_IPV6_OPTIONS	= 723,

	CKPT_HDR_TAIL		= 9001,
	CKPT_HDR_ERROR		= 9999,
};

/* Kinds of objects that several tasks can share; numbers are never reused. */
enum ckpt_obj_type {
	CKPT_OBJ_NONE		= 0,
	CKPT_OBJ_CRED		= 1,
	CKPT_OBJ_FS		= 2,
	CKPT_OBJ_FILE_TABLE	= 3,
	CKPT_OBJ_FILE		= 4,
	CKPT_OBJ_MM		= 5,
	CKPT_OBJ_SHMEM		= 6,
	CKPT_OBJ_SIGHAND	= 7,
	CKPT_OBJ_SIGNAL		= 8,
	CKPT_OBJ_PIPE		= 9,
	CKPT_OBJ_UNLINKED	= 10,
	CKPT_OBJ_EPOLL		= 11,
	CKPT_OBJ_SECCOMP_FILTER	= 12,
	CKPT_OBJ_REMOVED_DIRECTORY = 13,
	CKPT_OBJ_GONE_PROCESS	= 14,
	CKPT_OBJ_NSPROXY	= 20,
	CKPT_OBJ_UTS_NS		= 21,
	CKPT_OBJ_IPC_NS		= 22,
	CKPT_OBJ_USER_NS	= 23,
	CKPT_OBJ_PID_NS		= 24,
	CKPT_OBJ_UNIX		= 30,
	CKPT_OBJ_MAX
};

/* Architectures, for struct ckpt_hdr_header.arch. */
#define CKPT_ARCH_X86_64	1

/**
 * struct ckpt_hdr - beginning of every record
 * @type: enum ckpt_hdr_type
 * @len: bytes of the whole record, this header included
 */
struct ckpt_hdr {
	__u32 type;
	__u32 len;
};

/**
 * struct ckpt_hdr_header - first record of an image
 *
 * Followed by three strings: release, version and machine of the kernel that
 * wrote the image, then by the architecture's own header.
 *
 * @h: type and length
 * @magic: CKPT_IMAGE_MAGIC
 * @version: format, CKPT_IMAGE_VERSION
 * @arch: CKPT_ARCH_*
 * @features: reserved for incompatible additions; unknown bits are refused
 * @time: seconds since 1970 when the image was taken
 * @flags: flags given to checkpoint()
 * @id: positive id that checkpoint() returned
 * @page_size: bytes of a page
 * @comm_len: bytes of a task's name
 * @nr_signals: number of signals
 * @nr_rlimits: number of resource limits
 * @reserved: 0
 */
struct ckpt_hdr_header {
	struct ckpt_hdr h;
	__u64 magic;
	__u32 version;
	__u32 arch;
	__u64 features;
	__u64 time;
	__u64 flags;
	__u32 id;
	__u32 page_size;
	__u32 comm_len;
	__u32 nr_signals;
	__u32 nr_rlimits;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_string - text
 * @h: type and length
 *
 * The text follows, ends with a NUL byte and is padded with NUL bytes to a
 * multiple of eight.
 */
struct ckpt_hdr_string {
	struct ckpt_hdr h;
};

/**
 * struct ckpt_hdr_buffer - bytes of a form that the previous record tells
 * @h: type and length
 * @nbytes: bytes that count; zero bytes pad them to a multiple of eight
 * @reserved: 0
 */
struct ckpt_hdr_buffer {
	struct ckpt_hdr h;
	__u32 nbytes;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_objref - announces a shared object; its own records follow
 * @h: type and length
 * @objtype: enum ckpt_obj_type
 * @objref: its id: 1 for the first object of the image, then one more each
 */
struct ckpt_hdr_objref {
	struct ckpt_hdr h;
	__u32 objtype;
	__u32 objref;
};

/* struct ckpt_hdr_container.flags */
#define CKPT_CONTAINER_SUBTREE	0x1

/**
 * struct ckpt_hdr_container - what the saved tasks have in common
 * @h: type and length
 * @flags: CKPT_CONTAINER_*
 * @reserved: 0
 */
struct ckpt_hdr_container {
	struct ckpt_hdr h;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_tree - number of tasks
 * @h: type and length
 * @nr_tasks: a struct ckpt_hdr_pids for each follows, then @nr_nested_pids
 *	struct ckpt_hdr_nested_pid, then the records of the tasks in the same
 *	order
 * @nr_nested_pids: ids in pid namespaces below that of the first task
 */
struct ckpt_hdr_tree {
	struct ckpt_hdr h;
	__u32 nr_tasks;
	__u32 nr_nested_pids;
};

/* struct ckpt_hdr_mm.flags */
#define CKPT_MM_TOPDOWN		0x1	/* new mappings grow down from mmap_base */
#define CKPT_MM_LOCK_FUTURE	0x2	/* mlockall(MCL_FUTURE) */
#define CKPT_MM_LOCK_ONFAULT	0x4	/* mlockall(MCL_ONFAULT) */
#define CKPT_MM_THP_DISABLE	0x8	/* PR_SET_THP_DISABLE */
#define CKPT_MM_MDWE		0x10	/* PR_SET_MDWE */
#define CKPT_MM_MDWE_NO_INHERIT	0x20	/* and PR_MDWE_NO_INHERIT */
#define CKPT_MM_ALL		0x3f

/**
 * struct ckpt_hdr_mm - address space
 *
 * Followed by a buffer with the auxiliary vector, by struct
 * ckpt_hdr_mm_arch, by @nr_vmas struct ckpt_hdr_vma, then by any number of
 * struct ckpt_hdr_pages and struct ckpt_hdr_pages_cow and a struct
 * ckpt_hdr_pages_end.
 *
 * @h: type and length
 * @start_code: as prctl(2) PR_SET_MM describes this and the next
 * @end_code: likewise
 * @start_data: likewise
 * @end_data: likewise
 * @start_brk: likewise
 * @brk: likewise
 * @start_stack: likewise
 * @arg_start: likewise
 * @arg_end: likewise
 * @env_start: likewise
 * @env_end: likewise
 * @mmap_base: where the kernel begins to look for room for new mappings
 * @exe_file: the executable
 * @flags: CKPT_MM_*
 * @dumpable: as PR_GET_DUMPABLE
 * @coredump_filter: as /proc/PID/coredump_filter
 * @membarrier: registrations, MEMBARRIER_CMD_REGISTER_*
 * @nr_vmas: mappings
 * @user_ns: user namespace that the program was started in, whose rights count for
 *	who wants to trace it; 0: that of whoever restarts
 * @reserved: 0
 */
struct ckpt_hdr_mm {
	struct ckpt_hdr h;
	__u64 start_code;
	__u64 end_code;
	__u64 start_data;
	__u64 end_data;
	__u64 start_brk;
	__u64 brk;
	__u64 start_stack;
	__u64 arg_start;
	__u64 arg_end;
	__u64 env_start;
	__u64 env_end;
	__u64 mmap_base;
	__u32 exe_file;
	__u32 flags;
	__u32 dumpable;
	__u32 coredump_filter;
	__u32 membarrier;
	__u32 nr_vmas;
	__u32 user_ns;
	__u32 reserved;
};

/* struct ckpt_hdr_vma.kind */
#define CKPT_VMA_ANON		1	/* private memory without a file */
#define CKPT_VMA_FILE_PRIVATE	2	/* private mapping of a file */
#define CKPT_VMA_FILE_SHARED	3	/* shared mapping of a file */
#define CKPT_VMA_SHMEM		4	/* shared memory without a file */
#define CKPT_VMA_VDSO		5	/* the kernel's code for user space */
#define CKPT_VMA_VVAR		6	/* and its data */

/* struct ckpt_hdr_vma.flags */
#define CKPT_VMA_READ		0x00001
#define CKPT_VMA_WRITE		0x00002
#define CKPT_VMA_EXEC		0x00004
#define CKPT_VMA_GROWSDOWN	0x00008
#define CKPT_VMA_NORESERVE	0x00010
#define CKPT_VMA_LOCKED		0x00020
#define CKPT_VMA_LOCKONFAULT	0x00040
#define CKPT_VMA_DONTFORK	0x00080
#define CKPT_VMA_WIPEONFORK	0x00100
#define CKPT_VMA_DONTDUMP	0x00200
#define CKPT_VMA_SEQ_READ	0x00400
#define CKPT_VMA_RAND_READ	0x00800
#define CKPT_VMA_HUGEPAGE	0x01000
#define CKPT_VMA_NOHUGEPAGE	0x02000
#define CKPT_VMA_MERGEABLE	0x04000
#define CKPT_VMA_ACCOUNT	0x08000	/* counts against the commit limit */
#define CKPT_VMA_NAMED		0x10000	/* its name follows as a string */
#define CKPT_VMA_MEMPOLICY	0x20000	/* its NUMA policy follows */
#define CKPT_VMA_ALL		0x3ffff

/**
 * struct ckpt_hdr_vma - one mapping
 *
 * Followed by its name as a string if there is CKPT_VMA_NAMED, and then by struct
 * ckpt_hdr_mempolicy if there is CKPT_VMA_MEMPOLICY.
 *
 * @h: type and length
 * @start: first address
 * @end: address after the last
 * @offset: of @start in the file or shared memory, bytes
 * @kind: CKPT_VMA_*
 * @flags: CKPT_VMA_*
 * @file: mapped file, for the file kinds
 * @shmem: shared memory, for CKPT_VMA_SHMEM; for CKPT_VMA_FILE_SHARED a memfd
 *	that was sealed with F_SEAL_FUTURE_WRITE after it was mapped: this
 *	mapping may be written to
 * @cow_start: first address of the mapping in @cow_mm
 * @cow_mm: for the private kinds an address space that may share pages with
 *	this mapping under copy-on-write, or 0
 * @reserved: 0
 */
struct ckpt_hdr_vma {
	struct ckpt_hdr h;
	__u64 start;
	__u64 end;
	__u64 offset;
	__u32 kind;
	__u32 flags;
	__u32 file;
	__u32 shmem;
	__u64 cow_start;
	__u32 cow_mm;
	__u32 reserved;
};

/* struct ckpt_hdr_pages.flags */
#define CKPT_PAGES_HUGE		0x1	/* held as one huge page when saved */

/**
 * struct ckpt_hdr_pages - contents of consecutive pages; they follow
 * @h: type and length
 * @start: address of the first, or offset in the file or shared memory
 * @nr_pages: how many
 * @flags: CKPT_PAGES_*
 */
struct ckpt_hdr_pages {
	struct ckpt_hdr h;
	__u64 start;
	__u32 nr_pages;
	__u32 flags;
};

/**
 * struct ckpt_hdr_pages_cow - consecutive pages shared under copy-on-write
 *
 * Their contents are those of another address space, restored before.
 *
 * @h: type and length
 * @start: address of the first
 * @source: address of the first in the other address space
 * @nr_pages: how many
 * @mm: the other address space
 */
struct ckpt_hdr_pages_cow {
	struct ckpt_hdr h;
	__u64 start;
	__u64 source;
	__u32 nr_pages;
	__u32 mm;
};

/**
 * struct ckpt_hdr_pages_end - no more pages of this object
 * @h: type and length
 * @nr_pages: how many there were, shared ones included
 */
struct ckpt_hdr_pages_end {
	struct ckpt_hdr h;
	__u64 nr_pages;
};

/**
 * struct ckpt_hdr_shmem - shared memory without a name
 *
 * Followed by @nr_policies struct ckpt_hdr_mempolicy, by struct ckpt_hdr_pages
 * and a struct ckpt_hdr_pages_end.
 *
 * @h: type and length
 * @size: bytes
 * @flags: CKPT_VMA_NORESERVE or 0
 * @nr_policies: NUMA policies of parts of it
 */
struct ckpt_hdr_shmem {
	struct ckpt_hdr h;
	__u64 size;
	__u32 flags;
	__u32 nr_policies;
};

/**
 * struct ckpt_hdr_memfd - memory from memfd_create(2)
 *
 * In the place of struct ckpt_hdr_shmem. Followed by the name that /proc shows
 * as a string, by struct ckpt_hdr_file_attributes, by @nr_policies struct
 * ckpt_hdr_mempolicy, and by struct ckpt_hdr_pages and a struct
 * ckpt_hdr_pages_end.
 *
 * @h: type and length
 * @seals: F_SEAL_* as fcntl(2) shows them
 * @nr_policies: NUMA policies of parts of it
 */
struct ckpt_hdr_memfd {
	struct ckpt_hdr h;
	__u32 seals;
	__u32 nr_policies;
};

/* struct ckpt_hdr_mempolicy.flags */
#define CKPT_MEMPOLICY_STATIC	0x1	/* MPOL_F_STATIC_NODES */
#define CKPT_MEMPOLICY_RELATIVE	0x2	/* MPOL_F_RELATIVE_NODES */
#define CKPT_MEMPOLICY_BALANCE	0x4	/* MPOL_F_NUMA_BALANCING */
#define CKPT_MEMPOLICY_ALL	0x7

/**
 * struct ckpt_hdr_mempolicy - on which nodes memory is allocated
 *
 * Of a task, a mapping, or a part of shared memory. Followed by a buffer with the
 * nodes, as set_mempolicy(2) and mbind(2) take them: __u64 words, bit 0 of the
 * first is node 0. It is empty for MPOL_LOCAL.
 *
 * @h: type and length
 * @mode: MPOL_* as set_mempolicy(2) takes it, without flags
 * @flags: CKPT_MEMPOLICY_*
 * @home_node: see set_mempolicy_home_node(2), or -1; of a mapping
 * @reserved: 0
 * @start: of a part of shared memory: first byte; otherwise 0
 * @end: byte after the last
 */
struct ckpt_hdr_mempolicy {
	struct ckpt_hdr h;
	__u32 mode;
	__u32 flags;
	__s32 home_node;
	__u32 reserved;
	__u64 start;
	__u64 end;
};

/**
 * struct ckpt_hdr_tail - last record
 * @h: type and length
 * @magic: CKPT_IMAGE_TAIL_MAGIC
 * @nr_records: records of the image, this one excluded
 * @checksum: XXH64, seed 0, over every byte before this record but the contents
 *	of pages
 * @pages_checksum: CRC-32C over the contents of all pages
 * @reserved: 0
 */
struct ckpt_hdr_tail {
	struct ckpt_hdr h;
	__u64 magic;
	__u64 nr_records;
	__u64 checksum;
	__u32 pages_checksum;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_error - why the checkpoint failed
 *
 * A string with the message follows. An image with such a record has no tail
 * and cannot be restarted.
 *
 * @h: type and length
 * @error: errno, positive
 * @reserved: 0
 */
struct ckpt_hdr_error {
	struct ckpt_hdr h;
	__u32 error;
	__u32 reserved;
};

#include <linux/checkpoint_image_files.h>
#include <linux/checkpoint_image_namespaces.h>
#include <linux/checkpoint_image_sockets.h>
#include <linux/checkpoint_image_tasks.h>
#include <asm/checkpoint_image.h>

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_H */
