//! `vestnik bench send`: what it takes and what it prints.

use crate::support::{World, on_both};

fn the_bench_prints_what_it_measured(mut world: World) {
    world.mail(4, "");
    let url = world.setting("VESTNIK_SMTP_URL");
    let mut words = vec![
        "bench",
        "send",
        "--recipients",
        "300",
        "--left-out",
        "30",
        "--connections",
        "4",
        "--size",
        "3000",
        "--smtp",
        &url,
    ];
    let database = world.setting("VESTNIK_DATABASE_URL");
    if !world.is_sqlite() {
        words.extend(["--database", &database]);
    }
    let figures = world.json(&words);
    assert_eq!((figures["sent"].as_i64(), world.ledger().len()), (Some(300), 300), "{figures}");
    for name in ["msgs_per_s", "cpu_s_per_1000", "peak_rss_mb", "commits", "open_run_s", "last_tenth_ratio"] {
        assert!(figures[name].as_f64().is_some_and(|figure| figure > 0.0), "{name} in {figures}");
    }
    let size = figures["letter_bytes"].as_u64().unwrap();
    assert!((3000..3400).contains(&size), "{size}");
}

on_both!(the_bench_prints_what_it_measured);
