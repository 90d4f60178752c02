//! Stores of no, one and both sources to their status.

use footfall_engine::Result;
use footfall_engine::store::DayRange;
use footfall_engine::units::Day;

use crate::scene::*;
#[test]
fn status_of_nothing_and_of_a_publisher_csv_alone() -> Result<()> {
    let now = options().clock.now();
    let scene = Scene::new();
    let store = scene.store();
    let empty = store.status_at(now)?;
    assert!(empty.logs.is_none() && empty.hub.is_none() && empty.bytes.per_row.is_none());
    assert!(empty.next.contains("footfall ingest"), "{}", empty.next);
    assert_eq!(verify(&store), Vec::<String>::new());

    ingest(&store, &[scene.file("hub.csv", HUB)]);
    let hub = store.status_at(now)?;
    assert!(hub.logs.is_none());
    let source = hub.hub.unwrap();
    assert_eq!(
        (source.rows, source.repos, source.downloaders),
        (2, 1, None)
    );
    assert_eq!(source.newest_complete_day, Some(Day(FIRST_DAY)));
    assert_eq!(
        source.incomplete,
        [DayRange {
            from: Day(FIRST_DAY + 1),
            to: Day(FIRST_DAY + 1)
        }]
    );

    Ok(())
}

#[test]
fn status_of_both_sources_says_what_is_missing() -> Result<()> {
    let now = options().clock.now();
    let scene = Scene::new();
    let store = scene.store();
    ingest(&store, &[scene.file("hub.csv", HUB)]);
    let line = |day: u32, hour: u32| {
        format!("2025-03-{day:02}T{hour:02}:00:00Z,200,GET,a/x,model,aa,,NA,,,v\n")
    };
    let log = |days: &[(u32, u32)]| {
        let lines: String = days.iter().map(|(day, hour)| line(*day, *hour)).collect();
        format!("{HEADER},colour\n{lines}")
    };
    ingest(
        &store,
        &[scene.file("a.csv", log(&[(2, 1), (5, 1), (9, 22)]))],
    );
    let both = store.status_at(now)?;
    let logs = both.logs.unwrap();
    let range = |from, to| DayRange {
        from: Day(FIRST_DAY + from),
        to: Day(FIRST_DAY + to),
    };
    assert_eq!(logs.missing, [range(2, 3), range(5, 7)]);
    assert_eq!(
        (logs.missing_days, logs.days, logs.rows, logs.downloaders),
        (5, 3, 3, Some(1))
    );
    assert_eq!(logs.newest_complete_day, Some(Day(FIRST_DAY + 4)));
    assert_eq!(logs.age_days, Some(36));
    assert_eq!(logs.incomplete, [range(8, 8)]);
    assert_eq!(logs.last_import.unwrap().import, 2);
    assert_eq!(
        (
            both.new_columns[0].name.as_str(),
            both.new_columns[0].import
        ),
        ("colour", Some(2))
    );
    assert!(
        both.next.contains("5 days of the logs are missing"),
        "{}",
        both.next
    );
    let bytes = both.bytes;
    let logs =
        bytes.segments + bytes.cells + bytes.months + bytes.keys + bytes.lookup + bytes.names;
    let others = bytes.ledger + bytes.hub + bytes.settings + bytes.manifest;
    assert_eq!(bytes.total, logs + others);

    ingest(&store, &[scene.file("b.csv", log(&[(9, 23)]))]);
    let late = store.status_at(now)?;
    assert_eq!(
        late.logs.unwrap().newest_complete_day,
        Some(Day(FIRST_DAY + 8))
    );
    assert_eq!(late.days_to_compact, 1);
    let json = serde_json::to_value(store.status_at(now)?).unwrap();
    assert_eq!(json["logs"]["first_day"], "2025-03-02");
    assert_eq!(json["logs"]["missing"][0]["to"], "2025-03-04");
    Ok(())
}
