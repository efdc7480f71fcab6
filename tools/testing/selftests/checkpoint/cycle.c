// SPDX-License-Identifier: GPL-2.0
/*
 * Save and restart every subject, in several flavours.
 *
 *   subject    |---setup---ready........wait........verify---|
 *   in_place                    save      go
 *   kill_restart                save kill restart go            with its pid
 *   new_pidns                   save kill restart go            in a namespace
 *   fixpoint                    save kill restart save' go      save == save'
 *   reboot                      save kill | power off, boot | restart go
 *
 * A subject can only pass after a restart if its memory came out of the image:
 * the process that was saved is dead and reaped before it is told to verify,
 * main() ran once, and the verdict comes with a random number that nobody but
 * that process had in its memory.
 */
#include "harness.h"
#include "cases.h"

#include <fnmatch.h>
#include <getopt.h>
#include <sched.h>
#include <sys/prctl.h>

#include "kselftest.h"

/* struct job.stage */
#define BOTH_STAGES	0
#define SAVE_STAGE	1
#define RESTART_STAGE	2

#define MAX_PARALLEL	16

struct job {
	const struct subject_case *it;
	unsigned int flavour;
	int stage;
	char name[128];
	char log[PATH_MAX];
	pid_t pid;
};

static const char * const flavour_names[NR_FLAVOURS] = {
	"alone", "in_place", "kill_restart", "new_pidns", "fixpoint", "reboot",
};

static struct {
	unsigned int flavours;
	int stage;
	int parallel;
	const char *group;
	char dir[PATH_MAX / 2];
	char **patterns;
} options = { .flavours = DEFAULT_FLAVOURS, .parallel = 4 };

/* A tool, run to its end; its output is shown if it fails. */
static bool run_tool(struct subject_run *run, const char *const argv[], const char *log_name)
{
	char log[PATH_MAX];
	pid_t pid;

	if (!argv[0])
		return complain("a tool was not built");
	if (!make_path(log, sizeof(log), run->dir, log_name))
		return false;
	pid = spawn(argv, log);
	if (reap(pid, 0, argv[0]))
		return true;
	show_file(log);
	return false;
}

/* Time has to pass, or work to be done, before a checkpoint means something. */
static bool let_live(struct subject_run *run, const struct subject_case *it, pid_t pid)
{
	s64 start = run->started, limit = hang_limit();
	u64 counter = READ_ONCE(run->control->counter[0]);

	if (!subject_settle(run, pid))
		return false;
	if (it->flags & LASTS && has_ended(pid, start + 2 * NSEC_PER_SEC - monotonic_ns()))
		return complain("the subject has ended early");
	while (it->flags & WORKS && READ_ONCE(run->control->counter[0]) < counter + 200) {
		if (monotonic_ns() > limit)
			return complain("the subject makes no progress");
		usleep(100);
	}
	return true;
}

static bool check_image_size(struct subject_run *run, const char *image)
{
	struct stat st;

	if (stat(image, &st))
		return complain("%s: %s", image, strerror(errno));
	if (run->control->image_max && (u64)st.st_size > run->control->image_max)
		return complain("the image has %lld bytes, at most %llu expected",
				(long long)st.st_size,
				(unsigned long long)run->control->image_max);
	return true;
}

/* Odd rounds through the tool, even ones through the system call. */
static bool save(struct subject_run *run, pid_t pid, const char *name, bool with_tool)
{
	char image[PATH_MAX], log[PATH_MAX], pid_text[16];
	const char *const argv[] = {
		tool_path("checkpoint"), "-f", "-o", image, "-l", log, pid_text, NULL
	};
	long ret;

	if (!make_path(image, sizeof(image), run->dir, name) ||
	    !make_path(log, sizeof(log), run->dir, "checkpoint.log"))
		return false;
	snprintf(pid_text, sizeof(pid_text), "%d", pid);
	run->control->before_save = monotonic_ns();
	if (with_tool) {
		if (!run_tool(run, argv, "checkpoint.out")) {
			show_file(log);
			return false;
		}
	} else {
		ret = save_to(image, pid, log);
		if (ret <= 0) {
			show_file(log);
			return complain("checkpoint: %ld, %s", ret, strerror(ret < 0 ? -ret : 0));
		}
	}
	run->control->after_save = monotonic_ns();
	return check_image_size(run, image);
}

static bool save_and_kill(struct subject_run *run, const char *name)
{
	if (!save(run, run->pid, name, true))
		return false;
	kill(run->pid, SIGKILL);
	if (!reap(run->pid, SIGKILL, "the process that was saved"))
		return false;
	/* Its children have come to us. */
	end_children();
	run->pid = 0;
	return true;
}

static void show_restart(struct subject_run *run)
{
	char path[PATH_MAX];

	if (make_path(path, sizeof(path), run->dir, "restart.out"))
		show_file(path);
	if (make_path(path, sizeof(path), run->dir, "restart.log"))
		show_file(path);
}

/* Does the process with this pid come back while the tool lives? */
static bool wait_restarted(struct subject_run *run, pid_t tool)
{
	s64 limit = hang_limit();
	char exe[64], path[PATH_MAX];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", run->control->pid);
	for (;;) {
		ssize_t len = readlink(exe, path, sizeof(path) - 1);
		siginfo_t info = { .si_pid = 0 };

		if (len > 0) {
			path[len] = '\0';
			if (!strcmp(path, run->program))
				return true;
		}
		if (!waitid(P_PID, tool, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)
			return complain("restart(1) ended early");
		if (monotonic_ns() > limit)
			return complain("process %d did not come back", run->control->pid);
		usleep(500);
	}
}

static bool check_exit(struct subject_run *run)
{
	if (run->control->exit_value && run->control->exit_word != run->control->exit_value)
		return complain("at exit the kernel left %#x, not %#x",
				run->control->exit_word, run->control->exit_value);
	return true;
}

/* The verdict, and a proper end of the process @pid, ours or the tool. */
static bool finish(struct subject_run *run, pid_t pid)
{
	bool good;

	subject_go(run);
	good = subject_verdict(run, pid);
	good &= reap(pid, 0, pid == run->pid ? "subject" : "restart(1)");
	return good & check_exit(run);
}

static bool finish_restarted(struct subject_run *run, pid_t tool)
{
	bool good = finish(run, tool);

	if (!good)
		show_restart(run);
	return good;
}

static bool do_in_place(struct subject_run *run, const struct subject_case *it)
{
	int round, rounds = it->rounds ? 3 * it->rounds : 2;

	for (round = 0; round < rounds; round++)
		if (!let_live(run, it, run->pid) ||
		    !save(run, run->pid, "image", round & 1))
			return false;
	return finish(run, run->pid);
}

static const char *how_to_restart(const struct subject_case *it, unsigned int flavour)
{
	if (it->flags & ORDINARY)
		return "--no-pidns";
	return flavour == KILL_RESTART || flavour == FIXPOINT ? "--pids" : "--pidns";
}

static bool do_kill_restart(struct subject_run *run, const struct subject_case *it)
{
	const char *how = how_to_restart(it, KILL_RESTART);
	int round, rounds = it->rounds ?: 1;
	pid_t tool = 0, pid = run->pid;

	if (it->flags & ORDINARY)
		run->control->flags |= CONTROL_NEW_PID;
	for (round = 0; round < rounds; round++) {
		if (!let_live(run, it, pid))
			return false;
		if (!round) {
			if (!save_and_kill(run, "image"))
				return false;
		} else {
			if (!save(run, pid, "image", round & 1))
				return false;
			kill(pid, SIGKILL);
			/* The tool tells how the process ended. */
			if (!reap(tool, SIGKILL, "restart(1)"))
				return false;
			end_children();
		}
		tool = subject_restart(run, how, "image");
		if (tool < 0)
			return false;
		if (it->flags & ORDINARY)
			break;
		pid = run->control->pid;
		if (!wait_restarted(run, tool)) {
			show_restart(run);
			return false;
		}
	}
	return finish_restarted(run, tool);
}

static bool do_new_pidns(struct subject_run *run, const struct subject_case *it)
{
	pid_t tool;

	if (!let_live(run, it, run->pid) || !save_and_kill(run, "image"))
		return false;
	tool = subject_restart(run, "--pidns", "image");
	return tool >= 0 && finish_restarted(run, tool);
}

static bool same_images(struct subject_run *run)
{
	char first[PATH_MAX], second[PATH_MAX];
	const char *const argv[] = { tool_path("ckptinfo"), "--diff", first, second, NULL };

	if (!make_path(first, sizeof(first), run->dir, "image") ||
	    !make_path(second, sizeof(second), run->dir, "image2"))
		return false;
	return run_tool(run, argv, "diff");
}

static bool do_fixpoint(struct subject_run *run, const struct subject_case *it)
{
	pid_t tool;

	if (!let_live(run, it, run->pid) || !save_and_kill(run, "image"))
		return false;
	tool = subject_restart(run, how_to_restart(it, FIXPOINT), "image");
	if (tool < 0)
		return false;
	if (!wait_restarted(run, tool) || !subject_settle(run, run->control->pid)) {
		show_restart(run);
		return false;
	}
	if (!save(run, run->control->pid, "image2", true))
		return false;
	return finish_restarted(run, tool) & same_images(run);
}

static bool do_save_stage(struct subject_run *run, const struct subject_case *it)
{
	return let_live(run, it, run->pid) && save_and_kill(run, "image");
}

static bool do_restart_stage(struct subject_run *run, const struct subject_case *it)
{
	pid_t tool;

	run->control->flags |= CONTROL_REBOOTED;
	if (it->flags & ORDINARY)
		run->control->flags |= CONTROL_NEW_PID;
	tool = subject_restart(run, how_to_restart(it, REBOOT), "image");
	return tool >= 0 && finish_restarted(run, tool);
}

static bool do_flavour(const struct job *job, struct subject_run *run)
{
	switch (job->flavour) {
	case IN_PLACE:
		return do_in_place(run, job->it);
	case KILL_RESTART:
		return do_kill_restart(run, job->it);
	case NEW_PIDNS:
		return do_new_pidns(run, job->it);
	case FIXPOINT:
		return do_fixpoint(run, job->it);
	case REBOOT:
		return do_save_stage(run, job->it);
	default:
		return let_live(run, job->it, run->pid) && finish(run, run->pid);
	}
}

static bool copy_library(struct subject_run *run, const char *from, const char *name)
{
	char to[PATH_MAX];

	return make_path(to, sizeof(to), run->dir, name) && copy_file(from, to, 0755);
}

/* That of musl is its own loader. */
static bool copy_libraries(struct subject_run *run, const char *program)
{
	if (strstr(program, ".musl"))
		return copy_library(run, helper_path("lib/ld-musl.so"), "ld-musl.so");
	return copy_library(run, helper_path("lib/ld.so"), "ld.so") &&
	       copy_library(run, helper_path("lib/libc.so.6"), "libc.so.6");
}

/* A work directory with all that the subject needs. */
static bool prepare(const struct job *job, struct subject_run *run)
{
	char program[PATH_MAX];

	if (mkdir(run->dir, 0755))
		return complain("%s: %s", run->dir, strerror(errno));
	snprintf(program, sizeof(program), "subjects/%s", job->it->program);
	/* After a reboot, only what is on the disk is the same file. */
	if (job->flavour == REBOOT || job->it->flags & DYNAMIC) {
		if (!make_path(run->program, sizeof(run->program), run->dir, "program") ||
		    !copy_file(helper_path(program), run->program, 0755))
			return false;
	} else {
		snprintf(run->program, sizeof(run->program), "%s", helper_path(program));
	}
	if (job->it->flags & DYNAMIC && !copy_libraries(run, job->it->program))
		return false;
	if (job->it->flags & ORDINARY) {
		run->uid = ORDINARY_UID;
		if (chown(run->dir, run->uid, run->uid))
			return complain("%s: chown: %s", run->dir, strerror(errno));
	}
	return subject_map(run, true);
}

static int show_failure(struct subject_run *run)
{
	char log[PATH_MAX];

	if (make_path(log, sizeof(log), run->dir, "log"))
		show_file(log);
	return KSFT_FAIL;
}

/* In memory is the number of the processor: it has to stay the same. */
static void stay_on_one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* One job, in a process of its own: its exit status is the result. */
static int run_job(const struct job *job)
{
	struct subject_run run = { .arg = job->it->arg };
	bool good;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (job->flavour == FIXPOINT)
		stay_on_one_processor();
	snprintf(run.dir, sizeof(run.dir), "%s/%s", options.dir, job->name);
	if (job->stage == RESTART_STAGE) {
		if (!make_path(run.program, sizeof(run.program), run.dir, "program") ||
		    !subject_map(&run, false))
			return KSFT_FAIL;
		if (run.control->state == SUBJECT_SKIP)
			return KSFT_SKIP;
	} else if (!prepare(job, &run)) {
		return KSFT_FAIL;
	}
	if (job->it->flags & ORDINARY && (setgid(ORDINARY_UID) || setuid(ORDINARY_UID))) {
		complain("setuid: %s", strerror(errno));
		return KSFT_FAIL;
	}
	if (job->stage == RESTART_STAGE) {
		good = do_restart_stage(&run, job->it);
	} else if (!subject_start(&run)) {
		if (run.control->state == SUBJECT_SKIP) {
			reap(run.pid, KSFT_SKIP << 8, "subject");
			show_failure(&run);
			return KSFT_SKIP;
		}
		good = complain("the subject did not start");
	} else {
		good = do_flavour(job, &run);
	}
	if (leaves_children())
		good = false;
	if (!good)
		return show_failure(&run);
	if (job->stage != SAVE_STAGE)
		remove_tree(run.dir);
	return KSFT_PASS;
}

static bool start_job(struct job *job)
{
	fflush(stdout);
	job->pid = fork();
	if (!job->pid) {
		int log = open(job->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (log < 0 || dup2(log, STDOUT_FILENO) < 0)
			_exit(KSFT_FAIL);
		exit(run_job(job));
	}
	return job->pid > 0;
}

static void show_job(const struct job *job)
{
	FILE *log = fopen(job->log, "re");
	char line[1024];

	while (log && fgets(line, sizeof(line), log))
		fputs(line, stdout);
	if (log)
		fclose(log);
	unlink(job->log);
}

static void end_job(struct job *job, int status)
{
	int result = WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;

	show_job(job);
	if (WIFSIGNALED(status))
		printf("# the test was killed by signal %d\n", WTERMSIG(status));
	if (result == KSFT_PASS)
		ksft_test_result_pass("%s\n", job->name);
	else if (result == KSFT_SKIP)
		ksft_test_result_skip("%s\n", job->name);
	else
		ksft_test_result_fail("%s\n", job->name);
	fflush(stdout);
}

static void run_jobs(struct job *jobs, size_t nr_jobs)
{
	size_t started = 0, running = 0, index;
	int status;
	pid_t pid;

	while (started < nr_jobs || running) {
		while (started < nr_jobs && running < (size_t)options.parallel) {
			if (!start_job(&jobs[started]))
				ksft_exit_fail_msg("fork: %s\n", strerror(errno));
			started++;
			running++;
		}
		pid = wait(&status);
		for (index = 0; index < started; index++) {
			if (jobs[index].pid == pid) {
				end_job(&jobs[index], status);
				running--;
			}
		}
	}
}

static bool is_chosen(const struct job *job)
{
	char **pattern;

	if (options.group && strcmp(options.group, job->it->group))
		return false;
	if (!*options.patterns)
		return true;
	for (pattern = options.patterns; *pattern; pattern++)
		if (!fnmatch(*pattern, job->name, 0) || !fnmatch(*pattern, job->it->name, 0))
			return true;
	return false;
}

static bool makes_sense(const struct subject_case *it, unsigned int flavour)
{
	switch (flavour) {
	case FIXPOINT:
		return !(it->flags & (RUNS | DRIFTS | ORDINARY));
	case NEW_PIDNS:
		return !(it->flags & ORDINARY);
	case REBOOT:
		return !(it->flags & SAME_BOOT);
	default:
		return true;
	}
}

static size_t list_jobs(struct job *jobs)
{
	size_t nr_jobs = 0, index;
	int flavour;

	for (index = 0; index < nr_subject_cases; index++) {
		const struct subject_case *it = &subject_cases[index];

		for (flavour = 0; flavour < NR_FLAVOURS; flavour++) {
			struct job *job = &jobs[nr_jobs];

			if (!(options.flavours >> flavour & 1) || !makes_sense(it, 1 << flavour))
				continue;
			job->it = it;
			job->flavour = 1 << flavour;
			job->stage = options.stage;
			snprintf(job->name, sizeof(job->name), "%s.%s", it->name,
				 flavour_names[flavour]);
			snprintf(job->log, sizeof(job->log), "%s/%s.log", options.dir, job->name);
			nr_jobs += is_chosen(job);
		}
	}
	return nr_jobs;
}

static void usage(void)
{
	printf("Usage: cycle [-g GROUP] [-f FLAVOUR]... [-j JOBS] [-d DIR] [PATTERN...]\n"
	       "       cycle --stage1|--stage2 [DIR]\n");
	exit(KSFT_FAIL);
}

static void parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "stage1", optional_argument, NULL, SAVE_STAGE },
		{ "stage2", optional_argument, NULL, RESTART_STAGE },
		{ }
	};
	bool flavour_given = false;
	int option, index;

	if (!getcwd(options.dir, sizeof(options.dir)))
		usage();
	while ((option = getopt_long(argc, argv, "g:f:j:d:", longs, NULL)) != -1) {
		switch (option) {
		case 'g':
			options.group = optarg;
			break;
		case 'f':
			if (!flavour_given)
				options.flavours = 0;
			flavour_given = true;
			for (index = 0; index < NR_FLAVOURS; index++)
				if (!strcmp(optarg, flavour_names[index]))
					options.flavours |= 1 << index;
			break;
		case 'j':
			options.parallel = atoi(optarg);
			break;
		case 'd':
			if (!realpath(optarg, options.dir))
				usage();
			break;
		case SAVE_STAGE:
		case RESTART_STAGE:
			options.stage = option;
			options.flavours = REBOOT;
			if (optind < argc && argv[optind][0] == '/' &&
			    !realpath(argv[optind++], options.dir))
				usage();
			break;
		default:
			usage();
		}
	}
	options.patterns = argv + optind;
	if (options.parallel < 1 || options.parallel > MAX_PARALLEL || !options.flavours)
		usage();
}

int main(int argc, char **argv)
{
	static struct job jobs[1024];
	size_t nr_jobs;

	parse_options(argc, argv);
	umask(022);
	nr_jobs = list_jobs(jobs);
	ksft_print_header();
	if (!have_checkpoint() && options.flavours != ALONE)
		ksft_exit_skip("this kernel has no checkpoint()\n");
	ksft_set_plan(nr_jobs);
	run_jobs(jobs, nr_jobs);
	ksft_finished();
}
