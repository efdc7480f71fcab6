// SPDX-License-Identifier: GPL-2.0
/*
 * A process that answers: whatever is put into counter[2] shows up in
 * counter[1], as long as it lives and runs. "busy" never sleeps.
 */
#include "subject.h"

static char memory[64 * PAGE_SIZE] __attribute__((aligned(4096)));

static void setup(void)
{
	pattern_fill(memory, sizeof(memory), 5);
}

static void hold(void)
{
	struct timespec nap = { 0, 100000 };
	u64 beats = 0;

	subject_ready(SUBJECT_RUNS);
	while (!subject_must_go()) {
		WRITE_ONCE(control->counter[1], READ_ONCE(control->counter[2]));
		WRITE_ONCE(control->counter[0], ++beats);
		WRITE_ONCE(control->looping, 1);
		if (!mode_is("busy"))
			check(!syscall(SYS_nanosleep, &nap, NULL), "nap: %s", strerror(errno));
	}
}

static void verify(void)
{
	pattern_check(memory, sizeof(memory), 5, "memory");
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
