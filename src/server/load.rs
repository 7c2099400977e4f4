//! How busy the server is: connections, answers and bodies, each with its limit.

use super::body_memory::BodyMemory;
use super::connections::Connections;
use super::limits::Limits;
use super::places::Places;
use std::sync::Arc;

/// Clones show the same server.
#[derive(Debug, Clone)]
pub struct Load {
    connections: Arc<Connections>,
    places: Arc<Places>,
    bodies: Arc<BodyMemory>,
}

impl Load {
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            connections: Connections::new(limits.connections),
            places: Arc::new(Places::new(limits.answers, limits.timeouts.queue)),
            bodies: BodyMemory::new(limits.body_bytes),
        }
    }

    /// Open connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.connections.count()
    }

    /// Connections that were refused since the start, because all were in use.
    #[must_use]
    pub fn refused_connections(&self) -> u64 {
        self.connections.refused()
    }

    /// Answers that are being made.
    #[must_use]
    pub fn running_answers(&self) -> usize {
        self.places.taken()
    }

    /// Request bodies in memory (bytes).
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.bodies.used()
    }

    pub(super) fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn bodies(&self) -> &Arc<BodyMemory> {
        &self.bodies
    }
}
