// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses that the kernel acts on when the thread ends: the robust list and
 * clear_child_tid. The exit itself is checked by the test: a lock in a shared
 * file, held by the subject, must be marked as left by a dead owner.
 */
#include "subject.h"

#include <linux/futex.h>
#include <sys/prctl.h>

static struct lock {
	struct robust_list list;
} *lock;

static struct robust_list_head head;
static int tid;

static void setup(void)
{
	int *address = NULL;

	/* The lock word is in the page that test and subject share. */
	lock = (void *)&control->counter[0];
	head.list.next = &lock->list;
	lock->list.next = &head.list;
	head.futex_offset = (char *)&control->exit_word - (char *)&lock->list;
	need(!syscall(SYS_set_robust_list, &head, sizeof(head)));
	control->exit_word = syscall(SYS_gettid) | FUTEX_WAITERS;
	control->exit_value = FUTEX_OWNER_DIED | FUTEX_WAITERS;

	need(syscall(SYS_set_tid_address, &tid) > 0);
	if (!prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0))
		need(address == &tid);
}

static void verify(void)
{
	struct robust_list_head *got = NULL;
	int *address = NULL;
	size_t len = 0;

	need(!syscall(SYS_get_robust_list, 0, &got, &len));
	check(got == &head, "robust list: %p, was %p", got, &head);
	check_equal(len, sizeof(head), "size of the robust list");
	if (!prctl(PR_GET_TID_ADDRESS, &address, 0, 0, 0))
		check(address == &tid, "clear_child_tid: %p, was %p", address, &tid);
	/*
	 * Take the lock again: the owner may have a new id, and the death of
	 * the process that was saved has marked the lock already.
	 */
	control->exit_word = syscall(SYS_gettid) | FUTEX_WAITERS;
}

const struct subject subject = { .setup = setup, .verify = verify };
