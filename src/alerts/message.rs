//! What an alert says.

use crate::ledger::alert::BudgetAlert;
use crate::ledger::budget::{BudgetLimit, BudgetStatus, date};
use serde_json::json;

/// The body of the request. `instance`: the name of this server.
pub(super) fn body(alert: &BudgetAlert, instance: &str) -> String {
    let BudgetAlert { id: _, threshold, status } = alert;
    let BudgetStatus { limit, totals, resets } = status;
    let BudgetLimit { holder, period, amount } = limit;
    json!({
        "type": "budget.threshold_reached",
        "data": {
            "budget": limit.to_string(),
            "period": period.as_str(),
            "key": holder.key_name(),
            "group": holder.group_name(),
            "threshold_percent": threshold,
            "limit_usd": amount.number(),
            "spent_usd": totals.settled.number(),
            "uncertain_usd": totals.uncertain.number(),
            "reserved_usd": totals.reserved.number(),
            "resets": format!("{}T00:00:00Z", date(*resets)),
            "instance": instance,
        },
    })
    .to_string()
}
