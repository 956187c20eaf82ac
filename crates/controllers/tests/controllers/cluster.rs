//! The controller manager before an API server, with nobody else.

use api::time::SECOND;
use apiserver::local::Local;
use client::Component;
use controllers::{Config, ControllerManager};

pub struct Cluster {
    pub local: Local,
    manager: ControllerManager,
}

impl Cluster {
    pub fn new() -> Cluster {
        let mut cluster = Cluster { local: Local::new(1), manager: ControllerManager::new(&Config::default()) };
        cluster.run(1);
        cluster
    }

    pub fn run(&mut self, seconds: u64) {
        let components: &mut [&mut dyn Component] = &mut [&mut self.manager];
        self.local.run_for(components, seconds * SECOND);
    }
}
