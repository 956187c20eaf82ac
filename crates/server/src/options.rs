//! The command line.

use std::path::PathBuf;

use api::time;
use api::types::Time;
use jiff::Timestamp;
use lexopt::ValueExt as _;
use tabernetes::ClusterConfig;

use crate::auth::Tokens;
use crate::pace::Speed;

pub const HELP: &str = "\
server: a simulated Kubernetes 1.36 cluster behind HTTP

  --listen ADDRESS:PORT              127.0.0.1:8001; port 0 takes a free one
  --nodes N                          3
  --seed N                           1: the same seed, start and requests give the same cluster
  --start TIME                       now: what the cluster's clock says at first, such as 2026-01-01T00:00:00Z
  --speed FACTOR|max                 1: virtual seconds a second; max: as fast as possible until the cluster settles
  --kubeconfig FILE                  write a kubeconfig for the first token
  --token TOKEN=USER[,GROUP...]      who is who; may be repeated. Without it one token is drawn for the administrator
  --hollow                           hollow nodes: every image is there, containers start at once, never exit by
                                     themselves and pass every probe; recorded kubectl sessions are replayed on them
  --no-controllers all|NAME,...      do without controllers, the scheduler and their like
  --tls                              HTTPS with a certificate authority of its own
";

pub struct Options {
    pub listen: String,
    pub nodes: u32,
    pub seed: u64,
    pub start: Timestamp,
    pub speed: Speed,
    pub kubeconfig: Option<PathBuf>,
    pub tokens: Tokens,
    /// As `ClusterConfig::controllers`.
    pub controllers: Vec<String>,
    /// As `ClusterConfig::hollow`.
    pub hollow: bool,
    pub tls: bool,
    /// What the line that says that the server is ready ends with.
    pub ready_note: String,
}

impl Options {
    /// `None`: help was asked for.
    pub fn parse() -> anyhow::Result<Option<Options>> {
        let mut options = Options {
            listen: "127.0.0.1:8001".into(),
            nodes: 3,
            seed: 1,
            start: Timestamp::now(),
            speed: Speed::Times(1.0),
            kubeconfig: None,
            tokens: Tokens::default(),
            controllers: vec!["*".into()],
            hollow: false,
            tls: false,
            ready_note: String::new(),
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("listen") => options.listen = arguments.value()?.string()?,
                lexopt::Arg::Long("nodes") => options.nodes = arguments.value()?.parse()?,
                lexopt::Arg::Long("seed") => options.seed = arguments.value()?.parse()?,
                lexopt::Arg::Long("start") => options.start = arguments.value()?.parse()?,
                lexopt::Arg::Long("speed") => options.speed = arguments.value()?.parse()?,
                lexopt::Arg::Long("kubeconfig") => options.kubeconfig = Some(arguments.value()?.into()),
                lexopt::Arg::Long("token") => options.tokens.add(&arguments.value()?.string()?)?,
                lexopt::Arg::Long("no-controllers") => options.leave_out(&arguments.value()?.string()?),
                lexopt::Arg::Long("hollow") => options.hollow = true,
                lexopt::Arg::Long("tls") => options.tls = true,
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        if options.tokens.is_empty() {
            let token = options.tokens.draw()?;
            options.ready_note = match &options.kubeconfig {
                Some(file) => format!(", kubeconfig {}", file.display()),
                None => format!(", token {token}"),
            };
        }
        Ok(Some(options))
    }

    fn leave_out(&mut self, names: &str) {
        if names == "all" {
            self.controllers.clear();
        } else {
            self.controllers.extend(names.split(',').map(|name| format!("-{name}")));
        }
    }

    pub fn cluster(&self) -> ClusterConfig {
        let base = if self.hollow { ClusterConfig::hollow() } else { ClusterConfig::default() };
        let starts_at = time::since_start(&Time(self.start));
        ClusterConfig { seed: self.seed, starts_at, nodes: self.nodes, controllers: self.controllers.clone(), ..base }
    }
}
