//! The smallest application on carafe.

use carafe::*;

export!(App::new().get("/", async || "Hello, World!"));
