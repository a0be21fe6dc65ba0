use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` so that a panic inside the library becomes `None`.
///
/// A second line of defence: shapes are checked before the library may look at them, so no panic is known that
/// would end here. What `work` borrows must not be left half-changed: callers lend only shared references.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
