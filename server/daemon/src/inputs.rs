//! Values of `${input:ID}`: asked of the editor when a server first needs them, kept in memory only, and handed to the
//! bridge with the specification that needs them.
//!
//! Invariants: a value is in this map and in the bridge's copy of a specification, nowhere else: the snapshot and all that
//! is made from it have `${input:ID}`. One question at a time is open about an input, whoever waits for it. A person who
//! gives none is not asked again in the same run. Left out on purpose: keeping values, which is the editor's.

use crate::call::bounded;
use crate::editor::Editor;
use bridge::Bridge;
use config::Config;
use engine::RunClock;
use futures::future::{BoxFuture, FutureExt as _, Shared, WeakShared};
use model::editor::InputRequest;
use model::server::InputSpec;
use model::{RunId, Secret, ServerSpec};
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest time a person may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// Bytes of a value.
const VALUE_BYTES: usize = 64 << 10;
/// Values in memory. What is not configured any more is forgotten, so this is a bound on one configuration.
const KNOWN_MAX: usize = 4_096;
/// Refusals in memory; the oldest go.
const REFUSED_MAX: usize = 256;
/// Bytes of the editor's words that are quoted.
const CAUSE_BYTES: usize = 256;

/// An input of a file.
type Key = (PathBuf, String);
/// What came of a question: the value is in the map by then.
type Asked = Shared<BoxFuture<'static, Result<(), Arc<str>>>>;

/// What is known of one input.
enum State {
    Given {
        value: Secret,
        /// A server answered that it is not authorized.
        doubted: bool,
    },
    /// The value did not work, and a person wants to give another one.
    Again,
    Asking {
        question: WeakShared<BoxFuture<'static, Result<(), Arc<str>>>>,
        again: bool,
    },
}

#[derive(Default)]
struct Known {
    states: HashMap<Key, State>,
    refused: VecDeque<(Key, RunId, Arc<str>)>,
}

/// One per daemon. Not `Debug`.
pub(crate) struct Inputs {
    editor: Option<Arc<dyn Editor>>,
    known: Arc<Mutex<Known>>,
}

impl Inputs {
    pub(crate) fn new(editor: Option<Arc<dyn Editor>>) -> Self {
        Self { editor, known: Arc::default() }
    }

    /// Sees to it that the bridge has what this server needs; asks for what is not known. The run stands still meanwhile.
    pub(crate) async fn give(
        &self,
        bridge: &Bridge,
        spec: &ServerSpec,
        run: &RunId,
        clock: Option<&RunClock>,
    ) -> Result<(), bridge::Error> {
        let mut pause = None;
        for input in &spec.inputs {
            let Some(asked) = self.question(spec, input, run) else { continue };
            pause = pause.or_else(|| clock.map(RunClock::pause));
            if let Err(why) = asked.await {
                self.refuse(key(spec, input), run, &why);
                return Err(bridge::Error::Unresolved { server: spec.name.clone(), missing: vec![why.to_string()] });
            }
        }
        if !spec.inputs.is_empty() {
            bridge.refit(self.fill(spec));
        }
        Ok(())
    }

    /// The specification as the bridge is to have it: with the values that are known.
    pub(crate) fn fill(&self, spec: &ServerSpec) -> ServerSpec {
        let known = lock(&self.known);
        config::fill(spec, &|id| match known.states.get(&(spec.source.file.clone(), id.to_owned())) {
            Some(State::Given { value, .. }) => Some(value.clone()),
            _ => None,
        })
    }

    /// A server failed: where it is not authorized, its values are in doubt.
    pub(crate) fn judge(&self, spec: &ServerSpec, error: &bridge::Error) {
        if error.is_unauthorized() {
            let mut known = lock(&self.known);
            for input in &spec.inputs {
                if let Some(State::Given { doubted, .. }) = known.states.get_mut(&key(spec, input)) {
                    *doubted = true;
                }
            }
        }
    }

    /// A person restarts the server: the editor is asked anew, and to ask the person where a value is in doubt.
    pub(crate) fn renew(&self, spec: &ServerSpec) {
        let mut known = lock(&self.known);
        for key in spec.inputs.iter().map(|input| key(spec, input)) {
            match known.states.get(&key) {
                Some(State::Given { doubted: true, .. }) => {
                    known.states.insert(key.clone(), State::Again);
                }
                Some(State::Given { doubted: false, .. }) => {
                    known.states.remove(&key);
                }
                Some(State::Again | State::Asking { .. }) | None => {}
            }
            known.refused.retain(|(refused, ..)| *refused != key);
        }
    }

    /// Forgets what no server needs any more.
    pub(crate) fn retain(&self, config: &Config) {
        let needed: HashSet<Key> =
            config.servers.iter().flat_map(|spec| spec.inputs.iter().map(|input| key(spec, input))).collect();
        lock(&self.known).states.retain(|key, _| needed.contains(key));
    }

    /// What to wait for before the value is known; nothing where it is.
    fn question(&self, spec: &ServerSpec, input: &InputSpec, run: &RunId) -> Option<Asked> {
        let key = key(spec, input);
        let mut known = lock(&self.known);
        let again = match known.states.get(&key) {
            Some(State::Given { .. }) => return None,
            Some(State::Asking { question, again }) => match question.upgrade() {
                Some(asked) => return Some(asked),
                // Whoever asked has gone, and the question with them.
                None => *again,
            },
            Some(State::Again) => true,
            None => false,
        };
        let refused = known.refused.iter().find(|(refused, in_run, _)| *refused == key && in_run == run);
        let settled = match (refused, &self.editor) {
            (Some((_, _, why)), _) => Err(Arc::clone(why)),
            (None, _) if known.states.len() >= KNOWN_MAX => Err("there are too many inputs".into()),
            (None, None) => Err(format!("`${{input:{}}}` has no value here", input.id).into()),
            (None, Some(editor)) => Ok(Arc::clone(editor)),
        };
        let editor = match settled {
            Ok(editor) => editor,
            Err(why) => return Some(std::future::ready(Err(why)).boxed().shared()),
        };
        let asked = ask(editor, Arc::clone(&self.known), key.clone(), spec.name.clone(), input.clone(), again);
        let asked = asked.boxed().shared();
        let question = asked.downgrade().expect("it was not awaited yet");
        known.states.insert(key, State::Asking { question, again });
        Some(asked)
    }

    fn refuse(&self, key: Key, run: &RunId, why: &Arc<str>) {
        let mut known = lock(&self.known);
        if !known.refused.iter().any(|(refused, in_run, _)| *refused == key && in_run == run) {
            known.refused.push_back((key, run.clone(), Arc::clone(why)));
        }
        if known.refused.len() > REFUSED_MAX {
            known.refused.pop_front();
        }
    }
}

/// Asks, and puts the answer into the map before anybody hears of it.
async fn ask(
    editor: Arc<dyn Editor>,
    known: Arc<Mutex<Known>>,
    key: Key,
    server: String,
    input: InputSpec,
    again: bool,
) -> Result<(), Arc<str>> {
    let request = InputRequest {
        id: input.id.clone(),
        file: key.0.clone(),
        server,
        description: input.description.clone(),
        password: input.password,
        options: input.options.clone(),
        default: input.default.clone(),
        again,
    };
    let answer = tokio::time::timeout(PATIENCE, editor.input(request)).await;
    let given = match answer {
        Ok(Ok(Some(value))) => fits(&input, value),
        Ok(Ok(None)) => Err("the person who was asked for it gave no value".to_owned()),
        Ok(Err(why)) => Err(format!("it could not be asked for: {}", bounded(&why, CAUSE_BYTES))),
        Err(_elapsed) => Err(format!("nobody gave a value within {} minutes", PATIENCE.as_secs() / 60)),
    };
    let states = &mut lock(&known).states;
    match given {
        Ok(value) => {
            states.insert(key, State::Given { value, doubted: false });
            Ok(())
        }
        Err(why) => {
            if again {
                states.insert(key, State::Again);
            } else {
                states.remove(&key);
            }
            Err(format!("`${{input:{}}}`: {why}", input.id).into())
        }
    }
}

/// What cannot be a value is refused here, where it can be said without telling it.
fn fits(input: &InputSpec, value: Secret) -> Result<Secret, String> {
    let text = value.expose();
    if text.len() > VALUE_BYTES {
        Err(format!("the value is longer than {VALUE_BYTES} bytes"))
    } else if text.contains('\0') {
        Err("the value contains a NUL character".to_owned())
    } else if !input.options.is_empty() && !input.options.iter().any(|option| option == text) {
        Err("the value is none of those to pick from".to_owned())
    } else {
        Ok(value)
    }
}

fn key(spec: &ServerSpec, input: &InputSpec) -> Key {
    (spec.source.file.clone(), input.id.clone())
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_value_is_refused_without_being_told() {
        let free = InputSpec { id: "key".to_owned(), ..InputSpec::default() };
        let pick = InputSpec { options: vec!["eu".to_owned()], ..free.clone() };
        let long = "x".repeat(VALUE_BYTES + 1);
        for (input, value, fits_in) in [
            (&free, "", true),
            (&free, &long[1..], true),
            (&free, &long[..], false),
            (&free, "a\0b", false),
            (&pick, "eu", true),
            (&pick, "us", false),
        ] {
            match fits(input, Secret::new(value)) {
                Ok(kept) => assert!(fits_in && kept.expose() == value),
                Err(why) => assert!(!fits_in && !why.contains("us") && !why.contains("xx"), "{why}"),
            }
        }
    }

    #[test]
    fn refusals_are_remembered_within_bounds() {
        let inputs = Inputs::new(None);
        let (key, run) = ((PathBuf::from("/w/mcp.json"), "key".to_owned()), RunId::new());
        for _twice in 0..2 {
            inputs.refuse(key.clone(), &run, &"no".into());
        }
        assert_eq!(lock(&inputs.known).refused.len(), 1);
        for _other in 0..=REFUSED_MAX {
            inputs.refuse(key.clone(), &RunId::new(), &"no".into());
        }
        let known = lock(&inputs.known);
        assert_eq!(known.refused.len(), REFUSED_MAX);
        assert!(!known.refused.iter().any(|(_, of, _)| *of == run), "the oldest go");
    }
}
