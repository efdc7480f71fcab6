// SPDX-License-Identifier: GPL-2.0
/* Descriptors of a type that a checkpoint does not know: one of each. */
#include "refuse.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#define LOOPBACK	1	/* the first interface of every network namespace */

static bool opens(int fd)
{
	return fd >= 0;
}

/*
 * Some descriptors make whoever asks for them something that cannot be saved
 * either. So a child asks, hands over what it got, and is gone.
 */
static bool receive(int (*make)(void))
{
	int fds[2], pidfd, theirs = -1, ours;
	pid_t pid;

	if (pipe(fds))
		return false;
	pid = fork();
	if (!pid) {
		theirs = make();
		if (write(fds[1], &theirs, sizeof(theirs)) != sizeof(theirs))
			_exit(1);
		for (;;)
			pause();
	}
	if (pid < 0 || read(fds[0], &theirs, sizeof(theirs)) != sizeof(theirs))
		return false;
	close(fds[0]);
	close(fds[1]);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ours = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	close(pidfd);
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid && opens(ours);
}

static bool make_udp_socket(void)
{
	return opens(socket(AF_INET6, SOCK_DGRAM, 0));
}

static bool make_raw_socket(void)
{
	return opens(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static bool make_netlink_socket(void)
{
	return opens(socket(AF_NETLINK, SOCK_RAW, 0));
}

static bool make_packet_socket(void)
{
	return opens(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
}

static bool make_fanotify(void)
{
	return opens(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
}

static bool make_huge_memfd(void)
{
	return opens(memfd_create("memory", MFD_HUGETLB));
}

static bool make_secret(void)
{
	return opens(syscall(SYS_memfd_secret, 0));
}

static bool make_userfaultfd(void)
{
	return opens(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
}

static bool make_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};

	return opens(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static bool make_bpf_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
		.max_entries = 1,
	};

	return opens(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int load_program(u32 type)
{
	/* return 2: XDP_PASS */
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = type, .insns = (uintptr_t)code, .insn_cnt = 2,
		.license = (uintptr_t)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static bool make_bpf_program(void)
{
	return opens(load_program(BPF_PROG_TYPE_SOCKET_FILTER));
}

static bool make_bpf_link(void)
{
	int program = load_program(BPF_PROG_TYPE_XDP);
	union bpf_attr attr = {
		.link_create.prog_fd = program, .link_create.target_ifindex = LOOPBACK,
		.link_create.attach_type = BPF_XDP,
	};
	int link = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	close(program);
	return opens(link);
}

static int new_ring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

/* The ring stays with the descriptor; the task counts, too. */
static bool make_io_uring(void)
{
	return opens(new_ring());
}

static bool receive_io_uring(void)
{
	return receive(new_ring);
}

static int new_listener(void)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		       &program);
}

static bool receive_listener(void)
{
	return receive(new_listener);
}

static bool make_ruleset(void)
{
	struct landlock_ruleset_attr attr = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE,
	};

	return opens(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
}

static bool make_message_queue(void)
{
	mqd_t queue = mq_open("/ckpt-refused", O_RDWR | O_CREAT, 0600, NULL);

	return opens(queue) && !mq_unlink("/ckpt-refused");
}

static bool make_fs_context(void)
{
	return opens(syscall(SYS_fsopen, "tmpfs", 0));
}

static bool make_mount(void)
{
	return opens(syscall(SYS_open_tree, AT_FDCWD, ".", OPEN_TREE_CLONE));
}

static bool make_sys_file(void)
{
	return opens(open("/sys/kernel/uevent_seqnum", O_RDONLY));
}

static bool make_trace_file(void)
{
	return opens(open("/sys/kernel/tracing/trace_marker", O_WRONLY));
}

static bool make_cgroup(void)
{
	return opens(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY));
}

static bool make_namespace_file(void)
{
	return opens(open("/proc/self/ns/uts", O_RDONLY));
}

static bool make_kmsg(void)
{
	return opens(open("/dev/kmsg", O_WRONLY));
}

static bool make_fuse(void)
{
	return opens(open("/dev/fuse", O_RDWR));
}

static bool make_cpuid(void)
{
	return opens(open("/dev/cpu/0/cpuid", O_RDONLY));
}

static bool make_kvm(void)
{
	return opens(open("/dev/kvm", O_RDWR));
}

static bool make_block_device(void)
{
	/* The guest has one when the tests that need a disk run. */
	return opens(open("/dev/vda", O_RDONLY));
}

static bool make_tun(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	return opens(fd) && !ioctl(fd, TUNSETIFF, &request);
}

#define NO_METHOD(name, type)	EBADF, "file " name " of type " type " cannot be saved"
#define ANONYMOUS(name)		NO_METHOD(name, "anon_inodefs")
#define SOCKET(name)		NO_METHOD(name, "sockfs")
#define DEVICE(name)		NO_METHOD(name, "devtmpfs")

const struct refusal type_refusals[] = {
	{ "udp-socket", make_udp_socket, SOCKET("UDPv6") },
	{ "raw-socket", make_raw_socket, SOCKET("RAW") },
	{ "netlink-socket", make_netlink_socket, SOCKET("NETLINK") },
	{ "packet-socket", make_packet_socket, SOCKET("PACKET") },
	{ "fanotify", make_fanotify, ANONYMOUS("[fanotify]") },
	{ "memfd-huge", make_huge_memfd, NO_METHOD("memfd:memory", "hugetlbfs") },
	{ "memfd-secret", make_secret, NO_METHOD("secretmem", "secretmem") },
	{ "userfaultfd", make_userfaultfd, ANONYMOUS("[userfaultfd]") },
	{ "perf-event", make_perf, ANONYMOUS("[perf_event]") },
	{ "bpf-map", make_bpf_map, ANONYMOUS("bpf-map") },
	{ "bpf-program", make_bpf_program, ANONYMOUS("bpf-prog") },
	{ "bpf-link", make_bpf_link, ANONYMOUS("bpf_link") },
	{ "io-uring", make_io_uring, EOPNOTSUPP, "it uses io_uring" },
	{ "io-uring-received", receive_io_uring, ANONYMOUS("[io_uring]") },
	{ "seccomp-listener", receive_listener, ANONYMOUS("seccomp notify") },
	{ "landlock-ruleset", make_ruleset, ANONYMOUS("[landlock-ruleset]") },
	{ "message-queue", make_message_queue, NO_METHOD("ckpt-refused", "mqueue") },
	{ "fs-context", make_fs_context, ANONYMOUS("[fscontext]") },
	{ "detached-mount", make_mount, ENOENT, "cannot be named" },
	{ "sys-file", make_sys_file, NO_METHOD("uevent_seqnum", "sysfs") },
	{ "trace-file", make_trace_file, NO_METHOD("trace_marker", "tracefs") },
	{ "cgroup", make_cgroup, NO_METHOD("/", "cgroup2") },
	{ "namespace-file", make_namespace_file, NO_METHOD("/", "nsfs") },
	{ "kmsg", make_kmsg, DEVICE("kmsg") },
	{ "fuse-device", make_fuse, DEVICE("fuse") },
	{ "cpuid-device", make_cpuid, DEVICE("cpuid") },
	{ "kvm-device", make_kvm, DEVICE("kvm") },
	{ "block-device", make_block_device, DEVICE("vda") },
	{ "tun", make_tun, DEVICE("tun") },
};

const size_t nr_type_refusals = sizeof(type_refusals) / sizeof(*type_refusals);
