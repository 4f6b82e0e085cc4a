//! Gives back what the process needed once: pictures, log-ins and imports take much memory for seconds, and the allocator keeps it.

use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vestnik_memory::{anonymous, give_back};

/// Time between two looks at what the process holds.
const EVERY: Duration = Duration::from_secs(30);
/// Growth since the last time that is not worth the trouble, in bytes.
const SLACK: u64 = 16 * 1024 * 1024;

/// Whether so much more is held than was in use at the last look that some of it will be free: a quarter, and [`SLACK`].
fn has_grown(held: u64, in_use: u64) -> bool {
    held > in_use.saturating_add(in_use / 4).saturating_add(SLACK)
}

/// Looks until the service stops, where the system says how much is held. A process that is busy and needs what it holds
/// is asked to give back once, and then no more until it has grown again.
pub async fn keep_low(stop: CancellationToken) {
    let mut in_use = anonymous().unwrap_or(u64::MAX);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let Some(held) = anonymous() else { continue };
        if !has_grown(held, in_use) {
            in_use = in_use.min(held);
            continue;
        }
        // It looks through all that is free: not on a thread that serves.
        let given = tokio::task::spawn_blocking(give_back).await.unwrap_or(false);
        in_use = anonymous().unwrap_or(held);
        tracing::debug!(held, in_use, given, "memory was given back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::import::Duplicates;
    use crate::server::db::testing as databases;
    use crate::server::services::images::{self, Upload};
    use crate::server::services::import::{Target, import_csv};
    use crate::server::services::passwords;
    use crate::server::services::testing::actor;

    #[test]
    fn a_process_that_needs_what_it_holds_is_left_alone() {
        const MIB: u64 = 1024 * 1024;
        for (held, in_use, grown) in [
            (20 * MIB, 7 * MIB, false),
            (25 * MIB, 7 * MIB, true),
            (260 * MIB, 200 * MIB, false),
            (300 * MIB, 200 * MIB, true),
        ] {
            assert_eq!(has_grown(held, in_use), grown, "{held} {in_use}");
        }
        assert!(!has_grown(u64::MAX, u64::MAX));
    }

    fn mib(bytes: u64) -> f64 {
        bytes as f64 / 1024.0 / 1024.0
    }

    /// Does some work and prints what the process holds before it, at its peak, after it, and once that is given back.
    async fn measured(name: &str, work: impl Future<Output = ()>) {
        give_back();
        let before = anonymous().unwrap();
        vestnik_memory::forget_peak().unwrap();
        work.await;
        let peak = vestnik_memory::peak().unwrap();
        let after = anonymous().unwrap();
        give_back();
        let given = anonymous().unwrap();
        let [before, peak, after, given] = [before, peak, after, given].map(mib);
        println!(
            "{name:<32} before {before:6.1}  peak {peak:6.1} (with files)  after {after:6.1}  given back {given:6.1} MiB"
        );
        assert!(given < before + 48.0, "{name}: {given} MiB are left of {peak}");
    }

    /// A picture of so many pixels.
    fn picture(width: u32, height: u32) -> Vec<u8> {
        let pixels = image::RgbImage::from_fn(width, height, |x, y| {
            let [red, green, ..] = (x / 32 * 7 + y / 16).to_le_bytes();
            image::Rgb([red, green, (x ^ y).to_le_bytes()[1]])
        });
        let mut data = std::io::Cursor::new(Vec::new());
        pixels.write_to(&mut data, image::ImageFormat::Jpeg).unwrap();
        data.into_inner()
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "a measurement, for a quiet machine: make measure"]
    async fn what_was_needed_once_falls_back() {
        let (db, _folder) = databases::sqlite().await;
        let anna = actor(&db, "anna@example.org").await;
        let now = databases::made_at();
        let data = picture(8000, 5000);
        measured("4 pictures of 40 megapixels", async {
            let one = |n| {
                let upload = Upload { name: format!("{n}.jpg"), alt: String::new(), data: data.clone() };
                images::add(&db, &anna, upload, now)
            };
            let done = futures::future::join_all((0..4).map(one)).await;
            assert!(done.iter().all(Result::is_ok), "{done:?}");
        })
        .await;
        drop(data);
        measured("100 log-ins at once", async {
            let hash = passwords::hash("a long enough password").await.unwrap();
            let one = |_| passwords::verify("not the password", Some(&hash));
            futures::future::join_all((0..100).map(one)).await;
        })
        .await;
        let lines: String = (0..300_000).map(|n| format!("c{n}@example.org,Name {n},{}\n", "x".repeat(60))).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("email,name,comment\n{lines}")).unwrap();
        drop(lines);
        measured("an import of 300 000 lines", async {
            let target = Target { owner: anna.id, import: None, duplicates: Duplicates::Skip, faulty: None };
            let reader = std::fs::File::open(file.path()).unwrap();
            let outcome = import_csv(&db, target, reader, None, now, |_| ()).await.unwrap();
            assert_eq!(outcome.counts.added, 300_000);
        })
        .await;
    }
}
