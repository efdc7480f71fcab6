/* SPDX-License-Identifier: GPL-2.0 */
/* Page contents of two images, compared by address. */
#ifndef _CKPT_PAGES_H
#define _CKPT_PAGES_H

#include <stddef.h>

#include "port.h"

/**
 * struct page_run - consecutive pages
 * @start: address of the first
 * @nr_pages: their number
 * @data: their contents
 */
struct page_run {
	u64 start;
	u64 nr_pages;
	const unsigned char *data;
};

/**
 * struct page_group - all pages of one object
 * @runs: its pages
 * @nr_runs: their number
 * @is_memory: of an address space; otherwise of shared memory
 */
struct page_group {
	struct page_run *runs;
	size_t nr_runs;
	bool is_memory;
};

/**
 * struct page_mask - bytes that the kernel changes whenever it likes
 * @start: first address
 * @len: their number
 */
struct page_mask {
	u64 start;
	u64 len;
};

/**
 * struct page_masks - all of them
 * @masks: the masks
 * @nr_masks: their number
 */
struct page_masks {
	struct page_mask *masks;
	size_t nr_masks;
};

/**
 * typedef page_difference_t - called for each page that differs
 * @arg: of the caller
 * @address: first byte that differs, or of the page if only one side has it
 * @only_in: 0 if both images have the page, 1 or 2 if only that one has
 */
typedef void (*page_difference_t)(void *arg, u64 address, int only_in);

void page_group_add(struct page_group *group, u64 start, u64 nr_pages,
		    const unsigned char *data);
void page_group_sort(struct page_group *group);
const unsigned char *page_group_find(const struct page_group *group, u64 start,
				     u32 page_size);
void page_groups_compare(const struct page_group *one,
			 const struct page_group *two, u32 page_size,
			 const struct page_masks *masks,
			 page_difference_t differs, void *arg);

#endif /* _CKPT_PAGES_H */
