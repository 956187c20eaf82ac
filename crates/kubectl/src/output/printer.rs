//! Tables as `kubectl get` prints them.

use api::table::{self, Cell};
use api::{Kind, ObjectRef, SimTime};

/// What `get`'s flags ask of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableStyle {
    pub wide: bool,
    pub headers: bool,
    pub with_namespace: bool,
    /// `pod/web` instead of `web`.
    pub with_kind: bool,
    pub show_labels: bool,
    pub label_columns: Vec<String>,
    /// Name and age alone, as the client makes them of any object.
    pub plain: bool,
}

/// Prints rows and remembers widths, so that the rows of a watch stay in their columns.
pub(crate) struct TablePrinter {
    style: TableStyle,
    widths: Vec<usize>,
    headed: Option<&'static str>,
}

const PADDING: usize = 3;
const WIDTH_MIN: usize = 6;

impl TablePrinter {
    pub fn new(style: TableStyle) -> TablePrinter {
        TablePrinter { style, widths: Vec::new(), headed: None }
    }

    /// The lines of some objects of one kind, with headers when the kind is new. `events` are the words of `-w
    /// --output-watch-events`.
    pub fn print(&mut self, kind: &'static Kind, objects: &[ObjectRef], events: Option<&str>, now: SimTime) -> String {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if self.headed != Some(kind.kind) {
            if self.headed.is_some() {
                self.widths.clear();
            }
            self.headed = Some(kind.kind);
            if self.style.headers {
                lines.push(self.headers(kind, events.is_some()));
            }
        }
        lines.extend(objects.iter().map(|object| self.row(kind, object, events, now)));
        self.lay_out(&lines, events.is_some())
    }

    fn headers(&self, kind: &Kind, events: bool) -> Vec<String> {
        let mut headers = Vec::new();
        if events {
            headers.push("EVENT".into());
        }
        if self.style.with_namespace && kind.namespaced {
            headers.push("NAMESPACE".into());
        }
        if self.style.plain {
            headers.extend(["NAME".into(), "AGE".into()]);
        } else {
            let columns = table::columns(kind).iter().filter(|column| self.style.wide || column.priority == 0);
            headers.extend(columns.map(|column| column.name.to_uppercase()));
        }
        let labels = self.style.label_columns.iter();
        headers.extend(labels.map(|label| label.rsplit('/').next().unwrap_or_default().to_uppercase()));
        if self.style.show_labels {
            headers.push("LABELS".into());
        }
        headers
    }

    fn row(&self, kind: &Kind, object: &ObjectRef, events: Option<&str>, now: SimTime) -> Vec<String> {
        let mut row: Vec<String> = events.map(str::to_owned).into_iter().collect();
        if self.style.with_namespace && kind.namespaced {
            row.push(object.namespace().into());
        }
        let shown_name = |name: &str| match self.style.with_kind {
            true => crate::resource::full_name(kind, name),
            false => name.to_owned(),
        };
        let cells = if self.style.plain {
            row.extend([shown_name(object.name()), table::age::of(object.meta(), now)]);
            Vec::new()
        } else {
            table::cells(kind, &**object, now)
        };
        for (column, cell) in table::columns(kind).iter().zip(cells) {
            if column.priority > 0 && !self.style.wide {
                continue;
            }
            let text = match (column.name, &cell) {
                ("Name", Cell::Text(name)) => shown_name(name),
                _ => cell.to_string(),
            };
            row.push(one_line(&text));
        }
        let labels = api::meta::labels(object.meta());
        for label in &self.style.label_columns {
            row.push(labels.get(label).cloned().unwrap_or_default());
        }
        if self.style.show_labels {
            let mut all: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            all.sort();
            row.push(if all.is_empty() { "<none>".into() } else { all.join(",") });
        }
        row
    }

    fn lay_out(&mut self, lines: &[Vec<String>], has_events: bool) -> String {
        // The column of events is as wide as the longest of them.
        if has_events && self.widths.is_empty() {
            self.widths.push("MODIFIED".len() + PADDING);
        }
        for line in lines {
            for (at, cell) in line.iter().enumerate() {
                let width = (cell.chars().count() + PADDING).max(WIDTH_MIN);
                match self.widths.get_mut(at) {
                    Some(known) => *known = width.max(*known),
                    None => self.widths.push(width),
                }
            }
        }
        let mut out = String::new();
        for line in lines {
            for (at, cell) in line.iter().enumerate() {
                out.push_str(cell);
                if at + 1 < line.len() {
                    out.extend(std::iter::repeat_n(' ', self.widths[at] - cell.chars().count()));
                }
            }
            out.push('\n');
        }
        out
    }
}

/// A cell ends at its first line break, as upstream's `WriteEscaped` shows it.
fn one_line(text: &str) -> String {
    match text.split_once(['\n', '\r', '\u{c}']) {
        Some((first, _)) => format!("{first}..."),
        None => text.to_owned(),
    }
}

/// A plain table with headers, for what is no object: `api-resources`, `rollout history`, `config get-contexts`.
pub(crate) fn plain_table(rows: &[Vec<String>], min_width: usize, padding: usize) -> String {
    let text: String = rows.iter().map(|row| row.join("\t") + "\n").collect();
    super::align(&text, min_width, padding)
}
