// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of shared memory that a checkpoint has captured.
 *
 * They are protected as those of a filesystem that wants to know of the first
 * write: vma_set_page_prot() finds AS_CKPT_CAPTURED and makes all entries that
 * come later read-only, and those that are there are changed. That is done in
 * every address space that maps the memory, saved or not, with its lock held for
 * writing, so that no page fault is in the middle of anything.
 *
 * mprotect() and NUMA balancing spare dirty entries a page fault. They do not do it
 * here: vma_wants_writenotify() is false for the protection that such a mapping
 * has already.
 */
#include <linux/bsearch.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <asm/tlb.h>

#include "shared_ckpt.h"

/* Attempts to get the lock of an address space, about 100 us apart. */
#define ATTEMPTS	20

/* Address spaces that fork() adds meanwhile are looked for so often. */
#define ROUNDS		8

/**
 * struct mapper - an address space that maps the memory
 * @mm: a reference to its users is held
 * @is_done: it is protected
 */
struct mapper {
	struct mm_struct *mm;
	bool is_done;
};

/**
 * struct mappers - all address spaces that map the memory
 * @entries: sorted by @mm up to @nr_sorted
 * @nr_sorted: how many of them
 * @nr: how many there are
 * @room: how many fit
 */
struct mappers {
	struct mapper *entries;
	unsigned int nr_sorted;
	unsigned int nr;
	unsigned int room;
};

static int compare(const void *a, const void *b)
{
	const struct mapper *one = a, *other = b;

	if (one->mm == other->mm)
		return other->is_done - one->is_done;
	return one->mm < other->mm ? -1 : 1;
}

static int compare_mm(const void *key, const void *entry)
{
	const struct mapper *mapper = entry;

	if (key == mapper->mm)
		return 0;
	return key < (void *)mapper->mm ? -1 : 1;
}

static bool is_known(const struct mappers *mappers, const struct mm_struct *mm)
{
	if (mappers->nr && mappers->entries[mappers->nr - 1].mm == mm)
		return true;
	return mappers->nr_sorted &&
	       bsearch(mm, mappers->entries, mappers->nr_sorted,
		       sizeof(*mappers->entries), compare_mm);
}

/* May entries be writable, now or after mprotect()? */
static bool may_write(const struct vm_area_struct *vma)
{
	const vm_flags_t writable = VM_SHARED | VM_MAYWRITE;

	return (vma->vm_flags & writable) == writable;
}

/* Returns how many did not fit. */
static unsigned int add_some(struct mappers *mappers,
			     struct address_space *mapping)
{
	struct vm_area_struct *vma;
	unsigned int missing = 0;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX) {
		if (!may_write(vma) || is_known(mappers, vma->vm_mm))
			continue;
		if (mappers->nr == mappers->room) {
			missing++;
			continue;
		}
		/* Nobody can write to it any more if it has no users. */
		if (!mmget_not_zero(vma->vm_mm))
			continue;
		mappers->entries[mappers->nr++] = (struct mapper) {
			.mm = vma->vm_mm,
		};
	}
	i_mmap_unlock_read(mapping);
	return missing;
}

static void sort_unique(struct mappers *mappers)
{
	struct mapper *entries = mappers->entries;
	unsigned int index, nr = 0;

	sort(entries, mappers->nr, sizeof(*entries), compare, NULL);
	for (index = 0; index < mappers->nr; index++) {
		if (nr && entries[nr - 1].mm == entries[index].mm)
			mmput_async(entries[index].mm);
		else
			entries[nr++] = entries[index];
	}
	mappers->nr = nr;
	mappers->nr_sorted = nr;
}

static int make_room(struct mappers *mappers, unsigned int missing)
{
	unsigned int room = mappers->nr + missing + 8;
	struct mapper *entries;

	entries = kvcalloc(room, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (mappers->nr)
		memcpy(entries, mappers->entries,
		       mappers->nr * sizeof(*entries));
	kvfree(mappers->entries);
	mappers->entries = entries;
	mappers->room = room;
	return 0;
}

static int add_all(struct mappers *mappers, struct address_space *mapping)
{
	unsigned int missing;
	int ret;

	while ((missing = add_some(mappers, mapping))) {
		sort_unique(mappers);
		ret = make_room(mappers, missing);
		if (ret)
			return ret;
	}
	sort_unique(mappers);
	return 0;
}

static void release(struct mappers *mappers)
{
	unsigned int index;

	for (index = 0; index < mappers->nr; index++)
		mmput_async(mappers->entries[index].mm);
	kvfree(mappers->entries);
}

/*
 * The target is stopped: who holds the lock for long makes us copy. These are the
 * steps of mmap_write_lock(), which has no variant that only tries.
 */
static int try_lock(struct mm_struct *mm)
{
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		if (down_write_trylock(&mm->mmap_lock)) {
			mm_lock_seqcount_begin(mm);
			return 0;
		}
		usleep_range(50, 150);
	}
	return -EBUSY;
}

static bool is_mapping_of(const struct vm_area_struct *vma,
			  const struct address_space *mapping)
{
	return vma->vm_file && vma->vm_file->f_mapping == mapping &&
	       vma->vm_flags & VM_SHARED && vma->vm_flags & VM_WRITE;
}

static int protect(struct mm_struct *mm, struct address_space *mapping)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	struct mmu_gather tlb;
	long ret;

	ret = try_lock(mm);
	if (ret)
		return ret;
	tlb_gather_mmu(&tlb, mm);
	for_each_vma(vmi, vma) {
		if (!is_mapping_of(vma, mapping))
			continue;
		vma_start_write(vma);
		vma_set_page_prot(vma);
		ret = change_protection(&tlb, vma, vma->vm_start, vma->vm_end,
					0);
		if (ret < 0)
			break;
	}
	tlb_finish_mmu(&tlb);
	mmap_write_unlock(mm);
	return min(ret, 0L);
}

static int protect_new(struct mappers *mappers, struct address_space *mapping)
{
	unsigned int index;
	int ret = 0;

	for (index = 0; index < mappers->nr && !ret; index++) {
		struct mapper *mapper = &mappers->entries[index];

		if (mapper->is_done)
			continue;
		ret = protect(mapper->mm, mapping);
		mapper->is_done = true;
	}
	return ret;
}

/**
 * ckpt_shared_protect - let writers come to us first
 * @mapping: captured memory, published; the target is stopped
 *
 * Return: 0; -EBUSY if somebody outside does not let go of a lock; -ENOMEM.
 */
int ckpt_shared_protect(struct address_space *mapping)
{
	struct mappers mappers = {};
	int ret = -EBUSY, round;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int nr = mappers.nr;

		ret = add_all(&mappers, mapping);
		if (ret)
			break;
		/* Those that are known cannot have let writers in again. */
		if (round && mappers.nr == nr)
			break;
		ret = protect_new(&mappers, mapping);
		if (ret)
			break;
		ret = -EBUSY;
	}
	release(&mappers);
	return ret;
}

static int unprotect(struct mm_struct *mm, struct address_space *mapping)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		if (!is_mapping_of(vma, mapping))
			continue;
		vma_start_write(vma);
		vma_set_page_prot(vma);
	}
	mmap_write_unlock(mm);
	return 0;
}

/**
 * ckpt_shared_unprotect - make mappings what they were
 * @mapping: no longer captured, or by others only
 *
 * An entry that is read-only costs a page fault when it is written to, nothing
 * else. So those that are there stay, and it does not matter if some mappings
 * stay as well.
 */
void ckpt_shared_unprotect(struct address_space *mapping)
{
	struct mappers mappers = {};
	unsigned int index;
	int ret;

	ret = add_all(&mappers, mapping);
	for (index = 0; index < mappers.nr && !ret; index++)
		ret = unprotect(mappers.entries[index].mm, mapping);
	release(&mappers);
}
