//! The access log: a line for each answer, in a format of the operator's choice.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::dates::Dates;
use super::format::{Early, Format, Late, Piece, Quoting, Step, Unit};
use super::lines::Lines;
use super::quote::{push, push_absent, push_decimal, push_number, push_short};
use super::request::Request;
use super::selection::Selection;
use super::sink::Sink;
use crate::value::LogTarget;

/// An open access log. Lines gather in memory and are written whole, at the latest at the next tick
/// of the worker, so that lines of several workers never interleave.
#[derive(Debug)]
pub(crate) struct AccessLog {
    steps: RefCell<Vec<Step>>,
    quoting: Quoting,
    /// Whether a line ends with the name of its application, where there are several.
    names_apps: bool,
    selection: Selection,
    /// Whether lines show the ids of requests.
    pub(crate) names_ids: bool,
    /// Whether it matters how long requests took.
    pub(crate) names_times: bool,
    /// What is to be kept of responses.
    response_fields: Rc<[Box<[u8]>]>,
    lines: RefCell<Lines>,
    /// None until it has been opened; lines wait for that.
    sink: RefCell<Option<Sink>>,
    dates: Dates,
    /// What the application calls itself, if it is the only one.
    app: RefCell<String>,
    /// How the client of the last line was shown.
    client: RefCell<Client>,
    /// How the last line began, and how many of the steps that is.
    opening: RefCell<Opening>,
    opening_steps: usize,
    /// Memory for lines that are begun and ended at once.
    spare: RefCell<Option<Visit>>,
}

/// How an access log is written.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) format: Format,
    pub(crate) selection: Selection,
}

/// What a line says of a request; taken when the head is read.
#[derive(Debug, Default)]
pub(crate) struct Visit {
    text: Vec<u8>,
    /// Where in it what is known at the end belongs.
    holes: Vec<u32>,
}

#[derive(Debug, Default)]
struct Client {
    ip: Option<IpAddr>,
    text: String,
}

/// The beginning of a line, which all lines of a client share within a second.
#[derive(Debug, Default)]
struct Opening {
    /// The client, if it has an address, and the second.
    of: Option<(Option<IpAddr>, u64)>,
    text: Vec<u8>,
}

/// What a line is made of when the request has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) status: u16,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// In nanoseconds, from when the request was there.
    pub(crate) took_ns: u64,
    pub(crate) first_byte_ns: u64,
    pub(crate) queued_ns: u64,
    /// Fields of the response, as [`AccessLog::response_fields`] names them; fewer if it has none.
    pub(crate) fields: &'a [Option<Box<[u8]>>],
}

impl AccessLog {
    /// A log on standard output or to a system's log, or on a file that is still to be given: workers
    /// open none by name, which they may have no right to.
    ///
    /// # Errors
    ///
    /// The kernel's: too many open files; nobody takes the lines.
    pub(crate) fn of(target: &LogTarget, manner: Manner) -> io::Result<Rc<Self>> {
        let sink = match target {
            LogTarget::Stdout => Some(Sink::stdout()?),
            LogTarget::Syslog(place) => Some(Sink::syslog(place)?),
            LogTarget::File(_) => None,
        };
        let Manner { format, selection } = manner;
        let (quoting, names_apps) = (format.quoting, format.is_of_others());
        let response_fields = format.response_fields().map(Box::from).collect();
        let (names_ids, names_times) = (format.names_ids(), format.names_times());
        let steps = format.steps();
        Ok(Rc::new(Self {
            quoting,
            names_apps,
            response_fields,
            names_ids,
            names_times: names_times || selection.asks_for_time(),
            opening_steps: steps
                .iter()
                .take_while(|step| step.is_opening(quoting))
                .count(),
            steps: RefCell::new(steps),
            selection,
            lines: RefCell::default(),
            sink: RefCell::new(sink),
            dates: Dates::new(),
            app: RefCell::default(),
            client: RefCell::default(),
            opening: RefCell::default(),
            spare: RefCell::default(),
        }))
    }

    /// Says who writes the lines: the place of the worker, and what its application calls itself.
    pub(crate) fn introduce(&self, worker: u32, app: &str) {
        app.clone_into(&mut self.app.borrow_mut());
        for Step { piece, .. } in &mut *self.steps.borrow_mut() {
            let mut text = Vec::new();
            match piece {
                Piece::Early(Early::Worker) => push_number(&mut text, worker.into()),
                Piece::Early(Early::Pid) => push_number(&mut text, std::process::id().into()),
                _ => continue,
            }
            *piece = Piece::Text(text);
        }
    }

    /// Writes to `file` from now on; what has gathered goes to the one before, if that takes it now.
    pub(crate) fn write_to(&self, file: File) {
        self.flush();
        self.sink.replace(Some(Sink::of(file)));
    }

    /// The fields of responses that lines show, by their names in small letters, if any.
    pub(crate) fn response_fields(&self) -> Option<Rc<[Box<[u8]>]>> {
        let names = &self.response_fields;
        (!names.is_empty()).then(|| Rc::clone(names))
    }

    /// Begins a line.
    pub(crate) fn visit(&self, request: &impl Request) -> Visit {
        let mut visit = self.spare.borrow_mut().take().unwrap_or_default();
        let Visit { text, holes } = &mut visit;
        text.clear();
        holes.clear();
        self.compose(text, request, |text, _| {
            holes.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        });
        visit
    }

    /// Writes a line whose end is known with its beginning.
    pub(crate) fn write(&self, request: &impl Request, ended: &Ended<'_>) {
        if !self.selection.takes(ended.status, ended.took_ns) {
            return;
        }
        let mut fields = ended.fields.iter();
        let wrote = self.lines.borrow_mut().add(|line| {
            self.compose(line, request, |line, late| {
                self.push_late(line, late, ended, &mut fields);
            });
        });
        if wrote.is_full() {
            self.flush();
        }
    }

    /// Appends the pieces of a line, those that are known at the end by `end`.
    #[inline(always)]
    fn compose(
        &self,
        line: &mut Vec<u8>,
        request: &impl Request,
        mut end: impl FnMut(&mut Vec<u8>, &Late),
    ) {
        let steps = self.steps.borrow();
        let (opening, rest) = steps.split_at(self.opening_steps);
        self.push_opening(line, opening, request);
        for Step { before, piece } in rest {
            push_short(line, *before);
            match piece {
                Piece::Text(same) => line.extend_from_slice(same),
                Piece::Early(early) => self.push_early(line, early, request),
                Piece::Late(late) => end(line, late),
            }
        }
        self.push_name(line, request);
    }

    /// Appends the steps that are the same in all lines of a client within a second.
    #[inline]
    fn push_opening(&self, line: &mut Vec<u8>, steps: &[Step], request: &impl Request) {
        let of = Some((request.client(), self.dates.second(request.began_ns())));
        let mut opening = self.opening.borrow_mut();
        if opening.of != of {
            opening.of = of;
            self.open(&mut opening.text, steps, request);
        }
        line.extend_from_slice(&opening.text);
    }

    #[inline(never)]
    fn open(&self, text: &mut Vec<u8>, steps: &[Step], request: &impl Request) {
        text.clear();
        for Step { before, piece } in steps {
            push_short(text, *before);
            match piece {
                Piece::Text(same) => text.extend_from_slice(same),
                Piece::Early(early) => self.push_early(text, early, request),
                Piece::Late(_) => {}
            }
        }
    }

    /// Whom a request was for, where there are several and the format has no place for it.
    fn push_name(&self, line: &mut Vec<u8>, request: &impl Request) {
        if let Some(app) = request.app().filter(|_| self.names_apps) {
            line.extend_from_slice(b" \"");
            push(line, app.as_bytes(), self.quoting, SHORT);
            line.push(b'"');
        }
    }

    #[inline(always)]
    fn push_late(
        &self,
        line: &mut Vec<u8>,
        late: &Late,
        ended: &Ended<'_>,
        fields: &mut std::slice::Iter<'_, Option<Box<[u8]>>>,
    ) {
        match late {
            Late::Field(_) => match fields.next() {
                Some(Some(value)) => push(line, value, self.quoting, FIELD),
                _ => push_absent(line, self.quoting),
            },
            known => push_late(line, known, ended),
        }
    }

    /// Texts meet in one place, so that the compiler puts how they are appended there.
    #[inline(always)]
    fn push_early(&self, line: &mut Vec<u8>, early: &Early, request: &impl Request) {
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
            Early::Client | Early::Id | Early::App => {
                return self.push_name_of(line, early, request);
            }
        };
        match text {
            Some(text) => push(line, text, self.quoting, most),
            None => push_absent(line, self.quoting),
        }
    }

    /// Appends what somebody is called.
    #[inline(never)]
    fn push_name_of(&self, line: &mut Vec<u8>, early: &Early, request: &impl Request) {
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
    fn push_line(&self, line: &mut Vec<u8>, request: &impl Request) {
        let mut put = |text: &[u8], most| push(line, text, self.quoting, most);
        put(request.method(), METHOD);
        put(b" ", SHORT);
        put(request.target(), LONG);
        put(b" ", SHORT);
        put(request.version().as_bytes(), SHORT);
    }

    /// Ends a line.
    pub(crate) fn record(&self, visit: Visit, ended: &Ended<'_>) {
        if self.selection.takes(ended.status, ended.took_ns) {
            self.write_line(&visit, ended);
        }
        if visit.text.capacity() <= SPARE_BYTES {
            *self.spare.borrow_mut() = Some(visit);
        }
    }

    fn write_line(&self, visit: &Visit, ended: &Ended<'_>) {
        let mut lines = self.lines.borrow_mut();
        let steps = self.steps.borrow();
        let late = steps.iter().filter_map(|step| match &step.piece {
            Piece::Late(late) => Some(late),
            _ => None,
        });
        let wrote = lines.add(|line| {
            let mut from = 0;
            let mut fields = ended.fields.iter();
            for (late, hole) in late.zip(&visit.holes) {
                let hole = *hole as usize;
                line.extend_from_slice(&visit.text[from..hole]);
                self.push_late(line, late, ended, &mut fields);
                from = hole;
            }
            line.extend_from_slice(&visit.text[from..]);
        });
        drop((lines, steps));
        if wrote.is_full() {
            self.flush();
        }
    }

    /// Writes what has gathered, as far as it is taken. A log that cannot be written loses lines, never
    /// requests, and that is told once until it can be written again.
    pub(crate) fn flush(&self) {
        self.dates.refresh();
        if let Some(sink) = &*self.sink.borrow() {
            self.lines.borrow_mut().write(sink);
        }
    }

    /// The same at the end of the process, when there is a little time for a slow reader.
    pub(crate) fn finish(&self) {
        self.flush();
        let Some(sink) = &*self.sink.borrow() else {
            return;
        };
        let end = Instant::now() + LAST_CHANCE;
        let mut lines = self.lines.borrow_mut();
        while !lines.is_empty() && Instant::now() < end {
            sink.wait(LAST_CHANCE_STEP);
            lines.write(sink);
        }
        lines.give_up();
    }
}

impl Client {
    /// How it is shown.
    fn text(&mut self, ip: IpAddr) -> &str {
        if self.ip != Some(ip) {
            self.ip = Some(ip);
            self.text = ip.to_string();
        }
        &self.text
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.flush();
    }
}

#[inline(always)]
fn push_late(line: &mut Vec<u8>, late: &Late, ended: &Ended<'_>) {
    match late {
        Late::Status => push_number(line, ended.status.into()),
        Late::SentOrDash if ended.sent == 0 => line.push(b'-'),
        Late::Sent | Late::SentOrDash => push_number(line, ended.sent),
        Late::Received => push_number(line, ended.received),
        Late::Took(unit) => push_time(line, ended.took_ns, *unit),
        Late::FirstByte(unit) => push_time(line, ended.first_byte_ns, *unit),
        Late::Queued(unit) => push_time(line, ended.queued_ns, *unit),
        // Whoever goes through the line has these in their order.
        Late::Field(_) => {}
    }
}

fn push_time(line: &mut Vec<u8>, nanoseconds: u64, unit: Unit) {
    match unit {
        Unit::Seconds => push_number(line, nanoseconds / 1_000_000_000),
        Unit::Milliseconds => push_number(line, nanoseconds / 1_000_000),
        Unit::Microseconds => push_number(line, nanoseconds / 1_000),
        Unit::Decimal => push_decimal(line, nanoseconds / 1_000, 6),
        Unit::DecimalMilliseconds => push_decimal(line, nanoseconds / 1_000, 3),
    }
}

/// Bytes of JSON's strings. All of them together are less than a pipe takes at once.
const METHOD: usize = 32;
const SHORT: usize = 255;
const FIELD: usize = 512;
const LONG: usize = 1_280;
/// Memory that is kept for the next line.
const SPARE_BYTES: usize = 8 * 1024;
/// For a reader at the end of the process.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// In milliseconds.
const LAST_CHANCE_STEP: u16 = 100;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::path::Path;

    use super::super::sink::open;
    use super::*;

    const ENDED: Ended<'static> = Ended {
        status: 200,
        received: 3,
        sent: 13,
        took_ns: 1_234_567,
        first_byte_ns: 1_000_999,
        queued_ns: 0,
        fields: &[],
    };

    /// A request with a client's text in target and user agent.
    struct Asked(&'static [u8]);

    impl Request for Asked {
        fn client(&self) -> Option<IpAddr> {
            Some([127, 0, 0, 1].into())
        }

        fn began_ns(&self) -> u64 {
            1
        }

        fn method(&self) -> &[u8] {
            b"GET"
        }

        fn target(&self) -> &[u8] {
            self.0
        }

        fn path(&self) -> &[u8] {
            self.0
        }

        fn query(&self) -> &[u8] {
            b""
        }

        fn version(&self) -> &'static str {
            "HTTP/1.1"
        }

        fn line(&self) -> Option<&[u8]> {
            None
        }

        fn scheme(&self) -> &'static str {
            "http"
        }

        fn host(&self) -> &[u8] {
            b"localhost"
        }

        fn id(&self) -> Option<Cow<'_, str>> {
            Some("1-2".into())
        }

        fn field(&self, name: &[u8], _id: u16) -> Option<&[u8]> {
            (name == b"user-agent").then_some(self.0)
        }

        fn app(&self) -> Option<&str> {
            None
        }
    }

    /// The lines of requests in a format, each with a client's text in target and user agent.
    fn lines(format: &str, texts: &[&'static [u8]]) -> String {
        let [one, other] = [false, true].map(|at_once| lines_written(format, texts, at_once));
        // Only the second may be another.
        assert_eq!(one.len(), other.len(), "{one}{other}");
        other
    }

    fn lines_written(format: &str, texts: &[&'static [u8]], at_once: bool) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let manner = Manner {
            format: Format::parse(format).unwrap(),
            selection: Selection::default(),
        };
        let log = AccessLog::of(&LogTarget::File(file.path().to_owned()), manner).unwrap();
        log.introduce(3, "an \"app\"");
        for text in texts {
            let request = Asked(text);
            match at_once {
                true => log.write(&request, &ENDED),
                false => log.record(log.visit(&request), &ENDED),
            }
        }
        // They wait for the file, and go to the one that was there before.
        log.flush();
        log.write_to(open(file.path()).unwrap());
        log.write_to(open(Path::new("/dev/null")).unwrap());
        drop(log);
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn a_line_is_in_the_combined_format_and_cannot_be_forged() {
        let text = lines("combined", &[b"/\"\n\xff"]);
        let (start, rest) = text.split_once('[').unwrap();
        let (time, rest) = rest.split_once(']').unwrap();
        assert_eq!(start, "127.0.0.1 - - ");
        assert_eq!(time.len(), "22/Nov/2026:05:18:49 +0000".len(), "{time}");
        assert_eq!(
            rest,
            " \"GET /\\\"\\x0a\\xff HTTP/1.1\" 200 13 \"-\" \"/\\\"\\x0a\\xff\"\n"
        );
    }

    #[test]
    fn a_format_says_what_is_asked_for() {
        let text = lines("%m %U %s %b %D %M %(L)s %F %Q %w %i %{x-y}i %A", &[b"/a"]);
        assert_eq!(
            text,
            "GET /a 200 13 1234 1 0.001234 0.001000 0.000000 3 1-2 - an \\\"app\\\"\n"
        );
    }

    #[test]
    fn json_is_json_whatever_clients_send_and_never_longer_than_a_pipe_takes() {
        let long: &'static [u8] = &[1; 9_000];
        let texts: [&[u8]; 3] = [b"/a\",\"status\":500,\"x\":\"", b"/\xff\r\n", long];
        let text = lines("json", &texts);
        for (line, sent) in text.lines().zip(texts) {
            assert!(line.len() < 4096, "{}", line.len());
            let read: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(read["status"], 200);
            assert_eq!(read["duration_ms"], 1.234);
            assert_eq!(read["worker"], 3);
            assert_eq!(read["app"], "an \"app\"");
            assert_eq!(read["referer"], serde_json::Value::Null);
            let target = read["target"].as_str().unwrap();
            let whole = String::from_utf8_lossy(sent);
            let shown = target.trim_end_matches('…');
            assert!(whole.starts_with(shown) && !shown.is_empty());
        }
        assert_eq!(text.lines().count(), texts.len());
    }
}
