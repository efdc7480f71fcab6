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

/* Objects inside objects: a file inside an address space, and no deeper. */
#define DEPTH_MAX	8

static const struct rhashtable_params by_address = {
	.head_offset	= offsetof(struct ckpt_object, node),
	.key_offset	= offsetof(struct ckpt_object, object),
	.key_len	= sizeof_field(struct ckpt_object, object),
	.automatic_shrinking = false,
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
 * ckpt_objects_free - drop the references to all objects
 * @ctx: context
 */
void ckpt_objects_free(struct ckpt_ctx *ctx)
{
	struct ckpt_object *object;
	unsigned long index;

	rhashtable_destroy(&ctx->objects);
	xa_for_each(&ctx->object_ids, index, object) {
		const struct ckpt_object_type *type;

		type = &ckpt_object_types[object->objtype];
		if (ctx->saving && type->put)
			type->put(object->object);
		if (!ctx->saving)
			type->drop(object->object);
		kfree(object);
	}
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
 * ckpt_object_find - object with an id, when restoring
 * @ctx: context
 * @objref: id, found good when the record with it was read
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
