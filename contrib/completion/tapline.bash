# Completion of tapline for bash: asks the programs themselves (--help=words), which only print.
# Installed as share/bash-completion/completions/tapline; or: source contrib/completion/tapline.bash

_tapline() {
    local cur=${COMP_WORDS[COMP_CWORD]} i words command=("${COMP_WORDS[0]}")
    COMPREPLY=()
    # The command, and what stands right behind it: a pipeline, a device, the name of the rules.
    for ((i = 1; i < COMP_CWORD && ${#command[@]} < 3; i++)); do
        case ${COMP_WORDS[i]} in
        -p) [[ ${#command[@]} == 1 ]] && ((i++)) ;;
        -*) ;;
        help) [[ ${#command[@]} == 1 ]] || command+=(help) ;;
        *) command+=("${COMP_WORDS[i]}") ;;
        esac
    done
    words=$("${command[@]}" --help=words 2>/dev/null) || return 0
    # Options only where one is begun.
    if [[ $cur != -* ]]; then
        words=$(tr ' ' '\n' <<<"$words" | grep -v '^-') || return 0
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _tapline tapline
