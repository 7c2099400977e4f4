//! Tells the telemetry what happens to one call, from sending it to the end of its answer.

use crate::catalog::NanoDollars;
use crate::conversation::Usage;
use crate::error::{Error, Kind};
use crate::telemetry::{RequestScope, Telemetry};
use std::time::Instant;

/// A call that is being watched. Its end is counted when this is dropped.
#[derive(Debug)]
pub(super) struct CallWatch {
    telemetry: Telemetry,
    /// `None` for a call that no request of `serve` has asked for. Only the others are logged and counted.
    request: Option<RequestScope>,
    began: Instant,
    failure: Option<Kind>,
}

impl CallWatch {
    /// Begins when the call is about to be sent.
    pub(super) fn start(telemetry: Telemetry, request: Option<RequestScope>) -> Self {
        if let Some(request) = &request {
            request.sending();
        }
        Self { telemetry, request, began: Instant::now(), failure: None }
    }

    /// Bedrock has accepted the call. `model` is the Bedrock id that answers.
    pub(super) fn accepted(&self, model: &str, bedrock_request_id: Option<&str>, is_streamed: bool) {
        if let Some(request) = &self.request {
            request.accepted(model, bedrock_request_id, is_streamed);
        }
    }

    pub(super) fn first_event(&self) {
        if let Some(request) = &self.request {
            request.first_event();
        }
    }

    /// The usage has come. `left`: what is left of the budget with the least left.
    pub(super) fn settled(&self, usage: Usage, cost: Option<NanoDollars>, left: Option<NanoDollars>) {
        if let Some(request) = &self.request {
            request.settled(usage, cost, left);
        }
    }

    /// The call has failed, or its answer has.
    pub(super) fn fail(&mut self, error: &Error) {
        self.failure = Some(error.kind);
        if let (Some(request), Some(id)) = (&self.request, &error.bedrock_request_id) {
            request.set_bedrock_request_id(id);
        }
    }
}

impl Drop for CallWatch {
    fn drop(&mut self) {
        if let Some(request) = &self.request {
            self.telemetry.call_ended(request, self.failure, self.began.elapsed());
        }
    }
}
