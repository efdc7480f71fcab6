// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of credentials.
 *
 * Saved: user and group ids, supplementary groups, capabilities, securebits.
 * Reset to default: keyrings and security labels (those of the restart).
 *
 * A restart may set what the caller could set by system calls, and no more:
 * an image is a file that anybody may have edited.
 */
#include <linux/capability.h>
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

/**
 * ckpt_cred_save - save credentials
 * @ctx: context
 * @object: struct cred
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cred_save(struct ckpt_ctx *ctx, void *object)
{
	struct user_namespace *user_ns = current_user_ns();
	const struct cred *cred = object;
	const struct group_info *groups = cred->group_info;
	struct ckpt_hdr_cred *record;
	u32 *gids;
	int index;

	record = ckpt_record_add(ctx, CKPT_HDR_CRED);
	if (!record)
		return -ENOMEM;
	record->uid = from_kuid_munged(user_ns, cred->uid);
	record->euid = from_kuid_munged(user_ns, cred->euid);
	record->suid = from_kuid_munged(user_ns, cred->suid);
	record->fsuid = from_kuid_munged(user_ns, cred->fsuid);
	record->gid = from_kgid_munged(user_ns, cred->gid);
	record->egid = from_kgid_munged(user_ns, cred->egid);
	record->sgid = from_kgid_munged(user_ns, cred->sgid);
	record->fsgid = from_kgid_munged(user_ns, cred->fsgid);
	record->cap_inheritable = cred->cap_inheritable.val;
	record->cap_permitted = cred->cap_permitted.val;
	record->cap_effective = cred->cap_effective.val;
	record->cap_bset = cred->cap_bset.val;
	record->cap_ambient = cred->cap_ambient.val;
	record->securebits = cred->securebits;
	record->ngroups = groups->ngroups;

	gids = ckpt_buffer_add(ctx, groups->ngroups * sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	for (index = 0; index < groups->ngroups; index++)
		gids[index] = from_kgid_munged(user_ns, groups->gid[index]);
	return 0;
}

static bool is_own_uid(const struct cred *cred, kuid_t uid)
{
	return uid_eq(uid, cred->uid) || uid_eq(uid, cred->euid) ||
	       uid_eq(uid, cred->suid);
}

/**
 * ckpt_cred_may_be_user - may the current task act as another user?
 * @uid: user
 *
 * Return: whether it could have become that user by a system call.
 */
bool ckpt_cred_may_be_user(kuid_t uid)
{
	return is_own_uid(current_cred(), uid) ||
	       ns_capable(current_user_ns(), CAP_SETUID);
}

static bool is_own_gid(const struct cred *cred, kgid_t gid)
{
	return gid_eq(gid, cred->gid) || gid_eq(gid, cred->egid) ||
	       gid_eq(gid, cred->sgid);
}

/**
 * ckpt_cred_may_be_group - may the current task act as another group?
 * @gid: group
 *
 * Return: whether it could have made that its group by a system call.
 */
bool ckpt_cred_may_be_group(kgid_t gid)
{
	return is_own_gid(current_cred(), gid) ||
	       ns_capable(current_user_ns(), CAP_SETGID);
}

static int set_ids(struct ckpt_ctx *ctx, struct cred *new,
		   const struct ckpt_hdr_cred *record)
{
	struct user_namespace *user_ns = current_user_ns();
	const struct cred *old = current_cred();

	new->uid = make_kuid(user_ns, record->uid);
	new->euid = make_kuid(user_ns, record->euid);
	new->suid = make_kuid(user_ns, record->suid);
	new->fsuid = make_kuid(user_ns, record->fsuid);
	new->gid = make_kgid(user_ns, record->gid);
	new->egid = make_kgid(user_ns, record->egid);
	new->sgid = make_kgid(user_ns, record->sgid);
	new->fsgid = make_kgid(user_ns, record->fsgid);
	if (!uid_valid(new->uid) || !uid_valid(new->euid) ||
	    !uid_valid(new->suid) || !uid_valid(new->fsuid) ||
	    !gid_valid(new->gid) || !gid_valid(new->egid) ||
	    !gid_valid(new->sgid) || !gid_valid(new->fsgid))
		return ckpt_error(ctx, -EINVAL,
				  "an id has no meaning in this user namespace");

	if (!(is_own_uid(old, new->uid) && is_own_uid(old, new->euid) &&
	      is_own_uid(old, new->suid) &&
	      (is_own_uid(old, new->fsuid) ||
	       uid_eq(old->fsuid, new->fsuid))) &&
	    !ns_capable(user_ns, CAP_SETUID))
		return ckpt_error(ctx, -EPERM,
				  "no right to become user %u (effective %u)",
				  record->uid, record->euid);
	if (!(is_own_gid(old, new->gid) && is_own_gid(old, new->egid) &&
	      is_own_gid(old, new->sgid) &&
	      (is_own_gid(old, new->fsgid) ||
	       gid_eq(old->fsgid, new->fsgid))) &&
	    !ns_capable(user_ns, CAP_SETGID))
		return ckpt_error(ctx, -EPERM,
				  "no right to become group %u (effective %u)",
				  record->gid, record->egid);
	return 0;
}

static bool same_groups(const struct group_info *a, const struct group_info *b)
{
	int index;

	if (a->ngroups != b->ngroups)
		return false;
	for (index = 0; index < a->ngroups; index++)
		if (!gid_eq(a->gid[index], b->gid[index]))
			return false;
	return true;
}

static int set_supplementary_groups(struct ckpt_ctx *ctx, struct cred *new,
				    const struct ckpt_hdr_cred *record)
{
	struct user_namespace *user_ns = current_user_ns();
	struct group_info *groups;
	u32 nbytes, index;
	u32 *gids;
	int ret;

	gids = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(gids))
		return PTR_ERR(gids);
	ret = -EINVAL;
	if (nbytes != record->ngroups * sizeof(*gids)) {
		ckpt_error(ctx, ret, "%u bytes for %u groups", nbytes,
			   record->ngroups);
		goto free_gids;
	}
	ret = -ENOMEM;
	groups = groups_alloc(record->ngroups);
	if (!groups)
		goto free_gids;
	for (index = 0; index < record->ngroups; index++) {
		groups->gid[index] = make_kgid(user_ns, gids[index]);
		if (!gid_valid(groups->gid[index])) {
			ret = ckpt_error(ctx, -EINVAL,
					 "group %u has no meaning in this user namespace",
					 gids[index]);
			goto put_groups;
		}
	}
	groups_sort(groups);
	if (!same_groups(groups, current_cred()->group_info) &&
	    !may_setgroups()) {
		ret = ckpt_error(ctx, -EPERM,
				 "no right to the supplementary groups");
		goto put_groups;
	}
	set_groups(new, groups);
	ret = 0;

put_groups:
	put_group_info(groups);
free_gids:
	kvfree(gids);
	return ret;
}

static kernel_cap_t to_caps(u64 bits)
{
	return (kernel_cap_t) { .val = bits };
}

static int set_capabilities(struct ckpt_ctx *ctx, struct cred *new,
			    const struct ckpt_hdr_cred *record)
{
	const struct cred *old = current_cred();
	u64 all = record->cap_inheritable | record->cap_permitted |
		  record->cap_effective | record->cap_bset |
		  record->cap_ambient;

	if (all & ~CAP_VALID_MASK)
		return ckpt_error(ctx, -EINVAL, "unknown capabilities");
	new->cap_inheritable = to_caps(record->cap_inheritable);
	new->cap_permitted = to_caps(record->cap_permitted);
	new->cap_effective = to_caps(record->cap_effective);
	new->cap_bset = to_caps(record->cap_bset);
	new->cap_ambient = to_caps(record->cap_ambient);

	if (!cap_issubset(new->cap_effective, new->cap_permitted) ||
	    !cap_issubset(new->cap_ambient,
			  cap_intersect(new->cap_permitted,
					new->cap_inheritable)))
		return ckpt_error(ctx, -EINVAL,
				  "the sets of capabilities contradict each other");
	if (!cap_issubset(new->cap_permitted, old->cap_permitted) ||
	    !cap_issubset(new->cap_bset, old->cap_bset) ||
	    !cap_issubset(new->cap_inheritable,
			  cap_combine(old->cap_inheritable,
				      old->cap_permitted)))
		return ckpt_error(ctx, -EPERM, "no right to its capabilities");
	/* A smaller bounding set is what PR_CAPBSET_DROP makes. */
	if (!cap_issubset(old->cap_bset, new->cap_bset) &&
	    !ns_capable(current_user_ns(), CAP_SETPCAP))
		return ckpt_error(ctx, -EPERM,
				  "no right to drop capabilities from the bounding set");
	return 0;
}

/*
 * By the rules of prctl(): nothing changes a locked bit or takes a lock away,
 * and only PR_SET_KEEPCAPS needs no capability.
 */
static int set_securebits(struct ckpt_ctx *ctx, struct cred *new,
			  const struct ckpt_hdr_cred *record)
{
	unsigned int old = current_cred()->securebits;
	unsigned int changed = old ^ record->securebits;
	unsigned int locks = old & SECURE_ALL_LOCKS;

	if (record->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return ckpt_error(ctx, -EINVAL, "unknown securebits");
	/* The lock of a bit is the bit above it. */
	if (changed & (locks | locks >> 1))
		return ckpt_error(ctx, -EPERM, "its securebits are locked here");
	if ((changed & ~SECBIT_KEEP_CAPS) &&
	    !ns_capable(current_user_ns(), CAP_SETPCAP))
		return ckpt_error(ctx, -EPERM, "no right to its securebits");
	new->securebits = record->securebits;
	return 0;
}

/* The processes of the new real user are one more. */
static int set_user(struct cred *new)
{
	struct user_struct *user = alloc_uid(new->uid);

	if (!user)
		return -EAGAIN;
	free_uid(new->user);
	new->user = user;
	return 0;
}

/**
 * ckpt_cred_restore - read credentials and check the right to them
 * @ctx: context
 *
 * Return: struct cred with a reference, or an error pointer.
 */
void *ckpt_cred_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_cred record;
	struct cred *new;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_CRED, &record);
	if (ret)
		return ERR_PTR(ret);
	new = prepare_creds();
	if (!new)
		return ERR_PTR(-ENOMEM);
	ret = set_supplementary_groups(ctx, new, &record);
	if (!ret)
		ret = set_ids(ctx, new, &record);
	if (!ret)
		ret = set_capabilities(ctx, new, &record);
	if (!ret)
		ret = set_securebits(ctx, new, &record);
	if (!ret && !uid_eq(new->uid, current_uid()))
		ret = set_user(new);
	if (!ret)
		ret = set_cred_ucounts(new);
	if (ret) {
		abort_creds(new);
		return ERR_PTR(ret);
	}
	return new;
}

/**
 * ckpt_cred_commit - make them the credentials of the current task
 * @ctx: context
 * @stage: from ckpt_task_restore()
 *
 * Return: 0.
 */
int ckpt_cred_commit(struct ckpt_ctx *ctx, struct ckpt_task_stage *stage)
{
	/* The table of objects keeps its own reference. */
	return commit_creds((struct cred *)get_cred(stage->cred));
}
