// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be saved is refused: with the documented errno, with a message
 * that names it, in the log and in the image, and without harm.
 */
#include "refuse.h"

#include <fnmatch.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest.h"

#define CANNOT	42

static char **patterns;

/* In memory that test and target share: the target is set up, or cannot be. */
static u32 *ready;

/* The process that is to be saved: no descriptors but what setup() opens. */
static void be_target(const struct refusal *it)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	syscall(SYS_close_range, 0, ~0U, 0);
	if (!it->setup()) {
		tell_word(ready, CANNOT);
		_exit(CANNOT);
	}
	tell_word(ready, 1);
	for (;;)
		pause();
}

static pid_t start_target(const struct refusal *it, bool *can)
{
	pid_t pid;

	*ready = 0;
	pid = fork();
	if (!pid)
		be_target(it);
	await_word(ready, 0, pid);
	*can = *ready != CANNOT;
	if (*ready != 1) {
		kill_and_reap(pid);
		return 0;
	}
	if (it->finish && (!wait_blocked(pid, NR64_PAUSE) || !it->finish(pid))) {
		kill_and_reap(pid);
		return 0;
	}
	return pid;
}

static bool contains(int fd, const char *word, const char *where)
{
	static char text[65536];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	/* Who may save a process need not know where the kernel is. */
	if (len > 0 && memmem(text, len, "0xffff", 6))
		return complain("the %s has an address of the kernel: %.300s", where,
				strcmp(where, "log") ? "" : text);
	if (len > 0 && memmem(text, len, word, strlen(word)))
		return true;
	return complain("'%s' is not in the %s: %.300s", word, where,
			strcmp(where, "log") ? "" : text);
}

/* Is the target still what it was? A stopped one stays stopped. */
static bool is_unharmed(pid_t pid)
{
	char path[64], text[256] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return complain("the process is gone");
	close(fd);
	state = strrchr(text, ')');
	if (!state || !strchr("STt", state[2]))
		return wait_blocked(pid, NR64_PAUSE);
	return true;
}

static int run_refusal(const struct refusal *it)
{
	int image = memfd_create("image", MFD_CLOEXEC), log = memfd_create("log", MFD_CLOEXEC);
	bool can, good = true;
	pid_t pid = start_target(it, &can);
	int round;

	if (!pid) {
		close(image);
		close(log);
		return can ? KSFT_FAIL : KSFT_SKIP;
	}
	/* Twice: the first must not have changed anything. */
	for (round = 0; round < 2 && good; round++) {
		long ret;

		if (ftruncate(image, 0) || ftruncate(log, 0))
			good = false;
		lseek(image, 0, SEEK_SET);
		lseek(log, 0, SEEK_SET);
		ret = sys_checkpoint(pid, image, CHECKPOINT_SUBTREE, log);
		if (ret < 0)
			ret = -errno;
		if (ret > 0)
			good = complain("it was saved");
		else if (ret != -it->error)
			good = complain("errno %ld (%s), expected %d", -ret, strerror(-ret),
					it->error);
		if (ret <= 0)
			good &= contains(log, it->word, "log") &
				contains(image, it->word, "image");
	}
	good &= is_unharmed(pid);
	kill_and_reap(pid);
	close(image);
	close(log);
	/* Children of the target, and who shared something with it. */
	end_children();
	return good ? KSFT_PASS : KSFT_FAIL;
}

static bool is_chosen(const struct refusal *it)
{
	char **pattern;

	for (pattern = patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, it->name, 0))
			return true;
	return !*patterns;
}

static size_t count(const struct refusal *list, size_t nr)
{
	size_t chosen = 0;

	while (nr--)
		chosen += is_chosen(list++);
	return chosen;
}

static void run_list(const struct refusal *list, size_t nr)
{
	for (; nr--; list++) {
		int result;

		if (!is_chosen(list))
			continue;
		result = run_refusal(list);
		if (result == KSFT_SKIP)
			ksft_test_result_skip("%s: not on this machine\n", list->name);
		else
			ksft_test_result(result == KSFT_PASS, "%s\n", list->name);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	patterns = argv + 1;
	ksft_print_header();
	if (!have_checkpoint())
		ksft_exit_skip("this kernel has no checkpoint()\n");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ready == MAP_FAILED)
		ksft_exit_fail_msg("mmap: %s\n", strerror(errno));
	ksft_set_plan(count(type_refusals, nr_type_refusals) +
		      count(file_refusals, nr_file_refusals) +
		      count(task_refusals, nr_task_refusals));
	run_list(type_refusals, nr_type_refusals);
	run_list(file_refusals, nr_file_refusals);
	run_list(task_refusals, nr_task_refusals);
	ksft_finished();
}
