// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of locks and leases on files: part of locks.c.
 *
 * Saved: flock(2) locks and locks of open file descriptions with the open
 *	file, POSIX locks with the descriptor table; leases, also one that is
 *	being broken, with the time that is left.
 * Refused: delegations and layouts.
 *
 * They are taken again by the kernel's own functions, which also ask the
 * filesystem, and never wait: a lock that somebody else holds now fails the
 * restart. A failed restart leaves none behind, because they go with the open
 * files and with the descriptor table that nobody uses.
 *
 * Whoever waits for a lock asks for it again when its system call is resumed.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>

static u32 copy_locks(struct ckpt_hdr_file_lock *copies, u32 room, u32 kind,
		      struct list_head *list, const struct file *file,
		      const void *owner)
{
	struct file_lock *lock;
	u32 found = 0;

	list_for_each_entry(lock, list, c.flc_list) {
		if (lock->c.flc_file != file || lock->c.flc_owner != owner)
			continue;
		if (found < room) {
			copies[found].kind = kind;
			copies[found].type = lock->c.flc_type == F_RDLCK ?
					     CKPT_LOCK_READ : CKPT_LOCK_WRITE;
			copies[found].start = lock->fl_start;
			copies[found].end = lock->fl_end;
		}
		found++;
	}
	return found;
}

static int add_locks(struct ckpt_ctx *ctx,
		     const struct ckpt_hdr_file_lock *copies, u32 count, int fd)
{
	u32 index;

	for (index = 0; index < count; index++) {
		struct ckpt_hdr_file_lock *record;

		record = ckpt_record_add(ctx, CKPT_HDR_FILE_LOCK);
		if (!record)
			return -ENOMEM;
		record->kind = copies[index].kind;
		record->type = copies[index].type;
		record->start = copies[index].start;
		record->end = copies[index].end;
		record->fd = fd;
	}
	return 0;
}

/* Who shares the open file may lock at any time, saved or not. */
static int save_locks(struct ckpt_ctx *ctx, u32 kind, struct file *file,
		      const void *owner, int fd, u32 *nr_locks)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct ckpt_hdr_file_lock *copies = NULL;
	u32 found = 0, room = 0;
	int ret;

	if (!locks)
		return 0;
	do {
		if (found) {
			kvfree(copies);
			if (fatal_signal_pending(current))
				return -EINTR;
			/* Each time more than the one before. */
			room = found + found / 2 + 16;
			copies = kvmalloc_array(room, sizeof(*copies),
						GFP_KERNEL_ACCOUNT);
			if (!copies)
				return -ENOMEM;
		}
		spin_lock(&locks->flc_lock);
		found = copy_locks(copies, room, kind,
				   kind == CKPT_LOCK_FLOCK ? &locks->flc_flock :
				   &locks->flc_posix, file, owner);
		spin_unlock(&locks->flc_lock);
	} while (found > room);
	ret = add_locks(ctx, copies, found, fd);
	kvfree(copies);
	if (ret)
		return ret;
	*nr_locks += found;
	return 0;
}

/**
 * ckpt_file_locks_save - save the locks of an open file description
 * @ctx: context
 * @file: open file
 * @nr_locks: the number of records is added to it
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_file_locks_save(struct ckpt_ctx *ctx, struct file *file, u32 *nr_locks)
{
	int ret;

	ret = save_locks(ctx, CKPT_LOCK_FLOCK, file, file, -1, nr_locks);
	return ret ?: save_locks(ctx, CKPT_LOCK_OFD, file, file, -1, nr_locks);
}

/**
 * ckpt_posix_locks_may_exist - quick look for POSIX locks
 * @file: open file
 *
 * Return: whether anybody holds one.
 */
bool ckpt_posix_locks_may_exist(struct file *file)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));

	return locks && !list_empty_careful(&locks->flc_posix);
}

/**
 * ckpt_posix_locks_save - save POSIX locks that were taken through a file
 * @ctx: context
 * @files: their owner
 * @file: open file
 * @fd: its descriptor
 * @nr_locks: the number of records is added to it
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_posix_locks_save(struct ckpt_ctx *ctx, struct files_struct *files,
			  struct file *file, int fd, u32 *nr_locks)
{
	return save_locks(ctx, CKPT_LOCK_POSIX, file, files, fd, nr_locks);
}

static int refuse_range(struct ckpt_ctx *ctx, struct file *file,
			unsigned int cmd, const struct flock *wanted)
{
	struct flock holder = *wanted;

	if (fcntl_getlk(file, cmd == F_OFD_SETLK ? F_OFD_GETLK : F_GETLK,
			&holder) || holder.l_type == F_UNLCK)
		return ckpt_error(ctx, -EAGAIN, "file %pD is locked", file);
	/* It has no process if it belongs to an open file. */
	if (holder.l_pid <= 0)
		return ckpt_error(ctx, -EAGAIN,
				  "file %pD is locked by an open file: %lld bytes (0: all) from %lld on",
				  file, (long long)holder.l_len,
				  (long long)holder.l_start);
	return ckpt_error(ctx, -EAGAIN,
			  "file %pD is locked by process %d: %lld bytes (0: all) from %lld on",
			  file, holder.l_pid, (long long)holder.l_len,
			  (long long)holder.l_start);
}

static int take_range(struct ckpt_ctx *ctx, int fd, struct file *file,
		      unsigned int cmd, const struct ckpt_hdr_file_lock *record)
{
	bool to_end = record->end == OFFSET_MAX;
	struct flock wanted = {
		.l_type		= record->type == CKPT_LOCK_READ ? F_RDLCK :
								   F_WRLCK,
		.l_whence	= SEEK_SET,
		.l_start	= record->start,
		.l_len		= to_end ? 0 : record->end - record->start + 1,
	};
	int ret;

	if (record->start > record->end)
		return ckpt_error(ctx, -EINVAL,
				  "file %pD: lock from %llu to %llu", file,
				  record->start, record->end);
	ret = fcntl_setlk(fd, file, cmd, &wanted);
	if (ret == -EAGAIN)
		return refuse_range(ctx, file, cmd, &wanted);
	if (ret)
		return ckpt_error(ctx, ret, "file %pD: lock from %llu to %llu",
				  file, record->start, record->end);
	return 0;
}

static int refuse_whole(struct ckpt_ctx *ctx, struct file *file)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct file_lock *lock;
	pid_t holder = 0;

	if (locks) {
		spin_lock(&locks->flc_lock);
		list_for_each_entry(lock, &locks->flc_flock, c.flc_list)
			if (lock->c.flc_file != file)
				holder = locks_translate_pid(&lock->c,
							     task_active_pid_ns(current));
		spin_unlock(&locks->flc_lock);
	}
	return ckpt_error(ctx, -EAGAIN,
			  "file %pD is locked as a whole by process %d", file,
			  holder);
}

/* As flock(2) does. */
static int take_whole(struct ckpt_ctx *ctx, struct file *file,
		      const struct ckpt_hdr_file_lock *record)
{
	struct file_lock lock;
	int ret;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return ckpt_error(ctx, -EINVAL, "file %pD cannot be locked",
				  file);
	flock_make_lock(file, &lock, record->type == CKPT_LOCK_READ ? F_RDLCK :
								      F_WRLCK);
	ret = security_file_lock(file, lock.c.flc_type);
	if (!ret && file->f_op->flock)
		ret = file->f_op->flock(file, F_SETLK, &lock);
	else if (!ret)
		ret = locks_lock_file_wait(file, &lock);
	locks_release_private(&lock);
	if (ret == -EAGAIN)
		return refuse_whole(ctx, file);
	if (ret)
		return ckpt_error(ctx, ret, "file %pD: lock as a whole", file);
	return 0;
}

/**
 * ckpt_file_lock_restore - read and take a lock of an open file description
 * @ctx: context
 * @file: open file, or NULL: it is inherited
 *
 * Return: 0, -EAGAIN if somebody holds it, or another negative errno.
 */
int ckpt_file_lock_restore(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file_lock record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_LOCK, &record);
	if (ret)
		return ret;
	if (record.kind == CKPT_LOCK_POSIX || record.fd != -1)
		return ckpt_error(ctx, -EINVAL,
				  "lock of a descriptor table with an open file");
	if (!file)
		return ckpt_error(ctx, -EBUSY,
				  "an inherited file cannot take the place of a locked one");
	if (record.kind == CKPT_LOCK_FLOCK)
		return take_whole(ctx, file, &record);
	return take_range(ctx, -1, file, F_OFD_SETLK, &record);
}

/**
 * ckpt_posix_lock_restore - read and take a POSIX lock
 * @ctx: context
 *
 * Context: The descriptor table that is to own it is that of the current task.
 *
 * Return: 0, -EAGAIN if somebody holds it, or another negative errno.
 */
int ckpt_posix_lock_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_file_lock record;
	struct file *file = NULL;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_LOCK, &record);
	if (ret)
		return ret;
	if (record.kind == CKPT_LOCK_POSIX && record.fd >= 0)
		file = fget(record.fd);
	if (!file)
		return ckpt_error(ctx, -EINVAL, "POSIX lock of descriptor %d",
				  record.fd);
	ret = take_range(ctx, record.fd, file, F_SETLK, &record);
	fput(file);
	return ret;
}

/* The user's own lease; a server has others. */
static struct file_lease *find_lease(struct file_lock_context *locks,
				     struct file *file)
{
	struct file_lease *lease;

	lockdep_assert_held(&locks->flc_lock);
	list_for_each_entry(lease, &locks->flc_lease, c.flc_list)
		if (lease->c.flc_file == file)
			return lease;
	return NULL;
}

static u64 time_left(unsigned long end)
{
	/* 0 is a special value: it never expires. */
	if (!end)
		return 0;
	return time_after(end, jiffies) ? jiffies64_to_nsecs(end - jiffies) : 1;
}

static void copy_lease(struct ckpt_hdr_file_lease *record,
		       const struct file_lease *lease)
{
	record->type = lease->c.flc_type == F_RDLCK ? CKPT_LOCK_READ :
						      CKPT_LOCK_WRITE;
	if (lease->c.flc_flags & FL_DOWNGRADE_PENDING) {
		record->flags |= CKPT_LEASE_DOWNGRADE;
		record->downgrade_ns = time_left(lease->fl_downgrade_time);
	}
	if (lease->c.flc_flags & FL_UNLOCK_PENDING) {
		record->flags |= CKPT_LEASE_UNLOCK;
		record->unlock_ns = time_left(lease->fl_break_time);
	}
	if (lease->fl_fasync)
		record->fd = lease->fl_fasync->fa_fd;
}

/**
 * ckpt_file_lease_save - save the lease of an open file
 * @ctx: context
 * @file: open file
 * @kind: CKPT_FILE_* that it is saved as
 *
 * Return: 1 if there was one, 0 if not, or a negative errno.
 */
int ckpt_file_lease_save(struct ckpt_ctx *ctx, struct file *file, u32 kind)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct ckpt_hdr_file_lease *record, copy = {};
	struct file_lease *lease;
	bool is_lease = true;

	if (!locks || list_empty_careful(&locks->flc_lease))
		return 0;
	spin_lock(&locks->flc_lock);
	lease = find_lease(locks, file);
	if (lease) {
		is_lease = lease->c.flc_flags & FL_LEASE;
		copy_lease(&copy, lease);
	}
	spin_unlock(&locks->flc_lock);
	if (!lease)
		return 0;
	if (!is_lease)
		return ckpt_error(ctx, -EBUSY,
				  "file %pD has a delegation or a layout", file);
	if (kind == CKPT_FILE_EXTERNAL)
		return ckpt_error(ctx, -EBADF,
				  "file %pD has a lease, and is outside of the image",
				  file);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_LEASE);
	if (!record)
		return -ENOMEM;
	copy.h = record->h;
	*record = copy;
	return 1;
}

static void insert_async(struct file_lease *lease, void **priv)
{
	struct fasync_struct *entry = *priv;

	if (!fasync_insert_entry(entry->fa_fd, lease->c.flc_file,
				 &lease->fl_fasync, entry))
		*priv = NULL;
}

/* Until the commit: the same as any other lease, but the file has no owner. */
static const struct lease_manager_operations uncommitted_lease_ops = {
	.lm_break	= lease_break_callback,
	.lm_change	= lease_modify,
	.lm_setup	= insert_async,
};

/* Likewise, but whoever held it knows that it is to be downgraded. */
static const struct lease_manager_operations uncommitted_downgrade_ops = {
	.lm_break	= lease_break_callback,
	.lm_change	= lease_modify,
	.lm_setup	= insert_async,
};

/* As fcntl(F_SETLEASE) does. */
static int take_lease(struct file *file, int type, int fd)
{
	struct fasync_struct *entry;
	struct file_lease *lease;
	int ret;

	lease = lease_alloc(file, type);
	if (IS_ERR(lease))
		return PTR_ERR(lease);
	entry = fasync_alloc();
	if (!entry) {
		locks_free_lease(lease);
		return -ENOMEM;
	}
	entry->fa_fd = fd;
	lease->fl_lmops = &uncommitted_lease_ops;
	ret = vfs_setlease(file, type, &lease, (void **)&entry);
	if (lease)
		locks_free_lease(lease);
	if (entry)
		fasync_free(entry);
	return ret;
}

/* Nobody who opens the file has to wait longer than for any other lease. */
static unsigned long time_of(u64 left)
{
	u64 longest = (u64)max(READ_ONCE(lease_break_time), 0) * HZ;
	unsigned long end;

	if (!longest)
		return 0;
	if (left)
		longest = min(longest, nsecs_to_jiffies64(left));
	end = jiffies + longest;
	return end ?: 1;
}

/* The breaker is gone, but the holder was told, and has so much time. */
static void break_again(struct file *file,
			const struct ckpt_hdr_file_lease *record)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct file_lease *lease;

	guard(spinlock)(&locks->flc_lock);
	lease = find_lease(locks, file);
	if (!lease)
		return;
	if (record->flags & CKPT_LEASE_DOWNGRADE) {
		lease->c.flc_flags |= FL_DOWNGRADE_PENDING;
		lease->fl_downgrade_time = time_of(record->downgrade_ns);
		lease->fl_lmops = &uncommitted_downgrade_ops;
	}
	/* There is no more that it could be told. */
	if (record->flags & CKPT_LEASE_UNLOCK) {
		lease->c.flc_flags |= FL_UNLOCK_PENDING;
		lease->fl_break_time = time_of(record->unlock_ns);
		lease->fl_lmops = &lease_manager_ops;
	}
}

/**
 * ckpt_file_lease_restore - read and take a lease
 * @ctx: context
 * @file: open file, or NULL: it is inherited
 *
 * Return: 0, or a negative errno: -EAGAIN if others have it open, -EACCES if
 * there is no right to it.
 */
int ckpt_file_lease_restore(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file_lease record;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_LEASE, &record);
	if (ret)
		return ret;
	if (record.flags & CKPT_LEASE_DOWNGRADE &&
	    record.type != CKPT_LOCK_WRITE)
		return ckpt_error(ctx, -EINVAL,
				  "a lease for reading is to become one");
	if (!file)
		return ckpt_error(ctx, -EBUSY,
				  "an inherited file cannot take the place of one with a lease");
	ret = take_lease(file, record.type == CKPT_LOCK_READ ? F_RDLCK :
							       F_WRLCK,
			 record.fd);
	if (ret)
		return ckpt_error(ctx, ret, "lease on file %pD%s", file,
				  ret == -EAGAIN ? ", which others have open" :
				  "");
	if (record.flags)
		break_again(file, &record);
	return 0;
}

/**
 * ckpt_file_lease_commit - tell the owner what has happened to its lease
 * @file: open file; it has its owner
 */
void ckpt_file_lease_commit(struct file *file)
{
	struct file_lock_context *locks = locks_inode_context(file_inode(file));
	struct file_lease *lease;
	unsigned int news;

	if (!locks)
		return;
	guard(spinlock)(&locks->flc_lock);
	lease = find_lease(locks, file);
	if (!lease)
		return;
	if (lease->fl_lmops == &uncommitted_lease_ops)
		news = FL_UNLOCK_PENDING | FL_DOWNGRADE_PENDING;
	else if (lease->fl_lmops == &uncommitted_downgrade_ops)
		news = FL_UNLOCK_PENDING;
	else
		return;
	lease->fl_lmops = &lease_manager_ops;
	/* Asked for since it was taken, when there was nobody to be told. */
	if (lease->c.flc_flags & news)
		lease_break_callback(lease);
}

#endif /* CONFIG_CHECKPOINT */
