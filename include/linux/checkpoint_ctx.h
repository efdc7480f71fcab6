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
struct nsproxy;
struct page;
struct pid_namespace;
struct seccomp_filter;
struct sock;
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
 * @hash: of all these bytes
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
 * @emit: writes the part with ckpt_stream_write(); the target runs already
 * @free: releases it, emitted or not
 */
struct ckpt_segment_ops {
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
};

struct ckpt_slot;
struct ckpt_cow;
struct ckpt_unix_sockets;

/**
 * struct ckpt_tree_task - one task of an image
 * @task: a reference is held; when restoring, NULL until it has come
 * @ids: of the image being read
 * @leader: index of the first thread of its process
 * @parent: index of the first thread of the parent process; 0 for that of the
 *	first process, whose parent is not in the image
 * @nr_threads: of the process, with its first thread
 * @exit_signal: of a dead process, which has another until it is dead again
 * @slot: where the task waits to be restored; a reference is held
 * @mm: of the first thread of a process, only to be compared
 * @sighand: likewise
 * @signal: likewise
 */
struct ckpt_tree_task {
	struct task_struct *task;
	struct ckpt_hdr_pids ids;
	u32 leader;
	u32 parent;
	u32 nr_threads;
	u32 exit_signal;
	struct ckpt_slot *slot;
	const void *mm;
	const void *sighand;
	const void *signal;
};

/**
 * struct ckpt_ctx - one checkpoint() or restart() call
 * @refs: references; restarted tasks hold one besides the caller
 * @flags: of the system call
 * @saving: checkpoint(), not restart()
 * @committed: restart() has succeeded
 * @descriptor: that the file being saved was met at, or -1
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
 * @pid_ns: pid namespace of the first saved task
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
 * @nr_captured: records in @segments
 * @arch: HEADER_ARCH of the image being read
 * @header: HEADER of the image being read
 * @tasks: of the image, in its order
 * @nr_tasks: their number
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
	int descriptor;
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
	u64 nr_captured;
	struct ckpt_hdr_header_arch arch;
	struct ckpt_hdr_header header;
	struct ckpt_tree_task *tasks;
	u32 nr_tasks;
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
void ckpt_last_step_add(struct ckpt_ctx *ctx, struct ckpt_last_step *step);

/* Methods of the object types, listed in checkpoint/types.c. */
int ckpt_cred_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_cred_restore(struct ckpt_ctx *ctx);
int ckpt_fs_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_fs_restore(struct ckpt_ctx *ctx);
int ckpt_unlinked_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_unlinked_restore(struct ckpt_ctx *ctx);
int ckpt_removed_directory_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_removed_directory_restore(struct ckpt_ctx *ctx);
int ckpt_gone_process_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_gone_process_restore(struct ckpt_ctx *ctx);
int ckpt_file_table_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_file_table_restore(struct ckpt_ctx *ctx);
bool ckpt_file_has_method(const struct file *file);
int ckpt_file_save(struct ckpt_ctx *ctx, void *object);
int ckpt_file_complete(struct ckpt_ctx *ctx, void *object, void *record);
void *ckpt_file_restore(struct ckpt_ctx *ctx);
int ckpt_mm_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_mm_restore(struct ckpt_ctx *ctx);
int ckpt_shmem_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_shmem_restore(struct ckpt_ctx *ctx);
int ckpt_sighand_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_sighand_restore(struct ckpt_ctx *ctx);
void ckpt_sighand_drop(void *object);
int ckpt_signal_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_signal_restore(struct ckpt_ctx *ctx);
void ckpt_signal_drop(void *object);
int ckpt_pipe_save(struct ckpt_ctx *ctx, void *object);
int ckpt_pipe_complete(struct ckpt_ctx *ctx, void *object, void *record);
bool ckpt_pipe_is_outside(struct ckpt_ctx *ctx, struct file *file);
void *ckpt_pipe_restore(struct ckpt_ctx *ctx);
int ckpt_pipe_publish(struct ckpt_ctx *ctx, void *object);
void ckpt_pipe_drop(void *object);
int ckpt_seccomp_filter_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_seccomp_filter_restore(struct ckpt_ctx *ctx);
void ckpt_seccomp_filter_drop(void *object);
int ckpt_nsproxy_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_nsproxy_restore(struct ckpt_ctx *ctx);
void ckpt_nsproxy_drop(void *object);
int ckpt_uts_ns_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_uts_ns_restore(struct ckpt_ctx *ctx);
void ckpt_uts_ns_drop(void *object);
int ckpt_ipc_ns_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_ipc_ns_restore(struct ckpt_ctx *ctx);
void ckpt_ipc_ns_drop(void *object);
void ckpt_fs_get(void *object);
void ckpt_fs_put(void *object);

/* Methods of the kinds of files, listed in checkpoint/types.c. */
struct file *ckpt_file_restore_generic(struct ckpt_ctx *ctx,
				       const struct ckpt_hdr_file *record);
struct file *ckpt_file_external_restore(struct ckpt_ctx *ctx,
					const struct ckpt_hdr_file *record);

/* Files that lead outside of the image. */
int ckpt_file_external_save(struct ckpt_ctx *ctx, struct file *file, u32 type,
			    dev_t rdev, const char *name);
struct file *ckpt_file_inherit(struct ckpt_ctx *ctx,
			       const struct ckpt_hdr_file *record);

struct file *ckpt_eventfd_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *record);
struct file *ckpt_signalfd_restore(struct ckpt_ctx *ctx,
				   const struct ckpt_hdr_file *record);
struct file *ckpt_timerfd_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *record);
struct file *ckpt_epoll_restore(struct ckpt_ctx *ctx,
				const struct ckpt_hdr_file *record);
struct file *ckpt_pidfd_restore(struct ckpt_ctx *ctx,
				const struct ckpt_hdr_file *record);
struct file *ckpt_inotify_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *record);
struct file *ckpt_file_take(int fd);

/* Items of epolls. */
int ckpt_epoll_items_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_epoll_items_restore(struct ckpt_ctx *ctx);
int ckpt_epoll_items_publish(struct ckpt_ctx *ctx, void *object);
void ckpt_epoll_items_drop(void *object);
#ifdef CONFIG_EPOLL
bool ckpt_file_is_epoll(struct file *file);
int ckpt_epolls_save(struct ckpt_ctx *ctx);
#else
static inline bool ckpt_file_is_epoll(struct file *file)
{
	return false;
}

static inline int ckpt_epolls_save(struct ckpt_ctx *ctx)
{
	return 0;
}
#endif

struct file *ckpt_file_restore_pipe(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record);
struct file *ckpt_file_restore_fifo(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record);

struct file *ckpt_file_restore_memfd(struct ckpt_ctx *ctx,
				     const struct ckpt_hdr_file *record);
struct file *ckpt_file_restore_unlinked(struct ckpt_ctx *ctx,
					const struct ckpt_hdr_file *record);

/* Sockets: net/socket_ckpt.c, net/unix/ */
int ckpt_socket_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_socket_restore(struct ckpt_ctx *ctx, struct file *file,
			struct ckpt_hdr_socket *record);

int ckpt_unix_sockets_save(struct ckpt_ctx *ctx, void *object);
void ckpt_unix_sockets_put(void *object);
void *ckpt_unix_sockets_restore(struct ckpt_ctx *ctx);
int ckpt_unix_sockets_publish(struct ckpt_ctx *ctx, void *object);
void ckpt_unix_sockets_drop(void *object);
struct file *ckpt_unix_restore(struct ckpt_ctx *ctx,
			       const struct ckpt_hdr_file *record);
#ifdef CONFIG_UNIX
bool ckpt_unix_is_outside(struct ckpt_ctx *ctx, struct file *file);
void ckpt_unix_free(struct ckpt_ctx *ctx);
#else
static inline bool ckpt_unix_is_outside(struct ckpt_ctx *ctx, struct file *file)
{
	return false;
}

static inline void ckpt_unix_free(struct ckpt_ctx *ctx)
{
}
#endif

/* Files of /proc. */
bool ckpt_file_is_proc(const struct file *file);
int ckpt_file_save_proc(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_restore_proc(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record);

/* Files that a path brings back. */
int ckpt_file_save_path_only(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_restore_path_only(struct ckpt_ctx *ctx,
					 const struct ckpt_hdr_file *record);
int ckpt_file_path_save(struct ckpt_ctx *ctx, const struct path *path);
int ckpt_file_save_for_memory(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_path_open(struct ckpt_ctx *ctx, int open_flags);
int ckpt_path_unlink(const char *path);
int ckpt_inode_path_find(struct ckpt_ctx *ctx, struct inode *inode,
			 struct vfsmount *likely, struct path *path);

/* Files whose contents are in the image. */
int ckpt_file_save_unlinked(struct ckpt_ctx *ctx, struct file *file);
loff_t ckpt_file_attributes_save(struct ckpt_ctx *ctx, const struct path *path);
int ckpt_file_attributes_read(struct ckpt_ctx *ctx,
			      struct ckpt_hdr_file_attributes *record);
int ckpt_file_attributes_set(struct ckpt_ctx *ctx, struct file *file,
			     const struct ckpt_hdr_file_attributes *record);
void ckpt_path_find_living(const struct path *path, struct path *directory);

/* Directories that were removed. */
bool ckpt_directory_is_removed(const struct path *path);
int ckpt_removed_directory_ref(struct ckpt_ctx *ctx, const struct path *path);
int ckpt_file_save_removed_directory(struct ckpt_ctx *ctx,
				     const struct path *path);
struct file *
ckpt_file_restore_removed_directory(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record);

/* What a memfd has besides its contents; they come in between. */
struct ckpt_memfd_stage {
	struct ckpt_hdr_memfd record;
	struct ckpt_hdr_file_attributes attributes;
};

bool ckpt_unlinked_is_memory(struct file *file);
int ckpt_unlinked_save_origin(struct ckpt_ctx *ctx, struct file *file,
			      struct ckpt_hdr_unlinked *record);
struct file *
ckpt_unlinked_create_memory(struct ckpt_ctx *ctx, const char *directory,
			    const struct ckpt_hdr_unlinked *record, u32 mode);

bool ckpt_memory_is_noexec(void);
int ckpt_memfd_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_memfd_save_vma(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			struct ckpt_hdr_vma *record);
struct file *ckpt_memfd_restore(struct ckpt_ctx *ctx,
				struct ckpt_memfd_stage *stage);
int ckpt_memfd_restore_end(struct ckpt_ctx *ctx, struct file *file,
			   const struct ckpt_memfd_stage *stage);
unsigned long ckpt_memfd_map(struct ckpt_ctx *ctx, struct file *file,
			     const struct ckpt_hdr_vma *record,
			     unsigned long prot, unsigned long flags);

/* Contents of files: mm/page_copies_ckpt.c */
struct ckpt_page_copies;
typedef int (*ckpt_page_fill_t)(struct ckpt_ctx *ctx, void *object,
				pgoff_t index);

struct ckpt_page_copies *ckpt_page_copies_alloc(void);
void ckpt_page_copies_free(struct ckpt_page_copies *copies);
struct page *ckpt_page_copies_new(void);
int ckpt_page_copies_add(struct ckpt_page_copies *copies, pgoff_t index,
			 struct page *page);
void ckpt_page_copies_append(struct ckpt_ctx *ctx,
			     struct ckpt_page_copies *copies);
int ckpt_page_copies_read(struct ckpt_ctx *ctx, u64 size, ckpt_page_fill_t fill,
			  void *object);

/* Pages that one record and one write carry. */
#define CKPT_PAGE_BATCH		64

struct ckpt_page_batch;

struct ckpt_page_batch *ckpt_page_batch_alloc(void);
int ckpt_page_batch_add(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch,
			pgoff_t index, struct page *page);
int ckpt_page_batch_flush(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch);
int ckpt_page_batch_end(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch);

/* Contents that are too large for memory: fs/unlinked_copy_ckpt.c */
typedef int (*ckpt_data_range_t)(void *object, pgoff_t index, pgoff_t end);

int ckpt_file_data_walk(struct file *file, loff_t size, ckpt_data_range_t range,
			void *object);
int ckpt_unlinked_copy(struct ckpt_ctx *ctx, struct file *file,
		       const struct path *directory, loff_t size);

/* What open files of all kinds may have: fs/file_owner_ckpt.c, locks_ckpt.c */
int ckpt_file_owner_save(struct ckpt_ctx *ctx, struct file *file,
			 struct ckpt_hdr_file *file_record);
int ckpt_file_owner_restore(struct ckpt_ctx *ctx, struct file *file,
			    unsigned int open_flags);
void ckpt_file_owners_commit(struct ckpt_ctx *ctx);
void ckpt_file_owners_free(struct ckpt_ctx *ctx);
int ckpt_file_locks_save(struct ckpt_ctx *ctx, struct file *file,
			 u32 *nr_locks);
int ckpt_file_lock_restore(struct ckpt_ctx *ctx, struct file *file);
bool ckpt_posix_locks_may_exist(struct file *file);
int ckpt_posix_locks_save(struct ckpt_ctx *ctx, struct files_struct *files,
			  struct file *file, int fd, u32 *nr_locks);
int ckpt_posix_lock_restore(struct ckpt_ctx *ctx);
int ckpt_file_lease_save(struct ckpt_ctx *ctx, struct file *file, u32 kind);
int ckpt_file_lease_restore(struct ckpt_ctx *ctx, struct file *file);
void ckpt_file_lease_commit(struct file *file);

#ifdef CONFIG_DNOTIFY
int ckpt_dnotify_check(struct ckpt_ctx *ctx, struct file *file);
#else
static inline int ckpt_dnotify_check(struct ckpt_ctx *ctx, struct file *file)
{
	return 0;
}
#endif

/* Users and processes that other state refers to. */
bool ckpt_cred_may_be_user(kuid_t uid);
bool ckpt_cred_may_be_group(kgid_t gid);
bool ckpt_tree_has(struct ckpt_ctx *ctx, struct task_struct *task);
bool ckpt_tree_has_processes(const struct ckpt_ctx *ctx);
int ckpt_pid_save(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type);
struct pid *ckpt_pid_find(struct ckpt_ctx *ctx, u32 number, enum pid_type type);

/* Tasks that have exited, and are there still: kernel/task_dead_ckpt.c */
int ckpt_task_dead_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_task_dead_restore(struct ckpt_ctx *ctx, u32 index,
			   struct ckpt_task_stage *stage);
int ckpt_task_dead_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_task_dead_wait(struct ckpt_tree_task *place);

/* Methods of the parts of a task, listed in checkpoint/types.c. */
int ckpt_task_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_task_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_task_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_task_release(struct ckpt_task_stage *stage);
int ckpt_namespaces_restore(struct ckpt_ctx *ctx,
			    struct ckpt_task_stage *stage);
int ckpt_namespaces_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_cred_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_fs_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_files_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_mm_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_sighand_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_signal_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_thread_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_thread_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_thread_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_thread_release(struct ckpt_task_stage *stage);
int ckpt_timers_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_timers_release(struct ckpt_task_stage *stage);
int ckpt_restart_block_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_restart_block_restore(struct ckpt_ctx *ctx,
			       struct ckpt_task_stage *stage);
int ckpt_restart_block_commit(struct ckpt_ctx *ctx,
			      struct ckpt_task_stage *stage);
int ckpt_cpu_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_cpu_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_cpu_commit_extended(struct ckpt_ctx *ctx,
			     struct ckpt_task_stage *stage);
int ckpt_cpu_commit_general(struct ckpt_ctx *ctx,
			    struct ckpt_task_stage *stage);
void ckpt_cpu_release(struct ckpt_task_stage *stage);

#ifdef CONFIG_SECCOMP
int ckpt_seccomp_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_seccomp_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
#else
static inline int ckpt_seccomp_restore(struct ckpt_ctx *ctx,
				       struct ckpt_task_stage *stage)
{
	if (stage->task.flags & CKPT_TASK_SECCOMP_STRICT)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "this kernel has no seccomp");
	return 0;
}

static inline int ckpt_seccomp_commit(struct ckpt_ctx *ctx,
				      struct ckpt_task_stage *stage)
{
	return 0;
}
#endif

/* Parts of the above that have files of their own. */
int ckpt_namespaces_check(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_namespaces_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_namespaces_may_create(struct ckpt_ctx *ctx, const char *what);
#ifdef CONFIG_SECCOMP_FILTER
int ckpt_seccomp_save(struct ckpt_ctx *ctx, struct task_struct *task);
#else
static inline int ckpt_seccomp_save(struct ckpt_ctx *ctx,
				    struct task_struct *task)
{
	return 0;
}
#endif
int ckpt_affinity_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_affinity_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_affinity_commit(struct ckpt_task_stage *stage);
void ckpt_affinity_release(struct ckpt_task_stage *stage);
void ckpt_stop_save(struct task_struct *task, struct ckpt_hdr_signal *record);
int ckpt_stop_check(struct ckpt_ctx *ctx, const struct ckpt_hdr_signal *record);
void ckpt_stop_commit(const struct ckpt_hdr_signal *record);
void ckpt_stop_commit_thread(const struct ckpt_hdr_signal *record);
int ckpt_sem_undo_check(struct ckpt_ctx *ctx, struct task_struct *task);

/* What an IPC namespace holds: ipc/namespace_ckpt.c, sem_ckpt.h, msg_ckpt.h */
struct ipc_ids;
struct ipc_namespace;
struct kern_ipc_perm;
struct msg_msg;

void ckpt_msg_text(struct msg_msg *msg, void *data);
struct msg_msg *ckpt_msg_create(long type, void *data, size_t len);
int ckpt_ipc_perm_fill_in(struct ipc_namespace *ns,
			  struct ckpt_hdr_ipc_perm *record,
			  struct kern_ipc_perm *perm);
int ckpt_ipc_perm_read(struct ckpt_ctx *ctx, struct ipc_ids *ids,
		       struct ckpt_hdr_ipc_perm *record);
struct kern_ipc_perm *ckpt_ipc_perm_set(struct ipc_ids *ids,
					const struct ckpt_hdr_ipc_perm *record);
#ifdef CONFIG_SYSVIPC
int ckpt_sem_sets_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		       u32 *nr);
int ckpt_sem_set_restore(struct ckpt_ctx *ctx, struct ipc_namespace *ns);
int ckpt_msg_queues_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			 u32 *nr);
int ckpt_msg_queue_restore(struct ckpt_ctx *ctx, struct ipc_namespace *ns);
#else
static inline int ckpt_sem_sets_save(struct ckpt_ctx *ctx,
				     struct ipc_namespace *ns, u32 *nr)
{
	return 0;
}

static inline int ckpt_sem_set_restore(struct ckpt_ctx *ctx,
				       struct ipc_namespace *ns)
{
	return ckpt_error(ctx, -EOPNOTSUPP, "this kernel has no SysV IPC");
}

static inline int ckpt_msg_queues_save(struct ckpt_ctx *ctx,
				       struct ipc_namespace *ns, u32 *nr)
{
	return 0;
}

static inline int ckpt_msg_queue_restore(struct ckpt_ctx *ctx,
					 struct ipc_namespace *ns)
{
	return ckpt_error(ctx, -EOPNOTSUPP, "this kernel has no SysV IPC");
}
#endif

void ckpt_itimers_save(struct task_struct *task,
		       struct ckpt_hdr_signal *record);
int ckpt_itimers_check(struct ckpt_ctx *ctx,
		       const struct ckpt_hdr_signal *record);
void ckpt_itimers_commit(const struct ckpt_hdr_signal *record);
bool ckpt_too_many_queued(void);
int ckpt_posix_timers_save(struct ckpt_ctx *ctx, struct task_struct *task,
			   struct ckpt_hdr_signal *record);
int ckpt_posix_timers_restore(struct ckpt_ctx *ctx,
			      const struct ckpt_hdr_signal *record,
			      struct xarray *timers);
int ckpt_posix_timer_queue(struct ckpt_ctx *ctx, struct xarray *timers,
			   const siginfo_t *info, bool thread,
			   struct list_head *pending);
void ckpt_posix_timers_commit(const struct ckpt_hdr_signal *record,
			      struct xarray *timers);
void ckpt_posix_timers_drop(struct xarray *timers);
int ckpt_vmas_save(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 *nr_vmas);
int ckpt_vma_restore(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     const struct ckpt_hdr_vma *record);
int ckpt_vma_restore_end(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 const struct ckpt_hdr_vma *record);
int ckpt_mm_capture_pages(struct ckpt_ctx *ctx, struct mm_struct *mm);
int ckpt_mm_restore_pages(struct ckpt_ctx *ctx, struct mm_struct *mm);
struct mm_struct *ckpt_mm_switch(struct mm_struct *mm);
bool ckpt_vma_is_private(const struct vm_area_struct *vma);

/* Pages under copy-on-write: mm/cow_ckpt.c */

/**
 * struct ckpt_cow_place - a page in the image
 * @mm: id of the address space that it was written with
 * @address: in that
 */
struct ckpt_cow_place {
	u32 mm;
	unsigned long address;
};

int ckpt_cow_save_vma(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		      struct ckpt_hdr_vma *record);
bool ckpt_cow_may_share(struct ckpt_ctx *ctx, const struct vm_area_struct *vma);
bool ckpt_cow_find(struct ckpt_ctx *ctx, u32 mm, struct page *page,
		   struct ckpt_cow_place *place);
int ckpt_cow_add(struct ckpt_ctx *ctx, struct page *page, u32 mm,
		 unsigned long address);
int ckpt_cow_link(struct ckpt_ctx *ctx, struct mm_struct *mm,
		  const struct ckpt_hdr_vma *record);
int ckpt_cow_restore(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     const struct ckpt_hdr_pages_cow *record);
void ckpt_cow_free(struct ckpt_ctx *ctx);

/* Architecture. */
int arch_ckpt_save_header(struct ckpt_ctx *ctx);
int arch_ckpt_check_header(struct ckpt_ctx *ctx);
int arch_ckpt_save_mm(struct ckpt_ctx *ctx, struct mm_struct *mm);
int arch_ckpt_restore_mm(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 struct ckpt_hdr_mm_arch *record);
int arch_ckpt_check_mm(struct ckpt_ctx *ctx, const struct mm_struct *mm,
		       const struct ckpt_hdr_mm_arch *record);
int arch_ckpt_map_vdso(struct ckpt_ctx *ctx, struct mm_struct *mm,
		       const struct ckpt_hdr_vma *record);
int arch_ckpt_check_place(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
long arch_ckpt_return_value(struct ckpt_task_stage *stage);
void arch_ckpt_reissue_syscall(void);

#endif /* _LINUX_CHECKPOINT_CTX_H */
