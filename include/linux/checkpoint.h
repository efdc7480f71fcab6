/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checkpoint and restart: what the rest of the kernel sees.
 *
 * Without CONFIG_CHECKPOINT every name here vanishes.
 */
#ifndef _LINUX_CHECKPOINT_H
#define _LINUX_CHECKPOINT_H

#include <linux/task_work.h>
#include <linux/types.h>
#include <uapi/linux/checkpoint.h>

struct bpf_prog;
struct ckpt_ctx;
struct ckpt_hdr_vma;
struct file;
struct inode;
struct fs_struct;
struct itimerspec64;
struct mm_struct;
struct nsproxy;
struct pipe_inode_info;
struct restart_block;
struct sigqueue;
struct sock_filter;
struct sock_fprog;
struct task_struct;
struct user_namespace;
struct vm_area_struct;
struct vm_special_mapping;

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

#define VISIBLE_IF_CHECKPOINT	static
#define CKPT_FOP(_method)
#define CKPT_VMOP(_method)

#endif /* CONFIG_CHECKPOINT */

#endif /* _LINUX_CHECKPOINT_H */
