//! What ciphertexts under a parameter set look like. Everything comes from the parameters.

use tfhe::{
    conformance::ParameterSetConformant,
    core_crypto::prelude::{CiphertextModulusLog, GlweCiphertextConformanceParams, LweSize},
    integer::ciphertext::IntegerProvenCompactCiphertextListConformanceParams,
    shortint::{
        AtomicPatternKind, Ciphertext,
        ciphertext::{CompressedCiphertextList, Degree, NoiseLevel},
        parameters::{CarryModulus, CompressedCiphertextConformanceParams, MessageModulus, PBSOrder},
    },
    zk::{CompactPkeProofConformanceParams, CompactPkeZkScheme},
};

use crate::{FheType, MAX_CRS_BITS, ParameterSet, lwe::Coding};

/// The three kinds of ciphertexts of one parameter set.
pub(crate) struct Shapes {
    pub(crate) raw: RawShape,
    pub(crate) compressed: CompressedShape,
    pub(crate) compact: CompactShape,
}

impl Shapes {
    pub(crate) fn of(params: ParameterSet) -> Self {
        Self {
            raw: RawShape::of(params),
            compressed: CompressedShape::of(params),
            compact: CompactShape::of(params),
        }
    }
}

/// What every block of a raw ciphertext looks like.
pub(crate) struct RawShape {
    pub(crate) lwe_size: LweSize,
    message: MessageModulus,
    carry: CarryModulus,
}

/// The atomic pattern of all our parameter sets.
const PATTERN: AtomicPatternKind = AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap);

impl RawShape {
    fn of(params: ParameterSet) -> Self {
        let compute = params.compute();
        let dimension = compute.glwe_dimension.to_equivalent_lwe_dimension(compute.polynomial_size);
        Self {
            lwe_size: dimension.to_lwe_size(),
            message: compute.message_modulus,
            carry: compute.carry_modulus,
        }
    }

    /// Bits of the plaintext in one block.
    pub(crate) fn message_bits(&self) -> usize {
        bits(self.message)
    }

    /// Message and carry below one padding bit.
    ///
    /// Noise of at most 1/8 of the distance between two messages is accepted. Honest results have a standard deviation of
    /// about 1/1000 of that distance, at most five times as much before the library would refresh them, while a wrong key
    /// spreads the noise evenly: the margin refuses three of four blocks that would decrypt to a message by chance, which
    /// matters for the short types.
    pub(crate) fn coding(&self) -> Coding {
        Coding { step_bits: 63 - self.carry.0.ilog2() - self.message.0.ilog2(), margin_bits: 3 }
    }

    pub(crate) fn blocks(&self, fhe_type: FheType) -> usize {
        fhe_type.bits().div_ceil(self.message_bits())
    }

    /// More than the serialization of the widest type takes: 512 bytes a block beside the LWE ciphertext, and 4096.
    pub(crate) fn max_bytes(&self) -> usize {
        self.blocks(FheType::Uint2048) * (self.lwe_size.0 * 8 + 512) + 4096
    }

    pub(crate) fn fits(&self, block: &Ciphertext) -> bool {
        block.ct.lwe_size() == self.lwe_size
            && block.ct.ciphertext_modulus().is_native_modulus()
            && block.message_modulus == self.message
            && block.carry_modulus == self.carry
            && block.degree.get() < self.message.0
            && block.atomic_pattern == PATTERN
    }
}

/// What a compressed list looks like.
pub(crate) struct CompressedShape {
    conformance: CompressedCiphertextConformanceParams,
    pub(crate) log_modulus: CiphertextModulusLog,
}

impl CompressedShape {
    fn of(params: ParameterSet) -> Self {
        let (compute, compression) = (params.compute(), params.compression());
        let conformance = CompressedCiphertextConformanceParams {
            ct_params: GlweCiphertextConformanceParams {
                glwe_dim: compression.packing_ks_glwe_dimension(),
                polynomial_size: compression.packing_ks_polynomial_size(),
                ct_modulus: compute.ciphertext_modulus,
            },
            lwe_per_glwe: compression.lwe_per_glwe(),
            message_modulus: compute.message_modulus,
            carry_modulus: compute.carry_modulus,
            degree: Degree::new(compute.message_modulus.0 - 1),
            noise_level: NoiseLevel::NOMINAL,
            atomic_pattern: PATTERN,
        };
        Self { conformance, log_modulus: compression.storage_log_modulus() }
    }

    pub(crate) fn message_modulus(&self) -> MessageModulus {
        self.conformance.message_modulus
    }

    pub(crate) fn message_bits(&self) -> usize {
        bits(self.conformance.message_modulus)
    }

    /// Blocks in each GLWE ciphertext but the last.
    pub(crate) fn blocks_per_glwe(&self) -> usize {
        self.conformance.lwe_per_glwe.0
    }

    /// LWE ciphertext of one block.
    pub(crate) fn lwe_size(&self) -> LweSize {
        let params = &self.conformance.ct_params;
        params.glwe_dim.to_equivalent_lwe_dimension(params.polynomial_size).to_lwe_size()
    }

    /// The message below one padding bit: compression shifts the carry out.
    ///
    /// Compression adds noise whose standard deviation is 1/40 of the distance between two messages, so a quarter of it is
    /// ten times that. A wrong key passes with one block of four.
    pub(crate) fn coding(&self) -> Coding {
        Coding { step_bits: 63 - self.message_modulus().0.ilog2(), margin_bits: 2 }
    }

    pub(crate) fn fits(&self, list: &CompressedCiphertextList) -> bool {
        list.is_conformant(&self.conformance)
    }
}

/// What a proven compact list looks like.
pub(crate) struct CompactShape {
    /// For any reference string that can be made, with lists that carry one message in each ciphertext or two.
    pub(crate) conformance: IntegerProvenCompactCiphertextListConformanceParams,
}

impl CompactShape {
    fn of(params: ParameterSet) -> Self {
        let encryption = params.encryption();
        let conformance = IntegerProvenCompactCiphertextListConformanceParams {
            encryption_lwe_dimension: encryption.encryption_lwe_dimension,
            message_modulus: encryption.message_modulus,
            carry_modulus: encryption.carry_modulus,
            ciphertext_modulus: encryption.ciphertext_modulus,
            expansion_kind: encryption.expansion_kind,
            max_elements_per_compact_list: params.crs_messages(MAX_CRS_BITS),
            allow_unpacked: true,
            zk_conformance_params: CompactPkeProofConformanceParams::new(CompactPkeZkScheme::V2),
        };
        Self { conformance }
    }

    pub(crate) fn message_modulus(&self) -> MessageModulus {
        self.conformance.message_modulus
    }

    pub(crate) fn message_bits(&self) -> usize {
        bits(self.conformance.message_modulus)
    }

    pub(crate) fn lwe_size(&self) -> LweSize {
        self.conformance.encryption_lwe_dimension.to_lwe_size()
    }

    /// Message and carry below one padding bit. Fresh encryptions have little noise, and the proof bounds it.
    pub(crate) fn coding(&self) -> Coding {
        let Self { conformance } = self;
        let step_bits = 63 - conformance.carry_modulus.0.ilog2() - conformance.message_modulus.0.ilog2();
        Coding { step_bits, margin_bits: 3 }
    }
}

fn bits(modulus: MessageModulus) -> usize {
    modulus.0.ilog2().try_into().unwrap_or(usize::MAX)
}
