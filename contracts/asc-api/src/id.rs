//! Numbers that name things. Each has a type of its own, so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use cosmwasm_schema::cw_serde;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[cw_serde]
        #[derive(Copy, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The bare number.
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A request: dense, from 1, assigned by the contract.
    RequestId, u64
);
id!(
    /// A key: the id of the `key_gen` request that made it.
    KeyId, u64
);
id!(
    /// A common reference string: the id of the `crs_gen` request that made it.
    CrsId, u64
);
id!(
    /// A set of operators: dense, from 1.
    EpochId, u32
);
id!(
    /// An operator within an epoch: 1 to n.
    PartyId, u32
);

impl From<RequestId> for KeyId {
    fn from(id: RequestId) -> Self {
        Self(id.0)
    }
}

impl From<RequestId> for CrsId {
    fn from(id: RequestId) -> Self {
        Self(id.0)
    }
}

impl PartyId {
    /// The largest party number: bit sets of parties are 32 bits wide.
    pub const MAX: u32 = 31;

    /// The party's bit, `1 << (party - 1)`, in the sets of [`Status`](crate::Status).
    /// Zero for a number outside 1 to 31.
    pub fn bit(self) -> u32 {
        match self.0 {
            1..=Self::MAX => 1 << (self.0 - 1),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_bare_number_in_json() {
        assert_eq!(serde_json::to_string(&RequestId(7)).unwrap(), "7");
        assert_eq!(serde_json::from_str::<EpochId>("3").unwrap(), EpochId(3));
    }

    #[test]
    fn party_bits_start_at_one_and_end_at_thirty_one() {
        assert_eq!(PartyId(1).bit(), 1);
        assert_eq!(PartyId(31).bit(), 1 << 30);
        assert_eq!((PartyId(0).bit(), PartyId(32).bit()), (0, 0));
    }
}
