// SPDX-License-Identifier: GPL-2.0
/*
 * Every pattern of who holds which of four descriptors: the two ends of a pipe,
 * and one file that was opened twice.
 *
 * Each digit of the argument is a process, the first one that which is saved, and
 * says which descriptor table it has: "012" are three processes that have got
 * theirs by fork(), "011" three of which the last two share one. The pattern says
 * what is open in each table.
 *
 * Each step is done for all patterns by all processes, which meet behind it.
 */
#include "pipes.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { READER, WRITER, FIRST_FILE, SECOND_FILE, NR_SLOTS };

#define MAX_TABLES	3
#define MAX_PATTERNS	(1 << (NR_SLOTS * MAX_TABLES))
/* How far an open file is moved. */
#define FAR		5

static int nr_tables, nr_tasks, own;
static int fds[MAX_PATTERNS][NR_SLOTS];
/* A writer that only one process has. */
static int again[MAX_PATTERNS];
static pthread_barrier_t *barrier;

static void meet(void)
{
	pthread_barrier_wait(barrier);
}

static int nr_patterns(void)
{
	return 1 << (NR_SLOTS * nr_tables);
}

static int table_of(int task)
{
	return subject_arg[task] - '0';
}

static int first_with(int table)
{
	int task = 0;

	while (table_of(task) != table)
		task++;
	return task;
}

static bool holds(int pattern, int table, int slot)
{
	return pattern >> (NR_SLOTS * table + slot) & 1;
}

/* How many of the tables from @table on? */
static int holders_from(int pattern, int table, int slot)
{
	int count = 0;

	for (; table < nr_tables; table++)
		count += holds(pattern, table, slot);
	return count;
}

static int holders(int pattern, int slot)
{
	return holders_from(pattern, 0, slot);
}

static bool is_first_holder(int pattern, int table, int slot)
{
	return holds(pattern, table, slot) &&
	       holders_from(pattern, table, slot) == holders(pattern, slot);
}

static bool is_last_holder(int pattern, int table, int slot)
{
	return holds(pattern, table, slot) && holders_from(pattern, table, slot) == 1;
}

/* Those who share a table take turns. */
static bool acts(int pattern)
{
	int task, before = 0, members = 0;

	for (task = 0; task < nr_tasks; task++) {
		if (table_of(task) != table_of(own))
			continue;
		before += task < own;
		members++;
	}
	return pattern % members == before;
}

static off_t position(int pattern, int slot)
{
	return 10 * pattern + slot;
}

static int nr_unread(int pattern)
{
	return 1 + pattern % 7;
}

static void open_slots(int pattern)
{
	int *fd = fds[pattern], slot;

	need(!pipe(fd));
	put_bytes(fd[WRITER], nr_unread(pattern), pattern);
	for (slot = FIRST_FILE; slot < NR_SLOTS; slot++) {
		fd[slot] = open("data", O_RDONLY);
		need(fd[slot] >= 0);
		need(lseek(fd[slot], position(pattern, slot), SEEK_SET) >= 0);
	}
}

static void close_what_is_not_held(void)
{
	int pattern, slot;

	for (pattern = 0; pattern < nr_patterns(); pattern++)
		for (slot = 0; slot < NR_SLOTS; slot++)
			if (!holds(pattern, table_of(own), slot))
				need(!close(fds[pattern][slot]));
}

static void be_child(int task);

/* All are made by the first one, but those who share the table of another one. */
static void create_children(void)
{
	int task, table;

	for (task = own + 1; task < nr_tasks; task++) {
		bool shares;

		table = table_of(task);
		shares = first_with(table) != task;
		if (own != (shares ? first_with(table) : 0))
			continue;
		if (!syscall(SYS_clone, SIGCHLD | (shares ? CLONE_FILES : 0), NULL, NULL, NULL,
			     NULL))
			be_child(task);
	}
}

static void join(void)
{
	create_children();
	meet();
	if (first_with(table_of(own)) == own)
		close_what_is_not_held();
	meet();
}

static void setup(void)
{
	struct rlimit limit;
	pthread_barrierattr_t attributes;
	int task, pattern, fd;

	nr_tasks = strlen(subject_arg);
	for (task = 0; task < nr_tasks; task++)
		if (table_of(task) >= nr_tables)
			nr_tables = table_of(task) + 1;
	limit.rlim_cur = nr_patterns() * NR_SLOTS + 100;
	limit.rlim_max = limit.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		subject_skip("no room for descriptors: %s", strerror(errno));
	barrier = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	need(barrier != MAP_FAILED);
	need(!pthread_barrierattr_init(&attributes) &&
	     !pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) &&
	     !pthread_barrier_init(barrier, &attributes, nr_tasks));
	block_sigpipe();
	fd = open("data", O_WRONLY | O_CREAT, 0644);
	need(fd >= 0);
	close(fd);
	for (pattern = 0; pattern < nr_patterns(); pattern++)
		open_slots(pattern);
	join();
}

static void check_slots(int pattern, int table, int turn)
{
	int slot;

	(void)turn;
	for (slot = 0; slot < NR_SLOTS; slot++) {
		int fd = fds[pattern][slot];

		check((fcntl(fd, F_GETFD) >= 0) == holds(pattern, table, slot),
		      "pattern %#x: table %d, slot %d", pattern, table, slot);
		if (slot >= FIRST_FILE && holds(pattern, table, slot))
			check_equal(lseek(fd, 0, SEEK_CUR), position(pattern, slot), "position");
	}
}

static void move(int pattern, int table, int slot)
{
	if (is_first_holder(pattern, table, slot))
		need(lseek(fds[pattern][slot], FAR, SEEK_CUR) >= 0);
}

static void check_position(int pattern, int table, int slot, off_t moved)
{
	if (holds(pattern, table, slot))
		check_equal(lseek(fds[pattern][slot], 0, SEEK_CUR),
			    position(pattern, slot) + moved, "position");
}

static void move_first(int pattern, int table, int turn)
{
	(void)turn;
	move(pattern, table, FIRST_FILE);
}

static void check_first_moved(int pattern, int table, int turn)
{
	(void)turn;
	check_position(pattern, table, FIRST_FILE, FAR);
	check_position(pattern, table, SECOND_FILE, 0);
}

static void move_second(int pattern, int table, int turn)
{
	(void)turn;
	move(pattern, table, SECOND_FILE);
}

static void check_both_moved(int pattern, int table, int turn)
{
	(void)turn;
	check_position(pattern, table, FIRST_FILE, FAR);
	check_position(pattern, table, SECOND_FILE, FAR);
}

static void set_flag(int pattern, int table, int turn)
{
	(void)turn;
	if (is_last_holder(pattern, table, READER))
		set_nonblock(fds[pattern][READER], true);
}

static void check_flag(int pattern, int table, int turn)
{
	int slot;

	(void)turn;
	for (slot = 0; slot < NR_SLOTS; slot++)
		if (holds(pattern, table, slot))
			check_equal(fcntl(fds[pattern][slot], F_GETFL) & O_NONBLOCK,
				    slot == READER ? O_NONBLOCK : 0, "O_NONBLOCK");
	/* Who is not told by the others would wait for ever. */
	if (holds(pattern, table, READER))
		set_nonblock(fds[pattern][READER], true);
}

static void take_unread(int pattern, int table, int turn)
{
	(void)turn;
	if (is_last_holder(pattern, table, READER))
		take_packet(fds[pattern][READER], nr_unread(pattern), 0, pattern, "unread");
}

/* An end of the file if nobody can write any more. */
static void check_read(int pattern, int table, int nr_writers)
{
	char byte;
	int ret;

	if (!holds(pattern, table, READER))
		return;
	ret = read(fds[pattern][READER], &byte, 1);
	check(nr_writers ? ret == -1 && errno == EAGAIN : !ret,
	      "pattern %#x: read with %d writers: %d, %s", pattern, nr_writers, ret,
	      strerror(errno));
}

static void check_nothing_unread(int pattern, int table, int turn)
{
	(void)turn;
	check_read(pattern, table, holders(pattern, WRITER));
}

/* A byte for each reader. */
static void write_to_all(int pattern, int table, int turn)
{
	if (turn % nr_tables || table != turn / nr_tables || !holds(pattern, table, WRITER))
		return;
	if (holders(pattern, READER))
		put_bytes(fds[pattern][WRITER], holders(pattern, READER), turn + pattern);
	else
		check_broken(fds[pattern][WRITER], "pipe that nobody reads");
}

static void read_own_byte(int pattern, int table, int turn)
{
	int writer = turn / nr_tables, reader = turn % nr_tables;
	int before = holders(pattern, READER) - holders_from(pattern, reader, READER);

	if (table == reader && acts(pattern) && holds(pattern, table, READER) &&
	    holds(pattern, writer, WRITER))
		take_bytes(fds[pattern][READER], 1, before, turn - reader + pattern,
			   "byte of another process");
}

static void close_writer(int pattern, int table, int turn)
{
	if (table == turn && holds(pattern, table, WRITER))
		check(!close(fds[pattern][WRITER]), "close");
}

static void check_writer_closed(int pattern, int table, int turn)
{
	check_read(pattern, table, holders_from(pattern, turn + 1, WRITER));
	if (table == turn && fcntl(fds[pattern][WRITER], F_GETFD) >= 0)
		check(false, "pattern %#x: table %d: the writer is open", pattern, table);
}

static void open_writer(int pattern, int table, int turn)
{
	(void)turn;
	if (is_first_holder(pattern, table, READER))
		again[pattern] = reopen(fds[pattern][READER], O_WRONLY);
}

static void close_reader(int pattern, int table, int turn)
{
	if (table == turn && holds(pattern, table, READER))
		check(!close(fds[pattern][READER]), "close");
}

static void check_reader_closed(int pattern, int table, int turn)
{
	if (!is_first_holder(pattern, table, READER) || !acts(pattern) || turn < table)
		return;
	if (holders_from(pattern, turn + 1, READER))
		check(write(again[pattern], "x", 1) == 1, "pattern %#x: write: %s", pattern,
		      strerror(errno));
	else
		check_broken(again[pattern], "pipe whose last reader has gone");
}

/**
 * struct step - what is done with each pattern
 * @act: by one process for each table; then they meet
 * @look: by all of them
 * @turns: how often: once, for each table, or for each two
 */
static const struct step {
	void (*act)(int pattern, int table, int turn);
	void (*look)(int pattern, int table, int turn);
	enum { ONCE, EACH, EACH_TWO } turns;
} steps[] = {
	{ NULL, check_slots },
	{ move_first, check_first_moved },
	{ move_second, check_both_moved },
	{ set_flag, check_flag },
	{ take_unread, check_nothing_unread },
	{ write_to_all, read_own_byte, EACH_TWO },
	{ NULL, check_nothing_unread },
	{ close_writer, check_writer_closed, EACH },
	{ open_writer, NULL },
	{ close_reader, check_reader_closed, EACH },
};

static void take_step(const struct step *step, int turn)
{
	int pattern, table = table_of(own);

	for (pattern = 0; pattern < nr_patterns() && step->act; pattern++)
		if (acts(pattern))
			step->act(pattern, table, turn);
	meet();
	for (pattern = 0; pattern < nr_patterns() && step->look; pattern++)
		step->look(pattern, table, turn);
	meet();
}

static void take_steps(void)
{
	const int turns[] = { 1, nr_tables, nr_tables * nr_tables };
	size_t index;
	int turn;

	meet();
	for (index = 0; index < ARRAY_SIZE(steps); index++)
		for (turn = 0; turn < turns[steps[index].turns]; turn++)
			take_step(&steps[index], turn);
}

static void reap_children(void)
{
	int status;

	while (wait(&status) > 0)
		check_equal(status, 0, "status of a child");
}

static void be_child(int task)
{
	own = task;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	join();
	subject_stay();
	take_steps();
	reap_children();
	_exit(0);
}

static void verify(void)
{
	take_steps();
	reap_children();
}

/* There are too many descriptors for the snapshot. */
const struct subject subject = {
	.setup = setup, .verify = verify, .skip = SKIP_FILES | SKIP_STATUS,
};
