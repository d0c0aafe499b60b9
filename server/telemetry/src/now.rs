//! What the daemon knows at any moment and nobody has to count: asked for when somebody reads.

use model::TokenReport;

/// The state of the daemon at one moment.
#[derive(Clone, Debug, Default)]
pub struct Now {
    /// Runs that go on.
    pub live_runs: u64,
    /// Runs that wait to be counted.
    pub pending_runs: u64,
    /// How many servers are in which state, by the state's name.
    pub servers: Vec<(&'static str, u64)>,
    /// The sums of all runs that this process has counted.
    pub tokens: TokenReport,
    /// A model, and the US dollars that were saved at its price against the headline baseline; below zero where direct
    /// calling had been cheaper. Absent where the price is not known.
    pub cost_saved: Option<(String, f64)>,
}

/// Bytes of this process that are in memory; 0 where the system does not say.
pub(crate) fn resident_bytes() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        kib.unwrap_or_default() << 10
    }
    #[cfg(not(target_os = "linux"))]
    0
}
