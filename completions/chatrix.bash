# Completes the commands, options, models, API keys and sessions of chatrix, which is asked at each Tab.

_chatrix() {
    local IFS=$'\n' program=${1/#\~/$HOME}
    local found
    COMPREPLY=()
    # Without candidates, bash completes the names of files.
    found=$("$program" complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$2" 2>/dev/null) || return
    local candidate
    while read -r candidate; do
        [ -z "$candidate" ] || COMPREPLY+=("$candidate")
    done <<<"$found"
}

# Old versions cannot keep the order, which is cheapest first.
complete -o default -o nosort -F _chatrix chatrix 2>/dev/null || complete -o default -F _chatrix chatrix
