//! `${…}` in a configuration: every spelling the shapes use, expanded in one pass, never recursively.
//!
//! What cannot be filled in stays as it stands and is named, so that the server does not start with a hole in it.

use std::path::{Path, PathBuf};

/// Where values come from.
pub(crate) struct Variables<'a> {
    pub(crate) workspace: &'a Path,
    pub(crate) home: Option<&'a Path>,
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    /// `text` with its variables filled in; what could not be is added to `missing`, a sentence each.
    pub(crate) fn expand(&self, text: &str, missing: &mut Vec<String>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let whole = &rest[start..=start + length];
            out.push_str(&rest[..start]);
            match self.value(&whole[2..length]) {
                Ok(value) => out.push_str(&value),
                Err(why) => {
                    out.push_str(whole);
                    if !missing.contains(&why) {
                        missing.push(why);
                    }
                }
            }
            rest = &rest[start + length + 1..];
        }
        out.push_str(rest);
        out
    }

    /// A path with variables and `~/`; a relative one is meant from the workspace.
    pub(crate) fn path(&self, text: &str, missing: &mut Vec<String>) -> PathBuf {
        let text = self.expand(text, missing);
        match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.workspace.join(text),
        }
    }

    fn value(&self, name: &str) -> Result<String, String> {
        let folder = |path: &Path| path.to_string_lossy().into_owned();
        match name {
            "workspaceFolder" | "workspaceRoot" => return Ok(folder(self.workspace)),
            "workspaceFolderBasename" => {
                return Ok(self.workspace.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
            "userHome" => return self.home.map(folder).ok_or_else(|| "`${userHome}`: there is no home folder".into()),
            "pathSeparator" | "/" => return Ok(std::path::MAIN_SEPARATOR.into()),
            _ => {}
        }
        match name.split_once(':') {
            Some(("env", name)) => self.environment(name),
            // `${NAME:-default}` is the shells' spelling.
            Some((_, default)) if default.starts_with('-') => self.environment(name),
            Some(("workspaceFolder", _)) => Ok(folder(self.workspace)),
            Some(("input", id)) => Err(format!("`${{input:{id}}}` is asked for by the editor and has no value here")),
            Some((kind, _)) => Err(format!("`${{{name}}}`: variables of the kind `{kind}` exist in the editor only")),
            None => self.environment(name),
        }
    }

    fn environment(&self, name: &str) -> Result<String, String> {
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        let value = (self.env)(name).or_else(|| default.map(str::to_owned));
        value.ok_or_else(|| format!("the environment variable `{name}` is not set"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_filled_in_or_named() {
        let variables = Variables {
            workspace: Path::new("/w/app"),
            home: Some(Path::new("/home/u")),
            env: &|name| (name == "X").then(|| "${Y}".to_owned()),
        };
        for (text, expected, missing) in [
            ("plain $X }${", "plain $X }${", ""),
            ("${workspaceFolder}/a-${workspaceFolderBasename}", "/w/app/a-app", ""),
            ("${workspaceFolder:other}${pathSeparator}${/}", "/w/app//", ""),
            ("${userHome}", "/home/u", ""),
            // A value is never expanded again.
            ("<${env:X}|${X}|${X:-no}>", "<${Y}|${Y}|${Y}>", ""),
            ("${Z:-a:b}${env:Z:-}", "a:b", ""),
            ("${env:Z}${Z}", "${env:Z}${Z}", "the environment variable `Z` is not set"),
            ("${input:key}", "${input:key}", "`${input:key}` is asked for by the editor and has no value here"),
            (
                "${command:x.y}",
                "${command:x.y}",
                "`${command:x.y}`: variables of the kind `command` exist in the editor only",
            ),
            ("ü${env:X}ü", "ü${Y}ü", ""),
            ("${}", "${}", "the environment variable `` is not set"),
        ] {
            let mut named = Vec::new();
            assert_eq!(variables.expand(text, &mut named), expected, "{text}");
            assert_eq!(named.join(";"), missing, "{text}");
        }
    }

    #[test]
    fn relative_paths_are_meant_from_the_workspace() {
        let variables = Variables { workspace: Path::new("/w"), home: Some(Path::new("/h")), env: &|_| None };
        for (text, expected) in [("a/b", "/w/a/b"), ("/x", "/x"), ("~/c", "/h/c"), ("${workspaceFolder}/d", "/w/d")] {
            assert_eq!(variables.path(text, &mut Vec::new()), Path::new(expected));
        }
    }
}
