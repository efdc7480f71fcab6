// SPDX-License-Identifier: GPL-2.0
/*
 * What the process looks like from outside: executable, arguments and
 * environment (also written over, as daemons do), auxiliary vector; and its
 * place: working directory and root.
 */
#include "subject.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static char exe[512], cwd[512], before[8192], after[8192];
static unsigned char random_bytes[16];
static ssize_t before_len;
static struct stat exe_stat;

static ssize_t slurp(const char *path, char *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, to, sizeof(before));
		close(fd);
	}
	return len;
}

/* The kernel's own idea of where the arguments are, as a daemon uses it. */
static void write_over(const char *path, const char *text)
{
	unsigned long start = 0, end = 0;
	char *word;
	bool arguments = strstr(path, "cmdline");
	int number = 2;

	need(slurp("/proc/self/stat", after) > 0);
	word = strrchr(after, ')');
	while (word && number < 51) {
		word = strchr(word + 1, ' ');
		number++;
		if (word && number == (arguments ? 48 : 50))
			start = strtoul(word, NULL, 10);
		if (word && number == (arguments ? 49 : 51))
			end = strtoul(word, NULL, 10);
	}
	need(start && end > start + strlen(text));
	memset((void *)start, 0, end - start);
	memcpy((char *)start, text, strlen(text));
}

static void setup(void)
{
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	need(len > 0);
	need(!stat("/proc/self/exe", &exe_stat));
	memcpy(random_bytes, (void *)getauxval(AT_RANDOM), sizeof(random_bytes));
	if (mode_is("cwd")) {
		need(!mkdir("room", 0700));
		need(!chdir("room"));
		need(!mkdir("inner", 0700));
	} else if (mode_is("chroot")) {
		need(!mkdir("jail", 0755));
		need(!mkdir("jail/room", 0755));
		/* What the snapshot looks at is out of reach from now on. */
		need(!chroot("jail"));
		need(!chdir("/room"));
	} else if (mode_is("title")) {
		write_over("cmdline", "title: a");
		write_over("environ", "ENV=changed");
		subject_arg = "title";
	}
	need(getcwd(cwd, sizeof(cwd)));
	before_len = slurp("/proc/self/cmdline", before);
}

static void verify(void)
{
	char now[512] = "";
	struct stat st;
	ssize_t len;

	check(!memcmp(random_bytes, (void *)getauxval(AT_RANDOM), 16), "random bytes");
	need(getcwd(now, sizeof(now)));
	check(!strcmp(now, cwd), "working directory: %s, was %s", now, cwd);
	if (mode_is("cwd")) {
		check(!stat("inner", &st) && S_ISDIR(st.st_mode), "inner: %s", strerror(errno));
		check(!stat("../" CONTROL_FILE, &st), "..: %s", strerror(errno));
	}
	if (mode_is("chroot")) {
		check(!stat("/room", &st), "/room: %s", strerror(errno));
		check(stat("/" CONTROL_FILE, &st) && errno == ENOENT, "not in the jail");
		check(stat("/proc/self", &st) && errno == ENOENT, "not in the jail");
		check(!stat("/..", &st) && !chdir("/../.."), "..");
		need(getcwd(now, sizeof(now)));
		check(!strcmp(now, "/"), "root: %s", now);
		return;
	}
	memset(now, 0, sizeof(now));
	len = readlink("/proc/self/exe", now, sizeof(now) - 1);
	check(len > 0 && !strncmp(now, exe, len + 1), "executable: %.*s, was %s", (int)len, now,
	      exe);
	need(!stat("/proc/self/exe", &st));
	check_equal(st.st_ino, exe_stat.st_ino, "inode of the executable");
	len = slurp("/proc/self/cmdline", after);
	check(len == before_len && !memcmp(before, after, len), "arguments: %s", after);
	if (mode_is("title")) {
		check(!strcmp(after, "title: a"), "title: %s", after);
		len = slurp("/proc/self/environ", after);
		check(len > 0 && !strcmp(after, "ENV=changed"), "environment: %s", after);
	} else {
		check(getenv("CKPT_SUBJECT") && !strcmp(getenv("CKPT_SUBJECT"), "yes"),
		      "environment");
	}
}

const struct subject subject = { .setup = setup, .verify = verify };
