//! Numbers in lines.

use super::line::Line;

/// Appends a number in decimal.
#[inline(always)]
pub(super) fn push_number(line: &mut Line<'_>, number: u64) {
    match usize::try_from(number).ok().and_then(|at| SMALL.get(at)) {
        Some([digits @ .., length]) => {
            let [a, b, c] = *digits;
            line.push_short(([a, b, c, 0, 0, 0, 0, 0], usize::from(*length)));
        }
        None => push_large(line, number),
    }
}

#[inline(never)]
fn push_large(line: &mut Line<'_>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        let digit = (rest % 10) as u8;
        digits[at] = b'0' + digit;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// Appends a number with so many decimals, of which it counts the last.
pub(super) fn push_decimal(line: &mut Line<'_>, number: u64, decimals: u32) {
    let scale = 10_u64.pow(decimals);
    push_number(line, number / scale);
    line.push(b'.');
    let rest = number % scale;
    let mut digit = scale / 10;
    while digit > 0 {
        line.push(b'0' + (rest / digit % 10) as u8);
        digit /= 10;
    }
}

/// The digits of the numbers below 1000, and how many these are.
static SMALL: [[u8; 4]; 1000] = {
    let mut small = [[0; 4]; 1000];
    let mut number = 0_u16;
    while number < 1000 {
        let [ones, tens, hundreds] = [number % 10, number / 10 % 10, number / 100];
        let [ones, tens, hundreds] = [
            b'0' + ones.to_le_bytes()[0],
            b'0' + tens.to_le_bytes()[0],
            b'0' + hundreds.to_le_bytes()[0],
        ];
        small[number as usize] = match number {
            0..10 => [ones, 0, 0, 1],
            10..100 => [tens, ones, 0, 2],
            _ => [hundreds, tens, ones, 3],
        };
        number += 1;
    }
    small
};

#[cfg(test)]
mod tests {
    use super::super::line::PAGE;
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        let mut page = [0; PAGE];
        let mut line = Line::on(&mut page);
        for number in [0, 7, 10, 99, 100, 999, 1000] {
            push_number(&mut line, number);
            line.push(b' ');
        }
        assert_eq!(*line, *b"0 7 10 99 100 999 1000 ");
        line.truncate(0);
        for number in [0, 7, 1234, u64::MAX] {
            push_number(&mut line, number);
            line.push(b' ');
        }
        push_decimal(&mut line, 1_000_042, 6);
        assert_eq!(*line, *b"0 7 1234 18446744073709551615 1.000042");
    }
}
