// SPDX-License-Identifier: GPL-2.0
/*
 * Restart of pipes and FIFOs; what is saved is told in pipe_ckpt.c.
 *
 * The records of a pipe make a new pipe with the unread data in it. Its two
 * ends wait in the table of objects for the files that they belong to; one that
 * belongs to none is closed when the restart is over.
 *
 * A FIFO is opened by its path, and waits for nobody. The data waits in the new
 * pipe and moves into the FIFO when the whole image was found good: others may
 * read it there. In the same way it moves into a pipe that is inherited, if who
 * restarts wants that. If the restart fails after all, what nobody has read is
 * taken back, and who sleeps there was not woken up.
 *
 * Reset: unread data of a pipe that another one takes the place of, if who
 *	restarts wants that; with a note in the log.
 * Refused: a pipe with an end outside of the image, unless another one takes its
 *	place; then unread data, unless it was told what becomes of it; a FIFO
 *	that holds somebody else's data when unread data was saved; capacities
 *	and owners that the caller may not set.
 */
#include <linux/checkpoint_ctx.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uidgid.h>

enum { READ_END, WRITE_END, NR_ENDS };

/**
 * struct published_buffer - data that was put where others may read it
 * @page: its page, with a reference: no other buffer gets the same
 * @end: where it ends in there; what others write may be behind
 */
struct published_buffer {
	struct page *page;
	unsigned int end;
};

/**
 * struct restored_pipe - a pipe that was read from an image
 * @ctx: context
 * @record: its record
 * @ends: the new pipe
 * @taken: this end has become a file of the image
 * @has_owner: it belongs to who it belonged to
 * @fifo: first file that the FIFO was opened as; NULL for a pipe
 * @heir: the inherited pipe that gets the unread data, or NULL
 * @published: what was put into @fifo or @heir, in the order of the pipe; NULL:
 *	nothing yet
 * @nr_published: length of that
 * @old_capacity: of @fifo, if it has got another one
 */
struct restored_pipe {
	struct ckpt_ctx *ctx;
	struct ckpt_hdr_pipe record;
	struct file *ends[NR_ENDS];
	bool taken[NR_ENDS];
	bool has_owner;
	struct file *fifo;
	struct file *heir;
	struct published_buffer *published;
	unsigned int nr_published;
	unsigned int old_capacity;
};

static bool is_fifo(const struct ckpt_hdr_pipe *record)
{
	return record->flags & CKPT_PIPE_FIFO;
}

static int set_capacity(struct ckpt_ctx *ctx, struct file *file,
			unsigned int bytes)
{
	long ret = pipe_fcntl(file, F_GETPIPE_SZ, 0);

	if (ret == bytes)
		return 0;
	ret = pipe_fcntl(file, F_SETPIPE_SZ, bytes);
	if (ret < 0)
		return ckpt_error(ctx, ret,
				  "capacity of a pipe: %u bytes (see pipe(7) for the limits)",
				  bytes);
	return 0;
}

/* Only who takes an end needs the right to that. */
static int set_owner(struct ckpt_ctx *ctx, struct restored_pipe *restored)
{
	const struct ckpt_hdr_pipe *record = &restored->record;
	int ret;

	if (restored->has_owner)
		return 0;
	restored->has_owner = true;
	ret = ckpt_file_set_mode(restored->ends[READ_END], record->uid,
				 record->gid, record->mode);
	if (ret)
		return ckpt_error(ctx, ret, "pipe of user %u, group %u",
				  record->uid, record->gid);
	return 0;
}

static struct page *alloc_buffer_page(unsigned int bytes)
{
	gfp_t flags = GFP_HIGHUSER | __GFP_ACCOUNT;

	if (bytes <= PAGE_SIZE)
		return alloc_page(flags);
	return alloc_pages(flags | __GFP_COMP | __GFP_NOWARN,
			   get_order(bytes));
}

/* A page for one slot, in the state that a write() leaves it in. */
static int push_buffer(struct pipe_inode_info *pipe,
		       const struct ckpt_hdr_pipe_buffer *record,
		       const void *bytes, unsigned int len)
{
	unsigned int end = record->offset + len, done, part;
	struct pipe_buffer *buffer;
	struct page *page;

	page = alloc_buffer_page(end);
	if (!page)
		return -ENOMEM;
	for (done = 0; done < len; done += part) {
		unsigned int at = record->offset + done;

		part = min_t(unsigned int, len - done,
			     PAGE_SIZE - offset_in_page(at));
		memcpy_to_page(page + (at >> PAGE_SHIFT), offset_in_page(at),
			       bytes + done, part);
	}
	pipe_lock(pipe);
	buffer = pipe_head_buf(pipe);
	*buffer = (struct pipe_buffer) {
		.page	= page,
		.offset	= record->offset,
		.len	= len,
		.ops	= end <= PAGE_SIZE ? &anon_pipe_buf_ops :
					     &nosteal_pipe_buf_ops,
	};
	if (record->flags & CKPT_PIPE_BUFFER_PACKET)
		buffer->flags |= PIPE_BUF_FLAG_PACKET;
	if (record->flags & CKPT_PIPE_BUFFER_MERGE)
		buffer->flags |= PIPE_BUF_FLAG_CAN_MERGE;
	pipe->head++;
	pipe_unlock(pipe);
	return 0;
}

static int read_buffer(struct ckpt_ctx *ctx, struct pipe_inode_info *pipe)
{
	struct ckpt_hdr_pipe_buffer record;
	void *bytes;
	u32 len;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_PIPE_BUFFER, &record);
	if (ret)
		return ret;
	bytes = ckpt_buffer_read(ctx, &len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	/* Only data that was spliced fills more than a page. */
	if (record.offset + len > PAGE_SIZE && (record.offset || record.flags))
		ret = ckpt_error(ctx, -EINVAL,
				 "buffer of %u bytes at %u, flags %#x", len,
				 record.offset, record.flags);
	else
		ret = push_buffer(pipe, &record, bytes, len);
	kvfree(bytes);
	return ret;
}

static int check_record(struct ckpt_ctx *ctx,
			const struct ckpt_hdr_pipe *record)
{
	if (!is_power_of_2(record->capacity) ||
	    record->capacity < PAGE_SIZE ||
	    record->nr_buffers > record->capacity / PAGE_SIZE)
		return ckpt_error(ctx, -EINVAL,
				  "%u buffers in a pipe of %u bytes",
				  record->nr_buffers, record->capacity);
	if (!is_fifo(record))
		return 0;
	if (record->mode || record->uid || record->gid)
		return ckpt_error(ctx, -EINVAL, "a FIFO has an owner");
	return 0;
}

static int build(struct ckpt_ctx *ctx, struct restored_pipe *restored)
{
	const struct ckpt_hdr_pipe *record = &restored->record;
	struct file *file = restored->ends[READ_END];
	unsigned int capacity = record->capacity, left;
	int ret;

	/* What only holds the data of a FIFO need not be larger than that. */
	if (is_fifo(record))
		capacity = PAGE_SIZE *
			   roundup_pow_of_two(max(record->nr_buffers, 1));
	ret = set_capacity(ctx, file, capacity);
	for (left = record->nr_buffers; left && !ret; left--)
		ret = read_buffer(ctx, file->private_data);
	return ret;
}

/**
 * ckpt_pipe_restore - read a pipe and make it
 * @ctx: context
 *
 * Return: struct restored_pipe, or an error pointer.
 */
void *ckpt_pipe_restore(struct ckpt_ctx *ctx)
{
	struct restored_pipe *restored;
	int ret;

	restored = kzalloc(sizeof(*restored), GFP_KERNEL_ACCOUNT);
	if (!restored)
		return ERR_PTR(-ENOMEM);
	restored->ctx = ctx;
	ret = ckpt_record_read(ctx, CKPT_HDR_PIPE, &restored->record);
	if (!ret)
		ret = check_record(ctx, &restored->record);
	if (!ret)
		ret = create_pipe_files(restored->ends, 0);
	if (ret) {
		kfree(restored);
		return ERR_PTR(ret);
	}
	ret = build(ctx, restored);
	if (ret) {
		ckpt_pipe_drop(restored);
		return ERR_PTR(ret);
	}
	return restored;
}

/* What others have read is theirs, and what they have written as well. */
static void take_back(const struct restored_pipe *restored,
		      struct pipe_inode_info *pipe)
{
	unsigned int index = 0;

	pipe_lock(pipe);
	while (!pipe_empty(pipe->head, pipe->tail)) {
		struct pipe_buffer *buffer = pipe_buf(pipe, pipe->tail);
		unsigned int end = buffer->offset + buffer->len, ours;

		while (index < restored->nr_published &&
		       restored->published[index].page != buffer->page)
			index++;
		if (index == restored->nr_published)
			break;
		ours = restored->published[index].end;
		if (end > ours) {
			buffer->offset = max(buffer->offset, ours);
			buffer->len = end - buffer->offset;
			break;
		}
		pipe_buf_release(pipe, buffer);
		pipe->tail++;
	}
	pipe_unlock(pipe);
	wake_up_interruptible_all(&pipe->wr_wait);
}

static void end_publication(struct restored_pipe *restored)
{
	struct file *file = restored->heir ?: restored->fifo;
	struct pipe_inode_info *pipe = file->private_data;
	unsigned int index;

	if (restored->ctx->committed)
		wake_up_interruptible_all(&pipe->rd_wait);
	else
		take_back(restored, pipe);
	for (index = 0; index < restored->nr_published; index++)
		put_page(restored->published[index].page);
	kvfree(restored->published);
}

/**
 * ckpt_pipe_drop - forget a pipe that was restored
 * @object: from ckpt_pipe_restore()
 *
 * Its files stay, if they were taken. What others can see of a restart that has
 * failed goes away.
 */
void ckpt_pipe_drop(void *object)
{
	struct restored_pipe *restored = object;

	if (restored->published)
		end_publication(restored);
	/* Somebody may have filled it: then it stays as large as it is. */
	if (restored->old_capacity && !restored->ctx->committed)
		pipe_fcntl(restored->fifo, F_SETPIPE_SZ,
			   restored->old_capacity);
	fput(restored->ends[READ_END]);
	fput(restored->ends[WRITE_END]);
	if (restored->fifo)
		fput(restored->fifo);
	if (restored->heir)
		fput(restored->heir);
	kfree(restored);
}

/* O_DIRECT is the one flag that open() does not take and fcntl() does. */
static void set_flags(struct file *file, unsigned int settable,
		      const struct ckpt_hdr_file *record,
		      const struct ckpt_hdr_file_pipe *end)
{
	spin_lock(&file->f_lock);
	file->f_flags &= ~settable;
	file->f_flags |= record->open_flags & settable;
	file->f_iocb_flags = iocb_flags(file);
	file->f_mode &= ~FMODE_NOWAIT;
	if (end->flags & CKPT_FILE_PIPE_NOWAIT)
		file->f_mode |= FMODE_NOWAIT;
	spin_unlock(&file->f_lock);
}

static struct restored_pipe *read_end(struct ckpt_ctx *ctx,
				      const struct ckpt_hdr_file *record,
				      struct ckpt_hdr_file_pipe *end)
{
	bool fifo = record->kind == CKPT_FILE_FIFO;
	struct restored_pipe *restored;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_FILE_PIPE, end);
	if (ret)
		return ERR_PTR(ret);
	restored = ckpt_object_find(ctx, end->pipe, CKPT_OBJ_PIPE);
	if (is_fifo(&restored->record) != fifo)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "an open file of another kind than pipe %u",
					  end->pipe));
	return restored;
}

static struct file *open_end(struct restored_pipe *restored,
			     unsigned int access)
{
	unsigned int end = access == O_RDONLY ? READ_END : WRITE_END;

	if (access != O_RDWR && !restored->taken[end]) {
		restored->taken[end] = true;
		return get_file(restored->ends[end]);
	}
	/* Opened once more, as through /proc/PID/fd. */
	return dentry_open(&restored->ends[READ_END]->f_path, access,
			   current_cred());
}

/* Return: what a pipe lacks to take over buffers of another, or NULL. */
static const char *missing_in(const struct pipe_inode_info *pipe,
			      const struct restored_pipe *restored)
{
	unsigned int occupied = pipe_occupancy(READ_ONCE(pipe->head),
					       READ_ONCE(pipe->tail));

	if (!READ_ONCE(pipe->readers))
		return "reader";
	if (occupied + restored->record.nr_buffers > READ_ONCE(pipe->max_usage))
		return "room";
	return NULL;
}

static int report_missing(struct ckpt_ctx *ctx, const char *missing)
{
	return ckpt_error(ctx, -EBUSY,
			  "the pipe that is inherited has no %s for the unread bytes of another one",
			  missing);
}

static unsigned int nr_unread(const struct restored_pipe *restored)
{
	const struct pipe_inode_info *pipe =
		restored->ends[READ_END]->private_data;
	unsigned int slot, bytes = 0;

	/* Nobody else has it yet. */
	for (slot = pipe->tail; slot != pipe->head; slot++)
		bytes += pipe_buf(pipe, slot)->len;
	return bytes;
}

/* With the rights of who restarts, who need not have an end to write to. */
static int check_heir(struct ckpt_ctx *ctx,
		      const struct restored_pipe *restored, struct file *file,
		      const struct ckpt_hdr_file *record, unsigned int bytes)
{
	const char *missing;
	int ret = 0;

	if (!get_pipe_info(file, true))
		return ckpt_error(ctx, -EINVAL,
				  "descriptor %d is no pipe: %u unread bytes cannot be moved into it",
				  record->inherit, bytes);
	if (!(file->f_mode & FMODE_WRITE))
		ret = file_permission(file, MAY_WRITE);
	if (ret)
		return ckpt_error(ctx, ret,
				  "no right to move %u unread bytes into descriptor %d",
				  bytes, record->inherit);
	/* As it is now: the sooner, the better. */
	missing = missing_in(file->private_data, restored);
	return missing ? report_missing(ctx, missing) : 0;
}

/* Another file takes the place of an end: what becomes of the unread data? */
static int pass_on_unread(struct ckpt_ctx *ctx, struct restored_pipe *restored,
			  struct file *file, const struct ckpt_hdr_file *record)
{
	unsigned int bytes = nr_unread(restored);
	int ret;

	if (!bytes)
		return 0;
	if (record->flags & CKPT_FILE_UNREAD_DROPPED) {
		ckpt_note(ctx,
			  "%u unread bytes of the pipe of descriptor %d were dropped",
			  bytes, record->fd);
		return 0;
	}
	if (!(record->flags & CKPT_FILE_UNREAD_MOVED))
		return ckpt_error(ctx, -EBUSY,
				  "the pipe of descriptor %d held %u unread bytes: say what becomes of them with restart --unread",
				  record->fd, bytes);
	/* Once, if more than one end was outside. */
	if (restored->heir)
		return 0;
	ret = check_heir(ctx, restored, file, record, bytes);
	if (!ret)
		restored->heir = get_file(file);
	return ret;
}

static struct file *inherit_end(struct ckpt_ctx *ctx,
				struct restored_pipe *restored,
				const struct ckpt_hdr_file *record)
{
	struct file *file = ckpt_file_inherit(ctx, record);
	int ret;

	if (IS_ERR(file))
		return file;
	ret = pass_on_unread(ctx, restored, file, record);
	if (!ret)
		return file;
	fput(file);
	return ERR_PTR(ret);
}

/**
 * ckpt_file_restore_pipe - read an open file description of a pipe
 * @ctx: context
 * @record: its first record
 *
 * Return: struct file with a reference, or an error pointer: -ENOTCONN if
 * somebody outside of the image has an end of the pipe, -EBUSY if it is not said
 * what becomes of unread data, or as ckpt_file_inherit().
 */
struct file *ckpt_file_restore_pipe(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record)
{
	const unsigned int outside = CKPT_PIPE_OUTSIDE_READERS |
				     CKPT_PIPE_OUTSIDE_WRITERS;
	unsigned int access = record->open_flags & O_ACCMODE;
	const struct pipe_inode_info *pipe;
	struct restored_pipe *restored;
	struct ckpt_hdr_file_pipe end;
	struct file *file;
	int ret;

	restored = read_end(ctx, record, &end);
	if (IS_ERR(restored))
		return ERR_CAST(restored);
	if (access == O_ACCMODE)
		return ERR_PTR(ckpt_error(ctx, -EINVAL,
					  "a pipe neither read nor written"));
	if (record->inherit >= 0)
		return inherit_end(ctx, restored, record);
	if (restored->record.flags & outside)
		return ERR_PTR(ckpt_error(ctx, -ENOTCONN,
					  "the other end of the pipe of descriptor %d was outside the image: connect it with restart --inherit-fd %d",
					  record->fd, record->fd));
	ret = set_owner(ctx, restored);
	if (ret)
		return ERR_PTR(ret);
	file = open_end(restored, access);
	if (IS_ERR(file)) {
		ckpt_error(ctx, PTR_ERR(file), "cannot open a pipe again");
		return file;
	}
	set_flags(file, O_APPEND | O_DSYNC | __O_SYNC | O_DIRECT | O_NOATIME,
		  record, &end);
	pipe = file->private_data;
	if (end.flags & CKPT_FILE_PIPE_NO_HUP)
		file->f_pipe = pipe->w_counter;
	return file;
}

/*
 * A FIFO is not opened for writing, or waits, as long as nobody reads it. But
 * this one was open, whoever reads it now. So count one reader more meanwhile;
 * those who wait for a reader in open() are not woken up.
 */
static struct pipe_inode_info *pretend_reader(struct inode *inode)
{
	struct pipe_inode_info *pipe, *fresh = alloc_pipe_info();

	if (!fresh)
		return NULL;
	spin_lock(&inode->i_lock);
	if (!inode->i_pipe) {
		inode->i_pipe = fresh;
		fresh = NULL;
	}
	pipe = inode->i_pipe;
	pipe->files++;
	spin_unlock(&inode->i_lock);
	if (fresh)
		free_pipe_info(fresh);
	mutex_lock(&pipe->mutex);
	pipe->readers++;
	mutex_unlock(&pipe->mutex);
	return pipe;
}

static void forget_reader(struct inode *inode, struct pipe_inode_info *pipe)
{
	mutex_lock(&pipe->mutex);
	/* Who came in between must not wait for what does not read. */
	if (!--pipe->readers)
		wake_up_interruptible_all(&pipe->wr_wait);
	mutex_unlock(&pipe->mutex);
	put_pipe_info(inode, pipe);
}

/* With all that open() checks, in the inode that was found to be the right one. */
static struct file *open_anchored(struct file *anchor, unsigned int flags)
{
	bool writes = (flags & O_ACCMODE) == O_WRONLY;
	struct inode *inode = file_inode(anchor);
	struct pipe_inode_info *pipe = NULL;
	struct file *file;

	if (writes) {
		pipe = pretend_reader(inode);
		if (!pipe)
			return ERR_PTR(-ENOMEM);
	}
	file = file_open_root(&anchor->f_path, "",
			      flags | O_NONBLOCK | O_NOCTTY | O_LARGEFILE, 0);
	if (writes)
		forget_reader(inode, pipe);
	return file;
}

static struct file *open_fifo(struct ckpt_ctx *ctx, unsigned int flags)
{
	struct file *anchor = ckpt_file_path_open(ctx, O_PATH);
	struct file *file;

	if (IS_ERR(anchor))
		return anchor;
	if (!S_ISFIFO(file_inode(anchor)->i_mode))
		file = ERR_PTR(-ESTALE);
	else
		file = open_anchored(anchor, flags);
	if (!IS_ERR(file) && !get_pipe_info(file, false)) {
		fput(file);
		file = ERR_PTR(-ESTALE);
	}
	if (IS_ERR(file))
		ckpt_error(ctx, PTR_ERR(file), "cannot open FIFO %pD", anchor);
	fput(anchor);
	return file;
}

/**
 * ckpt_file_restore_fifo - open a FIFO by its path
 * @ctx: context
 * @record: its first record
 *
 * Never waits for somebody at the other end.
 *
 * Return: struct file with a reference, or an error pointer: -ESTALE if the
 * path names something else now.
 */
struct file *ckpt_file_restore_fifo(struct ckpt_ctx *ctx,
				    const struct ckpt_hdr_file *record)
{
	struct restored_pipe *restored;
	struct ckpt_hdr_file_pipe end;
	struct file *file;

	restored = read_end(ctx, record, &end);
	if (IS_ERR(restored))
		return ERR_CAST(restored);
	file = open_fifo(ctx, record->open_flags & ~O_DIRECT);
	if (IS_ERR(file))
		return file;
	if (!restored->fifo)
		restored->fifo = get_file(file);
	if (restored->fifo->private_data != file->private_data) {
		int ret = ckpt_error(ctx, -ESTALE,
				     "FIFO %pD is not the one that was saved: it was the same as %pD",
				     file, restored->fifo);

		fput(file);
		return ERR_PTR(ret);
	}
	set_flags(file, O_DIRECT, record, &end);
	/* open() has set it where no writer was found. */
	if (!(end.flags & CKPT_FILE_PIPE_NO_HUP))
		file->f_pipe = 0;
	return file;
}

static void note_published(struct restored_pipe *restored, unsigned int index,
			   const struct pipe_buffer *buffer)
{
	struct published_buffer *published = &restored->published[index];

	published->page = buffer->page;
	published->end = buffer->offset + buffer->len;
	get_page(buffer->page);
}

static int move_buffers(struct restored_pipe *restored,
			struct pipe_inode_info *to)
{
	struct pipe_inode_info *from = restored->ends[READ_END]->private_data;
	int ret = 0;

	pipe_double_lock(from, to);
	if (!pipe_empty(to->head, to->tail))
		ret = -EBUSY;
	else if (pipe_occupancy(from->head, from->tail) > to->max_usage)
		ret = -ENOSPC;
	while (!ret && !pipe_empty(from->head, from->tail)) {
		*pipe_head_buf(to) = *pipe_buf(from, from->tail);
		note_published(restored, restored->nr_published++,
			       pipe_head_buf(to));
		pipe_buf(from, from->tail)->ops = NULL;
		from->tail++;
		to->head++;
	}
	pipe_unlock(from);
	pipe_unlock(to);
	return ret;
}

/* What is there already was written later, by whoever writes now. */
static int publish_to_heir(struct ckpt_ctx *ctx,
			   struct restored_pipe *restored)
{
	struct pipe_inode_info *from = restored->ends[READ_END]->private_data;
	struct pipe_inode_info *to = restored->heir->private_data;
	unsigned int index = restored->record.nr_buffers;
	const char *missing;

	pipe_double_lock(from, to);
	missing = missing_in(to, restored);
	if (!missing)
		restored->nr_published = index;
	while (!missing && !pipe_empty(from->head, from->tail)) {
		struct pipe_buffer *buffer = pipe_buf(from, from->head - 1);

		*pipe_buf(to, to->tail - 1) = *buffer;
		note_published(restored, --index, buffer);
		buffer->ops = NULL;
		from->head--;
		to->tail--;
	}
	pipe_unlock(from);
	pipe_unlock(to);
	return missing ? report_missing(ctx, missing) : 0;
}

static int publish_to_fifo(struct ckpt_ctx *ctx,
			   struct restored_pipe *restored)
{
	struct file *fifo = restored->fifo;
	int ret = move_buffers(restored, fifo->private_data);

	if (ret)
		return ckpt_error(ctx, ret,
				  "FIFO %pD holds data of somebody else", fifo);
	return 0;
}

/* The capacity is seen by all who have the FIFO open. */
static int publish_capacity(struct ckpt_ctx *ctx,
			    struct restored_pipe *restored)
{
	long old = pipe_fcntl(restored->fifo, F_GETPIPE_SZ, 0);
	int ret = set_capacity(ctx, restored->fifo, restored->record.capacity);

	if (!ret && old != restored->record.capacity)
		restored->old_capacity = old;
	return ret;
}

/**
 * ckpt_pipe_publish - put unread data into a FIFO, or a pipe that is inherited
 * @ctx: context
 * @object: from ckpt_pipe_restore()
 *
 * If the restart fails after this, ckpt_pipe_drop() takes it back.
 *
 * Return: 0, -EBUSY if the FIFO holds data already or the pipe has no room or no
 * reader, -ENOMEM, or the error of fcntl(F_SETPIPE_SZ).
 */
int ckpt_pipe_publish(struct ckpt_ctx *ctx, void *object)
{
	struct restored_pipe *restored = object;
	unsigned int nr_buffers = restored->record.nr_buffers;
	int ret;

	if (!restored->heir && restored->fifo) {
		ret = publish_capacity(ctx, restored);
		if (ret)
			return ret;
	}
	if ((!restored->heir && !restored->fifo) || !nr_buffers)
		return 0;
	restored->published = kvcalloc(nr_buffers,
				       sizeof(*restored->published),
				       GFP_KERNEL_ACCOUNT);
	if (!restored->published)
		return -ENOMEM;
	return restored->heir ? publish_to_heir(ctx, restored) :
				publish_to_fifo(ctx, restored);
}
