//! Metrics that are read when they are asked for: they are known elsewhere, or are levels and not counts.

use super::exposition::{Exposition, MetricType};
use crate::catalog::NanoDollars;
use std::time::Duration;

/// What other modules know at this moment.
#[derive(Debug, Default)]
pub struct Readings {
    /// Whether new calls can be answered.
    pub ready: bool,
    /// Whether the ledger can be read and written.
    pub ledger: bool,
    pub open_connections: u64,
    /// Connections that were refused since the start, because all were in use.
    pub refused_connections: u64,
    /// Answers that are being made.
    pub running_answers: u64,
    /// Bytes of request bodies that are held in memory.
    pub body_bytes: u64,
    pub budgets: Vec<BudgetReading>,
}

/// A budget and what is booked under it.
#[derive(Debug)]
pub struct BudgetReading {
    /// `day`, `week` or `month`.
    pub period: &'static str,
    /// The name of the API key that it is for; empty for all calls together, and for a group.
    pub key: String,
    /// The name of the group that it is for; empty for all others.
    pub group: String,
    pub limit: NanoDollars,
    pub left: NanoDollars,
    pub settled: NanoDollars,
    pub reserved: NanoDollars,
    pub uncertain: NanoDollars,
}

/// What telemetry itself knows at this moment.
pub(super) struct Counted {
    /// When the process began, since 1970.
    pub(super) began: Duration,
    pub(super) in_flight: u64,
    pub(super) streams: u64,
    pub(super) reserved: NanoDollars,
    pub(super) dropped_lines: u64,
}

impl Readings {
    pub(super) fn write(&self, counted: &Counted, text: &mut Exposition) {
        let Self { ready, ledger, open_connections, refused_connections, running_answers, body_bytes, budgets } = self;
        let Counted { began, in_flight, streams, reserved, dropped_lines } = counted;
        let levels: [(&str, &str, String); 10] = [
            ("chatrix_ready", "Whether new calls can be answered, as /readyz says.", u8::from(*ready).to_string()),
            ("chatrix_ledger_up", "Whether the ledger can be used.", u8::from(*ledger).to_string()),
            ("chatrix_requests_in_flight", "Requests whose answer is not complete.", in_flight.to_string()),
            ("chatrix_streams_open", "Streamed answers that are not complete.", streams.to_string()),
            ("chatrix_answers_running", "Answers that are being made.", running_answers.to_string()),
            ("chatrix_connections_open", "Connections of clients.", open_connections.to_string()),
            ("chatrix_body_bytes_in_flight", "Bytes of request bodies in memory.", body_bytes.to_string()),
            ("chatrix_reserved_dollars", "What running calls of this process have reserved.", reserved.dollars()),
            (
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
                began.as_secs_f64().to_string(),
            ),
            ("chatrix_build_info", "The version of this build.", "1".to_owned()),
        ];
        for (name, help, value) in levels {
            text.announce(name, MetricType::Gauge, help);
            let version = (name == "chatrix_build_info").then_some(("version", env!("CARGO_PKG_VERSION")));
            text.sample(name, version, value);
        }
        text.announce("chatrix_log_lines_dropped_total", MetricType::Counter, "Log lines that nobody read.");
        text.sample("chatrix_log_lines_dropped_total", [], dropped_lines);
        text.announce(
            "chatrix_connections_refused_total",
            MetricType::Counter,
            "Connections that were refused because all were in use.",
        );
        text.sample("chatrix_connections_refused_total", [], refused_connections);
        write_budgets(budgets, text);
    }
}

fn write_budgets(budgets: &[BudgetReading], text: &mut Exposition) {
    let name = "chatrix_budget_limit_dollars";
    text.announce(name, MetricType::Gauge, "What may be booked in the period.");
    for budget in budgets {
        text.sample(name, budget.labels(), budget.limit.dollars());
    }
    let name = "chatrix_budget_left_dollars";
    text.announce(name, MetricType::Gauge, "What a new call may still reserve.");
    for budget in budgets {
        text.sample(name, budget.labels(), budget.left.dollars());
    }
    let name = "chatrix_budget_booked_dollars";
    text.announce(name, MetricType::Gauge, "What is booked in the period, by all processes that use the ledger.");
    for budget in budgets {
        for (state, amount) in
            [("settled", budget.settled), ("reserved", budget.reserved), ("uncertain", budget.uncertain)]
        {
            text.sample(name, budget.labels().into_iter().chain([("state", state)]), amount.dollars());
        }
    }
}

impl BudgetReading {
    fn labels(&self) -> [(&str, &str); 3] {
        [("budget", self.period), ("key", &self.key), ("group", &self.group)]
    }
}
