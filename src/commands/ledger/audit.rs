//! `chatrix ledger audit`.

use crate::cli::LedgerAudit;
use crate::commands::listing::{Listed, NONE, print_list};
use crate::commands::setup::open_ledger;
use crate::commands::times;
use crate::config::Settings;
use crate::error::Error;
use crate::ledger::audit::AuditEntry;
use crate::ledger::{moment, start_of_day, timestamp};
use serde_json::{Value, json};

pub(super) fn audit(args: &LedgerAudit, settings: &Settings) -> anyhow::Result<u8> {
    let since = start_of_day(times::since(&args.since)?);
    let entries = open_ledger(settings)?.audit(since).map_err(Error::from)?;
    print_list(&entries, args.json, "nothing was changed by hand; --since all shows all changes")
}

impl Listed for AuditEntry {
    const HEADS: &'static [&'static str] = &["WHEN (UTC)", "WHO", "WHAT", "OF", "CHANGE"];
    const NUMBERS: &'static [usize] = &[];

    fn cells(&self) -> Vec<String> {
        let Self { at, actor, action, subject, detail } = self;
        let or_none = |text: &String| if text.is_empty() { NONE.to_owned() } else { text.clone() };
        vec![moment(*at), actor.clone(), action.clone(), or_none(subject), or_none(detail)]
    }

    fn json(&self) -> Value {
        let Self { at, actor, action, subject, detail } = self;
        json!({"at": timestamp(*at), "actor": actor, "action": action, "subject": subject, "detail": detail})
    }
}
