//! What a hostile or broken client does to a server that others use at the same time. One file for each kind of attack.

mod cost;
mod keys;
mod ledger;
mod secrets;
mod server;
mod upstream;
