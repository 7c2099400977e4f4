//! Where each setting comes from.

use super::check::SettingLine;
use crate::bedrock::Account;
use crate::config::{Setting, Settings, Source};
use crate::ledger::budget::{BudgetLimit, Budgets};
use std::fmt::Display;

/// The lines of the settings that decide what a call does and where it goes. `account`: whose credentials are used and
/// where Bedrock is called; `None` when AWS's settings cannot be used.
pub(super) fn lines(settings: &Settings, account: Option<&Account>) -> Vec<SettingLine> {
    let limits = settings.policy().limits;
    let sources = &settings.limit_sources;
    let Setting { value: port, source: port_source } = &settings.serve.port;
    let mut lines = vec![
        config_file(settings),
        line("model", &settings.model.value, &settings.model.source),
        line("offline", if settings.offline { "yes" } else { "no" }, &settings.offline_source),
    ];
    if !settings.offline {
        lines.extend([profile(settings, account), region(settings, account), endpoint(account)]);
    }
    lines.extend([
        line("max_tokens", &limits.max_tokens, &sources.max_tokens),
        line("max_tokens_limit", &limits.max_tokens_limit, &sources.max_tokens_limit),
        budgets(settings),
    ]);
    // The file in the state folder is the usual one, and the check of the ledger names it.
    lines.extend(settings.ledger.iter().filter(|ledger| ledger.source != Source::Default).map(|ledger| {
        let Setting { value, source } = ledger;
        line("ledger", value, source)
    }));
    lines.extend([
        line("host", &settings.serve.host.value, &settings.serve.host.source),
        line("port", port, port_source),
    ]);
    lines
}

fn line(name: &'static str, value: &(impl Display + ?Sized), source: &Source) -> SettingLine {
    SettingLine { name, value: value.to_string(), source: source.to_string() }
}

fn config_file(settings: &Settings) -> SettingLine {
    let (value, source) = match &settings.config_file {
        Some(path) => (path.display().to_string(), String::new()),
        None if settings.config_path.as_os_str().is_empty() => ("none".to_owned(), String::new()),
        None => ("none".to_owned(), format!("{} does not exist", settings.config_path.display())),
    };
    SettingLine { name: "config file", value, source }
}

fn profile(settings: &Settings, account: Option<&Account>) -> SettingLine {
    match (&settings.aws.profile, account.and_then(Account::profile)) {
        (Some(Setting { value, source }), _) => line("profile", value, source),
        (None, Some(name)) => line("profile", name, &Source::Environment("AWS_PROFILE")),
        (None, None) => line("profile", "default", &Source::Default),
    }
}

fn region(settings: &Settings, account: Option<&Account>) -> SettingLine {
    match (&settings.aws.region, account.map(Account::place)) {
        (Some(Setting { value, source }), _) => line("region", value.as_str(), source),
        (None, Some(place)) => SettingLine {
            name: "region",
            value: place.region.clone(),
            source: place.region_source.clone().unwrap_or_else(|| Source::Default.to_string()),
        },
        (None, None) => SettingLine { name: "region", value: "not known".to_owned(), source: String::new() },
    }
}

fn endpoint(account: Option<&Account>) -> SettingLine {
    let (value, source) = match account.map(Account::place) {
        Some(place) => {
            let source = place.endpoint_source.clone().unwrap_or_else(|| "the region".to_owned());
            (place.endpoint.clone(), source)
        }
        None => ("not known".to_owned(), String::new()),
    };
    SettingLine { name: "endpoint", value, source }
}

fn budgets(settings: &Settings) -> SettingLine {
    let Budgets { request, .. } = settings.budgets;
    let mut budgets: Vec<String> = request.iter().map(|amount| format!("request {amount}")).collect();
    budgets.extend(
        settings.budgets.limits().map(|BudgetLimit { period, amount, .. }| format!("{} {amount}", period.as_str())),
    );
    match &settings.config_file {
        Some(path) if !budgets.is_empty() => {
            SettingLine { name: "budgets", value: budgets.join(", "), source: path.display().to_string() }
        }
        _ => line("budgets", "none", &Source::Default),
    }
}
