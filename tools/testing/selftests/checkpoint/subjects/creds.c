// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials: "ids", different real, effective, saved and file system ids and
 * groups; "caps", some capabilities of each set; "securebits"; "keep-caps",
 * the one of them that an ordinary user may set; "user", those of an ordinary
 * user.
 */
#include "subject.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static struct __user_cap_data_struct caps[2];
static uid_t uids[4];
static gid_t gids[4], groups[64];
static int nr_groups;
static u64 bounding, ambient;
static int securebits;

static void get_caps(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	need(!syscall(SYS_capget, &header, data));
}

static void set_caps(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	need(!syscall(SYS_capset, &header, data));
}

static u64 cap_set(bool of_ambient)
{
	u64 set = 0;
	int cap;

	for (cap = 0; cap < 64; cap++) {
		int has = of_ambient ? prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) :
				       prctl(PR_CAPBSET_READ, cap);

		if (has < 0)
			break;
		set |= (u64)has << cap;
	}
	return set;
}

static void look(uid_t uid[4], gid_t gid[4])
{
	need(!getresuid(&uid[0], &uid[1], &uid[2]));
	need(!getresgid(&gid[0], &gid[1], &gid[2]));
	/* An impossible id changes nothing and tells the old one. */
	uid[3] = setfsuid(-1);
	gid[3] = setfsgid(-1);
}

static void setup(void)
{
	static const gid_t some[] = { 7, 1000, 4000000000U };

	if (mode_is("ids")) {
		need(!setgroups(ARRAY_SIZE(some), some));
		need(!setresgid(2001, 2002, 2003));
		need(!setresuid(1001, 0, 1003));
		setfsuid(1004);
		setfsgid(2004);
	} else if (mode_is("caps")) {
		need(!prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE, 0, 0, 0));
		need(!prctl(PR_CAPBSET_DROP, CAP_MKNOD, 0, 0, 0));
		get_caps(caps);
		caps[0].inheritable = 1 << CAP_NET_RAW | 1 << CAP_KILL;
		caps[0].permitted &= ~(1U << CAP_SYS_TIME);
		caps[0].effective = caps[0].permitted & ~(1U << CAP_SYS_BOOT);
		set_caps(caps);
		need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	} else if (mode_is("securebits")) {
		need(!prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP |
			    SECBIT_NO_SETUID_FIXUP_LOCKED, 0, 0, 0));
	} else if (mode_is("keep-caps")) {
		need(!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	}
	look(uids, gids);
	nr_groups = getgroups(ARRAY_SIZE(groups), groups);
	get_caps(caps);
	bounding = cap_set(false);
	ambient = cap_set(true);
	securebits = prctl(PR_GET_SECUREBITS);
	if (mode_is("user"))
		need(uids[0] == 1000 && !caps[0].permitted);
}

static void verify(void)
{
	struct __user_cap_data_struct caps_now[2];
	gid_t gids_now[4], groups_now[64];
	uid_t uids_now[4];
	int index;

	look(uids_now, gids_now);
	for (index = 0; index < 4; index++) {
		check_equal(uids_now[index], uids[index], "uid");
		check_equal(gids_now[index], gids[index], "gid");
	}
	check_equal(getgroups(ARRAY_SIZE(groups_now), groups_now), nr_groups, "number of groups");
	check(!memcmp(groups, groups_now, nr_groups * sizeof(*groups)), "groups");
	get_caps(caps_now);
	for (index = 0; index < 2; index++) {
		check_equal(caps_now[index].effective, caps[index].effective, "effective");
		check_equal(caps_now[index].permitted, caps[index].permitted, "permitted");
		check_equal(caps_now[index].inheritable, caps[index].inheritable, "inheritable");
	}
	check_equal(cap_set(false), bounding, "bounding set");
	check_equal(cap_set(true), ambient, "ambient set");
	check_equal(prctl(PR_GET_SECUREBITS), securebits, "securebits");
	if (mode_is("caps"))
		check(ambient == 1 << CAP_KILL, "ambient set: %#llx", (unsigned long long)ambient);
}

const struct subject subject = { .setup = setup, .verify = verify };
