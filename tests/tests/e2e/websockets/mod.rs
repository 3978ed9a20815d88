//! WebSockets of an application on carafe keep to their protocol, whatever their clients do.

mod conformance;
