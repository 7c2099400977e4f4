//! Ends of calls that a database could not be told, in a file of this machine: they survive the process, and the next one
//! books them. Each process writes a file of its own, which it holds locked, and takes over those that nobody holds.

use super::call::{NewCall, Outcome, Receipt, SettledCall, Settlement};
use super::ids::{CallId, GroupId, KeyId};
use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const PREFIX: &str = "unbooked-";
const EXTENSION: &str = ".jsonl";

/// The files of one folder.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// `None` keeps nothing.
    folder: Option<PathBuf>,
    /// How the names of files begin whose ends are for the same database.
    prefix: String,
    own: Option<SpoolFile>,
    /// How many of the ends that are not booked yet are in the own file.
    kept: usize,
    /// Files of ended processes, until what is in them is booked.
    taken_over: Vec<SpoolFile>,
}

#[derive(Debug)]
struct SpoolFile {
    file: File,
    path: PathBuf,
}

impl Drop for SpoolFile {
    /// An empty file is of no use to anyone.
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Spool {
    /// `ledger`: which database the ends are for, without its password.
    pub(super) fn in_folder(folder: Option<PathBuf>, ledger: &str) -> Self {
        let digest: [u8; 32] = Sha256::digest(ledger).into();
        let ledger: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self { folder, prefix: format!("{PREFIX}{ledger}-"), ..Self::default() }
    }

    /// Takes over the files of ended processes, and gives the ends that are in them.
    pub(super) fn take_over(&mut self) -> Vec<Settlement> {
        let mut ends = Vec::new();
        for entry in self.folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with(&self.prefix) || !name.ends_with(EXTENSION) {
                continue;
            }
            let path = entry.path();
            // One that is locked belongs to a process that runs.
            let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            if file.try_lock().is_err() {
                continue;
            }
            ends.extend(BufReader::new(&file).lines().map_while(Result::ok).filter_map(|line| read(&line)));
            self.taken_over.push(SpoolFile { file, path });
        }
        ends
    }

    /// Writes down what is not booked yet and not written down either. `unbooked`: everything that is not booked, in an
    /// order that stays.
    ///
    /// # Errors
    /// When the file cannot be written; what is in it already stays.
    pub(super) fn keep(&mut self, unbooked: &[Settlement], taken_over: usize) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // What was taken over is in its own files still.
        let new = unbooked.get(taken_over.max(self.kept)..).unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        let own = match self.own.take() {
            Some(own) => own,
            None => create(folder, &self.prefix)?,
        };
        let own = self.own.insert(own);
        let mut lines = String::new();
        for settlement in new {
            if let Some(line) = written(settlement) {
                lines.push_str(&serde_json::to_string(&line)?);
                lines.push('\n');
            }
        }
        let length = own.file.metadata()?.len();
        if let Err(error) = own.file.write_all(lines.as_bytes()).and_then(|()| own.file.sync_data()) {
            // The same lines are written again, behind whole ones.
            own.file.set_len(length)?;
            return Err(error);
        }
        self.kept = unbooked.len();
        Ok(())
    }

    /// Forgets the first ends of those that are not booked yet, because they are now; `all`: nothing else waits.
    pub(super) fn forget(&mut self, count: usize, all: bool) {
        self.kept = self.kept.saturating_sub(count);
        if !all || count == 0 {
            return;
        }
        for SpoolFile { file, .. } in self.own.iter().chain(&self.taken_over) {
            // What stays is booked again at the next start, which changes nothing: a call ends once.
            let _ = file.set_len(0);
        }
        self.taken_over.clear();
    }
}

/// A new file, which only this user can read. It has its name once it is locked, so that no other process takes it over
/// in between.
fn create(folder: &Path, prefix: &str) -> io::Result<SpoolFile> {
    let path = folder.join(format!("{prefix}{:016x}{EXTENSION}", fastrand::u64(..)));
    let unlocked = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&unlocked)?;
    file.lock()?;
    std::fs::rename(&unlocked, &path)?;
    Ok(SpoolFile { file, path })
}

/// The end of a call as a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// The number of a call that is booked, and what it is booked under.
    #[serde(skip_serializing_if = "Option::is_none")]
    booked: Option<(i64, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unwritten: Option<UnwrittenLine>,
    outcome: OutcomeLine,
    model: String,
    bedrock_request_id: Option<String>,
    milliseconds: u64,
    edits: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct UnwrittenLine {
    command: String,
    key: Option<i64>,
    group: Option<i64>,
    asked: String,
    model: String,
    request_id: Option<String>,
    reserved: u64,
    /// In hexadecimal.
    receipt: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeLine {
    /// Tokens (input, output, cache read, cache written for 5 minutes and for an hour) and nano-dollars.
    Settled([u64; 5], Option<u64>),
    Estimated(u64),
    Uncertain,
    Released,
}

/// `None` for a call of which it is not known what it is booked under: no other process could find it.
fn written(settlement: &Settlement) -> Option<Line> {
    let Settlement { call, outcome, model, bedrock_request_id, milliseconds, edits } = settlement;
    let (booked, unwritten) = match call {
        SettledCall::Booked(_) => return None,
        SettledCall::BookedBy { process, id } => (Some((id.0, process.clone())), None),
        SettledCall::Unwritten { call, reserved, receipt } => {
            let NewCall { command, key, group, requested_model, model, request_id, rate: _ } = call;
            let line = UnwrittenLine {
                command: (*command).to_owned(),
                key: key.map(|key| key.0),
                group: group.map(|group| group.0),
                asked: requested_model.clone(),
                model: model.clone(),
                request_id: request_id.clone(),
                reserved: reserved.0,
                receipt: format!("{:x}", receipt.0),
            };
            (None, Some(line))
        }
    };
    let outcome = match *outcome {
        Outcome::Settled(Usage { input, output, cache_read, cache_write_5m, cache_write_1h }, cost) => {
            let tokens = [input, output, cache_read, cache_write_5m, cache_write_1h];
            OutcomeLine::Settled(tokens, cost.map(|cost| cost.0))
        }
        Outcome::Estimated(cost) => OutcomeLine::Estimated(cost.0),
        Outcome::Uncertain => OutcomeLine::Uncertain,
        Outcome::Released => OutcomeLine::Released,
    };
    Some(Line {
        booked,
        unwritten,
        outcome,
        model: model.clone(),
        bedrock_request_id: bedrock_request_id.clone(),
        milliseconds: *milliseconds,
        edits: edits.clone(),
    })
}

/// What a line says; `None` for one that a kill has cut.
fn read(line: &str) -> Option<Settlement> {
    let Line { booked, unwritten, outcome, model, bedrock_request_id, milliseconds, edits } =
        serde_json::from_str(line).ok()?;
    let call = match (booked, unwritten) {
        (Some((id, process)), _) => SettledCall::BookedBy { process, id: CallId(id) },
        (None, Some(UnwrittenLine { command, key, group, asked, model, request_id, reserved, receipt })) => {
            SettledCall::Unwritten {
                call: NewCall {
                    command: NewCall::COMMANDS.into_iter().find(|known| *known == command)?,
                    key: key.map(KeyId),
                    group: group.map(GroupId),
                    requested_model: asked,
                    model,
                    request_id,
                    rate: None,
                },
                reserved: NanoDollars(reserved),
                receipt: Receipt(u128::from_str_radix(&receipt, 16).ok()?),
            }
        }
        (None, None) => return None,
    };
    let outcome = match outcome {
        OutcomeLine::Settled([input, output, cache_read, short_writes, long_writes], cost) => {
            let usage = Usage { input, output, cache_read, cache_write_5m: short_writes, cache_write_1h: long_writes };
            Outcome::Settled(usage, cost.map(NanoDollars))
        }
        OutcomeLine::Estimated(cost) => Outcome::Estimated(NanoDollars(cost)),
        OutcomeLine::Uncertain => Outcome::Uncertain,
        OutcomeLine::Released => Outcome::Released,
    };
    Some(Settlement { call, outcome, model, bedrock_request_id, milliseconds, edits })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn settlement(call: SettledCall, outcome: Outcome) -> Settlement {
        let (model, edits) = ("us.m".to_owned(), "max_tokens 9→8".to_owned());
        Settlement { call, outcome, model, bedrock_request_id: Some("aws-1".into()), milliseconds: 5, edits }
    }

    fn ends() -> Vec<Settlement> {
        let call = NewCall {
            command: "serve",
            key: Some(KeyId(4)),
            group: Some(GroupId(2)),
            requested_model: "m".into(),
            model: "us.m".into(),
            request_id: Some("req_1".into()),
            rate: None,
        };
        let usage = Usage { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 };
        let (reserved, receipt) = (NanoDollars(9), Receipt(u128::MAX));
        vec![
            settlement(
                SettledCall::BookedBy { process: "p".into(), id: CallId(7) },
                Outcome::Settled(usage, Some(NanoDollars(6))),
            ),
            settlement(SettledCall::Unwritten { call, reserved, receipt }, Outcome::Estimated(NanoDollars(8))),
            settlement(SettledCall::BookedBy { process: "p".into(), id: CallId(8) }, Outcome::Uncertain),
            settlement(SettledCall::BookedBy { process: "p".into(), id: CallId(9) }, Outcome::Released),
        ]
    }

    #[test]
    fn the_next_process_gets_what_was_not_booked_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool_of = |ledger: &str| Spool::in_folder(Some(folder.path().to_owned()), ledger);
        let spool = || spool_of("postgres://u@db.example:5432/d");
        let mut first = spool();
        first.keep(&ends()[..2], 0).unwrap();
        first.keep(&ends(), 0).unwrap();
        assert!(spool().take_over().is_empty(), "its process runs");
        drop(first);
        assert!(spool_of("postgres://u@db.example:5432/other").take_over().is_empty(), "they are for another database");
        let mut next = spool();
        let taken = next.take_over();
        assert_eq!(taken, ends());
        next.keep(&taken, taken.len()).unwrap();
        drop(next);
        let mut last = spool();
        assert_eq!(last.take_over(), ends(), "it was not booked");
        last.forget(3, false);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "one end is not booked");
        last.forget(1, true);
        drop(last);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_line_that_was_cut_is_left_out() {
        let line = serde_json::to_string(&written(&ends()[0]).unwrap()).unwrap();
        assert!(read(&line).is_some());
        assert_eq!(read(&line[..line.len() - 1]), None);
        assert_eq!(read(""), None);
    }
}
