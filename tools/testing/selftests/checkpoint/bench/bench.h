/* SPDX-License-Identifier: GPL-2.0 */
/* What the benchmark and its subject share. */
#ifndef _CKPT_BENCH_H
#define _CKPT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIR_NAME	"/tmp/bench"
#define READY		DIR_NAME "/ready"
#define VERDICT		DIR_NAME "/verdict"
#define PAGE		4096UL

__attribute__((format(printf, 1, 2), noreturn))
void die(const char *format, ...);
void write_file(const char *name, const char *text);

/* Memory with a pattern, and whether it still has it. */
uint64_t *fill(size_t size);
bool intact(const uint64_t *memory, size_t size);

/* Hold what @kind says until asked, then say whether all is as it was. */
int subject(const char *kind, size_t count);

#endif /* _CKPT_BENCH_H */
