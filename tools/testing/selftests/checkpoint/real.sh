#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: real NAME --stage1|--stage2
#
# An unmodified program of Debian is saved in the middle of its work, killed, and
# brought back after a reboot; what it has made in the end must be what it makes
# without interruption.  The Debian system is on /mnt/disk.  programs/NAME is the
# directory in which the program runs; the file "how" in it sets
#
#   command    the program with its arguments
#   setup      what is run before (default: nothing)
#   input      standard input, a file in the directory (default: /dev/null)
#   results    files that it makes (default: its output alone)
#   unordered  set if the lines of its output have no fixed order
#   tasks      processes and threads that there are at least when it is saved
#   slow       task that is not let run any more before it is saved, until who writes
#              to it has filled its pipe; that must be in the image
#   go         FIFO that it reads a line from, where it is to be saved: at two fifths
#              of its output
#   ids        how it comes back: --pids (the default) or --pidns
#
# Its output must tell its progress, line by line.

name=$1
ROOT=/mnt/disk
DIR=$ROOT/srv/$name
READY=$DIR.ready
REFERENCE=$DIR.reference
IMAGE=$DIR.ckpt
GROUP=/sys/fs/cgroup/real
DEBIAN="chroot $ROOT /usr/bin/env -i -C /srv/$name LC_ALL=C HOME=/root PATH=/usr/bin:/bin"
# Nobody has these process ids in the next boot, and no other program: its name may
# be in that of a file.
LAST_PID=$((10000 + 0x$(echo "$name" | sha256sum | cut -c 1-4) % 20000))
# Seconds that anything may take.
PATIENCE=180
command='' setup='' input='' results='' unordered='' tasks=1 ids=--pids go='' slow=''

say()
{
	echo "# $name: $*"
}

fail()
{
	for file in "$DIR".messages "$DIR".errors; do
		[ ! -s "$file" ] || tail -n 20 "$file" | sed "s|^|# ${file##*.}: |"
	done
	echo "not ok 1 $name: $*"
	exit 1
}

# Wait for a state of the cgroup.
await_group()
{
	/ckpt/tests/await_file $PATIENCE $GROUP/cgroup.events "$1"
}

uptime_now()
{
	cut -d. -f1 /proc/uptime
}

lines()
{
	wc -l <"$1" | tr -d ' '
}

# What the program needs, made once.
set_up()
{
	rm -rf "$DIR" "$READY"
	cp -R "/ckpt/tests/programs/$name" "$DIR"
	# shellcheck disable=SC2086
	[ -z "$setup" ] || $DEBIAN $setup >"$DIR.errors" 2>&1 || fail "$setup"
	mv "$DIR" "$READY"
}

# Always the same place, in which the program has never been.
prepare()
{
	rm -rf "$DIR"
	cp -a "$READY" "$DIR"
}

# A session of its own, without a terminal, in a cgroup that can be frozen.
begin()
{
	echo 0 >$GROUP/cgroup.procs
	echo $LAST_PID >/proc/sys/kernel/ns_last_pid
	: >"$DIR/output"
	# shellcheck disable=SC2086
	$DEBIAN setsid $command <"${input:+$DIR/}${input:-/dev/null}" \
		>"$DIR/output" 2>"$DIR.errors" &
	pid=$!
	echo 0 >/sys/fs/cgroup/cgroup.procs
}

# As soon as it waits for that.
let_go()
{
	[ -z "$go" ] || echo go >"$DIR/$go" &
}

# Wait until a command says yes.
await()
{
	limit=$(($(uptime_now) + PATIENCE))
	until "$@"; do
		[ "$(uptime_now)" -lt $limit ] || fail "in vain: $*"
		sleep 0.1
	done
}

# Its process id is in $reader then.
is_there()
{
	while read -r reader; do
		[ "$(cat /proc/"$reader"/comm 2>/dev/null)" != "$1" ] || return 0
	done <$GROUP/cgroup.procs
	return 1
}

# Does whoever writes to the pipe that it reads not get on?
is_full()
{
	while read -r writer; do
		[ "$(readlink /proc/"$writer"/fd/1)" != "$(readlink /proc/"$reader"/fd/0)" ] ||
			! grep -qs "^1 0x1 " /proc/"$writer"/syscall || return 0
	done <$GROUP/cgroup.procs
	return 1
}

# The pipe in front of the slow one is full, and everybody waits.
hold()
{
	[ "$slow" ] || return 0
	await is_there "$slow"
	kill -STOP "$reader"
	await is_full
}

# It is stopped no more, but frozen, and reads on when it is restarted.
let_loose()
{
	[ "$slow" ] || return 0
	kill -CONT "$reader"
	await_group "frozen 1" || fail "$slow is not frozen"
}

# Bytes that the image has from pipes.
unread()
{
	ckptinfo -v "$IMAGE" | awk '
		$0 ~ / pipe_buffer / { is_next = 1; next }
		is_next { sub(/.* nbytes=/, ""); bytes += $1; is_next = 0 }
		END { print bytes + 0 }'
}

# At a moment when as many are at work as there should be: some come and go.
freeze()
{
	while :; do
		echo 1 >$GROUP/cgroup.freeze
		await_group "frozen 1" || fail "it cannot be frozen"
		before=$(lines "$DIR/output")
		threads=$(wc -l <$GROUP/cgroup.threads)
		[ "$threads" -lt "$tasks" ] && [ "$before" -lt "$total" ] || return 0
		echo 0 >$GROUP/cgroup.freeze
		await_group "frozen 0" || fail "it cannot go on"
	done
}

save()
{
	hold
	freeze
	let_loose
	checkpoint -q -l "$DIR.messages" -o "$IMAGE" $pid || fail "checkpoint"
	echo 1 >$GROUP/cgroup.kill
	wait $pid 2>/dev/null
	await_group "populated 0" || fail "it cannot be killed"
	say "saved $threads tasks at line $before of $total: $(($(stat -c %s "$IMAGE") / 1024)) KiB"
	[ "$before" -gt 0 ] || fail "it has not begun"
	[ "$before" -lt "$total" ] || fail "it was done already"
	[ "$threads" -ge "$tasks" ] || fail "$tasks tasks expected"
	[ -z "$slow" ] || {
		bytes=$(unread)
		say "unread in pipes: $bytes bytes"
		[ "$bytes" -gt 0 ] || fail "its pipes are empty"
	}
	cp "$DIR/output" "$DIR.before"
}

stage1()
{
	mkdir -p $GROUP
	rm -rf "$REFERENCE" "$IMAGE"
	set_up
	prepare
	let_go
	begun=$(uptime_now)
	begin
	wait $pid || fail "it does not work: status $?"
	say "uninterrupted: $(($(uptime_now) - begun)) s"
	mv "$DIR" "$REFERENCE"
	total=$(lines "$REFERENCE/output")

	prepare
	begin
	# So far, or no longer there.
	/ckpt/tests/await_file $PATIENCE "$DIR/output" $((total * 2 / 5)) \
		$GROUP/cgroup.events "populated 0" || fail "no progress"
	save
}

output_of()
{
	if [ "$unordered" ]; then
		sort "$1/output"
	else
		cat "$1/output"
	fi
}

stage2()
{
	[ -s "$IMAGE" ] || fail "it was not saved"
	cmp -s "$DIR.before" "$DIR/output" || fail "the output has changed since"
	let_go
	begun=$(uptime_now)
	restart -q $ids --copy-status -l "$DIR.messages" -i "$IMAGE"
	status=$?
	[ $status != 125 ] || fail "restart"
	[ $status = 0 ] || fail "it ended with status $status"
	say "worked for $(($(uptime_now) - begun)) s more"
	head -n "$(lines "$DIR.before")" "$DIR/output" | cmp -s - "$DIR.before" ||
		fail "it did not continue its output"
	output_of "$REFERENCE" >/tmp/expected
	output_of "$DIR" | cmp - /tmp/expected || fail "another output"
	for file in $results; do
		for one in "$REFERENCE"/$file; do
			cmp "$one" "$DIR/${one#"$REFERENCE"/}" || fail "another $file"
		done
	done
}

# Whatever another test has left behind that ran out of time.
clean_up()
{
	[ ! -d $GROUP ] || {
		echo 1 >$GROUP/cgroup.kill
		await_group "populated 0"
		rmdir $GROUP
	}
	! grep -q " $ROOT/proc " /proc/mounts || {
		umount $ROOT/proc
		umount -l $ROOT/dev
	}
}

echo "TAP version 13"
echo "1..1"
# shellcheck source=/dev/null
. "/ckpt/tests/programs/$name/how"
clean_up
trap clean_up EXIT
mount -t proc proc $ROOT/proc || fail "no /proc"
mount -o rbind /dev $ROOT/dev || fail "no /dev"
case $2 in
--stage1)
	stage1
	echo "ok 1 $name is saved"
	;;
--stage2)
	stage2
	echo "ok 1 $name ends after the reboot as it would have"
	;;
*)
	fail "no such stage: $2"
	;;
esac
