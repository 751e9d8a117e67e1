//! Processes: the release build, the simulator, what the system says about a running process and the machine.
//!
//! Must end what it starts, whatever happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;

/// The folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Builds what is measured, as the README says.
pub fn build() -> Outcome<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked"])
        .current_dir(root())
        .stdout(Stdio::null())
        .status()?;
    if built.success() { Ok(()) } else { Err("the release build failed".into()) }
}

/// The binary that is measured.
pub fn binary() -> PathBuf {
    target().join("release/opsdeck")
}

/// Where what takes long to fetch is kept between runs.
pub fn keep() -> PathBuf {
    target().join("measure")
}

/// A child that does not outlive us.
pub struct Kept(pub Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A simulator in a process of its own.
pub struct Simulator {
    _child: Kept,
    address: String,
}

impl Simulator {
    /// Starts one with the verb's own flags.
    pub fn start(flags: &[&str]) -> Outcome<Self> {
        let mut child = Kept(
            Command::new(binary())
                .args(["sim", "--listen", "127.0.0.1:0"])
                .args(flags)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let stdout = child.0.stdout.take().ok_or("the simulator has no output")?;
        for line in BufReader::new(stdout).lines() {
            if let Some(url) = line?.strip_prefix("export AWS_ENDPOINT_URL=http://") {
                return Ok(Self { _child: child, address: url.to_owned() });
            }
        }
        Err("the simulator did not start".into())
    }

    /// What a process needs in its environment to take it for AWS.
    pub fn environment(&self, region: &str) -> Vec<(String, String)> {
        aws(&format!("http://{}", self.address), region)
    }

    /// How often each operation was called.
    pub fn calls(&self) -> Outcome<Vec<(String, u64)>> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET /_sim/ HTTP/1.1\r\nHost: simulator\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (_, body) = text.split_once("\r\n\r\n").ok_or("the simulator answers without a body")?;
        let status: Value = serde_json::from_str(body)?;
        let calls = status["calls"].as_object().ok_or("the simulator counts no calls")?;
        Ok(calls.iter().map(|(name, n)| (name.clone(), n.as_u64().unwrap_or(0))).collect())
    }

    /// Calls of the operations whose name ends so.
    pub fn calls_of(&self, operations: &[&str]) -> Outcome<u64> {
        let calls = self.calls()?;
        Ok(calls
            .iter()
            .filter(|(name, _)| operations.iter().any(|o| name.ends_with(o)))
            .map(|(_, n)| n)
            .sum())
    }
}

/// The variables that name an endpoint with credentials that anything local accepts.
pub fn aws(url: &str, region: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "measure"),
        ("AWS_SECRET_ACCESS_KEY", "measure"),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// CPU time of a process so far, in seconds.
pub fn cpu_seconds(pid: u32) -> Outcome<f64> {
    // What each thread has run, in nanoseconds: the ticks of `stat` are too coarse for an idle console.
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or("0").parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

/// Memory of a process in MB.
pub struct Resident {
    /// All that is resident.
    pub now: f64,
    /// Of it, pages of the program's file, which processes share.
    pub file: f64,
    /// The highest that it was.
    pub most: f64,
}

/// What a process holds now.
pub fn resident(pid: u32) -> Outcome<Resident> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let of = |name: &str| -> Outcome<f64> {
        let line = status.lines().find(|l| l.starts_with(name)).ok_or("no such line in /proc")?;
        let kib: f64 = line.split_whitespace().nth(1).unwrap_or("0").parse()?;
        Ok(kib * 1024.0 / 1e6)
    };
    Ok(Resident { now: of("VmRSS:")?, file: of("RssFile:")?, most: of("VmHWM:")? })
}

/// The day.
pub fn today() -> String {
    opsdeck::stdx::clock::Clock::system().now().wall.rfc3339().chars().take(10).collect()
}

/// The commit that is checked out, with a mark when files differ from it.
pub fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    // What is printed into is no difference of the program.
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"]);
    let mark = if changed.is_some_and(|c| !c.is_empty()) { " with changes" } else { "" };
    format!("{hash}{mark}")
}

/// Cores, processor, memory, kernel.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|l| l.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let model = after(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = after(&read("/proc/meminfo"), "MemTotal")
        .and_then(|m| m.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(String::new, |kib| format!(", {:.0} GB", kib * 1024.0 / 1e9));
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {model}{memory}, Linux {}", kernel.trim())
}
