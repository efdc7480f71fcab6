// SPDX-License-Identifier: GPL-2.0
/*
 * General registers, flags, segment bases and selectors, in user mode.
 *
 * "most": every register but the one that looks at the memory, and the flags.
 * Meanwhile the stack pointer leads nowhere: nobody may put anything there.
 * "rest": that register. "syscall": what a system call must leave alone.
 */
#include "subject.h"

#include <asm/prctl.h>
#include <linux/futex.h>

/* CF, PF, AF, ZF, SF, DF, OF and ID: all that a program may set and keep. */
#define FLAG_BITS	0x200cd5UL
#define FLAGS_A		0x200455UL
#define FLAGS_B		0x000c80UL
#define GS_BASE		0x00007f1234560000UL

/* Used by the assembler code below, at fixed offsets. */
struct registers {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	u64 r8, r9, r10, r11, r12, r13, r14, r15, flags;
	u64 own_rsp, own_rbp;
};

struct registers want, got;
u32 *go;

static u64 syscalls;
static u64 fs_base;
static u16 selectors[5];

static void read_selectors(u16 out[5])
{
	asm volatile("mov %%cs, %0; mov %%ds, %1; mov %%es, %2; mov %%fs, %3; mov %%gs, %4"
		     : "=m"(out[0]), "=m"(out[1]), "=m"(out[2]), "=m"(out[3]), "=m"(out[4]));
}

static void setup(void)
{
	u64 *word = (u64 *)&want;
	int index;

	for (index = 0; index < 16; index++)
		word[index] = pattern_word(1, index);
	want.flags = mode_is("syscall") ? FLAGS_B : FLAGS_A;
	/* Nothing is mapped there, nor is it aligned. */
	want.rsp = 0x0000123456789abdUL;
	go = &control->go;
	/* All of the user's data segments may be loaded anywhere. */
	asm volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0x2b));
	need(!syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE));
	need(!syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base));
	read_selectors(selectors);
}

/* In regs_asm.S: load everything, loop, and store everything when told to go. */
void loop_most(void);
void loop_rest(void);
void block(void);

#define CLOBBERS "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", \
	"r12", "r13", "r14", "r15", "memory", "cc"
/* Past the red zone, where the compiler may keep something. */
#define CALL(function) \
	asm volatile("sub $256, %%rsp; call " #function "; add $256, %%rsp" : : : CLOBBERS)

static void hold(void)
{
	if (mode_is("syscall")) {
		subject_ready(SYS_futex);
		CALL(block);
		while (!subject_must_go()) {
			syscalls++;
			CALL(block);
		}
		return;
	}
	if (mode_is("rest")) {
		subject_ready(SUBJECT_RUNS);
		CALL(loop_rest);
		return;
	}
	subject_ready(SUBJECT_RUNS);
	CALL(loop_most);
}

#define check_register(name) \
	check(got.name == want.name, "%s: is %#llx, was %#llx", #name, \
	      (unsigned long long)got.name, (unsigned long long)want.name)

static void verify(void)
{
	u16 after[5];
	u64 base = 0;
	int index;

	check_register(rbx);
	check_register(rbp);
	check_register(r8);
	check_register(r9);
	check_register(r12);
	check_register(r13);
	check_register(r14);
	check_register(r15);
	if (mode_is("syscall")) {
		check(!got.rax || (long)got.rax == -EAGAIN, "futex: %ld", (long)got.rax);
		check_equal(syscalls, 0, "interruptions");
		check_equal(got.rdx, 0, "rdx");
		check_equal(got.rsi, 0, "rsi");
		check_equal(got.rdi, (u64)go, "rdi");
		check_equal(got.r10, 0, "r10");
	} else {
		check_register(rdx);
		check_register(rsi);
		check_register(rdi);
		check_register(r10);
		check_register(r11);
	}
	if (mode_is("rest")) {
		check_register(rcx);
	} else {
		check_equal(got.flags & FLAG_BITS, want.flags, "flags");
		if (!mode_is("syscall")) {
			check_register(rax);
			check_register(rsp);
		}
	}

	read_selectors(after);
	for (index = 0; index < 5; index++)
		check_equal(after[index], selectors[index], "segment selector");
	need(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	check_equal(base, GS_BASE, "gs base");
	need(!syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
	check_equal(base, fs_base, "fs base");
}

const struct subject subject = { .setup = setup, .hold = hold, .verify = verify };
