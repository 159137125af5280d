//! Case: «không phải tôi». The holder reports an act they did not do; operators look at it and close it, and the
//! holder sees each step.

use super::account::Account;
use super::id::Id;
use super::moment::Moment;

/// What the holder pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Session,
    Release,
    Device,
}

impl About {
    pub const ALL: [About; 3] = [About::Session, About::Release, About::Device];

    pub const fn name(self) -> &'static str {
        match self {
            About::Session => "session",
            About::Release => "release",
            About::Device => "device",
        }
    }

    pub fn parse(name: &str) -> Option<About> {
        Self::ALL.into_iter().find(|about| about.name() == name)
    }
}

/// How far a case has come. Steps only go forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Opened,
    LookedAt,
    Closed,
}

impl Step {
    pub const ALL: [Step; 3] = [Step::Opened, Step::LookedAt, Step::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Step::Opened => "opened",
            Step::LookedAt => "looked_at",
            Step::Closed => "closed",
        }
    }

    pub fn parse(name: &str) -> Option<Step> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// A case with the steps it went through, the oldest first.
#[derive(Clone, Debug)]
pub struct Case {
    /// The number the holder is given.
    pub id: Id<Case>,
    pub account: Id<Account>,
    pub about: About,
    pub steps: Vec<Taken>,
}

/// One step a case took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub step: Step,
    pub at: Moment,
    /// Who took it, where it was an operator.
    pub by: Option<String>,
    /// What the holder is told at the end.
    pub note: Option<String>,
}

impl Case {
    pub fn step(&self) -> Option<Step> {
        self.steps.iter().map(|taken| taken.step).max()
    }

    /// Whether a step can be taken now: none twice, and none back.
    pub fn may_take(&self, step: Step) -> bool {
        self.step().is_none_or(|reached| step > reached)
    }
}

/// Letters and digits that are not mistaken for one another when read out on the telephone.
const SPOKEN: [char; 32] = [
    '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q',
    'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
];

/// A case number out of random bytes: `HS-` and eight characters, forty bits.
pub fn number(random: [u8; 8]) -> Id<Case> {
    let spoken = random.into_iter().filter_map(|byte| SPOKEN.get(usize::from(byte % 32)));
    Id::new(format!("HS-{}", spoken.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_only_goes_forward() {
        let mut case = Case { id: number([0; 8]), account: Id::new("a"), about: About::Session, steps: Vec::new() };
        assert_eq!(case.id.as_str(), "HS-22222222");
        for step in Step::ALL {
            assert!(case.may_take(step));
            case.steps.push(Taken { step, at: Moment::from_unix(1), by: None, note: None });
            assert!(Step::ALL.into_iter().filter(|other| *other <= step).all(|past| !case.may_take(past)));
        }
        assert_eq!(case.step(), Some(Step::Closed));
    }
}
