# Backups of every layout a RocketVPS server has, made with the commands of the modules that write them. Sourced by
# world.sh. What those modules do, and what a reader of their backups has to know:
#   smart_backup.sh  full          tar -C / of the document root with EXCLUDES. `*/cache/*` leaves out what is in such a
#                                  folder, not the folder: the archive holds it empty. `file_count` of its .meta is
#                                  `tar -t | wc -l` (folders too), `backup_size` is for people (`du -h`).
#                    incremental   regular files only (`find -type f`) that are newer than the last backup of any kind,
#                                  no folders, no links; deletions leave no trace. `base_backup` is the last full one.
#                    database      a second file, stamped when the archive was done. One row per INSERT, no comments: there
#                                  is no `-- Dump completed` line. A dump that failed leaves a .sql.gz of nothing.
#   backup.sh        one domain    tar -C PARENT NAME; all domains: `cp -r` to a folder (times are those of the copy, hard
#                                  links become files), then tar of that folder. No database, no .meta.
# shellcheck disable=SC2153  # DOMAIN, WORLD and the rest are set by world.sh

readonly EXCLUDES=(
  '*/cache/*' '*/tmp/*' '*/temp/*' '*/.cache/*' '*/logs/*' '*.log' '*/node_modules/*' '*/vendor/*' '*/.git/*'
  '*/wp-content/cache/*' '*/wp-content/uploads/cache/*' '*/storage/framework/cache/*' '*/storage/framework/sessions/*'
  '*/storage/framework/views/*' '*/storage/logs/*'
)
readonly SKIPPED_TABLES=(
  wp_commentmeta wp_comments wp_links wp_termmeta wp_terms wp_term_relationships wp_term_taxonomy
)

# The file whose time is that of the last backup, as smart_backup.sh keeps it.
tracking_file() {
  printf '%s/base/backups/.tracking/%s_backup.json\n' "$WORLD" "$DOMAIN"
}

note_backup() { # TYPE
  local file
  file=$(tracking_file)
  mkdir -p "$(dirname "$file")"
  printf '{\n    "domain": "%s",\n    "last_backup_type": "%s",\n    "last_backup_timestamp": %s\n}\n' \
    "$DOMAIN" "$1" "$(date +%s)" >"$file"
}

packer() {
  if command -v pigz >/dev/null; then printf 'pigz\n'; else printf 'gzip\n'; fi
}

# Standard input, packed, under its name at once.
pack_into() { # ARCHIVE
  "$(packer)" -6 >"$1.part"
  mv "$1.part" "$1"
}

dump_tool() { # OPTION...
  dump_program --single-transaction --quick "$@"
}

# Seconds after a stamp, as a stamp.
later() { # STAMP SECONDS
  local stamp=$1
  date -d "${stamp:0:8} ${stamp:9:2}:${stamp:11:2}:${stamp:13:2} $2 seconds" +%Y%m%d_%H%M%S
}

copy_config() { # FOLDER
  mkdir -p "$1/ssl"
  cp "$WORLD/nginx/sites-available/$DOMAIN" "$1/nginx.conf"
  cp "$WORLD/php/pool.d/$DOMAIN.conf" "$1/php-fpm.conf"
  cp -p "$WORLD/ssl/$DOMAIN"/*.pem "$1/ssl/"
  cp "$WORLD/cron/${DOMAIN//./_}" "$1/cron"
}

# --- one function a layout; each prints the archive's path -----------------------------------------------------------
# They read $stamp, $without, $stage and $dump_options of command_backup.

backup_design() {
  local archive=$WORLD/base/backups/$DOMAIN/backup_$stamp.tar.gz members=(./config ./database.sql)
  case $without in
    database) members=(./config) ;;
    config) members=(./database.sql) ;;
  esac
  copy_config "$stage/config"
  dump_tool --routines --triggers --events --default-character-set=utf8mb4 "${dump_options[@]}" "$SCHEMA" >"$stage/database.sql"
  # The document root goes in as ./www; link targets inside it stay as they are.
  if [[ $without != www ]]; then
    tar -cf - --transform="flags=rhS;s,^\./$DOMAIN,./www," -C "$stage" "${members[@]}" -C "$WORLD/web" "./$DOMAIN"
  else
    tar -cf - -C "$stage" "${members[@]}"
  fi | pack_into "$archive"
  printf '%s\n' "$archive"
}

backup_guide() {
  local archive=$WORLD/base/backups/$DOMAIN/backup_$stamp.tar.gz members=(backup.meta) root=("$DOMAIN")
  mkdir "$stage/database"
  if [[ $without != database ]]; then
    dump_tool --routines --triggers --events --default-character-set=utf8mb4 "${dump_options[@]}" "$SCHEMA" |
      gzip >"$stage/database/database.sql.gz"
    members+=(database)
  fi
  if [[ $without != config ]]; then
    copy_config "$stage/config"
    members+=(config)
  fi
  if [[ $without == www ]]; then root=(); fi
  cat >"$stage/backup.meta" <<JSON
{
  "domain": "$DOMAIN",
  "timestamp": "$(date -d "${stamp:0:8} ${stamp:9:2}:${stamp:11:2}:${stamp:13:2}" '+%Y-%m-%d %H:%M:%S')",
  "type": "full",
  "size": $(du -sb "$WORLD/web/$DOMAIN" | cut -f 1),
  "files_count": $(find "$WORLD/web/$DOMAIN" -type f -printf x | wc -c),
  "database": {
    "name": "$SCHEMA",
    "tables": $(sql -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$SCHEMA' AND table_type = 'BASE TABLE'"),
    "size": 1048576
  }
}
JSON
  tar -cf - --transform="flags=rhS;s,^$DOMAIN,files," -C "$stage" "${members[@]}" -C "$WORLD/web" "${root[@]}" | pack_into "$archive"
  printf '%s\n' "$archive"
}

backup_smart() {
  local archive=$WORLD/base/backups/$DOMAIN/backup_$stamp.tar.gz
  check_excludes
  # The archive holds the path of the document root without its leading slash.
  tar -C / -cf - "${EXCLUDES[@]/#/--exclude=}" "${WORLD#/}/web/$DOMAIN" | pack_into "$archive"
  note_backup full
  write_meta "$archive" full "$(tar -tzf "$archive" | wc -l)"
  [[ $without == database ]] || dump_beside "$(later "$stamp" 7)" >/dev/null
  printf '%s\n' "$archive"
}

backup_incremental() {
  local archive=$WORLD/base/backups/$DOMAIN/backup_${stamp}_incremental.tar.gz folder=$WORLD/base/backups/.incremental/$DOMAIN
  check_excludes
  [[ -f $(tracking_file) ]] || fail 'backup: an incremental backup needs a full one before it'
  mkdir -p "$folder"
  # The module writes names by lines and loses those with a newline; here they are not lost.
  (cd / && find "${WORLD#/}/web/$DOMAIN" -type f -newer "$(tracking_file)" -print0) >"$stage/changed"
  tr '\0' '\n' <"$stage/changed" >"$folder/changed_files_$stamp.txt"
  tar -C / -cf - "${EXCLUDES[@]/#/--exclude=}" --null -T "$stage/changed" | pack_into "$archive"
  note_backup incremental
  write_meta "$archive" incremental "$(wc -l <"$folder/changed_files_$stamp.txt")" \
    "    \"changed_files_list\": \"$folder/changed_files_$stamp.txt\",
    \"base_backup\": \"$(last_full)\""
  [[ $without == database ]] || dump_beside "$(later "$stamp" 7)" >/dev/null
  printf '%s\n' "$archive"
}

backup_domain() {
  local archive=$WORLD/base/backups/domain_${DOMAIN}_$stamp.tar.gz
  tar -cf - -C "$WORLD/web" "$DOMAIN" | pack_into "$archive"
  printf '%s\n' "$archive"
}

backup_all_domains() {
  local archive=$WORLD/base/backups/all_domains_$stamp.tar.gz domain
  for domain in "$DOMAIN" "$NEIGHBOUR"; do
    mkdir -p "$stage/$domain"
    cp -r "$WORLD/web/$domain" "$stage/$domain/"
  done
  tar -cf - -C "$stage" . | pack_into "$archive"
  printf '%s\n' "$archive"
}

# A world in a folder whose own path is excluded would be backed up empty.
check_excludes() {
  [[ /${WORLD#/*/}/ != */@(cache|tmp|temp|.cache|logs|node_modules|vendor|.git)/* ]] ||
    fail "backup: $WORLD lies in a folder that smart backups leave out"
}

last_full() {
  find "$WORLD/base/backups/$DOMAIN" -name 'backup_*.tar.gz' -type f | grep -v incremental | LC_ALL=C sort -r | head -n 1
}

# The database as smart_backup.sh dumps a WordPress.
dump_beside() { # STAMP
  local file=$WORLD/base/backups/$DOMAIN/database_$1.sql.gz
  dump_tool --lock-tables=false --skip-comments --skip-extended-insert "${SKIPPED_TABLES[@]/#/--ignore-table=$SCHEMA.}" \
    "$SCHEMA" | pack_into "$file"
  printf '%s\n' "$file"
}

# What its writer says of an archive, in one of the forms that are in the field; `lying` is wrong in every field.
write_meta() { # ARCHIVE TYPE FILE-COUNT [MORE JSON]
  local archive=$1 type=$2 count=$3 more=${4:-} size tables
  size=$(du -h "$archive" | cut -f 1)
  tables=$(sql -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$SCHEMA' AND table_type = 'BASE TABLE'")
  case $meta in
    none) ;;
    json | lying)
      local domain=$DOMAIN unix
      unix=$(date +%s)
      if [[ $meta == lying ]]; then
        type=$([[ $type == full ]] && printf incremental || printf full)
        domain=somebody.else count=1 size=17 unix=0
        more="    \"changed_files_list\": \"/etc/passwd\",
    \"base_backup\": \"/etc/shadow\""
      fi
      cat >"$archive.meta" <<JSON
{
    "type": "$type",
    "domain": "$domain",
    "timestamp": "$stamp",
    "unix_timestamp": $unix,
    "file_count": $count,
    "backup_size": "$size"${more:+,
$more}
}
JSON
      ;;
    lines) printf 'integrity=verified\nfile_count=%s\ndb_tables=%s\nbackup_size=%s\n' "$count" "$tables" "$size" >"$archive.meta" ;;
    short-name)
      cat >"${archive%.tar.gz}.meta" <<JSON
{
  "domain": "$DOMAIN",
  "timestamp": "$(date '+%Y-%m-%d %H:%M:%S')",
  "size": $(stat -c %s "$archive"),
  "files_count": $count
}
JSON
      ;;
  esac
}

command_backup() { # [--layout L] [--incremental] [--stamp S] [--meta FORM] [--single-row] [--without PART]
  local layout=design incremental=0 meta=json without='' stamp stage=$WORLD/stage/backup dump_options=()
  stamp=$(date +%Y%m%d_%H%M%S)
  while (($#)); do
    case $1 in
      --layout) layout=${2:?}; shift 2 ;;
      --incremental) incremental=1; shift ;;
      --stamp) stamp=${2:?}; shift 2 ;;
      --meta) meta=${2:?}; shift 2 ;;
      --single-row) dump_options+=(--skip-extended-insert); shift ;;
      --without) without=${2:?}; shift 2 ;;
      *) fail "backup: unknown option $1" ;;
    esac
  done
  case $without in '' | www | database | config) ;; *) fail "backup: there is no part $without" ;; esac
  case $meta in json | lines | short-name | none | lying) ;; *) fail "backup: there is no form $meta of .meta" ;; esac
  if ((incremental)); then
    [[ $layout == smart ]] || fail 'backup: only smart backups are incremental'
    layout=incremental
  fi
  case $layout in design | guide | smart | incremental | domain | all_domains) ;; *) fail "backup: there is no layout $layout" ;; esac
  rm -rf "$stage"
  mkdir -p "$stage"
  "backup_$layout"
  rm -rf "$stage"
}

command_dump() { # [--stamp S] [--failed]
  local stamp failed=0
  stamp=$(date +%Y%m%d_%H%M%S)
  while (($#)); do
    case $1 in
      --stamp) stamp=${2:?}; shift 2 ;;
      --failed) failed=1; shift ;;
      *) fail "dump: unknown option $1" ;;
    esac
  done
  if ((failed)); then
    # mysqldump did not reach its server; gzip packed nothing, and nobody looked.
    gzip </dev/null >"$WORLD/base/backups/$DOMAIN/database_$stamp.sql.gz"
    printf '%s\n' "$WORLD/base/backups/$DOMAIN/database_$stamp.sql.gz"
  else
    dump_beside "$stamp"
  fi
}
