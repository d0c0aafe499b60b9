//! What a program prints: kept up to a limit, counted beyond it.

use crate::script::Lines;
use model::{Limits, Truncation};

/// The two streams of one run.
#[derive(Debug, Default)]
pub(crate) struct Output {
    stdout: Stream,
    stderr: Stream,
}

#[derive(Debug, Default)]
struct Stream {
    kept: String,
    total_bytes: u64,
}

impl Output {
    /// Takes what was printed. False once the run has printed more than it may and must end.
    pub(crate) fn print(&mut self, to_stderr: bool, text: &str, limits: &Limits) -> bool {
        let stream = if to_stderr { &mut self.stderr } else { &mut self.stdout };
        stream.append(text, limits.stdout_bytes);
        self.printed_bytes() <= limits.printed_bytes
    }

    /// Bytes printed so far, kept or not.
    pub(crate) fn printed_bytes(&self) -> u64 {
        self.stdout.total_bytes + self.stderr.total_bytes
    }

    /// stdout, stderr, and which of them was cut. Positions in them become those of the program.
    pub(crate) fn finish(self, lines: &Lines) -> (String, String, Vec<Truncation>) {
        let truncated = [("stdout", &self.stdout), ("stderr", &self.stderr)]
            .into_iter()
            .filter_map(|(what, stream)| stream.truncation(what))
            .collect();
        let told = |stream: Stream| lines.text(&stream.kept).into_owned();
        (told(self.stdout), told(self.stderr), truncated)
    }
}

impl Stream {
    fn append(&mut self, text: &str, limit_bytes: usize) {
        // Once something was dropped nothing more is kept: what is kept is a prefix of what was printed.
        if self.total_bytes == self.kept.len() as u64 {
            let room = limit_bytes.saturating_sub(self.kept.len());
            self.kept.push_str(&text[..text.floor_char_boundary(room)]);
        }
        self.total_bytes += text.len() as u64;
    }

    fn truncation(&self, what: &str) -> Option<Truncation> {
        let kept_bytes = self.kept.len() as u64;
        (kept_bytes < self.total_bytes).then(|| Truncation {
            what: what.to_owned(),
            kept_bytes,
            total_bytes: self.total_bytes,
            artifact: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_a_prefix_and_counts_the_rest() {
        let limits = Limits { stdout_bytes: 5, printed_bytes: 20, ..Limits::default() };
        let mut output = Output::default();
        assert!(output.print(false, "abc", &limits));
        assert!(output.print(false, "dëf", &limits));
        assert!(output.print(false, "x", &limits));
        assert!(output.print(true, "err", &limits));
        assert!(!output.print(true, &"y".repeat(20), &limits));
        let (stdout, stderr, truncated) = output.finish(&Lines::default());
        assert_eq!((stdout.as_str(), stderr.as_str()), ("abcd", "erryy"));
        let sizes: Vec<_> = truncated.iter().map(|t| (t.what.as_str(), t.kept_bytes, t.total_bytes)).collect();
        assert_eq!(sizes, [("stdout", 4, 8), ("stderr", 5, 23)]);
    }
}
