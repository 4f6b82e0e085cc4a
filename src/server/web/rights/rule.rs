//! What the table says: rows, and the answers that each of them expects.

use crate::domain::user::Role;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Anonymous,
    /// Has an account, whose address was never confirmed.
    Unconfirmed,
    User,
    /// A second user: what is another's to them is the first one's.
    Other,
    Manager,
    Editor,
    Admin,
    Blocked,
}

impl Who {
    pub const ALL: [Self; 8] = [
        Self::Anonymous,
        Self::Unconfirmed,
        Self::User,
        Self::Other,
        Self::Manager,
        Self::Editor,
        Self::Admin,
        Self::Blocked,
    ];

    pub fn role(self) -> Role {
        match self {
            Self::Manager => Role::Manager,
            Self::Editor => Role::Editor,
            Self::Admin => Role::Admin,
            Self::Anonymous | Self::Unconfirmed | Self::User | Self::Other | Self::Blocked => Role::User,
        }
    }
}

/// Whose thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Own,
    Anothers,
    /// There is no such thing.
    Missing,
}

impl Whose {
    pub const ALL: [Self; 3] = [Self::Own, Self::Anothers, Self::Missing];
}

/// The answer that a cell of the matrix expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is done, or shown: any status below 400.
    Yes,
    /// It is answered like [`Expect::Yes`], and nothing is changed or shown.
    Idle,
    /// It is refused with this status, and nothing is changed or shown.
    No(u16),
}

pub use Expect::{Idle, No, Yes};

/// What [`Whose::ALL`] get.
type Answers = [Expect; 3];

/// Nobody's business but the owner's.
pub const OWNERS: Answers = [Yes, No(404), No(404)];
/// What one has no thing of, or what is everybody's.
pub const ALL: Answers = [Yes, Yes, Yes];
/// Everybody's, as far as it is there.
pub const SHARED: Answers = [Yes, Yes, No(404)];
/// Lists of things: those that are not the asker's count for nothing.
pub const CHOSEN: Answers = [Yes, Idle, Idle];

/// The answers of a row.
#[derive(Clone, Copy, Debug)]
pub struct Rule([Answers; 8]);

impl Rule {
    pub fn expects(&self, who: Who, whose: Whose) -> Expect {
        self.0[who as usize][whose as usize]
    }

    /// The same with other answers for somebody.
    pub const fn but(mut self, who: Who, answers: Answers) -> Self {
        self.0[who as usize] = answers;
        self
    }
}

/// Whoever asks is answered so.
pub const fn everyone(answers: Answers) -> Rule {
    Rule([answers; 8])
}

/// For all who are logged in, confirmed and not blocked.
pub const fn users(answers: Answers) -> Rule {
    everyone(answers)
        .but(Who::Anonymous, [No(401); 3])
        .but(Who::Unconfirmed, [No(403); 3])
        .but(Who::Blocked, [No(403); 3])
}

/// For managers and administrators.
pub const fn managers(answers: Answers) -> Rule {
    users(answers).but(Who::User, [No(403); 3]).but(Who::Other, [No(403); 3]).but(Who::Editor, [No(403); 3])
}

/// For editors and administrators.
pub const fn editors(answers: Answers) -> Rule {
    users(answers).but(Who::User, [No(403); 3]).but(Who::Other, [No(403); 3]).but(Who::Manager, [No(403); 3])
}

/// For administrators.
pub const fn admins(answers: Answers) -> Rule {
    managers(answers).but(Who::Manager, [No(403); 3])
}

/// One's own, and shown to managers and administrators whoever's it is.
pub const fn seen() -> Rule {
    users(OWNERS).but(Who::Manager, SHARED).but(Who::Admin, SHARED)
}

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing, and shows nothing of others but what was asked for.
    Read,
    /// Changes nothing, and shows what is everybody's.
    ReadAll,
    /// Changes something where it is allowed.
    Write,
}

/// One way to call something.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// A server function's name, or method and path of a route.
    pub name: &'static str,
    pub kind: Kind,
    pub rule: Rule,
    /// What is sent, with placeholders: `{client}` is the thing in question, `{mine.client}` always the asker's.
    pub form: &'static str,
}

pub const fn read(name: &'static str, rule: Rule, form: &'static str) -> Row {
    Row { name, kind: Kind::Read, rule, form }
}

pub const fn read_all(name: &'static str, rule: Rule, form: &'static str) -> Row {
    Row { name, kind: Kind::ReadAll, rule, form }
}

pub const fn write(name: &'static str, rule: Rule, form: &'static str) -> Row {
    Row { name, kind: Kind::Write, rule, form }
}

impl Row {
    /// Whether a thing is asked for; otherwise there is one column only.
    pub fn has_target(&self) -> bool {
        self.form.split('{').skip(1).any(|rest| {
            let name = rest.split('}').next().unwrap_or_default();
            !name.starts_with("mine.") && name != "fresh"
        })
    }

    /// The cells of this row. Nothing is anonymous people's own.
    pub fn cells(&self) -> Vec<(Who, Whose, Expect)> {
        let target = self.has_target();
        let mut cells = Vec::new();
        for who in Who::ALL {
            for whose in Whose::ALL {
                let is_there = if target { who != Who::Anonymous || whose != Whose::Own } else { whose == Whose::Own };
                if is_there {
                    cells.push((who, whose, self.rule.expects(who, whose)));
                }
            }
        }
        cells
    }
}
