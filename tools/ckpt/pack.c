// SPDX-License-Identifier: GPL-2.0
/*
 * A process between the kernel, which writes an image, and its file: it
 * compresses it, or writes it past the page cache.
 *
 * It has nothing to do before what is saved goes on. A failed checkpoint is an
 * image as well, which is compressed as every other. What goes wrong here is
 * an errno again for who waits for it, as if the kernel had written the file.
 *
 * Both formats allow frames in a row, which mean what their contents in a row
 * mean. So threads of ours compress, each a frame at a time: the libraries' own
 * are not in every build of them, and liblz4 has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/* Of the image, for one frame: bigger ones are hardly any smaller for it. */
#define CHUNK		(4U << 20)
#define PIPE_SIZE	(1 << 20)
/* What any disk wants of O_DIRECT. */
#define ALIGNMENT	4096
#define NICE_MAX	19
/* More threads cost more memory than they are worth. */
#define JOBS_MAX	8
/* Those above are not worth their time. */
#define ZSTD_LEVEL_MAX	19

/**
 * struct job - a thread that makes a frame of each chunk that it gets
 * @packer: what the user wants
 * @is_begun: there is the thread
 * @is_busy: it has a chunk, or what it made of one
 * @begin: there is a chunk
 * @end: it is done
 * @data: the chunk
 * @len: its bytes
 * @zstd: compressor, for PACK_ZSTD
 * @packed: what became of it
 * @room: room there
 * @packed_len: its bytes
 * @error: why not, or NULL
 */
struct job {
	const struct packer *packer;
	bool is_begun;
	bool is_busy;
	sem_t begin;
	sem_t end;
	unsigned char *data;
	size_t len;
	ZSTD_CCtx *zstd;
	unsigned char *packed;
	size_t room;
	size_t packed_len;
	const char *error;
};

/**
 * struct sink - the file
 * @out: its descriptor
 * @is_direct: it is open with O_DIRECT
 * @room: bytes for it, CHUNK of them, aligned
 * @used: how many there are
 */
struct sink {
	int out;
	bool is_direct;
	unsigned char *room;
	size_t used;
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
	return packer->format != PACK_PLAIN || packer->direct || packer->idle;
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
		return JOBS_MAX;
	return smaller(CPU_COUNT(&set), JOBS_MAX);
}

static void set_up_lz4(LZ4F_preferences_t *settings, int level)
{
	*settings = (LZ4F_preferences_t) {
		.frameInfo = {
			.blockSizeID		= LZ4F_max1MB,
			.contentChecksumFlag	= LZ4F_contentChecksumEnabled,
		},
		.compressionLevel = level,
	};
}

static void pack_lz4(struct job *job)
{
	LZ4F_preferences_t settings;
	size_t ret;

	set_up_lz4(&settings, job->packer->level);
	ret = LZ4F_compressFrame(job->packed, job->room, job->data, job->len,
				 &settings);
	if (LZ4F_isError(ret))
		job->error = LZ4F_getErrorName(ret);
	job->packed_len = ret;
}

static void pack_zstd(struct job *job)
{
	size_t ret = ZSTD_compress2(job->zstd, job->packed, job->room,
				    job->data, job->len);

	if (ZSTD_isError(ret))
		job->error = ZSTD_getErrorName(ret);
	job->packed_len = ret;
}

static void *work(void *arg)
{
	struct job *job = arg;

	for (;;) {
		while (sem_wait(&job->begin))
			continue;
		if (job->packer->format == PACK_ZSTD)
			pack_zstd(job);
		else
			pack_lz4(job);
		sem_post(&job->end);
	}
	return NULL;
}

static int open_zstd(struct job *job)
{
	job->zstd = ZSTD_createCCtx();
	if (!job->zstd)
		return -1;
	ZSTD_CCtx_setParameter(job->zstd, ZSTD_c_compressionLevel,
			       job->packer->level);
	ZSTD_CCtx_setParameter(job->zstd, ZSTD_c_checksumFlag, 1);
	job->room = ZSTD_compressBound(CHUNK);
	return 0;
}

static int open_lz4(struct job *job)
{
	LZ4F_preferences_t settings;

	set_up_lz4(&settings, job->packer->level);
	job->room = LZ4F_compressFrameBound(CHUNK, &settings);
	return 0;
}

/* Return: 0 or an errno. */
static int open_job(struct job *job)
{
	pthread_t thread;
	int errnum;

	if (job->packer->format == PACK_ZSTD ? open_zstd(job) : open_lz4(job))
		return fail("out of memory");
	job->packed = malloc(job->room);
	if (!job->packed)
		return fail("out of memory");
	sem_init(&job->begin, 0, 0);
	sem_init(&job->end, 0, 0);
	errnum = pthread_create(&thread, NULL, work, job);
	if (errnum)
		return fail(strerror(errnum));
	job->is_begun = true;
	return 0;
}

/* A chunk is there. Return: 0 or an errno. */
static int begin(struct job *job)
{
	int errnum = job->is_begun ? 0 : open_job(job);

	if (errnum)
		return errnum;
	job->is_busy = true;
	sem_post(&job->begin);
	return 0;
}

/* What became of the chunk goes out. Return: 0 or an errno. */
static int collect(struct sink *sink, struct job *job)
{
	if (!job->is_busy)
		return 0;
	while (sem_wait(&job->end))
		continue;
	job->is_busy = false;
	if (job->error)
		return fail(job->error);
	return put(sink, job->packed, job->packed_len);
}

static int finish(struct sink *sink)
{
	/* The last block has any length. */
	if (sink->is_direct && set_direct(sink->out, false))
		return errno;
	return flush(sink);
}

static void lower_priority(pid_t pid)
{
	/* Not SCHED_IDLE: who gets no time at all may sit on somebody's lock. */
	setpriority(PRIO_PROCESS, pid, NICE_MAX);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
		IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

/*
 * The first byte has come: the kernel writes none before what is saved goes on.
 * From now on there is no hurry, for the system call and for us, and the threads
 * that are still to come.
 */
static void give_way(const struct packer *packer)
{
	if (getppid() == packer->parent)
		lower_priority(packer->parent);
	lower_priority(0);
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
			if (packer->idle && !*packer->image_size)
				give_way(packer);
			done += got;
			*packer->image_size += got;
		}
	} while ((got > 0 && done < CHUNK) || (got < 0 && errno == EINTR));
	return got < 0 ? -1 : (ssize_t)done;
}

/*
 * Chunk by chunk, each with the thread whose turn it is: so they are in order
 * again when they go out. Return: 0 or an errno.
 */
static int pass(const struct packer *packer, struct sink *sink, int in,
		struct outside_stream *outside)
{
	unsigned int nr_jobs = packer->format == PACK_PLAIN ? 1 :
			       nr_processors();
	struct job jobs[JOBS_MAX] = { 0 };
	unsigned int turn, i;
	int errnum = 0;

	for (turn = 0; !errnum; turn = (turn + 1) % nr_jobs) {
		struct job *job = &jobs[turn];
		ssize_t got;

		job->packer = packer;
		errnum = collect(sink, job);
		if (errnum)
			break;
		if (!job->data)
			job->data = malloc(CHUNK);
		if (!job->data)
			return fail("out of memory");
		got = read_chunk(packer, in, job->data);
		if (got < 0)
			return errno;
		if (!got)
			break;
		outside_feed(outside, job->data, got);
		job->len = got;
		errnum = packer->format == PACK_PLAIN ?
			 put(sink, job->data, got) : begin(job);
	}
	for (i = 1; i < nr_jobs && !errnum; i++)
		errnum = collect(sink, &jobs[(turn + i) % nr_jobs]);
	return errnum ? errnum : finish(sink);
}

/* Return: 0 or an errno. */
static int pack_all(const struct packer *packer, int in, int out)
{
	struct sink sink = { .out = out, .is_direct = packer->direct };
	struct outside_stream outside = { 0 };
	bool is_file = output_size(out) >= 0;
	int errnum;

	sink.room = aligned_alloc(ALIGNMENT, CHUNK);
	if (!sink.room)
		return fail("out of memory");
	errnum = pass(packer, &sink, in, &outside);
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
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	packer->parent = getpid();
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
