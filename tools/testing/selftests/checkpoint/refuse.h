/* SPDX-License-Identifier: GPL-2.0 */
/* State that a checkpoint must refuse, and say so by name. */
#ifndef _CKPT_SELFTEST_REFUSE_H
#define _CKPT_SELFTEST_REFUSE_H

#include "harness.h"

/**
 * struct refusal - one kind of state that cannot be saved
 * @name: for people
 * @setup: brings it about in the process that is to be saved; false if this
 *	machine cannot
 * @error: errno of checkpoint(), positive
 * @word: what the message must name
 * @finish: what is left for the test to do to the process, or NULL
 */
struct refusal {
	const char *name;
	bool (*setup)(void);
	int error;
	const char *word;
	bool (*finish)(pid_t pid);
};

extern const struct refusal file_refusals[];
extern const size_t nr_file_refusals;
extern const struct refusal type_refusals[];
extern const size_t nr_type_refusals;
extern const struct refusal task_refusals[];
extern const size_t nr_task_refusals;

#endif /* _CKPT_SELFTEST_REFUSE_H */
