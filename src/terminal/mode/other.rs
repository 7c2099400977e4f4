//! Where terminals have no modes that a program must give back.

use crate::terminal::printable::Printable;

pub(super) fn start_quiet() {}

pub(super) fn end_quiet() {}

pub(super) fn start_usual() {}

pub(super) fn end_usual() {}

pub(super) fn typed() -> Vec<u8> {
    Vec::new()
}

pub(super) fn take_keys(_: &mut Vec<u8>) {}

pub(crate) fn note_editing(_: bool) {}

pub(crate) fn is_quiet() -> bool {
    false
}

pub(crate) fn give_back() {}

pub(crate) fn is_gone() -> bool {
    false
}

pub(crate) fn suspend() {}

pub(crate) fn resume() {}

pub(crate) fn suspend_group() {}

pub(crate) fn columns() -> usize {
    80
}

pub(crate) fn tell(_: &Printable) {}
