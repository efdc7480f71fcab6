// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping the target where its state can be saved.
 *
 * Each thread is sent task work that interrupts it like a signal. It runs at
 * the user-mode boundary, where the registers say exactly how an interrupted
 * system call goes on, also in a task that the cgroup v2 freezer holds there.
 * The work keeps the thread in place until ckpt_thaw(). Nothing that a user
 * controls may happen in between: a thread that waits here cannot be killed.
 *
 * A thread that has not arrived may create others. So when all have arrived
 * that were there, those that are new are sent the work, until there are none.
 * A thread that dies instead runs the work, or refuses it, when it has given
 * back its memory, its descriptors and whatever its joiner waits for: what it
 * leaves to the others is what is saved.
 *
 * A caller that gives up takes back the work that has not begun. Work that
 * begins too late sees that it is not wanted any more and returns.
 *
 * A system call that returns -EINTR because of the work, and not because of a
 * signal, is issued again when the thread goes on.
 */
#include <linux/err.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

/* A task that does not come by then is in a sleep that nothing interrupts. */
#define PATIENCE	(10 * HZ)

enum parking_state {
	PARKING_SENT,
	PARKING_PARKED,
	PARKING_GONE,
};

/**
 * struct ckpt_quiesce - the threads that one checkpoint holds
 * @refs: references: the checkpoint and each struct parking
 * @nr_coming: threads that have neither arrived nor turned out to be gone
 * @changed: woken when there are none of these
 * @thaw: the threads wait here
 * @released: the threads may go
 * @parkings: struct parking.list
 * @by_pid: global pid to struct parking
 */
struct ckpt_quiesce {
	refcount_t refs;
	atomic_t nr_coming;
	wait_queue_head_t changed;
	wait_queue_head_t thaw;
	bool released;
	struct list_head parkings;
	struct xarray by_pid;
};

/**
 * struct parking - one thread on its way to the boundary, or there
 * @work: sent to the thread
 * @quiesce: a reference is held until @work has run or is cancelled
 * @list: in ckpt_quiesce.parkings
 * @task: the thread, a reference is held
 * @was_stopped: by a signal or a tracer when @work was sent
 * @state: written by the thread, read by the checkpoint
 * @refs: references: the list and @work
 */
struct parking {
	struct callback_head work;
	struct ckpt_quiesce *quiesce;
	struct list_head list;
	struct task_struct *task;
	bool was_stopped;
	enum parking_state state;
	refcount_t refs;
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

static bool is_released(struct ckpt_quiesce *quiesce)
{
	/* Pairs with ckpt_thaw(): the checkpoint is done with the thread. */
	return smp_load_acquire(&quiesce->released);
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

/* Runs in the thread that is to be stopped. */
static void park(struct callback_head *work)
{
	struct parking *parking = container_of(work, struct parking, work);
	struct ckpt_quiesce *quiesce = parking->quiesce;
	bool exiting = current->flags & PF_EXITING;

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
	smp_store_release(&parking->state,
			  exiting ? PARKING_GONE : PARKING_PARKED);
	if (atomic_dec_and_test(&quiesce->nr_coming))
		wake_up(&quiesce->changed);
	if (!exiting)
		wait_event_idle(quiesce->thaw, is_released(quiesce));
	parking_put(parking);
}

static int send(struct ckpt_quiesce *quiesce, struct task_struct *task)
{
	struct parking *parking;
	int ret;

	parking = kzalloc(sizeof(*parking), GFP_KERNEL_ACCOUNT);
	if (!parking)
		return -ENOMEM;
	/* A thread that is gone may have left its pid to this one. */
	ret = xa_err(xa_store(&quiesce->by_pid, task_pid_nr(task), parking,
			      GFP_KERNEL_ACCOUNT));
	if (ret) {
		kfree(parking);
		return ret;
	}
	init_task_work(&parking->work, park);
	refcount_set(&parking->refs, 2);
	refcount_inc(&quiesce->refs);
	parking->quiesce = quiesce;
	parking->task = get_task_struct(task);
	parking->was_stopped = task_is_stopped_or_traced(task);
	list_add_tail(&parking->list, &quiesce->parkings);
	atomic_inc(&quiesce->nr_coming);
	if (task_work_add(task, &parking->work, TWA_SIGNAL)) {
		parking->state = PARKING_GONE;
		atomic_dec(&quiesce->nr_coming);
		parking_put(parking);
	}
	return 0;
}

static bool is_known(struct ckpt_quiesce *quiesce, struct task_struct *task)
{
	struct parking *parking = xa_load(&quiesce->by_pid, task_pid_nr(task));

	return parking && parking->task == task;
}

/* Threads of the process that were not sent the work yet, but for the caller. */
static unsigned int find_new(struct ckpt_quiesce *quiesce,
			     struct task_struct *leader,
			     struct task_struct **found, unsigned int room)
{
	struct task_struct *thread;
	unsigned int nr_found = 0;

	guard(rcu)();
	for_each_thread(leader, thread) {
		if (thread == current || is_known(quiesce, thread))
			continue;
		if (nr_found == room)
			break;
		found[nr_found++] = get_task_struct(thread);
	}
	return nr_found;
}

/* Return: how many there were, or a negative errno. */
static int send_to_new(struct ckpt_quiesce *quiesce, struct task_struct *leader)
{
	unsigned int room = get_nr_threads(leader) + 1, nr_found, index;
	struct task_struct **found;
	int ret = 0;

	found = kvmalloc_array(room, sizeof(*found), GFP_KERNEL_ACCOUNT);
	if (!found)
		return -ENOMEM;
	nr_found = find_new(quiesce, leader, found, room);
	for (index = 0; index < nr_found; index++) {
		if (!ret)
			ret = send(quiesce, found[index]);
		put_task_struct(found[index]);
	}
	kvfree(found);
	return ret ?: nr_found;
}

static bool all_arrived(struct ckpt_quiesce *quiesce)
{
	/* Pairs with park(): what the threads did before it is seen. */
	return !atomic_read_acquire(&quiesce->nr_coming);
}

static struct task_struct *out_of_reach(struct ckpt_quiesce *quiesce)
{
	struct parking *parking;

	list_for_each_entry(parking, &quiesce->parkings, list)
		if (is_on_the_way(parking) &&
		    (task_is_stopped_or_traced(parking->task) ||
		     parking->task->ptrace))
			return parking->task;
	return NULL;
}

/*
 * A thread in execve() waits for the end of the others, those that are parked
 * too. It does not come before they go on, and then they die.
 */
static bool is_in_execve(struct task_struct *leader)
{
	return READ_ONCE(leader->signal->group_exec_task);
}

static int wait_for_arrival(struct ckpt_ctx *ctx, struct ckpt_quiesce *quiesce,
			    struct task_struct *leader, unsigned long deadline)
{
	for (;;) {
		/* Stopping for a signal or a tracer wakes nobody: look again. */
		long left = wait_event_interruptible_timeout(quiesce->changed,
				all_arrived(quiesce), HZ / 20);
		struct task_struct *task;

		if (left > 0)
			return 0;
		if (left < 0)
			return fatal_signal_pending(current) ? -EINTR :
							       -ERESTARTNOINTR;
		task = out_of_reach(quiesce);
		if (task)
			return ckpt_error(ctx, -EBUSY,
					  "the task is stopped by a signal or traced");
		if (is_in_execve(leader))
			return ckpt_error(ctx, -EBUSY,
					  "a thread of it is in execve()");
		if (time_after(jiffies, deadline))
			return ckpt_error(ctx, -EBUSY,
					  "the task sleeps and cannot be interrupted");
	}
}

/*
 * A thread says that it has arrived before it goes to sleep. Segment selectors,
 * their bases and vector registers are in memory only when it has left its
 * processor.
 */
static void wait_until_off_processor(struct task_struct *task)
{
	while (!wait_task_inactive(task, TASK_IDLE))
		cond_resched();
}

static int add_arrived(struct ckpt_ctx *ctx, struct parking *parking)
{
	if (parking->state == PARKING_GONE)
		return 0;
	ctx->task = parking->task;
	if (parking->task->ptrace)
		return ckpt_error(ctx, -EBUSY, "the task is traced");
	wait_until_off_processor(parking->task);
	return ckpt_tree_add(ctx, parking->task) ? 0 : -ENOMEM;
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

/* The tasks to save: the threads that have arrived, and the caller. */
static int list_arrived(struct ckpt_ctx *ctx, struct ckpt_quiesce *quiesce,
			struct task_struct *leader)
{
	bool with_caller = same_thread_group(current, leader);
	struct parking *parking;
	int ret = 0;

	/* The thread that calls it becomes the first one. */
	if (READ_ONCE(leader->group_leader) != leader)
		return ckpt_error(ctx, -EBUSY,
				  "a thread of it has called execve()");
	if (is_exiting(leader))
		return ckpt_error(ctx, -ESRCH, "the task is exiting");
	if (with_caller && current == leader &&
	    !ckpt_tree_add(ctx, current))
		return -ENOMEM;
	list_for_each_entry(parking, &quiesce->parkings, list) {
		ret = add_arrived(ctx, parking);
		if (ret)
			return ret;
	}
	if (with_caller && current != leader &&
	    !ckpt_tree_add(ctx, current))
		return -ENOMEM;
	ctx->task = leader;
	if (!ctx->nr_tasks)
		return ckpt_error(ctx, -ESRCH, "the task is exiting");
	if (ctx->tasks[0].task != leader)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "its first thread has exited, and others have not");
	return 0;
}

static int stop_all(struct ckpt_ctx *ctx, struct ckpt_quiesce *quiesce,
		    struct task_struct *leader)
{
	unsigned long deadline = jiffies + PATIENCE;
	int ret;

	for (;;) {
		ret = send_to_new(quiesce, leader);
		if (ret <= 0)
			break;
		ret = wait_for_arrival(ctx, quiesce, leader, deadline);
		if (ret)
			break;
	}
	return ret ?: list_arrived(ctx, quiesce, leader);
}

/**
 * ckpt_quiesce - stop all threads of a process at the user-mode boundary
 * @ctx: context; they are added to its tasks, @leader first
 * @leader: of the process; may be that of the caller, which then goes on
 *
 * Context: Sleeps until they arrive, ten seconds at most.
 *
 * Return: what ckpt_thaw() takes, or an error pointer: -EBUSY if a thread
 * cannot be stopped, -ESRCH if the process is exiting, -EOPNOTSUPP if its first
 * thread alone has exited, -EINTR after a fatal signal, -ERESTARTNOINTR when
 * another one is to be handled first, -ENOMEM.
 */
struct ckpt_quiesce *ckpt_quiesce(struct ckpt_ctx *ctx,
				  struct task_struct *leader)
{
	struct ckpt_quiesce *quiesce;
	int ret;

	might_sleep();
	quiesce = kzalloc(sizeof(*quiesce), GFP_KERNEL_ACCOUNT);
	if (!quiesce)
		return ERR_PTR(-ENOMEM);
	refcount_set(&quiesce->refs, 1);
	init_waitqueue_head(&quiesce->changed);
	init_waitqueue_head(&quiesce->thaw);
	INIT_LIST_HEAD(&quiesce->parkings);
	xa_init(&quiesce->by_pid);

	trace_ckpt_phase(ctx->id, "quiesce");
	ret = stop_all(ctx, quiesce, leader);
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
	xa_destroy(&quiesce->by_pid);
	quiesce_put(quiesce);
}
