/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_ASM_X86_CHECKPOINT_IMAGE_H
#define _UAPI_ASM_X86_CHECKPOINT_IMAGE_H

/**
 * struct ckpt_hdr_header_arch - what restart needs from the processor
 * @h: type and length
 * @xfeatures: state components that the saved tasks may use, as in XCR0
 * @xstate_size: bytes of their state in its user-visible form
 * @vdso_size: bytes of the kernel's vdso
 * @vdso_hash: XXH64, seed 0, of the vdso without the instructions that were
 *	chosen for the processor, and of the offset of its data
 * @vdso_chosen_hash: the same with these instructions
 */
struct ckpt_hdr_header_arch {
	struct ckpt_hdr h;
	__u64 xfeatures;
	__u32 xstate_size;
	__u32 vdso_size;
	__u64 vdso_hash;
	__u64 vdso_chosen_hash;
};

/* struct ckpt_hdr_mm_arch.flags */
#define CKPT_MM_X86_VSYSCALL	0x1	/* sees the vsyscall page */

/**
 * struct ckpt_hdr_mm_arch - architecture's part of an address space
 * @h: type and length
 * @vdso: address of the vdso, or 0
 * @flags: CKPT_MM_X86_*
 * @pkeys: protection keys in use besides key 0, bit n is key n
 * @execute_only_pkey: the one of them that the kernel took for memory that
 *	can only be executed, or 0
 */
struct ckpt_hdr_mm_arch {
	struct ckpt_hdr h;
	__u64 vdso;
	__u64 flags;
	__u32 pkeys;
	__u32 execute_only_pkey;
};

/**
 * struct ckpt_hdr_cpu - general registers
 * @h: type and length
 * @r15: register
 * @r14: register
 * @r13: register
 * @r12: register
 * @bp: register
 * @bx: register
 * @r11: register
 * @r10: register
 * @r9: register
 * @r8: register
 * @ax: register
 * @cx: register
 * @dx: register
 * @si: register
 * @di: register
 * @orig_ax: register
 * @ip: register
 * @cs: register
 * @flags: register
 * @sp: register
 * @ss: register
 * @fs_base: register
 * @gs_base: register
 * @ds: register
 * @es: register
 * @fs: register
 * @gs: register
 *
 * In the order and the form of struct user_regs_struct.
 */
struct ckpt_hdr_cpu {
	struct ckpt_hdr h;
	__u64 r15;
	__u64 r14;
	__u64 r13;
	__u64 r12;
	__u64 bp;
	__u64 bx;
	__u64 r11;
	__u64 r10;
	__u64 r9;
	__u64 r8;
	__u64 ax;
	__u64 cx;
	__u64 dx;
	__u64 si;
	__u64 di;
	__u64 orig_ax;
	__u64 ip;
	__u64 cs;
	__u64 flags;
	__u64 sp;
	__u64 ss;
	__u64 fs_base;
	__u64 gs_base;
	__u64 ds;
	__u64 es;
	__u64 fs;
	__u64 gs;
};

/**
 * struct ckpt_hdr_cpu_xstate - x87, vector and protection key registers
 *
 * Followed by a buffer in the form of the NT_X86_XSTATE register set.
 *
 * @h: type and length
 * @features: state components in use, as in XCR0
 */
struct ckpt_hdr_cpu_xstate {
	struct ckpt_hdr h;
	__u64 features;
};

#endif /* _UAPI_ASM_X86_CHECKPOINT_IMAGE_H */
