//! The operator's daemon. See `kms-connector --help`.

fn main() -> std::process::ExitCode {
    kms_connector::program::main()
}
