//! The layers that a setting can come from, in their order: the command line, the environment, the config file.

use super::source::{Setting, Source};
use crate::bedrock::Region;
use crate::error::{Error, Kind, Result};
use std::path::Path;
use std::str::FromStr;

/// Where the values come from.
pub(super) struct Layers<'a> {
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The config file.
    pub(super) path: &'a Path,
}

impl Layers<'_> {
    /// The value of the first layer that sets it: the flag, the first of the variables, the file.
    ///
    /// # Errors
    /// `Config` for a variable that holds no such value; `expected` says what it should hold.
    pub(super) fn pick<T: FromStr>(
        &self,
        flag: Option<T>,
        variables: &[&'static str],
        file: Option<T>,
        expected: &str,
    ) -> Result<Option<Setting<T>>> {
        if let Some(value) = flag {
            return Ok(Some(Setting { value, source: Source::CommandLine }));
        }
        for &name in variables {
            let Some(text) = (self.environment)(name) else { continue };
            let Ok(value) = text.parse() else {
                return Err(Error::new(Kind::Config, format!("{name} is {text:?}, which is not {expected}")));
            };
            return Ok(Some(Setting { value, source: Source::Environment(name) }));
        }
        Ok(file.map(|value| Setting { value, source: self.file() }))
    }

    fn file(&self) -> Source {
        Source::ConfigFile(self.path.to_owned())
    }

    /// Where a value comes from that a flag or the file may set.
    pub(super) fn source(&self, flag: bool, file: bool) -> Source {
        match (flag, file) {
            (true, _) => Source::CommandLine,
            (false, true) => self.file(),
            (false, false) => Source::Default,
        }
    }

    /// The profile that was named for Chatrix, by a flag or in the config file. Where the file names one, `AWS_PROFILE` may
    /// name another in its place; alone it names none, because keys in the environment win over it (docs/credentials.md §1).
    pub(super) fn named_profile(&self, flag: Option<String>, file: Option<String>) -> Option<Setting<String>> {
        const VARIABLE: &str = "AWS_PROFILE";
        if let Some(value) = flag {
            return Some(Setting { value, source: Source::CommandLine });
        }
        let file = file?;
        let variable = (self.environment)(VARIABLE).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Some(match variable {
            Some(value) => Setting { value, source: Source::Environment(VARIABLE) },
            None => Setting { value: file, source: self.file() },
        })
    }

    /// # Errors
    /// `Config` for what cannot be the name of a region.
    pub(super) fn region(&self, flag: Option<String>, file: Option<String>) -> Result<Option<Setting<Region>>> {
        let region = self.pick(flag, &["AWS_REGION", "AWS_DEFAULT_REGION"], file, "a region's name")?;
        let parse =
            |Setting { value, source }: Setting<String>| Ok(Setting { value: Region::parse(&value, &source)?, source });
        region.map(parse).transpose()
    }

    /// # Errors
    /// `Config` for a variable that says neither yes nor no.
    pub(super) fn offline(&self, flag: bool) -> Result<Setting<bool>> {
        const VARIABLE: &str = "CHATRIX_OFFLINE";
        let set = |value| Ok(Setting { value, source: Source::Environment(VARIABLE) });
        if flag {
            return Ok(Setting { value: true, source: Source::CommandLine });
        }
        match (self.environment)(VARIABLE).as_deref() {
            Some("1" | "true" | "yes") => set(true),
            Some("0" | "false" | "no") => set(false),
            None => Ok(Setting { value: false, source: Source::Default }),
            Some(other) => Err(Error::new(Kind::Config, format!("{VARIABLE} is {other:?}")).advise("set it to 1 or 0")),
        }
    }
}
