//! What those ask who watch the server: whether it lives, whether it can answer calls, and its metrics.

use super::arrival::Arrival;
use super::reply::{json_response, set_header};
use super::state::State;
use crate::error::{Error, Kind, Result};
use crate::ledger::budget::{BudgetLimit, BudgetStatus};
use crate::ledger::key::Key;
use crate::telemetry::{BudgetReading, Readings};
use std::collections::HashSet;
use std::time::Duration;
use warp::Reply;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

/// The most API keys whose budgets are shown. The ledger answers for each of them.
const MAX_KEYS: usize = 100;
/// How long a scrape waits for the ledger.
const PATIENCE: Duration = Duration::from_secs(2);

/// The response to whoever asks whether the process lives.
pub(super) fn alive() -> Response {
    json_response(&serde_json::json!({"status": "ok"}))
}

/// The response to whoever asks whether calls can be answered.
pub(super) async fn ready(state: &State) -> Response {
    let obstacles = state.readiness.obstacles(&state.engine, &state.keys, &state.stop).await;
    if obstacles.is_empty() {
        return json_response(&serde_json::json!({"status": "ready"}));
    }
    let reasons: Vec<_> = obstacles.into_iter().map(super::readiness::Obstacle::as_str).collect();
    let mut response = json_response(&serde_json::json!({"status": "not ready", "reasons": reasons}));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// Whether a client of the main address may read the metrics, which name keys and money: with an API key where keys are
/// required, and otherwise from this machine.
///
/// # Errors
/// `InvalidKey`; `MetricsRefused`; `LedgerUnavailable`.
pub(super) async fn check_reader(state: &State, arrival: &Arrival, headers: &HeaderMap) -> Result<()> {
    if state.keys.required {
        return state.keys.caller(headers).await.map(|_| ());
    }
    if arrival.peer.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::new(Kind::MetricsRefused, "the metrics can be read from this machine only")
        .advise("the operator can open an address for them with --metrics-addr"))
}

/// Every metric, in Prometheus's text format.
pub(super) async fn metrics(state: &State) -> Response {
    let budgets = tokio::time::timeout(PATIENCE, budgets(state)).await.unwrap_or_default();
    let readings = Readings {
        ready: state.readiness.obstacles(&state.engine, &state.keys, &state.stop).await.is_empty(),
        ledger: state.readiness.ledger(&state.engine, &state.keys).await,
        open_connections: number(state.load.open_connections()),
        refused_connections: state.load.refused_connections(),
        running_answers: number(state.load.running_answers()),
        body_bytes: number(state.load.body_bytes()),
        budgets,
    };
    let mut response = state.telemetry.prometheus(&readings).into_response();
    set_header(response.headers_mut(), "content-type", "text/plain; version=0.0.4; charset=utf-8");
    response
}

/// The budgets of all calls, of the API keys, and of their groups. Empty when the ledger cannot be read.
async fn budgets(state: &State) -> Vec<BudgetReading> {
    let guard = state.engine.guard();
    let mut limits: Vec<BudgetLimit> = guard.budgets.limits().collect();
    if let Ok(keys) = state.keys.all().await {
        let usable = keys.iter().filter(|key| key.revoked.is_none()).take(MAX_KEYS);
        // Keys of a group share limits.
        let mut seen = HashSet::new();
        limits.extend(usable.flat_map(Key::budget_limits).filter(|limit| seen.insert(limit.clone())));
    }
    let Some(ledger) = guard.ledger.as_ref().filter(|_| !limits.is_empty()) else { return Vec::new() };
    ledger.statuses(limits).await.into_iter().map(reading).collect()
}

fn reading(status: BudgetStatus) -> BudgetReading {
    let left = status.left();
    let BudgetStatus { limit, totals, resets: _ } = status;
    BudgetReading {
        period: limit.period.as_str(),
        key: limit.holder.key_name().unwrap_or_default().to_owned(),
        group: limit.holder.group_name().unwrap_or_default().to_owned(),
        limit: limit.amount,
        left,
        settled: totals.settled,
        reserved: totals.reserved,
        uncertain: totals.uncertain,
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
