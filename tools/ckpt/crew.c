// SPDX-License-Identifier: GPL-2.0
/*
 * The processes that are being created, and what they tell each other.
 *
 * They have inherited a page that they share with the coordinator. If one fails
 * then all give up.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"
#include "raw.h"

/**
 * crew_alloc - make what they share
 * @nr_pids: tasks and ghosts
 * @has_unknown: not all ids in the pid namespace of the root are known to creators
 *
 * Return: the crew, or NULL with errno set.
 */
struct crew *crew_alloc(unsigned int nr_pids, bool has_unknown)
{
	struct crew *crew;
	size_t bytes = sizeof(*crew) + nr_pids * sizeof(crew->pids[0]);

	crew = mmap(NULL, bytes + nr_pids, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crew == MAP_FAILED)
		return NULL;
	crew->coordinator = getpid();
	crew->in_group = (atomic_uchar *)&crew->pids[nr_pids];
	crew->ids_fd = -1;
	if (has_unknown) {
		crew->ids_fd = memfd_create("ids", MFD_CLOEXEC);
		if (crew->ids_fd < 0)
			return NULL;
	}
	return crew;
}

/**
 * crew_pause - let others do something
 */
void crew_pause(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	raw_syscall(SYS_nanosleep, &moment, NULL);
}

/**
 * crew_tell_id - make the caller's id known in all pid namespaces
 * @crew: the crew
 * @index: of the caller
 *
 * The kernel tells the owner of a lock by the id that it has where one asks. The lock
 * ends with the descriptors that the caller has until it is the saved task.
 *
 * Return: 0 or a negative errno.
 */
int crew_tell_id(const struct crew *crew, unsigned int index)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = index, .l_len = 1 };

	if (crew->ids_fd < 0)
		return 0;
	return raw_syscall(SYS_fcntl, crew->ids_fd, F_SETLK, &lock);
}

/**
 * crew_find_id - id of a task in the pid namespace of the root, where the caller is
 * @crew: the crew
 * @index: of the task
 *
 * Return: the id, or 0 if it is not known yet.
 */
pid_t crew_find_id(struct crew *crew, unsigned int index)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = index, .l_len = 1 };
	pid_t pid = atomic_load(&crew->pids[index]);

	if (pid || crew->ids_fd < 0)
		return pid;
	if (raw_syscall(SYS_fcntl, crew->ids_fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return 0;
	atomic_store(&crew->pids[index], lock.l_pid);
	return lock.l_pid;
}

static void wake_all(atomic_uint *word)
{
	raw_syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX);
}

/**
 * crew_fail - tell all that it cannot be done
 * @crew: the crew
 * @errnum: why
 * @failed_id: id that was wanted, or 0
 *
 * Context: may be called by a signal handler.
 */
void crew_fail(struct crew *crew, int errnum, pid_t failed_id)
{
	int none = 0;
	int stage;

	if (atomic_compare_exchange_strong(&crew->errnum, &none, errnum))
		crew->failed_id = failed_id;
	for (stage = 0; stage < CREW_NR_STAGES; stage++)
		wake_all(&crew->arrived[stage]);
}

/**
 * crew_is_complete - have all come to the last stage?
 * @crew: the crew
 *
 * Waits a while for it, or until it cannot be done any more.
 *
 * Return: whether they have.
 */
bool crew_is_complete(struct crew *crew)
{
	const struct timespec a_while = { .tv_nsec = 100000000 };
	atomic_uint *arrived = &crew->arrived[CREW_ALONE];
	unsigned int value = atomic_load(arrived);

	if (value == crew->nr_members[CREW_ALONE])
		return true;
	if (!atomic_load(&crew->errnum))
		syscall(SYS_futex, arrived, FUTEX_WAIT, value, &a_while, NULL,
			0);
	return false;
}

/**
 * crew_wait - say that the caller has come to a stage, and wait for the others
 * @crew: the crew
 * @stage: the stage
 * @is_nested: the caller cannot see the coordinator, and ends with who can
 *
 * Return: 0, or -1 if it cannot be done.
 */
int crew_wait(struct crew *crew, enum crew_stage stage, bool is_nested)
{
	/* Who is killed tells nobody. */
	const struct timespec a_while = { .tv_sec = 1 };
	atomic_uint *arrived = &crew->arrived[stage];
	unsigned int value = atomic_fetch_add(arrived, 1) + 1;

	if (value == crew->nr_members[stage])
		wake_all(arrived);
	while (value < crew->nr_members[stage]) {
		if (atomic_load(&crew->errnum) ||
		    (!is_nested && crew->coordinator &&
		     raw_syscall(SYS_kill, crew->coordinator, 0) == -ESRCH))
			return -1;
		raw_syscall(SYS_futex, arrived, FUTEX_WAIT, value, &a_while);
		value = atomic_load(arrived);
	}
	return atomic_load(&crew->errnum) ? -1 : 0;
}
