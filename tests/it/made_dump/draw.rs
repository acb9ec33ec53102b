//! Numbers that are drawn, and the same in every run: each follows from a seed and from what it is drawn for, so that a
//! row can be made without the rows before it.

/// A stream of numbers of its own.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Another stream, for `what` of that which this one is for.
    pub fn of(self, what: u64) -> Self {
        Self(mix(self.0 ^ mix(what.wrapping_add(STEP))))
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// At least 0 and less than 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Less than `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// True in `share` of all cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// One of `choices`, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let mut left = self.share() * choices.iter().map(|(_, weight)| weight).sum::<f64>();
        for (choice, weight) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        choices[0].0
    }

    /// A word of `length` letters that can be said.
    pub fn word(&mut self, length: usize) -> String {
        const CONSONANTS: &[u8; 16] = b"bcdfghklmnprstvz";
        const VOWELS: &[u8; 4] = b"aeio";
        let mut bits = self.number();
        let mut word = String::with_capacity(length);
        for at in 0..length {
            if at % 10 == 9 {
                bits = self.number();
            }
            let letter = if at % 2 == 0 { CONSONANTS[bits as usize % 16] } else { VOWELS[bits as usize % 4] };
            word.push(char::from(letter));
            bits >>= 6;
        }
        word
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the distance from one state to the next, and what makes a number of a state.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
