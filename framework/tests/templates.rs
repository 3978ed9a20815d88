//! Templates, from the outside: what pages become, and what is told of mistakes in them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use carafe::templates::TemplateError;
use carafe::*;
use serde::Serialize;
use tempfile::TempDir;

/// A folder with a file `templates/NAME` for each of these.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("templates")).unwrap();
    for (name, source) in files {
        write(root.path(), &format!("templates/{name}"), source);
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What a template in the code becomes, at the address `/now/5?q=tea&q=coffee`.
fn rendered(source: &'static str) -> String {
    let client = App::new()
        .get(
            "/now/<int:id>",
            named("now", async move |cx: Cx, _id: i64| {
                render_str(&cx, source, ctx! { x => "<b>&'\"/" })
            }),
        )
        .get("/user/<name>", named("user", async |name: String| name))
        .test();
    client.get("/now/5?q=tea&q=coffee").text()
}

async fn index(cx: Cx) -> Result<Html> {
    render(&cx, "index.html", ctx! { title => "Home" })
}

#[test]
fn a_page_inherits_includes_and_imports() {
    let root = folder(&[
        (
            "base.html",
            "<title>{% block title %}{% endblock %}</title>{% include 'parts/nav.html' %}",
        ),
        ("parts/nav.html", "<nav>{{ title }}</nav>"),
        (
            "macros.html",
            "{% macro link(to) %}<a href={{ url_for(to) }}>{{ request.path }}</a>{% endmacro %}",
        ),
        (
            "index.html",
            "{% extends 'base.html' %}{% from 'macros.html' import link %}\
             {% block title %}{{ super() }}{{ title }} {{ link('index') }}{% endblock %}",
        ),
    ]);
    let client = App::new()
        .root(root.path())
        .templates("templates")
        .get("/", index)
        .test();
    let page = client.get("/");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(
        page.text(),
        "<title>Home <a href=/>/</a></title><nav>Home</nav>"
    );
}

#[test]
fn values_are_escaped_by_the_name_of_the_template() {
    let root = folder(&[
        ("a.html", "{{ x }} {{ x|safe }}"),
        ("a.txt", "{{ x }} {{ x|e }}"),
        ("a.svg.j2", "{{ x }}"),
    ]);
    let show = async |cx: Cx, name: String| render(&cx, &name, ctx! { x => "<'>" });
    let client = App::new()
        .root(root.path())
        .templates("templates")
        .get("/<name>", show)
        .test();
    assert_eq!(client.get("/a.html").text(), "&lt;&#39;&gt; <'>");
    assert_eq!(client.get("/a.txt").text(), "<'> &lt;&#39;&gt;");
    assert_eq!(client.get("/a.svg.j2").text(), "&lt;&#39;&gt;");
    assert_eq!(rendered("{{ x }}"), "&lt;b&gt;&amp;&#39;&#34;/");
    assert_eq!(
        rendered("{{ x|tojson }}"),
        r#""\u003cb\u003e\u0026\u0027\"/""#
    );
}

#[test]
fn the_request_and_its_urls_are_at_hand() {
    for (source, expected) in [
        (
            "{{ request.method }} {{ request.path }} {{ request.host }}",
            "GET /now/5 localhost",
        ),
        (
            "{{ request.args.q }} {{ request.args.get('p', 'none') }} {{ request.args.none }}",
            "tea none ",
        ),
        ("{{ request.args.getlist('q')|join('+') }}", "tea+coffee"),
        (
            "{{ request.endpoint }} {{ request.headers['Host'] }}",
            "now localhost",
        ),
        ("{{ url_for('now', id=7) }}", "/now/7"),
        (
            "{{ url_for('now', id=7, a=[1, 'ü'], gone=none, _anchor='top') }}",
            "/now/7?a=1&amp;a=%C3%BC#top",
        ),
        ("{{ url_for('user', name='a b<') }}", "/user/a%20b%3C"),
        (
            "{{ url_for('user', name='ann', _external=true) }}",
            "http://localhost/user/ann",
        ),
        (
            "{{ 'ab'.upper() }}{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}",
            "ABa1",
        ),
        ("{{ config is defined }}", "False"),
    ] {
        assert_eq!(rendered(source), expected, "{source}");
    }
}

#[test]
fn a_form_that_was_read_can_be_shown_again() {
    let again = async |cx: Cx| {
        cx.form().await?;
        render_str(
            &cx,
            "<input value=\"{{ request.form['title'] }}\">",
            ctx! {},
        )
    };
    let client = App::new().post("/", again).test();
    assert_eq!(
        client.post("/", [("title", "<x>")]).text(),
        "<input value=\"&lt;x&gt;\">"
    );
}

#[test]
fn messages_and_tokens_are_those_of_the_session() {
    let page = async |cx: Cx| {
        cx.flash("info", "Saved <it>.")?;
        cx.flash("error", "Lost it.")?;
        let source = "{% for category, text in get_flashed_messages(with_categories=true) %}{{ category }}: {{ text }};\
                      {% endfor %}{{ get_flashed_messages(category_filter=['error'])|join }}\n{{ csrf_token() }}";
        render_str(&cx, source, ctx! {})
    };
    let pay = async || "paid";
    let client = App::new().get("/", page).post("/pay", pay).test();
    let page = client.get("/").text();
    let (messages, token) = page.split_once('\n').unwrap();
    assert_eq!(messages, "info: Saved &lt;it&gt;.;error: Lost it.;Lost it.");
    let old = || client.request(POST, "/pay").from_old_browser();
    assert_eq!(old().send().status(), 400);
    assert_eq!(old().body([("csrf_token", token)]).send().text(), "paid");
}

#[test]
fn a_form_takes_its_token_along() {
    let form = async |cx: Cx| render_str(&cx, "<form>{{ csrf_field() }}</form>", ctx! {});
    let pay = async || "paid";
    let client = App::new().get("/", form).post("/pay", pay).test();
    let page = client.get("/").text();
    let field = r#"<form><input type="hidden" name="csrf_token" value=""#;
    let token = page.strip_prefix(field).unwrap();
    let token = token.strip_suffix(r#""></form>"#).unwrap();
    let post = client.request(POST, "/pay").from_old_browser();
    assert_eq!(post.body([("csrf_token", token)]).send().text(), "paid");
}

#[derive(Serialize)]
struct User {
    name: &'static str,
}

#[test]
fn processors_give_variables_and_the_view_wins() {
    async fn show(cx: Cx) -> Result<Html> {
        render_str(
            &cx,
            "{{ a }}{{ b }}{{ c }}{{ user.name }}",
            ctx! { c => "view " },
        )
    }
    let inner = Blueprint::new("inner")
        .prefix("/inner")
        .get("/", named("show", show));
    let outer = Blueprint::new("outer")
        .prefix("/outer")
        .context(|_| ctx! { b => "outer ", c => "outer " })
        .get("/", named("show", show))
        .blueprint(inner);
    let app = App::new()
        .before(async |cx: Cx| drop(cx.put(User { name: "Ann" })))
        .context(|cx| ctx! { a => "app ", b => "app ", c => "app ", user => cx.get::<User>() })
        .get("/", show)
        .blueprint(outer);
    let client = app.test();
    assert_eq!(client.get("/").text(), "app app view Ann");
    assert_eq!(client.get("/outer/").text(), "app outer view Ann");
    assert_eq!(client.get("/outer/inner/").text(), "app outer view Ann");
}

#[test]
fn contexts_are_put_together_and_may_be_types() {
    let page = async |cx: Cx| {
        let title = "T";
        let one = ctx! { title, a => 1 };
        let context = ctx! { a => 2, ..one, ..ctx! { b => 3, a => 4 } };
        let map = render_str(&cx, "{{ title }}{{ a }}{{ b }}", ctx! { ..context })?.0;
        Ok::<_, Error>(map + &render_str(&cx, "{{ name }}", User { name: "Bob" })?.0)
    };
    assert_eq!(App::new().get("/", page).test().get("/").text(), "T23Bob");
}

#[test]
fn an_application_adds_filters_tests_and_globals() {
    let app = App::new()
        .template_filter("shout", |text: String, times: Option<usize>| {
            text.to_uppercase() + &"!".repeat(times.unwrap_or(1))
        })
        .template_test("even", |number: i64| number % 2 == 0)
        .template_global("version", "1.2")
        .template_function("host", || current().map(|cx| cx.host()))
        .get("/", async |cx: Cx| {
            let source =
                "{{ 'a'|shout }}{{ 'b'|shout(2) }} {{ 4 is even }} {{ version }} {{ host() }}";
            render_str(&cx, source, ctx! {})
        });
    assert_eq!(app.test().get("/").text(), "A!B!! True 1.2 localhost");
}

#[test]
fn the_applications_folder_is_searched_before_the_blueprints() {
    let root = folder(&[("both.html", "app's")]);
    write(root.path(), "shop/both.html", "shop's");
    write(
        root.path(),
        "shop/shop/cart.html",
        "{% include 'both.html' %} cart",
    );
    let shop = Blueprint::new("shop")
        .templates("shop")
        .template("both.html", "the code's")
        .template("note.html", "the code's")
        .get("/<path:name>", async |cx: Cx, name: String| {
            render(&cx, &name, ctx! {})
        });
    let client = App::new()
        .root(root.path())
        .templates("templates")
        .blueprint(shop)
        .test();
    assert_eq!(client.get("/shop/cart.html").text(), "app's cart");
    assert_eq!(client.get("/note.html").text(), "the code's");
}

#[test]
fn mistakes_in_templates_are_told_at_the_start_with_file_and_line() {
    let root = folder(&[
        ("ok.html", "{{ x }}"),
        ("a/bad.html", "<p>\n{% if %}\n</p>"),
        ("worse.txt", "{{ x "),
    ]);
    fs::write(root.path().join("templates/image.png"), [0x89, 0xff]).unwrap();
    fs::write(root.path().join("templates/.swp"), "{{").unwrap();
    let app = App::new()
        .root(root.path())
        .templates("templates")
        .templates("absent")
        .get("/<int:a>", async || "x");
    let mistakes = app.try_test().unwrap_err();
    let told: Vec<&str> = mistakes.iter().collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told[0].starts_with("templates: expected a folder at /"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("templates/a/bad.html:2: syntax error: unexpected"),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("templates/worse.txt:1: syntax error: "),
        "{told:?}"
    );
    assert!(told[3].contains("gives [i64]"), "{told:?}");
}

#[test]
fn what_fails_while_rendering_names_template_and_line() {
    let root = folder(&[
        ("bad.html", "<p>\n\n{{ user.name.first }}"),
        ("outer.html", "{% include 'bad.html' %}"),
    ]);
    let show = async |cx: Cx, name: String| render(&cx, &name, ctx! {});
    let told = async |error: TemplateError| (500, format!("{error}"));
    let app = || {
        App::new()
            .root(root.path())
            .templates("templates")
            .get("/<name>", show)
    };
    let client = app().error_type(told).test();
    assert!(client.get("/bad.html").text().ends_with("(in bad.html:3)"));
    let missing = client.get("/none.html").text();
    assert!(missing.contains("\"none.html\"; searched /"), "{missing}");
    let silent = app().test().errors_as_responses();
    let page = silent.get("/outer.html");
    assert_eq!(page.status(), 500);
    assert!(!page.text().contains("bad.html"));
}

#[test]
fn a_template_cannot_reach_out_of_its_folder() {
    let root = folder(&[("a.html", "a")]);
    write(root.path(), "secret.html", "secret");
    let show = async |cx: Cx| {
        let name = cx.args().get("name").unwrap_or_default().to_owned();
        render(&cx, &name, ctx! {})
    };
    let app = App::new()
        .root(root.path())
        .templates("templates")
        .get("/", show);
    let client = app.test().errors_as_responses();
    assert_eq!(client.get("/?name=a.html").text(), "a");
    for name in [
        "../secret.html",
        "/secret.html",
        "..%2Fsecret.html",
        "",
        ".",
    ] {
        assert_eq!(
            client.get(&format!("/?name={name}")).status(),
            500,
            "{name}"
        );
    }
}

#[test]
fn a_template_that_never_ends_is_an_error() {
    let endless =
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    let app = || App::new().get("/", async move |cx: Cx| render_str(&cx, endless, ctx! {}));
    let client = app()
        .config_set("templates.fuel", 10_000)
        .test()
        .errors_as_responses();
    assert_eq!(client.get("/").status(), 500);
    let mistakes = app()
        .config_set("templates.fule", 1)
        .try_test()
        .unwrap_err();
    assert!(
        mistakes
            .to_string()
            .contains("did you mean `templates.fuel`?"),
        "{mistakes}"
    );
}

#[test]
fn a_changed_file_is_read_again_in_a_debug_run_alone() {
    let root = folder(&[("index.html", "one")]);
    let app = || {
        App::new()
            .root(root.path())
            .templates("templates")
            .get("/", index)
    };
    let (debug, served) = (app().config_set("debug", true).test(), app().test());
    assert_eq!(debug.get("/").text(), "one");
    write(root.path(), "templates/index.html", "changed");
    assert_eq!(debug.get("/").text(), "changed");
    assert_eq!(served.get("/").text(), "one");
}

#[test]
fn a_long_page_is_streamed() {
    let rows = "{% for n in range(20000) %}{{ n }}\n{% endfor %}<script></script>";
    let app = App::new()
        .template("rows.html", rows)
        .template("broken.html", "a{{ none() }}")
        .get("/<name>", async |cx: Cx, name: String| {
            stream_template(&cx, &name, ctx! {})
        });
    let client = app.test();
    let page = client.get("/rows.html");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.text().contains("\n19999\n<script nonce=\""));
    let policy = page.header("content-security-policy").unwrap();
    let nonce = page.text().split('"').nth(1).unwrap().to_owned();
    assert!(policy.contains(&format!("'nonce-{nonce}'")), "{policy}");
    assert_eq!(client.errors_as_responses().get("/none.html").status(), 500);
}
