// SPDX-License-Identifier: GPL-2.0
/*
 * Calls into the vdso without a pause: the checkpoint finds the process
 * inside it sooner or later. The test takes many checkpoints of this one.
 */
#include "subject.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/time.h>

static unsigned long vdso;

static void setup(void)
{
	vdso = getauxval(AT_SYSINFO_EHDR);
	if (!vdso)
		subject_skip("no vdso");
}

static s64 read_clock(clockid_t clock)
{
	struct timespec now = { -1, -1 };

	if (clock_gettime(clock, &now))
		check(false, "clock_gettime: %s", strerror(errno));
	check(now.tv_nsec >= 0 && now.tv_nsec < NSEC_PER_SEC, "nanoseconds: %ld", now.tv_nsec);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void hold(void)
{
	s64 last = 0, last_real = 0;

	subject_ready(SUBJECT_RUNS);
	while (!subject_must_go()) {
		s64 now = read_clock(CLOCK_MONOTONIC);
		s64 real = read_clock(CLOCK_REALTIME);
		struct timeval day;
		unsigned int cpu;

		/* After a reboot the clock that counts from then starts again. */
		if (!subject_was_rebooted())
			check(now >= last, "time went back by %lld ns", (long long)(last - now));
		check(real >= last_real, "date went back by %lld ns",
		      (long long)(last_real - real));
		last = now;
		last_real = real;
		need(!gettimeofday(&day, NULL));
		check(day.tv_sec >= real / NSEC_PER_SEC, "seconds went back");
		cpu = sched_getcpu();
		check(cpu < 4096, "processor %u", cpu);
		control->counter[0]++;
		WRITE_ONCE(control->looping, 1);
	}
}

static void verify(void)
{
	const Elf64_Ehdr *header = (void *)vdso;

	check(!memcmp(header->e_ident, ELFMAG, SELFMAG), "no vdso at its address");
	check_equal(getauxval(AT_SYSINFO_EHDR), vdso, "address of the vdso");
	hold();
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
