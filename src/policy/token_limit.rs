//! Who set the longest answer that a call may have, and what raises it. An answer that is cut there is explained with
//! these words, wherever that is said.

/// Who set the `max_tokens` that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// The request itself.
    Request,
    /// The operator's default, because the request sets none.
    Default,
    /// The operator's limit, which is below what was requested.
    Limit,
    /// The longest answer that the model can give.
    Model,
    /// A budget, to whose rest the answer was shortened.
    Budget,
}

/// The longest answer that a call may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLimit {
    /// The `max_tokens` that is sent.
    pub tokens: u32,
    pub source: LimitSource,
    /// The `max_tokens` of the request. `None` when it sets none.
    pub requested: Option<i64>,
    /// The table of the config file that sets the limits of the model.
    pub table: String,
}

/// The `max_tokens` that is suggested to an operator whose clients send none (tokens). Files that coding agents write
/// fit it.
const SUGGESTED: i64 = 8192;

impl TokenLimit {
    /// The limit, and who set it.
    #[must_use]
    pub fn describe(&self) -> String {
        let tokens = self.tokens;
        match (self.source, self.requested) {
            (LimitSource::Request, _) => format!("{tokens} tokens, the max_tokens of the request"),
            (LimitSource::Default, _) => format!("{tokens} tokens, the operator's default for max_tokens"),
            (LimitSource::Limit, Some(requested)) => {
                format!("{tokens} tokens, the operator's limit (the request asked for {requested})")
            }
            (LimitSource::Limit, None) => format!("{tokens} tokens, the operator's limit"),
            (LimitSource::Model, _) => format!("{tokens} tokens, the longest answer of the model"),
            (LimitSource::Budget, _) => format!("{tokens} tokens, all that the budget allows"),
        }
    }

    /// What raises the limit.
    #[must_use]
    pub fn remedy(&self) -> String {
        let wanted = self.requested.unwrap_or(SUGGESTED).max(i64::from(self.tokens) + 1);
        let (lines, flags) = match self.source {
            LimitSource::Request => return "send a larger max_tokens with the request".to_owned(),
            LimitSource::Model => return "choose a model with longer answers".to_owned(),
            LimitSource::Budget => return "raise the budget, or wait until it resets".to_owned(),
            LimitSource::Limit => (format!("max_tokens_limit = {wanted}"), format!("--max-tokens-limit {wanted}")),
            LimitSource::Default => (
                format!("max_tokens = {wanted} and max_tokens_limit = {wanted}"),
                format!("--max-tokens {wanted} --max-tokens-limit {wanted}"),
            ),
        };
        let in_file = format!("set {lines} under {} in the config file", self.table);
        // The table of one model wins over the flags.
        if self.table == "[limits]" { format!("{in_file}, or run chatrix serve {flags}") } else { in_file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_explained_with_its_cause_and_its_cure() {
        let limit =
            |source, requested, table: &str| TokenLimit { tokens: 1024, source, requested, table: table.into() };
        for (limit, described, remedy) in [
            (
                limit(LimitSource::Request, Some(1024), "[limits]"),
                "the max_tokens of the request",
                "a larger max_tokens",
            ),
            (
                limit(LimitSource::Limit, Some(9000), "[limits]"),
                "the operator's limit (the request asked for 9000)",
                "set max_tokens_limit = 9000 under [limits] in the config file, or run chatrix serve --max-tokens-limit 9000",
            ),
            (
                limit(LimitSource::Default, None, "[models.\"x\"]"),
                "the operator's default",
                "set max_tokens = 8192 and max_tokens_limit = 8192 under [models.\"x\"] in the config file",
            ),
            (limit(LimitSource::Model, None, "[limits]"), "longest answer of the model", "longer answers"),
            (limit(LimitSource::Budget, None, "[limits]"), "the budget allows", "raise the budget"),
        ] {
            assert!(limit.describe().contains(described), "{}", limit.describe());
            assert!(limit.remedy().contains(remedy), "{}", limit.remedy());
        }
    }
}
