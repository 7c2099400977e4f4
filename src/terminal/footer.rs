//! The line under an answer: `312→204 tok · $0.0021 · 1.4 s · session $0.014`.

use super::printable::Printable;
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use std::fmt;
use std::time::Duration;

/// What a session has cost: `$0.014 + at most $0.002 + 1 answer of unknown price`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SessionCost {
    pub(crate) settled: NanoDollars,
    /// What answers add to it at most whose usage never came.
    pub(crate) uncertain: NanoDollars,
    /// How many answers came from models without a price.
    pub(crate) unpriced: u64,
}

impl fmt::Display for SessionCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settled, uncertain, unpriced } = *self;
        let nothing = NanoDollars(0);
        let mut parts = Vec::new();
        if settled > nothing || (uncertain == nothing && unpriced == 0) {
            parts.push(settled.to_string());
        }
        if uncertain > nothing {
            parts.push(format!("at most {uncertain}"));
        }
        match unpriced {
            0 => {}
            1 => parts.push("1 answer of unknown price".to_owned()),
            more => parts.push(format!("{more} answers of unknown price")),
        }
        f.write_str(&parts.join(" + "))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Footer {
    /// `None` when the answer ended before its usage arrived.
    pub(crate) usage: Option<Usage>,
    /// `None` without usage or without a price.
    pub(crate) cost: Option<NanoDollars>,
    /// What the answer can have cost at most, shown when its cost is unknown.
    pub(crate) at_most: Option<NanoDollars>,
    pub(crate) took: Duration,
    /// The cost of the whole session, in a chat.
    pub(crate) session: Option<SessionCost>,
    /// How the answer ended, unless it was completed.
    pub(crate) note: Option<Printable>,
}

impl Footer {
    pub(crate) fn line(&self) -> Printable {
        let tokens = match self.usage {
            Some(usage) => format!("{}→{} tok", grouped(usage.prompt()), grouped(usage.output)),
            None => "tokens unknown".to_owned(),
        };
        let cost = match (self.cost, self.at_most) {
            (Some(cost), _) => cost.to_string(),
            (None, Some(at_most)) => format!("at most {at_most}"),
            (None, None) => "price unknown".to_owned(),
        };
        let mut line = Printable::line(format_args!("{tokens} · {cost} · {:.1} s", self.took.as_secs_f32()));
        if let Some(session) = self.session {
            line.push(" · ");
            line.push(Printable::line(format_args!("session {session}")));
        }
        if let Some(note) = &self.note {
            line.push(" · ");
            line.push(note.clone());
        }
        line
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_promised() {
        let footer = Footer {
            usage: Some(Usage { input: 312, output: 1204, ..Usage::default() }),
            cost: Some(NanoDollars(2_100_000)),
            took: Duration::from_millis(1420),
            session: Some(SessionCost { settled: NanoDollars(14_000_000), ..SessionCost::default() }),
            ..Footer::default()
        };
        assert_eq!(footer.line().as_str(), "312→1,204 tok · $0.0021 · 1.4 s · session $0.014");
        for (settled, uncertain, unpriced, expected) in [
            (0, 0, 0, "$0.00"),
            (0, 0, 1, "1 answer of unknown price"),
            (2_000_000, 0, 2, "$0.002 + 2 answers of unknown price"),
            (0, 3_000_000, 0, "at most $0.003"),
            (2_000_000, 3_000_000, 0, "$0.002 + at most $0.003"),
        ] {
            let cost = SessionCost { settled: NanoDollars(settled), uncertain: NanoDollars(uncertain), unpriced };
            assert_eq!(cost.to_string(), expected);
        }
        assert_eq!(Footer::default().line().as_str(), "tokens unknown · price unknown · 0.0 s");
    }
}
