//! Columns that are as wide as they need to be: Go's `text/tabwriter`.

/// Aligns cells that end in tabs. A column is the run of lines that have a cell in it; the last cell of a line belongs to
/// none. Widths include `padding` and are at least `min_width`.
pub fn align(text: &str, min_width: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut writer = Writer { lines, min_width, padding, widths: Vec::new(), out: String::new() };
    let count = writer.lines.len();
    writer.format(0, count);
    // `split` has made one line too many, and so one line end.
    writer.out.pop();
    writer.out
}

struct Writer<'a> {
    lines: Vec<Vec<&'a str>>,
    min_width: usize,
    padding: usize,
    widths: Vec<usize>,
    out: String,
}

impl Writer<'_> {
    fn has_column(&self, line: usize) -> bool {
        self.widths.len() + 1 < self.lines[line].len()
    }

    fn format(&mut self, mut first: usize, end: usize) {
        let column = self.widths.len();
        let mut line = first;
        while line < end {
            if !self.has_column(line) {
                line += 1;
                continue;
            }
            self.write(first, line);
            first = line;
            let mut width = self.min_width;
            while line < end && self.has_column(line) {
                width = width.max(self.lines[line][column].chars().count() + self.padding);
                line += 1;
            }
            self.widths.push(width);
            self.format(first, line);
            self.widths.pop();
            first = line;
        }
        self.write(first, end);
    }

    fn write(&mut self, first: usize, end: usize) {
        for line in first..end {
            for (at, cell) in self.lines[line].iter().enumerate() {
                self.out.push_str(cell);
                if let Some(width) = self.widths.get(at) {
                    let missing = width.saturating_sub(cell.chars().count());
                    self.out.extend(std::iter::repeat_n(' ', missing));
                }
            }
            self.out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::align;

    #[test]
    fn blocks() {
        let text = "Name:\tweb\nLabels:\ta=b\n\tc=d\nContainers:\n  c:\n    Image:\tnginx\n    Port:\t80\n";
        expect![[r#"
            Name:    web
            Labels:  a=b
                     c=d
            Containers:
              c:
                Image:  nginx
                Port:   80
        "#]]
        .assert_eq(&align(text, 0, 2));
    }
}
