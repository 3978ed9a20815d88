use super::*;
use crate::pairs::push;
use crate::record;

const LIMITS: Limits = Limits {
    variables: 1_000,
    connections: 64,
    idle_records: 3,
};

fn record(kind: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let mut bytes = record::of(kind, id, content.len()).to_vec();
    bytes[6] = padding;
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len() + usize::from(padding), 0xAA);
    bytes
}

fn begin(id: u16, role: u8, flags: u8) -> Vec<u8> {
    record(kind::BEGIN_REQUEST, id, &[0, role, flags, 0, 0, 0, 0, 0], 0)
}

fn params() -> Vec<u8> {
    let mut pairs = Vec::new();
    push(&mut pairs, b"REQUEST_METHOD", b"POST");
    push(&mut pairs, b"LONG", &[b'x'; 200]);
    pairs
}

/// A request with padded records, its variables and its body in two pieces each.
fn request() -> Vec<u8> {
    let params = params();
    let (one, two) = params.split_at(9);
    [
        begin(1, 1, 1),
        record(kind::PARAMS, 1, one, 7),
        record(kind::PARAMS, 1, two, 0),
        record(kind::PARAMS, 1, b"", 3),
        record(kind::STDIN, 1, b"hello ", 2),
        record(kind::STDIN, 1, b"world", 0),
        record(kind::STDIN, 1, b"", 8),
    ]
    .concat()
}

/// All that a decoder says of bytes that come in pieces of this size.
fn events(decoder: &mut Decoder, bytes: &[u8], piece: usize) -> Result<Vec<String>, Error> {
    let (mut told, mut buffer, mut body) = (Vec::new(), Vec::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            let Step { event, consumed } = decoder.decode(&buffer)?;
            if let Event::Data(range) = &event {
                body.extend_from_slice(&buffer[range.clone()]);
            }
            buffer.drain(..consumed);
            match event {
                Event::More => break,
                Event::Data(_) => {}
                Event::End => told.push(format!("End of {}", body.escape_ascii())),
                other => told.push(format!("{other:?}")),
            }
        }
    }
    assert!(buffer.len() < 2 * HEADER + BEGIN, "what is whole is taken");
    Ok(told)
}

#[test]
fn a_request_is_told_alike_however_its_bytes_arrive() {
    let bytes = [request(), request()].concat();
    for piece in (1..bytes.len()).rev() {
        let mut decoder = Decoder::new(LIMITS);
        let half = bytes.len() / 2;
        let told = ["Begin", "Variables", "End of hello world"];
        for half in [&bytes[..half], &bytes[half..]] {
            assert_eq!(events(&mut decoder, half, piece).unwrap(), told, "{piece}");
            assert_eq!(decoder.request(), Some(Begun { id: 1, keep: true }));
            let pairs: Vec<_> = decoder.variables().map(Result::unwrap).collect();
            assert_eq!(pairs[0], (&b"REQUEST_METHOD"[..], &b"POST"[..]));
            assert_eq!(pairs[1].1.len(), 200);
            decoder.answered();
            assert_eq!(decoder.request(), None);
        }
    }
}

#[test]
fn a_second_request_on_a_connection_is_told_that_there_cannot_be_two() {
    let mut decoder = Decoder::new(LIMITS);
    let mut bytes = begin(1, 1, 1);
    bytes.extend(begin(2, 1, 1));
    bytes.extend(record(kind::PARAMS, 2, &params(), 0));
    bytes.extend(record(kind::STDIN, 2, b"", 0));
    let told = events(&mut decoder, &bytes, 1).unwrap();
    let mut refusal = Vec::new();
    end_request(&mut refusal, 2, Protocol::CannotMultiplex);
    assert_eq!(
        told,
        ["Begin".to_owned(), format!("{:?}", Event::Reply(refusal))]
    );
    assert_eq!(decoder.variables().count(), 0);
    assert_eq!(decoder.request().unwrap().id, 1);
}

#[test]
fn only_responders_are_served() {
    let mut decoder = Decoder::new(LIMITS);
    let told = events(&mut decoder, &begin(5, 2, 0), 100).unwrap();
    let mut refusal = Vec::new();
    end_request(&mut refusal, 5, Protocol::UnknownRole);
    assert_eq!(told, [format!("{:?}", Event::Reply(refusal))]);
    assert_eq!(decoder.request(), None);
}

#[test]
fn values_are_answered_and_other_management_records_are_unknown() {
    let mut decoder = Decoder::new(LIMITS);
    let mut asked = Vec::new();
    for name in [&b"FCGI_MAX_CONNS"[..], b"FCGI_MPXS_CONNS", b"OTHER"] {
        push(&mut asked, name, b"");
    }
    let step = decoder
        .decode(&record(kind::GET_VALUES, 0, &asked, 0))
        .unwrap();
    let Event::Reply(reply) = step.event else {
        panic!("{step:?}")
    };
    assert_eq!(reply[1], kind::GET_VALUES_RESULT);
    let values: Vec<_> = Pairs::new(&reply[HEADER..]).map(Result::unwrap).collect();
    let expected = [
        (&b"FCGI_MAX_CONNS"[..], &b"64"[..]),
        (b"FCGI_MPXS_CONNS", b"0"),
    ];
    assert_eq!(values, expected);
    let step = decoder.decode(&record(77, 0, b"", 0)).unwrap();
    let unknown = record(kind::UNKNOWN_TYPE, 0, &[77, 0, 0, 0, 0, 0, 0, 0], 0);
    assert_eq!(step.event, Event::Reply(unknown));
}

#[test]
fn an_abort_is_told_while_there_is_something_to_abort() {
    let mut decoder = Decoder::new(LIMITS);
    let abort = record(kind::ABORT_REQUEST, 1, b"", 0);
    assert_eq!(events(&mut decoder, &abort, 1).unwrap(), [""; 0]);
    let bytes = [begin(1, 1, 1), abort.clone()].concat();
    assert_eq!(events(&mut decoder, &bytes, 1).unwrap(), ["Begin", "Abort"]);
    decoder.answered();
    assert_eq!(events(&mut decoder, &abort, 1).unwrap(), [""; 0]);
}

#[test]
fn what_is_left_of_an_answered_body_is_told_and_may_be_cut_short() {
    let mut decoder = Decoder::new(LIMITS);
    let whole = request();
    // Its last two records: 13 bytes, and 16.
    let body = whole.len() - 29;
    events(&mut decoder, &whole[..body], 7).unwrap();
    decoder.answered();
    assert_eq!(decoder.request(), None);
    let again = [begin(1, 1, 0), record(kind::PARAMS, 1, b"", 0)].concat();
    let mut rest = whole[body..].to_vec();
    rest.extend(&again);
    let told = events(&mut decoder, &rest, 5).unwrap();
    assert_eq!(told.last().unwrap(), "Variables");
    assert_eq!(decoder.request(), Some(Begun { id: 1, keep: false }));
}

#[test]
fn what_is_out_of_order_or_out_of_bounds_is_refused() {
    let begun = begin(1, 1, 0);
    let ended = record(kind::PARAMS, 1, b"", 0);
    let too_long = record(kind::PARAMS, 1, &[0; 1_001], 0);
    let unknown = record(77, 0, b"", 0);
    for (bytes, error) in [
        (vec![2; 8], Error::Version(2)),
        (record(kind::BEGIN_REQUEST, 1, b"", 0), Error::Begin),
        (begin(0, 1, 0), Error::Begin),
        ([begun.clone(), begun.clone()].concat(), Error::BegunTwice),
        (
            [begun.clone(), record(kind::STDIN, 1, b"x", 0)].concat(),
            Error::Order,
        ),
        ([begun.clone(), ended.clone(), ended].concat(), Error::Order),
        ([begun, too_long].concat(), Error::TooManyVariables),
        (
            record(kind::GET_VALUES, 0, &[0; 1_025], 0),
            Error::Management(1_025),
        ),
        (unknown.repeat(4), Error::TooManyRecords),
    ] {
        for piece in [1, 1_000] {
            let told = events(&mut Decoder::new(LIMITS), &bytes, piece);
            assert_eq!(told, Err(error));
        }
    }
}
