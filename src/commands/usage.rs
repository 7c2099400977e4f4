//! `chatrix usage`: what was spent, what is left, and what is not known for certain. `usage settle` corrects the last.

mod report;
mod sums;
mod watch;

use crate::cli::{self, Settle, Usage, UsageAction};
use crate::commands::setup::open_ledger;
use crate::commands::times;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::{BudgetStatus, date};
use crate::ledger::report::{By, ReportRow, Sums, UncertainCall};
use crate::ledger::store::{Correction, Store};
use crate::ledger::{self, CallId, CallState, Clock, Location, timestamp};
use crate::terminal::output::{note, print, print_data, print_json, stdout};
use crate::terminal::printable::Printable;
use crate::terminal::size::columns;
use crate::terminal::table;
use report::{Report, total, uncertain};
use serde_json::{Map, Value, json};

/// Prints a report, or settles a call.
pub(crate) async fn run(args: &Usage, settings: &Settings) -> anyhow::Result<u8> {
    if let Some(UsageAction::Settle(settle)) = &args.action {
        return correct(settle, settings);
    }
    let since = times::since(&args.since)?;
    if args.watch && !stdout().is_terminal() {
        return Err(Error::new(Kind::InvalidRequest, "--watch draws on a terminal, and stdout is none")
            .advise("leave it out")
            .into());
    }
    let Opened { mut ledger, offline, never_used } = open(settings)?;
    if offline && !args.watch {
        note(OFFLINE);
    }
    if args.uncertain {
        let calls = ledger.uncertain_calls().map_err(Error::from)?;
        if args.json {
            print_json(format_args!("{:#}", calls.iter().map(uncertain_json).collect::<Value>()))?;
        } else {
            print(&uncertain(&calls, settings.catalog(), columns()))?;
        }
        return Ok(0);
    }
    let by = match args.by {
        cli::By::Day => By::Day,
        cli::By::Model => By::Model,
        cli::By::Key => By::Key,
        cli::By::Group => By::Group,
        cli::By::Command => By::Command,
    };
    let limits: Vec<_> = settings.budgets.limits().collect();
    let mut lines = || {
        let rows = ledger.report(by, since).map_err(Error::from)?;
        let statuses = ledger.statuses(&limits).map_err(Error::from)?;
        let never_used = never_used && rows.is_empty();
        let report = Report { by, since, never_used, rows: &rows, statuses: &statuses, catalog: settings.catalog() };
        let notice = (args.watch && offline).then(|| Printable::from(OFFLINE));
        Ok(notice.into_iter().chain(report.lines(columns())).collect())
    };
    if args.watch {
        return watch::watch(lines).await;
    }
    if !args.csv && !args.json {
        print(&table::lines(lines()?))?;
        return Ok(0);
    }
    let rows = ledger.report(by, since).map_err(Error::from)?;
    if args.csv {
        print_data(&csv(by, &rows)?)?;
    } else {
        let statuses = ledger.statuses(&limits).map_err(Error::from)?;
        print_json(format_args!("{:#}", json(by, since, offline, &rows, &statuses)))?;
    }
    Ok(0)
}

struct Opened {
    ledger: Box<dyn Store>,
    /// Whether it is the ledger of `--offline`.
    offline: bool,
    /// Whether it has no call at all.
    never_used: bool,
}

/// What is said of the amounts in the ledger of `--offline`.
const OFFLINE: &str = "calls of --offline cost nothing: the amounts are what AWS would have charged";

/// Opens the ledger to report. The ledger of `--offline` is also used when the file of all other calls has none: a
/// person who has only tried Chatrix offline wants to see those calls. Whoever shares a database wants to see that.
fn open(settings: &Settings) -> anyhow::Result<Opened> {
    let mut ledger = open_ledger(settings)?;
    let never_used = ledger.report(By::Command, i64::MIN).map_err(Error::from)?.is_empty();
    if settings.offline {
        return Ok(Opened { ledger, offline: true, never_used });
    }
    let is_file = settings.ledger_location().is_some_and(|location| location.file().is_some());
    let folder = settings.state.as_ref().filter(|_| is_file);
    let other = folder.map(|folder| Location::File(folder.join("offline.db"))).filter(Location::exists);
    if let Some(location) = other
        && never_used
    {
        let ledger = ledger::open(&location, Clock::system()).map_err(Error::from)?;
        return Ok(Opened { ledger, offline: true, never_used: false });
    }
    Ok(Opened { ledger, offline: false, never_used })
}

fn correct(args: &Settle, settings: &Settings) -> anyhow::Result<u8> {
    let Settle { id, usd, above_reserved } = args;
    let message = match open_ledger(settings)?.correct(CallId(*id), *usd, *above_reserved).map_err(Error::from)? {
        Correction::Booked => {
            note(Printable::line(format_args!("call {id} is booked at {usd}")));
            return Ok(0);
        }
        Correction::AboveReserved(reserved) => {
            let (reserved, usd) = (reserved.exact(), usd.exact());
            let message =
                format!("at most {reserved} was reserved for call {id}, so AWS cannot have billed {usd} for it");
            return Err(Error::new(Kind::InvalidRequest, message).advise("if it has, add --above-reserved").into());
        }
        Correction::NotAllowed(CallState::Released) => {
            format!("call {id} never reached AWS, or was refused there, and cost nothing")
        }
        Correction::NoSuchCall => format!("there is no call {id}"),
        Correction::NotAllowed(state) => {
            let state = state.as_str();
            format!("call {id} is {state}; only a call whose usage never came can be settled by hand")
        }
    };
    Err(Error::new(Kind::InvalidRequest, message).advise("`chatrix usage --uncertain` lists them").into())
}

fn sums_json(sums: &Sums) -> Map<String, Value> {
    let Sums { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = sums;
    let value = json!({
        "calls": calls,
        "unpriced_calls": unpriced,
        "settled_usd": settled.number(),
        "reserved_usd": reserved.number(),
        "uncertain_usd": uncertain.number(),
        "input_tokens": input,
        "output_tokens": output,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
    });
    if let Value::Object(members) = value { members } else { Map::new() }
}

fn json(by: By, since: i64, offline: bool, rows: &[ReportRow], statuses: &[BudgetStatus]) -> Value {
    let rows_json = rows.iter().map(|row| {
        let mut members =
            Map::from_iter([(by.as_str().to_owned(), Value::from(row.name.as_deref().unwrap_or_default()))]);
        members.extend(sums_json(&row.sums));
        Value::from(members)
    });
    let budgets = statuses.iter().map(|status| {
        let BudgetStatus { limit, totals, resets } = status;
        json!({
            "period": limit.period.as_str(),
            "limit_usd": limit.amount.number(),
            "settled_usd": totals.settled.number(),
            "reserved_usd": totals.reserved.number(),
            "uncertain_usd": totals.uncertain.number(),
            "left_usd": status.left().number(),
            "resets": format!("{}T00:00:00Z", date(*resets)),
        })
    });
    json!({
        "since": date(since).to_string(),
        "offline": offline,
        "total": sums_json(&total(rows)),
        "rows": rows_json.collect::<Vec<_>>(),
        "budgets": budgets.collect::<Vec<_>>(),
    })
}

fn csv(by: By, rows: &[ReportRow]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        by.as_str(),
        "calls",
        "settled_usd",
        "reserved_usd",
        "uncertain_usd",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "unpriced_calls",
    ])?;
    for ReportRow { name, sums } in rows {
        let Sums { calls, unpriced, input, output, cache_read, cache_write, settled, reserved, uncertain } = sums;
        writer.write_record([
            name.clone().unwrap_or_default(),
            calls.to_string(),
            settled.dollars(),
            reserved.dollars(),
            uncertain.dollars(),
            input.to_string(),
            output.to_string(),
            cache_read.to_string(),
            cache_write.to_string(),
            unpriced.to_string(),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn uncertain_json(call: &UncertainCall) -> Value {
    let UncertainCall { id, began, command, key, model, reserved, chatrix_request_id, bedrock_request_id } = call;
    json!({
        "id": id.0, "began": timestamp(*began), "command": command, "key": key,
        "model": model, "reserved_usd": reserved.number(), "chatrix_request_id": chatrix_request_id,
        "bedrock_request_id": bedrock_request_id,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::catalog::NanoDollars;

    #[test]
    fn names_in_csv_are_quoted_where_they_must_be() {
        let row = |name: Option<&str>| ReportRow {
            name: name.map(ToOwned::to_owned),
            sums: Sums { calls: 1, settled: NanoDollars(1_050), ..Sums::default() },
        };
        let rows = [row(Some("us.a,b\"c")), row(Some("laptop")), row(None)];
        let expected = "model,calls,settled_usd,reserved_usd,uncertain_usd,input_tokens,output_tokens,\
                        cache_read_tokens,cache_write_tokens,unpriced_calls\n\
                        \"us.a,b\"\"c\",1,0.00000105,0.00,0.00,0,0,0,0,0\n\
                        laptop,1,0.00000105,0.00,0.00,0,0,0,0,0\n\
                        ,1,0.00000105,0.00,0.00,0,0,0,0,0\n";
        assert_eq!(csv(By::Model, &rows).unwrap(), expected);
    }
}
