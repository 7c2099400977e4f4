//! Why something could not be done with the database.

use std::borrow::Cow;
use std::time::Duration;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no connection, or it broke. What was under way is done or not; nobody has said so.
    Connection(String),
    /// The database has not answered for so long. What was under way is done or not.
    Late(Duration),
    /// Others stood in the way, and nothing is done. It can be tried again.
    Conflict(String),
    /// The database refuses it, and nothing is done.
    Refused(String),
    /// The last transaction of this process is not in the database any more.
    Discontinuous,
}

impl Failure {
    /// No connection could be made.
    pub(super) fn connecting(error: Error) -> Self {
        match Self::from(error) {
            // Nothing was under way, but a database that starts or stops says so this way.
            Self::Refused(cause) | Self::Conflict(cause) => Self::Connection(cause),
            other => other,
        }
    }

    pub(super) fn ended() -> Self {
        Self::Connection("the ledger is closed".to_owned())
    }

    pub(super) fn is_about_the_connection(&self) -> bool {
        matches!(self, Self::Connection(_) | Self::Late(_))
    }

    /// What happened, as the end of a sentence.
    pub(super) fn cause(&self) -> Cow<'_, str> {
        match self {
            Self::Connection(cause) | Self::Conflict(cause) | Self::Refused(cause) => Cow::Borrowed(cause),
            Self::Late(limit) => format!("it has not answered for {} s", limit.as_secs()).into(),
            Self::Discontinuous => "it is not the one that this process has booked its calls in".into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Some(cause) = error.as_db_error() else {
            return Self::Connection(sentence(&error));
        };
        let said =
            cause.hint().map_or_else(|| cause.message().to_owned(), |hint| format!("{}; {hint}", cause.message()));
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        let code = cause.code();
        if [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED].contains(&code) {
            return Self::Conflict(said);
        }
        // 08: connections; 57P01 to 57P03: the server stops or starts; 57P05 and 25P03: this process was too slow; 25006:
        // a standby, which cannot be written.
        let breaks = code.code().starts_with("08")
            || ["57P01", "57P02", "57P03", "57P05", "25P03", "25006"].contains(&code.code());
        if breaks { Self::Connection(said) } else { Self::Refused(said) }
    }
}

/// What the client library says, with its causes.
fn sentence(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = error.source();
    }
    said
}
