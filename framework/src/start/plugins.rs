//! The extensions of an application: set up, started, and stopped.

use std::path::Path;

use gateway_spec::Startup;

use super::mistakes::Mistakes;
use crate::app::{App, Plugin, Starting};
use crate::config::Config;
use crate::parts::Parts;

/// Lets every extension add its own, those that extensions add included.
pub(super) fn set_up(mut app: App) -> (App, Vec<Plugin>) {
    let mut plugins = Vec::new();
    while !app.plugins.is_empty() {
        for mut plugin in std::mem::take(&mut app.plugins) {
            if let Some(setup) = plugin.setup.take() {
                app = setup(app);
            }
            plugins.push(plugin);
        }
    }
    (app, plugins)
}

/// Starts them in their order; `own` and `blueprints` are the parts that the application and its blueprints keep.
///
/// # Errors
///
/// One cannot start; those that have started come back, to be stopped.
pub(super) async fn start(
    plugins: Vec<Plugin>,
    (own, blueprints): &(Parts, Vec<(String, Parts)>),
    config: &Config,
    startup: &Startup,
    root: &Path,
    state: &mut Parts,
) -> Result<Vec<Plugin>, (Vec<Plugin>, Mistakes)> {
    let mut started = Vec::with_capacity(plugins.len());
    for plugin in plugins {
        let mut starting = Starting {
            config,
            startup,
            root,
            state,
            parts: own,
            blueprints,
        };
        if let Err(error) = (plugin.start)(&mut starting).await {
            let mistake = format!("the extension {} cannot start: {error}", plugin.name);
            return Err((started, Mistakes::one(mistake)));
        }
        started.push(plugin);
    }
    Ok(started)
}

/// Stops extensions that have started, the last one first.
pub(super) async fn stop(plugins: &[Plugin]) {
    for plugin in plugins.iter().rev() {
        (plugin.stop)().await;
    }
}
