//! `chatrix run PROGRAM`: a coding agent with a server, an API key and a budget that end with it.

mod program;
mod run_key;

use crate::cli::{AgentModel, Run, RunAgent};
use crate::commands::client_setup::{claude_code_environment, codex_arguments};
use crate::commands::serve::Prepared;
use crate::commands::setup::{OFFLINE_NOTICE, check_credentials};
use crate::config::Settings;
use crate::server::{FLUSH_TIMEOUT, GRACE, Stop};
use crate::telemetry::Telemetry;
use crate::terminal::output::note;
use crate::terminal::printable::Printable;
use anyhow::Context;
use program::Program;
use run_key::RunKey;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;

/// The environment variable that holds the token for Codex.
const KEY_ENV: &str = "CHATRIX_KEY";

/// Runs the agent to its end, says what it has cost, and gives its exit code.
pub(crate) async fn run(args: Run, settings: Settings) -> anyhow::Result<u8> {
    let program = Program::of(args.agent);
    if let Some(model) = &args.model {
        settings.catalog().resolve_typed(model)?;
    }
    program.check_installed()?;
    let settings = for_one_client(settings);
    let key = RunKey::add(args.max_cost, &settings)?;
    let ended = Box::pin(run_agent(&args, program, &key, &settings)).await;
    // However it has ended, its key ends too.
    let cost = key.end(&settings);
    let code = ended?;
    note(Printable::line(cost?));
    Ok(code)
}

/// The settings of a server that only one program on this machine may use.
fn for_one_client(mut settings: Settings) -> Settings {
    settings.serve.host.value = Ipv4Addr::LOCALHOST.into();
    settings.serve.port.value = 0;
    settings.serve.require_key = true;
    settings.serve.metrics_addr = None;
    settings
}

async fn run_agent(args: &Run, program: Program, key: &RunKey, settings: &Settings) -> anyhow::Result<u8> {
    // The screen is the agent's, and so nothing is logged.
    let telemetry = Telemetry::default();
    let server = Prepared::new(settings, Vec::new(), &telemetry).await?;
    if settings.offline {
        note(OFFLINE_NOTICE);
    } else {
        // Nobody should work with an agent to learn that there are no credentials. A late failure is that of a call.
        check_credentials(&server.account).await?;
    }
    let address = server.addresses()?.into_iter().next().context("the server has no address")?;
    let catalog = CatalogFile::of(key, settings);
    let mut command = Command::new(program.name);
    set_up(&mut command, args, key, settings, &format!("http://{address}"), &catalog)?;
    command.args(&args.args);
    let (stop, stopped) = watch::channel(Stop::Running);
    let (started, _alerting) = server.start(settings, &telemetry, stopped)?;
    let mut serving = tokio::spawn(started.run());
    let ended = program.run(command).await;
    stop.send_replace(Stop::Draining);
    if timeout(GRACE, &mut serving).await.is_err() {
        stop.send_replace(Stop::CutOff);
        if timeout(FLUSH_TIMEOUT, &mut serving).await.is_err() {
            stop.send_replace(Stop::Ended);
            serving.await??;
        }
    }
    ended
}

/// Lets the agent use the server, whatever else its user has set up.
fn set_up(
    command: &mut Command,
    args: &Run,
    key: &RunKey,
    settings: &Settings,
    url: &str,
    catalog: &CatalogFile,
) -> anyhow::Result<()> {
    // A proxy does not reach the server.
    for name in ["NO_PROXY", "no_proxy"] {
        let others = std::env::var(name).ok().filter(|others| !others.is_empty());
        let hosts = others.map_or_else(String::new, |others| others + ",") + &Ipv4Addr::LOCALHOST.to_string();
        command.env(name, hosts);
    }
    let asked = AgentModel { key: Some(key.name.clone()), model: args.model.clone() };
    match args.agent {
        RunAgent::Claude => {
            // With others of these it would ask another provider, past the budget.
            let names = std::env::vars_os().map(|(name, _)| name);
            for name in names.filter(|name| {
                let name = name.to_string_lossy();
                name.starts_with("ANTHROPIC_") || name.starts_with("CLAUDE_CODE_USE_")
            }) {
                command.env_remove(name);
            }
            command.envs(claude_code_environment(&asked, settings, url, &key.token)?);
            // Its settings files choose no other provider then.
            command.env("CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST", "1");
        }
        RunAgent::Codex => {
            command.args(codex_arguments(&asked, settings, url, KEY_ENV, &catalog.0)?);
            command.env(KEY_ENV, &key.token);
        }
    }
    Ok(())
}

/// The file for Codex's model catalog, which is removed at the end. It is where only this user may look.
struct CatalogFile(PathBuf);

impl CatalogFile {
    fn of(key: &RunKey, settings: &Settings) -> Self {
        let folder = settings.state.as_deref();
        Self(folder.map(|folder| folder.join(format!("{}-models.json", key.name))).unwrap_or_default())
    }
}

impl Drop for CatalogFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
