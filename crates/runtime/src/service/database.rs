//! MySQL, MariaDB, PostgreSQL, MongoDB and others: what they need to start, their data directory, `SELECT 1`.

use std::collections::BTreeMap;

use super::{Service, Surroundings};
use crate::images::spec::Engine;
use crate::tools::format_date;
use crate::{MILLISECOND, Outcome, Protocol, Request, SECOND, SimTime};

/// What is particular to an engine.
struct Facts {
    directory: &'static str,
    /// The first start with an empty directory takes this much longer.
    initialise_ns: u64,
    ready: &'static str,
}

fn facts(engine: Engine) -> Facts {
    match engine {
        Engine::Mysql => Facts {
            directory: "/var/lib/mysql",
            initialise_ns: 9 * SECOND,
            ready: "0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '{version}'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  MySQL Community Server - GPL.",
        },
        Engine::Mariadb => Facts {
            directory: "/var/lib/mysql",
            initialise_ns: 4 * SECOND,
            ready: "0 [Note] mariadbd: ready for connections.",
        },
        Engine::Postgres => Facts {
            directory: "/var/lib/postgresql/data",
            initialise_ns: 2 * SECOND,
            ready: "UTC [1] LOG:  database system is ready to accept connections",
        },
        Engine::Mongo => Facts {
            directory: "/data/db",
            initialise_ns: SECOND,
            ready: "{\"s\":\"I\",\"c\":\"NETWORK\",\"ctx\":\"listener\",\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017,\"ssl\":\"off\"}}",
        },
        Engine::Memcached | Engine::Other => Facts { directory: "", initialise_ns: 0, ready: "" },
    }
}

pub fn start(service: &mut Service, engine: Engine, now: SimTime, around: &mut Surroundings<'_>) {
    let facts = facts(engine);
    let directory = match engine {
        Engine::Postgres => (around.env)("PGDATA").unwrap_or_else(|| facts.directory.to_owned()),
        _ => facts.directory.to_owned(),
    };
    if directory.is_empty() {
        return;
    }
    let marker = format!("{directory}/{}", marker_of(engine));
    let initialised = around.view.exists(&marker);
    if !initialised {
        if let Some(lines) = missing_setting(engine, around) {
            for line in lines {
                around.log_error(line);
            }
            service.ends_at = Some((now + 300 * MILLISECOND, 1));
            return;
        }
        let lost_found = around.view.exists(&format!("{directory}/lost+found"));
        if lost_found && engine == Engine::Postgres {
            around.log_error(format!("initdb: error: directory \"{directory}\" exists but is not empty"));
            service.ends_at = Some((now + 300 * MILLISECOND, 1));
            return;
        }
        let _ = around.view.make_dir_all(&directory).and_then(|()| around.view.write(&marker, b"1\n"));
        if around.settings.startup_ns.is_none() {
            service.listening_from += facts.initialise_ns;
        }
        let database = ["MYSQL_DATABASE", "MARIADB_DATABASE", "POSTGRES_DB"].iter().find_map(|name| (around.env)(name));
        if let Some(name) = database {
            let _ = around.view.make_dir_all(&format!("{directory}/{name}"));
        }
    }
    let date = format_date(around.node, service.listening_from, "%Y-%m-%dT%H:%M:%S.000000Z");
    let ready = facts.ready.replace("{version}", &around.image.tag);
    let line = match engine {
        Engine::Mongo => ready,
        Engine::Postgres => format!("{} {ready}", date.replace('T', " ").replace("000000Z", "000")),
        _ => format!("{date} {ready}"),
    };
    if initialised && engine == Engine::Postgres {
        around.log("\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n");
    }
    service.ready_lines.push(line);
    load(&mut service.values, &directory, around);
}

fn marker_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "PG_VERSION",
        Engine::Mongo => "WiredTiger",
        _ => "ibdata1",
    }
}

/// The official image's complaint when it is not told a password.
fn missing_setting(engine: Engine, around: &Surroundings<'_>) -> Option<Vec<String>> {
    let given = |names: &[&str]| names.iter().any(|name| (around.env)(name).is_some_and(|value| !value.is_empty()));
    match engine {
        Engine::Mysql
            if !given(&[
                "MYSQL_ROOT_PASSWORD",
                "MYSQL_ROOT_PASSWORD_FILE",
                "MYSQL_ALLOW_EMPTY_PASSWORD",
                "MYSQL_RANDOM_ROOT_PASSWORD",
            ]) =>
        {
            Some(vec![
                "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified".to_owned(),
                "    You need to specify one of the following as an environment variable:".to_owned(),
                "    - MYSQL_ROOT_PASSWORD".to_owned(),
                "    - MYSQL_ALLOW_EMPTY_PASSWORD".to_owned(),
                "    - MYSQL_RANDOM_ROOT_PASSWORD".to_owned(),
            ])
        }
        Engine::Mariadb
            if !given(&[
                "MARIADB_ROOT_PASSWORD",
                "MARIADB_ROOT_PASSWORD_HASH",
                "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
                "MARIADB_RANDOM_ROOT_PASSWORD",
                "MYSQL_ROOT_PASSWORD",
                "MYSQL_ALLOW_EMPTY_PASSWORD",
                "MYSQL_RANDOM_ROOT_PASSWORD",
            ]) =>
        {
            Some(vec![
                "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified".to_owned(),
                "\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD".to_owned(),
            ])
        }
        Engine::Postgres
            if !given(&["POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE"])
                && (around.env)("POSTGRES_HOST_AUTH_METHOD").as_deref() != Some("trust") =>
        {
            let text = "Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".

       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about \"trust\":
       https://www.postgresql.org/docs/current/auth-trust.html";
            Some(text.lines().map(str::to_owned).collect())
        }
        _ => None,
    }
}

const STATEMENTS: &str = "tabernetes.sql";

fn load(values: &mut BTreeMap<String, String>, directory: &str, around: &mut Surroundings<'_>) {
    values.insert("directory".to_owned(), directory.to_owned());
    if let Ok(content) = around.view.read(&format!("{directory}/{STATEMENTS}")) {
        values.insert("statements".to_owned(), String::from_utf8_lossy(&content).into_owned());
    }
}

/// Answers `PING` and `SELECT 1`, and remembers statements that write so that they can be counted.
pub fn serve(
    values: &mut BTreeMap<String, String>,
    engine: Engine,
    request: &Request,
    around: &mut Surroundings<'_>,
) -> Outcome {
    if engine == Engine::Other {
        return Outcome::answer(200, "ok\n");
    }
    if !matches!(request.protocol, Protocol::Tcp) {
        return Outcome::Reset;
    }
    if engine == Engine::Memcached {
        return Outcome::answer(200, "VERSION 1.6.39");
    }
    let sql = request.body.trim().trim_end_matches(';');
    let upper = sql.to_ascii_uppercase();
    if upper == "PING" {
        return Outcome::answer(200, "");
    }
    if let Some(expression) = upper.strip_prefix("SELECT ")
        && !expression.contains(" FROM ")
    {
        let value = match expression.trim() {
            "VERSION()" => around.image.tag.to_string(),
            "@@SERVER_ID" => "1".to_owned(),
            "@@HOSTNAME" => around.sandbox.hostname.clone(),
            other => other.to_owned(),
        };
        return Outcome::answer(200, format!("{}\n{value}\n", &sql["SELECT ".len()..]));
    }
    if upper.starts_with("SHOW DATABASES") {
        let names = "Database\ninformation_schema\nmysql\nperformance_schema\nsys\n";
        return Outcome::answer(200, names);
    }
    let Some(directory) = values.get("directory").cloned() else { return Outcome::answer(200, "") };
    let statements = values.entry("statements".to_owned()).or_default();
    let writes = ["CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER"].iter().any(|word| upper.starts_with(word));
    if writes {
        statements.push_str(&format!("{}\n", sql.replace('\n', " ")));
        let path = format!("{directory}/{STATEMENTS}");
        if let Err(error) = around.view.write(&path, statements.clone().as_bytes()) {
            return Outcome::answer(500, format!("ERROR 1021 (HY000): Disk full: {error}"));
        }
        return Outcome::answer(200, "");
    }
    Outcome::answer(200, inserted_rows(statements, &upper))
}

/// The values of the rows inserted into the table that a `SELECT … FROM table` names.
fn inserted_rows(statements: &str, select: &str) -> String {
    let table = select.split(" FROM ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    let mut rows = String::new();
    for statement in statements.lines() {
        let upper = statement.to_ascii_uppercase();
        if !upper.starts_with("INSERT INTO") || !upper.contains(table) {
            continue;
        }
        let Some(at) = upper.find("VALUES") else { continue };
        for row in statement[at + 6..].split("),") {
            let row = row.trim().trim_matches(['(', ')', ' ']);
            let cells: Vec<&str> = row.split(',').map(|cell| cell.trim().trim_matches('\'')).collect();
            rows.push_str(&format!("{}\n", cells.join("\t")));
        }
    }
    rows
}
