# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_chatrix_global_optspecs
    string join \n offline config= profile= region= h/help V/version
end

function __fish_chatrix_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_chatrix_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_chatrix_using_subcommand
    set -l cmd (__fish_chatrix_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c chatrix -n "__fish_chatrix_needs_command" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_needs_command" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_needs_command" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_needs_command" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_needs_command" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_needs_command" -s V -l version -d 'Print version'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "models" -d 'List models with their prices per million tokens, features and life cycle'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "usage" -d 'Show what was spent and what is left of each budget'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "setup" -d 'Print what lets Claude Code, Codex or Jan use `chatrix serve`'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "ledger" -d 'Check the ledger, or accept another one after it was lost'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "completions" -d 'Print a shell completion script'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "ask" -d 'Ask one question and print the answer'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "chat" -d 'Hold a conversation in the terminal'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "serve" -d 'Serve the OpenAI API to Jan and other apps'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "run" -d 'Run Claude Code or Codex with a server, an API key and a budget of its own'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "keys" -d 'Create, list, rotate and revoke API keys for `chatrix serve`'
complete -c chatrix -n "__fish_chatrix_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l json -d 'Print everything as JSON'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -s q -l quiet -d 'Print names only'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l all -d 'Include every other Bedrock id with a known price'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -s v -l verbose -d 'Show Bedrock ids, and the source and date of each row'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand models" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l by -d 'Print one row per day, model, key or command' -r -f -a "day\t''
model\t''
key\t''
command\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l since -d 'First day to include, in UTC: 2026-11-01, 7d, or all' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l json -d 'Print everything as JSON'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l csv -d 'Print the rows as CSV'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l uncertain -d 'List the calls whose usage never arrived and which AWS may have billed'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -f -a "settle" -d 'Record what AWS billed for an uncertain call'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and not __fish_seen_subcommand_from settle help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l usd -d 'What AWS billed for it, in dollars' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l above-reserved -d 'Record it even if it is more than was reserved for the call'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from settle" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from help" -f -a "settle" -d 'Record what AWS billed for an uncertain call'
complete -c chatrix -n "__fish_chatrix_using_subcommand usage; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -f -a "claude-code" -d 'Print the environment variables for Claude Code'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -f -a "codex" -d 'Print the lines for Codex\'s config file, and write its model catalog'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -f -a "jan" -d 'Print what to fill in in Jan'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and not __fish_seen_subcommand_from claude-code codex jan help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l url -d 'Address of the server [default: the configured one, http://127.0.0.1:3000]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l key-env -d 'Environment variable that holds the token of the API key' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l key -d 'API key whose limits count [default: one made with `chatrix keys add NAME --for agents`]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -s m -l model -d 'Model to ask [default: claude-sonnet-4-6, if the key allows it]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l small-model -d 'Model for titles and other small work [default: claude-haiku-4-5, if the key allows it]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from claude-code" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l url -d 'Address of the server [default: the configured one, http://127.0.0.1:3000]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l key-env -d 'Environment variable that holds the token of the API key' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l key -d 'API key whose limits count [default: one made with `chatrix keys add NAME --for agents`]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -s m -l model -d 'Model to ask [default: claude-sonnet-4-6, if the key allows it]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l catalog -d 'Write the model catalog to this file, without which Codex knows little of the model' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l overwrite -d 'Replace the catalog file if there is one'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from codex" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l url -d 'Address of the server [default: the configured one, http://127.0.0.1:3000]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l key-env -d 'Environment variable that holds the token of the API key' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from jan" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "claude-code" -d 'Print the environment variables for Claude Code'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "codex" -d 'Print the lines for Codex\'s config file, and write its model catalog'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "jan" -d 'Print what to fill in in Jan'
complete -c chatrix -n "__fish_chatrix_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -f -a "check" -d 'Look for damage, and show what is booked'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -f -a "accept" -d 'Declare the present ledger, or a new one, to be right, so that running servers go on with it'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and not __fish_seen_subcommand_from check accept help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from check" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from check" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from check" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from check" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from accept" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from accept" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from accept" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from accept" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "check" -d 'Look for damage, and show what is booked'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "accept" -d 'Declare the present ledger, or a new one, to be right, so that running servers go on with it'
complete -c chatrix -n "__fish_chatrix_using_subcommand ledger; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand completions" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand completions" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand completions" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand completions" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand completions" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s s -l system -d 'System prompt' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l max-tokens -d 'Maximum length of an answer in tokens; the policy\'s limit still applies' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s f -l file -d 'Attach an image, a document or text; `-` is stdin' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l schema -d 'Answer with JSON that matches the JSON Schema in this file; whether it is JSON is checked, nothing else' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l max-cost -d 'Spend at most this many dollars; the answer is shortened to fit' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s o -l output -d 'Write the answer to this file, whole or not at all, instead of stdout' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s m -l model -d 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]' -r -f -a "claude-sonnet-4\t''
claude-sonnet-3\t''
deepseek\t''
claude-haiku\t''
claude-sonnet\t''
claude-opus\t''
claude-haiku-4-5\t''
claude-sonnet-4-5\t''
claude-sonnet-4-6\t''
claude-sonnet-5\t''
claude-opus-4-5\t''
claude-opus-4-6\t''
claude-opus-4-8\t''
claude-opus-5\t''
deepseek-v3\t''
nova-micro\t''
nova-lite\t''
nova-pro\t''
nova-2-lite\t''
llama-4\t''
llama-4-scout\t''
mistral-large-3\t''
ministral\t''
gpt-oss-120b\t''
gpt-oss-20b\t''
qwen3\t''
qwen3-32b\t''
qwen3-coder\t''
kimi\t''
glm\t''
minimax\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l dry-run -d 'Show what would be sent and what it could cost at most, but send nothing'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l code -d 'Print only the first code block of the answer'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l json -d 'Print one JSON object: text, reasoning, model, usage, cost, stop reason, policy edits'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l jsonl -d 'Print one JSON object for each event of the answer, as they come'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l allow-cut -d 'Exit with 0, and not with 6, when the answer was cut off, filtered or empty'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l no-stream -d 'Print the answer only once it is complete'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l no-stdin -d 'Do not read stdin'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s q -l quiet -d 'Print nothing but errors to stderr'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s v -l verbose -d 'Print the model, policy edits and worst-case cost to stderr, with the footer that a terminal gets anyway'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand ask" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -s s -l system -d 'System prompt' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l max-tokens -d 'Maximum length of an answer in tokens; the policy\'s limit still applies' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l max-cost -d 'Spend at most this many dollars in this session' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -s m -l model -d 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]' -r -f -a "claude-sonnet-4\t''
claude-sonnet-3\t''
deepseek\t''
claude-haiku\t''
claude-sonnet\t''
claude-opus\t''
claude-haiku-4-5\t''
claude-sonnet-4-5\t''
claude-sonnet-4-6\t''
claude-sonnet-5\t''
claude-opus-4-5\t''
claude-opus-4-6\t''
claude-opus-4-8\t''
claude-opus-5\t''
deepseek-v3\t''
nova-micro\t''
nova-lite\t''
nova-pro\t''
nova-2-lite\t''
llama-4\t''
llama-4-scout\t''
mistral-large-3\t''
ministral\t''
gpt-oss-120b\t''
gpt-oss-20b\t''
qwen3\t''
qwen3-32b\t''
qwen3-coder\t''
kimi\t''
glm\t''
minimax\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -s v -l verbose -d 'Show the model, policy edits and worst-case cost before each answer'
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand chat" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l host -d 'Address to listen on, an IP address or localhost [env: CHATRIX_HOST] [default: 127.0.0.1]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -s p -l port -d 'Port to listen on, or 0 for any free port [env: CHATRIX_PORT] [default: 3000]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l max-tokens -d 'Maximum length of an answer, in tokens, for requests that set none [default: 512]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l max-tokens-limit -d 'Highest maximum that a request may set, in tokens [default: 1024]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l allow-origin -d 'Allow a web origin besides local ones, or * for all of them; repeatable' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l max-connections -d 'Most connections at once [default: 1024, or what the file limit allows]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l max-in-flight -d 'Most answers at once; as many requests again wait up to 5 seconds, others get 503 [default: 256]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l metrics-addr -d 'Also answer /metrics, /readyz and /healthz on this address and port, without asking for a key' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l log-format -d 'How requests are logged on stderr, one line each: off, text or json [default: text]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -s m -l model -d 'Model for requests that name none [env: CHATRIX_MODEL]' -r -f -a "claude-sonnet-4\t''
claude-sonnet-3\t''
deepseek\t''
claude-haiku\t''
claude-sonnet\t''
claude-opus\t''
claude-haiku-4-5\t''
claude-sonnet-4-5\t''
claude-sonnet-4-6\t''
claude-sonnet-5\t''
claude-opus-4-5\t''
claude-opus-4-6\t''
claude-opus-4-8\t''
claude-opus-5\t''
deepseek-v3\t''
nova-micro\t''
nova-lite\t''
nova-pro\t''
nova-2-lite\t''
llama-4\t''
llama-4-scout\t''
mistral-large-3\t''
ministral\t''
gpt-oss-120b\t''
gpt-oss-20b\t''
qwen3\t''
qwen3-32b\t''
qwen3-coder\t''
kimi\t''
glm\t''
minimax\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l require-key -d 'Accept only API keys created with `chatrix keys add`'
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l allow-unauthenticated -d 'Listen beyond this machine without API keys: anyone who can connect spends your money'
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l log -d 'Once switched the log on, which is on now. Kept so that scripts with it still run'
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand serve" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -l max-cost -d 'Spend at most this many dollars, all subagents together' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -s m -l model -d 'Model to ask [default: claude-sonnet-4-6]' -r -f -a "claude-sonnet-4\t''
claude-sonnet-3\t''
deepseek\t''
claude-haiku\t''
claude-sonnet\t''
claude-opus\t''
claude-haiku-4-5\t''
claude-sonnet-4-5\t''
claude-sonnet-4-6\t''
claude-sonnet-5\t''
claude-opus-4-5\t''
claude-opus-4-6\t''
claude-opus-4-8\t''
claude-opus-5\t''
deepseek-v3\t''
nova-micro\t''
nova-lite\t''
nova-pro\t''
nova-2-lite\t''
llama-4\t''
llama-4-scout\t''
mistral-large-3\t''
ministral\t''
gpt-oss-120b\t''
gpt-oss-20b\t''
qwen3\t''
qwen3-32b\t''
qwen3-coder\t''
kimi\t''
glm\t''
minimax\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand run" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -f -a "list" -d 'List the keys with their limits and what they have spent'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -f -a "rotate" -d 'Replace the token of a key; its limits and what it has spent stay'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -f -a "revoke" -d 'Revoke a key immediately'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -f -a "add" -d 'Create a key; its token is shown once and stored only as a hash'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and not __fish_seen_subcommand_from list rotate revoke add help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -l json -d 'Print the keys as JSON'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l overlap -d 'Accept the present token for this long, such as 24h, 30m or 7d; 0 ends it at once' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l expires -d 'Let the key expire then, instead of when it would have: after a time such as 90d or 12h, or on a date (UTC)' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l profile -d 'AWS profile [env: AWS_PROFILE]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from revoke" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l for -d 'Take the limits that fit a kind of client; other options win over them' -r -f -a "agents\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l max-tokens -d 'Maximum length of an answer, in tokens, for requests that set none' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l max-tokens-limit -d 'Highest maximum that a request may set, in tokens' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l prompt-cache -d 'Whether the prompt cache is used where it saves money, for requests that do not ask for it' -r -f -a "auto\t''
off\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l request-usd -d 'Spend at most this many dollars per call' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l day-usd -d 'Spend at most this many dollars per day (UTC)' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l week-usd -d 'Spend at most this many dollars per week, which begins on Monday (UTC)' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l month-usd -d 'Spend at most this many dollars per month (UTC)' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l rpm -d 'Begin at most this many calls in any 60 seconds' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l tpm -d 'Use at most this many tokens in any 60 seconds; a running call counts at the most that it can use' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l max-running -d 'Run at most this many calls at once' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l expires -d 'Refuse the key from then on: after a time such as 90d or 12h, or on a date (UTC)' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l models -d 'Allow only these models, by name or id, separated by commas' -r -f -a "claude-sonnet-4\t''
claude-sonnet-3\t''
deepseek\t''
claude-haiku\t''
claude-sonnet\t''
claude-opus\t''
claude-haiku-4-5\t''
claude-sonnet-4-5\t''
claude-sonnet-4-6\t''
claude-sonnet-5\t''
claude-opus-4-5\t''
claude-opus-4-6\t''
claude-opus-4-8\t''
claude-opus-5\t''
deepseek-v3\t''
nova-micro\t''
nova-lite\t''
nova-pro\t''
nova-2-lite\t''
llama-4\t''
llama-4-scout\t''
mistral-large-3\t''
ministral\t''
gpt-oss-120b\t''
gpt-oss-20b\t''
qwen3\t''
qwen3-32b\t''
qwen3-coder\t''
kimi\t''
glm\t''
minimax\t''"
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l config -d 'Config file [env: CHATRIX_CONFIG]' -r -F
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l region -d 'AWS region [env: AWS_REGION] [default: the profile\'s, or us-west-2]' -r
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -l offline -d 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the keys with their limits and what they have spent'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "rotate" -d 'Replace the token of a key; its limits and what it has spent stay'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Revoke a key immediately'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "add" -d 'Create a key; its token is shown once and stored only as a hash'
complete -c chatrix -n "__fish_chatrix_using_subcommand keys; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "models" -d 'List models with their prices per million tokens, features and life cycle'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "usage" -d 'Show what was spent and what is left of each budget'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "setup" -d 'Print what lets Claude Code, Codex or Jan use `chatrix serve`'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "ledger" -d 'Check the ledger, or accept another one after it was lost'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "completions" -d 'Print a shell completion script'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "ask" -d 'Ask one question and print the answer'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "chat" -d 'Hold a conversation in the terminal'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "serve" -d 'Serve the OpenAI API to Jan and other apps'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "run" -d 'Run Claude Code or Codex with a server, an API key and a budget of its own'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "keys" -d 'Create, list, rotate and revoke API keys for `chatrix serve`'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and not __fish_seen_subcommand_from models usage setup ledger completions ask chat serve run keys help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from usage" -f -a "settle" -d 'Record what AWS billed for an uncertain call'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "claude-code" -d 'Print the environment variables for Claude Code'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "codex" -d 'Print the lines for Codex\'s config file, and write its model catalog'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "jan" -d 'Print what to fill in in Jan'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from ledger" -f -a "check" -d 'Look for damage, and show what is booked'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from ledger" -f -a "accept" -d 'Declare the present ledger, or a new one, to be right, so that running servers go on with it'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "list" -d 'List the keys with their limits and what they have spent'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "rotate" -d 'Replace the token of a key; its limits and what it has spent stay'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "revoke" -d 'Revoke a key immediately'
complete -c chatrix -n "__fish_chatrix_using_subcommand help; and __fish_seen_subcommand_from keys" -f -a "add" -d 'Create a key; its token is shown once and stored only as a hash'
