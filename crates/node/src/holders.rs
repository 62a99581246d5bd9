//! Who in JavaScript holds an engine, and that one without holders gives its memory back.
//!
//! Node runs the finalizers of collected objects in a later turn, so a program that opens and drops engines within one turn
//! would keep all of them. So every engine that is made looks first for those whose holders are gone.

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;
use std::rc::{Rc, Weak};

use napi::{Env, sys};

use crate::guard::{Owned, Result};
use crate::state::State;

/// An engine's state as its holders share it, on the one thread of all. No borrow is held while JavaScript can run, so none
/// meets another.
pub(crate) struct Held {
    state: RefCell<Owned<State>>,
    /// Objects that were not found collected yet.
    holders: Cell<usize>,
}

/// An object that holds an engine.
struct Holder {
    env: sys::napi_env,
    /// Does not keep the object alive.
    reference: sys::napi_ref,
    held: Weak<Held>,
}

thread_local! {
    static HOLDERS: RefCell<Vec<Holder>> = const { RefCell::new(Vec::new()) };
}

impl Held {
    pub(crate) fn new(state: State) -> Rc<Self> {
        Rc::new(Self { state: RefCell::new(Owned::Open(state)), holders: Cell::new(0) })
    }

    /// Runs an export's body.
    #[inline]
    pub(crate) fn run<T>(&self, body: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        self.state.borrow_mut().run(body)
    }

    /// Ends the engine for all of its holders.
    pub(crate) fn close(&self) -> Result<()> {
        self.state.borrow_mut().close()
    }

    /// Counts an object of the running call as a holder.
    pub(crate) fn add_holder(self: &Rc<Self>, env: &Env, object: sys::napi_value) {
        let (env, mut reference) = (env.raw(), null_mut());
        // SAFETY: environment and object are those of the running call.
        let status = unsafe { sys::napi_create_reference(env, object, 0, &mut reference) };
        self.holders.set(self.holders.get() + 1);
        // Without a reference the object counts for good: its finalizer alone gives the memory back.
        if status == sys::Status::napi_ok {
            let holder = Holder { env, reference, held: Rc::downgrade(self) };
            HOLDERS.with_borrow_mut(|holders| holders.push(holder));
        }
    }
}

/// Closes the engines whose holders have all been collected. Cost: some 20 ns for each holder.
pub(crate) fn close_unheld(env: &Env) {
    HOLDERS.with_borrow_mut(|holders| holders.retain(|holder| holder.env != env.raw() || holder.is_alive()));
}

impl Holder {
    /// Whether the object is alive. When it is not, it is counted out, and the reference is given back.
    fn is_alive(&self) -> bool {
        let (mut object, mut scope) = (null_mut(), null_mut());
        // SAFETY:
        // - the reference is of this environment, which is that of the running call, and is deleted once: what is no longer
        //   alive leaves the list;
        // - the scope is closed before anything else, so that asking for the object does not keep it until the call's end.
        unsafe {
            if sys::napi_open_handle_scope(self.env, &mut scope) != sys::Status::napi_ok {
                return true;
            }
            let status = sys::napi_get_reference_value(self.env, self.reference, &mut object);
            sys::napi_close_handle_scope(self.env, scope);
            if status != sys::Status::napi_ok || !object.is_null() {
                return true;
            }
            sys::napi_delete_reference(self.env, self.reference);
        }
        if let Some(held) = self.held.upgrade() {
            held.holders.set(held.holders.get() - 1);
            if held.holders.get() == 0 {
                // Nobody is left to be told that it ended by a panic.
                let _ = held.close();
            }
        }
        false
    }
}
