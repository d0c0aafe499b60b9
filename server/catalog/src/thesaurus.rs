//! Words that mean nearly the same in the names of tools.
//!
//! People ask to *make a folder*, servers offer `create_directory`. Each line is one meaning of general API vocabulary; a
//! word may stand in several. Products, and anything that only one server would understand, don't belong here.

use crate::words::Words;
use std::sync::LazyLock;

/// One meaning a line. Phrases are not supported.
const MEANINGS: &str = "
    create make new add generate open
    add append insert attach
    delete remove erase drop discard destroy
    read get fetch retrieve load open
    get show view display describe inspect
    download fetch retrieve scrape
    list enumerate show all search
    update edit modify change patch set replace
    write save store
    search find query look lookup grep
    run execute exec invoke launch start
    start begin launch
    stop end terminate kill cancel abort
    move rename
    copy duplicate clone fork
    send post publish submit
    check validate verify test lint
    compare diff difference changes
    convert transform translate
    count number total
    wait sleep pause
    undo revert reset restore
    folder directory dir
    file document
    command shell terminal console bash
    program script code snippet
    error exception failure problem diagnostics
    issue ticket bug
    repository repo
    history log commits
    picture image photo screenshot
    url link address
    website site page web
    database db
    table schema
    user person people member account
    message comment note
    email mail
    now current today
    timezone zone
    container pod
    usage consumption resource
    size length bytes
    permission access rights
    definition declaration
    reference usage usages
    doc docs documentation manual reference
    library package module dependency
    paper article publication
    multiple several many
    settings config configuration options
    kubernetes k8s
    javascript js
    python py
    typescript ts
";

/// The meanings as stems.
static STEMS: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let words = Words::new();
    MEANINGS.lines().map(|line| line.split_whitespace().filter_map(|word| words.stem(word)).collect()).collect()
});

/// The stems that share a meaning with `stem`, each once.
pub(crate) fn synonyms(stem: &str) -> Vec<&'static str> {
    let mut out: Vec<&str> = Vec::new();
    for meaning in STEMS.iter().filter(|meaning| meaning.iter().any(|known| known == stem)) {
        out.extend(meaning.iter().map(String::as_str).filter(|other| *other != stem));
    }
    out.sort_unstable();
    out.dedup();
    out
}
