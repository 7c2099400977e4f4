//! `chatrix ask --dry-run`: what would be sent after the policy and the budgets had their say, and what it can cost.
//! Sends nothing, needs no credentials, books nothing.

use crate::bedrock;
use crate::catalog::NanoDollars;
use crate::commands::{book, note, print, unavailable};
use crate::config::Settings;
use crate::conversation::Request;
use crate::engine::{Budgeted, Caller, over_ceiling, unpriced};
use crate::ledger::budget::{Standing, Verdict, Wish, judge};
use crate::policy::Admitted;
use serde_json::{Value, json};

/// Prints one JSON object.
pub fn run(request: Request, settings: &Settings, max_cost: Option<NanoDollars>) -> anyhow::Result<u8> {
    let mut admitted = settings.policy().admit(request)?;
    let budgeted = Budgeted { budgets: settings.budgets, ledger: None };
    let caller = Caller { command: "ask", at_most: max_cost.map(|most| (most, "--max-cost")), ..Caller::default() };
    let (ceiling, limits) = (budgeted.ceiling(&caller), budgeted.limits(None));
    let floor = budgeted.budgets.floor_tokens;
    if admitted.reserve(u32::MAX).is_none() && (ceiling.is_some() || !limits.is_empty()) {
        return Err(unpriced(&admitted).into());
    }
    if let Some((amount, name)) = ceiling {
        let least = admitted.reserve(floor).unwrap_or_default();
        if least > amount {
            return Err(over_ceiling(&admitted, &name, amount, least, floor).into());
        }
        admitted = admitted.within(amount);
    }
    let standings =
        if limits.is_empty() { Vec::new() } else { book(settings)?.standings(&limits).map_err(unavailable)? };
    let wish = Wish {
        full: admitted.reserve(u32::MAX).unwrap_or_default(),
        least: admitted.reserve(floor).unwrap_or_default(),
    };
    match judge(&standings, wish, false) {
        Verdict::Grant(amount) if !standings.is_empty() => admitted = admitted.within(amount),
        Verdict::Refuse(index) => {
            if let Some(standing) = standings.get(index) {
                note(&format!("it would be refused: {} is left of the {standing}", standing.left().exact()));
            }
        }
        Verdict::Grant(_) | Verdict::Wait => {}
    }
    print(&format!("{:#}\n", object(&admitted, &standings)?))?;
    Ok(0)
}

fn object(admitted: &Admitted, standings: &[Standing]) -> anyhow::Result<Value> {
    // Nano-dollars are exact in an f64 up to nine decimals.
    let dollars = |amount: NanoDollars| amount.dollars().parse::<f64>().ok();
    let budgets = standings.iter().map(|standing| {
        json!({"budget": standing.limit.to_string(), "usd": dollars(standing.limit.amount), "left_usd": dollars(standing.left())})
    });
    Ok(json!({
        "model": admitted.model().id,
        "request": bedrock::preview(admitted)?,
        "edits": admitted.edits().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "input_tokens_at_most": admitted.input_bound(),
        "output_tokens_at_most": admitted.max_tokens(),
        "worst_case_usd": admitted.reserve(u32::MAX).and_then(dollars),
        "budgets": budgets.collect::<Vec<_>>(),
    }))
}
