//! The programs that shells call: small functions in a table.

mod awk;
mod clients;
mod files;
mod grep;
mod lookup;
mod net;
mod packages;
mod run;
mod sed;
mod system;
mod text;

pub use lookup::{Missing, base_name, find_program, is_service_name, which};
pub use run::ToolRun;
pub use system::{format_date, stress_load};

use run::Function;

/// Which images a tool comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// BusyBox and GNU coreutils: every image with a shell.
    Everywhere,
    /// BusyBox, but not a slim Debian.
    Busybox,
    /// Debian, but not BusyBox.
    Debian,
    /// Only where the image lists it, or after a package manager has installed it.
    Extra,
}

/// A tool.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    pub origin: Origin,
    run: Function,
}

const fn tool(name: &'static str, origin: Origin, run: Function) -> Tool {
    Tool { name, origin, run }
}

/// All tools.
pub static TABLE: &[Tool] = &[
    tool("apk", Origin::Extra, packages::install),
    tool("apt", Origin::Debian, packages::install),
    tool("apt-get", Origin::Debian, packages::install),
    tool("awk", Origin::Everywhere, awk::awk),
    tool("base64", Origin::Everywhere, text::base64),
    tool("basename", Origin::Everywhere, files::basename),
    tool("cat", Origin::Everywhere, text::cat),
    tool("chmod", Origin::Everywhere, files::chmod),
    tool("chown", Origin::Everywhere, system::succeed),
    tool("cp", Origin::Everywhere, files::cp),
    tool("curl", Origin::Extra, net::curl),
    tool("cut", Origin::Everywhere, text::cut),
    tool("date", Origin::Everywhere, system::date),
    tool("dd", Origin::Everywhere, files::dd),
    tool("df", Origin::Everywhere, files::df),
    tool("dig", Origin::Extra, net::dig),
    tool("dirname", Origin::Everywhere, files::dirname),
    tool("du", Origin::Everywhere, files::du),
    tool("echo", Origin::Everywhere, text::echo),
    tool("env", Origin::Everywhere, system::env),
    tool("fallocate", Origin::Everywhere, files::fallocate),
    tool("false", Origin::Everywhere, system::fail),
    tool("find", Origin::Everywhere, files::find),
    tool("free", Origin::Busybox, system::free),
    tool("getent", Origin::Everywhere, net::getent),
    tool("grep", Origin::Everywhere, grep::grep),
    tool("egrep", Origin::Everywhere, grep::grep),
    tool("head", Origin::Everywhere, text::head),
    tool("hostname", Origin::Everywhere, system::hostname),
    tool("id", Origin::Everywhere, system::id),
    tool("kill", Origin::Everywhere, system::kill),
    tool("ln", Origin::Everywhere, files::ln),
    tool("ls", Origin::Everywhere, files::ls),
    tool("mkdir", Origin::Everywhere, files::mkdir),
    tool("mongo", Origin::Extra, clients::mongosh),
    tool("mongosh", Origin::Extra, clients::mongosh),
    tool("mv", Origin::Everywhere, files::mv),
    tool("mysql", Origin::Extra, clients::mysql),
    tool("mysqladmin", Origin::Extra, clients::mysqladmin),
    tool("mariadb", Origin::Extra, clients::mysql),
    tool("mariadb-admin", Origin::Extra, clients::mysqladmin),
    tool("nginx", Origin::Extra, system::nginx_control),
    tool("nc", Origin::Busybox, net::nc),
    tool("nproc", Origin::Everywhere, system::nproc),
    tool("nslookup", Origin::Busybox, net::nslookup),
    tool("perl", Origin::Debian, system::perl),
    tool("pg_isready", Origin::Extra, clients::pg_isready),
    tool("ping", Origin::Busybox, net::ping),
    tool("printenv", Origin::Everywhere, system::printenv),
    tool("printf", Origin::Everywhere, text::printf),
    tool("ps", Origin::Busybox, system::ps),
    tool("psql", Origin::Extra, clients::psql),
    tool("pwd", Origin::Everywhere, system::pwd),
    tool("readlink", Origin::Everywhere, files::readlink),
    tool("realpath", Origin::Everywhere, files::readlink),
    tool("redis-cli", Origin::Extra, clients::redis_cli),
    tool("rev", Origin::Everywhere, text::rev),
    tool("rm", Origin::Everywhere, files::rm),
    tool("rmdir", Origin::Everywhere, files::rmdir),
    tool("sed", Origin::Everywhere, sed::sed),
    tool("seq", Origin::Everywhere, text::seq),
    tool("sha256sum", Origin::Everywhere, text::checksum),
    tool("md5sum", Origin::Everywhere, text::checksum),
    tool("sleep", Origin::Everywhere, system::sleep),
    tool("sort", Origin::Everywhere, text::sort),
    tool("stat", Origin::Everywhere, files::stat),
    tool("stress", Origin::Extra, system::stress),
    tool("sync", Origin::Everywhere, system::succeed),
    tool("tac", Origin::Everywhere, text::tac),
    tool("tail", Origin::Everywhere, text::tail),
    tool("tee", Origin::Everywhere, text::tee),
    tool("touch", Origin::Everywhere, files::touch),
    tool("tr", Origin::Everywhere, text::tr),
    tool("true", Origin::Everywhere, system::succeed),
    tool("uname", Origin::Everywhere, system::uname),
    tool("uniq", Origin::Everywhere, text::uniq),
    tool("uptime", Origin::Busybox, system::uptime),
    tool("wc", Origin::Everywhere, text::wc),
    tool("wget", Origin::Busybox, net::wget),
    tool("which", Origin::Everywhere, system::which),
    tool("whoami", Origin::Everywhere, system::whoami),
    tool("yes", Origin::Everywhere, text::yes),
];

/// The tool of that name, wherever it comes from.
pub fn find_tool(name: &str) -> Option<&'static Tool> {
    TABLE.iter().find(|tool| tool.name == name)
}
