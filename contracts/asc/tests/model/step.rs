//! What can happen, in words that stay meaningful when other steps are left out.

use kms_asc_api::{CiphertextFormat, FheType, KeyState};

use crate::world::Who;

#[derive(Debug, Clone)]
pub enum Step {
    /// So many seconds pass.
    Wait(u64),
    /// The bank refuses, or no longer refuses, to pay somebody.
    Block { who: Who, blocked: bool },
    /// The requesting contract fails when it is called back, or no longer.
    AppFails(bool),
    /// A plain bank transfer to the contract; `other` is another denomination.
    Gift { from: Who, amount: u128, other: bool },
    /// A message; `stray` sends one coin with a message that takes none.
    Send { sender: Who, stray: bool, msg: Msg },
}

#[derive(Debug, Clone)]
pub enum Msg {
    Submit(Asked),
    /// The same so many times in one message.
    Together(Asked, u8),
    Responses(Vec<Item>),
    Failures(Vec<Item>),
    Close(Vec<u64>),
    Cancel(u64),
    Withdraw {
        to: Option<Who>,
    },
    Grant {
        key: u64,
        to: Who,
        until: Option<i64>,
    },
    Revoke {
        key: u64,
        to: Who,
    },
    Attesters {
        key: u64,
        seeds: Vec<u8>,
        threshold: u32,
    },
    Crs {
        key: u64,
        crs: Vec<u64>,
    },
    State {
        key: u64,
        state: KeyState,
    },
    Offer {
        key: u64,
        to: Who,
    },
    Accept {
        key: u64,
    },
    SetEpoch {
        ahead: u32,
        shape: usize,
        fault: EpochFault,
    },
    RevokeEpoch(u32),
    Config(Change),
    Domain {
        key: u64,
        domain: Domain,
    },
    Pause,
    Unpause,
    Treasury {
        to: Option<Who>,
        amount: u128,
    },
    Sweep {
        to: Option<Who>,
        other: bool,
    },
    Schedule {
        right: bool,
    },
    Migrate,
    Propose {
        to: Who,
    },
    Office,
}

#[derive(Debug, Clone)]
pub struct Asked {
    pub op: Op,
    pub ttl: Option<u64>,
    pub callback: Option<u64>,
    pub funds: Funds,
}

/// What is sent with a request.
#[derive(Debug, Clone, Copy)]
pub enum Funds {
    Exactly,
    More(u128),
    Less(u128),
    Other,
    Both,
}

#[derive(Debug, Clone)]
pub enum Op {
    Key {
        test: bool,
        source: Source,
    },
    Crs {
        bits: u32,
        import: Option<u8>,
    },
    Public {
        key: u64,
        ciphertexts: Vec<Ct>,
        domain: Domain,
        extra: usize,
    },
    User {
        key: u64,
        ciphertexts: Vec<Ct>,
        domain: Domain,
        /// The wallet that is named, and the one that signs.
        user: u8,
        signer: u8,
        apps: Vec<u8>,
        /// Start of the window, from now.
        from: i64,
        days: u64,
        good_key: bool,
    },
    Input {
        key: u64,
        crs: u64,
        number: u8,
        size: u64,
        user: u8,
        app: u8,
        domain: Domain,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Source {
    Generate,
    /// Parts with digests of these numbers.
    Import(u8, u8),
    Takeover(u64),
}

#[derive(Debug, Clone, Copy)]
pub enum Domain {
    /// The key's own, by naming none.
    Own,
    Numbered(u8),
    /// The one that this key has, or will have, from birth.
    DefaultOf(u64),
    TooLong,
}

#[derive(Debug, Clone)]
pub struct Ct {
    pub number: u8,
    pub size: u64,
    pub fhe_type: FheType,
    pub format: CiphertextFormat,
    pub index: u16,
    /// Whether byte 30 of the handle is the type's number.
    pub good_handle: bool,
    pub origin: Origin,
}

#[derive(Debug, Clone)]
pub enum Origin {
    Unproven,
    /// An element of this request's input; digest, size and handle are taken from it.
    Verified {
        request: u64,
        twisted: bool,
    },
    /// Signatures of these seeds; `sorted` by address, and over what is said here unless `twisted`.
    Attested {
        user: u8,
        app: u8,
        until: i64,
        seeds: Vec<u8>,
        sorted: bool,
        twisted: bool,
    },
}

/// What an operator says.
#[derive(Debug, Clone)]
pub struct Item {
    pub request: u64,
    pub epoch: u32,
    pub party: u32,
    pub said: Said,
    pub receipt: Sig,
    pub external: Sig,
}

#[derive(Debug, Clone, Copy)]
pub enum Said {
    /// A payload of the operation's form; equal numbers are equal payloads.
    Answer(u8),
    /// The digest of something that is registered, or an input that is none.
    Known,
    /// A payload of another form.
    Formless,
    /// One byte more than is allowed.
    Huge,
    Failure {
        code: u32,
        index: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sig {
    Right,
    /// By somebody else.
    Stranger,
    /// Over something else.
    Twisted,
    /// Of another length.
    Short,
    /// Left out, where that can be.
    None,
}

/// What is wrong with a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochFault {
    None,
    Majority,
    SameSigner,
    Numbers,
    Payout,
    NoParties,
    Revoked,
}

/// A change of parameters.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// All base prices.
    Price(u128),
    Share(u16),
    Denial(u128),
    Failure(u128),
    TtlMin(u64),
    CancelDelay(u64),
    Pending(u32),
    CallbackPrice(u128),
    MigrationDelay(u64),
    KeyDomainVersion(u8),
    Denom,
    Page(u32),
}
