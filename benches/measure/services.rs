//! The headless list beside boto3, against a moto server that neither of us wrote.
//!
//! Must let both do the same work: list one cluster's services, describe them, print them as JSON.

use std::fmt::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::process::{self, Kept, aws};
use crate::report::{Row, median};

const PACKAGES: [&str; 2] = ["moto[server]==5.2.5", "boto3>=1.44.5"];

/// A virtual environment with moto and boto3, made once.
fn python() -> Outcome<PathBuf> {
    let folder = process::keep().join("venv");
    let python = folder.join("bin/python");
    if !folder.join("bin/moto_server").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Outcome<()> {
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if ended.success() { Ok(()) } else { Err(format!("{command:?} ended with {ended}").into()) }
}

fn moto(python: &Path, port: u16) -> Outcome<Kept> {
    let child = Command::new(python.with_file_name("moto_server"))
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let kept = Kept(child);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(60) {
            return Err("moto does not listen".into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(kept)
}

/// A port that was free a moment ago: moto cannot choose one itself and tell.
fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// 500 services as JSON: wall and CPU time as shares of boto3's.
pub fn beside_boto3(runs: u32) -> Outcome<Vec<Row>> {
    let python = python()?;
    let script = process::root().join("benches/measure/services.py");
    let port = free_port()?;
    let _moto = moto(&python, port)?;
    let url = format!("http://127.0.0.1:{port}");
    run(Command::new(&python).arg(&script).args(["create", &url, "500"]))?;
    let output = Command::new(&python)
        .arg(&script)
        .args(["race", &(runs * 2).to_string(), &url])
        .arg(process::binary())
        .args(["services", "--cluster", "perf", "--output", "json", "--budget", "off"])
        .env_remove("AWS_PROFILE")
        .envs(aws(&url, "us-east-1"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the race was not run to its end".into());
    }
    let result: Value = serde_json::from_slice(&output.stdout)?;
    let figures = |who: &str, what: &str| -> Vec<f64> {
        result[who].as_array().into_iter().flatten().filter_map(|run| run[what].as_f64()).collect()
    };
    let complete =
        ["boto3", "opsdeck"].iter().all(|who| figures(who, "services").iter().all(|n| *n == 500.0));
    let row = |what: &str, goal: f64, name: &str| {
        let (theirs, ours) = (figures("boto3", name), figures("opsdeck", name));
        let shares = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
        let mut note =
            format!("{:.3} s beside {:.3} s; 500 services in each answer", median(&ours), median(&theirs));
        if name == "wall" {
            // moto answers from one Python process: with many connections or one, nobody is faster than this.
            let floor = median(&figures("bare", name));
            let _ = write!(note, "; the requests alone take this moto {floor:.3} s, eight at a time");
        }
        let conditions =
            "`services --cluster perf --output json --budget off` and boto3 by turns, same moto 5.2.5"
                .to_owned();
        Row::new(what, Some(goal), "× boto3", conditions, shares).noting(complete, note)
    };
    Ok(vec![
        row("500 services as JSON, wall time", 0.4, "wall"),
        row("500 services as JSON, CPU time", 0.3, "cpu"),
    ])
}
