//! `request` in templates: the request that the page is rendered for, by Flask's names.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use crate::context::{Cx, current};
use crate::multidict::MultiDict;

/// The request of whatever is rendered.
#[derive(Debug)]
pub(super) struct RequestValue;

impl Object for RequestValue {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let cx = current()?;
        Some(match key.as_str()? {
            "method" => cx.method().as_str().into(),
            "path" => cx.path().into(),
            "full_path" => cx.full_path().into(),
            "query_string" => String::from_utf8_lossy(cx.query_string()).into(),
            "url" => cx.request().url().into(),
            "base_url" => cx.base_url().into(),
            "root_url" | "url_root" => cx.root_url().into(),
            "script_root" => cx.mount().into(),
            "host" => cx.host().into(),
            "scheme" => cx.scheme().into(),
            "is_secure" => cx.is_secure().into(),
            "remote_addr" => cx.remote_addr().map(|address| address.to_string()).into(),
            "endpoint" => cx.endpoint().into(),
            "blueprint" => cx.blueprint().into(),
            "args" => Value::from_object(Pairs(cx, Part::Args)),
            "form" => Value::from_object(Pairs(cx, Part::Form)),
            "cookies" => Value::from_object(Pairs(cx, Part::Cookies)),
            "headers" => Value::from_object(Pairs(cx, Part::Headers)),
            _ => return None,
        })
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}

/// Names and values in a request: an unknown name is undefined, so that it prints as nothing.
struct Pairs(Cx, Part);

#[derive(Clone, Copy, Debug)]
enum Part {
    Args,
    /// What somebody has read of it: a template cannot wait for the body.
    Form,
    Cookies,
    Headers,
}

impl Pairs {
    fn all(&self, name: &str) -> Vec<Value> {
        let values = |fields: &MultiDict| fields.get_all(name).map(Value::from).collect();
        match self.1 {
            Part::Args => values(self.0.args()),
            Part::Cookies => values(self.0.cookies()),
            Part::Form => self
                .0
                .form_at_hand()
                .map_or_else(Vec::new, |form| values(&form)),
            Part::Headers => self.0.header(name).map(Value::from).into_iter().collect(),
        }
    }

    fn names(&self) -> Vec<Value> {
        let mut names: Vec<String> = match self.1 {
            Part::Args => self.0.args().iter().map(name).collect(),
            Part::Cookies => self.0.cookies().iter().map(name).collect(),
            Part::Form => {
                let form = self.0.form_at_hand();
                form.map_or_else(Vec::new, |form| form.iter().map(name).collect())
            }
            Part::Headers => self.0.headers().keys().map(ToString::to_string).collect(),
        };
        names.dedup();
        names.into_iter().map(Value::from).collect()
    }
}

impl Object for Pairs {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.all(key.as_str()?).into_iter().next()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "get" => {
                let (name, other): (&str, Option<Value>) = from_args(args)?;
                let first = self.all(name).into_iter().next();
                Ok(first.or(other).unwrap_or_else(|| Value::from(())))
            }
            "getlist" => {
                let (name,): (&str,) = from_args(args)?;
                Ok(self.all(name).into())
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

impl std::fmt::Debug for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "request.{:?}", self.1)
    }
}

fn name((name, _): (&str, &str)) -> String {
    name.to_owned()
}
