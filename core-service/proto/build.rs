//! Generates the Rust side of `proto/kms/v1/kms.proto`, without protoc.

use std::{env, error::Error, fs, path::Path};

use prost::Message;

const PROTO: &str = "proto/kms/v1/kms.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");

    let files = protox::compile([PROTO], ["proto"])?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("kms_descriptor.bin"), files.encode_to_vec())?;

    // Ciphertexts are megabytes: `Bytes` shares the buffer that they arrive in.
    tonic_prost_build::configure().bytes(".kms.v1.ExecuteRequest.ciphertexts").compile_fds(files)?;
    Ok(())
}
