//! The parts of a request that models refuse.

/// A part of a request that a model may refuse.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Refusable {
    Temperature,
    TopP,
    Stop,
    /// The reasoning of earlier answers in the conversation, and with it any new reasoning.
    ReasoningHistory,
    /// A member of a native request, by the path that the model's refusal names.
    Member(String),
    /// The beta features of a native request.
    Betas,
    /// The messages of a native request that have the role `system`.
    SystemMessages,
}
