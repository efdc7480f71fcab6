// SPDX-License-Identifier: GPL-2.0
/*
 * THE tables: every type of object, every kind of file, every part of a task.
 *
 * The drivers save.c and restore.c walk them and know no type by name.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>

#include "internal.h"

static void cred_get(void *object)
{
	get_cred(object);
}

static void cred_put(void *object)
{
	put_cred(object);
}

static void file_table_get(void *object)
{
	atomic_inc(&((struct files_struct *)object)->count);
}

static void file_table_put(void *object)
{
	put_files_struct(object);
}

static void file_get(void *object)
{
	get_file(object);
}

static void file_put(void *object)
{
	fput(object);
}

static void mm_get(void *object)
{
	mmget(object);
}

static void mm_put(void *object)
{
	mmput(object);
}

static void inode_get(void *object)
{
	ihold(object);
}

static void inode_put(void *object)
{
	iput(object);
}

static void pid_get(void *object)
{
	get_pid(object);
}

static void pid_put(void *object)
{
	put_pid(object);
}

static void dentry_get(void *object)
{
	dget(object);
}

static void dentry_put(void *object)
{
	dput(object);
}

const struct ckpt_object_type ckpt_object_types[CKPT_OBJ_MAX] = {
	[CKPT_OBJ_CRED] = {
		.name		= "credentials",
		.get		= cred_get,
		.put		= cred_put,
		.drop		= cred_put,
		.save		= ckpt_cred_save,
		.restore	= ckpt_cred_restore,
	},
	[CKPT_OBJ_FS] = {
		.name		= "root and working directory",
		.get		= ckpt_fs_get,
		.put		= ckpt_fs_put,
		.drop		= ckpt_fs_put,
		.save		= ckpt_fs_save,
		.restore	= ckpt_fs_restore,
	},
	[CKPT_OBJ_FILE_TABLE] = {
		.name		= "descriptor table",
		.get		= file_table_get,
		.put		= file_table_put,
		.drop		= file_table_put,
		.save		= ckpt_file_table_save,
		.restore	= ckpt_file_table_restore,
	},
	[CKPT_OBJ_FILE] = {
		.name		= "open file",
		.get		= file_get,
		.put		= file_put,
		.drop		= file_put,
		.save		= ckpt_file_save,
		.complete	= ckpt_file_complete,
		.restore	= ckpt_file_restore,
	},
	[CKPT_OBJ_MM] = {
		.name		= "address space",
		.get		= mm_get,
		.put		= mm_put,
		.drop		= mm_put,
		.save		= ckpt_mm_save,
		.restore	= ckpt_mm_restore,
	},
	[CKPT_OBJ_SHMEM] = {
		.name		= "shared memory",
		.get		= inode_get,
		.put		= inode_put,
		.drop		= file_put,
		.save		= ckpt_shmem_save,
		.restore	= ckpt_shmem_restore,
	},
	[CKPT_OBJ_SIGHAND] = {
		.name		= "signal handlers",
		.drop		= ckpt_sighand_drop,
		.save		= ckpt_sighand_save,
		.restore	= ckpt_sighand_restore,
	},
	[CKPT_OBJ_SIGNAL] = {
		.name		= "thread group",
		.drop		= ckpt_signal_drop,
		.save		= ckpt_signal_save,
		.restore	= ckpt_signal_restore,
	},
	[CKPT_OBJ_PIPE] = {
		.name		= "pipe",
		.drop		= ckpt_pipe_drop,
		.save		= ckpt_pipe_save,
		.complete	= ckpt_pipe_complete,
		.restore	= ckpt_pipe_restore,
		.publish	= ckpt_pipe_publish,
	},
	[CKPT_OBJ_UNLINKED] = {
		.name		= "unlinked file",
		.get		= inode_get,
		.put		= inode_put,
		.drop		= file_put,
		.save		= ckpt_unlinked_save,
		.restore	= ckpt_unlinked_restore,
	},
	[CKPT_OBJ_GONE_PROCESS] = {
		.name		= "process that is gone",
		.get		= pid_get,
		.put		= pid_put,
		.drop		= pid_put,
		.save		= ckpt_gone_process_save,
		.restore	= ckpt_gone_process_restore,
	},
	[CKPT_OBJ_REMOVED_DIRECTORY] = {
		.name		= "removed directory",
		.get		= dentry_get,
		.put		= dentry_put,
		.drop		= file_put,
		.save		= ckpt_removed_directory_save,
		.restore	= ckpt_removed_directory_restore,
	},
#ifdef CONFIG_EPOLL
	[CKPT_OBJ_EPOLL] = {
		.name		= "items of an epoll",
		.drop		= ckpt_epoll_items_drop,
		.save		= ckpt_epoll_items_save,
		.restore	= ckpt_epoll_items_restore,
		.publish	= ckpt_epoll_items_publish,
	},
#endif
#ifdef CONFIG_UNIX
	[CKPT_OBJ_UNIX] = {
		.name		= "unix sockets",
		.put		= ckpt_unix_sockets_put,
		.drop		= ckpt_unix_sockets_drop,
		.save		= ckpt_unix_sockets_save,
		.restore	= ckpt_unix_sockets_restore,
		.publish	= ckpt_unix_sockets_publish,
	},
#endif
#ifdef CONFIG_SECCOMP_FILTER
	[CKPT_OBJ_SECCOMP_FILTER] = {
		.name		= "seccomp filter",
		.drop		= ckpt_seccomp_filter_drop,
		.save		= ckpt_seccomp_filter_save,
		.restore	= ckpt_seccomp_filter_restore,
	},
#endif
	[CKPT_OBJ_NSPROXY] = {
		.name		= "set of namespaces",
		.drop		= ckpt_nsproxy_drop,
		.save		= ckpt_nsproxy_save,
		.restore	= ckpt_nsproxy_restore,
	},
	[CKPT_OBJ_UTS_NS] = {
		.name		= "UTS namespace",
		.drop		= ckpt_uts_ns_drop,
		.save		= ckpt_uts_ns_save,
		.restore	= ckpt_uts_ns_restore,
	},
	[CKPT_OBJ_IPC_NS] = {
		.name		= "IPC namespace",
		.drop		= ckpt_ipc_ns_drop,
		.save		= ckpt_ipc_ns_save,
		.restore	= ckpt_ipc_ns_restore,
	},
#ifdef CONFIG_USER_NS
	[CKPT_OBJ_USER_NS] = {
		.name		= "user namespace",
		.drop		= ckpt_user_ns_drop,
		.save		= ckpt_user_ns_save,
		.restore	= ckpt_user_ns_restore,
	},
#endif
#ifdef CONFIG_PID_NS
	[CKPT_OBJ_PID_NS] = {
		.name		= "pid namespace",
		.drop		= ckpt_pid_ns_drop,
		.save		= ckpt_pid_ns_save,
		.restore	= ckpt_pid_ns_restore,
	},
#endif
};

const struct ckpt_file_kind ckpt_file_kinds[CKPT_FILE_MAX] = {
	[CKPT_FILE_REGULAR] = {
		.name		= "regular file",
		.may_replace	= true,
		.restore	= ckpt_file_restore_generic,
	},
	[CKPT_FILE_DIRECTORY] = {
		.name		= "directory",
		.restore	= ckpt_file_restore_generic,
	},
	[CKPT_FILE_MEM_DEVICE] = {
		.name		= "memory device",
		.may_replace	= true,
		.restore	= ckpt_file_restore_generic,
	},
	[CKPT_FILE_FIFO] = {
		.name		= "FIFO",
		.restore	= ckpt_file_restore_fifo,
	},
	[CKPT_FILE_PIPE] = {
		.name		= "pipe",
		.may_inherit	= true,
		.may_hold_unread = true,
		.is_outside	= ckpt_pipe_is_outside,
		.restore	= ckpt_file_restore_pipe,
	},
#ifdef CONFIG_EVENTFD
	[CKPT_FILE_EVENTFD] = {
		.name		= "eventfd",
		.restore	= ckpt_eventfd_restore,
	},
#endif
#ifdef CONFIG_SIGNALFD
	[CKPT_FILE_SIGNALFD] = {
		.name		= "signalfd",
		.restore	= ckpt_signalfd_restore,
	},
#endif
#ifdef CONFIG_TIMERFD
	[CKPT_FILE_TIMERFD] = {
		.name		= "timerfd",
		.restore	= ckpt_timerfd_restore,
	},
#endif
#ifdef CONFIG_EPOLL
	[CKPT_FILE_EPOLL] = {
		.name		= "epoll",
		.restore	= ckpt_epoll_restore,
	},
#endif
#ifdef CONFIG_INOTIFY_USER
	[CKPT_FILE_INOTIFY] = {
		.name		= "inotify instance",
		.restore	= ckpt_inotify_restore,
	},
#endif
	[CKPT_FILE_PIDFD] = {
		.name		= "pidfd",
		.restore	= ckpt_pidfd_restore,
	},
	[CKPT_FILE_MEMFD] = {
		.name		= "memfd",
		.restore	= ckpt_file_restore_memfd,
	},
	[CKPT_FILE_UNLINKED] = {
		.name		= "unlinked file",
		.restore	= ckpt_file_restore_unlinked,
	},
	[CKPT_FILE_EXTERNAL] = {
		.name		= "file outside of the image",
		.may_inherit	= true,
		.restore	= ckpt_file_external_restore,
	},
#ifdef CONFIG_UNIX
	[CKPT_FILE_UNIX] = {
		.name		= "unix socket",
		.may_inherit	= true,
		.may_hold_unread = true,
		.is_outside	= ckpt_unix_is_outside,
		.restore	= ckpt_unix_restore,
	},
#endif
#ifdef CONFIG_INET
	[CKPT_FILE_TCP] = {
		.name		= "TCP socket",
		.restore	= ckpt_tcp_restore,
	},
#endif
	[CKPT_FILE_PATH_ONLY] = {
		.name		= "path only",
		.restore	= ckpt_file_restore_path_only,
	},
	[CKPT_FILE_PROC] = {
		.name		= "file of /proc",
		.restore	= ckpt_file_restore_proc,
	},
	[CKPT_FILE_REMOVED_DIRECTORY] = {
		.name		= "removed directory",
		.restore	= ckpt_file_restore_removed_directory,
	},
};

/*
 * In the order of the records. Commit runs in the same order: vector registers
 * come first because their commit alone can fail; an address space comes after
 * the credentials, which reset what it may dump; the thread comes later because
 * its pointers are those of the new address space. General registers come last
 * because leaving the old one resets segment bases, and when all tasks have
 * committed everything else.
 */
const struct ckpt_task_part ckpt_task_parts[] = {
	{
		.name		= "registers",
		.save		= ckpt_cpu_save,
		.restore	= ckpt_cpu_restore,
		.commit		= ckpt_cpu_commit_extended,
		.release	= ckpt_cpu_release,
	},
	{
		.name		= "task",
		.save		= ckpt_task_save,
		.restore	= ckpt_task_restore,
		.commit		= ckpt_task_commit,
		.release	= ckpt_task_release,
	},
	{
		.name		= "namespaces",
		.restore	= ckpt_namespaces_restore,
		.commit		= ckpt_namespaces_commit,
	},
	{
		.name		= "credentials",
		.commit		= ckpt_cred_commit,
	},
	{
		.name		= "root and working directory",
		.restore	= ckpt_fs_check,
		.commit		= ckpt_fs_commit,
	},
	{
		.name		= "descriptor table",
		.commit		= ckpt_files_commit,
	},
	{
		.name		= "address space",
		.commit		= ckpt_mm_commit,
	},
	{
		.name		= "signal handlers",
		.restore	= ckpt_sighand_check,
		.commit		= ckpt_sighand_commit,
	},
	{
		.name		= "thread group",
		.commit		= ckpt_signal_commit,
	},
	{
		.name		= "thread",
		.save		= ckpt_thread_save,
		.restore	= ckpt_thread_restore,
		.commit		= ckpt_thread_commit,
		.release	= ckpt_thread_release,
	},
	{
		.name		= "timers",
		.commit		= ckpt_timers_commit,
		.release	= ckpt_timers_release,
	},
	{
		.name		= "interrupted system call",
		.save		= ckpt_restart_block_save,
		.restore	= ckpt_restart_block_restore,
		.commit		= ckpt_restart_block_commit,
	},
	{
		.name		= "seccomp",
		.restore	= ckpt_seccomp_restore,
		.commit		= ckpt_seccomp_commit,
	},
	{
		.name		= "general registers",
		.restore	= arch_ckpt_check_place,
		.commit		= ckpt_cpu_commit_general,
	},
};

const unsigned int ckpt_nr_task_parts = ARRAY_SIZE(ckpt_task_parts);
