"""Answers on standard output what Flask and its kin say to the JSON on standard input.

framework/tests/flask.rs says what the fields mean.
"""

import datetime
import json
import sys
import uuid

from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf, validate_csrf
from markupsafe import Markup
from werkzeug.security import check_password_hash, generate_password_hash, safe_join
from werkzeug.utils import secure_filename

question = json.load(sys.stdin)
sessions = SecureCookieSessionInterface()


def signed_by(secret, *former):
    app = Flask(__name__)
    app.secret_key = secret
    app.config["SECRET_KEY_FALLBACKS"] = list(former)
    return app


present, former = question["secret"], question["former"]
app = signed_by(present, former)
serializer = sessions.get_signing_serializer(app)


def plain(value):
    """The value without what JSON cannot say."""
    if isinstance(value, bytes):
        return list(value)
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, datetime.datetime):
        return value.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return str(value) if isinstance(value, (uuid.UUID, Markup)) else value


documents = [
    {"text": "ü 😀 \u2028 \\ \" <>", "empty": ""},
    {"numbers": [0, -1, 1.5, 2**53, 1e300], "truths": [True, False, None]},
    {"tuple": (1, ("a",)), "bytes": b"\x00\xff", "markup": Markup("<b>"), "uuid": uuid.UUID(int=7)},
    {"date": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)},
    {"trap": {" t": [1]}, "deeper": {" di": {" b__": {" m": 1}}}, "two": {" t": 1, " b": 2}},
    {"big": "x" * 1000, "varied": "".join(chr(33 + n * 7 % 90) for n in range(300))},
    {"_permanent": True, "_flashes": [("message", "hi"), ("error", "no")]},
]


def cookies():
    for key, by in (("present", app), ("former", signed_by(former)), ("other", signed_by("x" * 40))):
        signer = sessions.get_signing_serializer(by)
        for document in documents:
            yield {"key": key, "cookie": signer.dumps(document), "plain": plain(document)}


def token():
    """A session with the token that Flask-WTF puts into its forms."""
    with app.test_request_context():
        made = generate_csrf()
        return {"cookie": serializer.dumps(dict(session)), "token": made}


def is_valid(cookie, made):
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        try:
            validate_csrf(made)
        except Exception as error:
            return str(error)
    return "valid"


METHODS = ["scrypt", "pbkdf2", "scrypt:16384:8:1", "pbkdf2:sha512:1000", "pbkdf2:sha1:1000"]
# Only where it is asked for: hashing is slow on purpose.
methods = METHODS if question["hashes"] else []
json.dump(
    {
        "cookies": list(cookies()),
        "opened": [plain(serializer.loads(cookie)) for cookie in question["cookies"]],
        "hashes": [generate_password_hash(question["password"], method) for method in methods],
        "checked": [check_password_hash(hash, question["password"]) for hash in question["hashes"]],
        "refused": [check_password_hash(hash, "another") for hash in question["hashes"]],
        "token": token(),
        "valid": is_valid(question["session"], question["token"]),
        "names": [secure_filename(name) for name in question["names"]],
        "joined": [safe_join("/srv", name) for name in question["names"]],
    },
    sys.stdout,
)
