// SPDX-License-Identifier: GPL-2.0
/*
 * The alternate signal stack: "idle", "disarm" (with SS_AUTODISARM), or saved
 * while a handler runs on it ("on", "on-disarm").
 */
#include "subject.h"
#include "signals.h"

#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM	0x80000000U
#endif

static char stack[65536] __attribute__((aligned(4096)));
static stack_t want;
static volatile int handled;
static bool wait_inside;

static void on_stack(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	char here[2048];
	stack_t now;

	pattern_fill(here, sizeof(here), signal);
	if (wait_inside)
		subject_wait();
	pattern_check(here, sizeof(here), signal, "alternate stack");
	check(&here[0] >= &stack[0] && &here[0] < &stack[sizeof(stack)],
	      "not on the alternate stack: %p", here);
	check_equal(info->si_code, SI_TKILL, "si_code");
	check(uc->uc_stack.ss_sp == want.ss_sp && uc->uc_stack.ss_size == want.ss_size &&
	      uc->uc_stack.ss_flags == want.ss_flags, "stack in the context");
	need(!sigaltstack(NULL, &now));
	if (want.ss_flags & SS_AUTODISARM)
		check_equal(now.ss_flags, SS_DISABLE, "flags inside, disarmed");
	else
		check_equal(now.ss_flags, SS_ONSTACK, "flags inside");
	handled++;
}

static void setup(void)
{
	struct sigaction action = { .sa_sigaction = on_stack, .sa_flags = SA_ONSTACK | SA_SIGINFO };

	want.ss_sp = stack + 4096;
	want.ss_size = sizeof(stack) - 8192;
	want.ss_flags = strstr(subject_arg, "disarm") ? (int)SS_AUTODISARM : 0;
	need(!sigaltstack(&want, NULL));
	need(!sigaction(SIGUSR1, &action, NULL));
	wait_inside = !strncmp(subject_arg, "on", 2);
}

static void raise_it(void)
{
	need(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
}

static void hold(void)
{
	if (wait_inside) {
		raise_it();
		check_equal(handled, 1, "handler returned");
		wait_inside = false;
		handled = 0;
	} else {
		subject_wait();
	}
}

static void verify(void)
{
	stack_t now;

	need(!sigaltstack(NULL, &now));
	check(now.ss_sp == want.ss_sp, "address");
	check_equal(now.ss_size, want.ss_size, "size");
	check_equal(now.ss_flags, want.ss_flags, "flags");
	raise_it();
	check_equal(handled, 1, "handler ran");
	need(!sigaltstack(NULL, &now));
	check_equal(now.ss_flags, want.ss_flags, "flags after the handler");
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
