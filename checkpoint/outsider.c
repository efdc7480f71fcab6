// SPDX-License-Identifier: GPL-2.0
/* Processes outside, which go on while those that are saved are stopped. */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "internal.h"

/* The target is stopped meanwhile, so outsiders get no longer than this. */
#define PATIENCE	(2 * HZ)

/**
 * ckpt_outsider_wait - give whoever holds something time to let it go
 * @since: jiffies when the first attempt failed
 *
 * No stopped task holds a lock. A process outside that shares the object may, and
 * sleep with it, for as long as somebody else likes: in a page fault that a user
 * handles.
 *
 * Context: Sleeps for a moment.
 *
 * Return: 0 if it is worth another attempt; -EBUSY if not, about which the caller
 * has something to report; -EINTR after a fatal signal.
 */
int ckpt_outsider_wait(unsigned long since)
{
	might_sleep();
	if (fatal_signal_pending(current))
		return -EINTR;
	if (time_after(jiffies, since + PATIENCE))
		return -EBUSY;
	usleep_range(50, 200);
	return 0;
}
