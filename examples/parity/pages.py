"""The second half of the application: what clients send, are sent, and are remembered by."""

import datetime
import uuid

import flask
from flask import Blueprint, abort, current_app, redirect, request, session, url_for
from markupsafe import Markup
from werkzeug.utils import secure_filename


# Sessions.

sessions = Blueprint("sessions", __name__, url_prefix="/s")


def plain_value(value):
    """What carafe's plain JSON of the value is."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, (list, tuple)):
        return [plain_value(one) for one in value]
    if isinstance(value, dict):
        return {key: plain_value(one) for key, one in value.items()}
    return value


@sessions.get("/untouched")
def untouched():
    return "untouched"


@sessions.get("/show")
def show_session():
    return [[name, plain_value(session[name])] for name in sorted(session)]


@sessions.get("/set")
def set_values():
    for name, value in request.args.items(multi=True):
        session[name] = value
    return "set"


@sessions.get("/pop/<name>")
def pop(name):
    return session.pop(name, None) or "none"


@sessions.get("/count")
def count():
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@sessions.get("/clear")
def clear():
    session.clear()
    return "cleared"


@sessions.get("/permanent/<int:on>")
def permanent(on):
    session.permanent = on == 1
    return "set"


@sessions.get("/types")
def types():
    session["tuple"] = ("a", "ü 😀")
    session["bytes"] = b"\x00\xff\r"
    session["markup"] = Markup("<b>x</b>")
    session["uuid"] = uuid.UUID("0123456789abcdef0123456789abcdef")
    session["date"] = datetime.datetime.fromtimestamp(1_700_000_000, datetime.timezone.utc)
    session["number"] = 1.5
    session["negative"] = -7
    session["nothing"] = None
    session["yes"] = True
    session["list"] = [1, [2, {"three": 3}], "4"]
    return "typed"


@sessions.get("/trap")
def trap():
    session["tagged"] = {" t": 1}
    session["escaped"] = {" t__": 1}
    session["odd"] = {" di": 1}
    return "trapped"


@sessions.get("/big")
def big():
    session["big"] = "x" * 2_000
    return "big"


@sessions.post("/login")
def log_in():
    user = request.form["user"]
    session.clear()
    session["user"] = user
    flask.flash(f"Welcome, {user}.")
    return redirect(url_for(".home"))


@sessions.post("/logout")
def log_out():
    session.pop("user", None)
    return redirect(url_for(".home"))


@sessions.get("/home")
def home():
    if "user" not in session:
        abort(401)
    return f"{session['user']}: {' '.join(flask.get_flashed_messages())}"


@sessions.get("/failing")
def failing():
    session["kept"] = "though it fails"
    abort(403)


@sessions.get("/flash")
def flash():
    for category, text in request.args.items(multi=True):
        flask.flash(text, category)
    return "flashed"


@sessions.get("/flashes")
def flashes():
    first = flask.get_flashed_messages(with_categories=True)
    assert first == flask.get_flashed_messages(with_categories=True)
    return first


# Forms.

forms = Blueprint("forms", __name__, url_prefix="/f")


def form():
    fields = [[name, value] for name, value in request.form.items(multi=True)]
    files = [
        [name, file.filename, file.content_type or "", file.read().decode("utf-8", "replace")]
        for name, file in request.files.items(multi=True)
    ]
    return {
        "fields": sorted(fields, key=lambda pair: pair[0]),
        "files": sorted(files, key=lambda file: file[0]),
    }


def small():
    request.max_content_length = 100
    return form()


forms.add_url_rule("/form", "form", form, methods=["GET", "POST", "PUT"])
forms.add_url_rule("/small", "small", small, methods=["POST"])


@forms.post("/field")
def field():
    return f"{request.form['name']} {request.form.get('age', -1, type=int)}"


@forms.post("/body")
def body():
    return str(len(request.get_data()))


@forms.post("/file")
def file():
    upload = request.files["f"]
    return f"{secure_filename(upload.filename)} {len(upload.read())}"


# Documents.

json = Blueprint("json", __name__, url_prefix="/j")


@json.post("/echo")
def echo():
    return flask.jsonify(request.get_json())


@json.get("/document")
def document():
    return {"b": 1, "a": {"ü": "é 😀", "html": "<&>"}, "list": [1.5, -2, []], "none": None}


@json.get("/status")
def status():
    return {"made": True}, 201


@json.get("/list")
def list_of_things():
    return [1, "two", None, True]


@json.get("/date")
def date():
    at = datetime.datetime.fromtimestamp(1_700_000_000, datetime.timezone.utc)
    return {"at": at, "id": uuid.UUID(int=0)}


# Cookies.

cookies = Blueprint("cookies", __name__, url_prefix="/c")


@cookies.get("/show")
def show_cookies():
    return sorted(request.cookies.items(multi=True))


@cookies.get("/set")
def set_cookies():
    response = current_app.make_response("set")
    for name, value in request.args.items(multi=True):
        response.set_cookie(name, value)
    return response


@cookies.get("/usual")
def usual():
    response = current_app.make_response("set")
    response.set_cookie("usual", "1")
    return response


@cookies.get("/two")
def two():
    response = current_app.make_response("two")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@cookies.get("/delete/<name>")
def delete(name):
    response = current_app.make_response("deleted")
    response.delete_cookie(name)
    return response


@cookies.get("/attributes/<which>")
def attributes(which):
    options = {
        "path": {"path": "/c"},
        "no-path": {"path": None},
        "domain": {"domain": ".example.org"},
        "max-age": {"max_age": 60},
        "expires": {"expires": 4_000_000_000},
        "secure": {"secure": True},
        "http-only": {"httponly": True},
        "strict": {"samesite": "Strict"},
        "lax": {"samesite": "Lax"},
        "none": {"samesite": "None", "secure": True},
        "partitioned": {"partitioned": True},
    }
    if which not in options:
        abort(404)
    response = current_app.make_response(which)
    response.set_cookie("kept", "1", **options[which])
    return response


# What a request says of itself.

queries = Blueprint("queries", __name__, url_prefix="/q")


@queries.get("/args")
def args():
    return sorted(request.args.items(multi=True), key=lambda pair: pair[0])


@queries.get("/typed")
def typed():
    return f"{request.args.get('page', 1, type=int)} {'+'.join(request.args.getlist('tag'))}"


@queries.get("/needed")
def needed():
    return request.args["q"]


@queries.get("/request", endpoint="request")
@queries.get("/request/<path:rest>", endpoint="request_rest")
def tell_request(rest=None):
    return {
        "method": request.method,
        "path": request.path,
        "full_path": request.full_path,
        "query": request.query_string.decode(),
        "url": request.url,
        "base_url": request.base_url,
        "root_url": request.root_url,
        "host": request.host,
        "scheme": request.scheme,
        "secure": request.is_secure,
        "endpoint": request.endpoint,
        "blueprint": request.blueprint,
        "rule": request.url_rule.rule,
        "remote": request.remote_addr,
    }


@queries.get("/fields")
def fields():
    accepted = ["text/html", "application/json", "text/plain"]
    return {
        "agent": request.headers.get("user-agent"),
        "custom": request.headers.get("x-custom"),
        "mimetype": request.mimetype,
        "is_json": request.is_json,
        "best": request.accept_mimetypes.best_match(accepted),
    }


# URLs.

links = Blueprint("links", __name__, url_prefix="/u")


@links.get("/<lang>/<int:page>", endpoint="page")
def link_page(lang, page):
    return ""


@links.get("/here/<case>")
def here(case):
    cases = {
        "static": ("routes.leaf", {}),
        "int": ("routes.int", {"n": 5}),
        "fixed": ("routes.fixed", {"n": 5}),
        "float": ("routes.float", {"x": 1.5}),
        "text": ("routes.text", {"name": "a b/ü?&#%"}),
        "path": ("routes.path", {"name": "a/b c/ü?"}),
        "safe": ("routes.text", {"name": "!$&'()*+,:;=@-._~"}),
        "any": ("routes.any", {"name": "x,y"}),
        "any-wrong": ("routes.any", {"name": "fr"}),
        "default": ("routes.page", {"page": 1}),
        "not-default": ("routes.page", {"page": 2}),
        "two": ("routes.mixed", {"a": "1", "b": "2"}),
        "query": ("routes.leaf", {"q": "a b&c=ü/?", "n": 1}),
        "list": ("routes.leaf", {"q": ["a", "b"]}),
        "anchor": ("routes.leaf", {"_anchor": "top of/ü"}),
        "external": ("routes.leaf", {"_external": True}),
        "scheme": ("routes.leaf", {"_scheme": "https"}),
        "no-scheme": ("routes.leaf", {"_scheme": "", "_external": True}),
        "method": ("methods.split_post", {"_method": "POST"}),
        "wrong-method": ("methods.split_post", {"_method": "PUT"}),
        "relative": (".page", {"lang": "de", "page": 3}),
        "relative-more": (".page", {"lang": "de", "page": 3, "case": "x"}),
        "non-ascii": ("routes.cafe", {"name": "crème"}),
        "nested": ("hooks.child.view", {}),
        "missing": ("routes.int", {}),
        "unknown": ("routes.nowhere", {}),
        "wrong-type": ("routes.int", {"n": "x"}),
    }
    if case not in cases:
        abort(404)
    endpoint, values = cases[case]
    return url_for(endpoint, **values)


# What views return.

answers = Blueprint("answers", __name__, url_prefix="/a")
answers.add_url_rule("/text", "text", lambda: flask.Response("text"))
answers.add_url_rule("/html", "html", lambda: flask.Response("<p>é</p>"))
answers.add_url_rule("/empty", "empty", lambda: "")
answers.add_url_rule("/status", "status", lambda: ("made", 201))
answers.add_url_rule("/headers", "headers", lambda: ("headers", {"x-one": "1"}))
answers.add_url_rule(
    "/all", "all", lambda: ("a,b", 202, {"x-one": "1", "content-type": "text/csv"})
)
answers.add_url_rule("/bytes", "bytes", lambda: b"\0\xff")
answers.add_url_rule("/none", "none", lambda: None)
answers.add_url_rule("/nothing", "nothing", lambda: ("", 204))
answers.add_url_rule("/unchanged", "unchanged", lambda: ("", 304))
answers.add_url_rule("/repeated", "repeated", lambda: ("x", [("x-many", "1"), ("x-many", "2")]))
answers.add_url_rule("/plain", "plain", lambda: "from a thread")


@answers.get("/stream")
def streamed():
    return (f"{number};" for number in range(3))


@answers.get("/redirect")
def redirect_to():
    return redirect(request.args["to"])


@answers.get("/redirect/<int:code>")
def redirect_by(code):
    return redirect("/a/text", code)
