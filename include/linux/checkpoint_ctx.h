/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint and restart: what handlers of state use.
 *
 * A handler saves one kind of state into records while the target is stopped,
 * and brings it back. Handlers live beside the owner of the state
 * (fs/file_ckpt.c, mm/vma_ckpt.c, ...) and are listed in checkpoint/types.c.
 */
#ifndef _LINUX_CHECKPOINT_CTX_H
#define _LINUX_CHECKPOINT_CTX_H

#include <linux/checkpoint.h>
#include <linux/checkpoint_image.h>
#include <linux/fcntl.h>
#include <linux/list.h>
#include <linux/nodemask_types.h>
#include <linux/path.h>
#include <linux/pid_types.h>
#include <linux/refcount.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/sched.h>
#include <linux/signal_types.h>
#include <linux/types.h>
#include <linux/uidgid_types.h>
#include <linux/xarray.h>
#include <linux/xxhash.h>

struct bio_vec;
struct cpumask;
struct cred;
struct file;
struct files_struct;
struct fs_struct;
struct mempolicy;
struct nsproxy;
struct page;
struct pid_namespace;
struct seccomp_filter;
struct sock;
struct socket;
struct user_namespace;
struct vfsmount;

/**
 * struct ckpt_stream - the image as a stream of bytes
 * @file: written or read; a reference is held
 * @position: bytes written or read so far
 * @nr_records: records written or read so far
 * @ahead: bytes of the image that were read and not used yet, or NULL
 * @ahead_used: the first that is left
 * @ahead_len: end of those that were read
 * @broken: a transfer failed; what follows would not be understood
 * @hash: of all these bytes but the contents of pages
 * @pages_crc: of the contents of pages, not inverted
 */
struct ckpt_stream {
	struct file *file;
	u64 position;
	u64 nr_records;
	void *ahead;
	u32 ahead_used;
	u32 ahead_len;
	bool broken;
	struct xxh64_state hash;
	u32 pages_crc;
};

/**
 * ckpt_sighand - signal handlers of a task that cannot lose them
 * @task: stopped, or the caller
 *
 * Return: the handlers.
 */
static inline struct sighand_struct *ckpt_sighand(struct task_struct *task)
{
	return rcu_dereference_protected(task->sighand, true);
}

struct ckpt_segment;

/**
 * struct ckpt_segment_ops - a part of the image between capture and emission
 * @complete: takes what can only be taken when all tasks are captured; the
 *	target is still stopped, and nothing of it locked; may be NULL
 * @emit: writes the part with ckpt_stream_write(); the target runs already
 * @free: releases it, emitted or not
 */
struct ckpt_segment_ops {
	int (*complete)(struct ckpt_ctx *ctx, struct ckpt_segment *segment);
	int (*emit)(struct ckpt_ctx *ctx, struct ckpt_segment *segment);
	void (*free)(struct ckpt_segment *segment);
};

/**
 * struct ckpt_segment - embedded in what @ops know
 * @list: of all segments, in the order of the image
 * @ops: methods
 */
struct ckpt_segment {
	struct list_head list;
	const struct ckpt_segment_ops *ops;
};

/**
 * struct ckpt_last_step - what others can see, and what can be undone
 *
 * A handler that restores keeps it, embedded in what @run and @free know, until
 * the whole image was found good.
 *
 * @list: of all of them, in the order of the image
 * @run: acts; if the restart fails later, that ends with the restored objects
 * @free: releases the step, whether it ran or not; touches no object
 */
struct ckpt_last_step {
	struct list_head list;
	int (*run)(struct ckpt_ctx *ctx, struct ckpt_last_step *step);
	void (*free)(struct ckpt_last_step *step);
};

/**
 * struct ckpt_task_stage - one task as restored so far
 *
 * Everything is private to the restart until commit. Objects are borrowed
 * from the table of objects, which holds the references.
 *
 * @ids: of the task in the image
 * @acts_for_group: it restores what its thread group has only once
 * @is_subreaper: the group adopts orphans
 * @task: first record
 * @dead: the only record of a process that has exited, of type 0 otherwise
 * @thread: record
 * @restart_block: record
 * @cpu: architecture's own, or NULL
 * @affinity: processors that it has chosen, or NULL
 * @allowed: room for those that it may have
 * @mems_allowed: nodes that the current task might have when it began
 * @has_mempolicy: it has a NUMA policy
 * @mempolicy: that policy, or after an exchange the one of the current task
 * @pending: entries for the thread's own queue, struct sigqueue.list
 * @pending_mask: signals pending for the thread alone
 * @cred: credentials
 * @fs: root, working directory, umask
 * @files: descriptor table
 * @mm: address space
 * @sighand: signal handlers, struct ckpt_sighand_stage
 * @signal: state of the thread group, struct ckpt_signal_stage
 * @seccomp_filter: the newest of its filters, or NULL
 * @nsproxy: namespaces, or NULL: they stay what they are
 * @vfork_child: for which it waits in vfork(), with a reference, or NULL
 * @vfork_done: what it waits on then, on its stack
 * @vfork_pid: what vfork() returns then
 */
struct ckpt_task_stage {
	const struct ckpt_hdr_pids *ids;
	bool acts_for_group;
	bool is_subreaper;
	struct ckpt_hdr_task task;
	struct ckpt_hdr_task_dead dead;
	struct ckpt_hdr_thread thread;
	struct ckpt_hdr_restart_block restart_block;
	struct ckpt_cpu_stage *cpu;
	struct cpumask *affinity;
	struct cpumask *allowed;
	nodemask_t mems_allowed;
	bool has_mempolicy;
	struct mempolicy *mempolicy;
	struct list_head pending;
	u64 pending_mask;
	struct cred *cred;
	struct fs_struct *fs;
	struct files_struct *files;
	struct mm_struct *mm;
	struct ckpt_sighand_stage *sighand;
	struct ckpt_signal_stage *signal;
	struct seccomp_filter *seccomp_filter;
	struct nsproxy *nsproxy;
	struct task_struct *vfork_child;
	struct completion *vfork_done;
	pid_t vfork_pid;
};

/**
 * struct ckpt_pid_ns - a pid namespace of an image being read
 * @parent: namespace that it is in, NULL: that of the first task
 * @level: below that of the first task, 1 at least
 * @record: as read
 * @ns: the namespace, with a reference; NULL until its tasks have come
 * @ids: those of the image there: id to index of the task, as value entries; to
 *	INT_MAX for those that no task has any more
 * @nr_ids: their number
 * @holder: the one task whose first child will be its init, or NULL
 */
struct ckpt_pid_ns {
	struct ckpt_pid_ns *parent;
	unsigned int level;
	struct ckpt_hdr_pid_ns record;
	struct pid_namespace *ns;
	struct xarray ids;
	u32 nr_ids;
	const void *holder;
};

struct ckpt_slot;
struct ckpt_cow;
struct ckpt_record;
struct ckpt_unix_sockets;

/**
 * struct ckpt_tree_task - one task of an image
 * @task: a reference is held; when restoring, NULL until it has come
 * @ids: of the image being read
 * @leader: index of the first thread of its process
 * @parent: index of the first thread of the parent process; 0 for that of the
 *	first process, whose parent is not in the image
 * @nr_threads: of the process, with its first thread
 * @pid_ns: innermost pid namespace in the image; NULL: that of the first task
 * @pid_ns_numbered: innermost one for which an id was read, likewise
 * @exit_signal: of a dead process, which has another until it is dead again
 * @slot: where the task waits to be restored; a reference is held
 * @mm: of the first thread of a process, only to be compared
 * @sighand: its signal handlers; NULL if it is dead
 * @signal: as @mm
 * @user_ns: as @mm
 * @vfork_child: saving: for which the task waits in vfork(), or NULL; restoring:
 *	the task itself if another one waits for it. Without a reference
 */
struct ckpt_tree_task {
	struct task_struct *task;
	struct ckpt_hdr_pids ids;
	u32 leader;
	u32 parent;
	u32 nr_threads;
	struct ckpt_pid_ns *pid_ns;
	struct ckpt_pid_ns *pid_ns_numbered;
	u32 exit_signal;
	struct ckpt_slot *slot;
	const void *mm;
	struct ckpt_sighand_stage *sighand;
	const void *signal;
	const void *user_ns;
	struct task_struct *vfork_child;
};

/* Types of records that repeat: those of a thread, of a mapping, of a file. */
#define CKPT_RECENT_TYPES	64

/**
 * struct ckpt_ctx - one checkpoint() or restart() call
 * @refs: references; restarted tasks hold one besides the caller
 * @flags: of the system call
 * @saving: checkpoint(), not restart()
 * @committed: restart() has succeeded
 * @captures: ckpt_capture_begin() was called
 * @caller: of checkpoint(), between ckpt_oom_begin() and ckpt_oom_end()
 * @among_checkpoints: in the list of those that are at work
 * @descriptor: that the file being saved was met at, or -1
 * @may_leave_out: another file may take the place of the one being saved
 * @epolls_to_save: epolls whose items are not saved yet
 * @epolls_seen: the last id of an object that was looked at for that
 * @contents_of: open file whose contents are being saved with it, or NULL
 * @removed: path of the removed directory that is being saved, or NULL
 * @id: that checkpoint() returns
 * @stream: the image
 * @logfile: messages go here at the end, or NULL
 * @messages: struct ckpt_message, oldest first
 * @nr_messages: how many
 * @error: the first error reported, negative
 * @root: root directory of the caller; paths in the image start there
 * @pid_ns: pid namespace of the first task; when restoring, NULL until it has come
 * @user_ns: user namespace of the caller
 * @task: task that is being saved or restored, for messages
 * @root_task: first task of the tree, it leads its thread group
 * @objects: pointer to struct ckpt_object, when saving
 * @object_ids: id to struct ckpt_object
 * @nr_objects: ids given out
 * @depth: objects whose records are being read inside each other
 * @last_steps: struct ckpt_last_step.list, when restoring
 * @segments: struct ckpt_segment.list
 * @chunk: segment that takes the next records, or NULL
 * @captured: bytes of records in @segments
 * @recent_types: descriptions of records that were appended last, found by the
 *	last digits of their types
 * @arch: HEADER_ARCH of the image being read
 * @header: HEADER of the image being read
 * @tasks: of the image, in its order
 * @nr_tasks: their number
 * @tree_is_read: the tasks and their ids are known, when restoring
 * @task_indices: id to index in @tasks, as value entries: global ids when
 *	saving, those of the image when restoring
 * @file_owners: open files that send signals after the commit
 * @cow: pages that address spaces have in common, when saving; or NULL
 * @unix_sockets: of all tasks, when saving; NULL until one is met
 * @pushed: header of a record that was looked at but not taken, type 0: none
 */
struct ckpt_ctx {
	refcount_t refs;
	unsigned long flags;
	bool saving;
	bool committed;
	bool captures;
	struct task_struct *caller;
	struct list_head among_checkpoints;
	int descriptor;
	bool may_leave_out;
	u32 epolls_to_save;
	u32 epolls_seen;
	struct file *contents_of;
	const struct path *removed;
	int id;
	struct ckpt_stream stream;
	struct file *logfile;
	struct list_head messages;
	unsigned int nr_messages;
	int error;
	struct path root;
	struct pid_namespace *pid_ns;
	struct user_namespace *user_ns;
	struct task_struct *task;
	struct task_struct *root_task;
	struct rhashtable objects;
	struct xarray object_ids;
	u32 nr_objects;
	unsigned int depth;
	struct list_head last_steps;
	struct list_head segments;
	struct ckpt_chunk *chunk;
	u64 captured;
	const struct ckpt_record *recent_types[CKPT_RECENT_TYPES];
	struct ckpt_hdr_header_arch arch;
	struct ckpt_hdr_header header;
	struct ckpt_tree_task *tasks;
	u32 nr_tasks;
	bool tree_is_read;
	struct xarray task_indices;
	struct list_head file_owners;
	struct ckpt_cow *cow;
	struct ckpt_unix_sockets *unix_sockets;
	struct ckpt_hdr pushed;
};

/*
 * In struct ckpt_hdr_file.flags during the capture only: epolls watch the file,
 * and nobody in the image was found yet who has it open.
 */
#define CKPT_FILE_ONLY_WATCHED	0x80000000

/* Open flags of a file that an image keeps; the rest was for open() only. */
#define CKPT_OPEN_FLAGS							\
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC |	\
	 FASYNC | O_DIRECT | O_LARGEFILE | O_NOATIME | O_PATH |		\
	 O_DIRECTORY | O_NOFOLLOW | __O_TMPFILE)

/**
 * struct ckpt_file_kind - how open files of one kind are restored
 * @name: for messages
 * @may_inherit: files of this kind may lead outside of the image; @restore
 *	takes ckpt_file_inherit() if the record says so
 * @may_replace: so may they without leading outside, unless they are mapped
 * @may_hold_unread: files of this kind may have had unread data
 * @is_outside: does this one, when all tasks are captured? NULL: all that may
 * @restore: reads the records that follow struct ckpt_hdr_file, found good;
 *	returns the file with a reference or an error pointer. Position and
 *	flags that can be set on any open file are set by the caller, unless the
 *	file was inherited.
 *
 * They are saved by the checkpoint method of struct file_operations, which
 * returns the kind.
 */
struct ckpt_file_kind {
	const char *name;
	bool may_inherit;
	bool may_replace;
	bool may_hold_unread;
	bool (*is_outside)(struct ckpt_ctx *ctx, struct file *file);
	struct file *(*restore)(struct ckpt_ctx *ctx,
				const struct ckpt_hdr_file *record);
};

extern const struct ckpt_file_kind ckpt_file_kinds[CKPT_FILE_MAX];

/* Messages: report.c */
__printf(5, 6)
int __ckpt_error(struct ckpt_ctx *ctx, int error, const char *function,
		 int line, const char *format, ...);

/**
 * ckpt_error - report why a checkpoint or a restart fails
 * @_ctx: context
 * @_error: negative errno
 * @...: format and arguments; task, function and image offset are added
 *
 * The message goes to the log descriptor and, at checkpoint, into the image,
 * both after the target runs again. May sleep.
 *
 * Return: @_error.
 */
#define ckpt_error(_ctx, _error, ...)					\
	__ckpt_error(_ctx, _error, __func__, __LINE__, __VA_ARGS__)

__printf(2, 3)
void ckpt_note(struct ckpt_ctx *ctx, const char *format, ...);

/* Saving: segment.c, objhash.c */
void *ckpt_record_add(struct ckpt_ctx *ctx, u32 type);
int ckpt_text_add(struct ckpt_ctx *ctx, const char *text);
void *ckpt_buffer_add(struct ckpt_ctx *ctx, u32 nbytes);
int ckpt_path_add(struct ckpt_ctx *ctx, const struct path *path);
void ckpt_segment_add(struct ckpt_ctx *ctx, struct ckpt_segment *segment);
int ckpt_object_save(struct ckpt_ctx *ctx, u32 objtype, void *object);
u32 ckpt_object_id(struct ckpt_ctx *ctx, void *object);
void ckpt_object_keep_record(struct ckpt_ctx *ctx, void *object, void *record);
void *ckpt_object_record(struct ckpt_ctx *ctx, void *object);
void ckpt_object_keep_path(struct ckpt_ctx *ctx, void *object, void *record);
void *ckpt_object_path(struct ckpt_ctx *ctx, void *object);

/* Processes outside: outsider.c */
int ckpt_outsider_wait(unsigned long since);

/* Emission and reading: stream.c, reader.c */
int ckpt_stream_write_pages(struct ckpt_ctx *ctx,
			    const struct ckpt_hdr_pages *header,
			    struct bio_vec *bvecs, unsigned int nr_bvecs);
int ckpt_stream_write(struct ckpt_ctx *ctx, const void *data, size_t len);
int ckpt_stream_write_record(struct ckpt_ctx *ctx, const void *record);
int ckpt_stream_read_pages(struct ckpt_ctx *ctx, struct bio_vec *bvecs,
			   unsigned int nr_bvecs);
int ckpt_record_read(struct ckpt_ctx *ctx, u32 type, void *record);
int ckpt_record_peek(struct ckpt_ctx *ctx);
char *ckpt_text_read(struct ckpt_ctx *ctx);
void *ckpt_buffer_read(struct ckpt_ctx *ctx, u32 *nbytes);
void *ckpt_object_find(struct ckpt_ctx *ctx, u32 objref, u32 objtype);
bool ckpt_object_tie(struct ckpt_ctx *ctx, u32 objref, void *other);
void ckpt_last_step_add(struct ckpt_ctx *ctx, struct ckpt_last_step *step);

#include <linux/checkpoint_handlers.h>

#endif /* _LINUX_CHECKPOINT_CTX_H */
