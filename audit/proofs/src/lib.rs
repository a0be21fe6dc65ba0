//! Light client and state proofs: what shows that a request is recorded.
