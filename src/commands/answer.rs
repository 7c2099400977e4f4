//! What `ask` and `chat` have in common between a call and the line under its answer.

use crate::engine::Call;
use crate::policy::EditReason;
use crate::terminal::answer_view::AnswerView;
use crate::terminal::footer::Footer;
use crate::terminal::printable::Printable;
use std::future::Future;
use std::time::Instant;

/// How the display of an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Complete,
    /// The reader has closed stdout.
    PipeClosed,
    /// Ctrl-C.
    Interrupted,
}

/// What the future gives; `None` when Ctrl-C comes first.
pub(crate) async fn unless_interrupted<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        value = future => Some(value),
        _ = tokio::signal::ctrl_c() => None,
    }
}

/// Shows an answer until it is complete, or nobody wants any more of it. Usage comes after the stop reason: only
/// [`Ending::Complete`] means that the call knows it.
pub(crate) async fn show(call: &mut Call, view: &mut AnswerView) -> anyhow::Result<Ending> {
    let shown: Option<anyhow::Result<Ending>> = unless_interrupted(async {
        while let Some(event) = call.next().await? {
            if !view.show(&event)? {
                return Ok(Ending::PipeClosed);
            }
        }
        Ok(Ending::Complete)
    })
    .await;
    if shown.is_none() {
        view.interrupt();
    }
    let finished = view.finish();
    let ending = shown.unwrap_or(Ok(Ending::Interrupted))?;
    finished?;
    Ok(ending)
}

/// What is said before the answer: which successor answers, with `-v` everything else about the call, and otherwise
/// that a budget has shortened it.
pub(crate) fn notices(call: &Call, verbose: bool) -> Vec<Printable> {
    let mut lines: Vec<Printable> = call.successor_notice().into_iter().map(Printable::line).collect();
    if verbose {
        lines.push(Printable::line(format_args!("model: {}", call.model().id)));
    }
    for edit in call.edits() {
        if verbose || edit.reason == EditReason::Budget {
            lines.push(Printable::line(format_args!("policy: {edit}")));
        }
    }
    if verbose {
        lines.push(match call.worst_case() {
            Some(cost) => Printable::line(format_args!("worst case: {cost}")),
            None => "worst case: unknown, because the model has no price; the config file can set one".into(),
        });
    }
    lines
}

/// The line under the answer, as far as the call knows it.
pub(crate) fn footer(call: &Call, started: Instant, note: Option<Printable>) -> Footer {
    Footer {
        usage: call.usage(),
        cost: call.cost(),
        at_most: call.worst_case(),
        took: started.elapsed(),
        note,
        ..Footer::default()
    }
}
