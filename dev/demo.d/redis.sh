# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The server of the demo, part of guest.sh: redis-server, as Debian starts it but
# in memory alone, so that its keys are nowhere but in its image.

KEYS=100000
PORT=6379
# Of the server: nobody has this process id in the next boot.
REDIS_PID=7000
REDIS=$DIR/redis

redis()
{
	chroot "$ROOT" /usr/bin/redis-cli -p $PORT "$@"
}

# What every key must hold.
expected()
{
	awk -v keys=$KEYS 'BEGIN {
		for (i = 0; i < keys; i++)
			print "value-" i * 7919 "-" i % 977
	}'
}

# The same from the server, a thousand at a time.
check_keys()
{
	awk -v keys=$KEYS 'BEGIN {
		for (i = 0; i < keys; i++)
			printf "%s key:%d%s", i % 1000 ? "" : "MGET", i,
			       i % 1000 == 999 ? "\n" : ""
	}' | redis >/tmp/answers || stop "redis does not answer"
	expected >/tmp/expected
	cmp -s /tmp/expected /tmp/answers ||
		stop "redis has another value: $(cmp /tmp/expected /tmp/answers 2>&1)"
}

# One answer, or the reason to stop.
ask()
{
	question=$1
	answer=$2
	shift 2
	[ "$(redis "$@")" = "$answer" ] || stop "redis: $question: not $answer"
}

# await TEXT COMMAND: until COMMAND succeeds; stop with TEXT after 30 seconds.
await()
{
	text=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || stop "redis $text"
		sleep 0.1
	done
}

# Whether the server has closed every connection, also those that clients ended.
has_no_client()
{
	! grep -q ":$(printf %04X $PORT) [0-9A-F:]* 0[18] " /proc/net/tcp
}

save_redis()
{
	echo $((REDIS_PID - 1)) >/proc/sys/kernel/ns_last_pid
	setsid chroot "$ROOT" /usr/bin/redis-server --port $PORT --bind 127.0.0.1 \
		--save '' --appendonly no </dev/null >"$REDIS.log" 2>&1 &
	pid=$!
	await "does not begin" grep "Ready to accept" "$REDIS.log"
	awk -v keys=$KEYS 'BEGIN {
		for (i = 0; i < keys; i++)
			print "SET key:" i " value-" i * 7919 "-" i % 977
	}' | redis --pipe >/tmp/filled || stop "redis: $(tail -n 1 /tmp/filled)"
	ask "its keys" $KEYS dbsize
	await "has a client that does not go" has_no_client
	checkpoint -q -l "$REDIS.messages" -o "$REDIS.ckpt" $pid ||
		stop "checkpoint of redis: $(head -n 1 "$REDIS.messages")"
	size=$(($(stat -c %s "$REDIS.ckpt") / 1024))
	echo "SAY redis (process $pid) saved while it serves $KEYS keys: $size KiB"
	ask "after the checkpoint" OK set later "not in the image"
	ask "after the checkpoint" $((KEYS + 1)) dbsize
	kill -KILL $pid
	wait $pid 2>/dev/null
	redis ping >/dev/null 2>&1 && stop "redis was not killed"
	echo "SAY redis went on unharmed and took one more key, then was killed"
}

bring_back_redis()
{
	redis ping >/dev/null 2>&1 && stop "there is a redis already"
	restart -q --pids --copy-status -l "$REDIS.messages" -i "$REDIS.ckpt" &
	restarted=$!
	await "does not come back" redis ping
	ask "its keys" $KEYS dbsize
	check_keys
	echo "SAY redis came back: a new client finds all $KEYS keys with the right values"
	ask "a key that came after the checkpoint" "" get later
	ask "a new key" OK set new "from a new client"
	ask "a new key" "from a new client" get new
	redis shutdown nosave >/dev/null 2>&1
	wait $restarted || stop "redis ended with status $? after the restart"
	echo "SAY redis took a new key, gave it back, and ended as it was told: status 0"
}
