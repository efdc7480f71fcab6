/* SPDX-License-Identifier: GPL-2.0 */
/* What a restart wants otherwise than its image says. */
#ifndef _CKPT_REWRITE_H
#define _CKPT_REWRITE_H

#include <stdbool.h>

#include "freezer.h"
#include "image.h"

/**
 * enum inherit_state - whether a descriptor of ours can be given away
 * @INHERIT_READY: it can
 * @INHERIT_CLOSED: it is not open
 * @INHERIT_IMAGE: the image comes from it
 * @INHERIT_LOG: the log goes to it
 */
enum inherit_state {
	INHERIT_READY,
	INHERIT_CLOSED,
	INHERIT_IMAGE,
	INHERIT_LOG,
};

/**
 * struct inherit - a descriptor of the program that becomes one of ours
 * @saved: its number in the program
 * @ours: the number of ours
 * @is_stdio: it need not be in the image, nor lead outside
 * @state: of @ours
 */
struct inherit {
	int saved;
	int ours;
	bool is_stdio;
	enum inherit_state state;
};

/**
 * struct path_change - a file that is somewhere else now
 * @from: its path in the image
 * @to: where it is
 */
struct path_change {
	char *from;
	char *to;
};

/**
 * struct changes - all that is wanted otherwise
 * @inherits: descriptors
 * @nr_inherits: their number
 * @stdio: the first three as well
 * @unread_flags: CKPT_FILE_UNREAD_*: what becomes of unread data of pipes
 * @path_flags: CKPT_PATH_*: other files that will do
 * @paths: files that are somewhere else
 * @nr_paths: their number
 * @has_terminal: our controlling terminal is among the descriptors
 * @freezer: the cgroup to freeze before the program goes on
 */
struct changes {
	struct inherit *inherits;
	unsigned int nr_inherits;
	bool stdio;
	u32 unread_flags;
	u32 path_flags;
	struct path_change *paths;
	unsigned int nr_paths;
	bool has_terminal;
	struct freezer freezer;
};

bool changes_add_descriptor(struct changes *changes, const char *text);
bool changes_add_path(struct changes *changes, const char *text);
bool changes_set_policy(struct changes *changes, const char *name);
bool changes_set_unread(struct changes *changes, const char *name);
int changes_prepare(struct changes *changes, int image, int log);
bool changes_wanted(const struct changes *changes);
void changes_release(const struct changes *changes);

int rewrite_image(const struct changes *changes, image_read_t read, void *arg,
		  int out, unsigned long long *passed);

#endif /* _CKPT_REWRITE_H */
