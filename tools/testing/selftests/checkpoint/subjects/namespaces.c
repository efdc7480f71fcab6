// SPDX-License-Identifier: GPL-2.0
/*
 * Processes and a thread in several namespaces of one kind:
 *
 *	0		in that of whoever starts the subject, or in one of its own
 *	0 - 1 - 2	in another
 *	0 - 3		in a third
 *	2 (its thread 4) in a fourth
 *
 * Or it is the first one alone. That tells each of the others to change something,
 * and asks all what they see of it.
 */
#include "subject.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define NR_MEMBERS	5
#define THREAD		4
#define VIEW_SIZE	3000
/* Of what the members create. */
#define KEY		0x6e730000
#define SEM_KEY		(KEY + 100)
#define NR_SEMS		5
#define MSG_KEY		(KEY + 200)
#define MSG_SIZE	5000
/* As long as a name can be. */
#define LONG_NAME	"a-name-of-64-bytes-is-the-longest-that-uname-can-tell-about-it.x"

/* What to do, of struct member.order. */
enum order {
	DONE,
	LOOK,
	CHANGE,
	END,		/* after the children */
};

/**
 * struct member - one of them, in memory that all have in common
 * @order: enum order; a futex
 * @failures: of what it was told
 * @last_ids: of what was created last in its namespace: queue, semaphores, memory
 * @inode: of its namespace, when it looked last
 * @view: what it saw there
 */
static struct member {
	u32 order;
	u32 failures;
	int last_ids[3];
	ino_t inode;
	char view[VIEW_SIZE];
} *members;

/**
 * struct kind - a kind of namespace
 * @flag: for unshare(2)
 * @file: in /proc/PID/ns
 * @begin: what whoever has entered a new one sets
 * @look: at what the namespace holds
 * @change: what those see who share it
 * @mark: and by what, in a view
 */
struct kind {
	int flag;
	const char *file;
	bool (*begin)(int index);
	bool (*look)(char *view);
	bool (*change)(int index);
	void (*mark)(int index, char *text, size_t size);
};

static const int parents[NR_MEMBERS] = { 0, 0, 1, 0, 2 };
/* Which namespace each is in. */
static const int groups[NR_MEMBERS] = { 0, 1, 1, 3, 4 };

static const struct kind *kind;
static char views[NR_MEMBERS][VIEW_SIZE];
static ino_t first_inode;
static int nr_members = NR_MEMBERS;
static bool root_has_own;
static pthread_t thread;

static bool set_names(const char *node, const char *domain)
{
	return !sethostname(node, strlen(node)) && !setdomainname(domain, strlen(domain));
}

static bool begin_uts(int index)
{
	static const char * const names[NR_MEMBERS][2] = {
		[0] = { "first", "(none)" },
		[1] = { "second", "example.org" },
		[3] = { LONG_NAME, LONG_NAME },
		[4] = { "", "" },
	};

	return set_names(names[index][0], names[index][1]);
}

static bool look_at_uts(char *view)
{
	struct utsname uts;

	if (uname(&uts))
		return false;
	snprintf(view, VIEW_SIZE, "node %s domain %s", uts.nodename, uts.domainname);
	return true;
}

static bool change_uts(int index)
{
	char node[32], domain[32];

	snprintf(node, sizeof(node), "changed-%d", index);
	snprintf(domain, sizeof(domain), "changed.%d", index);
	return set_names(node, domain);
}

static void mark_uts(int index, char *text, size_t size)
{
	snprintf(text, size, "node changed-%d", index);
}

static const struct kind uts = {
	.flag	= CLONE_NEWUTS,
	.file	= "uts",
	.begin	= begin_uts,
	.look	= look_at_uts,
	.change	= change_uts,
	.mark	= mark_uts,
};

/* Files of /proc/sys, and what they say in a new namespace; the member is added. */
static const struct {
	const char *name;
	int numbers[4];
} limits[] = {
	{ "kernel/shmmax", { 100000 } },
	{ "kernel/shmall", { 2000 } },
	{ "kernel/shmmni", { 100 } },
	{ "kernel/msgmax", { 5000 } },
	{ "kernel/msgmnb", { 6000 } },
	{ "kernel/msgmni", { 70 } },
	{ "kernel/sem", { 30, 40, 50, 60 } },
	{ "fs/mqueue/queues_max", { 20 } },
	{ "fs/mqueue/msg_max", { 11 } },
	{ "fs/mqueue/msgsize_max", { 9000 } },
	{ "fs/mqueue/msg_default", { 5 } },
	{ "fs/mqueue/msgsize_default", { 4000 } },
};

static bool write_sysctl(const char *name, const char *text)
{
	char path[64];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

static bool add_sysctl(char *view, const char *name)
{
	size_t len = strlen(view);
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	got = read(fd, view + len, VIEW_SIZE - 1 - len);
	close(fd);
	view[len + (got > 0 ? got : 0)] = '\0';
	return got > 0;
}

/* Identifiers are given out in turn; they do not begin again after a restart. */
static bool take_ids(int index, int key)
{
	struct member *holder = &members[groups[index]];
	int ids[3] = {
		msgget(key, IPC_CREAT | IPC_EXCL | 0600),
		semget(IPC_PRIVATE, 1, 0600),
		shmget(IPC_PRIVATE, PAGE_SIZE, 0600),
	};
	int which;

	for (which = 0; which < 3; which++) {
		if (ids[which] != ++holder->last_ids[which])
			return false;
	}
	return !semctl(ids[1], 0, IPC_RMID) && !shmctl(ids[2], IPC_RMID, NULL);
}

/* A set in whose place there was another, and one with a key and another owner. */
static bool create_semaphores(int index)
{
	struct sembuf operations[2] = { { 1, 10 + index, 0 }, { NR_SEMS - 1, 1, 0 } };
	int *last = &members[index].last_ids[1];
	unsigned short values[NR_SEMS];
	struct semid_ds set;

	if (semget(IPC_PRIVATE, 2, 0600) != 0 || semget(IPC_PRIVATE, 3, 0600) != 1 ||
	    semget(SEM_KEY, NR_SEMS, IPC_CREAT | IPC_EXCL | 0640) != 2 ||
	    semctl(0, 0, IPC_RMID) || semctl(1, 2, SETVAL, 300 + index))
		return false;
	*last = 2;
	values[0] = 32767;
	for (index = 1; index < NR_SEMS; index++)
		values[index] = index;
	if (semctl(2, 0, SETALL, values) || semctl(2, 0, IPC_STAT, &set) ||
	    semop(2, operations, 2))
		return false;
	set.sem_perm.uid = 1000;
	set.sem_perm.gid = 1001;
	set.sem_perm.mode = 0624;
	return !semctl(2, 0, IPC_SET, &set);
}

/* All but who has changed it last. */
static void add_semaphores(char *view, int key)
{
	unsigned short values[NR_SEMS];
	struct semid_ds set = { 0 };
	int id = key ? semget(key, 0, 0) : 1, index;

	/* There is none in the namespace of the caller. */
	if (semctl(id, 0, IPC_STAT, &set) || set.sem_nsems > NR_SEMS ||
	    semctl(id, 0, GETALL, values))
		return;
	sprintf(view + strlen(view), "set %d: %d.%d %d.%d %o %lld %lld:", id,
		set.sem_perm.uid, set.sem_perm.gid, set.sem_perm.cuid, set.sem_perm.cgid,
		set.sem_perm.mode, (long long)set.sem_otime, (long long)set.sem_ctime);
	for (index = 0; index < (int)set.sem_nsems; index++)
		sprintf(view + strlen(view), " %d", values[index]);
	strcat(view, "\n");
}

/* The longest is in two pages. */
static const struct {
	long type;
	size_t size;
} texts[] = { { 3, 10 }, { 1, 0 }, { 3, MSG_SIZE }, { 0x123456789abcLL, 1 } };

static struct {
	long type;
	u64 text[MSG_SIZE / 8];
} message;

static bool send_messages(int id, u64 seed)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(texts); index++) {
		message.type = texts[index].type;
		pattern_fill(message.text, MSG_SIZE, seed + index);
		if (msgsnd(id, &message, texts[index].size, IPC_NOWAIT))
			return false;
	}
	return true;
}

/* One with messages, and one with a key and another owner, which is full. */
static bool create_queues(int index)
{
	struct msqid_ds queue;

	if (msgget(IPC_PRIVATE, 0600) != 0 || msgget(IPC_PRIVATE, 0602) != 1 ||
	    msgget(MSG_KEY, IPC_CREAT | IPC_EXCL | 0640) != 2 || msgctl(0, IPC_RMID, NULL) ||
	    !send_messages(1, 100 * index) || !send_messages(2, 1000) ||
	    msgrcv(2, &message, MSG_SIZE, 1, IPC_NOWAIT) || msgctl(2, IPC_STAT, &queue))
		return false;
	queue.msg_perm.uid = 1000;
	queue.msg_perm.gid = 1001;
	queue.msg_perm.mode = 0646;
	queue.msg_qbytes = 40 + index;
	members[index].last_ids[0] = 2;
	return !msgctl(2, IPC_SET, &queue);
}

/* All but who has sent or received last. */
static void add_queue(char *view, int key)
{
	int id = key ? msgget(key, 0) : 1, index;
	struct msqid_ds queue;
	ssize_t size;

	if (msgctl(id, IPC_STAT, &queue))
		return;
	sprintf(view + strlen(view), "queue %d, %d.%d %d.%d %o %lld %lld %lld: %ld, %ld of %ld:",
		id, queue.msg_perm.uid, queue.msg_perm.gid, queue.msg_perm.cuid,
		queue.msg_perm.cgid, queue.msg_perm.mode, (long long)queue.msg_stime,
		(long long)queue.msg_rtime, (long long)queue.msg_ctime, (long)queue.msg_qnum,
		(long)queue.__msg_cbytes, (long)queue.msg_qbytes);
	for (index = 0;; index++) {
		u64 sum = 0;
		ssize_t at;

		size = msgrcv(id, &message, MSG_SIZE, index, MSG_COPY | IPC_NOWAIT);
		if (size < 0)
			break;
		for (at = 0; at < size; at++)
			sum = sum * 31 + ((unsigned char *)message.text)[at];
		sprintf(view + strlen(view), " %lx:%zd:%llx", message.type, size,
			(unsigned long long)sum);
	}
	strcat(view, "\n");
}

/* What all of them take. */
static void add_totals(char *view)
{
	struct msginfo info;
	struct seminfo sems;

	if (msgctl(0, MSG_INFO, (void *)&info) < 0 || semctl(0, 0, SEM_INFO, &sems) < 0)
		return;
	sprintf(view + strlen(view), "%d queues, %d messages, %d bytes; %d sets, %d semaphores\n",
		info.msgpool, info.msgmap, info.msgtql, sems.semusz, sems.semaem);
}

static bool begin_ipc(int index)
{
	int round;
	size_t limit;

	for (limit = 0; limit < ARRAY_SIZE(limits); limit++) {
		const int *numbers = limits[limit].numbers;
		char text[64];

		if (numbers[1])
			snprintf(text, sizeof(text), "%d %d %d %d", numbers[0] + index,
				 numbers[1] + index, numbers[2] + index, numbers[3] + index);
		else
			snprintf(text, sizeof(text), "%d", numbers[0] + index);
		if (!write_sysctl(limits[limit].name, text))
			return false;
	}
	if (!write_sysctl("kernel/shm_rmid_forced", index & 1 ? "1" : "0"))
		return false;
	memset(members[index].last_ids, -1, sizeof(members[index].last_ids));
	if (!create_semaphores(index) || !create_queues(index))
		return false;
	for (round = 0; round <= index; round++)
		if (!take_ids(index, IPC_PRIVATE) ||
		    msgctl(members[index].last_ids[0], IPC_RMID, NULL))
			return false;
	return true;
}

static bool look_at_ipc(char *view)
{
	bool good = true;
	size_t limit;
	int index;

	view[0] = '\0';
	for (limit = 0; limit < ARRAY_SIZE(limits); limit++)
		good &= add_sysctl(view, limits[limit].name);
	good &= add_sysctl(view, "kernel/shm_rmid_forced");
	add_semaphores(view, 0);
	add_semaphores(view, SEM_KEY);
	add_queue(view, 0);
	add_queue(view, MSG_KEY);
	add_totals(view);
	for (index = 0; index < NR_MEMBERS; index++)
		if (msgget(KEY + index, 0) >= 0)
			sprintf(view + strlen(view), "queue %d;", index);
	return good;
}

static bool change_ipc(int index)
{
	return take_ids(index, KEY + index);
}

static void mark_ipc(int index, char *text, size_t size)
{
	snprintf(text, size, "queue %d;", index);
}

static const struct kind ipc = {
	.flag	= CLONE_NEWIPC,
	.file	= "ipc",
	.begin	= begin_ipc,
	.look	= look_at_ipc,
	.change	= change_ipc,
	.mark	= mark_ipc,
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

/* Of the thread, not of its process. */
static void name_own(char *path, size_t size)
{
	snprintf(path, size, "/proc/thread-self/ns/%s", kind->file);
}

static bool look(struct member *self)
{
	char path[64];
	struct stat st;

	name_own(path, sizeof(path));
	if (stat(path, &st))
		return false;
	self->inode = st.st_ino;
	return kind->look(self->view);
}

static bool obey(int index, enum order order)
{
	switch (order) {
	case LOOK:
		return look(&members[index]);
	case CHANGE:
		return kind->change(index);
	default:
		return true;
	}
}

static void tell(int index, enum order order)
{
	struct member *member = &members[index];

	if (!index) {
		member->failures += !obey(0, order);
	} else {
		set_order(member, order);
		await_order(member, order);
	}
	check(!member->failures, "%d cannot do %d", index, order);
}

/* With others the set of namespaces is another one, too. */
static void enter_again(void)
{
	char path[64];
	int fd;

	name_own(path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(!setns(fd, kind->flag));
	close(fd);
}

/* One namespace for those who share it: the children come later. */
static void enter_own(int index)
{
	if (index != groups[index])
		return enter_again();
	if (!index && !root_has_own)
		return;
	need(!unshare(kind->flag));
	need(kind->begin(index));
}

static void create_children(int parent);

static void *serve(void *argument)
{
	struct member *self = argument;
	int own = self - members;

	enter_own(own);
	create_children(own);
	set_order(self, DONE);
	for (;;) {
		await_order(self, DONE);
		if (self->order == END)
			return NULL;
		self->failures += !obey(own, self->order);
		set_order(self, DONE);
	}
}

/* Until all are there, with those that they create. */
static void create_children(int parent)
{
	int index;

	for (index = parent + 1; index < nr_members; index++) {
		struct member *member = &members[index];

		if (parents[index] != parent)
			continue;
		member->order = END;
		if (index == THREAD) {
			need(!pthread_create(&thread, NULL, serve, member));
		} else if (!fork()) {
			serve(member);
			if (thread)
				pthread_join(thread, NULL);
			while (wait(NULL) > 0)
				continue;
			_exit(0);
		}
		await_order(member, END);
	}
}

static void look_at_all(void)
{
	int index;

	for (index = 0; index < nr_members; index++)
		tell(index, LOOK);
}

static void check_groups(void)
{
	int first, second;

	for (first = 0; first < nr_members; first++)
		for (second = 0; second < nr_members; second++)
			check((members[first].inode == members[second].inode) ==
			      (groups[first] == groups[second]), "namespaces of %d and %d",
			      first, second);
}

/* What one of them changes, those see who share its namespace, and no others. */
static void change_each(void)
{
	int index, other;

	for (index = root_has_own ? 0 : 1; index < nr_members; index++) {
		char mark[32];

		tell(index, CHANGE);
		look_at_all();
		kind->mark(index, mark, sizeof(mark));
		for (other = 0; other < nr_members; other++)
			check(!!strstr(members[other].view, mark) ==
			      (groups[index] == groups[other]), "%d changed something: %d sees %s",
			      index, other, members[other].view);
	}
}

static void setup(void)
{
	int index, other;

	members = mmap(NULL, NR_MEMBERS * sizeof(*members), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(members != MAP_FAILED);
	if (root_has_own)
		enter_own(0);
	create_children(0);
	look_at_all();
	first_inode = members[0].inode;
	for (index = 0; index < nr_members; index++)
		memcpy(views[index], members[index].view, VIEW_SIZE);
	check_groups();
	/* Each of them has something else to remember. */
	for (index = 0; index < nr_members; index++)
		for (other = 0; other < index; other++)
			check(!strcmp(views[index], views[other]) ==
			      (groups[index] == groups[other]), "%d and %d begin with '%s'",
			      index, other, views[index]);
}

static void setup_uts(void)
{
	kind = &uts;
	setup();
}

static void setup_uts_own(void)
{
	root_has_own = true;
	setup_uts();
}

static void setup_uts_alone(void)
{
	nr_members = 1;
	setup_uts_own();
}

static void setup_ipc(void)
{
	kind = &ipc;
	setup();
}

static void setup_ipc_own(void)
{
	root_has_own = true;
	setup_ipc();
}

static void setup_ipc_alone(void)
{
	nr_members = 1;
	setup_ipc_own();
}

static int waiting_for = -1, waiting_in = -1;

static bool is_in_msgrcv(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	need(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text) == SYS_msgrcv;
}

/* Others wait for a semaphore and for a message, and still do after a restart. */
static void setup_ipc_waits(void)
{
	struct sembuf down = { 1, -1, 0 };
	pid_t receiver;

	setup_ipc_alone();
	waiting_for = semget(IPC_PRIVATE, 2, 0600);
	need(waiting_for >= 0);
	members[0].last_ids[1]++;
	if (!fork())
		_exit(!!semop(waiting_for, &down, 1));
	waiting_in = msgget(IPC_PRIVATE, 0600);
	need(waiting_in >= 0);
	members[0].last_ids[0]++;
	receiver = fork();
	if (!receiver)
		_exit(msgrcv(waiting_in, &message, MSG_SIZE, 9, 0) != 7);
	while (semctl(waiting_for, 1, GETNCNT) != 1 || !is_in_msgrcv(receiver))
		sched_yield();
	/* With that it begins. */
	look_at_all();
	memcpy(views[0], members[0].view, VIEW_SIZE);
}

static void verify_waits(void)
{
	struct sembuf up = { 1, 1, 0 };
	int status = -1;

	message.type = 8;
	check(!msgsnd(waiting_in, &message, 5, IPC_NOWAIT), "msgsnd: %s", strerror(errno));
	check_equal(semctl(waiting_for, 1, GETVAL), 0, "a semaphore");
	check(!waitpid(-1, NULL, WNOHANG), "one that waits is gone");
	check(!semop(waiting_for, &up, 1), "semop: %s", strerror(errno));
	check(wait(&status) > 0 && !status, "who waited has ended: %#x", status);
	check_equal(semctl(waiting_for, 1, GETVAL), 0, "a semaphore");
	message.type = 9;
	check(!msgsnd(waiting_in, &message, 7, IPC_NOWAIT), "msgsnd: %s", strerror(errno));
	check(wait(&status) > 0 && !status, "who received has ended: %#x", status);
}

static void end_all(void)
{
	int index;

	for (index = nr_members; --index;)
		set_order(&members[index], END);
	for (index = 1; index < nr_members; index++) {
		int status = -1;

		if (!parents[index])
			check(wait(&status) > 0 && !status, "a child has ended: %#x", status);
	}
}

static void verify(void)
{
	int index;

	look_at_all();
	for (index = 0; index < nr_members; index++)
		check(!strcmp(members[index].view, views[index]), "%d sees '%s', saw '%s'", index,
		      members[index].view, views[index]);
	check_groups();
	/* The test is in the same one as ever: the first that the kernel makes. */
	if (!root_has_own)
		check_equal(members[0].inode, first_inode, "namespace of the caller");
	change_each();
	check_groups();
	end_all();
}

static void verify_ipc_waits(void)
{
	verify();
	verify_waits();
}

static const struct subject_mode modes[] = {
	{ "uts", setup_uts, verify },
	{ "uts-own", setup_uts_own, verify },
	{ "uts-alone", setup_uts_alone, verify },
	{ "ipc", setup_ipc, verify },
	{ "ipc-own", setup_ipc_own, verify },
	{ "ipc-alone", setup_ipc_alone, verify },
	{ "ipc-waits", setup_ipc_waits, verify_ipc_waits },
	{ }
};

const struct subject subject = { .modes = modes };
