//! The Gateway Interface under [AWS Lambda](https://docs.aws.amazon.com/lambda/): a gateway answers
//! the events of API Gateway (REST and HTTP), load balancers and function URLs.
//!
//! The program `bootstrap` of this crate loads `app.so` and serves it; a gateway that is linked in
//! is served by [`serve`]:
//!
//! ```no_run
//! # async fn run() -> Result<(), gateway_lambda::Fault> {
//! use gateway_lambda::{Api, Hosted, Mode, serve};
//! use gateway_spec::{Request, Response};
//!
//! let app = Hosted::new(async |_: Request| Response::text("Hello, World!"));
//! serve(&app, &mut Api::from_environment()?, Mode::Whole).await
//! # }
//! ```

mod api;
mod event;
mod outgoing;
mod reply;

use gateway_spec::Gateway;
use gateway_spec::hosting::Answer;

pub use api::{Api, Fault, Invocation};
use event::Shape;
pub use gateway_spec::hosting::{Hosted, Unfinished};
#[cfg(feature = "load")]
pub use gateway_spec::hosting::{LoadFailure, Options, Stop, load};
use outgoing::Outgoing;

/// How responses go back, which is a setting of the function that no event tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// As one document of at most 6 MiB (`BUFFERED`).
    #[default]
    Whole,
    /// As they come (`RESPONSE_STREAM`), for function URLs.
    Streamed,
}

/// Answers one event after the other, until the future is dropped.
///
/// The next event is asked for when all work behind the last answer is done: the environment may
/// stand still between the two.
///
/// # Errors
///
/// The runtime interface does not answer, or not as its documentation says.
pub async fn serve<G: Gateway>(hosted: &Hosted<G>, api: &mut Api, mode: Mode) -> Result<(), Fault> {
    loop {
        let invocation = api.next().await?;
        answer(hosted, api, mode, &invocation).await?;
        hosted.idle().await;
    }
}

async fn answer<G: Gateway>(
    hosted: &Hosted<G>,
    api: &mut Api,
    mode: Mode,
    invocation: &Invocation,
) -> Result<(), Fault> {
    let (request, shape) = match event::read(invocation) {
        Ok(read) => read,
        Err(event::Unreadable::NoRequest(what)) => {
            return api.failed(&invocation.id, "Gateway.NoRequest", &what).await;
        }
        Err(event::Unreadable::Refused(status, shape)) => {
            let refusal = Answer::refusal(status);
            return give(api, mode, invocation, refusal, shape).await;
        }
    };
    let answered = hosted.call(request).await;
    give(api, mode, invocation, answered, shape).await
}

async fn give(
    api: &mut Api,
    mode: Mode,
    invocation: &Invocation,
    answer: Answer,
    shape: Shape,
) -> Result<(), Fault> {
    match mode {
        Mode::Streamed => {
            let prelude = reply::prelude(answer.status, &answer.fields);
            let body = Outgoing::streamed(prelude, answer.content);
            api.stream(&invocation.id, body).await
        }
        Mode::Whole => match reply::whole(answer, shape).await {
            Ok(document) => api.respond(&invocation.id, document).await,
            Err(what) => api.failed(&invocation.id, "Gateway.Response", &what).await,
        },
    }
}
