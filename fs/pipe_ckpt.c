// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint of pipes and FIFOs.
 *
 * Saved: unread data, buffer by buffer and without reading it; capacity;
 *	packet mode; owner and permission bits; open file descriptions of each
 *	end with their flags; whether somebody outside has an end, too.
 * Reset: inode number and times of a pipe; what file unread data was spliced
 *	from: the bytes are kept.
 * Refused: notification pipes; a pipe that the image is written into; a pipe
 *	that an outsider holds for long, or whose data an outsider still reads
 *	from a disk.
 *
 * A FIFO that was unlinked is saved as a pipe: nobody can find it any more.
 * Restart is in pipe_restore_ckpt.c.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/splice.h>
#include <linux/uidgid.h>

/*
 * A buffer is a page, or what a socket or the trace buffer had in one piece: no
 * kernel makes any of more than half of this.
 */
#define BUFFER_LEN_MAX	SZ_1M

/*
 * What the confirm method of a buffer finds out, but without waiting for who
 * reads the page: that may be a filesystem in user space.
 */
static int confirm_buffer(struct pipe_buffer *buffer)
{
	struct folio *folio = page_folio(buffer->page);
	int ret = 0;

	if (!buffer->ops->confirm)
		return 0;
	if (buffer->ops != &page_cache_pipe_buf_ops)
		return -EOPNOTSUPP;
	if (folio_test_uptodate(folio))
		return 0;
	if (!folio_trylock(folio))
		return -EAGAIN;
	if (!folio->mapping)
		ret = -ENODATA;
	else if (!folio_test_uptodate(folio))
		ret = -EIO;
	folio_unlock(folio);
	return ret;
}

static int confirm_buffers(struct pipe_inode_info *pipe)
{
	unsigned int slot;
	int ret = 0;

	lockdep_assert_held(&pipe->mutex);
	for (slot = pipe->tail; slot != pipe->head && !ret; slot++)
		ret = confirm_buffer(pipe_buf(pipe, slot));
	return ret;
}

/*
 * A stopped task holds no pipe. Somebody outside may, and sleep with it: in a
 * page fault on the memory that it writes from, or in splice().
 */
static int lock_confirmed(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe)
{
	unsigned long since = jiffies;

	for (;;) {
		bool locked = mutex_trylock(&pipe->mutex);
		int ret;

		if (locked) {
			ret = confirm_buffers(pipe);
			if (!ret)
				return 0;
			mutex_unlock(&pipe->mutex);
			if (ret != -EAGAIN)
				return ckpt_error(ctx, ret,
						  "unread data of a pipe cannot be read");
		}
		ret = ckpt_outsider_wait(since);
		if (ret == -EBUSY)
			return ckpt_error(ctx, ret, "%s", locked ?
					  "data of a pipe is still being read from its file" :
					  "a process outside holds a pipe and does not let it go");
		if (ret)
			return ret;
	}
}

/* Pages may be large: the bytes of one buffer may be in several. */
static void copy_buffer(void *to, const struct pipe_buffer *buffer)
{
	unsigned int done, offset = buffer->offset, part;

	for (done = 0; done < buffer->len; done += part, offset += part) {
		part = min_t(unsigned int, buffer->len - done,
			     PAGE_SIZE - offset_in_page(offset));
		memcpy_from_page(to + done,
				 buffer->page + (offset >> PAGE_SHIFT),
				 offset_in_page(offset), part);
	}
}

static int save_buffer(struct ckpt_ctx *ctx, const struct pipe_buffer *buffer)
{
	unsigned int offset = offset_in_page(buffer->offset);
	struct ckpt_hdr_pipe_buffer *record;
	void *bytes;

	record = ckpt_record_add(ctx, CKPT_HDR_PIPE_BUFFER);
	if (!record)
		return -ENOMEM;
	if (offset + buffer->len <= PAGE_SIZE)
		record->offset = offset;
	if (buffer->flags & PIPE_BUF_FLAG_PACKET)
		record->flags |= CKPT_PIPE_BUFFER_PACKET;
	if (buffer->flags & PIPE_BUF_FLAG_CAN_MERGE)
		record->flags |= CKPT_PIPE_BUFFER_MERGE;
	bytes = ckpt_buffer_add(ctx, buffer->len);
	if (!bytes)
		return -ENOMEM;
	copy_buffer(bytes, buffer);
	return 0;
}

/**
 * ckpt_pipe_save - save a pipe with its unread data
 * @ctx: context
 * @object: struct pipe_inode_info
 *
 * Return: 0 or a negative errno.
 */
int ckpt_pipe_save(struct ckpt_ctx *ctx, void *object)
{
	struct pipe_inode_info *pipe = object;
	struct ckpt_hdr_pipe *record;
	unsigned int slot;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_PIPE);
	if (!record)
		return -ENOMEM;
	ckpt_object_keep_record(ctx, pipe, record);
	ret = lock_confirmed(ctx, pipe);
	if (ret)
		return ret;
	record->capacity = pipe->max_usage * PAGE_SIZE;
	for (slot = pipe->tail; slot != pipe->head && !ret; slot++) {
		const struct pipe_buffer *buffer = pipe_buf(pipe, slot);

		if (buffer->len > BUFFER_LEN_MAX)
			ret = ckpt_error(ctx, -EOPNOTSUPP,
					 "a pipe has a buffer of %u bytes",
					 buffer->len);
		else
			ret = save_buffer(ctx, buffer);
		record->nr_buffers++;
	}
	mutex_unlock(&pipe->mutex);
	return ret;
}

static u32 outside_ends(const struct pipe_inode_info *pipe,
			const struct ckpt_hdr_pipe *record)
{
	u32 flags = 0;

	if (READ_ONCE(pipe->readers) > record->readers)
		flags |= CKPT_PIPE_OUTSIDE_READERS;
	if (READ_ONCE(pipe->writers) > record->writers)
		flags |= CKPT_PIPE_OUTSIDE_WRITERS;
	return flags;
}

/**
 * ckpt_pipe_complete - find out whether somebody outside has the pipe open
 * @ctx: context
 * @object: struct pipe_inode_info
 * @kept: struct ckpt_hdr_pipe
 *
 * Return: 0.
 */
int ckpt_pipe_complete(struct ckpt_ctx *ctx, void *object, void *kept)
{
	struct ckpt_hdr_pipe *record = kept;

	record->flags |= outside_ends(object, record);
	return 0;
}

/**
 * ckpt_pipe_is_outside - has somebody outside an end of this pipe?
 * @ctx: context; all tasks are captured
 * @file: saved as CKPT_FILE_PIPE
 *
 * Return: whether somebody has.
 */
bool ckpt_pipe_is_outside(struct ckpt_ctx *ctx, struct file *file)
{
	struct pipe_inode_info *pipe = file->private_data;

	return outside_ends(pipe, ckpt_object_record(ctx, pipe));
}

/* What only a file can tell about the pipe that it is an end of. */
static void describe_inode(struct ckpt_hdr_pipe *record,
			   const struct inode *inode)
{
	struct user_namespace *user_ns = current_user_ns();

	if (inode->i_sb->s_magic != PIPEFS_MAGIC && inode->i_nlink) {
		record->flags |= CKPT_PIPE_FIFO;
		return;
	}
	record->mode = inode->i_mode & 07777;
	record->uid = from_kuid_munged(user_ns, inode->i_uid);
	record->gid = from_kgid_munged(user_ns, inode->i_gid);
}

static int check_pipe(struct ckpt_ctx *ctx, struct file *file,
		      struct pipe_inode_info *pipe)
{
	unsigned long ino = file_inode(file)->i_ino;

	if (pipe_has_watch_queue(pipe))
		return ckpt_file_refuse(ctx, file,
					"notification pipe %lu cannot be saved",
					ino);
	if (get_pipe_info(ctx->stream.file, false) == pipe) {
		/* Not even the message may get into what is to be saved. */
		ctx->stream.broken = true;
		return ckpt_error(ctx, -EDEADLK,
				  "the image is written into pipe %lu, which is part of what is to be saved",
				  ino);
	}
	return 0;
}

/**
 * ckpt_file_save_pipe - save an open file description of a pipe or a FIFO
 * @ctx: context
 * @file: file
 *
 * Return: CKPT_FILE_* or a negative errno: -EDEADLK if the image is written
 * into the pipe, -EBUSY if an outsider holds it for too long.
 */
int ckpt_file_save_pipe(struct ckpt_ctx *ctx, struct file *file)
{
	struct pipe_inode_info *pipe = file->private_data;
	struct ckpt_hdr_file_pipe *record;
	struct ckpt_hdr_pipe *pipe_record;
	int objref, ret;

	ret = check_pipe(ctx, file, pipe);
	if (ret)
		return ret;
	objref = ckpt_object_save(ctx, CKPT_OBJ_PIPE, pipe);
	if (objref < 0)
		return objref;
	pipe_record = ckpt_object_record(ctx, pipe);
	if (!pipe_record->readers && !pipe_record->writers)
		describe_inode(pipe_record, file_inode(file));
	if (file->f_mode & FMODE_READ)
		pipe_record->readers++;
	if (file->f_mode & FMODE_WRITE)
		pipe_record->writers++;

	record = ckpt_record_add(ctx, CKPT_HDR_FILE_PIPE);
	if (!record)
		return -ENOMEM;
	record->pipe = objref;
	if (file->f_mode & FMODE_NOWAIT)
		record->flags |= CKPT_FILE_PIPE_NOWAIT;
	if (file->f_pipe && file->f_pipe == READ_ONCE(pipe->w_counter))
		record->flags |= CKPT_FILE_PIPE_NO_HUP;
	if (!(pipe_record->flags & CKPT_PIPE_FIFO))
		return CKPT_FILE_PIPE;
	ret = ckpt_file_path_save(ctx, &file->f_path);
	return ret ?: CKPT_FILE_FIFO;
}
