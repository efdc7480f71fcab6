/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page that a test and its subject share.
 *
 * It is a file in the work directory, mapped shared by both. The file outlives
 * the subject, a restart and a reboot of the guest, and the two can wait for
 * each other with a futex in it: nobody sleeps to synchronise.
 */
#ifndef _CKPT_SELFTEST_CONTROL_H
#define _CKPT_SELFTEST_CONTROL_H

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define CONTROL_FILE	"control"
#define CONTROL_SIZE	4096
#define CONTROL_MAGIC	0x4c544b43U

/* struct control.state, set by the subject */
#define SUBJECT_STARTED	0
#define SUBJECT_READY	1
#define SUBJECT_PASS	2
#define SUBJECT_FAIL	3
#define SUBJECT_SKIP	4

/* struct control.flags */
#define CONTROL_RESTARTED	0x1	/* the subject runs from an image */
#define CONTROL_REBOOTED	0x2	/* and since its checkpoint the machine went down */
#define CONTROL_NEW_PID		0x4	/* its pid may be another one */
#define CONTROL_IN_MEMORY	0x8	/* unlinked files will be on another device */

/* struct control.blocked_in: runs in user mode, not blocked */
#define SUBJECT_RUNS		(-1)

/* What PR_SET_TIMERSLACK with 0 sets in a subject, in nanoseconds. */
#define SUBJECT_SLACK	77000

/* struct control.wake: how the test ends the subject's wait, besides @go */
#define WAKE_NOTHING	0
#define WAKE_SEMAPHORE	1	/* one up */
#define WAKE_MESSAGE	2	/* one message, of a type and length that both know */

/**
 * struct control - what test and subject tell each other
 * @magic: CONTROL_MAGIC
 * @state: SUBJECT_*; a futex
 * @go: set by the test: stop waiting and verify; a futex
 * @looping: set by a subject that runs in user mode when it is where it should
 *	be saved; at a fixed distance from @go
 * @flags: CONTROL_*, set by the test
 * @starts: how often main() of the subject ran
 * @pid: of the subject, as it sees itself
 * @wake: WAKE_*
 * @wake_id: of the semaphore set or message queue
 * @nonce: random number that lives in the subject's memory, told when ready
 * @nonce_after: the same, told with the verdict
 * @blocked_in: number of the system call that the subject waits in
 * @failures: checks that failed
 * @before_save: CLOCK_MONOTONIC just before checkpoint(), ns
 * @after_save: and just after
 * @before_restart: the same of restart(), perhaps in another boot
 * @slack: how much later than asked for something may happen, ns
 * @image_max: the image must not be larger than this, unless 0
 * @exit_word: the kernel must change this word when the subject exits
 * @exit_value: and this is what it must hold then, unless 0
 * @counter: for the subject's own use, with the others
 */
struct control {
	__u32 magic;
	__u32 state;
	__u32 go;
	__u32 looping;
	__u32 flags;
	__u32 starts;
	__s32 pid;
	__u32 wake;
	__s32 wake_id;
	__u32 unused;
	__u64 nonce;
	__u64 nonce_after;
	__s64 blocked_in;
	__u64 failures;
	__s64 before_save;
	__s64 after_save;
	__s64 before_restart;
	__s64 slack;
	__u64 image_max;
	__u32 exit_word;
	__u32 exit_value;
	__u64 counter[8];
};

#endif /* _CKPT_SELFTEST_CONTROL_H */
