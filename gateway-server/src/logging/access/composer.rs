//! [`Composer`]: what is known of requests, in the operator's format.

use std::cell::RefCell;

use super::ending::FIELD;
use super::opening::{Client, Opening};
use crate::logging::dates::Dates;
use crate::logging::format::{Early, Format, Late, Piece, Quoting, Step, Steps};
use crate::logging::line::{Line, PAGE};
use crate::logging::number::push_number;
use crate::logging::quote::{push, push_absent};
use crate::logging::request::Request;

/// A format, and what its lines say of the server.
#[derive(Debug)]
pub(super) struct Composer {
    steps: RefCell<Steps>,
    pub(super) quoting: Quoting,
    /// Whether a line ends with the name of its application, where there are several.
    names_apps: bool,
    dates: Dates,
    /// What the application calls itself, if it is the only one.
    app: RefCell<String>,
    client: RefCell<Client>,
    opening: RefCell<Opening>,
}

impl Composer {
    pub(super) fn new(format: Format) -> Self {
        Self {
            quoting: format.quoting,
            names_apps: format.is_of_others(),
            steps: RefCell::new(format.steps()),
            dates: Dates::new(),
            app: RefCell::default(),
            client: RefCell::default(),
            opening: RefCell::default(),
        }
    }

    /// Says who writes the lines: the number of the worker, and what its application calls itself.
    pub(super) fn introduce(&self, worker: u32, app: &str) {
        app.clone_into(&mut self.app.borrow_mut());
        for Step { piece, .. } in &mut self.steps.borrow_mut().rest {
            let number = match piece {
                Piece::Early(Early::Worker) => worker.into(),
                Piece::Early(Early::Pid) => std::process::id().into(),
                _ => continue,
            };
            let mut page = [0; PAGE];
            let mut line = Line::on(&mut page);
            push_number(&mut line, number);
            *piece = Piece::Text(line.to_vec());
        }
    }

    /// The clock may have been set.
    pub(super) fn refresh(&self) {
        self.dates.refresh();
    }

    /// Appends the pieces of a line, those that are known at the end by `end`.
    #[inline(always)]
    pub(super) fn compose(
        &self,
        line: &mut Line<'_>,
        request: &impl Request,
        mut end: impl FnMut(&mut Line<'_>, &Late),
    ) {
        let steps = self.steps.borrow();
        self.push_opening(line, &steps.opening, request);
        for Step { before, piece } in &steps.rest {
            line.push_short(*before);
            match piece {
                Piece::Text(same) => line.extend_from_slice(same),
                Piece::Early(early) => self.push_early(line, early, request),
                Piece::Late(late) => end(line, late),
            }
        }
        line.push_short(steps.end);
        self.push_name(line, request);
    }

    /// Goes through the pieces that are known at the end.
    pub(super) fn each_late(&self, mut each: impl FnMut(&Late)) {
        for Step { piece, .. } in &self.steps.borrow().rest {
            if let Piece::Late(late) = piece {
                each(late);
            }
        }
    }

    /// Appends the steps that are the same in all lines of a client within a second.
    #[inline(always)]
    fn push_opening(&self, line: &mut Line<'_>, steps: &[Step], request: &impl Request) {
        let (second, client) = (self.dates.second(request.began_ns()), request.client());
        let opening = self.opening.borrow();
        if opening.is_of(second, client) {
            line.extend_from_slice(&opening.text);
        } else {
            drop(opening);
            self.open(line, steps, request);
            self.opening.borrow_mut().keep(second, client, line);
        }
    }

    #[inline(never)]
    fn open(&self, line: &mut Line<'_>, steps: &[Step], request: &impl Request) {
        for Step { before, piece } in steps {
            line.push_short(*before);
            match piece {
                Piece::Text(same) => line.extend_from_slice(same),
                Piece::Early(early) => self.push_early(line, early, request),
                Piece::Late(_) => {}
            }
        }
    }

    /// Whom a request was for, where there are several and the format has no place for it.
    #[inline]
    fn push_name(&self, line: &mut Line<'_>, request: &impl Request) {
        if let Some(app) = request.app().filter(|_| self.names_apps) {
            line.extend_from_slice(b" \"");
            push(line, app.as_bytes(), self.quoting, SHORT);
            line.push(b'"');
        }
    }

    /// Texts meet in one place, so that the compiler puts how they are appended there.
    #[inline(always)]
    fn push_early(&self, line: &mut Line<'_>, early: &Early, request: &impl Request) {
        let (text, most) = match early {
            Early::Field(name, id) => (request.field(name, *id), FIELD),
            Early::Line => match request.line() {
                Some(whole) => (Some(whole), LONG),
                None => return self.push_line(line, request),
            },
            Early::Method => (Some(request.method()), METHOD),
            Early::Target => (Some(request.target()), LONG),
            Early::Path => (Some(request.path()), LONG),
            Early::Query => (Some(request.query()), LONG),
            Early::Version => (Some(request.version().as_bytes()), SHORT),
            Early::Scheme => (Some(request.scheme().as_bytes()), SHORT),
            Early::Host => (Some(request.host()).filter(|host| !host.is_empty()), SHORT),
            Early::Worker | Early::Pid => (None, SHORT),
            Early::Time => return self.dates.push(line, request.began_ns(), self.quoting),
            Early::Refused => return self.push_refused(line, request),
            Early::Client | Early::Id | Early::App => {
                return self.push_name_of(line, early, request);
            }
        };
        match text {
            Some(text) => push(line, text, self.quoting, most),
            None => push_absent(line, self.quoting),
        }
    }

    /// Appends why a head was refused, of which only those lines speak in JSON.
    #[inline(always)]
    fn push_refused(&self, line: &mut Line<'_>, request: &impl Request) {
        match (request.refused(), self.quoting) {
            (None, Quoting::Json) => {}
            (None, Quoting::Text) => push_absent(line, self.quoting),
            (Some(why), quoting) => {
                if quoting == Quoting::Json {
                    line.extend_from_slice(b",\"refused\":");
                }
                push(line, why.as_bytes(), quoting, WHY);
            }
        }
    }

    /// Appends what somebody is called.
    #[inline(never)]
    fn push_name_of(&self, line: &mut Line<'_>, early: &Early, request: &impl Request) {
        let mut put = |text: &str| push(line, text.as_bytes(), self.quoting, SHORT);
        match (early, request.client(), request.app()) {
            (Early::Client, Some(ip), _) => put(self.client.borrow_mut().text(ip)),
            (Early::Client, None, _) => put("-"),
            (Early::App, _, Some(app)) => put(app),
            (Early::App, _, None) => put(&self.app.borrow()),
            _ => match request.id() {
                Some(id) => put(&id),
                None => push_absent(line, self.quoting),
            },
        }
    }

    /// Appends a request line that does not stand in one piece.
    #[inline(never)]
    fn push_line(&self, line: &mut Line<'_>, request: &impl Request) {
        let mut put = |text: &[u8], most| push(line, text, self.quoting, most);
        put(request.method(), METHOD);
        put(b" ", SHORT);
        put(request.target(), LONG);
        put(b" ", SHORT);
        put(request.version().as_bytes(), SHORT);
    }
}

/// Bytes of JSON's strings. All of them together are less than a pipe takes at once.
const METHOD: usize = 32;
const SHORT: usize = 255;
const WHY: usize = 127;
const LONG: usize = 1_280;
