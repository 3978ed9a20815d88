/*
 * A streaming web application in C++17: answers every request with its own body, as it comes.
 *
 *     c++ -std=c++17 -shared -fPIC -fvisibility=hidden -I gateway-spec/include \
 *         -o libstream_cpp.so examples/stream-cpp/stream.cpp
 *     gatewayd ./libstream_cpp.so
 *
 * No byte is copied and none is stored: the host polls the response's body only while it can write,
 * that poll becomes a poll of the request's body, and only then does the host read from the client.
 * Trailers and errors take the same way.
 */
#include <cstdio>
#include <cstring>
#include <new>

#include "gateway.h"

namespace {

struct App : gw_app {
  const gw_host *host;
};

// The request's body as the response's. Lives until the host drops it, which may be long after the
// call has ended: the exchange goes on until the response is written.
struct Echo : gw_body {
  const gw_host *host;
  gw_body *source;
  uint64_t bytes;
};

gw_str text(const char *bytes) {
  return {reinterpret_cast<const uint8_t *>(bytes), std::strlen(bytes)};
}

int32_t echo_poll_frame(gw_body *body, const gw_waker *waker, gw_frame *out) {
  auto *self = static_cast<Echo *>(body);
  // The frame goes from host to host: our caller's waker is woken by the one whom we poll, and a
  // buffer, or trailers borrowed until the next poll, keep their terms because ours are the same.
  int32_t result = self->source->vt->poll_frame(self->source, waker, out);
  if (result == GW_READY && out->kind == GW_FRAME_DATA) self->bytes += out->data.len;
  return result;
}

void echo_drop(gw_body *body) {
  auto *self = static_cast<Echo *>(body);
  self->source->vt->drop(self->source);
  if (__atomic_load_n(self->host->log_level, __ATOMIC_RELAXED) >= GW_LOG_DEBUG) {
    char line[64];
    std::snprintf(line, sizeof line, "streamed %llu bytes",
                  static_cast<unsigned long long>(self->bytes));
    gw_str target = text("stream-cpp"), message = text(line);
    self->host->log(self->host, GW_LOG_DEBUG, &target, &message, nullptr, 0);
  }
  delete self;
}

const gw_body_vt echo_table = {sizeof(gw_body_vt), 0, echo_poll_frame, echo_drop};

// The request's content type as a field of the response; one without a name if there is none.
gw_header content_type(const gw_request &request) {
  for (uint32_t i = 0; i < request.n_headers; ++i) {
    const gw_header &field = request.headers[i];
    if (field.name_len == 12 && std::memcmp(field.name, "content-type", 12) == 0) return field;
  }
  return {};
}

int32_t call(const gw_app *app, const gw_request *request, const gw_waker *, gw_call **) {
  const auto *self = static_cast<const App *>(app);
  gw_ctx *ctx = request->ctx;
  gw_header type = content_type(*request);

  gw_response response{};
  response.struct_size = sizeof response;
  // A success would be a tunnel to the client (SPEC.md, UPG-05).
  response.status = request->method_id == GW_METHOD_CONNECT ? 501 : 200;
  response.headers = &type;
  response.n_headers = type.name == nullptr ? 0 : 1;
  if (request->content_length != GW_LENGTH_UNKNOWN) {
    response.flags = GW_RESPONSE_HAS_LENGTH;
    response.content_length = request->content_length;
  }
  if (request->first != nullptr) {  // the bytes that came with the head, moved out
    response.first = *request->first;
    *request->first = gw_buf{};
  }
  Echo *echo = nullptr;
  if (request->body != nullptr) {
    echo = new (std::nothrow) Echo{{&echo_table}, self->host, request->body, response.first.len};
    if (echo == nullptr) request->body->vt->drop(request->body);
  }
  response.body = echo;

  int32_t result = request->body != nullptr && echo == nullptr
                       ? GW_INTERNAL
                       : ctx->vt->respond(ctx, &response);
  if (result != GW_READY) {  // nothing was moved: all of it is still ours
    if (response.first.drop != nullptr) response.first.drop(&response.first);
    if (echo != nullptr) echo_drop(echo);
  }
  ctx->vt->drop(ctx);
  return result;
}

void destroy(const gw_app *app) { delete static_cast<const App *>(app); }

const gw_app_vt app_table = {sizeof(gw_app_vt), 0, nullptr, call, nullptr, destroy, nullptr};

int32_t create(const gw_host *host, const gw_config *, const gw_app **out, gw_error *error) {
  auto *app = new (std::nothrow) App{{&app_table}, host};
  if (app == nullptr) return error->code = GW_INTERNAL;
  *out = app;
  return GW_READY;
}

}  // namespace

const gw_module gateway_module_v1 = {
    GW_MAGIC, sizeof(gw_module), GW_ABI_MAJOR, GW_ABI_MINOR, 0, 0, 0, 0,
    "stream-cpp", "1.0.0", "c++", create, nullptr,
};
