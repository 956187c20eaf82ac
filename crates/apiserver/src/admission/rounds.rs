//! Whom the mutating chain asks a second time. Upstream: `apiserver/pkg/admission/reinvocation.go` and the reinvocation
//! contexts of policies and webhooks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use api::Object;
use serde_json::Value;

/// The chain runs again, once, after a policy or a webhook has changed the object.
#[derive(Default)]
pub(crate) struct Rounds {
    pub is_second: Cell<bool>,
    pub changed: Cell<bool>,
    pub policies: RefCell<Asked>,
    pub webhooks: RefCell<Asked>,
}

/// The policies or the webhooks of one request, by names that tell them apart.
#[derive(Default)]
pub(crate) struct Asked {
    /// Those that want to see what others change after them.
    waiting: Vec<String>,
    /// Those of them that have something new to see.
    due: BTreeSet<String>,
    /// The object as the last of them has left it.
    output: Option<Value>,
}

impl Asked {
    /// Who is in charge begins its part of a round.
    pub fn begin(&mut self, rounds: &Rounds, object: &dyn Object) {
        if rounds.is_second.get() && self.output != Some(object.to_value()) {
            self.wake();
        }
    }

    pub fn end(&mut self, object: &dyn Object) {
        self.output = Some(object.to_value());
    }

    pub fn is_due(&self, rounds: &Rounds, name: &str) -> bool {
        !rounds.is_second.get() || self.due.contains(name)
    }

    /// One of them has been asked.
    pub fn note(&mut self, rounds: &Rounds, name: String, changed: bool, reinvoked: bool) {
        if changed {
            self.wake();
            rounds.changed.set(true);
        }
        if reinvoked {
            self.waiting.push(name);
        }
    }

    fn wake(&mut self) {
        self.due.extend(self.waiting.drain(..));
    }
}
