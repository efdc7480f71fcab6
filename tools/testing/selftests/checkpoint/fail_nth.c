// SPDX-License-Identifier: GPL-2.0
/* The kernel's injection of failures, for one task at a time. */
#include "harness.h"
#include "fail_nth.h"

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!good)
		complain("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

#define FAULT(name)	"/sys/kernel/debug/" name

/* Allocations that may sleep fail too, and large ones; none makes a noise. */
bool set_up_injection(void)
{
	return write_text(FAULT("failslab/ignore-gfp-wait"), "N") &&
	       write_text(FAULT("failslab/verbose"), "0") &&
	       write_text(FAULT("fail_page_alloc/ignore-gfp-wait"), "N") &&
	       write_text(FAULT("fail_page_alloc/ignore-gfp-highmem"), "N") &&
	       write_text(FAULT("fail_page_alloc/min-order"), "0") &&
	       write_text(FAULT("fail_page_alloc/verbose"), "0") &&
	       write_text(FAULT("fail_usercopy/verbose"), "0");
}

bool can_inject(void)
{
	return !access(NTH_FILE, W_OK);
}

bool arm(int nth_fd, long nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", nth);
	return pwrite(nth_fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

long disarm(int nth_fd)
{
	char text[16] = "";
	long left;

	/* These calls count as well. */
	if (pread(nth_fd, text, sizeof(text) - 1, 0) > 0)
		left = atol(text);
	else
		left = errno == EFAULT ? 1 : -1;
	while (!arm(nth_fd, 0))
		if (errno != EFAULT)
			return -1;
	return left;
}

long disarm_other(pid_t pid)
{
	char path[64];
	long left;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return complain("%s: %s", path, strerror(errno)) - 1;
	left = disarm(fd);
	close(fd);
	return left;
}

bool is_injected(int error)
{
	switch (error) {
	case ENOMEM:
	case EFAULT:
		return true;
	case ENFILE:	/* a pipe */
	case EAGAIN:	/* another user */
	case ENOSPC:	/* a namespace */
	case ENOENT:	/* a file of /proc */
	case ENOBUFS:	/* a socket */
	case ENOLCK:	/* a lock */
		return true;
	default:
		return false;
	}
}
