// SPDX-License-Identifier: GPL-2.0
/* A filesystem with one file: what fuse(4) takes at least, and nothing else. */
#include "fuse_file.h"

#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#define FILE_NODE	2

/**
 * struct fuse_control - what the server and the test tell each other
 * @answer: enum fuse_answer
 * @waiting: readers that wait
 */
struct fuse_control {
	u32 answer;
	u32 waiting;
};

static char request[FUSE_MIN_READ_BUFFER + 65536];

static void reply(int device, const struct fuse_in_header *in, int error, const void *data,
		  size_t len)
{
	static char answer[65536];
	struct fuse_out_header out = {
		.len = sizeof(out) + len, .error = error, .unique = in->unique,
	};

	memcpy(answer, &out, sizeof(out));
	memcpy(answer + sizeof(out), data, len);
	/* Who asked may be gone. */
	if (write(device, answer, out.len) != (ssize_t)out.len && errno != ENOENT)
		_exit(1);
}

static struct fuse_attr attributes(u64 node, u64 size)
{
	struct fuse_attr attr = {
		.ino = node, .size = node == FILE_NODE ? size : 0, .nlink = 1,
		.mode = node == FILE_NODE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.blksize = 4096,
	};

	return attr;
}

static void lookup(int device, const struct fuse_in_header *in, const char *name, u64 size)
{
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE, .generation = 1, .entry_valid = 1000, .attr_valid = 1000,
		.attr = attributes(FILE_NODE, size),
	};

	if (strcmp(name, "file"))
		reply(device, in, -ENOENT, NULL, 0);
	else
		reply(device, in, 0, &entry, sizeof(entry));
}

static void init(int device, const struct fuse_in_header *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
	};

	reply(device, in, 0, &out, sizeof(out));
}

static void read_file(int device, struct fuse_control *control, const struct fuse_in_header *in,
		      const struct fuse_read_in *read)
{
	char data[FUSE_FILE_SIZE];
	size_t len = 0;

	memset(data, FUSE_FILE_LETTER, sizeof(data));
	if (read->offset < sizeof(data))
		len = sizeof(data) - read->offset;
	if (len > read->size)
		len = read->size;
	if (READ_ONCE(control->answer) == FUSE_WAIT) {
		tell_word(&control->waiting, 1);
		while (READ_ONCE(control->answer) == FUSE_WAIT)
			await_word(&control->answer, FUSE_WAIT, 0);
		tell_word(&control->waiting, 0);
	}
	reply(device, in, 0, data, len);
}

static void serve(int device, struct fuse_control *control)
{
	const struct fuse_in_header *in = (void *)request;
	const void *arg = request + sizeof(*in);
	u64 size = FUSE_FILE_SIZE;

	while (read(device, request, sizeof(request)) > 0) {
		const struct fuse_setattr_in *set = arg;
		struct fuse_attr_out attr = { .attr_valid = 1000 };
		/* Opening it keeps what the kernel has of it. */
		struct fuse_open_out file = { .open_flags = FOPEN_KEEP_CACHE };

		switch (in->opcode) {
		case FUSE_INIT:
			init(device, in);
			break;
		case FUSE_LOOKUP:
			lookup(device, in, arg, size);
			break;
		case FUSE_GETATTR:
		case FUSE_SETATTR:
			if (in->opcode == FUSE_SETATTR && set->valid & FATTR_SIZE)
				size = set->size;
			attr.attr = attributes(in->nodeid, size);
			reply(device, in, 0, &attr, sizeof(attr));
			break;
		case FUSE_OPEN:
			reply(device, in, 0, &file, sizeof(file));
			break;
		case FUSE_READ:
			read_file(device, control, in, arg);
			break;
		case FUSE_WRITE:
			reply(device, in, -EIO, NULL, 0);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			reply(device, in, -ENOSYS, NULL, 0);
		}
	}
	_exit(0);
}

bool fuse_file_mount(struct fuse_file *fuse, const char *dir)
{
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[64];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	fuse->dir = dir;
	fuse->control = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (device < 0 || fuse->control == MAP_FAILED || (mkdir(dir, 0700) && errno != EEXIST) ||
	    mount("fuse", dir, "fuse", MS_NODEV | MS_NOSUID, options))
		return complain("fuse: %s", strerror(errno));
	fuse->pid = fork();
	if (!fuse->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(device, fuse->control);
	}
	close(device);
	return fuse->pid > 0;
}

void fuse_file_umount(struct fuse_file *fuse)
{
	fuse_file_set_answer(fuse, FUSE_ANSWER);
	umount2(fuse->dir, MNT_DETACH);
	kill_and_reap(fuse->pid);
	munmap(fuse->control, 4096);
}

void fuse_file_set_answer(struct fuse_file *fuse, enum fuse_answer answer)
{
	tell_word(&fuse->control->answer, answer);
}

bool fuse_file_await_reader(struct fuse_file *fuse)
{
	return await_word(&fuse->control->waiting, 0, fuse->pid);
}
