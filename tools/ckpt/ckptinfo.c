// SPDX-License-Identifier: GPL-2.0
/*
 * ckptinfo(1): check and show a checkpoint image.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ckptinfo.h"
#include "util.h"

enum {
	OPT_JSON = 256,
	OPT_REGISTERS,
	OPT_DESCRIBE,
	OPT_DIFF,
	OPT_IGNORE,
};

static const struct argp_option table[] = {
	{ "errors", 'e', NULL, 0, "Tell why the checkpoint failed", 0 },
	{ "pids", 'p', NULL, 0, "Show the tasks and their ids", 0 },
	{ "pids-only", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "verbose", 'v', NULL, 0, "Show every record", 0 },
	{ "json", OPT_JSON, NULL, 0, "Show every record, as JSON", 0 },
	{ "show-arch-regs", OPT_REGISTERS, NULL, 0,
	  "Show the registers too", 0 },
	{ "diff", OPT_DIFF, NULL, 0,
	  "Compare two images but for what always changes", 0 },
	{ "ignore", OPT_IGNORE, "RECORD[.FIELD]", 0,
	  "With --diff: this does not count either", 0 },
	{ "describe", OPT_DESCRIBE, "rst|json", 0,
	  "Describe the format instead of an image", 0 },
	{ NULL, 'h', NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static const char doc[] =
	"Check a checkpoint image, and show what is in it.\vWithout IMAGE standard input is read.\n"
	"\n"
	"Exit status:\n"
	"  0  the image is complete and intact; with --diff: the images are equal\n"
	"  1  the image is truncated or corrupt; with --diff: they differ\n"
	"  2  wrong usage\n"
	"  3  the image records a failed checkpoint\n";

static void add_ignore(struct info_options *options, const char *name)
{
	options->ignore = must_grow(options->ignore, (options->nr_ignore + 1) *
				    sizeof(*options->ignore));
	options->ignore[options->nr_ignore++] = name;
}

static void add_file(struct info_options *options, const char *name,
		     struct argp_state *state)
{
	if (!options->file)
		options->file = name;
	else if (!options->other)
		options->other = name;
	else
		argp_error(state, "too many images");
}

static void check_options(const struct info_options *options,
			  struct argp_state *state)
{
	int modes = options->errors + options->pids + options->verbose +
		options->json + options->diff + !!options->describe;

	if (modes > 1)
		argp_error(state, "these options exclude each other; see --help");
	if (options->diff && !options->other)
		argp_error(state, "--diff takes two images");
	if (!options->diff && options->other)
		argp_error(state, "one image, please, or --diff");
	if (options->describe && options->file)
		argp_error(state, "--describe takes no image");
	if (options->nr_ignore && !options->diff)
		argp_error(state, "--ignore goes with --diff");
	if (options->registers && modes)
		argp_error(state, "--show-arch-regs goes with the summary");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct info_options *options = state->input;

	switch (key) {
	case 'e':
		options->errors = true;
		break;
	case 'p':
		options->pids = true;
		break;
	case 'v':
		options->verbose = true;
		break;
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_REGISTERS:
		options->registers = true;
		break;
	case OPT_DIFF:
		options->diff = true;
		break;
	case OPT_IGNORE:
		add_ignore(options, arg);
		break;
	case OPT_DESCRIBE:
		if (strcmp(arg, "rst") && strcmp(arg, "json"))
			argp_error(state, "--describe: rst or json, not %s",
				   arg);
		options->describe = arg;
		break;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		add_file(options, arg, state);
		break;
	case ARGP_KEY_END:
		check_options(options, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int show_file(const struct info_options *options)
{
	int fd = STDIN_FILENO;
	int status;

	if (options->file && strcmp(options->file, "-")) {
		fd = open(options->file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			error("cannot read %s: %s", options->file,
			      strerror(errno));
			return EXIT_FAILED;
		}
	} else if (isatty(fd)) {
		error("not reading an image from a terminal: name one, or redirect the input");
		return EXIT_FAILED;
	}
	status = view_image(options, image_read_fd, &fd);
	close(fd);
	return status;
}

static int describe(const struct info_options *options)
{
	if (*options->describe == 'r')
		describe_rst();
	else
		describe_json();
	return 0;
}

static void print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "ckptinfo " CKPT_TOOLS_VERSION ", image format %u\n",
		CKPT_IMAGE_VERSION);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options	= table,
		.parser		= parse_option,
		.args_doc	= "[IMAGE]\n--diff IMAGE IMAGE",
		.doc		= doc,
	};
	struct info_options options = { 0 };
	int status;

	set_program(argv[0]);
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version_hook = print_version;
	argp_parse(&argp, argc, argv, 0, NULL, &options);

	if (options.describe)
		status = describe(&options);
	else if (options.diff)
		status = diff_images(&options);
	else
		status = show_file(&options);
	free(options.ignore);
	if (fflush(stdout) || ferror(stdout)) {
		error("cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
