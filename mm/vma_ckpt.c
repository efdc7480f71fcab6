// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of mappings, without their contents.
 *
 * Saved: place, protection, kind, file, advice, locking, name, NUMA policy.
 * Refused: huge page files, device memory, user fault handling, protection
 *	keys, shadow stacks, sealed and droppable mappings, SysV shared memory,
 *	and every type without the method.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/ctype.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ksm.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mman.h>
#include <linux/pkeys.h>
#include <linux/sched/mm.h>
#include <linux/security.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/userfaultfd_k.h>

#include <asm/tlb.h>

#include "internal.h"

/* The kernel's bits and those of the image; MADV_* sets one, 0 means mmap(). */
static const struct {
	vm_flags_t kernel;
	u32 image;
	int advice;
} flag_map[] = {
	{ VM_READ,		CKPT_VMA_READ },
	{ VM_WRITE,		CKPT_VMA_WRITE },
	{ VM_EXEC,		CKPT_VMA_EXEC },
	{ VM_GROWSDOWN,		CKPT_VMA_GROWSDOWN },
	{ VM_NORESERVE,		CKPT_VMA_NORESERVE },
	{ VM_LOCKED,		CKPT_VMA_LOCKED },
	{ VM_LOCKONFAULT,	CKPT_VMA_LOCKONFAULT },
	{ VM_DONTCOPY,		CKPT_VMA_DONTFORK,	MADV_DONTFORK },
	{ VM_WIPEONFORK,	CKPT_VMA_WIPEONFORK,	MADV_WIPEONFORK },
	{ VM_DONTDUMP,		CKPT_VMA_DONTDUMP,	MADV_DONTDUMP },
	{ VM_SEQ_READ,		CKPT_VMA_SEQ_READ,	MADV_SEQUENTIAL },
	{ VM_RAND_READ,		CKPT_VMA_RAND_READ,	MADV_RANDOM },
	{ VM_HUGEPAGE,		CKPT_VMA_HUGEPAGE,	MADV_HUGEPAGE },
	{ VM_NOHUGEPAGE,	CKPT_VMA_NOHUGEPAGE,	MADV_NOHUGEPAGE },
	{ VM_MERGEABLE,		CKPT_VMA_MERGEABLE,	MADV_MERGEABLE },
	{ VM_ACCOUNT,		CKPT_VMA_ACCOUNT },
};

/* As prctl(PR_SET_VMA_ANON_NAME), with the byte that ends it. */
#define CKPT_VMA_NAME_SIZE	80

/* Mappings of the kernel's own have flags that no record needs. */
#define VM_SPECIAL_MAPPING	(VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP)

static u32 flags_to_image(vm_flags_t flags)
{
	u32 result = 0;
	int index;

	for (index = 0; index < ARRAY_SIZE(flag_map); index++)
		if (flags & flag_map[index].kernel)
			result |= flag_map[index].image;
	return result;
}

static const char *unsupported(const struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page((struct vm_area_struct *)vma))
		return "huge page files";
	if (vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP))
		return "device memory";
	if (userfaultfd_armed((struct vm_area_struct *)vma))
		return "user fault handling";
	if (vma->vm_flags & VM_SHADOW_STACK)
		return "a shadow stack";
	if (vma->vm_flags & VM_DROPPABLE)
		return "droppable memory";
#ifdef VM_SEALED
	if (vma->vm_flags & VM_SEALED)
		return "a seal";
#endif
	if (vma_pkey((struct vm_area_struct *)vma))
		return "a protection key";
	return NULL;
}

/**
 * ckpt_vma_save_file - checkpoint method of mappings of a file
 * @ctx: context
 * @vma: mapping; the lock of its address space is held
 * @record: kind and file are filled in
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_save_file(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		       struct ckpt_hdr_vma *record)
{
	bool shared = vma->vm_flags & VM_MAYSHARE;
	int objref;

	if (shared)
		objref = ckpt_file_save_mapped(ctx, vma->vm_file);
	else
		objref = ckpt_file_save_for_memory(ctx, vma->vm_file);
	if (objref < 0)
		return objref;
	record->kind = shared ? CKPT_VMA_FILE_SHARED : CKPT_VMA_FILE_PRIVATE;
	record->file = objref;
	record->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	return 0;
}

static int save_kind(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		     struct ckpt_hdr_vma *record)
{
	const struct vm_operations_struct *ops = vma->vm_ops;

	record->start = vma->vm_start;
	record->end = vma->vm_end;
	record->flags = flags_to_image(vma->vm_flags);
	if (ops && ops->checkpoint == ckpt_vma_save_special) {
		record->flags = flags_to_image(vma->vm_flags &
					       ~VM_SPECIAL_MAPPING);
		return ckpt_vma_save_special(ctx, vma, record);
	}
	if (unsupported(vma))
		return ckpt_error(ctx, -EOPNOTSUPP, "it has %s",
				  unsupported(vma));
	if (ops && ops->checkpoint)
		return ops->checkpoint(ctx, vma, record);
	if (ops)
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "mappings of %pD cannot be saved",
				  vma->vm_file);
	if (vma->vm_file)
		return ckpt_vma_save_file(ctx, vma, record);
	record->kind = CKPT_VMA_ANON;
	return 0;
}

static int save_one(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
		    struct ckpt_hdr_vma *record)
{
	int ret = save_kind(ctx, vma, record);

	if (anon_vma_name(vma))
		record->flags |= CKPT_VMA_NAMED;
	if (vma_policy(vma))
		record->flags |= CKPT_VMA_MEMPOLICY;
	if (!ret && (record->kind == CKPT_VMA_ANON ||
		     record->kind == CKPT_VMA_FILE_PRIVATE))
		ret = ckpt_cow_save_vma(ctx, vma, record);
	return ret;
}

static bool continues(const struct ckpt_hdr_vma *last,
		      const struct ckpt_hdr_vma *next)
{
	if (last->end != next->start || last->kind != next->kind ||
	    last->flags != next->flags || last->file != next->file ||
	    last->shmem != next->shmem)
		return false;
	if (next->kind == CKPT_VMA_ANON)
		return true;
	return last->offset + (last->end - last->start) == next->offset;
}

/* The record, its name and its NUMA policy. */
static struct ckpt_hdr_vma *add_record(struct ckpt_ctx *ctx,
				       struct vm_area_struct *vma,
				       const struct ckpt_hdr_vma *filled)
{
	struct anon_vma_name *name = anon_vma_name(vma);
	struct ckpt_hdr_vma *record = ckpt_record_add(ctx, CKPT_HDR_VMA);
	struct ckpt_hdr header;

	if (!record)
		return NULL;
	header = record->h;
	*record = *filled;
	record->h = header;
	if (name && ckpt_text_add(ctx, name->name))
		return NULL;
	if (vma_policy(vma) && ckpt_mempolicy_save_vma(ctx, vma))
		return NULL;
	return record;
}

/* Will the contents of the file be read? */
static bool has_contents(struct file *file)
{
	return ckpt_path_is_unlinked(file_user_path(file)) ||
	       ckpt_unlinked_is_memory(file);
}

/* A file that has no name any more, with contents to be read. */
static struct file *next_unlinked(struct mm_struct *mm, unsigned long *address)
{
	VMA_ITERATOR(vmi, mm, *address);
	struct file *file = NULL;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		if (!vma->vm_file || !vma->vm_ops ||
		    !vma->vm_ops->checkpoint ||
		    !ckpt_file_has_method(vma->vm_file) ||
		    !has_contents(vma->vm_file))
			continue;
		file = get_file(vma->vm_file);
		*address = vma->vm_end;
		break;
	}
	mmap_read_unlock(mm);
	return file;
}

/*
 * Reading a file takes locks of its inode, beneath which the kernel may take
 * the lock of an address space. So these files come first, without that lock.
 */
static int save_unlinked(struct ckpt_ctx *ctx, struct mm_struct *mm)
{
	unsigned long address = 0;
	struct file *file;
	int objref = 0;

	while (objref >= 0 && (file = next_unlinked(mm, &address))) {
		objref = ckpt_object_save(ctx, CKPT_OBJ_FILE, file);
		if (objref < 0)
			ckpt_error(ctx, objref, "mapping of %pD below %#lx",
				   file, address);
		fput(file);
	}
	return objref < 0 ? objref : 0;
}

/**
 * ckpt_vmas_save - save all mappings of an address space
 * @ctx: context
 * @mm: address space of a stopped task
 * @nr_vmas: set to the number of records
 * @any_flags: flags that any mapping has are added
 *
 * Neighbours that only history keeps apart become one record.
 *
 * Context: Holds the lock of @mm for reading.
 * Return: 0 or a negative errno.
 */
int ckpt_vmas_save(struct ckpt_ctx *ctx, struct mm_struct *mm, u32 *nr_vmas,
		   vm_flags_t *any_flags)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct anon_vma_name *last_name = NULL;
	struct mempolicy *last_policy = NULL;
	struct ckpt_hdr_vma *last = NULL;
	struct vm_area_struct *vma;
	int ret;

	ret = save_unlinked(ctx, mm);
	if (ret)
		return ret;
	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		struct ckpt_hdr_vma next = {};

		*any_flags |= vma->vm_flags;
		ret = save_one(ctx, vma, &next);
		if (ret) {
			ckpt_error(ctx, ret, "mapping at %#lx", vma->vm_start);
			break;
		}
		if (last && continues(last, &next) &&
		    anon_vma_name_eq(last_name, anon_vma_name(vma)) &&
		    mpol_equal(last_policy, vma_policy(vma))) {
			last->end = next.end;
			/* A restart makes one mapping; it descends from one. */
			if (!last->cow_mm) {
				last->cow_mm = next.cow_mm;
				last->cow_start = next.cow_start;
			}
			continue;
		}
		last = add_record(ctx, vma, &next);
		if (!last) {
			ret = -ENOMEM;
			break;
		}
		last_name = anon_vma_name(vma);
		last_policy = vma_policy(vma);
		(*nr_vmas)++;
	}
	mmap_read_unlock(mm);
	return ret;
}

static int check_place(struct ckpt_ctx *ctx, const struct ckpt_hdr_vma *record)
{
	if (record->start >= record->end || record->end > TASK_SIZE_MAX ||
	    offset_in_page(record->start) || offset_in_page(record->end) ||
	    offset_in_page(record->offset))
		return ckpt_error(ctx, -EINVAL, "mapping %#llx-%#llx at %#llx",
				  record->start, record->end, record->offset);
	if (record->start < mmap_min_addr && !capable(CAP_SYS_RAWIO))
		return ckpt_error(ctx, -EPERM,
				  "no right to map the lowest addresses");
	return 0;
}

static unsigned long protection(const struct ckpt_hdr_vma *record)
{
	return (record->flags & CKPT_VMA_READ ? PROT_READ : 0) |
	       (record->flags & CKPT_VMA_WRITE ? PROT_WRITE : 0) |
	       (record->flags & CKPT_VMA_EXEC ? PROT_EXEC : 0);
}

/*
 * Private memory that was writable once stays accounted when it is made
 * read-only, such as relocated data, and is a mapping of its own therefore.
 */
static bool was_writable(const struct ckpt_hdr_vma *record)
{
	return record->flags & CKPT_VMA_ACCOUNT &&
	       !(record->flags & CKPT_VMA_WRITE) &&
	       (record->kind == CKPT_VMA_ANON ||
		record->kind == CKPT_VMA_FILE_PRIVATE);
}

static int make_read_only(struct ckpt_ctx *ctx, struct mm_struct *mm,
			  const struct ckpt_hdr_vma *record)
{
	struct vm_area_struct *vma, *prev;
	struct mmu_gather tlb;
	int ret = -ENOMEM;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	VMA_ITERATOR(vmi, mm, record->start);
	vma = vma_find(&vmi, record->end);
	/* It may have become one with a writable neighbour. */
	if (vma && vma->vm_start <= record->start &&
	    vma->vm_end >= record->end) {
		prev = vma_prev(&vmi);
		vma_iter_set(&vmi, record->start);
		vma = vma_find(&vmi, record->end);
		if (record->start > vma->vm_start)
			prev = vma;
		tlb_gather_mmu(&tlb, mm);
		ret = mprotect_fixup(&vmi, &tlb, vma, &prev, record->start,
				     record->end, vma->vm_flags & ~VM_WRITE);
		tlb_finish_mmu(&tlb);
	}
	mmap_write_unlock(mm);
	if (ret)
		return ckpt_error(ctx, ret,
				  "mapping at %#llx cannot be made read-only",
				  record->start);
	return 0;
}

static int map(struct ckpt_ctx *ctx, const struct ckpt_hdr_vma *record)
{
	unsigned long flags = MAP_FIXED_NOREPLACE;
	unsigned long prot = protection(record);
	bool is_anonymous = record->kind == CKPT_VMA_ANON;
	struct file *file = NULL;
	unsigned long address;

	switch (record->kind) {
	case CKPT_VMA_ANON:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
		break;
	case CKPT_VMA_FILE_PRIVATE:
		flags |= MAP_PRIVATE;
		file = ckpt_object_find(ctx, record->file, CKPT_OBJ_FILE);
		break;
	case CKPT_VMA_FILE_SHARED:
		flags |= MAP_SHARED;
		file = ckpt_object_find(ctx, record->file, CKPT_OBJ_FILE);
		break;
	case CKPT_VMA_SHMEM:
		flags |= MAP_SHARED;
		file = ckpt_object_find(ctx, record->shmem, CKPT_OBJ_SHMEM);
		break;
	}
	if (!file != is_anonymous)
		return ckpt_error(ctx, -EINVAL,
				  "mapping at %#llx has no file",
				  record->start);
	if (file && !file->f_op->mmap)
		return ckpt_error(ctx, -EINVAL, "file %pD cannot be mapped",
				  file);
	if (record->flags & CKPT_VMA_GROWSDOWN)
		flags |= MAP_GROWSDOWN;
	if (record->flags & CKPT_VMA_NORESERVE)
		flags |= MAP_NORESERVE;
	if (was_writable(record))
		prot |= PROT_WRITE;
	if (record->kind == CKPT_VMA_FILE_SHARED && record->shmem)
		address = ckpt_memfd_map(ctx, file, record, prot, flags);
	else
		address = vm_mmap_pgoff(file, record->start,
					record->end - record->start, prot,
					flags, is_anonymous ? 0 :
					record->offset >> PAGE_SHIFT);
	if (IS_ERR_VALUE(address))
		return ckpt_error(ctx, (long)address, "mapping at %#llx",
				  record->start);
	return 0;
}

static int advise(struct ckpt_ctx *ctx, struct mm_struct *mm,
		  const struct ckpt_hdr_vma *record)
{
	int index;

	for (index = 0; index < ARRAY_SIZE(flag_map); index++) {
		int ret;

		if (!flag_map[index].advice ||
		    !(record->flags & flag_map[index].image))
			continue;
		ret = do_madvise(mm, record->start,
				 record->end - record->start,
				 flag_map[index].advice);
		if (ret)
			return ckpt_error(ctx, ret, "advice %d at %#llx",
					  flag_map[index].advice,
					  record->start);
	}
	return 0;
}

/* What prctl(PR_SET_VMA_ANON_NAME) takes: /proc/PID/maps shows it. */
static bool is_name(const char *name)
{
	size_t length;

	for (length = 0; name[length]; length++)
		if (!isascii(name[length]) || !isprint(name[length]) ||
		    strchr("\\`$[]", name[length]))
			return false;
	return length < CKPT_VMA_NAME_SIZE;
}

static int set_name(struct mm_struct *mm, const struct ckpt_hdr_vma *record,
		    const char *text)
{
	struct anon_vma_name *name;
	int ret;

	if (!IS_ENABLED(CONFIG_ANON_VMA_NAME))
		return -EOPNOTSUPP;
	name = anon_vma_name_alloc(text);
	if (!name)
		return -ENOMEM;
	ret = mmap_write_lock_killable(mm);
	if (!ret) {
		ret = madvise_set_anon_name(mm, record->start,
					    record->end - record->start, name);
		mmap_write_unlock(mm);
	}
	anon_vma_name_put(name);
	return ret;
}

static int restore_name(struct ckpt_ctx *ctx, struct mm_struct *mm,
			const struct ckpt_hdr_vma *record)
{
	char *text;
	int ret;

	if (!(record->flags & CKPT_VMA_NAMED))
		return 0;
	text = ckpt_text_read(ctx);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = is_name(text) ? set_name(mm, record, text) : -EINVAL;
	if (ret)
		ckpt_error(ctx, ret, "name of the mapping at %#llx",
			   record->start);
	kvfree(text);
	return ret;
}

/**
 * ckpt_vma_is_private - may a mapping have contents of its own?
 * @vma: mapping
 *
 * Return: whether an image may hold pages of it.
 */
bool ckpt_vma_is_private(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_MAYSHARE | VM_PFNMAP | VM_IO)) &&
	       !(vma->vm_ops &&
		 vma->vm_ops->checkpoint == ckpt_vma_save_special);
}

/**
 * ckpt_vma_restore - make a mapping of the current address space
 * @ctx: context
 * @mm: the current address space, private to the restart
 * @record: from the image
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_restore(struct ckpt_ctx *ctx, struct mm_struct *mm,
		     const struct ckpt_hdr_vma *record)
{
	int ret = check_place(ctx, record);

	if (ret)
		return ret;
	if (record->kind == CKPT_VMA_VDSO || record->kind == CKPT_VMA_VVAR)
		ret = arch_ckpt_map_vdso(ctx, mm, record);
	else
		ret = map(ctx, record) ?: advise(ctx, mm, record);
	if (!ret)
		ret = restore_name(ctx, mm, record);
	return ret ?: ckpt_mempolicy_restore_vma(ctx, mm, record);
}

/**
 * ckpt_vma_restore_end - do to a mapping what waits for its contents
 * @ctx: context
 * @mm: the current address space, private to the restart
 * @record: from the image; contents are in place
 *
 * Locking would bring in every page; and memory that was never written to
 * stops being accounted when it becomes read-only.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_vma_restore_end(struct ckpt_ctx *ctx, struct mm_struct *mm,
			 const struct ckpt_hdr_vma *record)
{
	vm_flags_t flags = VM_LOCKED;
	int ret;

	if (was_writable(record)) {
		ret = make_read_only(ctx, mm, record);
		if (ret)
			return ret;
	}
	if (!(record->flags & CKPT_VMA_LOCKED))
		return 0;
	if (record->flags & CKPT_VMA_LOCKONFAULT)
		flags |= VM_LOCKONFAULT;
	ret = do_mlock(record->start, record->end - record->start, flags);
	/* Without access nothing can be faulted in; it is locked all the same. */
	if (ret == -ENOMEM && !protection(record))
		ret = 0;
	if (ret)
		return ckpt_error(ctx, ret, "cannot lock the mapping at %#llx",
				  record->start);
	return 0;
}
