//! What messages do, one file per family.

mod cancel;
mod close;
mod epoch;
mod form;
mod governance;
mod grant;
mod intake;
mod key;
mod migration;
mod submit_request;
mod treasury;
mod withdraw;

pub use cancel::cancel;
pub use close::close;
pub use epoch::{revoke_epoch, set_epoch};
pub use governance::{accept_admin, pause, propose_admin, register_domain, unpause, update_config};
pub use grant::{grant, revoke};
pub use intake::{submit_failures, submit_responses};
pub use key::{accept_key, offer_key, set_attesters, set_crs, set_key_state};
pub use migration::{migrate_now, schedule_migration};
pub use submit_request::{submit_request, submit_requests};
pub use treasury::{sweep_surplus, withdraw_treasury};
pub use withdraw::withdraw;
