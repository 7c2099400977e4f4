//! `chatrix ask --dry-run`: what would be sent once the policy and the budgets have been applied, and what it can cost.
//! Sends nothing, needs no credentials, reserves nothing.

use crate::bedrock;
use crate::catalog::NanoDollars;
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::conversation::Request;
use crate::engine::{CallCeiling, Caller, DryRun, dry_run};
use crate::error::Error;
use crate::ledger::budget::{BudgetLimit, BudgetStatus};
use crate::terminal::output::print_json;
use serde_json::{Value, json};

/// Prints one JSON object. A refusal is part of it, and also decides the exit code.
pub(crate) fn run(request: Request, settings: &Settings, max_cost: Option<NanoDollars>) -> anyhow::Result<u8> {
    let admitted = settings.policy().admit(request, None)?;
    let budgets = settings.budgets;
    let caller = Caller {
        command: "ask",
        ceiling: max_cost.map(|amount| CallCeiling::new(amount, "--max-cost")),
        ..Caller::default()
    };
    let ceiling = caller.ceiling(&budgets);
    let statuses = statuses(&budgets.limits().collect::<Vec<_>>(), settings)?;
    let DryRun { admitted, refused } = dry_run(admitted, ceiling.as_ref(), &statuses, budgets.floor_tokens);
    let of_the_call = ceiling.iter().map(
        |CallCeiling { amount, name }| json!({"budget": name, "usd": amount.number(), "left_usd": amount.number()}),
    );
    let of_a_period = statuses.iter().map(|status| {
        let (usd, left) = (status.limit.amount.number(), status.left().number());
        json!({"budget": status.limit.to_string(), "usd": usd, "left_usd": left})
    });
    let object = json!({
        "model": admitted.model().id,
        "request": without_media(bedrock::preview(&admitted)?),
        "edits": admitted.edits().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "input_tokens_at_most": admitted.input_bound(),
        "output_tokens_at_most": admitted.max_tokens(),
        "worst_case_usd": admitted.amount_to_reserve(u32::MAX).map(NanoDollars::number),
        "budgets": of_the_call.chain(of_a_period).collect::<Vec<_>>(),
        "refused": refused.as_ref().map(|error| error.message.clone()),
    });
    print_json(format_args!("{object:#}"))?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(0),
    }
}

/// The request with the beginning of each image and document: nobody reads the rest.
fn without_media(mut request: Value) -> Value {
    match &mut request {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(base64) if name == "bytes" && base64.len() > 24 => {
                        *base64 = format!("{}… ({} characters of base64)", &base64[..16], base64.len());
                    }
                    _ => *member = without_media(member.take()),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_media(item.take())),
        _ => {}
    }
    request
}

/// What is booked under each limit. Without limits the ledger is not opened.
fn statuses(limits: &[BudgetLimit], settings: &Settings) -> anyhow::Result<Vec<BudgetStatus>> {
    if limits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(open_ledger(settings)?.statuses(limits).map_err(Error::from)?)
}
