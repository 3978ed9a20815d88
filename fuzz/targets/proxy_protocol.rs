//! A PROXY header's verdict stands with the byte that decides it and not before, whatever comes behind;
//! no header is longer than its version's limit.

use gateway_server::internal::proxy_protocol::{Source, parse};

/// Asserts it of one input.
pub(crate) fn run(input: &[u8]) {
    let verdict = parse(input);
    let mut decided = false;
    for end in 0..=input.len() {
        let early = parse(&input[..end]);
        if decided || early != Ok(None) {
            decided = true;
            assert_eq!(early, verdict, "after {end} bytes");
        }
    }
    let Ok(Some((introduction, length))) = verdict else {
        return;
    };
    assert!(length <= input.len());
    let line = input.starts_with(b"PROXY ");
    assert!(length <= if line { 107 } else { 16 + 216 + 4_096 });
    assert!(!line || input[..length].ends_with(b"\r\n"));
    // Nobody is named but by a proxy that speaks for somebody.
    let named = matches!(introduction.source, Source::Client(_));
    if named && !line {
        assert_eq!(input[12], 0x21);
    }
    assert!(named || !introduction.tls);
}
