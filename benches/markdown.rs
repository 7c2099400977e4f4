//! Measures how fast answers are rendered; run it with `cargo bench --bench markdown`. It prints megabytes a second for
//! prose and for code, in pieces of the size that models send. Nothing is asserted, because machines differ.
#![expect(clippy::print_stdout, reason = "the benchmark prints its figures")]

use chatrix::terminal::markdown::render;
use std::time::Instant;

const ANSWER: &str = include_str!("../src/terminal/markdown/tests/answer.md");

/// Characters of a piece, about a token.
const PIECE: usize = 4;

fn pieces(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(PIECE).collect();
    starts.iter().zip(starts.iter().skip(1).chain([&text.len()])).map(|(start, end)| &text[*start..*end]).collect()
}

fn measure(what: &str, text: &str, styles: bool) {
    let pieces = pieces(text);
    let began = Instant::now();
    let shown = render(pieces.iter().copied(), 80, styles);
    let took = began.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let speed = text.len() as f64 / 1e6 / took.as_secs_f64();
    println!("{what}: {speed:.1} MB/s ({} bytes in {took:.1?}, {} written)", text.len(), shown.len());
}

fn main() {
    let code = "```rust\n".to_owned() + &"    let text = read(\"a\")?; // why\n".repeat(3000) + "```\n";
    let first = Instant::now();
    std::hint::black_box(render(["```rust\nfn main() {}\n"], 80, true));
    println!("the first line of Rust: {:.1?}", first.elapsed());
    measure("a whole answer", &ANSWER.repeat(200), true);
    measure("a whole answer, no styles", &ANSWER.repeat(200), false);
    measure("code", &code, true);
    measure("prose", &"Some **bold** words, and `code`, and plain text.\n".repeat(20_000), true);
}
