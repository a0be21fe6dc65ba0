//! Ciphertexts of a request: judged by the body, matched with their bytes, decrypted.

use std::time::Instant;

use bytes::Bytes;
use kms_asc_api::{Ciphertext, CiphertextFormat, Digest, FailureCode, Provenance};
use kms_core_engine::{CiphertextError, Decryption, Element, Engine, FheType, Plaintext};

use super::Failure;
use crate::metrics::{Metrics, Stage};

/// Stored bytes and what is asked for of them.
pub(super) struct Blob {
    digest: Digest,
    size: u64,
    format: kms_core_engine::CiphertextFormat,
    wanted: Vec<Wanted>,
}

/// One ciphertext of the body.
struct Wanted {
    /// Its place in the body.
    position: usize,
    element: Element,
    /// What the caller sent for it.
    bytes: Bytes,
}

/// Judges each ciphertext by what the body says of it, and brings together those that are stored in the same bytes.
///
/// The fault of the first ciphertext that has one is found, whatever bytes were sent. `blobs` are as many as `ciphertexts`.
pub(super) fn plan(
    ciphertexts: &[Ciphertext],
    blobs: Vec<Bytes>,
    max_bytes: u64,
) -> Result<Vec<Blob>, Failure> {
    let mut plan: Vec<Blob> = Vec::new();
    for (position, (ciphertext, bytes)) in ciphertexts.iter().zip(blobs).enumerate() {
        let declared = judge(ciphertext, max_bytes).map_err(|code| Failure::at(code, position))?;
        let format = engine_format(ciphertext.format);
        let element = Element { index: ciphertext.index, declared };
        let wanted = Wanted { position, element, bytes };
        let (digest, size) = (ciphertext.digest, ciphertext.size);
        let same =
            plan.iter_mut().find(|blob| (blob.digest, blob.size, blob.format) == (digest, size, format));
        match same {
            Some(blob) => blob.wanted.push(wanted),
            None => plan.push(Blob { digest, size, format, wanted: vec![wanted] }),
        }
    }
    Ok(plan)
}

fn judge(ciphertext: &Ciphertext, max_bytes: u64) -> Result<FheType, FailureCode> {
    let declared = FheType::from_number(ciphertext.fhe_type.number()).ok_or(FailureCode::Unsupported)?;
    let verified = matches!(ciphertext.provenance, Provenance::Verified { .. });
    if ciphertext.handle.fhe_type_number() != declared.number() {
        return Err(FailureCode::WrongType);
    }
    if ciphertext.format == CiphertextFormat::Raw && ciphertext.index != 0 {
        return Err(FailureCode::CiphertextMalformed);
    }
    // An input is a proven list, and nothing else.
    if verified && ciphertext.format != CiphertextFormat::Compact {
        return Err(FailureCode::NotPermitted);
    }
    if ciphertext.size > max_bytes {
        return Err(FailureCode::TooLarge);
    }
    Ok(declared)
}

const fn engine_format(format: CiphertextFormat) -> kms_core_engine::CiphertextFormat {
    match format {
        CiphertextFormat::Raw => kms_core_engine::CiphertextFormat::Raw,
        CiphertextFormat::Compressed => kms_core_engine::CiphertextFormat::Compressed,
        CiphertextFormat::Compact => kms_core_engine::CiphertextFormat::Compact,
    }
}

/// The plaintexts, in the body's order, or the fault of the first ciphertext that has one. Bytes that several ciphertexts
/// name are hashed and read once.
pub(super) fn decrypt<E: Engine>(
    metrics: &Metrics,
    engine: &E,
    key: &E::Key,
    plan: &[Blob],
) -> Result<Vec<Plaintext>, Failure> {
    let mut found: Vec<(usize, Result<Plaintext, FailureCode>)> =
        plan.iter().flat_map(|blob| blob.decrypt(metrics, engine, key)).collect();
    found.sort_by_key(|(position, _)| *position);
    let in_order = found.into_iter();
    in_order.map(|(position, result)| result.map_err(|code| Failure::at(code, position))).collect()
}

impl Blob {
    /// What comes of each wanted element, by its position in the body.
    fn decrypt<E: Engine>(
        &self,
        metrics: &Metrics,
        engine: &E,
        key: &E::Key,
    ) -> Vec<(usize, Result<Plaintext, FailureCode>)> {
        let (stored, others) = metrics.time(Stage::Hash, || self.matching());
        let mismatch = |wanted: &&Wanted| (wanted.position, Err(FailureCode::CiphertextMismatch));
        let mut found: Vec<_> = others.iter().map(mismatch).collect();
        let Some(first) = stored.first() else { return found };
        let elements: Vec<_> = stored.iter().map(|wanted| wanted.element).collect();
        let started = Instant::now();
        let Decryption { results, reading } = engine.decrypt(key, &first.bytes, self.format, &elements);
        metrics.took(Stage::Deserialize, reading);
        metrics.took(Stage::Decrypt, started.elapsed().saturating_sub(reading));
        let mut results = results.into_iter();
        found.extend(stored.iter().map(|wanted| {
            let result = results.next().unwrap_or(Err(CiphertextError::LibraryFailure));
            (wanted.position, result.map_err(|error| failure_code(&error)))
        }));
        found
    }

    /// Those whose bytes are the ones that the body names, and those whose are not. Equal bytes are hashed once.
    fn matching(&self) -> (Vec<&Wanted>, Vec<&Wanted>) {
        let fits = |bytes: &Bytes| is_stored(bytes, &self.digest, self.size);
        match self.wanted.iter().find(|wanted| fits(&wanted.bytes)) {
            Some(good) => self.wanted.iter().partition(|wanted| wanted.bytes == good.bytes),
            None => (Vec::new(), self.wanted.iter().collect()),
        }
    }
}

/// Whether bytes are those that a digest and a size stand for.
pub(super) fn is_stored(bytes: &[u8], digest: &Digest, size: u64) -> bool {
    u64::try_from(bytes.len()) == Ok(size) && Digest::sha256(bytes) == *digest
}

fn failure_code(error: &CiphertextError) -> FailureCode {
    match error {
        CiphertextError::TooLarge { .. } => FailureCode::TooLarge,
        CiphertextError::WrongType { .. } => FailureCode::WrongType,
        _ => FailureCode::CiphertextMalformed,
    }
}

#[cfg(test)]
mod tests {
    use kms_asc_api::{Handle, RequestId};
    use kms_core_engine::{CentralizedEngine, ParameterSet};

    use super::*;
    use crate::metrics::Levels;

    fn ciphertext(bytes: &[u8], format: CiphertextFormat, index: u16) -> Ciphertext {
        let mut handle = [0; 32];
        handle[30] = kms_asc_api::FheType::Uint8.number();
        Ciphertext {
            handle: Handle::new(handle),
            digest: Digest::sha256(bytes),
            size: bytes.len().try_into().unwrap(),
            fhe_type: kms_asc_api::FheType::Uint8,
            format,
            index,
            provenance: Provenance::Unproven,
        }
    }

    fn fault(ciphertext: Ciphertext) -> FailureCode {
        let good = super::tests::ciphertext(b"one", CiphertextFormat::Raw, 0);
        let failure = plan(&[good, ciphertext], vec![Bytes::new(); 2], 100).err().unwrap();
        assert_eq!(failure.index, Some(1));
        failure.code
    }

    #[test]
    fn elements_of_one_blob_are_read_together() {
        let list = |index| ciphertext(b"list", CiphertextFormat::Compressed, index);
        let asked = [list(3), ciphertext(b"one", CiphertextFormat::Raw, 0), list(0)];
        let plan = plan(&asked, vec![Bytes::new(); 3], 100).unwrap();
        let positions: Vec<Vec<_>> =
            plan.iter().map(|blob| blob.wanted.iter().map(|wanted| wanted.position).collect()).collect();
        assert_eq!(positions, [vec![0, 2], vec![1]]);
    }

    #[test]
    fn the_same_bytes_in_two_forms_are_two_blobs() {
        let asked = [CiphertextFormat::Compressed, CiphertextFormat::Compact].map(|f| ciphertext(b"x", f, 0));
        assert_eq!(plan(&asked, vec![Bytes::new(); 2], 100).unwrap().len(), 2);
    }

    #[test]
    fn reading_and_decrypting_are_recorded_apart() {
        let material = CentralizedEngine.generate(ParameterSet::Test, 7).unwrap();
        let key = CentralizedEngine.load(ParameterSet::Test, &material.secret).unwrap();
        let asked = [ciphertext(b"one", CiphertextFormat::Raw, 0)];
        let plan = plan(&asked, vec![Bytes::from_static(b"one")], 100).unwrap();
        let metrics = Metrics::default();
        let failure = decrypt(&metrics, &CentralizedEngine, &key, &plan).unwrap_err();
        assert_eq!(failure.code, FailureCode::CiphertextMalformed);
        let text = metrics.text(Levels::default()).unwrap();
        for stage in ["hash", "deserialize", "decrypt"] {
            let line = format!("kms_core_stage_seconds_count{{stage=\"{stage}\"}} 1");
            assert!(text.contains(&line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn what_the_body_says_wrongly_is_found_without_the_bytes() {
        let raw = || ciphertext(b"two", CiphertextFormat::Raw, 0);
        let of_other_type = Ciphertext { fhe_type: kms_asc_api::FheType::Uint16, ..raw() };
        assert_eq!(fault(of_other_type), FailureCode::WrongType);
        assert_eq!(fault(Ciphertext { index: 1, ..raw() }), FailureCode::CiphertextMalformed);
        assert_eq!(fault(Ciphertext { size: 101, ..raw() }), FailureCode::TooLarge);
        let verified = Provenance::Verified { request_id: RequestId(1) };
        assert_eq!(fault(Ciphertext { provenance: verified, ..raw() }), FailureCode::NotPermitted);
    }

    #[test]
    fn bytes_that_are_not_the_named_ones_are_told_apart_from_those_that_are() {
        let asked = [0, 1, 2].map(|index| ciphertext(b"list", CiphertextFormat::Compressed, index));
        let sent = [&b"lisp"[..], b"list", b"list"].map(Bytes::from_static).to_vec();
        let plan = plan(&asked, sent, 100).unwrap();
        let [blob] = plan.as_slice() else { panic!("{} blobs", plan.len()) };
        let positions = |wanted: &[&Wanted]| wanted.iter().map(|one| one.position).collect::<Vec<_>>();
        let (good, bad) = blob.matching();
        assert_eq!((positions(&good), positions(&bad)), (vec![1, 2], vec![0]));
    }
}
