// SPDX-License-Identifier: GPL-2.0
/* Page contents of two images, compared by address. */
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "util.h"

/**
 * page_group_add - add pages
 * @group: the object that has them
 * @start: address of the first
 * @nr_pages: their number
 * @data: their contents
 */
void page_group_add(struct page_group *group, u64 start, u64 nr_pages,
		    const unsigned char *data)
{
	size_t nr_runs = group->nr_runs;

	if (!(nr_runs & (nr_runs - 1)))
		group->runs = must_grow(group->runs,
					(nr_runs ? nr_runs * 2 : 1) *
					sizeof(*group->runs));
	group->runs[nr_runs] = (struct page_run) {
		.start		= start,
		.nr_pages	= nr_pages,
		.data		= data,
	};
	group->nr_runs++;
}

static int compare_runs(const void *a, const void *b)
{
	const struct page_run *one = a, *two = b;

	if (one->start == two->start)
		return 0;
	return one->start < two->start ? -1 : 1;
}

/**
 * page_group_sort - all pages were added
 * @group: the object that has them
 */
void page_group_sort(struct page_group *group)
{
	if (group->nr_runs)
		qsort(group->runs, group->nr_runs, sizeof(*group->runs),
		      compare_runs);
}

/**
 * page_group_find - find a page
 * @group: the object that has it, sorted
 * @start: its address
 * @page_size: bytes of a page
 *
 * Return: its contents, or NULL if the group has no such page.
 */
const unsigned char *page_group_find(const struct page_group *group, u64 start,
				     u32 page_size)
{
	size_t low = 0, high = group->nr_runs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct page_run *run = &group->runs[middle];

		if (start < run->start)
			high = middle;
		else if (start >= run->start + run->nr_pages * page_size)
			low = middle + 1;
		else
			return run->data + (start - run->start);
	}
	return NULL;
}

/**
 * struct cursor - one page of a group
 * @group: the group
 * @run: index of its run
 * @page: index in the run
 */
struct cursor {
	const struct page_group *group;
	size_t run;
	u64 page;
};

static bool at_end(const struct cursor *cursor)
{
	return cursor->run >= cursor->group->nr_runs;
}

static u64 address(const struct cursor *cursor, u32 page_size)
{
	const struct page_run *run;

	if (at_end(cursor))
		return ~0ULL;
	run = &cursor->group->runs[cursor->run];
	return run->start + cursor->page * page_size;
}

static const unsigned char *contents(const struct cursor *cursor, u32 page_size)
{
	const struct page_run *run = &cursor->group->runs[cursor->run];

	return run->data + cursor->page * page_size;
}

static void next(struct cursor *cursor)
{
	if (++cursor->page < cursor->group->runs[cursor->run].nr_pages)
		return;
	cursor->page = 0;
	cursor->run++;
}

static bool is_masked(const struct page_masks *masks, u64 at)
{
	size_t i;

	for (i = 0; i < masks->nr_masks; i++)
		if (at - masks->masks[i].start < masks->masks[i].len)
			return true;
	return false;
}

static void compare_page(const struct cursor *one, const struct cursor *two,
			 u32 page_size, const struct page_masks *masks,
			 page_difference_t differs, void *arg)
{
	const unsigned char *a = contents(one, page_size);
	const unsigned char *b = contents(two, page_size);
	u64 start = address(one, page_size);
	u32 i;

	if (!memcmp(a, b, page_size))
		return;
	for (i = 0; i < page_size; i++) {
		if (a[i] == b[i] ||
		    (one->group->is_memory && is_masked(masks, start + i)))
			continue;
		differs(arg, start + i, 0);
		return;
	}
}

/**
 * page_groups_compare - compare the pages of an object in two images
 * @one: pages in the first image, sorted
 * @two: pages in the second image, sorted
 * @page_size: bytes of a page
 * @masks: bytes of memory that do not count
 * @differs: called for each page that differs
 * @arg: for @differs
 */
void page_groups_compare(const struct page_group *one,
			 const struct page_group *two, u32 page_size,
			 const struct page_masks *masks,
			 page_difference_t differs, void *arg)
{
	struct cursor a = { .group = one }, b = { .group = two };

	while (!at_end(&a) || !at_end(&b)) {
		u64 address_a = address(&a, page_size);
		u64 address_b = address(&b, page_size);

		if (at_end(&b) || (!at_end(&a) && address_a < address_b)) {
			differs(arg, address_a, 1);
			next(&a);
		} else if (at_end(&a) || address_b < address_a) {
			differs(arg, address_b, 2);
			next(&b);
		} else {
			compare_page(&a, &b, page_size, masks, differs, arg);
			next(&a);
			next(&b);
		}
	}
}
