// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of root directory, working directory and umask.
 *
 * Saved: the paths, as the caller of checkpoint() sees them; the umask; a
 *	working directory that was removed.
 * Refused: directories that the caller cannot see, a root directory that was
 *	removed.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched/task.h>
#include <linux/user_namespace.h>

/**
 * ckpt_fs_get - take a reference
 * @object: struct fs_struct
 */
void ckpt_fs_get(void *object)
{
	struct fs_struct *fs = object;

	spin_lock(&fs->lock);
	fs->users++;
	spin_unlock(&fs->lock);
}

/**
 * ckpt_fs_put - drop a reference
 * @object: struct fs_struct
 */
void ckpt_fs_put(void *object)
{
	struct fs_struct *fs = object;
	bool last;

	spin_lock(&fs->lock);
	last = !--fs->users;
	spin_unlock(&fs->lock);
	if (last)
		free_fs_struct(fs);
}

static int save_directory(struct ckpt_ctx *ctx, const struct path *path,
			  const char *what)
{
	int ret;

	ret = ckpt_path_add(ctx, path);
	if (ret)
		return ckpt_error(ctx, ret,
				  "its %s directory %pd cannot be named", what,
				  path->dentry);
	return 0;
}

static int save_directories(struct ckpt_ctx *ctx, const struct fs_struct *fs,
			    const struct path *root, const struct path *pwd)
{
	struct ckpt_hdr_fs *record;
	int removed = 0, ret;

	if (ckpt_directory_is_removed(root))
		return ckpt_error(ctx, -EBADF,
				  "its root directory was removed");
	if (ckpt_directory_is_removed(pwd)) {
		removed = ckpt_removed_directory_ref(ctx, pwd);
		if (removed < 0)
			return ckpt_error(ctx, removed,
					  "its working directory %pd",
					  pwd->dentry);
	}
	record = ckpt_record_add(ctx, CKPT_HDR_FS);
	if (!record)
		return -ENOMEM;
	record->umask = fs->umask;
	record->removed_pwd = removed;
	ret = save_directory(ctx, root, "root");
	if (!ret && !removed)
		ret = save_directory(ctx, pwd, "working");
	return ret;
}

/**
 * ckpt_fs_save - save root directory, working directory and umask
 * @ctx: context
 * @object: struct fs_struct
 *
 * Return: 0 or a negative errno.
 */
int ckpt_fs_save(struct ckpt_ctx *ctx, void *object)
{
	struct fs_struct *fs = object;
	struct path root, pwd;
	int ret;

	get_fs_root(fs, &root);
	get_fs_pwd(fs, &pwd);
	ret = save_directories(ctx, fs, &root, &pwd);
	path_put(&root);
	path_put(&pwd);
	return ret;
}

static int find_directory(struct ckpt_ctx *ctx, struct path *path,
			  const char *what)
{
	char *name = ckpt_text_read(ctx);
	int ret;

	if (IS_ERR(name))
		return PTR_ERR(name);
	ret = kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, path);
	if (!ret) {
		ret = path_permission(path, MAY_EXEC | MAY_CHDIR);
		if (ret)
			path_put(path);
	}
	if (ret)
		ckpt_error(ctx, ret, "%s directory %s", what, name);
	kvfree(name);
	return ret;
}

static int set_root(struct ckpt_ctx *ctx, struct fs_struct *fs)
{
	struct path root;
	int ret;

	ret = find_directory(ctx, &root, "root");
	if (ret)
		return ret;
	set_fs_root(fs, &root);
	path_put(&root);
	return 0;
}

/* Nothing is in it: no permission is asked for. */
static void set_removed_pwd(struct ckpt_ctx *ctx, struct fs_struct *fs,
			    u32 objref)
{
	struct file *directory;

	directory = ckpt_object_find(ctx, objref, CKPT_OBJ_REMOVED_DIRECTORY);
	set_fs_pwd(fs, &directory->f_path);
}

static int set_pwd(struct ckpt_ctx *ctx, struct fs_struct *fs, u32 removed)
{
	struct path pwd;
	int ret;

	if (removed) {
		set_removed_pwd(ctx, fs, removed);
		return 0;
	}
	ret = find_directory(ctx, &pwd, "working");
	if (ret)
		return ret;
	set_fs_pwd(fs, &pwd);
	path_put(&pwd);
	return 0;
}

/**
 * ckpt_fs_restore - read root directory, working directory and umask
 * @ctx: context
 *
 * Return: struct fs_struct with a reference, or an error pointer.
 */
void *ckpt_fs_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_fs record;
	struct fs_struct *fs;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FS, &record);
	if (ret)
		return ERR_PTR(ret);
	fs = copy_fs_struct(current->fs);
	if (!fs)
		return ERR_PTR(-ENOMEM);
	fs->umask = record.umask;
	ret = set_root(ctx, fs);
	if (!ret)
		ret = set_pwd(ctx, fs, record.removed_pwd);
	if (ret) {
		ckpt_fs_put(fs);
		return ERR_PTR(ret);
	}
	return fs;
}

/**
 * ckpt_fs_check - may the current task have that root directory?
 * @ctx: context
 * @stage: its objects were found
 *
 * As chroot(2) asks, in the user namespace that it will be in.
 *
 * Return: 0, -EPERM.
 */
int ckpt_fs_check(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	if (path_equal(&stage->fs->root, &current->fs->root) ||
	    ckpt_user_ns_is_new(stage->cred->user_ns) ||
	    ns_capable(current_user_ns(), CAP_SYS_CHROOT))
		return 0;
	return ckpt_error(ctx, -EPERM, "no right to change the root directory");
}

/**
 * ckpt_fs_commit - make it the state of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Return: 0.
 */
int ckpt_fs_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	struct fs_struct *old;

	ckpt_fs_get(stage->fs);
	task_lock(current);
	old = current->fs;
	current->fs = stage->fs;
	task_unlock(current);
	ckpt_fs_put(old);
	return 0;
}
