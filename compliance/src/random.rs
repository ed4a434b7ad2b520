//! Numbers that look random and are the same in each run.

/// Knuth's MMIX generator, from its seed.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number, from 0 and less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }

    /// Yes, once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// Up to `most` of these, one after the other.
    pub fn some(&mut self, most: usize, of: &[&[u8]]) -> Vec<u8> {
        (0..self.below(most + 1))
            .flat_map(|_| self.pick(of).to_vec())
            .collect()
    }
}
