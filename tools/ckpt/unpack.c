// SPDX-License-Identifier: GPL-2.0
/*
 * Reading bytes that may be compressed.
 *
 * The first bytes tell. Memory has a bound that does not depend on the bytes:
 * the window of zstd's decoder has one, and data that hold nothing end it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lz4frame.h>
#include <zstd.h>

#include "port.h"
#include "unpack.h"
#include "util.h"

#define ROOM		(64U << 10)
#define MAGIC_SIZE	4
/* 128 MiB: as much as the highest level of zstd takes. */
#define WINDOW_LOG_MAX	27
/*
 * A compressor adds a few bytes to blocks of at most 4 MiB that it cannot make
 * smaller. Whoever keeps what he has read can rely on it.
 */
#define IDLE_MAX	(5ULL << 20)

/**
 * struct format - how bytes can be compressed
 * @name: of it
 * @magic: first bytes
 * @open: a decoder, NULL without memory
 * @close: give it back
 * @step: decode: return bytes made, or -1 after fail(); sets in_at, is_between
 */
struct format {
	const char *name;
	unsigned char magic[MAGIC_SIZE];
	void *(*open)(void);
	void (*close)(void *decoder);
	ssize_t (*step)(struct unpacker *unpacker, void *data, size_t len);
};

/**
 * struct unpacker - bytes that are being read
 * @read: where they come from
 * @arg: for @read
 * @format: how they are compressed, or NULL
 * @decoder: of @format
 * @is_known: @format was found out
 * @is_between: a frame has ended, and none has begun
 * @in: bytes read and not taken
 * @in_at: the first of them
 * @in_end: behind the last
 * @nr_in: bytes read
 * @nr_out: bytes given
 * @error: why it failed
 */
struct unpacker {
	image_read_t read;
	void *arg;
	const struct format *format;
	void *decoder;
	bool is_known;
	bool is_between;
	unsigned char *in;
	size_t in_at;
	size_t in_end;
	unsigned long long nr_in;
	unsigned long long nr_out;
	char error[160];
};

__printf(2, 3)
static ssize_t fail(struct unpacker *unpacker, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(unpacker->error, sizeof(unpacker->error), format, args);
	va_end(args);
	return -1;
}

static ssize_t damaged(struct unpacker *unpacker, const char *why)
{
	return fail(unpacker, "the %s data are damaged: %s",
		    unpacker->format->name, why);
}

static void *open_zstd(void)
{
	ZSTD_DCtx *decoder = ZSTD_createDCtx();

	if (decoder)
		ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax,
				       WINDOW_LOG_MAX);
	return decoder;
}

static void close_zstd(void *decoder)
{
	ZSTD_freeDCtx(decoder);
}

static ssize_t step_zstd(struct unpacker *unpacker, void *data, size_t len)
{
	ZSTD_inBuffer in = {
		.src	= unpacker->in,
		.size	= unpacker->in_end,
		.pos	= unpacker->in_at,
	};
	ZSTD_outBuffer out = { .dst = data, .size = len };
	size_t ret = ZSTD_decompressStream(unpacker->decoder, &out, &in);

	if (ZSTD_isError(ret))
		return damaged(unpacker, ZSTD_getErrorName(ret));
	unpacker->in_at = in.pos;
	unpacker->is_between = !ret;
	return out.pos;
}

static void *open_lz4(void)
{
	LZ4F_dctx *decoder;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&decoder,
							 LZ4F_VERSION)))
		return NULL;
	return decoder;
}

static void close_lz4(void *decoder)
{
	LZ4F_freeDecompressionContext(decoder);
}

static ssize_t step_lz4(struct unpacker *unpacker, void *data, size_t len)
{
	size_t taken = unpacker->in_end - unpacker->in_at;
	size_t ret = LZ4F_decompress(unpacker->decoder, data, &len,
				     unpacker->in + unpacker->in_at, &taken,
				     NULL);

	if (LZ4F_isError(ret))
		return damaged(unpacker, LZ4F_getErrorName(ret));
	unpacker->in_at += taken;
	unpacker->is_between = !ret;
	return len;
}

static const struct format formats[] = {
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, open_zstd, close_zstd, step_zstd },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, open_lz4, close_lz4, step_lz4 },
};

static const struct format *find_format(const unsigned char *magic)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (!memcmp(formats[i].magic, magic, MAGIC_SIZE))
			return &formats[i];
	return NULL;
}

/**
 * unpacker_open - begin to read bytes that may be compressed
 * @read: where they come from
 * @arg: for @read
 *
 * Return: for unpacker_close().
 */
struct unpacker *unpacker_open(image_read_t read, void *arg)
{
	struct unpacker *unpacker = must_alloc(sizeof(*unpacker));

	*unpacker = (struct unpacker) {
		.read	= read,
		.arg	= arg,
		.in	= must_alloc(ROOM),
	};
	return unpacker;
}

/**
 * unpacker_close - give back the memory
 * @unpacker: state
 */
void unpacker_close(struct unpacker *unpacker)
{
	if (unpacker->decoder)
		unpacker->format->close(unpacker->decoder);
	free(unpacker->in);
	free(unpacker);
}

static ssize_t read_some(struct unpacker *unpacker, void *data, size_t len)
{
	ssize_t got;

	do {
		got = unpacker->read(unpacker->arg, data, len);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(unpacker, "cannot read: %s", strerror(errno));
	unpacker->nr_in += got;
	return got;
}

/* Return: bytes that were read, 0 at the end, -1 after fail(). */
static ssize_t refill(struct unpacker *unpacker)
{
	ssize_t got;

	if (unpacker->format && unpacker->nr_in > 2 * unpacker->nr_out + IDLE_MAX)
		return fail(unpacker, "the %s data hold nothing",
			    unpacker->format->name);
	memmove(unpacker->in, unpacker->in + unpacker->in_at,
		unpacker->in_end - unpacker->in_at);
	unpacker->in_end -= unpacker->in_at;
	unpacker->in_at = 0;
	got = read_some(unpacker, unpacker->in + unpacker->in_end,
			ROOM - unpacker->in_end);
	if (got > 0)
		unpacker->in_end += got;
	return got;
}

/* Return: whether there is a magic number, or -1 after fail(). */
static int await_magic(struct unpacker *unpacker)
{
	while (unpacker->in_end - unpacker->in_at < MAGIC_SIZE) {
		ssize_t got = refill(unpacker);

		if (got <= 0)
			return got;
	}
	return 1;
}

static int find_out(struct unpacker *unpacker)
{
	int has_magic = await_magic(unpacker);

	if (has_magic < 0)
		return -1;
	unpacker->is_known = true;
	if (has_magic)
		unpacker->format = find_format(unpacker->in);
	if (!unpacker->format)
		return 0;
	unpacker->decoder = unpacker->format->open();
	return unpacker->decoder ? 0 : fail(unpacker, "out of memory");
}

static ssize_t read_plain(struct unpacker *unpacker, void *data, size_t len)
{
	size_t there = unpacker->in_end - unpacker->in_at;

	if (!there)
		return read_some(unpacker, data, len);
	len = smaller(len, there);
	memcpy(data, unpacker->in + unpacker->in_at, len);
	unpacker->in_at += len;
	return len;
}

/* Return: whether another frame begins, or -1 after fail(). */
static int begin_frame(struct unpacker *unpacker)
{
	int has_magic = await_magic(unpacker);

	if (has_magic < 0)
		return -1;
	if (unpacker->in_at == unpacker->in_end)
		return 0;
	if (!has_magic ||
	    find_format(unpacker->in + unpacker->in_at) != unpacker->format)
		return fail(unpacker, "bytes follow the %s data",
			    unpacker->format->name);
	unpacker->is_between = false;
	return 1;
}

/* Bytes of which the decoder makes more. Return: 0, or -1 after fail(). */
static int feed_decoder(struct unpacker *unpacker)
{
	ssize_t got;

	if (unpacker->in_at < unpacker->in_end)
		return 0;
	got = refill(unpacker);
	if (!got)
		return fail(unpacker, "the %s data are truncated",
			    unpacker->format->name);
	return got < 0 ? -1 : 0;
}

static ssize_t read_packed(struct unpacker *unpacker, void *data, size_t len)
{
	for (;;) {
		int begun = 1;
		ssize_t got;

		if (unpacker->is_between)
			begun = begin_frame(unpacker);
		if (begun <= 0)
			return begun;
		got = unpacker->format->step(unpacker, data, len);
		if (got)
			return got;
		if (!unpacker->is_between && feed_decoder(unpacker))
			return -1;
	}
}

/**
 * unpacker_read - read what was compressed
 * @unpacker: state
 * @data: room for the bytes
 * @len: how much, not 0
 *
 * Return: bytes read, 0 at the end, -1 with unpacker_error().
 */
ssize_t unpacker_read(struct unpacker *unpacker, void *data, size_t len)
{
	ssize_t got;

	if (*unpacker->error || (!unpacker->is_known && find_out(unpacker)))
		return -1;
	if (unpacker->format)
		got = read_packed(unpacker, data, len);
	else
		got = read_plain(unpacker, data, len);
	if (got > 0)
		unpacker->nr_out += got;
	return got;
}

/**
 * unpacker_end_frame - nothing more is expected: check what ends the data
 * @unpacker: state
 *
 * What follows that is not looked at.
 *
 * Return: 0, or -1 with unpacker_error().
 */
int unpacker_end_frame(struct unpacker *unpacker)
{
	unsigned char byte;

	while (unpacker->format && !unpacker->is_between) {
		ssize_t got = unpacker->format->step(unpacker, &byte, 1);

		if (got > 0)
			return fail(unpacker, "bytes follow the tail");
		if (got < 0 || (!unpacker->is_between && feed_decoder(unpacker)))
			return -1;
	}
	return 0;
}

/**
 * unpacker_error - why it failed
 * @unpacker: state
 *
 * Return: the reason.
 */
const char *unpacker_error(const struct unpacker *unpacker)
{
	return unpacker->error;
}

/**
 * unpacker_format - how the bytes are compressed
 * @unpacker: state; something was read
 *
 * Return: the name, or NULL if they are not.
 */
const char *unpacker_format(const struct unpacker *unpacker)
{
	return unpacker->format ? unpacker->format->name : NULL;
}

/**
 * unpacker_taken - how many compressed bytes there were so far
 * @unpacker: state
 *
 * Return: their number.
 */
unsigned long long unpacker_taken(const struct unpacker *unpacker)
{
	return unpacker->nr_in - (unpacker->in_end - unpacker->in_at);
}

/**
 * is_packed_file - does a file hold compressed bytes?
 * @fd: the file, which is at their beginning
 *
 * Return: whether it does; what is no file is not looked at.
 */
bool is_packed_file(int fd)
{
	unsigned char magic[MAGIC_SIZE];
	off_t at = lseek(fd, 0, SEEK_CUR);

	return at >= 0 &&
	       pread(fd, magic, sizeof(magic), at) == sizeof(magic) &&
	       find_format(magic);
}
