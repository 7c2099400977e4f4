//! Indentation counted in columns, as <https://spec.commonmark.org/0.31.2/#tabs> wants it: a tab reaches to the next
//! multiple of four.

/// A place in the white space at the start of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Bytes before this place.
    at: usize,
    /// Columns before this place.
    column: usize,
    /// Columns of the last tab that are still ahead.
    spare: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, column: 0, spare: 0 }
    }

    /// What follows, without the columns of a tab that is half passed.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Bytes before this place.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Columns of the last tab that are still ahead.
    pub(super) fn spare(&self) -> usize {
        self.spare
    }

    /// Columns of white space ahead.
    pub(super) fn indent(&self) -> usize {
        let mut ahead = *self;
        ahead.skip(usize::MAX);
        ahead.column - self.column
    }

    /// What follows the white space.
    pub(super) fn word(&self) -> &'a str {
        self.rest().trim_start_matches([' ', '\t'])
    }

    /// Passes columns of white space, as many as there are at most.
    pub(super) fn skip(&mut self, columns: usize) {
        let mut left = columns;
        while left > 0 {
            if self.spare == 0 {
                self.spare = match self.rest().bytes().next() {
                    Some(b' ') => 1,
                    Some(b'\t') => 4 - self.column % 4,
                    _ => return,
                };
                self.at += 1;
            }
            let passed = self.spare.min(left);
            self.spare -= passed;
            self.column += passed;
            left -= passed;
        }
    }

    /// Passes a marker of ASCII characters.
    pub(super) fn pass(&mut self, length: usize) {
        self.at += length;
        self.column += length;
    }

    /// What follows, with the columns of a half passed tab as spaces.
    pub(super) fn take_rest(&self) -> String {
        " ".repeat(self.spare) + self.rest()
    }
}
