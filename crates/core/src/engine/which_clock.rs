//! By which clock an input is done: the engine's, or one that is stamped with the stages of this one message.

use crate::types::Clock;

/// The clock that an input is done by. Chosen by its type, so that a choice costs nothing.
pub(super) trait WhichClock<C> {
    type Clock: Clock;

    fn of<'a>(&'a self, own: &'a C) -> &'a Self::Clock;
}

/// The engine's.
pub(super) struct Own;

/// One that is stamped.
pub(super) struct Stamped<'s, S>(pub(super) &'s S);

impl<C: Clock> WhichClock<C> for Own {
    type Clock = C;

    #[inline(always)]
    fn of<'a>(&'a self, own: &'a C) -> &'a C {
        own
    }
}

impl<C, S: Clock> WhichClock<C> for Stamped<'_, S> {
    type Clock = S;

    #[inline(always)]
    fn of<'a>(&'a self, _own: &'a C) -> &'a S {
        self.0
    }
}
