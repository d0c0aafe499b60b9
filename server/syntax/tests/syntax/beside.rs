//! What is read of a server's resources and prompts: they are called like tools, by names with a dot.

use model::Language;
use syntax::{CallPlace, Context, Place, Usage, outline};

/// What stands at the `|`, which is taken out.
fn at(language: Language, marked: &str) -> Context {
    let offset = marked.find('|').expect("a mark");
    outline(&marked.replacen('|', "", 1), language).expect("an outline").context_at(offset)
}

fn call(language: Language, marked: &str) -> CallPlace {
    match at(language, marked) {
        Context::Call(place) => place,
        other => panic!("{marked}: {other:?}"),
    }
}

const PYTHON: &str = "from servers import hub\n";
const TYPESCRIPT: &str = "import * as hub from \"servers/hub\";\n";

fn both(rest: &str) -> [(Language, String); 2] {
    [(Language::Python, format!("{PYTHON}{rest}")), (Language::TypeScript, format!("{TYPESCRIPT}{rest}"))]
}

#[test]
fn the_text_that_a_call_begins_with_is_a_place_of_its_own() {
    for (language, text) in
        both("await hub.prompts.get(\"rev|\")").into_iter().chain(both("await hub.prompts.get(\"rev|"))
    {
        let place = call(language, &text);
        let start = text.find("rev").expect("there");
        assert_eq!((place.server.as_str(), place.tool.as_str()), ("hub", "prompts.get"));
        assert_eq!(place.place, Place::First { replace: start..start + 3 }, "{text}");
        assert_eq!(place.first, None, "it is not there yet");
    }
    let place = call(Language::Python, "from servers.hub import resources\nawait resources.read('|')");
    assert_eq!((place.tool.as_str(), place.place), ("resources.read", Place::First { replace: 56..56 }));
    let place = call(Language::Python, "import servers\nawait servers.hub.prompts.get(name=\"|\")");
    assert!(matches!(place.place, Place::Value { name, .. } if name == "name"));
}

#[test]
fn the_arguments_of_a_prompt_follow_its_name() {
    for (language, text) in both("await hub.prompts.get(\"review\", {\"code\": 1, \"st|\"})") {
        let place = call(language, &text);
        assert_eq!((place.first.as_deref(), place.is_inner, place.in_braces), (Some("review"), true, true), "{text}");
        assert!(matches!(place.place, Place::Name { is_quoted: true, .. }), "{text}");
        assert_eq!(place.given, ["code"]);
    }
    let place = call(Language::Python, &format!("{PYTHON}await hub.prompts.get(\"review\", st|)"));
    assert_eq!((place.first.as_deref(), place.is_inner), (Some("review"), false));
    let place = call(Language::Python, &format!("{PYTHON}await hub.prompts.get(name=\"review\", arguments={{|}})"));
    assert_eq!((place.first.as_deref(), place.is_inner), (Some("review"), true));
    let place =
        call(Language::TypeScript, &format!("{TYPESCRIPT}hub.prompts.get({{ name: \"review\", arguments: {{ | }} }})"));
    assert_eq!((place.first.as_deref(), place.is_inner), (Some("review"), true));
    let place = call(Language::TypeScript, &format!("{TYPESCRIPT}hub.prompts.get({{ na| }})"));
    assert_eq!((place.first, place.is_inner, place.in_braces), (None, false, true));
}

#[test]
fn after_the_dot_stands_what_can_be_asked() {
    for (language, text) in both("await hub.prompts.|") {
        let Context::Member { server, group, .. } = at(language, &text) else { panic!("{text}") };
        assert_eq!((server.as_str(), group.as_str()), ("hub", "prompts"));
    }
    let text = format!("{PYTHON}await hub.prompts.get.|");
    assert_eq!(at(Language::Python, &text), Context::Nothing);
}

#[test]
fn a_call_of_them_is_one_that_must_be_awaited() {
    let outline =
        outline(&format!("{PYTHON}hub.prompts.get(\"a\")\nawait hub.resources.read(\"u\")\n"), Language::Python);
    let calls: Vec<(String, Usage)> =
        outline.expect("an outline").calls.into_iter().map(|call| (call.tool, call.usage)).collect();
    assert_eq!(calls, [("prompts.get".to_owned(), Usage::Dropped), ("resources.read".to_owned(), Usage::Awaited)]);
}
