//! Child servers that end with this process; waits until they are ready.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long a server may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server with all the processes that it starts.
pub struct Server {
    name: &'static str,
    child: Child,
}

impl Server {
    /// Starts the server in a process group of its own, so that the whole group can be ended.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        Ok(Self { name, child })
    }

    /// The name in messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The exit status, if the server has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("{} cannot be observed", self.name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // First a request to end, so that wrangler ends its workerd and removes its temporary files.
        signal(&self.child, Ending::Ask);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        signal(&self.child, Ending::Force);
        // An error means that the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Ask,
    Force,
}

#[cfg(unix)]
fn signal(child: &Child, ending: Ending) {
    use nix::sys::signal::{Signal, killpg};
    let Ok(id) = i32::try_from(child.id()) else {
        return;
    };
    let signal = match ending {
        Ending::Ask => Signal::SIGTERM,
        Ending::Force => Signal::SIGKILL,
    };
    // An error means that the group has no process any more.
    let _ = killpg(nix::unistd::Pid::from_raw(id), signal);
}

#[cfg(windows)]
fn signal(child: &Child, ending: Ending) {
    if let Ending::Force = ending {
        let _ = Command::new("taskkill")
            .args(["/T", "/F", "/PID", &child.id().to_string()])
            .output();
    }
}

/// An address on this machine only.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether the address is free for a server.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(local(port)).is_ok()
}

/// Whether a `GET` gets status 200.
pub fn answers(port: u16, path: &str) -> bool {
    status(port, path).is_ok_and(|line| line.starts_with("HTTP/1.1 200"))
}

/// The JSON object in the response to a `GET`.
pub fn get(port: u16, path: &str) -> std::io::Result<String> {
    let answer = request(port, path, 1 << 16)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    // A chunked body begins with its length.
    let json = body.find('{').and_then(|at| body.get(at..)).unwrap_or(body);
    let end = json.rfind('}').map_or(json.len(), |at| at + 1);
    Ok(json.get(..end).unwrap_or(json).to_owned())
}

fn status(port: u16, path: &str) -> std::io::Result<String> {
    request(port, path, 64)
}

/// The first bytes of a response.
fn request(port: u16, path: &str, most: u64) -> std::io::Result<String> {
    let timeout = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&local(port), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(most).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
