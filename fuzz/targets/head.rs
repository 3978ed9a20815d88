//! A head's verdict depends neither on how its bytes arrive nor on what stands behind them in the
//! buffer, and what is accepted keeps its promises.

use gateway_server::internal::http1::{BodyLength, Form, Head, HeadError, Version};
use gateway_server::internal::limits::HeadLimits;

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    // The last byte chooses the size of the pieces, the one before it the limits.
    let (bytes, piece, small) = match input {
        [bytes @ .., limits, piece] => (bytes, 1 + usize::from(*piece) % 32, limits % 2 == 1),
        _ => (input, 1, false),
    };
    let limits = if small {
        HeadLimits {
            request_line: 40,
            field_line: 30,
            fields: 4,
            head: 200,
        }
    } else {
        HeadLimits::default()
    };
    let mut whole_buf = bytes.to_vec();
    let mut whole = Head::default();
    let verdict = whole.parse(&mut whole_buf, &limits);
    let mut split_buf = bytes.to_vec();
    let mut split = Head::default();
    assert_eq!(
        in_pieces(&mut split, &mut split_buf, &limits, piece),
        verdict
    );
    let Ok(Some(length)) = verdict else { return };
    assert!(length <= bytes.len());
    assert_eq!(facts(&whole, &whole_buf), facts(&split, &split_buf));
    assert_eq!(whole_buf, split_buf);
    assert!(
        whole_buf.eq_ignore_ascii_case(bytes),
        "only the case of names changes"
    );
    assert_eq!(whole_buf[length..], bytes[length..]);
    keeps_its_promises(&whole, &whole_buf);
}

fn in_pieces(
    head: &mut Head,
    buf: &mut [u8],
    limits: &HeadLimits,
    piece: usize,
) -> Result<Option<usize>, HeadError> {
    let mut end = 0;
    loop {
        end = buf.len().min(end + piece);
        let verdict = head.parse_filled(buf, end, limits);
        if verdict != Ok(None) || end == buf.len() {
            return verdict;
        }
    }
}

fn facts(head: &Head, buf: &[u8]) -> String {
    let fields: Vec<_> = head
        .fields(buf)
        .map(|f| (f.name(), f.value(), f.name_id()))
        .collect();
    format!(
        "{:?}",
        (
            (
                head.method(buf),
                head.method_id(),
                head.target(buf),
                head.form()
            ),
            (
                head.path(buf),
                head.query(buf),
                head.authority(buf),
                head.version()
            ),
            (
                fields,
                head.body(),
                head.keep_alive(),
                head.expect_continue(),
                head.upgrade(buf)
            ),
        )
    )
}

fn keeps_its_promises(head: &Head, buf: &[u8]) {
    assert!(!head.method(buf).is_empty());
    let target = head.target(buf);
    assert!(target.iter().all(|&b| b > b' ' && b != 0x7F && b != b'#'));
    if head.form() == Form::Origin {
        assert_eq!(target[0], b'/');
        let query = head
            .query(buf)
            .map_or(vec![], |query| [b"?", query].concat());
        assert_eq!([head.path(buf), &query].concat(), target);
    }
    let mut hosts = 0;
    for field in head.fields(buf) {
        let (name, value) = (field.name(), field.value());
        assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_uppercase));
        assert!(name.iter().all(|&b| b > b' ' && b < 0x7F && b != b':'));
        assert!(
            value
                .iter()
                .all(|&b| (b >= b' ' && b != 0x7F) || b == b'\t')
        );
        assert_eq!(value.trim_ascii(), value);
        hosts += usize::from(name == b"host");
        for hop in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "transfer-encoding",
            "upgrade",
        ] {
            assert_ne!(name, hop.as_bytes());
        }
    }
    assert!(hosts == 1 || hosts == 0 && head.version() == Version::Http10);
    if head.body() == BodyLength::Chunked {
        assert_eq!(head.version(), Version::Http11);
        assert!(
            head.fields(buf)
                .all(|field| field.name() != b"content-length")
        );
    }
}
