//! What the process tells its caller.

use std::process::ExitCode;

/// The exit statuses of `kms`, fixed for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done.
    Done,
    /// 1: any failure that is none of the others.
    Failure,
    /// 2: the command line or the configuration is wrong.
    Usage,
    /// 3: what was named does not exist.
    NotFound,
    /// 4: refused by the contract or the chain, denied, or answered with a failure.
    Refused,
    /// 5: not done in time.
    TimedOut,
    /// 6: something does not verify.
    Unverified,
}

impl ExitStatus {
    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::TimedOut => 5,
            Self::Unverified => 6,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.number())
    }
}
