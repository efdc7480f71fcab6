// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of IPC namespaces.
 *
 * Saved: limits; semaphores and message queues; and which identifier comes next,
 *	so that one which was removed does not name something else sooner than it
 *	would have.
 * Reset to default: the identifier that somebody has asked for by a sysctl
 *	(sem_next_id and its like); security labels.
 * Refused: namespaces with shared memory or POSIX message queues.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/ipc.h>
#include <linux/ipc_namespace.h>
#include <linux/limits.h>
#include <linux/msg.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "util.h"

static int check_contents(struct ckpt_ctx *ctx, const struct ipc_namespace *ns)
{
	int segments = READ_ONCE(ns->ids[IPC_SHM_IDS].in_use);
	unsigned int posix_queues = READ_ONCE(ns->mq_queues_count);

	if (!segments && !posix_queues)
		return 0;
	return ckpt_error(ctx, -EOPNOTSUPP,
			  "its IPC namespace has %d shared memory segments and %u POSIX message queues",
			  segments, posix_queues);
}

static void save_limits(const struct ipc_namespace *ns,
			struct ckpt_hdr_ipc_ns *record)
{
	record->shmmax = READ_ONCE(ns->shm_ctlmax);
	record->shmall = READ_ONCE(ns->shm_ctlall);
	record->shmmni = READ_ONCE(ns->shm_ctlmni);
	record->shm_rmid_forced = READ_ONCE(ns->shm_rmid_forced);
	record->msgmax = READ_ONCE(ns->msg_ctlmax);
	record->msgmnb = READ_ONCE(ns->msg_ctlmnb);
	record->msgmni = READ_ONCE(ns->msg_ctlmni);
	record->semmsl = READ_ONCE(ns->sem_ctls[0]);
	record->semmns = READ_ONCE(ns->sem_ctls[1]);
	record->semopm = READ_ONCE(ns->sem_ctls[2]);
	record->semmni = READ_ONCE(ns->sem_ctls[3]);
	record->mq_queues_max = READ_ONCE(ns->mq_queues_max);
	record->mq_msg_max = READ_ONCE(ns->mq_msg_max);
	record->mq_msgsize_max = READ_ONCE(ns->mq_msgsize_max);
	record->mq_msg_default = READ_ONCE(ns->mq_msg_default);
	record->mq_msgsize_default = READ_ONCE(ns->mq_msgsize_default);
}

static void save_next(struct ipc_ids *ids, u32 *seq, s32 *last, u32 *next)
{
	down_read(&ids->rwsem);
	*seq = ids->seq;
	*last = ids->last_idx;
	*next = idr_get_cursor(&ids->ipcs_idr);
	up_read(&ids->rwsem);
}

/**
 * ckpt_ipc_ns_save - save an IPC namespace
 * @ctx: context
 * @object: struct ipc_namespace, kept by a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ipc_ns_save(struct ckpt_ctx *ctx, void *object)
{
	struct ipc_namespace *ns = object;
	struct ckpt_hdr_ipc_ns *record;
	int user_ns, ret;

	ret = check_contents(ctx, ns);
	if (ret)
		return ret;
	user_ns = ckpt_user_ns_ref(ctx, ns->user_ns);
	if (user_ns < 0)
		return user_ns;
	record = ckpt_record_add(ctx, CKPT_HDR_IPC_NS);
	if (!record)
		return -ENOMEM;
	record->user_ns = user_ns;
	save_limits(ns, record);
	save_next(&ns->ids[IPC_SEM_IDS], &record->sem_seq, &record->sem_last,
		  &record->sem_next);
	save_next(&ns->ids[IPC_MSG_IDS], &record->msg_seq, &record->msg_last,
		  &record->msg_next);
	save_next(&ns->ids[IPC_SHM_IDS], &record->shm_seq, &record->shm_last,
		  &record->shm_next);
	ret = ckpt_sem_sets_save(ctx, ns, &record->nr_sem_sets);
	return ret ?: ckpt_msg_queues_save(ctx, ns, &record->nr_msg_queues);
}

/**
 * ckpt_ipc_perm_fill_in - save what all objects of a namespace have
 * @ns: the namespace
 * @record: to be filled in
 * @perm: locked
 *
 * Others who are in the namespace may have created it, and a process that the
 * caller may trace need not have the right to look into it.
 *
 * Return: 0, -EACCES if the caller may not read the object, or if it belongs to
 * somebody who has no number in the caller's user namespace.
 */
int ckpt_ipc_perm_fill_in(struct ipc_namespace *ns,
			  struct ckpt_hdr_ipc_perm *record,
			  struct kern_ipc_perm *perm)
{
	struct user_namespace *user_ns = current_user_ns();

	if (ipcperms(ns, perm, 0444))
		return -EACCES;
	record->id = perm->id;
	record->key = perm->key;
	record->uid = from_kuid(user_ns, perm->uid);
	record->gid = from_kgid(user_ns, perm->gid);
	record->cuid = from_kuid(user_ns, perm->cuid);
	record->cgid = from_kgid(user_ns, perm->cgid);
	record->mode = perm->mode & 0777;
	if (record->uid == (u32)-1 || record->gid == (u32)-1 ||
	    record->cuid == (u32)-1 || record->cgid == (u32)-1)
		return -EACCES;
	return 0;
}

/**
 * ckpt_ipc_perm_read - read what all objects of a namespace have, and check it
 * @ctx: context
 * @ids: of the namespace that is being restored
 * @record: filled in
 *
 * An owner may give an object to anybody, but nobody can become its creator.
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ipc_perm_read(struct ckpt_ctx *ctx, struct ipc_ids *ids,
		       struct ckpt_hdr_ipc_perm *record)
{
	struct user_namespace *user_ns = current_user_ns();
	kuid_t cuid;
	kgid_t cgid;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_IPC_PERM, record);
	if (ret)
		return ret;
	cuid = make_kuid(user_ns, record->cuid);
	cgid = make_kgid(user_ns, record->cgid);
	if (!uid_valid(cuid) || !gid_valid(cgid) ||
	    !uid_valid(make_kuid(user_ns, record->uid)) ||
	    !gid_valid(make_kgid(user_ns, record->gid)))
		return ckpt_error(ctx, -EINVAL,
				  "an id has no meaning in this user namespace");
	if (!ckpt_cred_may_be_user(cuid) || !ckpt_cred_may_be_group(cgid))
		return ckpt_error(ctx, -EPERM,
				  "no right to IPC objects that user %u of group %u has created",
				  record->cuid, record->cgid);
	if (idr_find(&ids->ipcs_idr, ipcid_to_idx(record->id)))
		return ckpt_error(ctx, -EINVAL,
				  "another IPC object than %u is in its place",
				  record->id);
	return 0;
}

/**
 * ckpt_ipc_objects_save - save all objects of one kind in a namespace
 * @ctx: context
 * @ns: the namespace
 * @ids: its objects of that kind
 * @save: for each
 * @nr: how many there were
 *
 * Return: 0 or a negative errno.
 */
int ckpt_ipc_objects_save(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			  struct ipc_ids *ids, ckpt_ipc_save_t save, u32 *nr)
{
	struct kern_ipc_perm *perm;
	int index, ret = 0;

	/* None is created or removed meanwhile. */
	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, index) {
		ret = save(ctx, ns, perm);
		if (ret)
			break;
		++*nr;
	}
	up_read(&ids->rwsem);
	return ret;
}

/**
 * ckpt_ipc_object_create - create an object under its identifier
 * @ns: the namespace that is being restored
 * @ids: its objects of that kind
 * @ops: how the system call creates one
 * @params: for that; key and flags are filled in
 * @record: found good by ckpt_ipc_perm_read()
 *
 * Return: 0, -EINVAL if there is one with that key, or another negative errno.
 */
int ckpt_ipc_object_create(struct ipc_namespace *ns, struct ipc_ids *ids,
			   const struct ipc_ops *ops, struct ipc_params *params,
			   const struct ckpt_hdr_ipc_perm *record)
{
	int ret;

	params->key = record->key;
	params->flg = record->mode | IPC_CREAT | IPC_EXCL;
	ids->next_id = record->id;
	ret = ipcget(ns, ids, ops, params);
	ids->next_id = -1;
	if (ret == -EEXIST)
		return -EINVAL;
	return min(ret, 0);
}

/**
 * ckpt_ipc_perm_set - give a new object what was saved
 * @ids: of the namespace that is being restored
 * @record: found good by ckpt_ipc_perm_read()
 *
 * Return: the object.
 */
struct kern_ipc_perm *ckpt_ipc_perm_set(struct ipc_ids *ids,
					const struct ckpt_hdr_ipc_perm *record)
{
	struct user_namespace *user_ns = current_user_ns();
	struct kern_ipc_perm *perm;

	perm = idr_find(&ids->ipcs_idr, ipcid_to_idx(record->id));
	perm->uid = make_kuid(user_ns, record->uid);
	perm->gid = make_kgid(user_ns, record->gid);
	perm->cuid = make_kuid(user_ns, record->cuid);
	perm->cgid = make_kgid(user_ns, record->cgid);
	return perm;
}

/* As what a namespace begins with; only the limits are compared. */
static bool same_limits(const struct ckpt_hdr_ipc_ns *record,
			const struct ipc_namespace *ns)
{
	struct ckpt_hdr_ipc_ns own = *record;

	save_limits(ns, &own);
	return !memcmp(&own, record, sizeof(own));
}

/* What a sysctl does not take is refused; the table of records knows the rest. */
static int check_limits(struct ckpt_ctx *ctx,
			const struct ckpt_hdr_ipc_ns *record)
{
	const u32 most = ipc_mni;

	if (record->shmmni > most || record->msgmni > most ||
	    record->semmni > most || record->sem_last >= (s32)most ||
	    record->msg_last >= (s32)most || record->shm_last >= (s32)most ||
	    record->sem_next > most || record->msg_next > most ||
	    record->shm_next > most)
		return ckpt_error(ctx, -EXDEV,
				  "this kernel has at most %u identifiers in an IPC namespace",
				  most);
#ifdef CONFIG_POSIX_MQUEUE
	if (record->mq_msg_max < MIN_MSGMAX ||
	    record->mq_msg_default < MIN_MSGMAX ||
	    record->mq_msgsize_max < MIN_MSGSIZEMAX ||
	    record->mq_msgsize_default < MIN_MSGSIZEMAX)
		return ckpt_error(ctx, -EXDEV,
				  "limits for POSIX message queues that this kernel does not take");
#endif
	return 0;
}

/* Who may write the sysctls of a new namespace. */
static bool may_set_limits(const struct ipc_namespace *ns)
{
	kuid_t root = make_kuid(ns->user_ns, 0);

	if (!uid_valid(root))
		root = GLOBAL_ROOT_UID;
	else if (ckpt_user_ns_is_new(ns->user_ns))
		return true;
	return uid_eq(current_euid(), root);
}

static void set_limits(struct ipc_namespace *ns,
		       const struct ckpt_hdr_ipc_ns *record)
{
	ns->shm_ctlmax = record->shmmax;
	ns->shm_ctlall = record->shmall;
	ns->shm_ctlmni = record->shmmni;
	ns->shm_rmid_forced = record->shm_rmid_forced;
	ns->msg_ctlmax = record->msgmax;
	ns->msg_ctlmnb = record->msgmnb;
	ns->msg_ctlmni = record->msgmni;
	ns->sem_ctls[0] = record->semmsl;
	ns->sem_ctls[1] = record->semmns;
	ns->sem_ctls[2] = record->semopm;
	ns->sem_ctls[3] = record->semmni;
	ns->mq_queues_max = record->mq_queues_max;
	ns->mq_msg_max = record->mq_msg_max;
	ns->mq_msgsize_max = record->mq_msgsize_max;
	ns->mq_msg_default = record->mq_msg_default;
	ns->mq_msgsize_default = record->mq_msgsize_default;
}

static void set_next(struct ipc_ids *ids, u32 seq, s32 last, u32 next)
{
	ids->seq = seq;
	ids->last_idx = last;
	idr_set_cursor(&ids->ipcs_idr, next);
}

/* Limits may have been lowered when there was more than they allow already. */
static int read_contents(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
			 const struct ckpt_hdr_ipc_ns *record)
{
	u32 index;
	int ret = 0;

	if (may_set_limits(ns)) {
		ns->sem_ctls[0] = INT_MAX;
		ns->sem_ctls[1] = INT_MAX;
		ns->sem_ctls[3] = ipc_mni;
		ns->msg_ctlmax = INT_MAX;
		ns->msg_ctlmnb = INT_MAX;
		ns->msg_ctlmni = ipc_mni;
	}
	for (index = 0; index < record->nr_sem_sets && !ret; index++)
		ret = ckpt_sem_set_restore(ctx, ns);
	for (index = 0; index < record->nr_msg_queues && !ret; index++)
		ret = ckpt_msg_queue_restore(ctx, ns);
	return ret;
}

static int fill_in(struct ckpt_ctx *ctx, struct ipc_namespace *ns,
		   const struct ckpt_hdr_ipc_ns *record)
{
	int ret;

	ret = check_limits(ctx, record);
	if (ret)
		return ret;
	if (!same_limits(record, ns) && !may_set_limits(ns))
		return ckpt_error(ctx, -EPERM,
				  "no right to the limits of an IPC namespace");
	ret = read_contents(ctx, ns, record);
	if (ret)
		return ret;
	set_limits(ns, record);
	set_next(&ns->ids[IPC_SEM_IDS], record->sem_seq, record->sem_last,
		 record->sem_next);
	set_next(&ns->ids[IPC_MSG_IDS], record->msg_seq, record->msg_last,
		 record->msg_next);
	set_next(&ns->ids[IPC_SHM_IDS], record->shm_seq, record->shm_last,
		 record->shm_next);
	return 0;
}

/**
 * ckpt_ipc_ns_restore - create an IPC namespace
 * @ctx: context
 *
 * As unshare(2) does, with the same right; and what else than that gives it,
 * only who could write it to sysctls.
 *
 * Return: struct ipc_namespace with a reference, or an error pointer.
 */
void *ckpt_ipc_ns_restore(struct ckpt_ctx *ctx)
{
	struct user_namespace *user_ns;
	struct ckpt_hdr_ipc_ns record;
	struct ipc_namespace *ns;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_IPC_NS, &record);
	if (ret)
		return ERR_PTR(ret);
	user_ns = ckpt_user_ns_find(ctx, record.user_ns);
	ret = ckpt_namespaces_may_create(ctx, "IPC", user_ns);
	if (ret)
		return ERR_PTR(ret);
	ns = copy_ipcs(CLONE_NEWIPC, user_ns, current->nsproxy->ipc_ns);
	if (IS_ERR(ns)) {
		ckpt_error(ctx, PTR_ERR(ns), "cannot create an IPC namespace");
		return ns;
	}
	/* Nobody else has it yet. */
	ret = fill_in(ctx, ns, &record);
	if (ret) {
		put_ipc_ns(ns);
		return ERR_PTR(ret);
	}
	return ns;
}

/**
 * ckpt_ipc_ns_drop - drop a reference
 * @object: struct ipc_namespace
 */
void ckpt_ipc_ns_drop(void *object)
{
	put_ipc_ns(object);
}
