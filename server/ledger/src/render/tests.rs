//! Reports in every format, whole.

use super::*;
use expect_test::expect;
use model::reply::RunSummary;
use model::report::{Percentiles, Price, ReportRequest, SeriesStep};
use model::tokens::Baselines;
use model::{Language, RunId, RunStatus};

/// 2026-11-28 00:00 UTC.
const DAY: u64 = 1_795_824_000_000;

fn side(definitions: u64, output: u64, results: u64, turns: u32, total: u64, peak_context: u64) -> SideTokens {
    SideTokens { definitions, output, results, turns, total, peak_context, cacheable: total / 2 }
}

fn tokens(total: u64) -> TokenReport {
    let direct = Baselines {
        deferred: side(160, 82, 3_150, 4, 4_398, 3_392),
        all_servers: side(1_000, 70, 3_000, 3, 6_260, 4_070),
        needed_servers: side(500, 70, 3_000, 3, 4_760, 3_570),
    };
    let saved = 4_398 - i64::try_from(total).expect("small");
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let saved_percent = Some(100.0 * saved as f64 / 4_398.0);
    let labels = [("total".to_owned(), "computed: the sum".to_owned())].into();
    TokenReport {
        code_mode: side(380, 120, 30, 2, total, 530),
        direct,
        saved,
        saved_percent,
        labels,
        encoding: "o200k_base".to_owned(),
    }
}

fn report(total: u64) -> SavingsReport {
    let ms = Percentiles { p50: 12.0, p90: 40.0, p99: 80.0 };
    let tokens = tokens(total);
    let price = Price {
        model: "house-1".into(),
        source: "our contract".into(),
        input: 2.0,
        output: 10.0,
        cache_read: 0.1,
        cache_write: 2.5,
        ..Price::default()
    };
    let dollars = Some(crate::prices::dollars(&tokens, &price));
    let totals = PeriodTotals {
        since_ms: DAY,
        until_ms: DAY + 86_400_000,
        runs: 2,
        failed_runs: 1,
        calls: 3,
        result_tokens: 6_000,
        run_ms: ms,
        call_ms: ms,
        tokens: tokens.clone(),
        dollars,
        ..PeriodTotals::default()
    };
    let group = |tool: Option<&str>| CallGroup {
        server: "fs".into(),
        tool: tool.map(str::to_owned),
        calls: 3,
        output_tokens: 70,
        result_tokens: 6_000,
        ms,
        ..CallGroup::default()
    };
    SavingsReport {
        at_ms: DAY,
        workspace: "shop_1".into(),
        total: totals,
        step_ms: 3_600_000,
        series: vec![SeriesStep {
            at_ms: DAY,
            runs: 2,
            failed_runs: 1,
            calls: 3,
            code_mode: total,
            deferred: 4_398,
            ..SeriesStep::default()
        }],
        servers: vec![group(None)],
        tools: vec![group(Some("read"))],
        languages: vec![RunGroup {
            key: "python".into(),
            runs: 2,
            failed: 1,
            calls: 3,
            code_mode: total,
            deferred: 4_398,
            ..RunGroup::default()
        }],
        tags: vec![RunGroup {
            key: "team=web".into(),
            runs: 2,
            deferred: 4_398,
            code_mode: total,
            ..RunGroup::default()
        }],
        runs: vec![RunSummary {
            run_id: RunId::from("r-1"),
            at_ms: DAY + 60_000,
            language: Language::Python,
            status: RunStatus::Ok,
            front: "cli".into(),
            label: "=secret|plan".into(),
            calls: 3,
            wall_ms: 12.5,
            tokens: Some(tokens),
        }],
        ..SavingsReport::default()
    }
}

fn rendered(report: &SavingsReport, format: ReportFormat, by: Option<ReportBy>, share: bool) -> String {
    render(report, &RenderRequest { report: ReportRequest::default(), format, by, share })
}

#[test]
fn a_text_has_both_sides_dollars_groups_and_runs() {
    expect![[r"
        What programs saved: shop_1
        2026-11-28 00:00 to 2026-11-29 00:00 UTC: 2 runs (1 failed), 3 calls

        Saved 3,368 tokens (76.6 %) against direct calling with deferred definitions, computed

        tokens                        definitions  written  results  turns  largest prompt  total  saved   share
        code mode                             380      120       30      2             530  1,030
        direct, definitions deferred          160       82    3,150      4           3,392  4,398  3,368  76.6 %
        direct, all servers                 1,000       70    3,000      3           4,070  6,260  5,230  83.5 %
        direct, needed servers                500       70    3,000      3           3,570  4,760  3,730  78.4 %

        Runs: p50 12 ms, p90 40 ms, p99 80 ms. Calls: p50 12 ms, p90 40 ms, p99 80 ms. Answers kept out of the context: 6,000 tokens.

        In dollars, estimated at the price of house-1
        US dollars                    every prompt in full     saved  with a prompt cache     saved
        code mode                                 $0.00302                       $0.00224
        direct, definitions deferred              $0.00945  $0.00643             $0.00633  $0.00409
        direct, all servers                       $0.01308  $0.01006             $0.00866  $0.00642
        direct, needed servers                    $0.01008  $0.00706             $0.00671  $0.00447

        By server
        calls of  calls  failed  written  answers    p50    p99
        fs            3       0       70    6,000  12 ms  80 ms

        By tool
        calls of  calls  failed  written  answers    p50    p99
        fs.read       3       0       70    6,000  12 ms  80 ms

        By language
        runs of  runs  failed  calls  in code mode  by direct calls  saved   share
        python      2       1      3         1,030            4,398  3,368  76.6 %

        The newest runs
        run  program       when, UTC         status  calls  saved
        r-1  =secret|plan  2026-11-28 00:01  ok          3  3,368

        What the figures rest on
        - total: computed: the sum
        - cached: estimated: tokens that an earlier prompt has sent at cache_read, other prompt tokens at cache_write, written ones at output; definitions taken as cached from before, and every turn as within the cache's life
        - price: estimated: house-1, no date given, our contract
        - tokens: estimated: counted in o200k_base, which need not be house-1's own; by how much that one differs is not known here
        - uncached: estimated: (total - output) at input, output at output
    "]].assert_eq(&rendered(&report(1_030), ReportFormat::Text, None, false));
}

#[test]
fn a_loss_is_called_one_in_markdown_and_a_comparison_says_the_change() {
    let mut loss = report(5_000);
    loss.before = Some(PeriodTotals { since_ms: DAY - 86_400_000, until_ms: DAY, ..report(1_030).total });
    expect![[r"
        # What programs saved: shop\_1

        2026-11-28 00:00 to 2026-11-29 00:00 UTC: 2 runs (1 failed), 3 calls

        **Cost 602 tokens more (13.7 %) than direct calling with deferred definitions, computed**

        Before that, 2026-11-27 00:00 to 2026-11-28 00:00 UTC: 2 runs (1 failed), 3 calls. Saved 3,368 tokens (76.6 %) against direct calling with deferred definitions, computed. That is 3,970 less saved now.

        | tokens                       | definitions | written | results | turns | largest prompt | total | saved |   share |
        | :--------------------------- | ----------: | ------: | ------: | ----: | -------------: | ----: | ----: | ------: |
        | code mode                    |         380 |     120 |      30 |     2 |            530 | 5,000 |       |         |
        | direct, definitions deferred |         160 |      82 |   3,150 |     4 |          3,392 | 4,398 |  -602 | -13.7 % |
        | direct, all servers          |       1,000 |      70 |   3,000 |     3 |          4,070 | 6,260 | 1,260 |  20.1 % |
        | direct, needed servers       |         500 |      70 |   3,000 |     3 |          3,570 | 4,760 |  -240 |  -5.0 % |

        Runs: p50 12 ms, p90 40 ms, p99 80 ms. Calls: p50 12 ms, p90 40 ms, p99 80 ms. Answers kept out of the context: 6,000 tokens.

        ## In dollars, estimated at the price of house-1

        | US dollars                   | every prompt in full |     saved | with a prompt cache |     saved |
        | :--------------------------- | -------------------: | --------: | ------------------: | --------: |
        | code mode                    |             $0.01096 |           |            $0.00740 |           |
        | direct, definitions deferred |             $0.00945 | -$0.00151 |            $0.00633 | -$0.00107 |
        | direct, all servers          |             $0.01308 |  $0.00212 |            $0.00866 |  $0.00126 |
        | direct, needed servers       |             $0.01008 | -$0.00088 |            $0.00671 | -$0.00069 |

        ## By tag

        | runs of  | runs | failed | calls | in code mode | by direct calls | saved |   share |
        | :------- | ---: | -----: | ----: | -----------: | --------------: | ----: | ------: |
        | team=web |    2 |      0 |     0 |        5,000 |           4,398 |  -602 | -13.7 % |

        ## The newest runs

        | run | program       | when, UTC        | status | calls | saved |
        | :-- | :------------ | :--------------- | :----- | ----: | ----: |
        | r-1 | =secret\|plan | 2026-11-28 00:01 | ok     |     3 |  -602 |

        ## What the figures rest on

        - total: computed: the sum
        - cached: estimated: tokens that an earlier prompt has sent at cache\_read, other prompt tokens at cache\_write, written ones at output; definitions taken as cached from before, and every turn as within the cache's life
        - price: estimated: house-1, no date given, our contract
        - tokens: estimated: counted in o200k\_base, which need not be house-1's own; by how much that one differs is not known here
        - uncached: estimated: (total - output) at input, output at output
    "]].assert_eq(&rendered(&loss, ReportFormat::Md, Some(ReportBy::Tag), false));
}

#[test]
fn spreadsheets_get_runs_or_groups_or_steps() {
    let of = |by, share| rendered(&report(1_030), ReportFormat::Csv, by, share);
    expect![[r"
        run_id,submitted_utc,program,language,status,front,calls,wall_ms,code_mode_tokens,direct_deferred_tokens,direct_all_servers_tokens,direct_needed_servers_tokens,saved_tokens
        r-1,2026-11-28 00:01,'=secret|plan,python,ok,cli,3,12.5,1030,4398,6260,4760,3368
        server,tool,calls,failed,cached,output_tokens,result_tokens,result_bytes,p50_ms,p90_ms,p99_ms
        fs,read,3,0,0,70,6000,0,12.0,40.0,80.0
        from_utc,runs,failed,calls,code_mode_tokens,direct_deferred_tokens,direct_all_servers_tokens,direct_needed_servers_tokens,saved_tokens
        2026-11-28 00:00,2,1,3,1030,4398,0,0,3368
    "]]
        .assert_eq(&(of(None, false) + &of(Some(ReportBy::Tool), false) + &of(None, true)).replace("\r\n", "\n"));
}

#[test]
fn what_is_handed_on_names_nothing_that_was_not_asked_for() {
    let named = |by| {
        let shared = shared(report(1_030), by);
        let formats = [ReportFormat::Text, ReportFormat::Md, ReportFormat::Csv, ReportFormat::Json, ReportFormat::Html];
        formats.map(|format| rendered(&shared, format, by, true)).concat()
    };
    let text = named(None);
    for name in ["secret", "r-1", "\"fs\"", "fs.read", "team=web"] {
        assert!(!text.contains(name), "{name}");
    }
    assert!(text.contains("4,398") && text.contains("python"));
    assert!(named(Some(ReportBy::Tag)).contains("team=web"));
    assert!(named(Some(ReportBy::Tool)).contains("fs.read") && !named(Some(ReportBy::Tool)).contains("secret"));
}

#[test]
fn a_period_without_runs_says_so() {
    let of = |report: &SavingsReport| rendered(report, ReportFormat::Text, None, false);
    let mut empty = SavingsReport { workspace: "w".into(), pending: 2, ..SavingsReport::default() };
    assert!(of(&empty).ends_with("2 runs are not counted yet.\n\nNothing has been run in this workspace yet.\n"));
    empty.total.until_ms = DAY;
    assert!(of(&empty).contains("No run of this period is counted."));
    empty.request.only.server = Some("fs".into());
    assert!(
        of(&empty).contains("only server fs\n") && of(&empty).contains("No counted run of this period is like that.")
    );
}
