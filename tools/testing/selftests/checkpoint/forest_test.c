// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of processes: many different ones, some that never come to rest, and
 * restarts that fail when a part of the tree is there.
 */
#include "harness.h"
#include "image_edit.h"

#include <sched.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#define NONE	CHECKPOINT_FD_NONE
#define LIMIT	900

/* The tools run elsewhere: absolute. */
static char image_path[PATH_MAX], log_path[PATH_MAX], output_path[PATH_MAX];

static bool make_paths(void)
{
	char cwd[PATH_MAX / 2];

	return getcwd(cwd, sizeof(cwd)) &&
	       make_path(image_path, sizeof(image_path), cwd, "image") &&
	       make_path(log_path, sizeof(log_path), cwd, "log") &&
	       make_path(output_path, sizeof(output_path), cwd, "output");
}

static bool start(struct subject_run *run, const char *program, const char *arg)
{
	char cwd[PATH_MAX / 2];

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	memset(run, 0, sizeof(*run));
	if (!getcwd(cwd, sizeof(cwd)))
		return complain("getcwd: %s", strerror(errno));
	snprintf(run->dir, sizeof(run->dir), "%s/forest", cwd);
	remove_tree(run->dir);
	if (mkdir(run->dir, 0755))
		return complain("%s: %s", run->dir, strerror(errno));
	snprintf(run->program, sizeof(run->program), "%s", helper_path(program));
	run->arg = arg;
	return subject_map(run, true) && subject_start(run);
}

static bool save_file(struct subject_run *run, pid_t pid)
{
	char image[PATH_MAX], log[PATH_MAX];
	long ret;

	if (!make_path(image, sizeof(image), run->dir, "image") ||
	    !make_path(log, sizeof(log), run->dir, "checkpoint.log"))
		return false;
	run->control->before_save = monotonic_ns();
	ret = save_to(image, pid, log);
	run->control->after_save = monotonic_ns();
	if (ret > 0)
		return true;
	show_file(log);
	return complain("checkpoint: %s", strerror(-ret));
}

static void kill_all(struct subject_run *run)
{
	kill_and_reap(run->pid);
	/* Its children have come to us. */
	end_children();
	run->pid = 0;
}

static bool show_all(struct subject_run *run)
{
	static const char * const names[] = { "log", "restart.out", "restart.log" };
	char path[PATH_MAX];
	size_t index;

	for (index = 0; index < sizeof(names) / sizeof(*names); index++)
		if (make_path(path, sizeof(path), run->dir, names[index]))
			show_file(path);
	return false;
}

static bool finish(struct subject_run *run, pid_t pid)
{
	bool good;

	subject_go(run);
	good = subject_verdict(run, pid);
	good &= reap(pid, 0, "the tree");
	good &= !leaves_children();
	if (!good)
		show_all(run);
	subject_unmap(run);
	if (good)
		remove_tree(run->dir);
	return good;
}

/* One forest, saved, killed and restarted. */
static bool try_forest(unsigned int seed)
{
	struct subject_run run;
	char arg[32];
	pid_t tool;

	snprintf(arg, sizeof(arg), "random-%u", seed);
	if (!start(&run, "subjects/forest", arg) || !subject_settle(&run, run.pid) ||
	    !save_file(&run, run.pid))
		return show_all(&run);
	kill_all(&run);
	tool = subject_restart(&run, seed % 2 ? "--pids" : "--pidns", "image");
	return (tool > 0 && finish(&run, tool)) || complain("random-%u", seed);
}

FIXTURE(forest)
{
	int unused;
};

FIXTURE_SETUP(forest)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(make_paths());
}

FIXTURE_TEARDOWN(forest)
{
	end_children();
	remove_tree("forest");
	unlink(image_path);
	unlink(log_path);
	unlink(output_path);
}

TEST_F_TIMEOUT(forest, random, LIMIT)
{
	unsigned int seed, last = is_debug_kernel() ? 20 : 500;

	/* The first ones are among the subjects. */
	for (seed = 5; seed < 5 + last; seed++)
		EXPECT_TRUE(try_forest(seed));
}

/* One that is stopped itself, as by a shell. */
TEST_F(forest, stopped_root)
{
	pid_t pid = start_tiny("pause", 0), child;
	int status;

	ASSERT_GT(pid, 0);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_GT(save_to(image_path, pid, log_path), 0) show_file(log_path);
	/* It is where it was. */
	EXPECT_TRUE(wait_in_state(pid, "T"));
	EXPECT_EQ(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	EXPECT_TRUE(wait_blocked(pid, NR64_PAUSE));
	kill_and_reap(pid);

	child = restart_from(image_path, 0, log_path);
	ASSERT_GT(child, 0) show_file(log_path);
	EXPECT_TRUE(wait_in_state(child, "T"));
	EXPECT_EQ(0, waitpid(child, &status, WUNTRACED | WNOHANG));
	kill(child, SIGCONT);
	EXPECT_EQ(child, waitpid(child, &status, WCONTINUED));
	EXPECT_TRUE(WIFCONTINUED(status));
	EXPECT_TRUE(wait_blocked(child, NR64_PAUSE));
	kill_and_reap(child);
}

/* An image of every kind of relation, and nobody who was saved. */
static bool make_image(struct subject_run *run, struct image *image)
{
	char path[PATH_MAX];
	bool good;

	if (!start(run, "subjects/forest", "orphans") ||
	    !subject_settle(run, run->pid) || !save_file(run, run->pid))
		return show_all(run);
	kill_all(run);
	good = make_path(path, sizeof(path), run->dir, "image") && image_load(image, path);
	subject_unmap(run);
	return good;
}

/* Return: whether the tool refuses, says so, and leaves nobody behind. */
static bool is_refused(const char *how, const char *reason)
{
	const char *const argv[] = {
		tool_path("restart"), how, "-i", image_path, "-l", log_path, NULL
	};
	pid_t tool = spawn(argv, output_path);
	bool good = tool > 0 && reap(tool, 1 << 8, "restart(1)");

	/* Those that it has ended need not be reaped yet by who adopts them. */
	good &= !leaves_children();
	if (reason && !file_holds(output_path, reason) && !file_holds(log_path, reason))
		good = complain("the reason is not '%s'", reason);
	if (!good) {
		show_file(output_path);
		show_file(log_path);
	}
	unlink(log_path);
	unlink(output_path);
	return good;
}

/* Whatever is missing, and whoever has got how far. */
TEST_F_TIMEOUT(forest, image_ends, LIMIT)
{
	unsigned int step = is_debug_kernel() ? 61 : 7, records = 0;
	struct subject_run run;
	struct image image = { 0 };
	long at;

	ASSERT_TRUE(make_image(&run, &image));
	for (at = 0; at >= 0; at = image_next(&image, at)) {
		struct image cut = { .data = image.data, .len = at };

		if (records++ % step || !at)
			continue;
		ASSERT_TRUE(image_store(&cut, image_path));
		ASSERT_TRUE(is_refused(records % 2 ? "--pids" : "--pidns", NULL)) {
			TH_LOG("before %s", image_type(&image, at));
		}
	}
	image_free(&image);
}

static bool edit_is_refused(const struct image *image, const char *field, u64 value,
			    const char *reason)
{
	struct image edited = { 0 };
	bool good;

	good = image_copy(&edited, image) && image_set(&edited, field, value);
	if (good) {
		image_seal(&edited);
		good = image_store(&edited, image_path) && is_refused("--pids", reason);
	}
	image_free(&edited);
	return good || complain("%s = %llu", field, (unsigned long long)value);
}

TEST_F_TIMEOUT(forest, impossible_relations, LIMIT)
{
	struct subject_run run;
	struct image image = { 0 };
	u64 root, child;

	ASSERT_TRUE(make_image(&run, &image));
	ASSERT_TRUE(image_get(&image, "pids.pid", &root));
	ASSERT_TRUE(image_get(&image, "pids[1].pid", &child));
	EXPECT_TRUE(edit_is_refused(&image, "pids[1].ppid", root + 5000, "before its parent"));
	EXPECT_TRUE(edit_is_refused(&image, "pids[1].ppid", child, "before its parent"));
	EXPECT_TRUE(edit_is_refused(&image, "pids.flags", 0, "may have been in"));
	EXPECT_TRUE(edit_is_refused(&image, "pids.flags", 3, "has no parent"));
	EXPECT_TRUE(edit_is_refused(&image, "pids[1].flags", 1, "record"));
	EXPECT_TRUE(edit_is_refused(&image, "pids[1].pid", root, "is no thread"));
	image_free(&image);
}

/* The id of a child belongs to somebody else now. */
TEST_F_TIMEOUT(forest, id_is_taken, LIMIT)
{
	struct subject_run run;
	struct image image = { 0 };
	u64 id;

	ASSERT_TRUE(make_image(&run, &image));
	ASSERT_TRUE(image_get(&image, "pids[2].pid", &id));
	ASSERT_TRUE(image_store(&image, image_path));
	image_free(&image);
	EXPECT_TRUE(refuses_taken_id(image_path, id, output_path));
	EXPECT_FALSE(leaves_children());
}

/* Are there processes with all the ids of the image, dead ones too? */
static bool all_are_there(const struct image *image)
{
	unsigned int nr_tasks = image_count(image, "pids"), index;
	s64 limit = hang_limit();

	for (index = 0; index < nr_tasks; index++) {
		char what[32];
		u64 id;

		snprintf(what, sizeof(what), "pids[%u].pid", index);
		if (!image_get(image, what, &id))
			return false;
		while (kill(id, 0)) {
			if (monotonic_ns() > limit)
				return complain("process %d does not come", (int)id);
			sched_yield();
		}
	}
	return true;
}

/*
 * Whoever restarts them is killed when he has got so far; and the image never
 * ends, so that nothing but his death can be noticed.
 */
static bool leaves_nothing(const struct image *image, size_t len, const char *how)
{
	pid_t tool;
	int writer;
	bool good;

	tool = image_restart_part(image, len, how, log_path, &writer);
	if (tool < 0)
		return complain("no restart(1)");
	/* In a namespace of their own they cannot be told by their ids. */
	good = strcmp(how, "--pids") || len < image->len / 2 || all_are_there(image);
	kill_and_reap(tool);
	good &= all_children_end();
	close(writer);
	return good || complain("%s: killed after %zu bytes of %zu", how, len, image->len);
}

TEST_F_TIMEOUT(forest, whose_restart_is_killed, LIMIT)
{
	unsigned int part, parts = is_debug_kernel() ? 8 : 24;
	struct image image = { 0 };
	struct subject_run run;

	ASSERT_TRUE(make_image(&run, &image));
	for (part = 0; part <= parts; part++) {
		/* All but the last byte, at the end. */
		size_t len = part < parts ? image.len * part / parts : image.len - 1;

		EXPECT_TRUE(leaves_nothing(&image, len, "--pids"));
		EXPECT_TRUE(leaves_nothing(&image, len, "--pidns"));
	}
	image_free(&image);
}

/* checkpoint -k ends the whole tree, also who has left its session. */
TEST_F_TIMEOUT(forest, ended_by_the_tool, LIMIT)
{
	struct subject_run run;
	char pid[16];
	const char *const argv[] = {
		tool_path("checkpoint"), "-k", "-f", "-o", image_path, pid, NULL
	};

	ASSERT_TRUE(start(&run, "subjects/forest", "groups"));
	ASSERT_TRUE(subject_settle(&run, run.pid));
	snprintf(pid, sizeof(pid), "%d", run.pid);
	EXPECT_TRUE(reap(spawn(argv, output_path), 0, "checkpoint(1)")) show_file(output_path);
	EXPECT_TRUE(reap(run.pid, SIGKILL, "the root"));
	/* They come to us, and all end. */
	while (waitpid(-1, NULL, __WALL) > 0)
		continue;
	EXPECT_EQ(ECHILD, errno);
	subject_unmap(&run);
	remove_tree(run.dir);
}

FIXTURE(storm)
{
	struct subject_run run;
};

FIXTURE_VARIANT(storm)
{
	const char *mode;
};

FIXTURE_VARIANT_ADD(storm, fork)
{
	.mode = "fork",
};

FIXTURE_VARIANT_ADD(storm, vfork)
{
	.mode = "vfork",
};

FIXTURE_VARIANT_ADD(storm, execve)
{
	.mode = "execve",
};

FIXTURE_VARIANT_ADD(storm, thread)
{
	.mode = "thread",
};

FIXTURE_VARIANT_ADD(storm, kill)
{
	.mode = "kill",
};

FIXTURE_VARIANT_ADD(storm, stop)
{
	.mode = "stop",
};

FIXTURE_SETUP(storm)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(start(&self->run, "subjects/storm", variant->mode));
}

FIXTURE_TEARDOWN(storm)
{
	if (self->run.pid > 0)
		kill_all(&self->run);
}

/* Do all workers go on? */
static bool goes_on(struct subject_run *run)
{
	u64 *counter = (u64 *)&run->control->counter[0];
	u64 want = READ_ONCE(*counter) + 20;
	s64 limit = hang_limit();

	while (READ_ONCE(*counter) < want) {
		if (READ_ONCE(run->control->failures))
			return complain("something is wrong in the storm");
		if (monotonic_ns() > limit)
			return complain("the storm has calmed");
		sched_yield();
	}
	return true;
}

TEST_F_TIMEOUT(storm, in_place, LIMIT)
{
	int round, rounds = is_debug_kernel() ? 50 : 1000;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (round = 0; round < rounds; round++) {
		long ret = sys_checkpoint(self->run.pid, null, CHECKPOINT_SUBTREE, NONE);

		ASSERT_GT(ret, 0) TH_LOG("round %d: %s", round, strerror(errno));
		ASSERT_TRUE(round % 10 || goes_on(&self->run));
	}
	close(null);
	EXPECT_TRUE(finish(&self->run, self->run.pid));
	self->run.pid = 0;
}

TEST_F_TIMEOUT(storm, restarted, LIMIT)
{
	int round, rounds = is_debug_kernel() ? 3 : 20;
	pid_t tool = 0;

	for (round = 0; round < rounds; round++) {
		ASSERT_TRUE(goes_on(&self->run));
		ASSERT_TRUE(save_file(&self->run, self->run.control->pid));
		if (round) {
			kill(self->run.control->pid, SIGKILL);
			ASSERT_TRUE(reap(tool, SIGKILL, "restart(1)"));
			end_children();
		} else {
			kill_all(&self->run);
		}
		tool = subject_restart(&self->run, "--pids", "image");
		ASSERT_GT(tool, 0);
		ASSERT_TRUE(goes_on(&self->run)) show_all(&self->run);
	}
	EXPECT_TRUE(finish(&self->run, tool));
}

TEST_HARNESS_MAIN
