//! Tables and texts of sheets and reports, for a terminal or in Markdown. Names of servers, tools and programs are others'
//! words: they are escaped, so that none becomes a link, a table's border or a terminal's command.

use std::fmt;

/// What a sheet is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A terminal.
    Text,
    /// Markdown, whose columns are aligned for those who read it as it is.
    Markdown,
}

/// A table; its first columns hold words, the others numbers.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    style: Style,
    words: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one with its head.
    pub(crate) fn new(style: Style, head: &[&str], words: usize) -> Self {
        Self { style, words, rows: vec![head.iter().map(|&title| title.to_owned()).collect()] }
    }

    /// Adds a row; cells that are missing at its end are empty.
    pub(crate) fn row(&mut self, mut cells: Vec<String>) {
        cells.resize(self.rows[0].len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has nothing but a head.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    /// Every line ends in a line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (at, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < self.words { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            let cells: Vec<String> = cells.collect();
            match self.style {
                Style::Text => writeln!(f, "{}", cells.join("  ").trim_end())?,
                Style::Markdown => writeln!(f, "| {} |", cells.join(" | "))?,
            }
            if at == 0 && self.style == Style::Markdown {
                let rule = widths.iter().enumerate().map(|(column, &width)| {
                    if column < self.words {
                        format!(":{}", "-".repeat(width - 1))
                    } else {
                        format!("{}:", "-".repeat(width - 1))
                    }
                });
                writeln!(f, "| {} |", rule.collect::<Vec<_>>().join(" | "))?;
            }
        }
        Ok(())
    }
}

/// Another's words on one line, harmless in the style.
pub(crate) fn escape(style: Style, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.push(' ');
            continue;
        }
        if style == Style::Markdown
            && matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '&')
        {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_in_both_styles() {
        let table = |style| {
            let mut table = Table::new(style, &["tool", "tokens"], 1);
            table.row(vec!["fs.read".to_owned(), "1,204".to_owned()]);
            table.row(vec!["…".to_owned()]);
            table.to_string()
        };
        assert_eq!(table(Style::Text), "tool     tokens\nfs.read   1,204\n…\n");
        assert_eq!(
            table(Style::Markdown),
            "| tool    | tokens |\n| :------ | -----: |\n| fs.read |  1,204 |\n| …       |        |\n"
        );
    }

    #[test]
    fn others_words_are_harmless() {
        assert_eq!(escape(Style::Markdown, "a|b](c)\n`x`"), "a\\|b\\](c) \\`x\\`");
        assert_eq!(escape(Style::Text, "\u{1b}[31mred|\n"), " [31mred| ");
    }
}
