//! Sums sorted into the groups that a report shows.

use crate::sums::{CallKey, CallSums, RunKey, RunSums};
use model::report::{CallGroup, RunGroup, SeriesStep};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// One entry for each step with a run, oldest first.
pub(crate) fn series(runs: &[(u64, RunKey, RunSums)]) -> Vec<SeriesStep> {
    let mut steps: BTreeMap<u64, SeriesStep> = BTreeMap::new();
    for (at_ms, key, sums) in runs {
        let step = steps.entry(*at_ms).or_insert_with(|| SeriesStep { at_ms: *at_ms, ..SeriesStep::default() });
        step.runs += sums.runs;
        step.failed_runs += if key.status == "ok" { 0 } else { sums.runs };
        step.calls += sums.calls;
        let [code_mode, deferred, all_servers, needed_servers] = &sums.sides;
        step.code_mode += code_mode.total;
        step.deferred += deferred.total;
        step.all_servers += all_servers.total;
        step.needed_servers += needed_servers.total;
    }
    steps.into_values().collect()
}

/// Runs by one part of their key, most runs first.
pub(crate) fn run_groups(runs: &[(u64, RunKey, RunSums)], by: impl Fn(&RunKey) -> &String) -> Vec<RunGroup> {
    let mut groups: BTreeMap<&str, RunGroup> = BTreeMap::new();
    for (_, key, sums) in runs {
        let name = by(key).as_str();
        let group = groups.entry(name).or_insert_with(|| RunGroup { key: name.to_owned(), ..RunGroup::default() });
        add_to_group(group, key, sums);
    }
    let mut groups: Vec<RunGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| Reverse(group.runs));
    groups
}

/// Adds to one group.
pub(crate) fn add_to_group(group: &mut RunGroup, key: &RunKey, sums: &RunSums) {
    group.runs += sums.runs;
    group.failed += if key.status == "ok" { 0 } else { sums.runs };
    group.calls += sums.calls;
    let [code_mode, deferred, all_servers, needed_servers] = &sums.sides;
    group.code_mode += code_mode.total;
    group.deferred += deferred.total;
    group.all_servers += all_servers.total;
    group.needed_servers += needed_servers.total;
}

/// Runs' calls by server, or by server and tool, most tokens first.
pub(crate) fn call_groups(calls: &[(CallKey, CallSums)], by_tool: bool, limit: usize) -> Vec<CallGroup> {
    let mut groups: BTreeMap<(&str, Option<&str>), (CallSums, u64, u64)> = BTreeMap::new();
    for (key, sums) in calls.iter().filter(|(key, _)| !key.is_direct()) {
        let (all, failed, cached) = groups.entry((&key.server, by_tool.then_some(&key.tool))).or_default();
        all.add(sums);
        *failed += if key.status == "ok" { 0 } else { sums.calls };
        *cached += if key.cache == "miss" { 0 } else { sums.calls };
    }
    let group = |((server, tool), (all, failed, cached)): ((&str, Option<&str>), (CallSums, u64, u64))| CallGroup {
        server: server.to_owned(),
        tool: tool.map(str::to_owned),
        calls: all.calls,
        failed,
        cached,
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
