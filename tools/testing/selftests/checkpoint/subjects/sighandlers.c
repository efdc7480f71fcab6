// SPDX-License-Identifier: GPL-2.0
/* Handlers of all signals, with their flags and masks; and they work. */
#include "subject.h"
#include "signals.h"

DEFINE_SIGNAL_RESTORER();

static struct kernel_sigaction want[NR_SIGNALS + 1];
static volatile int handled, handled_signal;
static volatile u64 mask_inside;
static u64 mask_outside;

static void first_handler(int signal)
{
	handled++;
	handled_signal = signal;
	mask_inside = raw_sigmask(SIG_BLOCK, 0);
}

static void second_handler(int signal)
{
	first_handler(signal);
	handled += 100;
}

static void setup(void)
{
	static const unsigned long flags[] = {
		0, SA_RESTART, SA_SIGINFO, SA_NODEFER, SA_ONSTACK, SA_RESETHAND,
		SA_SIGINFO | SA_RESTART | SA_NODEFER, SA_NOCLDSTOP | SA_NOCLDWAIT,
	};
	int signal;

	mask_outside = raw_sigmask(SIG_BLOCK, 0);
	for (signal = 1; signal <= NR_SIGNALS; signal++) {
		struct kernel_sigaction *action = &want[signal];

		if (UNBLOCKABLE & SIGBIT(signal))
			continue;
		action->flags = flags[signal % ARRAY_SIZE(flags)] | SA_RESTORER;
		action->restorer = signal_restorer;
		action->mask = pattern_word(5, signal) & ~UNBLOCKABLE;
		switch (signal % 5) {
		case 0:
			action->handler = SIG_IGN;
			break;
		case 1:
			action->handler = SIG_DFL;
			break;
		case 2:
			action->handler = second_handler;
			break;
		default:
			action->handler = first_handler;
			break;
		}
		need(!raw_sigaction(signal, action, NULL));
		need(!raw_sigaction(signal, NULL, action));
	}
}

static void try_signal(int signal)
{
	struct kernel_sigaction *action = &want[signal];
	bool second = action->handler == second_handler;
	u64 inside = mask_outside | action->mask;

	if (!(action->flags & SA_NODEFER))
		inside |= SIGBIT(signal);
	handled = 0;
	handled_signal = 0;
	need(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal));
	if (action->handler == SIG_IGN) {
		check_equal(handled, 0, "ignored signal");
		return;
	}
	check_equal(handled_signal, signal, "signal");
	check_equal(handled, second ? 101 : 1, "runs of the handler");
	check_equal(mask_inside, inside, "mask inside the handler");
	check_equal(raw_sigmask(SIG_BLOCK, 0), mask_outside, "mask after the handler");
}

static void verify(void)
{
	int signal;

	for (signal = 1; signal <= NR_SIGNALS; signal++) {
		struct kernel_sigaction got = { 0 };

		if (UNBLOCKABLE & SIGBIT(signal))
			continue;
		need(!raw_sigaction(signal, NULL, &got));
		check(got.handler == want[signal].handler, "signal %d: handler %p, was %p", signal,
		      got.handler, want[signal].handler);
		check(got.flags == want[signal].flags, "signal %d: flags %#lx, were %#lx", signal,
		      got.flags, want[signal].flags);
		check(got.restorer == want[signal].restorer, "signal %d: restorer", signal);
		check(got.mask == want[signal].mask, "signal %d: mask %#llx, was %#llx", signal,
		      (unsigned long long)got.mask, (unsigned long long)want[signal].mask);
		if (want[signal].handler != SIG_DFL)
			try_signal(signal);
	}
}

const struct subject subject = { .setup = setup, .verify = verify };
