// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of memfds, their open files and their mappings.
 *
 * Saved: name, contents, size, seals, mode, owner, times. It is one object,
 *	however many open files and mappings it has.
 * Reset: inode number, time of the last change of attributes; pages of zeros
 *	become holes; memory that was reserved with fallocate() and not used.
 * Refused: memfds of huge pages, with extended attributes; memory without a
 *	name that was opened through /proc/PID/map_files.
 *
 * Seals are set last, when the contents are in place.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>

#include "internal.h"

/* What memfd_create() puts before the name. */
#define NAME_PREFIX	"memfd:"

/* Flags that fcntl(F_SETFL) sets on the open file that memfd_create() makes. */
#define SETTABLE_FLAGS	(O_APPEND | O_NONBLOCK | O_NOATIME | O_LARGEFILE)

static bool is_memfd(struct file *file)
{
	return file->f_path.mnt->mnt_flags & MNT_INTERNAL &&
	       shmem_file(file) &&
	       strstarts(file->f_path.dentry->d_name.name, NAME_PREFIX);
}

/**
 * ckpt_file_save_shmem - save an open file of tmpfs or a memfd
 * @ctx: context
 * @file: the file
 *
 * Return: CKPT_FILE_* or a negative errno.
 */
int ckpt_file_save_shmem(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_file_memfd *record;
	int objref;

	if (!(file->f_path.mnt->mnt_flags & MNT_INTERNAL))
		return ckpt_file_save_generic(ctx, file);
	if (ckpt_unlinked_is_memory(file))
		return ckpt_file_save_unlinked(ctx, file);
	if (!is_memfd(file))
		return ckpt_error(ctx, -EBADF,
				  "file %pD is memory without a name", file);
	ctx->contents_of = file;
	objref = ckpt_object_save(ctx, CKPT_OBJ_SHMEM, file_inode(file));
	ctx->contents_of = NULL;
	if (objref < 0)
		return objref;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_MEMFD);
	if (!record)
		return -ENOMEM;
	record->shmem = objref;
	if (file->f_mode & FMODE_WRITE && !(file->f_mode & FMODE_WRITER))
		record->flags = CKPT_MEMFD_ORIGINAL;
	return CKPT_FILE_MEMFD;
}

/**
 * ckpt_memfd_save - save what a memfd has besides its pages
 * @ctx: context
 * @file: one of its open files
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memfd_save(struct ckpt_ctx *ctx, struct file *file)
{
	struct ckpt_hdr_memfd *record;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_MEMFD);
	if (!record)
		return -ENOMEM;
	record->seals = SHMEM_I(file_inode(file))->seals;
	ret = ckpt_text_add(ctx, file->f_path.dentry->d_name.name);
	if (!ret)
		ret = min_t(loff_t, ckpt_file_attributes_save(ctx, &file->f_path), 0);
	return ret ?: ckpt_shmem_save_policies(ctx, file_inode(file),
					       &record->nr_policies);
}

/**
 * ckpt_memfd_save_vma - note that a mapping is older than a seal
 * @ctx: context
 * @vma: shared or private mapping of tmpfs or a memfd
 * @record: complete otherwise
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memfd_save_vma(struct ckpt_ctx *ctx, struct vm_area_struct *vma,
			struct ckpt_hdr_vma *record)
{
	struct inode *inode = file_inode(vma->vm_file);
	const vm_flags_t writable = VM_SHARED | VM_MAYWRITE;
	int objref;

	if (!is_memfd(vma->vm_file) || (vma->vm_flags & writable) != writable ||
	    !(SHMEM_I(inode)->seals & F_SEAL_FUTURE_WRITE))
		return 0;
	/* Saved with the file that is mapped: this only finds its id. */
	objref = ckpt_object_save(ctx, CKPT_OBJ_SHMEM, inode);
	if (objref < 0)
		return objref;
	record->shmem = objref;
	return 0;
}

/**
 * ckpt_memory_is_noexec - must files in memory be sealed against execution?
 *
 * Return: whether vm.memfd_noexec says so.
 */
bool ckpt_memory_is_noexec(void)
{
	return pidns_memfd_noexec_scope(task_active_pid_ns(current)) >=
	       MEMFD_NOEXEC_SCOPE_NOEXEC_ENFORCED;
}

/* What vm.memfd_noexec forbids to create is not restored either. */
static int check_exec(struct ckpt_ctx *ctx,
		      const struct ckpt_memfd_stage *stage)
{
	if (!ckpt_memory_is_noexec() ||
	    (stage->record.seals & F_SEAL_EXEC &&
	     !(stage->attributes.mode & 0111)))
		return 0;
	return ckpt_error(ctx, -EACCES,
			  "vm.memfd_noexec forbids an executable memfd");
}

/**
 * ckpt_memfd_restore - read what a memfd has besides its pages
 * @ctx: context
 * @stage: filled in for ckpt_memfd_restore_end()
 *
 * Return: a file of the right size for the pages, or an error pointer.
 */
struct file *ckpt_memfd_restore(struct ckpt_ctx *ctx,
				struct ckpt_memfd_stage *stage)
{
	struct file *file;
	char *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_MEMFD, &stage->record);
	if (ret)
		return ERR_PTR(ret);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		return ERR_CAST(name);
	ret = ckpt_file_attributes_read(ctx, &stage->attributes);
	if (!ret && (!strstarts(name, NAME_PREFIX) || strlen(name) > NAME_MAX))
		ret = ckpt_error(ctx, -EINVAL, "memfd with the name %s", name);
	if (!ret)
		ret = check_exec(ctx, stage);
	file = ret ? ERR_PTR(ret) :
		     shmem_file_setup(name, stage->attributes.size,
				      VM_NORESERVE);
	kvfree(name);
	return file;
}

/**
 * ckpt_memfd_restore_end - finish a memfd whose pages are in place
 * @ctx: context
 * @file: from ckpt_memfd_restore()
 * @stage: likewise
 *
 * Return: 0 or a negative errno.
 */
int ckpt_memfd_restore_end(struct ckpt_ctx *ctx, struct file *file,
			   const struct ckpt_memfd_stage *stage)
{
	int ret = ckpt_file_attributes_set(ctx, file, &stage->attributes);

	if (ret)
		return ret;
	/* As memfd_create() does it: until now nobody can have set one. */
	SHMEM_I(file_inode(file))->seals = 0;
	ret = memfd_fcntl(file, F_ADD_SEALS, stage->record.seals);
	if (ret)
		return ckpt_error(ctx, ret, "seals %#x of file %pD",
				  stage->record.seals, file);
	return 0;
}

static struct file *open_original(struct file *memory, unsigned int open_flags)
{
	struct file *file;

	/*
	 * Not by dentry_open(): a file that was opened for writing keeps the
	 * memory from being executed, and this one does not.
	 */
	file = alloc_file_clone(memory, O_RDWR | (open_flags & SETTABLE_FLAGS),
				memory->f_op);
	if (!IS_ERR(file))
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

/**
 * ckpt_file_restore_memfd - read and open a file of a memfd
 * @ctx: context
 * @record: its first record
 *
 * The memory came out of the image, so no permission is asked for: who was to
 * be kept from it holds nothing of it yet.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_file_restore_memfd(struct ckpt_ctx *ctx,
				     const struct ckpt_hdr_file *record)
{
	bool original;
	struct ckpt_hdr_file_memfd memfd;
	struct file *memory, *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_MEMFD, &memfd);
	if (ret)
		return ERR_PTR(ret);
	memory = ckpt_object_find(ctx, memfd.shmem, CKPT_OBJ_SHMEM);
	original = memfd.flags & CKPT_MEMFD_ORIGINAL;
	if (!is_memfd(memory) || record->open_flags & O_PATH ||
	    (original && (record->open_flags & O_ACCMODE) != O_RDWR))
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "file %pD, open flags %#o", memory,
					  record->open_flags));
	if (original)
		file = open_original(memory, record->open_flags);
	else
		file = dentry_open(&memory->f_path, record->open_flags,
				   current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, PTR_ERR(file), "cannot open file %pD", memory);
	return file;
}

/**
 * ckpt_memfd_map - map a memfd as before it was sealed
 * @ctx: context
 * @file: to be mapped
 * @record: mapping with a reference to the memory
 * @prot: PROT_*
 * @flags: MAP_*
 *
 * The reference proves that the memory came out of the image with this seal:
 * nobody else relies on it yet.
 *
 * Return: the address, or a negative errno.
 */
unsigned long ckpt_memfd_map(struct ckpt_ctx *ctx, struct file *file,
			     const struct ckpt_hdr_vma *record,
			     unsigned long prot, unsigned long flags)
{
	struct file *memory = ckpt_object_find(ctx, record->shmem,
					       CKPT_OBJ_SHMEM);
	struct inode *inode = file_inode(memory);
	unsigned long address;
	unsigned int seals;

	if (!file || file_inode(file) != inode || !is_memfd(memory))
		return ckpt_error(ctx, -EINVAL,
				  "the memory is not that of the file");
	inode_lock(inode);
	seals = SHMEM_I(inode)->seals;
	SHMEM_I(inode)->seals = seals & ~F_SEAL_FUTURE_WRITE;
	inode_unlock(inode);
	address = vm_mmap_pgoff(file, record->start,
				record->end - record->start, prot, flags,
				record->offset >> PAGE_SHIFT);
	inode_lock(inode);
	SHMEM_I(inode)->seals |= seals & F_SEAL_FUTURE_WRITE;
	inode_unlock(inode);
	return address;
}
