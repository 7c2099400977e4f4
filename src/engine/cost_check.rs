//! Whether a call can be paid for, without any I/O: the rules that a real call and a dry run share.

use crate::catalog::NanoDollars;
use crate::error::{Error, Field, Kind, Result};
use crate::ledger::RateRefusal;
use crate::ledger::budget::{BudgetStatus, CostRange, Decision, decide};
use crate::policy::Admitted;
use std::time::Duration;

/// The most that one call may cost, and the name of that limit in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallCeiling {
    pub amount: NanoDollars,
    pub name: String,
}

impl CallCeiling {
    #[must_use]
    pub fn new(amount: NanoDollars, name: impl Into<String>) -> Self {
        Self { amount, name: name.into() }
    }
}

/// What would become of a request, and why it would be refused.
#[derive(Debug)]
pub struct DryRun {
    pub admitted: Admitted,
    pub refused: Option<Error>,
}

/// Applies the ceiling of one call and then the budgets as they stand, as a call would that does not wait and whose input
/// tokens are not counted. `floor` is the shortest answer that is worth asking for (tokens).
#[must_use]
pub fn dry_run(admitted: Admitted, ceiling: Option<&CallCeiling>, statuses: &[BudgetStatus], floor: u32) -> DryRun {
    match fits(admitted.clone(), ceiling, statuses, floor) {
        Ok(admitted) => DryRun { admitted, refused: None },
        Err(error) => DryRun { admitted, refused: Some(error) },
    }
}

fn fits(admitted: Admitted, ceiling: Option<&CallCeiling>, statuses: &[BudgetStatus], floor: u32) -> Result<Admitted> {
    let under_budget = ceiling.is_some() || !statuses.is_empty();
    if !has_price(&admitted, under_budget)? || !under_budget {
        return Ok(admitted);
    }
    let admitted = match ceiling {
        Some(ceiling) => within_ceiling(admitted, ceiling, floor)?,
        None => admitted,
    };
    let cost = cost_range(&admitted, floor);
    match decide(statuses, cost, false) {
        Decision::Grant(amount) => Ok(admitted.shortened_to_fit(amount)),
        Decision::Refuse(index) => match statuses.get(index) {
            Some(status) => Err(over_budget(status, cost)),
            None => Ok(admitted),
        },
        // A dry run does not wait.
        Decision::Wait => Ok(admitted),
    }
}

/// Whether the price of a call is known. A model without a known price cannot be used under a budget.
///
/// # Errors
/// `RefusedByPolicy` for an unknown price under a budget.
pub(super) fn has_price(admitted: &Admitted, under_budget: bool) -> Result<bool> {
    let priced = admitted.amount_to_reserve(u32::MAX).is_some();
    if !priced && under_budget { Err(unpriced(admitted)) } else { Ok(priced) }
}

/// Whether a call can cost more than its ceiling.
pub(super) fn exceeds(admitted: &Admitted, ceiling: &CallCeiling) -> bool {
    admitted.amount_to_reserve(u32::MAX).is_some_and(|full| full > ceiling.amount)
}

/// The call with an answer so short that it costs no more than its ceiling.
///
/// # Errors
/// `BudgetExceeded` when even the shortest answer that is worth asking for costs more.
pub(super) fn within_ceiling(admitted: Admitted, ceiling: &CallCeiling, floor: u32) -> Result<Admitted> {
    if !exceeds(&admitted, ceiling) {
        return Ok(admitted);
    }
    let minimum = admitted.amount_to_reserve(floor).unwrap_or_default();
    if minimum > ceiling.amount {
        return Err(over_ceiling(&admitted, ceiling, minimum, floor));
    }
    Ok(admitted.shortened_to_fit(ceiling.amount))
}

/// What a call can cost at most, with its whole answer and with the shortest one that is worth asking for.
pub(super) fn cost_range(admitted: &Admitted, floor: u32) -> CostRange {
    CostRange {
        full: admitted.amount_to_reserve(u32::MAX).unwrap_or_default(),
        minimum: admitted.amount_to_reserve(floor).unwrap_or_default(),
    }
}

/// The error for a model without a known price under a budget.
fn unpriced(admitted: &Admitted) -> Error {
    let name = admitted.model().display_name();
    Error::new(Kind::RefusedByPolicy, format!("the price of {name} is unknown, but a budget is set")).at(Field::Model).advise(
        format!("set it in the config file: [models.{name:?}] price = {{ input = …, output = … }}, in dollars per million tokens"),
    )
}

/// The error for a call whose minimum cost is above its ceiling.
fn over_ceiling(admitted: &Admitted, ceiling: &CallCeiling, minimum: NanoDollars, floor: u32) -> Error {
    let CallCeiling { amount, name } = ceiling;
    let (amount, minimum) = (amount.exact(), minimum.exact());
    let tokens = floor.min(admitted.max_tokens());
    let bound = admitted.input_bound();
    let message = format!(
        "{name} allows {amount} per call, but this call can cost {minimum} even with an answer of only {tokens} tokens \
         (its input has up to {bound} tokens)"
    );
    let error = Error::new(Kind::BudgetExceeded, message)
        .advise("shorten the input, or choose a cheaper model; `chatrix models` lists the prices");
    explained_by_documents(error, admitted)
}

/// The error for a call that is too dear, with the reason when that is a document of which nothing is known.
pub(super) fn explained_by_documents(error: Error, admitted: &Admitted) -> Error {
    if error.kind != Kind::BudgetExceeded || !admitted.has_unbounded_documents() {
        return error;
    }
    let message = format!("{}; the reason is a document, whose tokens cannot be told before the call", error.message);
    Error { message, ..error }.advise(
        "send the document's text, or choose a model marked n in `chatrix models`, which counts tokens before the call",
    )
}

/// The error for a call that is beyond a limit of its API key on requests, tokens or running calls. The client is told
/// how many whole seconds to wait.
pub(super) fn over_rate(refusal: &RateRefusal) -> Error {
    let limited = |message: String, wait: Option<Duration>| {
        let retry_after = wait.map(|wait| Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        Error { retry_after, ..Error::new(Kind::RateLimited, message) }
    };
    match *refusal {
        RateRefusal::Requests { limit, wait } => {
            limited(format!("this API key may make {limit} requests a minute, and has made them"), Some(wait))
        }
        RateRefusal::Tokens { limit, used, needed, wait } => limited(
            format!(
                "this API key may use {limit} tokens a minute; it has used {used} (running calls at the most that they \
                 can use), and this call can use {needed}"
            ),
            Some(wait),
        ),
        RateRefusal::Running { limit } => {
            limited(format!("this API key may have {limit} calls running at once, and has"), None)
        }
        RateRefusal::TooLarge { limit, needed } => Error::new(
            Kind::RefusedByPolicy,
            format!("this call alone can use {needed} tokens, but this API key may use only {limit} a minute"),
        )
        .at(Field::Messages)
        .advise("shorten the input, or ask for a shorter answer"),
    }
}

/// The error for a call that costs more than what is left of a budget.
pub(super) fn over_budget(status: &BudgetStatus, cost: CostRange) -> Error {
    let needed = if cost.minimum < cost.full {
        format!("{}, or at least {} with a short answer", cost.full.exact(), cost.minimum.exact())
    } else {
        cost.full.exact()
    };
    let message = format!("this call needs {needed}, but only {} is left of the {status}", status.left().exact());
    // Even when running calls hold the rest, the server asks clients not to retry, because retries would keep other
    // calls waiting.
    let advice = if cost.minimum <= status.limit.amount - status.totals.spent() {
        "running calls have reserved the rest; most of it is released when they end"
    } else {
        "`chatrix usage` shows what was spent"
    };
    let error = Error::new(Kind::BudgetExceeded, message).advise(advice);
    Error { budget: Some(Box::new(status.in_use())), ..error }
}
