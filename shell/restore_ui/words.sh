# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# The words of the menus and of the panel, one catalogue a language: lang/en.txt, lang/vi.txt. `key=text`, %s for what is put in.

# Before the letters are chosen: they may need an LC_ALL of their own.
_rui_wish() {
  # As gettext has it: LANGUAGE comes first.
  RUI_LANGUAGE=${LANGUAGE:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}
}

_rui_words() {
  local language=en file line
  case $RUI_LANGUAGE in
    vi*) language="vi" ;;
  esac
  # Vietnamese cannot be written without its letters.
  [[ -n $RUI_UTF8 ]] || language=en
  declare -gA RUI_WORDS=()
  file=$RUI_FOLDER/lang/$language.txt
  if [[ ! -r $file ]]; then
    printf 'restore_ui: %s is missing; install the modules again (make install)\n' "$file" >&2
    return 1
  fi
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line == [a-z]*=* ]] && RUI_WORDS[${line%%=*}]=${line#*=}
  done <"$file"
}

# A text of the catalogue with its places filled, into RUI_SAID.
_rui_say() { # KEY [VALUE...]
  local text=${RUI_WORDS[$1]-$1}
  shift
  # shellcheck disable=SC2059  # the catalogue is ours
  printf -v RUI_SAID "$text" "$@"
}
