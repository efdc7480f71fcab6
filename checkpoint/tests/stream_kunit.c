// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the image as a stream of bytes.
 *
 * The image is a file that takes and gives as little as it likes, is not ready,
 * is interrupted or fails.
 */
#include <linux/anon_inodes.h>
#include <linux/bvec.h>
#include <linux/crc32c.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/uio.h>

#include "context.h"

#define IMAGE_SIZE	(4 * PAGE_SIZE)

/**
 * struct fake - an image file with moods
 * @data: its bytes
 * @len: how many there are
 * @most: of one transfer, 0 for no limit
 * @mood: what every other transfer says instead, a negative errno or 0
 * @limit: it cannot grow beyond this
 * @beyond: what it says then, a negative errno or 0
 * @calls: transfers that were asked for
 * @polls: times that somebody asked whether it is ready
 */
struct fake {
	u8 data[IMAGE_SIZE];
	size_t len;
	size_t most;
	int mood;
	size_t limit;
	int beyond;
	unsigned int calls;
	unsigned int polls;
};

/* 0 for a transfer, or what it says instead. */
static int fake_mood(struct fake *fake)
{
	if (!fake->mood || ++fake->calls % 2 == 0)
		return 0;
	if (fake->mood != -EAGAIN)
		set_thread_flag(TIF_SIGPENDING);
	return fake->mood;
}

static ssize_t fake_transfer(struct kiocb *iocb, struct iov_iter *iter,
			     size_t end, bool writing)
{
	struct fake *fake = iocb->ki_filp->private_data;
	size_t left = end - min_t(size_t, end, iocb->ki_pos);
	u8 *data = fake->data + iocb->ki_pos;
	size_t count, done;
	int ret;

	ret = fake_mood(fake);
	if (ret)
		return ret;
	/* As the helper of filesystems does it: for good. */
	if (writing)
		iov_iter_truncate(iter, left);
	count = min(left, iov_iter_count(iter));
	if (fake->most)
		count = min(count, fake->most);
	if (!count)
		return writing ? fake->beyond : 0;
	if (writing)
		done = copy_from_iter(data, count, iter);
	else
		done = copy_to_iter(data, count, iter);
	iocb->ki_pos += done;
	fake->len = max_t(size_t, fake->len, iocb->ki_pos);
	return done;
}

static ssize_t fake_write(struct kiocb *iocb, struct iov_iter *iter)
{
	struct fake *fake = iocb->ki_filp->private_data;

	return fake_transfer(iocb, iter, fake->limit, true);
}

static ssize_t fake_read(struct kiocb *iocb, struct iov_iter *iter)
{
	struct fake *fake = iocb->ki_filp->private_data;

	if (iocb->ki_pos == fake->len && fake->beyond)
		return fake->beyond;
	return fake_transfer(iocb, iter, fake->len, false);
}

static __poll_t fake_poll(struct file *file, poll_table *table)
{
	struct fake *fake = file->private_data;

	/* Not ready when asked first: nobody wakes, so it is asked again. */
	return ++fake->polls % 2 ? 0 : EPOLLIN | EPOLLOUT;
}

static const struct file_operations fake_fops = {
	.write_iter	= fake_write,
	.read_iter	= fake_read,
	.poll		= fake_poll,
};

static struct fake *make_fake(struct kunit *test, struct file **file)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake->limit = IMAGE_SIZE;
	*file = ckpt_test_file(test, anon_inode_getfile("[fake]", &fake_fops,
							fake, O_RDWR));
	return fake;
}

/* Bytes that are never the same in two places that could be confused. */
static u8 *make_pattern(struct kunit *test, size_t len)
{
	u8 *pattern = kunit_kmalloc(test, len, GFP_KERNEL);
	size_t index;

	KUNIT_ASSERT_NOT_NULL(test, pattern);
	for (index = 0; index < len; index++)
		pattern[index] = index * 7 + index / 251;
	return pattern;
}

/* Write it in two pieces to a file in this mood, and see that it is there. */
static void write_in_mood(struct kunit *test, size_t most, int mood)
{
	const size_t len = 1000;
	u8 *pattern = make_pattern(test, len);
	struct ckpt_ctx *ctx;
	struct fake *fake;
	struct file *file;

	fake = make_fake(test, &file);
	fake->most = most;
	fake->mood = mood;
	ctx = ckpt_test_context(test, file, FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write(ctx, pattern, 600));
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write(ctx, pattern + 600,
						   len - 600));
	KUNIT_EXPECT_EQ(test, fake->len, len);
	KUNIT_EXPECT_MEMEQ(test, fake->data, pattern, len);
	KUNIT_EXPECT_EQ(test, ctx->stream.position, len);
	KUNIT_EXPECT_EQ(test, xxh64_digest(&ctx->stream.hash),
			xxh64(pattern, len, 0));
	KUNIT_EXPECT_FALSE(test, ctx->stream.broken);
	KUNIT_EXPECT_FALSE(test, task_sigpending(current));
	if (mood == -EAGAIN)
		KUNIT_EXPECT_GT(test, fake->polls, 1);
}

/* And the same when it is read, in pieces of another size. */
static void read_in_mood(struct kunit *test, size_t most, int mood)
{
	const size_t len = 1000;
	u8 *pattern = make_pattern(test, len);
	struct ckpt_ctx *ctx;
	struct fake *fake;
	struct file *file;
	u8 data[250];
	int piece;

	fake = make_fake(test, &file);
	memcpy(fake->data, pattern, len);
	fake->len = len;
	fake->most = most;
	fake->mood = mood;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	for (piece = 0; piece < 4; piece++) {
		KUNIT_EXPECT_EQ(test, 0, ckpt_stream_read(ctx, data, 250));
		KUNIT_EXPECT_MEMEQ(test, data, pattern + 250 * piece, 250);
		/* What is behind is not ours yet. */
		KUNIT_EXPECT_EQ(test, file->f_pos, 250 * (piece + 1));
	}
	KUNIT_EXPECT_EQ(test, ctx->stream.position, len);
	KUNIT_EXPECT_EQ(test, xxh64_digest(&ctx->stream.hash),
			xxh64(pattern, len, 0));
	KUNIT_EXPECT_FALSE(test, task_sigpending(current));
}

static void short_transfers_go_on(struct kunit *test)
{
	size_t most;

	for (most = 0; most < 10; most++) {
		write_in_mood(test, most, 0);
		read_in_mood(test, most, 0);
	}
}

static void one_that_is_not_ready_is_waited_for(struct kunit *test)
{
	write_in_mood(test, 200, -EAGAIN);
	read_in_mood(test, 200, -EAGAIN);
}

static void interruptions_are_no_end(struct kunit *test)
{
	static const int errors[] = {
		-EINTR, -ERESTARTSYS, -ERESTARTNOINTR, -ERESTARTNOHAND,
		-ERESTART_RESTARTBLOCK,
	};
	size_t index;

	for (index = 0; index < ARRAY_SIZE(errors); index++) {
		write_in_mood(test, 7, errors[index]);
		read_in_mood(test, 7, errors[index]);
	}
}

static void errors_of_the_file_are_told(struct kunit *test)
{
	static const int errors[] = { -ENOSPC, -EFBIG, -EIO, 0 };
	u8 *pattern = make_pattern(test, 1000);
	size_t index;

	for (index = 0; index < ARRAY_SIZE(errors); index++) {
		/* One that takes nothing and says nothing is at its end. */
		int expected = errors[index] ?: -EPIPE;
		struct ckpt_ctx *ctx;
		struct fake *fake;
		struct file *file;

		fake = make_fake(test, &file);
		fake->limit = 700;
		fake->beyond = errors[index];
		ctx = ckpt_test_context(test, file, FMODE_WRITE);
		KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write(ctx, pattern, 600));
		KUNIT_EXPECT_FALSE(test, ctx->stream.broken);
		/* Of the second one, a hundred bytes find room. */
		KUNIT_EXPECT_EQ(test, expected,
				ckpt_stream_write(ctx, pattern + 600, 400));
		KUNIT_EXPECT_TRUE(test, ctx->stream.broken);
		KUNIT_EXPECT_EQ(test, ctx->stream.position, 700);
		KUNIT_EXPECT_EQ(test, fake->len, 700);
		KUNIT_EXPECT_MEMEQ(test, fake->data, pattern, 700);
	}
}

static void an_image_that_ends_early_is_refused(struct kunit *test)
{
	struct ckpt_ctx *ctx;
	struct fake *fake;
	struct file *file;
	u8 data[100];

	fake = make_fake(test, &file);
	fake->len = 150;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_read(ctx, data, 100));
	KUNIT_EXPECT_EQ(test, -EPIPE, ckpt_stream_read(ctx, data, 100));
	KUNIT_EXPECT_EQ(test, ctx->error, -EPIPE);

	fake = make_fake(test, &file);
	fake->beyond = -EIO;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, -EIO, ckpt_stream_read(ctx, data, 100));
	KUNIT_EXPECT_EQ(test, ctx->error, -EIO);
}

/* A record with two pages, out of and into pieces of @most bytes. */
static void pages_in_pieces(struct kunit *test, size_t most)
{
	struct ckpt_hdr_pages *record;
	struct bio_vec bvecs[3];
	struct page *pages[2];
	struct ckpt_ctx *ctx;
	struct fake *fake;
	struct file *file;
	u8 *pattern;
	u64 digest;
	int index;
	u32 crc;

	pattern = make_pattern(test, 2 * PAGE_SIZE);
	record = kunit_kzalloc(test, sizeof(*record), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, record);
	record->h.type = CKPT_HDR_PAGES;
	record->h.len = sizeof(*record) + 2 * PAGE_SIZE;
	record->nr_pages = 2;
	for (index = 0; index < 2; index++) {
		void *data = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, data);
		memcpy(data, pattern + index * PAGE_SIZE, PAGE_SIZE);
		bvec_set_virt(&bvecs[index + 1], data, PAGE_SIZE);
		pages[index] = virt_to_page(data);
		KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(data));
	}
	fake = make_fake(test, &file);
	fake->most = most;
	ctx = ckpt_test_context(test, file, FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write_pages(ctx, record, bvecs,
							 3));
	KUNIT_EXPECT_EQ(test, ctx->stream.nr_records, 1);
	KUNIT_EXPECT_EQ(test, fake->len, record->h.len);
	KUNIT_EXPECT_MEMEQ(test, fake->data + sizeof(*record), pattern,
			   2 * PAGE_SIZE);
	digest = xxh64_digest(&ctx->stream.hash);
	KUNIT_EXPECT_EQ(test, digest, xxh64(fake->data, sizeof(*record), 0));
	crc = ctx->stream.pages_crc;
	KUNIT_EXPECT_EQ(test, crc, crc32c(~0, pattern, 2 * PAGE_SIZE));
	ckpt_test_end(test, ctx);

	file->f_pos = 0;
	for (index = 0; index < 2; index++)
		memset(page_address(pages[index]), 0, PAGE_SIZE);
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_PAGES, record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_read_pages(ctx, bvecs + 1, 2));
	for (index = 0; index < 2; index++)
		KUNIT_EXPECT_MEMEQ(test, page_address(pages[index]),
				   pattern + index * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, xxh64_digest(&ctx->stream.hash), digest);
	KUNIT_EXPECT_EQ(test, ctx->stream.pages_crc, crc);
	KUNIT_EXPECT_EQ(test, -EPIPE, ckpt_stream_read_pages(ctx, bvecs + 1,
							     2));
}

static void pages_go_on_in_the_middle(struct kunit *test)
{
	pages_in_pieces(test, 0);
	pages_in_pieces(test, 1000);
	pages_in_pieces(test, 4095);
	pages_in_pieces(test, 4097);
}

/* In a file the position can be put back. */
static void a_file_is_left_behind_the_last_byte_used(struct kunit *test)
{
	const size_t len = 5 * PAGE_SIZE;
	u8 *pattern = make_pattern(test, len);
	struct ckpt_ctx *ctx;
	struct file *file;
	u8 data[64];
	loff_t at = 0;

	file = ckpt_test_file(test, shmem_file_setup("image", 0, 0));
	/* As memfd_create() makes it. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	KUNIT_ASSERT_EQ(test, kernel_write(file, pattern, len, &at), len);
	file->f_pos = 10;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_NOT_NULL(test, ctx->stream.ahead);
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_read(ctx, data, 64));
	KUNIT_EXPECT_MEMEQ(test, data, pattern + 10, 64);
	KUNIT_EXPECT_GT(test, file->f_pos, 74);
	ckpt_stream_end(ctx);
	KUNIT_EXPECT_EQ(test, file->f_pos, 74);
	ckpt_test_end(test, ctx);
	KUNIT_EXPECT_EQ(test, file->f_pos, 74);
}

static void the_tail_counts_and_sums_up(struct kunit *test)
{
	struct ckpt_hdr_tree record = {
		.h = { .type = CKPT_HDR_TREE, .len = sizeof(record) },
		.nr_tasks = 1,
	};
	struct ckpt_hdr_tail *tail;
	struct ckpt_ctx *ctx;
	struct fake *fake;
	struct file *file;

	fake = make_fake(test, &file);
	ctx = ckpt_test_context(test, file, FMODE_WRITE);
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write_record(ctx, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write_record(ctx, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_write_tail(ctx));
	KUNIT_ASSERT_EQ(test, fake->len, 2 * sizeof(record) + sizeof(*tail));
	tail = (struct ckpt_hdr_tail *)(fake->data + 2 * sizeof(record));
	KUNIT_EXPECT_EQ(test, tail->magic, CKPT_IMAGE_TAIL_MAGIC);
	KUNIT_EXPECT_EQ(test, tail->nr_records, 2);
	KUNIT_EXPECT_EQ(test, tail->checksum,
			xxh64(fake->data, 2 * sizeof(record), 0));
	ckpt_test_end(test, ctx);

	file->f_pos = 0;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_stream_read_tail(ctx));
	ckpt_test_end(test, ctx);

	/* One byte of a field that may hold anything. */
	tail->checksum ^= 1;
	file->f_pos = 0;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, -EINVAL, ckpt_stream_read_tail(ctx));
	ckpt_test_end(test, ctx);

	tail->checksum ^= 1;
	tail->pages_checksum ^= 1;
	file->f_pos = 0;
	ctx = ckpt_test_context(test, file, FMODE_READ);
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, 0, ckpt_record_read(ctx, CKPT_HDR_TREE, &record));
	KUNIT_EXPECT_EQ(test, -EINVAL, ckpt_stream_read_tail(ctx));
}

static struct kunit_case stream_cases[] = {
	KUNIT_CASE(short_transfers_go_on),
	KUNIT_CASE(one_that_is_not_ready_is_waited_for),
	KUNIT_CASE(interruptions_are_no_end),
	KUNIT_CASE(errors_of_the_file_are_told),
	KUNIT_CASE(an_image_that_ends_early_is_refused),
	KUNIT_CASE(pages_go_on_in_the_middle),
	KUNIT_CASE(a_file_is_left_behind_the_last_byte_used),
	KUNIT_CASE(the_tail_counts_and_sums_up),
	{}
};

static struct kunit_suite stream_suite = {
	.name		= "checkpoint_stream",
	.test_cases	= stream_cases,
};

kunit_test_suite(stream_suite);
