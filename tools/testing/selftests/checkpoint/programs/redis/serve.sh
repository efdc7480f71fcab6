#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# redis-server is loaded by its own client, and asked for everything by it when it
# was saved and brought back.

KEYS=100000

mkfifo log
redis-server --bind 127.0.0.1 --port 6379 --save '' --appendonly no >log 2>&1 &
server=$!
exec 3<log
until [[ $line == *"Ready to accept"* ]]; do
	read -r line <&3 || exit 1
done

awk -v keys=$KEYS 'BEGIN {
	for (i = 0; i < keys; i++)
		print "SET key:" i " value-" i * 7919 "-" i % 977
}' | redis-cli --pipe | grep errors

# The server closes connections in the order in which they end: when it closes this
# one, it has none.
exec 4<>/dev/tcp/127.0.0.1/6379
printf 'QUIT\r\n' >&4
cat <&4 >/dev/null
exec 4>&-
echo "loaded"

read -r _ <go

redis-cli dbsize
awk -v keys=$KEYS 'BEGIN {
	for (i = 0; i < keys; i += 1000) {
		printf "MGET"
		for (j = i; j < i + 1000; j++)
			printf " key:" j
		print ""
	}
}' | redis-cli | sha256sum
redis-cli set more "than before" >/dev/null
redis-cli get more
redis-cli shutdown nosave
wait $server
