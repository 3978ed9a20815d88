//! What applications and blueprints say of templates while they are put together.

use std::path::PathBuf;
use std::sync::Arc;

use minijinja::functions::Function;
use minijinja::value::{FunctionArgs, FunctionResult, Rest};
use minijinja::{Environment, State, Value};
use serde::Serialize;

use super::context::{__value, Processor};
use crate::app::App;
use crate::blueprint::Blueprint;
use crate::context::Cx;

/// Folders, templates and their tools, as registered.
#[derive(Clone, Default)]
pub(super) struct Setup {
    pub(super) folders: Vec<PathBuf>,
    /// By name.
    pub(super) sources: Vec<(String, String)>,
    pub(super) processors: Vec<Processor>,
    filters: Vec<(String, Value)>,
    tests: Vec<(String, Value)>,
    globals: Vec<(String, Value)>,
}

impl Setup {
    /// Adds filters, tests and globals.
    pub(super) fn install(&self, environment: &mut Environment<'static>) {
        for (name, filter) in self.filters.iter().cloned() {
            environment.add_filter(name, called(filter));
        }
        for (name, test) in self.tests.iter().cloned() {
            environment.add_test(name, called(test));
        }
        for (name, value) in self.globals.iter().cloned() {
            environment.add_global(name, value);
        }
    }
}

macro_rules! gathers {
    ($owner:ident, $requests:literal) => {
        impl $owner {
            /// A folder of templates, relative to the application's. They share their names with those of all
            /// others: the application's folders come first, then blueprints' in the order of registration.
            ///
            /// Templates are compiled once, when the application starts, and a syntax error keeps it from starting.
            /// In a debug run a changed file is read again (`templates.auto_reload`).
            pub fn templates(mut self, folder: impl Into<PathBuf>) -> Self {
                self.part::<Setup>().folders.push(folder.into());
                self
            }

            /// A template that stands in the code; a file of its name wins.
            pub fn template(mut self, name: impl Into<String>, source: impl Into<String>) -> Self {
                let template = (name.into(), source.into());
                self.part::<Setup>().sources.push(template);
                self
            }

            #[doc = concat!("Variables for all templates of ", $requests, " (a context processor):")]
            /// `.context(|cx| ctx! { user => cx.get::<User>() })`. What a view passes itself wins.
            pub fn context<C: Serialize>(
                mut self,
                make: impl Fn(&Cx) -> C + Send + Sync + 'static,
            ) -> Self {
                let make: Processor = Arc::new(move |cx| __value(&make(cx)));
                self.part::<Setup>().processors.push(make);
                self
            }
        }
    };
}
gathers!(App, "the application");
gathers!(Blueprint, "requests of the blueprint");

impl App {
    /// A filter for templates: `.template_filter("shout", |text: String| text.to_uppercase() + "!")` is
    /// `{{ name|shout }}`. It may take more arguments, and answer a `Result` with a
    /// [`TemplateError`](crate::templates::TemplateError).
    pub fn template_filter<F, Rv, Args>(mut self, name: impl Into<String>, filter: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        let filter = (name.into(), Value::from_function(filter));
        self.part::<Setup>().filters.push(filter);
        self
    }

    /// A test for templates: `.template_test("even", |n: i64| n % 2 == 0)` is `{% if n is even %}`.
    pub fn template_test<F, Rv, Args>(mut self, name: impl Into<String>, test: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        let test = (name.into(), Value::from_function(test));
        self.part::<Setup>().tests.push(test);
        self
    }

    /// A value that all templates see, those that are imported too.
    pub fn template_global(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let global = (name.into(), __value(&value));
        self.part::<Setup>().globals.push(global);
        self
    }

    /// A function that all templates may call. It finds the request by [`current`](crate::current).
    pub fn template_function<F, Rv, Args>(mut self, name: impl Into<String>, function: F) -> Self
    where
        F: Function<Rv, Args>,
        Rv: FunctionResult,
        Args: for<'a> FunctionArgs<'a>,
    {
        let global = (name.into(), Value::from_function(function));
        self.part::<Setup>().globals.push(global);
        self
    }
}

/// A function value as a function.
fn called(
    function: Value,
) -> impl Fn(&mut State<'_, '_>, Rest<Value>) -> Result<Value, minijinja::Error> {
    move |state, arguments| function.call(state, &arguments)
}
