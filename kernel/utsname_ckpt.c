// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of UTS namespaces.
 *
 * Saved: the names of host and domain, and whose it is.
 * Reset to default: what uname(2) tells besides, which is of the kernel.
 * Refused: a name that goes on behind a NUL byte.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/nsproxy.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/utsname.h>

static_assert(sizeof_field(struct ckpt_hdr_uts_ns, nodename) ==
	      sizeof_field(struct new_utsname, nodename));
static_assert(sizeof_field(struct ckpt_hdr_uts_ns, domainname) ==
	      sizeof_field(struct new_utsname, domainname));

/* The kernel takes any bytes, an image has text. */
static bool is_text(const void *name, size_t size)
{
	size_t len = strnlen(name, size);

	return len < size && !memchr_inv(name + len, 0, size - len);
}

/**
 * ckpt_uts_ns_save - save a UTS namespace
 * @ctx: context
 * @object: struct uts_namespace, kept by a stopped task
 *
 * Return: 0 or a negative errno.
 */
int ckpt_uts_ns_save(struct ckpt_ctx *ctx, void *object)
{
	struct uts_namespace *ns = object;
	struct ckpt_hdr_uts_ns *record;
	int user_ns = ckpt_user_ns_ref(ctx, ns->user_ns);

	if (user_ns < 0)
		return user_ns;
	record = ckpt_record_add(ctx, CKPT_HDR_UTS_NS);
	if (!record)
		return -ENOMEM;
	record->user_ns = user_ns;
	/* A process outside may be in the namespace, too. */
	down_read(&uts_sem);
	memcpy(record->nodename, ns->name.nodename, sizeof(record->nodename));
	memcpy(record->domainname, ns->name.domainname,
	       sizeof(record->domainname));
	up_read(&uts_sem);
	if (!is_text(record->nodename, sizeof(record->nodename)) ||
	    !is_text(record->domainname, sizeof(record->domainname)))
		return ckpt_error(ctx, -EOPNOTSUPP,
				  "the name of its host or domain has a NUL byte");
	return 0;
}

/**
 * ckpt_uts_ns_restore - create a UTS namespace
 * @ctx: context
 *
 * As unshare(2) and sethostname(2) do, with the same right.
 *
 * Return: struct uts_namespace with a reference, or an error pointer.
 */
void *ckpt_uts_ns_restore(struct ckpt_ctx *ctx)
{
	struct ckpt_hdr_uts_ns record;
	struct user_namespace *user_ns;
	struct uts_namespace *ns;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UTS_NS, &record);
	if (ret)
		return ERR_PTR(ret);
	user_ns = ckpt_user_ns_find(ctx, record.user_ns);
	ret = ckpt_namespaces_may_create(ctx, "UTS", user_ns);
	if (ret)
		return ERR_PTR(ret);
	ns = copy_utsname(CLONE_NEWUTS, user_ns, current->nsproxy->uts_ns);
	if (IS_ERR(ns)) {
		ckpt_error(ctx, PTR_ERR(ns), "cannot create a UTS namespace");
		return ns;
	}
	/* Nobody else has it yet. */
	memcpy(ns->name.nodename, record.nodename, sizeof(record.nodename));
	memcpy(ns->name.domainname, record.domainname,
	       sizeof(record.domainname));
	return ns;
}

/**
 * ckpt_uts_ns_drop - drop a reference
 * @object: struct uts_namespace
 */
void ckpt_uts_ns_drop(void *object)
{
	put_uts_ns(object);
}
