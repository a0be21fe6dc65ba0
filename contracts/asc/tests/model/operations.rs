//! What steps say, as the messages' own types: operations, evidence, payloads.

use cosmwasm_std::Binary;
use kms_asc_api::eip712::{
    Attestation, crs_gen_hash, key_gen_hash, public_decrypt_hash, user_decrypt_hash, user_link,
    user_request_hash, verify_input_hash,
};
use kms_asc_api::{
    Ciphertext, CiphertextFormat, CrsGen, CrsId, CrsSource, Digest, Eip712Domain, EpochMode, EvmAddress,
    Handle, KeyDigest, KeyGen, KeyId, KeyParams, KeySource, KeyType, Operation, Provenance, PublicDecrypt,
    RequestId, Signature, UserDecrypt, VerifyInput,
};

use crate::model::{Model, Request};
use crate::step::{Ct, Domain, Op, Origin, Said, Source};
use crate::world::{self, CHAIN_ID, CONTRACT, address, sign, wallet};

/// The chain that inputs are bound to.
const INPUT_CHAIN: u64 = 11;
const HEADER: &[u8; 69] =
    b"\x03\0\0\0\0\0\0\x000.5\0\0\0\0\x03\0\0\0\0\0\0\x000.1\x13\0\0\0\0\0\0\0UnifiedPublicEncKey\
\0\0\0\0\0\0\0\0\x20\x03\0\0\0\0\0\0";

pub fn digest(text: &str, number: u64) -> Digest {
    Digest::sha256(format!("{text} {number}").as_bytes())
}

/// Applications by number: 0 is nobody, 1 the requesting contract.
pub fn app(number: u8) -> EvmAddress {
    match number {
        0 => EvmAddress::new([0; 20]),
        1 => world::app_address(world::APP),
        n => EvmAddress::new([n; 20]),
    }
}

fn parts(server: Digest, public: Digest) -> Vec<KeyDigest> {
    vec![
        KeyDigest { key_type: KeyType::Server, digest: server },
        KeyDigest { key_type: KeyType::Public, digest: public },
    ]
}

/// `0x00 || digest || 0x01 || digest`.
fn encode(parts: &[KeyDigest]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&[part.key_type.number()][..], part.digest.as_bytes()].concat()).collect()
}

impl Model {
    pub fn domain(&self, domain: Domain) -> Option<Eip712Domain> {
        let named = |name: String| Eip712Domain {
            name,
            version: "1".to_owned(),
            chain_id: 1,
            verifying_contract: EvmAddress::new([9; 20]),
            salt: None,
        };
        match domain {
            Domain::Own => None,
            Domain::Numbered(n) => Some(named(format!("App {n}"))),
            Domain::DefaultOf(id) => Some(world::default_domain(&self.config, id)),
            Domain::TooLong => Some(named("x".repeat(65))),
        }
    }

    /// The operation that a step asks for.
    pub fn operation(&self, op: &Op) -> Operation {
        match op {
            Op::Key { test, source } => Operation::KeyGen(KeyGen {
                params: if *test { KeyParams::Test } else { KeyParams::Default },
                source: match source {
                    Source::Generate => KeySource::Generate,
                    Source::Import(a, b) => KeySource::Import {
                        digests: parts(digest("import", (*a).into()), digest("import", (*b).into())),
                    },
                    Source::Takeover(key) => KeySource::Takeover { key_id: KeyId(*key) },
                },
            }),
            Op::Crs { bits, import } => Operation::CrsGen(CrsGen {
                max_bits: *bits,
                source: import.map_or(CrsSource::Generate, |n| CrsSource::Import {
                    digest: digest("import", n.into()),
                }),
            }),
            Op::Public { key, ciphertexts, domain, extra } => Operation::PublicDecrypt(PublicDecrypt {
                key_id: KeyId(*key),
                ciphertexts: ciphertexts.iter().map(|ct| self.ciphertext(*key, ct)).collect(),
                domain: self.domain(*domain),
                extra_data: Binary::from(vec![7; *extra]),
            }),
            Op::User { .. } => self.user_decrypt(op),
            Op::Input { key, crs, number, size, user, app: contract, domain } => {
                Operation::VerifyInput(VerifyInput {
                    key_id: KeyId(*key),
                    crs_id: CrsId(*crs),
                    digest: digest("input", (*number).into()),
                    size: *size,
                    user: wallet(*user),
                    contract: app(*contract),
                    acl: EvmAddress::new([3; 20]),
                    chain_id: INPUT_CHAIN,
                    domain: self.domain(*domain),
                    extra_data: Binary::default(),
                })
            }
        }
    }

    fn user_decrypt(&self, op: &Op) -> Operation {
        let Op::User { key, ciphertexts, domain, user, signer, apps, from, days, good_key } = op else {
            panic!("a user decryption")
        };
        let mut enc_key = [HEADER.as_slice(), &[5; 800]].concat();
        if !good_key {
            enc_key[1] = 1;
        }
        let mut request = UserDecrypt {
            key_id: KeyId(*key),
            ciphertexts: ciphertexts.iter().map(|ct| self.ciphertext(*key, ct)).collect(),
            enc_key: enc_key.into(),
            user: wallet(*user),
            contracts: apps.iter().map(|number| app(*number)).collect(),
            valid_from: self.now.saturating_add_signed(*from),
            valid_days: *days,
            user_signature: Signature::new([0; 65]),
            domain: self.domain(*domain),
            extra_data: Binary::default(),
        };
        let domain = request.domain.clone().unwrap_or_else(|| self.birth_domain(*key));
        request.user_signature = sign(*signer, &user_request_hash(&domain, &request));
        Operation::UserDecrypt(request)
    }

    /// The domain in a key's record; of no key, the one that it would have.
    fn birth_domain(&self, key: u64) -> Eip712Domain {
        let record = self.keys.get(&key).map(|key| key.domain.clone());
        record.unwrap_or_else(|| world::default_domain(&self.config, key))
    }

    fn ciphertext(&self, key: u64, ct: &Ct) -> Ciphertext {
        let mut handle = [ct.number; 32];
        handle[30] = ct.fhe_type.number() ^ u8::from(!ct.good_handle);
        let mut ciphertext = Ciphertext {
            handle: Handle::new(handle),
            digest: digest("ciphertext", ct.number.into()),
            size: ct.size,
            fhe_type: ct.fhe_type,
            format: ct.format,
            index: ct.index,
            provenance: Provenance::Unproven,
        };
        ciphertext.provenance = match &ct.origin {
            Origin::Unproven => Provenance::Unproven,
            Origin::Verified { request, twisted } => {
                if let Some(Operation::VerifyInput(input)) = self.request(*request).map(Request::operation) {
                    (ciphertext.digest, ciphertext.size) = (input.digest, input.size + u64::from(*twisted));
                    ciphertext.handle = input_handle(*request, ct.index);
                    ciphertext.fhe_type = kms_asc_api::FheType::Uint8;
                }
                Provenance::Verified { request_id: RequestId(*request) }
            }
            Origin::Attested { user, app: contract, until, seeds, sorted, twisted } => {
                let valid_until = self.now.saturating_add_signed(*until);
                let attestation = Attestation {
                    chain_id: CHAIN_ID,
                    contract: &address(CONTRACT),
                    key_id: KeyId(key + u64::from(*twisted)),
                    ciphertext: &ciphertext,
                    user: wallet(*user),
                    app: app(*contract),
                    valid_until,
                };
                let hash = attestation.signing_hash();
                let mut seeds = seeds.clone();
                if *sorted {
                    seeds.sort_by_key(|seed| *wallet(*seed).as_bytes());
                }
                Provenance::Attested {
                    user: (*user != 0).then(|| wallet(*user)),
                    contract: Some(app(*contract)),
                    valid_until,
                    signatures: seeds.into_iter().map(|seed| sign(seed, &hash)).collect(),
                }
            }
        };
        ciphertext
    }

    /// The bytes that an item carries; a failure's are its index.
    pub fn payload(&self, id: u64, party: u32, said: Said) -> Vec<u8> {
        let number = match said {
            Said::Failure { index, .. } => return (index as u16).to_be_bytes().to_vec(),
            Said::Formless => return vec![4; 31],
            Said::Huge => return vec![0; usize::try_from(self.config.limits.payload).unwrap() + 1],
            Said::Answer(number) => Some(u64::from(number)),
            Said::Known => None,
        };
        let Some(request) = self.request(id) else { return vec![0; 32] };
        let named = |text: &str| match number {
            Some(number) => digest(&format!("{text} of {id}"), number),
            None => self.digests.keys().next().copied().unwrap_or_else(|| digest("unknown", 0)),
        };
        match request.operation() {
            Operation::KeyGen(op) => match (&op.source, number) {
                (KeySource::Import { digests }, Some(0)) => encode(digests),
                (KeySource::Takeover { key_id }, Some(0)) => {
                    encode(&self.keys.get(&key_id.get()).map(|key| key.digests.clone()).unwrap_or_default())
                }
                _ => encode(&parts(named("server"), named("public"))),
            },
            Operation::CrsGen(op) => match (&op.source, number) {
                (CrsSource::Import { digest }, Some(0)) => digest.as_bytes().to_vec(),
                _ => named("crs").as_bytes().to_vec(),
            },
            Operation::PublicDecrypt(op) => {
                let words: usize =
                    op.ciphertexts.iter().map(|c| usize::from(c.fhe_type.bits()).div_ceil(256)).sum();
                vec![u8::try_from(number.unwrap_or(200)).unwrap(); 32 * words]
            }
            Operation::UserDecrypt(op) => self.user_payload(request, op, party, number.unwrap_or(200)),
            Operation::VerifyInput(_) => match number {
                Some(number) => {
                    let count = u16::try_from(number).unwrap() + 1;
                    let handles = (0..count).map(|index| input_handle(id, index));
                    [vec![1], handles.flat_map(|handle| handle.as_bytes().to_vec()).collect()].concat()
                }
                None => vec![0],
            },
        }
    }

    /// FORMATS 2.4, written here anew.
    fn user_payload(&self, request: &Request, op: &UserDecrypt, party: u32, number: u64) -> Vec<u8> {
        let epoch = self.epoch(request.body.epoch.map_or(1, |epoch| epoch.get())).unwrap();
        let threshold = epoch.mode == EpochMode::Threshold;
        let signer = kms_asc_api::signing::public_key(
            world::signing_key(world::party_seed(epoch.id.get(), party)).verifying_key(),
        );
        let domain = op.domain.clone().unwrap_or_else(|| self.birth_domain(op.key_id.get()));
        let sized = |bytes: &[u8]| [&u64::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat();
        let mut out = sized(&sized(signer.as_bytes()));
        out.extend(sized(user_link(&domain, op).as_bytes()));
        out.extend(u64::try_from(op.ciphertexts.len()).unwrap().to_le_bytes());
        for ciphertext in &op.ciphertexts {
            let bits = usize::from(ciphertext.fhe_type.bits());
            let plain = if threshold { 8 + 64 * bits.div_ceil(2).div_ceil(4) } else { bits.div_ceil(8) };
            let body = vec![u8::try_from(number).unwrap(); plain + 8 + 4 + 8 + 32 + 64 + 32 + 16];
            let wire = [vec![1; 12], sized(&[2; 768]), sized(&body)].concat();
            out.extend(u32::from(ciphertext.fhe_type.number()).to_le_bytes());
            out.extend(sized(&wire));
            out.extend(sized(ciphertext.handle.as_bytes()));
            out.extend(1u32.to_le_bytes());
        }
        let (party_id, degree) = if threshold { (party, epoch.faulty) } else { (1, 0) };
        out.extend(party_id.to_le_bytes());
        out.extend(degree.to_le_bytes());
        out
    }

    /// What the external signature of an answer is over.
    pub fn external_hash(&self, id: u64, payload: &[u8]) -> Digest {
        let Some(request) = self.request(id) else { return digest("nothing", 0) };
        let own = |domain: &Option<Eip712Domain>, key: KeyId| {
            domain.clone().unwrap_or_else(|| self.birth_domain(key.get()))
        };
        match request.operation() {
            Operation::KeyGen(op) => {
                let (key, domain) = match &op.source {
                    KeySource::Takeover { key_id } => (*key_id, self.birth_domain(key_id.get())),
                    _ => (KeyId(id), world::default_domain(&self.config, id)),
                };
                let digest =
                    |from: usize| payload.get(from..from + 32).and_then(|d| Digest::try_from(d).ok());
                let zero = Digest::new([0; 32]);
                let parts = parts(digest(1).unwrap_or(zero), digest(34).unwrap_or(zero));
                key_gen_hash(&domain, key, &parts)
            }
            Operation::CrsGen(op) => {
                let domain = world::default_domain(&self.config, id);
                let digest = Digest::try_from(payload).unwrap_or(Digest::new([0; 32]));
                crs_gen_hash(&domain, CrsId(id), op.max_bits, &digest)
            }
            Operation::PublicDecrypt(op) => {
                let handles = op.ciphertexts.iter().map(|ciphertext| &ciphertext.handle);
                public_decrypt_hash(&own(&op.domain, op.key_id), handles, payload, &op.extra_data)
            }
            Operation::UserDecrypt(op) => user_decrypt_hash(&own(&op.domain, op.key_id), op, payload),
            Operation::VerifyInput(op) => {
                let handles: Vec<Handle> = payload
                    .get(1..)
                    .unwrap_or_default()
                    .chunks_exact(32)
                    .map(|h| h.try_into().unwrap())
                    .collect();
                verify_input_hash(&own(&op.domain, op.key_id), op, &handles)
            }
        }
    }
}

/// Handles of an input's elements: all of type `uint8`.
pub fn input_handle(request: u64, index: u16) -> Handle {
    let mut handle = [u8::try_from(request % 251).unwrap(); 32];
    handle[21] = index as u8;
    handle[22..30].copy_from_slice(&INPUT_CHAIN.to_be_bytes());
    (handle[30], handle[31]) = (2, 0);
    Handle::new(handle)
}

/// Whether an element of an input is one, by its form.
pub const fn is_compact(format: CiphertextFormat) -> bool {
    matches!(format, CiphertextFormat::Compact)
}
