// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of descriptor tables.
 *
 * Saved: every descriptor with its number, close-on-exec flag and open file;
 *	descriptors that share an open file share it again; POSIX locks.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/minmax.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>

/* A mapping or an epoll may have been faster. */
static void found_open(struct ckpt_ctx *ctx, unsigned int fd, struct file *file)
{
	struct ckpt_hdr_file *record = ckpt_object_record(ctx, file);

	if (record->fd >= 0)
		return;
	record->fd = fd;
	record->flags &= ~CKPT_FILE_ONLY_WATCHED;
}

static int save_descriptor(struct ckpt_ctx *ctx, unsigned int fd,
			   struct file *file, bool cloexec)
{
	struct ckpt_hdr_file_desc *record;
	int objref;

	ctx->descriptor = fd;
	objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, file);
	ctx->descriptor = -1;
	if (objref < 0)
		return ckpt_error(ctx, objref, "descriptor %u (%pD)", fd, file);
	found_open(ctx, fd, file);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_DESC);
	if (!record)
		return -ENOMEM;
	record->fd = fd;
	record->flags = cloexec ? CKPT_FD_CLOEXEC : 0;
	record->file = objref;
	return 0;
}

/**
 * ckpt_file_table_next - the next descriptor that is open
 * @files: table of a stopped task
 * @fd: where to look from on; set to what was found
 * @cloexec: set to whether execve() closes it
 *
 * Return: the open file, with a reference; NULL if there is none.
 */
struct file *ckpt_file_table_next(struct files_struct *files, unsigned int *fd,
				  bool *cloexec)
{
	struct file *file = NULL;
	struct fdtable *fdt;

	spin_lock(&files->file_lock);
	fdt = files_fdtable(files);
	for (; *fd < fdt->max_fds && !file; ++*fd) {
		file = rcu_dereference_protected(fdt->fd[*fd],
						 lockdep_is_held(&files->file_lock));
		if (!file)
			continue;
		get_file(file);
		*cloexec = close_on_exec(*fd, files);
		break;
	}
	spin_unlock(&files->file_lock);
	return file;
}

/* Several descriptors may share an open file: one of them takes its locks. */
static bool is_lowest(struct ckpt_ctx *ctx, struct file *file, unsigned int fd)
{
	const struct ckpt_hdr_file *record = ckpt_object_record(ctx, file);

	return record && record->fd == fd;
}

/* There may be as many descriptors as the limit allows. */
static int take_a_break(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* After the descriptors, because that is where they are taken again. */
static int save_posix_locks(struct ckpt_ctx *ctx, struct files_struct *files,
			    u32 *nr_locks)
{
	struct file *file;
	unsigned int fd;
	bool cloexec;
	int ret = 0;

	for (fd = 0; (file = ckpt_file_table_next(files, &fd, &cloexec)); fd++) {
		if (ckpt_posix_locks_may_exist(file) &&
		    is_lowest(ctx, file, fd))
			ret = ckpt_posix_locks_save(ctx, files, file, fd,
						    nr_locks);
		fput(file);
		if (!ret)
			ret = take_a_break();
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_file_table_save - save a descriptor table
 * @ctx: context
 * @object: struct files_struct of a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_file_table_save(struct ckpt_ctx *ctx, void *object)
{
	struct files_struct *files = object;
	struct ckpt_hdr_file_table *header;
	struct file *file;
	unsigned int fd;
	bool cloexec;
	int ret;

	header = ckpt_record_add(ctx, CKPT_HDR_FILE_TABLE);
	if (!header)
		return -ENOMEM;
	for (fd = 0; (file = ckpt_file_table_next(files, &fd, &cloexec)); fd++) {
		ret = save_descriptor(ctx, fd, file, cloexec);
		fput(file);
		if (!ret)
			ret = take_a_break();
		if (ret)
			return ret;
		header->nr_fds++;
	}
	ret = ckpt_epolls_save(ctx);
	if (ret)
		return ret;
	return save_posix_locks(ctx, files, &header->nr_locks);
}

static struct files_struct *switch_files(struct files_struct *files)
{
	struct files_struct *old;

	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	return old;
}

/*
 * A task may raise its own limit up to the hard one, or any with the right to
 * do so: the limit that was saved does not count before the commit.
 */
static int install(unsigned int fd, struct file *file, unsigned int flags)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];
	bool may_raise = capable(CAP_SYS_RESOURCE);
	struct rlimit old, raised;
	int ret;

	task_lock(current->group_leader);
	old = *limit;
	limit->rlim_cur = limit->rlim_max;
	if (may_raise)
		limit->rlim_cur = max_t(unsigned long, sysctl_nr_open,
					limit->rlim_max);
	raised = *limit;
	task_unlock(current->group_leader);
	ret = replace_fd(fd, file, flags);
	task_lock(current->group_leader);
	/* Unless somebody has set another one meanwhile. */
	if (!memcmp(limit, &raised, sizeof(raised)))
		*limit = old;
	task_unlock(current->group_leader);
	return ret;
}

static int read_descriptor(struct ckpt_ctx *ctx, struct files_struct *files,
			   s64 *last)
{
	struct ckpt_hdr_file_desc record;
	struct files_struct *old;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_DESC, &record);
	if (ret)
		return ret;
	if (record.fd <= *last)
		return ckpt_error(ctx, -EINVAL, "descriptors are not in order");
	*last = record.fd;
	file = ckpt_object_find(ctx, record.file, CKPT_OBJ_FILE);

	/* The table is still private: nobody sees it but this function. */
	old = switch_files(files);
	ret = install(record.fd, file,
		      record.flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0);
	switch_files(old);
	if (ret < 0)
		return ckpt_error(ctx, ret == -EBADF ? -EMFILE : ret,
				  "descriptor %u", record.fd);
	return 0;
}

static int read_posix_lock(struct ckpt_ctx *ctx, struct files_struct *files)
{
	struct files_struct *old = switch_files(files);
	int ret = ckpt_posix_lock_restore(ctx);

	switch_files(old);
	return ret;
}

/**
 * ckpt_file_table_restore - read a descriptor table
 * @ctx: context
 *
 * Return: struct files_struct with a reference, or an error pointer.
 */
void *ckpt_file_table_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_file_table header;
	struct files_struct *files;
	s64 last = -1;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_TABLE, &header);
	if (ret)
		return ERR_PTR(ret);
	/* The table of the first task has no descriptors. */
	files = dup_fd(&init_files, NULL);
	if (IS_ERR(files))
		return files;
	while (header.nr_fds-- && !ret)
		ret = read_descriptor(ctx, files, &last);
	while (!ret && header.nr_locks--)
		ret = read_posix_lock(ctx, files);
	if (ret) {
		put_files_struct(files);
		return ERR_PTR(ret);
	}
	return files;
}

/**
 * ckpt_files_commit - make it the descriptor table of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Return: 0.
 */
int ckpt_files_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	atomic_inc(&stage->files->count);
	put_files_struct(switch_files(stage->files));
	return 0;
}
