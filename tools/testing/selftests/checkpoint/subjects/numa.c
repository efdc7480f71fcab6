// SPDX-License-Identifier: GPL-2.0
/*
 * On which nodes memory is to be: policies of a task, of a thread, of mappings, and
 * of shared memory; and where the memory is. Two nodes are needed.
 */
#include "subject.h"

#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node	450
#endif
#ifndef MPOL_PREFERRED_MANY
#define MPOL_PREFERRED_MANY	5
#endif
#define WEIGHTED_INTERLEAVE	6
#ifndef MPOL_F_NUMA_BALANCING
#define MPOL_F_NUMA_BALANCING	0x2000
#endif

/* Bits of a word: as many nodes as any test names. */
#define MAX_NODE	64
#define PAGES		8
#define BYTES		(PAGES * PAGE_SIZE)
#define NODE(node)	(1UL << (node))
#define BOTH		(NODE(0) | NODE(1))

/**
 * struct policy - what a system call is given, and what it makes of that
 * @mode: with flags
 * @nodes: as given, and as get_mempolicy() tells them
 * @on: node that all memory is on then, or -1
 * @home: home node, or -1
 */
struct policy {
	int mode;
	unsigned long nodes;
	int on;
	int home;
};

static const struct policy policies[] = {
	{ MPOL_BIND, NODE(1), 1, -1 },
	{ MPOL_PREFERRED, NODE(1), 1, -1 },
	{ MPOL_INTERLEAVE, BOTH, -1, -1 },
	{ MPOL_LOCAL, 0, -1, -1 },
	{ MPOL_PREFERRED_MANY, BOTH, -1, -1 },
	{ WEIGHTED_INTERLEAVE, BOTH, -1, -1 },
	/* A node that is not there may come. */
	{ MPOL_BIND | MPOL_F_STATIC_NODES, NODE(1) | NODE(5), 1, -1 },
	{ MPOL_PREFERRED | MPOL_F_STATIC_NODES, NODE(1) | NODE(7), 1, -1 },
	/* The fourth of two, and so the second. */
	{ MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(3), 1, -1 },
	{ MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES, NODE(2) | NODE(3), -1, -1 },
	{ MPOL_BIND | MPOL_F_NUMA_BALANCING, BOTH, -1, -1 },
	/* Only of mappings. */
	{ MPOL_BIND, BOTH, -1, 1 },
	{ MPOL_BIND, BOTH, -1, 0 },
	{ MPOL_PREFERRED_MANY, BOTH, -1, 1 },
};

#define OF_MAPPINGS	ARRAY_SIZE(policies)

static long get_policy(int *mode, unsigned long *nodes, const void *at, unsigned long flags)
{
	*nodes = 0;
	return syscall(SYS_get_mempolicy, mode, nodes, MAX_NODE + 1, at, flags);
}

static void need_two_nodes(void)
{
	unsigned long nodes;
	int mode;

	if (get_policy(&mode, &nodes, NULL, MPOL_F_MEMS_ALLOWED))
		subject_skip("no NUMA policies: %s", strerror(errno));
	if ((nodes & BOTH) != BOTH)
		subject_skip("no second node");
}

static void set_task(const struct policy *policy)
{
	need(!syscall(SYS_set_mempolicy, policy->mode, &policy->nodes, MAX_NODE + 1));
}

static void check_policy(const struct policy *policy, const void *at, const char *what)
{
	unsigned long nodes;
	int mode = -1;

	need(!get_policy(&mode, &nodes, at, at ? MPOL_F_ADDR : 0));
	check(mode == policy->mode && nodes == policy->nodes,
	      "%s: policy %#x for nodes %#lx, was %#x for %#lx", what, mode, nodes,
	      policy->mode, policy->nodes);
}

static void bind(void *at, size_t bytes, const struct policy *policy)
{
	need(!syscall(SYS_mbind, at, bytes, policy->mode, &policy->nodes, MAX_NODE + 1, 0));
	if (policy->home >= 0)
		need(!syscall(SYS_set_mempolicy_home_node, at, bytes, policy->home, 0));
}

static int node_of(void *at)
{
	int status = -1;

	need(!syscall(SYS_move_pages, 0, 1, &at, NULL, &status, 0));
	return status;
}

static void check_nodes(char *at, size_t bytes, int node, const char *what)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += PAGE_SIZE)
		check(node_of(at + offset) == node, "%s: page %zu is on node %d", what,
		      offset / PAGE_SIZE, node_of(at + offset));
}

static char *map_memory(int flags, int fd, size_t bytes)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	need(at != MAP_FAILED);
	return at;
}

static char *memory;

/* The argument ends with the number of a policy. */
static const struct policy *chosen(void)
{
	return &policies[atoi(strrchr(subject_arg, '-') + 1)];
}

static void setup_task(void)
{
	set_task(chosen());
	memory = map_memory(MAP_PRIVATE | MAP_ANONYMOUS, -1, BYTES);
	pattern_fill(memory, BYTES, 1);
}

static void verify_task(void)
{
	char *fresh = map_memory(MAP_PRIVATE | MAP_ANONYMOUS, -1, BYTES);

	check_policy(chosen(), NULL, "task");
	pattern_check(memory, BYTES, 1, "memory");
	pattern_fill(fresh, BYTES, 2);
	if (chosen()->on < 0)
		return;
	check_nodes(memory, BYTES, chosen()->on, "memory");
	check_nodes(fresh, BYTES, chosen()->on, "new memory");
}

/* The first thread has one, the second another. */
static pthread_t thread;
static char *other_memory;
static volatile u32 other_is_ready, other_must_look;

static void *be_other(void *unused)
{
	set_task(&policies[0]);
	other_memory = map_memory(MAP_PRIVATE | MAP_ANONYMOUS, -1, BYTES);
	pattern_fill(other_memory, BYTES, 3);
	other_is_ready = 1;
	subject_stay();
	/* All threads are to be there until then. */
	while (!other_must_look)
		sched_yield();
	check_policy(&policies[0], NULL, "the other thread");
	return unused;
}

static void setup_thread(void)
{
	need(!pthread_create(&thread, NULL, be_other, NULL));
	while (!other_is_ready)
		sched_yield();
	set_task(&policies[9]);
}

static void verify_thread(void)
{
	other_must_look = 1;
	check_policy(&policies[9], NULL, "the first thread");
	need(!pthread_join(thread, NULL));
	pattern_check(other_memory, BYTES, 3, "memory of the other thread");
}

/* One mapping of which each policy has a part, with a part without any between. */
static char *part(size_t index)
{
	return memory + 2 * index * BYTES;
}

static void bind_parts(void)
{
	size_t index;

	for (index = 0; index < OF_MAPPINGS; index++) {
		bind(part(index), BYTES, &policies[index]);
		pattern_fill(part(index), BYTES / 2, index);
	}
	/* Neighbours that differ in the home node alone. */
	bind(part(OF_MAPPINGS - 1) + BYTES, BYTES, &policies[11]);
	bind(part(OF_MAPPINGS - 1) + BYTES + BYTES / 2, BYTES / 2, &policies[12]);
}

static void check_parts(void)
{
	static const struct policy none = { 0 };
	char name[32];
	size_t index;

	for (index = 0; index < OF_MAPPINGS; index++) {
		snprintf(name, sizeof(name), "part %zu", index);
		check_policy(&policies[index], part(index), name);
		check_policy(&policies[index], part(index) + BYTES - 1, name);
		if (index < OF_MAPPINGS - 1)
			check_policy(&none, part(index) + BYTES, "part without policy");
		pattern_check(part(index), BYTES / 2, index, name);
		pattern_fill(part(index) + BYTES / 2, BYTES / 2, index);
		if (policies[index].on >= 0)
			check_nodes(part(index), BYTES, policies[index].on, name);
	}
}

static void setup_mappings(void)
{
	memory = map_memory(MAP_PRIVATE | MAP_ANONYMOUS, -1, 2 * OF_MAPPINGS * BYTES);
	bind_parts();
}

static int file;

static void setup_file(void)
{
	file = open("data", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	need(file >= 0 && !ftruncate(file, 2 * OF_MAPPINGS * BYTES));
	memory = map_memory(MAP_PRIVATE, file, 2 * OF_MAPPINGS * BYTES);
	bind_parts();
}

static void setup_shared(void)
{
	memory = map_memory(MAP_SHARED | MAP_ANONYMOUS, -1, 2 * OF_MAPPINGS * BYTES);
	bind_parts();
}

/*
 * The memory keeps its policy when it is not mapped, and what one mapping was told
 * holds for every other. The first mapping was told something else before.
 */
static char *second;

static void setup_memfd(void)
{
	file = syscall(SYS_memfd_create, "numa", 0);
	need(file >= 0 && !ftruncate(file, 2 * OF_MAPPINGS * BYTES));
	memory = map_memory(MAP_SHARED, file, 2 * OF_MAPPINGS * BYTES);
	bind_parts();
	need(!munmap(memory, 2 * OF_MAPPINGS * BYTES));
	memory = map_memory(MAP_SHARED, file, 2 * OF_MAPPINGS * BYTES);
	bind(part(3), BYTES, &policies[2]);
	second = map_memory(MAP_SHARED, file, 2 * OF_MAPPINGS * BYTES);
	bind(second + 2 * 3 * BYTES, BYTES, &policies[3]);
	need(!munmap(second, 2 * OF_MAPPINGS * BYTES));
}

/* A part of a mapping that grows down. */
static void setup_stack(void)
{
	char *at = (char *)((uintptr_t)__builtin_frame_address(0) & ~(PAGE_SIZE - 1));

	memory = at - 4 * PAGE_SIZE;
	bind(memory, PAGE_SIZE, &policies[0]);
}

static void verify_stack(void)
{
	check_policy(&policies[0], memory, "stack");
}

static void setup(void)
{
	need_two_nodes();
}

static const struct subject_mode modes[] = {
	{ "task-0", setup_task, verify_task },
	{ "task-1", setup_task, verify_task },
	{ "task-2", setup_task, verify_task },
	{ "task-3", setup_task, verify_task },
	{ "task-4", setup_task, verify_task },
	{ "task-5", setup_task, verify_task },
	{ "task-6", setup_task, verify_task },
	{ "task-7", setup_task, verify_task },
	{ "task-8", setup_task, verify_task },
	{ "task-9", setup_task, verify_task },
	{ "task-10", setup_task, verify_task },
	{ "thread", setup_thread, verify_thread },
	{ "mappings", setup_mappings, check_parts },
	{ "file", setup_file, check_parts },
	{ "shared", setup_shared, check_parts },
	{ "memfd", setup_memfd, check_parts },
	{ "stack", setup_stack, verify_stack },
	{ }
};

const struct subject subject = { .setup = setup, .modes = modes };
