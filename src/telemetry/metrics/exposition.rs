//! Writes metrics in Prometheus's text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::fmt::{Display, Write};

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetricType {
    Counter,
    Gauge,
    Histogram,
}

/// The text of one scrape.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// Begins a metric. Every metric is announced, also one without a sample yet.
    pub(super) fn announce(&mut self, name: &str, kind: MetricType, help: &str) {
        let kind = match kind {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a sample of the metric that was announced last.
    pub(super) fn sample<'a>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        value: impl Display,
    ) {
        self.0.push_str(name);
        let mut begun = false;
        // A label without a value is the same as none.
        for (label, value) in labels.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.0.push(if begun { ',' } else { '{' });
            begun = true;
            self.0.extend([label, "=\""]);
            escape(value, &mut self.0);
            self.0.push('"');
        }
        if begun {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The value of a label, escaped as the format has it.
fn escape(value: &str, text: &mut String) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => text.push('?'),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_empty_ones_left_out() {
        let mut text = Exposition::default();
        text.announce("x_total", MetricType::Counter, "Things.");
        text.sample("x_total", [("key", "a\"b\\c\nd\u{1b}"), ("model", "")], 7);
        text.sample("x_total", [], "0.5");
        let expected =
            "# HELP x_total Things.\n# TYPE x_total counter\nx_total{key=\"a\\\"b\\\\c\\nd?\"} 7\nx_total 0.5\n";
        assert_eq!(text.into_text(), expected);
    }
}
