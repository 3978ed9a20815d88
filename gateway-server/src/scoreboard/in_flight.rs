//! [`InFlight`]: what operators may know of a request that has not been answered.

use std::time::Duration;

use super::{HeldRequest, Page, RequestId};

/// A request that a worker holds or is at, as the worker told of it; nothing of it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InFlight {
    /// The application's name, where there are several.
    pub(crate) app: Option<String>,
    pub(crate) method: String,
    /// Without its query, printable, cut.
    pub(crate) path: String,
    /// Unknown while the application is called for the first time, unless it has asked.
    pub(crate) id: Option<RequestId>,
    /// Since it came; unknown while the application is called for the first time.
    pub(crate) age: Option<Duration>,
    /// Whether the worker is at it, and not waiting for something.
    pub(crate) running: bool,
}

impl Page {
    /// The requests that the worker holds or is at, in no order, by this time of the system's monotonic
    /// clock.
    pub(crate) fn in_flight(&self, now_ns: u64) -> Vec<InFlight> {
        let held = self.held().into_iter();
        let mut all: Vec<_> = held.map(|one| of_held(one, now_ns)).collect();
        if let Some((line, id)) = self.present() {
            all.push(InFlight {
                id,
                age: None,
                running: true,
                ..named(&line)
            });
        }
        all
    }
}

fn of_held(held: HeldRequest, now_ns: u64) -> InFlight {
    let age = now_ns.saturating_sub(held.since_ns);
    InFlight {
        id: Some(held.id),
        age: Some(Duration::from_nanos(age)),
        running: held.running,
        ..named(&held.text)
    }
}

/// A method and a path, before which a name may stand.
fn named(text: &str) -> InFlight {
    // No method has a colon.
    let named = text.split_once(": ");
    let named = named.filter(|(name, _)| !name.contains(' '));
    let (app, line) = named.map_or((None, text), |(app, line)| (Some(app.to_owned()), line));
    let (method, path) = line.split_once(' ').unwrap_or((line, ""));
    InFlight {
        app,
        method: method.to_owned(),
        path: path.to_owned(),
        id: None,
        age: None,
        running: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Slot;
    use super::*;

    #[test]
    fn what_is_held_and_what_is_called_are_told_by_their_parts() {
        let page = Page::create().unwrap();
        let slot = Slot::map(&page).unwrap();
        let id = RequestId::next();
        let _held = slot.hold(id, 7, b"shop: PUT /a: b");
        let of = |all: &[InFlight], at: usize| {
            let InFlight {
                app, method, path, ..
            } = all[at].clone();
            (app, method, path)
        };
        slot.at(b"GET /now?token=1 HTTP/1.1\r\n", || {
            let all = page.in_flight(1_007);
            let shop = (Some("shop".into()), "PUT".into(), "/a: b".into());
            assert_eq!(of(&all, 0), shop);
            assert_eq!(
                (all[0].id, all[0].age),
                (Some(id), Some(Duration::from_micros(1)))
            );
            assert_eq!(of(&all, 1), (None, "GET".into(), "/now".into()));
            assert_eq!((all[1].id, all[1].age, all[1].running), (None, None, true));
        });
        // A page may say anything.
        assert_eq!(named("?").path, "");
        assert_eq!(page.in_flight(0)[0].age, Some(Duration::ZERO));
    }
}
