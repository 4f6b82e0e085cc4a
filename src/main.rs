//! The command `vestnik`. See `vestnik --help` and README.md.

fn main() -> std::process::ExitCode {
    vestnik::server::cli::main()
}
