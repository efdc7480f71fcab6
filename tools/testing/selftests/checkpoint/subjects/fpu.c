// SPDX-License-Identifier: GPL-2.0
/*
 * x87, SSE, AVX, AVX-512 and protection key registers, in use in a loop in
 * user mode or during a system call ("NAME-syscall").
 */
#include "subject.h"

#include <cpuid.h>

struct vectors {
	u8 zmm[32][64];
	u64 k[8];
} __attribute__((aligned(64)));

struct x87 {
	u16 control, reserved0, status, reserved1, tag, reserved2;
	u32 ip, cs_opcode, data, ds;
	u8 st[8][10];
} __attribute__((packed));

static struct vectors want, got;
static struct x87 want_x87, got_x87;
static u32 want_mxcsr, got_mxcsr;
static u32 want_pkru, got_pkru;
static bool with_syscall;

static bool kind_is(const char *name)
{
	return !strncmp(subject_arg, name, strlen(name)) &&
	       (!subject_arg[strlen(name)] || subject_arg[strlen(name)] == '-');
}

/* Does the processor have it, and does the kernel save it? */
static bool have_xfeatures(u32 wanted)
{
	u32 a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1 << 27)))
		return false;
	asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (a & wanted) == wanted;
}

static bool have_cpuid7(unsigned int reg, int bit)
{
	u32 r[4];

	return __get_cpuid_count(7, 0, &r[0], &r[1], &r[2], &r[3]) && (r[reg] >> bit & 1);
}

static void setup(void)
{
	u32 a, b, c, d;

	with_syscall = strstr(subject_arg, "-syscall");
	if (kind_is("avx") && (!have_xfeatures(0x6) || !__get_cpuid(1, &a, &b, &c, &d) ||
			       !(c & (1 << 28))))
		subject_skip("this processor has no AVX");
	if (kind_is("avx512") &&
	    (!have_xfeatures(0xe6) || !have_cpuid7(1, 16) || !have_cpuid7(1, 30)))
		subject_skip("this processor has no AVX-512 with mask registers of 64 bits");
	if (kind_is("pkru") && (!have_xfeatures(0x200) || !have_cpuid7(2, 4)))
		subject_skip("this processor has no protection keys");
	pattern_fill(&want, sizeof(want), 7);
}

/* futex(&control->go, FUTEX_WAIT, 0, NULL): the kernel keeps the rest. */
#define WAIT_SYSCALL							\
	"	mov	$202, %%eax\n"					\
	"	mov	%[go], %%rdi\n"					\
	"	xor	%%esi, %%esi\n"					\
	"	xor	%%edx, %%edx\n"					\
	"	xor	%%r10d, %%r10d\n"				\
	"	syscall\n"
#define WAIT								\
	"1:	movl	$1, 4(%[go])\n"				\
	"	cmpl	$0, (%[go])\n"					\
	"	jne	3f\n"						\
	"	cmpl	$0, %[block]\n"					\
	"	je	1b\n"						\
	WAIT_SYSCALL							\
	"	jmp	1b\n"						\
	"3:\n"
#define WAIT_INPUTS	[go] "r"(&control->go), [block] "m"(block)
#define WAIT_CLOBBERS	"rax", "rcx", "rdx", "rsi", "rdi", "r10", "r11", "memory", "cc"

static void hold_x87(u32 block)
{
	static const double values[8] = { 1.5, -2.25, 3e300, 4e-300, 0.0, -0.0, 1e-320, 7.0 };
	/* Round up, double precision, all exceptions masked. */
	u16 control_word = 0x0a7f;
	int index;

	asm volatile("fninit; fldcw %0" : : "m"(control_word));
	for (index = 0; index < 8; index++)
		asm volatile("fldl %0" : : "m"(values[index]));
	/* Inexact, and a top of stack that is not 0. */
	asm volatile("fstp %%st(0); fld1; fldpi; fincstp; fnstcw %0" : "=m"(control_word));
	/* fnsave clears: load again what it saved. */
	asm volatile("fnsave %0; frstor %0" : "+m"(want_x87));
	asm volatile(WAIT : : WAIT_INPUTS : WAIT_CLOBBERS);
	asm volatile("fnsave %0" : "=m"(got_x87));
	asm volatile("fninit");
}

#define EACH16(f)	f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) \
			f(12) f(13) f(14) f(15)
#define EACH32(f)	EACH16(f) f(16) f(17) f(18) f(19) f(20) f(21) f(22) f(23) f(24) \
			f(25) f(26) f(27) f(28) f(29) f(30) f(31)
#define LOAD_XMM(n)	"	movups	" #n "*64(%[want]), %%xmm" #n "\n"
#define SAVE_XMM(n)	"	movups	%%xmm" #n ", " #n "*64(%[got])\n"
#define LOAD_YMM(n)	"	vmovups	" #n "*64(%[want]), %%ymm" #n "\n"
#define SAVE_YMM(n)	"	vmovups	%%ymm" #n ", " #n "*64(%[got])\n"
#define LOAD_ZMM(n)	"	vmovups	" #n "*64(%[want]), %%zmm" #n "\n"
#define SAVE_ZMM(n)	"	vmovups	%%zmm" #n ", " #n "*64(%[got])\n"
#define LOAD_K(n)	"	kmovq	2048+" #n "*8(%[want]), %%k" #n "\n"
#define SAVE_K(n)	"	kmovq	%%k" #n ", 2048+" #n "*8(%[got])\n"
#define EACH_K(f)	f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)
#define VECTORS		[want] "r"(&want), [got] "r"(&got)

static void hold_sse(u32 block)
{
	u32 plain = 0x1f80;

	/* Round towards zero, denormals are zero, flush to zero, some flags. */
	want_mxcsr = 0x1f80 | 0x6000 | 0x8040 | 0x21;
	asm volatile("ldmxcsr %0" : : "m"(want_mxcsr));
	asm volatile(EACH16(LOAD_XMM) WAIT EACH16(SAVE_XMM)
		     : : WAIT_INPUTS, VECTORS : WAIT_CLOBBERS);
	asm volatile("stmxcsr %0; ldmxcsr %1" : "=m"(got_mxcsr) : "m"(plain));
}

static void hold_avx(u32 block)
{
	asm volatile(EACH16(LOAD_YMM) WAIT EACH16(SAVE_YMM) "	vzeroupper\n"
		     : : WAIT_INPUTS, VECTORS : WAIT_CLOBBERS);
}

static void hold_avx512(u32 block)
{
	asm volatile(EACH32(LOAD_ZMM) EACH_K(LOAD_K) WAIT
		     EACH32(SAVE_ZMM) EACH_K(SAVE_K) "	vzeroupper\n"
		     : : WAIT_INPUTS, VECTORS : WAIT_CLOBBERS);
}

static void hold_pkru(u32 block)
{
	u32 zero = 0, high;

	asm volatile("rdpkru" : "=a"(want_pkru), "=d"(high) : "c"(0));
	/* Keys that are not in use: denies nobody anything. */
	want_pkru ^= 0x00990000;
	asm volatile("wrpkru" : : "a"(want_pkru), "c"(zero), "d"(zero));
	asm volatile(WAIT : : WAIT_INPUTS : WAIT_CLOBBERS);
	asm volatile("rdpkru" : "=a"(got_pkru), "=d"(high) : "c"(0));
}

static void hold(void)
{
	u32 block = with_syscall;

	subject_ready(with_syscall ? SYS_futex : SUBJECT_RUNS);
	if (kind_is("x87"))
		hold_x87(block);
	else if (kind_is("avx512"))
		hold_avx512(block);
	else if (kind_is("avx"))
		hold_avx(block);
	else if (kind_is("pkru"))
		hold_pkru(block);
	else
		hold_sse(block);
}

static void verify_vectors(int registers, int bytes)
{
	int index;

	for (index = 0; index < registers; index++)
		check(!memcmp(want.zmm[index], got.zmm[index], bytes), "vector register %d: %#llx",
		      index, *(unsigned long long *)got.zmm[index]);
}

static void verify(void)
{
	int index;

	if (kind_is("x87")) {
		check_equal(got_x87.control, want_x87.control, "control word");
		check_equal(got_x87.status, want_x87.status, "status word");
		check_equal(got_x87.tag, want_x87.tag, "tag word");
		for (index = 0; index < 8; index++)
			check(!memcmp(got_x87.st[index], want_x87.st[index], 10), "st(%d)", index);
		check(got_x87.control == 0x0a7f, "the control word was never set");
	} else if (kind_is("avx512")) {
		verify_vectors(32, 64);
		for (index = 0; index < 8; index++)
			check_equal(got.k[index], want.k[index], "mask register");
	} else if (kind_is("avx")) {
		verify_vectors(16, 32);
	} else if (kind_is("pkru")) {
		check_equal(got_pkru, want_pkru, "pkru");
	} else {
		verify_vectors(16, 16);
		check_equal(got_mxcsr, want_mxcsr, "mxcsr");
	}
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
