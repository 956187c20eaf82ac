//! A server, and clients that send it requests over connections of their own.
#![expect(clippy::disallowed_methods, reason = "measures by the clock")]

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bench::Parameters;
use bench::requests::{self, Asked};
use ureq::Agent;
use ureq::http::Request;

const TOKEN: &str = "bench";

/// One run of the requests of `bench api`, and its line.
pub fn run(server: &str, parameters: &str) -> Result<String, String> {
    let mut parameters = Parameters::parse(parameters)?;
    let asked = requests::take(&mut parameters)?;
    let clients: usize = parameters.take("clients", 8)?;
    let description = parameters.finish()?;
    let server = Server::start(server).map_err(|error| format!("{server}: {error}"))?;
    server.send_all(&requests::preparation())?;

    let share = asked.len().div_ceil(clients.max(1)).max(1);
    let start = Instant::now();
    let bytes: Result<u64, String> = std::thread::scope(|scope| {
        let clients: Vec<_> = asked.chunks(share).map(|share| scope.spawn(|| server.send_all(share))).collect();
        clients.into_iter().map(|client| client.join().unwrap_or_else(|_| Err("a client has ended".into()))).sum()
    });
    let seconds = start.elapsed().as_secs_f64();
    Ok(format!("api target=http{description} requests={} bytes={} wall_s={seconds:.3}", asked.len(), bytes?))
}

/// A server without controllers, which ends with the run.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(program: &str) -> io::Result<Server> {
        let mut process = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--nodes", "0", "--seed", "1", "--no-controllers", "all"])
            .args(["--token", &format!("{TOKEN}=kubernetes-admin,system:masters")])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.split_once("http://").map(|(_, address)| format!("http://{}", address.trim()));
        let address = address.ok_or_else(|| io::Error::other(format!("it says {line:?}, and no address")))?;
        Ok(Server { process, address })
    }

    /// Sends requests one after the other over one connection. The bytes of their answers, which must be successes.
    fn send_all(&self, requests: &[Asked]) -> Result<u64, String> {
        let agent: Agent = Agent::config_builder().build().into();
        let mut bytes = 0;
        for Asked { method, path, content_type, body } in requests {
            let request = Request::builder()
                .method(*method)
                .uri(format!("{}{path}", self.address))
                .header("Authorization", format!("Bearer {TOKEN}"))
                .header("Content-Type", *content_type)
                .body(body.as_str());
            let answer = request.map_err(|error| error.to_string()).and_then(|request| {
                let mut response = agent.run(request).map_err(|error| error.to_string())?;
                response.body_mut().read_to_vec().map_err(|error| error.to_string())
            });
            bytes += answer.map_err(|error| format!("{method} {path}: {error}"))?.len() as u64;
        }
        Ok(bytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
