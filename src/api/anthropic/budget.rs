//! How much of a budget is used, as Claude Code reads it: in headers of each answer and of a refusal, and at
//! `/api/oauth/usage` (docs/anthropic.md §5). It warns its user at 75 and at 95 percent.

use crate::error::{BudgetPeriod, BudgetUse};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// The shares of a budget at which clients warn (percent).
const THRESHOLDS: [u64; 2] = [95, 75];

/// The headers of an answer.
#[must_use]
pub(super) fn headers(budget: &BudgetUse) -> Vec<(&'static str, String)> {
    let passed = THRESHOLDS.into_iter().find(|threshold| budget.percent >= *threshold);
    let status = if passed.is_some() { "allowed_warning" } else { "allowed" };
    // A call that was allowed is below the whole budget, whatever is spent meanwhile.
    let used = budget.percent.min(99);
    let mut headers = vec![
        ("anthropic-ratelimit-unified-status", status.to_owned()),
        ("anthropic-ratelimit-unified-representative-claim", "overage".to_owned()),
        ("anthropic-ratelimit-unified-overage-status", status.to_owned()),
        ("anthropic-ratelimit-unified-overage-utilization", share(used)),
    ];
    headers
        .extend(passed.map(|threshold| ("anthropic-ratelimit-unified-overage-surpassed-threshold", share(threshold))));
    headers.extend(resets(budget));
    headers
}

/// The headers of a refusal. Without a representative claim the client shows the message as it is.
#[must_use]
pub(super) fn refusal_headers(budget: &BudgetUse) -> Vec<(&'static str, String)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since: Duration| since.as_secs());
    let wait = u64::try_from(budget.resets_at).unwrap_or(0).saturating_sub(now).max(1);
    let mut headers = vec![
        ("retry-after", wait.to_string()),
        ("anthropic-ratelimit-unified-status", "rejected".to_owned()),
        ("anthropic-ratelimit-unified-overage-utilization", "1".to_owned()),
        ("anthropic-ratelimit-unified-overage-surpassed-threshold", "1".to_owned()),
        ("anthropic-ratelimit-unified-overage-period", group(budget.period).to_owned()),
        ("anthropic-ratelimit-unified-overage-disabled-reason", "org_spend_cap_reached".to_owned()),
    ];
    if !budget.is_own {
        headers.push(("anthropic-ratelimit-unified-overage-scope", "group_pool".to_owned()));
    }
    headers.extend(resets(budget));
    headers
}

/// The body of `/api/oauth/usage`, for the budgets that hold for a caller. `spent` is the use of each period where there is
/// no budget.
#[must_use]
pub fn usage(budgets: &[BudgetUse], spent: &[BudgetUse]) -> Value {
    let limits: Vec<Value> = budgets.iter().map(limit).collect();
    let tightest = budgets.iter().max_by_key(|budget| budget.percent);
    let spent_in = |period: BudgetPeriod| {
        let of_period = spent.iter().chain(budgets).find(|budget| budget.period == period);
        of_period.map_or(0, |budget| budget.spent_cents)
    };
    let extra = match tightest {
        Some(budget) => json!({
            "is_enabled": true,
            "monthly_limit": budget.amount_cents,
            "used_credits": budget.spent_cents,
            "utilization": budget.percent.min(100),
            "currency": "USD",
        }),
        None => json!({
            "is_enabled": true,
            "monthly_limit": null,
            "used_credits": spent_in(BudgetPeriod::Month),
            "utilization": null,
            "currency": "USD",
            "daily": spent_in(BudgetPeriod::Day),
            "weekly": spent_in(BudgetPeriod::Week),
        }),
    };
    json!({"extra_usage": extra, "limits": limits})
}

fn limit(budget: &BudgetUse) -> Value {
    let severity = match budget.percent {
        95.. => "critical",
        75.. => "warning",
        _ => "normal",
    };
    // A period begins at midnight, in UTC.
    let resets_at = OffsetDateTime::from_unix_timestamp(budget.resets_at).ok();
    let resets_at = resets_at.map(|moment| format!("{}T00:00:00Z", moment.date()));
    json!({
        "kind": "spend",
        "group": group(budget.period),
        "percent": budget.percent.min(100),
        "resets_at": resets_at,
        "severity": severity,
        "is_active": true,
    })
}

fn resets(budget: &BudgetUse) -> [(&'static str, String); 2] {
    let at = budget.resets_at.to_string();
    [("anthropic-ratelimit-unified-reset", at.clone()), ("anthropic-ratelimit-unified-overage-reset", at)]
}

fn group(period: BudgetPeriod) -> &'static str {
    match period {
        BudgetPeriod::Day => "daily",
        BudgetPeriod::Week => "weekly",
        BudgetPeriod::Month => "monthly",
    }
}

/// Percent as a share of one.
fn share(percent: u64) -> String {
    format!("0.{percent:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(percent: u64) -> BudgetUse {
        BudgetUse {
            period: BudgetPeriod::Week,
            is_own: false,
            amount_cents: 5000,
            spent_cents: 50 * percent,
            percent,
            resets_at: 1_796_601_600,
        }
    }

    fn value(headers: &[(&'static str, String)], name: &str) -> Option<String> {
        let name = format!("anthropic-ratelimit-unified-{name}");
        headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn an_answer_says_how_much_is_used() {
        for (percent, status, used, threshold) in [
            (0, "allowed", "0.00", None),
            (74, "allowed", "0.74", None),
            (75, "allowed_warning", "0.75", Some("0.75")),
            (96, "allowed_warning", "0.96", Some("0.95")),
            (130, "allowed_warning", "0.99", Some("0.95")),
        ] {
            let headers = headers(&budget(percent));
            assert_eq!(value(&headers, "status").as_deref(), Some(status), "{percent}");
            assert_eq!(value(&headers, "overage-utilization").as_deref(), Some(used), "{percent}");
            assert_eq!(value(&headers, "overage-surpassed-threshold").as_deref(), threshold, "{percent}");
            assert_eq!(value(&headers, "reset").as_deref(), Some("1796601600"));
        }
    }

    #[test]
    fn a_refusal_says_when_the_budget_is_renewed() {
        let shared = refusal_headers(&budget(100));
        assert_eq!(value(&shared, "status").as_deref(), Some("rejected"));
        assert_eq!(value(&shared, "overage-period").as_deref(), Some("weekly"));
        assert_eq!(value(&shared, "overage-scope").as_deref(), Some("group_pool"));
        assert_eq!(value(&shared, "representative-claim"), None);
        assert_eq!(value(&refusal_headers(&BudgetUse { is_own: true, ..budget(100) }), "overage-scope"), None);
    }

    #[test]
    fn usage_is_in_cents_and_resets_with_the_header() {
        let body = usage(&[budget(54)], &[]);
        assert_eq!(
            body["extra_usage"],
            json!({"is_enabled": true, "monthly_limit": 5000, "used_credits": 2700, "utilization": 54, "currency": "USD"})
        );
        assert_eq!(body["limits"][0]["resets_at"], "2026-12-07T00:00:00Z");
        assert_eq!(body["limits"][0]["group"], "weekly");
        let body = usage(&[], &[BudgetUse { period: BudgetPeriod::Day, spent_cents: 7, ..budget(0) }]);
        assert_eq!((&body["limits"], &body["extra_usage"]["daily"]), (&json!([]), &json!(7)));
        assert_eq!(body["extra_usage"]["monthly_limit"], Value::Null);
    }
}
