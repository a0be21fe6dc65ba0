//! What nearly every message needs to know, in few bytes: the chain charges for each byte that is read, and the
//! same as JSON is ten times as long. Written whenever one of the records that it repeats is.

use cosmwasm_std::Uint128;

use crate::{Config, DecodeError, EpochId, FeeSchedule, Fees, KeyDomain, KeyId, Limits};

const RECORD: &str = "terms";

/// `config`, `paused`, which epochs are revoked, and which keys have the domain that follows from `config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The parameters.
    pub config: Config,
    /// Whether new requests are refused.
    pub paused: bool,
    /// Revoked epochs, ascending.
    pub revoked: Vec<EpochId>,
    /// Whose domain is the default one of `config`.
    pub domains: DefaultDomains,
}

/// Keys whose domain need not be read, since it follows from the parameters: those that were asked for after the
/// parameters of domains last changed, as long as the chain keeps its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultDomains {
    /// The name of the chain that the domains bear.
    pub chain_id: String,
    /// The first key.
    pub since: KeyId,
}

impl DefaultDomains {
    /// All keys of a chain, from the first one on.
    pub fn all(chain_id: &str) -> Self {
        Self { chain_id: chain_id.to_owned(), since: KeyId(1) }
    }

    /// Whether a key's domain is the one that the parameters give on a chain of this name.
    pub fn include(&self, key_id: KeyId, chain_id: &str) -> bool {
        key_id >= self.since && self.chain_id == chain_id
    }
}

impl Terms {
    /// Version of the stored form.
    pub const VERSION: u8 = 1;

    /// The stored form: `v u8, paused u8`, then every field of the configuration in the order of its
    /// definition, then the number of revoked epochs and their ids, then the chain of the default domains and the
    /// first key that has one. Numbers are LEB128; texts have their length before them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![Self::VERSION, u8::from(self.paused)]);
        let config = &self.config;
        out.text(&config.denom);
        for (_, fee) in config.fees.all() {
            for amount in [fee.base, fee.per_ciphertext, fee.per_kib] {
                out.number(amount.u128());
            }
        }
        out.number(config.per_callback_kgas.u128());
        out.number(config.operator_share_bps.into());
        out.number(config.denial_fee.u128());
        out.number(config.failure_fee.u128());
        let limits = &config.limits;
        out.number(limits.ciphertexts.into());
        out.number(limits.bytes.into());
        out.number(limits.pending_per_requester.into());
        out.number(limits.payload.into());
        out.number(limits.page.into());
        out.number(limits.callback_gas.into());
        let times =
            [config.ttl_min, config.ttl_default, config.ttl_max, config.cancel_delay, config.migration_delay];
        for time in times {
            out.number(time.into());
        }
        out.text(&config.key_domain.name);
        out.text(&config.key_domain.version);
        out.number(config.key_domain.chain_id.into());
        out.length(self.revoked.len());
        self.revoked.iter().for_each(|epoch| out.number(epoch.get().into()));
        out.text(&self.domains.chain_id);
        out.number(self.domains.since.get().into());
        out.0
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the bytes are of another version, end too early, go on, or hold what has no meaning.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader { bytes, given: bytes.len() };
        let [v, paused] = from.array()?;
        if v != Self::VERSION || paused > 1 {
            let (field, given) = if paused > 1 { ("paused", paused) } else { ("v", v) };
            return Err(DecodeError::Value { record: RECORD, field, given: given.into() });
        }
        let config = from.config()?;
        let count: u32 = from.number()?;
        let revoked = (0..count).map(|_| from.number().map(EpochId)).collect::<Result<_, _>>()?;
        let domains = DefaultDomains { chain_id: from.text()?, since: KeyId(from.number()?) };
        if !from.bytes.is_empty() {
            return Err(from.wrong_length());
        }
        Ok(Self { config, paused: paused == 1, revoked, domains })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u128) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number >>= 7;
            if number == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    fn length(&mut self, length: usize) {
        self.number(u128::try_from(length).unwrap_or(u128::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }
}

/// What has not been read yet.
struct Reader<'a> {
    bytes: &'a [u8],
    given: usize,
}

impl Reader<'_> {
    fn wrong_length(&self) -> DecodeError {
        DecodeError::Length { record: RECORD, given: self.given, allowed: "what its fields take" }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.bytes.split_first_chunk().ok_or_else(|| self.wrong_length())?;
        self.bytes = rest;
        Ok(*array)
    }

    fn number<T: TryFrom<u128>>(&mut self) -> Result<T, DecodeError> {
        let (mut number, mut shift) = (0u128, 0u32);
        loop {
            let [byte] = self.array()?;
            let part = u128::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            number |= part;
            if byte & 0x80 == 0 {
                let given = u64::try_from(number).unwrap_or(u64::MAX);
                let wrong = |_| DecodeError::Value { record: RECORD, field: "number", given };
                return T::try_from(number).map_err(wrong);
            }
            shift = shift.saturating_add(7);
        }
    }

    fn text(&mut self) -> Result<String, DecodeError> {
        let length: usize = self.number()?;
        let (text, rest) = self.bytes.split_at_checked(length).ok_or_else(|| self.wrong_length())?;
        self.bytes = rest;
        String::from_utf8(text.to_vec())
            .map_err(|error| DecodeError::Json { record: RECORD, reason: error.to_string() })
    }

    fn amount(&mut self) -> Result<Uint128, DecodeError> {
        Ok(Uint128::new(self.number()?))
    }

    fn fee(&mut self) -> Result<FeeSchedule, DecodeError> {
        Ok(FeeSchedule { base: self.amount()?, per_ciphertext: self.amount()?, per_kib: self.amount()? })
    }

    fn config(&mut self) -> Result<Config, DecodeError> {
        Ok(Config {
            denom: self.text()?,
            fees: Fees {
                key_gen: self.fee()?,
                crs_gen: self.fee()?,
                public_decrypt: self.fee()?,
                user_decrypt: self.fee()?,
                verify_input: self.fee()?,
            },
            per_callback_kgas: self.amount()?,
            operator_share_bps: self.number()?,
            denial_fee: self.amount()?,
            failure_fee: self.amount()?,
            limits: Limits {
                ciphertexts: self.number()?,
                bytes: self.number()?,
                pending_per_requester: self.number()?,
                payload: self.number()?,
                page: self.number()?,
                callback_gas: self.number()?,
            },
            ttl_min: self.number()?,
            ttl_default: self.number()?,
            ttl_max: self.number()?,
            cancel_delay: self.number()?,
            migration_delay: self.number()?,
            key_domain: KeyDomain { name: self.text()?, version: self.text()?, chain_id: self.number()? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let fee = |base: u128| FeeSchedule {
            base: Uint128::new(base),
            per_ciphertext: Uint128::new(base + 1),
            per_kib: Uint128::new(base + 2),
        };
        let config = Config {
            denom: "ukms".into(),
            fees: Fees {
                key_gen: fee(u128::MAX - 2),
                crs_gen: fee(127),
                public_decrypt: fee(128),
                user_decrypt: fee(0),
                verify_input: fee(u64::MAX.into()),
            },
            per_callback_kgas: Uint128::new(21),
            operator_share_bps: 9_000,
            denial_fee: Uint128::new(22),
            failure_fee: Uint128::new(23),
            limits: Limits {
                ciphertexts: 24,
                bytes: u64::MAX,
                pending_per_requester: u32::MAX,
                payload: 25,
                page: 26,
                callback_gas: 27,
            },
            ttl_min: 28,
            ttl_default: 29,
            ttl_max: 30,
            cancel_delay: 31,
            migration_delay: 32,
            key_domain: KeyDomain { name: "Decryption".into(), version: "1".into(), chain_id: u64::MAX },
        };
        let domains = DefaultDomains { chain_id: "kms-1".into(), since: KeyId(u64::MAX) };
        Terms { config, paused: true, revoked: vec![EpochId(2), EpochId(u32::MAX)], domains }
    }

    #[test]
    fn terms_come_back_as_they_were() {
        let terms = terms();
        assert_eq!(Terms::decode(&terms.encode()), Ok(terms.clone()));
        let plain = Terms { paused: false, revoked: vec![], ..terms };
        assert_eq!(Terms::decode(&plain.encode()), Ok(plain));
    }

    #[test]
    fn a_default_domain_is_one_of_this_chain_and_of_a_key_asked_for_since() {
        let domains = DefaultDomains { chain_id: "kms-1".into(), since: KeyId(7) };
        assert!(domains.include(KeyId(7), "kms-1") && domains.include(KeyId(8), "kms-1"));
        assert!(!domains.include(KeyId(6), "kms-1") && !domains.include(KeyId(7), "kms-2"));
    }

    #[test]
    fn no_byte_may_be_missing_or_left_over() {
        let bytes = terms().encode();
        for cut in 0..bytes.len() {
            assert!(Terms::decode(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        assert!(Terms::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let changed = |at: usize, byte: u8| {
            let mut bytes = terms().encode();
            bytes[at] = byte;
            Terms::decode(&bytes)
        };
        assert!(matches!(changed(0, 2), Err(DecodeError::Value { field: "v", .. })));
        assert!(matches!(changed(1, 2), Err(DecodeError::Value { field: "paused", .. })));
        assert!(matches!(changed(3, 0xff), Err(DecodeError::Json { .. })), "no text");
        let mut endless = vec![Terms::VERSION, 0];
        endless.extend([0xff; 60]);
        assert!(Terms::decode(&endless).is_err());
    }
}
