/* SPDX-License-Identifier: GPL-2.0 */
/* Contexts for KUnit tests: as the system calls make them, of any file. */
#ifndef _CHECKPOINT_TESTS_CONTEXT_H
#define _CHECKPOINT_TESTS_CONTEXT_H

#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "../internal.h"

KUNIT_DEFINE_ACTION_WRAPPER(ckpt_test_put, ckpt_ctx_put, struct ckpt_ctx *);
KUNIT_DEFINE_ACTION_WRAPPER(ckpt_test_close, fput, struct file *);

/**
 * ckpt_test_context - begin to write or to read an image
 * @test: it is over at the end of it, or with ckpt_test_end()
 * @file: the image
 * @mode: FMODE_WRITE or FMODE_READ
 *
 * Return: the context.
 */
static inline struct ckpt_ctx *ckpt_test_context(struct kunit *test,
						 struct file *file,
						 fmode_t mode)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct ckpt_ctx *ctx;

	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, get_file(file));
	ctx = ckpt_ctx_alloc(fd, mode, 0, CHECKPOINT_FD_NONE);
	close_fd(fd);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ckpt_test_put,
							   ctx));
	return ctx;
}

/**
 * ckpt_test_end - release a context before the test ends
 * @test: the test
 * @ctx: from ckpt_test_context()
 */
static inline void ckpt_test_end(struct kunit *test, struct ckpt_ctx *ctx)
{
	kunit_release_action(test, ckpt_test_put, ctx);
}

/**
 * ckpt_test_file - hand a file over to the test
 * @test: closes it at its end
 * @file: or an error pointer, which fails the test
 *
 * Return: the file.
 */
static inline struct file *ckpt_test_file(struct kunit *test, struct file *file)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   ckpt_test_close,
							   file));
	return file;
}

#endif /* _CHECKPOINT_TESTS_CONTEXT_H */
