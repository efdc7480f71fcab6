// SPDX-License-Identifier: GPL-2.0
/*
 * Images that no kernel wrote.
 *
 * Every truncation, and many thousand mutations that the tools' own tests make
 * as well, usually with a tail that is right. Each is refused with an error,
 * or is an image and its process runs; it hangs nowhere, leaves nothing
 * behind, and gives nobody more rights than they had.
 *
 *	hostile_test [-n MUTATIONS] [-s FIRST_SEED]
 *
 * A process tries one image after the other until one of them takes its place.
 */
#include "harness.h"
#include "image_edit.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/checkpoint_image.h>
#include "mutate.h"
#include "kselftest.h"
#include "tiny.h"

/* More than a restart takes, however slow the machine. */
#define STUCK_MS	20000
/* What a process may run that an image has become. */
#define RUN_MS		100
#define DONE		33
#define MAX_ERRORS	512

/**
 * struct progress - what the process that tries tells, in shared memory
 * @next: the number of the image that comes next
 * @busy: it is in restart()
 * @errors: how often each errno was seen
 */
struct progress {
	u64 next;
	u32 busy;
	u32 errors[MAX_ERRORS];
};

/**
 * struct attack - a list of bad images
 * @name: for people
 * @image: the good one that they are made of
 * @count: how many
 * @make: makes number @index; its length
 * @may_run: some of them may be images all the same
 * @uid: who tries
 */
struct attack {
	char name[64];
	const struct image *image;
	u64 count;
	size_t (*make)(const struct attack *attack, u64 index, unsigned char *out,
		       struct mutation *mutation);
	bool may_run;
	uid_t uid;
};

static struct progress *progress;
static u64 first_seed = 1;
static u64 nr_mutations;

static size_t make_mutation(const struct attack *attack, u64 index, unsigned char *out,
			    struct mutation *mutation)
{
	return mutate_image(attack->image->data, attack->image->len, first_seed + index, out,
			    mutation);
}

/* Where to cut: at each byte, but within contents of pages only at some. */
static u32 *cuts;

static u64 list_cuts(const struct image *image)
{
	u64 nr_cuts = 0, at = 0, end = 0, pages = 0;

	cuts = calloc(image->len, sizeof(*cuts));
	for (; cuts && at < image->len; at++) {
		if (at >= end) {
			struct ckpt_hdr header;

			memcpy(&header, image->data + at, sizeof(header));
			pages = header.type == CKPT_HDR_PAGES ?
				at + sizeof(struct ckpt_hdr_pages) : ~0ULL;
			end = at + header.len;
		}
		if (at < pages || at % 61 == 0 || at == end - 1)
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

/*
 * Root, but neither free of all limits nor able to use up the machine: the
 * processes that are saved, and those that try.
 */
static void limit_rights(void)
{
	static const int dropped[] = { CAP_IPC_LOCK, CAP_SYS_RESOURCE };
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	struct rlimit locked = { 1 << 20, 1 << 20 }, core = { 0, 0 };
	size_t index;

	setrlimit(RLIMIT_MEMLOCK, &locked);
	setrlimit(RLIMIT_CORE, &core);
	for (index = 0; index < 2; index++)
		prctl(PR_CAPBSET_DROP, dropped[index], 0, 0, 0);
	syscall(SYS_capget, &header, data);
	for (index = 0; index < 2; index++) {
		data[0].permitted &= ~(1U << dropped[index]);
		data[0].effective &= ~(1U << dropped[index]);
		data[0].inheritable = 0;
	}
	data[1].inheritable = 0;
	syscall(SYS_capset, &header, data);
}

/* The process that tries: ends when all are tried, or when it is another. */
static void try_all(const struct attack *attack)
{
	unsigned char *out = malloc(attack->image->len + MUTATE_GROWTH);
	int fd = memfd_create("image", MFD_CLOEXEC);
	struct mutation mutation;

	if (!out || fd < 0)
		_exit(1);
	limit_rights();
	if (attack->uid && (setgid(attack->uid) || setuid(attack->uid)))
		_exit(1);
	while (progress->next < attack->count) {
		u64 index = progress->next;
		size_t len = attack->make(attack, index, out, &mutation);
		int error;

		if (ftruncate(fd, 0) || pwrite(fd, out, len, 0) != (ssize_t)len)
			_exit(1);
		lseek(fd, 0, SEEK_SET);
		__atomic_store_n(&progress->busy, 1, __ATOMIC_SEQ_CST);
		sys_restart(0, fd, RESTART_TASKSELF, CHECKPOINT_FD_NONE);
		error = errno;
		__atomic_store_n(&progress->busy, 0, __ATOMIC_SEQ_CST);
		progress->errors[error < MAX_ERRORS ? error : 0]++;
		__atomic_store_n(&progress->next, index + 1, __ATOMIC_SEQ_CST);
	}
	_exit(DONE);
}

static bool describe(const struct attack *attack, const char *what)
{
	unsigned char *out = malloc(attack->image->len + MUTATE_GROWTH);
	struct mutation mutation = { "" };

	attack->make(attack, progress->next, out, &mutation);
	free(out);
	return complain("%s: number %llu (%s): %s", attack->name,
			(unsigned long long)(first_seed + progress->next), mutation.text, what);
}

/**
 * enum end - how a process that tries ended
 * @ALL_TRIED: no image was taken any more
 * @BECAME_ANOTHER: an image took its place, and that ended or was killed
 * @WENT_WRONG: neither
 */
enum end {
	ALL_TRIED,
	BECAME_ANOTHER,
	WENT_WRONG,
};

/*
 * Is the process still in the call, or has it become another that runs? While
 * an image is read the process is on the new memory now and then, and shows its
 * executable; it has the new name only when everything is done.
 */
static bool in_restart(pid_t pid)
{
	char path[64], name[32] = "";
	ssize_t len;
	int fd;

	if (blocked_in(pid) == __NR_restart)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);
	if (fd >= 0)
		close(fd);
	return len > 0 && !strcmp(name, "hostile_test\n");
}

static enum end watch(const struct attack *attack, pid_t pid)
{
	s64 since = monotonic_ns();
	u64 seen = progress->next;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			break;
		if (progress->next != seen) {
			seen = progress->next;
			since = monotonic_ns();
		} else if (READ_ONCE(progress->busy) &&
			   monotonic_ns() > since + scaled_ms(RUN_MS) && !in_restart(pid)) {
			kill_and_reap(pid);
			return BECAME_ANOTHER;
		} else if (monotonic_ns() > since + scaled_ms(STUCK_MS)) {
			describe(attack, "hangs");
			kill_and_reap(pid);
			return WENT_WRONG;
		}
		usleep(1000);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == DONE)
		return ALL_TRIED;
	if (!progress->busy) {
		describe(attack, "the test itself went wrong");
		return WENT_WRONG;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == TINY_PRIVILEGED) {
		describe(attack, "gained rights");
		return WENT_WRONG;
	}
	return BECAME_ANOTHER;
}

static void report(const struct attack *attack, u64 ran)
{
	int error;

	printf("# %s: %llu ran", attack->name, (unsigned long long)ran);
	for (error = 0; error < MAX_ERRORS; error++)
		if (progress->errors[error])
			printf(", %u %s", progress->errors[error], strerrorname_np(error) ?: "?");
	printf("\n");
}

static void run_attack(const struct attack *attack)
{
	bool good = true;
	u64 ran = 0;

	memset(progress, 0, sizeof(*progress));
	while (good) {
		pid_t pid;
		enum end end;

		progress->busy = 0;
		pid = fork();
		if (!pid)
			try_all(attack);
		end = watch(attack, pid);
		if (end == ALL_TRIED)
			break;
		if (end == BECAME_ANOTHER && !attack->may_run)
			good = describe(attack, "was taken for a good image");
		if (end == WENT_WRONG)
			good = false;
		ran++;
		progress->next++;
	}
	good &= !leaves_children();
	report(attack, ran);
	/* A test of which nothing ran, or everything, tests nothing. */
	if (attack->may_run && attack->count >= 1000 && (!ran || ran > attack->count / 2))
		good = complain("%llu of %llu ran", (unsigned long long)ran,
				(unsigned long long)attack->count);
	ksft_test_result(good, "%s\n", attack->name);
	fflush(stdout);
}

/* The good image is one: else nothing here means anything. */
static bool is_good(const struct image *image, const char *name)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	pid_t pid = fork();

	if (!pid) {
		if (!image_store_fd(image, fd))
			_exit(1);
		sys_restart(0, fd, RESTART_TASKSELF, STDOUT_FILENO);
		_exit(2);
	}
	close(fd);
	return reap(pid, TINY_GOOD << 8, name);
}

static bool save_waiting(const char *mode, struct image *image)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	pid_t pid = start_tiny(mode, 0);
	bool good;

	good = pid > 0 && sys_checkpoint(pid, fd, CHECKPOINT_SUBTREE, STDOUT_FILENO) > 0 &&
	       image_load_fd(image, fd) &&
	       image_set(image, "restart_block.remaining_ns", 1000000);
	if (pid > 0)
		kill_and_reap(pid);
	close(fd);
	if (good)
		image_seal(image);
	return good;
}

static void attack_image(struct image *image, const char *name, u64 count, uid_t uid)
{
	struct attack attack = {
		.image = image, .count = count, .make = make_mutation, .may_run = true,
		.uid = uid,
	};

	snprintf(attack.name, sizeof(attack.name), "mutations of %s%s", name,
		 uid ? ", unprivileged" : "");
	run_attack(&attack);
	first_seed += count;
}

static void truncate_everywhere(const struct image *image)
{
	struct attack attack = {
		.name = "truncation at every byte", .image = image, .make = make_truncation,
	};

	attack.count = list_cuts(image);
	run_attack(&attack);
	free(cuts);
}

static const char * const waiting[] = { "nanosleep", "poll", "futex" };

#define NR_WAITING	(sizeof(waiting) / sizeof(*waiting))
/* Each image is tested for being good, then attacked. */
#define NR_TESTS	(2 * (3 + NR_WAITING) + 1)

static void run_tests(void)
{
	struct image image;
	char path[PATH_MAX];
	size_t index;
	bool good;

	good = make_tiny_image("rich", "rich.image", 0) && image_load(&image, "rich.image") &&
	       is_good(&image, "rich");
	ksft_test_result(good, "image of a process with one of everything\n");
	if (good) {
		truncate_everywhere(&image);
		attack_image(&image, "everything", nr_mutations / 2, 0);
		image_free(&image);
	}

	good = make_tiny_image("self", "self.image", 0) && image_load(&image, "self.image") &&
	       is_good(&image, "self");
	ksft_test_result(good, "image of a process with little\n");
	if (good) {
		attack_image(&image, "little", nr_mutations / 8, 0);
		image_free(&image);
	}

	if (!getcwd(path, sizeof(path)) || chmod(path, 0777))
		complain("working directory: %s", strerror(errno));
	good = make_tiny_image("rich", "user.image", ORDINARY_UID) &&
	       image_load(&image, "user.image") && is_good(&image, "user");
	ksft_test_result(good, "image of an ordinary user\n");
	if (good) {
		attack_image(&image, "everything", nr_mutations / 4, ORDINARY_UID);
		image_free(&image);
	}

	for (index = 0; index < NR_WAITING; index++) {
		good = save_waiting(waiting[index], &image) && is_good(&image, waiting[index]);
		ksft_test_result(good, "image of a process in %s\n", waiting[index]);
		if (good) {
			attack_image(&image, waiting[index], nr_mutations / 24 + 1, 0);
			image_free(&image);
		}
	}
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
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	ksft_set_plan(NR_TESTS);
	before_tiny = limit_rights;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	report_crashes(false);
	/* Some of them will run for good, with any priority. */
	sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &urgent);
	run_tests();
	report_crashes(true);
	ksft_finished();
}
