//! `chatrix usage`: what was spent, what is left, and what is not known for sure. Reads the ledger;
//! `usage settle` corrects it.

use crate::catalog::NanoDollars;
use crate::cli::{self, Settle, Usage, UsageAction};
use crate::commands::{book, note, print, unavailable};
use crate::config::Settings;
use crate::error::{Error, Kind};
use crate::ledger::budget::{BudgetStatus, date, days};
use crate::ledger::{By, Clock, Row, SqliteStore, Sums, Uncertain};
use crate::terminal::style;
use crate::terminal::table::{bar, table};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use time::{Date, Month, OffsetDateTime};

/// The width of a bar (columns).
const BAR: usize = 24;

/// Shows, or settles.
pub(crate) fn run(args: &Usage, settings: &Settings) -> anyhow::Result<u8> {
    if let Some(UsageAction::Settle(settle)) = &args.action {
        return correct(settle, settings);
    }
    let since = since(&args.since)?;
    let (mut book, offline) = shown(settings)?;
    let text = if args.uncertain {
        let calls = book.uncertain().map_err(unavailable)?;
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
        let rows = book.report(by, since).map_err(unavailable)?;
        if args.csv {
            csv(by, &rows)
        } else {
            let limits: Vec<_> = settings.budgets.limits().collect();
            let statuses = book.statuses(&limits).map_err(unavailable)?;
            if args.json { json(by, since, offline, &rows, &statuses) } else { report(by, since, &rows, &statuses) }
        }
    };
    print(&text)?;
    Ok(0)
}

/// The ledger, and whether it is the offline one. That one is also shown when nothing was ever booked in the other:
/// who has only tried Chatrix out looks for what that did.
fn shown(settings: &Settings) -> anyhow::Result<(SqliteStore, bool)> {
    const OFFLINE: &str = "calls of --offline: they cost nothing; the amounts are what AWS would have charged";
    let book = book(settings)?;
    if settings.offline {
        note(OFFLINE);
        return Ok((book, true));
    }
    let never_used = book.report(By::Command, i64::MIN).map_err(unavailable)?.is_empty();
    let other = settings.ledger.as_ref().map(|path| path.with_file_name("offline.db")).filter(|path| path.exists());
    if let Some(path) = other.filter(|_| never_used) {
        let other = SqliteStore::open(&path, Clock::system()).map_err(unavailable)?;
        note(OFFLINE);
        return Ok((other, true));
    }
    Ok((book, false))
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
        Error::new(Kind::InvalidRequest, format!("--since is {text:?}"))
            .advise("give a day like 2026-11-01, a number of days like 7d, or all")
    })?)
}

fn correct(args: &Settle, settings: &Settings) -> anyhow::Result<u8> {
    let mut book = book(settings)?;
    let Settle { id, usd } = args;
    if book.transact(|pages| pages.correct(*id, *usd)).map_err(unavailable)? {
        note(&format!("call {id} is booked at {usd}"));
        return Ok(0);
    }
    let message = match book.state_of(*id).map_err(unavailable)? {
        None => format!("there is no call {id}"),
        Some(state) => format!("call {id} is {state}; only a call whose usage never came can be settled by hand"),
    };
    Err(Error::new(Kind::InvalidRequest, message).advise("`chatrix usage --uncertain` lists them").into())
}

fn total(rows: &[Row]) -> Sums {
    rows.iter().fold(Sums::default(), |sum, Row { sums, .. }| Sums {
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

fn json(by: By, since: i64, offline: bool, rows: &[Row], statuses: &[BudgetStatus]) -> String {
    let rows_json = rows.iter().map(|row| {
        let mut members = Map::from_iter([(by.as_str().to_owned(), Value::from(row.name.clone()))]);
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

fn csv(by: By, rows: &[Row]) -> String {
    let heads =
        "calls,settled_usd,reserved_usd,uncertain_usd,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens";
    let mut text = format!("{},{heads}\n", by.as_str());
    for Row { name, sums } in rows {
        let Sums { calls, input, output, cache_read, cache_write, settled, reserved, uncertain } = sums;
        // A name with a comma or a quote, or one that a spreadsheet would take for a formula, is quoted.
        let name =
            if name.contains([',', '"', '\n']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.clone() };
        let (settled, reserved, uncertain) = (settled.dollars(), reserved.dollars(), uncertain.dollars());
        text.push_str(&format!(
            "{name},{calls},{settled},{reserved},{uncertain},{input},{output},{cache_read},{cache_write}\n"
        ));
    }
    text
}

fn report(by: By, since: i64, rows: &[Row], statuses: &[BudgetStatus]) -> String {
    let colour = style::colour(&std::io::stdout());
    if rows.is_empty() {
        let mut text = format!("no calls since {}\n", date(since));
        text.push_str(&budgets(statuses));
        return text;
    }
    let total = total(rows);
    let most = rows.iter().map(|row| row.sums.settled + row.sums.uncertain).max().unwrap_or_default();
    // Columns of nothing are left out.
    let some = |of: fn(&Sums) -> NanoDollars| of(&total) > NanoDollars(0);
    let (uncertain, reserved) = (some(|sums| sums.uncertain), some(|sums| sums.reserved));
    let line = |name: &str, sums: &Sums, bar: String| {
        let mut cells = vec![
            name.to_owned(),
            sums.calls.to_string(),
            (sums.input + sums.cache_read + sums.cache_write).to_string(),
            sums.output.to_string(),
            sums.settled.to_string(),
        ];
        cells.extend(uncertain.then(|| amount(sums.uncertain)));
        cells.extend(reserved.then(|| amount(sums.reserved)));
        cells.push(bar);
        cells
    };
    let mut lines: Vec<Vec<String>> = rows
        .iter()
        .map(|Row { name, sums }| {
            let name = if name.is_empty() { "(no key)" } else { name };
            line(name, sums, bar((sums.settled + sums.uncertain).0, most.0, BAR))
        })
        .collect();
    lines.push(line("total", &total, String::new()));
    let by = by.as_str().to_uppercase();
    let mut heads = vec![by.as_str(), "CALLS", "TOKENS IN", "OUT", "SPENT"];
    heads.extend(uncertain.then_some("UNCERTAIN"));
    heads.extend(reserved.then_some("RESERVED"));
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

/// An amount, or nothing for nothing.
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
        parts.extend((totals.uncertain > NanoDollars(0)).then(|| format!("{} uncertain", totals.uncertain)));
        parts.extend((totals.reserved > NanoDollars(0)).then(|| format!("{} reserved", totals.reserved)));
        parts.push(format!("resets {}", date(*resets)));
        let (spent, amount, parts) = (totals.settled, limit.amount, parts.join(" · "));
        format!("\n{name:<12} {filled}{space}▏ {spent} of {amount} spent\n{:<12} {parts}", "")
    });
    let text: String = lines.collect();
    if text.is_empty() { text } else { text + "\n" }
}

fn moment(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!("{} {:02}:{:02}:{:02}", time.date(), time.hour(), time.minute(), time.second())
}

fn uncertain(calls: &[Uncertain]) -> String {
    if calls.is_empty() {
        return "no call is uncertain\n".to_owned();
    }
    let rows: Vec<Vec<String>> = calls
        .iter()
        .map(|call| {
            let Uncertain { id, at, command, key, model, reserved, request_id } = call;
            vec![
                id.to_string(),
                moment(*at),
                if key.is_empty() { command.clone() } else { format!("{command} ({key})") },
                model.clone(),
                reserved.to_string(),
                request_id.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(
        &["ID", "BEGAN (UTC)", "COMMAND", "MODEL", "AT MOST", "AWS REQUEST ID"],
        &rows,
        &[0, 4],
        style::colour(&std::io::stdout()),
    )
}

fn uncertain_json(call: &Uncertain) -> Value {
    let Uncertain { id, at, command, key, model, reserved, request_id } = call;
    json!({
        "id": id, "began": format!("{}Z", moment(*at).replace(' ', "T")), "command": command,
        "key": Some(key).filter(|key| !key.is_empty()), "model": model, "reserved_usd": reserved.number(),
        "request_id": request_id,
    })
}
