//! What checking a value against a schema can cost at most, found before a validator is built.
//!
//! A validator visits schemas again for each way that leads to them: twenty `allOf`s that each name the next one twice are
//! a million visits, and an `anyOf` that contains itself doubles with each level of the value. So the number of visits is
//! computed for every depth of value, and whoever validates compares it with a budget.
//!
//! Invariant: `at(depth)` is an upper bound of the schema visits to any one value nested `depth` deep. Left out: string
//! lengths against patterns, which a linear-time engine makes proportional to the text.

use crate::schema::{self, Schema};
use serde_json::Value;
use std::collections::HashMap;

/// Schemas with more parts than this are not checked at all.
const NODES_MAX: usize = 20_000;
/// Depth of values up to which costs are computed, unless they stop growing earlier.
const DEPTH_MAX: usize = 64;
/// Costs above this count as infinite.
const COST_MAX: u64 = 1 << 40;

/// Why a schema cannot be checked safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unbounded {
    #[error("the schema has more than {NODES_MAX} parts")]
    Large,
    #[error("the schema refers to something outside itself")]
    Foreign,
    #[error("the schema refers to itself without end")]
    Endless,
    #[error("checking the schema could take exponential time")]
    Exponential,
}

/// Visits by depth of value.
#[derive(Debug)]
pub(crate) struct Cost {
    by_depth: Vec<u64>,
    /// Whether deeper values cost no more than the deepest computed.
    settled: bool,
}

impl Cost {
    /// Measures `root`.
    pub(crate) fn of(root: &Schema) -> Result<Self, Unbounded> {
        let graph = Graph::of(root)?;
        let order = graph.order()?;
        let mut by_depth = Vec::new();
        let mut previous = vec![0; graph.nodes.len()];
        for _ in 0..DEPTH_MAX {
            let costs = graph.costs(&order, &previous);
            if costs[0] > COST_MAX {
                break;
            }
            let settled = !by_depth.is_empty() && costs == previous;
            if settled {
                return Ok(Self { by_depth, settled });
            }
            by_depth.push(costs[0]);
            previous = costs;
        }
        if by_depth.is_empty() { Err(Unbounded::Exponential) } else { Ok(Self { by_depth, settled: false }) }
    }

    /// Schema visits to a value nested `depth` deep; 0 is a scalar.
    pub(crate) fn at(&self, depth: usize) -> u64 {
        match self.by_depth.get(depth) {
            Some(cost) => *cost,
            None if self.settled => *self.by_depth.last().expect("a measured schema has a cost at depth 0"),
            None => u64::MAX,
        }
    }
}

/// One schema, and the schemas it applies to the same value and to the values inside.
#[derive(Default)]
struct Node {
    here: Vec<usize>,
    inside: Vec<usize>,
}

struct Graph {
    /// The root is the first.
    nodes: Vec<Node>,
}

impl Graph {
    fn of(root: &Schema) -> Result<Self, Unbounded> {
        let mut nodes = vec![Node::default()];
        let mut known: HashMap<*const Schema, usize> = HashMap::from([(std::ptr::from_ref(root), 0)]);
        let mut open = vec![root];
        while let Some(schema) = open.pop() {
            let mut next: Vec<(&Schema, bool)> = Vec::new();
            schema::applied(schema, |sub, here| next.push((sub, here)));
            next.extend(target(root, schema)?.map(|target| (target, true)));
            let at = known[&std::ptr::from_ref(schema)];
            for (sub, here) in next {
                let to = *known.entry(std::ptr::from_ref(sub)).or_insert_with(|| {
                    open.push(sub);
                    nodes.push(Node::default());
                    nodes.len() - 1
                });
                if here { nodes[at].here.push(to) } else { nodes[at].inside.push(to) }
            }
            if nodes.len() > NODES_MAX {
                return Err(Unbounded::Large);
            }
        }
        Ok(Self { nodes })
    }

    /// The nodes so ordered that each comes after those it applies to the same value.
    fn order(&self) -> Result<Vec<usize>, Unbounded> {
        let mut waiting: Vec<usize> = self.nodes.iter().map(|node| node.here.len()).collect();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            node.here.iter().for_each(|to| users[*to].push(at));
        }
        let mut order: Vec<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
        let mut done = 0;
        while let Some(&at) = order.get(done) {
            done += 1;
            for &user in &users[at] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    order.push(user);
                }
            }
        }
        if order.len() == self.nodes.len() { Ok(order) } else { Err(Unbounded::Endless) }
    }

    /// The cost of every node for values one deeper than those that cost `inside`.
    fn costs(&self, order: &[usize], inside: &[u64]) -> Vec<u64> {
        let mut costs = vec![0_u64; self.nodes.len()];
        for &at in order {
            let node = &self.nodes[at];
            let here = node.here.iter().map(|to| costs[*to]);
            let inside = node.inside.iter().map(|to| inside[*to]);
            costs[at] = here.chain(inside).fold(1, u64::saturating_add);
        }
        costs
    }
}

/// What the schema's references point to.
fn target<'a>(root: &'a Schema, schema: &Schema) -> Result<Option<&'a Schema>, Unbounded> {
    let renamed =
        !std::ptr::eq(root, schema) && ["$id", "id"].iter().any(|k| schema.get(*k).is_some_and(Value::is_string));
    if renamed || schema.contains_key("$dynamicRef") || schema.contains_key("$recursiveRef") {
        return Err(Unbounded::Foreign);
    }
    match schema.get("$ref") {
        Some(Value::String(reference)) => schema::resolve(root, reference).map(Some).ok_or(Unbounded::Foreign),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn measure(schema: &Value) -> Result<Cost, Unbounded> {
        Cost::of(schema.as_object().expect("an object"))
    }

    fn cost(schema: &Value) -> Cost {
        measure(schema).expect("bounded")
    }

    fn refusal(schema: &Value) -> Option<Unbounded> {
        measure(schema).err()
    }

    #[test]
    fn a_plain_schema_costs_its_parts() {
        let plain = cost(&json!({"properties": {"a": {"type": "string"}, "b": {"items": {}}}}));
        assert_eq!((plain.at(0), plain.at(1), plain.at(2), plain.at(90)), (1, 3, 4, 4));
    }

    #[test]
    fn a_tree_costs_one_visit_a_level() {
        let tree = cost(&json!({"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}}}}}));
        assert_eq!(tree.at(10), 2 + 2 * 10);
    }

    #[test]
    fn alternatives_that_contain_themselves_double() {
        let inside = json!({"items": {"$ref": "#/$defs/n"}});
        let twice = cost(&json!({"$defs": {"n": {"anyOf": [inside, inside]}}, "$ref": "#/$defs/n"}));
        assert!(twice.at(10) > 1_000 && twice.at(60) == u64::MAX);
    }

    #[test]
    fn schemas_without_a_bound_are_refused() {
        let circle = json!({"allOf": [{"$ref": "#/allOf/1"}, {"$ref": "#/allOf/0"}]});
        assert_eq!(refusal(&circle), Some(Unbounded::Endless));
        assert_eq!(refusal(&json!({"$ref": "#"})), Some(Unbounded::Endless));
        assert_eq!(refusal(&json!({"$ref": "https://example.com/s.json"})), Some(Unbounded::Foreign));
        assert_eq!(refusal(&json!({"$ref": "file:///etc/passwd"})), Some(Unbounded::Foreign));
        let mut doubling = json!({"$ref": "#/$defs/d0", "$defs": {"d60": {}}});
        for n in 0..60 {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            doubling["$defs"][format!("d{n}")] = json!({"allOf": [next, next]});
        }
        assert_eq!(refusal(&doubling), Some(Unbounded::Exponential));
    }
}
