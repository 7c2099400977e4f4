//! Certificates for servers of tests, by the `openssl` command.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// An authority of its own, and the certificate of a server called `localhost`.
pub struct Certificates(TempDir);

impl Certificates {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let output = Command::new("openssl").args(words).current_dir(folder.path()).output().unwrap();
            assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        run(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"));
        run(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
        std::fs::write(folder.path().join("names"), "subjectAltName = DNS:localhost\n").unwrap();
        run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names");
        Self(folder)
    }

    /// The certificate of the authority, which clients trust.
    pub fn authority(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// Copies what the server needs into its folder.
    pub(super) fn install(&self, folder: &Path) {
        for file in ["server.pem", "server.key"] {
            let path = folder.join(file);
            std::fs::copy(self.0.path().join(file), &path).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            super::programs::give_to_server(&path);
        }
    }
}
