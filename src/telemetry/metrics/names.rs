//! The names of the metrics, what they count, and the bounds of histograms. The names of OpenTelemetry's conventions for
//! generative AI are used where they exist (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>), in
//! Prometheus's spelling; the others begin with `chatrix_`. docs/operating.md explains each.

use super::series::{Description, Unit};
use Unit::{Dollars, One, Seconds};

const fn about<const N: usize>(
    name: &'static str,
    unit: Unit,
    labels: [&'static str; N],
    help: &'static str,
) -> Description<N> {
    Description { name, help, unit, labels }
}

const OPERATION: &str = "gen_ai_operation_name";
const PROVIDER: &str = "gen_ai_provider_name";
const MODEL: &str = "gen_ai_request_model";
const ERROR: &str = "error_type";

pub(super) const REQUESTS: Description<4> =
    about("chatrix_requests_total", One, ["route", "model", "key", "status"], "Requests that have ended.");
pub(super) const REFUSALS: Description<1> = about(
    "chatrix_refusals_total",
    One,
    ["reason"],
    "Requests that ended with an error before anything was sent to Bedrock.",
);
pub(super) const FAILURES: Description<1> = about(
    "chatrix_failures_total",
    One,
    ["reason"],
    "Requests that ended with an error after something was sent to Bedrock.",
);
pub(super) const TOKENS: Description<3> =
    about("chatrix_tokens_total", One, ["model", "key", "kind"], "Tokens that calls used.");
pub(super) const COSTS: Description<2> =
    about("chatrix_cost_dollars_total", Dollars, ["model", "key"], "What calls of known usage cost.");
pub(super) const TOKEN_USAGE: Description<4> = about(
    "gen_ai_client_token_usage",
    One,
    [OPERATION, PROVIDER, MODEL, "gen_ai_token_type"],
    "Input and output tokens of a call.",
);
pub(super) const SERVER_DURATIONS: Description<4> = about(
    "gen_ai_server_request_duration_seconds",
    Seconds,
    [OPERATION, PROVIDER, MODEL, ERROR],
    "Time from a request's head to the last byte of its answer.",
);
pub(super) const FIRST_TOKENS: Description<3> = about(
    "gen_ai_server_time_to_first_token_seconds",
    Seconds,
    [OPERATION, PROVIDER, MODEL],
    "Time from a request's head to the first event of its streamed answer.",
);
pub(super) const UPSTREAM_DURATIONS: Description<4> = about(
    "gen_ai_client_operation_duration_seconds",
    Seconds,
    [OPERATION, PROVIDER, MODEL, ERROR],
    "Time from sending a call to Bedrock to the end of its answer.",
);
pub(super) const TRIES: Description<1> =
    about("chatrix_upstream_tries_total", One, ["outcome"], "Attempts to send a call to Bedrock.");
pub(super) const RETRIES: Description<0> =
    about("chatrix_upstream_retries_total", One, [], "Attempts to send a call to Bedrock that repeated another.");
pub(super) const RESERVATION_ENDS: Description<1> =
    about("chatrix_reservations_ended_total", One, ["end"], "Reservations that have ended.");
pub(super) const BOOKED: Description<1> =
    about("chatrix_booked_dollars_total", Dollars, ["end"], "What reservations left booked when they ended.");
pub(super) const CREDENTIAL_RENEWALS: Description<1> =
    about("chatrix_credential_renewals_total", One, ["outcome"], "Loads of AWS credentials after the first.");
pub(super) const LEDGER_TIMES: Description<0> =
    about("chatrix_ledger_transaction_seconds", Seconds, [], "Time of ledger transactions.");
pub(super) const LEDGER_BATCHES: Description<0> =
    about("chatrix_ledger_batch_size", One, [], "Reservations and settlements in one ledger transaction.");
pub(super) const LEDGER_FAILURES: Description<0> =
    about("chatrix_ledger_failures_total", One, [], "Ledger transactions that failed.");

/// Durations (microseconds), as OpenTelemetry's conventions advise, and further up to the longest answers.
pub(super) const DURATION_BOUNDS: &[u64] = &[
    10_000,
    20_000,
    40_000,
    80_000,
    160_000,
    320_000,
    640_000,
    1_280_000,
    2_560_000,
    5_120_000,
    10_240_000,
    20_480_000,
    40_960_000,
    81_920_000,
    163_840_000,
    327_680_000,
    655_360_000,
];
/// Times to the first token (microseconds), as OpenTelemetry's conventions advise.
pub(super) const FIRST_TOKEN_BOUNDS: &[u64] = &[
    1_000, 5_000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
    5_000_000, 7_500_000, 10_000_000, 30_000_000,
];
/// Tokens, as OpenTelemetry's conventions advise, up to the longest context.
pub(super) const TOKEN_BOUNDS: &[u64] = &[1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];
/// Ledger transactions (microseconds).
pub(super) const TRANSACTION_BOUNDS: &[u64] =
    &[250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];
/// Reservations and settlements in one ledger transaction.
pub(super) const BATCH_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];
