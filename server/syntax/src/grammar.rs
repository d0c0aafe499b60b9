//! What the walk must know of the two grammars: the kinds of nodes that open scopes, bind names, and use values.

use crate::scopes::Reach::{self, Around, Here, Outwards};
use model::Language;

/// One grammar's kinds. JavaScript is parsed as the TypeScript that it is.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub(crate) is_python: bool,
    pub(crate) call: &'static str,
    pub(crate) member: &'static str,
    /// The field of a member that holds its name; what it belongs to is `object` in both.
    pub(crate) property: &'static str,
    pub(crate) wait: &'static str,
    pub(crate) imports: &'static [&'static str],
    pub(crate) scopes: &'static [&'static str],
    /// Parent and field (any where empty) of an identifier that is bound, not used.
    bindings: &'static [(&'static str, &'static str, Reach)],
    /// Parent and field of an expression whose value must be there.
    values: &'static [(&'static str, &'static str)],
    /// What a call that is still under way may be asked.
    pub(crate) of_calls: &'static [&'static str],
}

/// The grammar of a language.
pub(crate) fn of(language: Language) -> &'static Grammar {
    if language == Language::Python { &PYTHON } else { &TYPESCRIPT }
}

impl Grammar {
    /// How far an identifier in this place binds its name; `None` where it is used.
    pub(crate) fn binds(&self, parent: &str, field: &str) -> Option<Reach> {
        let fits = |(of, at, _): &&(&str, &str, Reach)| *of == parent && (at.is_empty() || *at == field);
        self.bindings.iter().find(fits).map(|(_, _, reach)| *reach)
    }

    /// Whether an expression in this place must have its value.
    pub(crate) fn needs_value(&self, parent: &str, field: &str) -> bool {
        self.values.iter().any(|(of, at)| *of == parent && (at.is_empty() || *at == field))
    }
}

const PYTHON: Grammar = Grammar {
    is_python: true,
    call: "call",
    member: "attribute",
    property: "attribute",
    wait: "await",
    imports: &["import_statement", "import_from_statement", "future_import_statement"],
    scopes: &[
        "function_definition",
        "class_definition",
        "lambda",
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
    ],
    bindings: &[
        ("assignment", "left", Here),
        ("augmented_assignment", "left", Here),
        ("named_expression", "name", Outwards),
        ("for_statement", "left", Here),
        ("for_in_clause", "left", Here),
        ("as_pattern_target", "", Here),
        ("function_definition", "name", Around),
        ("class_definition", "name", Around),
        ("parameters", "", Here),
        ("lambda_parameters", "", Here),
        ("default_parameter", "name", Here),
        ("typed_default_parameter", "name", Here),
        // The type stands one node deeper.
        ("typed_parameter", "", Here),
        ("list_splat_pattern", "", Here),
        ("dictionary_splat_pattern", "", Here),
        ("pattern_list", "", Here),
        ("tuple_pattern", "", Here),
        ("list_pattern", "", Here),
        ("splat_pattern", "", Here),
        // Names in patterns of `match` stand in dotted names; elsewhere those are imports.
        ("dotted_name", "", Here),
        ("global_statement", "", Outwards),
        ("nonlocal_statement", "", Outwards),
        ("delete_statement", "", Outwards),
    ],
    values: &[
        ("subscript", "value"),
        ("attribute", "object"),
        ("for_statement", "right"),
        ("for_in_clause", "right"),
        ("interpolation", ""),
        ("binary_operator", ""),
        ("not_operator", ""),
        ("if_statement", "condition"),
        ("while_statement", "condition"),
    ],
    of_calls: &["add_done_callback", "cancel", "cancelled", "done", "exception", "remove_done_callback", "result"],
};

const TYPESCRIPT: Grammar = Grammar {
    is_python: false,
    call: "call_expression",
    member: "member_expression",
    property: "property",
    wait: "await_expression",
    imports: &["import_statement"],
    scopes: &[
        "function_declaration",
        "generator_function_declaration",
        "function_expression",
        "generator_function",
        "arrow_function",
        "method_definition",
        "class_declaration",
        "class",
        "statement_block",
        "for_statement",
        "for_in_statement",
        "catch_clause",
        "switch_body",
    ],
    bindings: &[
        ("variable_declarator", "name", Here),
        ("function_declaration", "name", Around),
        ("generator_function_declaration", "name", Around),
        ("function_expression", "name", Here),
        ("class_declaration", "name", Around),
        ("enum_declaration", "name", Here),
        ("required_parameter", "pattern", Here),
        ("optional_parameter", "pattern", Here),
        ("arrow_function", "parameter", Here),
        ("catch_clause", "parameter", Here),
        ("for_in_statement", "left", Here),
        ("object_pattern", "", Here),
        ("array_pattern", "", Here),
        ("rest_pattern", "", Here),
        ("pair_pattern", "value", Here),
        ("assignment_pattern", "left", Here),
        ("object_assignment_pattern", "left", Here),
        ("assignment_expression", "left", Outwards),
        ("augmented_assignment_expression", "left", Outwards),
        ("update_expression", "argument", Outwards),
    ],
    values: &[
        ("subscript_expression", "object"),
        ("member_expression", "object"),
        ("for_in_statement", "right"),
        ("spread_element", ""),
        ("template_substitution", ""),
        ("binary_expression", ""),
    ],
    of_calls: &["then", "catch", "finally", "constructor"],
};
