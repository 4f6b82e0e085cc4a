//! `vestnik-wasm INPUT FOLDER`: splits the client into areas that are loaded when they are needed, and makes the script
//! that loads it. INPUT must have its relocations (`-C link-arg=--emit-relocs`), which tell what each area needs. The
//! folder must be there and gets `vestnik.js`, `vestnik_bg.wasm`, `__wasm_split.js` and a module for each area.

use std::error::Error;
use std::path::PathBuf;

const NAME: &str = "vestnik";

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(folder)) = (words.next(), words.next()) else {
        return Err("usage: vestnik-wasm INPUT FOLDER".into());
    };
    let input = std::fs::read(input)?;
    let main_module = format!("./{NAME}.js");
    let main = folder.join(format!("{NAME}.wasm"));
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.target.web();
    wasm_split_cli_support::transform(options)?;
    // The areas are finished; they find what they share with the main module among the linker's exports.
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&main)
        .web(true)?
        .typescript(false)
        .keep_lld_exports(true)
        .out_name(NAME)
        .generate(&folder)?;
    std::fs::remove_file(main)?;
    Ok(())
}
