/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this directory share with each other alone. */
#ifndef _CHECKPOINT_INTERNAL_H
#define _CHECKPOINT_INTERNAL_H

#include <linux/checkpoint_ctx.h>
#include <linux/hash.h>
#include <linux/rhashtable.h>

#include "image/record.h"

/*
 * For tables by the address of something. Each thread is looked up several times
 * while it is stopped, and all that it shares: the general functions, which take
 * any number of bytes, would cost more than all else that is done with it.
 */
static inline u32 ckpt_hash_address(const void *key, u32 len, u32 seed)
{
	return hash_ptr(*(void *const *)key, 32) ^ seed;
}

static inline int ckpt_compare_address(struct rhashtable_compare_arg *arg,
				       const void *object)
{
	return *(void *const *)(object + arg->ht->p.key_offset) !=
	       *(void *const *)arg->key;
}

/**
 * struct ckpt_object - an object that may be shared
 * @node: in ckpt_ctx.objects, when saving
 * @object: what it is about; a reference is held
 * @objtype: enum ckpt_obj_type
 * @objref: its id in the image
 * @released: there is no reference any more
 * @record: to be completed at the end of the capture, or NULL; when restoring,
 *	what ckpt_object_tie() was told
 * @path: record of the path of an open file, or NULL
 */
struct ckpt_object {
	struct rhash_head node;
	void *object;
	u32 objtype;
	u32 objref;
	bool released;
	void *record;
	void *path;
};

/**
 * struct ckpt_object_type - how objects of one type are kept, saved, restored
 * @name: for messages
 * @get: takes a reference while saving; NULL: the stopped task holds one
 * @put: drops it
 * @drop: drops what @restore returned
 * @save: appends the object's records
 * @complete: fills in what only shows when all tasks are captured, into the
 *	record that @save gave to ckpt_object_keep_record(); the target is still
 *	stopped; may be NULL
 * @restore: reads them, returns the object with a reference or an error
 *	pointer
 * @publish: does what others can see, when the whole image was found good;
 *	only the first part of the commit may fail after it, and then @drop takes
 *	it back; may be NULL
 */
struct ckpt_object_type {
	const char *name;
	void (*get)(void *object);
	void (*put)(void *object);
	void (*drop)(void *object);
	int (*save)(struct ckpt_ctx *ctx, void *object);
	int (*complete)(struct ckpt_ctx *ctx, void *object, void *record);
	void *(*restore)(struct ckpt_ctx *ctx);
	int (*publish)(struct ckpt_ctx *ctx, void *object);
};

/**
 * struct ckpt_task_part - one part of the state of a task
 * @name: for messages
 * @save: appends its records; the task is stopped
 * @restore: reads and checks them, builds privately
 * @commit: makes it the state of the current task; fails only if it has
 *	changed nothing yet, and only the first part may fail; the last part has
 *	one, and must not sleep
 * @release: frees what @restore kept in the stage, committed or not
 */
struct ckpt_task_part {
	const char *name;
	int (*save)(struct ckpt_ctx *ctx, struct task_struct *task);
	int (*restore)(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
	int (*commit)(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage);
	void (*release)(struct ckpt_task_stage *stage);
};

extern const struct ckpt_object_type ckpt_object_types[CKPT_OBJ_MAX];
extern const struct ckpt_task_part ckpt_task_parts[];
extern const unsigned int ckpt_nr_task_parts;

/* context.c */
struct ckpt_ctx *ckpt_ctx_alloc(int fd, fmode_t mode, unsigned long flags,
				int logfd);
struct ckpt_ctx *ckpt_ctx_get(struct ckpt_ctx *ctx);
void ckpt_ctx_put(struct ckpt_ctx *ctx);

/* report.c */
void ckpt_report_flush(struct ckpt_ctx *ctx);
int ckpt_report_emit(struct ckpt_ctx *ctx);
void ckpt_report_free(struct ckpt_ctx *ctx);

/* segment.c */
int ckpt_segments_complete(struct ckpt_ctx *ctx);
int ckpt_segments_emit(struct ckpt_ctx *ctx);
void ckpt_segments_free(struct ckpt_ctx *ctx);

/* stream.c */
int ckpt_stream_start(struct ckpt_ctx *ctx);
void ckpt_stream_end(struct ckpt_ctx *ctx);
int ckpt_stream_write_tail(struct ckpt_ctx *ctx);
int ckpt_stream_read(struct ckpt_ctx *ctx, void *data, size_t len);
int ckpt_stream_read_unhashed(struct ckpt_ctx *ctx, void *data, size_t len);

/* reader.c */
int ckpt_stream_read_tail(struct ckpt_ctx *ctx);

/* objhash.c */
int ckpt_objects_init(struct ckpt_ctx *ctx);
void ckpt_objects_free(struct ckpt_ctx *ctx);
void ckpt_objects_release(struct ckpt_ctx *ctx);
int ckpt_objects_complete(struct ckpt_ctx *ctx);
int ckpt_objects_publish(struct ckpt_ctx *ctx);
int ckpt_object_restore(struct ckpt_ctx *ctx,
			const struct ckpt_hdr_objref *record);

/**
 * ckpt_task_is_dead - has a task exited?
 * @task: a reference is held
 *
 * Return: whether it has, and what it leaves is all that can be seen of it.
 */
static inline bool ckpt_task_is_dead(const struct task_struct *task)
{
	return READ_ONCE(task->exit_state);
}

/* quiesce.c */
struct ckpt_quiesce;
struct ckpt_quiesce *ckpt_quiesce(struct ckpt_ctx *ctx, unsigned long deadline);
void ckpt_thaw(struct ckpt_quiesce *quiesce);

/* tree.c */
int ckpt_tree_add(struct ckpt_ctx *ctx, struct task_struct *task,
		  struct task_struct *vfork_child);
void ckpt_tree_free(struct ckpt_ctx *ctx);
int ckpt_tree_save(struct ckpt_ctx *ctx);
int ckpt_tree_read(struct ckpt_ctx *ctx);
/* All its threads have been read, and none lives. */
static inline bool
ckpt_tree_is_dead_process(const struct ckpt_tree_task *leader)
{
	return leader->ids.flags & CKPT_PIDS_DEAD && leader->nr_threads == 1;
}

bool ckpt_tree_acts_for_group(struct ckpt_ctx *ctx, u32 index);
int ckpt_tree_check_relations(struct ckpt_ctx *ctx);
void ckpt_tree_commit_order(struct ckpt_ctx *ctx);
void ckpt_tree_commit_sharing(struct ckpt_ctx *ctx);
int ckpt_tree_check_group(struct ckpt_ctx *ctx, u32 index,
			  const struct ckpt_task_stage *stage);

/* nested.c */
int ckpt_nested_save(struct ckpt_ctx *ctx, struct ckpt_hdr_tree *tree);
int ckpt_nested_place(struct ckpt_ctx *ctx, u32 index);
int ckpt_nested_read(struct ckpt_ctx *ctx, u32 nr_nested_pids);
int ckpt_nested_check(struct ckpt_ctx *ctx);

/* slot.c */
int ckpt_slots_gather(struct ckpt_ctx *ctx);
int ckpt_slots_restore(struct ckpt_ctx *ctx);
int ckpt_slots_commit(struct ckpt_ctx *ctx);
void ckpt_slots_abort(struct ckpt_ctx *ctx, bool interrupted);
struct ckpt_slot *ckpt_slot_enter(u32 index);
struct ckpt_ctx *ckpt_slot_ctx(struct ckpt_slot *slot);
int ckpt_slot_wait_restore(struct ckpt_slot *slot);
int ckpt_slot_wait_commit(struct ckpt_slot *slot);
void ckpt_slot_wait_release(struct ckpt_slot *slot);
void ckpt_slot_leave(struct ckpt_slot *slot, int error);

/* save.c, restore.c */
int ckpt_may_save(struct ckpt_ctx *ctx, struct task_struct *task);
long ckpt_do_checkpoint(struct ckpt_ctx *ctx, pid_t pid);
long ckpt_do_restart(struct ckpt_ctx *ctx, pid_t pid);
long ckpt_do_restart_self(struct ckpt_ctx *ctx);
long ckpt_do_restart_task(u32 index);

#endif /* _CHECKPOINT_INTERNAL_H */
