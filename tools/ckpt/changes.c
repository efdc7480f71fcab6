// SPDX-License-Identifier: GPL-2.0
/* What a restart wants otherwise than its image says: from options to facts. */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "rewrite.h"
#include "util.h"

#define DESCRIPTOR_MAX	0x40000000

static struct inherit *find(const struct changes *changes, int saved)
{
	unsigned int i;

	for (i = 0; i < changes->nr_inherits; i++)
		if (changes->inherits[i].saved == saved)
			return &changes->inherits[i];
	return NULL;
}

static void add(struct changes *changes, const struct inherit *entry)
{
	changes->inherits = must_grow(changes->inherits,
				      (changes->nr_inherits + 1) *
				      sizeof(*changes->inherits));
	changes->inherits[changes->nr_inherits++] = *entry;
}

/**
 * changes_add_descriptor - --inherit-fd
 * @changes: what is wanted
 * @text: N or N:M
 *
 * Return: whether that makes sense.
 */
bool changes_add_descriptor(struct changes *changes, const char *text)
{
	char *copy = must_print("%s", text);
	char *colon = strchr(copy, ':');
	long saved, ours;
	bool good;

	if (colon)
		*colon++ = '\0';
	good = parse_number(copy, 0, DESCRIPTOR_MAX, &saved) &&
	       parse_number(colon ? colon : copy, 0, DESCRIPTOR_MAX, &ours) &&
	       !find(changes, saved);
	if (good)
		add(changes, &(struct inherit) { .saved = saved, .ours = ours });
	free(copy);
	return good;
}

/**
 * changes_add_path - --file
 * @changes: what is wanted
 * @text: PATH=NEWPATH, both absolute
 *
 * Return: whether that makes sense.
 */
bool changes_add_path(struct changes *changes, const char *text)
{
	char *from = must_print("%s", text);
	char *to = strstr(from, "=/");

	if (*from != '/' || !to || strlen(to + 1) >= CKPT_TEXT_MAX) {
		free(from);
		return false;
	}
	*to++ = '\0';
	changes->paths = must_grow(changes->paths, (changes->nr_paths + 1) *
				   sizeof(*changes->paths));
	changes->paths[changes->nr_paths++] = (struct path_change) {
		.from	= from,
		.to	= to,
	};
	return true;
}

/**
 * changes_set_policy - --file-changed
 * @changes: what is wanted
 * @name: of a policy
 *
 * Return: whether there is one of that name.
 */
bool changes_set_policy(struct changes *changes, const char *name)
{
	static const struct {
		const char *name;
		u32 flags;
	} policies[] = {
		{ "refuse", 0 },
		{ "grown", CKPT_PATH_MAY_GROW },
		{ "any", CKPT_PATH_ANY },
		{ "force", CKPT_PATH_FORCE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policies[i].name, name))
			continue;
		changes->path_flags = policies[i].flags;
		return true;
	}
	return false;
}

/**
 * changes_set_unread - --unread
 * @changes: what is wanted
 * @name: of a policy
 *
 * Return: whether there is one of that name.
 */
bool changes_set_unread(struct changes *changes, const char *name)
{
	if (!strcmp(name, "refuse"))
		changes->unread_flags = 0;
	else if (!strcmp(name, "drop"))
		changes->unread_flags = CKPT_FILE_UNREAD_DROPPED;
	else if (!strcmp(name, "move"))
		changes->unread_flags = CKPT_FILE_UNREAD_MOVED;
	else
		return false;
	return true;
}

static void add_stdio(struct changes *changes)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (!find(changes, fd))
			add(changes, &(struct inherit) {
				.saved = fd, .ours = fd, .is_stdio = true });
}

static enum inherit_state state_of(int fd, int image, int log)
{
	if (fd == image)
		return INHERIT_IMAGE;
	if (fd == log)
		return INHERIT_LOG;
	return is_open(fd) ? INHERIT_READY : INHERIT_CLOSED;
}

static void explain(const struct inherit *entry)
{
	static const char * const reasons[] = {
		[INHERIT_CLOSED] = "is not open",
		[INHERIT_IMAGE]	= "is the image: use -i FILE, or another descriptor",
		[INHERIT_LOG]	= "takes the log: use -l FILE, or another descriptor",
	};

	error("--inherit-fd %d:%d: descriptor %d %s", entry->saved, entry->ours,
	      entry->ours, reasons[entry->state]);
}

/**
 * changes_prepare - find out whether it can be done
 * @changes: what is wanted
 * @image: descriptor of the image, -1 if it is not open yet
 * @log: descriptor for messages, -1 if none was named
 *
 * To be called before anything is opened: what is open now is the user's.
 *
 * Return: 0, or -1 after a message.
 */
int changes_prepare(struct changes *changes, int image, int log)
{
	unsigned int i;

	if (changes->stdio)
		add_stdio(changes);
	for (i = 0; i < changes->nr_inherits; i++) {
		struct inherit *entry = &changes->inherits[i];

		entry->state = state_of(entry->ours, image, log);
		if (entry->state != INHERIT_READY && !entry->is_stdio) {
			explain(entry);
			return -1;
		}
		/* Fails for any but the controlling terminal. */
		if (entry->state == INHERIT_READY &&
		    tcgetsid(entry->ours) == getsid(0))
			changes->has_terminal = true;
	}
	return 0;
}

/**
 * changes_wanted - is anything wanted otherwise?
 * @changes: what is wanted
 *
 * Return: whether the image has to be rewritten, or stopped before its end.
 */
bool changes_wanted(const struct changes *changes)
{
	return changes->nr_inherits || changes->unread_flags ||
	       changes->path_flags || changes->nr_paths || changes->freezer.dir;
}

/**
 * changes_release - close what the program has now, but for standard streams
 * @changes: what was wanted
 *
 * Somebody may be waiting for a pipe to be closed.
 */
void changes_release(const struct changes *changes)
{
	unsigned int i;

	for (i = 0; i < changes->nr_inherits; i++)
		if (changes->inherits[i].ours > STDERR_FILENO)
			close(changes->inherits[i].ours);
}
