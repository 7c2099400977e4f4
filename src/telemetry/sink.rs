//! Where everything goes that is reported: the metrics, and the writer of the log.

use super::log::{self, Field, LogFormat};
use super::metrics::Metrics;
use super::writer::LineWriter;

#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) metrics: Metrics,
    /// `None` where nothing is logged: in every command but `serve`.
    pub(super) writer: Option<LineWriter>,
}

impl Sink {
    /// Logs a request with its fields, if requests are logged.
    pub(super) fn log(&self, fields: impl FnOnce() -> Vec<Field>) {
        let Some(writer) = &self.writer else { return };
        let format = writer.format();
        if format != LogFormat::Off {
            writer.write(log::line(format, &fields()));
        }
    }
}
