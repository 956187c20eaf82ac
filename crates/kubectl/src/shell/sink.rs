//! Where a command's output goes on its way to the terminal.

use super::filter::Filter;

/// The pipes behind one command, and whether their end is kept instead of shown.
#[derive(Default)]
pub(crate) struct Sink {
    pub filters: Vec<Box<dyn Filter>>,
    pub captures: bool,
    pub captured: String,
    /// Standard error comes here too (`2>&1`), or is thrown away (`2>/dev/null`).
    pub takes_stderr: bool,
    pub drops_stderr: bool,
}

impl Sink {
    /// Takes text and returns what goes on to the next sink; `None` when it stays here.
    pub fn feed(&mut self, mut text: String) -> Option<String> {
        for filter in &mut self.filters {
            text = filter.feed(&text);
        }
        self.keep(text)
    }

    fn keep(&mut self, text: String) -> Option<String> {
        if self.captures {
            self.captured.push_str(&text);
            return None;
        }
        Some(text)
    }

    /// The command is done: filters such as `sort` give what they have held back. Returns what was captured and what goes on.
    pub fn finish(&mut self) -> (String, String) {
        let mut text = String::new();
        for filter in &mut self.filters {
            text = filter.feed(&text);
            text.push_str(&filter.finish());
        }
        let rest = self.keep(text).unwrap_or_default();
        (std::mem::take(&mut self.captured), rest)
    }

    pub fn is_closed(&self) -> bool {
        self.filters.iter().any(|filter| filter.is_closed())
    }
}
