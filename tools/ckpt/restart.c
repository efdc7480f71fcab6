// SPDX-License-Identifier: GPL-2.0
/*
 * restart(1): bring back the processes of an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ckpt.h"
#include "diagnose.h"
#include "restart.h"
#include "util.h"

static int open_input(struct restart_options *options)
{
	if (options->input) {
		options->input_fd = open(options->input, O_RDONLY | O_CLOEXEC);
		if (options->input_fd < 0) {
			error("cannot read %s: %s", options->input,
			      strerror(errno));
			return -1;
		}
	}
	if (options->input_fd < 0)
		options->input_fd = STDIN_FILENO;
	if (!is_open(options->input_fd)) {
		error("descriptor %d is not open", options->input_fd);
		return -1;
	}
	if (isatty(options->input_fd)) {
		error("not reading an image from a terminal: use -i FILE, or redirect the input");
		return -1;
	}
	return 0;
}

/* Name the present owner of an id. */
static void explain_taken(pid_t pid)
{
	char comm[64];

	if (pid == getpid()) {
		error("process id %d is taken by restart itself: run it again",
		      pid);
		return;
	}
	read_comm(pid, comm, sizeof(comm));
	error("process id %d is taken by %s: end that, or use --pidns or --no-pidns",
	      pid, comm);
}

static void explain_create(const struct restart *restart, int errnum)
{
	pid_t pid = restart->outcome.failed_id;

	switch (errnum) {
	case EEXIST:
		explain_taken(pid);
		break;
	case EINVAL:
		error("process id %d is not possible here: see /proc/sys/kernel/pid_max",
		      pid);
		break;
	case EPERM:
		error("choosing process ids takes CAP_CHECKPOINT_RESTORE, and pid namespaces take CAP_SYS_ADMIN: run as root");
		break;
	case ETIMEDOUT:
		error("process %d did not come to where others need it", pid);
		break;
	case ENOSPC:
		error("pid namespaces would be nested too deep, or there are too many");
		break;
	case ESRCH:
		error("a process that is being created has not the parent that it should have");
		break;
	case ECHILD:
		error("a process that was being created was killed");
		break;
	default:
		error("cannot create the processes: %s", strerror(errnum));
	}
}

static const char *advice(int errnum)
{
	switch (errnum) {
	case EINVAL:
		return "the image is malformed";
	case EPIPE:
		return "the image is truncated";
	case EIO:
		return "the image records a failed checkpoint: ckptinfo -e";
	case ESTALE:
		return "a file is not the one that the program had open: --file-changed may help";
	case ENOTCONN:
		return "the program had something open that leads outside of the image: use --inherit-fd or --inherit-stdio";
	case EADDRINUSE:
		return "somebody has a name or a port that a socket of the program had";
	case EBUSY:
		return "something that the image needs for itself is in use, or unread data would be lost";
	case EXDEV:
		return "the image needs another kernel or processor";
	case EPERM:
	case EACCES:
		return "not permitted: the image needs more rights than you have";
	case ENOENT:
		return "a file that the program had open is gone";
	default:
		return strerror(errnum);
	}
}

static int explain_restart(const struct restart_options *options, int errnum)
{
	if (is_missing_call(errnum)) {
		error("this kernel has no restart(): boot one with CONFIG_CHECKPOINT=y");
		return EXIT_UNSUPPORTED;
	}
	if (errnum == EOPNOTSUPP) {
		if (options->flags & RESTART_KEEP_LSM)
			error("--keeplsm is not supported yet by this kernel");
		else
			error("the image has something that this kernel cannot restart");
		return EXIT_UNSUPPORTED;
	}
	error("the kernel could not restart the program: %s", advice(errnum));
	return EXIT_FAILED;
}

/* Return: exit status. */
static int explain_failure(struct restart *restart, off_t start)
{
	int errnum = restart->outcome.errnum;

	/* The image ended early because of what the feeder has said. */
	if (restart->outcome.stage == STAGE_RESTART && errnum == EPIPE &&
	    restart->feeder_failed)
		return EXIT_FAILED;
	kmsg_show(&restart->kmsg);
	switch (restart->outcome.stage) {
	case STAGE_NAMESPACE:
		if (errnum == EPERM)
			error("a new namespace takes CAP_SYS_ADMIN: run as root");
		else
			error("cannot make a namespace: %s", strerror(errnum));
		return EXIT_FAILED;
	case STAGE_CREATE:
		explain_create(restart, errnum);
		return EXIT_FAILED;
	default:
		break;
	}
	if (!is_missing_call(errnum) && start >= 0 &&
	    diagnose(restart->options->input_fd, start) == IMAGE_HAS_FAILED)
		return EXIT_RECORDED;
	return explain_restart(restart->options, errnum);
}

static int show_end(const struct restart_outcome *outcome)
{
	if (outcome->errnum)
		return fprintf(stderr, "%s: the program's status is lost: %s\n",
			       program, strerror(outcome->errnum));
	if (outcome->code == CLD_EXITED)
		return fprintf(stderr, "%s: the program exited with status %d\n",
			       program, outcome->status);
	return fprintf(stderr, "%s: the program was killed by signal %d (%s)\n",
		       program, outcome->status, strsignal(outcome->status));
}

/* End as the program did. */
static int copy_end(const struct restart_outcome *outcome)
{
	const struct rlimit no_core = { 0 };
	sigset_t set;

	if (outcome->errnum)
		return EXIT_OURS;
	if (outcome->code == CLD_EXITED)
		return outcome->status;
	/* One core file is enough. */
	setrlimit(RLIMIT_CORE, &no_core);
	signal(outcome->status, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, outcome->status);
	raise(outcome->status);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + outcome->status;
}

static int interrupted(int signo)
{
	signal(signo, SIG_DFL);
	raise(signo);
	return 128 + signo;
}

/* The coordinator may have another pid namespace: ask for our name of it. */
static pid_t root_pid(const struct restart *restart)
{
	char path[64], line[64];
	FILE *file;
	int pid = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", restart->root_fd);
	file = fopen(path, "re");
	if (!file)
		return restart->outcome.pid;
	while (pid < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "Pid:\t%d", &pid) != 1)
			pid = -1;
	fclose(file);
	return pid;
}

/* The program runs. Return: exit status. */
static int accompany(struct restart *restart)
{
	const struct restart_options *options = restart->options;

	/* Nothing has failed: what there is to know all the same. */
	if (verbosity != QUIET)
		kmsg_show(&restart->kmsg);
	info("process %d runs", root_pid(restart));
	changes_release(&options->changes);
	if (options->detach) {
		if (verbosity != QUIET) {
			printf("%d\n", root_pid(restart));
			fflush(stdout);
		}
		return 0;
	}
	supervise(restart);
	if (options->show_status)
		show_end(&restart->outcome);
	return options->copy_status ? copy_end(&restart->outcome) : 0;
}

/* Return: exit status. */
static int restart_forest(struct restart *restart, off_t start)
{
	const struct restart_options *options = restart->options;
	char reason[128];

	if (plan_forest(&restart->plan, &restart->forest, reason,
			sizeof(reason))) {
		error("the processes cannot be created again: %s", reason);
		return EXIT_FAILED;
	}
	catch_signals();
	if (options->pids == PIDS_NAMESPACE &&
	    restart->forest.tasks[0].pid != 1)
		coordinate_in_namespace(restart);
	else
		coordinate_here(restart);
	if (restart->outcome.stage == STAGE_RUNNING)
		return accompany(restart);
	freezer_thaw(&options->changes.freezer);
	if (caught_signal())
		return interrupted(caught_signal());
	return explain_failure(restart, start);
}

static void print_plan(const struct restart *restart)
{
	const struct forest *forest = &restart->forest;
	unsigned int i;

	for (i = 0; i < forest->nr_tasks; i++) {
		const struct forest_task *task = &forest->tasks[i];
		const char *what = task->pid != task->tgid ? "thread" :
				   task->is_dead ? "dead process" : "process";
		char nested[16 * FOREST_LEVELS] = "";
		unsigned int ns;
		size_t len;

		for (ns = task->place.ns; ns; ns = forest->namespaces[ns].parent) {
			len = strlen(nested);
			snprintf(nested + len, sizeof(nested) - len, "%s%d",
				 len ? " in one with " : ", in a pid namespace with ",
				 forest_id(forest, &task->place, ns));
		}

		if (restart->options->pids == PIDS_NEW)
			info("task %u, once %s %d, would get a new id%s", i, what,
			     task->pid, nested);
		else
			info("task %u would be %s %d again%s", i, what,
			     task->pid, nested);
	}
}

/* Return: whether the processes could be created. */
static bool rehearse_creation(struct restart *restart)
{
	const struct forest *forest = &restart->forest;
	char reason[128];
	unsigned int i;

	if (plan_forest(&restart->plan, forest, reason, sizeof(reason))) {
		error("the processes cannot be created again: %s", reason);
		return false;
	}
	if (restart->options->pids != PIDS_KEEP)
		return true;
	for (i = 0; i < forest->nr_tasks; i++) {
		if (kill(forest->tasks[i].pid, 0) && errno == ESRCH)
			continue;
		explain_taken(forest->tasks[i].pid);
		return false;
	}
	return true;
}

/* Return: whether what is wanted otherwise can be done. */
static bool rehearse_changes(struct restart_options *options, off_t start)
{
	if (start < 0 || !changes_wanted(&options->changes))
		return true;
	return !rewrite_image(&options->changes, image_read_fd,
			      &options->input_fd, -1, NULL);
}

/* Return: exit status. */
static int rehearse(struct restart *restart)
{
	struct restart_options *options = restart->options;
	off_t start = lseek(options->input_fd, 0, SEEK_CUR);
	int status = 0;

	/* Only a file can be read twice. */
	if (start >= 0 && !forest_read(&restart->forest, options->input_fd)) {
		print_plan(restart);
		if (!rehearse_creation(restart))
			status = EXIT_FAILED;
	}
	switch (diagnose(options->input_fd, start)) {
	case IMAGE_IS_GOOD:
		return rehearse_changes(options, start) ? status : EXIT_FAILED;
	case IMAGE_HAS_FAILED:
		return EXIT_RECORDED;
	default:
		return EXIT_FAILED;
	}
}

static int inspect(const struct restart_options *options)
{
	switch (diagnose(options->input_fd, -1)) {
	case IMAGE_IS_GOOD:
		info("the image is complete");
		return 0;
	case IMAGE_HAS_FAILED:
		return EXIT_RECORDED;
	default:
		return EXIT_FAILED;
	}
}

/* Return: exit status; only if it failed. */
static int become(struct restart *restart)
{
	const struct restart_options *options = restart->options;
	off_t start = lseek(options->input_fd, 0, SEEK_CUR);

	/* Whoever unpacked it would be a child of the program. */
	if (is_packed_file(options->input_fd)) {
		error("--self takes no compressed image: unpack it before");
		return EXIT_FAILED;
	}
	restart->outcome.stage = STAGE_RESTART;
	ckpt_restart_self(options->input_fd, options->flags, restart->kmsg.fd);
	restart->outcome.errnum = errno;
	return explain_failure(restart, start);
}

/* Before anything is opened: the numbers of the user's descriptors are free. */
static int prepare_changes(struct restart_options *options)
{
	int image = options->input_fd < 0 ? STDIN_FILENO : options->input_fd;

	if (changes_prepare(&options->changes, options->input ? -1 : image,
			    options->logfd))
		return -1;
	if (!options->changes.freezer.dir || options->dry_run || options->inspect)
		return 0;
	return freezer_open(&options->changes.freezer);
}

/* What was opened so far is ours; from here on paths are the program's. */
static int enter_root(const char *root)
{
	if (!root || (!chroot(root) && !chdir("/")))
		return 0;
	error("cannot make %s the root directory: %s", root, strerror(errno));
	return -1;
}

static int run(struct restart *restart)
{
	struct restart_options *options = restart->options;
	off_t start;

	if (prepare_changes(options) || open_input(options))
		return EXIT_FAILED;
	if (options->inspect)
		return inspect(options);
	if (!options->dry_run &&
	    kmsg_open(&restart->kmsg, options->logfile, options->logfd))
		return EXIT_FAILED;
	if (enter_root(options->root))
		return EXIT_FAILED;
	if (options->dry_run)
		return rehearse(restart);
	if (options->self)
		return become(restart);
	start = lseek(options->input_fd, 0, SEEK_CUR);
	if (forest_read(&restart->forest, options->input_fd)) {
		if (start < 0) {
			error("the image is no good: %s",
			      restart->forest.error);
			return EXIT_FAILED;
		}
		return diagnose(options->input_fd, start) == IMAGE_HAS_FAILED ?
			EXIT_RECORDED : EXIT_FAILED;
	}
	return restart_forest(restart, start);
}

int main(int argc, char **argv)
{
	struct restart_options options;
	struct restart restart = {
		.options	= &options,
		.feeder		= -1,
		.progress	= -1,
		.root_fd	= -1,
		.init		= -1,
		.channel	= -1,
	};
	int status;

	set_program(argv[0]);
	parse_options(&options, argc, argv);
	status = run(&restart);
	if (options.copy_status && restart.outcome.stage != STAGE_ENDED &&
	    status)
		status = EXIT_OURS;
	return status;
}
