//! What a program printed before something stopped it.

use crate::host::{engine, run};
use model::{Language, Limits, RunStatus};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_program_has_said_what_it_said() {
    let engine = engine();
    let limits = || Limits { deadline_ms: 1_500, ..Limits::default() };
    for (language, code) in [
        (Language::Python, "print('before')\nwhile True: pass"),
        (
            Language::Python,
            "import sys\nprint('before', file=sys.stderr)\nsys.stdout.write('before\\n')\nwhile True: pass",
        ),
        (Language::JavaScript, "console.log('before'); for (;;) {}"),
    ] {
        let outcome = run(&engine, language, code, limits()).await;
        assert_eq!((outcome.status, outcome.stdout.as_str()), (RunStatus::Limit, "before\n"), "{code}");
    }
    let many = run(&engine, Language::Python, "for n in range(1000): print(n)\nwhile True: pass", limits()).await;
    assert!(many.stdout.lines().count() >= 200, "{} lines", many.stdout.lines().count());
}
