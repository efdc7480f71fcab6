#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# redis-server is loaded by its own client, and asked for everything by it when it
# was saved and brought back.

KEYS=100000

redis-server --bind 127.0.0.1 --port 6379 --save '' --appendonly no >server.log 2>&1 &
server=$!
until [ "$(redis-cli ping 2>/dev/null)" = PONG ]; do
	sleep 0.1
done

awk -v keys=$KEYS 'BEGIN {
	for (i = 0; i < keys; i++)
		print "SET key:" i " value-" i * 7919 "-" i % 977
}' | redis-cli --pipe | grep errors

# No connection is left that the server knows of: established, or to be closed.
while grep -q "0100007F:18EB [0-9A-F:]* 0[18]" /proc/net/tcp; do
	sleep 0.1
done
echo "loaded"

until [ -e go ]; do
	sleep 0.1
done

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
