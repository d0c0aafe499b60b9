//! What programs write is in no file of the ledger.

use model::report::ReportRequest;
use model::{Language, Notice, Reply, Request, RunEvent, RunRequest, RunStatus};
use std::collections::BTreeSet;
use std::path::Path;
use testkit::TestDaemon;

/// Whether a file of the ledger holds a text; asked when the daemon has ended.
fn ledger_holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).any(|path| {
        let is_ledger = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ledger.db"));
        let holds = || std::fs::read(&path).expect("a file").windows(text.len()).any(|part| part == text.as_bytes());
        if path.is_dir() { ledger_holds(&path, text) } else { is_ledger && holds() }
    })
}

const NAMES: &str = "
import tta
from servers import good
for n in range(50):
    for server, tool in [('good', f'sesame{n}'), (f'sesame{n}', 'echo'), ('sesame' * 100_000, 'echo')]:
        try:
            await tta.call(server, tool, {})
        except Exception:
            pass
await good.echo(n=1)
";

#[tokio::test]
async fn a_name_that_only_a_program_wrote_is_told_to_it_and_not_kept() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).start().await;
    let reply = test.run(Language::Python, NAMES).await;
    assert_eq!(reply.status, RunStatus::Ok, "{:?}", reply.error);
    let told = &reply.calls[0];
    assert_eq!((told.server.as_str(), told.tool.as_str()), ("good", "sesame0"));
    assert!(told.error.as_ref().is_some_and(|error| error.contains("`sesame0`")), "{:?}", told.error);
    assert!(reply.calls.iter().all(|call| call.server.len() <= 200));
    let Ok(Reply::Receipt(receipt, _)) = test.ask(Request::Receipt { run_id: reply.run_id }).await else {
        panic!("a receipt")
    };
    let needed = &receipt.labels["direct.needed_servers"];
    assert!(needed.contains("definitions of 1 of 1 servers known"), "{needed}");
    let Ok(Reply::Report(report)) = test.ask(Request::Report(ReportRequest::default())).await else {
        panic!("a report")
    };
    let pairs: BTreeSet<(&str, &str, u64)> =
        report.tools.iter().map(|it| (it.server.as_str(), it.tool.as_deref().unwrap_or_default(), it.calls)).collect();
    assert_eq!(pairs, [("good", "echo", 1), ("good", "unknown", 50), ("unknown", "unknown", 100)].into());
    test.daemon.shutdown().await;
    assert!(ledger_holds(test.workspace(), "good"));
    assert!(!ledger_holds(test.workspace(), "sesame"));
}

#[tokio::test]
async fn a_program_without_a_name_is_listed_by_what_it_called() {
    let test = TestDaemon::builder().scripted("good", &["ok"]).scripted("more", &["ok"]).start().await;
    let mut notices = test.daemon.notices();
    let code = "await __import__('servers').good.echo(text='sesame')";
    test.run(Language::Python, code).await;
    test.run(Language::Python, "'sesame'").await;
    let Ok(Notice::Run(RunEvent::Started { label, .. })) = notices.recv().await else { panic!("it starts") };
    assert_eq!(label, code, "who looks on while it runs sees its first line");
    let code =
        "from servers import good, more\nfor n in range(3):\n    await good.echo(text=f'sesame{n}')\nawait more.echo()";
    let named = RunRequest {
        code: code.into(),
        language: Some(Language::Python),
        name: Some("open.py".into()),
        ..RunRequest::default()
    };
    test.run(Language::Python, code).await;
    let Ok(Reply::Run(reply)) = test.ask(Request::Run(named)).await else { panic!("a run answers") };
    test.ask(Request::Receipt { run_id: reply.run_id }).await.expect("it is counted");
    let Ok(Reply::Runs(runs)) = test.ask(Request::Runs { limit: 10 }).await else { panic!("runs answer") };
    let labels: Vec<&str> = runs.iter().map(|run| run.label.as_str()).collect();
    assert_eq!(labels, ["open.py", "good.echo × 3, more.echo", "no calls", "good.echo"]);
    test.daemon.shutdown().await;
    assert!(ledger_holds(test.workspace(), "open.py"));
    assert!(!ledger_holds(test.workspace(), "sesame"));
}
