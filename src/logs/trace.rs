//! Which lines belong to a stack trace: the awslogs driver makes an event of every line, and a reader wants
//! one row with the rest folded under it.
//!
//! Must not look beyond a line and its predecessor in the same stream.

/// What a line looks like on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line of its own.
    Plain,
    /// A line that only makes sense below another: indented, `Caused by:`, empty.
    Continuation,
    /// A line that begins a trace, or stands in the middle of one: `Traceback …`, `ValueError: …`.
    Trouble,
}

/// Sentences that begin the inner parts of traces.
const INNER: &[&str] = &[
    "Caused by:",
    "Suppressed:",
    "During handling of the above exception",
    "The above exception was the direct cause",
    "goroutine ",
];

/// The shape of a line.
#[must_use]
pub fn shape(message: &str) -> Shape {
    let line = message.trim_end();
    if line.is_empty() || line.starts_with([' ', '\t']) || INNER.iter().any(|s| line.starts_with(s)) {
        return Shape::Continuation;
    }
    // The end of an object that was printed over several lines.
    if matches!(line, "}" | "]" | ")" | "})" | "},") {
        return Shape::Continuation;
    }
    if line.starts_with("Traceback (most recent call last)") || is_exception(line) {
        return Shape::Trouble;
    }
    Shape::Plain
}

/// `java.lang.IllegalStateException: x`, `ValueError: x`, `sqlalchemy.exc.OperationalError: x`: a dotted name
/// that ends so, alone or followed by a colon.
fn is_exception(line: &str) -> bool {
    let end = line
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$')))
        .unwrap_or(line.len());
    let Some((name, rest)) = line.split_at_checked(end) else { return false };
    let named = ["Exception", "Error", "Exit", "Interrupt"]
        .iter()
        .any(|suffix| name.ends_with(suffix) && name.len() > suffix.len());
    named && (rest.is_empty() || rest.starts_with(':')) && name.contains(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_of_java_python_and_node_are_recognised() {
        for (line, expected) in [
            ("\tat com.acme.Db.open(Db.java:12)", Shape::Continuation),
            ("    at Object.<anonymous> (/app/x.js:1:7)", Shape::Continuation),
            ("Caused by: java.net.ConnectException: refused", Shape::Continuation),
            ("  File \"/app/main.py\", line 3, in f", Shape::Continuation),
            ("", Shape::Continuation),
            ("Traceback (most recent call last):", Shape::Trouble),
            ("ValueError: bad", Shape::Trouble),
            ("sqlalchemy.exc.OperationalError: (psycopg2) x", Shape::Trouble),
            ("java.lang.NullPointerException", Shape::Trouble),
            ("KeyboardInterrupt", Shape::Trouble),
            ("ERROR: no", Shape::Plain),
            ("Error: top level of node", Shape::Plain),
            ("Errors found: 3", Shape::Plain),
            ("{\"level\":\"error\"}", Shape::Plain),
        ] {
            assert_eq!(shape(line), expected, "{line}");
        }
    }
}
