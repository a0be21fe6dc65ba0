//! A request for people.

use kms_asc_api::State;

use crate::{
    output::{Report, clock, counted, fields, table},
    report::{InputReport, Moment, RequestReport, RequestSummary},
};

impl Report for RequestReport {
    fn text(&self) -> String {
        let mut rows = vec![
            ("request", self.id.to_string()),
            ("state", self.state_text()),
            ("operation", self.operation_text()),
            ("requester", self.requester.clone()),
            ("price", self.money(&self.price)),
            ("submitted", moment(&self.submitted)),
        ];
        if let Some(deadline) = self.deadline {
            rows.push(("deadline", clock(deadline)));
        }
        if let Some(ended) = &self.settlement.ended {
            rows.push(("finished", moment(ended)));
        }
        if !self.responses.is_empty() {
            rows.push(("answers", self.answers_text()));
        }
        if !self.values.is_empty() {
            let values = self.values.iter().map(|value| format!("{} ({})", value.value, value.fhe_type));
            rows.push(("values", values.collect::<Vec<_>>().join("\n")));
        }
        if let Some(input) = &self.settlement.input {
            rows.push(("input", input.text()));
        }
        if self.settlement.refund.is_some() {
            rows.push(("paid", self.money_text()));
        }
        fields(rows)
    }
}

impl InputReport {
    /// A line for each element: its type and handle, and below them its REF.
    fn text(&self) -> String {
        if !self.valid {
            return "not valid: no input".to_owned();
        }
        let line = |element: &crate::report::InputElement| {
            format!("{} {}\n  {}", element.fhe_type, element.handle, element.reference)
        };
        self.elements.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl RequestReport {
    fn money(&self, amount: &str) -> String {
        format!("{amount}{}", self.settlement.denom)
    }

    fn state_text(&self) -> String {
        let mut text = self.state.to_string();
        if let Some(reason) = &self.settlement.reason {
            text = format!("{text}: {reason}");
        }
        if self.settlement.due {
            text = format!("{text}, not closed yet: `kms request close {}` refunds the price", self.id);
        }
        text
    }

    fn operation_text(&self) -> String {
        match (self.settlement.key_id, self.operation.as_str()) {
            (Some(key), "key_gen") => format!("key_gen of key {key}"),
            (Some(key), operation) => format!("{operation} under key {key}"),
            (None, operation) => operation.to_owned(),
        }
    }

    fn answers_text(&self) -> String {
        let line = |response: &crate::report::ResponseReport| {
            let at = self.settlement.answers.iter().find(|answer| answer.party == response.party);
            let verdict = if response.verified { "signatures valid" } else { "SIGNATURES NOT VALID" };
            let late = if at.is_some_and(|at| at.late) { ", late" } else { "" };
            let place = at.map(|at| format!(", {}", place(&at.at))).unwrap_or_default();
            format!("party {}: {}{late}, {verdict}{place}", response.party, response.outcome)
        };
        self.responses.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn money_text(&self) -> String {
        let settlement = &self.settlement;
        let mut lines = Vec::new();
        for credit in &settlement.credits {
            let name = credit.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            lines.push(format!(
                "{} to party {}{name}, credit of {}",
                self.money(&credit.amount),
                credit.party,
                credit.address
            ));
        }
        if let Some(treasury) = settlement.treasury.as_deref().filter(|amount| *amount != "0") {
            lines.push(format!("{} to the treasury", self.money(treasury)));
        }
        if settlement.refund.as_deref().is_some_and(|amount| amount != "0") {
            lines.push(format!("{} back to the requester", self.refund()));
        }
        if let Some(amount) = &settlement.refund_credited {
            lines.push(format!("{} of it became credit: the bank refused the refund", self.money(amount)));
        }
        lines.join("\n")
    }

    /// One line on how it ended, for stderr beside the bare result.
    pub fn story(&self) -> String {
        let verified = self.responses.iter().filter(|response| response.verified).count();
        let verdict = format!("{verified} of {} verified", counted(self.responses.len(), "answer"));
        let took = self.finished.map_or(0, |finished| finished.saturating_sub(self.submitted.time));
        match self.state {
            State::Fulfilled => format!(
                "request {} fulfilled in block {} after {took} s, {verdict}, {} paid",
                self.id,
                self.settlement.ended.map_or(0, |ended| ended.height),
                self.money(&self.price),
            ),
            _ => format!("request {} {}", self.id, self.state_text()),
        }
    }
}

/// `block 120, tx ABC`.
fn place(at: &Moment) -> String {
    match at.tx {
        Some(tx) => format!("block {}, tx {tx}", at.height),
        None => format!("block {}", at.height),
    }
}

fn moment(at: &Moment) -> String {
    format!("{}, {}", clock(at.time), place(at))
}

/// Requests below each other.
pub fn summaries(requests: &[RequestSummary], denom: &str) -> String {
    let row = |request: &RequestSummary| {
        [
            request.id.to_string(),
            request.state.to_string(),
            request.operation.clone(),
            format!("{}{denom}", request.price),
            clock(request.submitted.time),
            request.requester.clone(),
        ]
    };
    let rows: Vec<_> = requests.iter().map(row).collect();
    table(["ID", "STATE", "OPERATION", "PRICE", "SUBMITTED", "REQUESTER"], &rows)
}
