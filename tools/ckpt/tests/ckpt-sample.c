// SPDX-License-Identifier: GPL-2.0
/* ckpt-sample good|family|fork|failed [PID]: write an image made by hand. */
#include <string.h>
#include <unistd.h>

#include "sample.h"
#include "util.h"

int main(int argc, char **argv)
{
	struct sample sample = { 0 };
	long pid = 4321;

	set_program(argv[0]);
	if (argc < 2 || argc > 3 ||
	    (argc == 3 && !parse_number(argv[2], 1, 1 << 22, &pid))) {
		fprintf(stderr, "Usage: ckpt-sample good|family|fork|failed [PID]\n");
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "failed")) {
		sample_begin(&sample);
		sample_fail(&sample, 9, "[err -9][pos 440] task 12 (sample): fd 3 is a pipe");
	} else if (!strcmp(argv[1], "family")) {
		sample_family(&sample, pid);
	} else if (!strcmp(argv[1], "fork")) {
		sample_fork(&sample, pid, true);
	} else {
		sample_image(&sample, pid, 2);
	}
	return write_all(STDOUT_FILENO, sample.data, sample.len) ?
		EXIT_FAILED : 0;
}
