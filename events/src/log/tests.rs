//! What a crash, a full disk and a second process do to a log.

use std::io::Write as _;

use super::*;

const SMALL: LogOptions = LogOptions { segment_bytes: 200, max_bytes: 4000 };

fn read(log: &Log) -> Vec<Vec<u8>> {
    let mut reader = log.reader(log.first());
    std::iter::from_fn(|| reader.read().unwrap()).map(|record| record.payload).collect()
}

async fn fill(log: &Log, numbers: std::ops::Range<u8>) {
    for number in numbers {
        assert_eq!(log.append(vec![number; 50]).await.unwrap(), u64::from(number));
    }
}

fn expected(numbers: std::ops::Range<u8>) -> Vec<Vec<u8>> {
    numbers.map(|number| vec![number; 50]).collect()
}

#[tokio::test]
async fn records_come_back_in_order_also_from_another_process_s_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    fill(&log, 0..20).await;
    assert_eq!(read(&log), expected(0..20));
    drop(log);
    let log = Log::open(folder.path(), SMALL).unwrap();
    assert_eq!(log.recovery(), Recovery { records: 20, ..Recovery::default() });
    fill(&log, 20..30).await;
    assert_eq!(read(&log), expected(0..30));
}

#[tokio::test]
async fn many_at_once_share_a_write_and_each_gets_a_number_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(Log::open(folder.path(), LogOptions::default()).unwrap());
    let tasks: Vec<_> = (0..500_u32)
        .map(|number| {
            let log = log.clone();
            tokio::spawn(async move { log.append(number.to_le_bytes().to_vec()).await.unwrap() })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    assert_eq!(read(&log).len(), 500);
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_counted_wherever_it_was_torn() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), LogOptions::default()).unwrap();
    fill(&log, 0..3).await;
    drop(log);
    let path = segment::path(folder.path(), 0);
    let whole = fs::read(&path).unwrap();
    for length in 140..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let log = Log::open(folder.path(), LogOptions::default()).unwrap();
        let torn_bytes = length as u64 - 140;
        assert_eq!(log.recovery(), Recovery { records: 2, torn_bytes, lost_records: 0 });
        assert_eq!(read(&log), expected(0..2));
        assert_eq!(log.append(vec![9]).await.unwrap(), 2);
        drop(log);
        fs::remove_file(segment::path(folder.path(), 2)).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_record_in_the_middle_is_lost_and_those_behind_it_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    fill(&log, 0..9).await;
    drop(log);
    let path = segment::path(folder.path(), 3);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, bytes).unwrap();
    for _ in 0..2 {
        let log = Log::open(folder.path(), SMALL).unwrap();
        assert_eq!(log.recovery(), Recovery { records: 8, torn_bytes: 0, lost_records: 1 });
        assert_eq!(read(&log), [expected(0..4), expected(5..9)].concat());
    }
}

#[tokio::test]
async fn what_is_whole_behind_damage_in_the_last_segment_is_no_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), LogOptions::default()).unwrap();
    fill(&log, 0..9).await;
    drop(log);
    let path = segment::path(folder.path(), 0);
    let mut bytes = fs::read(&path).unwrap();
    // Records 2 and 3, of the second its header.
    bytes[2 * 70 + 30] ^= 1;
    bytes[3 * 70 + 5] ^= 1;
    bytes.extend_from_slice(b"torn");
    fs::write(&path, bytes).unwrap();
    let log = Log::open(folder.path(), LogOptions::default()).unwrap();
    assert_eq!(log.recovery(), Recovery { records: 7, torn_bytes: 4, lost_records: 2 });
    fill(&log, 9..11).await;
    assert_eq!(read(&log), [expected(0..2), expected(4..11)].concat());
}

#[tokio::test]
async fn a_segment_that_is_removed_is_not_held_open_and_reading_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    let mut reader = log.reader(0);
    for number in 0..9 {
        fill(&log, number..number + 1).await;
        assert_eq!(reader.read().unwrap().unwrap().payload, vec![number; 50]);
        assert_eq!(reader.read().unwrap(), None);
        log.release(u64::from(number) + 1).unwrap();
    }
    let held = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let of_ours =
        held.filter(|path| path.starts_with(folder.path()) && path.to_string_lossy().contains(".log"));
    assert_eq!(of_ours.count(), 1, "the one that is written to");
}

#[tokio::test]
async fn a_full_log_says_so_and_takes_more_once_something_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), LogOptions { segment_bytes: 200, max_bytes: 800 }).unwrap();
    fill(&log, 0..11).await;
    let error = log.append(vec![11; 50]).await.unwrap_err();
    assert!(matches!(error, Error::LogFull { bytes: 770, max_bytes: 800 }), "{error}");
    assert_eq!(error.class(), crate::Class::Transient);
    log.release(3).unwrap();
    assert_eq!((log.first(), log.bytes()), (3, 560));
    fill(&log, 11..14).await;
    assert_eq!(read(&log), expected(3..14));
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    let error = Log::open(folder.path(), SMALL).unwrap_err();
    assert!(matches!(error, Error::LogLocked { .. }), "{error}");
    drop(log);
    Log::open(folder.path(), SMALL).unwrap();
}

#[tokio::test]
async fn what_the_disk_refuses_is_not_acknowledged_and_the_log_goes_on_in_a_new_segment() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    fill(&log, 0..3).await;
    // In the way of the next segment.
    let next = segment::path(folder.path(), 3);
    fs::create_dir(&next).unwrap();
    let bytes = log.bytes();
    let error = log.append(vec![3; 50]).await.unwrap_err();
    assert!(matches!(error, Error::Log { doing: "write", .. }), "{error}");
    assert_eq!(log.bytes(), bytes);
    fs::remove_dir(&next).unwrap();
    fill(&log, 3..5).await;
    assert_eq!(read(&log), expected(0..5));
}

#[tokio::test]
async fn what_a_failed_write_left_behind_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    fill(&log, 0..6).await;
    drop(log);
    let mut left = Vec::new();
    frame::Header { length: 1, number: 3, crc: crc32fast::hash(b"x") }.write(&mut left);
    left.push(b'x');
    let mut file = fs::OpenOptions::new().append(true).open(segment::path(folder.path(), 0)).unwrap();
    file.write_all(&left).unwrap();
    let log = Log::open(folder.path(), SMALL).unwrap();
    assert_eq!(log.recovery(), Recovery { records: 6, torn_bytes: 21, lost_records: 0 });
    assert_eq!(read(&log), expected(0..6));
}
