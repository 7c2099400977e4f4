//! Counters and histograms by labels. Amounts are whole numbers in small units, and become Prometheus's base units only
//! when they are written.

use super::exposition::{Exposition, MetricType};
use crate::catalog::NanoDollars;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// The most combinations of labels that one metric keeps. Any further one is counted under `other` in every label, so
/// that the sum stays right and the memory bounded.
const MAX_SERIES: usize = 2000;
/// The most different names that one label takes.
const MAX_NAMES: usize = 100;
/// The name of everything beyond the bounds.
pub(super) const OTHER: &str = "other";

/// The unit of a metric's whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Things, tokens or bytes.
    One,
    /// Nano-dollars, which are written as dollars.
    Dollars,
    /// Microseconds, which are written as seconds.
    Seconds,
}

impl Unit {
    fn text(self, amount: u64) -> String {
        match self {
            Self::One => amount.to_string(),
            Self::Dollars => NanoDollars(amount).dollars(),
            Self::Seconds => Duration::from_micros(amount).as_secs_f64().to_string(),
        }
    }
}

/// What a metric is called and measures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description<const N: usize> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) unit: Unit,
    pub(super) labels: [&'static str; N],
}

/// The series of one metric, one for each combination of labels.
#[derive(Debug)]
struct Family<V, const N: usize>(RwLock<BTreeMap<[String; N], Arc<V>>>);

impl<V, const N: usize> Family<V, N> {
    fn new() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }

    fn get(&self, labels: [&str; N], new: impl FnOnce() -> V) -> Arc<V> {
        let key = labels.map(ToOwned::to_owned);
        if let Some(value) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(value);
        }
        let mut series = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = series.len() >= MAX_SERIES && !series.contains_key(&key);
        let key = if is_full { labels.map(|_| OTHER.to_owned()) } else { key };
        Arc::clone(series.entry(key).or_insert_with(|| Arc::new(new())))
    }

    fn each(&self, mut write: impl FnMut(&[String; N], &V)) {
        for (labels, value) in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            write(labels, value);
        }
    }
}

/// A counter for each combination of labels.
#[derive(Debug)]
pub(super) struct Counters<const N: usize> {
    description: Description<N>,
    family: Family<AtomicU64, N>,
}

impl<const N: usize> Counters<N> {
    pub(super) fn new(description: Description<N>) -> Self {
        let counters = Self { description, family: Family::new() };
        if N == 0 {
            counters.add([""; N], 0);
        }
        counters
    }

    pub(super) fn add(&self, labels: [&str; N], amount: u64) {
        self.family.get(labels, AtomicU64::default).fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        let Description { name, help, unit, labels: names } = self.description;
        text.announce(name, MetricType::Counter, help);
        self.family.each(|labels, counter| {
            text.sample(name, pairs(names, labels), unit.text(counter.load(Ordering::Relaxed)));
        });
    }
}

/// A histogram for each combination of labels.
#[derive(Debug)]
pub(super) struct Histograms<const N: usize> {
    description: Description<N>,
    /// The upper bounds of the buckets, in the metric's unit, without the last one, which takes all.
    bounds: &'static [u64],
    family: Family<Histogram, N>,
}

#[derive(Debug)]
struct Histogram {
    /// How often a value fell into each bucket. The last one has no bound.
    buckets: Vec<AtomicU64>,
    sum: AtomicU64,
}

impl<const N: usize> Histograms<N> {
    pub(super) fn new(description: Description<N>, bounds: &'static [u64]) -> Self {
        Self { description, bounds, family: Family::new() }
    }

    pub(super) fn observe(&self, labels: [&str; N], value: u64) {
        let histogram = self.family.get(labels, || Histogram {
            buckets: (0..=self.bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        });
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        histogram.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        histogram.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(super) fn write(&self, text: &mut Exposition) {
        let Description { name, help, unit, labels: names } = self.description;
        text.announce(name, MetricType::Histogram, help);
        let (buckets, sum, count) = (format!("{name}_bucket"), format!("{name}_sum"), format!("{name}_count"));
        self.family.each(|labels, histogram| {
            let mut all = 0;
            for (index, bucket) in histogram.buckets.iter().enumerate() {
                all += bucket.load(Ordering::Relaxed);
                let bound = self.bounds.get(index).map_or_else(|| "+Inf".to_owned(), |bound| unit.text(*bound));
                text.sample(&buckets, pairs(names, labels).chain([("le", bound.as_str())]), all);
            }
            text.sample(&sum, pairs(names, labels), unit.text(histogram.sum.load(Ordering::Relaxed)));
            text.sample(&count, pairs(names, labels), all);
        });
    }
}

fn pairs<'a, const N: usize>(
    names: [&'static str; N],
    labels: &'a [String; N],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    names.into_iter().zip(labels.iter().map(String::as_str))
}

/// The names that a label has taken. It takes a bounded number, because each name is kept for the life of the process.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashSet<String>>);

impl Names {
    /// The name, or `other` when too many others came before it.
    pub(super) fn bounded<'a>(&self, name: &'a str) -> &'a str {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if name.is_empty() || known.contains(name) {
            return name;
        }
        if known.len() >= MAX_NAMES {
            return OTHER;
        }
        known.insert(name.to_owned());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTER: Description<1> =
        Description { name: "things_total", help: "Things.", unit: Unit::One, labels: ["name"] };

    fn text(write: impl FnOnce(&mut Exposition)) -> String {
        let mut text = Exposition::default();
        write(&mut text);
        text.into_text()
    }

    #[test]
    fn labels_are_bounded_and_sums_stay_right() {
        let counters = Counters::new(COUNTER);
        for number in 0..MAX_SERIES + 500 {
            counters.add([&number.to_string()], 2);
        }
        let text = text(|text| counters.write(text));
        assert_eq!(text.lines().count(), 2 + MAX_SERIES + 1);
        assert!(text.contains("things_total{name=\"other\"} 1000\n"));
        let names = Names::default();
        let kept = (0..MAX_NAMES + 7).filter(|number| names.bounded(&number.to_string()) != OTHER).count();
        assert_eq!((kept, names.bounded("0"), names.bounded("")), (MAX_NAMES, "0", ""));
    }

    #[test]
    fn histograms_are_cumulative_and_in_base_units() {
        let description = Description { name: "x_seconds", help: "Times.", unit: Unit::Seconds, labels: [] };
        let histograms = Histograms::new(description, &[10_000, 1_000_000]);
        for value in [10_000, 10_001, 5_000_000] {
            histograms.observe([], value);
        }
        assert_eq!(
            text(|text| histograms.write(text)),
            "# HELP x_seconds Times.\n# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.01\"} 1\n\
             x_seconds_bucket{le=\"1\"} 2\nx_seconds_bucket{le=\"+Inf\"} 3\nx_seconds_sum 5.020001\nx_seconds_count 3\n"
        );
        let dollars = Description { name: "x_dollars_total", help: "Money.", unit: Unit::Dollars, labels: [] };
        let counters = Counters::new(dollars);
        counters.add([], 1_050);
        assert!(text(|text| counters.write(text)).ends_with("\nx_dollars_total 0.00000105\n"));
    }
}
