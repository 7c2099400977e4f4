//! `chatrix ask --dry-run`: what would be sent once the policy and the budgets have been applied, and what it can cost.
//! Sends nothing, needs no credentials, books nothing.

use crate::bedrock;
use crate::catalog::NanoDollars;
use crate::commands::screen::print;
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::conversation::Request;
use crate::engine::{Caller, over_budget, over_ceiling, unpriced};
use crate::error::Error;
use crate::ledger::budget::{BudgetStatus, CostRange, Decision, Limit, decide};
use serde_json::json;

/// Prints one JSON object. A refusal is part of it, and also decides the exit code.
pub(crate) fn run(request: Request, settings: &Settings, max_cost: Option<NanoDollars>) -> anyhow::Result<u8> {
    let mut admitted = settings.policy().admit(request)?;
    let budgets = settings.budgets;
    let caller = Caller { command: "ask", at_most: max_cost.map(|most| (most, "--max-cost")), ..Caller::default() };
    let ceiling = caller.ceiling(&budgets);
    let limits: Vec<_> = budgets.limits().collect();
    let floor = budgets.floor_tokens;
    let mut ceilings = Vec::new();
    let mut refused = None;
    if admitted.reserve(u32::MAX).is_none() && (ceiling.is_some() || !limits.is_empty()) {
        refused = Some(unpriced(&admitted));
    }
    if let Some((amount, name)) = ceiling {
        let minimum = admitted.reserve(floor).unwrap_or_default();
        if refused.is_none() && minimum > amount {
            refused = Some(over_ceiling(&admitted, &name, amount, minimum, floor));
        }
        ceilings.push(json!({"budget": name, "usd": amount.number(), "left_usd": amount.number()}));
        admitted = if refused.is_some() { admitted } else { admitted.within(amount) };
    }
    let statuses = statuses(&limits, settings)?;
    let cost = CostRange {
        full: admitted.reserve(u32::MAX).unwrap_or_default(),
        minimum: admitted.reserve(floor).unwrap_or_default(),
    };
    if refused.is_none() {
        match decide(&statuses, cost, false) {
            Decision::Grant(amount) if !statuses.is_empty() => admitted = admitted.within(amount),
            Decision::Refuse(index) => refused = statuses.get(index).map(|status| over_budget(status, cost)),
            Decision::Grant(_) | Decision::Wait => {}
        }
    }
    ceilings.extend(statuses.iter().map(|status| {
        let BudgetStatus { limit, .. } = status;
        json!({"budget": limit.to_string(), "usd": limit.amount.number(), "left_usd": status.left().number()})
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

/// What is booked under each limit. Without limits the ledger is not opened.
fn statuses(limits: &[Limit], settings: &Settings) -> anyhow::Result<Vec<BudgetStatus>> {
    if limits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(open_ledger(settings)?.statuses(limits).map_err(Error::from)?)
}
