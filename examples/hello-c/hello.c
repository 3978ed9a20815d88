/*
 * A web application in C: GET / answers "Hello, World!", everything else 404.
 *
 *     cc -shared -fPIC -fvisibility=hidden -I gateway-spec/include -o libhello_c.so \
 *         examples/hello-c/hello.c
 *     gatewayd ./libhello_c.so
 *
 * The application's argument, if one is given, replaces the greeting.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

struct hello {
  gw_app base; /* first, so that a gw_app pointer is a pointer to this */
  const gw_host *host;
  size_t greeting_len;
  uint8_t greeting[];
};

static bool equals(gw_str bytes, const char *text) {
  return bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

static gw_str literal(const char *text) {
  return (gw_str){(const uint8_t *)text, strlen(text)};
}

static int32_t respond(gw_ctx *ctx, uint32_t status, const uint8_t *text, size_t len) {
  const gw_header headers[] = {{
      .name = (const uint8_t *)"content-type",
      .name_len = 12,
      .name_id = GW_NAME_CONTENT_TYPE,
      .value = (const uint8_t *)"text/plain; charset=utf-8",
      .value_len = 25,
  }};
  gw_response response = {
      .struct_size = sizeof response,
      .status = status,
      .headers = headers,
      .n_headers = 1,
      .first = {.ptr = text, .len = len}, /* no `drop`: the bytes outlive the response */
  };
  return ctx->vt->respond(ctx, &response);
}

static int32_t call(const gw_app *app, const gw_request *request, const gw_waker *waker,
                    gw_call **out) {
  const struct hello *self = (const struct hello *)app;
  (void)waker, (void)out; /* this application never waits */

  /* The path without the prefix that it is mounted under. */
  gw_str path = {request->path.ptr + request->mount.len, request->path.len - request->mount.len};
  bool reads = request->method_id == GW_METHOD_GET || request->method_id == GW_METHOD_HEAD;
  gw_ctx *ctx = request->ctx;
  int32_t result = reads && equals(path, "/")
                       ? respond(ctx, 200, self->greeting, self->greeting_len)
                       : respond(ctx, 404, (const uint8_t *)"Not Found\n", 10);

  /* What came with the request is ours to give back, answered or not. */
  if (request->body != NULL) request->body->vt->drop(request->body);
  ctx->vt->drop(ctx);
  return result;
}

static int32_t startup(const gw_app *app, const gw_waker *waker, gw_error *error) {
  const struct hello *self = (const struct hello *)app;
  (void)waker, (void)error;
  if (__atomic_load_n(self->host->log_level, __ATOMIC_RELAXED) >= GW_LOG_INFO) {
    gw_str target = literal("hello-c"), message = literal("ready to greet");
    self->host->log(self->host, GW_LOG_INFO, &target, &message, NULL, 0);
  }
  return GW_READY;
}

static void destroy(const gw_app *app) { free((void *)app); }

static const gw_app_vt table = {
    .struct_size = sizeof table,
    .startup = startup,
    .call = call,
    .destroy = destroy,
};

static int32_t create(const gw_host *host, const gw_config *config, const gw_app **out,
                      gw_error *error) {
  gw_str greeting = config->argument.len > 0 ? config->argument : literal("Hello, World!");
  struct hello *self = malloc(sizeof *self + greeting.len);
  if (self == NULL) {
    error->code = GW_INTERNAL;
    return GW_INTERNAL;
  }
  self->base.vt = &table;
  self->host = host;
  self->greeting_len = greeting.len;
  memcpy(self->greeting, greeting.ptr, greeting.len);
  *out = &self->base;
  return GW_READY;
}

const gw_module gateway_module_v1 = {
    .magic = GW_MAGIC,
    .struct_size = sizeof gateway_module_v1,
    .abi_major = GW_ABI_MAJOR,
    .abi_minor = GW_ABI_MINOR,
    .name = "hello-c",
    .version = "1.0.0",
    .builder = "cc",
    .create = create,
};
