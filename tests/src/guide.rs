//! The guide's code compiles: each of its examples is a documentation test.

#[doc = include_str!("../../docs/application.md")]
#[derive(Debug)]
pub struct Application;

#[doc = include_str!("../../docs/carafe.md")]
#[derive(Debug)]
pub struct Carafe;
