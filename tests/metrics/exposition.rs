//! Reads Prometheus's text format 0.0.4 as strictly as `promtool check metrics` does
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::collections::{BTreeMap, BTreeSet};

/// Labels, sorted by name.
pub type Labels = BTreeMap<String, String>;

/// One metric with its samples.
#[derive(Debug, Default)]
pub struct Metric {
    pub kind: String,
    /// Name with suffix, labels, value.
    pub samples: Vec<(String, Labels, f64)>,
}

/// The metrics of a scrape, by name. Panics where the text is not valid.
pub fn parse(text: &str) -> BTreeMap<String, Metric> {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && is_name(name), "{line}");
            assert!(metrics.insert(name.to_owned(), Metric::default()).is_none(), "announced twice: {line}");
            name.clone_into(&mut current);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, current, "HELP and TYPE do not go together");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            kind.clone_into(&mut metrics.get_mut(name).unwrap().kind);
        } else {
            let (name, labels, value) = sample(line);
            let metric = metrics.get_mut(&current).unwrap_or_else(|| panic!("not announced: {line}"));
            let suffixes: &[&str] = if metric.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|suffix| name == format!("{current}{suffix}")), "{line} under {current}");
            assert!(seen.insert((name.clone(), labels.clone())), "twice: {line}");
            metric.samples.push((name, labels, value));
        }
    }
    for (name, metric) in metrics.iter().filter(|(_, metric)| metric.kind == "histogram") {
        check_histogram(name, metric);
    }
    metrics
}

/// What belongs to one histogram: its buckets (bound, count), its sum and its count.
type Series = (Vec<(f64, f64)>, Option<f64>, Option<f64>);

/// Buckets grow, and the last one holds as many as `_count` says.
fn check_histogram(name: &str, metric: &Metric) {
    let mut series: BTreeMap<Labels, Series> = BTreeMap::new();
    for (sample, labels, value) in &metric.samples {
        let mut labels = labels.clone();
        let bound = labels.remove("le");
        let entry = series.entry(labels).or_default();
        match (sample.strip_prefix(name).unwrap(), bound) {
            ("_bucket", Some(bound)) => entry.0.push((number(&bound), *value)),
            ("_sum", None) => entry.1 = Some(*value),
            ("_count", None) => entry.2 = Some(*value),
            other => panic!("{name}: {other:?}"),
        }
    }
    for (labels, (buckets, sum, count)) in series {
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} {labels:?}: {buckets:?}");
        let last = buckets.last().unwrap();
        assert_eq!((last.0, Some(last.1), sum.is_some()), (f64::INFINITY, count, true), "{name} {labels:?}");
    }
}

fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn number(text: &str) -> f64 {
    if text == "+Inf" { f64::INFINITY } else { text.parse().unwrap_or_else(|_| panic!("{text} is no number")) }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(label), "{line}");
            let (value, after) = quoted(after);
            assert!(labels.insert(label.to_owned(), value).is_none(), "a label stands twice: {line}");
            match after.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => {
                    rest = more;
                    break;
                }
                _ => panic!("{line}"),
            }
        }
    }
    (name.to_owned(), labels, number(rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"))))
}

/// The value of a label, and what stands behind its closing quote.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                c @ ('"' | '\\') => c,
                other => panic!("\\{other} is no escape: {text}"),
            }),
            c => value.push(c),
        }
    }
    panic!("no closing quote: {text}")
}

#[test]
#[should_panic(expected = "twice")]
fn duplicates_are_found() {
    parse("# HELP a A.\n# TYPE a gauge\na 1\na 2\n");
}

#[test]
#[should_panic(expected = "left == right")]
fn a_histogram_whose_buckets_and_count_differ_is_found() {
    parse("# HELP a A.\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n");
}
