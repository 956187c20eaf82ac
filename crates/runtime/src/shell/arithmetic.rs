//! `$((…))`: C's operators over 64-bit integers.

/// Where variables are read and written.
pub trait Variables {
    fn value(&self, name: &str) -> i64;
    fn assign(&mut self, name: &str, value: i64);
}

const DEPTH_MAX: usize = 50;

/// Binary operators by rising precedence.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Evaluates an expression.
///
/// # Errors
///
/// The text of the shell's complaint.
pub fn evaluate(expression: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    if expression.trim().is_empty() {
        return Ok(0);
    }
    let mut evaluator = Evaluator { chars: expression.chars().collect(), at: 0, depth: 0, variables };
    let value = evaluator.assignment()?;
    evaluator.skip_space();
    if evaluator.at < evaluator.chars.len() {
        return Err("arithmetic syntax error".to_owned());
    }
    Ok(value)
}

struct Evaluator<'a> {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    variables: &'a mut dyn Variables,
}

impl Evaluator<'_> {
    fn skip_space(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, c)| self.chars.get(self.at + offset) == Some(&c))
    }

    fn eat(&mut self, text: &str) -> bool {
        self.skip_space();
        let found = self.looking_at(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("expression recursion level exceeded".to_owned());
        }
        let value = self.assignment_inner();
        self.depth -= 1;
        value
    }

    fn assignment_inner(&mut self) -> Result<i64, String> {
        let start = self.at;
        if let Some(name) = self.name() {
            self.skip_space();
            for operator in ["=", "+=", "-=", "*=", "/=", "%="] {
                if self.looking_at(operator) && !self.looking_at("==") {
                    self.at += operator.len();
                    let right = self.assignment()?;
                    let left = self.variables.value(&name);
                    let value = match operator.trim_end_matches('=') {
                        "" => right,
                        binary => apply(binary, left, right)?,
                    };
                    self.variables.assign(&name, value);
                    return Ok(value);
                }
            }
        }
        self.at = start;
        self.ternary()
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let yes = self.assignment()?;
        if !self.eat(":") {
            return Err("arithmetic syntax error".to_owned());
        }
        let no = self.assignment()?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        loop {
            self.skip_space();
            let longer = |op: &str| {
                (op == "|" && self.looking_at("||"))
                    || (op == "&" && self.looking_at("&&"))
                    || (op == "<" && self.looking_at("<<"))
                    || (op == ">" && self.looking_at(">>"))
            };
            let Some(operator) = operators.iter().find(|op| self.looking_at(op) && !longer(op)) else {
                return Ok(left);
            };
            self.at += operator.len();
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right)?;
        }
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.skip_space();
        for (step, operator) in [(1, "++"), (-1, "--")] {
            if self.looking_at(operator) {
                self.at += 2;
                let name = self.name().ok_or("arithmetic syntax error")?;
                let value = self.variables.value(&name).wrapping_add(step);
                self.variables.assign(&name, value);
                return Ok(value);
            }
        }
        let Some(&c) = self.chars.get(self.at) else { return Err("arithmetic syntax error".to_owned()) };
        if let Some(operator) = "-+!~".find(c) {
            self.at += 1;
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err("expression recursion level exceeded".to_owned());
            }
            let value = self.unary()?;
            self.depth -= 1;
            return Ok(match operator {
                0 => value.wrapping_neg(),
                1 => value,
                2 => i64::from(value == 0),
                _ => !value,
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<i64, String> {
        if self.eat("(") {
            let value = self.assignment()?;
            return if self.eat(")") { Ok(value) } else { Err("arithmetic syntax error".to_owned()) };
        }
        if let Some(name) = self.name() {
            self.skip_space();
            let value = self.variables.value(&name);
            for (step, operator) in [(1, "++"), (-1, "--")] {
                if self.looking_at(operator) {
                    self.at += 2;
                    self.variables.assign(&name, value.wrapping_add(step));
                }
            }
            return Ok(value);
        }
        self.skip_space();
        let digits: String = self.chars[self.at..].iter().take_while(|c| c.is_ascii_alphanumeric()).collect();
        self.at += digits.len();
        parse_number(&digits).ok_or_else(|| "arithmetic syntax error".to_owned())
    }

    fn name(&mut self) -> Option<String> {
        self.skip_space();
        let name: String =
            self.chars[self.at..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        self.at += name.len();
        Some(name)
    }
}

/// Decimal, `0x` hexadecimal, or octal with a leading zero.
pub fn parse_number(digits: &str) -> Option<i64> {
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok();
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return i64::from_str_radix(digits, 8).ok();
    }
    digits.parse().ok()
}

fn apply(operator: &str, left: i64, right: i64) -> Result<i64, String> {
    let shift = u32::try_from(right & 63).unwrap_or(0);
    Ok(match operator {
        "||" => i64::from(left != 0 || right != 0),
        "&&" => i64::from(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "<<" => left.wrapping_shl(shift),
        ">>" => left.wrapping_shr(shift),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        _ if right == 0 => return Err("divide by zero".to_owned()),
        "/" => left.wrapping_div(right),
        _ => left.wrapping_rem(right),
    })
}
