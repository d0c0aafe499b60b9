//! Subscriptions to single resources: `resources/subscribe` in the eras that begin with `initialize`, a `subscriptions/listen`
//! with the resource's URI in the stateless one.
//!
//! Invariants: all who want the same resource of a connection share one subscription, which the last to leave ends. A task
//! of its own keeps each, so that beginning and end go to the server in order, whoever gives up meanwhile. A subscription
//! ends with its connection, for the reason that this has; an HTTP session or stream that is lost in between is begun
//! anew, which counts as a change, since what happened meanwhile is unknown. Changes are taken off the transport
//! (`progress`) and go to whom they concern by their URI alone.
//!
//! Bounded: resources of one connection, each request's time, how often one is begun anew in a row, and by [`Feed`] what waits.

#![expect(deprecated, reason = "the newest protocol listens instead; servers of the other eras know no more than this")]

use crate::connection::Connection;
use crate::eras::Era;
use crate::error::{Error, SUBSCRIPTIONS};
use crate::feed::Feed;
use crate::progress::Progress;
use crate::usage::Listening;
use rmcp::model::{
    ClientRequest, SubscribeRequest, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequest,
    UnsubscribeRequestParams,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

/// Resources of one connection that somebody is subscribed to.
const TOPICS_MAX: usize = 256;
/// Longest time until a subscription stands, and until its end is confirmed, which nobody waits for.
const BEGIN: Duration = Duration::from_mins(1);
const END: Duration = Duration::from_secs(5);
/// Before a stream that ended is begun anew; doubled each time.
const PAUSE: Duration = Duration::from_millis(250);
/// Streams in a row that came to nothing, after which the subscription is over; one that lasted so long did not.
const ATTEMPTS_MAX: u32 = 5;
const LASTING: Duration = Duration::from_secs(30);
/// Longest time for the answer to a ping, and pings in a row without one.
const PING: Duration = Duration::from_secs(10);
const LOST: u32 = 2;

/// The resources of one connection that somebody is subscribed to, by URI.
#[derive(Debug, Default)]
pub(crate) struct Topics(Mutex<HashMap<String, Arc<Topic>>>);

/// One of them.
#[derive(Debug)]
struct Topic {
    uri: String,
    feeds: Mutex<Vec<Feed>>,
    /// How many want it. Grows under the lock of all topics alone.
    wanted: watch::Sender<usize>,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug)]
enum State {
    Beginning,
    Stands,
    Over(Error),
}

/// One subscriber of one resource, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    topic: Arc<Topic>,
    feed: Feed,
    /// The server does not rest meanwhile.
    pub(crate) listening: Option<Listening>,
}

impl Subscription {
    /// Why it is over; it never is by itself.
    pub async fn ended(&self) -> Error {
        let mut state = self.topic.state.subscribe();
        loop {
            if let State::Over(error) = &*state.borrow_and_update() {
                return error.clone();
            }
            if state.changed().await.is_err() {
                unreachable!("the topic is ours and has the sender");
            }
        }
    }

    async fn stands(&self) -> Result<(), Error> {
        let mut state = self.topic.state.subscribe();
        let state = state.wait_for(|state| !matches!(state, State::Beginning)).await;
        match &*state.expect("the topic is ours and has the sender") {
            State::Over(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.topic.feeds().retain(|feed| !feed.is(&self.feed));
        self.topic.wanted.send_modify(|count| *count -= 1);
    }
}

impl Topics {
    /// The server says that `uri` changed. Who is subscribed to what it is a part of is told too: a server says it once.
    pub(crate) fn changed(&self, uri: &str) {
        for topic in self.all().values().filter(|topic| topic.uri == uri || is_part(uri, &topic.uri)) {
            topic.tell(uri);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Topic>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Topic {
    fn new(uri: &str) -> Self {
        let (wanted, state) = (watch::Sender::new(0), watch::Sender::new(State::Beginning));
        Self { uri: uri.to_owned(), feeds: Mutex::default(), wanted, state }
    }

    fn tell(&self, uri: &str) {
        for feed in &*self.feeds() {
            feed.push(&self.uri, uri);
        }
    }

    /// It stands, for the first time or `again`.
    fn stands(&self, again: bool) {
        self.state.send_replace(State::Stands);
        if again {
            self.tell(&self.uri);
        }
    }

    /// Waits until nobody wants it, from when on it has to begin anew for whoever comes.
    async fn unwanted(&self, topics: &Topics) {
        let mut wanted = self.wanted.subscribe();
        loop {
            let _ = wanted.wait_for(|count| *count == 0).await;
            let _all = topics.all();
            if *self.wanted.borrow() == 0 {
                self.state.send_replace(State::Beginning);
                return;
            }
        }
    }

    fn feeds(&self) -> MutexGuard<'_, Vec<Feed>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Whether changes of a resource are told to who subscribes to it.
    pub(crate) fn tells_changes(&self) -> bool {
        self.offers(|all| all.resources.as_ref().is_some_and(|resources| resources.subscribe == Some(true)))
    }

    /// Subscribes `feed` to a resource. With a `pulse` the server is pinged so often meanwhile, to notice that it is gone.
    pub(crate) async fn subscribe(
        self: &Arc<Self>,
        uri: &str,
        feed: &Feed,
        pulse: Option<Duration>,
        tasks: &TaskTracker,
    ) -> Result<Subscription, Error> {
        if !self.tells_changes() {
            return Err(Error::NotOffered { server: self.server().to_owned(), what: SUBSCRIPTIONS });
        }
        let joined = self.join(uri, feed, pulse, tasks)?;
        joined.stands().await?;
        feed.begin();
        Ok(joined)
    }

    fn join(
        self: &Arc<Self>,
        uri: &str,
        feed: &Feed,
        pulse: Option<Duration>,
        tasks: &TaskTracker,
    ) -> Result<Subscription, Error> {
        let mut topics = self.topics.all();
        let known = topics.get(uri).cloned();
        if known.is_none() && topics.len() >= TOPICS_MAX {
            let what = format!("subscriptions to {TOPICS_MAX} of its resources");
            return Err(Error::TooMany { server: self.server().to_owned(), what });
        }
        let topic = known.unwrap_or_else(|| {
            let topic = Arc::new(Topic::new(uri));
            topics.insert(uri.to_owned(), topic.clone());
            tasks.spawn(keep(self.clone(), topic.clone(), pulse));
            topic
        });
        topic.wanted.send_modify(|count| *count += 1);
        topic.feeds().push(feed.clone());
        Ok(Subscription { topic, feed: feed.clone(), listening: None })
    }
}

/// Keeps a topic at its server for as long as somebody wants it.
async fn keep(connection: Arc<Connection>, topic: Arc<Topic>, pulse: Option<Duration>) {
    loop {
        let end = tokio::select! {
            biased;
            ended = connection.ended.wait() => Err(ended.clone()),
            end = stand(&connection, &topic, pulse) => end,
        };
        let mut topics = connection.topics.all();
        match end {
            Err(error) => {
                topics.remove(&topic.uri);
                topic.state.send_replace(State::Over(error));
                return;
            }
            Ok(()) if *topic.wanted.borrow() == 0 => {
                topics.remove(&topic.uri);
                return;
            }
            // Somebody came while it was ended.
            Ok(()) => {}
        }
    }
}

/// From the beginning of one subscription until nobody wants it any more.
async fn stand(connection: &Connection, topic: &Topic, pulse: Option<Duration>) -> Result<(), Error> {
    if connection.era == Era::Stateless {
        return tokio::select! {
            () = topic.unwanted(&connection.topics) => Ok(()),
            never = listen(connection, topic) => never.map(|never| match never {}),
        };
    }
    let mut sessions = connection.observed.sessions();
    let mut again = false;
    loop {
        sessions.borrow_and_update();
        let begin = SubscribeRequest::new(SubscribeRequestParams::new(topic.uri.as_str()));
        connection.within(BEGIN, ClientRequest::SubscribeRequest(begin), "resources/subscribe").await?;
        topic.stands(again);
        tokio::select! {
            () = topic.unwanted(&connection.topics) => break,
            // The server has forgotten the one before, and what it was subscribed to.
            Ok(()) = sessions.changed() => again = true,
            error = lost(connection, pulse) => return Err(error),
        }
    }
    let end = UnsubscribeRequest::new(UnsubscribeRequestParams::new(topic.uri.as_str()));
    let ended = connection.within(END, ClientRequest::UnsubscribeRequest(end), "resources/unsubscribe").await;
    if let Err(error) = ended {
        tracing::debug!(server = connection.server(), %error, "a subscription is left to it");
    }
    Ok(())
}

/// Listens for changes of one resource, again and again: a stream may end at any time.
async fn listen(connection: &Connection, topic: &Topic) -> Result<Infallible, Error> {
    let filter = SubscriptionFilter::builder().resource_subscription(topic.uri.as_str()).build();
    let (mut failed, mut again) = (0, false);
    loop {
        let began = Instant::now();
        let opened = timeout(BEGIN, connection.peer.listen(filter.clone())).await;
        let error = match opened {
            Err(_elapsed) => connection.too_slow("subscriptions/listen", BEGIN),
            Ok(Err(error)) => connection.explain(error).await,
            Ok(Ok(mut stream)) => {
                let taken = stream.acknowledged().resource_subscriptions.as_ref();
                if !taken.is_some_and(|taken| taken.contains(&topic.uri)) {
                    let what = format!("it does not take the subscription to `{}`, which it offers", topic.uri);
                    return Err(connection.protocol(&what));
                }
                topic.stands(again);
                again = true;
                // What it tells is taken off the transport before it gets here.
                while let Ok(Some(_)) = stream.next().await {}
                connection.unreachable("it ends the stream of a subscription again and again")
            }
        };
        failed = if began.elapsed() >= LASTING { 0 } else { failed + 1 };
        if !again || failed >= ATTEMPTS_MAX {
            return Err(error);
        }
        sleep(PAUSE * 2_u32.pow(failed)).await;
    }
}

/// Waits until the server is found to be gone, where nothing else would tell.
async fn lost(connection: &Connection, pulse: Option<Duration>) -> Error {
    let Some(pulse) = pulse else { return std::future::pending().await };
    let mut failed = 0;
    loop {
        sleep(pulse).await;
        let answer = timeout(PING, connection.ping()).await;
        match answer.unwrap_or_else(|_elapsed| Err(connection.too_slow("ping", PING))) {
            Ok(()) => failed = 0,
            Err(error) if failed + 1 == LOST => return error,
            Err(_) => failed += 1,
        }
    }
}

impl Connection {
    async fn within(&self, limit: Duration, request: ClientRequest, what: &str) -> Result<(), Error> {
        let answer = timeout(limit, self.request(request, &Progress::default())).await;
        answer.unwrap_or_else(|_elapsed| Err(self.too_slow(what, limit))).map(drop)
    }

    fn too_slow(&self, what: &str, limit: Duration) -> Error {
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Error::Timeout { server: self.server().to_owned(), what: format!("`{what}`"), ms, note: self.observed.note() }
    }
}

/// Whether `uri` is inside of `whole`, as a file is inside of its folder.
fn is_part(uri: &str, whole: &str) -> bool {
    let rest = uri.strip_prefix(whole).filter(|rest| !rest.is_empty());
    rest.is_some_and(|rest| whole.ends_with('/') || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_goes_to_who_wants_the_resource_or_what_it_is_a_part_of() {
        let topics = Topics::default();
        let subscribe = |uri: &str| {
            let (topic, feed) = (Arc::new(Topic::new(uri)), Feed::default());
            topic.feeds().push(feed.clone());
            topics.all().insert(uri.to_owned(), topic);
            feed
        };
        let [folder, file, other] = ["file:///d", "file:///d/a", "file:///dd"].map(subscribe);
        topics.changed("file:///d/a");
        topics.changed("file:///d/b");
        topics.changed("file:///e");
        let count = |feed: &Feed| feed.since(0).0;
        assert_eq!((count(&folder), count(&file), count(&other)), (2, 1, 0));
        assert!(is_part("a:///x", "a:///") && is_part("a:b?c", "a:b") && !is_part("a:bc", "a:b"));
    }
}
