// SPDX-License-Identifier: GPL-2.0
/* What a process has one of: name, priority, personality and many more. */
#include "subject.h"

#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define NAME	"a) b\nc \xff\"\\()"

static int dumpable = -1, expected_dumpable;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	need(fd >= 0);
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void setup(void)
{
	struct sched_param none = { 0 };

	if (mode_is("comm")) {
		need(!prctl(PR_SET_NAME, NAME));
	} else if (mode_is("personality")) {
		need(personality(ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS | UNAME26) >= 0);
	} else if (mode_is("dumpable-off")) {
		need(!prctl(PR_SET_DUMPABLE, 0));
		expected_dumpable = 0;
	} else if (mode_is("dumpable-on")) {
		need(!prctl(PR_SET_DUMPABLE, 1));
		expected_dumpable = 1;
	} else if (mode_is("no-new-privs")) {
		need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	} else if (mode_is("nice")) {
		need(!setpriority(PRIO_PROCESS, 0, 13));
	} else if (mode_is("batch")) {
		need(!sched_setscheduler(0, SCHED_BATCH, &none));
		need(!setpriority(PRIO_PROCESS, 0, 3));
	} else if (mode_is("idle")) {
		need(!sched_setscheduler(0, SCHED_IDLE, &none));
	} else if (mode_is("fifo")) {
		struct sched_param param = { .sched_priority = 7 };

		need(!sched_setscheduler(0, SCHED_FIFO, &param));
	} else if (mode_is("timer-slack")) {
		need(!prctl(PR_SET_TIMERSLACK, 1234567));
	} else if (mode_is("oom")) {
		write_file("/proc/self/oom_score_adj", "321");
		write_file("/proc/self/coredump_filter", "0x1d");
	} else if (mode_is("pdeath")) {
		need(!prctl(PR_SET_PDEATHSIG, SIGUSR2));
		need(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
	} else if (mode_is("thp-disable")) {
		need(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	} else if (mode_is("umask")) {
		umask(0135);
	} else {
		subject_die("no such mode: %s", subject_arg);
	}
	dumpable = prctl(PR_GET_DUMPABLE);
}

static void verify(void)
{
	struct sched_param param = { 0 };
	char name[16] = "";
	int value = 0;

	if (mode_is("comm")) {
		need(!prctl(PR_GET_NAME, name));
		check(!strcmp(name, NAME), "name: '%s'", name);
	} else if (mode_is("personality")) {
		check_equal(personality(0xffffffff), ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS | UNAME26,
			    "personality");
	} else if (!strncmp(subject_arg, "dumpable", 8)) {
		check_equal(prctl(PR_GET_DUMPABLE), expected_dumpable, "dumpable");
	} else if (mode_is("no-new-privs")) {
		check_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "no_new_privs");
	} else if (mode_is("nice")) {
		check_equal(getpriority(PRIO_PROCESS, 0), 13, "nice");
	} else if (mode_is("batch")) {
		check_equal(sched_getscheduler(0), SCHED_BATCH, "policy");
		check_equal(getpriority(PRIO_PROCESS, 0), 3, "nice");
	} else if (mode_is("idle")) {
		check_equal(sched_getscheduler(0), SCHED_IDLE, "policy");
	} else if (mode_is("fifo")) {
		check_equal(sched_getscheduler(0), SCHED_FIFO, "policy");
		need(!sched_getparam(0, &param));
		check_equal(param.sched_priority, 7, "priority");
	} else if (mode_is("timer-slack")) {
		check_equal(prctl(PR_GET_TIMERSLACK), 1234567, "timer slack");
		need(!prctl(PR_SET_TIMERSLACK, 0));
		check_equal(prctl(PR_GET_TIMERSLACK), SUBJECT_SLACK, "default timer slack");
	} else if (mode_is("pdeath")) {
		need(!prctl(PR_GET_PDEATHSIG, &value));
		check_equal(value, SIGUSR2, "parent-death signal");
	} else if (mode_is("thp-disable")) {
		check_equal(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1, "huge pages disabled");
	} else if (mode_is("umask")) {
		struct stat st;
		int fd = open("made", O_CREAT | O_EXCL | O_WRONLY, 0777);

		need(fd >= 0 && !fstat(fd, &st));
		check_equal(st.st_mode & 0777, 0777 & ~0135, "mode of a new file");
		check_equal(umask(0), 0135, "umask");
	}
	check_equal(prctl(PR_GET_DUMPABLE), dumpable, "dumpable");
}

const struct subject subject = { .setup = setup, .verify = verify };
