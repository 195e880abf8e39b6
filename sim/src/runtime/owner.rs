//! Whom a task belongs to.

/// A machine of the world, or the world itself. Numbers are small and dense: they index tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(u16);

impl Owner {
    /// The world: the driver, links, and everything that no crash stops. Its clock is the true one.
    pub const WORLD: Self = Self(0);

    /// A machine, numbered from 1; 0 is the world.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Its place in a table.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::WORLD {
            return f.write_str("the world");
        }
        write!(f, "node {}", self.0)
    }
}
