/* SPDX-License-Identifier: GPL-2.0 */
/* Results of tests in the Kernel Test Anything Protocol. */
#ifndef _CKPT_KTAP_H
#define _CKPT_KTAP_H

#include <stdbool.h>
#include <stdio.h>

/**
 * struct ktap_test - one test
 * @name: what it proves
 * @run: returns whether it does
 */
struct ktap_test {
	const char *name;
	bool (*run)(void);
};

/* Leave a test, saying where it went wrong. */
#define CHECK(condition)						\
do {									\
	if (!(condition)) {						\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);\
		return false;						\
	}								\
} while (0)

/**
 * ktap_run - run tests and report
 * @tests: the tests
 * @nr_tests: their number
 *
 * Return: exit status.
 */
static inline int ktap_run(const struct ktap_test *tests, unsigned int nr_tests)
{
	unsigned int i, failed = 0;

	printf("KTAP version 1\n1..%u\n", nr_tests);
	for (i = 0; i < nr_tests; i++) {
		bool passed = tests[i].run();

		printf("%sok %u %s\n", passed ? "" : "not ", i + 1,
		       tests[i].name);
		fflush(stdout);
		failed += !passed;
	}
	return failed ? 1 : 0;
}

#endif /* _CKPT_KTAP_H */
