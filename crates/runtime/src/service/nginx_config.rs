//! The part of nginx's configuration that changes what it serves: `listen`, `root`, `return` and `proxy_pass`.

use crate::vfs::View;

/// What is configured, when it is not as in the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    servers: Vec<Server>,
    /// Name and first member of each `upstream`.
    upstreams: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Server {
    ports: Vec<u16>,
    /// Prefix and action; the server's own have the prefix `/`.
    locations: Vec<(String, Action)>,
}

/// What a location does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Root(String),
    Return {
        status: u16,
        body: String,
    },
    /// `path` replaces the request's, if given.
    Proxy {
        host: String,
        port: u16,
        path: Option<String>,
    },
}

impl Config {
    /// All ports of all servers; 80 for a server that names none.
    pub fn ports(&self) -> Vec<u16> {
        self.servers.iter().flat_map(|s| if s.ports.is_empty() { vec![80] } else { s.ports.clone() }).collect()
    }

    /// What happens to a path at a port: by the longest prefix.
    pub fn action(&self, port: u16, path: &str) -> Option<Action> {
        let fits = |server: &&Server| server.ports.contains(&port) || (server.ports.is_empty() && port == 80);
        let server = self.servers.iter().find(fits)?;
        let fitting = server.locations.iter().filter(|(prefix, _)| path.starts_with(prefix.as_str()));
        let (_, action) = fitting.max_by_key(|(prefix, _)| prefix.len())?;
        match action {
            Action::Proxy { host, port, path } => {
                let member = self.upstreams.iter().find(|(name, _)| name == host).map(|(_, member)| member);
                let (host, port) = match member.map(|member| member.split_once(':').unwrap_or((member, "80"))) {
                    Some((host, port)) => (host.to_owned(), port.parse().unwrap_or(80)),
                    None => (host.clone(), *port),
                };
                Some(Action::Proxy { host, port, path: path.clone() })
            }
            other => Some(other.clone()),
        }
    }
}

/// Reads the configuration; `None` while nobody has touched it.
pub fn read(view: &mut View<'_>) -> Option<Config> {
    let mounted = view.mounts.iter().any(|mount| mount.mount().path.starts_with("/etc/nginx"));
    if !mounted && view.root.changes() == 0 {
        return None;
    }
    let mut text = read_text(view, "/etc/nginx/nginx.conf");
    if text.contains("conf.d/") {
        for name in view.list("/etc/nginx/conf.d").unwrap_or_default() {
            if name.ends_with(".conf") {
                text.push_str(&read_text(view, &format!("/etc/nginx/conf.d/{name}")));
            }
        }
    }
    let config = parse(&text);
    (!config.servers.is_empty()).then_some(config)
}

fn read_text(view: &mut View<'_>, path: &str) -> String {
    view.read(path).map(|content| String::from_utf8_lossy(&content).into_owned()).unwrap_or_default()
}

fn parse(text: &str) -> Config {
    let mut config = Config::default();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for token in tokens(text) {
        match token.as_str() {
            "{" => {
                if words.first().is_some_and(|word| word == "server") {
                    config.servers.push(Server::default());
                }
                blocks.push(std::mem::take(&mut words));
            }
            "}" => {
                blocks.pop();
                words.clear();
            }
            ";" => directive(&mut config, &blocks, &std::mem::take(&mut words)),
            _ => words.push(token),
        }
    }
    config
}

fn directive(config: &mut Config, blocks: &[Vec<String>], words: &[String]) {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let block = blocks.last().map_or(&[][..], Vec::as_slice);
    if block.first().is_some_and(|name| name == "upstream") && word(0) == "server" {
        let name = block.get(1).cloned().unwrap_or_default();
        config.upstreams.push((name, word(1).to_owned()));
        return;
    }
    let prefix = blocks.iter().rev().find(|block| block.first().is_some_and(|name| name == "location"));
    let prefix = prefix.and_then(|block| block.last()).map_or("/", String::as_str);
    let Some(server) = config.servers.last_mut() else { return };
    let action = match word(0) {
        "listen" => {
            let port = word(1).rsplit(':').next().and_then(|port| port.parse().ok());
            server.ports.extend(port.filter(|port| !server.ports.contains(port)));
            return;
        }
        "root" => Action::Root(word(1).to_owned()),
        "return" => match word(1).parse() {
            Ok(status) => {
                Action::Return { status, body: words.get(2..).unwrap_or_default().join(" ").replace("\\n", "\n") }
            }
            Err(_) => return,
        },
        "proxy_pass" => {
            let target = word(1).split_once("://").map_or(word(1), |(_, rest)| rest);
            let (authority, path) = target.split_once('/').map_or((target, None), |(a, p)| (a, Some(format!("/{p}"))));
            let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
            let path = path.filter(|path| path != "/");
            Action::Proxy { host: host.to_owned(), port: port.parse().unwrap_or(80), path }
        }
        _ => return,
    };
    server.locations.push((prefix.to_owned(), action));
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut current = String::new();
    let mut quote = None;
    let mut comment = false;
    for c in text.chars() {
        match (quote, c) {
            _ if comment => comment = c != '\n',
            (Some(end), c) if c == end => {
                quote = None;
                tokens.push(std::mem::take(&mut current));
            }
            (Some(_), c) => current.push(c),
            (None, '#') => comment = true,
            (None, '\'' | '"') => quote = Some(c),
            (None, '{' | '}' | ';') => {
                tokens.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
                tokens.push(c.to_string());
            }
            (None, c) if c.is_whitespace() => {
                tokens.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
            }
            (None, c) => current.push(c),
        }
    }
    tokens
}
