/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one header that differs between the kernel, which reads and writes
 * images, and the tools, which print them: both build record.c and records.c.
 */
#ifndef _CHECKPOINT_IMAGE_PORT_H
#define _CHECKPOINT_IMAGE_PORT_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define U32_MAX 0xffffffffU

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
#endif

#endif /* _CHECKPOINT_IMAGE_PORT_H */
