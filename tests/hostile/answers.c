/* Answers that are wrong at once, in `respond` or `inform`. hostile.c lists the paths. */
#include "hostile.h"

static bool is(const struct turn *turn, const char *kind) {
  return strcmp(turn->argument, kind) == 0;
}

static int32_t play_twice(struct turn *turn) {
  int32_t first = say(turn->ctx, "first");
  note("twice %d", say(turn->ctx, "second"));
  return first;
}

static int32_t play_never(struct turn *turn) {
  (void)turn;
  return GW_READY;
}

static int32_t play_code(struct turn *turn) { return (int32_t)atol(turn->argument); }

static int32_t play_code_after(struct turn *turn) {
  say(turn->ctx, "answered");
  return (int32_t)atol(turn->argument);
}

static int32_t play_status(struct turn *turn) {
  gw_response response = plain((uint32_t)strtoul(turn->argument, NULL, 10));
  return attempt(turn->ctx, &response);
}

static int32_t play_bodiless(struct turn *turn) {
  gw_response response = plain((uint32_t)strtoul(turn->argument, NULL, 10));
  response.first = fixed("must not be sent");
  return attempt(turn->ctx, &response);
}

static int32_t with_field(struct turn *turn, gw_header bad) {
  gw_header headers[] = {field("content-type", "text/plain"), bad, field("x-after", "yes")};
  gw_response response = plain(200);
  response.headers = headers;
  response.n_headers = 3;
  response.first = fixed("ok");
  return attempt(turn->ctx, &response);
}

static int32_t with_list(struct turn *turn, const gw_header *headers, uint32_t n) {
  gw_response response = plain(200);
  response.headers = headers;
  response.n_headers = n;
  response.first = fixed("ok");
  return attempt(turn->ctx, &response);
}

static int32_t play_head(struct turn *turn) {
  static const struct {
    const char *kind, *name, *value;
  } cases[] = {
      {"cr", "x-bad", "a\rset-cookie: stolen=1"},
      {"lf", "x-bad", "a\nset-cookie: stolen=1"},
      {"lead", "x-bad", " a"},
      {"trail", "x-bad", "a\t"},
      {"space", "x bad", "a"},
      {"colon", "x-bad:", "a"},
      {"upper", "X-Bad", "a"},
      {"empty", "", "a"},
      {"high", "x-b\xC3\xA4" "d", "a"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (is(turn, cases[i].kind)) return with_field(turn, field(cases[i].name, cases[i].value));
  }
  if (is(turn, "nul")) {
    gw_header bad = field("x-bad", "a");
    bad.value = (const uint8_t *)"a\0b";
    bad.value_len = 3;
    return with_field(turn, bad);
  }
  if (is(turn, "odd-id")) {
    gw_header odd = field("x-odd", "fine");
    odd.name_id = 65000;
    return with_field(turn, odd);
  }
  if (is(turn, "null-array")) return with_list(turn, NULL, 3);
  if (is(turn, "huge-count")) {
    gw_header one = field("x-one", "1");
    return with_list(turn, &one, UINT32_MAX);
  }
  if (is(turn, "long-value")) {
    gw_header bad = field("x-long", "");
    bad.value_len = 1 << 20;
    uint8_t *value = malloc(bad.value_len);
    if (value == NULL) return GW_INTERNAL;
    bad.value = memset(value, 'v', bad.value_len);
    int32_t code = with_field(turn, bad);
    free(value);
    return code;
  }
  if (is(turn, "many")) {
    gw_header many[500];
    for (size_t i = 0; i < 500; i++) many[i] = field("x-many", "1");
    return with_list(turn, many, 500);
  }
  return GW_INTERNAL;
}

static int32_t play_order(struct turn *turn) {
  gw_header headers[] = {field("set-cookie", "a=1"), field("x-between", "1"),
                         field("set-cookie", "b=2"), field("set-cookie", "a=3")};
  return with_list(turn, headers, 4);
}

static int32_t play_facts(struct turn *turn) {
  const gw_request *request = turn->request;
  bool same = request->peer->port == request->client->port &&
              memcmp(request->peer->ip, request->client->ip, sizeof request->peer->ip) == 0;
  uint64_t forwarded = request->flags & (GW_REQUEST_CLIENT_FORWARDED | GW_REQUEST_SCHEME_FORWARDED);
  return say(turn->ctx, "scheme %u, client %s, forwarded %u, mount %u", request->scheme,
             same ? "is peer" : "differs", forwarded != 0, (unsigned)request->mount.len);
}

static int32_t play_framing(struct turn *turn) {
  const char *value = is(turn, "transfer-encoding") ? "chunked"
                      : is(turn, "connection")      ? "close"
                                                    : "trailers";
  return with_field(turn, field(turn->argument, value));
}

static int32_t play_framing_id(struct turn *turn) {
  gw_header bad = is(turn, "named") ? field("x-ok", "chunked")
                                    : field("transfer-encoding", "chunked");
  bad.name_id = is(turn, "named") ? GW_NAME_TRANSFER_ENCODING : GW_NAME_ETAG;
  return with_field(turn, bad);
}

static int32_t play_length(struct turn *turn) {
  if (is(turn, "header")) return with_field(turn, field("content-length", "7"));
  if (is(turn, "words")) return with_field(turn, field("content-length", "five"));
  if (is(turn, "two")) {
    gw_header two[] = {field("content-length", "2"), field("content-length", "3")};
    return with_list(turn, two, 2);
  }
  gw_response response = plain(200);
  response.flags = GW_RESPONSE_HAS_LENGTH;
  response.content_length = is(turn, "long") ? 5 : is(turn, "short") ? 10 : UINT64_MAX;
  response.first = fixed(is(turn, "long") ? "1234567890" : "12345");
  return attempt(turn->ctx, &response);
}

static int32_t play_flags(struct turn *turn) {
  gw_response response = plain(200);
  response.flags = is(turn, "critical") ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
  response.first = fixed("ok");
  return attempt(turn->ctx, &response);
}

static int32_t play_size(struct turn *turn) {
  struct {
    gw_response known;
    uint8_t later[64];
  } response;
  memset(response.later, 0xFF, sizeof response.later);
  response.known = plain(200);
  response.known.struct_size = is(turn, "zero") ? 0 : (uint32_t)sizeof response;
  response.known.first = fixed("ok");
  return attempt(turn->ctx, &response.known);
}

static int32_t play_inform(struct turn *turn) {
  gw_ctx *ctx = turn->ctx;
  gw_header link = field("link", "</style.css>; rel=preload");
  if (is(turn, "after")) {
    int32_t result = say(ctx, "answered");
    note("inform-after %d", ctx->vt->inform(ctx, 103, &link, 1));
    return result;
  }
  if (is(turn, "bad")) {
    link = field("link", "a\r\nset-cookie: stolen=1");
    return say(ctx, "inform %d", ctx->vt->inform(ctx, 103, &link, 1));
  }
  uint32_t status = (uint32_t)strtoul(turn->argument, NULL, 10);
  return say(ctx, "inform %d", ctx->vt->inform(ctx, status, &link, 1));
}

static int32_t play_upgrade(struct turn *turn) {
  gw_ctx *ctx = turn->ctx;
  if (is(turn, "early")) {
    gw_stream *stream = NULL;
    return say(ctx, "upgrade %d", ctx->vt->upgrade(ctx, turn->waker, &stream));
  }
  gw_response response = plain(101);
  response.flags = GW_RESPONSE_UPGRADE;
  response.protocol = str("unoffered");
  return attempt(ctx, &response);
}

static int32_t play_ext(struct turn *turn) {
  gw_str id = str("no.such/1");
  const void *found = turn->ctx->vt->ext(turn->ctx, &id);
  return say(turn->ctx, "ext %s", found == NULL ? "null" : "something");
}

static int32_t play_log(struct turn *turn) {
  const gw_host *host = hostile_host;
  gw_str target = str("hostile\x1b[31m"), message = str("a\r\nforged line\x1b[2J\x07 \xff\xfe");
  gw_kv pair = {str("key\n"), str("value\r")};
  gw_str empty = {NULL, 0};
  host->log(host, GW_LOG_ERROR, &target, &message, &pair, 1);
  host->log(host, 99, NULL, &message, NULL, 0);
  host->log(host, GW_LOG_WARN, NULL, &empty, NULL, 0);
  return say(turn->ctx, "logged");
}

const struct trick answer_tricks[] = {
    {"twice", play_twice},
    {"never", play_never},
    {"code", play_code},
    {"code-after", play_code_after},
    {"status", play_status},
    {"bodiless", play_bodiless},
    {"head", play_head},
    {"order", play_order},
    {"facts", play_facts},
    {"framing", play_framing},
    {"framing-id", play_framing_id},
    {"length", play_length},
    {"flags", play_flags},
    {"size", play_size},
    {"inform", play_inform},
    {"upgrade", play_upgrade},
    {"ext", play_ext},
    {"log", play_log},
    {NULL, NULL},
};
