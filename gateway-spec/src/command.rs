//! [`Command`]: what an application can do besides serving.

/// One command of an application, as its server lists it: `create-user NAME [--admin]`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words that call for it: `init-db`; a second one, behind a blank, for a command of a group.
    pub name: String,
    /// What stands behind them, for people: `NAME [--admin]`. Empty if nothing does.
    pub arguments: String,
    /// What it does, in one line.
    pub about: String,
}

impl Command {
    /// A command without arguments.
    pub fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arguments: String::new(),
            about: about.into(),
        }
    }

    /// The same command with these words for its arguments.
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl Into<String>) -> Self {
        self.arguments = arguments.into();
        self
    }
}
