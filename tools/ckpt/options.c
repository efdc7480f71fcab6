// SPDX-License-Identifier: GPL-2.0
/* The command line of restart(1). */
#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ckpt.h"
#include "restart.h"
#include "util.h"

enum {
	OPT_PIDS = 256,
	OPT_SELF,
	OPT_MNTNS,
	OPT_INPUT_FD,
	OPT_LOGFILE_FD,
	OPT_COPY_STATUS,
	OPT_SHOW_STATUS,
	OPT_SIGNAL,
	OPT_INSPECT,
	OPT_DRY_RUN,
	OPT_INHERIT_FD,
	OPT_INHERIT_STDIO,
	OPT_FILE_CHANGED,
	OPT_FILE,
	OPT_UNREAD,
};

static const struct argp_option table[] = {
	{ NULL, 0, NULL, 0, "Image:", 1 },
	{ "input", 'i', "FILE", 0,
	  "Read the image from FILE instead of standard input", 1 },
	{ "input-fd", OPT_INPUT_FD, "FD", 0,
	  "Read the image from the open descriptor FD", 1 },
	{ "inspect", OPT_INSPECT, NULL, 0,
	  "Only print why the checkpoint failed, if it did", 1 },
	{ "dry-run", OPT_DRY_RUN, NULL, 0,
	  "Check the image, create nothing", 1 },

	{ NULL, 0, NULL, 0, "Ids and namespaces:", 2 },
	{ "no-pidns", 'P', NULL, 0, "Take new process ids (default)", 2 },
	{ "pids", OPT_PIDS, NULL, 0,
	  "Keep the process ids; they must be free", 2 },
	{ "pidns", 'p', NULL, 0,
	  "Keep the process ids, in a new pid namespace", 2 },
	{ "mntns", OPT_MNTNS, NULL, 0,
	  "Give the new pid namespace its own /proc", 2 },
	{ "root", 'r', "DIR", 0,
	  "Take DIR for the root directory, as chroot(8) does", 2 },
	{ "self", OPT_SELF, NULL, 0,
	  "Become the saved process, create none", 2 },

	{ NULL, 0, NULL, 0, "The program:", 3 },
	{ "wait", 'w', NULL, 0, "Wait until the program ends (default)", 3 },
	{ "no-wait", 'W', NULL, 0,
	  "End as soon as it runs, and print its process id", 3 },
	{ "copy-status", OPT_COPY_STATUS, NULL, 0,
	  "End as the program does", 3 },
	{ "show-status", OPT_SHOW_STATUS, NULL, 0, "Print how it ended", 3 },
	{ "signal", OPT_SIGNAL, "SIG", 0,
	  "Send it SIG on ^C: a name or a number", 3 },
	{ "keeplsm", 'k', NULL, 0, "Restore security labels (not supported yet)", 3 },
	{ "freezer", 'F', "DIR", 0, "Leave it frozen in the cgroup with this directory", 3 },

	{ NULL, 0, NULL, 0, "What is not in the image:", 4 },
	{ "inherit-fd", OPT_INHERIT_FD, "N[:M]", 0,
	  "Descriptor N of the program becomes our descriptor M", 4 },
	{ "inherit-stdio", OPT_INHERIT_STDIO, NULL, 0,
	  "So do those of 0, 1 and 2 that led outside", 4 },
	{ "unread", OPT_UNREAD, "POLICY", 0,
	  "If they were pipes with unread data: refuse (default), drop, move", 4 },
	{ "file", OPT_FILE, "PATH=NEWPATH", 0,
	  "Open NEWPATH instead of PATH", 4 },
	{ "file-changed", OPT_FILE_CHANGED, "POLICY", 0,
	  "If a file is another one: refuse (default), grown, any, force", 4 },

	{ NULL, 0, NULL, 0, "Messages:", 5 },
	{ "logfile", 'l', "FILE", 0, "Write the kernel's messages to FILE", 5 },
	{ "logfile-fd", OPT_LOGFILE_FD, "FD", 0,
	  "Write the kernel's messages to the open descriptor FD", 5 },
	{ "verbose", 'v', NULL, 0, "Tell what is going on", 5 },
	{ "quiet", 'q', NULL, 0, "Print nothing but errors", 5 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, -1 },
	{ 0 },
};

static const char doc[] =
	"Bring back the processes of an image that checkpoint(1) made.\vExit status:\n"
	"  0    the program was restarted, and ended unless --no-wait\n"
	"  1    it could not be restarted; nothing is left behind\n"
	"  2    wrong usage\n"
	"  3    the kernel cannot do it\n"
	"  5    the image records a failed checkpoint\n"
	"With --copy-status: that of the program, a signal included; 125 instead\n"
	"of 1, 3 and 5.\n";

static int parse_fd(const char *option, const char *text,
		    struct argp_state *state)
{
	long number;

	if (!parse_number(text, 0, 1 << 30, &number))
		argp_error(state, "--%s: not a descriptor: %s", option, text);
	return number;
}

static int parse_signal(const char *text, struct argp_state *state)
{
	long number;
	int signo;

	if (parse_number(text, 1, 64, &number))
		return number;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (signo = 1; signo < NSIG; signo++) {
		const char *name = sigabbrev_np(signo);

		if (name && !strcasecmp(name, text))
			return signo;
	}
	argp_error(state, "--signal: no such signal: %s", text);
	return 0;
}

static void choose_pids(struct restart_options *options,
			enum restart_pids pids, struct argp_state *state)
{
	if (options->pids != PIDS_NEW && options->pids != pids)
		argp_error(state, "--pids, --pidns and --no-pidns exclude each other");
	options->pids = pids;
}

static void check_options(const struct restart_options *options,
			  struct argp_state *state)
{
	if (options->input && options->input_fd >= 0)
		argp_error(state, "--input and --input-fd exclude each other");
	if (options->logfile && options->logfd >= 0)
		argp_error(state, "--logfile and --logfile-fd exclude each other");
	if (options->mntns && options->pids != PIDS_NAMESPACE)
		argp_error(state, "--mntns goes with --pidns");
	if (options->detach && (options->copy_status || options->show_status))
		argp_error(state, "--no-wait cannot tell how the program ends");
	if (options->self &&
	    (options->pids != PIDS_NEW || options->detach ||
	     options->copy_status || options->show_status || options->signal ||
	     options->changes.freezer.dir))
		argp_error(state, "--self takes no option for ids, status, signals or the freezer");
	if (options->self &&
	    (options->changes.stdio || changes_wanted(&options->changes)))
		argp_error(state, "--self takes the image as it is");
}

/* Return: whether the option is one that only sets something. */
static bool parse_switch(struct restart_options *options, int key,
			 struct argp_state *state)
{
	switch (key) {
	case 'p':
		choose_pids(options, PIDS_NAMESPACE, state);
		break;
	case 'P':
		choose_pids(options, PIDS_NEW, state);
		break;
	case OPT_PIDS:
		choose_pids(options, PIDS_KEEP, state);
		break;
	case OPT_SELF:
		options->self = true;
		break;
	case OPT_MNTNS:
		options->mntns = true;
		break;
	case 'w':
		options->detach = false;
		break;
	case 'W':
		options->detach = true;
		break;
	case OPT_COPY_STATUS:
		options->copy_status = true;
		break;
	case OPT_SHOW_STATUS:
		options->show_status = true;
		break;
	case OPT_INSPECT:
		options->inspect = true;
		break;
	case OPT_DRY_RUN:
		options->dry_run = true;
		break;
	case OPT_INHERIT_STDIO:
		options->changes.stdio = true;
		break;
	case 'k':
		options->flags |= RESTART_KEEP_LSM;
		break;
	case 'v':
		verbosity = VERBOSE;
		break;
	case 'q':
		verbosity = QUIET;
		break;
	default:
		return false;
	}
	return true;
}

/* Return: whether the option is one that changes the image. */
static bool parse_change(struct changes *changes, int key, const char *arg,
			 struct argp_state *state)
{
	switch (key) {
	case OPT_INHERIT_FD:
		if (!changes_add_descriptor(changes, arg))
			argp_error(state, "--inherit-fd: not N or N:M, or N again: %s",
				   arg);
		break;
	case 'F':
		changes->freezer.dir = arg;
		break;
	case OPT_UNREAD:
		if (!changes_set_unread(changes, arg))
			argp_error(state, "--unread: refuse, drop or move, not %s",
				   arg);
		break;
	case OPT_FILE:
		if (!changes_add_path(changes, arg))
			argp_error(state, "--file: not PATH=NEWPATH, both absolute: %s",
				   arg);
		break;
	case OPT_FILE_CHANGED:
		if (!changes_set_policy(changes, arg))
			argp_error(state, "--file-changed: refuse, grown, any or force, not %s",
				   arg);
		break;
	default:
		return false;
	}
	return true;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct restart_options *options = state->input;

	if (parse_switch(options, key, state) ||
	    parse_change(&options->changes, key, arg, state))
		return 0;
	switch (key) {
	case 'i':
		options->input = arg;
		break;
	case OPT_INPUT_FD:
		options->input_fd = parse_fd("input-fd", arg, state);
		break;
	case 'r':
		options->root = arg;
		break;
	case 'l':
		options->logfile = arg;
		break;
	case OPT_LOGFILE_FD:
		options->logfd = parse_fd("logfile-fd", arg, state);
		break;
	case OPT_SIGNAL:
		options->signal = parse_signal(arg, state);
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument expected: %s (is that --input %s?)",
			   arg, arg);
		break;
	case ARGP_KEY_END:
		check_options(options, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "restart " CKPT_TOOLS_VERSION "\n");
}

/**
 * parse_options - read the command line; exits if it is wrong
 * @options: filled in
 * @argc: of main()
 * @argv: of main()
 */
void parse_options(struct restart_options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options	= table,
		.parser		= parse_option,
		.doc		= doc,
	};

	*options = (struct restart_options) {
		.input_fd	= -1,
		.logfd		= -1,
	};
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version_hook = print_version;
	argp_parse(&argp, argc, argv, 0, NULL, options);
	if (options->changes.freezer.dir)
		options->flags |= RESTART_FROZEN;
}
