//! What a server offers by its settings: the same at the start and after a reload.

use crate::config::Settings;
use crate::engine::Engine;
use crate::server::{Keys, OriginPolicy, Service};
use std::net::IpAddr;
use std::sync::Arc;

/// What is served, and to whom, by these settings.
pub(super) fn service(settings: &Settings, engine: Arc<Engine>, bound: IpAddr) -> Service {
    let cache = engine.guard().ledger.as_ref().map(|ledger| ledger.key_cache(settings.keys.clone()));
    Service {
        engine,
        origin: OriginPolicy {
            bound,
            origins: settings.serve.allow_origins.clone(),
            hosts: settings.serve.allow_hosts.clone(),
        },
        keys: Keys { cache, required: settings.serve.require_key },
        fetch_images: settings.serve.fetch_images,
    }
}
