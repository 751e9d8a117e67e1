//! The formulas of RDS's parameters: `LEAST({DBInstanceClassMemory/9531392},5000)`.
//!
//! Must not guess: a formula with a word that is not known has no value.

/// Formulas nest a few levels; more is no formula, and would cost stack.
const DEEPEST: u8 = 16;

/// The value of a formula, with `DBInstanceClassMemory` in bytes where the class is known. Numbers, `+ - * /`,
/// parentheses, braces, and `LEAST`, `GREATEST`, `SUM` and `log` (to base 2, RDS User Guide).
pub(super) fn evaluate(formula: &str, memory: Option<f64>) -> Option<f64> {
    let mut reader = Reader { rest: formula, memory };
    let value = reader.sum(DEEPEST)?;
    (reader.peek().is_none() && value.is_finite()).then_some(value)
}

struct Reader<'f> {
    rest: &'f str,
    memory: Option<f64>,
}

impl<'f> Reader<'f> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        (self.peek()? == wanted).then(|| self.rest = &self.rest[wanted.len_utf8()..])
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &'f str {
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sum(&mut self, depth: u8) -> Option<f64> {
        let mut value = self.product(depth)?;
        while let Some(sign @ ('+' | '-')) = self.peek() {
            self.take(sign)?;
            let other = self.product(depth)?;
            value = if sign == '+' { value + other } else { value - other };
        }
        Some(value)
    }

    fn product(&mut self, depth: u8) -> Option<f64> {
        let mut value = self.factor(depth)?;
        while let Some(sign @ ('*' | '/')) = self.peek() {
            self.take(sign)?;
            let other = self.factor(depth)?;
            value = if sign == '*' { value * other } else { value / other };
        }
        Some(value)
    }

    fn factor(&mut self, depth: u8) -> Option<f64> {
        let depth = depth.checked_sub(1)?;
        match self.peek()? {
            '{' => self.within('{', '}', depth),
            '(' => self.within('(', ')', depth),
            c if c.is_ascii_digit() => self.word(|c| c.is_ascii_digit() || c == '.').parse().ok(),
            c if c.is_ascii_alphabetic() => {
                let word = self.word(|c| c.is_ascii_alphanumeric());
                if word == "DBInstanceClassMemory" {
                    return self.memory;
                }
                let arguments = self.arguments(depth)?;
                match word.to_ascii_uppercase().as_str() {
                    "LEAST" => arguments.into_iter().reduce(f64::min),
                    "GREATEST" => arguments.into_iter().reduce(f64::max),
                    "SUM" => Some(arguments.iter().sum()),
                    "LOG" => match arguments.as_slice() {
                        [value] => Some(value.log2()),
                        _ => None,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn within(&mut self, open: char, close: char, depth: u8) -> Option<f64> {
        self.take(open)?;
        let value = self.sum(depth)?;
        self.take(close)?;
        Some(value)
    }

    fn arguments(&mut self, depth: u8) -> Option<Vec<f64>> {
        self.take('(')?;
        let mut arguments = vec![self.sum(depth)?];
        while self.take(',').is_some() {
            arguments.push(self.sum(depth)?);
        }
        self.take(')')?;
        Some(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MEMORY: Option<f64> = Some(8_589_934_592.0);

    #[test]
    fn rds_s_formulas_have_values() {
        let whole = |formula| evaluate(formula, MEMORY).map(f64::floor);
        assert_eq!(whole("{DBInstanceClassMemory/12582880}"), Some(682.0));
        assert_eq!(whole("LEAST({DBInstanceClassMemory/9531392},5000)"), Some(901.0));
        assert_eq!(whole("LEAST({DBInstanceClassMemory/9531392}, 500)"), Some(500.0));
        assert_eq!(whole("GREATEST({log(DBInstanceClassMemory/8388608)*45},{1*1000})"), Some(1_000.0));
        assert_eq!(whole("SUM(1,2,{3*(4+5)})"), Some(30.0));
        assert_eq!(whole("10-4-3"), Some(3.0));
        assert_eq!(whole("log(8)"), Some(3.0));
    }

    #[test]
    fn what_is_no_formula_has_no_value() {
        for text in
            ["", "{", "LEAST()", "MOST(1,2)", "{DBInstanceClassMemory", "1 2", "1/0", "EndPointPort", "-1"]
        {
            assert_eq!(evaluate(text, MEMORY), None, "{text}");
        }
        assert_eq!(evaluate("{DBInstanceClassMemory/12582880}", None), None);
        assert_eq!(evaluate(&"(".repeat(100_000), MEMORY), None);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[A-Za-z0-9(){},+*/. -]{0,60}") {
            prop_assert!(evaluate(&text, MEMORY).is_none_or(f64::is_finite));
        }

        #[test]
        fn least_is_never_above_its_cap(divisor in 1_u32..100_000_000, cap in 1_u32..20_000) {
            let value = evaluate(&format!("LEAST({{DBInstanceClassMemory/{divisor}}},{cap})"), MEMORY).unwrap();
            prop_assert!(value <= f64::from(cap));
        }

        #[test]
        fn products_bind_closer_than_sums(a in 0_u16..999, b in 0_u16..999, c in 1_u16..999) {
            let (x, y, z) = (f64::from(a), f64::from(b), f64::from(c));
            prop_assert_eq!(evaluate(&format!("{a}+{b}/{c}"), None), Some(x + y / z));
            prop_assert_eq!(evaluate(&format!("({a}+{b})*{c}"), None), Some((x + y) * z));
        }
    }
}
