// SPDX-License-Identifier: GPL-2.0
/*
 * Timers of timer_create().
 *
 *	armed		of every clock and with every notification: the id, what is
 *			left, the period, and the id of the next one
 *	alone		likewise, without a second thread
 *	day		wait for a time of day, which does not wait
 *	alarms		on clocks that wake the machine, if it has one
 *	fires		expire in time and again, by processor time too, and when
 *			nobody wanted the signal before
 *	queued		their signals are pending
 *	gone		for a thread that has ended, and on its clock
 */
#include "subject.h"
#include "signals.h"

#include <dirent.h>
#include <linux/futex.h>
#include <pthread.h>

#define LONG		(1000 * NSEC_PER_SEC)
#define SOON		(4 * NSEC_PER_SEC)
#define PERIOD		(NSEC_PER_SEC / 2)
#define SHORT		(10 * MSEC)
#define VALUE		0x1122334455660000UL
#define FIRST		40
#define MAX_TIMERS	64

/* As the system calls take the clocks of processor time: of the caller. */
#define CPU_PROF	((clockid_t)(~0U << 3 | 0))
#define CPU_VIRT	((clockid_t)(~0U << 3 | 1))
#define CPU_SCHED	((clockid_t)(~0U << 3 | 2))
#define OF_THREAD	4
#define is_cpu_clock(clock) ((clock) < 0)

/* A timer that was made. */
struct made {
	int id;
	clockid_t clock;
	int notify;
	int signo;
	bool absolute;
	s64 value;
	s64 interval;
};

static struct made timers[MAX_TIMERS];
static int nr_timers, next_id, deleted_id;
static s64 started, end;
static pthread_t thread;
static u32 gate, thread_ready;

static struct timespec spec(s64 ns)
{
	return (struct timespec) { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

static s64 ns(struct timespec time)
{
	return time.tv_sec * NSEC_PER_SEC + time.tv_nsec;
}

/* The C library has ids of its own. */
static int create(clockid_t clock, int notify, int signo, pid_t tid, unsigned long value)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = signo };
	int id = -1;

	event.sigev_value.sival_ptr = (void *)value;
	event._sigev_un._tid = tid;
	return syscall(SYS_timer_create, clock, &event, &id) ? -1 : id;
}

static bool set(int id, bool absolute, s64 value, s64 interval)
{
	struct itimerspec setting = { spec(interval), spec(value) };

	return !syscall(SYS_timer_settime, id, absolute ? TIMER_ABSTIME : 0, &setting, NULL);
}

static s64 left(int id, s64 *interval)
{
	struct itimerspec now = { { 0 } };

	check(!syscall(SYS_timer_gettime, id, &now), "timer %d: %s", id, strerror(errno));
	*interval = ns(now.it_interval);
	return ns(now.it_value);
}

static bool exists(int id)
{
	struct itimerspec now;

	return !syscall(SYS_timer_gettime, id, &now);
}

static bool delete(int id)
{
	return !syscall(SYS_timer_delete, id);
}

/* As /proc has it, which may be that of another pid namespace. */
static pid_t first(void)
{
	char text[16] = "";

	need(readlink("/proc/self", text, sizeof(text) - 1) > 0);
	return atoi(text);
}

/* The other thread of two, or 0: it may have another id now. */
static pid_t find_second(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t tid = 0;

	need(dir);
	while ((entry = readdir(dir))) {
		pid_t found = atoi(entry->d_name);

		if (found && found != first())
			tid = found;
	}
	closedir(dir);
	return tid;
}

/* Who gets the signals that are for a thread. */
static pid_t target(void)
{
	pid_t tid = mode_is("alone") ? first() : find_second();

	need(tid);
	return tid;
}

static struct made *add(clockid_t clock, int notify, int signo, s64 value, s64 interval)
{
	struct made *it = &timers[nr_timers++];

	need(nr_timers <= MAX_TIMERS);
	*it = (struct made) {
		.clock = clock, .notify = notify, .signo = signo,
		.value = value, .interval = interval,
	};
	it->id = create(clock, notify, signo, notify & SIGEV_THREAD_ID ? target() : 0,
			VALUE + (it - timers));
	need(it->id >= 0);
	need(!value || set(it->id, false, value, interval));
	next_id = it->id + 1;
	return it;
}

/* On its own clock, then it waits. */
static void *be_second(void *unused)
{
	add(CPU_SCHED | OF_THREAD, SIGEV_SIGNAL, SIGUSR2, LONG, SHORT);
	__atomic_store_n(&thread_ready, 1, __ATOMIC_RELEASE);
	while (!READ_ONCE(gate))
		syscall(SYS_futex, &gate, FUTEX_WAIT, 0, NULL, NULL, 0);
	return unused;
}

static void start_second(void)
{
	need(!pthread_create(&thread, NULL, be_second, NULL));
	while (!__atomic_load_n(&thread_ready, __ATOMIC_ACQUIRE))
		continue;
}

static void end_second(void)
{
	WRITE_ONCE(gate, 1);
	syscall(SYS_futex, &gate, FUTEX_WAKE, 1, NULL, NULL, 0);
	need(!pthread_join(thread, NULL));
	/* The C library knows before the kernel has forgotten it. */
	while (find_second())
		continue;
}

/* An id that was given and is free again, in the middle. */
static void leave_gap(void)
{
	deleted_id = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	need(deleted_id >= 0 && delete(deleted_id));
}

static void setup_armed(void)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
		CPU_PROF, CPU_VIRT, CPU_SCHED, CPU_SCHED | OF_THREAD,
	};
	static const int kinds[] = {
		SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_SIGNAL | SIGEV_THREAD_ID,
	};
	size_t clock, kind;

	leave_gap();
	if (!mode_is("alone"))
		start_second();
	started = now_ns(CLOCK_MONOTONIC);
	for (clock = 0; clock < ARRAY_SIZE(clocks); clock++) {
		for (kind = 0; kind < ARRAY_SIZE(kinds); kind++)
			add(clocks[clock], kinds[kind],
			    kinds[kind] == SIGEV_NONE ? 0 : FIRST + kind,
			    LONG + clock * NSEC_PER_SEC, kind % 2 ? kind * 7 * NSEC_PER_SEC : 0);
		leave_gap();
	}
	/* Not one that runs, and one that was stopped. */
	add(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0, 0);
	add(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGUSR1, LONG, SHORT);
	need(set(timers[nr_timers - 1].id, false, 0, SHORT));
	timers[nr_timers - 1].value = 0;
	timers[nr_timers - 1].interval = 0;
	leave_gap();
	next_id = deleted_id + 1;
}

/* What /proc says of all timers, newest first. */
static void check_proc(void)
{
	static const char * const names[] = { "signal", "none", "thread" };
	char want[256], got[256] = "";
	struct made *it = &timers[nr_timers];
	FILE *file = fopen("/proc/self/timers", "r");

	need(file);
	while (it-- > timers) {
		bool to_thread = it->notify & SIGEV_THREAD_ID;
		size_t len;

		snprintf(want, sizeof(want),
			 "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n", it->id,
			 it->signo, VALUE + (it - timers),
			 names[it->notify & ~SIGEV_THREAD_ID], to_thread ? "tid" : "pid",
			 to_thread ? target() : first(), it->clock);
		len = fread(got, 1, strlen(want), file);
		got[len] = 0;
		if (!check(!strcmp(want, got), "/proc/self/timers: '%s', was '%s'", got, want))
			break;
	}
	check(it < timers && fgetc(file) == EOF, "/proc/self/timers goes on");
	fclose(file);
}

static void check_left(const struct made *it)
{
	s64 lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	s64 interval, rest = left(it->id, &interval), least, most;

	if (it->absolute) {
		lived = now_ns(CLOCK_REALTIME);
		most = it->value - lived + control->slack;
		least = it->value - lived - control->slack;
	} else {
		/* Of processor time at most as much as that, in ticks. */
		least = it->value - lived - control->slack;
		most = it->value + (is_cpu_clock(it->clock) ? 20 * MSEC : control->slack - lived);
	}
	if (!it->value) {
		least = 0;
		most = 0;
	}
	check(rest >= least && rest <= most, "timer %d of clock %d: %lld ms left, not %lld to %lld",
	      it->id, it->clock, (long long)rest / MSEC, (long long)least / MSEC,
	      (long long)most / MSEC);
	check(interval == it->interval, "timer %d of clock %d: period %lld ms, was %lld", it->id,
	      it->clock, (long long)interval / MSEC, (long long)it->interval / MSEC);
}

static void verify_armed(void)
{
	struct made *it;

	check_proc();
	for (it = timers; it < &timers[nr_timers]; it++) {
		check_left(it);
		check_equal(syscall(SYS_timer_getoverrun, it->id), 0, "overruns");
	}
	check(!exists(deleted_id), "a deleted timer is there");
	check_equal(create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0), next_id, "next id");
	for (it = timers; it < &timers[nr_timers]; it++)
		check(delete(it->id), "timer %d: %s", it->id, strerror(errno));
	if (!mode_is("alone"))
		end_second();
}

static void add_day(clockid_t clock, int notify, s64 interval)
{
	struct made *it = add(clock, notify, SIGUSR1, 0, 0);

	need(set(it->id, true, end, interval));
	it->value = end;
	it->interval = interval;
	it->absolute = true;
}

static void setup_day(void)
{
	end = now_ns(CLOCK_REALTIME) + LONG;
	add_day(CLOCK_REALTIME, SIGEV_SIGNAL, 0);
	add_day(CLOCK_REALTIME, SIGEV_NONE, SHORT);
}

static void setup_alarms(void)
{
	int id = create(CLOCK_REALTIME_ALARM, SIGEV_NONE, 0, 0, 0);

	if (id < 0 && errno == EOPNOTSUPP)
		subject_skip("no clock that wakes the machine");
	need(id >= 0 && delete(id));
	end = now_ns(CLOCK_REALTIME) + LONG;
	started = now_ns(CLOCK_MONOTONIC);
	add_day(CLOCK_REALTIME_ALARM, SIGEV_SIGNAL, SHORT);
	add_day(CLOCK_REALTIME_ALARM, SIGEV_NONE, 0);
	add(CLOCK_BOOTTIME_ALARM, SIGEV_SIGNAL, SIGUSR1, LONG, SHORT);
	add(CLOCK_BOOTTIME_ALARM, SIGEV_NONE, 0, LONG, 0);
}

static void verify_left(void)
{
	struct made *it;

	for (it = timers; it < &timers[nr_timers]; it++)
		check_left(it);
}

static volatile int nr_fired[MAX_TIMERS], nr_strange;
static s64 fired[2];

static void on_signal(int signal, siginfo_t *info, void *context)
{
	unsigned long index = (unsigned long)info->si_value.sival_ptr - VALUE;

	(void)context;
	if (info->si_code != SI_TIMER || index >= (unsigned long)nr_timers ||
	    info->si_timerid != timers[index].id || signal != timers[index].signo) {
		nr_strange++;
		return;
	}
	if (!index && nr_fired[0] < 2)
		fired[nr_fired[0]] = now_ns(CLOCK_MONOTONIC);
	nr_fired[index]++;
}

static void handle(int signal)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

	need(!sigaction(signal, &action, NULL));
}

/* On a slow machine it takes longer until everybody has looked at it. */
static s64 soon_ns(void)
{
	return SOON + control->slack;
}

/* The last one expires all the time, and by default its signal is ignored. */
static void setup_fires(void)
{
	handle(FIRST);
	handle(FIRST + 1);
	started = now_ns(CLOCK_MONOTONIC);
	add(CLOCK_MONOTONIC, SIGEV_SIGNAL, FIRST, soon_ns(), PERIOD);
	add(CPU_SCHED, SIGEV_SIGNAL, FIRST + 1, soon_ns(), SHORT);
	add(CPU_VIRT | OF_THREAD, SIGEV_SIGNAL, FIRST + 1, soon_ns(), 0);
	add(CLOCK_REALTIME, SIGEV_SIGNAL, SIGURG, SHORT, SHORT);
}

static void hold_fires(void)
{
	subject_ready(SUBJECT_RUNS);
	while (nr_fired[0] < 2 || nr_fired[1] < 2 || !nr_fired[2])
		WRITE_ONCE(control->looping, 1);
}

static void verify_fires(void)
{
	check_time_lived(started, fired[0], soon_ns());
	check_time_lived(started, fired[1], soon_ns() + PERIOD);
	check_equal(nr_fired[2], 1, "one-shot timer: expirations");
	handle(SIGURG);
	while (!nr_fired[3])
		continue;
	check_equal(nr_strange, 0, "strange signals");
}

static void queue(int signal, int value)
{
	siginfo_t info = { .si_signo = signal, .si_code = SI_QUEUE };

	info.si_value.sival_ptr = (void *)(VALUE + value);
	need(!syscall(SYS_rt_sigqueueinfo, getpid(), signal, &info));
}

static void queue_to_thread(int signal, int value)
{
	siginfo_t info = { .si_signo = signal, .si_code = SI_QUEUE };

	info.si_value.sival_ptr = (void *)(VALUE + value);
	need(!syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), signal, &info));
}

/* A one-shot timer whose signal is pending. */
static struct made *add_expired(int notify, int signo)
{
	struct made *it = add(CLOCK_MONOTONIC, notify, signo, 1, 0);
	s64 interval;

	while (left(it->id, &interval))
		continue;
	return it;
}

/* To the first thread, not to the second: there is none. */
static struct made *add_expired_to_thread(int signo)
{
	struct made *it = &timers[nr_timers++];
	s64 interval;

	*it = (struct made) { .signo = signo };
	it->id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, signo, getpid(),
			VALUE + (it - timers));
	need(it->id >= 0 && set(it->id, false, 1, 0));
	while (left(it->id, &interval))
		continue;
	return it;
}

/* Indices in the table of timers. */
enum {
	AMONG_OTHERS, TO_THREAD, PERIODIC, BY_CPU, SET_AGAIN, TWICE, DELETED,
};

static void setup_queued(void)
{
	raw_sigmask(SIG_SETMASK, ~0ULL);
	queue(FIRST, 100);
	queue_to_thread(FIRST, 101);
	add_expired(SIGEV_SIGNAL, FIRST);
	add_expired_to_thread(FIRST);
	queue(FIRST, 102);
	queue_to_thread(FIRST, 103);

	started = now_ns(CLOCK_MONOTONIC);
	add(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGUSR1, 1, SHORT);
	add(CPU_SCHED, SIGEV_SIGNAL, SIGUSR2, 1, SHORT);
	while (~raw_sigpending() & (SIGBIT(SIGUSR1) | SIGBIT(SIGUSR2)) ||
	       now_ns(CLOCK_MONOTONIC) < started + 3 * SHORT)
		continue;
	add_expired(SIGEV_SIGNAL, FIRST + 1);
	need(set(timers[SET_AGAIN].id, false, LONG, SHORT));
	add_expired(SIGEV_SIGNAL, FIRST + 2);
	add_expired(SIGEV_SIGNAL, FIRST + 3);
	need(delete(timers[DELETED].id));
}

static void take(int signal, siginfo_t *info, s64 timeout)
{
	struct timespec limit = spec(timeout);
	u64 set = SIGBIT(signal);
	long got;

	memset(info, 0xff, sizeof(*info));
	got = syscall(SYS_rt_sigtimedwait, &set, info, &limit, SIGSET_BYTES);
	check(got == signal, "signal %d: %ld %s", signal, got, strerror(errno));
}

static void expect_value(int signal, int code, int value)
{
	siginfo_t info;

	take(signal, &info, 0);
	check(info.si_code == code && (unsigned long)info.si_value.sival_ptr == VALUE + value,
	      "signal %d: si_code %d value %p, was %d %d", signal, info.si_code,
	      info.si_value.sival_ptr, code, value);
}

static void expect_timer(int index, int least, int most, s64 timeout)
{
	const struct made *it = &timers[index];
	siginfo_t info;

	take(it->signo, &info, timeout);
	check(info.si_code == SI_TIMER && info.si_timerid == it->id &&
	      (unsigned long)info.si_value.sival_ptr == VALUE + index,
	      "timer %d: si_code %d si_timerid %d si_value %p", it->id, info.si_code,
	      info.si_timerid, info.si_value.sival_ptr);
	check(info.si_overrun >= least && info.si_overrun <= most,
	      "timer %d: %d overruns, not %d to %d", it->id, info.si_overrun, least, most);
	if (index != DELETED)
		check_equal(syscall(SYS_timer_getoverrun, it->id),
			    it->interval ? info.si_overrun : 0, "overruns");
}

/* It has missed some periods, and goes on. */
static void verify_period(int index, int least)
{
	s64 lived = time_lived(started, now_ns(CLOCK_MONOTONIC));
	siginfo_t info;

	expect_timer(index, least, (lived + control->slack) / SHORT + 1, 0);
	/* By processor time, too: somebody has to use some. */
	while (!(raw_sigpending() & SIGBIT(timers[index].signo)))
		continue;
	expect_timer(index, 0, INT32_MAX, 0);
	need(set(timers[index].id, false, 0, 0));
	if (raw_sigpending() & SIGBIT(timers[index].signo))
		take(timers[index].signo, &info, 0);
}

static void verify_queued(void)
{
	s64 interval;

	expect_value(FIRST, SI_QUEUE, 101);
	expect_timer(TO_THREAD, 0, 0, 0);
	expect_value(FIRST, SI_QUEUE, 103);
	expect_value(FIRST, SI_QUEUE, 100);
	expect_timer(AMONG_OTHERS, 0, 0, 0);
	expect_value(FIRST, SI_QUEUE, 102);
	verify_period(PERIODIC, 1);
	verify_period(BY_CPU, 0);

	/* Taking the old signal does not disturb the new setting. */
	expect_timer(SET_AGAIN, 0, 0, 0);
	check(left(timers[SET_AGAIN].id, &interval) > LONG / 2, "it was set again: %lld ms left",
	      (long long)left(timers[SET_AGAIN].id, &interval) / MSEC);
	check_equal(interval, SHORT, "period");

	/* The signal that is pending is that of the timer: there is no second one. */
	need(set(timers[TWICE].id, false, 1, 0));
	while (left(timers[TWICE].id, &interval))
		continue;
	expect_timer(TWICE, 1, 1, 0);

	check(!exists(timers[DELETED].id), "a deleted timer is there");
	expect_timer(DELETED, 0, 0, 0);
	check(!raw_sigpending(), "still pending: %#llx", (unsigned long long)raw_sigpending());
}

static void setup_gone(void)
{
	start_second();
	add(CLOCK_MONOTONIC, SIGEV_SIGNAL | SIGEV_THREAD_ID, SIGUSR1, LONG, SHORT);
	add(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, LONG, SHORT);
	end_second();
}

static void verify_gone(void)
{
	s64 interval;

	/* Nothing is left on a clock that is gone, and it cannot be set. */
	check_equal(left(timers[0].id, &interval), 0, "left");
	check_equal(interval, 0, "period");
	check(!set(timers[0].id, false, LONG, 0) && errno == ESRCH, "set: %s", strerror(errno));
	/* This one runs, for nobody. */
	check(left(timers[1].id, &interval) > LONG / 2, "not running");
	check_equal(interval, SHORT, "period");
	/* It expires, and that is all: nobody starts it again. */
	need(set(timers[1].id, false, 1, SHORT));
	for (end = now_ns(CLOCK_MONOTONIC) + 10 * SHORT; now_ns(CLOCK_MONOTONIC) < end; )
		continue;
	left(timers[2].id, &interval);
	check_equal(interval, SHORT, "period");
	check(delete(timers[0].id) && delete(timers[1].id) && delete(timers[2].id), "delete: %s",
	      strerror(errno));
}

static const struct subject_mode modes[] = {
	{ "armed", setup_armed, verify_armed },
	{ "alone", setup_armed, verify_armed },
	{ "day", setup_day, verify_left },
	{ "alarms", setup_alarms, verify_left },
	{ "fires", setup_fires, verify_fires, hold_fires },
	{ "queued", setup_queued, verify_queued },
	{ "gone", setup_gone, verify_gone },
	{ }
};

const struct subject subject = { .modes = modes };
