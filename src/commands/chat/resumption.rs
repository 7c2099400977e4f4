//! Goes on with a saved session, at the start of a chat or in the middle of one.

use super::recorder::Recorder;
use super::running_chat::{RunningChat, refused, remarks, session_cost};
use crate::conversation::Event;
use crate::error::{Error, Kind, Result};
use crate::sessions::{Opened, Session, SessionFile, SessionId, Sessions};
use crate::terminal::answer_view::AnswerView;
use crate::terminal::output::{note, stdout};
use crate::terminal::printable::Printable;
use std::io::{self, IsTerminal};
use tokio::task::block_in_place;

/// A session that can go on.
pub(super) struct Resumed {
    pub(super) session: Session,
    pub(super) recorder: Recorder,
    /// What should be said about its file.
    note: Option<String>,
}

/// Opens a session. One that the offline model has answered goes on offline only, and the others do not: nothing of the
/// one is to be billed, and nothing of the other to be counted as if it had been.
///
/// # Errors
/// `InvalidRequest` for a session that cannot go on here; otherwise `Io`.
pub(super) fn open(sessions: &Sessions, id: SessionId, offline: bool) -> Result<Resumed> {
    let (file, opened): (SessionFile, Opened) = sessions.open(id)?;
    let Opened { session, damaged, .. } = opened;
    if session.offline != offline {
        let (how, what) = if session.offline {
            ("was answered by the offline model", format!("`chatrix chat --offline -r {id}` goes on with it"))
        } else {
            ("was answered by AWS", format!("`chatrix chat -r {id}`, without --offline, goes on with it"))
        };
        return Err(Error::new(Kind::InvalidRequest, format!("session {id} {how}")).advise(what));
    }
    let note = match damaged {
        0 => None,
        1 => Some(format!("1 line of session {id} is damaged and was left out")),
        more => Some(format!("{more} lines of session {id} are damaged and were left out")),
    };
    let recorder = Recorder::InFile { sessions: sessions.clone(), id, file };
    Ok(Resumed { session, recorder, note })
}

/// Leaves the present session, which is saved, for another one.
pub(super) fn switch(chat: &mut RunningChat, prefix: &str) -> anyhow::Result<Printable> {
    let Some(sessions) = chat.recorder.sessions().cloned() else {
        return Err(refused("this chat saves nothing, so it cannot go on with a session that would be"));
    };
    let resumed = block_in_place(|| {
        let id = sessions.find(prefix)?;
        if chat.recorder.id() == Some(id) {
            return Err(Error::new(Kind::InvalidRequest, format!("session {id} is the present one")));
        }
        open(&sessions, id, chat.session.offline)
    })?;
    chat.recorder = resumed.recorder;
    chat.take_up(resumed.session);
    if let Some(text) = resumed.note {
        note(Printable::line(text));
    }
    welcome(chat)
}

/// Says in a new chat what it goes on with.
///
/// # Errors
/// When stdout cannot be written.
pub(super) fn begin(chat: &RunningChat, note_about_file: Option<String>) -> anyhow::Result<()> {
    if let Some(text) = note_about_file {
        note(Printable::line(text));
    }
    let line = welcome(chat)?;
    chat.say(line);
    Ok(())
}

impl Resumed {
    /// A session that begins.
    pub(super) fn new(session: Session, recorder: Recorder) -> Self {
        Self { session, recorder, note: None }
    }

    pub(super) fn take_note(&mut self) -> Option<String> {
        self.note.take()
    }
}

/// Shows the last exchange to a person, and gives the line about the session.
fn welcome(chat: &RunningChat) -> anyhow::Result<Printable> {
    if io::stdin().is_terminal() && stdout().is_terminal() {
        show_last(chat)?;
    }
    let count = match chat.session.exchanges().len() {
        1 => "1 exchange".to_owned(),
        more => format!("{more} exchanges"),
    };
    let id = chat.recorder.id().map(|id| id.to_string()).unwrap_or_default();
    let mut text =
        format!("session {id}: {count}, {} so far; {} answers", session_cost(chat.session.spent()), chat.session.model);
    match chat.model() {
        Ok(model) => {
            for remark in remarks(&model, chat.engine.policy().follow_successor) {
                text.push_str(&format!("; {remark}"));
            }
        }
        Err(error) => text.push_str(&format!("; {error}; /model NAME chooses another one")),
    }
    if chat.session.unanswered().is_some() {
        text.push_str("; the last question has no answer, and /retry asks it again; `chatrix usage --uncertain` shows what it may have cost");
    }
    Ok(Printable::line(text))
}

fn show_last(chat: &RunningChat) -> anyhow::Result<()> {
    let question = |text: &str| {
        let lines = text.lines().map(|line| Printable::join(["> ".into(), Printable::lines(line)], ""));
        note(Printable::join(lines, "\n").dim(chat.style.colour));
    };
    if let Some(last) = chat.session.last() {
        question(&last.question.text);
        let mut view = AnswerView::new(chat.answer_style());
        view.show(&Event::Text(last.answer.text.clone()))?;
        view.finish()?;
    }
    if let Some(unanswered) = chat.session.unanswered() {
        question(&unanswered.text);
    }
    Ok(())
}
