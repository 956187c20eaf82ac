//! `http SERVER [KEY=VALUE…]`: the requests of `bench api`, as clients of the program `SERVER` send them over loopback.

#[cfg(not(target_family = "wasm"))]
mod clients;

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    let mut words = std::env::args().skip(1);
    let server = words.next().unwrap_or_default();
    match clients::run(&server, &words.collect::<Vec<_>>().join(" ")) {
        Ok(line) => {
            println!("{line}");
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("http: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// There are no sockets here.
#[cfg(target_family = "wasm")]
fn main() {}
