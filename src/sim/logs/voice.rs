//! Dresses a line as the program that wrote it would: pino, structlog, nginx, uvicorn, celery and so on.
//!
//! Must not decide what happens or when.

use fastrand::Rng;

use crate::sim::stack::LogFormat;
use crate::stdx::clock::Wall;

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn lower(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// As Python's `logging` calls it.
    fn python(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARNING",
            Self::Error => "ERROR",
        }
    }

    /// As structlog writes it.
    fn structlog(self) -> &'static str {
        if self == Self::Warn { "warning" } else { self.lower() }
    }

    fn upper(self) -> &'static str {
        if self == Self::Warn { "WARN" } else { self.python() }
    }
}

/// One HTTP request, as access lines tell it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub id: String,
    pub method: String,
    pub path: String,
    pub ip: String,
    pub status: u16,
    pub millis: i64,
    pub bytes: u32,
}

impl Request {
    fn level(&self) -> Level {
        match self.status {
            500.. => Level::Error,
            400.. => Level::Warn,
            _ => Level::Info,
        }
    }
}

/// The access line of a finished request.
pub(super) fn access(format: LogFormat, logger: &str, at: i64, request: &Request, rng: &mut Rng) -> String {
    let Request { id, method, path, ip, status, millis, bytes } = request;
    let level = request.level();
    match format {
        LogFormat::Json => format!(
            r#"{{"level":"{}","time":"{}","service":{},"reqId":"{id}","msg":"request completed","method":"{method}","path":{},"status":{status},"durationMs":{millis}}}"#,
            level.lower(),
            Wall(at).rfc3339(),
            quoted(logger),
            quoted(path)
        ),
        LogFormat::Structlog => format!(
            r#"{{"timestamp":"{}","level":"{}","logger":{},"event":"request","request_id":"{id}","method":"{method}","path":{},"status":{status},"duration_ms":{millis}}}"#,
            Wall(at).rfc3339(),
            level.structlog(),
            quoted(logger),
            quoted(path)
        ),
        LogFormat::Nginx => format!(
            "{ip} - - [{}] \"{method} {path} HTTP/1.1\" {status} {bytes} \"-\" \"{}\" rt={:.3} rid={id}",
            clf(at),
            AGENTS[rng.usize(0..AGENTS.len())],
            std::time::Duration::from_millis(u64::try_from(*millis).unwrap_or(0)).as_secs_f64(),
        ),
        LogFormat::Uvicorn => format!(
            "INFO:     {ip}:{} - \"{method} {path} HTTP/1.1\" {status} {}",
            rng.u16(30_000..61_000),
            phrase(*status)
        ),
        LogFormat::Node => format!("{method} {path} {status} {millis} ms - {bytes}"),
        LogFormat::Plain | LogFormat::Python | LogFormat::Celery => note(
            format,
            logger,
            at,
            level,
            &format!("{method} {path} {status} {millis}ms rid={id}"),
            None,
            rng,
        )
        .swap_remove(0),
    }
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "okhttp/4.12.0",
    "python-requests/2.32.3",
];

/// What a program writes about itself. JSON writers keep a trace inside the record; all others write one
/// line, and so one event, per line of the trace. Never empty.
pub(super) fn note(
    format: LogFormat,
    logger: &str,
    at: i64,
    level: Level,
    text: &str,
    request: Option<&Request>,
    rng: &mut Rng,
) -> Vec<String> {
    let (first, trace) = text.split_once('\n').map_or((text, None), |(first, trace)| (first, Some(trace)));
    let head = match format {
        LogFormat::Json => {
            let id = request.map(|r| format!(r#","reqId":"{}""#, r.id)).unwrap_or_default();
            let stack = trace.map(|t| format!(r#","stack":{}"#, quoted(t))).unwrap_or_default();
            return vec![format!(
                r#"{{"level":"{}","time":"{}","service":{}{id},"msg":{}{stack}}}"#,
                level.lower(),
                Wall(at).rfc3339(),
                quoted(logger),
                quoted(first)
            )];
        }
        LogFormat::Structlog => {
            let id = request.map(|r| format!(r#","request_id":"{}""#, r.id)).unwrap_or_default();
            let stack = trace.map(|t| format!(r#","exception":{}"#, quoted(t))).unwrap_or_default();
            return vec![format!(
                r#"{{"timestamp":"{}","level":"{}","logger":{},"event":{}{id}{stack}}}"#,
                Wall(at).rfc3339(),
                level.structlog(),
                quoted(logger),
                quoted(first)
            )];
        }
        LogFormat::Nginx => {
            let level = if level == Level::Info { "notice" } else { level.lower() };
            format!("{} [{level}] 29#29: {first}", stamp(at, "%Y/%m/%d %H:%M:%S"))
        }
        LogFormat::Plain => format!("{} {:<5} [{logger}] {first}", Wall(at).rfc3339(), level.upper()),
        LogFormat::Python | LogFormat::Uvicorn => {
            format!("{} {} [{logger}] {first}", comma(at), level.python())
        }
        LogFormat::Celery => {
            let process = match rng.u32(0..4) {
                0 => "MainProcess".to_owned(),
                fork => format!("ForkPoolWorker-{fork}"),
            };
            format!("[{}: {}/{process}] {first}", comma(at), level.python())
        }
        LogFormat::Node if level == Level::Info => format!("[{logger}] {first}"),
        LogFormat::Node => format!("[{logger}] {} {first}", level.upper()),
    };
    let mut lines = vec![head];
    lines.extend(trace.into_iter().flat_map(str::lines).map(str::to_owned));
    lines
}

/// A line of the start or the end of a program's life.
pub(super) fn milestone(format: LogFormat, logger: &str, at: i64, text: &str, rng: &mut Rng) -> Vec<String> {
    if format == LogFormat::Uvicorn {
        return vec![format!("INFO:     {text}")];
    }
    note(format, logger, at, Level::Info, text, None, rng)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn stamp(at: i64, format: &str) -> String {
    Wall(at).timestamp().map(|time| time.strftime(format).to_string()).unwrap_or_default()
}

fn comma(at: i64) -> String {
    format!("{},{:03}", stamp(at, "%Y-%m-%d %H:%M:%S"), at.rem_euclid(1_000))
}

fn clf(at: i64) -> String {
    stamp(at, "%d/%b/%Y:%H:%M:%S +0000")
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        304 => "Not Modified",
        401 => "Unauthorized",
        404 => "Not Found",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}
