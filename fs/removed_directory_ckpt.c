// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of directories that were removed while a process was
 * in them, or had them open.
 *
 * Saved: name, the nearest directory above that is still there, mode, owner,
 *	times.
 * Reset: inode number, time of the last change of attributes. What was above
 *	it and was removed, too, is left out: ".." leads to what is still there.
 * Refused: directories with extended attributes, which access control lists
 *	are.
 *
 * A removed directory is empty, and nothing can be created in it. A restart
 * makes one in that place and removes it at once, under the lock of the
 * directory above: nobody can list it or put anything into it. That needs the
 * right to do so.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

/* Names that are tried if there is something else under the old one. */
#define NAMES_MAX	100

/**
 * ckpt_directory_is_removed - is it a directory that nobody can enter any more?
 * @path: anything
 *
 * Return: whether it is.
 */
bool ckpt_directory_is_removed(const struct path *path)
{
	return d_is_dir(path->dentry) && d_unlinked(path->dentry);
}

/**
 * ckpt_removed_directory_ref - id of a removed directory; it is saved if it is
 * met for the first time
 * @ctx: context
 * @path: the directory
 *
 * Return: the id, positive, or a negative errno.
 */
int ckpt_removed_directory_ref(struct ckpt_ctx *ctx, const struct path *path)
{
	int objref;

	ctx->removed = path;
	objref = ckpt_object_save(ctx, CKPT_OBJ_REMOVED_DIRECTORY,
				  path->dentry);
	ctx->removed = NULL;
	return objref;
}

static int save_place(struct ckpt_ctx *ctx, const struct path *path,
		      struct ckpt_hdr_removed_directory *record)
{
	struct name_snapshot name;
	struct path above;
	int ret;

	ckpt_path_find_living(path, &above);
	record->fs_magic = above.dentry->d_sb->s_magic;
	ret = ckpt_path_add(ctx, &above);
	dput(above.dentry);
	if (ret)
		return ret;
	take_dentry_name_snapshot(&name, path->dentry);
	ret = ckpt_text_add(ctx, name.name.name);
	release_dentry_name_snapshot(&name);
	return ret;
}

/**
 * ckpt_removed_directory_save - save a removed directory
 * @ctx: context with its path
 * @object: its dentry, the only one that a directory has
 *
 * Return: 0 or a negative errno.
 */
int ckpt_removed_directory_save(struct ckpt_ctx *ctx, void *object)
{
	struct ckpt_hdr_removed_directory *record;
	const struct path *path = ctx->removed;
	loff_t ret;

	record = ckpt_record_add(ctx, CKPT_HDR_REMOVED_DIRECTORY);
	if (!record)
		return -ENOMEM;
	ret = save_place(ctx, path, record);
	if (!ret)
		ret = ckpt_file_attributes_save(ctx, path);
	if (ret < 0)
		return ckpt_error(ctx, ret, "removed directory %pd",
				  path->dentry);
	return 0;
}

/**
 * ckpt_file_save_removed_directory - save an open directory that was removed
 * @ctx: context
 * @path: the directory
 *
 * Return: CKPT_FILE_REMOVED_DIRECTORY or a negative errno.
 */
int ckpt_file_save_removed_directory(struct ckpt_ctx *ctx,
				     const struct path *path)
{
	struct ckpt_hdr_file_removed_directory *record;
	int objref = ckpt_removed_directory_ref(ctx, path);

	if (objref < 0)
		return objref;
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_REMOVED_DIRECTORY);
	if (!record)
		return -ENOMEM;
	record->directory = objref;
	return CKPT_FILE_REMOVED_DIRECTORY;
}

/* Some filesystems do not tell what they have made. */
static struct dentry *made_in(const struct path *above, struct dentry *dentry)
{
	struct dentry *found;

	if (!d_unhashed(dentry) && d_is_dir(dentry))
		return dget(dentry);
	found = lookup_one_len(dentry->d_name.name, above->dentry,
			       dentry->d_name.len);
	if (!IS_ERR(found) && !d_is_dir(found)) {
		dput(found);
		return ERR_PTR(-ENOENT);
	}
	return found;
}

/* Both under the lock that kern_path_create() has taken. */
static struct file *make_and_remove(const struct path *above,
				    struct dentry *dentry)
{
	struct inode *inode = d_inode(above->dentry);
	struct mnt_idmap *idmap = mnt_idmap(above->mnt);
	struct path made = { .mnt = above->mnt };
	struct file *file;
	int ret;

	ret = security_path_mkdir(above, dentry, 0700);
	if (!ret)
		ret = vfs_mkdir(idmap, inode, dentry, 0700);
	if (ret)
		return ERR_PTR(ret);
	made.dentry = made_in(above, dentry);
	if (IS_ERR(made.dentry))
		return ERR_CAST(made.dentry);
	/* Before it is gone: a dentry that nobody uses would forget it. */
	file = dentry_open(&made, O_PATH | O_DIRECTORY, current_cred());
	ret = security_path_rmdir(above, made.dentry);
	if (!ret)
		ret = vfs_rmdir(idmap, inode, made.dentry);
	dput(made.dentry);
	if (ret && !IS_ERR(file)) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static struct file *make_removed(struct ckpt_ctx *ctx, const char *name,
				 const struct ckpt_hdr_removed_directory *record)
{
	struct dentry *dentry;
	struct path above;
	struct file *file;

	dentry = kern_path_create(AT_FDCWD, name, &above, LOOKUP_DIRECTORY);
	if (IS_ERR(dentry))
		return ERR_CAST(dentry);
	if (above.dentry->d_sb->s_magic == record->fs_magic)
		file = make_and_remove(&above, dentry);
	else
		file = ERR_PTR(-ESTALE);
	done_path_create(&above, dentry);
	return file;
}

static bool is_name(const char *name)
{
	return *name && strlen(name) <= NAME_MAX && !strchr(name, '/') &&
	       strcmp(name, ".") && strcmp(name, "..");
}

static struct file *create(struct ckpt_ctx *ctx, const char *above,
			   const char *name,
			   const struct ckpt_hdr_removed_directory *record)
{
	struct file *file = ERR_PTR(-EEXIST);
	unsigned int number;
	char *path;

	for (number = 0; number < NAMES_MAX; number++) {
		if (number)
			path = kasprintf(GFP_KERNEL_ACCOUNT, "%s/%.200s.%u",
					 above, name, number);
		else
			path = kasprintf(GFP_KERNEL_ACCOUNT, "%s/%s", above,
					 name);
		if (!path)
			return ERR_PTR(-ENOMEM);
		file = make_removed(ctx, path, record);
		kfree(path);
		if (file != ERR_PTR(-EEXIST))
			break;
	}
	if (file == ERR_PTR(-ESTALE))
		ckpt_error(ctx, -ESTALE,
			   "%s is not on the filesystem of the removed directory %s",
			   above, name);
	else if (IS_ERR(file))
		ckpt_error(ctx, PTR_ERR(file),
			   "the removed directory %s cannot be made and removed in %s",
			   name, above);
	return file;
}

static struct file *restore_place(struct ckpt_ctx *ctx,
				  const struct ckpt_hdr_removed_directory *record)
{
	struct file *file;
	char *above, *name;

	above = ckpt_text_read(ctx);
	if (IS_ERR(above))
		return ERR_CAST(above);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name))
		file = ERR_CAST(name);
	else if (!is_name(name))
		file = ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "a removed directory of the name %s",
					  name));
	else
		file = create(ctx, above, name, record);
	if (!IS_ERR(name))
		kvfree(name);
	kvfree(above);
	return file;
}

/**
 * ckpt_removed_directory_restore - read, make and remove a directory
 * @ctx: context
 *
 * Context: With the credentials of the current task.
 *
 * Return: struct file with a reference, open as a path only, or an error
 * pointer.
 */
void *ckpt_removed_directory_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_removed_directory record;
	struct ckpt_hdr_file_attributes attributes;
	struct file *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_REMOVED_DIRECTORY, &record);
	if (ret)
		return ERR_PTR(ret);
	file = restore_place(ctx, &record);
	if (IS_ERR(file))
		return file;
	ret = ckpt_file_attributes_read(ctx, &attributes);
	if (!ret)
		ret = ckpt_file_attributes_set(ctx, file, &attributes);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

/**
 * ckpt_file_restore_removed_directory - read and open a removed directory
 * @ctx: context
 * @record: its first record
 *
 * Nothing is in it: no permission is asked for.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *
ckpt_file_restore_removed_directory(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record)
{
	struct ckpt_hdr_file_removed_directory removed;
	struct file *directory, *file;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_REMOVED_DIRECTORY, &removed);
	if (ret)
		return ERR_PTR(ret);
	if ((record->open_flags & O_ACCMODE) != O_RDONLY &&
	    !(record->open_flags & O_PATH))
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "open flags %#o of a directory",
					  record->open_flags));
	directory = ckpt_object_find(ctx, removed.directory,
				     CKPT_OBJ_REMOVED_DIRECTORY);
	file = dentry_open(&directory->f_path, record->open_flags,
			   current_cred());
	if (IS_ERR(file))
		ckpt_error(ctx, PTR_ERR(file), "cannot open directory %pD",
			   directory);
	return file;
}
