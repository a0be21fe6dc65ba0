//! Section `[trust]`: what a proof is judged by.

use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

use kms_asc_api::Digest;
use serde::Deserialize;

use super::epochs::HexDigest;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustConfig {
    header: Anchor,
    allowed_code: Vec<HexDigest>,
    #[serde(default = "two_weeks")]
    trusting_period: Span,
    #[serde(default = "ten_seconds")]
    clock_drift: Span,
    #[serde(default = "half_a_minute")]
    max_header_age: Span,
    #[serde(default = "two_seconds")]
    end_margin: Span,
}

const fn two_weeks() -> Span {
    Span(Duration::from_secs(14 * 24 * 3600))
}

const fn ten_seconds() -> Span {
    Span(Duration::from_secs(10))
}

const fn half_a_minute() -> Span {
    Span(Duration::from_secs(30))
}

const fn two_seconds() -> Span {
    Span(Duration::from_secs(2))
}

/// A length of time such as "30s".
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        humantime::parse_duration(&text)
            .map(Self)
            .map_err(|_| format!("{text:?} is not a length of time, such as \"30s\" or \"14days\""))
    }
}

/// A header that a person vouches for, written `HEIGHT:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Anchor {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: Digest,
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not HEIGHT:HASH, such as \"1200:\" and 64 hexadecimal digits");
        let (height, hash) = text.split_once(':').ok_or_else(wrong)?;
        let height = height.parse().ok().filter(|height| *height > 0).ok_or_else(wrong)?;
        Ok(Self { height, hash: hash.parse().map_err(|_| wrong())? })
    }
}

impl TryFrom<String> for Anchor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.height, hex::encode(self.hash.as_bytes()))
    }
}

/// What a proof is judged by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The header that a core begins with that has verified none yet.
    pub header: Anchor,
    /// How long a header's validators are trusted after its time.
    pub trusting_period: Duration,
    /// How far a header's time may lie in the future of this machine's clock.
    pub clock_drift: Duration,
    /// How far it may lie in the past when work is asked for.
    pub max_header_age: Duration,
    /// How long before a request's end work on it is no longer begun.
    pub end_margin: Duration,
    /// SHA-256 of each code that the contract may run and may have run.
    pub allowed_code: BTreeSet<Digest>,
}

impl From<&TrustConfig> for Trust {
    fn from(trust: &TrustConfig) -> Self {
        Self {
            header: trust.header,
            trusting_period: trust.trusting_period.0,
            clock_drift: trust.clock_drift.0,
            max_header_age: trust.max_header_age.0,
            end_margin: trust.end_margin.0,
            allowed_code: trust.allowed_code.iter().map(|code| code.0).collect(),
        }
    }
}
