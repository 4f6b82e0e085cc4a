//! The command `vestnik`. See `vestnik --help` and README.md.

use std::process::ExitCode;

/// What `style/build.mjs` has built: it belongs to the program alone, so that the library compiles beside it.
#[cfg(feature = "site")]
mod built {
    use include_dir::{Dir, include_dir};
    use std::time::UNIX_EPOCH;
    use vestnik::server::web::site::File;

    static SITE: Dir = include_dir!("$CARGO_MANIFEST_DIR/target/site");

    pub fn files() -> Vec<File> {
        let mut files = Vec::new();
        add(&SITE, &mut files);
        files
    }

    fn add(folder: &'static Dir, files: &mut Vec<File>) {
        files.extend(folder.files().filter_map(|file| {
            let modified = file.metadata()?.modified().duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(File { name: file.path().to_str()?, bytes: file.contents(), modified })
        }));
        folder.dirs().for_each(|inner| add(inner, files));
    }
}

fn main() -> ExitCode {
    #[cfg(feature = "site")]
    vestnik::server::web::site::build_in(built::files());
    vestnik::server::cli::main()
}
