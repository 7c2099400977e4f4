//! Inside a top-level module, no file needs another that needs it in turn.

use super::names::Names;
use super::paths::Reference;
use super::rules::{Exception, Rules};
use super::sources::top_level;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For each file, the files that it names, and by which paths. A parent that only declares `mod child` does not name
/// it, and a path that leads through a re-export names the file that defines what it leads to.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<String>>>;

pub(super) fn complaints<'a>(names: &Names<'a>, references: &'a [Reference], rules: &Rules) -> Vec<String> {
    let full = graph(names, references);
    let graph = without(&full, rules.circle_exceptions, None);
    let mut complaints: Vec<_> = circles(&graph).iter().map(|circle| describe(circle, &graph)).collect();
    for (index, exception) in rules.circle_exceptions.iter().enumerate() {
        let graph = without(&full, rules.circle_exceptions, Some(index));
        let exists = graph.get(exception.from).is_some_and(|named| named.contains_key(exception.to));
        if !exists || way(&graph, exception.to, exception.from).is_none() {
            complaints.push(exception.unused());
        }
    }
    complaints
}

fn graph<'a>(names: &Names<'a>, references: &'a [Reference]) -> Graph<'a> {
    let mut graph = Graph::new();
    for reference in references {
        let from = reference.file.as_str();
        let Some(to) = names.file_of(&names.resolve(&reference.module, &reference.path)) else { continue };
        let target = names.modules.iter().find(|(_, scope)| scope.file == to).map(|(module, _)| top_level(module));
        if from != to && target == Some(top_level(&reference.module)) {
            graph.entry(from).or_default().entry(to).or_default().insert(reference.path.to_string());
        }
    }
    graph
}

/// The graph without what the exceptions excuse; the exception at index `kept` excuses nothing.
fn without<'a>(graph: &Graph<'a>, exceptions: &[Exception], kept: Option<usize>) -> Graph<'a> {
    let mut graph = graph.clone();
    for (index, exception) in exceptions.iter().enumerate() {
        if Some(index) != kept
            && let Some(named) = graph.get_mut(exception.from)
        {
            named.remove(exception.to);
        }
    }
    graph
}

/// For each file that is in a circle, the shortest one through it, beginning with the first file by name.
fn circles<'a>(graph: &Graph<'a>) -> BTreeSet<Vec<&'a str>> {
    let shortest = |file: &'a str| graph[file].keys().filter_map(|next| way(graph, next, file)).min_by_key(Vec::len);
    graph.keys().filter_map(|file| shortest(file)).map(in_order).collect()
}

fn in_order(mut circle: Vec<&str>) -> Vec<&str> {
    let first = circle.iter().enumerate().min_by_key(|(_, file)| **file).map_or(0, |(index, _)| index);
    circle.rotate_left(first);
    circle
}

/// The shortest way from one file to another, both included.
fn way<'a>(graph: &Graph<'a>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut queue = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::from([from]);
    while let Some(way) = queue.pop_front() {
        let last = way[way.len() - 1];
        if last == to {
            return Some(way);
        }
        for next in graph.get(last).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next) {
                queue.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

/// `a.rs → b.rs (by x, y) → a.rs (by z)`.
fn describe(circle: &[&str], graph: &Graph<'_>) -> String {
    let mut text = format!("circle: {}", circle[0]);
    for (index, from) in circle.iter().enumerate() {
        let to = circle[(index + 1) % circle.len()];
        let paths: Vec<_> = graph[from][to].iter().map(|path| format!("`{path}`")).collect();
        text.push_str(&format!(" → {to} (by {})", paths.join(", ")));
    }
    text
}
