//! How programs become modules, and how errors find their way back.

use engine::script::prepare;
use model::{ErrorKind, Language, ProgramError};

fn javascript(code: &str) -> String {
    prepare(code, Language::JavaScript, "p.js").expect("it parses").source
}

fn typescript(code: &str) -> String {
    prepare(code, Language::TypeScript, "p.ts").expect("it parses").source
}

fn fails(code: &str, language: Language) -> ProgramError {
    prepare(code, language, "p.ts").expect_err("it does not parse")
}

const OR_RESULT: &str = "((value) => value === undefined ? result : value)";

#[test]
fn the_value_becomes_the_default_export() {
    for (code, want) in [
        ("1+1", "export default (await (1+1));"),
        ("f(); g() // last", "f(); export default (await (g())); // last"),
        ("a, b", "export default (await (a, b));"),
        ("const x = 1", "const x = 1"),
        ("\"text\"", "export default (await (\"text\"));"),
        ("main();\nasync function main() {}", "export default (await (main()));;\nasync function main() {}"),
        ("async function main() { return 1 }", "async function main() { return 1 }\nexport default await main();"),
        ("function main(a) {}", "function main(a) {}"),
        ("const f = () => main();\nfunction main() {}", "const f = () => main();\nfunction main() {}"),
        ("const a = 1;\n{ a, b: 2 }", "const a = 1;\nexport default (await ({ a, b: 2 }));"),
        ("{ let a = 1; f(a) }", "{ let a = 1; f(a) }"),
        ("{ a }", "export default (await ({ a }));"),
        ("f();\n{\n  a: 1,\n  b\n};\n", "f();\nexport default (await ({\n  a: 1,\n  b\n}));;\n"),
        ("return x", "export default (await ( x));"),
        ("f();\nreturn;", "f();\nexport default (await (undefined));;"),
        ("export default 7", "export default 7"),
        ("const x = 1; export { x as default }", "const x = 1; export { x as default }"),
        ("export const result = 3;", "export const result = 3;\nexport default result;"),
        ("const { result } = f(); // kept", "const { result } = f(); // kept\nexport default result;"),
        ("import 'tta';", "import 'tta';"),
        ("", ""),
    ] {
        assert_eq!(javascript(code), want, "{code}");
    }
}

#[test]
fn a_variable_named_result_stands_in_for_undefined() {
    let got = javascript("const result = 1;\nconsole.log(result)");
    assert_eq!(got, format!("const result = 1;\nexport default {OR_RESULT}(await (console.log(result)));"));
    let undeclared = javascript("import 'a';\nif (b) { result = 2 }");
    assert_eq!(undeclared, "let result; import 'a';\nif (b) { result = 2 }\nexport default result;");
    // Reading an undeclared `result` is a mistake, and stays one.
    assert_eq!(javascript("f(result)"), "export default (await (f(result)));");
}

#[test]
fn types_enums_and_parameter_properties_go() {
    let source = typescript(
        "import type { A } from 'a';\nenum Color { Red = 'r' }\nclass P { constructor(private x: number) {} get() { return this.x } }\n\
         const n = (new P(3).get() as number)!;\ninterface Q { a: string }\n[Color.Red, n] satisfies unknown[]",
    );
    for gone in ["interface", "private", "as number", "satisfies", "import type", "enum "] {
        assert!(!source.contains(gone), "{gone} in {source}");
    }
    assert!(
        source.contains("export default await [Color.Red, n]") || source.contains("export default (await"),
        "{source}"
    );
}

#[test]
fn syntax_errors_name_line_and_mend() {
    let error = fails("const a = 1;\nconst b = ;\n", Language::TypeScript);
    assert_eq!((error.kind, error.line), (ErrorKind::Syntax, Some(2)));
    assert!(error.message.starts_with("SyntaxError: "), "{}", error.message);
    assert!(
        error.traceback.as_deref().is_some_and(|t| t.contains("p.ts:2:11") && t.contains("const b = ;")),
        "{error:?}"
    );

    let hint = |code, language| fails(code, language).hint.unwrap_or_default();
    assert!(hint("const a: number = 1;\na", Language::JavaScript).contains("typescript"));
    assert!(hint("import json\nfor x in [1]:\n    print(x)", Language::TypeScript).contains("python"));
    let early = fails("if (true) {\n  return 1\n}\n2", Language::TypeScript);
    assert_eq!(early.line, Some(2));
    assert!(early.hint.is_some_and(|h| h.contains("main")));
    assert_eq!(fails("let a = 1;\nlet a = 2;", Language::TypeScript).kind, ErrorKind::Syntax);
}

#[test]
fn positions_are_those_of_the_source() {
    let code =
        "interface A {\n  a: string\n}\n\ntype B = A;\nfunction f(x: B) {\n  throw new Error(x.a)\n}\nf({ a: 'b' })\n";
    let prepared = prepare(code, Language::TypeScript, "p.ts").expect("it parses");
    let line_of = |text: &str| {
        let index = prepared.source.lines().position(|line| line.contains(text)).expect("it is in the module");
        (
            u32::try_from(index).expect("few lines") + 1,
            prepared.source.lines().nth(index).expect("just found").find(text).expect("just found") + 1,
        )
    };
    let (throw_line, throw_column) = line_of("throw");
    let (call_line, call_column) = line_of("f({");
    let error = ProgramError {
        line: Some(throw_line),
        traceback: Some(format!(
            "    at f (p.ts:{throw_line}:{throw_column})\n    at <module> (p.ts:{call_line}:{call_column})"
        )),
        ..ProgramError::new(ErrorKind::Exception, "Error: b")
    };
    let restored = prepared.in_source_lines(error);
    assert_eq!(restored.line, Some(7));
    assert_eq!(restored.traceback.as_deref(), Some("    at f (p.ts:7:3)\n    at <module> (p.ts:9:1)"));
}

#[test]
fn python_is_left_alone() {
    let code = "def f(:\n";
    assert_eq!(prepare(code, Language::Python, "p.py").expect("nothing is parsed").source, code);
}
