/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint and restart: what the rest of the kernel sees.
 *
 * Without CONFIG_CHECKPOINT every name here vanishes.
 */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <linux/jump_label.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <uapi/linux/checkpoint.h>

struct address_space;
struct bpf_prog;
struct ckpt_ctx;
struct ckpt_hdr_vma;
struct file;
struct folio;
struct inode;
struct fs_struct;
struct itimerspec64;
struct mm_struct;
struct nsproxy;
struct oom_control;
struct page;
struct pipe_inode_info;
struct restart_block;
struct sigqueue;
struct sock_filter;
struct sock_fprog;
struct task_struct;
struct user_namespace;
struct vm_area_struct;
struct vm_special_mapping;

/**
 * enum ckpt_oom - what is to be done where memory has run out
 * @CKPT_OOM_KILL: what would be done without checkpoints
 * @CKPT_OOM_RETRY: try again: a checkpoint gives memory back
 * @CKPT_OOM_FAIL: refuse: it is for a checkpoint
 */
enum ckpt_oom {
	CKPT_OOM_KILL,
	CKPT_OOM_RETRY,
	CKPT_OOM_FAIL,
};

#ifdef CONFIG_CHECKPOINT

/* A function that only its own file calls, and now a handler too. */
#define VISIBLE_IF_CHECKPOINT

/* Rows of method tables: .checkpoint = _method */
#define CKPT_FOP(_method)	.checkpoint = _method,
#define CKPT_VMOP(_method)	.checkpoint = _method,

/*
 * Called by a task that was stopped by a signal, before it does anything else.
 * A checkpoint that found it stopped keeps it here.
 */
static inline void ckpt_task_continued(void)
{
	if (task_work_pending(current))
		task_work_run();
}

/* mm/oom_ckpt.c */
enum ckpt_oom ckpt_out_of_memory(const struct oom_control *oc);

/* Shared memory that is written to while the image is: shared_write_ckpt.c */
DECLARE_STATIC_KEY_FALSE(ckpt_capture_key);
bool __ckpt_vma_is_captured(const struct vm_area_struct *vma);
void __ckpt_folio_before_write(struct folio *folio, size_t offset, size_t len);
void __ckpt_page_before_write(struct page *page);
void __ckpt_mapping_before_pin(struct address_space *mapping);

/**
 * ckpt_vma_is_captured - does a checkpoint want to know of writes to a mapping?
 * @vma: mapping; its lock, or that of its address space, is held
 *
 * Return: whether no entry may be made writable but in a write fault, with
 * ckpt_page_before_write() before.
 */
static inline bool ckpt_vma_is_captured(const struct vm_area_struct *vma)
{
	return static_branch_unlikely(&ckpt_capture_key) &&
	       __ckpt_vma_is_captured(vma);
}

/**
 * ckpt_folio_before_write - some part of a folio is about to change
 * @folio: locked, until it has changed or its page table entries have
 * @offset: of the first byte in it
 * @len: bytes; those behind its end do not count
 *
 * Context: May sleep.
 */
static inline void ckpt_folio_before_write(struct folio *folio, size_t offset,
					   size_t len)
{
	if (static_branch_unlikely(&ckpt_capture_key))
		__ckpt_folio_before_write(folio, offset, len);
}

/**
 * ckpt_page_before_write - a page is about to become writable
 * @page: of a folio as for ckpt_folio_before_write()
 *
 * Context: May sleep.
 */
static inline void ckpt_page_before_write(struct page *page)
{
	if (static_branch_unlikely(&ckpt_capture_key))
		__ckpt_page_before_write(page);
}

/**
 * ckpt_mapping_before_pin - pages may change that nobody is told of
 * @mapping: of shared memory; no checkpoint has references to its pages after
 *	this
 *
 * Context: May sleep.
 */
static inline void ckpt_mapping_before_pin(struct address_space *mapping)
{
	if (static_branch_unlikely(&ckpt_capture_key))
		__ckpt_mapping_before_pin(mapping);
}

/* Methods for struct file_operations: CKPT_FILE_* or a negative errno. */
int ckpt_file_save_generic(struct ckpt_ctx *ctx, struct file *file);
int ckpt_eventfd_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_signalfd_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_timerfd_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_epoll_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_inotify_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_tty_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_pidfd_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_file_save_pipe(struct ckpt_ctx *ctx, struct file *file);
int ckpt_file_save_socket(struct ckpt_ctx *ctx, struct file *file);
int ckpt_file_save_shmem(struct ckpt_ctx *ctx, struct file *file);

/* Methods for struct proto_ops, likewise. */
int ckpt_unix_save(struct ckpt_ctx *ctx, struct file *file);
int ckpt_tcp_save(struct ckpt_ctx *ctx, struct file *file);

/* Methods for struct vm_operations_struct. */
int ckpt_vma_save_file(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		       struct ckpt_hdr_vma *record);
int ckpt_vma_save_shmem(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			struct ckpt_hdr_vma *record);
int ckpt_vma_save_special(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			  struct ckpt_hdr_vma *record);

/* Functions of other subsystems that only handlers call besides them. */
extern const struct vm_special_mapping vdso_mapping;
extern const struct vm_special_mapping vvar_mapping;
int wait_for_vfork_done(struct task_struct *child, struct completion *vfork);
struct mm_struct *dup_mm(struct task_struct *tsk, struct mm_struct *oldmm);
int copy_p4d_range(struct vm_area_struct *dst_vma,
		   struct vm_area_struct *src_vma, pgd_t *dst_pgd,
		   pgd_t *src_pgd, unsigned long addr, unsigned long end);
long hrtimer_nanosleep_restart(struct restart_block *restart);
long posix_cpu_nsleep_restart(struct restart_block *restart);
long futex_wait_restart(struct restart_block *restart);
long do_restart_poll(struct restart_block *restart);
int do_setitimer(int which, struct itimerspec64 *value,
		 struct itimerspec64 *ovalue);
struct sigqueue *__sigqueue_alloc(int sig, struct task_struct *t,
				  gfp_t gfp_flags, int override_rlimit,
				  const unsigned int sigqueue_flags);
void __sigqueue_free(struct sigqueue *q);
int do_mlock(unsigned long start, size_t len, unsigned long flags);
extern const struct pipe_buf_operations anon_pipe_buf_ops;
void put_pipe_info(struct inode *inode, struct pipe_inode_info *pipe);
int bpf_prog_store_orig_filter(struct bpf_prog *fp,
			       const struct sock_fprog *fprog);
struct bpf_prog *
bpf_prepare_filter(struct bpf_prog *fp,
		   int (*trans)(struct sock_filter *filter, unsigned int flen));
struct nsproxy *create_new_namespaces(unsigned long flags,
				      struct task_struct *tsk,
				      struct user_namespace *user_ns,
				      struct fs_struct *new_fs);

#else

static inline void ckpt_task_continued(void)
{
}

static inline enum ckpt_oom ckpt_out_of_memory(const struct oom_control *oc)
{
	return CKPT_OOM_KILL;
}

static inline bool ckpt_vma_is_captured(const struct vm_area_struct *vma)
{
	return false;
}

static inline void ckpt_folio_before_write(struct folio *folio, size_t offset,
					   size_t len)
{
}

static inline void ckpt_page_before_write(struct page *page)
{
}

static inline void ckpt_mapping_before_pin(struct address_space *mapping)
{
}

#define VISIBLE_IF_CHECKPOINT	static
#define CKPT_FOP(_method)
#define CKPT_VMOP(_method)

#endif /* CONFIG_CHECKPOINT */

#endif /* _LINUX_CHECKPOINT_H */
