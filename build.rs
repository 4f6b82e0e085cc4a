//! The migrations, which `sqlx::migrate!` embeds: without a word here a new file would be missed.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=migrations");
}
