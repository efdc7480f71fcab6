// SPDX-License-Identifier: GPL-2.0
/*
 * checkpoint(1): save a running process into an image.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "ckpt.h"
#include "kill_tree.h"
#include "kmsg.h"
#include "outside.h"
#include "output.h"
#include "pack.h"
#include "progress.h"
#include "util.h"

#define EXIT_NOT_KILLED	4

enum {
	OPT_OUTPUT_FD = 256,
	OPT_COMPRESS,
	OPT_DIRECT,
	OPT_IDLE,
	OPT_LOGFILE_FD,
	OPT_EXTERNAL_FD,
};

/**
 * struct settings - what the command line asks for
 * @pid: the process
 * @flags: of the system call
 * @output: where the image goes
 * @packer: what is done with it on its way
 * @logfile: where the kernel's messages go, or NULL
 * @logfd: the same as a descriptor, or -1
 * @kill: end the process once it is saved
 * @external: descriptors that another file will take the place of
 * @nr_external: their number
 * @all_external: it will, whatever cannot be saved
 */
struct settings {
	pid_t pid;
	unsigned long flags;
	struct output output;
	struct packer packer;
	const char *logfile;
	int logfd;
	bool kill;
	int *external;
	unsigned int nr_external;
	bool all_external;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0,
	  "Write the image to FILE instead of standard output", 0 },
	{ "output-fd", OPT_OUTPUT_FD, "FD", 0,
	  "Write the image to the open descriptor FD", 0 },
	{ "force", 'f', NULL, 0, "Replace FILE if it exists", 0 },
	{ "compress", OPT_COMPRESS, "FORMAT[:LEVEL]", 0,
	  "Compress the image: zstd (level 1 to 19) or lz4 (1 to 12)", 0 },
	{ "direct", OPT_DIRECT, NULL, 0,
	  "Write past the page cache (O_DIRECT)", 0 },
	{ "idle", OPT_IDLE, NULL, 0,
	  "Write when nobody else wants the processor or the disk", 0 },
	{ "container", 'c', NULL, 0,
	  "PID is the init of a pid namespace: save all of it", 0 },
	{ "netns", 'N', NULL, 0, "Save network namespaces too (not supported yet)", 0 },
	{ "external-fd", OPT_EXTERNAL_FD, "N|all", 0,
	  "If descriptor N cannot be saved, restart --inherit-fd will have another one", 0 },
	{ "kill", 'k', NULL, 0,
	  "Kill the process once the image is complete", 0 },
	{ "logfile", 'l', "FILE", 0, "Write the kernel's messages to FILE", 0 },
	{ "logfile-fd", OPT_LOGFILE_FD, "FD", 0,
	  "Write the kernel's messages to the open descriptor FD", 0 },
	{ "verbose", 'v', NULL, 0, "Tell what is going on", 0 },
	{ "quiet", 'q', NULL, 0, "Print nothing but errors", 0 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static int parse_fd(const char *option, const char *text,
		    struct argp_state *state)
{
	long number;

	if (!parse_number(text, 0, 1 << 30, &number))
		argp_error(state, "--%s: not a descriptor: %s", option, text);
	return number;
}

static void parse_external(struct settings *settings, const char *text,
			   struct argp_state *state)
{
	settings->flags |= CHECKPOINT_EXTERNAL;
	if (!strcmp(text, "all")) {
		settings->all_external = true;
		return;
	}
	settings->external = must_grow(settings->external,
				       (settings->nr_external + 1) *
				       sizeof(*settings->external));
	settings->external[settings->nr_external++] =
		parse_fd("external-fd", text, state);
}

static void parse_pid(const char *text, struct argp_state *state)
{
	struct settings *settings = state->input;
	long number;

	if (state->arg_num > 0)
		argp_error(state, "one PID, please");
	if (!parse_number(text, 1, 1 << 22, &number))
		argp_error(state, "not a process id: %s", text);
	settings->pid = number;
}

static void check_options(const struct settings *settings,
			  struct argp_state *state)
{
	if (settings->output.file && settings->output.fd >= 0)
		argp_error(state, "--output and --output-fd exclude each other");
	if (settings->logfile && settings->logfd >= 0)
		argp_error(state, "--logfile and --logfile-fd exclude each other");
	if (settings->nr_external && !settings->all_external &&
	    !settings->output.file)
		argp_error(state, "--external-fd N needs --output; all does not");
	if (settings->nr_external && !settings->all_external &&
	    settings->packer.format != PACK_PLAIN)
		argp_error(state, "--external-fd N and --compress exclude each other; all does not");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct settings *settings = state->input;

	switch (key) {
	case 'o':
		settings->output.file = arg;
		break;
	case OPT_OUTPUT_FD:
		settings->output.fd = parse_fd("output-fd", arg, state);
		break;
	case 'f':
		settings->output.overwrite = true;
		break;
	case OPT_COMPRESS:
		if (!packer_choose(&settings->packer, arg))
			argp_error(state, "--compress: zstd[:1-19] or lz4[:1-12], not %s",
				   arg);
		break;
	case OPT_DIRECT:
		settings->packer.direct = true;
		break;
	case OPT_IDLE:
		settings->packer.idle = true;
		break;
	case 'c':
		settings->flags &= ~CHECKPOINT_SUBTREE;
		break;
	case 'N':
		settings->flags |= CHECKPOINT_NETNS;
		break;
	case 'k':
		settings->kill = true;
		break;
	case OPT_EXTERNAL_FD:
		parse_external(settings, arg, state);
		break;
	case 'l':
		settings->logfile = arg;
		break;
	case OPT_LOGFILE_FD:
		settings->logfd = parse_fd("logfile-fd", arg, state);
		break;
	case 'v':
		verbosity = VERBOSE;
		break;
	case 'q':
		verbosity = QUIET;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		parse_pid(arg, state);
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which process? PID is missing");
		break;
	case ARGP_KEY_END:
		check_options(settings, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const char *advice(int errnum)
{
	if (is_missing_call(errnum))
		return "this kernel has no checkpoint(): boot one with CONFIG_CHECKPOINT=y";
	switch (errnum) {
	case ESRCH:
		return "no such process";
	case EPERM:
	case EACCES:
		return "not permitted: it takes what a debugger needs to attach";
	case EINVAL:
		return "the kernel refused";
	case EOPNOTSUPP:
		return "it has something that cannot be saved yet";
	case EBADF:
		return "it has a file of a type that cannot be saved yet (see --external-fd)";
	case EDEADLK:
		return "the image goes through a pipe or a socket that is part of it";
	case EBUSY:
		return "it is traced, stopped, sleeps deeply, or shares state with others";
	case ENOSPC:
		return "no room for the image";
	case EPIPE:
		return "the reader of the image went away";
	default:
		return strerror(errnum);
	}
}

static int explain_failure(struct settings *settings, struct kmsg *kmsg,
			   int errnum)
{
	char comm[64];

	kmsg_show(kmsg);
	read_comm(settings->pid, comm, sizeof(comm));
	error("cannot save process %d (%s): %s", settings->pid, comm,
	      advice(errnum));
	output_abort(&settings->output, errnum);
	return is_missing_call(errnum) ? EXIT_UNSUPPORTED : EXIT_FAILED;
}

static int kill_target(pid_t pid, int pidfd)
{
	int errnum = kill_tree(pid, pidfd);

	if (!errnum)
		return 0;
	error("the image is complete, but process %d cannot be killed: %s",
	      pid, strerror(errnum));
	return EXIT_NOT_KILLED;
}

static bool is_named(const struct settings *settings, int fd)
{
	unsigned int i;

	for (i = 0; i < settings->nr_external; i++)
		if (settings->external[i] == fd)
			return true;
	return settings->all_external;
}

/*
 * The kernel has left out what it cannot save. Was each of these named? Only a
 * file can be read again.
 */
static bool all_named(const struct settings *settings)
{
	struct outside_stream outside = { 0 };
	unsigned int i;
	bool good = true;

	if (!(settings->flags & CHECKPOINT_EXTERNAL) || settings->all_external)
		return true;
	outside_scan(&outside, settings->output.fd);
	if (!outside.is_complete) {
		error("what has been left out is not known: the image cannot be read again");
		good = false;
	}
	for (i = 0; i < outside.list.nr_files; i++) {
		const struct outside *file = &outside.list.files[i];
		char name[256];

		if (file->type != CKPT_EXTERNAL_OTHER ||
		    is_named(settings, file->fd))
			continue;
		error("descriptor %d is %s, which cannot be saved: use --external-fd %d as well",
		      file->fd,
		      clean_text(name, sizeof(name), file->name,
				 strlen(file->name)), file->fd);
		good = false;
	}
	outside_free(&outside.list);
	return good;
}

/* Only a file can be read again. */
static void advise_outside(const struct output *output)
{
	struct outside_stream outside = { 0 };

	if (verbosity == QUIET || output_size(output->fd) < 0)
		return;
	outside_scan(&outside, output->fd);
	outside_advise(&outside);
}

/* What is in the way of the image knows better why it broke off. */
static int end_packing(struct settings *settings, int errnum)
{
	int ours = packer_finish(&settings->packer);

	return ours && (!errnum || errnum == EPIPE) ? ours : errnum;
}

static void tell_size(const struct settings *settings, long id)
{
	off_t size = output_size(settings->output.fd);

	if (settings->packer.format == PACK_PLAIN || size < 0)
		info("image %ld of process %d is complete", id, settings->pid);
	else
		info("image %ld of process %d is complete: %llu bytes, compressed %lld",
		     id, settings->pid, *settings->packer.image_size,
		     (long long)size);
}

static int save(struct settings *settings, struct kmsg *kmsg, int pidfd)
{
	bool is_packed = packer_is_wanted(&settings->packer);
	int out = settings->output.fd, errnum;
	pid_t progress;
	long id;

	/* In this order: who shows the progress must not hold the pipe. */
	progress = progress_start(out, "written",
				  settings->packer.format == PACK_PLAIN ? NULL :
				  settings->packer.image_size);
	if (is_packed && packer_start(&settings->packer, out)) {
		progress_stop(progress);
		output_abort(&settings->output, EIO);
		return EXIT_FAILED;
	}
	id = ckpt_checkpoint(settings->pid,
			     is_packed ? settings->packer.fd : out,
			     settings->flags, kmsg->fd);
	errnum = id < 0 ? errno : 0;
	/* The saved program was this one, and an image brought it back. */
	if (!id)
		return 0;
	if (is_packed)
		errnum = end_packing(settings, errnum);
	progress_stop(progress);
	if (errnum)
		return explain_failure(settings, kmsg, errnum);
	if (!all_named(settings)) {
		output_discard(&settings->output);
		return EXIT_FAILED;
	}
	if (output_commit(&settings->output))
		return EXIT_FAILED;
	if (!is_packed)
		advise_outside(&settings->output);
	tell_size(settings, id);
	return settings->kill ? kill_target(settings->pid, pidfd) : 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "checkpoint " CKPT_TOOLS_VERSION "\n");
}

static const char doc[] =
	"Save the running process PID, and its descendants, into an image that\n"
	"restart(1) brings back. The process goes on.\vExit status:\n"
	"  0  the image is complete\n"
	"  1  it could not be made, and the process is unharmed\n"
	"  2  wrong usage\n"
	"  3  the kernel cannot do it\n"
	"  4  the image is complete, but the process could not be killed\n";

static const struct argp argp = {
	.options	= options,
	.parser		= parse_option,
	.args_doc	= "PID",
	.doc		= doc,
};

int main(int argc, char **argv)
{
	struct settings settings = {
		.flags	= CHECKPOINT_SUBTREE,
		.output	= { .fd = -1 },
		.logfd	= -1,
	};
	int pidfd = -1;
	struct kmsg kmsg;

	set_program(argv[0]);
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version_hook = print_version;
	argp_parse(&argp, argc, argv, 0, NULL, &settings);

	if (!settings.output.file && settings.output.fd < 0)
		settings.output.fd = STDOUT_FILENO;
	if (settings.kill) {
		pidfd = pidfd_open(settings.pid, 0);
		if (pidfd < 0) {
			error("process %d: %s", settings.pid, strerror(errno));
			return EXIT_FAILED;
		}
	}
	if (kmsg_open(&kmsg, settings.logfile, settings.logfd) ||
	    output_open(&settings.output))
		return EXIT_FAILED;
	if (settings.nr_external && !settings.all_external &&
	    !settings.output.partial) {
		error("--external-fd N: %s is no file that can be read again: use --external-fd all",
		      settings.output.file);
		return EXIT_FAILED;
	}
	if (packer_is_wanted(&settings.packer) &&
	    packer_prepare(&settings.packer, settings.output.fd)) {
		output_abort(&settings.output, EIO);
		return EXIT_FAILED;
	}
	/* A reader that went away is an error, not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	return save(&settings, &kmsg, pidfd);
}
