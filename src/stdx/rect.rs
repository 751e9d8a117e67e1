//! Screen geometry of our own, so that the model never holds a type of the drawing library.
//!
//! Must not draw.

/// A terminal's size in cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Leftmost column.
    pub x: u16,
    /// Topmost row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Rect {
    /// A rectangle from its corner and size.
    #[must_use]
    pub fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// The whole of a screen.
    #[must_use]
    pub fn of(size: Size) -> Self {
        Self::new(0, 0, size.width, size.height)
    }

    /// The column right of the last one.
    #[must_use]
    pub fn right(self) -> u16 {
        self.x.saturating_add(self.width)
    }

    /// The row below the last one.
    #[must_use]
    pub fn bottom(self) -> u16 {
        self.y.saturating_add(self.height)
    }

    /// Whether nothing fits in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Whether the cell lies inside.
    #[must_use]
    pub fn contains(self, x: u16, y: u16) -> bool {
        x >= self.x && x < self.right() && y >= self.y && y < self.bottom()
    }

    /// Takes `rows` from the top: (taken, rest).
    #[must_use]
    pub fn split_top(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        (Self { height: rows, ..self }, Self { y: self.y + rows, height: self.height - rows, ..self })
    }

    /// Takes `rows` from the bottom: (rest, taken).
    #[must_use]
    pub fn split_bottom(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        let (rest, taken) = self.split_top(self.height - rows);
        (rest, taken)
    }

    /// Takes `columns` from the left: (taken, rest).
    #[must_use]
    pub fn split_left(self, columns: u16) -> (Self, Self) {
        let columns = columns.min(self.width);
        (Self { width: columns, ..self }, Self { x: self.x + columns, width: self.width - columns, ..self })
    }

    /// Smaller by a margin on all four sides.
    #[must_use]
    pub fn inner(self, margin: u16) -> Self {
        let twice = margin.saturating_mul(2);
        if self.width < twice || self.height < twice {
            return Self { width: 0, height: 0, ..self };
        }
        Self::new(self.x + margin, self.y + margin, self.width - twice, self.height - twice)
    }

    /// A rectangle of at most this size in the middle.
    #[must_use]
    pub fn centred(self, width: u16, height: u16) -> Self {
        let width = width.min(self.width);
        let height = height.min(self.height);
        Self::new(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_never_lose_or_invent_cells() {
        let whole = Rect::new(3, 4, 10, 7);
        for rows in 0..12 {
            let (top, rest) = whole.split_top(rows);
            assert_eq!(top.height + rest.height, 7);
            assert_eq!(top.bottom(), rest.y);
            let (above, below) = whole.split_bottom(rows);
            assert_eq!(above.height + below.height, 7);
        }
    }

    #[test]
    fn a_margin_wider_than_the_rectangle_leaves_nothing() {
        assert!(Rect::new(0, 0, 3, 3).inner(2).is_empty());
    }
}
