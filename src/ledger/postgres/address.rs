//! Which database the ledger is in, as the operator writes it: a URL as PostgreSQL's own programs take it
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>), and a password from elsewhere.

use super::password::find_password;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long one host may take to accept a connection, unless the URL says so with `connect_timeout`.
const ACCEPT_LIMIT: Duration = Duration::from_secs(3);
/// How long a connection may take with all that belongs to it, unless the URL has a `connect_timeout`.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long data that was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED_LIMIT: Duration = Duration::from_secs(5);
/// After how much silence the operating system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// Where the database is and how it is reached. Its text forms never hold the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) config: Config,
    pub(super) tls: Tls,
    /// How long a connection may take with all that belongs to it: to find a host that accepts it, to prove who is who,
    /// and to encrypt it.
    pub(super) connect_limit: Duration,
    shown: String,
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    Off,
    /// Encrypted, and the server's certificate is verified against these roots, and those of the system without them.
    Verified {
        roots: Option<PathBuf>,
    },
}

impl Address {
    /// Reads a URL. `environment` looks a variable up.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence. It never holds the password.
    pub fn parse(
        url: &str,
        password_file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let (plain, mode, roots) = without_tls_parameters(url)?;
        let mut config: Config = plain.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            format!("is not the URL of a PostgreSQL database ({cause}); write postgres://USER@HOST:5432/DATABASE")
        })?;
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            return Err("has more than one @; write one that is part of the password as %40".to_owned());
        }
        if config.get_hosts().is_empty() {
            return Err("names no host; write postgres://USER@HOST:5432/DATABASE".to_owned());
        }
        if config.get_user().is_none() {
            let user = ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(environment);
            config.user(user.ok_or("names no user; write postgres://USER@HOST:5432/DATABASE")?);
        }
        let tls = match mode {
            Some(Mode::Off) => Tls::Off,
            None if roots.is_none() && config.get_hosts().iter().all(is_local) => Tls::Off,
            Some(Mode::Verified) | None => Tls::Verified { roots },
        };
        config.ssl_mode(if tls == Tls::Off { SslMode::Disable } else { SslMode::Require });
        if config.get_application_name().is_none() {
            config.application_name("chatrix");
        }
        let connect_limit = if let Some(limit) = config.get_connect_timeout() {
            // It is meant for each host.
            limit.saturating_mul(u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX))
        } else {
            config.connect_timeout(ACCEPT_LIMIT);
            CONNECT_LIMIT
        };
        config.tcp_user_timeout(UNACKNOWLEDGED_LIMIT).keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE);
        if config.get_password().is_none()
            && let Some(password) = find_password(&config, password_file, environment)?
        {
            config.password(password);
        }
        let shown = shown(&config);
        Ok(Self { config, tls, connect_limit, shown })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Verified,
}

/// The URL without the parameters that the client library does not know, and what they say.
fn without_tls_parameters(url: &str) -> Result<(String, Option<Mode>, Option<PathBuf>), String> {
    let Some(scheme) = ["postgres://", "postgresql://"].into_iter().find(|scheme| url.starts_with(scheme)) else {
        return Err("does not begin with postgres://; write postgres://USER@HOST:5432/DATABASE".to_owned());
    };
    let (before, query) = url[scheme.len()..].split_once('?').unwrap_or((&url[scheme.len()..], ""));
    let (mut mode, mut roots, mut kept) = (None, None, Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "sslmode" => {
                mode = Some(match value {
                    "disable" => Mode::Off,
                    // There is no encryption here without knowing to whom.
                    "require" | "verify-ca" | "verify-full" => Mode::Verified,
                    _ => {
                        return Err(format!(
                            "has sslmode={value}; write verify-full, or disable where nobody can listen on the way"
                        ));
                    }
                });
            }
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => roots = Some(PathBuf::from(percent_decode_str(value).decode_utf8_lossy().into_owned())),
            _ => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok((format!("{scheme}{before}{query}"), mode, roots))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        }
    });
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    format!("postgres://{user}@{}/{database}", hosts.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, String> {
        Address::parse(url, None, &|name| (name == "USER").then(|| "me".to_owned()))
    }

    #[test]
    fn connections_to_other_machines_are_verified_unless_that_is_switched_off() {
        let verified = |roots: Option<&str>| Tls::Verified { roots: roots.map(PathBuf::from) };
        for (url, shown, tls) in [
            ("postgres://u@localhost/d", "postgres://u@localhost:5432/d", Tls::Off),
            ("postgresql://u@[::1]:6432/d", "postgres://u@::1:6432/d", Tls::Off),
            ("postgres://127.0.0.1", "postgres://me@127.0.0.1:5432/me", Tls::Off),
            ("postgres://u@%2Frun%2Fpostgresql/d", "postgres://u@/run/postgresql/d", Tls::Off),
            ("postgres://u@localhost/d?sslmode=verify-full", "postgres://u@localhost:5432/d", verified(None)),
            ("postgres://u@db.example/d", "postgres://u@db.example:5432/d", verified(None)),
            ("postgres://u@localhost,db.example/d", "postgres://u@localhost:5432,db.example:5432/d", verified(None)),
            ("postgres://u@db.example/d?sslmode=disable", "postgres://u@db.example:5432/d", Tls::Off),
            ("postgres://u@db.example/d?sslmode=require", "postgres://u@db.example:5432/d", verified(None)),
            (
                "postgres://u:secret@db.example/d?sslrootcert=%2Fetc%2Fca.pem&target_session_attrs=read-write",
                "postgres://u@db.example:5432/d",
                verified(Some("/etc/ca.pem")),
            ),
        ] {
            let address = parse(url);
            let seen = address.as_ref().map(|address| (address.to_string(), &address.tls));
            assert_eq!(seen, Ok((shown.to_owned(), &tls)), "{url}");
            assert!(!format!("{address:?}").contains("secret"));
        }
    }

    #[test]
    fn a_connection_may_take_as_long_as_the_url_says_for_each_host() {
        for (url, limits) in [
            ("postgres://u@one,two/d", (3, 10)),
            ("postgres://u@one/d?connect_timeout=0", (3, 10)),
            ("postgres://u@one/d?connect_timeout=2", (2, 2)),
            ("postgres://u@one,two,three/d?connect_timeout=20", (20, 60)),
        ] {
            let seen = parse(url).map(|address| {
                let accept = address.config.get_connect_timeout().map(Duration::as_secs);
                (accept, address.connect_limit.as_secs())
            });
            assert_eq!(seen, Ok((Some(limits.0), limits.1)), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, part) in [
            ("mysql://u@h/d", "does not begin with postgres://"),
            ("postgres://u:secret@h/d?sslmode=prefer", "write verify-full"),
            ("postgres://u:secret@h:port/d", "is not the URL"),
            ("postgres://u:secret@h/d?nothing=1", "nothing"),
            ("postgres://u:se@secret@h/d", "as %40"),
        ] {
            let error = parse(url).err().unwrap_or_default();
            assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
        }
    }
}
