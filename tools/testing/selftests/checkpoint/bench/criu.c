// SPDX-License-Identifier: GPL-2.0
/*
 * CRIU on the same subject, in the two modes in which it stops a process for the
 * shortest time: a dump; and, for memory, a pre-dump while the process runs, then a
 * dump of what has changed since.  Nothing has: that is as good as it gets.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define CRIU_DIR	DIR_NAME "/criu"
#define PRE_DIR		CRIU_DIR "/pre"
#define DUMP_DIR	CRIU_DIR "/dump"

static uint64_t varint(const uint8_t **at, const uint8_t *limit)
{
	uint64_t value = 0;
	int shift;

	for (shift = 0; *at < limit && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	die("CRIU's statistics are not as expected");
}

/*
 * CRIU's own figures, in microseconds of a guest where an instruction takes a
 * nanosecond: freezing_time and frozen_time, fields 1 and 2 of the message that
 * is field 1. Like our phases they last from the first attempt to stop the
 * process to its release.
 */
static uint64_t stop_time(const char *statistics)
{
	FILE *file = fopen(statistics, "r");
	uint8_t buffer[512];
	size_t size = file ? fread(buffer, 1, sizeof(buffer), file) : 0;
	const uint8_t *at = buffer + 12, *limit = buffer + size;
	uint64_t micros = 0;

	if (file)
		fclose(file);
	if (size < 16 || varint(&at, limit) != 0x0a)
		die("CRIU left no statistics");
	varint(&at, limit);
	while (at < limit) {
		uint64_t tag = varint(&at, limit);
		uint64_t value = varint(&at, limit);

		if (tag == (1 << 3) || tag == (2 << 3))
			micros += value;
	}
	return micros * 1000;
}

static uint64_t empty_directory(const char *name)
{
	DIR *dir = opendir(name);
	struct dirent *entry;
	uint64_t bytes = 0;

	while (dir && (entry = readdir(dir))) {
		struct stat info;

		if (fstatat(dirfd(dir), entry->d_name, &info,
			    AT_SYMLINK_NOFOLLOW) || S_ISDIR(info.st_mode))
			continue;
		if (S_ISREG(info.st_mode) && strstr(entry->d_name, ".img"))
			bytes += info.st_size;
		unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	return bytes;
}

static void measure(const char *engine, const struct load *load, bool quiet,
		    char *const *pre_dump, char *const *dump, char *number)
{
	char *const restore[] = { "criu", "restore", "-v0", "-d", "-D", DUMP_DIR,
				  NULL };
	uint64_t preparing = 0, saving, loading, stop, bytes;
	pid_t pid = begin(load);

	sprintf(number, "%d", pid);
	mkdir(CRIU_DIR, 0755);
	mkdir(PRE_DIR, 0755);
	mkdir(DUMP_DIR, 0755);
	if (pre_dump)
		must_run(&preparing, pre_dump);
	must_run(&saving, dump);
	stop = stop_time(DUMP_DIR "/stats-dump");
	if (pre_dump) {
		uint64_t first = stop_time(PRE_DIR "/stats-dump");

		/* It stops twice; what counts is the longer time. */
		if (first > stop)
			stop = first;
	}
	end(pid);
	must_run(&loading, restore);
	verify(load, pid, engine);
	bytes = empty_directory(PRE_DIR) + empty_directory(DUMP_DIR);
	if (quiet)
		return;
	report_cost(engine, "stop", stop);
	report_cost(engine, "checkpoint", preparing + saving);
	report_cost(engine, "restart", loading);
	if (!by_clock)
		report(engine, "image_bytes", bytes);
}

void measure_criu(const struct load *load, bool quiet)
{
	char number[16];
	char *const dump[] = { "criu", "dump", "-v0", "-R", "-D", DUMP_DIR, "-t",
			       number, NULL };

	measure("criu", load, quiet, NULL, dump, number);
}

void measure_criu_predump(const struct load *load, bool quiet)
{
	char number[16];
	char *const pre_dump[] = { "criu", "pre-dump", "-v0", "-D", PRE_DIR, "-t",
				   number, "--track-mem", "--pre-dump-mode=read",
				   NULL };
	char *const dump[] = { "criu", "dump", "-v0", "-R", "-D", DUMP_DIR, "-t",
			       number, "--track-mem", "--prev-images-dir",
			       "../pre", NULL };

	measure("criu-predump", load, quiet, pre_dump, dump, number);
}
