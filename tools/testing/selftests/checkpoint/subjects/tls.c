// SPDX-License-Identifier: GPL-2.0
/* Thread-local storage, and what the C library keeps there. */
#include "subject.h"

#include <asm/prctl.h>
#include <locale.h>
#include <pthread.h>

static __thread u64 initialised = 0x1122334455667788ULL;
static __thread u64 words[512];
static u64 *words_address;
static pthread_t self;
static u64 fs_base;
static pthread_key_t key;
static int error_after;

static void setup(void)
{
	words_address = words;
	pattern_fill(words, sizeof(words), 3);
	initialised++;
	self = pthread_self();
	need(!pthread_key_create(&key, NULL));
	need(!pthread_setspecific(key, &key));
	need(!syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base));
}

static void hold(void)
{
	errno = ELNRNG;
	subject_wait();
	error_after = errno;
}

static void verify(void)
{
	u64 base = 0;

	/* A wait that need not wait says so; nothing else changes it. */
	check(error_after == ELNRNG || error_after == EAGAIN, "errno: %d", error_after);
	check(words == words_address, "address of a thread-local array");
	pattern_check(words, sizeof(words), 3, "thread-local array");
	check_equal(initialised, 0x1122334455667789ULL, "thread-local variable");
	check(pthread_self() == self, "pthread_self()");
	check(pthread_getspecific(key) == &key, "pthread_getspecific()");
	need(!syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	check_equal(base, fs_base, "fs base");
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
