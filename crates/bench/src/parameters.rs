//! `KEY=VALUE` words on the command line.

use std::fmt::Display;
use std::str::FromStr;

/// The words given, and a description of the values in use.
pub struct Parameters {
    given: Vec<(String, String)>,
    used: String,
}

impl Parameters {
    /// # Errors
    ///
    /// A word without `=`.
    pub fn parse(text: &str) -> Result<Parameters, String> {
        let pair = |word: &str| match word.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(format!("{word:?} is not KEY=VALUE")),
        };
        Ok(Parameters { given: text.split_whitespace().map(pair).collect::<Result<_, _>>()?, used: String::new() })
    }

    /// The value of `key`, or its default.
    ///
    /// # Errors
    ///
    /// A value that is no `T`.
    pub fn take<T: FromStr + Display>(&mut self, key: &str, default: T) -> Result<T, String> {
        let given = self.given.iter().position(|(name, _)| name == key).map(|index| self.given.remove(index).1);
        let value = match given {
            Some(text) => text.parse().map_err(|_| format!("{key}={text}: not a value that {key} can have"))?,
            None => default,
        };
        self.used += &format!(" {key}={value}");
        Ok(value)
    }

    /// The values in use, as ` KEY=VALUE` pairs.
    ///
    /// # Errors
    ///
    /// A key that nobody took.
    pub fn finish(self) -> Result<String, String> {
        match self.given.first() {
            Some((key, _)) => Err(format!("this benchmark has no parameter {key:?}")),
            None => Ok(self.used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_values_replace_defaults() {
        let mut parameters = Parameters::parse("nodes=5").unwrap();
        assert_eq!(parameters.take("nodes", 100), Ok(5));
        assert_eq!(parameters.take("pods", 1000), Ok(1000));
        assert_eq!(parameters.finish().unwrap(), " nodes=5 pods=1000");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Parameters::parse("nodes").is_err_and(|error| error.contains("KEY=VALUE")));
        assert!(Parameters::parse("nodes=many").unwrap().take("nodes", 1).is_err_and(|e| e.contains("nodes=many")));
        assert!(Parameters::parse("node=1").unwrap().finish().is_err_and(|error| error.contains("\"node\"")));
    }
}
