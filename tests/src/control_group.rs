//! A control group of its own, of either version: limits for a server and all that it starts, and a
//! switch that stops it whole, as a paused container is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use crate::until;

/// A group: a folder for each hierarchy of the system's that lets us make one. Removed on drop, with
/// whoever is still in it.
#[derive(Debug)]
pub struct ControlGroup {
    folders: Vec<PathBuf>,
}

impl ControlGroup {
    /// Makes a group below the one that this process is in, or the topmost.
    ///
    /// # Errors
    /// No hierarchy lets us.
    pub fn create() -> Result<Self, String> {
        let name = format!("gateway-test-{}", process::id());
        let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|why| why.to_string())?;
        let folders = mounts.lines().filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mount = Path::new(place.split(' ').nth(4)?);
            kind.starts_with("cgroup").then_some(())?;
            if kind.starts_with("cgroup2") {
                // Those that cannot be passed down are missed where they are asked for.
                for controller in ["+memory", "+pids", "+cpu"] {
                    let _ = fs::write(mount.join("cgroup.subtree_control"), controller);
                }
            }
            let folder = mount.join(&name);
            fs::create_dir(&folder).ok()?;
            // Without processors and nodes of its own such a group takes nobody.
            for (file, value) in [("cpuset.cpus", "0"), ("cpuset.mems", "0")] {
                if folder.join(file).exists() {
                    let whole = fs::read_to_string(mount.join(file));
                    let _ = fs::write(folder.join(file), whole.as_deref().unwrap_or(value));
                }
            }
            Some(folder)
        });
        let folders: Vec<PathBuf> = folders.collect();
        match folders.is_empty() {
            false => Ok(Self { folders }),
            true => Err("no hierarchy of control groups can be written".to_owned()),
        }
    }

    /// The words that run what follows them in the group.
    #[must_use]
    pub fn prefix(&self) -> Vec<String> {
        let joins = self.folders.iter().map(|folder| {
            let file = folder.join("cgroup.procs");
            format!("echo $$ >'{}' && ", file.display())
        });
        let script = joins.collect::<String>() + "exec \"$@\"";
        ["sh", "-c", &script, "sh"].map(str::to_owned).into()
    }

    /// Bounds the memory of all together, in bytes.
    ///
    /// # Errors
    /// There is no such limit here.
    pub fn limit_memory(&self, most: u64) -> Result<(), String> {
        self.write(&["memory.max", "memory.limit_in_bytes"], &most.to_string())
    }

    /// The most memory that all together have held, in bytes, if the system says.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.read(&["memory.peak", "memory.max_usage_in_bytes"])?
            .parse()
            .ok()
    }

    /// How many processes and threads there are now.
    #[must_use]
    pub fn tasks(&self) -> Option<u64> {
        self.read(&["pids.current"])?.parse().ok()
    }

    /// The most processes and threads there have been at one time, if the system says.
    #[must_use]
    pub fn peak_tasks(&self) -> Option<u64> {
        self.read(&["pids.peak"])?.parse().ok()
    }

    /// Bounds the number of processes and threads.
    ///
    /// # Errors
    /// There is no such limit here.
    pub fn limit_tasks(&self, most: u64) -> Result<(), String> {
        self.write(&["pids.max"], &most.to_string())
    }

    /// Bounds processor time: so much in each tenth of a second.
    ///
    /// # Errors
    /// There is no such limit here.
    pub fn limit_processor(&self, time: Duration) -> Result<(), String> {
        let micros = time.as_micros();
        self.write(&["cpu.max"], &format!("{micros} 100000"))
            .or_else(|_| self.write(&["cpu.cfs_quota_us"], &micros.to_string()))
    }

    /// Stops all of it, whatever it is at; returns once it stands still.
    ///
    /// # Errors
    /// There is no such switch here.
    ///
    /// # Panics
    /// When it goes on.
    pub fn freeze(&self) -> Result<(), String> {
        if self.write(&["cgroup.freeze"], "1").is_ok() {
            until("the group to stand still", || {
                let events = self.read(&["cgroup.events"]).unwrap_or_default();
                events.contains("frozen 1")
            });
            return Ok(());
        }
        self.write(&["freezer.state"], "FROZEN")?;
        until("the group to stand still", || {
            self.read(&["freezer.state"]).as_deref() == Some("FROZEN")
        });
        Ok(())
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        // Whichever of the two there is.
        let _ = self.write(&["cgroup.freeze"], "0");
        let _ = self.write(&["freezer.state"], "THAWED");
    }

    /// The first of these files that there is.
    fn file(&self, names: &[&str]) -> Option<PathBuf> {
        let files = names
            .iter()
            .flat_map(|name| self.folders.iter().map(move |folder| folder.join(name)));
        files.into_iter().find(|file| file.exists())
    }

    fn read(&self, names: &[&str]) -> Option<String> {
        let text = fs::read_to_string(self.file(names)?).ok()?;
        Some(text.trim().to_owned())
    }

    fn write(&self, names: &[&str], text: &str) -> Result<(), String> {
        let file = self
            .file(names)
            .ok_or_else(|| format!("no control group here has {}", names.join(" or ")))?;
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        self.thaw();
        for folder in &self.folders {
            let procs = folder.join("cgroup.procs");
            until("an empty group", || {
                let pids = fs::read_to_string(&procs).unwrap_or_default();
                for pid in pids.lines().filter_map(|pid| pid.parse().ok()) {
                    let pid = nix::unistd::Pid::from_raw(pid);
                    // It may have ended by now.
                    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
                }
                pids.is_empty()
            });
            if let Err(error) = fs::remove_dir(folder) {
                eprintln!("{}: {error}", folder.display());
            }
        }
    }
}
