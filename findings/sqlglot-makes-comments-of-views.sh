#!/usr/bin/env bash
# PyPI sqlglot 30.30.0 and sqlparse 0.6.1: what a dump has in /*!50001 ... */ is a comment to them, and so are its views and triggers.
#
# Guess: sqlglot, which reads the dialect of MySQL, reads its conditional comments, or keeps them as they are; and sqlparse's strip_comments takes
# comments away.
# Seen: a dump of mysqldump has every view and trigger, and the character set, time zone and SQL mode that it is to be read with, in such comments.
# sqlglot writes them back as `/* !50001 ...`, with a blank in front of the `!`, which makes a comment for everybody of what the server would have
# carried out. sqlparse leaves them out, while it keeps hints (`/*+ ... */`). The tables and rows are whole, and neither says a
# word, so that whoever renames a schema, masks addresses or tidies a dump up this way loads a site without views and triggers, and with
# the day's time zone in every TIMESTAMP.
#
# python3 with venv, and a network for packages. Fails when the behaviour is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
cd "$place"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet --disable-pip-version-check install sqlglot==30.30.0 sqlparse==0.6.1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

# As mysqldump 9.7.4 and mariadb-dump 11.8.9 write it.
cat >dump.sql <<'DUMP'
/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `orders` (
  `id` int NOT NULL,
  `at` timestamp NULL DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
INSERT INTO `orders` VALUES (1,'2026-01-01 03:00:00');
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`shop`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `today` AS select `orders`.`id` AS `id` from `orders` */;
SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1;
DUMP
# What a server would carry out: no comments, but those that begin with an exclamation mark at once.
carried_out() {
  sed -e 's,/\*[^!+][^*]*\*/,,g'
}
count() { # WORD
  carried_out | grep -c -e "$1" || true
}
"$place/venv/bin/python" - <<'PYTHON'
import sqlglot
import sqlparse

text = open("dump.sql").read()
open("sqlglot.sql", "w").write(";\n".join(sqlglot.transpile(text, read="mysql", write="mysql")))
open("sqlparse.sql", "w").write(sqlparse.format(text, strip_comments=True))
PYTHON
for word in TIME_ZONE VIEW 'CREATE TABLE' 'INSERT INTO'; do
  expect "$word in the dump" 1 "$(count "$word" <dump.sql)"
done
for program in sqlglot sqlparse; do
  expect "$program: time zone" 0 "$(count TIME_ZONE <"$program.sql")"
  expect "$program: view" 0 "$(count VIEW <"$program.sql")"
  expect "$program: table" 1 "$(count 'CREATE TABLE' <"$program.sql")"
  expect "$program: rows" 1 "$(count 'INSERT INTO' <"$program.sql")"
  expect "$program: hint" 1 "$(count MAX_EXECUTION_TIME <"$program.sql")"
done
expect 'what sqlglot makes of the time zone' "/* !40103 SET TIME_ZONE='+00:00' */" "$(grep -o '/\* !40103[^*]*\*/' sqlglot.sql)"
exit "$failed"
