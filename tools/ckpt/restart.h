/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of restart(1). */
#ifndef _CKPT_RESTART_H
#define _CKPT_RESTART_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "crew.h"
#include "kmsg.h"
#include "plan.h"
#include "rewrite.h"
#include "tree.h"

/* The image records a failed checkpoint: its reason was printed. */
#define EXIT_RECORDED	5
/* With --copy-status: restart itself failed, not the program. */
#define EXIT_OURS	125

/**
 * enum restart_pids - which ids the tasks get
 * @PIDS_NEW: any
 * @PIDS_KEEP: the saved ones, in the present pid namespace
 * @PIDS_NAMESPACE: the saved ones, in a new pid namespace
 */
enum restart_pids {
	PIDS_NEW,
	PIDS_KEEP,
	PIDS_NAMESPACE,
};

/**
 * struct restart_options - what the command line asks for
 * @input: file with the image, or NULL
 * @input_fd: the image, once it is open
 * @logfile: where the kernel's messages go, or NULL
 * @logfd: the same as a descriptor, or -1
 * @flags: of the system call
 * @pids: which ids the tasks get
 * @root: root directory of the program, or NULL
 * @signal: sent to the program on ^C, 0 for the default
 * @self: become the saved process
 * @mntns: a mount namespace with its own /proc
 * @detach: do not wait for the program
 * @copy_status: end as the program does
 * @show_status: print how it ended
 * @inspect: print the error records of the image instead
 * @dry_run: check everything, create nothing
 * @changes: what is wanted otherwise than the image says
 */
struct restart_options {
	const char *input;
	int input_fd;
	const char *logfile;
	int logfd;
	unsigned long flags;
	enum restart_pids pids;
	const char *root;
	int signal;
	bool self;
	bool mntns;
	bool detach;
	bool copy_status;
	bool show_status;
	bool inspect;
	bool dry_run;
	struct changes changes;
};

/**
 * enum restart_stage - how far a restart came
 * @STAGE_NAMESPACE: making namespaces
 * @STAGE_CREATE: creating the tasks
 * @STAGE_RESTART: the system call
 * @STAGE_RUNNING: the program runs
 * @STAGE_ENDED: the program has ended
 */
enum restart_stage {
	STAGE_NAMESPACE,
	STAGE_CREATE,
	STAGE_RESTART,
	STAGE_RUNNING,
	STAGE_ENDED,
};

/**
 * struct restart_outcome - what became of a restart
 * @stage: how far it came
 * @errnum: why it came no further, or 0
 * @failed_id: with STAGE_CREATE: the id that could not be had, or 0
 * @pid: the root task, in the pid namespace of its coordinator
 * @code: with STAGE_ENDED: CLD_EXITED, CLD_KILLED, CLD_DUMPED
 * @status: with STAGE_ENDED: exit status or signal
 */
struct restart_outcome {
	enum restart_stage stage;
	int errnum;
	pid_t failed_id;
	pid_t pid;
	int code;
	int status;
};

/**
 * struct restart - a restart that is going on
 * @options: what the command line asks for
 * @forest: the tasks
 * @plan: who creates whom
 * @image_fd: handed to the kernel
 * @kmsg: where the kernel's messages go
 * @feeder: process that pumps the image, or -1
 * @feeder_failed: it could not, and said why
 * @image_size: bytes that the feeder has handed on, if the image is compressed
 * @progress: process that shows how far it is read, or -1
 * @root_fd: pidfd of the root task, or -1
 * @crew: shared with the new processes, or NULL
 * @init: init of the new pid namespace if that is a process of ours, or -1
 * @channel: to that process, or -1
 * @outcome: how far it has come
 */
struct restart {
	struct restart_options *options;
	struct forest forest;
	struct plan plan;
	int image_fd;
	struct kmsg kmsg;
	pid_t feeder;
	bool feeder_failed;
	unsigned long long *image_size;
	pid_t progress;
	int root_fd;
	struct crew *crew;
	pid_t init;
	int channel;
	struct restart_outcome outcome;
};

void parse_options(struct restart_options *options, int argc, char **argv);

int helpers_start(struct restart *restart);
void helpers_stop(struct restart *restart);

int create_forest(struct restart *restart);
bool leads_group(const struct restart *restart,
		 const struct forest_task *task);
pid_t create_process(unsigned long flags, pid_t wanted, int *pidfd);

void coordinate_here(struct restart *restart);
void coordinate_in_namespace(struct restart *restart);
void coordinate_abort(struct restart *restart);
bool coordinate_hear(struct restart *restart);
int enter_mount_namespace(void);

void catch_signals(void);
int caught_signal(void);
void undo_on_signal(pid_t pid);
void supervise(struct restart *restart);

#endif /* _CKPT_RESTART_H */
