//! An example: a sealed-bid auction.
//!
//! Bids are encrypted under a key of the KMS. When bidding has ended, the contract asks the ASC to decrypt them, pays
//! for it, and is called back with each plaintext. The highest bid wins.
//!
//! What it shows:
//!
//! * asking for the price, paying it, learning the request's id from the reply (`asc`);
//! * being called back, and by whom one lets oneself be called (`contract`, `opening`);
//! * every other end: a bid that cannot be decrypted is void, what the KMS could not do is asked for again, and if it
//!   never comes the auction is called off and every deposit goes back (`opening`, `auction`);
//! * reading the result from the ASC if the callback itself failed (`opening::fetch`).
//!
//! Each bid is a request of its own, because all ciphertexts of a request are answered, or none: so a bidder who sends
//! rubbish spoils his own bid and no other.
//!
//! Who could open bids early? Whoever may decrypt under the key: let the contract have a key of its own (`make_key`).
//! With somebody else's key it needs a grant of that key's owner, or ciphertexts that are proven inputs made for this
//! contract, and bidders trust that owner. A copied ciphertext is refused as a second bid only if its bytes are the
//! same: where that is not enough, take proven inputs, which name the user who made them.

mod asc;
mod auction;
pub mod contract;
mod error;
pub mod msg;
mod opening;
mod state;

pub use error::AuctionError;
