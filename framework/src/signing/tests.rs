//! Vectors were made by itsdangerous 2.2 under Flask 3.1.

use super::*;

const SECRET: &[u8] = b"dev-secret-key";
const PAYLOAD: &str = "eyJfcGVybWFuZW50Ijp0cnVlLCJ1c2VyX2lkIjo0Mn0";
const TOKEN: &str =
    "eyJfcGVybWFuZW50Ijp0cnVlLCJ1c2VyX2lkIjo0Mn0.ZVPxAA.DzV6BfiKdM1zXWfEA6585EEJa2k";
const COMPRESSED: &str = ".eJyrVkrKTFeyUqoYJkCpFgBptWCt.ZVPxAA.WP9QqKm9PCNPBYw_PURtETWTfS8";

fn flask() -> Signer {
    Signer::new([SECRET], "cookie-session", Derivation::Hmac)
}

fn signed_at() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

#[test]
fn a_cookie_is_signed_as_flask_signs_it() {
    assert_eq!(flask().sign(PAYLOAD, signed_at()).as_deref(), Some(TOKEN));
}

#[test]
fn a_cookie_that_flask_has_signed_verifies() {
    let signed = flask().verify(TOKEN, signed_at(), None).unwrap();
    assert_eq!((signed.payload, signed.at), (PAYLOAD, signed_at()));
    let json = unpack(signed.payload, 1024).unwrap();
    assert_eq!(json, br#"{"_permanent":true,"user_id":42}"#);
}

#[test]
fn a_compressed_payload_is_unpacked() {
    let signed = flask().verify(COMPRESSED, signed_at(), None).unwrap();
    let json = unpack(signed.payload, 1024).unwrap();
    assert_eq!(
        json,
        format!(r#"{{"big":"{}"}}"#, "x".repeat(200)).as_bytes()
    );
    assert_eq!(unpack(&pack(&json), 1024).unwrap(), json);
    assert!(pack(&json).starts_with('.'));
}

#[test]
fn a_payload_never_unpacks_to_more_than_its_limit() {
    let bomb = pack(&vec![0; 1 << 20]);
    assert_eq!(unpack(&bomb, 4096), Err(BadPayload::TooLong(4096)));
    assert_eq!(unpack(&pack(b"abcdef"), 5), Err(BadPayload::TooLong(5)));
    assert_eq!(unpack(".AAAA", 4096), Err(BadPayload::Compression));
    assert_eq!(unpack("ab=c", 4096), Err(BadPayload::Encoding));
}

#[test]
fn a_former_secret_verifies_and_the_present_one_signs() {
    let both = Signer::new([&b"new"[..], SECRET], "cookie-session", Derivation::Hmac);
    assert!(both.verify(TOKEN, signed_at(), None).is_ok());
    let new = both.sign(PAYLOAD, signed_at()).unwrap();
    let verdict = flask().verify(&new, signed_at(), None);
    assert_eq!(verdict, Err(BadSignature::Mismatch));
}

#[test]
fn a_token_of_another_purpose_does_not_verify() {
    let other = Signer::new([SECRET], "password-reset", Derivation::Hmac);
    let verdict = other.verify(TOKEN, signed_at(), None);
    assert_eq!(verdict, Err(BadSignature::Mismatch));
}

#[test]
fn any_changed_character_is_noticed() {
    for at in 0..TOKEN.len() {
        let mut changed = TOKEN.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let verdict = flask().verify(&changed, signed_at(), None);
        assert!(verdict.is_err(), "{changed}");
    }
}

#[test]
fn age_is_judged_to_the_second() {
    let allowed = Duration::from_secs(60);
    let verify = |later| {
        flask().verify(
            TOKEN,
            signed_at() + Duration::from_secs(later),
            Some(allowed),
        )
    };
    assert!(verify(60).is_ok());
    let age = Duration::from_secs(61);
    assert_eq!(verify(61), Err(BadSignature::Expired { age, allowed }));
    let before = signed_at() - Duration::from_secs(1);
    let verdict = flask().verify(TOKEN, before, Some(allowed));
    assert_eq!(verdict, Err(BadSignature::Future));
}

#[test]
fn what_is_no_token_is_called_malformed() {
    for token in ["", "abc", "abc.!"] {
        let verdict = flask().verify(token, signed_at(), None);
        assert_eq!(verdict, Err(BadSignature::Malformed), "{token}");
    }
}

#[test]
fn without_a_secret_nothing_is_signed_and_nothing_verifies() {
    let none = Signer::new([], "cookie-session", Derivation::Hmac);
    assert_eq!(none.sign(PAYLOAD, signed_at()), None);
    let verdict = none.verify(TOKEN, signed_at(), None);
    assert_eq!(verdict, Err(BadSignature::Mismatch));
}
