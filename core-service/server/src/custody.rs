//! Who may open a vault, and how its content leaves and enters it.

mod archive;
mod backup;
mod certificate;
mod copy;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod hygiene;
mod passphrase;
mod pkcs11;
mod prepare;
mod transfer;
mod wrapper;

pub use archive::ArchiveError;
pub use backup::BackupError;
pub(crate) use backup::{Backup, Places, backup};
pub use certificate::CertificateError;
pub use copy::CopyError;
pub(crate) use copy::Own;
pub(crate) use hygiene::forbid_dumps;
pub(crate) use prepare::prepare;
pub use transfer::TransferError;
pub(crate) use transfer::{export, stage};
pub(crate) use wrapper::wrapper_of;
pub use wrapper::{KeyWrapper, WrapError, Wrapped};
