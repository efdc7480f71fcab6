// SPDX-License-Identifier: GPL-2.0
/*
 * ckpt-mutate IMAGE SEED [TO-SEED]: write a changed image to standard output.
 *
 * With TO-SEED nothing is written but one line about each image from SEED to
 * TO-SEED.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mutate.h"
#include "util.h"

static void *map_image(const char *file, size_t *len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st) || !st.st_size) {
		error("cannot read %s: %s", file, strerror(errno));
		exit(EXIT_FAILED);
	}
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		error("cannot read %s: %s", file, strerror(errno));
		exit(EXIT_FAILED);
	}
	close(fd);
	*len = st.st_size;
	return data;
}

int main(int argc, char **argv)
{
	struct mutation mutation;
	size_t len, new_len;
	long seed, last;
	void *image, *out;

	set_program(argv[0]);
	if (argc < 3 || argc > 4 ||
	    !parse_number(argv[2], 0, 1L << 62, &seed) ||
	    (argc == 4 && !parse_number(argv[3], seed, 1L << 62, &last))) {
		fprintf(stderr, "Usage: ckpt-mutate IMAGE SEED [TO-SEED]\n");
		return EXIT_USAGE;
	}
	image = map_image(argv[1], &len);
	out = must_alloc(len + MUTATE_GROWTH);
	if (argc == 4) {
		for (; seed <= last; seed++) {
			mutate_image(image, len, seed, out, &mutation);
			printf("%ld: %s\n", seed, mutation.text);
		}
		return 0;
	}
	new_len = mutate_image(image, len, seed, out, &mutation);
	if (write_all(STDOUT_FILENO, out, new_len)) {
		error("cannot write: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return 0;
}
