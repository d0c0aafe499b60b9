//! Subscriptions to single resources, at the door: a call that stands open from when the server has agreed until its program
//! leaves it or the run ends, and what the server tells meanwhile, which the program asks for.
//!
//! Invariant: each is one call in the facts, whichever way it ends: with an error where the server ended it, or else well, with
//! what was told as its answer. Bounded: how many a run has at once, and by `bridge::Feed` what waits and what is kept of it.

use super::{Inner, lock};
use crate::refusal::Failure;
use crate::sandbox::Updates;
use crate::snapshot::Entry;
use bridge::Feed;
use engine::GuestCall;
use engine::host::CallError;
use model::{CallStatus, ErrorKind, RunEvent, ToolResult, Transport};
use serde_json::{Map, Value, json};
use std::time::Instant;

impl Inner {
    /// Subscribes the program to a resource. Answers only where that comes to nothing, or the server ends it.
    pub(super) async fn subscribe(
        &self,
        entry: &Entry,
        arguments: Map<String, Value>,
        call: &GuestCall,
        slot: usize,
        asked: &mut super::Asked,
    ) -> Result<ToolResult, Failure> {
        if let Some(offer) = self.by_editor(entry) {
            return Err(super::tools_alone(offer));
        }
        let _place = self.subscriptions.try_acquire().map_err(|_| self.too_many())?;
        let (feed, name) = (self.feed_of(call.index), &entry.spec.name);
        let uri = arguments.get("uri").and_then(Value::as_str).unwrap_or_default();
        let (core, patience) = (&self.core, self.patience());
        let mut made = {
            let trusted = self.snapshot.may_ask(&core.options);
            let under_way = core.asks.enter(name, self.session.asker.as_ref(), &call.clock, trusted);
            let made = core.bridge.subscribe(name, uri, patience, &feed).await;
            asked.0 += under_way.asked();
            made
        };
        if let Err(refused) = &made
            && matches!(entry.spec.transport, Transport::Http { .. })
            && refused.needs_login()
        {
            asked.time(Box::pin(self.login(entry, &call.clock, refused))).await?;
            made = core.bridge.subscribe(name, uri, patience, &feed).await;
        }
        let subscription = made.map_err(|e| self.failed(entry, &e))?;
        let mut standing = Standing { inner: self, slot, feed, since: Instant::now(), is_over: false };
        let error = subscription.ended().await;
        standing.is_over = true;
        Err(self.failed(entry, &error))
    }

    /// What a subscription has told since the program asked last. It may not have been made yet.
    pub(super) async fn changes(&self, call: &GuestCall) -> Result<String, CallError> {
        let asked = Updates::of(call, self.limits.calls);
        let asked = asked.map_err(|error| CallError { error, server: call.server.clone(), tool: call.tool.clone() })?;
        let feed = self.feed_of(asked.call - 1);
        if !asked.now {
            feed.after(asked.seen).await;
        }
        let (seen, updates) = feed.since(asked.seen);
        Ok(json!({"seen": seen, "updates": updates}).to_string())
    }

    fn feed_of(&self, call: u32) -> Feed {
        lock(&self.feeds).entry(call).or_default().clone()
    }

    fn too_many(&self) -> Failure {
        let message = format!("the run is subscribed to {} resources already", self.limits.subscriptions);
        let hint =
            "leave the loops of those that are not needed, or raise `subscriptions` under `[limits]` in tta.toml";
        Failure::new(CallStatus::Error, ErrorKind::Tool, message, hint)
    }
}

/// A subscription that the server agreed to, until the program or the server ends it.
struct Standing<'a> {
    inner: &'a Inner,
    slot: usize,
    feed: Feed,
    since: Instant,
    /// The server ended it, and the call is settled with its error.
    is_over: bool,
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        let Inner { core, session, facts, .. } = self.inner;
        facts.answered(self.slot, &self.feed.told().into(), 0);
        if !self.is_over {
            let record = facts.settle(self.slot, self.since.elapsed(), CallStatus::Ok, None);
            core.notify_run(RunEvent::Call { run_id: session.run_id.clone(), call: record });
        }
    }
}
