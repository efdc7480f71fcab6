// SPDX-License-Identifier: GPL-2.0
/*
 * A process between the kernel, which writes an image, and its file: it
 * compresses it, or writes it past the page cache.
 *
 * It has nothing to do before what is saved goes on. A failed checkpoint is an
 * image as well, which is compressed as every other. What goes wrong here is
 * an errno again for who waits for it, as if the kernel had written the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lz4frame.h>
#include <zstd.h>

#include "outside.h"
#include "output.h"
#include "pack.h"
#include "port.h"
#include "progress.h"
#include "util.h"

#define CHUNK		(1U << 20)
/* What any disk wants of O_DIRECT. */
#define ALIGNMENT	4096
/* More cost more memory than they are worth. */
#define THREADS_MAX	8
/* Levels above want a window that only few decoders accept by themselves. */
#define ZSTD_LEVEL_MAX	19
/* Bytes for one thread; a level may want more. */
#define ZSTD_JOB	(8 << 20)

/**
 * struct sink - where the process is
 * @out: the file
 * @is_direct: it is open with O_DIRECT
 * @room: bytes for it, CHUNK of them, aligned
 * @used: how many there are
 * @zstd: compressor, or NULL
 * @lz4: compressor, or NULL
 * @settings: of @lz4
 * @packed: what @lz4 makes of a chunk
 * @packed_size: room there
 */
struct sink {
	int out;
	bool is_direct;
	unsigned char *room;
	size_t used;
	ZSTD_CCtx *zstd;
	LZ4F_cctx *lz4;
	LZ4F_preferences_t settings;
	unsigned char *packed;
	size_t packed_size;
};

/**
 * packer_choose - what the user wants
 * @packer: format and level are filled in
 * @text: FORMAT[:LEVEL]
 *
 * Return: whether there is such a thing.
 */
bool packer_choose(struct packer *packer, const char *text)
{
	const char *colon = strchrnul(text, ':');
	long level = 0, most;

	if (!strncmp(text, "zstd", colon - text) && colon - text == 4) {
		packer->format = PACK_ZSTD;
		most = ZSTD_LEVEL_MAX;
		level = ZSTD_CLEVEL_DEFAULT;
	} else if (!strncmp(text, "lz4", colon - text) && colon - text == 3) {
		packer->format = PACK_LZ4;
		most = LZ4F_compressionLevel_max();
		level = 1;
	} else {
		return false;
	}
	if (*colon && !parse_number(colon + 1, 1, most, &level))
		return false;
	packer->level = level;
	return true;
}

/**
 * packer_is_wanted - is a process needed at all?
 * @packer: what the user wants
 *
 * Return: whether it is.
 */
bool packer_is_wanted(const struct packer *packer)
{
	return packer->format != PACK_PLAIN || packer->direct;
}

static int set_direct(int fd, bool is_direct)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	flags = is_direct ? flags | O_DIRECT : flags & ~O_DIRECT;
	return fcntl(fd, F_SETFL, flags);
}

/* Also a descriptor that may not wait has to take it. */
static int write_out(int fd, const unsigned char *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		if (done < 0 && errno == EAGAIN)
			poll(&room, 1, -1);
		else if (done < 0 && errno != EINTR)
			return errno;
		if (done <= 0)
			continue;
		data += done;
		len -= done;
	}
	return 0;
}

static int flush(struct sink *sink)
{
	size_t len = sink->used;

	sink->used = 0;
	return write_out(sink->out, sink->room, len);
}

/* Return: 0 or an errno. */
static int put(struct sink *sink, const unsigned char *data, size_t len)
{
	int errnum = 0;

	while (len && !errnum) {
		size_t part = smaller(len, CHUNK - sink->used);

		memcpy(sink->room + sink->used, data, part);
		sink->used += part;
		data += part;
		len -= part;
		if (sink->used == CHUNK)
			errnum = flush(sink);
	}
	return errnum;
}

static int fail(const char *why)
{
	error("cannot compress the image: %s", why);
	return ENOMEM;
}

static unsigned int nr_processors(void)
{
	cpu_set_t set;

	/* Fails if there are more than fit. */
	if (sched_getaffinity(0, sizeof(set), &set))
		return THREADS_MAX;
	return smaller(CPU_COUNT(&set), THREADS_MAX);
}

static int open_zstd(struct sink *sink, int level)
{
	const struct {
		ZSTD_cParameter parameter;
		int value;
	} settings[] = {
		{ ZSTD_c_compressionLevel, level },
		{ ZSTD_c_checksumFlag, 1 },
		{ ZSTD_c_nbWorkers, nr_processors() },
		{ ZSTD_c_jobSize, ZSTD_JOB },
	};
	size_t i;

	sink->zstd = ZSTD_createCCtx();
	if (!sink->zstd)
		return fail("out of memory");
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		size_t ret = ZSTD_CCtx_setParameter(sink->zstd,
						    settings[i].parameter,
						    settings[i].value);

		if (ZSTD_isError(ret))
			return fail(ZSTD_getErrorName(ret));
	}
	return 0;
}

/* All of it; with @how ZSTD_e_end also what the threads still have. */
static int pack_zstd(struct sink *sink, const void *data, size_t len,
		     ZSTD_EndDirective how)
{
	static unsigned char packed[128 << 10];
	ZSTD_inBuffer in = { .src = data, .size = len };
	size_t left;
	int errnum;

	do {
		ZSTD_outBuffer out = { .dst = packed, .size = sizeof(packed) };

		left = ZSTD_compressStream2(sink->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return fail(ZSTD_getErrorName(left));
		errnum = put(sink, packed, out.pos);
	} while (!errnum && (how == ZSTD_e_end ? left != 0 :
						  in.pos < in.size));
	return errnum;
}

static int put_lz4(struct sink *sink, size_t made)
{
	if (LZ4F_isError(made))
		return fail(LZ4F_getErrorName(made));
	return put(sink, sink->packed, made);
}

static int open_lz4(struct sink *sink, int level)
{
	sink->settings = (LZ4F_preferences_t) {
		.frameInfo = {
			.blockSizeID		= LZ4F_max1MB,
			.blockMode		= LZ4F_blockIndependent,
			.contentChecksumFlag	= LZ4F_contentChecksumEnabled,
		},
		.compressionLevel = level,
	};
	if (LZ4F_isError(LZ4F_createCompressionContext(&sink->lz4,
						       LZ4F_VERSION)))
		return fail("out of memory");
	sink->packed_size = LZ4F_compressBound(CHUNK, &sink->settings);
	sink->packed = must_alloc(sink->packed_size);
	return put_lz4(sink, LZ4F_compressBegin(sink->lz4, sink->packed,
						sink->packed_size,
						&sink->settings));
}

/* The first bytes are there: nothing is written for an image of none. */
static int open_format(struct sink *sink, const struct packer *packer)
{
	switch (packer->format) {
	case PACK_ZSTD:
		return open_zstd(sink, packer->level);
	case PACK_LZ4:
		return open_lz4(sink, packer->level);
	default:
		return 0;
	}
}

static int pack(struct sink *sink, const void *data, size_t len)
{
	if (sink->zstd)
		return pack_zstd(sink, data, len, ZSTD_e_continue);
	if (sink->lz4)
		return put_lz4(sink, LZ4F_compressUpdate(sink->lz4,
							 sink->packed,
							 sink->packed_size,
							 data, len, NULL));
	return put(sink, data, len);
}

static int finish(struct sink *sink)
{
	int errnum = 0;

	if (sink->zstd)
		errnum = pack_zstd(sink, NULL, 0, ZSTD_e_end);
	if (sink->lz4)
		errnum = put_lz4(sink, LZ4F_compressEnd(sink->lz4, sink->packed,
							sink->packed_size,
							NULL));
	/* The last block has any length. */
	if (!errnum && sink->is_direct && set_direct(sink->out, false))
		errnum = errno;
	return errnum ? errnum : flush(sink);
}

/* Return: bytes, as many as fit if there are; 0 at the end; or -1. */
static ssize_t read_chunk(const struct packer *packer, int in,
			  unsigned char *chunk)
{
	size_t done = 0;
	ssize_t got;

	do {
		got = read(in, chunk + done, CHUNK - done);
		if (got > 0) {
			done += got;
			*packer->image_size += got;
		}
	} while ((got > 0 && done < CHUNK) || (got < 0 && errno == EINTR));
	return got < 0 ? -1 : (ssize_t)done;
}

/* Return: 0 or an errno. */
static int pack_all(const struct packer *packer, int in, int out)
{
	struct outside_stream outside = { 0 };
	struct sink sink = { .out = out, .is_direct = packer->direct };
	bool is_file = output_size(out) >= 0, is_begun = false;
	unsigned char *chunk = must_alloc(CHUNK);
	int errnum = 0;
	ssize_t got;

	sink.room = aligned_alloc(ALIGNMENT, CHUNK);
	if (!sink.room)
		return fail("out of memory");
	while (!errnum && (got = read_chunk(packer, in, chunk)) > 0) {
		if (!is_begun)
			errnum = open_format(&sink, packer);
		is_begun = true;
		outside_feed(&outside, chunk, got);
		if (!errnum)
			errnum = pack(&sink, chunk, got);
	}
	if (!errnum && got < 0)
		errnum = errno;
	if (!errnum && is_begun)
		errnum = finish(&sink);
	if (!errnum && is_file)
		outside_advise(&outside);
	return errnum;
}

/**
 * packer_prepare - find out whether it can be done
 * @packer: what the user wants
 * @out: the file
 *
 * Return: 0, or -1 after a message.
 */
int packer_prepare(struct packer *packer, int out)
{
	struct stat st;

	packer->image_size = progress_counter();
	if (!packer->direct)
		return 0;
	/* Of a pipe the same flag means something else. */
	if (fstat(out, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
		error("--direct: the image does not go to a file or a disk");
		return -1;
	}
	if (!set_direct(out, true))
		return 0;
	error("--direct: the filesystem cannot do it (O_DIRECT): %s",
	      strerror(errno));
	return -1;
}

/**
 * packer_start - make the process
 * @packer: pid and fd are filled in
 * @out: the file
 *
 * Return: 0, or -1 after a message.
 */
int packer_start(struct packer *packer, int out)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC)) {
		error("cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	/* As much as an ordinary user may have; less only costs time. */
	fcntl(ends[1], F_SETPIPE_SZ, CHUNK);
	packer->pid = fork();
	if (packer->pid < 0) {
		error("cannot make a process: %s", strerror(errno));
		return -1;
	}
	if (!packer->pid) {
		close(ends[1]);
		_exit(pack_all(packer, ends[0], out));
	}
	close(ends[0]);
	packer->fd = ends[1];
	return 0;
}

/**
 * packer_finish - the kernel has written all
 * @packer: the process
 *
 * Return: 0, or the errno of what went wrong in the process.
 */
int packer_finish(struct packer *packer)
{
	int status;

	close(packer->fd);
	while (waitpid(packer->pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	error("the process that compresses was killed by signal %d",
	      WTERMSIG(status));
	return EIO;
}
