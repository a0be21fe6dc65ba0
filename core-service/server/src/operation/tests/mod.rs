//! The work itself, with small keys: requests as the judge would have let them pass.

mod destruction;
mod imports;
mod inputs;
mod keys;
mod lists;
mod scene;
