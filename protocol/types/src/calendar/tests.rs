//! The shipped calendar against the notices, and the arithmetic against its definition.

use proptest::prelude::*;

use super::*;

const SHIPPED: &str = include_str!("../../../calendar/2024-2026.json");

fn shipped() -> Calendar {
    serde_json::from_str(SHIPPED).unwrap()
}

fn day(text: &str) -> CivilDay {
    let parts: Vec<i32> = text.split('-').map(|part| part.parse().unwrap()).collect();
    CivilDay::from_ymd(parts[0], parts[1].unsigned_abs(), parts[2].unsigned_abs()).unwrap()
}

/// 2026 alone, to be spoilt by one change.
fn spoilt(change: impl FnOnce(&mut CalendarYear)) -> Result<Calendar, UnsoundCalendar> {
    let mut year = shipped().years.pop().unwrap();
    change(&mut year);
    Calendar::new(1, vec![year])
}

#[test]
fn the_published_years_have_their_known_number_of_working_days() {
    let calendar = shipped();
    let counts = [2024, 2025, 2026, 2027].map(|year| calendar.working_days_of(year));
    assert_eq!(counts, [Some(251), Some(248), Some(248), None]);
}

#[test]
fn limits_end_where_the_notices_put_them() {
    let calendar = shipped();
    for (start, count, end) in [
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-02-13", 20, "2026-03-19"),
        ("2026-04-30", 3, "2026-05-08"),
        ("2026-09-18", 5, "2026-09-24"),
        ("2026-09-18", 20, "2026-10-22"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2025-01-24", 5, "2025-02-07"),
        ("2025-09-26", 5, "2025-10-10"),
        ("2025-09-30", 10, "2025-10-21"),
        ("2024-02-08", 5, "2024-02-21"),
    ] {
        let due = calendar.add_working_days(day(start), count);
        assert_eq!(due.day, day(end), "{start} and {count}");
        assert!(!due.provisional, "{start} and {count}");
    }
}

#[test]
fn a_limit_past_the_published_years_is_provisional() {
    let calendar = shipped();
    assert!(!calendar.add_working_days(day("2026-12-30"), 1).provisional);
    assert!(calendar.add_working_days(day("2026-12-31"), 1).provisional);
    assert!(calendar.add_working_days(day("2023-12-28"), 1).provisional);
    assert!(!calendar.covers(day("2027-01-01")));
}

#[test]
fn an_immediate_case_is_due_the_day_it_comes_if_people_work() {
    let calendar = shipped();
    let due = |start| calendar.add_working_days(day(start), 0).day;
    assert_eq!(due("2026-03-02"), day("2026-03-02"));
    assert_eq!(due("2026-02-14"), day("2026-02-14"));
    assert_eq!(due("2026-02-15"), day("2026-02-24"));
}

#[test]
fn every_day_of_time_is_answered() {
    let calendar = shipped();
    for days in [i32::MIN, -1, 0, i32::MAX - 3, i32::MAX] {
        let start = CivilDay::from_days(days);
        calendar.is_working_day(start);
        assert!(calendar.add_working_days(start, u16::MAX).provisional);
    }
}

#[test]
fn a_limit_past_the_last_day_ends_there_though_nobody_works_on_it() {
    let holiday = Holiday {
        name: "除夕".to_owned(),
        first: CivilDay::from_ymd(9999, 12, 25).unwrap(),
        last: CivilDay::from_ymd(9999, 12, 31).unwrap(),
    };
    let year = CalendarYear {
        year: 9999,
        notice: "通知".to_owned(),
        holidays: vec![holiday],
        make_up_workdays: Vec::new(),
    };
    let calendar = Calendar::new(1, vec![year]).unwrap();
    let end = CivilDay::from_ymd(9999, 12, 31).unwrap();
    for start in [end, CivilDay::from_days(i32::MAX)] {
        let due = calendar.add_working_days(start, 5);
        assert_eq!((due.day, due.provisional), (end, true));
    }
}

#[test]
fn days_are_dates_for_people_and_integers_for_machines() {
    let calendar = shipped();
    let json = serde_json::to_string(&calendar).unwrap();
    assert!(json.contains(r#""first":"2026-02-15""#), "{json}");
    assert_eq!(serde_json::from_str::<Calendar>(&json).unwrap(), calendar);
    let bytes = postcard::to_allocvec(&calendar).unwrap();
    assert!(bytes.len() < 1_024, "{}", bytes.len());
    assert_eq!(postcard::from_bytes::<Calendar>(&bytes).unwrap(), calendar);
}

#[test]
fn a_calendar_that_is_not_sound_is_not_read() {
    for (from, to) in [
        ("2026-02-15", "2026-02-30"),
        ("2026-02-15", "2026-2-15"),
        ("2026-02-15", "+026-02-15"),
        (r#""version": 1"#, r#""version": 0"#),
        (r#""version""#, r#""holiday": [], "version""#),
        (r#""year": 2025"#, r#""year": 2026"#),
    ] {
        let altered = SHIPPED.replacen(from, to, 1);
        assert_ne!(altered, SHIPPED);
        assert!(serde_json::from_str::<Calendar>(&altered).is_err(), "{to}");
    }
    let mut unsound = shipped();
    unsound.version = 0;
    let bytes = postcard::to_allocvec(&unsound).unwrap();
    assert!(postcard::from_bytes::<Calendar>(&bytes).is_err());
}

#[test]
fn years_must_follow_one_another() {
    let mut years = shipped().years;
    years.remove(1);
    assert_eq!(
        Calendar::new(1, years),
        Err(UnsoundCalendar::YearOrder {
            before: 2024,
            given: 2026
        })
    );
    assert_eq!(Calendar::new(1, vec![]), Err(UnsoundCalendar::YearCount(0)));
}

#[test]
fn a_mistyped_year_is_named() {
    use UnsoundCalendar as U;

    assert!(spoilt(|_| ()).is_ok());
    let holiday = |name: &str| {
        let name = name.to_owned();
        Err(U::Holiday { year: 2026, name })
    };
    let text = Err(U::Text { year: 2026 });
    let entries = Err(U::TooManyEntries { year: 2026 });
    assert_eq!(spoilt(|y| y.holidays.swap(0, 1)), holiday("元旦"));
    assert_eq!(
        spoilt(|y| y.holidays[0].last = day("2027-01-01")),
        holiday("元旦")
    );
    assert_eq!(
        spoilt(|y| y.holidays[1].last = day("2026-02-14")),
        holiday("春节")
    );
    assert_eq!(spoilt(|y| y.notice.clear()), text);
    assert_eq!(spoilt(|y| y.holidays[0].name = "节".repeat(100)), text);
    assert_eq!(
        spoilt(|y| y.make_up_workdays = vec![day("2026-01-04"); 33]),
        entries
    );
    for wrong in ["2026-01-05", "2026-02-15", "2025-01-04"] {
        let wrong = day(wrong);
        let result = spoilt(|y| y.make_up_workdays[0] = wrong);
        assert_eq!(result, Err(U::MakeUpWorkday(wrong)));
    }
    assert!(matches!(
        spoilt(|y| {
            y.make_up_workdays.clear();
            y.holidays.truncate(1);
            y.holidays[0].last = day("2026-06-30");
        }),
        Err(U::TooFewWorkingDays { year: 2026, .. })
    ));
    assert_eq!(spoilt(|y| y.year = 1000), Err(U::YearRange(1000)));
}

proptest! {
    #[test]
    fn a_limit_is_that_many_working_days(offset in -400i32..1_900, count in 0u16..900) {
        let calendar = shipped();
        let start = day("2024-01-01").plus(offset);
        let due = calendar.add_working_days(start, count);
        prop_assert!(calendar.is_working_day(due.day));
        let between = (start.days() + 1..=due.day.days()).map(CivilDay::from_days);
        let worked = between.filter(|&day| calendar.is_working_day(day)).count();
        if count == 0 {
            prop_assert_eq!(worked, usize::from(!calendar.is_working_day(start)));
        } else {
            prop_assert_eq!(worked, usize::from(count));
        }
        let first = start.plus(i32::from(count > 0));
        let covered = calendar.covers(first) && calendar.covers(due.day);
        prop_assert_eq!(due.provisional, !covered);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(calendar) = postcard::from_bytes::<Calendar>(&bytes) {
            prop_assert!(calendar.version() > 0);
        }
    }
}
