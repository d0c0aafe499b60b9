//! Real files in a real folder; every wait is for an event, bounded.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const DEBOUNCE: Duration = Duration::from_millis(20);
/// Never waited for when the test passes.
const BOUND: Duration = Duration::from_mins(2);

fn start(files: &[&Path]) -> (watch::Watcher, Receiver<Vec<PathBuf>>) {
    let (sender, batches) = channel();
    let files = files.iter().map(|&file| file.to_owned()).collect();
    let watcher = watch::watch(files, DEBOUNCE, move |batch| sender.send(batch).expect("the test listens"));
    (watcher.expect("the system can watch"), batches)
}

#[test]
fn a_file_that_appears_changes_and_vanishes_is_told_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.json");
    let (_watcher, batches) = start(&[&file]);
    fs::write(&file, "1").expect("written");
    assert_eq!(batches.recv_timeout(BOUND).expect("appeared"), [file.as_path()]);
    fs::write(&file, "22").expect("written");
    assert_eq!(batches.recv_timeout(BOUND).expect("changed"), [file.as_path()]);
    fs::remove_file(&file).expect("removed");
    assert_eq!(batches.recv_timeout(BOUND).expect("vanished"), [file.as_path()]);
}

#[test]
fn an_atomic_save_is_a_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, temporary) = (folder.path().join("a.json"), folder.path().join("a.json.tmp"));
    fs::write(&file, "1").expect("written");
    let (_watcher, batches) = start(&[&file]);
    fs::write(&temporary, "2").expect("written");
    fs::rename(&temporary, &file).expect("renamed");
    assert_eq!(batches.recv_timeout(BOUND).expect("changed"), [file.as_path()]);
}

#[test]
fn a_file_in_a_folder_that_does_not_exist_yet_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("x/y/a.json");
    let (_watcher, batches) = start(&[&file]);
    fs::create_dir_all(folder.path().join("x/y")).expect("made");
    fs::write(&file, "1").expect("written");
    assert_eq!(batches.recv_timeout(BOUND).expect("appeared"), [file.as_path()]);
    // The folder it was found in is watched from now on.
    fs::write(&file, "22").expect("written");
    assert_eq!(batches.recv_timeout(BOUND).expect("changed"), [file.as_path()]);
}

#[test]
fn a_burst_is_one_batch_and_other_files_are_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (_watcher, batches) = start(&[&a, &b]);
    for n in 0..50 {
        fs::write(folder.path().join(format!("other{n}")), "x").expect("written");
        fs::write(&a, "x".repeat(n)).expect("written");
    }
    fs::write(&b, "1").expect("written");
    let mut told = Vec::new();
    while !told.contains(&b) {
        let batch = batches.recv_timeout(BOUND).expect("told");
        assert!(batch.iter().all(|file| *file == a || *file == b), "{batch:?}");
        told.extend(batch);
    }
    // How many batches there are depends on the machine's load; 51 writes must not be 51 of them.
    assert!(told.contains(&a) && told.len() < 40, "{told:?}");
}

#[test]
fn nothing_is_told_after_the_drop() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.json");
    let (watcher, batches) = start(&[&file]);
    drop(watcher);
    fs::write(&file, "1").expect("written");
    // The sender lives in the thread, which the drop has joined.
    assert!(batches.recv_timeout(BOUND).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_new_list_takes_over_and_what_was_known_stays_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let [stays, goes, comes] = ["a/stays", "b/goes", "c/comes"].map(|name| folder.path().join(name));
    for file in [&stays, &goes, &comes] {
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, "1").expect("written");
    }
    let (watcher, batches) = start(&[&stays, &goes]);
    // Not seen yet when the list changes: it is told nevertheless.
    fs::write(&stays, "22").expect("written");
    watcher.follow(&[stays.clone(), comes.clone()]);
    assert_eq!(batches.recv_timeout(BOUND).expect("changed"), [stays.as_path()]);
    fs::write(&goes, "22").expect("written");
    fs::write(&comes, "22").expect("written");
    assert_eq!(batches.recv_timeout(BOUND).expect("changed"), [comes.as_path()]);
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Turns a link as tools do that must not leave a gap: a new one is moved over it.
    fn turn(link: &Path, target: &Path) {
        let new = link.with_extension("new");
        symlink(target, &new).expect("linked");
        fs::rename(new, link).expect("renamed");
    }

    #[test]
    fn a_link_is_followed_to_the_file_that_it_leads_to_now() {
        let folder = tempfile::tempdir().expect("a folder");
        let [link, one, two] = ["here/a.json", "one/a.json", "two/b.json"].map(|name| folder.path().join(name));
        for (file, text) in [(&link, ""), (&one, "1"), (&two, "22")] {
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(file, text).expect("written");
        }
        fs::remove_file(&link).expect("removed");
        symlink("../one/a.json", &link).expect("linked");
        let (_watcher, batches) = start(&[&link]);
        let told = || assert_eq!(batches.recv_timeout(BOUND).expect("told"), [link.as_path()]);
        fs::write(&one, "4444").expect("written");
        told();
        turn(&link, &two);
        told();
        // From here on it is the new target's changes that count, by whatever way they come.
        fs::write(folder.path().join("two/new"), "55555").expect("written");
        fs::rename(folder.path().join("two/new"), &two).expect("renamed");
        told();
        fs::remove_file(&two).expect("removed");
        told();
        fs::write(&two, "1").expect("written");
        told();
    }

    #[test]
    fn a_linked_folder_is_followed_and_so_is_its_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let [link, one, two] = ["app/.vscode", "one", "two"].map(|name| folder.path().join(name));
        for (place, text) in [(&one, "1"), (&two, "22")] {
            fs::create_dir(place).expect("made");
            fs::write(place.join("mcp.json"), text).expect("written");
        }
        fs::create_dir(folder.path().join("app")).expect("made");
        symlink(&one, &link).expect("linked");
        let file = link.join("mcp.json");
        let (_watcher, batches) = start(&[&file]);
        let told = || assert_eq!(batches.recv_timeout(BOUND).expect("told"), [file.as_path()]);
        fs::write(one.join("mcp.json"), "4444").expect("written");
        told();
        turn(&link, &two);
        told();
        fs::write(two.join("mcp.json"), "55555").expect("written");
        told();
    }
}

#[test]
fn folders_that_are_moved_removed_and_made_again_are_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (outer, away) = (folder.path().join("x"), folder.path().join("away"));
    let file = outer.join("y/z/a.json");
    let make = |text: &str| {
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, text).expect("written");
    };
    make("1");
    let (_watcher, batches) = start(&[&file]);
    let told = || assert_eq!(batches.recv_timeout(BOUND).expect("told"), [file.as_path()]);
    // The file itself, its folder and its parent know nothing of this.
    fs::rename(&outer, &away).expect("moved");
    told();
    fs::rename(&away, &outer).expect("moved back");
    told();
    fs::remove_dir_all(&outer).expect("removed");
    told();
    make("22");
    told();
    fs::write(&file, "333").expect("written");
    told();
}
