//! Commands as they are registered with an application or a blueprint.

use std::panic::Location;
use std::sync::Arc;

use super::command::CallCommand;
use super::told::{CommandReply, Function, Told};
use crate::app::App;
use crate::blueprint::Blueprint;
use crate::extract::Args;
use crate::step::{Facts, Step};
use crate::view::ViewFn;

/// Commands as the application and its blueprints keep them.
#[derive(Clone, Default)]
pub(super) struct Registered(pub(super) Vec<Registration>);

/// One of them.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) usage: String,
    pub(super) about: String,
    pub(super) step: Step<dyn CallCommand>,
}

impl Registration {
    pub(super) fn new<V, A, M>(
        usage: String,
        about: String,
        command: V,
        origin: &'static Location<'static>,
    ) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: CommandReply<M, Output: Told> + Send,
    {
        Self {
            usage,
            about,
            step: Step {
                facts: Facts::of::<A>(false, origin),
                call: Arc::new(Function::<V, (A, M)>::new(command)),
            },
        }
    }
}

impl App {
    /// A command: how it is typed, what it does in one line, and the function that does it.
    ///
    /// The function asks for what it needs as views do, plain or async; it runs without a request, and may
    /// block. What it returns is written to standard output; an error goes to standard error, with the exit
    /// status 1.
    ///
    /// In `create-user NAME [ALIAS] [--admin] [--role ROLE]`, `NAME` must be given, `[ALIAS]` may be, `[--admin]`
    /// is a switch and `[--role ROLE]` an option with a value; `FILES...` and `[FILES]...` take as many as there
    /// are. They are taken as [`Words<T>`](crate::Words), by their names in lower case.
    ///
    /// ```
    /// use carafe::*;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Whom {
    ///     name: String,
    ///     loud: bool,
    /// }
    ///
    /// async fn hello(whom: Words<Whom>) -> String {
    ///     let text = format!("Hello, {}!", whom.name);
    ///     if whom.loud { text.to_uppercase() } else { text }
    /// }
    ///
    /// let client = App::new().command("hello NAME [--loud]", "Says hello.", hello).test();
    /// assert_eq!(client.command(["hello", "Ann", "--loud"]).output(), "HELLO, ANN!\n");
    /// assert_eq!(client.command(["hello"]).status(), 2);
    /// ```
    #[track_caller]
    pub fn command<V, A, M>(
        mut self,
        usage: impl Into<String>,
        about: impl Into<String>,
        command: V,
    ) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: CommandReply<M, Output: Told> + Send,
    {
        let one = Registration::new(usage.into(), about.into(), command, Location::caller());
        self.part::<Registered>().0.push(one);
        self
    }
}

impl Blueprint {
    /// A command of the blueprint: `students import` is the command `import` of the blueprint `students`. See
    /// [`App::command`].
    #[track_caller]
    pub fn command<V, A, M>(
        mut self,
        usage: impl Into<String>,
        about: impl Into<String>,
        command: V,
    ) -> Self
    where
        V: ViewFn<A>,
        A: Args,
        M: 'static,
        V::Out: CommandReply<M, Output: Told> + Send,
    {
        let one = Registration::new(usage.into(), about.into(), command, Location::caller());
        self.part::<Registered>().0.push(one);
        self
    }
}
