/* SPDX-License-Identifier: GPL-2.0 */
/* What is spoilt in the image of which subject. */
#ifndef _CKPT_SELFTEST_SABOTAGE_H
#define _CKPT_SELFTEST_SABOTAGE_H

#include "control.h"

enum sabotage_how {
	END,
	SET,		/* a field becomes value */
	XOR,		/* a field, by value */
	ADD,		/* a field, value more */
	CLEAR,		/* bits of a field, in the first record that has them all */
	LATER,		/* a time in ns, scaled_ms(value) more */
	BYTES,		/* "type+offset": eight bytes of or behind a record, XOR value */
	COMPONENT,	/* the same, from where register state component index is */
	PATTERN,	/* word number index of pattern number value */
	TEXT,		/* a text becomes another one */
};

/**
 * struct sabotage - one change of an image
 * @how: enum sabotage_how
 * @what: see image_set(), or the text
 * @value: see there
 * @index: of the pattern or the component
 * @text: the other text
 * @refused: the kernel itself finds it, not the subject
 */
struct sabotage {
	enum sabotage_how how;
	const char *what;
	u64 value;
	u64 index;
	const char *text;
	bool refused;
};

/**
 * struct sabotage_subject - a subject and its changes
 * @program: in subjects/
 * @arg: its argument
 * @dwell_ms: time before the checkpoint
 * @rows: changes, the last one is empty
 */
struct sabotage_subject {
	const char *program;
	const char *arg;
	int dwell_ms;
	const struct sabotage *rows;
};

extern const struct sabotage_subject sabotage_subjects[];

#endif /* _CKPT_SELFTEST_SABOTAGE_H */
