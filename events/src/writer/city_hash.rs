//! CityHash64 1.0.2: by which the tables of a cluster are sharded.
//!
//! Written here because of the crates the kept ones have the 128-bit hash only, and the one with this hash panics where
//! debug builds check for overflow. The server's own hash is what the integration tests hold it against.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;
const MIX: u64 = 0x9ddf_ea08_eb38_2d69;

/// What ClickHouse's `cityHash64` makes of several values: of the hash so far, and that of the next.
pub(super) fn combine(left: u64, right: u64) -> u64 {
    let mixed = |a: u64| {
        let product = (a ^ right).wrapping_mul(MIX);
        product ^ product >> 47
    };
    mixed(mixed(left)).wrapping_mul(MIX)
}

/// What ClickHouse's `cityHash64` makes of one text, or of the bytes of a UUID.
pub(super) fn hash(data: &[u8]) -> u64 {
    match data.len() {
        0..=16 => up_to_16(data),
        17..=32 => up_to_32(data),
        33..=64 => up_to_64(data),
        _ => longer(data),
    }
}

fn up_to_16(data: &[u8]) -> u64 {
    let length = data.len() as u64;
    let end = data.len();
    match end {
        0 => K2,
        1..=3 => {
            let y = u64::from(data[0]) + (u64::from(data[end / 2]) << 8);
            let z = length + (u64::from(data[end - 1]) << 2);
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K3)).wrapping_mul(K2)
        }
        4..=8 => combine((half_word(data, 0) << 3) + length, half_word(data, end - 4)),
        _ => {
            let last = word(data, end - 8);
            let turned = last.wrapping_add(length).rotate_right(end as u32);
            combine(word(data, 0), turned) ^ last
        }
    }
}

fn up_to_32(data: &[u8]) -> u64 {
    let end = data.len();
    let a = word(data, 0).wrapping_mul(K1);
    let b = word(data, 8);
    let c = word(data, end - 8).wrapping_mul(K2);
    let d = word(data, end - 16).wrapping_mul(K0);
    combine(
        a.wrapping_sub(b).rotate_right(43).wrapping_add(c.rotate_right(30)).wrapping_add(d),
        a.wrapping_add((b ^ K3).rotate_right(20)).wrapping_sub(c).wrapping_add(end as u64),
    )
}

fn up_to_64(data: &[u8]) -> u64 {
    let end = data.len();
    /// Two sums over 32 bytes: their words, the last of which is `z`, from `a` on.
    fn half(a: u64, words: [u64; 2], z: u64) -> (u64, u64) {
        let b = a.wrapping_add(z).rotate_right(52);
        let c = a.rotate_right(37);
        let a = a.wrapping_add(words[0]);
        let c = c.wrapping_add(a.rotate_right(7));
        let a = a.wrapping_add(words[1]);
        (a.wrapping_add(z), b.wrapping_add(a.rotate_right(31)).wrapping_add(c))
    }
    let seed = word(data, end - 16).wrapping_add(end as u64).wrapping_mul(K0);
    let (v0, v1) = half(word(data, 0).wrapping_add(seed), [word(data, 8), word(data, 16)], word(data, 24));
    let seed = word(data, 16).wrapping_add(word(data, end - 32));
    let (w0, w1) = half(seed, [word(data, end - 24), word(data, end - 16)], word(data, end - 8));
    let sums = v0.wrapping_add(w1).wrapping_mul(K2).wrapping_add(w0.wrapping_add(v1).wrapping_mul(K0));
    shift_mix(shift_mix(sums).wrapping_mul(K0).wrapping_add(v1)).wrapping_mul(K2)
}

fn longer(data: &[u8]) -> u64 {
    let end = data.len();
    let length = end as u64;
    let mut y = word(data, end - 16) ^ K1;
    let mut z = word(data, end - 56) ^ K0;
    let mut v = pair(&data[end - 64..], length, y);
    let mut w = pair(&data[end - 32..], length.wrapping_mul(K1), K0);
    z = z.wrapping_add(shift_mix(v.1).wrapping_mul(K1));
    let mut x = z.wrapping_add(word(data, 0)).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    // The last piece is left to the words from the end, also where it is whole.
    for piece in data[..(end - 1) / 64 * 64].chunks_exact(64) {
        x = x
            .wrapping_add(y)
            .wrapping_add(v.0)
            .wrapping_add(word(piece, 16))
            .rotate_right(37)
            .wrapping_mul(K1);
        y = y.wrapping_add(v.1).wrapping_add(word(piece, 48)).rotate_right(42).wrapping_mul(K1);
        x ^= w.1;
        y ^= v.0;
        z = (z ^ w.0).rotate_right(33);
        v = pair(piece, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = pair(&piece[32..], z.wrapping_add(w.1), y);
        std::mem::swap(&mut z, &mut x);
    }
    combine(
        combine(v.0, w.0).wrapping_add(shift_mix(y).wrapping_mul(K1)).wrapping_add(z),
        combine(v.1, w.1).wrapping_add(x),
    )
}

/// Two weak hashes of 32 bytes.
fn pair(data: &[u8], a: u64, b: u64) -> (u64, u64) {
    let a = a.wrapping_add(word(data, 0));
    let b = b.wrapping_add(a).wrapping_add(word(data, 24)).rotate_right(21);
    let sum = a.wrapping_add(word(data, 8)).wrapping_add(word(data, 16));
    (sum.wrapping_add(word(data, 24)), b.wrapping_add(sum.rotate_right(44)).wrapping_add(a))
}

fn shift_mix(value: u64) -> u64 {
    value ^ value >> 47
}

fn word(data: &[u8], at: usize) -> u64 {
    let bytes = data[at..].first_chunk().expect("the caller knows the length");
    u64::from_le_bytes(*bytes)
}

fn half_word(data: &[u8], at: usize) -> u64 {
    let bytes = data[at..].first_chunk().expect("the caller knows the length");
    u64::from(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT cityHash64(repeat('abcdefg', n))`.
    const OF_REPEATED: [(usize, u64); 8] = [
        (0, 11_160_318_154_034_397_263),
        (1, 9_365_486_912_795_408_122),
        (2, 436_027_701_728_636_752),
        (3, 5_470_826_374_601_310_333),
        (5, 4_313_086_700_439_904_628),
        (10, 7_208_683_794_435_689_082),
        (20, 8_870_495_382_192_593_939),
        (40, 1_750_546_775_071_355_779),
    ];

    #[test]
    fn hashes_are_those_of_the_server() {
        for (times, expected) in OF_REPEATED {
            assert_eq!(hash("abcdefg".repeat(times).as_bytes()), expected, "{times}");
        }
        // SELECT cityHash64('acme', 'octocat')
        assert_eq!(combine(hash(b"acme"), hash(b"octocat")), 5_487_830_680_544_213_669);
    }

    #[test]
    fn texts_of_every_length_hash_as_on_the_server() {
        // SELECT sum(cityHash64(substring(repeat('0123456789ab', 40), 1, number)) * (number + 1)) FROM numbers(401)
        let text = "0123456789ab".repeat(40);
        let sum = (0..=400_usize).fold(0_u64, |sum, length| {
            sum.wrapping_add(hash(&text.as_bytes()[..length]).wrapping_mul(length as u64 + 1))
        });
        assert_eq!(sum, 14_972_983_735_340_987_832);
    }
}
