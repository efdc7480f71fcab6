// SPDX-License-Identifier: GPL-2.0
/*
 * The feeder: a process that hands an image on to the kernel. It does so for a
 * pipe or a socket, beginning with the bytes that restart(1) has read already,
 * and for any image that is compressed or to be rewritten.
 *
 * It lives outside of any new pid namespace, where it would take an id.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "progress.h"
#include "restart.h"
#include "util.h"

#define CHUNK	(256U << 10)

/* Return: 0 at the end of the image, -1 if splice() cannot do it. */
static int pump_by_splice(int in, int out)
{
	ssize_t done;

	do {
		done = splice(in, NULL, out, NULL, CHUNK,
			      SPLICE_F_MOVE | SPLICE_F_MORE);
	} while (done > 0 || (done < 0 && errno == EINTR));
	return done < 0 ? -1 : 0;
}

static int pump_by_copy(int in, int out)
{
	char *chunk = must_alloc(CHUNK);
	ssize_t done;

	for (;;) {
		done = read(in, chunk, CHUNK);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		if (write_all(out, chunk, done))
			return -1;
	}
	if (done < 0)
		error("cannot read the image: %s", strerror(errno));
	return done;
}

/**
 * struct fed - where feed_rewritten() is
 * @prefix: bytes that were read already
 * @prefix_len: their number
 * @in: the rest
 */
struct fed {
	const char *prefix;
	size_t prefix_len;
	int in;
};

static ssize_t read_fed(void *arg, void *data, size_t len)
{
	struct fed *fed = arg;

	if (!fed->prefix_len)
		return read(fed->in, data, len);
	len = smaller(len, fed->prefix_len);
	memcpy(data, fed->prefix, len);
	fed->prefix += len;
	fed->prefix_len -= len;
	return len;
}

static int feed_rewritten(const struct restart *restart, int in, int out)
{
	struct fed fed = {
		.prefix		= restart->forest.prefix,
		.prefix_len	= restart->forest.prefix_len,
		.in		= in,
	};

	return rewrite_image(&restart->options->changes, read_fed, &fed, out,
			     restart->image_size);
}

/*
 * A compressed image is looked at as well: what is wrong with it can be told
 * with its place, and what follows its end is left alone, as the kernel does.
 */
static bool needs_rewriting(const struct restart *restart)
{
	return restart->forest.is_packed ||
	       changes_wanted(&restart->options->changes);
}

static int feed(const struct restart *restart, int in, int out)
{
	const struct forest *forest = &restart->forest;

	/* The kernel may stop reading: then this process just ends. */
	signal(SIGPIPE, SIG_DFL);
	if (needs_rewriting(restart))
		return feed_rewritten(restart, in, out);
	if (write_all(out, forest->prefix, forest->prefix_len))
		return -1;
	if (!pump_by_splice(in, out))
		return 0;
	return pump_by_copy(in, out);
}

static int start_feeder(struct restart *restart)
{
	int in = restart->options->input_fd;
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	/* As much as an ordinary user may have; less only costs time. */
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	restart->feeder = fork();
	if (!restart->feeder) {
		close(ends[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILED);
		_exit(feed(restart, in, ends[1]) ? EXIT_FAILED : 0);
	}
	close(ends[1]);
	restart->image_fd = ends[0];
	return restart->feeder < 0 ? -1 : 0;
}

/**
 * helpers_start - make an image that the kernel can read from its beginning
 * @restart: image_fd, feeder and progress are filled in
 *
 * Return: 0, or -1 with the reason in outcome.
 */
int helpers_start(struct restart *restart)
{
	bool is_seekable = restart->forest.is_seekable;
	int in = restart->options->input_fd;

	restart->image_fd = in;
	if (restart->forest.is_packed)
		restart->image_size = progress_counter();
	if ((!is_seekable || needs_rewriting(restart)) &&
	    start_feeder(restart)) {
		restart->outcome.errnum = errno;
		return -1;
	}
	if (is_seekable)
		restart->progress = progress_start(in, "read",
						   restart->image_size);
	else
		/* What ends when the sender does must not be held open by us. */
		close(in);
	return 0;
}

/**
 * helpers_stop - the kernel has what it wants
 * @restart: its helpers may be running or not
 */
void helpers_stop(struct restart *restart)
{
	int status = 0;

	progress_stop(restart->progress);
	if (restart->feeder <= 0)
		return;
	close(restart->image_fd);
	kill(restart->feeder, SIGKILL);
	while (waitpid(restart->feeder, &status, 0) < 0 && errno == EINTR)
		continue;
	restart->feeder_failed = WIFEXITED(status) && WEXITSTATUS(status);
}
