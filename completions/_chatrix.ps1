# Completes the commands, options, models, API keys and sessions of chatrix, which is asked at each Tab.

Register-ArgumentCompleter -Native -CommandName 'chatrix' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $program = $commandAst.CommandElements[0].Extent.Text
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    # PowerShell loses empty arguments, so the last word has a character more. Without candidates, PowerShell completes
    # the names of files.
    & $program complete powershell -- @words "${wordToComplete}_" 2>$null | ForEach-Object {
        $text, $help = $_ -split "`t", 2
        if (-not $help) { $help = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $help)
    }
}
