/* SPDX-License-Identifier: GPL-2.0 */
/* Restarting images with namespaces as this user or that one. */
#ifndef _CKPT_SELFTEST_NS_RESTART_H
#define _CKPT_SELFTEST_NS_RESTART_H

#include "harness.h"
#include "image_edit.h"

/* Without groups, but with what is his in /proc. */
void be_user(uid_t uid);
void drop_capability(int capability);
int exit_status(pid_t pid);

/* An image for who restarts, and an empty log that anybody may write. */
bool open_both(struct image *image, bool seal, int *fd, int *log);
/* Exit status of who becomes the process of the image; its errno if it cannot. */
int become(int fd, int log);
int restart_without(struct image *image, uid_t uid, int capability);
int restart_as(struct image *image, uid_t uid);
/* Is that image refused, with this message? */
bool is_refused(struct image *image, uid_t uid, int error, const char *word);

#endif /* _CKPT_SELFTEST_NS_RESTART_H */
