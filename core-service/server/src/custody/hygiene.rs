use nix::sys::{
    prctl,
    resource::{Resource, setrlimit},
};
use thiserror::Error;

/// The system does not let this process keep its memory to itself.
#[derive(Debug, Error)]
#[error("cannot forbid dumps of this process's memory: {0}")]
pub struct DumpError(#[from] nix::Error);

/// From here on no crash leaves this process's memory on disk, and no other process of the user looks into it.
pub(crate) fn forbid_dumps() -> Result<(), DumpError> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(prctl::set_dumpable(false)?)
}

#[cfg(test)]
mod tests {
    use nix::sys::resource::getrlimit;

    use super::*;

    #[test]
    fn afterwards_the_process_leaves_no_dump() {
        forbid_dumps().unwrap();
        assert_eq!(getrlimit(Resource::RLIMIT_CORE).unwrap(), (0, 0));
        assert!(!prctl::get_dumpable().unwrap());
    }
}
