// SPDX-License-Identifier: GPL-2.0
/*
 * Are the subjects any good?
 *
 * Each image is spoilt in one place and its tail made right, as if the kernel
 * had forgotten to save or to restore that one thing. The subject must notice,
 * or the kernel must refuse: a subject that passes proves nothing.
 */
#include "harness.h"
#include "image_edit.h"

#include <cpuid.h>
#include <fnmatch.h>
#include <linux/futex.h>
#include <sys/prctl.h>

#include "sabotage.h"

#include "kselftest.h"

static char **patterns;
static char work_dir[PATH_MAX / 2];

static bool flip_bytes(struct image *image, const char *what, u64 value, u32 further)
{
	size_t len = strcspn(what, "+");
	long at, offset = what[len] ? atol(what + len + 1) : 0;
	char type[32];
	u64 *word;

	snprintf(type, sizeof(type), "%.*s", (int)len, what);
	at = image_find(image, type, 0);
	word = at < 0 ? NULL : image_at(image, at + offset + further, sizeof(*word));
	if (!word)
		return complain("the image has no %s", what);
	*word ^= value;
	return true;
}

/* Where the processor keeps a component of the register state. */
static u32 component_offset(u32 component)
{
	u32 size, offset = 0, flags, reserved;

	__get_cpuid_count(0xd, component, &size, &offset, &flags, &reserved);
	return offset;
}

/* The same generator as the subjects have. */
static u64 pattern_word(u64 seed, u64 index)
{
	u64 x = seed * 0x9e3779b97f4a7c15ULL + index + 1;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static bool flip_pattern(struct image *image, u64 seed, u64 index)
{
	u64 word = pattern_word(seed, index);
	unsigned char *at = memmem(image->data, image->len, &word, sizeof(word));

	if (!at)
		return complain("the image has no pattern %llu", (unsigned long long)seed);
	at[7] ^= 0x40;
	return true;
}

/* Mappings, for instance, have numbers that nobody knows beforehand. */
static bool clear_bits(struct image *image, const char *what, u64 bits)
{
	size_t len = strcspn(what, ".");
	unsigned int index, count;
	char type[32], field[64];
	u64 value;

	snprintf(type, sizeof(type), "%.*s", (int)len, what);
	count = image_count(image, type);
	for (index = 0; index < count; index++) {
		snprintf(field, sizeof(field), "%s[%u]%s", type, index, what + len);
		if (!image_get(image, field, &value))
			return false;
		if ((value & bits) == bits)
			return image_set(image, field, value & ~bits);
	}
	return complain("no %s has %#llx", what, (unsigned long long)bits);
}

static bool change_text(struct image *image, const char *from, const char *to)
{
	unsigned char *at = memmem(image->data, image->len, from, strlen(from));

	if (!at || strlen(from) != strlen(to))
		return complain("the image has no text '%s'", from);
	memcpy(at, to, strlen(to));
	return true;
}

static bool spoil(struct image *image, const struct sabotage *it)
{
	u64 value;
	bool good;

	switch (it->how) {
	case SET:
		good = image_set(image, it->what, it->value);
		break;
	case XOR:
		good = image_get(image, it->what, &value) &&
		       image_set(image, it->what, value ^ it->value);
		break;
	case ADD:
		good = image_get(image, it->what, &value) &&
		       image_set(image, it->what, value + it->value);
		break;
	case CLEAR:
		good = clear_bits(image, it->what, it->value);
		break;
	case LATER:
		good = image_get(image, it->what, &value) &&
		       image_set(image, it->what, value + scaled_ms(it->value));
		break;
	case BYTES:
		good = flip_bytes(image, it->what, it->value, 0);
		break;
	case COMPONENT:
		good = flip_bytes(image, it->what, it->value, component_offset(it->index));
		break;
	case PATTERN:
		good = flip_pattern(image, it->value, it->index);
		break;
	default:
		good = change_text(image, it->what, it->text);
		break;
	}
	image_seal(image);
	return good;
}

enum outcome {
	PASSED,
	NOTICED,
	REFUSED,
	BROKEN,
};

static const char * const outcome_names[] = {
	"the subject noticed nothing", "the subject noticed", "the kernel refused",
	"the test went wrong",
};

/* Wait for the verdict or the end of the process, for a while. */
static enum outcome watch(struct subject_run *run, pid_t pid)
{
	struct timespec slice = { 0, 20 * MSEC };
	s64 limit = monotonic_ns() + scaled_ms(8000);
	siginfo_t info = { .si_pid = 0 };
	enum outcome outcome;

	subject_go(run);
	while (READ_ONCE(run->control->state) == SUBJECT_READY && !info.si_pid &&
	       monotonic_ns() < limit) {
		syscall(SYS_futex, &run->control->state, FUTEX_WAIT, SUBJECT_READY, &slice, NULL,
			0);
		waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	outcome = READ_ONCE(run->control->state) == SUBJECT_PASS ? PASSED : NOTICED;
	if (outcome == PASSED) {
		/* What the kernel does at the end may be what counts. */
		int status = -1;

		if (waitpid(pid, &status, 0) != pid || status)
			outcome = NOTICED;
		if (run->control->exit_value &&
		    run->control->exit_word != run->control->exit_value)
			outcome = NOTICED;
	} else {
		kill_and_reap(pid);
	}
	return outcome;
}

static enum outcome restart_spoilt(struct subject_run *run, const struct image *image,
				   const struct sabotage *it)
{
	char path[PATH_MAX], log[PATH_MAX];
	struct image spoilt;
	pid_t pid;

	if (!make_path(path, sizeof(path), run->dir, "spoilt") ||
	    !make_path(log, sizeof(log), run->dir, "restart.log") || !image_copy(&spoilt, image))
		return BROKEN;
	if ((it && !spoil(&spoilt, it)) || !image_store(&spoilt, path)) {
		image_free(&spoilt);
		return BROKEN;
	}
	image_free(&spoilt);

	run->control->go = 0;
	run->control->failures = 0;
	run->control->nonce_after = 0;
	run->control->flags = CONTROL_RESTARTED;
	run->control->state = SUBJECT_READY;
	run->control->before_restart = monotonic_ns();
	pid = restart_from(path, run->control->pid, log);
	if (pid <= 0) {
		if (!it)
			show_file(log);
		return pid == -EEXIST ? BROKEN : REFUSED;
	}
	return watch(run, pid);
}

/* Some files change when a subject verifies: they must be as they were saved. */
static void keep_files(const struct subject_run *run, bool restore)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct timespec times[2];
	struct stat st;

	if (!make_path(from, sizeof(from), run->dir, restore ? "kept" : "data") ||
	    !make_path(to, sizeof(to), run->dir, restore ? "data" : "kept"))
		return;
	if (stat(from, &st))
		return;
	/* The same file: inode and times are what the image names. */
	copy_file(from, to, 0644);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	utimensat(AT_FDCWD, to, times, 0);
	make_path(to, sizeof(to), run->dir, "made");
	unlink(to);
}

static bool start_and_save(struct subject_run *run, const struct sabotage_subject *it,
			   struct image *image)
{
	char path[PATH_MAX], log[PATH_MAX];
	char program[64];

	run->arg = it->arg;
	snprintf(program, sizeof(program), "subjects/%s", it->program);
	snprintf(run->program, sizeof(run->program), "%s", helper_path(program));
	snprintf(run->dir, sizeof(run->dir), "%s/%s-%s", work_dir, it->program, it->arg);
	remove_tree(run->dir);
	if (mkdir(run->dir, 0755) || !subject_map(run, true) || !subject_start(run) ||
	    !subject_settle(run, run->pid) || !make_path(path, sizeof(path), run->dir, "image") ||
	    !make_path(log, sizeof(log), run->dir, "checkpoint.log"))
		return false;
	if (it->dwell_ms)
		usleep(it->dwell_ms * 1000);
	run->control->before_save = monotonic_ns();
	if (save_to(path, run->pid, log) <= 0) {
		show_file(log);
		return complain("%s cannot be saved", it->program);
	}
	run->control->after_save = monotonic_ns();
	kill_and_reap(run->pid);
	keep_files(run, false);
	return image_load(image, path);
}

static const char *row_name(const struct sabotage_subject *subject, const struct sabotage *it)
{
	static const char * const signs[] = {
		[XOR] = "^", [ADD] = "+", [CLEAR] = "without", [LATER] = "later by ms"
	};
	const char *sign = it->how <= LATER ? signs[it->how] : NULL;
	char component[32] = "";
	static char name[128];

	if (it->how == COMPONENT)
		snprintf(component, sizeof(component), "component %llu of ",
			 (unsigned long long)it->index);
	snprintf(name, sizeof(name), "%s-%s: %s%s %s %llx", subject->program, subject->arg,
		 component, it->what ? it->what : "pattern", sign ?: "=",
		 (unsigned long long)it->value);
	return name;
}

static bool is_chosen(const struct sabotage_subject *subject)
{
	char **pattern;

	for (pattern = patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, subject->program, 0))
			return true;
	return !*patterns;
}

static void run_subject(const struct sabotage_subject *it)
{
	struct subject_run run = { 0 };
	const struct sabotage *row;
	struct image image = { 0 };
	bool good = start_and_save(&run, it, &image);

	if (!good && run.control && run.control->state == SUBJECT_SKIP) {
		waitpid(run.pid, NULL, 0);
		ksft_test_result_skip("%s-%s\n", it->program, it->arg);
		for (row = it->rows; row->what || row->how; row++)
			ksft_test_result_skip("%s\n", row_name(it, row));
		return;
	}
	/* What nobody spoils passes: else the rest would mean nothing. */
	if (good) {
		enum outcome outcome = restart_spoilt(&run, &image, NULL);
		char log[PATH_MAX];

		good = outcome == PASSED;
		if (!good && make_path(log, sizeof(log), run.dir, "log")) {
			complain("an image that nobody spoilt: %s", outcome_names[outcome]);
			show_file(log);
		}
	}
	ksft_test_result(good, "%s-%s\n", it->program, it->arg);
	for (row = it->rows; row->what || row->how; row++) {
		enum outcome outcome = BROKEN;

		if (good) {
			keep_files(&run, true);
			outcome = restart_spoilt(&run, &image, row);
		}
		if (outcome != (row->refused ? REFUSED : NOTICED))
			complain("%s", outcome_names[outcome]);
		ksft_test_result(outcome == (row->refused ? REFUSED : NOTICED), "%s\n",
				 row_name(it, row));
		fflush(stdout);
	}
	image_free(&image);
	if (run.control)
		subject_unmap(&run);
	end_children();
	remove_tree(run.dir);
}

int main(int argc, char **argv)
{
	const struct sabotage_subject *it;
	const struct sabotage *row;
	unsigned int plan = 0;

	(void)argc;
	patterns = argv + 1;
	ksft_print_header();
	if (!have_checkpoint())
		ksft_exit_skip("this kernel has no checkpoint()\n");
	if (!getcwd(work_dir, sizeof(work_dir)))
		ksft_exit_fail_msg("getcwd: %s\n", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (it = sabotage_subjects; it->program; it++) {
		if (!is_chosen(it))
			continue;
		plan++;
		for (row = it->rows; row->what || row->how; row++)
			plan++;
	}
	ksft_set_plan(plan);
	report_crashes(false);
	for (it = sabotage_subjects; it->program; it++)
		if (is_chosen(it))
			run_subject(it);
	report_crashes(true);
	ksft_finished();
}
