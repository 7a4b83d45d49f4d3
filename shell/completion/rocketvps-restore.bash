# bash completion of rocketvps-restore. The helper knows its commands, options, domains, backups and jobs; it is asked for what may
# stand next (`rocketvps-restore complete`). Where it does not answer, nothing is offered and nothing is said.

# The word as the shell would read it, as far as quotes and backslashes go; nothing in it is evaluated.
_rocketvps_restore_plain() { # VARIABLE WORD
  local text=$2
  [[ $text != \~/* ]] || text=$HOME/${text#*/}
  printf -v "$1" '%s' "${text//[\\\"\']/}"
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

# Offers those of `answer` that go on with what was typed, quoted where the shell needs it.
_rocketvps_restore_offer() { # TYPED; of the caller: answer
  local line quoted start
  _rocketvps_restore_plain start "$1"
  for line in ${answer[@]+"${answer[@]:1}"}; do
    line=${line%%$'\t'*}
    [[ $line == "$start"* ]] || continue
    printf -v quoted '%q' "$line"
    quoted=${quoted//\\,/,}
    # Behind an open quote readline wants the text as it is; what needs quoting is then not offered.
    if [[ $1 != [\"\']* || $quoted == "$line" ]]; then
      COMPREPLY+=("$quoted")
    fi
  done
}

_rocketvps_restore() {
  local IFS=$' \t\n' helper typed last number
  local -a words=() plain=() answer=()
  COMPREPLY=()
  _rocketvps_restore_words
  ((${#words[@]})) || return 0
  typed=${words[-1]}
  _rocketvps_restore_plain helper "$1"
  for number in "${!words[@]}"; do _rocketvps_restore_plain "plain[number]" "${words[number]}"; done
  mapfile -t answer < <("$helper" complete -- "${plain[@]}" </dev/null 2>/dev/null)
  case ${answer[0]:-} in
    files)
      typed=${typed#--*=}
      mapfile -t COMPREPLY < <(compgen -f -- "$typed")
      compopt -o filenames 2>/dev/null
      return 0
      ;;
    more) compopt -o nospace 2>/dev/null ;;
  esac
  _rocketvps_restore_offer "$typed"
  # bash replaces what follows the last of its own breaks only.
  last=${COMP_WORDS[COMP_CWORD]}
  [[ ! $last =~ ^[=:@]+$ ]] || last=
  if [[ $typed == *"$last" ]]; then
    typed=${typed%"$last"}
    for number in "${!COMPREPLY[@]}"; do COMPREPLY[number]=${COMPREPLY[number]#"$typed"}; done
  fi
}

complete -F _rocketvps_restore rocketvps-restore
