//! Scenarios on a real chain with the real binaries, on a few stacks that they share.
//!
//! Without what they need they are skipped, loudly; with `KMS_REQUIRE_SYSTEM_TESTS` set, as `make test` sets
//! it, that is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod callback;
mod command_line;
mod configuration;
mod copies;
mod crash;
mod decryption;
mod demo;
mod forged;
mod forged_code;
mod forger;
mod governance;
mod operations;
mod outage;
mod pool;
mod record;
mod user_decrypt;
mod web_client;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use kms_e2e::{REQUIRE_VARIABLE, World, missing, missing_for_public_client, missing_for_web_client};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Handle, Runtime};

use pool::Pool;

/// How the names of the scenarios begin that need the TypeScript client.
const WEB_CLIENT: &str = "system::web_client::";
/// And of those that need the public client of user decryptions.
const PUBLIC_CLIENT: &str = "system::user_decrypt::the_public_npm_client_";

/// A scenario: what it shows, and how.
type Scenario = (String, Box<dyn Fn(&Handle, &mut World) -> Result<()> + Send>);

/// Names a scenario by its function.
macro_rules! scenarios {
    ($($module:ident: $($name:ident),* $(,)?;)*) => {
        vec![$($(named(
            concat!("system::", stringify!($module), "::", stringify!($name)),
            |runtime, world| runtime.block_on($module::$name(world)),
        )),*),*]
    };
}

fn named(
    name: impl Into<String>,
    run: impl Fn(&Handle, &mut World) -> Result<()> + Send + 'static,
) -> Scenario {
    (name.into(), Box::new(run))
}

fn scenarios() -> Vec<Scenario> {
    let mut all = scenarios![
        decryption:
            a_value_of_each_type_comes_back_as_it_was_encrypted,
            several_values_of_one_request_are_answered_together,
            fifty_requests_in_one_transaction_are_all_answered,
            refs_of_one_call_can_be_requests_of_their_own,
            the_operator_earns_its_share_once_and_withdraws_it;
        record:
            the_log_that_a_client_reads_leads_to_the_head_in_state,
            a_strangers_request_is_denied_and_the_denial_is_on_record,
            a_stored_body_hashes_to_what_receipts_sign,
            what_a_core_is_told_to_trust_is_what_the_command_line_shows;
        bad_input:
            too_little_money_is_refused_and_nothing_changes,
            a_key_or_request_that_does_not_exist_is_not_found,
            a_missing_ciphertext_fails_the_request_and_the_price_comes_back,
            a_truncated_ciphertext_is_a_mismatch,
            damaged_bytes_are_a_mismatch,
            a_ciphertext_of_another_type_is_refused_by_the_core,
            a_ciphertext_of_another_key_is_refused_by_the_core,
            items_without_a_valid_receipt_change_nothing,
            messages_of_the_admin_are_nobody_elses;
        operations:
            a_key_with_test_parameters_is_marked_and_works,
            values_of_several_types_come_back_from_one_compressed_list,
            a_reference_string_is_made_and_what_is_fetched_has_its_digest,
            a_verified_input_is_decrypted_by_its_application_and_by_no_stranger,
            an_input_under_another_binding_is_answered_to_be_none,
            an_input_whose_list_is_missing_fails_and_the_price_comes_back,
            the_attack_that_finds_the_key_is_denied_to_everybody_but_its_owner,
            a_destroyed_key_is_attested_to_be_gone_and_decrypts_nothing_any_more;
        callback:
            an_auction_of_sealed_bids_is_opened_by_callbacks_and_has_the_right_winner,
            a_hostile_callback_changes_nothing_but_the_log;
        command_line:
            a_keys_owner_does_everything_by_the_command_line,
            material_from_elsewhere_and_reference_strings_are_put_on_record,
            a_pending_request_is_explained_and_taken_back,
            an_operators_record_is_read_from_the_log,
            the_admin_governs_by_the_command_line,
            inputs_and_decryptions_for_users_are_answered_and_verify;
        governance:
            the_contract_takes_over_itself_with_requests_pending_and_nobody_else_can_do_it,
            requests_of_a_revoked_epoch_are_closed_at_once_and_given_back;
        forged:
            a_stolen_connector_has_nothing_decrypted_that_is_not_recorded,
            a_finished_request_is_refused,
            a_proof_that_was_good_is_refused_when_its_header_is_old,
            another_contract_with_the_same_state_is_refused,
            a_key_that_is_suspended_or_destroyed_is_not_used;
        forged_code:
            the_same_request_on_another_chain_is_refused_whatever_that_chain_calls_itself,
            code_that_was_migrated_is_refused_also_after_it_was_migrated_back,
            a_contract_whose_code_somebody_else_may_change_is_refused,
            a_replaced_record_of_an_epoch_is_refused_and_so_is_a_revoked_epoch;
        copies:
            a_key_and_a_string_that_another_core_made_are_imported_and_work,
            a_key_is_taken_over_by_the_next_epoch_and_works_there;
        configuration:
            an_unknown_field_stops_every_program_and_is_named,
            the_shipped_connector_has_no_failpoints,
            a_file_that_the_connectors_configuration_names_and_that_is_not_there_is_found_by_check;
        outage:
            a_request_made_while_the_core_is_away_is_answered_when_it_is_back,
            a_request_is_closed_and_refunded_with_every_operator_stopped,
            a_pending_request_survives_a_restart_of_everything,
            a_chain_that_died_under_its_operators_is_started_again_and_serves;
        user_decrypt:
            the_public_npm_client_accepts_raw_values_of_every_type_and_no_forgery,
            the_public_npm_client_accepts_values_from_compressed_lists,
            a_value_of_any_width_is_shown_to_its_user_and_to_nobody_else,
            a_stranger_gets_no_unproven_value_encrypted_to_himself;
        web_client:
            a_web_client_makes_a_key_has_values_decrypted_and_gets_its_excess_back,
            a_web_client_hears_why_its_request_was_denied,
            an_operator_withdraws_its_credit_with_the_web_client;
        demo:
            the_deployed_code_is_pinned_by_the_chains_governance,
            the_demo_ends_well_and_leaves_nothing_running,
            an_interrupted_demo_leaves_nothing_running,
            a_second_stack_stays_until_it_is_taken_down_and_is_found_again,
            no_name_of_a_stack_leads_out_of_the_folder_of_stacks;
    ];
    all.extend(kms_connector::failpoint::ALL.into_iter().map(|point| -> Scenario {
        let run = move |runtime: &Handle, world: &mut World| runtime.block_on(crash::killed_at(world, point));
        (
            format!("system::crash::a_connector_killed_at_{point}_loses_nothing_and_is_paid_once"),
            Box::new(run),
        )
    }));
    all
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each has a stack of its own while it runs. Scenarios wait more than they work, so two of them fill two cores.
    arguments.test_threads.get_or_insert(2);
    let missing = missing();
    if !missing.is_empty() {
        return without_prerequisites(arguments, &missing);
    }
    let skipped = without_clients();
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pool = Arc::new(Pool::new(folder.path()));
    let trials = scenarios()
        .into_iter()
        .map(|(name, run)| {
            let skipped = skipped.iter().any(|begin| name.starts_with(begin));
            let (handle, pool) = (runtime.handle().clone(), pool.clone());
            let trial = Trial::test(name, move || {
                let played = handle.block_on(pool.take()).and_then(|mut world| run(&handle, &mut world));
                played.map_err(|error| Failed::from(format!("{error:?}")))
            });
            trial.with_ignored_flag(skipped)
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(pool.stop()).unwrap();
    if conclusion.has_failed() {
        eprintln!("logs of the failed run are kept in {}", folder.keep().display());
    }
    conclusion.exit_code()
}

/// How the names of the scenarios begin that are skipped for want of a client. Where nothing may be skipped they run, and
/// fail.
fn without_clients() -> Vec<&'static str> {
    let clients = [(WEB_CLIENT, missing_for_web_client()), (PUBLIC_CLIENT, missing_for_public_client())];
    let missing = clients.into_iter().filter(|(_, missing)| !missing.is_empty());
    let told = missing.inspect(|(begin, missing)| {
        missing.iter().for_each(|part| eprintln!("==== not run: {begin}...: {part} ===="));
    });
    let skipped: Vec<_> = told.map(|(begin, _)| begin).collect();
    if std::env::var_os(REQUIRE_VARIABLE).is_some() { Vec::new() } else { skipped }
}

fn without_prerequisites(arguments: Arguments, missing: &[String]) -> ExitCode {
    let required = std::env::var_os(REQUIRE_VARIABLE).is_some();
    let verdict = if required { "FAILED" } else { "SKIPPED" };
    eprintln!("\n==== system tests {verdict}: these parts are missing (`make test` builds them) ====");
    missing.iter().for_each(|part| eprintln!("  {part}"));
    eprintln!("==== not run:");
    scenarios().iter().for_each(|(name, _)| eprintln!("  {name}"));
    eprintln!("====\n");
    let trials = scenarios().into_iter().map(|(name, _)| {
        let fail = move || Err(Failed::from("prerequisites are missing"));
        Trial::test(name, fail).with_ignored_flag(!required)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
