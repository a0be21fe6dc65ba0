//! The contract with bugs planted in it, for the test that its model finds each of them. The build copies the
//! contract's source and applies the files in `mutants/` to the copy, so that the source itself knows nothing of
//! them and no build of the contract can hold one.

#![allow(warnings, clippy::all, missing_docs)]

/// Which bug is in effect; each thread has its own switch.
pub mod mutant {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<&'static str> = const { Cell::new("") };
    }

    /// Name and description of each.
    pub const ALL: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/all.rs"));

    /// Switches a bug on, and any other off.
    pub fn switch(name: &'static str) {
        ON.set(name);
    }

    pub(crate) fn on(name: &str) -> bool {
        ON.get() == name
    }
}

include!(concat!(env!("OUT_DIR"), "/asc/lib.rs"));
