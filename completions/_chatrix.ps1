
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
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('models', 'models', [CompletionResultType]::ParameterValue, 'List the models: prices per million tokens, abilities, life cycle')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what was spent, and what is left of the budgets')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Make, list and revoke API keys of `serve`')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('ask', 'ask', [CompletionResultType]::ParameterValue, 'Ask one question; the answer goes to stdout')
            [CompletionResult]::new('chat', 'chat', [CompletionResultType]::ParameterValue, 'Talk, with a memory of what was said')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the OpenAI API for Jan and other apps')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;models' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Everything, as JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Names only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Names only')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Also every other Bedrock id whose price is known')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also Bedrock ids, and where each row comes from')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also Bedrock ids, and where each row comes from')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;usage' {
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'A row for each day, model, key or command')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'From this day on, in UTC: 2026-11-01, 7d, or all')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Everything, as JSON')
            [CompletionResult]::new('--csv', '--csv', [CompletionResultType]::ParameterName, 'The rows, as CSV')
            [CompletionResult]::new('--uncertain', '--uncertain', [CompletionResultType]::ParameterName, 'The calls whose usage never came, which AWS may have billed')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'The calls of --offline, which cost nothing')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Book what an uncertain call has really cost')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;usage;settle' {
            [CompletionResult]::new('--usd', '--usd', [CompletionResultType]::ParameterName, 'What AWS billed for it, in dollars')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'The call is one of --offline')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;usage;help' {
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Book what an uncertain call has really cost')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;usage;help;settle' {
            break
        }
        'chatrix;usage;help;help' {
            break
        }
        'chatrix;keys' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Make a key; its token is shown once, and kept only as a hash')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys, what they may spend and what they have spent')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;keys;add' {
            [CompletionResult]::new('--request-usd', '--request-usd', [CompletionResultType]::ParameterName, 'Most dollars for one call')
            [CompletionResult]::new('--day-usd', '--day-usd', [CompletionResultType]::ParameterName, 'Most dollars in a day (UTC)')
            [CompletionResult]::new('--month-usd', '--month-usd', [CompletionResultType]::ParameterName, 'Most dollars in a month (UTC)')
            [CompletionResult]::new('--models', '--models', [CompletionResultType]::ParameterName, 'Only these models, by name or id')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'For `serve --offline`')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;list' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'As JSON')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'For `serve --offline`')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;revoke' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'For `serve --offline`')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;keys;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Make a key; its token is shown once, and kept only as a hash')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys, what they may spend and what they have spent')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key at once')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;keys;help;add' {
            break
        }
        'chatrix;keys;help;list' {
            break
        }
        'chatrix;keys;help;revoke' {
            break
        }
        'chatrix;keys;help;help' {
            break
        }
        'chatrix;completions' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'chatrix;ask' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Longest answer, in tokens; the policy''s limit holds')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Attach a file: an image, a document or text, by its content. Repeatable')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Attach a file: an image, a document or text, by its content. Repeatable')
            [CompletionResult]::new('--schema', '--schema', [CompletionResultType]::ParameterName, 'Answer with JSON that follows the JSON schema in this file')
            [CompletionResult]::new('--max-cost', '--max-cost', [CompletionResultType]::ParameterName, 'Cost at most this many dollars; the answer is shortened to what fits')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'A name from `chatrix models`, or any Bedrock id, inference-profile id or ARN')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'A name from `chatrix models`, or any Bedrock id, inference-profile id or ARN')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Talk to a small Bedrock inside this process: no AWS account, no cost')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be sent, and what it can cost; send nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object: text, model, usage, cost, stop reason, what the policy changed')
            [CompletionResult]::new('--no-stream', '--no-stream', [CompletionResultType]::ParameterName, 'Wait for the whole answer')
            [CompletionResult]::new('--no-stdin', '--no-stdin', [CompletionResultType]::ParameterName, 'Do not read stdin')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what the policy changed, and what it cost, also into a pipe')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what the policy changed, and what it cost, also into a pipe')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;chat' {
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'System prompt')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'Longest answer, in tokens; the policy''s limit holds')
            [CompletionResult]::new('--max-cost', '--max-cost', [CompletionResultType]::ParameterName, 'Spend at most this many dollars in this session')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'A name from `chatrix models`, or any Bedrock id, inference-profile id or ARN')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'A name from `chatrix models`, or any Bedrock id, inference-profile id or ARN')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Talk to a small Bedrock inside this process: no AWS account, no cost')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what the policy changed')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what the policy changed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;serve' {
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on [default: 127.0.0.1]')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port to listen on; 0 for any [default: 3000]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to listen on; 0 for any [default: 3000]')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'A web origin that may use the server besides local ones; * for all. Repeatable')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Model of a request that names none')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Model of a request that names none')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Config file to read')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile [env: AWS_PROFILE]')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region [env: AWS_REGION] [default: the profile''s, or us-west-2]')
            [CompletionResult]::new('--require-key', '--require-key', [CompletionResultType]::ParameterName, 'Answer only to API keys made with `chatrix keys add`')
            [CompletionResult]::new('--i-know-this-is-open', '--i-know-this-is-open', [CompletionResultType]::ParameterName, 'Listen beyond this machine, where anyone who can connect spends your money')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Talk to a small Bedrock inside this process: no AWS account, no cost')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'chatrix;help' {
            [CompletionResult]::new('models', 'models', [CompletionResultType]::ParameterValue, 'List the models: prices per million tokens, abilities, life cycle')
            [CompletionResult]::new('usage', 'usage', [CompletionResultType]::ParameterValue, 'Show what was spent, and what is left of the budgets')
            [CompletionResult]::new('keys', 'keys', [CompletionResultType]::ParameterValue, 'Make, list and revoke API keys of `serve`')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('ask', 'ask', [CompletionResultType]::ParameterValue, 'Ask one question; the answer goes to stdout')
            [CompletionResult]::new('chat', 'chat', [CompletionResultType]::ParameterValue, 'Talk, with a memory of what was said')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve the OpenAI API for Jan and other apps')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'chatrix;help;models' {
            break
        }
        'chatrix;help;usage' {
            [CompletionResult]::new('settle', 'settle', [CompletionResultType]::ParameterValue, 'Book what an uncertain call has really cost')
            break
        }
        'chatrix;help;usage;settle' {
            break
        }
        'chatrix;help;keys' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Make a key; its token is shown once, and kept only as a hash')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the keys, what they may spend and what they have spent')
            [CompletionResult]::new('revoke', 'revoke', [CompletionResultType]::ParameterValue, 'Revoke a key at once')
            break
        }
        'chatrix;help;keys;add' {
            break
        }
        'chatrix;help;keys;list' {
            break
        }
        'chatrix;help;keys;revoke' {
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
        'chatrix;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
