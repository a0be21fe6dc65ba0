//! From a trusted header to a newer one.

use std::time::Duration;

use tendermint_light_client_verifier::{
    ProdVerifier, Verdict, Verifier as _,
    errors::VerificationErrorDetail,
    options::Options,
    types::{Height, TrustThreshold, TrustedBlockState, UntrustedBlockState},
};

use crate::{
    HeaderError, LightBlock, Time, VerifiedHeader,
    block::{Decoded, MAX_PART_BYTES, signed_header},
    error::brief,
};

/// Largest light block, in bytes.
pub const MAX_LIGHT_BLOCK_BYTES: usize = 3 * MAX_PART_BYTES;

/// What headers are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustOptions {
    /// The chain's name.
    pub chain_id: String,
    /// How long a header's validators are trusted after its time: shorter than the chain's unbonding period.
    pub trusting_period: Duration,
    /// How far a header's time may lie ahead of `now`.
    pub clock_drift: Duration,
}

/// Height and hash that a light block claims to have, with nothing verified. The hash is that of its header's bytes.
///
/// # Errors
/// If it does not decode.
pub fn header_id(block: &LightBlock) -> Result<(u64, [u8; 32]), HeaderError> {
    let header = signed_header(&block.signed_header)?.header;
    let hash = header.hash().as_bytes().try_into();
    let hash = hash.map_err(|_| malformed("the hash is empty".to_owned()))?;
    Ok((header.height.value(), hash))
}

/// Verifies a light block from a trusted header, adjacent or skipping: it is of the chain, above the trusted header, not from
/// the future, names the validator sets that it comes with, and is signed by more than two thirds of its validators and,
/// unless it is the next one, by more than a third of those that the trusted header trusts.
///
/// # Errors
/// As [`HeaderError`] says.
pub fn verify_header(
    trusted: &VerifiedHeader,
    candidate: &LightBlock,
    options: &TrustOptions,
    now: Time,
) -> Result<VerifiedHeader, HeaderError> {
    check_period(trusted, options, now)?;
    let decoded = Decoded::of(candidate, &options.chain_id)?;
    let height = decoded.height();
    if height <= trusted.height {
        return Err(HeaderError::NotAbove { given: height, trusted: trusted.height });
    }
    let chain_id = decoded.signed_header.header.chain_id.clone();
    let trusted_state = TrustedBlockState {
        chain_id: &chain_id,
        header_time: trusted.time.to_tendermint().map_err(malformed)?,
        height: Height::try_from(trusted.height).map_err(|error| malformed(error.to_string()))?,
        next_validators: &trusted.next_validators,
        next_validators_hash: tendermint::Hash::Sha256(trusted.next_validators_hash),
    };
    let verdict = ProdVerifier::default().verify_update_header(
        untrusted(&decoded),
        trusted_state,
        &of_options(options),
        now.to_tendermint().map_err(malformed)?,
    );
    judge(verdict, &decoded, trusted, now)?;
    VerifiedHeader::of(decoded).map_err(|reason| HeaderError::Invalid { height, reason })
}

/// Takes a light block for trusted because a person named its height and hash. It must be signed by more than two thirds of
/// its validators all the same, and not be older than the trusting period.
///
/// # Errors
/// As [`HeaderError`] says; [`HeaderError::NotTheAnchor`] if it is another one.
pub fn anchor(
    candidate: &LightBlock,
    height: u64,
    hash: [u8; 32],
    options: &TrustOptions,
    now: Time,
) -> Result<VerifiedHeader, HeaderError> {
    let decoded = Decoded::of(candidate, &options.chain_id)?;
    let (given_height, given) = header_id(candidate)?;
    if (given_height, given) != (height, hash) {
        return Err(HeaderError::NotTheAnchor {
            given_height,
            given: hex::encode(given),
            height,
            hash: hex::encode(hash),
        });
    }
    let invalid = |reason: String| HeaderError::Invalid { height, reason };
    let verifier = ProdVerifier::default();
    for verdict in
        [verifier.verify_validator_sets(&untrusted(&decoded)), verifier.verify_commit(&untrusted(&decoded))]
    {
        match verdict {
            Verdict::Success => {}
            Verdict::NotEnoughTrust(tally) => return Err(invalid(tally.to_string())),
            Verdict::Invalid(detail) => return Err(invalid(told(&detail))),
        }
    }
    let anchored = VerifiedHeader::of(decoded).map_err(invalid)?;
    check_period(&anchored, options, now)?;
    match anchored.time.since_epoch() < now.since_epoch().saturating_add(options.clock_drift) {
        true => Ok(anchored),
        false => Err(HeaderError::FromTheFuture { given: anchored.time, now }),
    }
}

fn check_period(trusted: &VerifiedHeader, options: &TrustOptions, now: Time) -> Result<(), HeaderError> {
    let expired = Time::of(trusted.time.since_epoch().saturating_add(options.trusting_period));
    match now < expired {
        true => Ok(()),
        false => Err(HeaderError::TrustExpired { height: trusted.height, expired, now }),
    }
}

fn untrusted(decoded: &Decoded) -> UntrustedBlockState<'_> {
    UntrustedBlockState {
        signed_header: &decoded.signed_header,
        validators: &decoded.validators,
        next_validators: Some(&decoded.next_validators),
    }
}

const fn of_options(options: &TrustOptions) -> Options {
    Options {
        trust_threshold: TrustThreshold::ONE_THIRD,
        trusting_period: options.trusting_period,
        clock_drift: options.clock_drift,
    }
}

fn judge(
    verdict: Verdict,
    decoded: &Decoded,
    trusted: &VerifiedHeader,
    now: Time,
) -> Result<(), HeaderError> {
    let height = decoded.height();
    match verdict {
        Verdict::Success => Ok(()),
        Verdict::NotEnoughTrust(_) => Err(HeaderError::NotEnoughTrust { height, trusted: trusted.height }),
        Verdict::Invalid(VerificationErrorDetail::HeaderFromTheFuture(_)) => {
            let given = Time::of_tendermint(decoded.signed_header.header.time).map_err(malformed)?;
            Err(HeaderError::FromTheFuture { given, now })
        }
        Verdict::Invalid(detail) => Err(HeaderError::Invalid { height, reason: told(&detail) }),
    }
}

/// The verifier's text, less the bytes of keys and signatures that some of its texts are full of.
fn told(detail: &VerificationErrorDetail) -> String {
    match detail {
        VerificationErrorDetail::InvalidSignature(_) => "a signature is not that of its validator".to_owned(),
        detail => brief(detail),
    }
}

fn malformed(reason: String) -> HeaderError {
    HeaderError::Malformed { part: "header", reason }
}
