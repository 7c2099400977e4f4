//! Whether calls can be booked, at the start and when a reload brings a budget.

use crate::engine::BudgetGuard;
use crate::error::Error;
use crate::ledger::Location;
use crate::ledger::store::StoreError;
use crate::telemetry::Telemetry;

/// Finds out whether calls can be booked. Without a budget the server starts even if they cannot.
/// `location`: where the ledger is, if there is a place for one.
pub(super) async fn check_ledger(
    guard: &BudgetGuard,
    location: Option<&Location>,
    telemetry: &Telemetry,
) -> Result<(), Error> {
    let guards_budget = !guard.limits(None).is_empty();
    let checked = match &guard.ledger {
        Some(ledger) => ledger.check(guards_budget).await,
        None => Err(StoreError::no_folder()),
    };
    match checked {
        Ok(()) => Ok(()),
        Err(error) if guards_budget => {
            let remedy = location.map_or("set XDG_STATE_HOME or HOME", Location::remedy);
            let advice = format!("a budget is set, so the server does not start without its ledger; {remedy}");
            Err(Error::from(error).advise(advice))
        }
        Err(error) => {
            telemetry.notice(&format!(
                "warning: {error}; there is no budget, so calls are answered, but they are booked only if that changes"
            ));
            Ok(())
        }
    }
}
