//! What systemd and a server tell each other: sockets that are passed on, readiness, and that the server is alive.
//! Without systemd nothing of this happens. See docs/operating.md.

use std::net::TcpListener;

/// The listening sockets that systemd has passed on (`LISTEN_FDS`). It changes the environment, so it is called before
/// there are threads.
///
/// # Errors
/// When a socket is none of TCP.
#[cfg(unix)]
pub(crate) fn sockets() -> std::io::Result<Vec<TcpListener>> {
    let mut passed = listenfd::ListenFd::from_env();
    (0..passed.len()).filter_map(|index| passed.take_tcp_listener(index).transpose()).collect()
}

#[cfg(not(unix))]
pub(crate) fn sockets() -> std::io::Result<Vec<TcpListener>> {
    Ok(Vec::new())
}

#[cfg(unix)]
mod notify {
    use sd_notify::NotifyState;

    /// Says that calls are answered, after the start and after a reload.
    pub(crate) fn ready() {
        tell(&[NotifyState::Ready, NotifyState::Status("answering requests")]);
    }

    /// Says that a reload has begun. A unit of `Type=notify-reload` wants the time of that.
    pub(crate) fn reloading() {
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now, NotifyState::Status("reloading the config file")]);
        }
    }

    /// Says that the server drains.
    pub(crate) fn stopping() {
        tell(&[NotifyState::Stopping, NotifyState::Status("finishing running answers")]);
    }

    /// Tells systemd regularly that the asynchronous workers still run tasks, if it wants to know (`WatchdogSec`).
    pub(crate) fn watch_workers() {
        let Some(limit) = sd_notify::watchdog_enabled() else { return };
        tokio::spawn(async move {
            loop {
                tell(&[NotifyState::Watchdog]);
                tokio::time::sleep(limit / 3).await;
            }
        });
    }

    fn tell(states: &[NotifyState<'_>]) {
        // Without systemd there is no socket, and one that cannot be reached must not stop the server.
        let _ = sd_notify::notify(states);
    }
}

#[cfg(not(unix))]
mod notify {
    pub(crate) fn ready() {}
    pub(crate) fn reloading() {}
    pub(crate) fn stopping() {}
    pub(crate) fn watch_workers() {}
}

pub(crate) use notify::{ready, reloading, stopping, watch_workers};
