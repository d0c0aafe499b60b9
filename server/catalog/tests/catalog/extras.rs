//! What a server lists beside its tools, in search and in stubs.

use catalog::{Catalog, ServerTools};
use model::beside::{Beside, Prompt, PromptArgument, Resource};
use model::tool::HitKind;
use model::{Detail, Language};
use serde_json::json;
use std::sync::Arc;

fn argument(name: &str, required: bool) -> PromptArgument {
    PromptArgument { name: name.into(), description: Some(format!("About {name}.")), required }
}

fn resource(uri: &str, name: &str) -> Resource {
    Resource { uri: uri.into(), name: name.into(), description: None }
}

fn beside() -> Beside {
    let review = vec![argument("code", true), argument("style-guide", false)];
    let pages = (1..=40).map(|n| resource(&format!("wiki://handbook/{n}"), &format!("Handbook page {n}")));
    Beside {
        prompts: vec![
            Prompt {
                name: "review".into(),
                description: Some("Reviews a change. In depth.".into()),
                arguments: review,
            },
            Prompt { name: "greet".into(), description: None, arguments: Vec::new() },
        ],
        templates: vec![Resource {
            uri: "issue://{number}".into(),
            name: "Ticket".into(),
            description: Some("One ticket by its number.".into()),
        }],
        resources: pages.collect(),
        resource_count: 40,
        has_more: false,
        tells_changes: false,
    }
}

fn catalog(beside: Beside) -> Catalog {
    let tool = |name: &str, description: &str| json!({"name": name, "description": description, "inputSchema": {"type": "object"}});
    let tools = json!([tool("list_pages", "Lists the pages of the handbook."), tool("close", "Closes a ticket.")]);
    let tools: Vec<model::ToolDefinition> = serde_json::from_value(tools).expect("definitions");
    let other = ServerTools::new("fs", "fs", Vec::new().into());
    let server = ServerTools::new("my-hub", "my_hub", tools.into()).with_beside(Arc::new(beside));
    Catalog::new(vec![Arc::new(other), Arc::new(server)])
}

fn found(catalog: &Catalog, query: &str) -> Vec<String> {
    catalog.search(query, None, 50).hits.iter().map(|hit| hit.tool.path.clone()).collect()
}

#[test]
fn a_list_of_everything_has_each_prompt_and_template_and_one_line_for_all_resources() {
    let catalog = catalog(beside());
    assert_eq!(
        found(&catalog, ""),
        [
            "my_hub.list_pages",
            "my_hub.close",
            r#"my_hub.prompts.get("review")"#,
            r#"my_hub.prompts.get("greet")"#,
            r#"my_hub.resources.read("issue://{number}")"#,
            "my_hub.resources.list()",
        ]
    );
    assert_eq!(catalog.entry_count(), 6);
    assert_eq!(catalog.search("", None, 50).searched, 6);
    let all = catalog.search("", None, 50).hits[5].to_wire(Language::Python, Detail::Signature);
    let line =
        "await my_hub.resources.list()  # 40 resources: wiki://handbook/1, wiki://handbook/2, wiki://handbook/3, …";
    assert_eq!((all.kind, all.stub.as_str()), (HitKind::Resources, line));
}

#[test]
fn each_is_found_by_its_words_and_resources_do_not_crowd_out_tools() {
    let catalog = catalog(beside());
    assert_eq!(found(&catalog, "review a change")[0], r#"my_hub.prompts.get("review")"#);
    assert_eq!(found(&catalog, "style guide")[0], r#"my_hub.prompts.get("review")"#, "by its argument");
    assert_eq!(found(&catalog, "ticket number")[0], r#"my_hub.resources.read("issue://{number}")"#);
    let pages = found(&catalog, "handbook page");
    assert_eq!(pages[0], "my_hub.list_pages", "{pages:?}");
    let single = pages.iter().filter(|path| path.contains("wiki://")).count();
    assert_eq!(single, 3, "{pages:?}");
    assert_eq!(found(&catalog, "handbook page 17")[..2].iter().filter(|path| path.contains("/17")).count(), 1);
    assert_eq!(found(&catalog, "wiki://handbook/33")[0], r#"my_hub.resources.read("wiki://handbook/33")"#);
}

#[test]
fn a_prompt_is_written_as_a_program_asks_for_it_with_its_arguments_typed() {
    let catalog = catalog(beside());
    let server = catalog.server("my_hub").expect("it is there");
    let stub = |name: &str, language, detail| server.prompt(name).expect("listed").stub(language, detail);
    assert_eq!(
        stub("review", Language::Python, Detail::Signature),
        r#"await my_hub.prompts.get("review", {"code": str, "style-guide"?: str})  # Reviews a change."#
    );
    assert_eq!(
        stub("review", Language::TypeScript, Detail::Full),
        "await my_hub.prompts.get(\"review\", { code: string; \"style-guide\"?: string });  // Reviews a change.\n\
         // code: About code.\n// style-guide: About style-guide."
    );
    assert_eq!(stub("greet", Language::Python, Detail::Signature), r#"await my_hub.prompts.get("greet")  # prompt"#);
    assert_eq!(stub("greet", Language::Python, Detail::Name), r#"my_hub.prompts.get("greet")"#);
    let template = server.extras().iter().find(|entry| entry.kind == HitKind::Template).expect("listed");
    assert_eq!(
        template.stub(Language::Python, Detail::Signature),
        r#"await my_hub.resources.read("issue://{number}")  # Ticket: One ticket by its number."#
    );
}

#[test]
fn that_a_server_tells_of_changes_is_said_where_it_does() {
    let line = |beside: Beside| {
        let catalog = catalog(beside);
        let offered = catalog.server("my-hub").expect("it is there").offered().count();
        let hits = catalog.search("resources", None, 50).hits;
        let all = hits.iter().find(|hit| hit.tool.kind == HitKind::Resources).map(|hit| hit.tool.summary().to_owned());
        (all, offered)
    };
    let (all, offered) = line(Beside { tells_changes: true, ..beside() });
    let all = all.expect("there are some");
    assert!(all.starts_with("40 resources (resources.subscribe(uri) tells of changes): wiki://handbook/1"), "{all}");
    let none = Beside { resources: Vec::new(), resource_count: 0, ..beside() };
    let only_templates = line(Beside { tells_changes: true, ..none.clone() }).0;
    assert_eq!(only_templates.as_deref(), Some("0 resources (resources.subscribe(uri) tells of changes)"));
    assert_eq!((line(none).0, line(beside()).1), (None, offered - 1));
}

#[test]
fn what_a_server_says_of_them_stays_inside_its_quotes_and_its_comment_and_is_bounded() {
    let hostile = "x\")\nimport os\n\u{202e}# ";
    let arguments = (0..32).map(|n| argument(&format!("{hostile}{n}{}", "y".repeat(200)), true)).collect();
    let prompt = Prompt { name: hostile.into(), description: Some(hostile.repeat(100)), arguments };
    let one = Resource { uri: hostile.into(), name: hostile.into(), description: Some(hostile.to_owned()) };
    let (templates, resources) = (vec![one.clone()], vec![one]);
    let catalog = catalog(Beside { prompts: vec![prompt], templates, resources, resource_count: 1_000, ..beside() });
    for entry in catalog.server("my-hub").expect("it is there").extras() {
        for language in [Language::Python, Language::TypeScript] {
            let stub = entry.stub(language, Detail::Signature);
            assert_eq!(stub.lines().count(), 1, "{stub}");
            assert!(stub.len() < 1_000 && !stub.contains('\u{202e}'), "{stub}");
            let full = entry.stub(language, Detail::Full);
            assert!(full.lines().skip(1).all(|line| line.starts_with("# ") || line.starts_with("// ")), "{full}");
            assert!(full.len() < 8_000, "{}", full.len());
        }
    }
}

#[test]
fn a_server_without_any_has_no_entries_of_it() {
    let catalog = catalog(Beside::default());
    assert_eq!(found(&catalog, ""), ["my_hub.list_pages", "my_hub.close"]);
    assert!(catalog.server("my-hub").expect("it is there").extras().is_empty());
}
