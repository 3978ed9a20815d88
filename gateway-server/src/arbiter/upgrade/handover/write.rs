//! A state as bytes.

use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use super::names::{
    ADMIN, ADMIN_ASKED, APP, APP_METRICS, ASKED, BIND, CLOCK, CONFIGURED, CONTROL, GENERATION,
    HEADER, KEPT, LAST_WORKER, LISTENER, LOG, MEMBER, NAMED, NONE, PASSED, PID_FILE, PID_PATH,
    POOL, POOL_TARGET, PROCESS, PROGRAM, REQUESTS, RESTED, TARGET, TICKETS, TOTAL, VALUE, VERSION,
    WANTED, WORKER,
};
use super::phase;
use super::record::{Handover, PassedRecord, ProcessRecord};
use crate::arbiter::event::PoolId;
use crate::arbiter::roster::Worker;
use crate::arbiter::state::SavedPool;
use crate::net::LeftListener;

impl Handover {
    /// The records.
    pub(in super::super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Records(Vec::with_capacity(4096));
        let state = &self.state;
        out.put(HEADER, VERSION);
        out.put_bytes(PROGRAM, self.program.as_os_str().as_bytes());
        out.put(CLOCK, self.clock.as_nanos());
        out.put(REQUESTS, self.requests);
        for name in &self.pools {
            out.put(POOL, name);
        }
        for (id, pool) in &state.pools {
            let SavedPool {
                configured,
                target,
                rested,
            } = pool;
            if *id == PoolId::MAIN {
                out.put(CONFIGURED, configured);
                out.put(TARGET, target);
                rested.iter().for_each(|before| out.put(RESTED, before));
            } else {
                let rested = rested.map_or_else(|| "-".to_owned(), |before| before.to_string());
                out.put(
                    POOL_TARGET,
                    format!("{} {configured} {target} {rested}", id.0),
                );
            }
        }
        out.put(LAST_WORKER, state.last_worker);
        out.put(GENERATION, state.generation.0);
        if state.reload_wanted {
            out.put(WANTED, "reload");
        }
        if state.upgrade_wanted {
            out.put(WANTED, "upgrade");
        }
        for bind in &self.binds {
            out.put(BIND, bind);
        }
        for PassedRecord { number, socket, .. } in &self.passed {
            out.put(PASSED, format!("{number} {socket}"));
        }
        for one in &self.passed {
            if let Some(name) = &one.name {
                out.put(NAMED, format!("{} {name}", one.number));
            }
        }
        for (name, total) in &self.totals {
            out.put(TOTAL, format!("{total} {name}"));
        }
        for one in &self.listeners {
            out.put(LISTENER, show_listener(one));
            out.put(ASKED, &one.asked);
        }
        if let Some(one) = &self.admin {
            out.put(ADMIN, show_listener(one));
            out.put(ADMIN_ASKED, &one.asked);
        }
        if let Some(one) = &self.control {
            out.put(CONTROL, show_listener(one));
        }
        if let Some((file, path)) = &self.pid_file {
            out.put(PID_FILE, file);
            out.put_bytes(PID_PATH, path.as_os_str().as_bytes());
        }
        if let Some(tickets) = self.tickets {
            out.put(TICKETS, tickets);
        }
        if let Some(book) = self.app_metrics {
            out.put(APP_METRICS, book);
        }
        for (setting, values) in &self.kept {
            out.put(KEPT, setting);
            for value in values {
                out.put(VALUE, value);
            }
        }
        for (id, worker) in &state.workers {
            let Worker {
                slot, generation, ..
            } = worker;
            let boot = worker.boot.as_nanos();
            let (ready, dismissed) = (u8::from(worker.was_ready), u8::from(worker.dismissed));
            let phase = phase::show(worker.phase);
            let text = format!(
                "{} {slot} {} {ready} {dismissed} {boot} {phase}",
                id.0, generation.0
            );
            out.put(WORKER, text);
            if worker.pool != PoolId::MAIN {
                out.put(MEMBER, worker.pool.0);
            }
        }
        for one in &self.processes {
            let ProcessRecord {
                worker,
                pid,
                orders,
                page,
                layout,
                ..
            } = one;
            let app = one.apps.first().copied().unwrap_or(NONE);
            let text = format!("{} {pid} {orders} {page} {app} {layout}", worker.0);
            out.put(PROCESS, text);
            for app in one.apps.iter().skip(1) {
                out.put(APP, app);
            }
            if let Some(path) = &one.log {
                out.put_bytes(LOG, path.as_os_str().as_bytes());
            }
        }
        out.0
    }
}

fn show_listener(one: &LeftListener<RawFd>) -> String {
    let (device, inode) = one.path.unwrap_or_default();
    let (socket, claim) = (one.socket, one.claim.unwrap_or(NONE));
    format!("{socket} {claim} {device} {inode} {}", one.address)
}

/// Records as they are written.
struct Records(Vec<u8>);

impl Records {
    fn put(&mut self, name: &str, value: impl ToString) {
        self.put_bytes(name, value.to_string().as_bytes());
    }

    fn put_bytes(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value);
        self.0.push(0);
    }
}
