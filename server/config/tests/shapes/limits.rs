//! Limits: of runs, of servers, and whose say over whose.

use crate::place::Place;
use expect_test::expect;
use model::ServerLimits;

#[test]
fn limits_are_read_and_bad_ones_keep_their_default() {
    let place = Place::new(&[(
        "app/tta.toml",
        "[limits]\ntimeout_ms = 5_000\nmemory_mb = 64\ncalls = -1\ncal_timeout_ms = 3\nnesting = 'deep'\n\
         [ledger]\nhost_result_cap_tokens = 9000\ncolour = 1\n[cache]\nanything = 1\n[polcy]\n[servers.a]\ncomand = 'x'\ncommand = 'y'\n",
    )]);
    let (config, problems) = place.load();
    assert_eq!((config.limits.deadline_ms, config.limits.memory_bytes), (5_000, 64 << 20));
    assert_eq!((config.limits.calls, config.limits.nesting), (10_000, 128));
    assert_eq!(config.ledger.host_result_cap_tokens, 9_000);
    place.compare(&config, &problems, &expect![[r#"
        a = y [] [] (Workspace …/app/tta.toml:13)
        ERROR …/app/tta.toml:4:9 `calls` must be a whole number from 0 to 1000000 [The default is used until it is mended.]
        WARNING …/app/tta.toml:5:1 `cal_timeout_ms` is no limit that is known [Did you mean `call_timeout_ms`?]
        ERROR …/app/tta.toml:6:11 `nesting` must be a whole number from 8 to 512 [The default is used until it is mended.]
        WARNING …/app/tta.toml:9:1 `colour` is no setting that is known [Remove it.]
        WARNING …/app/tta.toml:12:2 `polcy` is no section that is known [Did you mean `policy`?]
        WARNING …/app/tta.toml:14:1 `comand` is no key of a server that is known [Did you mean `command`?]
    "#]]);
}

#[test]
fn prices_are_read_and_what_is_wrong_with_one_is_said() {
    let place = Place::new(&[(
        "app/tta.toml",
        "[ledger]\nmodel = 'house-1'\ncontext_tokens = 5\n[prices.house-1]\ninput = 1\noutput = 4.5\ncache_read = 0.1\n\
         date = '2026-11-28'\nsource = 'our contract'\n[prices.'a/b']\ninput = -1\noutput = 2\n[prices.half]\ninput = 1\n\
         [prices.plain]\ninput = 3\noutput = 6\ncontext_tokens = 128_000\ndate = 'soon'\nimput = 1\n",
    )]);
    let (config, problems) = place.load();
    assert_eq!(config.ledger.model.as_deref(), Some("house-1"));
    assert_eq!(config.ledger.context_tokens, None);
    let read: Vec<_> = config.ledger.prices.iter().map(|p| (&*p.model, p.input, p.cache_read, p.cache_write)).collect();
    assert_eq!(read, [("house-1", 1.0, 0.1, 1.0), ("plain", 3.0, 3.0, 3.0)]);
    assert_eq!(config.ledger.prices[0].source, "our contract");
    assert_eq!(config.ledger.prices[1].context_tokens, Some(128_000));
    place.compare(&config, &problems, &expect![[r#"
        ERROR …/app/tta.toml:3:18 `context_tokens` must be a whole number from 1000 to 100000000 [The default is used until it is mended.]
        ERROR …/app/tta.toml:11:9 `input` must be a number of dollars per million tokens, from 0 to 1000000 [Write it as 2.5.]
        ERROR …/app/tta.toml:10:9 the price of `a/b` lacks `input` or `output`, and is not used [Write both, in dollars per million tokens.]
        ERROR …/app/tta.toml:13:9 the price of `half` lacks `input` or `output`, and is not used [Write both, in dollars per million tokens.]
        ERROR …/app/tta.toml:19:8 `date` must be a day [Write it as "2026-11-28".]
        WARNING …/app/tta.toml:20:1 `imput` is no key of a price that is known [Did you mean `input`?]
    "#]]);
}

#[test]
fn limits_of_a_server_stand_with_it_or_apart_from_it() {
    let place = Place::new(&[
        (
            "app/tta.toml",
            "[servers.a]\ncommand = 'x'\ncalls_per_minute = 60\n[servers.b]\ncalls_in_flight = 2\nidle_stop_ms = 'soon'\n\
             [servers.c]\nidle_stop_ms = 0\n",
        ),
        ("app/.mcp.json", r#"{"mcpServers": {"b": {"command": "y", "calls_in_flight": 9, "calls_waiting": 5}}}"#),
    ]);
    let (config, problems) = place.load();
    let usual = ServerLimits::default();
    assert_eq!(config.servers[0].limits, ServerLimits { calls_per_minute: 60, ..usual.clone() });
    assert_eq!(config.servers[1].limits, ServerLimits { calls_in_flight: 2, calls_waiting: 5, ..usual });
    place.compare(&config, &problems, &expect![[r#"
        a = x [] [] (Workspace …/app/tta.toml:1)
        b = y [] [] (Workspace …/app/.mcp.json:1)
        ERROR …/app/tta.toml:6:16 `idle_stop_ms` must be a whole number from 0 to 86400000 [The default is used until it is mended.]
        ERROR …/app/tta.toml:7:10 no file configures a server `c` [Correct the name, or add `command` or `url`.]
    "#]]);
}

#[test]
fn the_settings_of_an_explicit_file_outrank_the_workspaces() {
    let place = Place::new(&[(
        "app/tta.toml",
        "[limits]\ntimeout_ms = 1000\ncalls = 5\n[ledger]\nhost_result_cap_tokens = 9000\n[watch]\npoll_ms = 200\n",
    )]);
    let explicit = "[limits]\ntimeout_ms = 2000\nnesting = 'deep'\n[ledger]\nhost_result_cap_tokens = 8000\n";
    let explicit = place.write("other/tta.toml", explicit.as_bytes());
    let (config, problems) = place.load_with(Some(&explicit));
    assert_eq!((config.limits.deadline_ms, config.limits.calls), (2_000, 5), "what it does not say is the workspace's");
    assert_eq!((config.ledger.host_result_cap_tokens, config.watch_poll_ms), (8_000, Some(200)));
    place.compare(&config, &problems, &expect![[r#"
        ERROR …/other/tta.toml:3:11 `nesting` must be a whole number from 8 to 512 [The default is used until it is mended.]
    "#]]);
}
