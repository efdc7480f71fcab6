// SPDX-License-Identifier: GPL-2.0
/*
 * The messages that the kernel writes while it saves or restores.
 *
 * If the user names no place for them they are collected in memory. A pipe
 * would not do: the kernel would wait for ever once it is full.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmsg.h"
#include "util.h"

/* No more than this is shown. */
#define SHOW_MAX	65536

/**
 * kmsg_open - find the place for messages
 * @kmsg: filled in
 * @file: the user's choice of a file, or NULL
 * @fd: the user's choice of a descriptor, or -1
 *
 * Return: 0, or -1 after a message.
 */
int kmsg_open(struct kmsg *kmsg, const char *file, int fd)
{
	if (file) {
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
		if (fd < 0) {
			error("cannot write the log file %s: %s", file,
			      strerror(errno));
			return -1;
		}
	} else if (fd >= 0 && !is_open(fd)) {
		error("--logfile-fd %d: not an open descriptor", fd);
		return -1;
	}
	kmsg->is_ours = fd < 0;
	if (kmsg->is_ours)
		fd = memfd_create("checkpoint messages", MFD_CLOEXEC);
	/* Without a place for them the work can still be done. */
	kmsg->fd = fd;
	return 0;
}

static void show_line(const char *line, size_t len)
{
	char clean[4096];

	if (len)
		fprintf(stderr, "%s: kernel: %s\n", program,
			clean_text(clean, sizeof(clean), line, len));
}

/**
 * kmsg_show - print on standard error what the kernel said
 * @kmsg: the place; nothing is printed if the user chose it
 */
void kmsg_show(struct kmsg *kmsg)
{
	static char text[SHOW_MAX];
	ssize_t len, start = 0, end;

	if (!kmsg->is_ours || kmsg->fd < 0)
		return;
	len = pread(kmsg->fd, text, sizeof(text), 0);
	for (end = 0; end < len; end++) {
		if (text[end] != '\n')
			continue;
		show_line(text + start, end - start);
		start = end + 1;
	}
	if (len > start)
		show_line(text + start, len - start);
}
