// SPDX-License-Identifier: GPL-2.0
/*
 * Unlinked files that a restart keeps in memory, because their directory takes
 * none.
 *
 * Saved: as any unlinked file, see fs/unlinked_ckpt.c, with the directory and
 *	the filesystem that it had at first: the next restart tries these again.
 *
 * It is memory like that of a memfd: charged to the memory cgroup of who
 * restarts, and gone with the last open file and mapping. The name tells where
 * the file was, here and in /proc.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* The name: this, the type of the filesystem, a colon, the directory. */
#define NAME_PREFIX	"unlinked:"
#define MAGIC_DIGITS	16
#define DIRECTORY_AT	(sizeof(NAME_PREFIX) - 1 + MAGIC_DIGITS + 1)

/**
 * ckpt_unlinked_is_memory - has a restart put this file into memory?
 * @file: open file
 *
 * Return: whether ckpt_unlinked_create_memory() made it.
 */
bool ckpt_unlinked_is_memory(struct file *file)
{
	/* Only the kernel chooses the first letters of a name there. */
	return file->f_path.mnt->mnt_flags & MNT_INTERNAL &&
	       shmem_file(file) &&
	       strstarts(file->f_path.dentry->d_name.name, NAME_PREFIX);
}

/**
 * ckpt_unlinked_save_origin - say where the file was at first
 * @ctx: context
 * @file: of which ckpt_unlinked_is_memory() is true
 * @record: type of the filesystem is filled in; the directory comes behind it
 *
 * Return: 0 or a negative errno.
 */
int ckpt_unlinked_save_origin(struct ckpt_ctx *ctx, struct file *file,
			      struct ckpt_hdr_unlinked *record)
{
	const char *name = file->f_path.dentry->d_name.name;
	char digits[MAGIC_DIGITS + 1];
	int ret;

	strscpy(digits, name + strlen(NAME_PREFIX));
	ret = kstrtou64(digits, 16, &record->fs_magic);
	return ret ?: ckpt_text_add(ctx, name + DIRECTORY_AT);
}

/**
 * ckpt_unlinked_create_memory - make an unlinked file in memory
 * @ctx: context
 * @directory: where it was
 * @record: from the image
 * @mode: that it will have
 *
 * Return: an empty file that is open for writing, or an error pointer.
 */
struct file *
ckpt_unlinked_create_memory(struct ckpt_ctx *ctx, const char *directory,
			    const struct ckpt_hdr_unlinked *record, u32 mode)
{
	bool is_noexec = ckpt_memory_is_noexec();
	struct file *file;
	char *name;

	if (is_noexec && mode & 0111)
		return ERR_PTR(ckpt_error(ctx, -EACCES,
					  "vm.memfd_noexec forbids an executable file in memory"));
	name = kasprintf(GFP_KERNEL_ACCOUNT, NAME_PREFIX "%0*llx:%s",
			 MAGIC_DIGITS, record->fs_magic, directory);
	if (!name)
		return ERR_PTR(-ENOMEM);
	/* /proc has to show it, with what it puts before and behind. */
	if (strlen(name) > PATH_MAX - 32)
		file = ERR_PTR(-ENAMETOOLONG);
	else
		file = shmem_file_setup(name, 0, VM_NORESERVE);
	kfree(name);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "unlinked file in memory");
		return file;
	}
	/* As memfd_create() does it: until now nobody can have it open. */
	file->f_flags |= O_LARGEFILE;
	file_inode(file)->i_mode = S_IFREG | 0600;
	if (is_noexec)
		SHMEM_I(file_inode(file))->seals |= F_SEAL_EXEC;
	return file;
}
