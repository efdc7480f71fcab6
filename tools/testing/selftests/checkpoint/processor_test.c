// SPDX-License-Identifier: GPL-2.0
/*
 * Images that come from another processor or another kernel: as far as they
 * can be made on one machine.
 */
#include "harness.h"
#include "image_edit.h"

#include <elf.h>
#include <sys/auxv.h>

#include "kselftest_harness.h"

#include "tiny.h"

/* Seconds for one test, also in the debug kernel. */
#define LIMIT	300

/* The kernel's struct alt_instr, as long as it is this one. */
struct choice {
	s32 place;
	s32 replacement;
	u32 feature;
	u8 length;
	u8 replacement_length;
} __attribute__((packed));

FIXTURE(image)
{
	struct image image;
};

FIXTURE_SETUP(image)
{
	if (!have_checkpoint())
		SKIP(return, "this kernel has no checkpoint()");
	ASSERT_TRUE(make_tiny_image("self", "image", 0));
	ASSERT_TRUE(image_load(&self->image, "image"));
}

FIXTURE_TEARDOWN(image)
{
	image_free(&self->image);
	unlink("image");
}

/* The errno of a restart, or the exit status of what was restarted. */
static int restart_logged(struct image *image, int logfd)
{
	int fd = memfd_create("image", MFD_CLOEXEC), status = -1;
	pid_t pid;

	image_seal(image);
	if (!image_store_fd(image, fd))
		return -1;
	pid = fork();
	if (!pid) {
		sys_restart(0, fd, RESTART_TASKSELF, logfd);
		_exit(errno);
	}
	close(fd);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return complain("status %#x", status);
	return WEXITSTATUS(status);
}

static int restart(struct image *image)
{
	return restart_logged(image, STDOUT_FILENO);
}

static bool change(struct image *image, const char *what, u64 bits)
{
	u64 value;

	return image_get(image, what, &value) && image_set(image, what, value ^ bits);
}

/* The offset of some instructions of the vdso that are there for the processor. */
static u64 find_choice(void)
{
	const unsigned char *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (void *)vdso;
	const Elf64_Shdr *sections;
	const char *names;
	int index;

	if (!vdso)
		return 0;
	sections = (void *)(vdso + header->e_shoff);
	names = (void *)(vdso + sections[header->e_shstrndx].sh_offset);
	for (index = 0; index < header->e_shnum; index++) {
		const struct choice *choice = (void *)(vdso + sections[index].sh_offset);

		if (!strcmp(names + sections[index].sh_name, ".altinstructions") &&
		    sections[index].sh_size && choice->length > 1)
			return (unsigned char *)choice + choice->place - vdso;
	}
	return 0;
}

TEST_F_TIMEOUT(image, as_it_is, LIMIT)
{
	EXPECT_EQ(TINY_GOOD, restart(&self->image));
}

/* Symbols may be elsewhere, code is. */
TEST_F_TIMEOUT(image, other_vdso, LIMIT)
{
	ASSERT_TRUE(change(&self->image, "header_arch.vdso_hash", 1));
	EXPECT_EQ(EXDEV, restart(&self->image));
}

TEST_F_TIMEOUT(image, vdso_of_other_size, LIMIT)
{
	ASSERT_TRUE(change(&self->image, "header_arch.vdso_size", 4096));
	EXPECT_EQ(EXDEV, restart(&self->image));
}

/* The same build of the kernel, which has chosen other instructions. */
TEST_F_TIMEOUT(image, other_choice, LIMIT)
{
	ASSERT_TRUE(change(&self->image, "header_arch.vdso_chosen_hash", 1));
	EXPECT_EQ(TINY_GOOD, restart(&self->image));
}

TEST_F_TIMEOUT(image, stopped_within_choice, LIMIT)
{
	u64 offset = find_choice(), vdso;

	if (!offset)
		SKIP(return, "the vdso has no instructions to choose from");
	ASSERT_TRUE(image_get(&self->image, "mm_arch.vdso", &vdso));
	ASSERT_TRUE(image_set(&self->image, "cpu.ip", vdso + offset + 1));
	ASSERT_TRUE(change(&self->image, "header_arch.vdso_chosen_hash", 1));
	EXPECT_EQ(EXDEV, restart(&self->image));
}

/* Registers that are in use, and that no register here could hold. */
TEST_F_TIMEOUT(image, missing_component, LIMIT)
{
	int log = memfd_create("log", MFD_CLOEXEC);
	char wanted[80], text[1024] = "";
	u64 here, missing;

	ASSERT_TRUE(image_get(&self->image, "header_arch.xfeatures", &here));
	missing = ~here & (here + 1);
	ASSERT_NE(0, missing);
	ASSERT_TRUE(change(&self->image, "cpu_xstate.features", missing));
	EXPECT_EQ(EXDEV, restart_logged(&self->image, log));
	ASSERT_GT(pread(log, text, sizeof(text) - 1, 0), 0);
	snprintf(wanted, sizeof(wanted), "this processor lacks state components %#llx\n",
		 (unsigned long long)missing);
	EXPECT_NE(NULL, strstr(text, wanted))
		TH_LOG("the log says: %s", text);
	close(log);
}

/* Of another processor, which has it; but this process does not use it. */
TEST_F_TIMEOUT(image, unused_component, LIMIT)
{
	u64 here;

	ASSERT_TRUE(image_get(&self->image, "header_arch.xfeatures", &here));
	ASSERT_TRUE(change(&self->image, "header_arch.xfeatures", ~here & (here + 1)));
	EXPECT_EQ(TINY_GOOD, restart(&self->image));
}

TEST_HARNESS_MAIN
