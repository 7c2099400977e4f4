//! How much of a budget is used, for clients that watch it.

/// How much of a budget is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetUse {
    pub period: BudgetPeriod,
    /// Whether the budget is for one API key, and not shared by those of a group or by all calls.
    pub is_own: bool,
    /// What may be spent in the period (cents, rounded down).
    pub amount_cents: u64,
    /// What is spent, or may have been (cents, rounded down).
    pub spent_cents: u64,
    /// The share that is spent (percent, rounded down).
    pub percent: u64,
    /// When the next period begins (seconds since 1970).
    pub resets_at: i64,
}

/// How often a budget is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetPeriod {
    Day,
    Week,
    Month,
}
