//! What outlives a killed process, a second process, and a damaged file.

use crate::support::{call, open, options, run};
use ledger::{Ledger, RunFacts};
use model::{RunStatus, SavingsSummary};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const HELPER: &str = "LEDGER_TEST_HELPER";
const FOLDER: &str = "LEDGER_TEST_FOLDER";

/// Not a test of its own: the other process of the tests below, which start this binary again with a task.
#[test]
fn helper_process() {
    let (Ok(task), Ok(folder)) = (std::env::var(HELPER), std::env::var(FOLDER)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ledger = open(Path::new(&folder));
    runtime.block_on(async {
        match task.as_str() {
            "count for ever" => loop {
                let facts = one_call();
                ledger.record(facts.clone());
                ledger.receipt(&facts.run_id).await.expect("counted");
                println!("counted {}", facts.run_id);
            },
            // Without the tokenizer, so that a process writes within milliseconds of its start.
            "write for ever" => loop {
                let facts = one_call();
                ledger.record(facts.clone());
                ledger.flush_within(std::time::Duration::ZERO).await;
                println!("counted {}", facts.run_id);
            },
            "count long" => {
                ledger.record(long_run());
                ledger.flush().await;
            }
            "count fifty" => {
                (0..50).for_each(|_| ledger.record(one_call()));
                ledger.settled().await;
            }
            "fill the disk" => crate::failures::full_disk(&ledger).await,
            "read only" => crate::failures::read_only(&ledger).await,
            other => panic!("no task {other}"),
        }
    });
}

fn start(task: &str, folder: &Path) -> Child {
    let command = Command::new(std::env::current_exe().expect("a test binary"));
    helper(command, task, folder).spawn().expect("this binary starts")
}

/// This binary, as a command starts it, with a task.
pub(crate) fn helper(mut command: Command, task: &str, folder: &Path) -> Command {
    command.args(["durability::helper_process", "--exact", "--nocapture"]).env(HELPER, task).env(FOLDER, folder);
    command.stdout(Stdio::piped());
    command
}

pub(crate) fn one_call() -> RunFacts {
    run(RunStatus::Ok, vec![call("fs", "read", 0, r#"{"path":"a"}"#, "some text of a file")])
}

/// A run that takes seconds to count: forty different answers of a megabyte.
fn long_run() -> RunFacts {
    let calls = (0..40).map(|n| call("fs", "read", n, "{}", &format!("{n} words of one answer, ").repeat(40_000)));
    run(RunStatus::Ok, calls.collect())
}

/// Every stored receipt adds up to the stored totals.
pub(crate) async fn assert_sound(ledger: &Ledger) -> SavingsSummary {
    let savings = ledger.savings();
    let listed = ledger.runs(10_000).await.expect("runs can be read");
    let counted: Vec<_> = listed.iter().filter_map(|run| run.tokens.as_ref()).collect();
    assert_eq!(counted.len() as u64, savings.workspace.runs);
    assert_eq!(counted.iter().map(|report| report.saved).sum::<i64>(), savings.workspace.tokens.saved);
    let billed: u64 = counted.iter().map(|report| report.direct.deferred.total).sum();
    assert_eq!(billed, savings.workspace.tokens.direct.deferred.total);
    savings
}

#[tokio::test]
async fn what_was_counted_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start("count for ever", folder.path());
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let counted: Vec<String> = lines
        .map_while(Result::ok)
        .filter_map(|line| Some(line.split_once("counted ")?.1.to_owned()))
        .take(25)
        .collect();
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!(counted.len(), 25);
    let ledger = open(folder.path());
    assert_eq!(ledger.problem(), None);
    assert!(assert_sound(&ledger).await.workspace.runs >= 25);
    for id in &counted {
        assert!(ledger.receipt(&id.as_str().into()).await.is_some(), "{id} was counted and is gone");
    }
}

/// How often the writer is killed: 5 times, or as often as the variable says.
fn kills() -> u32 {
    std::env::var("TTA_KILLS").map_or(5, |text| text.parse().expect("TTA_KILLS is a number"))
}

#[tokio::test]
async fn kill_9_at_any_moment_loses_no_committed_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut said: Vec<String> = Vec::new();
    for kill in 0..kills() {
        let mut child = start("write for ever", folder.path());
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut counted =
            lines.map_while(Result::ok).filter_map(|line| Some(line.split_once("counted ")?.1.to_owned()));
        // At a moment that is another one each time: after so many commits, and so much of the next one's time.
        said.extend(counted.by_ref().take(1 + kill as usize * 7 % 23));
        for _ in 0..kill * 7_919 % 60_000 {
            std::hint::spin_loop();
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        said.extend(counted);
        assert_rows(folder.path(), &said);
    }
    let ledger = open(folder.path());
    assert_eq!(ledger.problem(), None);
    assert_eq!(ledger.check().await.expect("it can be checked"), Vec::<String>::new());
    println!("{} kills, {} runs, sound", kills(), ledger.savings().workspace.runs);
}

/// Every run that was said to be counted is there, and every sum is that of the rows.
pub(crate) fn assert_rows(folder: &Path, said: &[String]) {
    let database = rusqlite::Connection::open(options(folder).path).expect("it opens");
    let mut found = database.prepare("SELECT counted FROM runs WHERE run_id = ?").expect("SQL");
    for id in said {
        assert!(found.query_row([id], |row| row.get::<_, bool>(0)).expect("a row"), "{id} was counted and is gone");
    }
    let row = |sql: &str| -> Vec<i64> {
        let all = |row: &rusqlite::Row<'_>| (0..row.as_ref().column_count()).map(|n| row.get(n)).collect();
        database.query_row(sql, [], all).expect("one row")
    };
    let runs = row("SELECT COUNT(*), IFNULL(SUM(calls), 0) FROM runs WHERE counted = 1");
    assert_eq!(row("SELECT runs, calls FROM tally"), runs);
    assert_eq!(row("SELECT COUNT(*) / 4, COUNT(*) % 4 FROM sides"), [runs[0], 0]);
    assert_eq!(row("SELECT SUM(total) FROM totals"), row("SELECT IFNULL(SUM(total), 0) FROM sides"));
    let all = "scope = (SELECT id FROM scopes WHERE tag = '' AND server = '' AND tool = '')";
    for step in [0, 1, 2] {
        let sums = format!("SELECT SUM(runs), SUM(calls) FROM run_sums WHERE {all} AND step = {step}");
        assert_eq!(row(&sums), runs);
    }
    for step in [0, 1, 2] {
        let sums = format!("SELECT SUM(calls), SUM(result_tokens) FROM call_sums WHERE {all} AND step = {step}");
        assert_eq!(row(&sums), row("SELECT COUNT(*), SUM(result_tokens) FROM calls"));
    }
}

#[tokio::test]
async fn a_run_that_was_being_counted_at_kill_9_stays_listed_without_a_receipt() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    let mut child = start("count long", folder.path());
    let listed = loop {
        let listed = ledger.runs(10).await.expect("runs can be read");
        if !listed.is_empty() {
            break listed;
        }
        assert!(child.try_wait().expect("a child").is_none(), "it ended without a row");
    };
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert_eq!((listed.len(), listed[0].calls, listed[0].tokens.is_none()), (1, 40, true));
    assert_eq!(ledger.receipt(&listed[0].run_id).await, None);
    assert_eq!(assert_sound(&open(folder.path())).await.workspace.runs, 0);
}

#[tokio::test]
async fn processes_share_a_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let children: Vec<Child> = (0..2).map(|_| start("count fifty", folder.path())).collect();
    let ledger = open(folder.path());
    (0..50).for_each(|_| ledger.record(one_call()));
    for mut child in children {
        let output = std::io::read_to_string(child.stdout.take().expect("piped")).expect("text");
        assert!(child.wait().expect("it ends").success(), "{output}");
    }
    ledger.settled().await;
    assert_eq!(ledger.problem(), None);
    assert_eq!(ledger.savings().session.runs, 50);
    assert_eq!(assert_sound(&open(folder.path())).await.workspace.runs, 150);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = options(folder.path()).path;
    std::fs::write(&path, "this was never a database, but somebody may want it back".repeat(100)).expect("written");
    let ledger = open(folder.path());
    let problem = ledger.problem().expect("it is said");
    let kept: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("ledger.db.corrupt-"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(problem.contains(&kept[0]), "{problem}");
    let content = std::fs::read_to_string(folder.path().join(&kept[0])).expect("kept");
    assert!(content.starts_with("this was never a database"));
    let facts = one_call();
    ledger.record(facts.clone());
    assert!(ledger.receipt(&facts.run_id).await.is_some(), "the new one works");
}

#[tokio::test]
async fn a_file_damaged_while_open_costs_no_run_of_this_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open(folder.path());
    ledger.record(one_call());
    ledger.flush().await;
    let path = options(folder.path()).path;
    // A schema that no longer parses, and the sign by which other connections notice.
    let damage = rusqlite::Connection::open(&path).expect("it opens");
    damage
        .execute_batch(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'nonsense' WHERE name = 'runs';
             PRAGMA schema_version = 99;",
        )
        .expect("it can be damaged");
    drop(damage);
    let facts = one_call();
    ledger.record(facts.clone());
    assert!(ledger.receipt(&facts.run_id).await.is_some());
    assert!(ledger.problem().is_some_and(|problem| problem.contains("was damaged")), "{:?}", ledger.problem());
    assert_eq!(ledger.savings().session.runs, 2);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let refused = Ledger::open(options(&folder.path().join("file/below")), |_| ()).expect_err("a file is in the way");
    assert!(refused.to_string().contains("writable"), "{refused}");
}
