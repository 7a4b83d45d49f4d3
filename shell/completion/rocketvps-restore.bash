# bash completion of rocketvps-restore: commands, their options, and the domains, backups, snapshots and jobs there are.
# Needs bash alone; where nothing can be found out, nothing is offered and nothing is said.

_rocketvps_restore_commands='domains list preview diff validate restore verify snapshot snapshots delete-snapshot rollback
  jobs status attach wait cancel logs cleanup recover'

# Options of a command, besides those of all.
_rocketvps_restore_options() { # COMMAND
  local selection='--latest --only --path --table --item --exclude-path --exclude-table --exclude-item --dump --exact --allow-orphans'
  case $1 in
    preview) printf '%s' '--latest --dump --tree --depth --offset --limit --detach' ;;
    diff) printf '%s' "$selection --checksum --limit --detach" ;;
    validate) printf '%s' "$selection --allow-unsafe-config --detach" ;;
    restore) printf '%s' "$selection --dry-run --yes --detach --snapshot --plan-token --allow-unsafe-config --priority" ;;
    rollback) printf '%s' '--job --snapshot --yes --detach' ;;
    delete-snapshot) printf '%s' '--yes --detach' ;;
    verify | snapshot | cleanup | recover) printf '%s' '--detach' ;;
    status) printf '%s' '--since' ;;
  esac
}

# The word as the shell would read it, as far as quotes and backslashes go; nothing in it is evaluated.
_rocketvps_restore_plain() { # WORD
  local word=$1
  [[ $word != \~/* ]] || word=$HOME/${word#*/}
  word=${word//[\\\"\']/}
  printf '%s' "$word"
}

# Offers those of the lines on standard input that go on with what was typed, quoted where the shell needs it.
_rocketvps_restore_offer() { # TYPED
  local line quoted typed
  typed=$(_rocketvps_restore_plain "$1")
  while IFS= read -r line; do
    [[ -n $line && $line == "$typed"* ]] || continue
    printf -v quoted '%q' "$line"
    quoted=${quoted//\\,/,}
    # Behind an open quote readline wants the text as it is; what needs quoting is then not offered.
    if [[ $1 != [\"\']* || $quoted == "$line" ]]; then
      COMPREPLY+=("$quoted")
    fi
  done
}

_rocketvps_restore_offer_words() { # TYPED WORD...
  _rocketvps_restore_offer "$1" < <(printf '%s\n' "${@:2}")
}

_rocketvps_restore_offer_files() { # TYPED
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
  compopt -o filenames 2>/dev/null
}

# What there is of a kind, in lines: asked of the helper as it was called, with the settings on the command line.
_rocketvps_restore_ask() { # WHAT [DOMAIN]; of the caller: helper, settings
  local lists
  case $1 in
    domains) lists=(domains --tsv 'domains:domain') ;;
    backups) lists=(list "$2" --tsv 'backups:path') ;;
    snapshots) lists=(snapshots "$2" --tsv 'snapshots:path') ;;
    jobs) lists=(jobs ${2:+"$2"} --tsv 'jobs:job,state') ;;
  esac
  "$helper" ${settings[@]+"${settings[@]}"} "${lists[@]}" </dev/null 2>/dev/null
}

# Paths as they are typed: by their name alone where that is enough.
_rocketvps_restore_named() { # TYPED DOMAIN, paths on standard input
  local path folder
  while IFS= read -r path; do
    folder=${path%/*}
    if [[ $1 != */* && ${folder##*/} == "$2" ]]; then path=${path##*/}; fi
    printf '%s\n' "$path"
  done
}

_rocketvps_restore_offer_named() { # TYPED WHAT DOMAIN
  _rocketvps_restore_offer "$1" < <(_rocketvps_restore_ask "$2" "$3" | _rocketvps_restore_named "$1" "$3")
}

_rocketvps_restore_offer_jobs() { # TYPED [unfinished] [DOMAIN]
  local job state
  _rocketvps_restore_offer "$1" < <(_rocketvps_restore_ask jobs "${3:-}" | while IFS=$'\t' read -r job state; do
    [[ ${2:-} == unfinished && $state =~ ^(done|failed|rolled_back|needs_operator)$ ]] || printf '%s\n' "$job"
  done)
}

_rocketvps_restore_value() { # OPTION TYPED DOMAIN
  local before=
  case $1 in
    --config | --dump) _rocketvps_restore_offer_files "$2" ;;
    --only)
      [[ $2 != *,* ]] || before=${2%,*},
      _rocketvps_restore_offer_words "$2" "$before"{files,database,config}
      compopt -o nospace 2>/dev/null # a comma may follow
      ;;
    --item | --exclude-item) _rocketvps_restore_offer_words "$2" nginx php_fpm ssl cron ;;
    --priority) _rocketvps_restore_offer_words "$2" polite normal ;;
    --snapshot) [[ -z $3 ]] || _rocketvps_restore_offer_named "$2" snapshots "$3" ;;
    --job) _rocketvps_restore_offer_jobs "$2" '' "$3" ;;
  esac
}

_rocketvps_restore_operand() { # COMMAND NUMBER TYPED DOMAIN
  case $1:$2 in
    status:0 | wait:0) _rocketvps_restore_offer_jobs "$3" ;;
    attach:0 | cancel:0) _rocketvps_restore_offer_jobs "$3" unfinished ;;
    domains:* | *_*:*) ;; # calls take JSON
    logs:0)
      _rocketvps_restore_offer "$3" < <(_rocketvps_restore_ask domains)
      _rocketvps_restore_offer_jobs "$3"
      ;;
    *:0) _rocketvps_restore_offer "$3" < <(_rocketvps_restore_ask domains) ;;
    preview:1 | diff:1 | validate:1 | restore:1) _rocketvps_restore_offer_named "$3" backups "$4" ;;
    delete-snapshot:1) _rocketvps_restore_offer_named "$3" snapshots "$4" ;;
  esac
}

# The words up to the cursor in one piece each: bash takes --config=FILE and paths:base for three.
_rocketvps_restore_words() { # sets words of the caller
  local word glue='no'
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if ((${#words[@]})) && [[ $glue == yes || $word =~ ^[=:@]+$ ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
    if [[ $word =~ ^[=:@]+$ ]]; then glue=yes; else glue=no; fi
  done
}

_rocketvps_restore() {
  local IFS=$' \t\n' helper typed last command='' option='' word number
  local valued='config|set|field|tsv|abi|only|path|table|item|exclude-path|exclude-table|exclude-item|dump|snapshot|plan-token|priority|job|tree|depth|offset|limit|since'
  local -a words=() operands=() settings=()
  COMPREPLY=()
  helper=$(_rocketvps_restore_plain "$1")
  _rocketvps_restore_words
  ((${#words[@]})) || return 0
  typed=${words[-1]}
  unset 'words[-1]'
  for word in ${words[@]+"${words[@]}"}; do
    if [[ -n $option ]]; then
      [[ $option != --config && $option != --set ]] || settings+=("$option" "$(_rocketvps_restore_plain "$word")")
      option=
    elif [[ $word =~ ^--($valued)$ ]]; then
      option=$word
    elif [[ $word =~ ^--(config|set)= ]]; then
      settings+=("${word%%=*}" "$(_rocketvps_restore_plain "${word#*=}")")
    elif [[ $word != -* ]]; then
      operands+=("$(_rocketvps_restore_plain "$word")")
    fi
  done
  command=${operands[0]:-}
  if [[ -z $option && $typed =~ ^--($valued)= ]]; then
    option=${typed%%=*}
    typed=${typed#*=}
  fi
  if [[ -n $option ]]; then
    _rocketvps_restore_value "$option" "$typed" "${operands[1]:-}"
  elif [[ $typed == -* ]]; then
    # shellcheck disable=SC2046  # a list of words
    _rocketvps_restore_offer_words "$typed" $(_rocketvps_restore_options "$command") \
      --config --set --json --field --tsv --abi --help --version
  elif [[ -z $command ]]; then
    # shellcheck disable=SC2086  # a list of words
    _rocketvps_restore_offer_words "$typed" $_rocketvps_restore_commands
  else
    _rocketvps_restore_operand "$command" "$((${#operands[@]} - 1))" "$typed" "${operands[1]:-}"
  fi
  # bash replaces what follows the last of its own breaks only.
  last=${COMP_WORDS[COMP_CWORD]}
  [[ ! $last =~ ^[=:@]+$ ]] || last=
  if [[ $typed == *"$last" ]]; then
    typed=${typed%"$last"}
    for number in "${!COMPREPLY[@]}"; do COMPREPLY[number]=${COMPREPLY[number]#"$typed"}; done
  fi
}

complete -F _rocketvps_restore rocketvps-restore
