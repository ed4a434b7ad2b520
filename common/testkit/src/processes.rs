//! What the processes of an instance use: processor time, memory, kernel work.

use std::fs;
use std::path::Path;

use crate::Instance;

/// One process of the mail system under test.
#[derive(Debug, Clone)]
pub struct Process {
    /// The process id, seen from outside.
    pub pid: u32,
    /// The program's name.
    pub name: String,
    /// Processor time of the process and of its ended children, in seconds.
    pub cpu: f64,
    /// Its proportional share of memory, in KiB.
    pub pss: u64,
    /// Context switches so far.
    pub switches: u64,
}

impl Instance {
    /// The running daemons of this instance, master included.
    pub fn processes(&self) -> Vec<Process> {
        let namespace =
            fs::read_link(format!("/proc/{}/ns/pid_for_children", self.holder_pid())).unwrap();
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| {
                fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|link| link == namespace)
            })
            .filter_map(|pid| self.process(pid))
            .collect()
    }

    /// What a process uses, if it is a daemon of the mail system.
    fn process(&self, pid: u32) -> Option<Process> {
        let dir = format!("/proc/{pid}");
        let program = fs::read_link(Path::new(&dir).join("exe")).ok()?;
        let name = program.file_name()?.to_str()?.to_owned();
        let root = self.target().root();
        let daemons = self.target().daemon_directory();
        let inside = Path::new("/").join(program.strip_prefix(root).unwrap_or(&program));
        if inside.parent()?.canonicalize().ok() != daemons.canonicalize().ok()
            && inside.parent()? != daemons
        {
            return None;
        }
        let stat = fs::read_to_string(format!("{dir}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
        // utime, stime, cutime, cstime of proc(5), in ticks of 1/100 s.
        let ticks: u64 = fields
            .get(11..15)?
            .iter()
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        let number = |file: &str, key: &str| -> u64 {
            fs::read_to_string(format!("{dir}/{file}"))
                .unwrap_or_default()
                .lines()
                .filter(|line| line.contains(key))
                .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .sum()
        };
        Some(Process {
            pid,
            name,
            cpu: f64::from(u32::try_from(ticks).ok()?) / 100.0,
            pss: number("smaps_rollup", "Pss:"),
            switches: number("status", "ctxt_switches"),
        })
    }
}
