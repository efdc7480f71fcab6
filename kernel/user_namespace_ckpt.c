// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of user namespaces: part of user_namespace.c.
 *
 * Saved: those below that of the caller of checkpoint(): parent, owner, maps,
 *	whether setgroups(2) is allowed, limits. That of the caller is replaced by
 *	the one that the caller of restart() is in.
 * Reset to default: keyrings; who is charged for what was created there.
 * Refused: namespaces with entries of binfmt_misc.
 *
 * A restart makes what its caller could make by unshare(2) and by writing to the
 * files of /proc, with the same rights. Whoever creates a user namespace has every
 * right in it. So what is below a new one is free, and no user or group is mapped
 * there that the caller could not become himself.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/resource.h>

/* Whether anybody may create one, where the kernel has a switch for that. */
#ifndef CKPT_USER_NS_ALLOWED
#define CKPT_USER_NS_ALLOWED	1
#endif

static_assert(CKPT_EXTENTS_MAX == UID_GID_MAP_MAX_EXTENTS);

/* Limits in the order of the record; what this kernel does not count has none. */
static const int limits[] = {
	UCOUNT_USER_NAMESPACES,
	UCOUNT_PID_NAMESPACES,
	UCOUNT_UTS_NAMESPACES,
	UCOUNT_IPC_NAMESPACES,
	UCOUNT_NET_NAMESPACES,
	UCOUNT_MNT_NAMESPACES,
	UCOUNT_CGROUP_NAMESPACES,
	UCOUNT_TIME_NAMESPACES,
#ifdef CONFIG_INOTIFY_USER
	UCOUNT_INOTIFY_INSTANCES,
	UCOUNT_INOTIFY_WATCHES,
#else
	-1, -1,
#endif
#ifdef CONFIG_FANOTIFY
	UCOUNT_FANOTIFY_GROUPS,
	UCOUNT_FANOTIFY_MARKS,
#else
	-1, -1,
#endif
};

static_assert(offsetofend(struct ckpt_hdr_user_ns, max_fanotify_marks) -
	      offsetof(struct ckpt_hdr_user_ns, max_user_namespaces) ==
	      ARRAY_SIZE(limits) * sizeof(u32));

static u32 *limit_of(struct ckpt_hdr_user_ns *record, unsigned int index)
{
	void *first = record;

	first += offsetof(struct ckpt_hdr_user_ns, max_user_namespaces);
	return (u32 *)first + index;
}

/* What its creator's resource limits were is a limit for all who are in it. */
static const struct {
	const char *name;
	size_t offset;
	unsigned int resource;
	enum rlimit_type type;
} creator_limits[] = {
	{ "RLIMIT_NPROC", offsetof(struct ckpt_hdr_user_ns, nproc),
	  RLIMIT_NPROC, UCOUNT_RLIMIT_NPROC },
	{ "RLIMIT_MSGQUEUE", offsetof(struct ckpt_hdr_user_ns, msgqueue),
	  RLIMIT_MSGQUEUE, UCOUNT_RLIMIT_MSGQUEUE },
	{ "RLIMIT_SIGPENDING", offsetof(struct ckpt_hdr_user_ns, sigpending),
	  RLIMIT_SIGPENDING, UCOUNT_RLIMIT_SIGPENDING },
	{ "RLIMIT_MEMLOCK", offsetof(struct ckpt_hdr_user_ns, memlock),
	  RLIMIT_MEMLOCK, UCOUNT_RLIMIT_MEMLOCK },
};

static_assert(ARRAY_SIZE(creator_limits) == UCOUNT_RLIMIT_COUNTS);

static u64 *creator_limit_of(struct ckpt_hdr_user_ns *record,
			     unsigned int index)
{
	return (void *)record + creator_limits[index].offset;
}

/**
 * ckpt_user_ns_is_new - has this restart made a user namespace?
 * @ns: that of the current task, or one of the image
 *
 * Return: whether it has; then the current task has every right there.
 */
bool ckpt_user_ns_is_new(const struct user_namespace *ns)
{
	return ns != current_user_ns();
}

/**
 * ckpt_user_ns_ref - save a user namespace and those that it is in
 * @ctx: context
 * @ns: that of the caller or below it, kept by a stopped task
 *
 * The outermost first: nothing is nested.
 *
 * Return: its id, 0 if it is the caller's, or a negative errno.
 */
int ckpt_user_ns_ref(struct ckpt_ctx *ctx, struct user_namespace *ns)
{
	int level, ret = 0;

	for (level = current_user_ns()->level + 1;
	     level <= ns->level && ret >= 0; level++) {
		struct user_namespace *outer = ns;

		while (outer->level > level)
			outer = outer->parent;
		ret = ckpt_object_save(ctx, CKPT_OBJ_USER_NS, outer);
	}
	return ret;
}

static const struct uid_gid_extent *extent_of(const struct uid_gid_map *map,
					      u32 nr, u32 index)
{
	return nr <= UID_GID_MAP_MAX_BASE_EXTENTS ? &map->extent[index] :
						    &map->forward[index];
}

/* A map is written once; a process outside may do that at any time. */
static int save_map(struct ckpt_ctx *ctx, const struct uid_gid_map *map,
		    struct uid_gid_map *parent_map, u32 *nr)
{
	u32 index;

	/* Pairs with map_write(), which sets the number last. */
	*nr = smp_load_acquire(&map->nr_extents);
	for (index = 0; index < *nr; index++) {
		const struct uid_gid_extent *extent;
		struct ckpt_hdr_id_extent *record;

		record = ckpt_record_add(ctx, CKPT_HDR_ID_EXTENT);
		if (!record)
			return -ENOMEM;
		extent = extent_of(map, *nr, index);
		record->first = extent->first;
		/* It was mapped in one piece, and still is. */
		record->lower_first = map_id_up(parent_map,
						extent->lower_first);
		record->count = extent->count;
	}
	return 0;
}

static void save_limits(const struct user_namespace *ns,
			struct ckpt_hdr_user_ns *record)
{
	unsigned int index;

	for (index = 0; index < ARRAY_SIZE(limits); index++)
		*limit_of(record, index) = limits[index] < 0 ? INT_MAX :
			READ_ONCE(ns->ucount_max[limits[index]]);
	for (index = 0; index < ARRAY_SIZE(creator_limits); index++)
		*creator_limit_of(record, index) =
			READ_ONCE(ns->rlimit_max[creator_limits[index].type]);
}

static int check_contents(struct ckpt_ctx *ctx, const struct user_namespace *ns)
{
#if IS_ENABLED(CONFIG_BINFMT_MISC)
	if (READ_ONCE(ns->binfmt_misc))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "its user namespace has a binfmt_misc of its own");
#endif
	return 0;
}

/**
 * ckpt_user_ns_save - save a user namespace
 * @ctx: context
 * @object: struct user_namespace, kept by a stopped task; its parent was saved
 *
 * Return: 0 or a negative errno.
 */
int ckpt_user_ns_save(struct ckpt_ctx *ctx, void *object)
{
	struct user_namespace *ns = object, *parent = ns->parent;
	struct ckpt_hdr_user_ns *record;
	int ret;

	ret = check_contents(ctx, ns);
	if (ret)
		return ret;
	record = ckpt_record_add(ctx, CKPT_HDR_USER_NS);
	if (!record)
		return -ENOMEM;
	record->parent = ckpt_object_id(ctx, parent);
	record->owner = from_kuid(parent, ns->owner);
	record->group = from_kgid(parent, ns->group);
	if (READ_ONCE(ns->flags) & USERNS_SETGROUPS_ALLOWED)
		record->flags |= CKPT_USER_NS_SETGROUPS;
	save_limits(ns, record);
	ret = save_map(ctx, &ns->uid_map, &parent->uid_map, &record->nr_uids);
	if (!ret)
		ret = save_map(ctx, &ns->gid_map, &parent->gid_map,
			       &record->nr_gids);
	if (!ret)
		ret = save_map(ctx, &ns->projid_map, &parent->projid_map,
			       &record->nr_projids);
	if (!record->nr_uids && READ_ONCE(ns->parent_could_setfcap))
		record->flags |= CKPT_USER_NS_MAP_ROOT;
	return ret;
}

/* With what copy_process() and ksys_unshare() ask for besides. */
static int check_owner(struct ckpt_ctx *ctx, kuid_t owner, kgid_t group,
		       const struct ckpt_hdr_user_ns *record)
{
	if (!uid_valid(owner) || !gid_valid(group))
		return ckpt_error(ctx, -EINVAL,
				  "the owner of a user namespace has no meaning in its parent");
	if (!CKPT_USER_NS_ALLOWED && !capable(CAP_SYS_ADMIN))
		return ckpt_error(ctx, -EPERM,
				  "no right to create a namespace: user");
	/* Who owns it has every right there. */
	if (!ckpt_cred_may_be_user(owner) || !ckpt_cred_may_be_group(group))
		return ckpt_error(ctx, -EPERM,
				  "no right to a user namespace of user %u, group %u",
				  record->owner, record->group);
	return 0;
}

static struct user_namespace *create_below(struct ckpt_ctx *ctx,
					   struct user_namespace *parent,
					   const struct ckpt_hdr_user_ns *record)
{
	kuid_t owner = make_kuid(parent, record->owner);
	kgid_t group = make_kgid(parent, record->group);
	struct user_namespace *ns = NULL;
	struct cred *cred;
	int ret;

	ret = check_owner(ctx, owner, group, record);
	if (ret)
		return ERR_PTR(ret);
	cred = prepare_creds();
	if (!cred)
		return ERR_PTR(-ENOMEM);
	cred->euid = owner;
	cred->egid = group;
	put_user_ns(cred->user_ns);
	cred->user_ns = get_user_ns(parent);
	ret = create_user_ns(cred);
	if (!ret)
		ns = get_user_ns(cred->user_ns);
	abort_creds(cred);
	if (!ret)
		return ns;
	ckpt_error(ctx, ret, "cannot create a user namespace");
	return ERR_PTR(ret);
}

static int set_flags(struct ckpt_ctx *ctx, struct user_namespace *ns,
		     const struct ckpt_hdr_user_ns *record)
{
	bool may_setfcap = ckpt_user_ns_is_new(ns->parent) ||
			   ns_capable(ns->parent, CAP_SETFCAP);

	if (!(record->flags & CKPT_USER_NS_SETGROUPS))
		ns->flags &= ~USERNS_SETGROUPS_ALLOWED;
	else if (!(ns->flags & USERNS_SETGROUPS_ALLOWED))
		return ckpt_error(ctx, -EPERM,
				  "setgroups() is denied where a user namespace is created");
	ns->parent_could_setfcap = record->flags & CKPT_USER_NS_MAP_ROOT;
	if (ns->parent_could_setfcap && !may_setfcap)
		return ckpt_error(ctx, -EPERM,
				  "no right to map root in a user namespace later");
	return 0;
}

/* As the image has them: the lower numbers are those of the parent. */
static int read_extents(struct ckpt_ctx *ctx, struct uid_gid_map *map, u32 nr)
{
	int ret = 0;
	u32 index;

	for (index = 0; index < nr && !ret; index++) {
		struct ckpt_hdr_id_extent record;
		struct uid_gid_extent extent;

		ret = ckpt_record_read(ctx, CKPT_HDR_ID_EXTENT, &record);
		if (ret)
			break;
		extent.first = record.first;
		extent.lower_first = record.lower_first;
		extent.count = record.count;
		if (extent.first + extent.count <= extent.first ||
		    extent.lower_first + extent.count <= extent.lower_first ||
		    mappings_overlap(map, &extent))
			ret = ckpt_error(ctx, -EINVAL,
					 "%u numbers from %u on cannot be mapped to %u",
					 extent.count, extent.first,
					 extent.lower_first);
		else
			ret = insert_extent(map, &extent);
	}
	return ret;
}

static bool has_root(const struct uid_gid_map *map)
{
	u32 index;

	for (index = 0; index < map->nr_extents; index++)
		if (!extent_of(map, map->nr_extents, index)->lower_first)
			return true;
	return false;
}

/* By the rules of new_idmap_permitted() and verify_root_map(). */
static bool may_map(const struct user_namespace *ns,
		    const struct uid_gid_map *map, int cap_setid)
{
	struct user_namespace *parent = ns->parent;

	if (!cap_valid(cap_setid) || ckpt_user_ns_is_new(parent))
		return true;
	if (cap_setid == CAP_SETUID && has_root(map) &&
	    !ns_capable(parent, CAP_SETFCAP))
		return false;
	if (map->nr_extents == 1 && map->extent[0].count == 1) {
		u32 id = map->extent[0].lower_first;

		if (cap_setid == CAP_SETUID &&
		    uid_eq(make_kuid(parent, id), ns->owner))
			return true;
		if (cap_setid == CAP_SETGID &&
		    !(ns->flags & USERNS_SETGROUPS_ALLOWED) &&
		    ckpt_cred_may_be_group(make_kgid(parent, id)))
			return true;
	}
	return ns_capable(parent, cap_setid);
}

/* To numbers of the kernel. */
static int translate(struct ckpt_ctx *ctx, struct uid_gid_map *map,
		     struct uid_gid_map *parent_map, const char *name)
{
	u32 index;

	for (index = 0; index < map->nr_extents; index++) {
		struct uid_gid_extent *extent;
		u32 lower_first;

		extent = (void *)extent_of(map, map->nr_extents, index);
		lower_first = map_id_range_down(parent_map, extent->lower_first,
						extent->count);
		if (lower_first == (u32)-1)
			return ckpt_error(ctx, -EPERM,
					  "%s: %u numbers from %u on are not mapped in the parent",
					  name, extent->count,
					  extent->lower_first);
		extent->lower_first = lower_first;
	}
	return sort_idmaps(map);
}

/* If it fails the namespace goes, and the map with it. */
static int restore_map(struct ckpt_ctx *ctx, struct user_namespace *ns,
		       struct uid_gid_map *map, struct uid_gid_map *parent_map,
		       u32 nr, int cap_setid, const char *name)
{
	int ret;

	if (!nr)
		return 0;
	ret = read_extents(ctx, map, nr);
	if (!ret && !may_map(ns, map, cap_setid))
		ret = ckpt_error(ctx, -EPERM,
				 "no right to the %s of a user namespace", name);
	return ret ?: translate(ctx, map, parent_map, name);
}

static int restore_maps(struct ckpt_ctx *ctx, struct user_namespace *ns,
			const struct ckpt_hdr_user_ns *record)
{
	struct user_namespace *parent = ns->parent;
	int ret;

	ret = restore_map(ctx, ns, &ns->uid_map, &parent->uid_map,
			  record->nr_uids, CAP_SETUID, "uid_map");
	if (!ret)
		ret = restore_map(ctx, ns, &ns->gid_map, &parent->gid_map,
				  record->nr_gids, CAP_SETGID, "gid_map");
	/* It gives no right: nobody needs one. */
	if (!ret)
		ret = restore_map(ctx, ns, &ns->projid_map,
				  &parent->projid_map, record->nr_projids, -1,
				  "projid_map");
	return ret;
}

/* What somebody would have had who has set his limits first. */
static bool may_have_limit(unsigned int resource, u64 value)
{
	if (value <= rlimit_max(resource) || capable(CAP_SYS_RESOURCE))
		return true;
	return resource == RLIMIT_NPROC &&
	       enforced_nproc_rlimit() == RLIM_INFINITY;
}

static int set_creator_limits(struct ckpt_ctx *ctx, struct user_namespace *ns,
			      struct ckpt_hdr_user_ns *record)
{
	unsigned int index;

	for (index = 0; index < ARRAY_SIZE(creator_limits); index++) {
		u64 value = *creator_limit_of(record, index);

		if (!may_have_limit(creator_limits[index].resource, value))
			return ckpt_error(ctx, -EPERM,
					  "no right to %s %llu of a user namespace",
					  creator_limits[index].name, value);
		set_userns_rlimit_max(ns, creator_limits[index].type, value);
	}
	return 0;
}

/**
 * struct limits_step - limits that come into force at the end
 * @step: embedded
 * @ns: whose they are; the table of objects has it
 * @record: has them
 */
struct limits_step {
	struct ckpt_last_step step;
	struct user_namespace *ns;
	struct ckpt_hdr_user_ns record;
};

static int set_limits(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	struct limits_step *own = container_of(step, struct limits_step, step);
	unsigned int index;

	for (index = 0; index < ARRAY_SIZE(limits); index++)
		if (limits[index] >= 0)
			WRITE_ONCE(own->ns->ucount_max[limits[index]],
				   *limit_of(&own->record, index));
	return 0;
}

static void free_limits(struct ckpt_last_step *step)
{
	kfree(container_of(step, struct limits_step, step));
}

/*
 * Whoever has created the namespace could write them. They may have been lowered
 * when there was more than they allow, so they must not count before all is there.
 */
static int put_off_limits(struct ckpt_ctx *ctx, struct user_namespace *ns,
			  struct ckpt_hdr_user_ns *record)
{
	struct limits_step *step;
	unsigned int index;

	for (index = 0; index < ARRAY_SIZE(limits); index++)
		if (limits[index] < 0 && *limit_of(record, index) != INT_MAX)
			return ckpt_error(ctx, -EXDEV,
					  "a user namespace has a limit for what this kernel does not count");
	step = kzalloc(sizeof(*step), GFP_KERNEL_ACCOUNT);
	if (!step)
		return -ENOMEM;
	step->step.run = set_limits;
	step->step.free = free_limits;
	step->ns = ns;
	step->record = *record;
	ckpt_last_step_add(ctx, &step->step);
	return 0;
}

/**
 * ckpt_user_ns_restore - create a user namespace
 * @ctx: context
 *
 * Nobody is in it, and nobody sees it, before the commit.
 *
 * Return: struct user_namespace with a reference, or an error pointer.
 */
void *ckpt_user_ns_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_user_ns record;
	struct user_namespace *ns;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_USER_NS, &record);
	if (ret)
		return ERR_PTR(ret);
	ns = create_below(ctx, ckpt_user_ns_find(ctx, record.parent), &record);
	if (IS_ERR(ns))
		return ns;
	ret = set_flags(ctx, ns, &record);
	if (!ret)
		ret = restore_maps(ctx, ns, &record);
	if (!ret)
		ret = set_creator_limits(ctx, ns, &record);
	if (!ret)
		ret = put_off_limits(ctx, ns, &record);
	if (ret) {
		put_user_ns(ns);
		return ERR_PTR(ret);
	}
	return ns;
}

/**
 * ckpt_user_ns_drop - drop a reference
 * @object: struct user_namespace
 */
void ckpt_user_ns_drop(void *object)
{
	put_user_ns(object);
}

/**
 * ckpt_user_ns_find - user namespace that a record refers to, when restoring
 * @ctx: context
 * @objref: its id, found good; or 0
 *
 * Return: the namespace, borrowed; that of the current task for 0.
 */
struct user_namespace *ckpt_user_ns_find(struct ckpt_ctx *ctx, u32 objref)
{
	return ckpt_object_find(ctx, objref, CKPT_OBJ_USER_NS) ?:
	       current_user_ns();
}

/**
 * ckpt_user_ns_enter - the credentials of who has entered a user namespace
 * @new: credentials to be changed
 * @ns: which this restart has made
 */
void ckpt_user_ns_enter(struct cred *new, struct user_namespace *ns)
{
	put_user_ns(new->user_ns);
	set_cred_user_ns(new, get_user_ns(ns));
}

#endif /* CONFIG_CHECKPOINT */
