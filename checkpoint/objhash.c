// SPDX-License-Identifier: GPL-2.0
/*
 * Identity of shared objects.
 *
 * Whatever two tasks share is in the image once. When saving, the address of
 * the object finds its id; when restoring, the id finds the object. Ids are
 * given out in the order of appearance, so an image can neither leave one out
 * nor use one before its object is complete: cycles are impossible.
 */
#include <linux/err.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <trace/events/checkpoint.h>

#include "internal.h"

/* Objects inside objects: contents of a file inside an address space, say. */
#define DEPTH_MAX	8

static const struct rhashtable_params by_address = {
	.head_offset	= offsetof(struct ckpt_object, node),
	.key_offset	= offsetof(struct ckpt_object, object),
	.key_len	= sizeof_field(struct ckpt_object, object),
	.hashfn		= ckpt_hash_address,
	.obj_cmpfn	= ckpt_compare_address,
	.automatic_shrinking = false,
	/* It would grow while the target is stopped: 32 KiB are for most. */
	.nelem_hint	= 3072,
};

/**
 * ckpt_objects_init - prepare the table of objects
 * @ctx: context
 *
 * Return: 0, -ENOMEM.
 */
int ckpt_objects_init(struct ckpt_ctx *ctx)
{
	xa_init(&ctx->object_ids);
	return rhashtable_init(&ctx->objects, &by_address);
}

/**
 * ckpt_objects_release - drop the references to all objects
 * @ctx: context; no object is looked up any more
 *
 * A reference of ours must not keep a file open that the task closes. So this
 * happens before a task runs: the target again, or a restored one at first.
 */
void ckpt_objects_release(struct ckpt_ctx *ctx)
{
	struct ckpt_object *object;
	unsigned long index;

	xa_for_each(&ctx->object_ids, index, object) {
		const struct ckpt_object_type *type;

		if (object->released)
			continue;
		object->released = true;
		type = &ckpt_object_types[object->objtype];
		if (ctx->saving && type->put)
			type->put(object->object);
		if (!ctx->saving)
			type->drop(object->object);
	}
}

static void free_last_steps(struct ckpt_ctx *ctx)
{
	struct ckpt_last_step *step, *next;

	list_for_each_entry_safe(step, next, &ctx->last_steps, list) {
		list_del(&step->list);
		step->free(step);
	}
}

/**
 * ckpt_objects_free - drop the references to all objects, and the table
 * @ctx: context
 */
void ckpt_objects_free(struct ckpt_ctx *ctx)
{
	struct ckpt_object *object;
	unsigned long index;

	rhashtable_destroy(&ctx->objects);
	free_last_steps(ctx);
	ckpt_objects_release(ctx);
	xa_for_each(&ctx->object_ids, index, object)
		kfree(object);
	xa_destroy(&ctx->object_ids);
}

static struct ckpt_object *add(struct ckpt_ctx *ctx, u32 objtype, u32 objref,
			       void *pointer)
{
	struct ckpt_object *object;
	int ret;

	object = kzalloc(sizeof(*object), GFP_KERNEL_ACCOUNT);
	if (!object)
		return ERR_PTR(-ENOMEM);
	object->object = pointer;
	object->objtype = objtype;
	object->objref = objref;
	ret = xa_insert(&ctx->object_ids, objref, object, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(object);
		return ERR_PTR(ret);
	}
	return object;
}

/**
 * ckpt_object_save - id of an object, saving it when it is met first
 * @ctx: context
 * @objtype: enum ckpt_obj_type
 * @object: kept alive by the stopped target during the call
 *
 * Return: the id, positive, or a negative errno.
 */
int ckpt_object_save(struct ckpt_ctx *ctx, u32 objtype, void *object)
{
	const struct ckpt_object_type *type = &ckpt_object_types[objtype];
	struct ckpt_hdr_objref *record;
	struct ckpt_object *entry;
	int ret;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	if (entry)
		return entry->objref;

	entry = add(ctx, objtype, ctx->nr_objects + 1, object);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	ctx->nr_objects++;
	if (type->get)
		type->get(object);
	ret = rhashtable_insert_fast(&ctx->objects, &entry->node, by_address);
	if (ret)
		return ret;

	record = ckpt_record_add(ctx, CKPT_HDR_OBJREF);
	if (!record)
		return -ENOMEM;
	record->objtype = objtype;
	record->objref = entry->objref;
	trace_ckpt_object_save(type->name, entry->objref);
	ret = type->save(ctx, object);
	return ret ?: entry->objref;
}

/**
 * ckpt_object_id - id of an object that was saved before
 * @ctx: context
 * @object: address
 *
 * Return: the id; 0 if it was not met yet.
 */
u32 ckpt_object_id(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_object *entry;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	return entry ? entry->objref : 0;
}

/**
 * ckpt_object_keep_record - remember a record that is filled in step by step
 * @ctx: context
 * @object: being saved, or saved before
 * @record: one of its records
 */
void ckpt_object_keep_record(struct ckpt_ctx *ctx, void *object, void *record)
{
	struct ckpt_object *entry;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	if (!WARN_ON_ONCE(!entry))
		entry->record = record;
}

/**
 * ckpt_object_record - the record that ckpt_object_keep_record() was given
 * @ctx: context
 * @object: saved before
 *
 * Return: the record; it may be changed until the target is let go.
 */
void *ckpt_object_record(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_object *entry;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	return entry ? entry->record : NULL;
}

/**
 * ckpt_object_keep_path - remember the record of a path
 * @ctx: context
 * @object: open file being saved
 * @record: struct ckpt_hdr_file_path; it may be changed until the target is
 *	let go
 */
void ckpt_object_keep_path(struct ckpt_ctx *ctx, void *object, void *record)
{
	struct ckpt_object *entry;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	if (!WARN_ON_ONCE(!entry))
		entry->path = record;
}

/**
 * ckpt_object_path - the record that ckpt_object_keep_path() was given
 * @ctx: context
 * @object: open file that was saved before
 *
 * Return: the record, or NULL.
 */
void *ckpt_object_path(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_object *entry;

	entry = rhashtable_lookup_fast(&ctx->objects, &object, by_address);
	return entry ? entry->path : NULL;
}

/**
 * ckpt_objects_complete - fill in what only shows at the end of the capture
 * @ctx: context; all tasks are captured, and still stopped
 *
 * Return: 0 or a negative errno.
 */
int ckpt_objects_complete(struct ckpt_ctx *ctx)
{
	struct ckpt_object *object;
	unsigned long index;
	int ret = 0;

	xa_for_each(&ctx->object_ids, index, object) {
		const struct ckpt_object_type *type;

		type = &ckpt_object_types[object->objtype];
		if (type->complete)
			ret = type->complete(ctx, object->object,
					     object->record);
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_last_step_add - put a step off until the whole image was found good
 * @ctx: context, owns the step from now on
 * @step: with its methods set
 */
void ckpt_last_step_add(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	list_add_tail(&step->list, &ctx->last_steps);
}

static int run_last_steps(struct ckpt_ctx *ctx)
{
	struct ckpt_last_step *step;
	int ret = 0;

	list_for_each_entry(step, &ctx->last_steps, list) {
		ret = step->run(ctx, step);
		if (ret)
			break;
	}
	/* The task that runs next must not find anything busy. */
	free_last_steps(ctx);
	return ret;
}

/**
 * ckpt_objects_publish - do what others can see
 * @ctx: context; the whole image was read and found good
 *
 * Return: 0 or a negative errno; then the restart fails.
 */
int ckpt_objects_publish(struct ckpt_ctx *ctx)
{
	struct ckpt_object *object;
	unsigned long index;
	int ret;

	/* First what can be undone. */
	ret = run_last_steps(ctx);
	if (ret)
		return ret;
	xa_for_each(&ctx->object_ids, index, object) {
		const struct ckpt_object_type *type;

		type = &ckpt_object_types[object->objtype];
		if (type->publish)
			ret = type->publish(ctx, object->object);
		if (ret)
			break;
	}
	return ret;
}

/**
 * ckpt_object_restore - read the records of an object that was announced
 * @ctx: context
 * @record: the announcement
 *
 * Return: 0 or a negative errno.
 */
int ckpt_object_restore(struct ckpt_ctx *ctx,
			const struct ckpt_hdr_objref *record)
{
	const struct ckpt_object_type *type;
	struct ckpt_object *object;
	void *restored;

	type = &ckpt_object_types[record->objtype];
	if (!type->restore)
		return ckpt_error(ctx, -EINVAL, "no objects of type %u",
				  record->objtype);
	if (record->objref != ctx->nr_objects + 1)
		return ckpt_error(ctx, -EINVAL,
				  "%s has id %u, expected %u", type->name,
				  record->objref, ctx->nr_objects + 1);
	if (ctx->depth == DEPTH_MAX)
		return ckpt_error(ctx, -EINVAL, "%s %u is nested too deep",
				  type->name, record->objref);
	ctx->nr_objects++;
	ctx->depth++;
	restored = type->restore(ctx);
	ctx->depth--;
	if (IS_ERR(restored))
		return ckpt_error(ctx, PTR_ERR(restored),
				  "cannot restore %s %u", type->name,
				  record->objref);

	object = add(ctx, record->objtype, record->objref, restored);
	if (IS_ERR(object)) {
		type->drop(restored);
		return PTR_ERR(object);
	}
	trace_ckpt_object_restore(type->name, record->objref);
	return 0;
}

/**
 * ckpt_object_find - object with an id
 * @ctx: context
 * @objref: id; of a record that was read, it was found good then
 * @objtype: enum ckpt_obj_type
 *
 * Return: the object, borrowed from the table; NULL if there is none.
 */
void *ckpt_object_find(struct ckpt_ctx *ctx, u32 objref, u32 objtype)
{
	struct ckpt_object *object = xa_load(&ctx->object_ids, objref);

	if (!object || object->objtype != objtype)
		return NULL;
	return object->object;
}

/**
 * ckpt_object_tie - remember what an object belongs to, when restoring
 * @ctx: context
 * @objref: id of an object that was found
 * @other: what it belongs to; only compared
 *
 * Return: whether it belonged to nothing else before.
 */
bool ckpt_object_tie(struct ckpt_ctx *ctx, u32 objref, void *other)
{
	struct ckpt_object *object = xa_load(&ctx->object_ids, objref);

	if (!object->record)
		object->record = other;
	return object->record == other;
}
