// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of credentials.
 *
 * Saved: user and group ids, supplementary groups, capabilities, securebits, and
 *	the user namespace that they count in.
 * Reset to default: keyrings and security labels (those of the restart).
 * Refused: ids that have no number in their user namespace, nor for the caller.
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

/* The real, effective, saved and file system id, as the record has them. */
static void uids_of(const struct cred *cred, kuid_t uids[4])
{
	uids[0] = cred->uid;
	uids[1] = cred->euid;
	uids[2] = cred->suid;
	uids[3] = cred->fsuid;
}

static void gids_of(const struct cred *cred, kgid_t gids[4])
{
	gids[0] = cred->gid;
	gids[1] = cred->egid;
	gids[2] = cred->sgid;
	gids[3] = cred->fsgid;
}

static u32 *uid_field(struct ckpt_hdr_cred *record, unsigned int index)
{
	u32 *const fields[] = {
		&record->uid, &record->euid, &record->suid, &record->fsuid,
	};

	return fields[index];
}

static u32 *gid_field(struct ckpt_hdr_cred *record, unsigned int index)
{
	u32 *const fields[] = {
		&record->gid, &record->egid, &record->sgid, &record->fsgid,
	};

	return fields[index];
}

/*
 * Who has entered a user namespace keeps the ids that it does not map. Those have
 * no number there, but one for the caller, unless he is in there, too.
 */
static int save_ids(struct ckpt_ctx *ctx, const struct cred *cred,
		    struct ckpt_hdr_cred *record)
{
	unsigned int index;
	kuid_t uids[4];
	kgid_t gids[4];

	uids_of(cred, uids);
	gids_of(cred, gids);
	for (index = 0; index < 4; index++) {
		u32 *uid = uid_field(record, index);
		u32 *gid = gid_field(record, index);

		*uid = from_kuid(cred->user_ns, uids[index]);
		if (*uid == (u32)-1) {
			*uid = from_kuid(current_user_ns(), uids[index]);
			record->outer |= CKPT_CRED_UID << index;
		}
		*gid = from_kgid(cred->user_ns, gids[index]);
		if (*gid == (u32)-1) {
			*gid = from_kgid(current_user_ns(), gids[index]);
			record->outer |= CKPT_CRED_GID << index;
		}
		if (*uid == (u32)-1 || *gid == (u32)-1)
			return ckpt_error(ctx, -EOPNOTSUPP,
					  "its user or group has no number in the user namespace of the caller");
	}
	return 0;
}

/* First those that have numbers in their user namespace, then the others. */
static int save_groups(struct ckpt_ctx *ctx, const struct cred *cred,
		       struct ckpt_hdr_cred *record)
{
	const struct group_info *groups = cred->group_info;
	u32 *gids, number;
	int index;

	gids = ckpt_buffer_add(ctx, groups->ngroups * sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	for (index = 0; index < groups->ngroups; index++) {
		number = from_kgid(cred->user_ns, groups->gid[index]);
		if (number != (u32)-1)
			gids[record->ngroups++] = number;
	}
	for (index = 0; index < groups->ngroups; index++) {
		if (kgid_has_mapping(cred->user_ns, groups->gid[index]))
			continue;
		number = from_kgid(current_user_ns(), groups->gid[index]);
		if (number == (u32)-1)
			return ckpt_error(ctx, -EOPNOTSUPP,
					  "one of its groups has no number in the user namespace of the caller");
		gids[record->ngroups + record->nouter_groups++] = number;
	}
	return 0;
}

/**
 * ckpt_cred_save - save credentials
 * @ctx: context
 * @object: struct cred
 *
 * Return: 0 or a negative errno.
 */
int ckpt_cred_save(struct ckpt_ctx *ctx, void *object)
{
	const struct cred *cred = object;
	struct ckpt_hdr_cred *record;
	int user_ns, ret;

	if (!in_userns(current_user_ns(), cred->user_ns))
		return ckpt_error(ctx, -EPERM,
				  "its user namespace is not below that of the caller");
	user_ns = ckpt_user_ns_ref(ctx, cred->user_ns);
	if (user_ns < 0)
		return user_ns;
	record = ckpt_record_add(ctx, CKPT_HDR_CRED);
	if (!record)
		return -ENOMEM;
	record->user_ns = user_ns;
	record->cap_inheritable = cred->cap_inheritable.val;
	record->cap_permitted = cred->cap_permitted.val;
	record->cap_effective = cred->cap_effective.val;
	record->cap_bset = cred->cap_bset.val;
	record->cap_ambient = cred->cap_ambient.val;
	record->securebits = cred->securebits;
	ret = save_ids(ctx, cred, record);
	return ret ?: save_groups(ctx, cred, record);
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

/* Who has entered a new user namespace has every right there. */
static bool may(const struct cred *new, int capability)
{
	return ckpt_user_ns_is_new(new->user_ns) ||
	       ns_capable(current_user_ns(), capability);
}

/* An id that is said to have no number in the user namespace must have none. */
static kuid_t find_uid(const struct cred *new, u32 number, bool outer)
{
	kuid_t uid = make_kuid(outer ? current_user_ns() : new->user_ns,
			       number);

	if (outer && kuid_has_mapping(new->user_ns, uid))
		return INVALID_UID;
	return uid;
}

static kgid_t find_gid(const struct cred *new, u32 number, bool outer)
{
	kgid_t gid = make_kgid(outer ? current_user_ns() : new->user_ns,
			       number);

	if (outer && kgid_has_mapping(new->user_ns, gid))
		return INVALID_GID;
	return gid;
}

static int find_ids(struct ckpt_ctx *ctx, struct cred *new,
		    struct ckpt_hdr_cred *record)
{
	unsigned int index;
	kuid_t uids[4];
	kgid_t gids[4];

	for (index = 0; index < 4; index++) {
		uids[index] = find_uid(new, *uid_field(record, index),
				       record->outer & CKPT_CRED_UID << index);
		gids[index] = find_gid(new, *gid_field(record, index),
				       record->outer & CKPT_CRED_GID << index);
		if (!uid_valid(uids[index]) || !gid_valid(gids[index]))
			return ckpt_error(ctx, -EINVAL,
					  "an id has no meaning in this user namespace");
	}
	new->uid = uids[0];
	new->euid = uids[1];
	new->suid = uids[2];
	new->fsuid = uids[3];
	new->gid = gids[0];
	new->egid = gids[1];
	new->sgid = gids[2];
	new->fsgid = gids[3];
	return 0;
}

/*
 * The user namespace of the caller decides: one below it maps nobody whom the caller
 * could not become, see kernel/user_namespace_ckpt.c.
 */
static int set_ids(struct ckpt_ctx *ctx, struct cred *new,
		   struct ckpt_hdr_cred *record)
{
	struct user_namespace *user_ns = current_user_ns();
	const struct cred *old = current_cred();
	int ret;

	ret = find_ids(ctx, new, record);
	if (ret)
		return ret;
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
	u32 ngroups = record->ngroups + record->nouter_groups;
	struct group_info *groups;
	u32 nbytes, index;
	u32 *gids;
	int ret;

	gids = ckpt_buffer_read(ctx, &nbytes);
	if (IS_ERR(gids))
		return PTR_ERR(gids);
	ret = -EINVAL;
	if (ngroups > NGROUPS_MAX || nbytes != ngroups * sizeof(*gids)) {
		ckpt_error(ctx, ret, "%u bytes for %u groups", nbytes, ngroups);
		goto free_gids;
	}
	ret = -ENOMEM;
	groups = groups_alloc(ngroups);
	if (!groups)
		goto free_gids;
	for (index = 0; index < ngroups; index++) {
		groups->gid[index] = find_gid(new, gids[index],
					      index >= record->ngroups);
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

/* @new has those to begin with: of the caller, or all in a new user namespace. */
static int set_capabilities(struct ckpt_ctx *ctx, struct cred *new,
			    const struct ckpt_hdr_cred *record)
{
	const kernel_cap_t permitted = new->cap_permitted;
	const kernel_cap_t inheritable = new->cap_inheritable;
	const kernel_cap_t bset = new->cap_bset;
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
	if (!cap_issubset(new->cap_permitted, permitted) ||
	    !cap_issubset(new->cap_bset, bset) ||
	    !cap_issubset(new->cap_inheritable,
			  cap_combine(inheritable, permitted)))
		return ckpt_error(ctx, -EPERM, "no right to its capabilities");
	/* A smaller bounding set is what PR_CAPBSET_DROP makes. */
	if (!cap_issubset(bset, new->cap_bset) && !may(new, CAP_SETPCAP))
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
	unsigned int old = new->securebits;
	unsigned int changed = old ^ record->securebits;
	unsigned int locks = old & SECURE_ALL_LOCKS;

	if (record->securebits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return ckpt_error(ctx, -EINVAL, "unknown securebits");
	/* The lock of a bit is the bit above it. */
	if (changed & (locks | locks >> 1))
		return ckpt_error(ctx, -EPERM, "its securebits are locked here");
	if ((changed & ~SECBIT_KEEP_CAPS) && !may(new, CAP_SETPCAP))
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
	struct user_namespace *user_ns;
	struct ckpt_hdr_cred record;
	struct cred *new;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_CRED, &record);
	if (ret)
		return ERR_PTR(ret);
	new = prepare_creds();
	if (!new)
		return ERR_PTR(-ENOMEM);
	user_ns = ckpt_user_ns_find(ctx, record.user_ns);
	if (ckpt_user_ns_is_new(user_ns))
		ckpt_user_ns_enter(new, user_ns);
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
