// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of open files of /proc.
 *
 * Saved: where in /proc the file is; of the entries of a process, that they are
 *	those of the saved process itself, whatever its number will be.
 * Reset: everything that it shows.
 * Refused: entries of other processes and of those that have gone; entries that
 *	hold an address space, a root directory or a user namespace from when
 *	they were opened; files that keep what was written to them; and whatever
 *	is not known to be harmless.
 *
 * Dozens of files make up /proc, and they share no method that could decide: so
 * the decision is made here, by their names.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/magic.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "proc/internal.h"

/* Nothing but the name tells what is read; a directory lets all below it. */
static const char * const global_names[] = {
	"", "buddyinfo", "cgroups", "cmdline", "consoles", "cpuinfo",
	"devices", "diskstats", "filesystems", "interrupts", "iomem",
	"ioports", "kallsyms", "loadavg", "locks", "meminfo", "misc",
	"modules", "pagetypeinfo", "partitions", "schedstat", "slabinfo",
	"softirqs", "stat", "swaps", "sys/", "sysvipc/", "timer_list",
	"tty/drivers", "uptime", "version", "vmallocinfo", "vmstat",
	"zoneinfo",
};

static const char * const process_names[] = {
	"", "attr", "autogroup", "cgroup", "children", "clear_refs", "cmdline",
	"comm", "coredump_filter", "cpuset", "cpu_resctrl_groups", "fd",
	"fdinfo", "io", "limits", "loginuid", "map_files", "net", "net/",
	"ns", "oom_adj", "oom_score", "oom_score_adj", "personality", "sched",
	"schedstat", "sessionid", "stack", "stat", "statm", "status",
	"syscall", "task", "timerslack_ns", "wchan",
};

static bool is_listed(const char *name, const char * const *names, size_t nr)
{
	size_t index;

	for (index = 0; index < nr; index++) {
		size_t len = strlen(names[index]);

		if (!strcmp(name, names[index]))
			return true;
		/* "sys/": the directory itself and all that is in it. */
		if (len && names[index][len - 1] == '/' &&
		    (str_has_prefix(name, names[index]) ||
		     (strlen(name) == len - 1 &&
		      !strncmp(name, names[index], len - 1))))
			return true;
	}
	return false;
}

static bool may_open(u32 where, const char *name)
{
	if (strstr(name, ".."))
		return false;
	if (where == CKPT_PROC_GLOBAL)
		return is_listed(name, global_names, ARRAY_SIZE(global_names));
	return is_listed(name, process_names, ARRAY_SIZE(process_names));
}

/**
 * ckpt_file_is_proc - is this open file one of /proc?
 * @file: file
 *
 * Return: whether it is.
 */
bool ckpt_file_is_proc(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == PROC_SUPER_MAGIC;
}

/* Takes a number from the beginning of a name, and the slash behind it. */
static bool take_number(char **name, unsigned int *number)
{
	char *end = strchrnul(*name, '/');
	char digits[12];

	if (end == *name || end - *name >= (ptrdiff_t)sizeof(digits))
		return false;
	strscpy(digits, *name, end - *name + 1);
	if (kstrtouint(digits, 10, number))
		return false;
	*name = *end ? end + 1 : end;
	return true;
}

/* The number is that of the instance of /proc, and may be somebody else's now. */
static bool is_of(const struct file *file, struct pid *pid, unsigned int number)
{
	struct pid_namespace *pid_ns = proc_pid_ns(file_inode(file)->i_sb);

	return pid_nr_ns(pid, pid_ns) == number &&
	       !d_unhashed(file->f_path.dentry);
}

static int find_place(struct ckpt_ctx *ctx, const struct file *file,
		      char **name, u32 *where)
{
	struct pid *entry = proc_pid(file_inode(file));
	struct pid *own = task_tgid(ctx->task);
	unsigned int number;
	bool good;

	*where = CKPT_PROC_GLOBAL;
	/* dentry_path_raw() begins with a slash. */
	++*name;
	if (!take_number(name, &number))
		return 0;
	*where = CKPT_PROC_PROCESS;
	good = is_of(file, own, number);
	if (good && str_has_prefix(*name, "task/")) {
		*name += strlen("task/");
		*where = CKPT_PROC_THREAD;
		own = task_pid(ctx->task);
		good = take_number(name, &number) && is_of(file, own, number);
	}
	/* What is below net/ is of no process. */
	if (good && (!entry || entry == own))
		return 0;
	return ckpt_error(ctx, -EBADF,
			  "file %pD of /proc belongs to another task: %u", file,
			  number);
}

static int save_place(struct ckpt_ctx *ctx, const struct file *file, char *name)
{
	const struct path *path = &file->f_path;
	struct path root = { .mnt = path->mnt, .dentry = path->mnt->mnt_root };
	struct ckpt_hdr_file_proc *record;
	u32 where;
	int ret;

	if (root.dentry != root.dentry->d_sb->s_root)
		return ckpt_error(ctx, -EBADF,
				  "file %pD is in a part of /proc that is mounted alone",
				  file);
	ret = find_place(ctx, file, &name, &where);
	if (ret)
		return ret;
	if (!may_open(where, name))
		return ckpt_error(ctx, -EBADF,
				  "file %s of /proc cannot be saved", name);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_PROC);
	if (!record)
		return -ENOMEM;
	record->where = where;
	record->mode = file_inode(file)->i_mode & S_IFMT;
	ret = ckpt_path_add(ctx, &root);
	if (ret)
		return ckpt_error(ctx, ret, "/proc cannot be named");
	return ckpt_text_add(ctx, name);
}

/**
 * ckpt_file_save_proc - save an open file of /proc
 * @ctx: context
 * @file: file, perhaps open as a path only
 *
 * Return: CKPT_FILE_PROC or a negative errno.
 */
int ckpt_file_save_proc(struct ckpt_ctx *ctx, struct file *file)
{
	char *page, *name;
	int ret;

	page = (char *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	name = dentry_path_raw(file->f_path.dentry, page, PAGE_SIZE);
	ret = IS_ERR(name) ? PTR_ERR(name) : save_place(ctx, file, name);
	free_page((unsigned long)page);
	return ret ?: CKPT_FILE_PROC;
}

static const char *directory_of(u32 where)
{
	switch (where) {
	case CKPT_PROC_PROCESS:
		return "self/";
	case CKPT_PROC_THREAD:
		return "thread-self/";
	default:
		return "";
	}
}

static struct file *open_entry(struct ckpt_ctx *ctx, const char *root,
			       const char *name, u32 open_flags,
			       const struct ckpt_hdr_file_proc *record)
{
	struct file *file;
	char *path;

	path = kasprintf(GFP_KERNEL_ACCOUNT, "%s/%s%s", root,
			 directory_of(record->where), name);
	if (!path)
		return ERR_PTR(-ENOMEM);
	file = filp_open(path, open_flags | O_NONBLOCK | O_NOCTTY, 0);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "cannot open %s", path);
	} else if (!ckpt_file_is_proc(file) ||
		   (file_inode(file)->i_mode ^ record->mode) & S_IFMT) {
		int ret = ckpt_error(ctx, -ESTALE, "%s is no such file of /proc",
				     path);

		fput(file);
		file = ERR_PTR(ret);
	}
	kfree(path);
	return file;
}

/**
 * ckpt_file_restore_proc - open a file of /proc
 * @ctx: context
 * @file_record: its first record
 *
 * Context: Entries of the process are those of the current task.
 *
 * Return: struct file with a reference, or an error pointer.
 */
struct file *ckpt_file_restore_proc(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *file_record)
{
	struct ckpt_hdr_file_proc record;
	struct file *file;
	char *root, *name;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_PROC, &record);
	if (ret)
		return ERR_PTR(ret);
	root = ckpt_text_read(ctx);
	if (IS_ERR(root))
		return ERR_CAST(root);
	name = ckpt_text_read(ctx);
	if (IS_ERR(name)) {
		kvfree(root);
		return ERR_CAST(name);
	}
	if (may_open(record.where, name))
		file = open_entry(ctx, root, name, file_record->open_flags,
				  &record);
	else
		file = ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "file %s of /proc cannot be restored",
					  name));
	kvfree(name);
	kvfree(root);
	return file;
}
