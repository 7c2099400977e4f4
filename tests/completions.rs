//! completions/ holds what `chatrix completions` prints, for installers and packagers.

use crate::support::Chatrix;
use std::path::Path;

#[test]
fn the_files_are_what_is_generated() {
    for (shell, file) in
        [("bash", "chatrix.bash"), ("zsh", "_chatrix"), ("fish", "chatrix.fish"), ("powershell", "_chatrix.ps1")]
    {
        let generated = Chatrix::completions().arg(shell).run().code(0).stderr("").stdout;
        // clap's PowerShell scripts complete no values at all.
        let knows = generated.contains("claude-sonnet-4") && generated.contains("deepseek");
        assert!(knows || shell == "powershell", "{shell} knows the models");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == generated, "stale; run: chatrix completions {shell} > completions/{file}");
    }
}
