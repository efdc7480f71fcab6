/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load every register from "want", wait for "go", and store them in "got".
 * Behind "go" is the word that says that the loop runs.
 */

	.text

load:
	mov	%rsp, want+136(%rip)
	mov	%rbp, want+144(%rip)
	pushq	want+128(%rip)
	popfq
	mov	want+0(%rip), %rax
	mov	want+8(%rip), %rbx
	mov	want+24(%rip), %rdx
	mov	want+32(%rip), %rsi
	mov	want+40(%rip), %rdi
	mov	want+48(%rip), %rbp
	mov	want+64(%rip), %r8
	mov	want+72(%rip), %r9
	mov	want+80(%rip), %r10
	mov	want+88(%rip), %r11
	mov	want+96(%rip), %r12
	mov	want+104(%rip), %r13
	mov	want+112(%rip), %r14
	mov	want+120(%rip), %r15
	ret

store:
	mov	%rax, got+0(%rip)
	mov	%rbx, got+8(%rip)
	mov	%rcx, got+16(%rip)
	mov	%rdx, got+24(%rip)
	mov	%rsi, got+32(%rip)
	mov	%rdi, got+40(%rip)
	mov	%rbp, got+48(%rip)
	mov	%r8, got+64(%rip)
	mov	%r9, got+72(%rip)
	mov	%r10, got+80(%rip)
	mov	%r11, got+88(%rip)
	mov	%r12, got+96(%rip)
	mov	%r13, got+104(%rip)
	mov	%r14, got+112(%rip)
	mov	%r15, got+120(%rip)
	pushfq
	popq	got+128(%rip)
	cld
	mov	want+144(%rip), %rbp
	ret

/* jrcxz looks at no flag and changes none. */
	.globl	loop_most
loop_most:
	call	load
	mov	want+56(%rip), %rsp
1:	mov	go(%rip), %rcx
	movl	$1, 4(%rcx)
	mov	(%rcx), %ecx
	jrcxz	1b
	mov	%rsp, got+56(%rip)
	mov	want+136(%rip), %rsp
	lea	8(%rsp), %rsp
	jmp	store

	.globl	loop_rest
loop_rest:
	call	load
	mov	want+16(%rip), %rcx
	mov	go(%rip), %rax
1:	movl	$1, 4(%rax)
	cmpl	$0, (%rax)
	je	1b
	jmp	store

	.globl	block
block:
	call	load
	mov	$202, %eax
	mov	go(%rip), %rdi
	xor	%esi, %esi
	xor	%edx, %edx
	xor	%r10d, %r10d
	pushq	want+128(%rip)
	popfq
	syscall
	jmp	store

	.section .note.GNU-stack, "", @progbits
