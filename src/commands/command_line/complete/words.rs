//! The words of a command line, as each shell passes them.

use crate::cli::Shell;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) before: Vec<String>,
    /// The word that the cursor is in, up to the cursor.
    pub(super) last: String,
    /// The beginning of the last word that the shell keeps, and does not want to read again.
    pub(super) kept_by_shell: String,
}

impl Words {
    pub(super) fn of(shell: Shell, words: &[String]) -> Self {
        let mut before = match shell {
            Shell::Bash => joined(words),
            Shell::Zsh | Shell::Fish | Shell::Powershell => words.to_vec(),
        };
        let mut last = before.pop().unwrap_or_default();
        if shell == Shell::Powershell {
            // PowerShell loses empty arguments, so its last word comes with a character more.
            last.pop();
        }
        let kept = if shell == Shell::Bash { last.rfind(['=', ':']).map_or(0, |at| at + 1) } else { 0 };
        let kept_by_shell = last[..kept].to_owned();
        Self { before, last, kept_by_shell }
    }
}

/// Bash takes `--model=NAME` for three words, and an id with a colon too; the last of them may be empty.
fn joined(words: &[String]) -> Vec<String> {
    let is_break = |word: &str| !word.is_empty() && word.chars().all(|c| c == '=' || c == ':');
    let mut whole: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (index, word) in words.iter().enumerate() {
        let continues = goes_on || (is_break(word) && index > 0);
        match whole.last_mut().filter(|_| continues) {
            // Where the cursor is right behind the break, bash passes the break again, as the last word.
            Some(last) if index + 1 == words.len() && is_break(word) && last.ends_with(word.as_str()) => {}
            Some(last) => last.push_str(word),
            None => whole.push(word.clone()),
        }
        goes_on = is_break(word);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(shell: Shell, words: &[&str]) -> (Vec<String>, String, String) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let Words { before, last, kept_by_shell } = Words::of(shell, &words);
        (before, last, kept_by_shell)
    }

    #[test]
    fn bash_splits_words_that_belong_together() {
        for (passed, before, last, kept) in [
            (&["ask", "--model", "cl"][..], &["ask", "--model"][..], "cl", ""),
            (&["ask", "--model", "=", "cl"], &["ask"], "--model=cl", "--model="),
            (&["ask", "--model", "=", ""], &["ask"], "--model=", "--model="),
            (&["ask", "--model", "="], &["ask"], "--model=", "--model="),
            (&["ask", "-m", "a.b-v1", ":", "0"], &["ask", "-m"], "a.b-v1:0", "a.b-v1:"),
            (&["ask", ""], &["ask"], "", ""),
            (&[""], &[], "", ""),
            (&[], &[], "", ""),
        ] {
            let before: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(Shell::Bash, passed), (before, last.to_owned(), kept.to_owned()), "{passed:?}");
        }
    }

    #[test]
    fn other_shells_pass_whole_words() {
        let expected = (vec!["ask".to_owned()], "--model=cl".to_owned(), String::new());
        assert_eq!(words(Shell::Zsh, &["ask", "--model=cl"]), expected);
        assert_eq!(words(Shell::Fish, &["ask", "--model=cl"]), expected);
        assert_eq!(words(Shell::Powershell, &["ask", "--model=cl_"]), expected);
        assert_eq!(words(Shell::Powershell, &["ask", "_"]).1, "");
    }
}
