//! The guide's code compiles: each of its examples is a documentation test.

#[doc = include_str!("../../docs/application.md")]
#[derive(Debug)]
pub struct Application;

#[doc = include_str!("../../docs/carafe.md")]
#[derive(Debug)]
pub struct Carafe;

/// One documentation test for each block of each chapter.
macro_rules! chapters {
    ($($name:ident: $file:literal,)*) => {$(
        #[doc = include_str!(concat!("../../docs/guide/", $file))]
        #[derive(Debug)]
        pub struct $name;
    )*};
}

chapters! {
    Hello: "README.md",
    Routes: "routing.md",
    Templates: "templates.md",
    Forms: "forms.md",
    Documents: "json.md",
    Sessions: "sessions.md",
    Database: "database.md",
    LoggingIn: "login.md",
    Blueprints: "blueprints.md",
    Errors: "errors.md",
    Configuring: "configuration.md",
    Testing: "testing.md",
    Deployment: "deployment.md",
}
