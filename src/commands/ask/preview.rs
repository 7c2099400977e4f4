//! `chatrix ask --dry-run`: what would be sent after the policy and the budgets had their say, and what it can cost.
//! Sends nothing, needs no credentials, books nothing.

use crate::bedrock;
use crate::catalog::NanoDollars;
use crate::commands::{book, print, unavailable};
use crate::config::Settings;
use crate::conversation::Request;
use crate::engine::{Caller, over_budget, over_ceiling, unpriced};
use crate::ledger::budget::{CostRange, Decision, decide};
use serde_json::json;

/// Prints one JSON object; a refusal is in it, and is the exit code too.
pub(crate) fn run(request: Request, settings: &Settings, max_cost: Option<NanoDollars>) -> anyhow::Result<u8> {
    let mut admitted = settings.policy().admit(request)?;
    let budgets = settings.budgets;
    let caller = Caller { command: "ask", at_most: max_cost.map(|most| (most, "--max-cost")), ..Caller::default() };
    let (ceiling, limits) = (caller.ceiling(&budgets), budgets.limits().collect::<Vec<_>>());
    let floor = budgets.floor_tokens;
    let mut ceilings = Vec::new();
    let mut refused = None;
    if admitted.reserve(u32::MAX).is_none() && (ceiling.is_some() || !limits.is_empty()) {
        refused = Some(unpriced(&admitted));
    }
    if let Some((amount, name)) = ceiling {
        let least = admitted.reserve(floor).unwrap_or_default();
        if least > amount {
            refused = refused.or(Some(over_ceiling(&admitted, &name, amount, least, floor)));
        }
        ceilings.push(json!({"budget": name, "usd": amount.number(), "left_usd": amount.number()}));
        admitted = if refused.is_some() { admitted } else { admitted.within(amount) };
    }
    let statuses =
        if limits.is_empty() { Vec::new() } else { book(settings)?.statuses(&limits).map_err(unavailable)? };
    let wish = CostRange {
        full: admitted.reserve(u32::MAX).unwrap_or_default(),
        minimum: admitted.reserve(floor).unwrap_or_default(),
    };
    match decide(&statuses, wish, false) {
        _ if refused.is_some() => {}
        Decision::Grant(amount) if !statuses.is_empty() => admitted = admitted.within(amount),
        Decision::Refuse(index) => refused = statuses.get(index).map(|status| over_budget(status, wish)),
        Decision::Grant(_) | Decision::Wait => {}
    }
    ceilings.extend(statuses.iter().map(|status| {
        let (usd, left) = (status.limit.amount.number(), status.left().number());
        json!({"budget": status.limit.to_string(), "usd": usd, "left_usd": left})
    }));
    let object = json!({
        "model": admitted.model().id,
        "request": bedrock::preview(&admitted)?,
        "edits": admitted.edits().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "input_tokens_at_most": admitted.input_bound(),
        "output_tokens_at_most": admitted.max_tokens(),
        "worst_case_usd": admitted.reserve(u32::MAX).map(NanoDollars::number),
        "budgets": ceilings,
        "refused": refused.as_ref().map(|error| error.message.clone()),
    });
    print(&format!("{object:#}\n"))?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(0),
    }
}
