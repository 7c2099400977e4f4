//! What `ask` and `chat` have in common between a call and the line under its answer.

use crate::catalog::NanoDollars;
use crate::commands::person::Listening;
use crate::conversation::{Event, StopReason};
use crate::engine::Call;
use crate::error::{Error, Kind};
use crate::ledger::SessionTotals;
use crate::policy::{EditReason, LimitSource, Parameter, Policy, TokenLimit};
use crate::terminal::answer_view::AnswerView;
use crate::terminal::footer::{Footer, SessionCost};
use crate::terminal::printable::Printable;
use std::future::Future;
use std::io;
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
    let _listening = Listening::start();
    tokio::select! {
        value = future => Some(value),
        _ = tokio::signal::ctrl_c() => None,
    }
}

/// Hands the events of an answer on until it is complete, or nobody wants any more of it. Usage comes after the stop
/// reason: only [`Ending::Complete`] means that the call knows it.
pub(crate) async fn read(call: &mut Call, mut take: impl FnMut(&Event) -> io::Result<bool>) -> anyhow::Result<Ending> {
    let ending: Option<anyhow::Result<Ending>> = unless_interrupted(async {
        while let Some(event) = call.next().await? {
            if !take(&event)? {
                return Ok(Ending::PipeClosed);
            }
        }
        Ok(Ending::Complete)
    })
    .await;
    ending.unwrap_or(Ok(Ending::Interrupted))
}

/// Shows an answer, as [`read`] does.
pub(crate) async fn show(call: &mut Call, view: &mut AnswerView) -> anyhow::Result<Ending> {
    let ending = read(call, |event| view.show(event)).await;
    if matches!(ending, Ok(Ending::Interrupted)) {
        view.interrupt();
    }
    let finished = view.finish();
    let ending = ending?;
    finished?;
    Ok(ending)
}

/// What has limited the length of the answer.
fn limit_notice(limit: &TokenLimit, longest: u32) -> String {
    let reason = match (limit.source, limit.requested) {
        (LimitSource::Budget, _) => "to fit what may be spent".to_owned(),
        (_, None) => format!("default; --max-tokens up to {longest}"),
        (LimitSource::Model, Some(asked)) => format!("the model's limit; {asked} were asked for"),
        (_, Some(asked)) => format!("the policy's limit; {asked} were asked for"),
    };
    format!("answer limited to {} tokens ({reason})", limit.tokens)
}

/// Why an answer that has arrived is not the one that was asked for; `None` when it is. `must_be_json`: a JSON schema was
/// given. Whether the answer matches it, only the model knows.
pub(crate) fn shortcoming(stop: Option<&StopReason>, text: &str, must_be_json: bool) -> Option<Error> {
    let incomplete = |message: &str| Error::new(Kind::IncompleteAnswer, message);
    match stop {
        None | Some(StopReason::EndTurn | StopReason::StopSequence(_) | StopReason::ToolUse) => {}
        Some(StopReason::MaxTokens) => {
            return Some(
                incomplete("the answer was cut off at the token limit")
                    .advise("--max-tokens raises it, up to the policy's limit"),
            );
        }
        Some(StopReason::ContextWindow) => {
            return Some(incomplete("the answer was cut off because the context window is full"));
        }
        Some(StopReason::Guardrail) => return Some(incomplete("a guardrail intervened")),
        Some(StopReason::ContentFiltered) => return Some(incomplete("the answer was blocked by a content filter")),
        Some(StopReason::Malformed(reason)) => return Some(incomplete(&format!("the answer is malformed ({reason})"))),
        // Whether an answer is complete that ends for a new reason is not known.
        Some(StopReason::Unknown(reason)) => return Some(incomplete(&format!("the answer ended with {reason:?}"))),
    }
    if text.trim().is_empty() {
        return Some(incomplete("the answer is empty"));
    }
    let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
    let error = parsed.err().filter(|_| must_be_json)?;
    Some(incomplete(&format!("the answer is not valid JSON: {error}")))
}

/// Whether an answer is cut off, filtered or empty, which a script may have said that it does not mind.
pub(crate) fn is_cut(stop: Option<&StopReason>, text: &str) -> bool {
    use StopReason::{ContentFiltered, ContextWindow, EndTurn, Guardrail, MaxTokens, StopSequence};
    match stop {
        Some(MaxTokens | ContextWindow | Guardrail | ContentFiltered) => true,
        Some(EndTurn | StopSequence(_)) => text.trim().is_empty(),
        _ => false,
    }
}

/// What is said before the answer: which successor answers, with `-v` everything else about the call, and otherwise
/// that a budget has shortened it.
pub(crate) fn notices(call: &Call, policy: &Policy, verbose: bool) -> Vec<Printable> {
    let mut lines: Vec<Printable> = call.successor_notice().into_iter().map(Printable::line).collect();
    if verbose {
        lines.push(Printable::line(format_args!("model: {}", call.model().id)));
    }
    for edit in call.edits() {
        if verbose || edit.reason == EditReason::Budget {
            lines.push(Printable::line(match edit.parameter {
                Parameter::MaxTokens => limit_notice(&call.token_limit(), policy.longest_answer(call.model(), None)),
                _ => format!("policy: {edit}"),
            }));
        }
    }
    if verbose {
        lines.push(match call.reserved() {
            Some(cost) => Printable::line(format_args!("worst case: {cost}")),
            None => "worst case: unknown, because the model has no price; the config file can set one".into(),
        });
    }
    lines
}

/// What is said when a call was stopped. `booked`: what stays booked for it, if it has a price.
pub(crate) fn stopped(booked: Option<NanoDollars>) -> Printable {
    match booked {
        Some(amount) => {
            Printable::line(format_args!("stopped; at most {amount} stays booked, because AWS may have billed it"))
        }
        None => "stopped; AWS may have billed it, at an unknown price".into(),
    }
}

/// What is said when a call was stopped before its answer began. `before` and `after`: the totals of its session.
pub(crate) fn stopped_early(before: SessionCost, after: SessionCost) -> Printable {
    match after.uncertain - before.uncertain {
        amount if amount > NanoDollars(0) => stopped(Some(amount)),
        _ if after.unpriced > before.unpriced => stopped(None),
        // Nothing was sent.
        _ => "stopped".into(),
    }
}

pub(crate) fn session_cost(totals: &SessionTotals) -> SessionCost {
    SessionCost { settled: totals.settled(), uncertain: totals.uncertain(), unpriced: totals.unpriced() }
}

/// The line under the answer, as far as the call knows it.
pub(crate) fn footer(call: &Call, started: Instant, note: Option<Printable>) -> Footer {
    Footer {
        usage: call.usage(),
        cost: call.cost(),
        at_most: call.reserved(),
        took: started.elapsed(),
        note,
        ..Footer::default()
    }
}
