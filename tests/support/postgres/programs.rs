//! PostgreSQL's programs. They refuse to run as root, so that root runs them as the user `postgres`, to whom their files
//! are given.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// The name of the superuser of every cluster.
pub(super) fn superuser() -> &'static str {
    "postgres"
}

/// Whether there is a PostgreSQL on this machine. Says so where there is none, and fails where one is required.
pub fn is_installed() -> bool {
    found("PostgreSQL", folder()).is_some()
}

/// A program, where it is installed. Otherwise this says what is skipped, or fails where nothing may be.
pub fn found<T>(name: &str, program: Option<T>) -> Option<T> {
    if program.is_none() {
        let is_required = std::env::var("CHATRIX_POSTGRES").is_ok_and(|value| value == "required");
        assert!(!is_required, "{name} is not installed, and CHATRIX_POSTGRES says that it must be");
        println!("skipped: {name} is not installed (Debian: apt-get install postgresql pgbouncer faketime)");
    }
    program
}

/// Where the newest version's programs are.
fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let mut folders: Vec<_> = versions.map(|version| version.unwrap().path().join("bin")).collect();
        folders.extend(std::env::split_paths(&std::env::var_os("PATH")?));
        folders.sort_by_key(|folder| version(folder));
        folders.into_iter().rfind(|folder| folder.join("initdb").exists())
    };
    FOLDER.get_or_init(find).as_deref()
}

/// The version in a path such as `/usr/lib/postgresql/15/bin`, or 0.
fn version(folder: &Path) -> u32 {
    let version = folder.parent().and_then(Path::file_name);
    version.and_then(|version| version.to_str()?.parse().ok()).unwrap_or(0)
}

/// A program of PostgreSQL's, which runs in this folder as the user who may run it.
pub(super) fn program(name: &str, folder_of_files: &Path) -> Command {
    as_server(&folder().unwrap().join(name), folder_of_files)
}

/// Any program, run by the user who runs the servers. Signals to the test run's process group do not reach it: it is
/// ended by its owner.
pub(super) fn as_server(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).process_group(0);
    if let Some((user, group)) = server_user() {
        command.uid(user).gid(group);
    }
    command
}

/// Gives a file to the user who runs the servers.
pub(super) fn give_to_server(path: &Path) {
    if let Some((user, group)) = server_user() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// The numbers of the user `postgres` and its group, where this is root.
fn server_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let fields: Vec<&str> = user.split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

/// A folder for the files of a server, which goes away when the pipe closes.
pub(super) fn new_folder(name: &str) -> (PathBuf, ChildStdin) {
    let folder = tempfile::Builder::new().prefix(&format!("chatrix-{name}-")).tempdir().unwrap().keep();
    give_to_server(&folder);
    let watchdog = watch(&folder);
    (folder, watchdog)
}

/// Runs a command that must not fail.
pub(super) fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Ends the server in a folder and removes its files when the pipe closes that is returned, which happens also when this
/// process is killed.
fn watch(folder: &Path) -> ChildStdin {
    const SCRIPT: &str = "cat >/dev/null
        for file in data/postmaster.pid pgbouncer.pid; do
            if pid=$(head -n 1 \"$file\" 2>/dev/null); then kill -QUIT \"$pid\"; fi
        done
        while [ -e data/postmaster.pid ] && kill -0 \"$pid\" 2>/dev/null; do sleep 0.05; done
        cd / && rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(folder).current_dir(folder).process_group(0);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.unwrap().stdin.take().unwrap()
}
