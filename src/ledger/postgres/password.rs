//! The password of the database, from where PostgreSQL's own programs take it
//! (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::io;
use std::path::{Path, PathBuf};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The password: of the file that the operator names, of `PGPASSWORD`, or of the line for this database in the file that
/// `PGPASSFILE` names, by default `~/.pgpass`.
///
/// # Errors
/// When a file that was named cannot be read, as the end of a sentence.
pub(super) fn find_password(
    config: &Config,
    file: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, String> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable("password_file", path, &error))?;
        return Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()));
    }
    if let Some(password) = environment("PGPASSWORD").filter(|password| !password.is_empty()) {
        return Ok(Some(password));
    }
    let named = environment("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let is_named = named.is_some();
    let Some(path) = named.or_else(|| Some(PathBuf::from(environment("HOME")?).join(".pgpass"))) else {
        return Ok(None);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if is_named => return Err(unreadable("PGPASSFILE", &path, &error)),
        Err(_) => return Ok(None),
    };
    // systemd lets nobody else into the folder of credentials, and shows its files as readable by a group
    // (https://github.com/systemd/systemd/issues/29435).
    let credentials = environment("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    let is_credential = credentials.is_some_and(|folder| path.starts_with(folder));
    if !is_credential && is_open_to_others(&path) {
        // PostgreSQL's own programs do not use it either.
        return Err(format!("has its password in {}, which others can read; run: chmod 600 on it", path.display()));
    }
    Ok(line_for(config, &text))
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> String {
    format!("has its password in {what} {}, which cannot be read: {error}", path.display())
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o077 != 0)
}

/// Elsewhere the folder of the user protects it.
#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The password of the first line that fits one of the hosts: `host:port:database:user:password`.
fn line_for(config: &Config, text: &str) -> Option<String> {
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let hosts: Vec<(String, String)> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(n, host)| {
            let name = match host {
                Host::Tcp(name) => name.clone(),
                #[cfg(unix)]
                Host::Unix(_) => "localhost".to_owned(),
            };
            (name, ports.get(n).or(ports.first()).copied().unwrap_or(5432).to_string())
        })
        .collect();
    let fits = |field: &str, value: &str| field == "*" || field == value;
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let [host, port, of_database, of_user, password] = fields(line).try_into().ok()?;
        let fits_host = hosts.iter().any(|(name, number)| fits(&host, name) && fits(&port, number));
        (fits_host && fits(&of_database, database) && fits(&of_user, user)).then_some(password)
    })
}

/// The fields of a line, which colons separate; a backslash takes a colon or a backslash as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        // The password is what is left, and its colons need no backslash.
        let is_last = fields.len() == 5;
        match (character, fields.last_mut()) {
            ('\\', Some(field)) => field.extend(characters.next()),
            (':', _) if !is_last => fields.push(String::new()),
            (other, Some(field)) => field.push(other),
            (_, None) => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let file =
            "# host:port:database:user:password\nother:5432:d:u:1\ndb:5433:d:u:2\ndb:*:e:u:3\n*:*:d:u:a\\:b\\\\c:d\n";
        for (url, password) in [
            ("postgres://u@db:5433/d", Some("2")),
            ("postgres://u@db/e", Some("3")),
            ("postgres://u@db/d", Some("a:b\\c:d")),
            ("postgres://u@first,other/d", Some("1")),
            ("postgres://v@db/d", None),
        ] {
            let config: Config = url.parse().unwrap();
            assert_eq!(line_for(&config, file).as_deref(), password, "{url}");
        }
    }

    #[test]
    fn the_operators_file_wins_over_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let (file, passes) = (folder.path().join("password"), folder.path().join("pgpass"));
        std::fs::write(&file, "of the file\n").unwrap();
        std::fs::write(&passes, "*:*:*:*:of the passes\n").unwrap();
        let config: Config = "postgres://u@db/d".parse().unwrap();
        let passfile = |name: &str| (name == "PGPASSFILE").then(|| passes.display().to_string());
        let both = |name: &str| if name == "PGPASSWORD" { Some("of the variable".to_owned()) } else { passfile(name) };
        assert_eq!(find_password(&config, Some(&file), &both).unwrap().as_deref(), Some("of the file"));
        assert_eq!(find_password(&config, None, &both).unwrap().as_deref(), Some("of the variable"));
        assert_eq!(find_password(&config, None, &|_| None).unwrap(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let set = |mode| std::fs::set_permissions(&passes, std::fs::Permissions::from_mode(mode)).unwrap();
            set(0o644);
            assert!(find_password(&config, None, &passfile).unwrap_err().contains("others can read"));
            let credentials = folder.path().display().to_string();
            let of_systemd = |name: &str| match name {
                "CREDENTIALS_DIRECTORY" => Some(credentials.clone()),
                other => passfile(other),
            };
            assert_eq!(find_password(&config, None, &of_systemd).unwrap().as_deref(), Some("of the passes"));
            set(0o600);
        }
        assert_eq!(find_password(&config, None, &passfile).unwrap().as_deref(), Some("of the passes"));
        let missing = find_password(&config, Some(Path::new("/nowhere")), &both).unwrap_err();
        assert!(missing.contains("/nowhere"), "{missing}");
    }
}
