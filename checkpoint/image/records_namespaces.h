/* SPDX-License-Identifier: GPL-2.0 */
/* The description of the records of user and pid namespaces: part of records.c. */

#define COUNT_LIMIT(R, s, m)	UINT(R, s, m, 0, 0x7fffffff)
#define CREATOR_LIMIT(R, s, m)	R(s, m, UINT, 0, 0x7fffffffffffffffULL, 0)

#define USER_NS(R, s)							\
	OPT_REF(R, s, parent, USER_NS)					\
	UINT(R, s, owner, 0, 0xfffffffe)				\
	UINT(R, s, group, 0, 0xfffffffe)				\
	MASK(R, s, flags, CKPT_USER_NS_ALL)				\
	UINT(R, s, nr_uids, 0, CKPT_EXTENTS_MAX)			\
	UINT(R, s, nr_gids, 0, CKPT_EXTENTS_MAX)			\
	UINT(R, s, nr_projids, 0, CKPT_EXTENTS_MAX)			\
	ZERO(R, s, reserved)						\
	COUNT_LIMIT(R, s, max_user_namespaces)				\
	COUNT_LIMIT(R, s, max_pid_namespaces)				\
	COUNT_LIMIT(R, s, max_uts_namespaces)				\
	COUNT_LIMIT(R, s, max_ipc_namespaces)				\
	COUNT_LIMIT(R, s, max_net_namespaces)				\
	COUNT_LIMIT(R, s, max_mnt_namespaces)				\
	COUNT_LIMIT(R, s, max_cgroup_namespaces)			\
	COUNT_LIMIT(R, s, max_time_namespaces)				\
	COUNT_LIMIT(R, s, max_inotify_instances)			\
	COUNT_LIMIT(R, s, max_inotify_watches)				\
	COUNT_LIMIT(R, s, max_fanotify_groups)				\
	COUNT_LIMIT(R, s, max_fanotify_marks)				\
	CREATOR_LIMIT(R, s, nproc)					\
	CREATOR_LIMIT(R, s, msgqueue)					\
	CREATOR_LIMIT(R, s, sigpending)					\
	CREATOR_LIMIT(R, s, memlock)
DESCRIBE(user_ns, USER_NS);

#define ID_EXTENT(R, s)							\
	UINT(R, s, first, 0, 0xfffffffe)				\
	UINT(R, s, lower_first, 0, 0xfffffffe)				\
	UINT(R, s, count, 1, 0xffffffff)				\
	ZERO(R, s, reserved)
DESCRIBE(id_extent, ID_EXTENT);

#define PID_NS(R, s)							\
	OPT_REF(R, s, parent, PID_NS)					\
	UINT(R, s, state, 0, CKPT_PID_NS_DEAD)				\
	UINT(R, s, next_pid, 0, MAX_PID)				\
	UINT(R, s, memfd_noexec, 0, 2)
DESCRIBE(pid_ns, PID_NS);
