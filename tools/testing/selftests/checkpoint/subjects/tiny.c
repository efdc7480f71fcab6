// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest process: no C library, a handful of pages, no descriptors but
 * those that it was given. For tests that need many images, or small ones.
 *
 *	tiny pause		sleep for good
 *	tiny busy		run for good
 *	tiny nanosleep|poll|futex	block for long, then tell
 *	tiny self FILE		save itself to FILE, then tell
 *
 * It tells by its exit status.
 */
#include "../tiny.h"

static unsigned long words[512] __attribute__((aligned(4096)));
static unsigned int futex_word = 3;
static unsigned long old_euid;

/* The kernel's capability sets, both halves. */
static unsigned int permitted(void)
{
	struct {
		unsigned int version;
		int pid;
	} header = { 0x20080522, 0 };
	unsigned int data[6] = { 0 };

	my_syscall2(__NR_capget, &header, data);
	return data[1] | data[4];
}

static int tell(void)
{
	int index;

	for (index = 0; index < 512; index++)
		if (words[index] != index * 0x9e3779b97f4a7c15UL)
			return TINY_BROKEN;
	if (old_euid && (!my_syscall0(__NR_geteuid) || permitted()))
		return TINY_PRIVILEGED;
	return TINY_GOOD;
}

static int save_itself(const char *path)
{
	long fd = my_syscall4(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	long ret;

	if (fd < 0)
		return TINY_FAILED;
	ret = my_syscall4(__NR_checkpoint, 0, fd, CHECKPOINT_SUBTREE, CHECKPOINT_FD_NONE);
	if (ret > 0)
		return TINY_SAVED;
	return ret < 0 ? TINY_FAILED : tell();
}

int main(int argc, char **argv)
{
	struct timespec long_time = { 1000, 0 };
	int index;

	for (index = 0; index < 512; index++)
		words[index] = index * 0x9e3779b97f4a7c15UL;
	old_euid = my_syscall0(__NR_geteuid);
	if (argc < 2)
		return TINY_FAILED;
	switch (argv[1][0]) {
	case 'b':
		for (;;)
			__asm__ volatile("" : : : "memory");
	case 's':
		return argc < 3 ? TINY_FAILED : save_itself(argv[2]);
	case 'n':
		my_syscall2(__NR_nanosleep, &long_time, 0);
		break;
	case 'f':
		my_syscall6(__NR_futex, &futex_word, 128, 3, &long_time, 0, 0);
		break;
	case 'p':
		if (argv[1][1] == 'o') {
			my_syscall3(__NR_poll, 0, 0, 1000000);
			break;
		}
		for (;;)
			my_syscall0(__NR_pause);
	}
	return tell();
}
