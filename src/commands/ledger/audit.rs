//! `chatrix ledger audit`.

use crate::cli::LedgerAudit;
use crate::commands::setup::open_ledger;
use crate::commands::times;
use crate::commands::used_columns::{NONE, used_columns};
use crate::config::Settings;
use crate::error::Error;
use crate::ledger::audit::AuditEntry;
use crate::ledger::moment;
use crate::terminal::output::{note, print, print_json, stdout};
use crate::terminal::table::table;
use serde_json::{Value, json};

const HEADS: [&str; 5] = ["WHEN (UTC)", "WHO", "WHAT", "OF", "CHANGE"];

const MILLISECONDS_PER_DAY: i64 = 86_400_000;

pub(super) fn audit(args: &LedgerAudit, settings: &Settings) -> anyhow::Result<u8> {
    let since = times::since(&args.since)?.saturating_mul(MILLISECONDS_PER_DAY);
    let entries = open_ledger(settings)?.audit(since).map_err(Error::from)?;
    if args.json {
        print_json(format_args!("{:#}", entries.iter().map(entry_json).collect::<Value>()))?;
        return Ok(0);
    }
    if entries.is_empty() {
        note("nothing was changed by hand; --since all shows all changes");
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = entries.iter().map(cells).collect();
    let (heads, rows) = used_columns(&HEADS, &rows);
    print(&table(&heads, &rows, &[], stdout().colour()))?;
    Ok(0)
}

/// One for each of the heads.
fn cells(entry: &AuditEntry) -> Vec<String> {
    let AuditEntry { at, actor, action, subject, detail } = entry;
    let or_none = |text: &String| if text.is_empty() { NONE.to_owned() } else { text.clone() };
    vec![moment(*at), actor.clone(), action.clone(), or_none(subject), or_none(detail)]
}

fn entry_json(entry: &AuditEntry) -> Value {
    let AuditEntry { at, actor, action, subject, detail } = entry;
    let at = format!("{}Z", moment(*at).replace(' ', "T"));
    json!({"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail})
}
