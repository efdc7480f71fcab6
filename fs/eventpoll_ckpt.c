// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of epoll(7): part of eventpoll.c.
 *
 * Saved: every item with the open file and the number that it was added with,
 *	its events and data; one-shot items that are disarmed; which items are on
 *	the ready list, in its order, and which edges were reported already;
 *	parameters of busy polling.
 * Reset to default: whom an event wakes first if several wait for it; the
 *	device that busy polling has found; wait queues that a signalfd was added
 *	with by another process, with other signal handlers.
 * Refused: items whose file only processes outside of the image have open; an
 *	instance that a process outside keeps locked.
 *
 * An epoll may watch what refers to it, through other files. So items are no
 * part of the open file but objects of their own, which follow the descriptor
 * tables; an epoll comes after those that it watches. They are restored by the
 * functions behind epoll_ctl(2), which find cycles, count paths and items.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/sort.h>

/**
 * struct ckpt_epoll_item - what an item is found by
 * @file: open file that it watches
 * @fd: number that it was added with
 */
struct ckpt_epoll_item {
	struct file *file;
	int fd;
};

/**
 * struct ckpt_epoll_stage - the items of an epoll as restored so far
 * @file: the epoll; the table of objects holds it and all others
 * @ready: items of the ready list, in its order
 * @nr_ready: how many
 * @room: for how many
 */
struct ckpt_epoll_stage {
	struct file *file;
	struct ckpt_epoll_item *ready;
	u32 nr_ready;
	u32 room;
};

/* Items in the order in which an image has them: the same whenever saved. */
struct sorted_item {
	struct epitem *epi;
	u32 objref;
	int fd;
};

/**
 * ckpt_file_is_epoll - is this open file an epoll?
 * @file: file
 *
 * Return: whether it is.
 */
bool ckpt_file_is_epoll(struct file *file)
{
	return is_file_epoll(file);
}

#ifdef CONFIG_NET_RX_BUSY_POLL

static void save_busy_poll(const struct eventpoll *ep,
			   struct ckpt_hdr_epoll *record)
{
	record->busy_poll_usecs = READ_ONCE(ep->busy_poll_usecs);
	record->busy_poll_budget = READ_ONCE(ep->busy_poll_budget);
	if (READ_ONCE(ep->prefer_busy_poll))
		record->flags = CKPT_EPOLL_PREFER_BUSY_POLL;
}

/* What EPIOCSPARAMS allows. */
static int restore_busy_poll(struct ckpt_ctx *ctx, struct eventpoll *ep,
			     const struct ckpt_hdr_epoll *record)
{
	if (record->busy_poll_budget > NAPI_POLL_WEIGHT &&
	    !capable(CAP_NET_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "epoll polls for %u packets: more than %u need CAP_NET_ADMIN",
				  record->busy_poll_budget, NAPI_POLL_WEIGHT);
	ep->busy_poll_usecs = record->busy_poll_usecs;
	ep->busy_poll_budget = record->busy_poll_budget;
	ep->prefer_busy_poll = record->flags & CKPT_EPOLL_PREFER_BUSY_POLL;
	return 0;
}

#else

static void save_busy_poll(const struct eventpoll *ep,
			   struct ckpt_hdr_epoll *record)
{
}

static int restore_busy_poll(struct ckpt_ctx *ctx, struct eventpoll *ep,
			     const struct ckpt_hdr_epoll *record)
{
	if (!record->busy_poll_usecs && !record->busy_poll_budget &&
	    !record->flags)
		return 0;
	return ckpt_error(ctx, -EOPNOTSUPP,
			  "epoll with busy polling, which this kernel has not");
}

#endif /* CONFIG_NET_RX_BUSY_POLL */

/**
 * ckpt_epoll_save - checkpoint method of epoll
 * @ctx: context
 * @file: epoll
 *
 * Return: CKPT_FILE_EPOLL, -ENOMEM.
 */
int ckpt_epoll_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_epoll *record;

	record = ckpt_record_add(ctx, CKPT_HDR_EPOLL);
	if (!record)
		return -ENOMEM;
	save_busy_poll(file->private_data, record);
	ctx->epolls_to_save++;
	return CKPT_FILE_EPOLL;
}

/*
 * No stopped task holds it. A process outside may, and sleep with it: in a page
 * fault on the memory that events are copied to.
 */
static int lock_epoll(struct ckpt_ctx *ctx, struct eventpoll *ep)
{
	unsigned long since = jiffies;
	int ret = 0;

	while (!ret && !mutex_trylock(&ep->mtx)) {
		ret = ckpt_outsider_wait(since);
		if (ret == -EBUSY)
			ckpt_error(ctx, ret,
				   "a process outside holds an epoll and does not let it go");
	}
	return ret;
}

static u32 count_items(struct eventpoll *ep)
{
	struct rb_node *node;
	u32 count = 0;

	lockdep_assert_held(&ep->mtx);
	for (node = rb_first_cached(&ep->rbr); node; node = rb_next(node))
		count++;
	return count;
}

/* References to all files that it watches. */
static struct file **get_watched(struct ckpt_ctx *ctx, struct eventpoll *ep,
				 u32 *count)
{
	struct file **files;
	struct rb_node *node;
	int ret;

	*count = 0;
	ret = lock_epoll(ctx, ep);
	if (ret)
		return ERR_PTR(ret);
	files = kvmalloc_array(count_items(ep), sizeof(*files),
			       GFP_KERNEL_ACCOUNT);
	for (node = rb_first_cached(&ep->rbr); files && node;
	     node = rb_next(node)) {
		struct file *file = epi_fget(rb_entry(node, struct epitem,
						      rbn));

		if (file)
			files[(*count)++] = file;
	}
	mutex_unlock(&ep->mtx);
	return files ?: ERR_PTR(-ENOMEM);
}

/*
 * An item keeps no file open. Unless somebody in the image does, the restart
 * would lose the item: remember to look at the end of the capture.
 */
static int save_watched(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file *record;
	int objref;

	if (ckpt_object_id(ctx, file))
		return 0;
	objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, file);
	if (objref < 0)
		return ckpt_error(ctx, objref, "file %pD, watched by an epoll",
				  file);
	record = ckpt_object_record(ctx, file);
	record->flags |= CKPT_FILE_ONLY_WATCHED;
	return 0;
}

/*
 * The kernel allows so many levels. Somebody outside might add one while we are
 * here, and one more while we are there.
 */
static int save_items(struct ckpt_ctx *ctx, struct file *file, int depth)
{
	struct eventpoll *ep = file->private_data;
	struct file **files;
	u32 count, index;
	int ret = 0;

	if (ckpt_object_id(ctx, ep))
		return 0;
	if (depth > EP_MAX_NESTS)
		return ckpt_error(ctx, -ELOOP, "epolls are nested too deep");
	files = get_watched(ctx, ep, &count);
	if (IS_ERR(files))
		return PTR_ERR(files);
	for (index = 0; index < count && !ret; index++) {
		ret = save_watched(ctx, files[index]);
		if (!ret && is_file_epoll(files[index]))
			ret = save_items(ctx, files[index], depth + 1);
	}
	for (index = 0; index < count; index++)
		fput(files[index]);
	kvfree(files);
	if (ret)
		return ret;
	ctx->epolls_to_save--;
	ret = ckpt_object_save(ctx, CKPT_OBJ_EPOLL, ep);
	return ret < 0 ? ret : 0;
}

/**
 * ckpt_epolls_save - save the items of all epolls that were met so far
 * @ctx: context
 *
 * Return: 0 or a negative errno.
 */
int ckpt_epolls_save(struct ckpt_ctx *ctx)
{
	int ret = 0;

	while (ctx->epolls_to_save && !ret) {
		struct file *file = ckpt_object_find(ctx, ++ctx->epolls_seen,
						     CKPT_OBJ_FILE);

		if (file && is_file_epoll(file))
			ret = save_items(ctx, file, 0);
	}
	return ret;
}

/*
 * What the file had to report when the edge was reported, so that a restart can
 * tell a new one. Nobody knows that of files which look at who asks, which
 * another one will replace, or which forget what they were asked, as those of
 * /proc do; then the edge is reported again, as epoll(7) says that it may be.
 */
static __poll_t reported_events(struct ckpt_ctx *ctx, struct epitem *epi)
{
	const struct ckpt_hdr_file *record;
	struct eventpoll *inner;
	poll_table table;

	record = ckpt_object_record(ctx, epi->ffd.file);
	switch (record->kind) {
	case CKPT_FILE_SIGNALFD:
	case CKPT_FILE_EXTERNAL:
	case CKPT_FILE_PROC:
		return 0;
	case CKPT_FILE_EPOLL:
		inner = epi->ffd.file->private_data;
		return list_empty_careful(&inner->rdllist) ? 0 : EPOLLIN;
	default:
		init_poll_funcptr(&table, NULL);
		return ep_item_poll(epi, &table, 1);
	}
}

/* During a scan this list is where those go that become ready. */
static bool became_ready(struct eventpoll *ep, struct epitem *epi)
{
	guard(spinlock_irq)(&ep->lock);
	return epi_on_ovflist(epi);
}

static int save_item(struct ckpt_ctx *ctx, struct epitem *epi, u32 objref,
		     u32 flags)
{
	struct ckpt_hdr_epoll_item *record;

	record = ckpt_record_add(ctx, CKPT_HDR_EPOLL_ITEM);
	if (!record)
		return -ENOMEM;
	record->file = objref;
	record->fd = epi->ffd.fd;
	record->events = (__force u32)epi->event.events;
	record->data = epi->event.data;
	record->flags = flags;
	if (!(epi->event.events & EPOLLET) || flags)
		return 0;
	record->reported = (__force u32)reported_events(ctx, epi);
	/* Something outside goes on: that edge was not reported yet. */
	if (became_ready(epi->ep, epi))
		record->reported = 0;
	return 0;
}

static int compare_items(const void *left, const void *right)
{
	const struct sorted_item *a = left, *b = right;

	if (a->objref != b->objref)
		return a->objref < b->objref ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

/* All but the ready ones, whose order matters more. */
static int save_idle_items(struct ckpt_ctx *ctx, struct eventpoll *ep,
			   u32 *nr_items)
{
	struct sorted_item *items;
	struct rb_node *node;
	u32 count = 0, index;
	int ret = 0;

	items = kvmalloc_array(count_items(ep), sizeof(*items),
			       GFP_KERNEL_ACCOUNT);
	if (!items)
		return -ENOMEM;
	for (node = rb_first_cached(&ep->rbr); node; node = rb_next(node)) {
		struct epitem *epi = rb_entry(node, struct epitem, rbn);
		u32 objref = ckpt_object_id(ctx, epi->ffd.file);

		/* Unless somebody outside has added it just now. */
		if (objref && !ep_is_linked(epi))
			items[count++] = (struct sorted_item) {
				epi, objref, epi->ffd.fd
			};
	}
	sort(items, count, sizeof(*items), compare_items, NULL);
	for (index = 0; index < count && !ret; index++)
		ret = save_item(ctx, items[index].epi, items[index].objref, 0);
	kvfree(items);
	*nr_items += count;
	return ret;
}

/**
 * ckpt_epoll_items_save - save the items of an epoll
 * @ctx: context
 * @object: struct eventpoll; it and all that it watches are saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_epoll_items_save(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_hdr_epoll_items *record;
	struct eventpoll *ep = object;
	struct epitem *epi;
	LIST_HEAD(ready);
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_EPOLL_ITEMS);
	if (!record)
		return -ENOMEM;
	record->epoll = ckpt_object_id(ctx, ep->file);
	ret = lock_epoll(ctx, ep);
	if (ret)
		return ret;
	/* Events from now on are kept apart: the list does not change. */
	ep_start_scan(ep, &ready);
	list_for_each_entry(epi, &ready, rdllink) {
		u32 objref = ckpt_object_id(ctx, epi->ffd.file);

		if (!objref)
			continue;
		ret = save_item(ctx, epi, objref, CKPT_EPOLL_ITEM_READY);
		if (ret)
			break;
		record->nr_items++;
	}
	if (!ret)
		ret = save_idle_items(ctx, ep, &record->nr_items);
	ep_done_scan(ep, &ready);
	mutex_unlock(&ep->mtx);
	return ret;
}

/**
 * ckpt_epoll_restore - read and make an epoll without its items
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_epoll_restore(struct ckpt_ctx *ctx,
				const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_epoll record;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_EPOLL, &record);
	if (ret)
		return ERR_PTR(ret);
	file = ckpt_file_take(do_epoll_create(0));
	if (IS_ERR(file))
		return file;
	ret = restore_busy_poll(ctx, file->private_data, &record);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

/* No item can be like this. */
static const char *item_problem(const struct file *file,
				struct file *watched,
				const struct ckpt_hdr_epoll_item *record)
{
	__poll_t events = (__force __poll_t)record->events;

	if (file == watched)
		return "an epoll watches itself";
	if (events & ~EP_PRIVATE_BITS) {
		if (~events & (EPOLLERR | EPOLLHUP))
			return "errors are not watched";
	} else if (!(events & EPOLLONESHOT)) {
		return "nothing is watched";
	}
	if (events & EPOLLEXCLUSIVE &&
	    (events & ~EPOLLEXCLUSIVE_OK_BITS ||
	     is_file_epoll(watched)))
		return "it cannot be exclusive";
	return NULL;
}

/*
 * An edge that was reported before is not reported again, but a new one is: a
 * timer may have expired since it was restored.
 */
static void forget_old_edge(struct eventpoll *ep, struct epitem *epi,
			    const struct ckpt_hdr_epoll_item *record)
{
	__poll_t reported = (__force __poll_t)record->reported;
	poll_table table;
	bool is_new;

	lockdep_assert_held(&ep->mtx);
	if (!(epi->event.events & EPOLLET) || !reported ||
	    record->flags & CKPT_EPOLL_ITEM_READY)
		return;
	/* What comes after this puts it on the list again by itself. */
	spin_lock_irq(&ep->lock);
	is_new = !ep_is_linked(epi);
	list_del_init(&epi->rdllink);
	spin_unlock_irq(&ep->lock);
	if (is_new)
		return;

	init_poll_funcptr(&table, NULL);
	is_new = ep_item_poll(epi, &table, 1) & ~reported;
	spin_lock_irq(&ep->lock);
	if (!ep_is_linked(epi)) {
		if (is_new)
			list_add_tail(&epi->rdllink, &ep->rdllist);
		else
			__pm_relax(ep_wakeup_source(epi));
	}
	spin_unlock_irq(&ep->lock);
}

/* As EPOLL_CTL_ADD, but for an open file that needs no descriptor. */
static int add_item(struct file *file, struct file *watched,
		    const struct epoll_event *event,
		    const struct ckpt_hdr_epoll_item *record)
{
	struct eventpoll *ep = file->private_data;
	bool nested = is_file_epoll(watched);
	bool full_check = false;
	int ret = -EEXIST;

	if (!file_can_poll(watched))
		return -EPERM;
	mutex_lock(&ep->mtx);
	if (READ_ONCE(file->f_ep) || ep->gen == loop_check_gen || nested) {
		mutex_unlock(&ep->mtx);
		mutex_lock(&epnested_mutex);
		loop_check_gen++;
		full_check = true;
		if (nested && ep_loop_check(ep, watched->private_data)) {
			ret = -ELOOP;
			goto unlock_nested;
		}
		mutex_lock(&ep->mtx);
	}
	if (!ep_find(ep, watched, record->fd))
		ret = ep_insert(ep, event, watched, record->fd, full_check);
	if (!ret)
		forget_old_edge(ep, ep_find(ep, watched, record->fd), record);
	mutex_unlock(&ep->mtx);

unlock_nested:
	if (full_check) {
		clear_tfile_check_list();
		loop_check_gen++;
		mutex_unlock(&epnested_mutex);
	}
	return ret;
}

static int remember_ready(struct ckpt_epoll_stage *stage, struct file *watched,
			  int fd)
{
	if (stage->nr_ready == stage->room) {
		u32 room = stage->room ? 2 * stage->room : 16;
		void *ready = kvrealloc(stage->ready,
					array_size(room, sizeof(*stage->ready)),
					GFP_KERNEL_ACCOUNT);

		if (!ready)
			return -ENOMEM;
		stage->ready = ready;
		stage->room = room;
	}
	stage->ready[stage->nr_ready++] = (struct ckpt_epoll_item) {
		watched, fd
	};
	return 0;
}

static int restore_item(struct ckpt_ctx *ctx, struct ckpt_epoll_stage *stage)
{
	struct ckpt_hdr_epoll_item record;
	struct epoll_event event;
	struct file *watched;
	const char *problem;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_EPOLL_ITEM, &record);
	if (ret)
		return ret;
	watched = ckpt_object_find(ctx, record.file, CKPT_OBJ_FILE);
	problem = item_problem(stage->file, watched, &record);
	if (problem)
		return ckpt_error(ctx, -EINVAL, "item %u of an epoll: %s",
				  record.fd, problem);
	event.events = (__force __poll_t)record.events;
	event.data = record.data;
	ep_take_care_of_epollwakeup(&event);
	if (IS_ENABLED(CONFIG_PM_SLEEP) &&
	    event.events != (__force __poll_t)record.events)
		return ckpt_error(ctx, -EPERM,
				  "item %u of an epoll keeps the system awake: that needs CAP_BLOCK_SUSPEND",
				  record.fd);
	ret = add_item(stage->file, watched, &event, &record);
	if (ret)
		return ckpt_error(ctx, ret, "item %u (%pD) of an epoll%s",
				  record.fd, watched, ret == -ENOSPC ?
				  ": fs.epoll.max_user_watches allows no more" :
				  "");
	if (record.flags & CKPT_EPOLL_ITEM_READY)
		ret = remember_ready(stage, watched, record.fd);
	return ret;
}

/**
 * ckpt_epoll_items_restore - read and add the items of an epoll
 * @ctx: context
 *
 * Return: struct ckpt_epoll_stage or an error pointer.
 */
void *ckpt_epoll_items_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_epoll_items record;
	struct ckpt_epoll_stage *stage;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_EPOLL_ITEMS, &record);
	if (ret)
		return ERR_PTR(ret);
	stage = kzalloc(sizeof(*stage), GFP_KERNEL_ACCOUNT);
	if (!stage)
		return ERR_PTR(-ENOMEM);
	stage->file = ckpt_object_find(ctx, record.epoll, CKPT_OBJ_FILE);
	if (!is_file_epoll(stage->file))
		ret = ckpt_error(ctx, -EINVAL, "file %u is no epoll",
				 record.epoll);
	while (!ret && record.nr_items--)
		ret = restore_item(ctx, stage);
	if (ret) {
		ckpt_epoll_items_drop(stage);
		return ERR_PTR(ret);
	}
	return stage;
}

/*
 * Sockets were not what they are now when they were added: nobody listened yet.
 * Others are not asked: files of /proc tell only once what has happened.
 */
static void forget_unready(struct list_head *ready)
{
	struct epitem *epi, *next;
	poll_table table;

	init_poll_funcptr(&table, NULL);
	list_for_each_entry_safe(epi, next, ready, rdllink) {
		if (!sock_from_file(epi->ffd.file) ||
		    ep_item_poll(epi, &table, 1))
			continue;
		__pm_relax(ep_wakeup_source(epi));
		list_del_init(&epi->rdllink);
	}
}

/**
 * ckpt_epoll_items_publish - bring the ready list about
 * @ctx: context
 * @object: struct ckpt_epoll_stage
 *
 * An item may be on it whose file is not ready yet: what a signalfd waits for
 * comes last. To add the item again to an epoll that watches this one would
 * have taken it off.
 *
 * Return: 0.
 */
int ckpt_epoll_items_publish(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_epoll_stage *stage = object;
	struct eventpoll *ep = stage->file->private_data;
	LIST_HEAD(others);
	LIST_HEAD(ready);
	u32 index;

	mutex_lock(&ep->mtx);
	ep_start_scan(ep, &others);
	forget_unready(&others);
	for (index = 0; index < stage->nr_ready; index++) {
		struct ckpt_epoll_item *item = &stage->ready[index];
		struct epitem *epi = ep_find(ep, item->file, item->fd);

		if (!epi)
			continue;
		if (!ep_is_linked(epi))
			ep_pm_stay_awake(epi);
		list_move_tail(&epi->rdllink, &ready);
	}
	list_splice(&ready, &others);
	ep_done_scan(ep, &others);
	mutex_unlock(&ep->mtx);
	return 0;
}

/*
 * Whoever is about to take an item away has locked its epoll: then nothing is
 * lost if it stays. The wait queue is locked, so items on it are there.
 *
 * mutex_unlock() takes a lock that must not be taken with interrupts off, so what
 * is locked here stays locked.
 */
static bool try_lock_epoll(struct ckpt_epoll_locks *locks, struct eventpoll *ep)
{
	unsigned int index;

	for (index = 0; index < locks->nr; index++)
		if (locks->locks[index] == &ep->mtx)
			return true;
	if (!mutex_trylock(&ep->mtx))
		return false;
	locks->locks[locks->nr++] = &ep->mtx;
	return true;
}

static void move_wait(struct wait_queue_entry *wait,
		      struct wait_queue_head *from, struct wait_queue_head *to)
{
	lockdep_assert_held(&from->lock);
	lockdep_assert_held(&to->lock);
	__remove_wait_queue(from, wait);
	if (wait->flags & WQ_FLAG_EXCLUSIVE)
		__add_wait_queue_entry_tail(to, wait);
	else
		__add_wait_queue(to, wait);
	WRITE_ONCE(ep_pwq_from_wait(wait)->whead, to);
}

/**
 * ckpt_epoll_move_waits - let epolls watch the signals of other handlers
 * @from: wait queue of those that a restarted process gives up
 * @to: that of those which it gets for them
 * @locks: to be unlocked by ckpt_epoll_unlock()
 *
 * Which of them a signalfd looks at was decided when it was added.
 *
 * Context: Neither of them goes. Does not sleep.
 * Return: whether all were moved: there may be more than can be locked at once.
 */
bool ckpt_epoll_move_waits(struct wait_queue_head *from,
			   struct wait_queue_head *to,
			   struct ckpt_epoll_locks *locks)
{
	struct wait_queue_entry *wait, *next;
	bool all = true;

	locks->nr = 0;
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock, SINGLE_DEPTH_NESTING);
	/* The last one that comes to the new queue is the first there. */
	list_for_each_entry_safe_reverse(wait, next, &from->head, entry) {
		if (wait->func != ep_poll_callback)
			continue;
		all = locks->nr < ARRAY_SIZE(locks->locks);
		if (!all)
			break;
		if (try_lock_epoll(locks, ep_pwq_from_wait(wait)->base->ep))
			move_wait(wait, from, to);
	}
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
	return all;
}

/**
 * ckpt_epoll_unlock - unlock what ckpt_epoll_move_waits() has locked
 * @locks: by the current task
 */
void ckpt_epoll_unlock(struct ckpt_epoll_locks *locks)
{
	while (locks->nr)
		mutex_unlock(locks->locks[--locks->nr]);
}

/**
 * ckpt_epoll_items_drop - free what a restart remembers of the items
 * @object: struct ckpt_epoll_stage
 */
void ckpt_epoll_items_drop(void *object)
{
	struct ckpt_epoll_stage *stage = object;

	kvfree(stage->ready);
	kfree(stage);
}

#endif /* CONFIG_CHECKPOINT */
