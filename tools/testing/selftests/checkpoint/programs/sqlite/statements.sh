#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What sqlite3 is to do.

{
	cat <<-'EOF'
	PRAGMA cache_size = 50;
	CREATE TABLE node(id INTEGER PRIMARY KEY, parent INTEGER, name TEXT);
	CREATE INDEX by_name ON node(name);
	BEGIN;
	INSERT INTO node VALUES (0, NULL, 'root');
	EOF
	for round in $(seq 40); do
		cat <<-EOF
		INSERT INTO node(parent, name)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
			SELECT (i * 7919 + $round) % (SELECT count(*) FROM node),
				hex(i * 2654435761 % 4294967291 + $round) FROM n;
		WITH RECURSIVE path(id, depth) AS (
			SELECT 0, 0 UNION ALL
			SELECT node.id, depth + 1 FROM node JOIN path ON node.parent = path.id
				WHERE node.id > $round * 500 - 3000 AND depth < 3)
			SELECT $round, count(*), max(depth) FROM path;
		SELECT $round, count(*), count(DISTINCT substr(name, 1, 6)), min(name) FROM node;
		EOF
	done
	echo "COMMIT;"
	echo "SELECT 'done';"
} >statements
