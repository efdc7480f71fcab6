// SPDX-License-Identifier: GPL-2.0
/* What every subject is made of: main(), waiting, reporting, patterns. */
#include "subject.h"
#include "snapshot.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>

struct control *control;
const char *subject_arg = "";

static u64 nonce;

void subject_log(const char *format, ...)
{
	char line[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) != len)
		control->failures++;
}

static void say_state(u32 state)
{
	__atomic_store_n(&control->state, state, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &control->state, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

void subject_die(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	subject_log("cannot go on: %s", line);
	if (control)
		say_state(SUBJECT_FAIL);
	_exit(1);
}

void subject_skip(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	subject_log("skip: %s", line);
	say_state(SUBJECT_SKIP);
	_exit(4);
}

bool subject_check(bool good, const char *file, int line, const char *format, ...)
{
	char text[800];
	va_list args;

	if (good)
		return true;
	/* A broken page tells nothing more the hundredth time. */
	if (control->failures++ > 20)
		return false;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	subject_log("%s:%d: %s", file, line, text);
	return false;
}

void subject_ready_for(pid_t pid, long blocked_in)
{
	control->pid = pid;
	control->nonce = nonce;
	control->blocked_in = blocked_in;
	say_state(SUBJECT_READY);
}

void subject_ready(long blocked_in)
{
	subject_ready_for(getpid(), blocked_in);
}

void subject_stay(void)
{
	while (!subject_must_go()) {
		long ret = syscall(SYS_futex, &control->go, FUTEX_WAIT, 0, NULL, NULL, 0);

		check(!ret || errno == EAGAIN, "waiting was disturbed: %s", strerror(errno));
	}
}

void subject_wait(void)
{
	subject_ready(SYS_futex);
	subject_stay();
}

void subject_spin(void)
{
	subject_ready(SUBJECT_RUNS);
	while (!subject_must_go())
		WRITE_ONCE(control->looping, 1);
}

s64 now_ns(clockid_t clock)
{
	struct timespec now;

	need(!clock_gettime(clock, &now));
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

s64 time_lived(s64 start, s64 end)
{
	if (!subject_was_restarted())
		return end - start;
	return (control->after_save - start) + (end - control->before_restart);
}

void check_time_lived(s64 start, s64 end, s64 asked)
{
	s64 lived = time_lived(start, end);

	check(lived >= asked, "too early: %lld ms of %lld ms",
	      (long long)lived / MSEC, (long long)asked / MSEC);
	check(lived <= asked + control->slack, "too late: %lld ms, not %lld ms",
	      (long long)lived / MSEC, (long long)asked / MSEC);
}

u64 pattern_word(u64 seed, u64 index)
{
	u64 x = seed * 0x9e3779b97f4a7c15ULL + index + 1;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

void pattern_fill(void *at, size_t bytes, u64 seed)
{
	u64 *word = at;
	size_t index;

	for (index = 0; index < bytes / sizeof(*word); index++)
		word[index] = pattern_word(seed, index);
}

bool pattern_check(const void *at, size_t bytes, u64 seed, const char *what)
{
	const u64 *word = at;
	size_t index;

	for (index = 0; index < bytes / sizeof(*word); index++) {
		u64 want = pattern_word(seed, index);

		if (READ_ONCE(word[index]) != want)
			return check(false, "%s: at %p (+%#zx) is %#llx, was %#llx", what,
				     &word[index], index * sizeof(*word),
				     (unsigned long long)word[index],
				     (unsigned long long)want);
	}
	return true;
}

static void map_control(void)
{
	int fd = open(CONTROL_FILE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		exit(99);
	control = mmap(NULL, CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED || control->magic != CONTROL_MAGIC)
		exit(98);
	close(fd);
}

static struct subject_mode find_mode(void)
{
	const struct subject_mode *mode = subject.modes;

	if (!mode)
		return (struct subject_mode){ NULL };
	while (mode->name && !mode_is(mode->name))
		mode++;
	if (!mode->name)
		subject_die("no mode %s", subject_arg);
	return *mode;
}

static void run(void (*first)(void), void (*second)(void))
{
	if (first)
		first();
	if (second)
		second();
}

int main(int argc, char **argv)
{
	static struct snapshot before, after;
	struct subject_mode mode;

	/* Executed by a subject, to see it come and go. */
	if (argc > 1 && !strcmp(argv[1], SUBJECT_ENDS))
		return SUBJECT_ENDS_WITH;
	if (argc > 1 && !strcmp(argv[1], SUBJECT_WAITS)) {
		while (waitpid(-1, NULL, 0) > 0)
			continue;
		return SUBJECT_ENDS_WITH;
	}
	map_control();
	if (argc > 1)
		subject_arg = argv[1];
	__atomic_add_fetch(&control->starts, 1, __ATOMIC_SEQ_CST);
	need(getrandom(&nonce, sizeof(nonce), 0) == sizeof(nonce));

	mode = find_mode();
	run(subject.setup, mode.setup);
	snapshot_take(&before, subject.skip);
	(mode.hold ?: subject.hold ?: subject_wait)();
	snapshot_take(&after, subject.skip);
	snapshot_compare(&before, &after);
	if (!subject_has_new_pid())
		check_equal(getpid(), control->pid, "pid");
	run(subject.verify, mode.verify);

	control->nonce_after = nonce;
	say_state(control->failures ? SUBJECT_FAIL : SUBJECT_PASS);
	return control->failures ? 1 : 0;
}
