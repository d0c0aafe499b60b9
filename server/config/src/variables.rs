//! `${…}` in a configuration: every spelling the shapes use, expanded in one pass, never recursively.
//!
//! What cannot be filled in stays as it stands and is named, so that the server does not start with a hole in it.

use crate::inputs::Inputs;
use model::server::InputSpec;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where values come from.
pub(crate) struct Variables<'a> {
    /// The folder that the file at hand belongs to.
    pub(crate) workspace: &'a Path,
    /// All folders of the window.
    pub(crate) folders: &'a [PathBuf],
    pub(crate) home: Option<&'a Path>,
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// What the file at hand declares; `None` where nobody can be asked.
    pub(crate) inputs: Option<&'a Inputs>,
    /// Whether `$X` is a variable too.
    pub(crate) bare: bool,
}

/// One variable in a text: its bytes, and its name or what else stands between the brackets.
pub(crate) struct Variable<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) name: &'a str,
}

/// The variables of a text, in their order.
pub(crate) fn variables(text: &str, bare: bool) -> impl Iterator<Item = Variable<'_>> {
    // Looked for once: a text of nothing but open brackets is not read again for each of them.
    let last_end = text.rfind('}');
    let mut here = 0;
    std::iter::from_fn(move || {
        loop {
            let start = here + text[here..].find('$')?;
            let rest = &text[start + 1..];
            here = start + 1;
            let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
            if rest.starts_with('{') && last_end.is_some_and(|end| end > start) {
                let length = rest.find('}')?;
                here += length + 1;
                return Some(Variable { range: start..here, name: &rest[1..length] });
            } else if bare && rest.starts_with(starts) {
                let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                here += length;
                return Some(Variable { range: start..here, name: &rest[..length] });
            }
        }
    })
}

/// What stays open in the texts of one server.
#[derive(Debug, Default)]
pub(crate) struct Holes {
    /// A sentence for each variable without a value.
    pub(crate) missing: Vec<String>,
    /// The inputs that a person is to be asked for, in the order of their mention.
    pub(crate) inputs: Vec<InputSpec>,
}

/// Why there is no value.
enum Hole {
    Missing(String),
    Input(InputSpec),
}

impl Holes {
    pub(crate) fn append(&mut self, other: Self) {
        other.missing.into_iter().for_each(|why| self.miss(why));
        other.inputs.into_iter().for_each(|input| self.ask(input));
    }

    fn miss(&mut self, why: String) {
        if !self.missing.contains(&why) {
            self.missing.push(why);
        }
    }

    fn ask(&mut self, input: InputSpec) {
        if !self.inputs.contains(&input) {
            self.inputs.push(input);
        }
    }
}

impl Variables<'_> {
    /// `text` with its variables filled in; what could not be stays as it is and is added to `holes`.
    pub(crate) fn expand(&self, text: &str, holes: &mut Holes) -> String {
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for Variable { range, name } in variables(text, self.bare) {
            out.push_str(&text[done..range.start]);
            match self.value(name) {
                Ok(value) => out.push_str(&value),
                Err(hole) => {
                    out.push_str(&text[range.clone()]);
                    match hole {
                        Hole::Missing(why) => holes.miss(why),
                        Hole::Input(input) => holes.ask(input),
                    }
                }
            }
            done = range.end;
        }
        out.push_str(&text[done..]);
        out
    }

    /// A path with variables and `~/`; a relative one is meant from the folder of its file. It is needed before anybody
    /// can be asked for anything.
    pub(crate) fn path(&self, text: &str, holes: &mut Holes) -> PathBuf {
        let mut own = Holes::default();
        let text = self.expand(text, &mut own);
        for input in std::mem::take(&mut own.inputs) {
            own.miss(format!("`${{input:{}}}` cannot stand in `cwd` or `envFile`", input.id));
        }
        holes.append(own);
        match (text.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.workspace.join(text),
        }
    }

    /// Whether the file at hand belongs to another folder than the window's first.
    pub(crate) fn is_further(&self) -> bool {
        self.folders.first().is_some_and(|first| first != self.workspace)
    }

    fn value(&self, name: &str) -> Result<String, Hole> {
        let folder = |path: &Path| path.to_string_lossy().into_owned();
        match name {
            "workspaceFolder" | "workspaceRoot" => return Ok(folder(self.workspace)),
            "workspaceFolderBasename" => {
                return Ok(self.workspace.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
            "userHome" => {
                let none = || Hole::Missing("`${userHome}`: there is no home folder".into());
                return self.home.map(folder).ok_or_else(none);
            }
            "pathSeparator" | "/" => return Ok(std::path::MAIN_SEPARATOR.into()),
            _ => {}
        }
        match name.split_once(':') {
            Some(("env", name)) => self.environment(name),
            // `${NAME:-default}` is the shells' spelling.
            Some((_, default)) if default.starts_with('-') => self.environment(name),
            Some(("workspaceFolder", name)) => self.folder(name).map(folder),
            Some(("input", id)) => Err(self.input(id)),
            Some((kind, _)) => {
                Err(Hole::Missing(format!("`${{{name}}}`: variables of the kind `{kind}` exist in the editor only")))
            }
            None => self.environment(name),
        }
    }

    /// A folder by its name. Where there is one only, it is meant whatever its name.
    fn folder(&self, name: &str) -> Result<&Path, Hole> {
        match self.folders {
            [] | [_] => Ok(self.workspace),
            many => many
                .iter()
                .find(|folder| folder.file_name().is_some_and(|own| own == name))
                .map(PathBuf::as_path)
                .ok_or_else(|| Hole::Missing(format!("`${{workspaceFolder:{name}}}`: no folder is called `{name}`"))),
        }
    }

    fn input(&self, id: &str) -> Hole {
        match self.inputs.map(|inputs| inputs.get(id)) {
            None => Hole::Missing(format!("`${{input:{id}}}` is asked for by the editor and has no value here")),
            Some(Err(why)) => Hole::Missing(why),
            Some(Ok(input)) => Hole::Input(input),
        }
    }

    fn environment(&self, name: &str) -> Result<String, Hole> {
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        let value = (self.env)(name).or_else(|| default.map(str::to_owned));
        value.ok_or_else(|| Hole::Missing(format!("the environment variable `{name}` is not set")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_filled_in_or_named() {
        let variables = Variables {
            workspace: Path::new("/w/app"),
            folders: &[],
            inputs: None,
            bare: false,
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
            let mut holes = Holes::default();
            assert_eq!(variables.expand(text, &mut holes), expected, "{text}");
            assert_eq!(holes.missing.join(";"), missing, "{text}");
        }
    }

    #[test]
    fn some_files_have_variables_without_brackets() {
        let env = |name: &str| (name == "X").then(|| "x".to_owned());
        let of =
            |bare| Variables { workspace: Path::new("/w"), folders: &[], inputs: None, bare, home: None, env: &env };
        for (text, bare, bracketed) in [
            ("$X/${X}", "x/x", "$X/x"),
            ("a$$X.$", "a$x.$", "a$$X.$"),
            ("$1 ${X", "$1 ${X", "$1 ${X"),
            ("$Y", "$Y", "$Y"),
        ] {
            let mut holes = Holes::default();
            assert_eq!(of(true).expand(text, &mut holes), bare, "{text}");
            assert_eq!(of(false).expand(text, &mut holes), bracketed, "{text}");
            assert_eq!(holes.missing.is_empty(), text != "$Y", "{text}");
        }
    }

    #[test]
    fn relative_paths_are_meant_from_the_workspace() {
        let (workspace, home) = (Path::new("/w"), Some(Path::new("/h")));
        let variables = Variables { workspace, folders: &[], inputs: None, bare: false, home, env: &|_| None };
        for (text, expected) in [("a/b", "/w/a/b"), ("/x", "/x"), ("~/c", "/h/c"), ("${workspaceFolder}/d", "/w/d")] {
            assert_eq!(variables.path(text, &mut Holes::default()), Path::new(expected));
        }
    }
}
