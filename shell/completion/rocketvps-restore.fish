# fish completion of rocketvps-restore. The helper knows its commands, options, domains, backups and jobs; it is asked for what may
# stand next (`rocketvps-restore complete`). Where it does not answer, nothing is offered and nothing is said.

function __rocketvps_restore_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l typed (commandline --current-token --cut-at-cursor)
    set -l helper (string replace --regex '^~/' "$HOME/" -- $words[1])
    set -l answer ($helper complete -- $words[2..] "$typed" </dev/null 2>/dev/null)
    if test "$answer[1]" = files
        set -l option (string match --regex -- '^--[^=]+=' $typed)
        __fish_complete_path (string replace --regex -- '^--[^=]+=' '' $typed) | string replace --regex '^' -- "$option"
        return
    end
    printf '%s\n' $answer[2..]
end

complete --command rocketvps-restore --no-files --keep-order --arguments '(__rocketvps_restore_complete)'
