//! A disk that is full, a folder that cannot be written, a file that is damaged: runs go on, it is said, and what was counted
//! meanwhile is stored once it can be. Each in a process of its own, which has the limit, or is not the superuser.

use crate::durability::{assert_rows, assert_sound, helper, one_call};
use crate::reports::nth;
use crate::support::{open, options};
use ledger::Ledger;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Waits for a line that a helper says.
fn heard(lines: &mut impl Iterator<Item = std::io::Result<String>>, what: &str) {
    let said: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.contains(what)).collect();
    assert!(!said.iter().any(|line| line.contains("test result")), "it never said {what}: {said:?}");
}

/// Counts a run, which must get its receipt whatever is wrong with the disk.
async fn counted(ledger: &Ledger) {
    let facts = one_call();
    ledger.record(facts.clone());
    assert!(ledger.receipt(&facts.run_id).await.is_some(), "a run without a receipt");
}

fn is_said(ledger: &Ledger, what: &str) -> bool {
    ledger.problem().is_some_and(|problem| problem.contains(what))
}

/// Of the helper processes: all files may have so many bytes.
fn limit_files(bytes: Option<u64>) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).expect("it may be lowered and raised");
}

/// The task of the process whose disk is full for a while.
pub(crate) async fn full_disk(ledger: &Ledger) {
    counted(ledger).await;
    assert_eq!(ledger.problem(), None);
    limit_files(Some(4_096));
    for n in 0..20 {
        counted(ledger).await;
        ledger.direct_call(1, one_call().calls.remove(0));
        ledger.discovery(&"one".into(), r#"{"query":"x"}"#.into(), "nothing".into());
        assert!(is_said(ledger, "cannot be written"), "{:?}", ledger.problem());
        assert_eq!(ledger.savings().workspace.runs, n + 2, "what is not stored is in the sums");
    }
    assert_eq!(ledger.runs(100).await.expect("reading goes on").len(), 1);
    limit_files(None);
    // By itself: no run need come after it.
    while ledger.problem().is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ledger.savings().workspace.runs, 21);
    assert_eq!(ledger.runs(100).await.expect("all are stored").len(), 21);
    limit_files(Some(4_096));
    counted(ledger).await;
    limit_files(None);
    ledger.flush().await;
    assert_eq!(ledger.runs(100).await.expect("what a process that ends has counted").len(), 22);
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_counted_meanwhile_is_stored_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    // What a disk that is full says; without this the system would end the process at the limit.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#]).arg(std::env::current_exe().expect("a test binary"));
    let output = helper(shell, "fill the disk", folder.path()).output().expect("it runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let ledger = open(folder.path());
    assert_eq!(assert_sound(&ledger).await.workspace.runs, 22);
    let calls =
        ledger.export(model::ledger::ExportFormat::Jsonl, 0, Some("direct:0".to_owned())).await.expect("a part");
    assert_eq!(calls.text.lines().count(), 20);
    drop(ledger);
    assert_rows(folder.path(), &[]);
}

/// The task of the process that may write only later.
pub(crate) async fn read_only(ledger: &Ledger) {
    counted(ledger).await;
    assert!(is_said(ledger, "memory"), "{:?}", ledger.problem());
    println!("it is said");
    std::io::stdin().read_line(&mut String::new()).expect("the parent says when");
    counted(ledger).await;
    assert_eq!(ledger.problem(), None);
    println!("it is gone");
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_and_used_as_soon_as_it_can() {
    for exists in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = options(folder.path()).path;
        if exists {
            let ledger = open(folder.path());
            counted(&ledger).await;
            ledger.flush().await;
            drop(ledger);
            while std::fs::exists(folder.path().join("ledger.db-wal")).expect("a folder") {
                std::thread::yield_now();
            }
            mode(&path, 0o444);
        }
        mode(folder.path(), 0o555);
        let mut command = Command::new(std::env::current_exe().expect("a test binary"));
        if rustix::process::geteuid().is_root() {
            // Nothing is read-only to the superuser.
            command.uid(65_534);
        }
        let mut child: Child =
            helper(command, "read only", folder.path()).stdin(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        heard(&mut lines, "it is said");
        if exists {
            mode(&path, 0o666);
        }
        mode(folder.path(), 0o777);
        child.stdin.take().expect("piped").write_all(b"now\n").expect("it listens");
        heard(&mut lines, "it is gone");
        lines.for_each(drop);
        assert!(child.wait().expect("it ends").success());
        assert_eq!(assert_sound(&open(folder.path())).await.workspace.runs, 2 + u64::from(exists));
        assert_rows(folder.path(), &[]);
    }
}

/// Another name for a database and its log.
fn rename(folder: &Path, name: &str) {
    for companion in ["", "-wal", "-shm"] {
        let _ =
            std::fs::rename(folder.join(format!("ledger.db{companion}")), folder.join(format!("{name}{companion}")));
    }
}

#[tokio::test]
async fn who_still_has_the_file_open_that_another_process_replaced_goes_on_in_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = open(folder.path());
    counted(&ours).await;
    ours.flush().await;
    rename(folder.path(), "ledger.db.corrupt-1");
    let theirs = open(folder.path());
    counted(&theirs).await;
    counted(&ours).await;
    assert!(is_said(&ours, "replaced by another process"), "{:?}", ours.problem());
    assert_eq!(ours.savings().workspace.runs, 2, "theirs and ours");
    assert_eq!(theirs.runs(10).await.expect("runs").len(), 2);
    counted(&ours).await;
    assert_eq!(assert_sound(&ours).await.workspace.runs, 3);
}

#[tokio::test]
async fn a_folder_that_was_deleted_is_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let ledger = open(&data);
    counted(&ledger).await;
    ledger.flush().await;
    std::fs::remove_dir_all(&data).expect("it is ours");
    counted(&ledger).await;
    assert!(is_said(&ledger, "was moved"), "{:?}", ledger.problem());
    assert_eq!(assert_sound(&ledger).await.workspace.runs, 1);
}

#[tokio::test]
async fn taking_over_goes_on_where_a_killed_process_left_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    (0..30).for_each(|n| ledger.record(nth(n)));
    ledger.flush().await;
    drop(ledger);
    while std::fs::exists(folder.path().join("ledger.db-wal")).expect("a folder") {
        std::thread::yield_now();
    }
    rename(folder.path(), "ledger.db.corrupt-17");
    let note = folder.path().join("ledger.db.salvage-17");
    std::fs::write(&note, "").expect("written");
    let ledger = taken_over(folder.path()).await;
    assert_eq!(assert_sound(&ledger).await.workspace.runs, 30);
    assert!(!note.exists(), "it would be done for ever");
    ledger.flush().await;
    assert_rows(folder.path(), &[]);
}

#[tokio::test]
async fn beside_the_ledger_of_a_later_version_runs_go_on_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    counted(&ledger).await;
    ledger.flush().await;
    let later = rusqlite::Connection::open(options(folder.path()).path).expect("it opens");
    later.pragma_update(None, "user_version", 99).expect("it can be set");
    let ledger = open(folder.path());
    assert!(is_said(&ledger, "has schema 99") && is_said(&ledger, "in memory only"), "{:?}", ledger.problem());
    counted(&ledger).await;
    let there: i64 = later.query_row("SELECT COUNT(*) FROM runs", [], |row| row.get(0)).expect("a number");
    assert_eq!(there, 1, "it is left alone");
}

#[tokio::test]
async fn what_can_be_read_of_a_damaged_file_is_taken_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = options(folder.path()).path;
    let ledger = open(folder.path());
    (0..400).for_each(|n| ledger.record(nth(n)));
    ledger.settled().await;
    drop(ledger);
    while std::fs::exists(folder.path().join("ledger.db-wal")).expect("a folder") {
        std::thread::yield_now();
    }
    // The root of an index: nothing can be written, and all rows can be read.
    let database = rusqlite::Connection::open(&path).expect("it opens");
    let root = |name: &str| -> u64 {
        database
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [name], |row| row.get(0))
            .expect("it is there")
    };
    let (index, runs) = (root("calls_by_size"), root("runs"));
    drop(database);
    let spoil = |page: u64| {
        let mut bytes = std::fs::read(&path).expect("a database");
        let at = usize::try_from((page - 1) * 4_096).expect("a small file");
        bytes[at..at + 4_096].fill(0x55);
        std::fs::write(&path, bytes).expect("written");
    };
    spoil(index);
    let ledger = taken_over(folder.path()).await;
    assert!(is_said(&ledger, "400 runs and 600 calls of it were taken over"), "{:?}", ledger.problem());
    assert_eq!(assert_sound(&ledger).await.workspace.runs, 400);
    ledger.flush().await;
    drop(ledger);
    assert_rows(folder.path(), &[]);
    while std::fs::exists(folder.path().join("ledger.db-wal")).expect("a folder") {
        std::thread::yield_now();
    }
    // The table of the runs itself.
    spoil(runs);
    let ledger = taken_over(folder.path()).await;
    assert!(is_said(&ledger, "nothing of it could be read"), "{:?}", ledger.problem());
    counted(&ledger).await;
    assert_sound(&ledger).await;
}

/// The ledger, once it has done with what was damaged.
async fn taken_over(folder: &Path) -> Ledger {
    let ledger = open(folder);
    while !is_said(&ledger, "taken over") && !is_said(&ledger, "nothing of it could be read") {
        tokio::task::yield_now().await;
    }
    // What was written beside it is in its sums after a look.
    ledger.look();
    counted_until_seen(&ledger).await;
    ledger
}

/// Waits until the sums are those of the rows.
async fn counted_until_seen(ledger: &Ledger) {
    loop {
        let counted = ledger.runs(10_000).await.expect("runs").iter().filter(|run| run.tokens.is_some()).count();
        if ledger.savings().workspace.runs == counted as u64 {
            return;
        }
        tokio::task::yield_now().await;
    }
}
