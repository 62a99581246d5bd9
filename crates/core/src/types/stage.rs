//! The stages of a received message, for whoever wants to know where its time went.

/// What has just ended of a message, as [`Clock::stamp`](super::Clock::stamp) is told. Whatever lies between two stamps belongs to the
/// second, so that the stages of a message add up to its whole time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Its room has read the bytes: what they say lies in the arena. Once for each message.
    Decoded = 0,
    /// It was decided whether a change or a whole book continues what is there. Of what the venue numbers, or what is asked for.
    Sequenced = 1,
    /// The book has it, and has been held to what the venue says of it: checksum, top, side of a level.
    Applied = 2,
    /// What follows from one event lies in the outbox; of the last one, where its reader takes it from.
    Encoded = 3,
    /// It was handed to those who send. The engine does not know of it.
    Published = 4,
}

impl Stage {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// Every stage, in the order in which they end.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Decoded, Self::Sequenced, Self::Applied, Self::Encoded, Self::Published];

    /// The stage's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decoded => "decoded",
            Self::Sequenced => "sequenced",
            Self::Applied => "applied",
            Self::Encoded => "encoded",
            Self::Published => "published",
        }
    }
}
