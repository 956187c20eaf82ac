//! The page: draws the cluster that the core's worker simulates.

mod actions;
mod app;
mod browser;
mod core;
mod deck;
mod dock;
mod editor;
mod format;
mod icon;
mod inspector;
mod keys;
mod lamp;
mod map;
mod overlay;
mod reports;
mod size;
mod splitter;
mod state;
mod store;
mod top;
mod words;

fn main() {
    std::panic::set_hook(Box::new(core::panicked));
    state::state().prefs.change(|prefs| *prefs = state::Prefs::load());
    let root = browser::document().get_element_by_id("app").expect("index.html has the page's root");
    yew::Renderer::<app::App>::with_root(root).render();
}
