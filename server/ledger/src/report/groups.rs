//! Sums sorted into the groups that a report shows.

use crate::cells::sides_from_bytes;
use crate::receipt::Sides;
use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::report::{CallGroup, RunGroup, SeriesStep};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Adds runs and calls of one key, with their sides as they are stored, to a step of a series.
pub(crate) fn add_to_step(step: &mut SeriesStep, key: &RunKey, (runs, calls): (u64, u64), sides: &[u8]) {
    step.runs += runs;
    step.failed_runs += if key.status == "ok" { 0 } else { runs };
    step.calls += calls;
    let [code_mode, deferred, all_servers, needed_servers] = sides_from_bytes(sides);
    step.code_mode += code_mode.total;
    step.deferred += deferred.total;
    step.all_servers += all_servers.total;
    step.needed_servers += needed_servers.total;
}

/// Runs by one part of their key, most runs first.
pub(crate) fn run_groups(runs: &[(RunKey, RunSums)], by: impl Fn(&RunKey) -> &String) -> Vec<RunGroup> {
    let mut groups: BTreeMap<&str, RunGroup> = BTreeMap::new();
    for (key, sums) in runs {
        let name = by(key).as_str();
        let group = groups.entry(name).or_insert_with(|| RunGroup { key: name.to_owned(), ..RunGroup::default() });
        add_to_group(group, key, (sums.runs, sums.calls), &sums.sides);
    }
    let mut groups: Vec<RunGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| Reverse(group.runs));
    groups
}

/// Adds runs and calls of one key to a group.
pub(crate) fn add_to_group(group: &mut RunGroup, key: &RunKey, (runs, calls): (u64, u64), sides: &Sides) {
    group.runs += runs;
    group.failed += if key.status == "ok" { 0 } else { runs };
    group.calls += calls;
    let [code_mode, deferred, all_servers, needed_servers] = sides;
    group.code_mode += code_mode.total;
    group.deferred += deferred.total;
    group.all_servers += all_servers.total;
    group.needed_servers += needed_servers.total;
}

/// Runs' calls by server, or by server and tool, most tokens first.
pub(crate) fn call_groups(calls: &[(CallKey, CallSums)], by_tool: bool, limit: usize) -> Vec<CallGroup> {
    let mut groups: BTreeMap<(&str, Option<&str>), CallSums> = BTreeMap::new();
    for (key, sums) in calls.iter().filter(|(key, _)| !key.is_direct()) {
        groups.entry((&key.server, by_tool.then_some(&key.tool))).or_default().add(sums);
    }
    let group = |((server, tool), all): ((&str, Option<&str>), CallSums)| CallGroup {
        server: server.to_owned(),
        tool: tool.map(str::to_owned),
        calls: all.calls,
        failed: all.failed,
        cached: all.cached,
        output_tokens: all.output_tokens,
        result_tokens: all.result_tokens,
        result_bytes: all.result_bytes,
        ms: all.took.percentiles(),
    };
    let mut groups: Vec<CallGroup> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| Reverse(group.output_tokens + group.result_tokens));
    groups.truncate(limit);
    groups
}
