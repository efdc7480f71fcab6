// SPDX-License-Identifier: GPL-2.0
/*
 * Checkpoint and restart of the names of unix sockets: part of af_unix.c.
 *
 * Saved: names in the filesystem and abstract ones, whoever chose them; which
 *	sockets can be found by them, and which only have them to be told: those
 *	that accept() made, those whose file was unlinked, and those that are gone.
 * Reset: the file of a name that is only told (SIOCUNIXFILE); its inode.
 * Refused: a name that somebody else has, or whose file is not what is left of
 *	the saved one.
 *
 * What others can see comes when the whole image was found good. The file of a
 * socket stays behind when that is closed, and also over a reboot. It is
 * replaced, as servers do before they bind, if nobody can be found by it and if
 * it belongs to who it belonged to: with the rights that unlink() and bind() ask
 * for. If the restart fails afterwards, a file that was not there before is
 * removed again.
 */
#ifdef CONFIG_CHECKPOINT

#include <linux/checkpoint_ctx.h>
#include <linux/err.h>

/* In the filesystem the longest one has a NUL byte behind it. */
#define NAME_LEN_MAX	(UNIX_PATH_MAX + 1)

/**
 * struct restored_name - a name that was read from an image
 * @addr: the name, until the socket has it
 * @file: record of its file
 * @path: where that is; NULL if there is none
 * @is_new: there was no such file before
 */
struct restored_name {
	struct unix_address *addr;
	struct ckpt_hdr_unix_path file;
	char *path;
	bool is_new;
};

static unsigned long inode_number(const struct sock *sk)
{
	return sk->sk_socket ? SOCK_INODE(sk->sk_socket)->i_ino : 0;
}

static bool is_abstract(const struct unix_address *addr)
{
	return !addr->name->sun_path[0];
}

/* Can others find the socket by its name? */
static bool is_bound(struct sock *sk, const struct unix_address *addr)
{
	if (is_abstract(addr))
		return sk->sk_hash > UNIX_HASH_MOD;
	return !hlist_unhashed(&sk->sk_bind_node) &&
	       !d_unlinked(unix_sk(sk)->path.dentry);
}

/* Who sees the address sees all that belongs to it: it was stored for that. */
static struct unix_address *address_of(const struct sock *sk)
{
	/* Pairs with the release in __unix_set_addr_hash(). */
	return smp_load_acquire(&unix_sk(sk)->addr);
}

static u32 name_flags(struct sock *sk, bool is_open)
{
	struct unix_address *addr = address_of(sk);

	if (!addr)
		return 0;
	return CKPT_UNIX_NAMED |
	       (is_open && is_bound(sk, addr) ? CKPT_UNIX_BOUND : 0);
}

static int save_path(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct path *path = &unix_sk(sk)->path;
	struct user_namespace *user_ns = current_user_ns();
	const struct inode *inode = d_backing_inode(path->dentry);
	struct ckpt_hdr_unix_path *record;
	int ret;

	record = ckpt_record_add(ctx, CKPT_HDR_UNIX_PATH);
	if (!record)
		return -ENOMEM;
	record->mode = inode->i_mode & 07777;
	record->uid = from_kuid_munged(user_ns, inode->i_uid);
	record->gid = from_kgid_munged(user_ns, inode->i_gid);
	ret = ckpt_path_add(ctx, path);
	if (ret)
		return ckpt_error(ctx, ret,
				  "the file %pd of unix socket %lu cannot be named",
				  path->dentry, inode_number(sk));
	return 0;
}

static int save_name(struct ckpt_ctx *ctx, struct sock *sk, u32 flags)
{
	const size_t skip = offsetof(struct sockaddr_un, sun_path);
	struct unix_address *addr = address_of(sk);
	void *bytes;

	if (!(flags & CKPT_UNIX_NAMED))
		return 0;
	bytes = ckpt_buffer_add(ctx, addr->len - skip);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, addr->name->sun_path, addr->len - skip);
	if (!(flags & CKPT_UNIX_BOUND) || is_abstract(addr))
		return 0;
	return save_path(ctx, sk);
}

/* As bind() would have taken it. */
static struct unix_address *make_address(const char *bytes, u32 len)
{
	const size_t skip = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_storage storage = { .ss_family = AF_UNIX };
	char *to = (char *)&storage + skip;

	if (!len || len > NAME_LEN_MAX)
		return ERR_PTR(-EINVAL);
	if (bytes[0] ? strnlen(bytes, len) != len - 1 : len > UNIX_PATH_MAX)
		return ERR_PTR(-EINVAL);
	memcpy(to, bytes, len);
	return unix_create_addr((struct sockaddr_un *)&storage, skip + len) ?:
	       ERR_PTR(-ENOMEM);
}

static int read_path(struct ckpt_ctx *ctx, struct restored_name *name)
{
	char *path;
	int ret;

	ret = ckpt_record_read(ctx, CKPT_HDR_UNIX_PATH, &name->file);
	if (ret)
		return ret;
	path = ckpt_text_read(ctx);
	if (IS_ERR(path))
		return PTR_ERR(path);
	name->path = path;
	if (path[0] != '/')
		return ckpt_error(ctx, -EINVAL,
				  "the path of a unix socket is not absolute");
	return 0;
}

/* What is told only, the socket gets at once. */
static int read_name(struct ckpt_ctx *ctx, struct restored_name *name,
		     struct sock *sk, u32 flags)
{
	struct unix_address *addr;
	char *bytes;
	u32 len;

	if (!(flags & CKPT_UNIX_NAMED))
		return flags & CKPT_UNIX_BOUND ?
			ckpt_error(ctx, -EINVAL,
				   "a unix socket is bound to no name") : 0;
	bytes = ckpt_buffer_read(ctx, &len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	addr = make_address(bytes, len);
	kvfree(bytes);
	if (IS_ERR(addr))
		return ckpt_error(ctx, PTR_ERR(addr),
				  "a name of %u bytes of a unix socket", len);
	if (!(flags & CKPT_UNIX_BOUND)) {
		/* Pairs with the acquire of who looks at all sockets. */
		smp_store_release(&unix_sk(sk)->addr, addr);
		return 0;
	}
	name->addr = addr;
	return is_abstract(addr) ? 0 : read_path(ctx, name);
}

static int bind_abstract(struct ckpt_ctx *ctx, struct restored_name *name,
			 struct sock *sk)
{
	struct unix_address *addr = name->addr;
	int ret = unix_bind_abstract(sk, addr->name, addr->len);

	if (ret)
		return ckpt_error(ctx, ret,
				  "cannot bind a unix socket to the abstract name %*pE",
				  (int)min(addr->len - 3, 64),
				  addr->name->sun_path + 1);
	return 0;
}

/* Why a file is not what a socket has left behind, or NULL. */
static const char *file_problem(const struct restored_name *name,
				struct inode *inode)
{
	struct sock *sk;

	if (!S_ISSOCK(inode->i_mode))
		return "it is no socket";
	sk = unix_find_socket_byinode(inode);
	if (sk) {
		sock_put(sk);
		return "somebody has it";
	}
	if (!uid_eq(inode->i_uid, make_kuid(current_user_ns(),
					    name->file.uid)))
		return "it belongs to another user than before";
	return NULL;
}

static int make_way(struct ckpt_ctx *ctx, struct restored_name *name)
{
	const char *problem;
	struct path found;
	int ret;

	ret = kern_path(name->path, 0, &found);
	if (ret == -ENOENT) {
		name->is_new = true;
		return 0;
	}
	if (ret)
		return ckpt_error(ctx, ret, "%s, name of a unix socket",
				  name->path);
	problem = file_problem(name, d_backing_inode(found.dentry));
	path_put(&found);
	if (problem)
		return ckpt_error(ctx, -EADDRINUSE,
				  "cannot bind a unix socket to %s: %s",
				  name->path, problem);
	ret = ckpt_path_unlink(name->path);
	if (ret)
		return ckpt_error(ctx, ret,
				  "cannot replace %s, which a unix socket has left",
				  name->path);
	return 0;
}

/* From here on it can be found. */
static void publish_path(struct sock *sk, struct restored_name *name,
			 const struct path *parent, struct dentry *dentry)
{
	struct unix_sock *u = unix_sk(sk);
	struct net *net = sock_net(sk);
	unsigned int old_hash, new_hash;

	mutex_lock(&u->bindlock);
	old_hash = sk->sk_hash;
	new_hash = unix_bsd_hash(d_backing_inode(dentry));
	unix_table_double_lock(net, old_hash, new_hash);
	u->path.mnt = mntget(parent->mnt);
	u->path.dentry = dget(dentry);
	__unix_set_addr_hash(net, sk, name->addr, new_hash);
	unix_table_double_unlock(net, old_hash, new_hash);
	unix_insert_bsd_socket(sk);
	mutex_unlock(&u->bindlock);
	name->addr = NULL;
}

static int make_file(struct sock *sk, struct restored_name *name)
{
	umode_t mode = S_IFSOCK | name->file.mode;
	struct dentry *dentry;
	struct path parent;
	int ret;

	dentry = kern_path_create(AT_FDCWD, name->path, &parent, 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	ret = security_path_mknod(&parent, dentry, mode, 0);
	if (!ret)
		ret = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry),
				dentry, mode, 0);
	if (!ret)
		publish_path(sk, name, &parent, dentry);
	done_path_create(&parent, dentry);
	return ret;
}

static int set_file_owner(struct ckpt_ctx *ctx, const struct path *path,
			  const struct restored_name *name)
{
	struct file *file = dentry_open(path, O_PATH, current_cred());
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = ckpt_file_set_mode(file, name->file.uid, name->file.gid,
				 name->file.mode);
	fput(file);
	if (ret)
		return ckpt_error(ctx, ret, "%s of user %u, group %u",
				  name->path, name->file.uid, name->file.gid);
	return 0;
}

static int bind_path(struct ckpt_ctx *ctx, struct restored_name *name,
		     struct sock *sk)
{
	int ret;

	ret = make_way(ctx, name);
	if (ret)
		return ret;
	ret = make_file(sk, name);
	if (ret)
		return ckpt_error(ctx, ret == -EEXIST ? -EADDRINUSE : ret,
				  "cannot bind a unix socket to %s",
				  name->path);
	return set_file_owner(ctx, &unix_sk(sk)->path, name);
}

/* As bind(). The target will not be there before all have their names. */
static int publish_name(struct ckpt_ctx *ctx, struct restored_name *name,
			struct socket *sock)
{
	struct unix_address *addr = name->addr;
	int ret;

	if (!addr)
		return 0;
	ret = security_socket_bind(sock, (struct sockaddr *)addr->name,
				   addr->len);
	if (ret)
		return ckpt_error(ctx, ret, "no right to bind a unix socket");
	return name->path ? bind_path(ctx, name, sock->sk) :
			    bind_abstract(ctx, name, sock->sk);
}

/* If it is still there, and was not before. */
static void remove_file(const struct restored_name *name, struct sock *sk)
{
	const struct path *path = &unix_sk(sk)->path;
	struct path found;
	bool is_ours;

	if (!name->is_new || !path->dentry || kern_path(name->path, 0, &found))
		return;
	is_ours = d_backing_inode(found.dentry) ==
		  d_backing_inode(path->dentry);
	path_put(&found);
	if (is_ours)
		ckpt_path_unlink(name->path);
}

static void free_name(struct restored_name *name)
{
	if (name->addr)
		unix_release_addr(name->addr);
	kvfree(name->path);
}

#endif /* CONFIG_CHECKPOINT */
