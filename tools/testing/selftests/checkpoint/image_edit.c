// SPDX-License-Identifier: GPL-2.0
/*
 * Images that a test changes.
 *
 * Names and places of the fields come from the description of records that the
 * kernel validates with.
 */
#include "harness.h"
#include "image_edit.h"

#include <sched.h>
#include <sys/ioctl.h>

#include "digest.h"
#include "record.h"
#include <linux/checkpoint_image.h>

bool image_load_fd(struct image *image, int fd)
{
	struct stat st;

	*image = (struct image){ 0 };
	if (fstat(fd, &st))
		return complain("image: %s", strerror(errno));
	image->room = st.st_size + 8;
	image->data = malloc(image->room);
	if (!image->data)
		return complain("no memory for an image");
	while (image->len < (size_t)st.st_size) {
		ssize_t got = pread(fd, image->data + image->len, st.st_size - image->len,
				    image->len);

		if (got <= 0)
			return complain("image: read: %s", strerror(errno));
		image->len += got;
	}
	return true;
}

bool image_load(struct image *image, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	good = image_load_fd(image, fd);
	close(fd);
	return good;
}

bool image_store_fd(const struct image *image, int fd)
{
	size_t at = 0;

	if (ftruncate(fd, 0))
		return complain("image: %s", strerror(errno));
	while (at < image->len) {
		ssize_t put = pwrite(fd, image->data + at, image->len - at, at);

		if (put <= 0)
			return complain("image: write: %s", strerror(errno));
		at += put;
	}
	lseek(fd, 0, SEEK_SET);
	return true;
}

bool image_store(const struct image *image, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good;

	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	good = image_store_fd(image, fd);
	close(fd);
	return good;
}

bool image_copy(struct image *to, const struct image *from)
{
	*to = *from;
	to->data = malloc(from->room);
	if (!to->data)
		return complain("no memory for an image");
	memcpy(to->data, from->data, from->len);
	return true;
}

void image_free(struct image *image)
{
	free(image->data);
	image->data = NULL;
}

static struct ckpt_hdr header_at(const struct image *image, size_t offset)
{
	struct ckpt_hdr header = { 0 };

	if (offset + sizeof(header) <= image->len)
		memcpy(&header, image->data + offset, sizeof(header));
	if (header.len < sizeof(header) || header.len > image->len - offset)
		header.len = 0;
	return header;
}

static const struct ckpt_record *type_by_name(const char *name, size_t len)
{
	unsigned int index;

	for (index = 0; index < ckpt_nr_records; index++)
		if (!strncmp(ckpt_records[index].name, name, len) &&
		    !ckpt_records[index].name[len])
			return &ckpt_records[index];
	complain("there is no record '%.*s'", (int)len, name);
	return NULL;
}

static long find_record(const struct image *image, const struct ckpt_record *type,
			unsigned int index)
{
	size_t at = 0;

	for (;;) {
		struct ckpt_hdr header = header_at(image, at);

		if (!header.len)
			return -1;
		if (header.type == type->type && !index--)
			return at;
		at += header.len;
	}
}

long image_find(const struct image *image, const char *type, unsigned int index)
{
	const struct ckpt_record *record = type_by_name(type, strlen(type));

	return record ? find_record(image, record, index) : -1;
}

unsigned int image_count(const struct image *image, const char *type)
{
	unsigned int count = 0;

	while (image_find(image, type, count) >= 0)
		count++;
	return count;
}

long image_next(const struct image *image, long offset)
{
	struct ckpt_hdr header = header_at(image, offset);
	size_t next = offset + header.len;

	return header.len && header_at(image, next).len ? (long)next : -1;
}

const char *image_type(const struct image *image, long offset)
{
	const struct ckpt_record *record = ckpt_record_find(header_at(image, offset).type);

	return record ? record->name : "?";
}

const char *image_text(const struct image *image, long offset)
{
	return (const char *)image->data + offset + sizeof(struct ckpt_hdr_string);
}

void *image_at(struct image *image, long offset, size_t bytes)
{
	if (offset < 0 || offset + bytes > image->len)
		return NULL;
	return image->data + offset;
}

/* Where a field is; its size in @size. */
static long find_field(const struct image *image, const char *what, size_t *size)
{
	size_t len = strcspn(what, ".["), element = 0, field_len;
	const struct ckpt_record *type = type_by_name(what, len);
	const char *name = strchr(what, '.');
	unsigned int index = 0, field;
	long at;

	if (!type || !name)
		return -1;
	if (what[len] == '[')
		index = atoi(what + len + 1);
	name++;
	field_len = strcspn(name, "[");
	if (name[field_len] == '[')
		element = atoi(name + field_len + 1);
	at = find_record(image, type, index);
	for (field = 0; at >= 0 && field < type->nr_fields; field++) {
		const struct ckpt_field *it = &type->fields[field];

		if (strncmp(it->name, name, field_len) || it->name[field_len])
			continue;
		*size = it->size > sizeof(u64) ? sizeof(u64) : it->size;
		if (it->kind == CKPT_FIELD_TEXT || it->kind == CKPT_FIELD_BYTES)
			*size = 1;
		return at + it->offset + element * *size;
	}
	complain("the image has no %s", what);
	return -1;
}

bool image_get(const struct image *image, const char *what, u64 *value)
{
	size_t size = 0;
	long at = find_field(image, what, &size);

	*value = 0;
	if (at < 0)
		return false;
	memcpy(value, image->data + at, size);
	return true;
}

bool image_set(struct image *image, const char *what, u64 value)
{
	size_t size = 0;
	long at = find_field(image, what, &size);

	if (at < 0)
		return false;
	memcpy(image->data + at, &value, size);
	return true;
}

static bool wait_until_read(int pipe, pid_t reader)
{
	s64 limit = hang_limit();
	int unread = 1;

	while (!ioctl(pipe, FIONREAD, &unread) && unread) {
		if (has_ended(reader, 0))
			return complain("restart(1) has ended, %d bytes unread", unread);
		if (monotonic_ns() > limit)
			return complain("restart(1) does not read: %d bytes left", unread);
		sched_yield();
	}
	return true;
}

pid_t image_restart_part(const struct image *image, size_t len, const char *how,
			 const char *log, int *writer)
{
	const char *tool = tool_path("restart");
	pid_t pid;
	int fds[2];

	if (!tool || pipe2(fds, O_CLOEXEC) ||
	    fcntl(fds[1], F_SETPIPE_SZ, image->len) < (int)image->len)
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[0], 0);
		execl(tool, tool, how, "-l", log, NULL);
		_exit(99);
	}
	close(fds[0]);
	*writer = fds[1];
	if (write(fds[1], image->data, len) != (ssize_t)len || !wait_until_read(fds[1], pid)) {
		kill_and_reap(pid);
		return -1;
	}
	return pid;
}

void image_seal(struct image *image)
{
	struct ckpt_hdr_tail tail;
	size_t at = 0, records = 0;

	for (;;) {
		struct ckpt_hdr header = header_at(image, at);

		if (!header.len)
			return;
		if (header.type == CKPT_HDR_TAIL && header.len == sizeof(tail))
			break;
		at += header.len;
		records++;
	}
	memcpy(&tail, image->data + at, sizeof(tail));
	tail.nr_records = records;
	digest_image(image->data, at, &tail);
	memcpy(image->data + at, &tail, sizeof(tail));
}
