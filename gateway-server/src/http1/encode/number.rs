//! Numbers in a head.

use super::outgoing::Page;

/// Writes `number` in decimal at `at`, behind which there must be room for [`LONGEST`] bytes: where
/// it ends.
#[inline(always)]
pub(super) fn decimal(page: &mut Page, at: usize, number: u64) -> usize {
    // Four digits are a word, the first one lowest; those that lead are shifted out.
    let (word, count) = match u32::try_from(number) {
        Ok(number @ 0..=99) => SHORT[number as usize],
        Ok(number @ 100..=9_999) => {
            let count = 3 + u32::from(number > 999);
            let word = pair(number / 100) | pair(number % 100) << 16;
            (word >> (32 - 8 * count), count)
        }
        _ => return long_decimal(page, at, number),
    };
    page[at..at + 4].copy_from_slice(&word.to_le_bytes());
    at + count as usize
}

/// Two digits, the first one lowest.
#[inline(always)]
const fn pair(number: u32) -> u32 {
    let tens = number / 10;
    0x3030 + tens + ((number - 10 * tens) << 8)
}

#[inline(never)]
fn long_decimal(page: &mut Page, at: usize, number: u64) -> usize {
    let mut digits = [0; LONGEST];
    let mut from = digits.len();
    let mut left = number;
    loop {
        from -= 1;
        digits[from] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    let digits = &digits[from..];
    page[at..at + digits.len()].copy_from_slice(digits);
    at + digits.len()
}

/// The digits of each number below 100, and how many they are.
static SHORT: [(u32, u32); 100] = {
    let mut short = [(0, 0); 100];
    let mut number = 0;
    while number < 100 {
        let count = if number > 9 { 2 } else { 1 };
        short[number as usize] = (pair(number) >> (16 - 8 * count), count);
        number += 1;
    }
    short
};

/// Digits of the greatest number.
pub(super) const LONGEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::encode::outgoing::PAGE;

    #[test]
    fn numbers_are_written_as_everywhere() {
        let around = (1..20).map(|exponent| 10_u64.pow(exponent));
        let around = around.flat_map(|power| [power - 1, power, power + 1]);
        for number in (0..20_000).chain(around).chain([u64::MAX]) {
            let mut page = [b'x'; PAGE];
            let end = decimal(&mut page, 7, number);
            assert_eq!(page[7..end], *number.to_string().as_bytes());
        }
    }
}
