//! A run's receipt for people, in two lines on stderr.

use model::{RunReply, TokenReport};
use std::fmt::Write as _;

/// What the run did, and what it saved.
pub(crate) fn text(reply: &RunReply) -> String {
    let waves = reply.calls.iter().map(|call| call.wave).max().map_or(0, |last| last + 1);
    let mut text = match reply.calls.len() {
        0 => "no calls".to_owned(),
        1 => "1 call".to_owned(),
        n => format!("{n} calls in {waves} {}", if waves == 1 { "wave" } else { "waves" }),
    };
    let failed = reply.calls.iter().filter(|call| call.status != model::CallStatus::Ok).count();
    if failed > 0 {
        let _ = write!(text, " ({failed} failed)");
    }
    let _ = write!(text, ", {:.0} ms", reply.usage.wall_ms);
    match &reply.tokens {
        Some(tokens) if tokens.direct.deferred.total == 0 => {
            let code_mode = grouped(tokens.code_mode.total);
            let _ = write!(text, "\ntokens: {code_mode} in code mode, and no direct calls that they stand for");
        }
        Some(tokens) => text.push_str(&saving(tokens)),
        None => {}
    }
    text
}

fn saving(tokens: &TokenReport) -> String {
    let percent = tokens.saved_percent.map(|p| format!(" ({:.1} %)", p.abs())).unwrap_or_default();
    let verdict = if tokens.saved < 0 { "cost" } else { "saved" };
    let more = if tokens.saved < 0 { " more" } else { "" };
    // The label's first word; what it rests on is in the JSON.
    let word = |label: &String| label.split([':', ',']).next().map(|word| format!(", {word}"));
    let label = tokens.labels.get("saved").and_then(word).unwrap_or_default();
    format!(
        "\ntokens: {} in code mode, {} by direct calls (deferred definitions): {verdict} {}{more}{percent}{label}",
        grouped(tokens.code_mode.total),
        grouped(tokens.direct.deferred.total),
        grouped(tokens.saved.unsigned_abs()),
    )
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::tokens::{Baselines, SideTokens};
    use model::{CacheOutcome, CallRecord, CallStatus, ErrorKind, ProgramError};

    fn reply(calls: &[(CallStatus, u32)], saved: Option<(u64, u64)>) -> RunReply {
        let call = |&(status, wave): &(CallStatus, u32)| CallRecord {
            server: "fs".into(),
            tool: "read".into(),
            status,
            ms: 1.0,
            cache: CacheOutcome::Miss,
            wave,
            argument_bytes: 2,
            result_bytes: 2,
            result_tokens: None,
            line: None,
            error: None,
        };
        let side = |total| SideTokens { total, ..SideTokens::default() };
        let mut reply = RunReply::refused(ProgramError::new(ErrorKind::Fault, ""), None);
        reply.calls = calls.iter().map(call).collect();
        reply.usage.wall_ms = 41.4;
        reply.tokens = saved.map(|(code, direct)| TokenReport {
            code_mode: side(code),
            direct: Baselines { deferred: side(direct), ..Baselines::default() },
            saved: direct.cast_signed() - code.cast_signed(),
            saved_percent: Some(94.2),
            labels: [("saved".to_owned(), "computed: by the formula".to_owned())].into(),
            ..TokenReport::default()
        });
        reply
    }

    #[test]
    fn a_receipt_says_calls_time_and_tokens() {
        let of = |calls: &[_], saved| text(&reply(calls, saved));
        assert_eq!(of(&[], None), "no calls, 41 ms");
        assert_eq!(
            of(&[(CallStatus::Ok, 0), (CallStatus::Ok, 0), (CallStatus::Error, 1)], Some((812, 14_230))),
            "3 calls in 2 waves (1 failed), 41 ms\ntokens: 812 in code mode, 14,230 by direct calls (deferred \
             definitions): saved 13,418 (94.2 %), computed"
        );
        assert!(of(&[(CallStatus::Ok, 0)], Some((900, 800))).contains("cost 100 more"));
        assert!(of(&[], Some((900, 0))).ends_with("900 in code mode, and no direct calls that they stand for"));
    }

    #[test]
    fn digits_are_grouped() {
        for (number, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), want);
        }
    }
}
