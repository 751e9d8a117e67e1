//! Metric math: expressions over the numbers of other queries.
//!
//! Must not fetch anything: it gets numbers and gives numbers. What it does not know, it refuses.

use std::collections::BTreeMap;

/// Beginning of a period, and its number.
type Points = Vec<(i64, f64)>;

/// A value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(f64),
    /// Numbers over time.
    Series(Points),
    /// Several of them.
    Array(Vec<Points>),
}

/// The periods that an answer is about, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Beginning of the first.
    pub from: i64,
    /// Where they end.
    pub to: i64,
    /// Their length.
    pub period: i64,
}

impl Grid {
    fn steps(self) -> impl Iterator<Item = i64> {
        (0..).map(move |step| self.from + step * self.period.max(1)).take_while(move |at| *at < self.to)
    }
}

impl Value {
    /// As numbers over time: a scalar is the same in every period.
    #[must_use]
    pub fn into_points(self, grid: Grid) -> Points {
        match self {
            Self::Scalar(number) => grid.steps().map(|at| (at, number)).collect(),
            Self::Series(points) => points,
            Self::Array(mut all) => all.pop().unwrap_or_default(),
        }
    }
}

/// An expression, parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// Another query's numbers.
    Id(String),
    /// `[a, b]`.
    List(Vec<Expression>),
    /// `NAME(…)`.
    Call(String, Vec<Expression>),
    /// An operator between two.
    Binary(&'static str, Box<Expression>, Box<Expression>),
}

impl Expression {
    /// The ids that it names.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Id(id) => vec![id.clone()],
            Self::List(items) | Self::Call(_, items) => items.iter().flat_map(Self::ids).collect(),
            Self::Binary(_, left, right) => {
                let mut ids = left.ids();
                ids.extend(right.ids());
                ids
            }
        }
    }
}

/// Operators by how tightly they bind, the loosest first.
const LEVELS: [&[&str]; 5] =
    [&["||", "OR"], &["&&", "AND"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/"]];

/// CloudWatch's own limit.
const LONGEST: usize = 2_048;

/// Nothing sensible nests deeper, and the stack is finite.
const DEEPEST: usize = 40;

/// Reads an expression.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    let mut parser = Parser { rest: text, depth: 0 };
    let expression = parser.binary(0)?;
    parser.skip();
    if parser.rest.is_empty() {
        return Ok(expression);
    }
    Err(format!("unexpected `{}`", parser.rest))
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, word: &str) -> bool {
        self.skip();
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        // `ORDERS` does not begin with the operator OR.
        let alphabetic = word.chars().all(char::is_alphabetic);
        if alphabetic && rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn binary(&mut self, level: usize) -> Result<Expression, String> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.eat(operator)) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn power(&mut self) -> Result<Expression, String> {
        let base = self.atom()?;
        if self.eat("^") {
            let exponent = self.power()?;
            return Ok(Expression::Binary("^", Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the expression is nested too deeply".to_owned());
        }
        let atom = self.plain_atom();
        self.depth -= 1;
        atom
    }

    fn plain_atom(&mut self) -> Result<Expression, String> {
        if self.eat("(") {
            let inner = self.binary(0)?;
            return if self.eat(")") { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        if self.eat("-") {
            let inner = self.power()?;
            return Ok(Expression::Binary("-", Box::new(Expression::Number(0.0)), Box::new(inner)));
        }
        if self.eat("[") {
            return Ok(Expression::List(self.items("]")?));
        }
        self.skip();
        let length = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return word.parse().map(Expression::Number).map_err(|_| format!("`{word}` is no number"));
        }
        if word.is_empty() {
            return Err(match self.rest.chars().next() {
                Some(c) => format!("unexpected `{c}`"),
                None => "it ends where a value is due".to_owned(),
            });
        }
        if self.eat("(") {
            return Ok(Expression::Call(word.to_ascii_uppercase(), self.items(")")?));
        }
        if word == "REPEAT" || word == "LINEAR" {
            return Ok(Expression::Call(word.to_owned(), Vec::new()));
        }
        Ok(Expression::Id(word.to_owned()))
    }

    fn items(&mut self, end: &str) -> Result<Vec<Expression>, String> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Ok(items);
        }
        loop {
            items.push(self.binary(0)?);
            if self.eat(end) {
                return Ok(items);
            }
            if !self.eat(",") {
                return Err(format!("a `{end}` is missing"));
            }
        }
    }
}

/// The value of an expression.
///
/// # Errors
/// When it uses what is not known here, or in a way that has no meaning.
pub fn evaluate(expression: &Expression, known: &BTreeMap<&str, Value>, grid: Grid) -> Result<Value, String> {
    match expression {
        Expression::Number(number) => Ok(Value::Scalar(*number)),
        Expression::Id(id) => known.get(id.as_str()).cloned().ok_or_else(|| format!("`{id}` is no query")),
        Expression::List(items) => {
            let each = items.iter().map(|item| evaluate(item, known, grid));
            let all: Result<Vec<Points>, String> =
                each.map(|value| value.map(|value| value.into_points(grid))).collect();
            all.map(Value::Array)
        }
        Expression::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, known, grid)?, evaluate(right, known, grid)?);
            pairwise(left, right, |a, b| apply(operator, a, b))
        }
        Expression::Call(name, arguments) => call(name, arguments, known, grid),
    }
}

/// `None` where there is no result: CloudWatch gives no datapoint for a division by zero.
fn apply(operator: &str, a: f64, b: f64) -> Option<f64> {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    #[expect(clippy::float_cmp, reason = "the language has an exact comparison")]
    let result = match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "^" => a.powf(b),
        "<" => truth(a < b),
        ">" => truth(a > b),
        "<=" => truth(a <= b),
        ">=" => truth(a >= b),
        "==" => truth(a == b),
        "!=" => truth(a != b),
        "&&" | "AND" => truth(a != 0.0 && b != 0.0),
        _ => truth(a != 0.0 || b != 0.0),
    };
    result.is_finite().then_some(result)
}

/// Two values, period by period; a period that one of them lacks has no result.
fn pairwise(left: Value, right: Value, join: impl Fn(f64, f64) -> Option<f64>) -> Result<Value, String> {
    let joined = |left: &Points, right: &Points| {
        let right: BTreeMap<i64, f64> = right.iter().copied().collect();
        let both = left.iter().filter_map(|(at, a)| Some((*at, join(*a, *right.get(at)?)?)));
        both.collect::<Points>()
    };
    let with = |points: &Points, own: &dyn Fn(f64) -> Option<f64>| -> Points {
        points.iter().filter_map(|(at, number)| Some((*at, own(*number)?))).collect()
    };
    Ok(match (left, right) {
        (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(join(a, b).ok_or("division by zero")?),
        (Value::Series(a), Value::Scalar(b)) => Value::Series(with(&a, &|a| join(a, b))),
        (Value::Scalar(a), Value::Series(b)) => Value::Series(with(&b, &|b| join(a, b))),
        (Value::Series(a), Value::Series(b)) => Value::Series(joined(&a, &b)),
        (Value::Array(all), Value::Scalar(b)) => {
            Value::Array(all.iter().map(|points| with(points, &|a| join(a, b))).collect())
        }
        (Value::Array(all), Value::Series(b)) => {
            Value::Array(all.iter().map(|points| joined(points, &b)).collect())
        }
        (_, Value::Array(_)) => return Err("an array cannot stand on the right of an operator".to_owned()),
    })
}

fn call(
    name: &str,
    arguments: &[Expression],
    known: &BTreeMap<&str, Value>,
    grid: Grid,
) -> Result<Value, String> {
    let value = |place: usize| -> Result<Value, String> {
        let argument = arguments.get(place).ok_or_else(|| format!("{name} needs more arguments"))?;
        evaluate(argument, known, grid)
    };
    let series = |place: usize| value(place).map(|value| value.into_points(grid));
    match name {
        "FILL" => fill(value(0)?, arguments.get(1), known, grid),
        "IF" => {
            let (when, then) = (value(0)?, value(1)?);
            let otherwise = if arguments.len() > 2 { Some(value(2)?) } else { None };
            Ok(choose(when, then, otherwise, grid))
        }
        "METRICS" => Ok(Value::Array(known.values().cloned().map(|value| value.into_points(grid)).collect())),
        "SUM" | "AVG" | "MIN" | "MAX" => {
            let value = if arguments.len() > 1 {
                let each: Result<Vec<Points>, String> = (0..arguments.len()).map(series).collect();
                Value::Array(each?)
            } else {
                value(0)?
            };
            Ok(match value {
                Value::Array(all) => Value::Series(across(name, &all)),
                Value::Scalar(number) => Value::Scalar(number),
                Value::Series(points) => {
                    let numbers: Vec<f64> = points.iter().map(|(_, number)| *number).collect();
                    Value::Scalar(fold(name, &numbers).unwrap_or(0.0))
                }
            })
        }
        "ABS" | "CEIL" | "FLOOR" => {
            let own = match name {
                "ABS" => f64::abs,
                "CEIL" => f64::ceil,
                _ => f64::floor,
            };
            pairwise(value(0)?, Value::Scalar(0.0), |a, _| Some(own(a)))
        }
        "PERIOD" => {
            let seconds = i32::try_from(grid.period / 1_000).unwrap_or(i32::MAX);
            Ok(Value::Scalar(f64::from(seconds)))
        }
        "RATE" | "DIFF" => {
            let points = series(0)?;
            let each = points.iter().zip(points.iter().skip(1)).map(|((before, a), (at, b))| {
                let seconds = f64::from(i32::try_from((at - before) / 1_000).unwrap_or(i32::MAX));
                (*at, if name == "RATE" { (b - a) / seconds.max(1.0) } else { b - a })
            });
            Ok(Value::Series(each.collect()))
        }
        _ => Err(format!("the simulator does not know the function {name}")),
    }
}

fn fill(
    value: Value,
    with: Option<&Expression>,
    known: &BTreeMap<&str, Value>,
    grid: Grid,
) -> Result<Value, String> {
    let with = with.ok_or("FILL needs a filler")?;
    let constant = match with {
        Expression::Call(word, _) if word == "REPEAT" || word == "LINEAR" => None,
        other => match evaluate(other, known, grid)? {
            Value::Scalar(number) => Some(number),
            _ => return Err("FILL's filler is a number, REPEAT or LINEAR".to_owned()),
        },
    };
    let linear = matches!(with, Expression::Call(word, _) if word == "LINEAR");
    let filled = |points: &Points| -> Points {
        let there: BTreeMap<i64, f64> = points.iter().copied().collect();
        let each = grid.steps().filter_map(|at| {
            let own = there.get(&at).copied().or(constant).or_else(|| {
                let (from, before) = there.range(..at).next_back()?;
                if !linear {
                    return Some(*before);
                }
                let (to, after) = there.range(at..).next()?;
                let part = |span: i64| f64::from(i32::try_from(span / 1_000).unwrap_or(i32::MAX));
                Some(before + (after - before) * part(at - from) / part(to - from).max(1.0))
            });
            Some((at, own?))
        });
        each.collect()
    };
    Ok(match value {
        Value::Scalar(number) => Value::Scalar(number),
        Value::Series(points) => Value::Series(filled(&points)),
        Value::Array(all) => Value::Array(all.iter().map(filled).collect()),
    })
}

fn choose(when: Value, then: Value, otherwise: Option<Value>, grid: Grid) -> Value {
    if let Value::Scalar(number) = when {
        return if number == 0.0 { otherwise.unwrap_or(Value::Series(Vec::new())) } else { then };
    }
    let table = |value: Value| value.into_points(grid).into_iter().collect::<BTreeMap<i64, f64>>();
    let (then, otherwise) = (table(then), otherwise.map(table).unwrap_or_default());
    let each = when.into_points(grid).into_iter().filter_map(|(at, holds)| {
        let from = if holds == 0.0 { &otherwise } else { &then };
        Some((at, *from.get(&at)?))
    });
    Value::Series(each.collect())
}

fn across(name: &str, all: &[Points]) -> Points {
    let mut columns: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, number) in all.iter().flatten() {
        columns.entry(*at).or_default().push(*number);
    }
    columns.into_iter().filter_map(|(at, numbers)| Some((at, fold(name, &numbers)?))).collect()
}

fn fold(name: &str, numbers: &[f64]) -> Option<f64> {
    let sum: f64 = numbers.iter().sum();
    match name {
        "SUM" => (!numbers.is_empty()).then_some(sum),
        "AVG" => {
            let count = f64::from(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
            (count > 0.0).then_some(sum / count)
        }
        "MIN" => numbers.iter().copied().reduce(f64::min),
        _ => numbers.iter().copied().reduce(f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { from: 0, to: 4_000, period: 1_000 };

    fn points(numbers: &[(i64, f64)]) -> Value {
        Value::Series(numbers.to_vec())
    }

    fn compute(text: &str) -> Result<Value, String> {
        let known = BTreeMap::from([
            ("requests", points(&[(0, 10.0), (1_000, 20.0), (2_000, 0.0), (3_000, 40.0)])),
            ("errors", points(&[(1_000, 5.0), (2_000, 1.0)])),
        ]);
        evaluate(&parse(text)?, &known, GRID)
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        for (text, due) in [
            ("2 + 3 * 4", 14.0),
            ("(2 + 3) * 4", 20.0),
            ("10 - 2 - 3", 5.0),
            ("-2 ^ 2", -4.0),
            ("1 < 2 AND 3 < 2", 0.0),
            ("1 > 2 || 3 >= 3", 1.0),
            ("IF(1 == 2, 7, 8)", 8.0),
        ] {
            assert_eq!(compute(text), Ok(Value::Scalar(due)), "{text}");
        }
    }

    #[test]
    fn missing_numbers_stay_missing_unless_they_are_filled() {
        assert_eq!(compute("100 * errors / requests"), Ok(points(&[(1_000, 25.0)])));
        assert_eq!(
            compute("100 * FILL(errors, 0) / requests"),
            Ok(points(&[(0, 0.0), (1_000, 25.0), (3_000, 0.0)]))
        );
        assert_eq!(compute("FILL(errors, REPEAT)"), Ok(points(&[(1_000, 5.0), (2_000, 1.0), (3_000, 1.0)])));
        assert_eq!(compute("FILL(errors, LINEAR)"), Ok(points(&[(1_000, 5.0), (2_000, 1.0)])));
    }

    #[test]
    fn functions_fold_arrays_by_period_and_series_to_a_number() {
        assert_eq!(
            compute("SUM([requests, errors])"),
            Ok(points(&[(0, 10.0), (1_000, 25.0), (2_000, 1.0), (3_000, 40.0)]))
        );
        assert_eq!(compute("MAX(requests)"), Ok(Value::Scalar(40.0)));
        assert_eq!(compute("AVG(errors)"), Ok(Value::Scalar(3.0)));
        assert_eq!(compute("MIN(requests, errors)").unwrap().into_points(GRID)[1], (1_000, 5.0));
        assert_eq!(compute("SUM(METRICS())"), compute("SUM([requests, errors])"));
        assert_eq!(compute("RATE(errors)"), Ok(points(&[(2_000, -4.0)])));
        assert_eq!(
            compute("IF(requests > 15, errors, 0)"),
            Ok(points(&[(0, 0.0), (1_000, 5.0), (2_000, 0.0)]))
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_reason() {
        for (text, why) in [
            ("requests +", "it ends"),
            ("(requests", "`)`"),
            ("requests requests", "unexpected"),
            ("ANOMALY_DETECTION_BAND(requests)", "ANOMALY_DETECTION_BAND"),
            ("SUM([requests", "`]`"),
            ("1 / 0", "division"),
            ("$", "unexpected `$`"),
        ] {
            let error = compute(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(parse(&"(".repeat(1_000)).unwrap_err().contains("deeply"));
        assert!(parse(&"1^".repeat(2_000)).unwrap_err().contains("longer"));
    }
}
