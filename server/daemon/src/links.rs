//! Whether a path lies below a folder on the disk, links followed: a link inside of an approved folder may lead out of it.
//!
//! Invariant: a link that leads nowhere leads out, since what is written there appears elsewhere. A folder that is not on
//! this machine has no links to follow. Left out: what changes between this look and the server's own.

use std::path::{Path, PathBuf};

/// Whether `path`, which is below `folder` by its name, is so on the disk too. Relative ones are meant from `base`.
pub(crate) fn is_below(base: &Path, folder: &str, path: &str) -> bool {
    let Ok(folder) = base.join(folder).canonicalize() else { return true };
    real(&base.join(path)).is_some_and(|path| path.starts_with(folder))
}

/// The path without links, as far as it is there.
fn real(path: &Path) -> Option<PathBuf> {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return Some(real.join(path.strip_prefix(ancestor).ok()?));
        }
        if ancestor.symlink_metadata().is_ok() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_that_leads_out_is_not_below() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("notes/deep")).expect("made");
        fs::create_dir_all(at("secret")).expect("made");
        symlink(at("secret"), at("notes/out")).expect("linked");
        symlink(at("notes/deep"), at("notes/in")).expect("linked");
        symlink(at("nowhere"), at("notes/dangling")).expect("linked");
        symlink(at("notes"), at("alias")).expect("linked");
        let is_below = |path: &str| is_below(place.path(), "notes", path);
        for inside in ["notes/a", "notes/deep/b", "notes/in/new/c", "notes/not/there/yet", "alias/a"] {
            assert!(is_below(inside), "{inside}");
        }
        for outside in ["notes/out/key", "notes/out", "notes/dangling", "notes/dangling/x", "secret/key"] {
            assert!(!is_below(outside), "{outside}");
        }
        let whole = at("notes/out/key").to_string_lossy().into_owned();
        assert!(!super::is_below(Path::new("/"), &at("notes").to_string_lossy(), &whole));
        assert!(super::is_below(place.path(), "/no/such/folder", "/no/such/folder/a"), "another machine's");
    }
}
