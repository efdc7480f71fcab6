// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping the target, a process with all its descendants, where its state can
 * be saved.
 *
 * Each thread is sent task work that interrupts it like a signal. It runs at
 * the user-mode boundary, where the registers say exactly how an interrupted
 * system call goes on, also in a task that the cgroup v2 freezer holds there.
 * The work keeps the thread in place until ckpt_thaw(). Nothing that a user
 * controls may happen in between: a thread that waits here cannot be killed.
 *
 * A thread that has not arrived may create others, and children. So when all
 * have arrived that were there, those that are new are sent the work, until
 * there are none. A thread that dies instead runs the work, or refuses it, when
 * it has given back its memory, its descriptors and whatever its joiner waits
 * for: what it leaves to the others is what is saved. A process is waited for
 * until it is dead for its parent, too; if it is killed when some of its threads
 * are here already, these are let go.
 *
 * A child of vfork() keeps its parent in a sleep that nothing interrupts. There
 * the parent is held as well, as long as the child stays: all that it does next is
 * to return the id of the child. See also kernel/vfork_ckpt.c.
 *
 * A caller that gives up takes back the work that has not begun. Work that
 * begins too late sees that it is not wanted any more and returns.
 *
 * A system call that returns -EINTR because of the work, and not because of a
 * signal, is issued again when the thread goes on.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

/* Threads for which the table has room from the start: 64 KiB. */
#define MAX_HINT	6144

/* Tasks that one walk over the tree finds. */
#define BATCH_TASKS	(PAGE_SIZE / sizeof(struct task_struct *))

enum parking_state {
	PARKING_SENT,
	PARKING_PARKED,
	PARKING_GONE,
};

/**
 * struct ckpt_quiesce - the threads that one checkpoint holds
 * @ctx: of the checkpoint
 * @root: first process; its descendants are stopped, too
 * @deadline: in jiffies; a task that does not come by then is in a sleep that
 *	nothing interrupts
 * @refs: references: the checkpoint and each struct parking
 * @nr_coming: threads that have neither arrived nor turned out to be gone
 * @changed: woken when there are none of these, and when a child of vfork() has
 *	arrived
 * @child_arrived: one has, so that its parent is held
 * @thaw: the threads wait here
 * @released: the threads may go
 * @is_complete: nobody may go before that, not even who was killed
 * @parkings: struct parking.list
 * @nr_parkings: their number
 * @by_task: the same, to be found
 */
struct ckpt_quiesce {
	struct ckpt_ctx *ctx;
	struct task_struct *root;
	unsigned long deadline;
	refcount_t refs;
	atomic_t nr_coming;
	wait_queue_head_t changed;
	bool child_arrived;
	wait_queue_head_t thaw;
	bool released;
	bool is_complete;
	struct list_head parkings;
	unsigned int nr_parkings;
	struct rhashtable by_task;
};

/**
 * struct parking - one thread on its way to the boundary, or there
 * @work: sent to the thread
 * @quiesce: a reference is held until @work has run or is cancelled
 * @list: in ckpt_quiesce.parkings
 * @node: in ckpt_quiesce.by_task
 * @task: the thread, a reference is held
 * @was_stopped: by a signal or a tracer when @work was sent
 * @dismissed: it may go before the others
 * @vfork_child: for which the thread waits, when all are held
 * @state: written by the thread, read by the checkpoint
 * @refs: references: the list and @work
 */
struct parking {
	struct callback_head work;
	struct ckpt_quiesce *quiesce;
	struct list_head list;
	struct rhash_head node;
	struct task_struct *task;
	bool was_stopped;
	bool dismissed;
	struct task_struct *vfork_child;
	enum parking_state state;
	refcount_t refs;
};

static const struct rhashtable_params by_task = {
	.head_offset	= offsetof(struct parking, node),
	.key_offset	= offsetof(struct parking, task),
	.key_len	= sizeof_field(struct parking, task),
	.hashfn		= ckpt_hash_address,
	.obj_cmpfn	= ckpt_compare_address,
};

static void quiesce_put(struct ckpt_quiesce *quiesce)
{
	if (refcount_dec_and_test(&quiesce->refs))
		kfree(quiesce);
}

static void parking_put(struct parking *parking)
{
	if (!refcount_dec_and_test(&parking->refs))
		return;
	put_task_struct(parking->task);
	quiesce_put(parking->quiesce);
	kfree(parking);
}

static bool is_released(struct parking *parking)
{
	/* Pairs with ckpt_thaw(): the checkpoint is done with the thread. */
	return smp_load_acquire(&parking->quiesce->released) ||
	       READ_ONCE(parking->dismissed);
}

static bool is_on_the_way(struct parking *parking)
{
	/* Pairs with park(): what the thread did before it is seen. */
	return smp_load_acquire(&parking->state) == PARKING_SENT;
}

/*
 * Was it the work that interrupted the system call, and nothing else? A signal
 * that did so is still pending here, unless it stopped the thread. Only the
 * signal code takes back the notification before it runs the work: elsewhere
 * the call had returned before the work was sent.
 */
static bool is_only_cause(const struct parking *parking)
{
	return !parking->was_stopped && !task_sigpending(current) &&
	       !test_thread_flag(TIF_NOTIFY_SIGNAL);
}

/*
 * Who was killed must get on with it: another may wait for its end. But when all
 * are there, a death is later than the checkpoint: who was stopped by a signal
 * and is killed then stays as those do who wait here.
 */
static bool must_exit(struct ckpt_quiesce *quiesce)
{
	if (current->flags & PF_EXITING)
		return true;
	if (!fatal_signal_pending(current))
		return false;
	/* Pairs with complete_roll(). */
	return !smp_load_acquire(&quiesce->is_complete);
}

/* Runs in the thread that is to be stopped. */
static void park(struct callback_head *work)
{
	struct parking *parking = container_of(work, struct parking, work);
	struct ckpt_quiesce *quiesce = parking->quiesce;
	bool exiting = must_exit(quiesce);
	bool keeps_parent = !exiting && READ_ONCE(current->vfork_done);

	/*
	 * The last work sent is the first to run. Let those go before that were
	 * sent earlier: among them are the ends of files that the thread has
	 * closed, and what they hold would be there for the checkpoint to see.
	 */
	if (work->next && !task_work_add(current, work, TWA_NONE))
		return;
	if (!exiting && is_only_cause(parking))
		arch_ckpt_reissue_syscall();
	/* The checkpoint that sees the state sees all that came before. */
	smp_store_release(&parking->state, exiting ? PARKING_GONE :
						     PARKING_PARKED);
	if (keeps_parent)
		/* Pairs with wait_for_arrival(): it looks at the state then. */
		smp_store_release(&quiesce->child_arrived, true);
	if (atomic_dec_and_test(&quiesce->nr_coming) || keeps_parent)
		wake_up(&quiesce->changed);
	if (!exiting)
		wait_event_idle(quiesce->thaw, is_released(parking));
	parking_put(parking);
}

static struct parking *find_parking(struct ckpt_quiesce *quiesce,
				    struct task_struct *task)
{
	return rhashtable_lookup_fast(&quiesce->by_task, &task, by_task);
}

static int send(struct ckpt_quiesce *quiesce, struct task_struct *task)
{
	struct parking *parking;
	int ret;

	parking = kzalloc(sizeof(*parking), GFP_KERNEL_ACCOUNT);
	if (!parking)
		return -ENOMEM;
	parking->task = task;
	ret = rhashtable_insert_fast(&quiesce->by_task, &parking->node,
				     by_task);
	if (ret) {
		kfree(parking);
		return ret;
	}
	get_task_struct(task);
	init_task_work(&parking->work, park);
	refcount_set(&parking->refs, 2);
	refcount_inc(&quiesce->refs);
	parking->quiesce = quiesce;
	parking->was_stopped = task_is_stopped_or_traced(task);
	list_add_tail(&parking->list, &quiesce->parkings);
	quiesce->nr_parkings++;
	atomic_inc(&quiesce->nr_coming);
	if (task_work_add(task, &parking->work, TWA_SIGNAL)) {
		parking->state = PARKING_GONE;
		atomic_dec(&quiesce->nr_coming);
		parking_put(parking);
	}
	return 0;
}

/*
 * Call a function for the root process and all its descendants, parents first.
 * It is called under tasklist_lock, and ends the walk with a negative value.
 */
static void walk_whole_tree(struct ckpt_quiesce *quiesce, proc_visitor function,
			    void *data)
{
	int ret;

	read_lock(&tasklist_lock);
	ret = function(quiesce->root, data);
	read_unlock(&tasklist_lock);
	/* Takes the lock itself: not twice, where a writer may wait between. */
	if (ret > 0)
		walk_process_tree(quiesce->root, function, data);
}

/**
 * struct newcomers - threads that were not sent the work yet
 * @quiesce: what they are new to
 * @found: references are held
 * @nr_found: how many
 */
struct newcomers {
	struct ckpt_quiesce *quiesce;
	struct task_struct **found;
	unsigned int nr_found;
};

static int interrupted(void)
{
	return fatal_signal_pending(current) ? -EINTR : -ERESTARTNOINTR;
}

static int find_newcomers(struct task_struct *leader, void *data)
{
	struct newcomers *newcomers = data;
	struct task_struct *thread;

	lockdep_assert_held(&tasklist_lock);
	for_each_thread(leader, thread) {
		if (thread == current ||
		    find_parking(newcomers->quiesce, thread))
			continue;
		if (newcomers->nr_found == BATCH_TASKS)
			return -1;
		newcomers->found[newcomers->nr_found++] =
			get_task_struct(thread);
	}
	return 1;
}

/* Return: how many there were, but for the caller; a negative errno. */
static int send_to_newcomers(struct ckpt_quiesce *quiesce)
{
	struct newcomers newcomers = { .quiesce = quiesce };
	unsigned int nr_sent = 0, index;
	int ret = 0;

	newcomers.found = kmalloc_array(BATCH_TASKS, sizeof(*newcomers.found),
					GFP_KERNEL_ACCOUNT);
	if (!newcomers.found)
		return -ENOMEM;
	do {
		newcomers.nr_found = 0;
		walk_whole_tree(quiesce, find_newcomers, &newcomers);
		for (index = 0; index < newcomers.nr_found; index++) {
			struct task_struct *task = newcomers.found[index];

			/* A descendant may be another user's by now. */
			if (!ret)
				ret = ckpt_may_save(quiesce->ctx, task);
			if (!ret)
				ret = send(quiesce, task);
			quiesce->ctx->task = quiesce->root;
			put_task_struct(task);
		}
		nr_sent += newcomers.nr_found;
		cond_resched();
		if (!ret && signal_pending(current))
			ret = interrupted();
	} while (!ret && newcomers.nr_found);
	kfree(newcomers.found);
	return ret ?: nr_sent;
}

static bool all_arrived(struct ckpt_quiesce *quiesce)
{
	/* Pairs with park(): what the threads did before it is seen. */
	return !atomic_read_acquire(&quiesce->nr_coming);
}

/* They have to die: their process was killed, or one of them is in execve(). */
static void dismiss(struct ckpt_quiesce *quiesce, struct task_struct *process,
		    struct task_struct *but)
{
	struct parking *parking;

	list_for_each_entry(parking, &quiesce->parkings, list) {
		if (parking->task == but || is_on_the_way(parking) ||
		    !same_thread_group(parking->task, process))
			continue;
		parking->state = PARKING_GONE;
		WRITE_ONCE(parking->dismissed, true);
	}
	wake_up_all(&quiesce->thaw);
}

static bool is_on_stack(const struct task_struct *task, const void *object)
{
	const void *stack = task_stack_page(task);

	return object >= stack && object < stack + THREAD_SIZE;
}

/*
 * What a parent waits for in vfork() is on its stack, and the child points to it
 * until it calls execve() or exits.
 */
static struct task_struct *vfork_child(struct ckpt_quiesce *quiesce,
				       const struct task_struct *parent)
{
	struct parking *parking;

	if (!(READ_ONCE(parent->__state) & TASK_WAKEKILL))
		return NULL;
	if (is_on_stack(parent, READ_ONCE(current->vfork_done)))
		return current;
	list_for_each_entry(parking, &quiesce->parkings, list)
		if (is_on_stack(parent, READ_ONCE(parking->task->vfork_done)))
			return parking->task;
	return NULL;
}

/*
 * Who is stopped by a signal is where the work would keep it, and runs the work
 * before anything else when it is continued: see ckpt_task_continued(). Who waits
 * in vfork() stays as long as the child does, which may wait for one itself.
 */
static bool is_held(struct parking *parking)
{
	struct ckpt_quiesce *quiesce = parking->quiesce;
	unsigned int left = quiesce->nr_parkings;

	for (; left && is_on_the_way(parking); left--) {
		struct task_struct *child;

		if (parking->task->ptrace)
			return false;
		if (task_is_stopped(parking->task))
			return true;
		child = vfork_child(quiesce, parking->task);
		if (!child || child == current)
			return child;
		parking = find_parking(quiesce, child);
	}
	return parking->state == PARKING_PARKED;
}

static bool all_held(struct ckpt_quiesce *quiesce)
{
	struct parking *parking;

	if (all_arrived(quiesce))
		return true;
	list_for_each_entry(parking, &quiesce->parkings, list)
		if (is_on_the_way(parking) && !is_held(parking))
			return false;
	return true;
}

/*
 * Why somebody who is on the way will not come by himself, or 0. And who has
 * become another user's must not be kept waiting for the others.
 */
static int check_coming(struct ckpt_quiesce *quiesce)
{
	struct ckpt_ctx *ctx = quiesce->ctx;
	struct parking *parking;

	list_for_each_entry(parking, &quiesce->parkings, list) {
		struct task_struct *task = parking->task;
		int ret;

		if (parking->state != PARKING_GONE) {
			ret = ckpt_may_save(ctx, task);
			if (ret)
				return ret;
		}
		if (!is_on_the_way(parking) || is_held(parking))
			continue;
		ctx->task = task;
		if (task->ptrace)
			return ckpt_error(ctx, -EBUSY, "the task is traced");
		/* It waits for the end of those that are here. */
		if (READ_ONCE(task->signal->group_exec_task) == task)
			dismiss(quiesce, task, task);
		if (time_after(jiffies, quiesce->deadline))
			return ckpt_error(ctx, -EBUSY,
					  "the task sleeps and cannot be interrupted");
	}
	return 0;
}

static int wait_for_arrival(struct ckpt_quiesce *quiesce)
{
	while (!all_held(quiesce)) {
		/* Stopping for a signal or a tracer wakes nobody: look again. */
		long left = wait_event_interruptible_timeout(quiesce->changed,
				all_arrived(quiesce) ||
				xchg(&quiesce->child_arrived, false), HZ / 20);
		int ret = left < 0 ? interrupted() : 0;

		if (!left)
			ret = check_coming(quiesce);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A thread says that it has arrived before it goes to sleep. Segment selectors,
 * their bases and vector registers are in memory only when it has left its
 * processor. A parent of vfork() sleeps like one that has arrived.
 */
static void wait_until_off_processor(struct task_struct *task)
{
	while (!wait_task_inactive(task, TASK_IDLE) &&
	       !wait_task_inactive(task, __TASK_STOPPED))
		cond_resched();
}

/*
 * Has the whole process begun to die? If so, threads may be missing that have
 * not ended by themselves. If it begins later, those that are here stay.
 */
static bool is_exiting(struct task_struct *leader)
{
	struct signal_struct *signal = leader->signal;
	bool exiting = true;
	unsigned long flags;

	if (lock_task_sighand(leader, &flags)) {
		exiting = signal->flags & SIGNAL_GROUP_EXIT;
		unlock_task_sighand(leader, &flags);
	}
	return exiting;
}

/**
 * struct roll - the tasks to save, when all have arrived
 * @quiesce: what holds them
 * @tasks: in their order, without references
 * @nr_tasks: their number
 * @room: for so many
 * @dying: a process that has begun to die and is not dead, with a reference, or
 *	NULL
 * @again: somebody was not there before
 */
struct roll {
	struct ckpt_quiesce *quiesce;
	struct task_struct **tasks;
	unsigned int nr_tasks;
	unsigned int room;
	struct task_struct *dying;
	bool again;
};

static void put_on_roll(struct roll *roll, struct task_struct *task)
{
	if (roll->nr_tasks < roll->room)
		roll->tasks[roll->nr_tasks++] = task;
	else
		roll->again = true;
}

static void call_thread(struct roll *roll, struct task_struct *thread)
{
	struct parking *parking = find_parking(roll->quiesce, thread);

	/* The first thread stays as long as there are others. */
	if (thread == current || (parking && is_held(parking)) ||
	    (thread_group_leader(thread) && ckpt_task_is_dead(thread)))
		put_on_roll(roll, thread);
	else if (!parking || parking->state != PARKING_GONE)
		roll->again = true;
}

/* Return: to go on with its descendants, or not with anybody. */
static int call_process(struct task_struct *leader, void *data)
{
	struct roll *roll = data;
	struct task_struct *thread;

	lockdep_assert_held(&tasklist_lock);
	if (leader->exit_state == EXIT_DEAD)
		return 0;
	if (leader->exit_state && thread_group_empty(leader)) {
		put_on_roll(roll, leader);
		return 0;
	}
	if (is_exiting(leader) ||
	    (leader->flags & PF_EXITING && !leader->exit_state)) {
		roll->dying = get_task_struct(leader);
		return -1;
	}
	for_each_thread(leader, thread)
		call_thread(roll, thread);
	return 1;
}

/* Wait until its parent can see it; if others live, until those can. */
static int wait_for_death(struct ckpt_quiesce *quiesce,
			  struct task_struct *leader)
{
	struct pid *pid = get_task_pid(leader, PIDTYPE_PID);
	long left;

	/* It has been waited for already. */
	if (!pid)
		return 0;
	if (is_exiting(leader))
		dismiss(quiesce, leader, NULL);
	left = wait_event_interruptible_timeout(pid->wait_pidfd,
						ckpt_task_is_dead(leader),
						HZ / 20);
	put_pid(pid);
	if (left < 0)
		return interrupted();
	if (!left && time_after(jiffies, quiesce->deadline))
		return ckpt_error(quiesce->ctx, -EBUSY,
				  "a process that was killed does not come to its end");
	return 0;
}

static int add_all(struct ckpt_ctx *ctx, const struct roll *roll)
{
	unsigned int index;
	int ret = 0;

	for (index = 0; index < roll->nr_tasks && !ret; index++) {
		struct task_struct *task = roll->tasks[index];
		struct parking *parking;

		ctx->task = task;
		if (task->ptrace)
			return ckpt_error(ctx, -EBUSY, "the task is traced");
		if (task != current && !ckpt_task_is_dead(task))
			wait_until_off_processor(task);
		parking = find_parking(roll->quiesce, task);
		ret = ckpt_tree_add(ctx, task,
				    parking ? parking->vfork_child : NULL);
	}
	return ret;
}

/* Is it where it stays, though it has not arrived? */
static bool is_kept_elsewhere(struct parking *parking)
{
	/* If it is killed from now on it comes here: what it was in counts. */
	parking->vfork_child = vfork_child(parking->quiesce, parking->task);
	return parking->vfork_child || task_is_stopped_or_traced(parking->task);
}

/*
 * From now on nobody goes. Who was stopped by a signal, or waited in vfork(), may
 * have been killed just before, and be on the way to its end: then the roll is
 * called again.
 */
static bool complete_roll(struct ckpt_quiesce *quiesce, const struct roll *roll)
{
	unsigned int index;

	/* Pairs with must_exit(): who is seen stopped below sees it later. */
	smp_store_mb(quiesce->is_complete, true);
	for (index = 0; index < roll->nr_tasks; index++) {
		struct parking *parking = find_parking(quiesce,
						       roll->tasks[index]);

		if (!parking || ckpt_task_is_dead(roll->tasks[index]))
			continue;
		/* Woken, it decides at once, but may need this processor. */
		while (is_on_the_way(parking) && !is_kept_elsewhere(parking))
			schedule_timeout_uninterruptible(1);
		if (!is_held(parking)) {
			/* Pairs with must_exit(), as above. */
			smp_store_release(&quiesce->is_complete, false);
			return false;
		}
	}
	return true;
}

/*
 * The tasks to save: those that have arrived, the dead ones, and the caller.
 * Return: 1 if there is still somebody to wait for, 0, or a negative errno.
 */
static int call_roll(struct ckpt_quiesce *quiesce)
{
	struct ckpt_ctx *ctx = quiesce->ctx;
	struct roll roll = {
		.quiesce	= quiesce,
		.room		= quiesce->nr_parkings + 1,
	};
	int ret = 0;

	if (READ_ONCE(quiesce->root->group_leader) != quiesce->root)
		return -EAGAIN;
	roll.tasks = kvmalloc_array(roll.room, sizeof(*roll.tasks),
				    GFP_KERNEL_ACCOUNT);
	if (!roll.tasks)
		return -ENOMEM;
	walk_whole_tree(quiesce, call_process, &roll);
	ctx->task = quiesce->root;
	if (is_exiting(quiesce->root) ||
	    (ckpt_task_is_dead(quiesce->root) &&
	     thread_group_empty(quiesce->root)))
		ret = ckpt_error(ctx, -ESRCH, "the task is exiting");
	else if (roll.dying)
		ret = wait_for_death(quiesce, roll.dying) ?: 1;
	else if (roll.again || !complete_roll(quiesce, &roll))
		ret = 1;
	else
		ret = add_all(ctx, &roll);
	if (roll.dying)
		put_task_struct(roll.dying);
	kvfree(roll.tasks);
	return ret;
}

static int stop_all(struct ckpt_quiesce *quiesce)
{
	int ret;

	for (;;) {
		if (time_after(jiffies, quiesce->deadline + HZ))
			return ckpt_error(quiesce->ctx, -EBUSY,
					  "its processes do not come to rest");
		ret = send_to_newcomers(quiesce);
		if (ret < 0)
			return ret;
		if (!ret)
			ret = call_roll(quiesce);
		if (ret > 0)
			ret = wait_for_arrival(quiesce) ?: 1;
		if (ret <= 0)
			return ret;
	}
}

/**
 * ckpt_quiesce - stop all threads of a process tree at the user-mode boundary
 * @ctx: context; they are added to its tasks, the root task first
 * @deadline: in jiffies, for their arrival
 *
 * The caller may be one of them: it goes on.
 *
 * Context: Sleeps until they arrive.
 *
 * Return: what ckpt_thaw() takes, or an error pointer: -EPERM if the caller may
 * not stop one of them, -EBUSY if a thread cannot be stopped, -ESRCH if the
 * root process is exiting, -EAGAIN if another task leads it since an execve(),
 * -EINTR after a fatal signal, -ERESTARTNOINTR when another one is to be
 * handled first, -ENOMEM.
 */
struct ckpt_quiesce *ckpt_quiesce(struct ckpt_ctx *ctx, unsigned long deadline)
{
	struct rhashtable_params params = by_task;
	struct ckpt_quiesce *quiesce;
	int ret;

	might_sleep();
	quiesce = kzalloc(sizeof(*quiesce), GFP_KERNEL_ACCOUNT);
	if (!quiesce)
		return ERR_PTR(-ENOMEM);
	quiesce->ctx = ctx;
	quiesce->root = ctx->root_task;
	quiesce->deadline = deadline;
	refcount_set(&quiesce->refs, 1);
	init_waitqueue_head(&quiesce->changed);
	init_waitqueue_head(&quiesce->thaw);
	INIT_LIST_HEAD(&quiesce->parkings);
	/* It would grow while they are stopped: there cannot be more of them. */
	params.nelem_hint = clamp(nr_threads, 1, MAX_HINT);
	ret = rhashtable_init(&quiesce->by_task, &params);
	if (ret) {
		kfree(quiesce);
		return ERR_PTR(ret);
	}

	trace_ckpt_phase(ctx->id, "quiesce");
	ret = stop_all(quiesce);
	if (ret) {
		ckpt_thaw(quiesce);
		return ERR_PTR(ret);
	}
	return quiesce;
}

/**
 * ckpt_thaw - let the threads go
 * @quiesce: from ckpt_quiesce()
 */
void ckpt_thaw(struct ckpt_quiesce *quiesce)
{
	struct parking *parking, *next;

	rhashtable_destroy(&quiesce->by_task);
	/* Pairs with is_released(): nothing looks at the threads any more. */
	smp_store_release(&quiesce->released, true);
	wake_up_all(&quiesce->thaw);
	list_for_each_entry_safe(parking, next, &quiesce->parkings, list) {
		list_del(&parking->list);
		/* Work that was taken back leaves its reference to us. */
		if (task_work_cancel(parking->task, &parking->work))
			parking_put(parking);
		parking_put(parking);
	}
	quiesce_put(quiesce);
}
