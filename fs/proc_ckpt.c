// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of open files of /proc.
 *
 * Saved: where in /proc the file is; of the entries of a process, that they are
 *	those of the saved process itself, whatever its number will be; the
 *	address space or the root directory that they hold from when they were
 *	opened, if it is that of the process still.
 * Reset: everything that it shows. Who polls is told once that it has changed.
 * Refused: entries of other processes and of those that have gone; entries that
 *	hold the address space of another program, the mounts of another
 *	namespace or below another root directory, a user namespace; files that
 *	keep what was written to them; and whatever is not known to be harmless.
 *
 * Dozens of files make up /proc, and they share no method that could decide: so
 * the decision is made here, by their names.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kstrtox.h>
#include <linux/magic.h>
#include <linux/nsproxy.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mount.h"
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
	"", "arch_status", "attr", "autogroup", "auxv", "cgroup", "children",
	"clear_refs", "cmdline", "comm", "coredump_filter", "cpuset",
	"cpu_resctrl_groups", "environ", "fd", "fdinfo", "io",
	"ksm_merging_pages", "ksm_stat", "limits", "loginuid", "map_files",
	"maps", "mem", "mountinfo", "mounts", "mountstats", "net", "net/",
	"ns", "numa_maps", "oom_adj", "oom_score", "oom_score_adj", "pagemap",
	"personality", "sched", "schedstat", "sessionid", "smaps",
	"smaps_rollup", "stack", "stat", "statm", "status", "syscall", "task",
	"timens_offsets", "timers", "timerslack_ns", "wchan",
};

/* What a file keeps from when it was opened. */
enum proc_kept {
	KEPT_NOTHING,
	KEPT_MM,
	KEPT_MM_OF_MAPPINGS,
	KEPT_MOUNTS,
	KEPT_EVENT,
	KEPT_EVENT_OF_SYSCTL,
};

static const struct {
	const char *name;
	enum proc_kept kept;
} process_kept[] = {
	{ "auxv",		KEPT_MM },
	{ "environ",		KEPT_MM },
	{ "maps",		KEPT_MM_OF_MAPPINGS },
	{ "mem",		KEPT_MM },
	{ "mountinfo",		KEPT_MOUNTS },
	{ "mounts",		KEPT_MOUNTS },
	{ "mountstats",		KEPT_MOUNTS },
	{ "numa_maps",		KEPT_MM_OF_MAPPINGS },
	{ "pagemap",		KEPT_MM },
	{ "smaps",		KEPT_MM_OF_MAPPINGS },
	{ "smaps_rollup",	KEPT_MM_OF_MAPPINGS },
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

static enum proc_kept what_is_kept(const struct file *file, u32 where,
				   const char *name)
{
	size_t index;

	/* With O_PATH it is not open. */
	if (file->f_mode & FMODE_PATH || !S_ISREG(file_inode(file)->i_mode))
		return KEPT_NOTHING;
	if (where == CKPT_PROC_GLOBAL) {
		if (!strcmp(name, "swaps"))
			return KEPT_EVENT;
		return str_has_prefix(name, "sys/") ? KEPT_EVENT_OF_SYSCTL :
						      KEPT_NOTHING;
	}
	for (index = 0; index < ARRAY_SIZE(process_kept); index++)
		if (!strcmp(name, process_kept[index].name))
			return process_kept[index].kept;
	return KEPT_NOTHING;
}

/* NULL if it keeps none. */
static struct mm_struct **kept_mm(struct file *file, enum proc_kept kept)
{
	struct seq_file *seq = file->private_data;
	struct proc_maps_private *mappings;

	if (kept == KEPT_MM)
		return (struct mm_struct **)&file->private_data;
	if (kept != KEPT_MM_OF_MAPPINGS)
		return NULL;
	mappings = seq->private;
	return &mappings->mm;
}

static struct proc_mounts *kept_mounts(struct file *file, enum proc_kept kept)
{
	struct seq_file *seq = file->private_data;

	return kept == KEPT_MOUNTS ? seq->private : NULL;
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

/* Takes the directory of the process or thread from the name, if there is one. */
static int find_place(struct ckpt_ctx *ctx, struct file *file,
		      struct task_struct *task, char **name, u32 *where)
{
	struct pid *entry = proc_pid(file_inode(file));
	struct pid *own = task_tgid(task);
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
		own = task_pid(task);
		good = take_number(name, &number) && is_of(file, own, number);
	}
	/* What is below net/ is of no process. */
	if (good && (!entry || entry == own))
		return 0;
	return ckpt_file_refuse(ctx, file,
				"file %pD of /proc belongs to another task: %u",
				file, number);
}

static bool is_root(struct fs_struct *fs, const struct path *path)
{
	struct path root;
	bool result;

	get_fs_root(fs, &root);
	result = path_equal(&root, path);
	path_put(&root);
	return result;
}

/* The process changes none of this while it is stopped. */
static int save_kept(struct ckpt_ctx *ctx, struct file *file, const char *name,
		     struct ckpt_hdr_file_proc *record)
{
	enum proc_kept kept = what_is_kept(file, record->where, name);
	struct proc_mounts *mounts = kept_mounts(file, kept);
	struct mm_struct **mm = kept_mm(file, kept);

	if (mm) {
		if (*mm == ctx->task->mm)
			record->mm = ckpt_object_id(ctx, *mm);
		if (!record->mm)
			return ckpt_error(ctx, -EBADF,
					  "file %s of /proc shows the memory of before an execve()",
					  name);
	}
	if (mounts) {
		if (mounts->ns != ctx->task->nsproxy->mnt_ns)
			return ckpt_error(ctx, -EBADF,
					  "file %s of /proc shows another mount namespace",
					  name);
		if (is_root(ctx->task->fs, &mounts->root))
			record->fs = ckpt_object_id(ctx, ctx->task->fs);
		if (!record->fs)
			return ckpt_error(ctx, -EBADF,
					  "file %s of /proc shows mounts below another root directory",
					  name);
	}
	return 0;
}

static int save_place(struct ckpt_ctx *ctx, struct file *file, char *name)
{
	const struct path *path = &file->f_path;
	struct path root = { .mnt = path->mnt, .dentry = path->mnt->mnt_root };
	struct ckpt_hdr_file_proc *record;
	u32 where;
	int ret;

	if (root.dentry != root.dentry->d_sb->s_root)
		return ckpt_file_refuse(ctx, file,
					"file %pD is in a part of /proc that is mounted alone",
					file);
	ret = find_place(ctx, file, ctx->task, &name, &where);
	if (ret)
		return ret;
	if (!may_open(where, name))
		return ckpt_file_refuse(ctx, file,
					"file %s of /proc cannot be saved",
					name);
	record = ckpt_record_add(ctx, CKPT_HDR_FILE_PROC);
	if (!record)
		return -ENOMEM;
	record->where = where;
	record->mode = file_inode(file)->i_mode & S_IFMT;
	ret = save_kept(ctx, file, name, record);
	if (ret)
		return ret;
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
 * Return: CKPT_FILE_PROC, CKPT_FILE_EXTERNAL, or a negative errno.
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

/*
 * What the name says decides what is behind the pointers of the file, and a
 * symbolic link may have led to another one: an image names any directory it
 * likes.
 */
static int check_place(struct ckpt_ctx *ctx, struct file *file,
		       const char *want,
		       const struct ckpt_hdr_file_proc *record)
{
	char *page, *name;
	u32 where;
	int ret;

	if (!ckpt_file_is_proc(file) ||
	    (file_inode(file)->i_mode ^ record->mode) & S_IFMT)
		return -ESTALE;
	page = (char *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	name = dentry_path_raw(file->f_path.dentry, page, PAGE_SIZE);
	ret = IS_ERR(name) ? PTR_ERR(name) :
	      find_place(ctx, file, current, &name, &where);
	if (!ret && (where != record->where || strcmp(name, want)))
		ret = -ESTALE;
	free_page((unsigned long)page);
	return ret;
}

static struct file *open_entry(struct ckpt_ctx *ctx, const char *root,
			       const char *name, u32 open_flags,
			       const struct ckpt_hdr_file_proc *record)
{
	struct file *file;
	char *path;
	int ret;

	path = kasprintf(GFP_KERNEL_ACCOUNT, "%s/%s%s", root,
			 directory_of(record->where), name);
	if (!path)
		return ERR_PTR(-ENOMEM);
	file = filp_open(path, open_flags | O_NONBLOCK | O_NOCTTY, 0);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "cannot open %s", path);
		goto free_path;
	}
	ret = check_place(ctx, file, name, record);
	if (ret) {
		ckpt_error(ctx, ret, "%s is no such file of /proc", path);
		fput(file);
		file = ERR_PTR(ret);
	}
free_path:
	kfree(path);
	return file;
}

/* It was opened by a task that has another address space until the commit. */
static void set_mm(struct mm_struct **kept, struct mm_struct *mm)
{
	struct mm_struct *old = *kept;

	mmgrab(mm);
	*kept = mm;
	if (old)
		mmdrop(old);
}

static void set_root(struct proc_mounts *mounts, struct fs_struct *fs)
{
	struct path old = mounts->root;

	get_fs_root(fs, &mounts->root);
	path_put(&old);
}

/**
 * struct restored_event - a file that tells who polls when it has changed
 * @step: makes it tell that once more
 * @file: the file, which the table of objects holds
 * @kept: what says which change it told last
 */
struct restored_event {
	struct ckpt_last_step step;
	struct file *file;
	enum proc_kept kept;
};

/* No change has this number: it may be any other. */
static void forget_event(struct file *file, enum proc_kept kept)
{
	struct seq_file *seq = file->private_data;

	if (kept == KEPT_EVENT_OF_SYSCTL)
		file->private_data = (void *)~0UL;
	else
		seq->poll_event--;
}

static int tell_event(struct ckpt_ctx *ctx, struct ckpt_last_step *step)
{
	struct restored_event *event =
		container_of(step, struct restored_event, step);

	forget_event(event->file, event->kept);
	return 0;
}

static void event_free(struct ckpt_last_step *step)
{
	kfree(container_of(step, struct restored_event, step));
}

/*
 * Mounts, swap areas and names of the host may be others now, and no number
 * tells of two boots whether they are. An epoll asks as soon as it watches the
 * file, and finds it ready; what it was told then, the process was not.
 */
static int restore_event(struct ckpt_ctx *ctx, struct file *file,
			 enum proc_kept kept)
{
	struct restored_event *event;

	event = kzalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	if (!event)
		return -ENOMEM;
	event->step.run = tell_event;
	event->step.free = event_free;
	event->file = file;
	event->kept = kept;
	forget_event(file, kept);
	ckpt_last_step_add(ctx, &event->step);
	return 0;
}

static int restore_kept(struct ckpt_ctx *ctx, struct file *file,
			const char *name,
			const struct ckpt_hdr_file_proc *record)
{
	enum proc_kept kept = what_is_kept(file, record->where, name);
	struct proc_mounts *mounts = kept_mounts(file, kept);
	struct mm_struct **mm = kept_mm(file, kept);

	if (!mm != !record->mm || !mounts != !record->fs)
		return ckpt_error(ctx, -EINVAL,
				  "file %s of /proc keeps something else",
				  name);
	if (mm)
		set_mm(mm, ckpt_object_find(ctx, record->mm, CKPT_OBJ_MM));
	if (mounts)
		set_root(mounts, ckpt_object_find(ctx, record->fs,
						  CKPT_OBJ_FS));
	if (mounts || kept == KEPT_EVENT || kept == KEPT_EVENT_OF_SYSCTL)
		return restore_event(ctx, file, kept);
	return 0;
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
	if (!IS_ERR(file)) {
		ret = restore_kept(ctx, file, name, &record);
		if (ret) {
			fput(file);
			file = ERR_PTR(ret);
		}
	}
	kvfree(name);
	kvfree(root);
	return file;
}
