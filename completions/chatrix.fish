# Completes the commands, options, models, API keys and sessions of chatrix, which is asked at each Tab.

function __chatrix_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l token (commandline --current-token --cut-at-cursor)
    set -l program $words[1]
    set -e words[1]
    if not $program complete fish -- $words "$token" 2>/dev/null
        set -l option (string match --regex '^--[^=]*=' -- "$token")
        for path in (__fish_complete_path (string replace --regex '^--[^=]*=' '' -- "$token"))
            echo "$option$path"
        end
    end
end

complete --command chatrix --no-files --keep-order --arguments '(__chatrix_complete)'
