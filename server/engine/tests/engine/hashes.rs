//! Nobody can choose beforehand what collides in a hash table of a run.

use crate::host::{engine, program, run, value};
use engine::Program;
use model::{Language, Limits};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

const PY: Language = Language::Python;

#[tokio::test(flavor = "multi_thread")]
async fn every_run_hashes_texts_and_bytes_by_its_own_secret() {
    let engine = engine();
    for code in [
        "hash('a text of no library')",
        "hash('ein Text aus keiner Bibliothek, größer')",
        "hash('x' * 100_000)",
        "hash(b'bytes of no library')",
        "hash(memoryview(b'bytes of no library'))",
        "hash(('a text of no library', 1))",
        "import datetime\nhash(datetime.datetime(1847, 3, 2, 1, 5, 9))",
        "import re\nhash(re.compile('[p]attern of no library'))",
    ] {
        let mut drawn: Vec<Value> = Vec::new();
        for _ in 0..3 {
            let value = value(&engine, PY, code).await;
            assert!(!drawn.contains(&value), "{code} was {value} twice");
            drawn.push(value);
        }
    }
}

/// Of 300,000 texts those with twelve equal low bits: where a dictionary of up to 4,096 slots looks first.
#[tokio::test(flavor = "multi_thread")]
async fn texts_that_collide_in_one_run_do_not_in_the_next() {
    let engine = engine();
    let found =
        value(&engine, PY, "[t for t in (f'text {i}' for i in range(300_000)) if hash(t) & 4095 == 77][:50]").await;
    assert_eq!(found.as_array().map(Vec::len), Some(50));
    let next = Program {
        input_json: found.to_string(),
        ..program(PY, "import tta\nlen({hash(t) & 4095 for t in tta.inputs})")
    };
    let host = Arc::new(crate::host::Scripted::default());
    let outcome = engine.run(next, Limits::default(), host, CancellationToken::new()).await;
    let places: u32 = outcome.result.as_ref().and_then(|r| r.get().parse().ok()).expect("a number");
    assert!(places > 40, "50 texts lie in {places} places");
}

/// `CPython`'s function on this platform is FNV in words of four bytes: flipping the top bits of two neighbours changes
/// nothing, whatever its secret is. 1,024 texts would have one hash.
#[tokio::test(flavor = "multi_thread")]
async fn texts_that_collide_under_any_secret_of_the_interpreter_do_not() {
    let engine = engine();
    let code = "import itertools\n\
        pieces = itertools.product(('abcdefgh', 'abcäefgè'), repeat=10)\n\
        len({hash(''.join(some) + 'rest') for some in pieces})";
    let hashes = value(&engine, PY, code).await.as_u64().expect("a number");
    assert!(hashes > 1_000, "1,024 texts have {hashes} hashes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_cannot_choose_its_secret() {
    let engine = engine();
    let code = "from sandbox import _hashing\nfirst = hash('a text of no library')\n_hashing.begin(bytes(20))\n\
        [first == hash('a text of ' + 'no library'), first]";
    let mut drawn = BTreeSet::new();
    for _ in 0..2 {
        let value = value(&engine, PY, code).await;
        assert_eq!(value[0], json!(true));
        drawn.insert(value[1].to_string());
    }
    assert_eq!(drawn.len(), 2);
    for code in
        ["_hashing.begin(b'short')", "_hashing.begin('text')", "_hashing.seal(((str, bytes), ()))", "_hashing.seal(())"]
    {
        let outcome = run(&engine, PY, &format!("from sandbox import _hashing\n{code}"), Limits::default()).await;
        assert!(outcome.error.is_some(), "{code} returned {:?}", outcome.result);
    }
}
