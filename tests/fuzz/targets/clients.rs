//! A file of clients as it is uploaded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Cursor;
use vestnik_fuzz::domain::client::{COMMENT_MAX, FULL_NAME_MAX};
use vestnik_fuzz::server::services::import::lines;

fuzz_target!(|bytes: &[u8]| {
    let _ = lines::preview(Cursor::new(bytes), None);
    let _ = lines::each_batch(Cursor::new(bytes), None, |batch| {
        for (_, client) in &batch.clients {
            assert!(client.full_name.chars().count() <= FULL_NAME_MAX);
            assert!(client.comment.chars().count() <= COMMENT_MAX);
        }
        true
    });
});
