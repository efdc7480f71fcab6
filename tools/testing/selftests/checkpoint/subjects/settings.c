// SPDX-License-Identifier: GPL-2.0
/* What a process has told the kernel about how it wants to be treated. */
#include "subject.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>

/* All is undone already; and of another set there is nothing left to undo. */
static int semaphore;

static void set_undo(void)
{
	struct sembuf up = { 0, 1, SEM_UNDO }, down = { 0, -1, SEM_UNDO };
	int other = semget(IPC_PRIVATE, 1, 0600);

	semaphore = semget(IPC_PRIVATE, 3, 0600);
	need(semaphore >= 0 && other >= 0);
	need(!semop(semaphore, &up, 1) && !semop(semaphore, &down, 1));
	need(!semop(other, &up, 1) && !semctl(other, 0, IPC_RMID));
}

static void check_undo(void)
{
	struct sembuf up = { 0, 1, SEM_UNDO };

	check(!semop(semaphore, &up, 1), "semop: %s", strerror(errno));
	check(!semctl(semaphore, 0, IPC_RMID), "semctl: %s", strerror(errno));
}

static void *tell_id(void *id)
{
	*(pid_t *)id = syscall(SYS_gettid);
	return NULL;
}

static void set_thread_gone(void)
{
	pthread_t thread;
	pid_t id;

	need(!pthread_create(&thread, NULL, tell_id, &id));
	need(!pthread_join(thread, NULL));
	/* The kernel is done with it a moment later. */
	while (!syscall(SYS_tgkill, getpid(), id, 0))
		sched_yield();
}

static const struct setting {
	const char *name;
	void (*set)(void);
	void (*look)(void);
} settings[] = {
	{ "undo", set_undo, check_undo },
	{ "thread-gone", set_thread_gone, set_thread_gone },
};

static const struct setting *setting;

static void setup(void)
{
	size_t index;

	for (index = 0; index < ARRAY_SIZE(settings); index++)
		if (mode_is(settings[index].name))
			setting = &settings[index];
	need(setting);
	setting->set();
}

static void verify(void)
{
	setting->look();
}

const struct subject subject = { .setup = setup, .verify = verify };
