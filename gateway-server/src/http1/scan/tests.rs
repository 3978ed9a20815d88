use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::*;

/// Bytes that end runs often enough, and not too often.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let plain = prop_oneof![
        20 => b'a'..=b'z', 5 => b'A'..=b'Z', 3 => b'-'..=b'9', 1 => any::<u8>(),
    ];
    proptest::collection::vec(plain, 0..80)
}

proptest! {
    #[test]
    fn blocks_and_bytes_agree(bytes in bytes(), from in 0_usize..80) {
        let from = from.min(bytes.len());
        prop_assert_eq!(value_end(&bytes, from), run_end(&bytes, from, VALUE));
        prop_assert_eq!(plain_end(&bytes, from), run_end(&bytes, from, PLAIN));
        let end = run_end(&bytes, from, TARGET);
        let query = bytes[from..end].iter().position(|&b| b == b'?').map_or(end, |at| from + at);
        prop_assert_eq!(target_end(&bytes, from), (end, query));
        let mut lowered = bytes.clone();
        let end = lower_token(&mut lowered, from);
        prop_assert_eq!(end, run_end(&bytes, from, TOKEN));
        let mut expected = bytes.clone();
        expected[from..end].make_ascii_lowercase();
        prop_assert_eq!(&lowered, &expected);
    }
}

#[test]
fn every_byte_is_classed_the_same_in_a_block() {
    for byte in 0..=u8::MAX {
        let mut bytes = vec![b'a'; 40];
        for at in [0, 15, 16, 30, 39] {
            bytes[at] = byte;
            assert_eq!(value_end(&bytes, 0), run_end(&bytes, 0, VALUE));
            assert_eq!(plain_end(&bytes, 0), run_end(&bytes, 0, PLAIN));
            assert_eq!(target_end(&bytes, 0).0, run_end(&bytes, 0, TARGET));
            let end = run_end(&bytes, 0, TOKEN);
            assert_eq!(lower_token(&mut bytes.clone(), 0), end);
            bytes[at] = b'a';
        }
    }
}
