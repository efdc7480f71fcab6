// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the identity of shared objects.
 *
 * The objects are credentials: they need nothing else, and it can be seen how
 * many references there are.
 */
#include <linux/cred.h>
#include <linux/shmem_fs.h>

#include "context.h"

static struct file *make_image(struct kunit *test)
{
	return ckpt_test_file(test, shmem_file_setup("image", 0, 0));
}

KUNIT_DEFINE_ACTION_WRAPPER(drop_cred, abort_creds, struct cred *);

/* Credentials with one reference, the test's own. */
static struct cred *make_cred(struct kunit *test)
{
	struct cred *cred = prepare_creds();

	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, drop_cred,
							   cred));
	return cred;
}

static long references(const struct cred *cred)
{
	return atomic_long_read(&cred->usage);
}

/* An image with the records of credentials so many times. */
static struct file *make_cred_image(struct kunit *test, unsigned int objects)
{
	struct file *file = make_image(test);
	struct ckpt_ctx *ctx = ckpt_test_context(test, file, FMODE_WRITE);

	while (objects--)
		KUNIT_ASSERT_GT(test, ckpt_object_save(ctx, CKPT_OBJ_CRED,
						       make_cred(test)), 0);
	KUNIT_ASSERT_EQ(test, 0, ckpt_segments_emit(ctx));
	KUNIT_ASSERT_EQ(test, 0, ckpt_stream_write_tail(ctx));
	ckpt_test_end(test, ctx);
	file->f_pos = 0;
	return file;
}

static void ids_are_in_order_of_appearance(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_WRITE);
	struct cred *one = make_cred(test), *two = make_cred(test);

	KUNIT_EXPECT_EQ(test, ckpt_object_id(ctx, one), 0);
	KUNIT_EXPECT_EQ(test, ckpt_object_save(ctx, CKPT_OBJ_CRED, one), 1);
	KUNIT_EXPECT_EQ(test, ckpt_object_id(ctx, two), 0);
	KUNIT_EXPECT_EQ(test, ckpt_object_save(ctx, CKPT_OBJ_CRED, two), 2);
	KUNIT_EXPECT_EQ(test, ckpt_object_id(ctx, one), 1);
	KUNIT_EXPECT_EQ(test, ckpt_object_id(ctx, two), 2);
	KUNIT_EXPECT_EQ(test, ctx->nr_objects, 2);
}

static void shared_is_saved_once(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_WRITE);
	struct cred *cred = make_cred(test);
	u64 captured;

	KUNIT_EXPECT_EQ(test, ckpt_object_save(ctx, CKPT_OBJ_CRED, cred), 1);
	captured = ctx->captured;
	KUNIT_EXPECT_GE(test, captured, sizeof(struct ckpt_hdr_objref) +
			sizeof(struct ckpt_hdr_cred));
	KUNIT_EXPECT_EQ(test, ckpt_object_save(ctx, CKPT_OBJ_CRED, cred), 1);
	KUNIT_EXPECT_EQ(test, ctx->captured, captured);
	KUNIT_EXPECT_EQ(test, ctx->nr_objects, 1);
}

static void saved_objects_are_held_until_released(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_WRITE);
	struct cred *cred = make_cred(test);

	ckpt_object_save(ctx, CKPT_OBJ_CRED, cred);
	KUNIT_EXPECT_EQ(test, references(cred), 2);
	ckpt_object_save(ctx, CKPT_OBJ_CRED, cred);
	KUNIT_EXPECT_EQ(test, references(cred), 2);
	ckpt_objects_release(ctx);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
	/* Once, however often. */
	ckpt_objects_release(ctx);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
}

static void the_end_releases_what_is_held(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_WRITE);
	struct cred *cred = make_cred(test);

	ckpt_object_save(ctx, CKPT_OBJ_CRED, cred);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
}

static void records_are_kept_with_their_object(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_WRITE);
	struct cred *one = make_cred(test), *two = make_cred(test);
	u64 record;

	ckpt_object_save(ctx, CKPT_OBJ_CRED, one);
	ckpt_object_save(ctx, CKPT_OBJ_CRED, two);
	ckpt_object_keep_record(ctx, one, &record);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_object_record(ctx, one),
			    (void *)&record);
	KUNIT_EXPECT_NULL(test, ckpt_object_record(ctx, two));
}

static void restored_objects_are_found_by_id_and_type(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_cred_image(test, 2),
						 FMODE_READ);
	void *one, *two;

	KUNIT_ASSERT_EQ(test, ckpt_record_peek(ctx), CKPT_HDR_TAIL);
	KUNIT_EXPECT_EQ(test, ctx->nr_objects, 2);
	one = ckpt_object_find(ctx, 1, CKPT_OBJ_CRED);
	two = ckpt_object_find(ctx, 2, CKPT_OBJ_CRED);
	KUNIT_EXPECT_NOT_NULL(test, one);
	KUNIT_EXPECT_NOT_NULL(test, two);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 1, CKPT_OBJ_FS));
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 1, CKPT_OBJ_NONE));
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 0, CKPT_OBJ_CRED));
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 3, CKPT_OBJ_CRED));
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, U32_MAX, CKPT_OBJ_CRED));
}

static void restored_objects_are_dropped(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_cred_image(test, 1),
						 FMODE_READ);
	struct cred *cred;

	KUNIT_ASSERT_EQ(test, ckpt_record_peek(ctx), CKPT_HDR_TAIL);
	cred = ckpt_object_find(ctx, 1, CKPT_OBJ_CRED);
	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
	get_cred(cred);
	ckpt_objects_release(ctx);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, references(cred), 1);
	put_cred(cred);
}

static int restore(struct ckpt_ctx *ctx, u32 objtype, u32 objref)
{
	struct ckpt_hdr_objref record = {
		.objtype = objtype, .objref = objref,
	};

	return ckpt_object_restore(ctx, &record);
}

static void impossible_announcements_are_refused(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_cred_image(test, 1),
						 FMODE_READ);

	KUNIT_EXPECT_EQ(test, -EINVAL, restore(ctx, CKPT_OBJ_NONE, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(ctx, CKPT_OBJ_CRED, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(ctx, CKPT_OBJ_CRED, 2));
	ctx->depth = 8;
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(ctx, CKPT_OBJ_CRED, 1));
	ctx->depth = 0;
	/* Nothing was read, and nothing counted. */
	KUNIT_EXPECT_EQ(test, ctx->nr_objects, 0);
	KUNIT_EXPECT_EQ(test, ctx->stream.position, 0);
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 1, CKPT_OBJ_CRED));
	KUNIT_EXPECT_EQ(test, ckpt_record_peek(ctx), CKPT_HDR_TAIL);
	/* An id is given out once. */
	KUNIT_EXPECT_EQ(test, -EINVAL, restore(ctx, CKPT_OBJ_CRED, 1));
	KUNIT_EXPECT_EQ(test, ctx->nr_objects, 1);
}

static void an_object_that_fails_is_not_there(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_READ);

	/* The image is empty. */
	KUNIT_EXPECT_EQ(test, -EPIPE, restore(ctx, CKPT_OBJ_CRED, 1));
	KUNIT_EXPECT_NULL(test, ckpt_object_find(ctx, 1, CKPT_OBJ_CRED));
	KUNIT_EXPECT_EQ(test, ctx->depth, 0);
}

/**
 * struct step - a last step that tells
 * @step: in the context
 * @runs: how often any of them ran
 * @frees: how often any was freed
 * @ran: the value of @runs when it ran, from 1
 * @result: what it returns
 */
struct step {
	struct ckpt_last_step step;
	int *runs;
	int *frees;
	int ran;
	int result;
};

static int step_run(struct ckpt_ctx *ctx, struct ckpt_last_step *last)
{
	struct step *step = container_of(last, struct step, step);

	step->ran = ++*step->runs;
	return step->result;
}

static void step_free(struct ckpt_last_step *last)
{
	++*container_of(last, struct step, step)->frees;
}

static void add_steps(struct ckpt_ctx *ctx, struct step *steps, int nr_steps,
		      int *runs, int *frees)
{
	while (nr_steps--) {
		steps->step.run = step_run;
		steps->step.free = step_free;
		steps->runs = runs;
		steps->frees = frees;
		ckpt_last_step_add(ctx, &steps->step);
		steps++;
	}
}

static void last_steps_run_in_order(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_READ);
	struct step steps[3] = {};
	int runs = 0, frees = 0;

	add_steps(ctx, steps, 3, &runs, &frees);
	KUNIT_EXPECT_EQ(test, 0, ckpt_objects_publish(ctx));
	KUNIT_EXPECT_EQ(test, steps[0].ran, 1);
	KUNIT_EXPECT_EQ(test, steps[1].ran, 2);
	KUNIT_EXPECT_EQ(test, steps[2].ran, 3);
	KUNIT_EXPECT_EQ(test, frees, 3);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, frees, 3);
}

static void a_last_step_that_fails_is_the_last(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_READ);
	struct step steps[3] = { {}, { .result = -EAGAIN }, {} };
	int runs = 0, frees = 0;

	add_steps(ctx, steps, 3, &runs, &frees);
	KUNIT_EXPECT_EQ(test, -EAGAIN, ckpt_objects_publish(ctx));
	KUNIT_EXPECT_EQ(test, runs, 2);
	KUNIT_EXPECT_EQ(test, steps[2].ran, 0);
	KUNIT_EXPECT_EQ(test, frees, 3);
}

static void last_steps_are_freed_without_running(struct kunit *test)
{
	struct ckpt_ctx *ctx = ckpt_test_context(test, make_image(test),
						 FMODE_READ);
	struct step steps[2] = {};
	int runs = 0, frees = 0;

	add_steps(ctx, steps, 2, &runs, &frees);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, runs, 0);
	KUNIT_EXPECT_EQ(test, frees, 2);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(ids_are_in_order_of_appearance),
	KUNIT_CASE(shared_is_saved_once),
	KUNIT_CASE(saved_objects_are_held_until_released),
	KUNIT_CASE(the_end_releases_what_is_held),
	KUNIT_CASE(records_are_kept_with_their_object),
	KUNIT_CASE(restored_objects_are_found_by_id_and_type),
	KUNIT_CASE(restored_objects_are_dropped),
	KUNIT_CASE(impossible_announcements_are_refused),
	KUNIT_CASE(an_object_that_fails_is_not_there),
	KUNIT_CASE(last_steps_run_in_order),
	KUNIT_CASE(a_last_step_that_fails_is_the_last),
	KUNIT_CASE(last_steps_are_freed_without_running),
	{}
};

static struct kunit_suite object_suite = {
	.name		= "checkpoint_objects",
	.test_cases	= object_cases,
};

kunit_test_suite(object_suite);
