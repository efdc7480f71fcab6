// SPDX-License-Identifier: GPL-2.0
/*
 * A program that saves itself.
 *
 *	./self self.ckpt </dev/null >>log 2>&1
 *	restart --copy-status -i self.ckpt
 *
 * The log then has "saved as 1" and "restarted", each with the right sum,
 * 499999500000, after it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/checkpoint.h>

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "self.ckpt";
	unsigned long long sum = 0;
	long id = -1;
	int fd, i;

	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		perror(name);
		return 1;
	}
	for (i = 0; i < 1000000; i++) {
		sum += i;
		if (i != 500000)
			continue;
		fflush(stdout);
		id = syscall(__NR_checkpoint, 0, fd, CHECKPOINT_SUBTREE,
			     CHECKPOINT_FD_NONE);
		if (id < 0) {
			perror("checkpoint");
			return 1;
		}
		/* Either way: what is written to it now spoils the image. */
		close(fd);
		if (id > 0)
			printf("saved as %ld\n", id);
		else
			printf("restarted\n");
	}
	printf("sum %llu\n", sum);
	return 0;
}
