// SPDX-License-Identifier: GPL-2.0
/* What a restart that fails must not change in its caller. */
#include "harness.h"
#include "own_state.h"

#include <sys/prctl.h>

void look_at_oneself(struct own_state *own)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char *resident;

	memset(own, 0, sizeof(*own));
	if (fd < 0 || read(fd, own->memory, sizeof(own->memory) - 1) <= 0)
		_exit(20);
	/* Its size; what of it is there may differ. */
	resident = strchrnul(own->memory, ' ');
	memset(resident, 0, own->memory + sizeof(own->memory) - resident);
	close(fd);
	prctl(PR_GET_NAME, own->name);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &own->blocked, sizeof(own->blocked));
	own->lowest_fd = dup(STDIN_FILENO);
	close(own->lowest_fd);
	own->session = getsid(0);
}

bool is_same_state(const struct own_state *before, const struct own_state *after)
{
	if (!memcmp(before, after, sizeof(*before)))
		return true;
	complain("a failed restart has changed its caller");
	complain("before: %s pages, name %s, free descriptor %d", before->memory, before->name,
		 before->lowest_fd);
	return complain("after: %s pages, name %s, free descriptor %d", after->memory, after->name,
			after->lowest_fd);
}
