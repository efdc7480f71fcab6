// SPDX-License-Identifier: GPL-2.0
/* What /proc says about the process, without what may rightly change. */
#include "snapshot.h"
#include "subject.h"

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Contents of the file that is being looked at. */
static char file[512 * 1024];

/* Lines of /proc/self/status that stay. */
static const char * const status_keys[] = {
	"Name", "Umask", "TracerPid", "Uid", "Gid", "Groups", "VmLck", "VmPin",
	"VmSize", "VmData", "VmStk", "VmExe", "VmLib", "HugetlbPages",
	"CoreDumping", "THP_enabled", "Threads", "SigPnd", "ShdPnd", "SigBlk",
	"SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
	"NoNewPrivs", "Seccomp", "Seccomp_filters", "Speculation_Store_Bypass",
	"SpeculationIndirectBranch", "Cpus_allowed", "Mems_allowed",
	"x86_Thread_features", "x86_Thread_features_locked",
};

/* Numbers of /proc/self/stat that stay, counted as in proc(5). */
static const struct {
	int number;
	const char *name;
} stat_fields[] = {
	{ 7, "tty" }, { 18, "priority" }, { 19, "nice" }, { 20, "threads" },
	{ 23, "vsize" }, { 25, "rsslim" }, { 26, "startcode" },
	{ 27, "endcode" }, { 28, "startstack" }, { 38, "exit_signal" },
	{ 40, "rt_priority" }, { 41, "policy" }, { 45, "start_data" },
	{ 46, "end_data" }, { 47, "start_brk" }, { 48, "arg_start" },
	{ 49, "arg_end" }, { 50, "env_start" }, { 51, "env_end" },
};

__attribute__((format(printf, 2, 3)))
static void add(struct snapshot *snapshot, const char *format, ...)
{
	size_t room = sizeof(snapshot->text) - snapshot->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(snapshot->text + snapshot->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		subject_die("snapshot too small");
	snapshot->len += len;
}

/* Bytes of a file of /proc, or -errno. */
static ssize_t slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got, len = 0;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, file + len, sizeof(file) - 1 - len);
		if (got > 0)
			len += got;
		else if (got < 0)
			len = -errno;
	} while (got > 0 && len < (ssize_t)sizeof(file) - 1);
	close(fd);
	if (len == sizeof(file) - 1)
		subject_die("%s is too long", path);
	file[len < 0 ? 0 : len] = '\0';
	return len;
}

static u64 checksum(const char *bytes, size_t len)
{
	u64 sum = 0xcbf29ce484222325ULL;

	while (len--)
		sum = (sum ^ (unsigned char)*bytes++) * 0x100000001b3ULL;
	return sum;
}

/* A file whose contents are binary: length and checksum. */
static void add_sum(struct snapshot *snapshot, const char *path)
{
	ssize_t len = slurp(path);

	if (len < 0)
		add(snapshot, "%s: error %zd\n", path, len);
	else
		add(snapshot, "%s: %zd bytes, %#llx\n", path, len,
		    (unsigned long long)checksum(file, len));
}

static void add_text(struct snapshot *snapshot, const char *path)
{
	ssize_t len = slurp(path);

	if (len < 0)
		add(snapshot, "%s: error %zd\n", path, len);
	else
		add(snapshot, "%s: %s%s", path, file, len && file[len - 1] == '\n' ? "" : "\n");
}

/* Without the number of an inode that belongs to no filesystem: pipe:[NUMBER] */
static size_t name_length(const char *target, size_t len)
{
	const char *bracket = memchr(target, '[', len);

	return *target != '/' && bracket ? (size_t)(bracket - target) : len;
}

/*
 * A file that was unlinked is another one after a restart, with the same
 * contents; that memory from memfd_create() keeps its name is worth a look.
 */
static bool is_unlinked(const char *path)
{
	static const char suffix[] = " (deleted)";
	size_t len = strlen(path);

	return len >= sizeof(suffix) - 1 && !strcmp(path + len - sizeof(suffix) + 1, suffix);
}

/* Shared memory with a name of its mapping. */
static bool is_named_memory(const char *path)
{
	return !strncmp(path, "[anon_shmem:", 12);
}

static const char *lasting_name(const char *path)
{
	if (is_unlinked(path) && strncmp(path, "/memfd:", 7) && strncmp(path, "/dev/zero ", 10))
		return "unlinked";
	return path;
}

/* All of its nodes are the same. */
static bool is_memory_device(const char *path, struct stat *st)
{
	return !stat(path, st) && S_ISCHR(st->st_mode) && major(st->st_rdev) == 1;
}

static void add_link(struct snapshot *snapshot, const char *path)
{
	char target[512];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	struct stat st;

	if (len < 0)
		return add(snapshot, "%s: error %d\n", path, errno);
	if (is_memory_device(path, &st))
		return add(snapshot, "%s: memory device %u\n", path, minor(st.st_rdev));
	target[name_length(target, len)] = '\0';
	add(snapshot, "%s -> %s\n", path, lasting_name(target));
}

static void add_status(struct snapshot *snapshot)
{
	char *line, *rest = file;

	if (slurp("/proc/self/status") < 0)
		return add(snapshot, "status: error\n");
	while ((line = strsep(&rest, "\n"))) {
		size_t key = strcspn(line, ":"), index;

		for (index = 0; index < ARRAY_SIZE(status_keys); index++)
			if (strlen(status_keys[index]) == key &&
			    !strncmp(line, status_keys[index], key))
				add(snapshot, "status %s\n", line);
	}
}

static void add_stat(struct snapshot *snapshot)
{
	char *rest, *word;
	size_t index = 0;
	int number = 3;

	if (slurp("/proc/self/stat") < 0)
		return add(snapshot, "stat: error\n");
	rest = strrchr(file, ')') + 2;
	for (; (word = strsep(&rest, "\n ")); number++) {
		if (index == ARRAY_SIZE(stat_fields) || stat_fields[index].number != number)
			continue;
		add(snapshot, "stat %s: %s\n", stat_fields[index].name, word);
		index++;
	}
}

/**
 * struct area - neighbouring mappings that differ in nothing but their history
 * @start: first address
 * @end: behind the last
 * @perms: as in /proc/self/maps
 * @offset: of @start in the file
 * @file: device, inode and path
 * @flags: as in /proc/self/smaps
 */
struct area {
	unsigned long start, end;
	char perms[5];
	unsigned long offset;
	char file[512];
	char flags[128];
};

static bool parse_area(const char *line, struct area *area)
{
	unsigned long inode, start, end, offset;
	char dev[16], perms[5];
	const char *device = dev;
	int path = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %15s %lu %n", &start, &end, perms, &offset, dev,
		   &inode, &path) < 6 || !path)
		return false;
	area->start = start;
	area->end = end;
	area->offset = offset;
	memcpy(area->perms, perms, sizeof(perms));
	/* Also shared memory that never had a name. */
	if (is_unlinked(line + path) || is_named_memory(line + path)) {
		inode = 0;
		if (control->flags & CONTROL_IN_MEMORY)
			device = "another";
	}
	snprintf(area->file, sizeof(area->file), "%s %lu %s", device, inode,
		 lasting_name(line + path));
	area->flags[0] = '\0';
	return true;
}

static void parse_flags(char *text, struct area *area)
{
	size_t len = 0;
	char *flag;

	while ((flag = strsep(&text, " "))) {
		/* Soft-dirty is set by each write. */
		if (*flag && strcmp(flag, "sd"))
			len += snprintf(area->flags + len, sizeof(area->flags) - len, " %s", flag);
	}
}

static bool continues(const struct area *last, const struct area *next)
{
	bool has_file = strncmp(next->file, "00:00 0 ", 8);

	return last->end == next->start && !strcmp(last->perms, next->perms) &&
	       !strcmp(last->file, next->file) && !strcmp(last->flags, next->flags) &&
	       (!has_file || last->offset + (last->end - last->start) == next->offset);
}

static void add_area(struct snapshot *snapshot, const struct area *area)
{
	if (area->end)
		add(snapshot, "map %lx-%lx %s %lx %s flags%s\n", area->start, area->end,
		    area->perms, area->offset, area->file, area->flags);
}

static void add_maps(struct snapshot *snapshot)
{
	static struct area last, next;
	char *line, *rest = file;

	if (slurp("/proc/self/smaps") < 0)
		return add(snapshot, "smaps: error\n");
	last.end = 0;
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "VmFlags:", 8)) {
			parse_area(line, &next);
			continue;
		}
		/* The last line of a mapping. */
		parse_flags(line + 8, &next);
		if (last.end && continues(&last, &next)) {
			last.end = next.end;
			continue;
		}
		add_area(snapshot, &last);
		last = next;
	}
	add_area(snapshot, &last);
}

/* Position and flags of a descriptor; the rest depends on the mount. */
static void add_descriptor(struct snapshot *snapshot, const char *name)
{
	char path[64], *line, *rest = file;

	snprintf(path, sizeof(path), "/proc/self/fd/%s", name);
	add_link(snapshot, path);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", name);
	if (slurp(path) < 0)
		return add(snapshot, "   error\n");
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, "pos:", 4) || !strncmp(line, "flags:", 6))
			add(snapshot, "   %s\n", line);
}

static void add_descriptors(struct snapshot *snapshot)
{
	struct dirent64 {
		u64 ino;
		s64 off;
		u16 reclen;
		u8 type;
		char name[];
	} *entry;
	static char entries[32768];
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long got, at;

	if (fd < 0)
		return add(snapshot, "fd: error %d\n", errno);
	while ((got = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		for (at = 0; at < got; at += entry->reclen) {
			entry = (void *)(entries + at);
			if (entry->name[0] != '.' && atoi(entry->name) != fd)
				add_descriptor(snapshot, entry->name);
		}
	}
	close(fd);
}

void snapshot_take(struct snapshot *snapshot, unsigned int skip)
{
	snapshot->len = 0;
	if (!(skip & SKIP_STATUS)) {
		add_status(snapshot);
		add_stat(snapshot);
	}
	add_text(snapshot, "/proc/self/comm");
	add_text(snapshot, "/proc/self/limits");
	add_text(snapshot, "/proc/self/timerslack_ns");
	add_text(snapshot, "/proc/self/coredump_filter");
	add_text(snapshot, "/proc/self/oom_score_adj");
	add_sum(snapshot, "/proc/self/cmdline");
	add_sum(snapshot, "/proc/self/environ");
	add_sum(snapshot, "/proc/self/auxv");
	add_link(snapshot, "/proc/self/cwd");
	add_link(snapshot, "/proc/self/root");
	add_link(snapshot, "/proc/self/exe");
	add(snapshot, "personality: %#x\n", personality(0xffffffff));
	add(snapshot, "leads its session: %d, its group: %d\n", getsid(0) == getpid(),
	    getpgid(0) == getpid());
	if (!(skip & SKIP_FILES))
		add_descriptors(snapshot);
	if (!(skip & SKIP_MAPS))
		add_maps(snapshot);
}

static size_t line_length(const char *text)
{
	return strcspn(text, "\n");
}

void snapshot_compare(const struct snapshot *before, const struct snapshot *after)
{
	const char *old = before->text, *new = after->text;

	while (*old || *new) {
		size_t old_len = line_length(old), new_len = line_length(new);

		if (old_len != new_len || memcmp(old, new, old_len))
			check(false, "/proc: is '%.*s', was '%.*s'", (int)new_len, new,
			      (int)old_len, old);
		old += old_len + !!old[old_len];
		new += new_len + !!new[new_len];
	}
}

/* Look for a line of the mapping that holds an address. */
static char *smaps_line(const void *at, const char *key)
{
	char *line, *rest = file;
	bool here = false;

	if (slurp("/proc/self/smaps") < 0)
		return NULL;
	while ((line = strsep(&rest, "\n"))) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (unsigned long)at >= start && (unsigned long)at < end;
		else if (here && !strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			return line + strlen(key) + 1;
	}
	return NULL;
}

long smaps_kb(const void *at, const char *key)
{
	char *value = smaps_line(at, key);

	return value ? atol(value) : -1;
}

bool smaps_has_flag(const void *at, const char *flag)
{
	char *flags = smaps_line(at, "VmFlags"), *word;

	while (flags && (word = strsep(&flags, " ")))
		if (!strcmp(word, flag))
			return true;
	return false;
}
