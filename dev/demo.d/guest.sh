#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of the demo.  The Debian system is on /mnt/disk; the programs
# run in it, while checkpoint and restart come from the initramfs.  Stage 1 saves
# the programs and kills them, stage 2, after a power cycle, brings them back.

ROOT=/mnt/disk
HOME_DIR=/srv/demo
DIR=$ROOT$HOME_DIR
LIBRARY=/usr/lib/python3.11
[ -d $ROOT$LIBRARY ] || LIBRARY=$(cd $ROOT && echo /usr/lib/python3.[0-9]*)
NAMES="python3 gawk bash"

# shellcheck source=dev/demo.d/redis.sh
. /ckpt/demo/redis.sh

mount -t proc proc $ROOT/proc
mount -o bind /dev $ROOT/dev

stop()
{
	echo "FAIL $*"
	umount $ROOT/dev $ROOT/proc
	exit 1
}

# Files and lines of a log, 0 when it is not there yet.
lines()
{
	[ -f "$1" ] || { echo 0; return; }
	wc -l <"$1" | tr -d ' '
}

# begin NAME RUN: start a program of the Debian system in the background; RUN
# names its files.  As from a service manager: a session of its own, no terminal.
begin()
{
	files=$HOME_DIR/$1.$2
	case $1 in
	python3)
		setsid chroot $ROOT /usr/bin/python3 $HOME_DIR/words.py \
			"$LIBRARY" "$files.result" "$files.log" \
			</dev/null >"$DIR/$1.$2.out" 2>&1 &
		;;
	gawk)
		# shellcheck disable=SC2046
		setsid chroot $ROOT /usr/bin/gawk -f $HOME_DIR/index.awk \
			$(cat $DIR/files) \
			</dev/null >"$ROOT$files.result" 2>"$ROOT$files.log" &
		;;
	bash)
		setsid chroot $ROOT /bin/bash $HOME_DIR/words.bash \
			$HOME_DIR/files "$files.result" "$files.log" \
			</dev/null >"$DIR/$1.$2.out" 2>&1 &
		;;
	esac
	pid=$!
}

# wait_for LOG LINES PID
wait_for()
{
	tries=0
	while [ "$(lines "$1")" -lt "$2" ]; do
		kill -0 "$3" 2>/dev/null || return 1
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || return 1
		sleep 0.1
	done
}

uptime_now()
{
	cut -d. -f1 /proc/uptime
}

save_one()
{
	log=$DIR/$1.victim.log
	total=$(lines "$DIR/$1.reference.log")
	begin "$1" victim
	sleep 0.1
	wait_for "$log" $((total * 2 / 5)) $pid ||
		stop "$1 ended before it could be saved"
	before=$(lines "$log")
	checkpoint -q -l "$DIR/$1.messages" -o "$DIR/$1.ckpt" $pid ||
		stop "checkpoint of $1: $(head -n 1 "$DIR/$1.messages")"
	wait_for "$log" $((total * 3 / 5)) $pid ||
		stop "$1 did not go on after the checkpoint"
	# With its children: they are in its process group.
	kill -KILL -- -$pid
	wait $pid 2>/dev/null
	[ -e "$DIR/$1.victim.result" ] && [ "$1" = python3 ] &&
		stop "$1 was done before it was killed"
	after=$(lines "$log")
	echo "$before $after" >"$DIR/$1.counts"
	size=$(($(stat -c %s "$DIR/$1.ckpt") / 1024))
	echo "SAY $1 (process $pid) saved at line $before of $total of its log: $size KiB"
	echo "SAY $1 went on unharmed to line $after, then was killed"
}

# Both append to their logs.  Each must be the uninterrupted one, but for the
# lines that were written twice: first by the run that was killed, then by the
# one that came back.
check_log()
{
	reference=$DIR/$1.reference.log
	log=$DIR/$1.victim.log
	total=$(lines "$reference")
	read -r before after <"$DIR/$1.counts"
	head -n "$after" "$log" >/tmp/old
	head -n "$after" "$reference" | cmp -s - /tmp/old || return 1
	again=$(($(lines "$log") - total))
	[ $again -ge 0 ] && [ $again -le $((after - before)) ] || return 1
	tail -n +$((after + 1)) "$log" >/tmp/new
	tail -n +$((after - again + 1)) "$reference" | cmp -s - /tmp/new || return 1
}

bring_back_one()
{
	begun=$(uptime_now)
	restart -q --pidns --copy-status -l "$DIR/$1.messages" -i "$DIR/$1.ckpt"
	status=$?
	[ $status = 125 ] && stop "restart of $1: $(head -n 1 "$DIR/$1.messages")"
	[ $status = 0 ] || stop "$1 ended with status $status after the restart"
	echo "SAY $1 came back, worked for $(($(uptime_now) - begun)) s more and ended with status 0"
	cmp -s "$DIR/$1.reference.result" "$DIR/$1.victim.result" ||
		stop "the result of $1 is not that of an uninterrupted run"
	check_log "$1" ||
		stop "the log of $1 is not that of an uninterrupted run"
	echo "SAY $1: the log continues at the checkpoint: $again lines were written again"
	sum=$(sha256sum <"$DIR/$1.victim.result" | cut -c1-16)
	echo "SAY $1: result as uninterrupted: $(stat -c %s "$DIR/$1.victim.result") bytes, SHA-256 $sum..."
}

case $CKPT_STAGE in
1)
	mkdir -p $DIR
	cp /ckpt/demo/* $DIR/
	find "$ROOT$LIBRARY" -name '*.py' | sort | head -n 130 | sed "s,^$ROOT,," >$DIR/files
	echo "SAY guest is up: Linux $(uname -r), Debian $(cat $ROOT/etc/debian_version)"
	for name in $NAMES; do
		begun=$(uptime_now)
		begin "$name" reference
		wait $pid || stop "$name does not work: $(tail -n 1 "$DIR/$name.reference.out")"
		echo "SAY $name uninterrupted: $(($(uptime_now) - begun)) s"
	done
	for name in $NAMES; do
		save_one "$name"
	done
	save_redis
	;;
2)
	echo "SAY guest is up again: Linux $(uname -r)"
	for name in $NAMES; do
		bring_back_one "$name"
	done
	bring_back_redis
	;;
esac
umount $ROOT/dev $ROOT/proc
