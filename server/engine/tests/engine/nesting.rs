//! Programs made to overflow a recursive parser: refused or parsed, never the end of the process.

use engine::script::prepare;
use model::{ErrorKind, Language};

/// What nests by repetition: before, around and after the repeated parts.
struct Shape {
    start: &'static str,
    open: &'static str,
    core: &'static str,
    close: &'static str,
    end: &'static str,
}

const fn shape(
    start: &'static str,
    open: &'static str,
    core: &'static str,
    close: &'static str,
    end: &'static str,
) -> Shape {
    Shape { start, open, core, close, end }
}

const SHAPES: &[Shape] = &[
    shape("", "(", "1", ")", ""),
    shape("", "[", "1", "]", ""),
    shape("", "{", "", "}", ""),
    shape("x=", "{a:", "1", "}", ""),
    shape("", "`${", "1", "}`", ""),
    shape("", "a`${", "1", "}`", ""),
    shape("", "!", "1", "", ""),
    shape("", "- ", "1", "", ""),
    shape("", "typeof ", "1", "", ""),
    shape("", "await ", "1", "", ""),
    shape("", "new ", "a", "", ""),
    shape("", "a=>", "1", "", ""),
    shape("", "async()=>", "1", "", ""),
    shape("", "()=>{", "", "}", ""),
    shape("", "(a=", "1", ")=>1", ""),
    shape("", "a?b:", "1", "", ""),
    shape("", "a?", "1", ":b", ""),
    shape("", "a**", "1", "", ""),
    shape("", "a=", "1", "", ""),
    shape("", "1+", "1", "", ""),
    shape("", "a&&", "1", "", ""),
    shape("", "a??", "1", "", ""),
    shape("", "", "a", ".b", ""),
    shape("", "", "a", "?.b", ""),
    shape("", "", "a", "()", ""),
    shape("", "", "a", "[0]", ""),
    shape("", "", "a", "``", ""),
    shape("", "if(a)", ";", "", ""),
    shape("", "if(a);else ", ";", "", ""),
    shape("", "for(;;)", ";", "", ""),
    shape("", "for(a of b)", ";", "", ""),
    shape("", "while(1)", ";", "", ""),
    shape("", "do ", ";", " while(1)", ""),
    shape("", "try{", "", "}catch{}", ""),
    shape("", "switch(1){case 1:", "", "}", ""),
    shape("", "function f(){", "", "}", ""),
    shape("", "(function(){return ", "1", "})()", ""),
    shape("x=", "class{x=", "1", "}", ""),
    shape("x=", "class extends ", "a", "{}", ""),
    shape("", "class A{static{", "", "}}", ""),
    shape("", "import(", "1", ")", ""),
    shape("let ", "[", "a", "]", "=b"),
    shape("let ", "{a:", "b", "}", "=c"),
    shape("", "", "a", "!", ""),
    shape("", "", "a", " as any", ""),
    shape("", "<any>", "a", "", ""),
    shape("let x:", "A<", "B", ">", ""),
    shape("let x:", "A<b,", "B", ">", ""),
    shape("let x:", "", "B", "[]", ""),
    shape("let x:", "keyof ", "B", "", ""),
    shape("let x:", "()=>", "B", "", ""),
    shape("let x:", "{a:", "B", "}", ""),
    shape("let x:", "[", "B", "]", ""),
    shape("let x:", "(", "B", ")", ""),
    shape("let x:", "A extends B?", "C", ":D", ""),
    shape("let x:", "A extends B?C:", "D", "", ""),
    shape("let x:", "A|", "B", "", ""),
    shape("", "namespace N{", "export let x", "}", ""),
];

fn program(shape: &Shape, times: usize) -> String {
    format!("{}{}{}{}{}", shape.start, shape.open.repeat(times), shape.core, shape.close.repeat(times), shape.end)
}

#[test]
fn deep_programs_are_parsed_or_refused() {
    for shape in SHAPES {
        for language in [Language::TypeScript, Language::JavaScript] {
            for times in [200, 2_500] {
                // Whether it is an error does not matter here; returning at all does.
                let _ = prepare(&program(shape, times), language, "deep.ts");
            }
        }
    }
}

#[test]
fn absurdly_deep_programs_are_refused_with_a_hint() {
    for shape in SHAPES {
        let Err(error) = prepare(&program(shape, 100_000), Language::TypeScript, "deep.ts") else {
            panic!("100,000 times {:?} was parsed", shape.open);
        };
        assert_eq!(error.kind, ErrorKind::Syntax);
        assert!(error.message.contains("nest deeper"), "{}", error.message);
        assert!(error.hint.is_some());
    }
}
