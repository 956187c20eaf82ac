//! A value that components watch in parts: a component is drawn again only when the part that it selects has changed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use yew::prelude::*;

pub struct Store<T> {
    value: RefCell<T>,
    watchers: RefCell<BTreeMap<u64, Rc<dyn Fn()>>>,
    next: Cell<u64>,
}

impl<T: Default> Default for Store<T> {
    fn default() -> Self {
        Store { value: RefCell::default(), watchers: RefCell::default(), next: Cell::new(0) }
    }
}

impl<T> Store<T> {
    pub fn read<R>(&self, part: impl FnOnce(&T) -> R) -> R {
        part(&self.value.borrow())
    }

    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.value.borrow_mut());
        let watchers: Vec<_> = self.watchers.borrow().values().cloned().collect();
        for watcher in watchers {
            watcher();
        }
        result
    }
}

/// A store, whatever it holds.
trait Watched {
    fn watch(&self, watcher: Rc<dyn Fn()>) -> u64;
    fn unwatch(&self, id: u64);
}

impl<T> Watched for Store<T> {
    fn watch(&self, watcher: Rc<dyn Fn()>) -> u64 {
        let id = self.next.get();
        self.next.set(id + 1);
        self.watchers.borrow_mut().insert(id, watcher);
        id
    }

    fn unwatch(&self, id: u64) {
        self.watchers.borrow_mut().remove(&id);
    }
}

/// The part of the store that `select` picks; the component is drawn again when it differs.
#[hook]
pub fn use_part<T, S, F>(store: &'static Store<T>, select: F) -> S
where
    T: 'static,
    S: Clone + PartialEq + 'static,
    F: Fn(&T) -> S + 'static,
{
    let value = store.read(&select);
    let shown = value.clone();
    use_watch(store, Rc::new(move || store.read(&select) != shown));
    value
}

/// Draws the component again when the store has changed so that `changed` says so. Apart from [`use_part`] because this
/// much need not be compiled anew for each part of each store.
#[hook]
fn use_watch(store: &'static dyn Watched, changed: Rc<dyn Fn() -> bool>) {
    let update = use_force_update();
    let latest = use_mut_ref(|| changed.clone());
    *latest.borrow_mut() = changed;
    use_effect_with((), move |()| {
        let watcher: Rc<dyn Fn()> = Rc::new(move || {
            let changed = latest.borrow().clone();
            if changed() {
                update.force_update();
            }
        });
        // What changed between drawing and watching.
        watcher();
        let id = store.watch(watcher);
        move || store.unwatch(id)
    });
}

/// A row of the cluster, compared by identity: a delta replaces the rows that it names and leaves the others alone.
pub struct Row<T>(Rc<T>);

impl<T> Row<T> {
    pub fn new(value: T) -> Self {
        Row(Rc::new(value))
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Row(self.0.clone())
    }
}

impl<T> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Deref for Row<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Default> Default for Row<T> {
    fn default() -> Self {
        Row::new(T::default())
    }
}
