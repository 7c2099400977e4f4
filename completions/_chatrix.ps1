
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'chatrix' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'chatrix'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'chatrix' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('models', 'models', [CompletionResultType]::ParameterValue, 'List models with their prices per million tokens, features and life cycle')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what was spent and what is left of each budget')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print what lets Claude Code, Codex or Jan use `chatrix serve`')
            [CompletionResult]::new('ledger', 'ledger', [CompletionResultType]::ParameterValue, 'Check the ledger, or accept another one after it was lost')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('ask', 'ask', [CompletionResultType]::ParameterValue, 'Ask one question and print the answer')
            [CompletionResult]::new('chat', 'chat', [CompletionResultType]::ParameterValue, 'Hold a conversation in the terminal')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the OpenAI API to Jan and other apps')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run Claude Code or Codex with a server, an API key and a budget of its own')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Create, list, rotate and revoke API keys for `chatrix serve`')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;models' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print everything as JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print names only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print names only')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Include every other Bedrock id with a known price')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show Bedrock ids, and the source and date of each row')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show Bedrock ids, and the source and date of each row')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;usage' {
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Print one row per day, model, key or command')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'First day to include, in UTC: 2026-11-01, 7d, or all')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print everything as JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'Print the rows as CSV')
            [CompletionResult]::new('--uncertain', '--uncertain', [CompletionResultType]::ParameterName, 'List the calls whose usage never arrived and which AWS may have billed')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Record what AWS billed for an uncertain call')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;usage;settle' {
            [CompletionResult]::new('--usd', '--usd', [CompletionResultType]::ParameterName, 'What AWS billed for it, in dollars')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--above-reserved', '--above-reserved', [CompletionResultType]::ParameterName, 'Record it even if it is more than was reserved for the call')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;usage;help' {
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Record what AWS billed for an uncertain call')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;usage;help;settle' {
            break
        }
        'chatrix;usage;help;help' {
            break
        }
        'chatrix;setup' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('claude-code', 'claude-code', [CompletionResultType]::ParameterValue, 'Print the environment variables for Claude Code')
            [CompletionResult]::new('codex', 'codex', [CompletionResultType]::ParameterValue, 'Print the lines for Codex''s config file, and write its model catalog')
            [CompletionResult]::new('jan', 'jan', [CompletionResultType]::ParameterValue, 'Print what to fill in in Jan')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;setup;claude-code' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Address of the server [default: the configured one, http://127.0.0.1:3000]')
            [CompletionResult]::new('--key-env', '--key-env', [CompletionResultType]::ParameterName, 'Environment variable that holds the token of the API key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'API key whose limits count [default: one made with `chatrix keys add NAME --for agents`]')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6, if the key allows it]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6, if the key allows it]')
            [CompletionResult]::new('--small-model', '--small-model', [CompletionResultType]::ParameterName, 'Model for titles and other small work [default: claude-haiku-4-5, if the key allows it]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;setup;codex' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Address of the server [default: the configured one, http://127.0.0.1:3000]')
            [CompletionResult]::new('--key-env', '--key-env', [CompletionResultType]::ParameterName, 'Environment variable that holds the token of the API key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'API key whose limits count [default: one made with `chatrix keys add NAME --for agents`]')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6, if the key allows it]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6, if the key allows it]')
            [CompletionResult]::new('--catalog', '--catalog', [CompletionResultType]::ParameterName, 'Write the model catalog to this file, without which Codex knows little of the model')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--overwrite', '--overwrite', [CompletionResultType]::ParameterName, 'Replace the catalog file if there is one')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;setup;jan' {
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Address of the server [default: the configured one, http://127.0.0.1:3000]')
            [CompletionResult]::new('--key-env', '--key-env', [CompletionResultType]::ParameterName, 'Environment variable that holds the token of the API key')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;setup;help' {
            [CompletionResult]::new('claude-code', 'claude-code', [CompletionResultType]::ParameterValue, 'Print the environment variables for Claude Code')
            [CompletionResult]::new('codex', 'codex', [CompletionResultType]::ParameterValue, 'Print the lines for Codex''s config file, and write its model catalog')
            [CompletionResult]::new('jan', 'jan', [CompletionResultType]::ParameterValue, 'Print what to fill in in Jan')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;setup;help;claude-code' {
            break
        }
        'chatrix;setup;help;codex' {
            break
        }
        'chatrix;setup;help;jan' {
            break
        }
        'chatrix;setup;help;help' {
            break
        }
        'chatrix;ledger' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look for damage, and show what is booked')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Declare the present ledger, or a new one, to be right, so that running servers go on with it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;ledger;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;ledger;accept' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;ledger;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look for damage, and show what is booked')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Declare the present ledger, or a new one, to be right, so that running servers go on with it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;ledger;help;check' {
            break
        }
        'chatrix;ledger;help;accept' {
            break
        }
        'chatrix;ledger;help;help' {
            break
        }
        'chatrix;completions' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;ask' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Maximum length of an answer in tokens; the policy''s limit still applies')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Attach an image, a document or text; `-` is stdin')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Attach an image, a document or text; `-` is stdin')
            [CompletionResult]::new('--schema', '--schema', [CompletionResultType]::ParameterName, 'Answer with JSON that matches the JSON Schema in this file; whether it is JSON is checked, nothing else')
            [CompletionResult]::new('--max-cost', '--max-cost', [CompletionResultType]::ParameterName, 'Spend at most this many dollars; the answer is shortened to fit')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the answer to this file, whole or not at all, instead of stdout')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the answer to this file, whole or not at all, instead of stdout')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be sent and what it could cost at most, but send nothing')
            [CompletionResult]::new('--code', '--code', [CompletionResultType]::ParameterName, 'Print only the first code block of the answer')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: text, reasoning, model, usage, cost, stop reason, policy edits')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Print one JSON object for each event of the answer, as they come')
            [CompletionResult]::new('--allow-cut', '--allow-cut', [CompletionResultType]::ParameterName, 'Exit with 0, and not with 6, when the answer was cut off, filtered or empty')
            [CompletionResult]::new('--no-stream', '--no-stream', [CompletionResultType]::ParameterName, 'Print the answer only once it is complete')
            [CompletionResult]::new('--no-stdin', '--no-stdin', [CompletionResultType]::ParameterName, 'Do not read stdin')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing but errors to stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing but errors to stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print the model, policy edits and worst-case cost to stderr, with the footer that a terminal gets anyway')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print the model, policy edits and worst-case cost to stderr, with the footer that a terminal gets anyway')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;chat' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Maximum length of an answer in tokens; the policy''s limit still applies')
            [CompletionResult]::new('--max-cost', '--max-cost', [CompletionResultType]::ParameterName, 'Spend at most this many dollars in this session')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Name from `chatrix models`, Bedrock model id, inference-profile id or ARN [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show the model, policy edits and worst-case cost before each answer')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show the model, policy edits and worst-case cost before each answer')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;serve' {
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on, an IP address or localhost [env: CHATRIX_HOST] [default: 127.0.0.1]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port to listen on, or 0 for any free port [env: CHATRIX_PORT] [default: 3000]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to listen on, or 0 for any free port [env: CHATRIX_PORT] [default: 3000]')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Maximum length of an answer, in tokens, for requests that set none [default: 512]')
            [CompletionResult]::new('--max-tokens-limit', '--max-tokens-limit', [CompletionResultType]::ParameterName, 'Highest maximum that a request may set, in tokens [default: 1024]')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Allow a web origin besides local ones, or * for all of them; repeatable')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Most connections at once [default: 1024, or what the file limit allows]')
            [CompletionResult]::new('--max-in-flight', '--max-in-flight', [CompletionResultType]::ParameterName, 'Most answers at once; as many requests again wait up to 5 seconds, others get 503 [default: 256]')
            [CompletionResult]::new('--metrics-addr', '--metrics-addr', [CompletionResultType]::ParameterName, 'Also answer /metrics, /readyz and /healthz on this address and port, without asking for a key')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How requests are logged on stderr, one line each: off, text or json [default: text]')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Model for requests that name none [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Model for requests that name none [env: CHATRIX_MODEL]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--require-key', '--require-key', [CompletionResultType]::ParameterName, 'Accept only API keys created with `chatrix keys add`')
            [CompletionResult]::new('--allow-unauthenticated', '--allow-unauthenticated', [CompletionResultType]::ParameterName, 'Listen beyond this machine without API keys: anyone who can connect spends your money')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Once switched the log on, which is on now. Kept so that scripts with it still run')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;run' {
            [CompletionResult]::new('--max-cost', '--max-cost', [CompletionResultType]::ParameterName, 'Spend at most this many dollars, all subagents together')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Model to ask [default: claude-sonnet-4-6]')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys with their limits and what they have spent')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Replace the token of a key; its limits and what it has spent stay')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key immediately')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Create a key; its token is shown once and stored only as a hash')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;keys;list' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the keys as JSON')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;rotate' {
            [CompletionResult]::new('--overlap', '--overlap', [CompletionResultType]::ParameterName, 'Accept the present token for this long, such as 24h, 30m or 7d; 0 ends it at once')
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'Let the key expire then, instead of when it would have: after a time such as 90d or 12h, or on a date (UTC)')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;revoke' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;add' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Take the limits that fit a kind of client; other options win over them')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Maximum length of an answer, in tokens, for requests that set none')
            [CompletionResult]::new('--max-tokens-limit', '--max-tokens-limit', [CompletionResultType]::ParameterName, 'Highest maximum that a request may set, in tokens')
            [CompletionResult]::new('--prompt-cache', '--prompt-cache', [CompletionResultType]::ParameterName, 'Whether the prompt cache is used where it saves money, for requests that do not ask for it')
            [CompletionResult]::new('--request-usd', '--request-usd', [CompletionResultType]::ParameterName, 'Spend at most this many dollars per call')
            [CompletionResult]::new('--day-usd', '--day-usd', [CompletionResultType]::ParameterName, 'Spend at most this many dollars per day (UTC)')
            [CompletionResult]::new('--week-usd', '--week-usd', [CompletionResultType]::ParameterName, 'Spend at most this many dollars per week, which begins on Monday (UTC)')
            [CompletionResult]::new('--month-usd', '--month-usd', [CompletionResultType]::ParameterName, 'Spend at most this many dollars per month (UTC)')
            [CompletionResult]::new('--rpm', '--rpm', [CompletionResultType]::ParameterName, 'Begin at most this many calls in any 60 seconds')
            [CompletionResult]::new('--tpm', '--tpm', [CompletionResultType]::ParameterName, 'Use at most this many tokens in any 60 seconds; a running call counts at the most that it can use')
            [CompletionResult]::new('--max-running', '--max-running', [CompletionResultType]::ParameterName, 'Run at most this many calls at once')
            [CompletionResult]::new('--expires', '--expires', [CompletionResultType]::ParameterName, 'Refuse the key from then on: after a time such as 90d or 12h, or on a date (UTC)')
            [CompletionResult]::new('--models', '--models', [CompletionResultType]::ParameterName, 'Allow only these models, by name or id, separated by commas')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file [env: CHATRIX_CONFIG]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Use the built-in offline model, which costs nothing and has its own ledger and API keys [env: CHATRIX_OFFLINE]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys with their limits and what they have spent')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Replace the token of a key; its limits and what it has spent stay')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key immediately')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Create a key; its token is shown once and stored only as a hash')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;keys;help;list' {
            break
        }
        'chatrix;keys;help;rotate' {
            break
        }
        'chatrix;keys;help;revoke' {
            break
        }
        'chatrix;keys;help;add' {
            break
        }
        'chatrix;keys;help;help' {
            break
        }
        'chatrix;help' {
            [CompletionResult]::new('models', 'models', [CompletionResultType]::ParameterValue, 'List models with their prices per million tokens, features and life cycle')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what was spent and what is left of each budget')
            [CompletionResult]::new('setup', 'setup', [CompletionResultType]::ParameterValue, 'Print what lets Claude Code, Codex or Jan use `chatrix serve`')
            [CompletionResult]::new('ledger', 'ledger', [CompletionResultType]::ParameterValue, 'Check the ledger, or accept another one after it was lost')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('ask', 'ask', [CompletionResultType]::ParameterValue, 'Ask one question and print the answer')
            [CompletionResult]::new('chat', 'chat', [CompletionResultType]::ParameterValue, 'Hold a conversation in the terminal')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the OpenAI API to Jan and other apps')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Run Claude Code or Codex with a server, an API key and a budget of its own')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Create, list, rotate and revoke API keys for `chatrix serve`')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;help;models' {
            break
        }
        'chatrix;help;usage' {
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Record what AWS billed for an uncertain call')
            break
        }
        'chatrix;help;usage;settle' {
            break
        }
        'chatrix;help;setup' {
            [CompletionResult]::new('claude-code', 'claude-code', [CompletionResultType]::ParameterValue, 'Print the environment variables for Claude Code')
            [CompletionResult]::new('codex', 'codex', [CompletionResultType]::ParameterValue, 'Print the lines for Codex''s config file, and write its model catalog')
            [CompletionResult]::new('jan', 'jan', [CompletionResultType]::ParameterValue, 'Print what to fill in in Jan')
            break
        }
        'chatrix;help;setup;claude-code' {
            break
        }
        'chatrix;help;setup;codex' {
            break
        }
        'chatrix;help;setup;jan' {
            break
        }
        'chatrix;help;ledger' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look for damage, and show what is booked')
            [CompletionResult]::new('accept', 'accept', [CompletionResultType]::ParameterValue, 'Declare the present ledger, or a new one, to be right, so that running servers go on with it')
            break
        }
        'chatrix;help;ledger;check' {
            break
        }
        'chatrix;help;ledger;accept' {
            break
        }
        'chatrix;help;completions' {
            break
        }
        'chatrix;help;ask' {
            break
        }
        'chatrix;help;chat' {
            break
        }
        'chatrix;help;serve' {
            break
        }
        'chatrix;help;run' {
            break
        }
        'chatrix;help;keys' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys with their limits and what they have spent')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Replace the token of a key; its limits and what it has spent stay')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key immediately')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Create a key; its token is shown once and stored only as a hash')
            break
        }
        'chatrix;help;keys;list' {
            break
        }
        'chatrix;help;keys;rotate' {
            break
        }
        'chatrix;help;keys;revoke' {
            break
        }
        'chatrix;help;keys;add' {
            break
        }
        'chatrix;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
