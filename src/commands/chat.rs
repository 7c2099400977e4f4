//! `chatrix chat`: a conversation in a terminal. Ctrl-C stops an answer and keeps what came of it;
//! the conversation is never lost to an error.

mod session;
mod slash;

use crate::cli::Chat;
use crate::commands::setup::{OFFLINE_NOTICE, check_credentials, offline_pace, open};
use crate::config::Settings;
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{ReasoningOutput, Style};
use crate::terminal::editor::{Candidate, Complete, Editor, Line};
use crate::terminal::output::{note, stderr, stdout};
use crate::terminal::printable::Printable;
use anyhow::Context;
use session::Session;
use slash::Slash;
use std::io::{self, IsTerminal};
use std::rc::Rc;

/// Reads lines until `/exit`, Ctrl-D or the end of the input.
pub(crate) async fn run(args: Chat, settings: Settings) -> anyhow::Result<u8> {
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
        check_credentials(&account, |_| {}).await?;
    }
    if io::stdin().is_terminal() {
        say(Printable::line(format_args!("{} · /help lists the commands · Ctrl-D exits", settings.model.value)));
    }
    let mut editor = Editor::new(settings.history.clone().filter(|_| io::stdin().is_terminal()), Rc::new(Nothing))
        .context("cannot set up the terminal")?;
    let mut session = Session::new(args, settings.model.value, style, engine);
    loop {
        // Blocking only this thread lets the runtime keep its connections alive meanwhile.
        match tokio::task::block_in_place(|| editor.read("> ", "")).context("cannot read from the terminal")? {
            Line::End => return Ok(exit(&session)),
            Line::NotText => session.refuse("error: the line is not UTF-8 text and was not sent".into()),
            Line::OpenBlock => session.refuse("error: the block was not sent, because no \"\"\" ends it".into()),
            Line::Interrupted => say("press Ctrl-D or type /exit to leave".into()),
            Line::Text(text) | Line::Block(text) if text.trim().is_empty() => {}
            Line::Block(text) => {
                editor.remember_block(&text);
                let somebody_reads = Box::pin(session.turn(text)).await?;
                if !somebody_reads {
                    return Ok(exit(&session));
                }
            }
            Line::Text(line) => {
                editor.remember(&line);
                match Slash::parse(&line) {
                    Some(Slash::Exit) => return Ok(exit(&session)),
                    Some(command) => session.obey(command).await,
                    None => {
                        let somebody_reads = Box::pin(session.turn(line)).await?;
                        if !somebody_reads {
                            return Ok(exit(&session));
                        }
                    }
                }
            }
        }
    }
}

/// Tab has nothing to offer.
struct Nothing;

impl Complete for Nothing {
    fn candidates(&self, _: &str, position: usize) -> (usize, Vec<Candidate>) {
        (position, Vec::new())
    }
}

/// A person has seen what failed. A script reads the exit code.
fn exit(session: &Session) -> u8 {
    if io::stdin().is_terminal() { 0 } else { session.exit() }
}
