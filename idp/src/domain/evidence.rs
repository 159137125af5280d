//! Evidence: what vouches for a claim. Every stored claim carries its source and the time it was recorded (S6).

use super::claim::ClaimName;
use super::moment::Moment;

/// A claim about a holder as a source states it. The value is any JSON the catalogue's consumers expect;
/// it is sealed the moment it is stored.
#[derive(Clone)]
pub struct Evidence {
    pub claim: ClaimName,
    pub value: serde_json::Value,
    /// The register or act it came from, e.g. `population-register` or `import`.
    pub source: String,
    pub recorded_at: Moment,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Evidence({} from {}, value hidden)", self.claim, self.source)
    }
}
