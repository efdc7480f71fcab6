// SPDX-License-Identifier: GPL-2.0
/* How much memory processes have, each page once however many have it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void add_process(const char *id, bool shared, struct memory_use *use)
{
	unsigned long long kib;
	char name[64], line[256];
	FILE *smaps;

	snprintf(name, sizeof(name), "/proc/%.20s/smaps_rollup", id);
	smaps = fopen(name, "r");
	if (!smaps)
		return;
	use->tasks++;
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "Pss_Anon: %llu kB", &kib) == 1 ||
		    (shared && sscanf(line, "Pss_Shmem: %llu kB", &kib) == 1))
			use->unique += kib << 10;
		else if (sscanf(line, "AnonHugePages: %llu kB", &kib) == 1)
			use->huge += kib << 10;
	}
	fclose(smaps);
}

void memory_of(pid_t group, bool shared, struct memory_use *use)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	*use = (struct memory_use) { 0 };
	while (proc && (entry = readdir(proc))) {
		char name[64];
		FILE *stat;
		int its;

		if (atoi(entry->d_name) <= 0)
			continue;
		snprintf(name, sizeof(name), "/proc/%.20s/stat", entry->d_name);
		stat = fopen(name, "r");
		if (!stat)
			continue;
		/* The names of our programs have no parenthesis. */
		if (fscanf(stat, "%*d (%*[^)]) %*c %*d %d", &its) == 1 &&
		    its == group)
			add_process(entry->d_name, shared, use);
		fclose(stat);
	}
	if (proc)
		closedir(proc);
}
