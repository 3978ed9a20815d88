/*
 * A tour of the interface in C: what an application is told, and the ways to answer.
 *
 *     cc -shared -fPIC -fvisibility=hidden -I gateway-spec/include -o libtour_c.so examples/tour-c/tour.c
 *     gatewayd ./libtour_c.so
 *
 *     GET  /seen...    the request as JSON: method, target, path, query, fields; any method, any body length
 *     GET  /bytes/N    N bytes, also in part (Range) or only if they have changed (If-None-Match)
 *     GET  /pieces/N   N lines, each a frame, of a length that is not announced
 *     GET  /cookies    fields that repeat
 *     GET  /status/N   this status and nothing more
 *     GET  /fail/N     the error -N instead of an answer
 *     POST /sum        length and FNV-1a hash of the body, once it has been read
 *     POST /mirror     the body, as it comes
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

/* ---- text ----------------------------------------------------------------------------------- */

struct text {
  uint8_t *ptr;
  size_t len, room;
  bool lost; /* no memory: what there is, is not all */
};

static void put(struct text *text, const void *bytes, size_t len) {
  if (text->room - text->len < len) {
    size_t room = 2 * (text->room + len);
    uint8_t *more = realloc(text->ptr, room);
    if (more == NULL) text->lost = true;
    if (text->lost) return;
    text->ptr = more, text->room = room;
  }
  if (len > 0) memcpy(text->ptr + text->len, bytes, len);
  text->len += len;
}

static void put_line(struct text *text, const char *format, ...) {
  char line[160];
  va_list values;
  va_start(values, format);
  int len = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  put(text, line, len < (int)sizeof line ? (size_t)len : sizeof line - 1);
}

/* A string of JSON; a byte outside ASCII becomes the Latin-1 character of the same number. */
static void put_json(struct text *text, const uint8_t *bytes, size_t len) {
  put(text, "\"", 1);
  for (size_t i = 0; i < len; i++) {
    bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\';
    if (plain) put(text, bytes + i, 1);
    else put_line(text, "\\u%04x", bytes[i]);
  }
  put(text, "\"", 1);
}

static void free_text(gw_buf *buf) { free((void *)buf->ptr); }

static bool equals(gw_str bytes, const char *text) {
  return bytes.len == strlen(text) && memcmp(bytes.ptr, text, bytes.len) == 0;
}

/* What follows the prefix; its `ptr` is NULL if the bytes begin otherwise. */
static gw_str after(gw_str bytes, const char *prefix) {
  size_t len = strlen(prefix);
  if (bytes.len < len || memcmp(bytes.ptr, prefix, len) != 0) return (gw_str){NULL, 0};
  return (gw_str){bytes.ptr + len, bytes.len - len};
}

/* Digits at the beginning, which are passed over; false if there is none, or too many. */
static bool number(gw_str *bytes, uint64_t *out) {
  size_t len = 0;
  for (*out = 0; len < bytes->len && bytes->ptr[len] >= '0' && bytes->ptr[len] <= '9'; len++)
    *out = *out * 10 + (bytes->ptr[len] - '0');
  *bytes = (gw_str){bytes->ptr + len, bytes->len - len};
  return len > 0 && len < 12;
}

/* ---- answers -------------------------------------------------------------------------------- */

static gw_header field(const char *name, const char *value) {
  return (gw_header){
      .name = (const uint8_t *)name,
      .name_len = (uint32_t)strlen(name),
      .value = (const uint8_t *)value,
      .value_len = (uint32_t)strlen(value),
  };
}

/* The first field of the name, or an empty value without `ptr`. */
static gw_str field_of(const gw_request *request, const char *name) {
  for (uint32_t i = 0; i < request->n_headers; i++) {
    const gw_header *one = &request->headers[i];
    if (equals((gw_str){one->name, one->name_len}, name))
      return (gw_str){one->value, one->value_len};
  }
  return (gw_str){NULL, 0};
}

static int32_t answer(gw_ctx *ctx, uint32_t status, const gw_header *fields, uint32_t n,
                      struct text *text) {
  gw_response response = {
      .struct_size = sizeof response,
      .status = status,
      .headers = fields,
      .n_headers = n,
      .first = {.ptr = text->ptr, .len = text->len, .drop = free_text},
  };
  int32_t result = text->lost ? GW_INTERNAL : ctx->vt->respond(ctx, &response);
  if (result != GW_READY) free(text->ptr); /* nothing was moved */
  return result;
}

static int32_t answer_with(gw_ctx *ctx, uint32_t status, const char *words) {
  gw_header type = field("content-type", "text/plain; charset=utf-8");
  struct text text = {0};
  put_line(&text, "%s\n", words);
  return answer(ctx, status, &type, 1, &text);
}

static int32_t seen(const gw_request *request) {
  struct text text = {0};
  put_line(&text, "{\"method\":");
  put_json(&text, request->method.ptr, request->method.len);
  put_line(&text, ",\"target\":");
  put_json(&text, request->target.ptr, request->target.len);
  put_line(&text, ",\"path\":");
  put_json(&text, request->path.ptr, request->path.len);
  put_line(&text, ",\"query\":");
  if (request->query.ptr == NULL) put_line(&text, "null");
  else put_json(&text, request->query.ptr, request->query.len);
  put_line(&text, ",\"headers\":[");
  for (uint32_t i = 0; i < request->n_headers; i++) {
    const gw_header *one = &request->headers[i];
    put_line(&text, i > 0 ? ",[" : "[");
    put_json(&text, one->name, one->name_len);
    put_line(&text, ",");
    put_json(&text, one->value, one->value_len);
    put_line(&text, "]");
  }
  put_line(&text, "]}");
  gw_header type = field("content-type", "application/json");
  return answer(request->ctx, 200, &type, 1, &text);
}

static int32_t cookies(gw_ctx *ctx) {
  const gw_header fields[] = {
      field("set-cookie", "a=1; Path=/"),
      field("vary", "Cookie"),
      field("set-cookie", "b=\"2, 3\"; HttpOnly"),
      field("set-cookie", "a=4"),
      field("link", "</one>; rel=next, </two>"),
      field("x-empty", ""),
  };
  struct text text = {0};
  put_line(&text, "three cookies\n");
  return answer(ctx, 200, fields, sizeof fields / sizeof *fields, &text);
}

/* ---- bodies --------------------------------------------------------------------------------- */

/* Lines, or bytes of the alphabet: whatever is left of them. */
struct made {
  gw_body base;
  uint64_t left, position;
};

static void made_drop(gw_body *body) { free(body); }

static int32_t bytes_poll(gw_body *body, const gw_waker *waker, gw_frame *out) {
  struct made *self = (struct made *)body;
  (void)waker; /* there is always more at once */
  size_t len = self->left < 65536 ? (size_t)self->left : 65536;
  uint8_t *letters = malloc(len);
  if (letters == NULL) return GW_INTERNAL;
  for (size_t i = 0; i < len; i++) letters[i] = (uint8_t)('a' + self->position++ % 26);
  self->left -= len;
  out->kind = GW_FRAME_DATA;
  out->data = (gw_buf){.ptr = letters, .len = len, .drop = free_text};
  if (self->left == 0) out->flags = GW_FRAME_LAST;
  return GW_READY;
}

static int32_t pieces_poll(gw_body *body, const gw_waker *waker, gw_frame *out) {
  struct made *self = (struct made *)body;
  (void)waker;
  if (self->left == 0) {
    out->kind = GW_FRAME_END;
    return GW_READY;
  }
  struct text text = {0};
  put_line(&text, "piece %llu\n", (unsigned long long)self->position++);
  if (text.lost) return GW_INTERNAL;
  self->left--;
  out->kind = GW_FRAME_DATA;
  out->data = (gw_buf){.ptr = text.ptr, .len = text.len, .drop = free_text};
  return GW_READY;
}

static const gw_body_vt bytes_table = {sizeof(gw_body_vt), 0, bytes_poll, made_drop};
static const gw_body_vt pieces_table = {sizeof(gw_body_vt), 0, pieces_poll, made_drop};

static gw_body *made(const gw_body_vt *table, uint64_t left, uint64_t position) {
  struct made *self = malloc(sizeof *self);
  if (self == NULL) return NULL;
  *self = (struct made){{table}, left, position};
  return &self->base;
}

static int32_t pieces(gw_ctx *ctx, uint64_t count) {
  gw_response response = {.struct_size = sizeof response, .status = 200};
  response.body = made(&pieces_table, count, 0);
  int32_t result = response.body == NULL ? GW_INTERNAL : ctx->vt->respond(ctx, &response);
  if (result != GW_READY) free(response.body);
  return result;
}

/* `bytes=a-b`, `bytes=a-` or `bytes=-n` of `size` bytes. 0: there is no such range, 206: here it is,
 * 416: it lies outside. */
static uint32_t range_of(gw_str text, uint64_t size, uint64_t *start, uint64_t *end) {
  gw_str range = after(text, "bytes=");
  if (range.ptr == NULL) return 0;
  bool has_start = number(&range, start);
  if (range.len == 0 || range.ptr[0] != '-') return 0;
  range = (gw_str){range.ptr + 1, range.len - 1};
  bool has_end = number(&range, end);
  if (range.len > 0 || (!has_start && !has_end)) return 0;
  if (!has_start) {
    *start = *end < size ? size - *end : 0;
    has_end = *end == 0; /* a suffix without a byte is outside */
    if (has_end) return 416;
  }
  if (has_start && has_end && *end < *start) return 0;
  if (*start >= size) return 416;
  if (!has_end || *end >= size) *end = size - 1;
  return 206;
}

static int32_t bytes(const gw_request *request, uint64_t size) {
  char etag[32], place[64];
  snprintf(etag, sizeof etag, "\"%llu\"", (unsigned long long)size);
  gw_header fields[4] = {
      field("content-type", "text/plain"),
      field("etag", etag),
      field("accept-ranges", "bytes"),
  };
  gw_response response = {
      .struct_size = sizeof response,
      .status = 200,
      .flags = GW_RESPONSE_HAS_LENGTH,
      .headers = fields,
      .n_headers = 3,
      .content_length = size,
  };
  uint64_t start = 0, end = 0;
  gw_str match = field_of(request, "if-none-match");
  uint32_t part = range_of(field_of(request, "range"), size, &start, &end);
  unsigned long long of = size;
  if (equals(match, etag) || equals(match, "*")) {
    response.status = 304;
  } else if (part == 416) {
    snprintf(place, sizeof place, "bytes */%llu", of);
    response.status = 416, response.content_length = 0;
  } else if (part == 206) {
    snprintf(place, sizeof place, "bytes %llu-%llu/%llu", (unsigned long long)start,
             (unsigned long long)end, of);
    response.status = 206, response.content_length = end - start + 1;
  }
  if (response.status == 206 || response.status == 416)
    fields[response.n_headers++] = field("content-range", place);
  bool has_body = response.status != 304 && response.content_length > 0 &&
                  request->method_id != GW_METHOD_HEAD;
  if (has_body) {
    response.body = made(&bytes_table, response.content_length, start);
    if (response.body == NULL) return GW_INTERNAL;
  }
  int32_t result = request->ctx->vt->respond(request->ctx, &response);
  if (result != GW_READY) free(response.body);
  return result;
}

/* The request's body as the response's: the host polls its own, through the application. */
static int32_t mirror(const gw_request *request, gw_body **body) {
  gw_header type = field("content-type", "application/octet-stream");
  gw_response response = {
      .struct_size = sizeof response, .status = 200, .headers = &type, .n_headers = 1};
  if (request->content_length != GW_LENGTH_UNKNOWN) {
    response.flags = GW_RESPONSE_HAS_LENGTH;
    response.content_length = request->content_length;
  }
  if (request->first != NULL) { /* the bytes that came with the head, moved out */
    response.first = *request->first;
    *request->first = (gw_buf){0};
  }
  response.body = *body;
  int32_t result = request->ctx->vt->respond(request->ctx, &response);
  if (result == GW_READY) *body = NULL;
  else if (response.first.drop != NULL) response.first.drop(&response.first);
  return result;
}

/* ---- a call that waits ---------------------------------------------------------------------- */

struct sum {
  gw_call base;
  gw_ctx *ctx;
  gw_body *body;
  uint64_t len;
  uint32_t hash;
};

static void add(struct sum *self, const uint8_t *bytes, size_t len) {
  self->len += len;
  for (size_t i = 0; i < len; i++) self->hash = (self->hash ^ bytes[i]) * 16777619u;
}

static void sum_drop(gw_call *call) {
  struct sum *self = (struct sum *)call;
  if (self->body != NULL) self->body->vt->drop(self->body);
  self->ctx->vt->drop(self->ctx);
  free(self);
}

static int32_t sum_step(struct sum *self, const gw_waker *waker) {
  for (bool more = self->body != NULL; more;) {
    gw_frame frame = {.struct_size = sizeof frame, .fd = -1};
    int32_t result = self->body->vt->poll_frame(self->body, waker, &frame);
    if (result != GW_READY) return result;
    if (frame.kind == GW_FRAME_DATA) add(self, frame.data.ptr, frame.data.len);
    if (frame.data.drop != NULL) frame.data.drop(&frame.data);
    more = frame.kind != GW_FRAME_END && (frame.flags & GW_FRAME_LAST) == 0;
  }
  char words[64];
  snprintf(words, sizeof words, "%llu bytes, %08x", (unsigned long long)self->len, self->hash);
  return answer_with(self->ctx, 200, words);
}

static int32_t sum_poll(gw_call *call, const gw_waker *waker) {
  int32_t result = sum_step((struct sum *)call, waker);
  if (result != GW_PENDING) sum_drop(call);
  return result;
}

static const gw_call_vt sum_table = {sizeof(gw_call_vt), 0, sum_poll, sum_drop};

static int32_t sum(const gw_request *request, const gw_waker *waker, gw_call **out) {
  struct sum *self = malloc(sizeof *self);
  if (self == NULL) {
    if (request->body != NULL) request->body->vt->drop(request->body);
    request->ctx->vt->drop(request->ctx);
    return GW_INTERNAL;
  }
  *self = (struct sum){{&sum_table}, request->ctx, request->body, 0, 2166136261u};
  if (request->first != NULL) add(self, request->first->ptr, request->first->len);
  int32_t result = sum_step(self, waker);
  if (result == GW_PENDING) *out = &self->base;
  else sum_drop(&self->base);
  return result;
}

/* ---- the application ------------------------------------------------------------------------ */

static int32_t route(const gw_request *request, gw_body **body) {
  gw_ctx *ctx = request->ctx;
  gw_str path = {request->path.ptr + request->mount.len, request->path.len - request->mount.len};
  gw_str rest;
  uint64_t n = 0;
  if ((rest = after(path, "/seen")).ptr != NULL) return seen(request);
  if (equals(path, "/mirror")) return mirror(request, body);
  if (request->method_id != GW_METHOD_GET && request->method_id != GW_METHOD_HEAD) {
    gw_header allow = field("allow", "GET, HEAD");
    struct text text = {0};
    put_line(&text, "Method Not Allowed\n");
    return answer(ctx, 405, &allow, 1, &text);
  }
  if (equals(path, "/cookies")) return cookies(ctx);
  if ((rest = after(path, "/bytes/")).ptr != NULL && number(&rest, &n) && rest.len == 0)
    return bytes(request, n);
  if ((rest = after(path, "/pieces/")).ptr != NULL && number(&rest, &n) && rest.len == 0)
    return pieces(ctx, n);
  if ((rest = after(path, "/fail/")).ptr != NULL && number(&rest, &n) && n > 0 && n < 13)
    return -(int32_t)n;
  if ((rest = after(path, "/status/")).ptr != NULL && number(&rest, &n) && n > 199 && n < 600) {
    struct text none = {0};
    return answer(ctx, (uint32_t)n, NULL, 0, &none);
  }
  return answer_with(ctx, 404, "Not Found");
}

static int32_t call(const gw_app *app, const gw_request *request, const gw_waker *waker,
                    gw_call **out) {
  (void)app;
  gw_str path = {request->path.ptr + request->mount.len, request->path.len - request->mount.len};
  if (equals(path, "/sum")) return sum(request, waker, out);
  gw_body *body = request->body;
  int32_t result = route(request, &body);
  /* What came with the request is ours to give back, answered or not. */
  if (body != NULL) body->vt->drop(body);
  request->ctx->vt->drop(request->ctx);
  return result;
}

static void destroy(const gw_app *app) { (void)app; }

static const gw_app_vt table = {.struct_size = sizeof table, .call = call, .destroy = destroy};

static int32_t create(const gw_host *host, const gw_config *config, const gw_app **out,
                      gw_error *error) {
  static const gw_app app = {&table}; /* nothing to keep */
  (void)host, (void)config, (void)error;
  *out = &app;
  return GW_READY;
}

const gw_module gateway_module_v1 = {
    .magic = GW_MAGIC,
    .struct_size = sizeof gateway_module_v1,
    .abi_major = GW_ABI_MAJOR,
    .abi_minor = GW_ABI_MINOR,
    .name = "tour-c",
    .version = "1.0.0",
    .builder = "cc",
    .create = create,
};
