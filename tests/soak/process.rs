//! What the operating system says of a process (<https://man7.org/linux/man-pages/man5/proc.5.html>).

/// A process, by its number.
pub(super) struct Process(pub(super) u32);

impl Process {
    /// The memory that it has in use (KiB).
    pub(super) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The number of its open files and sockets.
    pub(super) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.0)).unwrap().count()
    }
}
