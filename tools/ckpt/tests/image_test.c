// SPDX-License-Identifier: GPL-2.0
/*
 * Whole images: good ones, failed ones, and hostile ones, read by the code
 * that ckptinfo(1) and restart(1) have.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ckptinfo.h"
#include "ktap.h"
#include "mutate.h"
#include "sample.h"
#include "tree.h"
#include "util.h"

#define NR_MUTATIONS	20000
#define PID		4321

/**
 * struct source - an image that is read from memory
 * @data: its bytes
 * @len: their number
 * @at: how much was read
 * @most: not more at once, 0 for no limit
 */
struct source {
	const unsigned char *data;
	size_t len;
	size_t at;
	size_t most;
};

static ssize_t read_source(void *arg, void *data, size_t len)
{
	struct source *source = arg;

	len = smaller(len, source->len - source->at);
	if (source->most)
		len = smaller(len, source->most);
	memcpy(data, source->data + source->at, len);
	source->at += len;
	return len;
}

/* Return: what image_next() said last; @image is closed. */
static enum image_result read_image(const void *data, size_t len,
				    struct image *image)
{
	struct source source = { .data = data, .len = len };
	enum image_result result;

	image_open(image, read_source, &source);
	do {
		result = image_next(image);
	} while (result == IMAGE_RECORD);
	image_close(image);
	return result;
}

static bool is_bad(const struct sample *sample, const char *why)
{
	struct image image;

	if (read_image(sample->data, sample->len, &image) != IMAGE_BAD)
		return false;
	if (strstr(image.error, why))
		return true;
	printf("# %s\n", image.error);
	return false;
}

static bool test_good(void)
{
	struct sample sample;
	struct image image;

	sample_image(&sample, PID, 2);
	CHECK(read_image(sample.data, sample.len, &image) == IMAGE_END);
	CHECK(image.is_ended && !image.is_failed && !*image.error);
	CHECK(image.offset == sample.len);
	CHECK(image.nr_records == sample.nr_records);
	sample_free(&sample);
	return true;
}

static bool has_record(const struct sample *sample, u32 type)
{
	struct ckpt_hdr header;
	size_t at;

	for (at = 0; at < sample->len; at += header.len) {
		memcpy(&header, sample->data + at, sizeof(header));
		if (header.type == type)
			return true;
	}
	return false;
}

/* A new record needs a sample: what is not there is not tested. */
static bool test_every_record(void)
{
	struct sample good, fork, failed = { 0 };
	unsigned int i, missing = 0;

	sample_family(&good, PID);
	sample_fork(&fork, PID, true);
	sample_begin(&failed);
	sample_fail(&failed, 9, "no");
	for (i = 0; i < ckpt_nr_records; i++) {
		const struct ckpt_record *type = &ckpt_records[i];

		if (has_record(&good, type->type) ||
		    has_record(&fork, type->type) ||
		    has_record(&failed, type->type))
			continue;
		printf("# no sample has a record %s\n", type->name);
		missing++;
	}
	sample_free(&good);
	sample_free(&fork);
	sample_free(&failed);
	return !missing;
}

static bool test_short_reads(void)
{
	struct sample sample;
	struct source source;
	struct image image;

	sample_image(&sample, PID, 2);
	source = (struct source) {
		.data = sample.data, .len = sample.len, .most = 1,
	};
	image_open(&image, read_source, &source);
	while (image_next(&image) == IMAGE_RECORD)
		continue;
	CHECK(image.is_ended);
	image_close(&image);
	sample_free(&sample);
	return true;
}

static bool test_truncated(void)
{
	struct sample sample;
	struct image image;
	size_t len;

	sample_image(&sample, PID, 2);
	for (len = 0; len < sample.len; len++) {
		CHECK(read_image(sample.data, len, &image) == IMAGE_BAD);
		CHECK(*image.error);
	}
	sample_free(&sample);
	return true;
}

static bool test_every_byte(void)
{
	struct sample sample;
	struct image image;
	size_t at;

	sample_image(&sample, PID, 8);
	for (at = 0; at < sample.len; at++) {
		sample.data[at] ^= 0x01;
		CHECK(read_image(sample.data, sample.len, &image) == IMAGE_BAD);
		sample.data[at] ^= 0x01;
	}
	CHECK(read_image(sample.data, sample.len, &image) == IMAGE_END);
	sample_free(&sample);
	return true;
}

static bool test_surplus(void)
{
	struct sample sample;

	sample_image(&sample, PID, 2);
	sample_text(&sample, "more");
	CHECK(is_bad(&sample, "follow the tail"));
	sample_free(&sample);
	return true;
}

static bool test_failed(void)
{
	struct sample sample = { 0 };
	struct image image;

	sample_begin(&sample);
	sample_fail(&sample, 9, "no");
	sample_fail(&sample, 5, "again");
	CHECK(read_image(sample.data, sample.len, &image) == IMAGE_END);
	CHECK(image.is_failed && !image.is_ended);
	sample_end(&sample);
	CHECK(is_bad(&sample, "tail where string is next"));
	sample_free(&sample);
	return true;
}

static bool test_order(void)
{
	struct sample sample = { 0 };

	sample_text(&sample, "first");
	CHECK(is_bad(&sample, "not a checkpoint image"));
	sample_free(&sample);

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_PIDS, NULL, NULL, 0);
	CHECK(is_bad(&sample, "record pids where tree is next"));
	sample_free(&sample);

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_TREE, NULL, NULL, 0);
	sample_put(&sample, CKPT_HDR_TREE, NULL, NULL, 0);
	CHECK(is_bad(&sample, "second record tree"));
	sample_free(&sample);
	return true;
}

static bool test_objects(void)
{
	struct ckpt_hdr_objref fields = { .objtype = CKPT_OBJ_FS, .objref = 2 };
	struct sample sample = { 0 };

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_TREE, NULL, NULL, 0);
	sample_put(&sample, CKPT_HDR_OBJREF, &fields, NULL, 0);
	CHECK(is_bad(&sample, "object 2 is announced where 1 is next"));
	sample_free(&sample);

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_TREE, NULL, NULL, 0);
	fields.objref = 1;
	sample_put(&sample, CKPT_HDR_OBJREF, &fields, NULL, 0);
	sample_put(&sample, CKPT_HDR_FILE_DESC, NULL, NULL, 0);
	CHECK(is_bad(&sample, "no such object"));
	sample_free(&sample);
	return true;
}

static bool test_grown(void)
{
	unsigned char more[16] = { 0 };
	struct sample sample = { 0 };

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_TREE, NULL, more, sizeof(more));
	sample_end(&sample);
	CHECK(!is_bad(&sample, ""));
	sample_free(&sample);

	sample_begin(&sample);
	more[15] = 1;
	sample_put(&sample, CKPT_HDR_TREE, NULL, more, sizeof(more));
	sample_end(&sample);
	CHECK(is_bad(&sample, "later version"));
	sample_free(&sample);
	return true;
}

/* Run with its output thrown away: complaints are expected. */
static int quietly(int (*run)(void *), void *arg)
{
	int null = open("/dev/null", O_WRONLY);
	int out = dup(STDOUT_FILENO);
	int err = dup(STDERR_FILENO);
	int status;

	fflush(stdout);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	status = run(arg);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(null);
	close(out);
	close(err);
	return status;
}

static const struct info_options views[] = {
	{ .registers = true },
	{ .verbose = true },
	{ .json = true },
	{ .pids = true },
	{ .errors = true },
};

/**
 * struct mutating - a run of test_mutations()
 * @sample: the good image
 * @accepted: how many mutations are good images too
 */
struct mutating {
	struct sample sample;
	unsigned int accepted;
};

static int view_mutations(void *arg)
{
	struct mutating *mutating = arg;
	size_t len = mutating->sample.len;
	unsigned char *out = must_alloc(len + MUTATE_GROWTH);
	unsigned int seed;

	for (seed = 0; seed < NR_MUTATIONS; seed++) {
		struct source source = {
			.data	= out,
			.len	= mutate_image(mutating->sample.data, len, seed,
					       out, NULL),
		};
		int status = view_image(&views[seed % ARRAY_SIZE(views)],
					read_source, &source);

		mutating->accepted += !status;
		if (status < 0 || status > EXIT_RECORDED)
			return -1;
	}
	free(out);
	return 0;
}

static bool test_mutations(void)
{
	struct mutating mutating = { 0 };

	sample_image(&mutating.sample, PID, 4);
	CHECK(!quietly(view_mutations, &mutating));
	printf("# %u of %u mutations are possible images\n", mutating.accepted,
	       NR_MUTATIONS);
	/* They reach beyond the checksum, and few of them are good. */
	CHECK(mutating.accepted > NR_MUTATIONS / 100);
	CHECK(mutating.accepted < NR_MUTATIONS * 3 / 4);
	sample_free(&mutating.sample);
	return true;
}

static bool test_mutation_repeats(void)
{
	struct sample sample;
	unsigned char *one, *two;
	size_t len;
	u64 seed;

	sample_image(&sample, PID, 4);
	one = must_alloc(sample.len + MUTATE_GROWTH);
	two = must_alloc(sample.len + MUTATE_GROWTH);
	for (seed = 0; seed < 200; seed++) {
		len = mutate_image(sample.data, sample.len, seed, one, NULL);
		CHECK(len <= sample.len + MUTATE_GROWTH);
		CHECK(len == mutate_image(sample.data, sample.len, seed, two,
					  NULL));
		CHECK(!memcmp(one, two, len));
	}
	free(one);
	free(two);
	sample_free(&sample);
	return true;
}

static int memory_file(const struct sample *sample, char *path, size_t size)
{
	int fd = memfd_create("image", 0);

	if (fd < 0 || write_all(fd, sample->data, sample->len))
		return -1;
	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

static int run_diff(void *options)
{
	return diff_images(options);
}

/* Return: exit status of ckptinfo --diff. */
static int diff(const struct sample *one, const struct sample *two)
{
	char path_one[64], path_two[64];
	struct info_options options = { .file = path_one, .other = path_two };
	int fd_one = memory_file(one, path_one, sizeof(path_one));
	int fd_two = memory_file(two, path_two, sizeof(path_two));
	int status = quietly(run_diff, &options);

	free(options.ignore);
	close(fd_one);
	close(fd_two);
	return status;
}

static unsigned char *find_record(struct sample *sample, u32 type)
{
	struct ckpt_hdr header;
	size_t at = 0;

	for (;;) {
		memcpy(&header, sample->data + at, sizeof(header));
		if (header.type == type)
			return sample->data + at;
		at += header.len;
	}
}

/* Make the tail right again. */
static void repair(struct sample *sample)
{
	sample->len -= ckpt_record_find(CKPT_HDR_TAIL)->size;
	sample->nr_records--;
	sample_end(sample);
}

static bool test_diff_equal(void)
{
	struct sample one, two;

	sample_image(&one, PID, 1);
	sample_image(&two, PID + 1, 8);
	CHECK(diff(&one, &one) == 0);
	/* Other ids, and pages cut otherwise. */
	CHECK(diff(&one, &two) == 0);
	sample_free(&one);
	sample_free(&two);
	return true;
}

static bool test_diff_field(void)
{
	struct sample one, two;

	sample_image(&one, PID, 1);
	sample_image(&two, PID, 1);
	((struct ckpt_hdr_fs *)find_record(&two, CKPT_HDR_FS))->umask = 022;
	repair(&two);
	CHECK(diff(&one, &two) == 1);
	sample_free(&one);
	sample_free(&two);
	return true;
}

static bool test_diff_page(void)
{
	struct sample one, two;
	unsigned char *page;

	sample_image(&one, PID, 1);
	sample_image(&two, PID, 1);
	page = find_record(&two, CKPT_HDR_PAGES) +
		sizeof(struct ckpt_hdr_pages);
	/* struct rseq is there. */
	page[64 + 31] ^= 1;
	repair(&two);
	CHECK(diff(&one, &two) == 0);
	page = find_record(&two, CKPT_HDR_PAGES) +
		sizeof(struct ckpt_hdr_pages);
	page[64 + 32] ^= 1;
	repair(&two);
	CHECK(diff(&one, &two) == 1);
	sample_free(&one);
	sample_free(&two);
	return true;
}

static bool test_diff_missing_page(void)
{
	struct sample one, two;
	struct ckpt_hdr_pages *pages;

	sample_image(&one, PID, 1);
	sample_image(&two, PID, 1);
	pages = (struct ckpt_hdr_pages *)find_record(&two, CKPT_HDR_PAGES);
	pages->start += 0x100000;
	repair(&two);
	CHECK(diff(&one, &two) == 1);
	CHECK(diff(&two, &one) == 1);
	sample_free(&one);
	sample_free(&two);
	return true;
}

/* How a page comes to an address space is no difference, what it holds is. */
static bool test_diff_shared_pages(void)
{
	struct sample one, two;
	struct ckpt_hdr_pages_cow *pages;

	sample_fork(&one, PID, false);
	sample_fork(&two, PID, true);
	CHECK(one.len > two.len);
	CHECK(diff(&one, &two) == 0);
	pages = (struct ckpt_hdr_pages_cow *)find_record(&two, CKPT_HDR_PAGES_COW);
	pages->source -= SAMPLE_PAGE;
	repair(&two);
	CHECK(diff(&one, &two) == 1);
	sample_free(&one);
	sample_free(&two);
	return true;
}

static bool test_diff_mutations(void)
{
	struct sample one, two = { 0 };
	u64 seed;

	sample_fork(&one, PID, true);
	two.data = must_alloc(one.len + MUTATE_GROWTH);
	for (seed = 0; seed < 2000; seed++) {
		two.len = mutate_image(one.data, one.len, seed, two.data, NULL);
		CHECK(diff(&one, &two) <= 1);
	}
	sample_free(&one);
	sample_free(&two);
	return true;
}

static bool test_forest_file(void)
{
	struct forest forest;
	struct sample sample;
	char path[64];
	int fd;

	sample_image(&sample, PID, 4);
	fd = memory_file(&sample, path, sizeof(path));
	lseek(fd, 0, SEEK_SET);
	CHECK(!forest_read(&forest, fd));
	CHECK(forest.is_seekable && !forest.prefix);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(forest.nr_tasks == 1 && forest.tasks[0].pid == PID);
	CHECK(forest_leads_group(&forest.tasks[0]));
	CHECK(!forest_leads_session(&forest.tasks[0]));
	close(fd);
	forest_free(&forest);
	sample_free(&sample);
	return true;
}

static bool test_forest_pipe(void)
{
	struct forest forest;
	struct sample sample;
	char rest[65536];
	ssize_t more;
	int ends[2];

	sample_image(&sample, PID, 4);
	CHECK(!pipe(ends));
	CHECK(!write_all(ends[1], sample.data, sample.len));
	close(ends[1]);
	CHECK(!forest_read(&forest, ends[0]));
	CHECK(!forest.is_seekable && forest.prefix_len < sample.len);
	CHECK(!memcmp(forest.prefix, sample.data, forest.prefix_len));
	more = read(ends[0], rest, sizeof(rest));
	CHECK(forest.prefix_len + more == sample.len);
	CHECK(!memcmp(rest, sample.data + forest.prefix_len, more));
	close(ends[0]);
	forest_free(&forest);
	sample_free(&sample);
	return true;
}

static bool test_forest_bad(void)
{
	struct ckpt_hdr_tree tree = { .nr_tasks = 1 << 22 };
	struct ckpt_hdr_pids ids = { .pid = 1, .tgid = 1 };
	struct sample sample = { 0 };
	struct forest forest;
	char path[64];
	int fd;

	sample_begin(&sample);
	sample_put(&sample, CKPT_HDR_TREE, &tree, NULL, 0);
	sample_put(&sample, CKPT_HDR_PIDS, &ids, NULL, 0);
	sample_put(&sample, CKPT_HDR_TASK, NULL, NULL, 0);
	fd = memory_file(&sample, path, sizeof(path));
	lseek(fd, 0, SEEK_SET);
	CHECK(forest_read(&forest, fd));
	CHECK(strstr(forest.error, "are missing"));
	close(fd);
	forest_free(&forest);
	sample_free(&sample);
	return true;
}

int main(void)
{
	static const struct ktap_test tests[] = {
		{ "image.good", test_good },
		{ "image.sample_of_every_record", test_every_record },
		{ "image.short_reads", test_short_reads },
		{ "image.truncated_at_every_byte", test_truncated },
		{ "image.every_byte_counts", test_every_byte },
		{ "image.surplus", test_surplus },
		{ "image.failed", test_failed },
		{ "image.order", test_order },
		{ "image.objects", test_objects },
		{ "image.later_version", test_grown },
		{ "image.mutations", test_mutations },
		{ "image.mutation_repeats", test_mutation_repeats },
		{ "diff.equal", test_diff_equal },
		{ "diff.field", test_diff_field },
		{ "diff.page", test_diff_page },
		{ "diff.missing_page", test_diff_missing_page },
		{ "diff.shared_pages", test_diff_shared_pages },
		{ "forest.file", test_forest_file },
		{ "forest.pipe", test_forest_pipe },
		{ "forest.bad", test_forest_bad },
		{ "diff.mutations", test_diff_mutations },
	};

	set_program("image_test");
	return ktap_run(tests, ARRAY_SIZE(tests));
}
