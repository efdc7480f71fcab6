/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the benchmark share. */
#ifndef _CKPT_BENCH_H
#define _CKPT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DIR_NAME	"/tmp/bench"
#define READY		DIR_NAME "/ready"
#define VERDICT		DIR_NAME "/verdict"
#define IMAGE		DIR_NAME "/image"
#define PAGE		4096UL
/* What has not happened by then never will. */
#define PATIENCE_MS	600000
#define HUGE_PAGE	(2UL << 20)
/* What the children of one process have in common. */
#define COW_SIZE	(64UL << 20)

/**
 * struct load - what the subject holds
 * @kind: of what
 * @count: how many
 */
struct load {
	const char *kind;
	size_t count;
};

extern const char *workload;
extern bool by_clock;

__attribute__((format(printf, 1, 2), noreturn))
void die(const char *format, ...);
void write_file(const char *name, const char *text);

/* Ticks: instructions, or nanoseconds by the clock. */
uint64_t now_ticks(void);
void report(const char *engine, const char *metric, uint64_t value);
void report_cost(const char *engine, const char *what, uint64_t ticks);
/* Run a program that has to succeed; @ticks is what it took but for waiting. */
void must_run(uint64_t *ticks, char *const argv[]);

/* Until a file in DIR_NAME has that in it; what is not written to fails at last. */
void await_text(const char *name, const char *text);

/* The subject: start one, end it, ask it whether it is as it was. */
pid_t begin(const struct load *load);
void end(pid_t pid);
void verify(const struct load *load, pid_t pid, const char *engine);

/* Memory with a pattern, of kind "anon", "thp" or "shared", and whether it has it. */
bool is_memory(const char *kind);
uint64_t pattern(uint64_t word);
uint64_t *fill(const char *kind, size_t size);
bool intact(const uint64_t *memory, size_t size);

/* Hold what @kind says until asked, then say whether all is as it was. */
int subject(const char *kind, size_t count);

/* The memory that the processes of a group have, in bytes. */
struct memory_use {
	uint64_t unique;
	uint64_t huge;
	unsigned int tasks;
};

void memory_of(pid_t group, bool shared, struct memory_use *use);

/* CRIU: a dump, or a pre-dump and then the dump of what has changed since. */
void measure_criu(const struct load *load, bool quiet);
void measure_criu_predump(const struct load *load, bool quiet);

/* What nobody can do without. */
void measure_floors(const struct load *load);

/* redis-server with so many keys for each MiB; its own way to save them. */
#define REDIS_KEYS	1024
/* Requests that are under way at once. */
#define REDIS_BATCH	32

pid_t redis_begin(size_t count, const char *cgroup);
bool redis_verify(size_t count);
void redis_floors(size_t count);
int redis_connect(void);
void redis_disconnect(int fd);
bool redis_requests(int fd, const size_t *keys, size_t count, size_t writes);

/* Its clients while it is saved. */
int measure_service(size_t count);

/* What other system calls cost, for two kernels to be compared. */
int measure_calls(void);

#endif /* _CKPT_BENCH_H */
