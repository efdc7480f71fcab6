/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls for processes that share their memory with others, and with it
 * the errno of the C library.
 */
#ifndef _CKPT_RAW_H
#define _CKPT_RAW_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
/* Return: as the kernel does, a negative errno in particular. */
static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a" (ret)
			 : "a" (number), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8),
			   "r" (r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#else
static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
	long ret = syscall(number, a, b, c, d, e, f);

	return ret < 0 ? -errno : ret;
}
#endif

#define RAW_CALL(number, a, b, c, d, e, f, ...)				\
	raw_call(number, (long)(a), (long)(b), (long)(c), (long)(d),	\
		 (long)(e), (long)(f))
/* raw_syscall(number, argument...), up to six */
#define raw_syscall(...)	RAW_CALL(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif /* _CKPT_RAW_H */
