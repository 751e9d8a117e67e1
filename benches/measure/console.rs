//! What is measured of the console, from outside.
//!
//! Must not count what the screen does not show: each measurement waits for text.

use std::time::{Duration, Instant};

use crate::process::{self, Simulator};
use crate::report::{Row, median, percentile};
use crate::terminal::{FRAME_END, Terminal};
use crate::{Outcome, keys};

/// Added to each of the simulator's answers.
const DELAY: &str = "80ms";
const DELAY_MS: f64 = 80.0;

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// From exec to the first whole frame, while no request is ever answered.
pub fn first_frame(runs: u32) -> Outcome<Vec<Row>> {
    let sim = Simulator::start(&["--fault", "*:blackhole"])?;
    let mut samples = Vec::new();
    for _ in 0..runs * 4 {
        let mut console = Terminal::open(&[], &sim.environment("us-east-1"))?;
        let at = console.first_frame()?;
        samples.push(ms(at - console.started));
        if !console.lines().iter().any(|line| line.contains("[1 Fleet]")) {
            return Err(format!("not the frame that was expected:\n{}", console.lines().join("\n")).into());
        }
    }
    let conditions = "no request is answered (`--fault '*:blackhole'`), no configuration file".to_owned();
    Ok(vec![Row::new("exec → first frame", Some(30.0), "ms", conditions, samples)])
}

/// Whether the services pane's title counts so many and asks for nothing more.
fn is_loaded(lines: &[String], services: &str) -> bool {
    let title = lines.iter().skip(2).find(|line| line.contains(" Services "));
    title.is_some_and(|title| {
        title.split_whitespace().any(|word| word == services)
            && !title.contains("described")
            && !title.contains("asking AWS")
    })
}

/// Without folding, so that each row shows its status.
const UNFOLDED: &str = "[ui]\nfold_healthy = false\n";

/// Time from exec until every row of a cluster has its status.
fn cluster_loaded(services: &str, delay: &[&str]) -> Outcome<(f64, u64)> {
    let sim = Simulator::start(&[&["--services", services], delay].concat())?;
    let mut console = Terminal::configured(UNFOLDED, &["--cluster", "fleet"], &sim.environment("us-east-1"))?;
    let at = console.until("every service with its status", |lines| is_loaded(lines, services))?;
    let loaded = ms(at - console.started);
    Ok((loaded, sim.calls_of(&["ecs:ListServices", "ecs:DescribeServices"])?))
}

/// One after another, how many answers must have been waited for.
fn round_trips(delayed: &[f64], immediate: &[f64]) -> Vec<f64> {
    let alone = median(immediate);
    delayed.iter().map(|t| ((t - alone) / DELAY_MS).round()).collect()
}

/// 60 services of one cluster, all with their status.
pub fn cluster(runs: u32) -> Outcome<Vec<Row>> {
    let mut immediate = Vec::new();
    let mut delayed = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..runs {
        immediate.push(cluster_loaded("60", &[])?.0);
        let (time, count) = cluster_loaded("60", &["--delay", DELAY])?;
        delayed.push(time);
        calls.push(count);
    }
    let exact = calls.iter().all(|count| *count == 7);
    let note = format!(
        "{:.0} ms from exec, {:.0} ms without delay; {} calls",
        median(&delayed),
        median(&immediate),
        calls.iter().max().unwrap_or(&0)
    );
    let conditions = format!(
        "`--cluster` with 60 services, {DELAY} per answer; (time − time without delay) / {DELAY}, rounded"
    );
    let trips = round_trips(&delayed, &immediate);
    Ok(vec![
        Row::new("60 services, every row with status", Some(2.0), "round trips", conditions, trips)
            .noting(exact, note),
    ])
}

/// Rows that the list would have room for on the whole screen.
const SCREENFUL: usize = 36;

/// `⠧ 1200 of 1300+ described` → 1200.
fn described(lines: &[String]) -> usize {
    let Some(line) = lines.iter().find(|l| l.contains(" described")) else { return 0 };
    let words: Vec<&str> = line.split_whitespace().collect();
    let of = words
        .windows(2)
        .rposition(|pair| pair[0] == "of" && pair[1].ends_with(|c: char| c == '+' || c.is_ascii_digit()));
    of.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
}

fn fleet_screenful(delay: &[&str]) -> Outcome<f64> {
    let sim = Simulator::start(&[&["--services", "5000"], delay].concat())?;
    let mut console = Terminal::open(&["--cluster", "fleet"], &sim.environment("us-east-1"))?;
    let at = console.until("a screenful with status", |lines| described(lines) >= SCREENFUL)?;
    Ok(ms(at - console.started))
}

/// 5,000 services of one cluster: the first screenful, all of them, and keys meanwhile.
pub fn fleet(runs: u32) -> Outcome<Vec<Row>> {
    let mut immediate = Vec::new();
    let mut delayed = Vec::new();
    for _ in 0..runs {
        immediate.push(fleet_screenful(&[])?);
        delayed.push(fleet_screenful(&["--delay", DELAY])?);
    }
    let note = format!("{:.0} ms from exec, {:.0} ms without delay", median(&delayed), median(&immediate));
    let conditions = format!(
        "5,000 services in one cluster, {DELAY} per answer; until {SCREENFUL} services are described; rounded as above"
    );
    let trips = round_trips(&delayed, &immediate);
    let mut rows = vec![
        Row::new("5,000 services, first screenful with status", Some(4.0), "round trips", conditions, trips)
            .noting(true, note),
    ];
    rows.extend(fleet_to_the_end()?);
    Ok(rows)
}

fn fleet_to_the_end() -> Outcome<Vec<Row>> {
    let sim = Simulator::start(&["--services", "5000", "--delay", DELAY])?;
    let mut console = Terminal::open(&["--cluster", "fleet"], &sim.environment("us-east-1"))?;
    console.until("a screenful with status", |lines| described(lines) >= SCREENFUL)?;
    let operations = ["ecs:ListServices", "ecs:DescribeServices"];
    let mut typist = keys::Typist::default();
    typist.enter(&mut console)?;
    let mut pace: Vec<(f64, u64)> = Vec::new();
    let mut counted = false;
    let ended = loop {
        typist.round(&mut console)?;
        let lines = console.lines();
        counted |= lines.iter().any(|l| l.contains(" of 5000 described"));
        let done = is_loaded(&lines, "5000");
        let now = Instant::now();
        pace.push((ms(now - console.started) / 1e3, sim.calls_of(&operations)?));
        if done {
            break now;
        }
        if console.started.elapsed() > Duration::from_secs(600) {
            return Err(format!("not all were described in ten minutes:\n{}", lines.join("\n")).into());
        }
    };
    let (_, calls) = pace.last().copied().unwrap_or_default();
    // What is refreshed while the first pass is under way (the selected service's own row) comes on top.
    let passes = pace.iter().filter(|(_, count)| *count >= 550).map(|(at, _)| *at).next();
    let whole = passes.unwrap_or_else(|| ms(ended - console.started) / 1e3);
    let burst = pace.iter().take_while(|(at, _)| *at < 6.0).map(|(_, c)| *c).max().unwrap_or(0);
    let after: Vec<&(f64, u64)> = pace.iter().filter(|(at, c)| *at > 15.0 && *c < 550).collect();
    let rate = match (after.first(), after.last()) {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
        (Some((a, m)), Some((b, n))) if b > a => ((n - m) as f64 / (b - a) * 10.0).round() / 10.0,
        _ => f64::NAN,
    };
    let conditions = format!("the same fleet with {DELAY} per answer, keys pressed all the while");
    let in_order = typist.disorder == 0;
    Ok(vec![
        Row::new("5,000 services, calls per second after the burst", Some(10.0), "/s", conditions.clone(), vec![rate])
            .noting(
                rate >= 5.0 && counted,
                format!("{calls} calls, {burst} in the first 6 s, all in {whole:.0} s; “n of 5000 described” shown"),
            ),
        Row::new(
            "5,000 services loading: key written → frame read, 99th percentile",
            Some(16.0),
            "ms",
            conditions,
            vec![percentile(&typist.samples, 99)],
        )
        .noting(
            in_order,
            format!(
                "{} keys, median {:.1} ms, longest {:.1} ms; moving, changing panes, typing a filter; {} without effect; sick rows first in {} of {} looks",
                typist.samples.len(),
                median(&typist.samples),
                percentile(&typist.samples, 100),
                typist.idle,
                typist.looks - typist.disorder,
                typist.looks,
            ),
        ),
    ])
}

/// The five systems at the default cadence, nobody at the keyboard.
pub fn idle(runs: u32) -> Outcome<Vec<Row>> {
    let minute = Duration::from_secs(60);
    let mut cpu = Vec::new();
    let mut bytes = Vec::new();
    let (mut frames, mut others) = (0, 0);
    for _ in 0..runs.min(3) {
        let sim = Simulator::start(&["all"])?;
        let arguments = ["--region", "us-east-1", "--region", "eu-west-2", "--region", "me-south-1"];
        let mut console = Terminal::open(&arguments, &sim.environment("us-east-1"))?;
        console.until("all five systems", |lines| {
            let text = lines.join("\n");
            ["gov-backend", "gateway-service", "cma-api-production", "saas-worker", "migrate-backend-service"]
                .iter()
                .all(|name| text.contains(name))
                && !text.contains("described")
        })?;
        console.watch(Duration::from_secs(20));
        let pid = console.pid()?;
        let (before, read) = (process::cpu_seconds(pid)?, console.raw.len());
        let mut shown = console.lines();
        let begun = Instant::now();
        while begun.elapsed() < minute {
            let length = console.raw.len();
            console.watch(Duration::from_millis(200));
            if console.raw.len() == length {
                continue;
            }
            frames += console.raw[length..].windows(FRAME_END.len()).filter(|w| *w == FRAME_END).count();
            let now = console.lines();
            let clock = |line: &str| line.trim_end().chars().rev().skip(8).collect::<String>();
            let same = now
                .iter()
                .zip(&shown)
                .enumerate()
                .all(|(y, (a, b))| if y == 0 { clock(a) == clock(b) } else { a == b });
            others += usize::from(!same);
            shown = now;
        }
        let seconds = begun.elapsed().as_secs_f64();
        cpu.push((process::cpu_seconds(pid)? - before) / seconds * 100.0);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
        bytes.push((console.raw.len() - read) as f64 / seconds);
    }
    let conditions = "the five systems in three regions, default cadence, first screen, one minute from 20 s after the start".to_owned();
    Ok(vec![
        Row::new("idle: share of one core", Some(1.0), "%", conditions.clone(), cpu),
        Row::new("idle: written to the terminal", None, "bytes/s", conditions, bytes)
            .noting(true, format!("{frames} frames; {others} of them changed more than the clock, because a row's data or age changed")),
    ])
}

/// Lines that must be held.
const LINES: usize = 50_000;

/// 500 services and 50,000 log lines.
pub fn memory(runs: u32) -> Outcome<Vec<Row>> {
    let mut resident = Vec::new();
    let (mut highest, mut file): (f64, f64) = (0.0, 0.0);
    let mut held = usize::MAX;
    for _ in 0..runs.min(3) {
        let sim = Simulator::start(&["--services", "500"])?;
        let mut console = Terminal::open(&["--cluster", "fleet"], &sim.environment("us-east-1"))?;
        console.until("500 services with status", |lines| is_loaded(lines, "500"))?;
        console.press("lz")?;
        console.until("log lines", |lines| lines_held(lines) > 0)?;
        let mut before = 0;
        while before < LINES {
            console.press("gb")?;
            let known = before;
            console.until("older log lines", |lines| lines_held(lines) > known)?;
            console.watch(Duration::from_millis(20));
            before = lines_held(&console.lines());
        }
        held = held.min(before);
        console.watch(Duration::from_secs(3));
        let found = process::resident(console.pid()?)?;
        resident.push(found.now);
        file = file.max(found.file);
        highest = highest.max(found.most);
    }
    let conditions = "500 services described, one service's log read back".to_owned();
    Ok(vec![
        Row::new("resident memory", Some(60.0), "MB", conditions, resident)
            .noting(held >= LINES, format!("{held} lines held or more; at most {highest:.1} MB on the way; {file:.1} MB of it are pages of the program's own file")),
    ])
}

/// The log pane's title says how many lines it holds.
fn lines_held(lines: &[String]) -> usize {
    let title = lines.iter().find(|l| l.contains(" Logs ") && l.contains(" line"));
    let words: Vec<&str> = title.map(|t| t.split_whitespace().collect()).unwrap_or_default();
    let at = words.iter().position(|word| word.starts_with("line"));
    at.and_then(|at| words.get(at.checked_sub(1)?)?.replace(',', "").parse().ok()).unwrap_or(0)
}
