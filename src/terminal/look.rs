//! How text looks on a terminal: only what every terminal shows legibly on light and on dark backgrounds. The default
//! foreground with bold, dim, italic and underline is always legible; of the 16 ANSI colours white, black, yellow and the
//! bright ones are not, because they come close to one of the two backgrounds.

use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Blue,
    Magenta,
    Cyan,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a terminal switches each of them by itself")]
pub(crate) struct Look {
    pub(crate) bold: bool,
    pub(crate) dim: bool,
    pub(crate) italic: bool,
    pub(crate) underline: bool,
    pub(crate) struck: bool,
    /// `None` for the default foreground.
    pub(crate) colour: Option<Colour>,
}

impl Look {
    pub(crate) const PLAIN: Self =
        Self { bold: false, dim: false, italic: false, underline: false, struck: false, colour: None };
    pub(crate) const DIM: Self = Self { dim: true, ..Self::PLAIN };
    pub(crate) const BOLD: Self = Self { bold: true, ..Self::PLAIN };

    pub(crate) const fn coloured(colour: Colour) -> Self {
        Self { colour: Some(colour), ..Self::PLAIN }
    }

    /// Both at once. The second one's colour wins.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            bold: self.bold || other.bold,
            dim: self.dim || other.dim,
            italic: self.italic || other.italic,
            underline: self.underline || other.underline,
            struck: self.struck || other.struck,
            colour: other.colour.or(self.colour),
        }
    }

    /// The parameters of Select Graphic Rendition (ECMA-48, 8.3.117), with semicolons. Empty for a plain look.
    pub(super) fn parameters(self) -> String {
        let Self { bold, dim, italic, underline, struck, colour } = self;
        let colour = colour.map(|colour| match colour {
            Colour::Red => "31",
            Colour::Green => "32",
            Colour::Blue => "34",
            Colour::Magenta => "35",
            Colour::Cyan => "36",
        });
        let switches = [(bold, "1"), (dim, "2"), (italic, "3"), (underline, "4"), (struck, "9")];
        let on = switches.iter().filter(|(is_on, _)| *is_on).map(|(_, parameter)| *parameter);
        on.chain(colour).collect::<Vec<_>>().join(";")
    }
}

/// A link that a terminal opens on a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The same for all parts of one link, so that a terminal marks them together.
    pub(crate) id: u32,
    pub(crate) url: Arc<str>,
}

/// How a piece of text is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) look: Look,
    pub(crate) link: Option<Link>,
}

impl From<Look> for Format {
    fn from(look: Look) -> Self {
        Self { look, link: None }
    }
}
