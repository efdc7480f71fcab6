// SPDX-License-Identifier: GPL-2.0
/*
 * A path for what is held by its inode alone, such as a watch.
 *
 * Nothing tells by which name somebody found it. Any name will do that leads
 * to it from the caller's root directory: one that the kernel knows, since it
 * must not search for one, in a mount that is not covered by another.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/seqlock.h>

#include "mount.h"

/* Mounts and names are locked for everybody: a search must come to an end. */
#define STEPS_MAX	65536

/* Would a lookup from the root come to this dentry, in this mount? */
static bool is_visible(struct mount *mnt, struct dentry *dentry,
		       const struct path *root, u32 *steps)
{
	struct mount *from = NULL;

	while (&mnt->mnt != root->mnt || dentry != root->dentry) {
		struct mount *cover = NULL;

		if (!*steps || !--*steps)
			return false;
		if (d_mountpoint(dentry))
			cover = __lookup_mnt(&mnt->mnt, dentry);
		if (cover != from)
			return false;
		from = NULL;
		if (dentry != mnt->mnt.mnt_root) {
			if (IS_ROOT(dentry))
				return false;
			dentry = dentry->d_parent;
			continue;
		}
		if (!mnt_has_parent(mnt))
			return false;
		from = mnt;
		dentry = mnt->mnt_mountpoint;
		mnt = mnt->mnt_parent;
	}
	/* What is mounted on the root is not seen from there. */
	return !from;
}

static struct vfsmount *find_mount(struct dentry *dentry,
				   const struct path *root,
				   struct vfsmount *likely)
{
	struct super_block *sb = dentry->d_sb;
	struct vfsmount *found = NULL;
	u32 steps = STEPS_MAX;
	struct mount *mnt;

	/* Neither mounts nor names change meanwhile. */
	guard(rcu)();
	read_seqlock_excl(&mount_lock);
	read_seqlock_excl(&rename_lock);
	if (likely && likely->mnt_sb == sb &&
	    is_visible(real_mount(likely), dentry, root, &steps)) {
		found = mntget(likely);
		goto unlock;
	}
	list_for_each_entry(mnt, &sb->s_mounts, mnt_instance) {
		if (!steps--)
			break;
		if (mnt->mnt_ns != real_mount(root->mnt)->mnt_ns ||
		    !is_visible(mnt, dentry, root, &steps))
			continue;
		found = mntget(&mnt->mnt);
		break;
	}
unlock:
	read_sequnlock_excl(&rename_lock);
	read_sequnlock_excl(&mount_lock);
	return found;
}

/**
 * ckpt_inode_path_find - a path that leads to an inode
 * @ctx: context
 * @inode: kept alive by the caller
 * @likely: mount to try first, or NULL
 * @path: filled in, with references
 *
 * Context: Takes spinlocks only. Reads no directory.
 *
 * Return: 0; -EBADF if it was unlinked, -ENOENT if no name is known or none is
 * visible for the caller of checkpoint().
 */
int ckpt_inode_path_find(struct ckpt_ctx *ctx, struct inode *inode,
			 struct vfsmount *likely, struct path *path)
{
	const char *type = inode->i_sb->s_type->name;

	if (!inode->i_nlink)
		return ckpt_error(ctx, -EBADF,
				  "inode %lu of %s was unlinked",
				  inode->i_ino, type);
	path->dentry = d_find_alias(inode);
	if (!path->dentry)
		return ckpt_error(ctx, -ENOENT,
				  "no name of inode %lu of %s is known",
				  inode->i_ino, type);
	path->mnt = find_mount(path->dentry, &ctx->root, likely);
	if (path->mnt)
		return 0;
	ckpt_error(ctx, -ENOENT, "no path leads to %pd, inode %lu of %s",
		   path->dentry, inode->i_ino, type);
	dput(path->dentry);
	return -ENOENT;
}
