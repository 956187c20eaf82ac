//! What the catalogue says about an image.

/// What an image is built on: which shell and tools it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// No shell, no tools.
    Scratch,
    Busybox,
    Alpine,
    /// Debian or Ubuntu: `dash` as `sh`, `bash`, GNU tools.
    Debian,
}

impl Base {
    pub fn has_shell(self) -> bool {
        self != Self::Scratch
    }

    /// `sh` is dash and there is a bash.
    pub fn has_dash(self) -> bool {
        self == Self::Debian
    }
}

/// One image of the catalogue: a row of data.
#[derive(Debug)]
pub struct ImageSpec {
    /// Normalised names under which it is published.
    pub repositories: &'static [&'static str],
    /// A tag pattern, see [`tag_matches`](super::tags::tag_matches). Empty for any tag.
    pub tags: &'static str,
    /// Compressed size in kilobytes.
    pub size_kb: u64,
    pub base: Base,
    pub entrypoint: &'static [&'static str],
    pub cmd: &'static [&'static str],
    pub ports: &'static [u16],
    /// Listens on the ports that the container declares, if it declares any.
    pub ports_vary: bool,
    pub uid: u32,
    /// Name of `uid` when it is not root.
    pub user: &'static str,
    pub env: &'static [(&'static str, &'static str)],
    pub working_dir: &'static str,
    /// Path and content of files beyond those of the base.
    pub files: &'static [(&'static str, &'static str)],
    /// Tools beyond those of the base.
    pub tools: &'static [&'static str],
    /// Names of the programs that are the image's service.
    pub programs: &'static [&'static str],
    /// Programs that run the rest of their command line.
    pub wrappers: &'static [&'static str],
    pub behaviour: Behaviour,
    /// From start to listening.
    pub startup_ms: u64,
    /// Time that an idle server takes for a request.
    pub latency_us: u64,
    /// CPU time of a request.
    pub request_cpu_us: u64,
    pub idle_cpu_milli: u64,
    pub memory_mb: u64,
    pub stop: Stop,
    /// Whether the image is in the catalogue at all.
    pub is_known: bool,
}

/// How a service takes SIGTERM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Ends after this many milliseconds with this exit code.
    After { ms: u64, code: i32 },
    /// Runs on until it is killed.
    Ignores,
}

/// What a service does.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Waits for ever, listens nowhere.
    Idle,
    /// Stands for every program of a hollow node.
    Hollow,
    /// Prints and ends.
    OneShot {
        text: &'static str,
        code: i32,
    },
    /// Serves files from this directory and logs each request.
    Files {
        root: &'static str,
        kind: FileServer,
    },
    /// Answers every path with a text, see [`crate::service`] for what it may contain.
    Text {
        body: &'static str,
        content_type: &'static str,
    },
    /// A language's interpreter: ends at once without a program, else serves this text.
    Interpreter {
        body: &'static str,
    },
    /// Calls others and answers when they have.
    App {
        routes: &'static [Route],
        body: &'static str,
    },
    Redis,
    Database(Engine),
    /// `agnhost` and its kin: the first argument chooses.
    Agnhost,
    /// `stress` programs: memory and CPU by their arguments.
    Stress,
    /// Its arguments say what to answer (`-text=…`).
    HttpEcho,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileServer {
    Nginx,
    Httpd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Mysql,
    Mariadb,
    Postgres,
    Mongo,
    Memcached,
    Other,
}

/// The calls that an app makes for paths with a prefix; the longest prefix wins.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub prefix: &'static str,
    pub calls: &'static [Dependency],
}

/// A server that an app calls.
#[derive(Clone, Copy, Debug)]
pub struct Dependency {
    /// Environment variable that holds `host[:port]`; empty for none.
    pub variable: &'static str,
    /// Host without the variable; empty: no call then.
    pub host: &'static str,
    pub port: u16,
    pub protocol: crate::Protocol,
    /// Path, or for TCP the payload. `{…}` is a query parameter of the request.
    pub what: &'static str,
    pub required: bool,
}

impl ImageSpec {
    /// A row to start from.
    pub const DEFAULT: Self = Self {
        repositories: &[],
        tags: "",
        size_kb: 50_000,
        base: Base::Debian,
        entrypoint: &[],
        cmd: &[],
        ports: &[],
        ports_vary: false,
        uid: 0,
        user: "",
        env: &[],
        working_dir: "/",
        files: &[],
        tools: &[],
        programs: &[],
        wrappers: &["docker-entrypoint.sh", "tini", "dumb-init", "docker-php-entrypoint"],
        behaviour: Behaviour::Idle,
        startup_ms: 200,
        latency_us: 800,
        request_cpu_us: 200,
        idle_cpu_milli: 1,
        memory_mb: 16,
        stop: Stop::After { ms: 50, code: 0 },
        is_known: true,
    };

    /// Whether a program of that name is the image's service.
    pub fn runs(&self, name: &str) -> bool {
        self.programs.contains(&name)
            || self.entrypoint.iter().any(|word| {
                let base = word.rsplit('/').next().unwrap_or(word);
                base == name && !self.wrappers.contains(&base) && crate::tools::is_service_name(base)
            })
    }

    /// The name of a user that the image has.
    pub fn user_name(&self, uid: u32) -> Option<&'static str> {
        (uid == self.uid && !self.user.is_empty()).then_some(self.user)
    }
}
