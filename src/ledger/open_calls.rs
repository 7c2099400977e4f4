//! The running calls of this process. Each has a ticket, and the ledger's number of the call stands behind it: a ledger
//! that replaces a lost one gives the same numbers to other calls.

use super::call::{NewCall, Receipt, SettledCall, Settlement};
use super::ids::CallId;
use crate::catalog::NanoDollars;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    last_ticket: i64,
    calls: HashMap<CallId, OpenCall>,
}

#[derive(Debug)]
struct OpenCall {
    /// Its number; `None` when the ledger that gave it is lost.
    id: Option<CallId>,
    /// What it is booked under, where that tells it from a call of the same number in a ledger that was set back.
    process: Option<Arc<str>>,
    call: NewCall,
    reserved: NanoDollars,
    receipt: Receipt,
}

impl OpenCalls {
    /// Adds a call that is booked under a number, and gives its ticket.
    pub(super) fn add(&mut self, id: CallId, process: Option<&str>, call: NewCall, reserved: NanoDollars) -> CallId {
        self.last_ticket += 1;
        let ticket = CallId(self.last_ticket);
        let process = process.map(Into::into);
        self.calls.insert(ticket, OpenCall { id: Some(id), process, call, reserved, receipt: Receipt::new() });
        ticket
    }

    /// Notes that another ledger takes the place of the one that these calls are booked in. Each is booked in the new
    /// one together with its end.
    pub(super) fn lose_numbers(&mut self) {
        self.calls.values_mut().for_each(|open| open.id = None);
    }

    /// The settlement as the store needs it: with the number of the call in place of its ticket.
    pub(super) fn locate(&self, settlement: &Settlement) -> Settlement {
        // What is not of this process has no ticket.
        let SettledCall::Booked(ticket) = &settlement.call else { return settlement.clone() };
        let call = match self.calls.get(ticket) {
            Some(OpenCall { id: Some(id), process: Some(process), .. }) => {
                SettledCall::BookedBy { process: process.to_string(), id: *id }
            }
            Some(OpenCall { id: Some(id), process: None, .. }) => SettledCall::Booked(*id),
            Some(OpenCall { id: None, process: _, call, reserved, receipt }) => {
                SettledCall::Unwritten { call: call.clone(), reserved: *reserved, receipt: *receipt }
            }
            // A call ends once, so this cannot happen. No store knows a call of this number.
            None => SettledCall::Booked(CallId(0)),
        };
        Settlement { call, ..settlement.clone() }
    }

    /// Forgets calls whose end is written.
    pub(super) fn remove(&mut self, settlements: &[Settlement]) {
        for settlement in settlements {
            if let SettledCall::Booked(ticket) = &settlement.call {
                self.calls.remove(ticket);
            }
        }
    }
}
