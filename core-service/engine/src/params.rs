use std::{fmt, str::FromStr};

use tfhe::{
    Config, ConfigBuilder,
    core_crypto::prelude::{CiphertextModulusLog, GlweDimension, LweDimension, PolynomialSize},
    shortint::parameters::{
        COMP_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, ClassicPBSParameters,
        CompactPublicKeyEncryptionParameters, CompressionParameters,
        PARAM_KEYSWITCH_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
        PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
    },
};

use crate::UnknownName;

/// Cryptographic parameters of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParameterSet {
    /// 128 bits of security, failure probability 2^-128: the set for all real use.
    Default,
    /// The same structure with dimensions too small to be secure, quick to generate. For tests only.
    Test,
}

impl ParameterSet {
    /// Every set.
    pub const ALL: [Self; 2] = [Self::Default, Self::Test];

    /// Name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Test => "test",
        }
    }

    pub(crate) fn compute(self) -> ClassicPBSParameters {
        let real = PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
        match self {
            Self::Default => real,
            Self::Test => ClassicPBSParameters {
                lwe_dimension: LweDimension(16),
                polynomial_size: PolynomialSize(512),
                ..real
            },
        }
    }

    pub(crate) fn encryption(self) -> CompactPublicKeyEncryptionParameters {
        let real = PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
        match self {
            Self::Default => real,
            Self::Test => {
                CompactPublicKeyEncryptionParameters { encryption_lwe_dimension: LweDimension(512), ..real }
            }
        }
    }

    pub(crate) fn compression(self) -> CompressionParameters {
        match (self, COMP_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128) {
            (Self::Test, CompressionParameters::Classic(real)) => {
                let mut small = real;
                small.packing_ks_glwe_dimension = GlweDimension(1);
                small.storage_log_modulus = CiphertextModulusLog(10);
                CompressionParameters::Classic(small)
            }
            (_, real) => real,
        }
    }

    /// Ciphertexts that a list of so many bits of plaintext takes, two messages in each.
    pub(crate) fn crs_messages(self, bits: u32) -> usize {
        usize::try_from(bits.div_ceil(self.packed_bits())).unwrap_or(usize::MAX)
    }

    /// Bits of plaintext that a list of so many ciphertexts holds.
    pub(crate) fn crs_bits(self, messages: usize) -> Option<u32> {
        u32::try_from(messages).ok()?.checked_mul(self.packed_bits())
    }

    fn packed_bits(self) -> u32 {
        2 * self.encryption().message_modulus.0.ilog2()
    }

    /// What keys of this set are generated from, and checked against.
    pub(crate) fn config(self) -> Config {
        ConfigBuilder::with_custom_parameters(self.compute())
            .enable_compression(self.compression())
            .use_dedicated_compact_public_key_parameters((
                self.encryption(),
                PARAM_KEYSWITCH_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
            ))
            .use_dedicated_oprf_key(false)
            .build()
    }
}

impl fmt::Display for ParameterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ParameterSet {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|set| set.name() == text).ok_or_else(|| UnknownName {
            what: "parameter set",
            given: text.to_owned(),
            allowed: "default, test",
        })
    }
}
