// SPDX-License-Identifier: GPL-2.0
/* Resource limits, soft and hard, and one of them at work. */
#include "subject.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

static struct rlimit want[RLIM_NLIMITS];

static void setup(void)
{
	int limit;

	for (limit = 0; limit < RLIM_NLIMITS; limit++) {
		struct rlimit old;

		need(!getrlimit(limit, &old));
		want[limit] = old;
		switch (limit) {
		case RLIMIT_AS:
			want[limit].rlim_cur = 600UL << 20;
			want[limit].rlim_max = 800UL << 20;
			break;
		case RLIMIT_DATA:
			want[limit].rlim_cur = 400UL << 20;
			break;
		case RLIMIT_STACK:
			want[limit].rlim_cur = 3UL << 20;
			break;
		case RLIMIT_FSIZE:
			want[limit].rlim_cur = 12345678;
			break;
		case RLIMIT_NICE:
		case RLIMIT_RTPRIO:
			want[limit].rlim_cur = old.rlim_cur;
			break;
		case RLIMIT_NOFILE:
			want[limit].rlim_cur = 77;
			want[limit].rlim_max = 99;
			break;
		default:
			/* Much, but not the same twice. */
			if (old.rlim_max == RLIM_INFINITY)
				want[limit].rlim_max = 1000000 + limit * 1000;
			want[limit].rlim_cur = want[limit].rlim_max - limit;
			break;
		}
		need(!setrlimit(limit, &want[limit]));
	}
}

static void verify(void)
{
	int limit, fd;
	void *at;

	for (limit = 0; limit < RLIM_NLIMITS; limit++) {
		struct rlimit got = { 0 };

		need(!getrlimit(limit, &got));
		check(got.rlim_cur == want[limit].rlim_cur && got.rlim_max == want[limit].rlim_max,
		      "limit %d: is %llu/%llu, was %llu/%llu", limit,
		      (unsigned long long)got.rlim_cur, (unsigned long long)got.rlim_max,
		      (unsigned long long)want[limit].rlim_cur,
		      (unsigned long long)want[limit].rlim_max);
	}
	do
		fd = dup(0);
	while (fd >= 0 && fd < 200);
	check(fd < 0 && errno == EMFILE, "descriptors are not limited: %d", fd);
	for (fd = 3; fd < 77; fd++)
		close(fd);
	at = mmap(NULL, 700UL << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check(at == MAP_FAILED && errno == ENOMEM, "address space is not limited");
}

const struct subject subject = { .setup = setup, .verify = verify };
