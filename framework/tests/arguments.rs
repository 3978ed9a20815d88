//! What views take and give, and what start-up says of those that cannot work.

use carafe::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Page {
    #[serde(default)]
    number: u32,
    #[serde(default)]
    tag: Vec<String>,
}

#[test]
fn arguments_stand_in_any_order() {
    async fn view(cx: Cx, id: u8, query: Query<Page>, name: String, method: Method) -> String {
        format!(
            "{id} {name} {} {:?} {method} {}",
            query.number,
            query.tag,
            cx.path()
        )
    }
    let client = App::new().get("/<int:id>/<name>", view).test();
    assert_eq!(
        client.get("/7/ann?number=2&tag=a&tag=b").text(),
        "7 ann 2 [\"a\", \"b\"] GET /7/ann"
    );
    assert_eq!(client.get("/256/ann").status(), 404, "beyond u8");
    assert_eq!(client.get("/7/ann?number=x").status(), 400);
    assert_eq!(client.url(view, (7, "a b")), "/7/a%20b");
}

#[test]
fn bodies_are_buffered_once_and_read_by_all_who_ask() {
    async fn both(bytes: Bytes, Json(page): Json<Page>) -> Json<(usize, u32)> {
        Json((bytes.len(), page.number))
    }
    let client = App::new()
        .post("/json", both)
        .post("/form", |form: Form<Page>| {
            format!("{} {:?}", form.number, form.tag)
        })
        .post("/small", body_limit(4, async |bytes: Bytes| bytes))
        .post("/stream", async |mut body: Body| {
            let mut length = 0;
            while let Some(piece) = body.data().await {
                length += piece.unwrap().len();
            }
            length.to_string()
        })
        .test();
    let document = serde_json::json!({"number": 3});
    assert_eq!(
        client.post("/json", document).json::<(usize, u32)>(),
        (12, 3)
    );
    assert_eq!(client.post("/json", "text").status(), 415);
    assert_eq!(client.post("/json", serde_json::json!(7)).status(), 400);
    assert_eq!(
        client
            .post("/form", [("tag", "x y"), ("tag", "z"), ("number", "1")])
            .text(),
        "1 [\"x y\", \"z\"]"
    );
    assert_eq!(client.post("/small", "1234").text(), "1234");
    assert_eq!(client.post("/small", "12345").status(), 413);
    assert_eq!(
        client.post("/stream", "x".repeat(3 << 20)).text(),
        (3 << 20).to_string()
    );
    assert_eq!(client.post("/form", "no form").text(), "0 []");
    let large = [("number", "1".repeat(1 << 20))];
    assert_eq!(client.post("/form", large).status(), 413);
}

#[test]
fn every_mistake_is_told_at_once_with_its_line() {
    struct Absent;
    fn show(_: i64) -> &'static str {
        ""
    }
    let mistakes = App::new()
        .get("/u/<name>", show)
        .get("/state", async |_: State<Absent>| "")
        .before(|_: String| ())
        .post("/body", async |_: Body, _: Bytes| "")
        .blueprint(Blueprint::new("a.b"))
        .try_test()
        .unwrap_err();
    let told: Vec<&str> = mistakes.iter().collect();
    let said = |what: &str| {
        told.iter()
            .any(|one| one.contains(what) && one.contains("arguments.rs:"))
    };
    assert!(
        said("rule `/u/<name>` gives [String], but view `show` takes [i64]"),
        "{told:#?}"
    );
    assert!(said("nobody provides `State<arguments::"), "{told:#?}");
    assert!(said("cannot take values of the path"), "{told:#?}");
    assert!(said("a streamed body goes with no other"), "{told:#?}");
    assert!(said("name without dots"), "{told:#?}");
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn mistakes_of_rules_are_told_too() {
    let told = App::new()
        .get("/<nope:x>", async |_: String| "")
        .try_test()
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("arguments.rs:") && told.contains("nope"),
        "{told}"
    );
    let twice = App::new()
        .get("/", async || "a")
        .get("/", async || "b")
        .try_test();
    assert!(twice.unwrap_err().to_string().contains("arguments.rs:"));
}

#[test]
fn urls_lead_to_views_of_the_present_blueprint_first() {
    async fn index(cx: Cx) -> Result<String> {
        Ok(format!(
            "{} {}",
            cx.url(index, ())?,
            cx.endpoint().unwrap_or_default()
        ))
    }
    async fn page(number: i64, cx: Cx) -> Result<String> {
        cx.url(page, (number + 1,))
    }
    let client = App::new()
        .get("/", index)
        .get(rule("/pages/").default("number", 1), page)
        .get("/pages/<int:number>", page)
        .blueprint(Blueprint::new("a").prefix("/a").get("/", index))
        .blueprint(
            Blueprint::new("lang")
                .prefix("/<lang>")
                .pull("lang")
                .get("/x", async |cx: Cx| cx.url_for("lang.there", &[]))
                .get("/there", named("there", async || "there")),
        )
        .test();
    assert_eq!(client.get("/").text(), "/ index");
    assert_eq!(client.get("/a/").text(), "/a/ a.index");
    assert_eq!(client.get("/pages/").text(), "/pages/2");
    assert_eq!(client.get("/pages/2").text(), "/pages/3");
    assert_eq!(
        client.get("/pages/1").header("location"),
        Some("http://localhost/pages/")
    );
    assert_eq!(client.get("/de/x").text(), "/de/there");
}

#[test]
fn a_response_that_would_break_a_header_is_a_500() {
    let client = App::new()
        .get("/", async || redirect("/a\r\nset-cookie: a=b"))
        .test()
        .errors_as_responses();
    let response = client.get("/");
    assert_eq!(response.status(), 500);
    assert_eq!(response.header("set-cookie"), None);
}

#[test]
fn cookies_redirects_and_history_work_in_tests() {
    let client = App::new()
        .post("/login", async || {
            redirect("/home").cookie(&Cookie::new("user", "ann"))
        })
        .get("/home", async |cookies: Cookies| {
            cookies.get("user").unwrap_or("nobody").to_owned()
        })
        .get("/logout", async || {
            redirect("/home").delete_cookie(Cookie::new("user", ""))
        })
        .test();
    let home = client.request(POST, "/login").follow();
    assert_eq!((home.path(), home.text().as_str()), ("/home", "ann"));
    assert_eq!(home.history().len(), 1);
    assert_eq!(client.cookie("user").as_deref(), Some("ann"));
    assert_eq!(client.request(GET, "/logout").follow().text(), "nobody");
}

#[test]
#[should_panic(expected = "the application failed: GET /: ")]
fn an_unexpected_error_fails_the_test() {
    let client = App::new()
        .get("/", async || -> Result<String> {
            Ok(String::from_utf8(vec![255])?)
        })
        .test();
    client.get("/");
}

#[tokio::test]
async fn the_client_works_within_a_runtime_too() {
    let client = App::new().get("/", async || "x").test();
    assert_eq!(client.get("/").text(), "x");
}
