/* SPDX-License-Identifier: GPL-2.0 */
/* What the smallest subject tells by its exit status. */
#ifndef _CKPT_SELFTEST_TINY_H
#define _CKPT_SELFTEST_TINY_H

#include <linux/checkpoint.h>

#define TINY_SAVED	50	/* saved itself, and this is still the first one */
#define TINY_FAILED	60	/* could not do what it was told */
#define TINY_GOOD	77	/* memory is right */
#define TINY_PRIVILEGED	78	/* it may more than before */
#define TINY_BROKEN	79	/* memory is not right */

#endif /* _CKPT_SELFTEST_TINY_H */
