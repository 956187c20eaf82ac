//! `test` and `[`.

use super::pattern;
use crate::process::{Descriptor, Task};
use crate::vfs::Node;

/// Evaluates the words between `[` and `]`.
///
/// # Errors
///
/// The text of the complaint, for status 2.
pub fn evaluate(words: &[String], task: &mut Task<'_, '_, '_>) -> Result<bool, String> {
    if words.is_empty() {
        return Ok(false);
    }
    let mut test = Test { words, at: 0, task };
    let value = test.or()?;
    match words.get(test.at) {
        None => Ok(value),
        Some(word) => Err(format!("{word}: unknown operand")),
    }
}

struct Test<'w, 't, 'k, 'h, 'a> {
    words: &'w [String],
    at: usize,
    task: &'t mut Task<'k, 'h, 'a>,
}

impl Test<'_, '_, '_, '_, '_> {
    fn peek(&self, offset: usize) -> Option<&str> {
        self.words.get(self.at + offset).map(String::as_str)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while matches!(self.peek(0), Some("-o" | "||")) {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while matches!(self.peek(0), Some("-a" | "&&")) {
            self.at += 1;
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.peek(0) == Some("!") && self.peek(1).is_some() {
            self.at += 1;
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0).map(str::to_owned) else { return Err("argument expected".to_owned()) };
        if let (Some(operator), Some(right)) = (self.peek(1), self.peek(2)) {
            let (operator, right) = (operator.to_owned(), right.to_owned());
            if let Some(value) = self.binary(&first, &operator, &right)? {
                self.at += 3;
                return Ok(value);
            }
        }
        if first == "(" {
            self.at += 1;
            let value = self.or()?;
            self.at += 1;
            return Ok(value);
        }
        if first.len() == 2 && first.starts_with('-') && self.peek(1).is_some() {
            let operand = self.peek(1).unwrap_or_default().to_owned();
            if let Some(value) = self.unary(&first, &operand) {
                self.at += 2;
                return Ok(value);
            }
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str) -> Result<Option<bool>, String> {
        let numbers = || -> Result<(i64, i64), String> {
            let number = |text: &str| text.trim().parse().map_err(|_| format!("{text}: bad number"));
            Ok((number(left)?, number(right)?))
        };
        Ok(Some(match operator {
            "=" => left == right,
            "==" => left == right || pattern::matches_text(right, left),
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" => numbers().map(|(a, b)| a == b)?,
            "-ne" => numbers().map(|(a, b)| a != b)?,
            "-lt" => numbers().map(|(a, b)| a < b)?,
            "-le" => numbers().map(|(a, b)| a <= b)?,
            "-gt" => numbers().map(|(a, b)| a > b)?,
            "-ge" => numbers().map(|(a, b)| a >= b)?,
            "-nt" => self.modified(left) > self.modified(right),
            "-ot" => self.modified(left) < self.modified(right),
            _ => return Ok(None),
        }))
    }

    fn modified(&mut self, path: &str) -> Option<u64> {
        let path = self.task.absolute(path);
        self.task.view().stat(&path).ok().map(|node| node.modified())
    }

    fn unary(&mut self, operator: &str, operand: &str) -> Option<bool> {
        let path = self.task.absolute(operand);
        let device = path.starts_with("/dev/");
        Some(match operator {
            "-n" => !operand.is_empty(),
            "-z" => operand.is_empty(),
            "-e" | "-r" | "-w" => device || self.task.view().exists(&path),
            "-f" => self.task.view().stat(&path).is_ok_and(|node| !node.is_dir()),
            "-d" => self.task.view().is_dir(&path),
            "-s" => self.task.view().stat(&path).is_ok_and(|node| node.size() > 0),
            "-x" => {
                let is_program = crate::tools::which(self.task, &path).is_some();
                is_program || self.task.view().stat(&path).is_ok_and(|node| node.mode() & 0o111 != 0)
            }
            "-L" | "-h" => matches!(self.task.view().stat_link(&path), Ok(Node::Symlink(_))),
            "-S" | "-p" | "-b" | "-c" => false,
            "-t" => {
                let file = operand.parse().ok().and_then(|fd: u32| self.task.info().files.get(&fd));
                matches!(file, Some(Descriptor::Terminal(..)))
            }
            _ => return None,
        })
    }
}
