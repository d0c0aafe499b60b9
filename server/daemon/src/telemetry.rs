//! What telemetry is to know and to send: the daemon's state when somebody asks, and the configuration as far as it is
//! trusted.
//!
//! Invariant: an untrusted workspace's file sends nothing anywhere, and neither does a variable that nobody switched on.

use crate::core::Core;
use crate::run::now_ms;
use crate::snapshot::Snapshot;
use model::server::Scope;
use model::{ServerState, TelemetrySettings, TokenReport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variable that switches export on, beside `[telemetry]`.
const SWITCH: &str = "TTA_TELEMETRY";

/// Lets telemetry ask the daemon how it is, as long as there is one.
pub(crate) fn observe(core: &Arc<Core>) {
    let weak = Arc::downgrade(core);
    core.telemetry.observe(move || weak.upgrade().map(|core| now(&core)).unwrap_or_default());
}

fn now(core: &Core) -> ::telemetry::Now {
    let savings = core.ledger.savings();
    let mut servers = BTreeMap::new();
    for entry in &core.snapshot.load().servers {
        *servers.entry(state(entry.state)).or_default() += 1;
    }
    let tokens = savings.session.tokens;
    ::telemetry::Now {
        live_runs: core.engine.live() as u64,
        pending_runs: savings.pending.into(),
        servers: servers.into_iter().collect(),
        cost_saved: cost_saved(core, &tokens),
        tokens,
    }
}

/// What was saved in US dollars at the configured model's price, with prompt caching, against the headline baseline.
fn cost_saved(core: &Core, tokens: &TokenReport) -> Option<(String, f64)> {
    let settings = &core.snapshot.load().config.ledger;
    let price = ledger::price(settings.model.as_deref(), &settings.prices, now_ms()).ok()?;
    let dollars = ledger::dollars(tokens, &price);
    Some((price.model, dollars.deferred.cached - dollars.code_mode.cached))
}

/// Tells of the servers that are in another state than before.
pub(crate) fn states(core: &Core, before: &Snapshot, next: &Snapshot) {
    for entry in &next.servers {
        let was = before.servers.iter().find(|known| known.spec.name == entry.spec.name).map(|known| known.state);
        if was != Some(entry.state) {
            core.telemetry.server_state(&entry.spec.name, state(entry.state), is_trouble(entry.state));
        }
    }
}

fn is_trouble(state: ServerState) -> bool {
    matches!(state, ServerState::Degraded | ServerState::Failed | ServerState::Quarantined)
}

/// Sends from now on what the configuration says.
pub(crate) fn configure(core: &Core, next: &Snapshot) {
    let configured = next.config.telemetry.as_ref().map(|telemetry| (&telemetry.settings, telemetry.scope));
    let switch = std::env::var(SWITCH).unwrap_or_default();
    let wanted = wanted(configured, next.access.trusted, &switch);
    if let Err(error) = core.telemetry.configure(&wanted) {
        tracing::error!("telemetry is off: {error}");
    }
}

/// What is to be sent: what a trusted file says, and everything where the variable says `otlp`; nothing at all where it
/// says `off`.
fn wanted(configured: Option<(&TelemetrySettings, Scope)>, trusted: bool, switch: &str) -> TelemetrySettings {
    let file = configured.filter(|(_, scope)| trusted || *scope != Scope::Workspace).map(|(settings, _)| settings);
    let mut wanted = file.cloned().unwrap_or_default();
    match switch {
        "otlp" => (wanted.traces, wanted.metrics, wanted.logs) = (true, true, true),
        "off" => wanted = TelemetrySettings::default(),
        _ => {}
    }
    wanted
}

/// The state's name on the wire.
fn state(state: ServerState) -> &'static str {
    match state {
        ServerState::Untrusted => "untrusted",
        ServerState::Unapproved => "unapproved",
        ServerState::Disabled => "disabled",
        ServerState::Stopped => "stopped",
        ServerState::Starting => "starting",
        ServerState::Ready => "ready",
        ServerState::Degraded => "degraded",
        ServerState::Failed => "failed",
        ServerState::Quarantined => "quarantined",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_file_and_the_users_own_switch_send_anything() {
        let there = TelemetrySettings {
            otlp_endpoint: Some("http://collector.example".to_owned()),
            traces: true,
            ..TelemetrySettings::default()
        };
        let of = |scope| Some((&there, scope));
        assert_eq!(wanted(None, true, ""), TelemetrySettings::default());
        assert_eq!(wanted(of(Scope::Workspace), false, ""), TelemetrySettings::default());
        assert_eq!(wanted(of(Scope::Workspace), true, ""), there);
        assert_eq!(wanted(of(Scope::Explicit), false, ""), there);
        assert_eq!(wanted(of(Scope::User), true, "off"), TelemetrySettings::default());
        let switched = wanted(of(Scope::Workspace), false, "otlp");
        assert!(switched.traces && switched.metrics && switched.logs);
        assert_eq!(switched.otlp_endpoint, None, "the variable does not lend an untrusted file its voice");
    }
}
