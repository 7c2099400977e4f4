//! Whether calls can be booked, at the start and when a reload brings a budget.

use crate::engine::BudgetGuard;
use crate::error::Error;
use crate::ledger::store::StoreError;
use crate::telemetry::Telemetry;

/// Finds out whether calls can be booked. Without a budget the server starts even if they cannot.
pub(super) async fn check_ledger(guard: &BudgetGuard, telemetry: &Telemetry) -> Result<(), Error> {
    let guards_budget = !guard.limits(None).is_empty();
    let checked = match &guard.ledger {
        Some(ledger) => ledger.check(guards_budget).await,
        None => Err(StoreError::no_folder()),
    };
    match checked {
        Ok(()) => Ok(()),
        Err(error) if guards_budget => Err(Error::from(error).advise(
            "a budget is set, so the server does not start without its ledger; make it readable and writable, or move \
             it away and accept a new one with `chatrix ledger accept`",
        )),
        Err(error) => {
            telemetry.notice(&format!(
                "warning: {error}; there is no budget, so calls are answered, but they are booked only if that changes"
            ));
            Ok(())
        }
    }
}
