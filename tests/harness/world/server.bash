# shellcheck shell=bash
# The database server of a world: the machine's own MariaDB, or the release of scripts/servers.sh that RV_SERVER names. That one lives in
# a chroot and sees the world's folder at the same path, and nothing else of this machine.

SERVERS=$(cd "$PARTS/../../../scripts" && pwd)/servers.sh
readonly SERVERS

is_mysql() { [[ ${RV_SERVER:-} == mysql* ]]; }

# A server removes what looks like a temporary table from its folder for them when it starts: two that share one (TMPDIR, else
# /tmp) take each other's away, and one that misses its own crashes.
start_database() {
  local program=(mariadbd --no-defaults --collation-server=utf8mb4_general_ci)
  if is_mysql; then
    # The site's rows come from a file of the world. One that was killed and not yet waited for is there to the next, which then refuses.
    rm -f "$WORLD/run/db.sock.lock"
    program=("$SERVERS" run "$RV_SERVER" "$WORLD" mysqld --no-defaults --mysqlx=OFF --secure-file-priv=)
  elif [[ -n ${RV_SERVER:-} ]]; then
    program=("$SERVERS" run "$RV_SERVER" "$WORLD" "${program[@]}" --innodb-use-native-aio=0)
  fi
  program+=(--user=root --tmpdir="$WORLD/db-tmp" --datadir="$WORLD/db" --socket="$WORLD/run/db.sock" --skip-networking
    --pid-file="$WORLD/run/db.pid" --log-error="$WORLD/log/db.log" --character-set-server=utf8mb4 --event-scheduler=ON)
  # On a machine with many servers one that starts can find the kernel's queues full, or its files still locked by one that was killed.
  local try pid
  for try in 1 2 3; do
    alone "${program[@]}"
    pid=$!
    if await_database "$pid"; then
      return
    fi
    printf 'try %s: the database did not come up\n' "$try" >>"$WORLD/log/start.log"
    kill -s KILL "$pid" 2>/dev/null || true
    while is_alive "$pid"; do sleep 0.05; done
  done
  fail "the database did not come up: $(tail -n 5 "$WORLD/log/start.log" "$WORLD/log/db.log")"
}

# Answers, or it is known that it will not: the server has ended, or is mute for a minute.
await_database() { # PID
  local tries=1200
  until sql -e 'SELECT 1' >/dev/null 2>&1; do
    ((tries-- > 0)) && is_alive "$1" || return 1
    sleep 0.05
  done
}

make_database() {
  local try
  if [[ -n ${RV_SERVER:-} ]]; then
    "$SERVERS" fresh "$RV_SERVER" "$WORLD/db"
    return
  fi
  # On a machine with many servers the kernel's queues for asynchronous I/O can be full for a moment.
  for try in 1 2 3; do
    rm -rf "$WORLD/db"
    mkdir "$WORLD/db"
    if TMPDIR=$WORLD/db-tmp mariadb-install-db --no-defaults --user=root --datadir="$WORLD/db" --skip-test-db \
      --auth-root-authentication-method=socket --debug-no-sync=1 >"$WORLD/log/install.log" 2>&1; then
      return 0
    fi
    sleep "$try"
  done
  tail -n 20 "$WORLD/log/install.log" >&2
  fail 'mariadb-install-db failed; the end of its log is above'
}

# MariaDB's tool cannot dump a generated column of MySQL: each server has its own.
dump_program() { # OPTION...
  local program=(mariadb-dump --no-defaults)
  ! is_mysql || program=("$SERVERS" run "$RV_SERVER" "$WORLD" mysqldump --no-defaults --set-gtid-purged=OFF)
  "${program[@]}" --socket="$WORLD/run/db.sock" --user=root "$@"
}

# What the accounts of the server are and may.
accounts() {
  if is_mysql; then
    sql -e 'SELECT Host, User, plugin, authentication_string FROM mysql.user ORDER BY 1, 2; SELECT * FROM mysql.db ORDER BY 1, 2, 3'
  else
    sql -e 'SELECT Host, User, Priv FROM mysql.global_priv ORDER BY 1, 2; SELECT * FROM mysql.db ORDER BY 1, 2, 3'
  fi
}

# Runs SQL that reads MariaDB's tables `seq_1_to_N`, which MySQL does not have: they are made for it and go again.
with_sequences() { # SCHEMA COMMAND...
  local schema=$1 numbers=(20 50 200 500 1000) number status=0
  shift
  if ! is_mysql; then
    "$@"
    return
  fi
  for number in "${numbers[@]}"; do
    printf 'CREATE TABLE seq_1_to_%d (seq INT PRIMARY KEY) WITH RECURSIVE counted (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM counted WHERE seq < %d) SELECT seq FROM counted;\n' "$number" "$number"
  done | sql "$schema"
  # Its binary log is on by default, and then only the administrator may make triggers and functions.
  sql -e 'SET GLOBAL log_bin_trust_function_creators=ON'
  "$@" || status=$?
  sql -e 'SET GLOBAL log_bin_trust_function_creators=OFF'
  printf 'DROP TABLE seq_1_to_%d;\n' "${numbers[@]}" | sql "$schema"
  return "$status"
}

# MySQL prints the character set of a column where it was written beside its collation, and leaves it out where the table gave it.
printed_alike() {
  if is_mysql; then sed 's/ CHARACTER SET utf8mb4 COLLATE / COLLATE /'; else cat; fi
}

# What the site has beside WordPress's own tables. MariaDB 10.5 prints a foreign key's name without doubling a backtick in it: no dump
# of such a table can be loaded anywhere.
extras() {
  if [[ ${RV_SERVER:-} == mariadb105 ]]; then sed 's/\bwe``ird "fk"/weird "fk"/' "$PARTS/extras.sql"; else cat "$PARTS/extras.sql"; fi
}
