"""An OpenTelemetry collector for tests: takes OTLP over HTTP and says what was in it, a line of JSON for each span.

The first line on standard error is `collector at PORT`. With the argument `slow` it takes connections and answers
nobody."""

import http.server
import json
import sys
import threading

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


def plain(attributes):
    values = ((one.key, one.value, one.value.WhichOneof("value")) for one in attributes)
    return {key: getattr(value, kind) for key, value, kind in values}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if sys.argv[1:] == ["slow"]:
            threading.Event().wait()
        assert self.path == "/v1/traces", self.path
        assert self.headers["Content-Type"] == "application/x-protobuf", self.headers
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    say(resource.resource, span)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def say(resource, span):
    line = {
        "resource": plain(resource.attributes),
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "state": span.trace_state,
        "name": span.name,
        "kind": span.kind,
        "took_ns": span.end_time_unix_nano - span.start_time_unix_nano,
        "began_ns": span.start_time_unix_nano,
        "status": span.status.code,
        "attributes": plain(span.attributes),
    }
    print(json.dumps(line), file=sys.stderr, flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
print("collector at", server.server_address[1], file=sys.stderr, flush=True)
server.serve_forever()
