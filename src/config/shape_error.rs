//! Mistakes of shape, while a value is read.

use std::fmt;

use super::path::Path;

/// What is wrong with the shape of a value, and where.
#[derive(Debug)]
pub(super) struct ShapeError(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    sentence: String,
    path: Path,
    /// What else is wrong, in the same value.
    #[cfg(not(target_arch = "wasm32"))]
    further: Vec<ShapeError>,
}

impl ShapeError {
    /// The mistake that this sentence tells.
    pub(super) fn new(sentence: String) -> Self {
        let path = Path::default();
        Self(Box::new(Mistake {
            sentence,
            path,
            #[cfg(not(target_arch = "wasm32"))]
            further: Vec::new(),
        }))
    }

    /// Where the value stands.
    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// The mistake is in the field `name` of an object.
    pub(super) fn in_field(mut self, name: String) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        self.0.further.iter_mut().for_each(|error| error.0.path.in_field(name.clone()));
        self.0.path.in_field(name);
        self
    }

    /// The mistake is in the element `index` of a list.
    pub(super) fn in_index(mut self, index: usize) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        self.0.further.iter_mut().for_each(|error| error.0.path.in_index(index));
        self.0.path.in_index(index);
        self
    }

    /// The mistakes one by one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn each(mut self) -> Vec<Self> {
        let further = std::mem::take(&mut self.0.further);
        std::iter::once(self).chain(further).collect()
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.sentence)
    }
}

/// The mistakes in the parts of a value. Natively all are gathered, for those who ask for them; the module, which has to
/// be small, stops at the first.
#[derive(Default)]
pub(super) struct Mistakes {
    #[cfg(not(target_arch = "wasm32"))]
    gathered: Vec<ShapeError>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Mistakes {
    /// Takes the part's mistake, and goes on behind it where that is wanted.
    #[allow(clippy::unnecessary_wraps, reason = "the module's twin has something to return")]
    pub(super) fn go_on(&mut self, part: Result<(), ShapeError>) -> Result<(), ShapeError> {
        if let Err(error) = part {
            self.gathered.extend(error.each());
        }
        Ok(())
    }

    /// What was wrong, if anything was.
    pub(super) fn conclude(self) -> Result<(), ShapeError> {
        let mut gathered = self.gathered.into_iter();
        let Some(mut first) = gathered.next() else { return Ok(()) };
        first.0.further.extend(gathered);
        Err(first)
    }
}

#[cfg(target_arch = "wasm32")]
impl Mistakes {
    /// Hands the part's mistake back: it is the last.
    #[allow(clippy::unused_self, reason = "its native twin has something to keep")]
    pub(super) fn go_on(&mut self, part: Result<(), ShapeError>) -> Result<(), ShapeError> {
        part
    }

    /// What was wrong has been handed back.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "its native twin has something to tell")]
    pub(super) fn conclude(self) -> Result<(), ShapeError> {
        Ok(())
    }
}
