//! `chatrix usage`: what was spent, what is left, and what is not known for certain. `usage settle` corrects the last.

use crate::catalog::NanoDollars;
use crate::cli::{self, Settle, Usage, UsageAction};
use crate::commands::screen::{note, print};
use crate::commands::setup::open_ledger;
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::{BudgetStatus, date, days};
use crate::ledger::report::{By, ReportRow, Sums, UncertainCall};
use crate::ledger::store::{Correction, Store};
use crate::ledger::{self, CallId, Clock};
use crate::terminal::style;
use crate::terminal::table::{bar, table};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use time::{Date, Month, OffsetDateTime};

/// The width of a bar (columns).
const BAR: usize = 24;

/// Prints a report, or settles a call.
pub(crate) fn run(args: &Usage, settings: &Settings) -> anyhow::Result<u8> {
    if let Some(UsageAction::Settle(settle)) = &args.action {
        return correct(settle, settings);
    }
    let since = since(&args.since)?;
    let Opened { mut ledger, offline } = open(settings)?;
    let text = if args.uncertain {
        let calls = ledger.uncertain_calls().map_err(Error::from)?;
        if args.json {
            format!("{:#}\n", calls.iter().map(uncertain_json).collect::<Value>())
        } else {
            uncertain(&calls)
        }
    } else {
        let by = match args.by {
            cli::By::Day => By::Day,
            cli::By::Model => By::Model,
            cli::By::Key => By::Key,
            cli::By::Command => By::Command,
        };
        let rows = ledger.report(by, since).map_err(Error::from)?;
        if args.csv {
            csv(by, &rows)?
        } else {
            let limits: Vec<_> = settings.budgets.limits().collect();
            let statuses = ledger.statuses(&limits).map_err(Error::from)?;
            if args.json { json(by, since, offline, &rows, &statuses) } else { report(by, since, &rows, &statuses) }
        }
    };
    print(&text)?;
    Ok(0)
}

struct Opened {
    ledger: Box<dyn Store>,
    /// Whether it is the ledger of `--offline`.
    offline: bool,
}

/// Opens the ledger to report. The ledger of `--offline` is also used when the other has no calls: a person who has
/// only tried Chatrix offline wants to see those calls.
fn open(settings: &Settings) -> anyhow::Result<Opened> {
    const OFFLINE: &str = "calls of --offline: they cost nothing; the amounts are what AWS would have charged";
    let mut ledger = open_ledger(settings)?;
    if settings.offline {
        note(OFFLINE);
        return Ok(Opened { ledger, offline: true });
    }
    let never_used = ledger.report(By::Command, i64::MIN).map_err(Error::from)?.is_empty();
    let other = settings.ledger.as_ref().map(|path| path.with_file_name("offline.db")).filter(|path| path.exists());
    if let Some(path) = other
        && never_used
    {
        let ledger = ledger::open(&path, Clock::system()).map_err(Error::from)?;
        note(OFFLINE);
        return Ok(Opened { ledger, offline: true });
    }
    Ok(Opened { ledger, offline: false })
}

/// The first day of a report: a date, a number of days, or everything (days since 1970).
fn since(text: &str) -> anyhow::Result<i64> {
    let number = |text: &str| text.parse::<i64>().ok();
    let calendar = || {
        let mut parts = text.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
        Some(days(Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?))
    };
    let ago = || text.strip_suffix('d').and_then(number).filter(|n| (1..=100_000).contains(n));
    let found = match text {
        "all" => Some(0),
        _ => ago().map(|ago| Clock::system().today() - ago + 1).or_else(calendar),
    };
    Ok(found.ok_or_else(|| {
        Error::new(Kind::InvalidRequest, format!("--since {text:?} is not a day"))
            .advise("give a day like 2026-11-01, a number of days like 7d, or all")
    })?)
}

fn correct(args: &Settle, settings: &Settings) -> anyhow::Result<u8> {
    let Settle { id, usd } = args;
    let message = match open_ledger(settings)?.correct(CallId(*id), *usd).map_err(Error::from)? {
        Correction::Booked => {
            note(&format!("call {id} is booked at {usd}"));
            return Ok(0);
        }
        Correction::NoSuchCall => format!("there is no call {id}"),
        Correction::NotAllowed(state) => {
            let state = state.as_str();
            format!("call {id} is {state}; only a call whose usage never came can be settled by hand")
        }
    };
    Err(Error::new(Kind::InvalidRequest, message).advise("`chatrix usage --uncertain` lists them").into())
}

fn total(rows: &[ReportRow]) -> Sums {
    rows.iter().fold(Sums::default(), |sum, ReportRow { name: _, sums }| Sums {
        calls: sum.calls + sums.calls,
        input: sum.input + sums.input,
        output: sum.output + sums.output,
        cache_read: sum.cache_read + sums.cache_read,
        cache_write: sum.cache_write + sums.cache_write,
        settled: sum.settled + sums.settled,
        reserved: sum.reserved + sums.reserved,
        uncertain: sum.uncertain + sums.uncertain,
    })
}

fn sums_json(sums: &Sums) -> Map<String, Value> {
    let Sums { calls, input, output, cache_read, cache_write, settled, reserved, uncertain } = sums;
    let value = json!({
        "calls": calls,
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

fn json(by: By, since: i64, offline: bool, rows: &[ReportRow], statuses: &[BudgetStatus]) -> String {
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
    let value = json!({
        "since": date(since).to_string(),
        "offline": offline,
        "total": sums_json(&total(rows)),
        "rows": rows_json.collect::<Vec<_>>(),
        "budgets": budgets.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
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
    ])?;
    for ReportRow { name, sums } in rows {
        let Sums { calls, input, output, cache_read, cache_write, settled, reserved, uncertain } = sums;
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
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn report(by: By, since: i64, rows: &[ReportRow], statuses: &[BudgetStatus]) -> String {
    let colour = style::colour(&std::io::stdout());
    if rows.is_empty() {
        let mut text = format!("no calls since {}\n", date(since));
        text.push_str(&budgets(statuses));
        return text;
    }
    let total = total(rows);
    let most = rows.iter().map(|row| row.sums.settled + row.sums.uncertain).max().unwrap_or_default();
    // A column without any amount is left out.
    let uncertain = total.uncertain > NanoDollars(0);
    let reserved = total.reserved > NanoDollars(0);
    let line = |name: &str, sums: &Sums, bar: String| {
        let mut cells = vec![
            name.to_owned(),
            sums.calls.to_string(),
            (sums.input + sums.cache_read + sums.cache_write).to_string(),
            sums.output.to_string(),
            sums.settled.to_string(),
        ];
        if uncertain {
            cells.push(amount(sums.uncertain));
        }
        if reserved {
            cells.push(amount(sums.reserved));
        }
        cells.push(bar);
        cells
    };
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|ReportRow { name, sums }| {
            line(name.as_deref().unwrap_or("(no key)"), sums, bar((sums.settled + sums.uncertain).0, most.0, BAR))
        })
        .collect();
    lines.push(line("total", &total, String::new()));
    let by = by.as_str().to_uppercase();
    let mut heads = vec![by.as_str(), "CALLS", "TOKENS IN", "OUT", "SPENT"];
    if uncertain {
        heads.push("UNCERTAIN");
    }
    if reserved {
        heads.push("RESERVED");
    }
    heads.push("");
    let numbers: Vec<usize> = (1..heads.len() - 1).collect();
    let mut text = table(&heads, &lines, &numbers, colour);
    text.push_str(&budgets(statuses));
    if total.uncertain > NanoDollars(0) && std::io::stdout().is_terminal() {
        let hint = "uncertain: the usage never came; `chatrix usage --uncertain` lists these calls";
        text.push_str(&format!("{}\n", style::dim(hint, colour)));
    }
    text
}

/// An amount; an empty cell for none.
fn amount(amount: NanoDollars) -> String {
    if amount == NanoDollars(0) { String::new() } else { amount.to_string() }
}

fn budgets(statuses: &[BudgetStatus]) -> String {
    let lines = statuses.iter().map(|status| {
        let BudgetStatus { limit, totals, resets } = status;
        let filled = bar(totals.all().0, limit.amount.0, BAR);
        let space = " ".repeat(BAR.saturating_sub(filled.chars().count()));
        let name = limit.to_string();
        let mut parts = vec![format!("{} left", status.left())];
        if totals.uncertain > NanoDollars(0) {
            parts.push(format!("{} uncertain", totals.uncertain));
        }
        if totals.reserved > NanoDollars(0) {
            parts.push(format!("{} reserved", totals.reserved));
        }
        parts.push(format!("resets {}", date(*resets)));
        let spent = totals.settled;
        let amount = limit.amount;
        format!("\n{name:<12} {filled}{space}▏ {spent} of {amount} spent\n{:<12} {}", "", parts.join(" · "))
    });
    let text: String = lines.collect();
    if text.is_empty() { text } else { text + "\n" }
}

fn moment(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{} {:02}:{:02}:{:02}", time.date(), time.hour(), time.minute(), time.second())
}

fn uncertain(calls: &[UncertainCall]) -> String {
    if calls.is_empty() {
        return "no call is uncertain\n".to_owned();
    }
    let row = |call: &UncertainCall| {
        let UncertainCall { id, began, command, key, model, reserved, chatrix_request_id: _, bedrock_request_id } =
            call;
        let command = key.as_ref().map_or_else(|| command.clone(), |key| format!("{command} ({key})"));
        let request_id = bedrock_request_id.clone().unwrap_or_default();
        vec![id.to_string(), moment(*began), command, model.clone(), reserved.to_string(), request_id]
    };
    let rows: Vec<Vec<String>> = calls.iter().map(row).collect();
    let heads = ["ID", "BEGAN (UTC)", "COMMAND", "MODEL", "AT MOST", "AWS REQUEST ID"];
    table(&heads, &rows, &[0, 4], style::colour(&std::io::stdout()))
}

fn uncertain_json(call: &UncertainCall) -> Value {
    let UncertainCall { id, began, command, key, model, reserved, chatrix_request_id, bedrock_request_id } = call;
    json!({
        "id": id.0, "began": format!("{}Z", moment(*began).replace(' ', "T")), "command": command, "key": key,
        "model": model, "reserved_usd": reserved.number(), "chatrix_request_id": chatrix_request_id,
        "bedrock_request_id": bedrock_request_id,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn names_in_csv_are_quoted_where_they_must_be() {
        let row = |name: Option<&str>| ReportRow {
            name: name.map(ToOwned::to_owned),
            sums: Sums { calls: 1, settled: NanoDollars(1_050), ..Sums::default() },
        };
        let rows = [row(Some("us.a,b\"c")), row(Some("laptop")), row(None)];
        let expected = "model,calls,settled_usd,reserved_usd,uncertain_usd,input_tokens,output_tokens,\
                        cache_read_tokens,cache_write_tokens\n\
                        \"us.a,b\"\"c\",1,0.00000105,0.00,0.00,0,0,0,0\n\
                        laptop,1,0.00000105,0.00,0.00,0,0,0,0\n\
                        ,1,0.00000105,0.00,0.00,0,0,0,0\n";
        assert_eq!(csv(By::Model, &rows).unwrap(), expected);
    }
}
