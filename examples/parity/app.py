"""The application of src/ as Flask's users write it, in the same order."""

import os

import flask
from flask import Blueprint, Flask, abort, g, request
from werkzeug.exceptions import HTTPException

import pages


class Text(flask.Response):
    """Texts are text, as in carafe; `/a/text` shows Flask's own choice."""

    default_mimetype = "text/plain"


app = Flask(__name__)
app.response_class = Text
app.secret_key = "parity-0123456789-abcdef-present"
app.config["SECRET_KEY_FALLBACKS"] = ["parity-9876543210-fedcba-former!"]


# Rules and converters.

routes = Blueprint("routes", __name__, url_prefix="/r")


def say(rule, endpoint, **options):
    """A view that says what it was called with."""

    def view(**values):
        return "|".join(str(value) for value in values.values()) or endpoint

    routes.add_url_rule(rule, endpoint, view, **options)


say("/leaf", "leaf")
say("/branch/", "branch")
say("/branch/<name>/", "twig")
say("/int/<int:n>", "int")
say("/signed/<int(signed=True):n>", "signed")
say("/limits/<int(min=1, max=9):n>", "limits")
say("/fixed/<int(fixed_digits=3):n>", "fixed")
say("/float/<float:x>", "float")
say("/floats/<float(signed=True):x>", "floats")
say("/text/<name>", "text")
say("/two/<string(length=2):name>", "two")
say("/some/<string(minlength=2, maxlength=4):name>", "some")
say("/path/<path:name>", "path")


@routes.get("/path/<path:name>/edit")
def edit(name):
    return f"edit {name}"


say("/uuid/<uuid:id>", "uuid")
say('/any/<any(de, en, "x,y"):name>', "any")
say("/mixed/<a>-<b>", "mixed")


@routes.get("/mixed/pre-<x>")
def pre(x):
    return f"pre {x}"


say("/mixed/<int:n>", "mixed_int")


@routes.get("/pages/", defaults={"page": 1})
@routes.get("/pages/<int:page>")
def page(page):
    return f"page {page}"


say("/loose/", "loose", strict_slashes=False)
say("/unmerged/<path:name>", "unmerged", merge_slashes=False)
say("/old/<int:n>", "old", redirect_to="/r/int/<n>")
say("/café/<name>", "cafe")


@routes.get("/<lang>/<int:year>/<slug>")
def deep(lang, year, slug):
    return f"{lang} {year} {slug}"


# Methods.

methods = Blueprint("methods", __name__, url_prefix="/m")


def told():
    return f"by {request.method}"


methods.add_url_rule("/get", "only_get", told)
methods.add_url_rule("/post", "only_post", told, methods=["POST"])
methods.add_url_rule("/both", "both", told, methods=["GET", "POST"])
methods.add_url_rule("/change", "change", told, methods=["PUT", "PATCH", "DELETE"])
methods.add_url_rule("/options", "own_options", told, methods=["GET", "OPTIONS"])
methods.add_url_rule("/split", "split_get", lambda: "split get")
methods.add_url_rule("/split", "split_post", lambda: "split post", methods=["POST"])
methods.add_url_rule("/split/", "split_delete", lambda: "split delete", methods=["DELETE"])
methods.add_url_rule("/branch/", "branch", told)
methods.add_url_rule("/<int:n>", "put", lambda n: f"put {n}", methods=["PUT"])
methods.add_url_rule("/<name>", "get_name", lambda name: f"get {name}")


# Errors.

errors = Blueprint("errors", __name__, url_prefix="/e")
inner = Blueprint("inner", __name__, url_prefix="/inner")
all_codes = Blueprint("all", __name__, url_prefix="/all")


class Teapot(Exception):
    pass


class Spill(Exception):
    pass


class Stray(Exception):
    pass


def abort_with(code):
    abort(code)


def spill():
    raise Spill(7)


def teapot():
    raise Teapot("green")


def stray():
    raise Stray


def again():
    abort(428)


def plain():
    abort(429)


def respond():
    abort(app.response_class("a response", 402))

# Files.

downloads = Blueprint("downloads", __name__, url_prefix="/d")
FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
LETTERS = os.path.join(FILES, "letters.txt")


@downloads.get("/letters")
def letters():
    return flask.send_file(LETTERS)


@downloads.get("/empty")
def empty():
    return flask.send_file(os.path.join(FILES, "empty.txt"))


@downloads.get("/attached")
def attached():
    name = request.args.get("name")
    return flask.send_file(LETTERS, as_attachment=True, download_name=name)


@downloads.get("/aged")
def aged():
    return flask.send_file(LETTERS, max_age=60)


@downloads.get("/plain")
def plain():
    return flask.send_file(LETTERS, conditional=False)


@downloads.get("/kind")
def kind():
    return flask.send_file(LETTERS, mimetype="application/x-letters")


@downloads.get("/of/<path:name>")
def of(name):
    return flask.send_from_directory(FILES, name)


for blueprint in (inner, all_codes, errors):
    blueprint.add_url_rule("/abort/<int:code>", "abort", abort_with)
    blueprint.add_url_rule("/spill", "spill", spill)
for blueprint in (inner, errors):
    blueprint.add_url_rule("/teapot", "teapot", teapot)
errors.add_url_rule("/told/<int:code>", "told", lambda code: abort(code, "A sentence of its own."))
errors.add_url_rule("/returned", "returned", lambda: ("returned", 404))
errors.add_url_rule("/stray", "stray", stray)
errors.add_url_rule("/again", "again", again)
errors.add_url_rule("/plain", "plain", plain)
errors.add_url_rule("/response", "response", respond)

inner.register_error_handler(410, lambda error: ("gone from inner", 410))
all_codes.register_error_handler(HTTPException, lambda error: (f"all {error.code}", error.code))
errors.register_error_handler(410, lambda error: ("gone from errors", 410))
errors.register_error_handler(418, lambda error: (f"short and stout: {error.name}", 418))
errors.register_error_handler(428, lambda error: abort(410))
errors.register_error_handler(429, lambda error: "slow down")
errors.register_error_handler(405, lambda error: ("method from errors", 405))
errors.register_error_handler(Spill, lambda error: (f"spilled {error.args[0]}", 503))
app.register_error_handler(409, lambda error: ("conflict from the application", 409))
app.register_error_handler(
    Teapot, lambda error: (f"teapot from the application: {error.args[0]}", 418)
)
errors.register_blueprint(inner)
errors.register_blueprint(all_codes)


# Hooks.

hooks = Blueprint("hooks", __name__, url_prefix="/h")
child = Blueprint("child", __name__, url_prefix="/child")
after_all = Blueprint("ended", __name__, url_prefix="/ended")
ended = {}


def note(what):
    g.setdefault("trace", []).append(what)


def noted(what):
    def hook(*_):
        note(what)

    return hook


def stop_at(place):
    def hook():
        note(place)
        if request.args.get("stop") == place:
            return f"stopped at {place}"
        if request.args.get("break") == place:
            abort(504)

    return hook


def passed(what):
    def hook(response):
        note(what)
        return response

    return hook


@hooks.after_request
def show_trace(response):
    note("-p0")
    response.headers["x-trace"] = " ".join(g.trace)
    return response


@hooks.teardown_request
def keep_trace(_):
    note("~p0")
    if "name" in request.args:
        ended[request.args["name"]] = " ".join(g.trace)


hooks.before_request(noted("p1"))
hooks.before_request(stop_at("p2"))
hooks.after_request(passed("-p1"))


@hooks.after_request
def break_down(response):
    note("-p2")
    if request.args.get("break") == "p2":
        abort(502)
    return response


hooks.teardown_request(noted("~p1"))
child.before_request(noted("c1"))
child.before_request(stop_at("c2"))
child.after_request(passed("-c1"))
child.after_request(passed("-c2"))
child.teardown_request(noted("~c"))


@hooks.get("/view")
@child.get("/view")
def view():
    note("view")

    @flask.after_this_request
    def first(response):
        note("-this1")
        response.headers["x-this"] = "1"
        return response

    @flask.after_this_request
    def second(response):
        note("-this2")
        response.headers["x-this"] = "2"
        return response

    match request.args.get("fail"):
        case "504":
            abort(504)
        case "404":
            abort(404)
        case "stray":
            raise Stray
        case "stream":
            return app.response_class(iter(["streamed"]))
    return "viewed"


@after_all.get("/<name>")
def show(name):
    if name not in ended:
        abort(404)
    return ended[name]


@hooks.errorhandler(504)
def handled(_):
    note("!504")
    return "handled", 504


hooks.register_blueprint(child)
hooks.register_blueprint(after_all)


for blueprint in (
    routes,
    methods,
    errors,
    hooks,
    pages.sessions,
    pages.forms,
    pages.json,
    pages.cookies,
    pages.queries,
    pages.links,
    pages.answers,
    downloads,
):
    app.register_blueprint(blueprint)
