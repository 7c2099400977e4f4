//! `chatrix chat`: a conversation in a terminal. Ctrl-C stops an answer and keeps what came of it;
//! the conversation is never lost to an error.

mod actions;
mod attachments;
mod command;
mod completion;
mod costs;
mod export;
mod help;
mod input;
mod last_answer;
mod recorder;
mod resumption;
mod running_chat;
mod session_list;
mod turns;
mod words;

use crate::cli::Chat;
use crate::commands::setup::{OFFLINE_NOTICE, check_credentials, offline_pace, open};
use crate::config::{Settings, Source};
use crate::error::{Error, Kind};
use crate::sessions::{Session, Sessions};
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{ReasoningOutput, Style};
use crate::terminal::editor::{Editor, Line};
use crate::terminal::output::{note, stderr, stdout};
use crate::terminal::printable::Printable;
use anyhow::Context;
use command::Action;
use completion::Completion;
use input::Input;
use recorder::Recorder;
use resumption::Resumed;
use running_chat::RunningChat;
use std::io::{self, IsTerminal};
use std::rc::Rc;
use std::sync::Arc;
use tokio::task::block_in_place;

/// Reads lines until `/exit`, Ctrl-D or the end of the input.
pub(crate) async fn run(args: Chat, settings: Settings) -> anyhow::Result<u8> {
    let sessions = settings.sessions.clone().map(Sessions::in_folder);
    if args.list {
        return session_list::list(&some(sessions)?, args.json);
    }
    if let Some(prefix) = &args.delete {
        return session_list::delete(&some(sessions)?, prefix);
    }
    let by_person = io::stdin().is_terminal();
    let mut resumed = begin(&args, &settings, sessions)?;
    let note_about_file = resumed.take_note();
    let is_resumed = resumed.recorder.id().is_some();
    let style = Style {
        reasoning: if stderr().is_terminal() { ReasoningOutput::Stderr } else { ReasoningOutput::Hidden },
        colour: stderr().colour(),
        raw: args.question.raw,
    };
    let say = |line: Printable| note(line.dim(style.colour));
    let pace = offline_pace(stdout().is_terminal())?;
    let (engine, account) = open(&settings, pace, false, &Telemetry::default()).await?;
    if settings.offline {
        say(OFFLINE_NOTICE.into());
    } else {
        if args.verbose {
            say(Printable::line(account.summary()));
        }
        // Nobody should type a question to learn that there are no credentials. A late failure is that of the question.
        check_credentials(&account).await?;
    }
    let completion =
        Completion { catalog: Arc::clone(&engine.policy().catalog), sessions: resumed.recorder.sessions().cloned() };
    let mut chat = RunningChat::new(&args, resumed.session, resumed.recorder, style, engine);
    if is_resumed {
        let model = settings.model;
        chat.change(Some(model.value).filter(|_| model.source == Source::CommandLine), args.question.system);
        resumption::begin(&chat, note_about_file)?;
    }
    if by_person {
        say(Printable::line(format_args!("{} · /help lists the commands · Ctrl-D exits", chat.session.model)));
    }
    let history = settings.history.clone().filter(|_| by_person && !args.ephemeral);
    let mut editor = Editor::new(history, Rc::new(completion)).context("cannot set up the terminal")?;
    while take_line(&mut editor, &mut chat).await? {}
    // A person has seen what failed. A script reads the exit code.
    Ok(if by_person { 0 } else { chat.exit() })
}

/// Takes one line and does what it says. `Ok(false)` ends the chat.
async fn take_line(editor: &mut Editor, chat: &mut RunningChat) -> anyhow::Result<bool> {
    let initial = chat.take_next_text();
    // Blocking only this thread lets the runtime keep its connections alive meanwhile.
    let line = block_in_place(|| editor.read("> ", &initial)).context("cannot read from the terminal")?;
    match line {
        Line::End => return Ok(false),
        Line::Interrupted => note(Printable::from("press Ctrl-D or type /exit to leave").dim(stderr().colour())),
        Line::NotText => chat.refuse(&unsendable("the line is not UTF-8 text and was not sent")),
        Line::OpenBlock => chat.refuse(&unsendable("the block was not sent, because no \"\"\" ends it")),
        Line::Block(text) if text.trim().is_empty() => {}
        Line::Block(text) => {
            editor.remember_block(&text);
            return Box::pin(chat.ask(text)).await;
        }
        Line::Text(text) => {
            let input = Input::read(&text);
            if input != Input::Nothing {
                editor.remember(&text);
            }
            match input {
                Input::Nothing => {}
                Input::Command(Action::Exit) => return Ok(false),
                Input::Command(action) => return Box::pin(chat.obey(action)).await,
                Input::Question(question) => return Box::pin(chat.ask(question)).await,
                Input::Refused(why) => chat.refuse_line(text, &why, editor.edits()),
            }
        }
    }
    Ok(true)
}

fn unsendable(what: &str) -> anyhow::Error {
    Error::new(Kind::InvalidRequest, what).into()
}

fn some(sessions: Option<Sessions>) -> anyhow::Result<Sessions> {
    sessions.ok_or_else(|| {
        Error::new(Kind::InvalidRequest, "no sessions are saved")
            .advise("set XDG_STATE_HOME or HOME, and `sessions = true` in the config file")
            .into()
    })
}

/// The session that the chat begins with: a saved one, or a new one.
fn begin(args: &Chat, settings: &Settings, sessions: Option<Sessions>) -> anyhow::Result<Resumed> {
    if args.resume.is_some() || args.continue_last {
        let sessions = some(sessions)?;
        let id = match &args.resume {
            Some(prefix) => sessions.find(prefix)?,
            None => sessions.last(settings.offline)?,
        };
        return Ok(resumption::open(&sessions, id, settings.offline)?);
    }
    let recorder = match sessions {
        _ if args.ephemeral => Recorder::Never("--ephemeral saves nothing"),
        None => Recorder::Never("no sessions are kept"),
        Some(sessions) => Recorder::of(sessions, io::stdin().is_terminal()),
    };
    let session = Session::new(settings.offline, settings.model.value.clone(), args.question.system.clone());
    Ok(Resumed::new(session, recorder))
}
