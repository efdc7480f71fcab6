/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of the handlers, each beside the owner of its kind of state.
 *
 * Part of linux/checkpoint_ctx.h, which has what they work with.
 */
#ifndef _LINUX_CHECKPOINT_HANDLERS_H
#define _LINUX_CHECKPOINT_HANDLERS_H

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
struct file *ckpt_file_table_next(struct files_struct *files, unsigned int *fd,
				  bool *cloexec);
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
void ckpt_sighand_share(struct ckpt_sighand_stage *sighand,
			struct task_struct *leader);
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
int ckpt_user_ns_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_user_ns_restore(struct ckpt_ctx *ctx);
void ckpt_user_ns_drop(void *object);
int ckpt_pid_ns_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_pid_ns_restore(struct ckpt_ctx *ctx);
void ckpt_pid_ns_drop(void *object);
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
int ckpt_file_leave_out(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_inherit(struct ckpt_ctx *ctx,
			       const struct ckpt_hdr_file *record);

/**
 * ckpt_file_refuse - refuse an open file of a kind that cannot be saved
 * @_ctx: context
 * @_file: the file; nothing but its first record was appended
 * @...: why not, as for ckpt_error() with -EBADF
 *
 * Return: CKPT_FILE_EXTERNAL if the caller of checkpoint() wants that and it can
 * be, or a negative errno.
 */
#define ckpt_file_refuse(_ctx, _file, ...) ({				\
	struct ckpt_ctx *refuse_ctx = (_ctx);				\
									\
	refuse_ctx->may_leave_out ?					\
		ckpt_file_leave_out(refuse_ctx, _file) :		\
		ckpt_error(refuse_ctx, -EBADF, __VA_ARGS__);		\
})

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
int ckpt_file_set_mode(struct file *file, u32 uid, u32 gid, umode_t mode);

/* Items of epolls. */
int ckpt_epoll_items_save(struct ckpt_ctx *ctx, void *object);
void *ckpt_epoll_items_restore(struct ckpt_ctx *ctx);
int ckpt_epoll_items_publish(struct ckpt_ctx *ctx, void *object);
void ckpt_epoll_items_drop(void *object);

/**
 * struct ckpt_epoll_locks - epolls that are locked while their items are moved
 * @locks: their mutexes
 * @nr: how many of them
 */
struct ckpt_epoll_locks {
	/* Their order is free, because no one waits for them. */
	struct mutex *locks[16];
	unsigned int nr;
};

#ifdef CONFIG_EPOLL
bool ckpt_file_is_epoll(struct file *file);
int ckpt_epolls_save(struct ckpt_ctx *ctx);
bool ckpt_epoll_move_waits(struct wait_queue_head *from,
			   struct wait_queue_head *to,
			   struct ckpt_epoll_locks *locks);
void ckpt_epoll_unlock(struct ckpt_epoll_locks *locks);
#else
static inline bool ckpt_file_is_epoll(struct file *file)
{
	return false;
}

static inline int ckpt_epolls_save(struct ckpt_ctx *ctx)
{
	return 0;
}

static inline bool ckpt_epoll_move_waits(struct wait_queue_head *from,
					 struct wait_queue_head *to,
					 struct ckpt_epoll_locks *locks)
{
	return true;
}

static inline void ckpt_epoll_unlock(struct ckpt_epoll_locks *locks)
{
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

/* Sockets: net/socket_ckpt.c, net/unix/, net/ipv4/ */
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
bool ckpt_unix_is_outside(struct ckpt_ctx *ctx, struct file *file);
#ifdef CONFIG_UNIX
void ckpt_unix_free(struct ckpt_ctx *ctx);
#else
static inline void ckpt_unix_free(struct ckpt_ctx *ctx)
{
}
#endif

int ckpt_tcp_options_save(struct ckpt_ctx *ctx, struct sock *sk);
int ckpt_tcp_options_restore(struct ckpt_ctx *ctx, struct socket *sock);
struct file *ckpt_tcp_restore(struct ckpt_ctx *ctx,
			      const struct ckpt_hdr_file *record);

/* Files of /proc. */
bool ckpt_file_is_proc(const struct file *file);
int ckpt_file_save_proc(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_restore_proc(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record);

/* Files that a path brings back. */
int ckpt_file_save_path_only(struct ckpt_ctx *ctx, struct file *file);
struct file *ckpt_file_restore_path_only(struct ckpt_ctx *ctx,
					 const struct ckpt_hdr_file *record);
bool ckpt_path_is_unlinked(const struct path *path);
bool ckpt_path_is_remote(const struct path *path);
int ckpt_file_path_save(struct ckpt_ctx *ctx, const struct path *path);
int ckpt_file_save_mapped(struct ckpt_ctx *ctx, struct file *file);
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
struct file *ckpt_file_open_unnoticed(const struct path *path);
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
int ckpt_page_batch_prepare(struct ckpt_ctx *ctx,
			    struct ckpt_page_batch *batch, pgoff_t index);
int ckpt_page_batch_add(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch,
			pgoff_t index, struct page *page);
int ckpt_page_batch_flush(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch);
int ckpt_page_batch_end(struct ckpt_ctx *ctx, struct ckpt_page_batch *batch);

/* Contents of shared memory: mm/shared_ckpt.c, mm/shared_write_ckpt.c */
int ckpt_shared_save(struct ckpt_ctx *ctx, struct inode *inode, loff_t size);
void ckpt_capture_begin(struct ckpt_ctx *ctx);
void ckpt_capture_end(struct ckpt_ctx *ctx);

/* When memory runs out: mm/oom_ckpt.c */
void ckpt_oom_begin(struct ckpt_ctx *ctx);
void ckpt_oom_end(struct ckpt_ctx *ctx);

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
struct task_struct *ckpt_tree_vfork_child(struct ckpt_ctx *ctx,
					  struct task_struct *task);
struct task_struct *ckpt_tree_await_child(struct ckpt_ctx *ctx, u32 id);
bool ckpt_tree_has_processes(const struct ckpt_ctx *ctx);
int ckpt_tree_check_strangers(struct ckpt_ctx *ctx, struct pid_namespace *ns);
int ckpt_pid_save(struct ckpt_ctx *ctx, struct pid *pid, enum pid_type type);
struct pid *ckpt_pid_find(struct ckpt_ctx *ctx, u32 number, enum pid_type type);

/* Tasks that wait in vfork(): kernel/vfork_ckpt.c */
int ckpt_vfork_save(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_vfork_restore(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
void ckpt_vfork_commit(struct ckpt_task_stage *stage);
void ckpt_vfork_release(struct ckpt_task_stage *stage);

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
int ckpt_fs_check(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_fs_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_files_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_mm_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
int ckpt_sighand_check(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
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
int ckpt_namespaces_may_create(struct ckpt_ctx *ctx, const char *what,
			       struct user_namespace *owner);
#ifdef CONFIG_USER_NS
int ckpt_user_ns_ref(struct ckpt_ctx *ctx, struct user_namespace *ns);
struct user_namespace *ckpt_user_ns_find(struct ckpt_ctx *ctx, u32 objref);
void ckpt_user_ns_enter(struct cred *new, struct user_namespace *ns);
bool ckpt_user_ns_is_new(const struct user_namespace *ns);
#else
static inline int ckpt_user_ns_ref(struct ckpt_ctx *ctx,
				   struct user_namespace *ns)
{
	return 0;
}

static inline struct user_namespace *ckpt_user_ns_find(struct ckpt_ctx *ctx,
						       u32 objref)
{
	return &init_user_ns;
}

static inline void ckpt_user_ns_enter(struct cred *new,
				      struct user_namespace *ns)
{
}

static inline bool ckpt_user_ns_is_new(const struct user_namespace *ns)
{
	return false;
}
#endif
bool ckpt_namespaces_may_enter(const struct ckpt_task_stage *stage,
			       const struct user_namespace *owner);
#ifdef CONFIG_PID_NS
int ckpt_pid_ns_ref(struct ckpt_ctx *ctx, struct pid_namespace *ns);
int ckpt_pid_ns_check_children(struct ckpt_ctx *ctx,
			       const struct ckpt_task_stage *stage,
			       struct pid_namespace *ns);
int ckpt_pid_ns_put_off(struct ckpt_ctx *ctx, struct ckpt_pid_ns *pid_ns);
#else
static inline int ckpt_pid_ns_ref(struct ckpt_ctx *ctx,
				  struct pid_namespace *ns)
{
	return 0;
}

static inline int
ckpt_pid_ns_check_children(struct ckpt_ctx *ctx,
			   const struct ckpt_task_stage *stage,
			   struct pid_namespace *ns)
{
	return 0;
}

static inline int ckpt_pid_ns_put_off(struct ckpt_ctx *ctx,
				      struct ckpt_pid_ns *pid_ns)
{
	return 0;
}
#endif
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

/* NUMA policies: mm/mempolicy_ckpt.c */
struct shared_policy;

#ifdef CONFIG_NUMA
int ckpt_mempolicy_save_task(struct ckpt_ctx *ctx, struct task_struct *task);
int ckpt_mempolicy_save_vma(struct ckpt_ctx *ctx,
			    const struct vm_area_struct *vma);
int ckpt_mempolicy_save_shared(struct ckpt_ctx *ctx,
			       struct shared_policy *shared, u32 *nr_policies);
int ckpt_mempolicy_restore_task(struct ckpt_ctx *ctx,
				struct ckpt_task_stage *stage);
void ckpt_mempolicy_swap(struct ckpt_task_stage *stage);
void ckpt_mempolicy_commit(struct ckpt_task_stage *stage);
void ckpt_mempolicy_release(struct ckpt_task_stage *stage);
int ckpt_mempolicy_restore_vma(struct ckpt_ctx *ctx, struct mm_struct *mm,
			       const struct ckpt_hdr_vma *vma);
void ckpt_mempolicy_commit_mm(struct ckpt_task_stage *stage);
int ckpt_mempolicy_restore_shared(struct ckpt_ctx *ctx,
				  struct shared_policy *shared,
				  u32 nr_policies);
#else
static inline int ckpt_mempolicy_missing(struct ckpt_ctx *ctx, bool is_needed)
{
	if (is_needed)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "this kernel has no NUMA policies");
	return 0;
}

static inline int ckpt_mempolicy_save_task(struct ckpt_ctx *ctx,
					   struct task_struct *task)
{
	return 0;
}

static inline int ckpt_mempolicy_save_vma(struct ckpt_ctx *ctx,
					  const struct vm_area_struct *vma)
{
	return 0;
}

static inline int ckpt_mempolicy_save_shared(struct ckpt_ctx *ctx,
					     struct shared_policy *shared,
					     u32 *nr_policies)
{
	return 0;
}

static inline int ckpt_mempolicy_restore_task(struct ckpt_ctx *ctx,
					      struct ckpt_task_stage *stage)
{
	return ckpt_mempolicy_missing(ctx, stage->task.flags &
					   CKPT_TASK_MEMPOLICY);
}

static inline void ckpt_mempolicy_swap(struct ckpt_task_stage *stage)
{
}

static inline void ckpt_mempolicy_commit(struct ckpt_task_stage *stage)
{
}

static inline void ckpt_mempolicy_release(struct ckpt_task_stage *stage)
{
}

static inline int ckpt_mempolicy_restore_vma(struct ckpt_ctx *ctx,
					     struct mm_struct *mm,
					     const struct ckpt_hdr_vma *vma)
{
	return ckpt_mempolicy_missing(ctx, vma->flags & CKPT_VMA_MEMPOLICY);
}

static inline void ckpt_mempolicy_commit_mm(struct ckpt_task_stage *stage)
{
}

static inline int ckpt_mempolicy_restore_shared(struct ckpt_ctx *ctx,
						struct shared_policy *shared,
						u32 nr_policies)
{
	return ckpt_mempolicy_missing(ctx, nr_policies);
}
#endif

bool ckpt_shmem_has_policy(struct inode *inode);
int ckpt_shmem_save_policies(struct ckpt_ctx *ctx, struct inode *inode,
			     u32 *nr_policies);

#ifdef CONFIG_UCLAMP_TASK
void ckpt_uclamp_save(struct task_struct *task, struct ckpt_hdr_task *record);
int ckpt_uclamp_check(struct ckpt_ctx *ctx, const struct ckpt_hdr_task *record);
void ckpt_uclamp_fill_in(const struct ckpt_hdr_task *record,
			 struct sched_attr *attr);
#else
static inline void ckpt_uclamp_save(struct task_struct *task,
				    struct ckpt_hdr_task *record)
{
}

static inline int ckpt_uclamp_check(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_task *record)
{
	if (record->flags & (CKPT_TASK_UTIL_MIN | CKPT_TASK_UTIL_MAX))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "this kernel has no utilization clamps");
	return 0;
}

static inline void ckpt_uclamp_fill_in(const struct ckpt_hdr_task *record,
				       struct sched_attr *attr)
{
}
#endif
void ckpt_stop_save(struct task_struct *task, struct ckpt_hdr_signal *record);
int ckpt_stop_check(struct ckpt_ctx *ctx, const struct ckpt_hdr_signal *record);
void ckpt_stop_commit(const struct ckpt_hdr_signal *record);
void ckpt_stop_commit_thread(const struct ckpt_hdr_signal *record);
int ckpt_sem_undo_check(struct ckpt_ctx *ctx, struct task_struct *task);

/* What an IPC namespace holds: ipc/namespace_ckpt.c, sem_ckpt.h, msg_ckpt.h */
struct ipc_ids;
struct ipc_namespace;
struct ipc_ops;
struct ipc_params;
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
int ckpt_ipc_object_create(struct ipc_namespace *ns, struct ipc_ids *ids,
			   const struct ipc_ops *ops, struct ipc_params *params,
			   const struct ckpt_hdr_ipc_perm *record);
typedef int (*ckpt_ipc_save_t)(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			       struct kern_ipc_perm *ipcp);
int ckpt_ipc_objects_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			  struct ipc_ids *ids, ckpt_ipc_save_t save, u32 *nr);
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
int ckpt_vmas_save(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 *nr_vmas,
		   vm_flags_t *any_flags);
int ckpt_vma_restore(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     const struct ckpt_hdr_vma *record);
int ckpt_vma_restore_end(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 const struct ckpt_hdr_vma *record);
int ckpt_mm_capture_pages(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  vm_flags_t any_flags);
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
void ckpt_cow_forget_pages(struct ckpt_ctx *ctx);
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

#endif /* _LINUX_CHECKPOINT_HANDLERS_H */
