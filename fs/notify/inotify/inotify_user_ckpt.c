// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of inotify(7): part of inotify_user.c.
 *
 * Saved: watches with their numbers, by a path that leads to what they watch;
 *	the number that comes next; events that were not read.
 * Reset to default: the longest queue, if it may be no longer than it was.
 * Refused: watches on what has no path: unlinked files, pipes, files whose name
 *	the kernel has forgotten; a queue that is longer than any may be.
 *
 * A restart opens files, and must not tell the restarted process: its watches
 * begin when the whole image was found good.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mount.h>

#include "../fsnotify.h"

/**
 * struct captured_watch - a watch while the group is locked
 * @inode: what it watches; a reference is held
 * @mask: IN_*
 * @wd: its number
 */
struct captured_watch {
	struct inode *inode;
	u32 mask;
	u32 wd;
};

/**
 * struct captured_group - an inotify instance at one moment
 * @watches: ascending by number
 * @events: as read(2) gives them, oldest first
 * @nr_bytes: of @events
 * @nr_watches: in @watches
 * @nr_events: in @events
 * @next_wd: number that the next watch gets
 * @max_events: longest queue
 */
struct captured_group {
	struct captured_watch *watches;
	void *events;
	size_t nr_bytes;
	u32 nr_watches;
	u32 nr_events;
	u32 next_wd;
	u32 max_events;
};

static bool is_attached(const struct inotify_inode_mark *mark)
{
	return mark->fsn_mark.flags & FSNOTIFY_MARK_FLAG_ATTACHED;
}

/* Is no watch on its way out? Its last event comes after it was detached. */
static bool count_watches(struct fsnotify_group *group, u32 *nr_watches)
{
	struct inotify_inode_mark *mark;
	bool settled = true;
	int wd;

	*nr_watches = 0;
	guard(spinlock)(&group->inotify_data.idr_lock);
	idr_for_each_entry(&group->inotify_data.idr, mark, wd) {
		settled &= is_attached(mark);
		(*nr_watches)++;
	}
	return settled;
}

/* A stopped task adds and removes no watch. Somebody outside may. */
static int lock_settled(struct ckpt_ctx *ctx, struct fsnotify_group *group,
			u32 *nr_watches)
{
	unsigned long since = jiffies;
	int ret;

	do {
		if (mutex_trylock(&group->mark_mutex)) {
			group->owner_flags = memalloc_nofs_save();
			if (count_watches(group, nr_watches))
				return 0;
			fsnotify_group_unlock(group);
		}
		ret = ckpt_outsider_wait(since);
	} while (!ret);
	if (ret == -EBUSY)
		ckpt_error(ctx, ret,
			   "an inotify instance is being changed from outside");
	return ret;
}

static void capture_watches(struct fsnotify_group *group,
			    struct captured_group *captured)
{
	struct captured_watch *watch = captured->watches;
	struct inotify_inode_mark *mark;
	int wd;

	fsnotify_group_assert_locked(group);
	guard(spinlock)(&group->inotify_data.idr_lock);
	idr_for_each_entry(&group->inotify_data.idr, mark, wd) {
		watch->inode = fsnotify_conn_inode(mark->fsn_mark.connector);
		ihold(watch->inode);
		watch->mask = inotify_mark_user_mask(&mark->fsn_mark);
		watch->wd = wd;
		watch++;
	}
	captured->next_wd = idr_get_cursor(&group->inotify_data.idr);
}

static size_t event_size(struct fsnotify_event *event)
{
	return sizeof(struct inotify_event) + round_event_name_len(event);
}

static void count_events(struct fsnotify_group *group,
			 struct captured_group *captured)
{
	struct fsnotify_event *event;

	guard(spinlock)(&group->notification_lock);
	list_for_each_entry(event, &group->notification_list, list) {
		captured->nr_bytes += event_size(event);
		captured->nr_events++;
	}
}

/* No more than were counted: others may have added some. */
static void capture_events(struct fsnotify_group *group,
			   struct captured_group *captured)
{
	u32 nr_events = captured->nr_events;
	struct fsnotify_event *event;
	size_t used = 0;

	captured->nr_events = 0;
	guard(spinlock)(&group->notification_lock);
	list_for_each_entry(event, &group->notification_list, list) {
		struct inotify_event_info *info = INOTIFY_E(event);
		struct inotify_event *copy = captured->events + used;

		if (captured->nr_events == nr_events ||
		    event_size(event) > captured->nr_bytes - used)
			break;
		copy->wd = info->wd;
		copy->mask = inotify_mask_to_arg(info->mask);
		copy->cookie = info->sync_cookie;
		copy->len = round_event_name_len(event);
		memcpy(copy->name, info->name, info->name_len);
		used += event_size(event);
		captured->nr_events++;
	}
}

static int capture_locked(struct fsnotify_group *group,
			  struct captured_group *captured)
{
	captured->max_events = group->max_events;
	captured->watches = kvcalloc(captured->nr_watches,
				     sizeof(*captured->watches),
				     GFP_KERNEL_ACCOUNT);
	if (!captured->watches)
		return -ENOMEM;
	capture_watches(group, captured);
	count_events(group, captured);
	captured->events = kvzalloc(captured->nr_bytes, GFP_KERNEL_ACCOUNT);
	if (!captured->events)
		return -ENOMEM;
	capture_events(group, captured);
	return 0;
}

static void captured_free(struct captured_group *captured)
{
	u32 index;

	for (index = 0; captured->watches && index < captured->nr_watches;
	     index++)
		if (captured->watches[index].inode)
			iput(captured->watches[index].inode);
	kvfree(captured->watches);
	kvfree(captured->events);
}

/* @mnt: where the last watch was found; a reference is held. */
static int save_watch(struct ckpt_ctx *ctx, const struct captured_watch *watch,
		      struct vfsmount **mnt)
{
	struct ckpt_hdr_inotify_watch *record;
	struct path path;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_INOTIFY_WATCH);
	if (!record)
		return -ENOMEM;
	record->wd = watch->wd;
	record->mask = watch->mask;
	ret = ckpt_inode_path_find(ctx, watch->inode, *mnt, &path);
	if (!ret) {
		ret = ckpt_file_path_save(ctx, &path);
		dput(path.dentry);
		mntput(*mnt);
		*mnt = path.mnt;
	}
	if (ret)
		return ckpt_error(ctx, ret, "watch %u of an inotify instance",
				  watch->wd);
	return 0;
}

static int save_event(struct ckpt_ctx *ctx, const struct inotify_event *event)
{
	struct ckpt_hdr_inotify_event *record;

	record = ckpt_record_add(ctx, CKPT_HDR_INOTIFY_EVENT);
	if (!record)
		return -ENOMEM;
	record->wd = event->wd;
	record->mask = event->mask;
	record->cookie = event->cookie;
	if (!event->len)
		return 0;
	record->flags = CKPT_INOTIFY_EVENT_NAME;
	return ckpt_text_add(ctx, event->name);
}

static int save_captured(struct ckpt_ctx *ctx,
			 const struct captured_group *captured)
{
	const struct inotify_event *event = captured->events;
	struct ckpt_hdr_inotify *record;
	struct vfsmount *mnt = NULL;
	int ret = 0;
	u32 index;

	record = ckpt_record_add(ctx, CKPT_HDR_INOTIFY);
	if (!record)
		return -ENOMEM;
	record->nr_watches = captured->nr_watches;
	record->nr_events = captured->nr_events;
	record->next_wd = captured->next_wd;
	record->max_events = captured->max_events;
	for (index = 0; index < captured->nr_watches && !ret; index++)
		ret = save_watch(ctx, &captured->watches[index], &mnt);
	mntput(mnt);
	for (index = 0; index < captured->nr_events && !ret; index++) {
		ret = save_event(ctx, event);
		event = (void *)event + sizeof(*event) + event->len;
	}
	return ret;
}

/**
 * ckpt_inotify_save - checkpoint method of inotify
 * @ctx: context
 * @file: inotify instance
 *
 * Return: CKPT_FILE_INOTIFY or a negative errno.
 */
int ckpt_inotify_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct fsnotify_group *group = file->private_data;
	struct captured_group captured = {};
	int ret;

	ret = lock_settled(ctx, group, &captured.nr_watches);
	if (ret)
		return ret;
	ret = capture_locked(group, &captured);
	fsnotify_group_unlock(group);
	if (!ret)
		ret = save_captured(ctx, &captured);
	captured_free(&captured);
	return ret ?: CKPT_FILE_INOTIFY;
}

/**
 * struct restored_watch - a watch that has not begun yet
 * @list: in restored_group.watches
 * @path: what it watches
 * @record: from the image
 */
struct restored_watch {
	struct list_head list;
	struct path path;
	struct ckpt_hdr_inotify_watch record;
};

/**
 * struct restored_group - the watches of an instance
 * @step: begins them
 * @group: the instance, which a restored file holds
 * @watches: struct restored_watch.list, ascending by number
 * @next_wd: number that the next watch gets
 */
struct restored_group {
	struct ckpt_last_step step;
	struct fsnotify_group *group;
	struct list_head watches;
	u32 next_wd;
};

static void set_next_wd(struct fsnotify_group *group, u32 wd)
{
	guard(spinlock)(&group->inotify_data.idr_lock);
	idr_set_cursor(&group->inotify_data.idr, wd);
}

static int begin_watches(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	struct restored_group *restored =
		container_of(step, struct restored_group, step);
	struct restored_watch *watch;

	list_for_each_entry(watch, &restored->watches, list) {
		int ret;

		set_next_wd(restored->group, watch->record.wd);
		/* Another watch must not be on the same inode. */
		ret = inotify_update_watch(restored->group,
					   d_inode(watch->path.dentry),
					   watch->record.mask | IN_MASK_CREATE);
		if (ret >= 0 && (u32)ret != watch->record.wd)
			ret = -EEXIST;
		if (ret < 0)
			return ckpt_error(ctx, ret, "watch %u on %pd%s",
					  watch->record.wd, watch->path.dentry,
					  ret == -ENOSPC ?
					  " (see max_user_watches in inotify(7))" :
					  "");
	}
	set_next_wd(restored->group, restored->next_wd);
	return 0;
}

static void restored_free(struct ckpt_last_step *step)
{
	struct restored_group *restored =
		container_of(step, struct restored_group, step);
	struct restored_watch *watch, *next;

	list_for_each_entry_safe(watch, next, &restored->watches, list) {
		path_put(&watch->path);
		kfree(watch);
	}
	kfree(restored);
}

/* As inotify_add_watch() does; the name must lead to the inode itself. */
static int find_watched(struct ckpt_ctx *ctx, struct restored_watch *watch)
{
	struct file *file = ckpt_file_path_open(ctx, O_PATH | O_NOFOLLOW);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = path_permission(&file->f_path, MAY_READ);
	if (!ret)
		ret = security_path_notify(&file->f_path,
					   watch->record.mask & IN_ALL_EVENTS,
					   FSNOTIFY_OBJ_TYPE_INODE);
	if (ret) {
		ckpt_error(ctx, ret, "%pD may not be watched", file);
	} else {
		watch->path = file->f_path;
		path_get(&watch->path);
	}
	/* There may be many, and files of a system call end with it. */
	__fput_sync(file);
	return ret;
}

static int read_watch(struct ckpt_ctx *ctx, struct restored_group *restored,
		      u32 *last_wd)
{
	struct restored_watch *watch;
	int ret;

	watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch)
		return -ENOMEM;
	ret = ckpt_record_read(ctx, CKPT_HDR_INOTIFY_WATCH, &watch->record);
	if (!ret && watch->record.wd <= *last_wd)
		ret = ckpt_error(ctx, -EINVAL, "watch %u comes after %u",
				 watch->record.wd, *last_wd);
	if (!ret)
		ret = find_watched(ctx, watch);
	if (ret) {
		kfree(watch);
		return ret;
	}
	*last_wd = watch->record.wd;
	list_add_tail(&watch->list, &restored->watches);
	return 0;
}

static int check_event(struct ckpt_ctx *ctx, struct fsnotify_group *group,
		       const struct ckpt_hdr_inotify_event *record)
{
	bool overflow = record->mask == IN_Q_OVERFLOW;
	bool has_name = record->flags & CKPT_INOTIFY_EVENT_NAME;
	bool twice = overflow && !list_empty(&group->overflow_event->list);

	if (overflow != (record->wd == -1) || !record->wd || twice ||
	    (!overflow && record->mask & IN_Q_OVERFLOW) ||
	    (overflow && (has_name || record->cookie)))
		return ckpt_error(ctx, -EINVAL, "event %#x of watch %d",
				  record->mask, record->wd);
	return 0;
}

static struct inotify_event_info *
make_event(const struct ckpt_hdr_inotify_event *record, const char *name)
{
	size_t len = strlen(name);
	struct inotify_event_info *info;

	info = kmalloc(sizeof(*info) + len + 1, GFP_KERNEL_ACCOUNT);
	if (!info)
		return NULL;
	fsnotify_init_event(&info->fse);
	info->mask = record->mask;
	/* The same thing that happens again now is no news: they are merged. */
	if (len && record->mask & FS_EVENTS_POSS_ON_CHILD)
		info->mask |= FS_EVENT_ON_CHILD;
	info->wd = record->wd;
	info->sync_cookie = record->cookie;
	info->name_len = len;
	memcpy(info->name, name, len + 1);
	return info;
}

static int read_event(struct ckpt_ctx *ctx, struct fsnotify_group *group)
{
	struct ckpt_hdr_inotify_event record;
	struct inotify_event_info *info;
	char *name = NULL;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_INOTIFY_EVENT, &record);
	if (!ret)
		ret = check_event(ctx, group, &record);
	if (ret)
		return ret;
	if (record.flags & CKPT_INOTIFY_EVENT_NAME) {
		name = ckpt_text_read(ctx);
		if (IS_ERR(name))
			return PTR_ERR(name);
	}
	if (record.mask == IN_Q_OVERFLOW)
		info = INOTIFY_E(group->overflow_event);
	else
		info = make_event(&record, name ?: "");
	kvfree(name);
	if (!info)
		return -ENOMEM;
	guard(spinlock)(&group->notification_lock);
	list_add_tail(&info->fse.list, &group->notification_list);
	group->q_len++;
	return 0;
}

static int read_group(struct ckpt_ctx *ctx, struct fsnotify_group *group,
		      const struct ckpt_hdr_inotify *record)
{
	struct restored_group *restored;
	u32 last_wd = 0;
	int ret = 0;
	u32 index;

	/* The last event may say that the queue was full. */
	if (record->nr_events > (u64)group->max_events + 1)
		return ckpt_error(ctx, -ENOSPC,
				  "%u inotify events (see max_queued_events in inotify(7))",
				  record->nr_events);
	restored = kzalloc(sizeof(*restored), GFP_KERNEL_ACCOUNT);
	if (!restored)
		return -ENOMEM;
	INIT_LIST_HEAD(&restored->watches);
	restored->group = group;
	restored->next_wd = record->next_wd;
	restored->step.run = begin_watches;
	restored->step.free = restored_free;
	/* The context frees it from here on. */
	ckpt_last_step_add(ctx, &restored->step);
	for (index = 0; index < record->nr_watches && !ret; index++)
		ret = read_watch(ctx, restored, &last_wd);
	for (index = 0; index < record->nr_events && !ret; index++)
		ret = read_event(ctx, group);
	group->max_events = min(group->max_events, record->max_events);
	return ret;
}

/**
 * ckpt_inotify_restore - read and make an inotify instance
 * @ctx: context
 * @file_record: its first record
 *
 * Context: Looks up paths with the credentials of the current task.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_inotify_restore(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_inotify record;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_INOTIFY, &record);
	if (ret)
		return ERR_PTR(ret);
	file = ckpt_file_take(do_inotify_init(0));
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file),
			   "inotify instance (see max_user_instances in inotify(7))");
		return file;
	}
	ret = read_group(ctx, file->private_data, &record);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

#endif /* CONFIG_CHECKPOINT */
