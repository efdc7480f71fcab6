// SPDX-License-Identifier: GPL-2.0
/* A process that is saved again and again. */
#include "sweep.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include "record.h"
#include <linux/checkpoint_image.h>

long target_save(const struct target *target, int fd)
{
	long ret = sys_checkpoint(target->run.pid, fd, CHECKPOINT_SUBTREE, NONE);

	return ret < 0 ? -errno : ret;
}

long target_save_again(const struct target *target, int fd)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		return -errno;
	return target_save(target, fd);
}

bool complain_at(const struct place *place, const char *what)
{
	return complain("%s: at byte %ld, %s %s, after %u records", what, place->at,
			place->within ? "within" : "before", place->type,
			place->nr_records);
}

static void find_places(struct target *target)
{
	const struct image *image = &target->image;
	unsigned int records = 0;
	long at, next;

	target->places = malloc(image->len / 4 * sizeof(*target->places));
	for (at = 0; at >= 0 && target->places; at = next) {
		struct place *place = &target->places[target->nr_places];

		next = image_next(image, at);
		place[0] = (struct place) { at, records++, image_type(image, at), false };
		place[1] = place[0];
		place[1].at = (at + (next < 0 ? (long)image->len : next)) / 2;
		place[1].within = true;
		target->nr_places += 2;
	}
}

/*
 * What the target cannot have: a terminal, the reason of a failure, a name that
 * its copy could not have as well, a child, since one process takes its place, and
 * a user namespace, where it could not have the rest. For children see forest_test,
 * for names unix_names_test, for user namespaces user_ns_test, for pid namespaces
 * pid_ns_test.
 */
static bool may_be_missing(u32 type)
{
	return type == CKPT_HDR_FILE_EXTERNAL || type == CKPT_HDR_ERROR ||
	       type == CKPT_HDR_UNIX_PATH || type == CKPT_HDR_TASK_DEAD ||
	       type == CKPT_HDR_PAGES_COW || type == CKPT_HDR_USER_NS ||
	       type == CKPT_HDR_ID_EXTENT || type == CKPT_HDR_PID_NS ||
	       type == CKPT_HDR_NESTED_PID ||
	       type == CKPT_HDR_IPV6_OPTIONS;
}

static bool has_every_record(const struct image *image)
{
	unsigned int index;
	bool all = true;

	for (index = 0; index < ckpt_nr_records; index++) {
		const struct ckpt_record *record = &ckpt_records[index];

		if (!may_be_missing(record->type) && image_find(image, record->name, 0) < 0)
			all = complain("the target has no record %s", record->name);
	}
	return all;
}

static bool take_image(struct target *target)
{
	long first;

	/* The first one makes it touch pages: later ones are alike. */
	if (target_save(target, target->fd) < 0 ||
	    !subject_settle(&target->run, target->run.pid) ||
	    target_save_again(target, target->fd) < 0)
		return complain("checkpoint: %s", strerror(errno));
	first = lseek(target->fd, 0, SEEK_CUR);
	if (!subject_settle(&target->run, target->run.pid) ||
	    target_save_again(target, target->fd) < 0 ||
	    !image_load_fd(&target->image, target->fd))
		return complain("checkpoint: %s", strerror(errno));
	target->size = target->image.len;
	if (target->size != first)
		return complain("one image has %ld bytes, the next one %ld", first,
				target->size);
	find_places(target);
	complain("an image of %ld bytes, %u records", target->size, target->nr_places / 2);
	return has_every_record(&target->image) &&
	       subject_settle(&target->run, target->run.pid);
}

bool target_start(struct target *target, const char *dir)
{
	char cwd[PATH_MAX / 2];

	*target = (struct target) { .run.arg = "target" };
	if (!getcwd(cwd, sizeof(cwd)))
		return complain("getcwd: %s", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(target->run.dir, sizeof(target->run.dir), "%s/%s", cwd, dir);
	remove_tree(target->run.dir);
	snprintf(target->run.program, sizeof(target->run.program), "%s",
		 helper_path("subjects/tiny"));
	target->fd = memfd_create("image", MFD_CLOEXEC);
	if (target->fd < 0 || mkdir(target->run.dir, 0755))
		return complain("%s: %s", target->run.dir, strerror(errno));
	return subject_map(&target->run, true) && subject_start(&target->run) &&
	       subject_settle(&target->run, target->run.pid) && take_image(target);
}

bool target_is_right(struct target *target, pid_t pid)
{
	bool good;

	subject_go(&target->run);
	good = subject_verdict(&target->run, pid);
	return reap(pid, 0, "target") && good;
}

bool target_end(struct target *target)
{
	bool good = true;

	if (target->run.pid > 0)
		good = target_is_right(target, target->run.pid);
	good &= !leaves_children();
	close(target->fd);
	image_free(&target->image);
	free(target->places);
	remove_tree(target->run.dir);
	return good;
}

bool target_goes_on(struct target *target)
{
	return subject_settle(&target->run, target->run.pid) && only_child_is(target->run.pid);
}

void target_kill(struct target *target)
{
	kill_and_reap(target->run.pid);
	target->run.pid = 0;
}

void target_wind_back(struct target *target)
{
	struct control *control = target->run.control;

	control->go = 0;
	control->state = SUBJECT_READY;
	control->nonce_after = 0;
	control->failures = 0;
	control->flags |= CONTROL_RESTARTED | CONTROL_NEW_PID;
}
