//! Writes lines to stderr on a thread of its own. Whoever hands over a line never waits: when nobody reads stderr, the
//! queue fills, and further lines are dropped and counted.

use super::log::{self, LogFormat};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The most lines that wait to be written.
const QUEUE: usize = 1024;
/// The most bytes that are written at once.
const BATCH: usize = 64 << 10;
/// How long lines are gathered after some were written, so that a busy server does not wake the thread for each.
const GATHER: Duration = Duration::from_millis(10);
/// How long [`LineWriter::flush`] pauses before it asks a full queue again.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug)]
enum Message {
    Line(String),
    /// Everything before this has been written once the sender is dropped.
    Flush(Sender<()>),
}

/// The queue to the thread. The thread ends when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct LineWriter {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
}

/// What the thread and the clones of its queue share.
#[derive(Debug)]
struct Shared {
    dropped: AtomicU64,
    format: RwLock<LogFormat>,
}

impl LineWriter {
    /// Starts the thread. Without one every line is dropped.
    pub(super) fn start(format: LogFormat) -> Self {
        Self::on(std::io::stderr(), format)
    }

    fn on(stream: impl Write + Send + 'static, format: LogFormat) -> Self {
        let (queue, messages) = sync_channel(QUEUE);
        let shared = Arc::new(Shared { dropped: AtomicU64::new(0), format: RwLock::new(format) });
        let of_thread = Arc::clone(&shared);
        // If the thread cannot start, the queue is closed, and `write` counts what is lost.
        let _ = std::thread::Builder::new().name("log".into()).spawn(move || run(&messages, stream, &of_thread));
        Self { queue, shared }
    }

    pub(super) fn format(&self) -> LogFormat {
        self.shared.format()
    }

    pub(super) fn set_format(&self, format: LogFormat) {
        *self.shared.format.write().unwrap_or_else(PoisonError::into_inner) = format;
    }

    /// Hands over a line, without its line end.
    pub(super) fn write(&self, line: String) {
        if self.queue.try_send(Message::Line(line)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until every line so far is written, or until the time is up.
    pub(super) fn flush(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let (done, written) = channel();
        let mut message = Message::Flush(done);
        loop {
            match self.queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Full(unsent)) if Instant::now() < deadline => message = unsent,
                Err(_) => return,
            }
            std::thread::sleep(PAUSE);
        }
        let _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Shared {
    fn format(&self) -> LogFormat {
        *self.format.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(messages: &Receiver<Message>, mut stream: impl Write, shared: &Shared) {
    let mut reported = 0;
    while let Ok(first) = messages.recv() {
        let mut text = String::new();
        let mut flushes = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Line(line) => text.extend([line.as_str(), "\n"]),
                Message::Flush(done) => flushes.push(done),
            }
            next = if text.len() < BATCH { messages.try_recv().ok() } else { None };
        }
        // The server goes on when stderr is closed.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        let lost = shared.dropped.load(Ordering::Relaxed);
        if lost > reported {
            let _ = writeln!(stream, "{}", log::dropped_line(shared.format(), lost - reported));
            reported = lost;
        }
        std::thread::sleep(GATHER);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use std::sync::{Mutex, mpsc};

    /// A stream whose reader takes nothing until it is told to.
    struct Gate {
        open: mpsc::Receiver<()>,
        is_open: bool,
        text: Arc<Mutex<String>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if !self.is_open {
                self.is_open = self.open.recv().is_ok();
            }
            self.text.lock().unwrap().push_str(std::str::from_utf8(bytes).unwrap());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stream_that_nobody_reads_blocks_nobody_and_what_is_lost_is_counted() {
        let (open, gate) = mpsc::channel();
        let text = Arc::new(Mutex::new(String::new()));
        let writer = LineWriter::on(Gate { open: gate, is_open: false, text: Arc::clone(&text) }, LogFormat::Text);
        // So long that the thread cannot take more than a few before it writes, however fast it is.
        let line = |number: usize| format!("line {number:0width$}", width = BATCH / 64);
        for number in 0..QUEUE * 3 {
            writer.write(line(number));
        }
        assert!(writer.dropped() >= QUEUE as u64, "{}", writer.dropped());
        writer.flush(Duration::from_millis(20));
        open.send(()).unwrap();
        writer.flush(Duration::from_secs(30));
        let text = text.lock().unwrap();
        // The count stands behind the lines of one turn of the thread, be they one or all that waited.
        let lost = format!("{} lines of this log were dropped", writer.dropped());
        assert!(text.contains(&lost), "{lost}: {text}");
        let kept = text.lines().filter(|line| line.starts_with("line "));
        assert!(kept.take(QUEUE).eq((0..QUEUE).map(line)), "{text}");
    }
}
