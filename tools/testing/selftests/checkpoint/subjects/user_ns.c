// SPDX-License-Identifier: GPL-2.0
/*
 * Processes in user namespaces: "alone", the subject in one of its own, as who has
 * called "unshare -Ur"; "program", a child that executes a program in one;
 * "family", whose members are in
 *
 *	0		that of whoever starts the subject
 *	0 - 1 - 2	one with many extents; 1 has a thread and a dead child, 2 has
 *			given up rights and is another user
 *	1 - 3 - 4	others below it, of which one denies setgroups(2)
 *	0 - 5		that of 1, which it has entered
 *	0 - 6		one without any map
 *
 * Each tells what it sees and what it may do there, before and after.
 */
#include "subject.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/nsfs.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NR_MEMBERS	7
#define VIEW_SIZE	4096
#define MEMBERS		"members"
#define MEMBERS_FD	100
#define NONE		(-1)

enum order {
	DONE,
	LOOK,
	END,
};

/**
 * struct member - one of them, in a file that all have mapped
 * @order: enum order; a futex
 * @line: of what failed, or 0
 * @pid: as /proc knows it
 * @inode: of its user namespace
 * @view: what it saw and could do
 */
static struct member {
	u32 order;
	u32 line;
	pid_t pid;
	ino_t inode;
	char view[VIEW_SIZE];
} *members;

/**
 * struct plan - how a member comes to be what it is
 * @parent: who creates it
 * @enters: it enters the namespace of that member; NONE: it does not
 * @uids: the uid_map of a namespace of its own, NULL: it has none, "": no map
 * @gids: likewise
 * @projids: likewise
 * @denies: setgroups(2)
 * @owns: UTS and IPC namespaces that belong to it
 * @executes: a program there
 * @user: whom it becomes at last
 * @become: what else it does
 */
struct plan {
	int parent;
	int enters;
	const char *uids;
	const char *gids;
	const char *projids;
	bool denies;
	bool owns;
	bool executes;
	uid_t user;
	bool (*become)(void);
};

static const struct plan *plans;
static int nr_members;
static char views[NR_MEMBERS][VIEW_SIZE];

/* A member is not the subject: the one that tells it what to do sees that it failed. */
#define must(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "%td, line %d: %s: %m\n",		\
			self - members, __LINE__, #condition);		\
		self->line = __LINE__;					\
		_exit(1);						\
	}								\
} while (0)

/* Its own id, for a /proc that may be of another pid namespace. */
static pid_t pid_in_proc(void)
{
	char text[16] = "";

	return readlink("/proc/self", text, sizeof(text) - 1) > 0 ? atoi(text) : 0;
}

static bool write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

static bool set_caps(u64 effective, u64 permitted, u64 inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = {
		{ effective, permitted, inheritable },
		{ effective >> 32, permitted >> 32, inheritable >> 32 },
	};

	return !syscall(SYS_capset, &header, data);
}

static bool have_groups(void)
{
	static const gid_t groups[] = { 5, 1700 };

	return !setgroups(2, groups) && !setresgid(3, 4, 5);
}

static bool give_up_rights(void)
{
	u64 some = 1 << CAP_KILL | 1 << CAP_NET_RAW;

	return !prctl(PR_CAPBSET_DROP, CAP_MKNOD, 0, 0, 0) &&
	       !prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED,
		      0, 0, 0) &&
	       !setresgid(12, 13, 14) && !setresuid(11, 1003, 6005) && set_caps(some, some, some) &&
	       !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
}

/* No more than there is already, when 4 has come. */
static bool write_limits(void)
{
	return write_proc(pid_in_proc(), "../sys/user/max_uts_namespaces", "5");
}

static const struct plan alone[] = {
	{ NONE, NONE, "me", "me", NULL, true, true, false, 0, NULL },
};

static const struct plan program[] = {
	{ NONE, NONE, NULL },
	{ 0, NONE, "me", "me", NULL, true, true, true, 0, NULL },
};

static const struct plan family[NR_MEMBERS] = {
	{ NONE, NONE, NULL },
	{ 0, NONE, "0 100000 1000\n1000 300000 10\n2000 301000 10\n3000 302000 10\n"
	  "4000 303000 10\n6000 305000 10\n5000 304000 10\n", "0 200000 2000", "0 5 10\n20 40 5\n",
	  false, true, true, 0, have_groups },
	{ 1, NONE, NULL, NULL, NULL, false, false, false, 0, give_up_rights },
	{ 1, NONE, "10 20 5\n0 0 1\n4000000000 1000 2\n", "0 3 1\n1 4 1", NULL, true, true, true, 0,
	  write_limits },
	{ 3, NONE, "7 0 1", "0 1 1", NULL, true, false, false, 7, NULL },
	{ 0, 1, NULL, NULL, NULL, false, false, false, 9, NULL },
	{ 0, NONE, "", "", NULL, false, false, false, NONE, NULL },
};

static void set_order(struct member *member, enum order order)
{
	__atomic_store_n(&member->order, order, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &member->order, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void await_order(struct member *member, enum order old)
{
	while (READ_ONCE(member->order) == old)
		syscall(SYS_futex, &member->order, FUTEX_WAIT, old, NULL, NULL, 0);
}

__attribute__((format(printf, 2, 3)))
static void add(struct member *self, const char *format, ...)
{
	size_t len = strlen(self->view);
	va_list args;

	va_start(args, format);
	vsnprintf(self->view + len, VIEW_SIZE - len, format, args);
	va_end(args);
}

static void add_file(struct member *self, pid_t pid, const char *name)
{
	char path[64], text[1024] = "";
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	add(self, "%s:%s", name, len < 0 ? strerror(errno) : text);
	add(self, "\n");
}

static void add_ids(struct member *self)
{
	uid_t uids[3] = { 0 };
	gid_t gids[3] = { 0 }, groups[64];
	int nr, index;

	getresuid(&uids[0], &uids[1], &uids[2]);
	getresgid(&gids[0], &gids[1], &gids[2]);
	add(self, "uids %u %u %u %d gids %u %u %u %d groups", uids[0], uids[1], uids[2],
	    setfsuid(-1), gids[0], gids[1], gids[2], setfsgid(-1));
	nr = getgroups(64, groups);
	for (index = 0; index < nr; index++)
		add(self, " %u", groups[index]);
	add(self, "\n");
}

static u64 cap_set(bool of_ambient)
{
	u64 set = 0;
	int cap;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (of_ambient ? prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) :
				 prctl(PR_CAPBSET_READ, cap))
			set |= 1ULL << cap;
	return set;
}

static u64 permitted(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) ? 0 :
	       data[0].permitted | (u64)data[1].permitted << 32;
}

static void add_caps(struct member *self)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	must(!syscall(SYS_capget, &header, data));
	add(self, "caps %x.%x %x.%x %x.%x bounding %llx ambient %llx securebits %x\n",
	    data[1].effective, data[0].effective, data[1].permitted, data[0].permitted,
	    data[1].inheritable, data[0].inheritable, (unsigned long long)cap_set(false),
	    (unsigned long long)cap_set(true), prctl(PR_GET_SECUREBITS));
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

/* What a set-uid program becomes: see tell(). */
static void add_execution(struct member *self, const char *file)
{
	pid_t pid = fork();

	if (!pid) {
		execl(file, file, "tell", NULL);
		_exit(126);
	}
	add(self, "%s: %#x\n", file, status_of(pid));
}

/* And what it may do, by what a child gets who tries. */
static void add_attempt(struct member *self, const char *what, long (*attempt)(void))
{
	pid_t pid = fork();

	if (!pid)
		_exit(attempt() < 0 ? errno : 0);
	add(self, "%s: %d\n", what, status_of(pid) >> 8);
}

static long try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long try_uts(void)
{
	return unshare(CLONE_NEWUTS);
}

static long try_name(void)
{
	char name[65] = "";

	/* The same again: others see it. */
	return gethostname(name, sizeof(name)) ?: sethostname(name, strlen(name));
}

static long try_groups(void)
{
	static const gid_t group = 1;

	return setgroups(1, &group);
}

static long try_user(void)
{
	return setuid(1003);
}

static long try_unmapped_user(void)
{
	return setuid(999999);
}

static long try_chroot(void)
{
	return chroot("/");
}

/* Who may look into memory that is a secret: root, where the program was started. */
static long try_owner(void)
{
	struct stat st;

	prctl(PR_SET_DUMPABLE, 0);
	if (stat("/proc/self/environ", &st))
		return -1;
	errno = 1 + !!st.st_uid;
	return -1;
}

static void look(struct member *self)
{
	struct stat st;

	self->pid = pid_in_proc();
	self->view[0] = '\0';
	must(!stat("/proc/self/ns/user", &st));
	self->inode = st.st_ino;
	add_ids(self);
	add_caps(self);
	add_file(self, self->pid, "uid_map");
	add_file(self, self->pid, "gid_map");
	add_file(self, self->pid, "projid_map");
	add_file(self, self->pid, "setgroups");
	add_file(self, self->pid, "../sys/user/max_user_namespaces");
	add_file(self, self->pid, "../sys/user/max_uts_namespaces");
	add_file(self, self->pid, "../sys/kernel/msgmax");
	add_file(self, self->pid, "../sys/kernel/hostname");
	add_execution(self, "./set-uid-42");
	add_execution(self, "./set-uid-root");
	add_attempt(self, "unshare", try_unshare);
	add_attempt(self, "unshare UTS", try_uts);
	add_attempt(self, "sethostname", try_name);
	add_attempt(self, "setgroups", try_groups);
	add_attempt(self, "setuid", try_user);
	add_attempt(self, "setuid without a map", try_unmapped_user);
	add_attempt(self, "chroot", try_chroot);
	add_attempt(self, "owner", try_owner);
}

/* Which member's user namespace that is. */
static int whose(int fd)
{
	struct stat st;
	int index;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	close(fd);
	for (index = 0; index < nr_members; index++)
		if (members[index].inode == st.st_ino)
			return index;
	return NONE;
}

/* What the first one sees of another. */
static void add_relations(struct member *self, int index)
{
	uid_t owner = NONE;
	char path[64];
	int ns, uts, ipc;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", members[index].pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", members[index].pid);
	uts = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", members[index].pid);
	ipc = open(path, O_RDONLY | O_CLOEXEC);
	ioctl(ns, NS_GET_OWNER_UID, &owner);
	add(self, "%d: parent %d, owner %d, UTS of %d, IPC of %d, ", index,
	    whose(ioctl(ns, NS_GET_PARENT)), owner, whose(ioctl(uts, NS_GET_USERNS)),
	    whose(ioctl(ipc, NS_GET_USERNS)));
	add(self, "in that of %d\n", whose(ns));
	close(uts);
	close(ipc);
	add_file(self, members[index].pid, "uid_map");
	add_file(self, members[index].pid, "projid_map");
}

/* The kernel wants somebody in the parent to write more than one extent. */
static bool write_maps(const struct plan *plan, pid_t pid, uid_t uid, gid_t gid)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof(uids), "0 %u 1", uid);
	snprintf(gids, sizeof(gids), "0 %u 1", gid);
	if (plan->denies && !write_proc(pid, "setgroups", "deny"))
		return false;
	if (plan->uids[0] &&
	    !write_proc(pid, "uid_map", strcmp(plan->uids, "me") ? plan->uids : uids))
		return false;
	if (plan->gids[0] &&
	    !write_proc(pid, "gid_map", strcmp(plan->gids, "me") ? plan->gids : gids))
		return false;
	return !plan->projids || write_proc(pid, "projid_map", plan->projids);
}

static void unshare_users(struct member *self, const struct plan *plan)
{
	pid_t own = pid_in_proc(), helper;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int fds[2];
	char byte;

	must(!pipe(fds));
	helper = fork();
	if (!helper) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) || !write_maps(plan, own, uid, gid));
	}
	must(!unshare(CLONE_NEWUSER | (plan->owns ? CLONE_NEWUTS | CLONE_NEWIPC : 0)));
	close(fds[0]);
	close(fds[1]);
	must(!status_of(helper));
	if (plan->owns) {
		must(!setresgid(0, 0, 0) && !setresuid(0, 0, 0));
		must(!sethostname("inside", 6));
		must(write_proc(own, "../sys/kernel/msgmax", "5000"));
	}
}

static void enter(struct member *self, int index)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", members[index].pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(!setns(fd, CLONE_NEWUSER));
	close(fd);
}

static void create_members(struct member *self);
static void *thread_main(void *arg);

static u32 thread_word;

static void obey(struct member *self)
{
	for (;;) {
		await_order(self, DONE);
		if (self->order == END)
			return;
		look(self);
		set_order(self, DONE);
	}
}

/* Whatever it is in, it is there. */
static void serve(struct member *self)
{
	const struct plan *plan = &plans[self - members];
	pthread_t thread = 0;

	if (self - members == 1 && nr_members > 2) {
		must(!pthread_create(&thread, NULL, thread_main, self));
		/* It stays until this one ends. */
		if (!fork())
			_exit(33);
	}
	if (plan->become)
		must(plan->become());
	create_members(self);
	if (plan->user && plan->user != (uid_t)NONE)
		must(!setuid(plan->user));
	/* An unmapped user is not root, and keeps what he has. */
	if (plan->enters != NONE)
		must(set_caps(0, 0, 0));
	if (self - members == 3)
		must(write_proc(pid_in_proc(), "../sys/user/max_user_namespaces", "1"));
	prctl(PR_SET_DUMPABLE, 1);
	look(self);
	set_order(self, DONE);
	obey(self);
	if (thread) {
		WRITE_ONCE(thread_word, 1);
		syscall(SYS_futex, &thread_word, FUTEX_WAKE, 1, NULL, NULL, 0);
		pthread_join(thread, NULL);
	}
	while (wait(NULL) > 0)
		continue;
	_exit(0);
}

/* A thread is where its process is. */
static void *thread_main(void *arg)
{
	struct member *self = arg;
	struct stat st;

	while (!READ_ONCE(thread_word))
		syscall(SYS_futex, &thread_word, FUTEX_WAIT, 0, NULL, NULL, 0);
	must(!stat("/proc/thread-self/ns/user", &st) && st.st_ino == self->inode);
	return NULL;
}

static void map_members(int fd)
{
	members = mmap(NULL, NR_MEMBERS * sizeof(*members), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0);
	close(fd);
}

static void begin(struct member *self, int fd)
{
	const struct plan *plan = &plans[self - members];
	char index[2] = { '0' + (self - members) };

	self->pid = pid_in_proc();
	if (plan->enters != NONE)
		enter(self, plan->enters);
	if (plan->uids)
		unshare_users(self, plan);
	if (plan->executes) {
		dup2(fd, MEMBERS_FD);
		execl("/proc/self/exe", "user_ns", "member", plans == program ? "p" : "f", index,
		      NULL);
		must(false);
	}
	close(fd);
	serve(self);
}

static void create_members(struct member *self)
{
	int index, fd;

	for (index = 1; index < nr_members; index++) {
		struct member *member = &members[index];

		if (plans[index].parent != self - members)
			continue;
		member->order = END;
		fd = open(MEMBERS, O_RDWR | O_CLOEXEC);
		must(fd >= 0);
		if (!fork())
			begin(member, fd);
		close(fd);
		while (READ_ONCE(member->order) == END && !READ_ONCE(member->line))
			sched_yield();
		must(!member->line);
	}
}

static void choose(const struct plan *chosen, int nr)
{
	plans = chosen;
	nr_members = nr;
}

/* Executed by a member: it goes on, or it tells what it has become. */
__attribute__((constructor))
static void come_in(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "tell"))
		_exit((geteuid() & 0x7f) | (permitted() ? 0x80 : 0));
	if (argc != 4 || strcmp(argv[1], "member"))
		return;
	if (argv[2][0] == 'p')
		choose(program, ARRAY_SIZE(program));
	else
		choose(family, NR_MEMBERS);
	map_members(MEMBERS_FD);
	serve(&members[argv[3][0] - '0']);
}

static void copy_program(const char *name, uid_t owner)
{
	static char buffer[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t len;

	need(from >= 0 && to >= 0);
	while ((len = read(from, buffer, sizeof(buffer))) > 0)
		need(write(to, buffer, len) == len);
	/* The kernel wants both to be mapped where it is executed. */
	need(getuid() || !fchown(to, owner, owner + 100000));
	need(!fchmod(to, 04755));
	close(from);
	close(to);
}

static void tell_all_to_look(void)
{
	int index;

	for (index = 1; index < nr_members; index++) {
		set_order(&members[index], LOOK);
		while (READ_ONCE(members[index].order) == LOOK && !READ_ONCE(members[index].line))
			sched_yield();
		check(!members[index].line, "%d fails in line %u", index, members[index].line);
	}
	look(&members[0]);
	for (index = 0; index < nr_members; index++)
		add_relations(&members[0], index);
}

static void setup(void)
{
	int fd = open(MEMBERS, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666), index;

	need(fd >= 0 && !fchmod(fd, 0666) && !ftruncate(fd, NR_MEMBERS * sizeof(*members)));
	map_members(fd);
	copy_program("set-uid-42", 100042);
	copy_program("set-uid-root", 100000);
	if (plans[0].uids)
		unshare_users(&members[0], &plans[0]);
	prctl(PR_SET_DUMPABLE, 1);
	create_members(&members[0]);
	tell_all_to_look();
	for (index = 0; index < nr_members; index++)
		memcpy(views[index], members[index].view, VIEW_SIZE);
}

static void expect(int index, const char *line)
{
	check(!!strstr(views[index], line), "%d does not see '%s' but '%s'", index, line,
	      views[index]);
}

/* So that it is known that there was something to be seen. */
static void check_family(void)
{
	expect(0, "1: parent 0, owner 0, UTS of 1, IPC of 1, in that of 1");
	expect(0, "2: parent 0, owner 0, UTS of 1, IPC of 1, in that of 1");
	expect(0, "3: parent 1, owner 100000, UTS of 3, IPC of 3, in that of 3");
	expect(0, "4: parent 3, owner 100000, UTS of 3, IPC of 3, in that of 4");
	expect(0, "5: parent 0, owner 0, UTS of 0, IPC of 0, in that of 1");
	expect(0, "6: parent 0, owner 0, UTS of 0, IPC of 0, in that of 6");
	expect(1, "gids 3 4 5 4 groups 5 1700\n");
	expect(1, "      4000     303000         10\n      5000     304000         10\n");
	expect(1, "        20         40          5\n");
	expect(1, "setgroups:allow");
	expect(1, "set-uid-42: 0xaa00");
	expect(1, "setgroups: 0\nsetuid: 0\nsetuid without a map: 22\nchroot: 0\nowner: 1\n");
	expect(2, "uids 11 1003 6005 1003 gids 12 13 14 13");
	expect(2, "ambient 20 securebits c\n");
	expect(2, "sethostname: 1\n");
	expect(3, "setgroups:deny");
	expect(3, "4000000000       1000          2\n");
	expect(3, "/max_uts_namespaces:5\n");
	expect(3, "unshare: 28\n");
	expect(3, "setgroups: 1\n");
	expect(4, "uids 7 7 7 7");
	expect(4, "owner: 2\n");
	expect(5, "uids 9 9 9 9");
	expect(5, "set-uid-42: 0x2a00");
	expect(5, "set-uid-root: 0x8000");
	expect(5, "owner: 2\n");
	expect(6, "uids 65534 65534 65534 65534 gids 65534 65534 65534 65534 groups\n");
	expect(6, "uid_map:\n");
}

static void check_program(void)
{
	expect(1, "uids 0 0 0 0 gids 0 0 0 0");
	expect(1, "setgroups:deny");
	expect(1, "sethostname: 0\nsetgroups: 1\nsetuid: 22\n");
	expect(1, "owner: 1\n");
	expect(0, "1: parent 0, owner ");
	expect(0, "UTS of 1, IPC of 1, in that of 1");
}

static void setup_alone(void)
{
	choose(alone, ARRAY_SIZE(alone));
	setup();
	expect(0, "uids 0 0 0 0 gids 0 0 0 0");
	expect(0, "sethostname: 0\n");
	expect(0, "msgmax:5000\n");
	expect(0, "hostname:inside\n");
	expect(0, "0: parent -1, owner 0, UTS of 0, IPC of 0, in that of 0");
}

static void setup_program(void)
{
	choose(program, ARRAY_SIZE(program));
	setup();
	check_program();
}

static void setup_family(void)
{
	choose(family, NR_MEMBERS);
	setup();
	check_family();
}

static void end_all(void)
{
	int index, status = -1;

	for (index = nr_members; --index > 0;)
		set_order(&members[index], END);
	for (index = 1; index < nr_members; index++)
		if (!plans[index].parent)
			check(wait(&status) > 0 && !status, "a child has ended: %#x", status);
}

static void verify(void)
{
	int index;

	tell_all_to_look();
	for (index = 0; index < nr_members; index++)
		check(!strcmp(members[index].view, views[index]), "%d sees '%s', saw '%s'", index,
		      members[index].view, views[index]);
	/* Of the one without maps whoever could may still write them. */
	if (nr_members == NR_MEMBERS) {
		check(write_proc(members[6].pid, "uid_map", "0 0 5"), "uid_map: %s",
		      strerror(errno));
		tell_all_to_look();
		check(!!strstr(members[6].view, "uids 0 0 0 0 gids 65534"), "6 sees %s",
		      members[6].view);
	}
	end_all();
}

static const struct subject_mode modes[] = {
	{ "alone", setup_alone, verify },
	{ "program", setup_program, verify },
	{ "family", setup_family, verify },
	{ }
};

const struct subject subject = { .modes = modes };
