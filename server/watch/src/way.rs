//! The folders on the way to a file: every one whose change can make the way lead elsewhere.
//!
//! Links are followed as the system follows them, and the folder that holds a link counts as well as the one it leads to.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links on one way, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Every existing folder in which a step of the way to `file` lies. The last one is the file's own, where that exists.
pub(crate) fn folders(file: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let Ok(absolute) = std::path::absolute(file) else { return folders };
    let (mut here, mut links) = (PathBuf::new(), 0);
    let mut steps = steps(&absolute);
    while let Some(step) = steps.pop() {
        match step {
            Step::Root(root) => here = root,
            Step::Up => {
                here.pop();
            }
            Step::Into(name) => {
                folders.insert(here.clone());
                let next = here.join(name);
                let Ok(found) = next.symlink_metadata() else { break };
                if !found.is_symlink() {
                    here = next;
                    continue;
                }
                links += 1;
                let Ok(target) = next.read_link() else { break };
                if links > LINKS_MAX {
                    break;
                }
                steps.extend(self::steps(&target));
            }
        }
    }
    folders
}

enum Step {
    Root(PathBuf),
    Up,
    Into(OsString),
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for component in path.components() {
        match component {
            Component::Prefix(prefix) => steps.push(Step::Root(prefix.as_os_str().into())),
            Component::RootDir => match steps.last_mut() {
                Some(Step::Root(prefix)) => prefix.push(component),
                _ => steps.push(Step::Root(component.as_os_str().into())),
            },
            Component::CurDir => {}
            Component::ParentDir => steps.push(Step::Up),
            Component::Normal(name) => steps.push(Step::Into(name.to_owned())),
        }
    }
    steps.reverse();
    steps
}

/// Whether a folder lies where others can change it without our system's knowing.
#[cfg(target_os = "linux")]
pub(crate) fn is_remote(folder: &Path) -> bool {
    /// As `statfs(2)` lists them: NFS, SMB, CIFS, SMB 2, FUSE, 9P, Ceph, AFS, Coda, and what virtual machines share.
    const REMOTE: &[u32] = &[
        0x6969,
        0x517b,
        0xff53_4d42,
        0xfe53_4d42,
        0x6573_5546,
        0x0102_1997,
        0x00c3_6400,
        0x5346_414f,
        0x7375_7245,
        0x786f_4256,
        0xbacb_acbc,
    ];
    // The kernel's numbers have 32 bits, in fields of other sizes.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    rustix::fs::statfs(folder).is_ok_and(|found| REMOTE.contains(&(found.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_remote(_folder: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_way_leads_through_every_link() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("it is there");
        for folder in ["a", "b/c", "d"] {
            fs::create_dir_all(root.join(folder)).expect("made");
        }
        symlink("../b/./c", root.join("a/link")).expect("linked");
        symlink(root.join("d/real"), root.join("b/c/file")).expect("linked");
        symlink("round", root.join("a/round")).expect("linked");
        let inside = |file: &str| -> Vec<String> {
            let all = folders(&root.join(file)).into_iter();
            all.filter_map(|folder| Some(folder.strip_prefix(&root).ok()?.display().to_string())).collect()
        };
        assert_eq!(inside("a/link/file"), ["", "a", "b", "b/c", "d"]);
        assert_eq!(inside("b/../d/none/at/all"), ["", "d"]);
        assert_eq!(inside("a/round"), ["", "a"]);
        assert!(folders(&root.join("a/link")).contains(Path::new("/")));
    }
}
