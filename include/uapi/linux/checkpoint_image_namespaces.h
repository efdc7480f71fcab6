/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of a checkpoint image: namespaces.
 *
 * Part of <linux/checkpoint_image.h>, which has the rules for all records.
 */
#ifndef _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H
#define _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H

#include <linux/checkpoint_image.h>

/**
 * struct ckpt_hdr_nsproxy - the namespaces of a task
 *
 * Those that the caller of checkpoint() was in are not in the image: 0 stands
 * for the namespace of whoever restarts. One at least is another.
 *
 * @h: type and length
 * @uts_ns: UTS namespace, or 0
 * @reserved: 0
 */
struct ckpt_hdr_nsproxy {
	struct ckpt_hdr h;
	__u32 uts_ns;
	__u32 reserved;
};

/**
 * struct ckpt_hdr_uts_ns - UTS namespace
 *
 * What uname(2) tells besides is of the kernel.
 *
 * @h: type and length
 * @nodename: as sethostname(2) takes it
 * @domainname: as setdomainname(2) takes it
 * @reserved: 0
 */
struct ckpt_hdr_uts_ns {
	struct ckpt_hdr h;
	__u8 nodename[65];
	__u8 domainname[65];
	__u8 reserved[6];
};

#endif /* _UAPI_LINUX_CHECKPOINT_IMAGE_NAMESPACES_H */
