// SPDX-License-Identifier: GPL-2.0
/*
 * Restartable sequences: "registered", as the C library does it; "section",
 * saved inside a critical section, which must not be finished as if nothing
 * had happened when the processor may be another one.
 */
#include "subject.h"

#include <linux/rseq.h>
#include <sched.h>
#include <sys/rseq.h>

static struct rseq *area;
s64 commits, mismatches;
static s64 aborts;
u32 cpu_at_start;

/* Number of the C library's own signature in front of an abort handler. */
#define SIGNATURE	"0x53053053"

static void setup(void)
{
	if (!__rseq_size)
		subject_skip("the C library did not register a critical section");
	area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	need((int)area->cpu_id >= 0);
}

/*
 * One critical section: load the processor's number, stay until told to go,
 * compare with the number now, commit. Returns whether it was aborted.
 */
static bool section(void)
{
	u32 *go = &control->go;

	asm volatile goto("	.pushsection __rseq_cs, \"aw\"\n"
		"	.balign	32\n"
		"5:	.long	0, 0\n"
		"	.quad	1f, 2f - 1f, 4f\n"
		"	.popsection\n"
		"	lea	5b(%%rip), %%rax\n"
		"	mov	%%rax, %c[cs](%[area])\n"
		"1:	mov	%c[cpu](%[area]), %%ecx\n"
		"	mov	%%ecx, cpu_at_start(%%rip)\n"
		"3:	movl	$1, 4(%[go])\n"
		"	cmpl	$0, (%[go])\n"
		"	je	3b\n"
		"	mov	%c[id](%[area]), %%eax\n"
		"	cmp	%%eax, %%ecx\n"
		"	je	6f\n"
		"	incq	mismatches(%%rip)\n"
		"6:	incq	commits(%%rip)\n"
		"2:\n"
		"	.pushsection __rseq_failure, \"ax\"\n"
		"	.byte	0x0f, 0xb9, 0x3d\n"
		"	.long	" SIGNATURE "\n"
		"4:	jmp	%l[aborted]\n"
		"	.popsection\n"
		: : [area] "r"(area), [go] "r"(go),
		    [cs] "i"(offsetof(struct rseq, rseq_cs)),
		    [cpu] "i"(offsetof(struct rseq, cpu_id_start)),
		    [id] "i"(offsetof(struct rseq, cpu_id))
		: "rax", "rcx", "memory", "cc" : aborted);
	return false;
aborted:
	return true;
}

static void hold(void)
{
	if (!mode_is("section")) {
		subject_wait();
		return;
	}
	subject_ready(SUBJECT_RUNS);
	while (section())
		aborts++;
}

static void verify(void)
{
	int index;

	/* The kernel tells these apart: there is one already, or there is none. */
	errno = 0;
	check(syscall(SYS_rseq, area, sizeof(struct rseq), 0, 0x53053053) == -1 &&
	      errno == EBUSY, "registration: %s", strerror(errno));
	errno = 0;
	check(syscall(SYS_rseq, area, sizeof(struct rseq), 0, 0x12345678) == -1 &&
	      errno == EPERM, "signature: %s", strerror(errno));
	/* And the kernel keeps it up to date. */
	for (index = 0; index < 200; index++) {
		int cpu = -1;

		do {
			cpu = READ_ONCE(area->cpu_id);
			syscall(SYS_getcpu, &cpu, NULL, NULL);
		} while (cpu != (int)READ_ONCE(area->cpu_id) && index++ < 1000);
		check_equal(READ_ONCE(area->cpu_id), cpu, "processor");
		sched_yield();
	}
	if (mode_is("section")) {
		check_equal(commits, 1, "commits");
		check_equal(mismatches, 0, "commits on another processor");
		if (subject_was_restarted())
			check(aborts > 0, "the critical section was never aborted");
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
