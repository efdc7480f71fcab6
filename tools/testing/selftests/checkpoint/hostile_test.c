// SPDX-License-Identifier: GPL-2.0
/*
 * Images that no kernel wrote.
 *
 * Every truncation, and many thousand mutations that the tools' own tests make
 * as well, usually with a tail that is right. Each is refused with an error,
 * or is an image and its process runs; it hangs nowhere, leaves nothing
 * behind, and gives nobody more rights than they had. Images of several processes
 * go through restart(1), which has to stand them, too.
 *
 *	hostile_test [-n MUTATIONS] [-s FIRST_SEED]
 */
#include "harness.h"
#include "attack.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <linux/checkpoint_image.h>
#include "kselftest.h"
#include "tiny.h"

/* An image that nobody has changed ends by itself, however busy the machine is. */
#define GOOD_MS		60000

static u64 first_seed = 1;
static u64 nr_mutations;

static size_t make_mutation(const struct attack *attack, u64 index, unsigned char *out,
			    struct mutation *mutation)
{
	return mutate_image(attack->image->data, attack->image->len, attack->first + index, out,
			    mutation);
}

/* Where to cut: at each byte, in the debug kernel within pages only at some. */
static u32 *cuts;

static u64 list_cuts(const struct image *image)
{
	u64 nr_cuts = 0, at = 0, end = 0, pages = 0, step = is_debug_kernel() ? 61 : 1;

	cuts = calloc(image->len, sizeof(*cuts));
	for (; cuts && at < image->len; at++) {
		if (at >= end) {
			struct ckpt_hdr header;

			memcpy(&header, image->data + at, sizeof(header));
			pages = header.type == CKPT_HDR_PAGES ?
				at + sizeof(struct ckpt_hdr_pages) : ~0ULL;
			end = at + header.len;
		}
		if (at < pages || at % step == 0 || at == end - 1)
			cuts[nr_cuts++] = at;
	}
	return nr_cuts;
}

static size_t make_truncation(const struct attack *attack, u64 index, unsigned char *out,
			      struct mutation *mutation)
{
	memcpy(out, attack->image->data, attack->image->len);
	snprintf(mutation->text, sizeof(mutation->text), "truncated to %u bytes", cuts[index]);
	return cuts[index];
}

/* A terminal, of which the test is the other side. */
static char terminal[32];

static bool make_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	return master >= 0 && !grantpt(master) && !unlockpt(master) &&
	       !ptsname_r(master, terminal, sizeof(terminal));
}

/* Descriptor 0 of those that are saved. */
static void prepare_tiny(void)
{
	if (open(terminal, O_RDONLY | O_NOCTTY))
		_exit(122);
	limit_rights();
}

/* Whoever restarts it has something at 0 that can be read. */
static bool connect_terminal(struct image *image)
{
	unsigned int nr_files = image_count(image, "file"), index;
	char what[32];
	u64 kind;

	for (index = 0; index < nr_files; index++) {
		snprintf(what, sizeof(what), "file[%u].kind", index);
		if (!image_get(image, what, &kind) || kind != CKPT_FILE_EXTERNAL)
			continue;
		snprintf(what, sizeof(what), "file[%u].inherit", index);
		if (!image_set(image, what, 0))
			return false;
		image_seal(image);
		return true;
	}
	return complain("the image has no terminal");
}

/* The good image is one: else nothing here means anything. */
static bool is_good(const struct image *image, const char *name, int status)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	pid_t pid = fork();

	if (!pid) {
		setsid();
		if (!image_store_fd(image, fd))
			_exit(1);
		sys_restart(0, fd, RESTART_TASKSELF, STDOUT_FILENO);
		_exit(2);
	}
	close(fd);
	return reap(pid, status << 8, name);
}

static bool save_waiting(const char *mode, struct image *image)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	pid_t pid = start_tiny(mode, 0);
	bool good;

	good = pid > 0 && sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, STDOUT_FILENO) > 0 &&
	       image_load_fd(image, fd) && connect_terminal(image) &&
	       image_set(image, "restart_block.remaining_ns", 1000000);
	if (pid > 0)
		kill_and_reap(pid);
	close(fd);
	if (good)
		image_seal(image);
	return good;
}

static void report_attack(const struct attack *attack)
{
	ksft_test_result(attack_run(attack), "%s\n", attack->name);
	fflush(stdout);
}

static void attack_image(struct image *image, const char *name, u64 count, uid_t uid,
			 bool coordinated)
{
	struct attack attack = {
		.image = image, .first = first_seed, .count = count, .make = make_mutation,
		.may_run = true, .coordinated = coordinated, .uid = uid,
	};

	snprintf(attack.name, sizeof(attack.name), "mutations of %s%s%s", name,
		 uid ? ", unprivileged" : "", coordinated ? ", by a coordinator" : "");
	report_attack(&attack);
	first_seed += count;
}

/* One of eight as restart(1) does it. */
static void attack_both_ways(struct image *image, const char *name, u64 count, uid_t uid)
{
	attack_image(image, name, count - count / 8, uid, false);
	attack_image(image, name, count / 8, uid, true);
}

static void truncate_everywhere(const struct image *image)
{
	struct attack attack = {
		.image = image, .make = make_truncation,
	};

	snprintf(attack.name, sizeof(attack.name), "truncation at every byte%s",
		 is_debug_kernel() ? " of the records" : "");
	attack.count = list_cuts(image);
	report_attack(&attack);
	free(cuts);
}

/* In a process of its own, which has the rights of those that try. */
static bool save_limited(struct subject_run *run, int fd)
{
	pid_t pid = fork();

	if (!pid) {
		limit_rights();
		if (!subject_start(run) || !subject_settle(run, run->pid) ||
		    sys_checkpoint(run->pid, fd, CHECKPOINT_SUBTREE, STDOUT_FILENO) <= 0)
			exit(1);
		kill_and_reap(run->pid);
		exit(0);
	}
	if (!reap(pid, 0, run->program))
		return false;
	/* Its children have come to us. */
	end_children();
	return true;
}

/* A process with a dynamic linker and glibc; in the image it need not wait any more. */
static bool make_dynamic_image(struct image *image)
{
	static const char * const files[][2] = {
		{ "subjects/tls.dynamic", "program" }, { "lib/ld.so", "ld.so" },
		{ "lib/libc.so.6", "libc.so.6" },
	};
	struct subject_run run = { .arg = "" };
	int fd = memfd_create("image", MFD_CLOEXEC);
	char path[PATH_MAX];
	size_t index;
	bool good;

	if (!getcwd(path, sizeof(path)) ||
	    !make_path(run.dir, sizeof(run.dir), path, "dynamic") ||
	    !make_path(run.program, sizeof(run.program), run.dir, "program") ||
	    mkdir(run.dir, 0755))
		return complain("dynamic: %s", strerror(errno));
	for (index = 0; index < sizeof(files) / sizeof(*files); index++)
		if (!make_path(path, sizeof(path), run.dir, files[index][1]) ||
		    !copy_file(helper_path(files[index][0]), path, 0755))
			return false;
	if (!subject_map(&run, true))
		return false;
	good = save_limited(&run, fd) && image_load_fd(image, fd);
	close(fd);
	run.control->flags |= CONTROL_RESTARTED | CONTROL_NEW_PID;
	subject_go(&run);
	good = good && is_good(image, "dynamic", 0) && subject_verdict(&run, 0);
	if (!good && make_path(path, sizeof(path), run.dir, "log"))
		show_file(path);
	subject_unmap(&run);
	return good;
}

/* A tree in its image need not wait any more, and ends. */
static bool make_tree_image(struct subject_run *run, struct image *image)
{
	int fd = memfd_create("image", MFD_CLOEXEC), status = -1;
	bool good = subject_map(run, true) && save_limited(run, fd) && image_load_fd(image, fd);

	if (good) {
		run->control->flags |= CONTROL_RESTARTED;
		subject_go(run);
		lseek(fd, 0, SEEK_SET);
		good = attack_by_tool(fd, "--pidns", GOOD_MS, &status) && !status &&
		       subject_verdict(run, 0);
	}
	close(fd);
	return good || complain("restart(1) ended with status %#x", status);
}

static void attack_tree(const char *program, const char *arg)
{
	struct subject_run run = { .arg = arg };
	struct attack attack = {
		.first = first_seed, .count = nr_mutations / 32, .make = make_mutation,
		.may_run = true, .how = "--pidns",
	};
	char path[PATH_MAX];
	struct image image;
	bool good;

	good = getcwd(path, sizeof(path)) && make_path(run.dir, sizeof(run.dir), path, arg) &&
	       !mkdir(run.dir, 0755);
	snprintf(run.program, sizeof(run.program), "%s", helper_path(program));
	good = good && make_tree_image(&run, &image);
	ksft_test_result(good, "image of a tree, %s\n", arg);
	if (good) {
		snprintf(attack.name, sizeof(attack.name), "mutations of a tree, %s", arg);
		attack.image = &image;
		report_attack(&attack);
		first_seed += attack.count;
		image_free(&image);
	} else if (make_path(path, sizeof(path), run.dir, "log")) {
		show_file(path);
	}
	if (run.control)
		subject_unmap(&run);
}

static const char * const waiting[] = { "nanosleep", "poll", "futex" };

#define NR_WAITING	(sizeof(waiting) / sizeof(*waiting))
/* Each image is tested for being good, then attacked; the rich ones in two ways. */
#define NR_TESTS	(2 * (10 + NR_WAITING) + 2 + 1)

static void attack_rich(void)
{
	struct image image;
	bool good;

	good = make_tiny_image("rich", "rich.image", 0) && image_load(&image, "rich.image") &&
	       connect_terminal(&image) && is_good(&image, "rich", TINY_GOOD);
	ksft_test_result(good, "image of a process with one of everything\n");
	if (good) {
		truncate_everywhere(&image);
		attack_both_ways(&image, "everything", nr_mutations / 2, 0);
		image_free(&image);
	}
}

static void attack_self(void)
{
	struct image image;
	bool good;

	good = make_tiny_image("self", "self.image", 0) && image_load(&image, "self.image") &&
	       connect_terminal(&image) && is_good(&image, "self", TINY_GOOD);
	ksft_test_result(good, "image of a process with little\n");
	if (good) {
		attack_image(&image, "little", nr_mutations / 8, 0, false);
		image_free(&image);
	}
}

static void attack_user(void)
{
	struct image image;
	char path[PATH_MAX];
	bool good;

	if (!getcwd(path, sizeof(path)) || chmod(path, 0777))
		complain("working directory: %s", strerror(errno));
	good = make_tiny_image("rich", "user.image", ORDINARY_UID) &&
	       image_load(&image, "user.image") && connect_terminal(&image) &&
	       is_good(&image, "user", TINY_GOOD);
	ksft_test_result(good, "image of an ordinary user\n");
	if (good) {
		attack_both_ways(&image, "everything", nr_mutations / 4, ORDINARY_UID);
		image_free(&image);
	}
}

static void attack_waiting(const char *mode)
{
	struct image image;
	bool good = save_waiting(mode, &image) && is_good(&image, mode, TINY_GOOD);

	ksft_test_result(good, "image of a process in %s\n", mode);
	if (good) {
		attack_image(&image, mode, nr_mutations / 24 + 1, 0, false);
		image_free(&image);
	}
}

static void attack_dynamic(void)
{
	struct image image;
	bool good = make_dynamic_image(&image);

	ksft_test_result(good, "image of a dynamic program\n");
	if (good) {
		attack_image(&image, "a dynamic program", nr_mutations / 16, 0, false);
		image_free(&image);
	}
}

static void run_tests(void)
{
	size_t index;

	attack_rich();
	attack_self();
	attack_user();
	for (index = 0; index < NR_WAITING; index++)
		attack_waiting(waiting[index]);
	attack_dynamic();
	attack_tree("subjects/forest", "orphans");
	attack_tree("subjects/sharing", "handlers-files-directories-dead");
	attack_tree("subjects/namespaces", "uts-own");
	attack_tree("subjects/namespaces", "ipc-own");
	attack_tree("subjects/user_ns", "alone");
	attack_tree("subjects/pid_ns", "one");
}

int main(int argc, char **argv)
{
	struct sched_param urgent = { .sched_priority = 99 };
	const char *wanted = getenv("CKPT_MUTATIONS");
	int option;

	nr_mutations = wanted ? strtoull(wanted, NULL, 0) : is_debug_kernel() ? 20000 : 4000;
	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			nr_mutations = strtoull(optarg, NULL, 0);
		else if (option == 's')
			first_seed = strtoull(optarg, NULL, 0);
	}
	ksft_print_header();
	if (!have_checkpoint())
		ksft_exit_skip("this kernel has no checkpoint()\n");
	if (!attack_prepare())
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	if (!make_terminal())
		ksft_exit_fail_msg("no terminal: %s\n", strerror(errno));
	ksft_set_plan(NR_TESTS);
	before_tiny = prepare_tiny;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	report_crashes(false);
	/* Some of them will run for good, with any priority. */
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &urgent);
	run_tests();
	report_crashes(true);
	ksft_finished();
}
