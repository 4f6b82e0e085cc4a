//! What the process holds, and giving back what it needed once.
//!
//! The C library's allocator keeps what is freed for the next one who asks, page by page between what is still in use: after
//! large pictures, many log-ins or a long import a process would hold for ever what it needed for a second.

/// Bytes of memory that are the process's own and belong to no file (`RssAnon` of proc(5)); none where the system does not say.
pub fn anonymous() -> Option<u64> {
    of("RssAnon:")
}

/// The most that the process has held since it began or [`forget_peak`] was called, files included (`VmHWM` of proc(5)), in bytes.
pub fn peak() -> Option<u64> {
    of("VmHWM:")
}

/// Lets [`peak`] begin anew (`clear_refs` of proc(5)).
///
/// # Errors
/// Where the system has no such file, or does not let it be written.
pub fn forget_peak() -> std::io::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
}

fn of(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Hands pages that hold nothing back to the system. False if there were none, or the allocator is one that keeps nothing back
/// anyhow. It takes the allocator's locks for as long as it looks, some milliseconds: not for a thread that others wait for.
pub fn give_back() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: the function takes a number of bytes, touches memory alone that is free, and holds the allocator's own locks
        // meanwhile (malloc_trim(3): MT-Safe).
        unsafe { libc::malloc_trim(0) != 0 }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    false
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    /// As work leaves it behind: small pieces, of which a few stay in use between the free ones.
    #[test]
    fn what_was_needed_once_is_given_back() {
        let before = anonymous().unwrap();
        forget_peak().unwrap();
        let pieces: Vec<Box<[u8; 1000]>> = (0..100_000).map(|_| Box::new([1; 1000])).collect();
        let stay: Vec<_> = pieces.into_iter().enumerate().filter(|(n, _)| n % 1000 == 0).collect();
        let kept = anonymous().unwrap();
        assert!(peak().unwrap() > before + 90 * MIB);
        assert!(kept > before + 50 * MIB, "the allocator keeps it: {} MiB", (kept - before) / MIB);
        assert!(give_back());
        let after = anonymous().unwrap();
        assert!(after < before + 10 * MIB, "{} MiB are left", (after - before) / MIB);
        assert_eq!(stay.len(), 100);
    }
}
