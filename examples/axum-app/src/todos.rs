//! Things to do, in memory, as JSON.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::{Deserialize, Serialize};

/// All things to do, by number.
#[derive(Clone, Default)]
pub(crate) struct Todos(Arc<Mutex<BTreeMap<u64, Todo>>>);

#[derive(Clone, Debug, Serialize)]
struct Todo {
    id: u64,
    text: String,
    is_done: bool,
}

#[derive(Debug, Deserialize)]
struct NewTodo {
    text: String,
}

#[derive(Debug, Deserialize)]
struct Change {
    text: Option<String>,
    is_done: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

impl Todos {
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Todo>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: String) -> Todo {
        let mut all = self.lock();
        let id = all.last_key_value().map_or(1, |(last, _)| last + 1);
        let todo = Todo {
            id,
            text,
            is_done: false,
        };
        all.insert(id, todo.clone());
        todo
    }
}

pub(crate) fn routes() -> Router<Todos> {
    Router::new()
        .route("/todos", get(list).post(create))
        .route("/todos/{id}", get(read).patch(update).delete(delete))
        .route("/form", post(create_by_form))
}

async fn list(State(todos): State<Todos>, Query(page): Query<Page>) -> Json<Vec<Todo>> {
    let all = todos.lock();
    let wanted = all.values().skip(page.offset);
    Json(
        wanted
            .take(page.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect(),
    )
}

async fn create(State(todos): State<Todos>, Json(new): Json<NewTodo>) -> impl IntoResponse {
    let todo = todos.add(new.text);
    let location = format!("/todos/{}", todo.id);
    (
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(todo),
    )
}

async fn create_by_form(State(todos): State<Todos>, Form(new): Form<NewTodo>) -> impl IntoResponse {
    let todo = todos.add(new.text);
    let cookies = [(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")];
    (AppendHeaders(cookies), todo.text)
}

async fn read(State(todos): State<Todos>, Path(id): Path<u64>) -> Result<Json<Todo>, StatusCode> {
    let todo = todos.lock().get(&id).cloned();
    todo.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn update(
    State(todos): State<Todos>,
    Path(id): Path<u64>,
    Json(change): Json<Change>,
) -> Result<Json<Todo>, StatusCode> {
    let mut all = todos.lock();
    let todo = all.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
    if let Some(text) = change.text {
        todo.text = text;
    }
    if let Some(is_done) = change.is_done {
        todo.is_done = is_done;
    }
    Ok(Json(todo.clone()))
}

async fn delete(State(todos): State<Todos>, Path(id): Path<u64>) -> StatusCode {
    match todos.lock().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}
