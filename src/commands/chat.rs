//! `chatrix chat`: a conversation in a terminal. Ctrl-C stops an answer and keeps what came of it;
//! the conversation is never lost to an error.

mod session;
mod slash;

use crate::cli::Chat;
use crate::commands::screen::note;
use crate::commands::setup::{OFFLINE_NOTICE, check_credentials, offline_pace, open};
use crate::config::Settings;
use crate::telemetry::Telemetry;
use crate::terminal::answer_view::{ReasoningOutput, Style};
use crate::terminal::editor::{Editor, Line};
use crate::terminal::style;
use anyhow::Context;
use session::Session;
use slash::Slash;
use std::io::{self, IsTerminal};

/// Reads lines until `/exit`, Ctrl-D or the end of the input.
pub(crate) async fn run(args: Chat, settings: Settings) -> anyhow::Result<u8> {
    let style = Style {
        stdout_is_terminal: io::stdout().is_terminal(),
        reasoning: ReasoningOutput::Stdout,
        colour: style::colour(&io::stdout()),
    };
    let say = |line: &str| note(&style::dim(line, style.colour));
    let pace = offline_pace(style.stdout_is_terminal)?;
    let (engine, account) = open(&settings, pace, false, &Telemetry::default()).await?;
    if settings.offline {
        say(OFFLINE_NOTICE);
    } else {
        if args.verbose {
            say(account.summary());
        }
        // Nobody should type a question to learn that there are no credentials. A late failure is that of the question.
        check_credentials(&account, |_| {}).await?;
    }
    if io::stdin().is_terminal() {
        say(&format!("{} · /help lists the commands · Ctrl-D exits", settings.model.value));
    }
    let mut editor = Editor::new(settings.history.clone()).context("cannot set up the terminal")?;
    let mut session = Session::new(args, settings.model.value, style, engine);
    loop {
        // Blocking only this thread lets the runtime keep its connections alive meanwhile.
        match tokio::task::block_in_place(|| editor.read("> ")).context("cannot read from the terminal")? {
            Line::End => return Ok(0),
            Line::NotText => note("the line is not UTF-8 text and was not sent"),
            Line::Interrupted => say("press Ctrl-D or type /exit to leave"),
            Line::Text(line) if line.trim().is_empty() => {}
            Line::Text(line) => {
                editor.remember(&line);
                match Slash::parse(&line) {
                    Some(Slash::Exit) => return Ok(0),
                    Some(command) => session.obey(command).await,
                    None => {
                        let somebody_reads = session.turn(line).await?;
                        if !somebody_reads {
                            return Ok(0);
                        }
                    }
                }
            }
        }
    }
}
