// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of epoll: part of eventpoll.c.
 *
 * Saved: items with the file that they watch, their events and data, also
 *	those whose descriptor was closed or is another file by now; whether an
 *	edge was reported.
 * Reset to default: the order in which ready items are reported.
 * Refused: parameters for busy polling.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>

/* Somebody outside may be in epoll_wait() and touch memory that is not there. */
#define PATIENCE	HZ

/**
 * struct saved_item - an item between the lock of its epoll and its record
 * @file: watched; a reference is held
 * @event: events and data
 * @fd: descriptor that it was added with
 * @ready: in the list of those that may have something to report
 */
struct saved_item {
	struct file *file;
	struct epoll_event event;
	int fd;
	bool ready;
};

static int lock_epoll(struct ckpt_ctx *ctx, struct eventpoll *ep)
{
	unsigned long limit = jiffies + PATIENCE;

	while (!mutex_trylock(&ep->mtx)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, limit))
			return ckpt_error(ctx, -EBUSY,
					  "a process outside holds an epoll and does not let it go");
		usleep_range(50, 200);
	}
	return 0;
}

static unsigned int count_items(struct eventpoll *ep)
{
	struct rb_node *node;
	unsigned int count = 0;

	lockdep_assert_held(&ep->mtx);
	for (node = rb_first_cached(&ep->rbr); node; node = rb_next(node))
		count++;
	return count;
}

/* Those whose file is being closed are as good as gone. */
static unsigned int collect_items(struct eventpoll *ep,
				  struct saved_item *items)
{
	unsigned int count = 0;
	struct rb_node *node;

	lockdep_assert_held(&ep->mtx);
	for (node = rb_first_cached(&ep->rbr); node; node = rb_next(node)) {
		struct epitem *epi = rb_entry(node, struct epitem, rbn);
		struct file *file = epi_fget(epi);

		if (!file)
			continue;
		spin_lock_irq(&ep->lock);
		items[count].ready = ep_is_linked(epi);
		spin_unlock_irq(&ep->lock);
		items[count].file = file;
		items[count].event = epi->event;
		items[count].fd = epi->ffd.fd;
		count++;
	}
	return count;
}

/* The tree is in the order of addresses: no two images would be the same. */
static int compare_items(const void *left, const void *right)
{
	const struct saved_item *a = left, *b = right;

	if (a->fd != b->fd)
		return a->fd < b->fd ? -1 : 1;
	if (a->event.data != b->event.data)
		return a->event.data < b->event.data ? -1 : 1;
	return 0;
}

/* A lock is held for the collection, not for saving what is watched. */
static struct saved_item *list_items(struct ckpt_ctx *ctx, struct eventpoll *ep,
				     unsigned int *count)
{
	struct saved_item *items = NULL;
	unsigned int room = 0;
	int ret;

	for (;;) {
		ret = lock_epoll(ctx, ep);
		if (ret)
			break;
		*count = count_items(ep);
		if (items && *count <= room) {
			*count = collect_items(ep, items);
			mutex_unlock(&ep->mtx);
			sort(items, *count, sizeof(*items), compare_items,
			     NULL);
			return items;
		}
		mutex_unlock(&ep->mtx);
		room = *count;
		kvfree(items);
		items = kvcalloc(room + 1, sizeof(*items), GFP_KERNEL_ACCOUNT);
		ret = -ENOMEM;
		if (!items)
			break;
	}
	kvfree(items);
	return ERR_PTR(ret);
}

/* The number that it was added with may stand for another file by now. */
static bool is_open_as(struct ckpt_ctx *ctx, const struct saved_item *item)
{
	struct file *file = fget_task(ctx->task, item->fd);
	bool same = file == item->file;

	if (file)
		fput(file);
	return same;
}

static int save_item(struct ckpt_ctx *ctx, const struct saved_item *item)
{
	struct ckpt_hdr_epoll_item *record;
	int objref;

	ctx->descriptor = is_open_as(ctx, item) ? item->fd : -1;
	objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, item->file);
	ctx->descriptor = -1;
	if (objref < 0)
		return ckpt_error(ctx, objref, "watched by epoll: %pD",
				  item->file);
	record = ckpt_record_add(ctx, CKPT_HDR_EPOLL_ITEM);
	if (!record)
		return -ENOMEM;
	record->file = objref;
	record->fd = item->fd;
	record->events = (__force u32)item->event.events;
	record->data = item->event.data;
	if (item->ready)
		record->flags = CKPT_EPOLL_ITEM_READY;
	return 0;
}

static int check_busy_poll(struct ckpt_ctx *ctx, const struct eventpoll *ep)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (READ_ONCE(ep->busy_poll_usecs) || READ_ONCE(ep->busy_poll_budget) ||
	    READ_ONCE(ep->prefer_busy_poll))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "an epoll has parameters for busy polling");
#endif
	return 0;
}

/**
 * ckpt_epoll_save - checkpoint method of epoll
 * @ctx: context
 * @file: epoll
 *
 * Context: Epolls watch each other no deeper than the kernel allows.
 *
 * Return: CKPT_FILE_EPOLL or a negative errno.
 */
int ckpt_epoll_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct eventpoll *ep = file->private_data;
	unsigned int index, count = 0;
	struct ckpt_hdr_epoll *record;
	struct saved_item *items;
	int ret;

	ret = check_busy_poll(ctx, ep);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_EPOLL);
	if (!record)
		return -ENOMEM;
	items = list_items(ctx, ep, &count);
	if (IS_ERR(items))
		return PTR_ERR(items);
	record->nr_items = count;
	for (index = 0; index < count; index++) {
		if (!ret)
			ret = save_item(ctx, &items[index]);
		fput(items[index].file);
	}
	kvfree(items);
	return ret ?: CKPT_FILE_EPOLL;
}

/* An edge that was reported before is not reported again. */
static void forget_edge(struct eventpoll *ep, struct file *target, int fd)
{
	struct epitem *epi = ep_find(ep, target, fd);

	lockdep_assert_held(&ep->mtx);
	spin_lock_irq(&ep->lock);
	if (ep_is_linked(epi)) {
		list_del_init(&epi->rdllink);
		__pm_relax(ep_wakeup_source(epi));
	}
	spin_unlock_irq(&ep->lock);
}

static int insert_locked(struct eventpoll *ep, struct file *target,
			 const struct ckpt_hdr_epoll_item *record,
			 int full_check)
{
	const struct epoll_event event = {
		.events	= (__force __poll_t)record->events,
		.data	= record->data,
	};
	int ret;

	if (ep_find(ep, target, record->fd))
		return -EEXIST;
	ret = ep_insert(ep, &event, target, record->fd, full_check);
	if (!ret && event.events & EPOLLET &&
	    !(record->flags & CKPT_EPOLL_ITEM_READY))
		forget_edge(ep, target, record->fd);
	return ret;
}

/* As do_epoll_ctl() does it when one epoll is to watch another. */
static int insert_epoll(struct eventpoll *ep, struct file *target,
			const struct ckpt_hdr_epoll_item *record)
{
	int ret = -ELOOP;

	mutex_lock(&epnested_mutex);
	loop_check_gen++;
	if (!ep_loop_check(ep, target->private_data)) {
		mutex_lock(&ep->mtx);
		ret = insert_locked(ep, target, record, 1);
		mutex_unlock(&ep->mtx);
	}
	clear_tfile_check_list();
	loop_check_gen++;
	mutex_unlock(&epnested_mutex);
	return ret;
}

static int check_item(const struct ckpt_hdr_epoll_item *record,
		      struct file *target)
{
	__poll_t events = (__force __poll_t)record->events;
	struct epoll_event event = { .events = events };

	if (!file_can_poll(target))
		return -EINVAL;
	if (events & EPOLLEXCLUSIVE &&
	    (is_file_epoll(target) || events & ~EPOLLEXCLUSIVE_OK_BITS))
		return -EINVAL;
	ep_take_care_of_epollwakeup(&event);
	return event.events == events ? 0 : -EPERM;
}

static int restore_item(struct ckpt_ctx *ctx, struct eventpoll *ep)
{
	struct ckpt_hdr_epoll_item record;
	struct file *target;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_EPOLL_ITEM, &record);
	if (ret)
		return ret;
	target = ckpt_object_find(ctx, record.file, CKPT_OBJ_FILE);
	ret = check_item(&record, target);
	if (!ret && is_file_epoll(target)) {
		ret = insert_epoll(ep, target, &record);
	} else if (!ret) {
		mutex_lock(&ep->mtx);
		ret = insert_locked(ep, target, &record, 0);
		mutex_unlock(&ep->mtx);
	}
	if (ret)
		return ckpt_error(ctx, ret == -EEXIST ? -EINVAL : ret,
				  "epoll cannot watch %pD, descriptor %d",
				  target, record.fd);
	return 0;
}

/**
 * ckpt_epoll_restore - read and make an epoll
 * @ctx: context
 * @file_record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ELOOP if epolls
 * would watch each other in a circle.
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
	while (record.nr_items-- && !ret)
		ret = restore_item(ctx, file->private_data);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

#endif /* CONFIG_CHECKPOINT */
