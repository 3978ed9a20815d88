/*
 * gateway.h - the Gateway Interface, C ABI version 1.0.
 *
 * THE PROMISE. An application compiled against this file loads under every later 1.x host, and a
 * host compiled against it loads every 1.x application whose `min_host_minor` it reaches. Nothing
 * below is ever removed, renumbered, reordered or given a second meaning; a minor version only
 * appends fields to structures, functions to tables, and constants to lists. A version that cannot
 * keep this is called 2, exports another symbol, and a module may carry both. Hosts keep loading
 * the previous major version beside the current one.
 *
 * A module is a shared object that exports one data symbol, `gateway_module_v1` (gw_module below).
 * In one sentence: the host calls `call` once per request, the application answers by calling
 * `respond` from inside it, and READY ends the call. SPEC.md holds the numbered rules, [GW-nn];
 * this file says for each function who calls it, on which thread, in which state, who frees what,
 * and what each result means.
 *
 *
 * WORDS
 *
 *   host      the server side: loads the module, polls calls and response bodies.
 *   app       the module's side: answers requests, polls request bodies and upgraded streams.
 *   call      one invocation of the application, from `call` until it ends: by returning anything
 *             but GW_PENDING from `call` or `poll`, or by the host's `gw_call_vt.drop`.
 *   exchange  one request and its response. It ends when the response is written completely or the
 *             connection is lost, which may be earlier or later than the call's end: a response
 *             body may go on reading the request body after the call has ended.
 *   moved     ownership goes to the receiver, who copies the structure and zeroes the original.
 *   borrowed  ownership stays; the receiver must not use it after the time that is stated.
 *
 *
 * TAGS stand in brackets above every function: [direction, thread, state].
 *
 *   direction  host->app   the host calls, the application implements
 *              app->host   the application calls, the host implements
 *              any->owner  whoever holds the object calls, whoever made it implements
 *
 *   thread     loop   a thread on which the host runs calls. Two threads never enter the same
 *                     object at once, but an object may move to another loop thread between two
 *                     functions, unless the module sets GW_MODULE_LOCAL_CALLS or _SINGLE_THREAD.
 *                     One application may be inside many calls at once, each on its own thread.
 *              one    any thread, one at a time for this object; the caller sees to it
 *              any    any thread, at any time, concurrently with everything else
 *
 *   state      once               at most once for the object
 *              inside call|poll   only on the stack of this exchange's `call` or of its call's
 *                                 `poll`; elsewhere it fails and changes nothing
 *              live               from creation until the object has ended; an exchange as long
 *                                 as the call lasts or the reference is held
 *              further words say what must have happened before
 *
 *
 * RULES FOR ALL OF IT
 *
 *  1. 64-bit targets, native byte order. Pointers and scalars only cross as arguments and results.
 *
 *  2. struct_size. A structure that may grow begins with `uint32_t struct_size`, written by whoever
 *     fills the structure: sizeof as its compiler saw it. A reader reads field F only if it lies
 *     wholly below that size (GW_HAS) and otherwise acts as if F were zero; zero always means the
 *     behaviour of the version before F. Where one side lends a structure for the other to fill
 *     (gw_error, gw_frame), the lender writes its capacity into `struct_size` first and the filler
 *     writes no field beyond it.
 *
 *  3. Frozen for ever, because they stand in arrays or by value: gw_str, gw_buf, gw_header,
 *     gw_addr, gw_iov, gw_kv, gw_command, and gw_waker with its table.
 *
 *  4. Tables (`..._vt`) grow the same way. A NULL entry is an unsupported function. Those of this
 *     version are never NULL unless marked "may be NULL".
 *
 *  5. flags. In 64-bit flag words a reader ignores unknown bits 0-31 and refuses unknown bits 32-63
 *     with GW_UNSUPPORTED. In narrower flag words it ignores unknown bits. Fields called `reserved`
 *     are written as zero and not read.
 *
 *  6. Objects are thin: a pointer to a structure whose first member is `vt`; what follows is the
 *     implementer's. Tables are constant and outlive every object that points to them.
 *
 *  7. Wakers passed to a function are borrowed for its duration; keeping one means `clone`. Each
 *     poll function keeps at most the last waker it was given, on that object, and drops it when
 *     it returns anything but GW_PENDING.
 *
 *  8. No exception, panic or longjmp leaves a function of this file. None of them blocks, except
 *     `call` and `poll` of a module that sets GW_MODULE_BLOCKING.
 *
 *  9. The host never calls into the application from inside a function that the application has
 *     called, with two exceptions: `drop` of an object or buffer that was just moved, and the
 *     functions of wakers, since keeping the one that was lent means `clone`.
 *
 * 10. `drop` functions return nothing and cannot fail. They may be called on any thread and call
 *     nothing of the other side but `log` and other `drop`s.
 *
 * 11. Each side frees what it allocated, always through the `drop` that came with it; the two
 *     allocators never meet. A function that fails has moved nothing.
 *
 * 12. The module is never unloaded. Whatever the host hands out as "valid until the process exits"
 *     may be used by the application's threads without further care.
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if UINTPTR_MAX != UINT64_MAX
#error "the gateway ABI v1 is defined for 64-bit targets only"
#endif

/* Makes a symbol visible in a module that is compiled with -fvisibility=hidden, as all should. */
#if defined(__GNUC__) || defined(__clang__)
#define GW_EXPORT __attribute__((visibility("default")))
#else
#define GW_EXPORT
#endif

/* Whether the filler of `*object` knew `field`: rule 2. `type` is the structure's name. */
#define GW_HAS(object, type, field) \
  ((object)->struct_size >= offsetof(type, field) + sizeof(((type *)NULL)->field))

/* ---- constants ------------------------------------------------------------------------------ */

/* The first eight bytes of the descriptor: "GATEWAY1" on a little-endian machine, as an integer. */
#define GW_MAGIC UINT64_C(0x3159415745544147)
/* The version described here. The minor version grows when something is appended. */
#define GW_ABI_MAJOR 1
#define GW_ABI_MINOR 0
/* Bytes of gw_module in version 1.0; a descriptor that says less is refused. */
#define GW_MODULE_MIN_SIZE 184
/* The name of the exported symbol, for dlsym. */
#define GW_MODULE_SYMBOL "gateway_module_v1"

/*
 * Results, as int32_t. Values from 0 up are progress, values below are errors. An unknown negative
 * value counts as GW_INTERNAL.
 *
 * As the result of `call` or `poll` before a response was given, an error becomes the status in the
 * last column. After `respond` succeeded, an error of `call` or `poll` ends the call and is logged;
 * a response of which the host has all content by then goes out whole, any other is reset, as by an
 * error of its body: HTTP/1 closes the connection without completing the message, HTTP/2 resets the
 * stream.
 */
#define GW_READY 0        /* done */
#define GW_PENDING 1      /* not yet; the waker given last will be woken once */
#define GW_PANIC -1       /* a panic or an uncaught exception was caught at the border     500 */
#define GW_UNSUPPORTED -2 /* the other side does not have this function, flag or kind      500 */
#define GW_INVALID -3     /* an argument breaks a rule; nothing was done                   500 */
#define GW_CLOSED -4      /* the exchange, the client or the object is gone                500 */
#define GW_TOO_LATE -5    /* the state that allowed this has passed; nothing was done      500 */
#define GW_LIMIT -6       /* a configured limit was exceeded                               413 */
#define GW_TIMEOUT -7     /* a deadline passed                                             408 */
#define GW_PROTOCOL -8    /* the peer broke the protocol                                   400 */
#define GW_IO -9          /* the operating system reported an error                        500 */
#define GW_BUSY -10       /* no capacity at this moment                                    503 */
#define GW_INTERNAL -11   /* none of the others                                            500 */
#define GW_NO_RESPONSE -12 /* the call ended and nobody had answered                       500 */

/* gw_module.flags. Bits 0-31 may be ignored, unknown bits 32-63 refuse the module. */
#define GW_MODULE_PANIC_ABORT (UINT64_C(1) << 0)    /* a panic ends the process; hosts warn */
#define GW_MODULE_USES_RUNTIME (UINT64_C(1) << 1)   /* brings threads and a runtime of its own */
#define GW_MODULE_BLOCKING (UINT64_C(1) << 32)      /* `call` and `poll` may block their thread */
#define GW_MODULE_LOCAL_CALLS (UINT64_C(1) << 33)   /* a call stays on the thread that began it */
#define GW_MODULE_SINGLE_THREAD (UINT64_C(1) << 34) /* one thread for all of an app instance */
/* The critical bits of version 1.0, and the half that is critical. */
#define GW_MODULE_KNOWN_CRITICAL \
  (GW_MODULE_BLOCKING | GW_MODULE_LOCAL_CALLS | GW_MODULE_SINGLE_THREAD)
#define GW_MODULE_CRITICAL_MASK UINT64_C(0xFFFFFFFF00000000)

/* gw_request.flags */
#define GW_REQUEST_HAS_BODY (UINT64_C(1) << 0)         /* content follows, of known length or not */
#define GW_REQUEST_CLIENT_FORWARDED (UINT64_C(1) << 1) /* `client` was named by a trusted proxy */
#define GW_REQUEST_SCHEME_FORWARDED (UINT64_C(1) << 2) /* `scheme` was named by a trusted proxy */
#define GW_REQUEST_EARLY_DATA (UINT64_C(1) << 3)       /* came in TLS early data: maybe a replay */
#define GW_REQUEST_ABSOLUTE_FORM (UINT64_C(1) << 4)    /* `target` is in absolute-form */

/* gw_response.flags */
#define GW_RESPONSE_HAS_LENGTH (UINT64_C(1) << 0)   /* `content_length` counts */
#define GW_RESPONSE_UPGRADE (UINT64_C(1) << 1)      /* the connection becomes a stream */
#define GW_RESPONSE_NO_AUTO_DATE (UINT64_C(1) << 2) /* the host adds no Date field */
#define GW_RESPONSE_LASTING_HEADERS (UINT64_C(1) << 3) /* `headers` never changes */

/* gw_ctx_vt.set_flags */
#define GW_CTX_FINISH_ON_DISCONNECT (UINT64_C(1) << 0) /* poll to the end without a client */

/* gw_config.flags */
#define GW_CONFIG_LINKED_IN (UINT64_C(1) << 0)  /* one image with the host: no hooks of your own */
#define GW_CONFIG_CHECK_ONLY (UINT64_C(1) << 1) /* only being checked: no request will come */
#define GW_CONFIG_COMMANDS_ONLY (UINT64_C(1) << 2) /* there for its commands: no request will come */

/* gw_header.flags */
#define GW_HEADER_SENSITIVE 1 /* the value is a secret: never logged, never indexed by HPACK */

/* gw_frame.kind. A receiver treats an unknown kind as the error GW_UNSUPPORTED of the body. */
#define GW_FRAME_END 0      /* the body is complete */
#define GW_FRAME_DATA 1     /* `data` */
#define GW_FRAME_FILE 2     /* `fd`, `offset`, `length`; never in a request's body */
#define GW_FRAME_TRAILERS 3 /* `trailers`, `n_trailers`; at most once, only END may follow */

/* gw_frame.flags */
#define GW_FRAME_LAST 1 /* nothing follows: this frame is the end as well */

/* gw_request.scheme */
#define GW_SCHEME_HTTP 0
#define GW_SCHEME_HTTPS 1

/* gw_request.version: the major version in the high byte, the minor one in the low byte */
#define GW_VERSION_HTTP_10 0x0100
#define GW_VERSION_HTTP_11 0x0101
#define GW_VERSION_HTTP_2 0x0200
#define GW_VERSION_HTTP_3 0x0300

/* gw_request.method_id. A reader that does not know an id reads `method`, which is always there. */
#define GW_METHOD_OTHER 0
#define GW_METHOD_GET 1
#define GW_METHOD_HEAD 2
#define GW_METHOD_POST 3
#define GW_METHOD_PUT 4
#define GW_METHOD_DELETE 5
#define GW_METHOD_CONNECT 6
#define GW_METHOD_OPTIONS 7
#define GW_METHOD_TRACE 8
#define GW_METHOD_PATCH 9

/* gw_addr.family */
#define GW_FAMILY_NONE 0 /* unknown: nothing else of the address means anything */
#define GW_FAMILY_UNIX 1
#define GW_FAMILY_IPV4 4
#define GW_FAMILY_IPV6 6

/* Levels of `log`; a greater number is more verbose. */
#define GW_LOG_OFF 0 /* only as a value of gw_host.log_level */
#define GW_LOG_ERROR 1
#define GW_LOG_WARN 2
#define GW_LOG_INFO 3
#define GW_LOG_DEBUG 4
#define GW_LOG_TRACE 5

/* gw_request.content_length of a body whose length is not known in advance. */
#define GW_LENGTH_UNKNOWN UINT64_MAX
/* Bytes that a host offers in gw_request.slot at least, aligned to 16. */
#define GW_SLOT_MIN_SIZE 1024

/* Ids of extensions. Ours are "gw.name/revision"; third parties use a reversed domain name. */
#define GW_EXT_TLS "gw.tls/1"           /* through gw_ctx_vt.ext: const gw_tls * */
#define GW_EXT_REQUEST_ID "gw.request-id/1" /* through gw_ctx_vt.ext: const gw_str * */
#define GW_EXT_COMMANDS "gw.commands/1" /* through gw_app_vt.ext: const gw_commands * */
#define GW_EXT_METRICS "gw.metrics/1"   /* through gw_host.ext: const gw_metrics * */

/* gw_metric_definition.kind */
#define GW_METRIC_COUNTER 1   /* how often something has happened */
#define GW_METRIC_GAUGE 2     /* how much there is of something now */
#define GW_METRIC_HISTOGRAM 3 /* how large things were, counted by upper bounds */

/* The most that a gw_metric_definition may hold; names, help and values in bytes. */
#define GW_METRIC_MAX_NAME 128
#define GW_METRIC_MAX_HELP 512
#define GW_METRIC_MAX_LABELS 16
#define GW_METRIC_MAX_VALUE 256
#define GW_METRIC_MAX_BOUNDS 64

/*
 * gw_header.name_id: ids of well-known names, GW_NAME_HOST and so on. The list is append-only; 0
 * stands for any other name, and a reader falls back to the name's bytes for ids that it does not
 * know. `name` is always filled, so ids are an acceleration and never needed: a writer may leave
 * them 0. One that is not 0 agrees with the name, and a reader may go by either.
 *
 * GW_NAMES(X) expands to X(id, identifier, "text") for each, for tables of your own.
 */
#define GW_NAMES(X) \
  X(1, HOST, "host") \
  X(2, CONNECTION, "connection") \
  X(3, CONTENT_LENGTH, "content-length") \
  X(4, TRANSFER_ENCODING, "transfer-encoding") \
  X(5, CONTENT_TYPE, "content-type") \
  X(6, DATE, "date") \
  X(7, ACCEPT, "accept") \
  X(8, ACCEPT_ENCODING, "accept-encoding") \
  X(9, ACCEPT_LANGUAGE, "accept-language") \
  X(10, USER_AGENT, "user-agent") \
  X(11, COOKIE, "cookie") \
  X(12, SET_COOKIE, "set-cookie") \
  X(13, EXPECT, "expect") \
  X(14, UPGRADE, "upgrade") \
  X(15, KEEP_ALIVE, "keep-alive") \
  X(16, PROXY_CONNECTION, "proxy-connection") \
  X(17, TE, "te") \
  X(18, TRAILER, "trailer") \
  X(19, SERVER, "server") \
  X(20, LOCATION, "location") \
  X(21, CACHE_CONTROL, "cache-control") \
  X(22, ETAG, "etag") \
  X(23, LAST_MODIFIED, "last-modified") \
  X(24, IF_NONE_MATCH, "if-none-match") \
  X(25, IF_MODIFIED_SINCE, "if-modified-since") \
  X(26, IF_MATCH, "if-match") \
  X(27, IF_UNMODIFIED_SINCE, "if-unmodified-since") \
  X(28, IF_RANGE, "if-range") \
  X(29, RANGE, "range") \
  X(30, ACCEPT_RANGES, "accept-ranges") \
  X(31, CONTENT_RANGE, "content-range") \
  X(32, CONTENT_ENCODING, "content-encoding") \
  X(33, CONTENT_LANGUAGE, "content-language") \
  X(34, CONTENT_DISPOSITION, "content-disposition") \
  X(35, VARY, "vary") \
  X(36, ALLOW, "allow") \
  X(37, AGE, "age") \
  X(38, EXPIRES, "expires") \
  X(39, PRAGMA, "pragma") \
  X(40, REFERER, "referer") \
  X(41, ORIGIN, "origin") \
  X(42, AUTHORIZATION, "authorization") \
  X(43, WWW_AUTHENTICATE, "www-authenticate") \
  X(44, PROXY_AUTHORIZATION, "proxy-authorization") \
  X(45, PROXY_AUTHENTICATE, "proxy-authenticate") \
  X(46, FORWARDED, "forwarded") \
  X(47, X_FORWARDED_FOR, "x-forwarded-for") \
  X(48, X_FORWARDED_PROTO, "x-forwarded-proto") \
  X(49, X_FORWARDED_HOST, "x-forwarded-host") \
  X(50, X_FORWARDED_PORT, "x-forwarded-port") \
  X(51, X_FORWARDED_PREFIX, "x-forwarded-prefix") \
  X(52, X_REAL_IP, "x-real-ip") \
  X(53, X_REQUEST_ID, "x-request-id") \
  X(54, VIA, "via") \
  X(55, LINK, "link") \
  X(56, RETRY_AFTER, "retry-after") \
  X(57, SEC_WEBSOCKET_KEY, "sec-websocket-key") \
  X(58, SEC_WEBSOCKET_VERSION, "sec-websocket-version") \
  X(59, SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept") \
  X(60, SEC_WEBSOCKET_PROTOCOL, "sec-websocket-protocol") \
  X(61, SEC_WEBSOCKET_EXTENSIONS, "sec-websocket-extensions") \
  X(62, SEC_FETCH_SITE, "sec-fetch-site") \
  X(63, SEC_FETCH_MODE, "sec-fetch-mode") \
  X(64, SEC_FETCH_DEST, "sec-fetch-dest") \
  X(65, SEC_FETCH_USER, "sec-fetch-user") \
  X(66, SEC_CH_UA, "sec-ch-ua") \
  X(67, SEC_CH_UA_MOBILE, "sec-ch-ua-mobile") \
  X(68, SEC_CH_UA_PLATFORM, "sec-ch-ua-platform") \
  X(69, UPGRADE_INSECURE_REQUESTS, "upgrade-insecure-requests") \
  X(70, DNT, "dnt") \
  X(71, PRIORITY, "priority") \
  X(72, TRACEPARENT, "traceparent") \
  X(73, TRACESTATE, "tracestate") \
  X(74, ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method") \
  X(75, ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers") \
  X(76, ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin") \
  X(77, ACCESS_CONTROL_ALLOW_METHODS, "access-control-allow-methods") \
  X(78, ACCESS_CONTROL_ALLOW_HEADERS, "access-control-allow-headers") \
  X(79, ACCESS_CONTROL_ALLOW_CREDENTIALS, "access-control-allow-credentials") \
  X(80, ACCESS_CONTROL_EXPOSE_HEADERS, "access-control-expose-headers") \
  X(81, ACCESS_CONTROL_MAX_AGE, "access-control-max-age") \
  X(82, STRICT_TRANSPORT_SECURITY, "strict-transport-security") \
  X(83, CONTENT_SECURITY_POLICY, "content-security-policy") \
  X(84, X_CONTENT_TYPE_OPTIONS, "x-content-type-options") \
  X(85, X_FRAME_OPTIONS, "x-frame-options") \
  X(86, REFERRER_POLICY, "referrer-policy") \
  X(87, PERMISSIONS_POLICY, "permissions-policy") \
  X(88, CROSS_ORIGIN_OPENER_POLICY, "cross-origin-opener-policy") \
  X(89, CROSS_ORIGIN_RESOURCE_POLICY, "cross-origin-resource-policy") \
  X(90, CROSS_ORIGIN_EMBEDDER_POLICY, "cross-origin-embedder-policy") \
  X(91, ALT_SVC, "alt-svc") \
  X(92, SERVER_TIMING, "server-timing") \
  X(93, X_XSS_PROTECTION, "x-xss-protection")

enum gw_name_id {
  GW_NAME_OTHER = 0,
#define GW_NAME_ENUMERATOR_(id, identifier, text) GW_NAME_##identifier = id,
  GW_NAMES(GW_NAME_ENUMERATOR_)
#undef GW_NAME_ENUMERATOR_
};

/* ---- frozen structures ---------------------------------------------------------------------- */

typedef struct gw_str gw_str;
typedef struct gw_buf gw_buf;
typedef struct gw_header gw_header;
typedef struct gw_addr gw_addr;
typedef struct gw_iov gw_iov;
typedef struct gw_kv gw_kv;
typedef struct gw_waker gw_waker;
typedef struct gw_waker_vt gw_waker_vt;

/* Borrowed bytes; no NUL at the end. `ptr` may be NULL only if `len` is 0. NULL and empty mean the
 * same unless the field says otherwise. */
struct gw_str {
  const uint8_t *ptr;
  size_t len;
};

/* Owned bytes. Moves by copying all 56 bytes, after which the taker zeroes the original, so that it
 * is free of any duty. The bytes must not depend on where the gw_buf itself stands. */
struct gw_buf {
  const uint8_t *ptr;
  size_t len;
  /*
   * Frees the bytes; NULL means that they are static. Called once, with the address of the
   * (possibly moved) structure.                                       [any->owner, any, once]
   */
  void (*drop)(gw_buf *self);
  uintptr_t priv[4]; /* the maker's */
};

/* One field line, borrowed. Names are lower-case tokens; values have no CR, LF or NUL and no white
 * space at either end. Repeated fields are repeated entries, in order. */
struct gw_header {
  const uint8_t *name;
  const uint8_t *value;
  uint32_t name_len;
  uint32_t value_len;
  uint16_t name_id; /* GW_NAME_..., or 0 */
  uint16_t flags;   /* GW_HEADER_... */
  uint32_t reserved;
};

/* A socket address. */
struct gw_addr {
  uint16_t family;  /* GW_FAMILY_... */
  uint16_t port;    /* as a number, in native byte order */
  uint32_t scope;   /* IPv6 scope id, else 0 */
  uint8_t ip[16];   /* as on the wire; IPv4 in the first four bytes */
  gw_str unix_path; /* UNIX: the path; a leading NUL marks an abstract name; empty if unnamed */
};

/* One piece of a gathered write, borrowed. */
struct gw_iov {
  const uint8_t *ptr;
  size_t len;
};

/* A key and its value, UTF-8 unless the field says otherwise. */
struct gw_kv {
  gw_str key;
  gw_str value;
};

/* A waker: tells the poller that polling again may make progress. Two live wakers at the same
 * address are the same waker: a poll function that is given the one it holds need not clone. */
struct gw_waker {
  const gw_waker_vt *vt;
};

/* Frozen; no entry is NULL. Owned wakers stay usable after the call, the exchange or the connection
 * has ended: waking is then without effect. No function here polls anything before it returns. */
struct gw_waker_vt {
  /* Returns an owned waker, ended by `wake` or `drop`, at this or another address. Never NULL.
   *                                                                     [any->owner, any, live] */
  const gw_waker *(*clone)(const gw_waker *self);
  /* Wakes and ends an owned waker.                                [any->owner, any, live, once] */
  void (*wake)(const gw_waker *self);
  /* Wakes; the waker lives on. For owned and borrowed ones.             [any->owner, any, live] */
  void (*wake_by_ref)(const gw_waker *self);
  /* Ends an owned waker without waking.                           [any->owner, any, live, once] */
  void (*drop)(const gw_waker *self);
};

/* ---- module, host, application -------------------------------------------------------------- */

typedef struct gw_module gw_module;
typedef struct gw_host gw_host;
typedef struct gw_config gw_config;
typedef struct gw_error gw_error;
typedef struct gw_app gw_app;
typedef struct gw_app_vt gw_app_vt;
typedef struct gw_request gw_request;
typedef struct gw_response gw_response;
typedef struct gw_ctx gw_ctx;
typedef struct gw_ctx_vt gw_ctx_vt;
typedef struct gw_call gw_call;
typedef struct gw_call_vt gw_call_vt;
typedef struct gw_frame gw_frame;
typedef struct gw_body gw_body;
typedef struct gw_body_vt gw_body_vt;
typedef struct gw_stream gw_stream;
typedef struct gw_stream_vt gw_stream_vt;
typedef struct gw_tls gw_tls;
typedef struct gw_command gw_command;
typedef struct gw_commands gw_commands;
typedef struct gw_metric_definition gw_metric_definition;
typedef struct gw_metric gw_metric;
typedef struct gw_metric_vt gw_metric_vt;
typedef struct gw_metrics gw_metrics;

/*
 * The descriptor: constant data, so that a tool can read it from the file without running any of
 * the module's code (the two function pointers are then not relocated and mean nothing). A host
 * checks it in this order and refuses the module with a message that names both sides: magic,
 * abi_major, struct_size >= GW_MODULE_MIN_SIZE, min_host_minor, critical flags. The first two are
 * where they are whatever the size.
 */
struct gw_module {
  uint64_t magic;       /* GW_MAGIC */
  uint32_t struct_size; /* sizeof(gw_module) */
  uint16_t abi_major;   /* GW_ABI_MAJOR */
  uint16_t abi_minor;   /* GW_ABI_MINOR: what the module was compiled against; informative */
  /* The least minor version of a host that the module can live with; 0 unless it really needs a
   * newer function. Compiling against a newer header is no reason to raise it. */
  uint16_t min_host_minor;
  uint16_t reserved0;
  uint32_t reserved1;
  uint64_t flags; /* GW_MODULE_... */
  /* UTF-8, padded with NUL to the full width (a full field has none). For people only. */
  char name[48];
  char version[24];
  char builder[64]; /* compiler and interface library */
  /*
   * Makes one application instance. Does no network work and starts no thread; that is `startup`'s
   * part. A process may create several instances, which share nothing that a request can see.
   *                                            [host->app, loop, after the descriptor's checks]
   * host    valid until the process exits
   * config  borrowed for this call
   * out     receives the instance if and only if the result is GW_READY; ended by `destroy`
   * error   where to write a message if it fails; borrowed for this call
   * Result  GW_READY, or an error: nothing was created, the host reports `error` and exits.
   */
  int32_t (*create)(const gw_host *host, const gw_config *config, const gw_app **out,
                    gw_error *error);
  /*
   * Extensions of the module as a whole. May be NULL.                        [host->app, any]
   * Result  a table or structure that the id defines, valid until the process exits; NULL if
   *         the id is unknown.
   */
  const void *(*ext)(const gw_str *id);
};

/* What a module defines. The declaration gives the definition C linkage and visibility; C++ would
 * otherwise make a constant private to its file. */
extern GW_EXPORT const gw_module gateway_module_v1;

/* The host as the application sees it; valid until the process exits. */
struct gw_host {
  uint32_t struct_size;
  uint16_t abi_minor; /* of the host */
  uint16_t reserved;
  /*
   * The most verbose level that is not thrown away, GW_LOG_OFF to GW_LOG_TRACE. It may change at
   * any time: read it atomically (relaxed), and skip `log` above it.
   */
  const uint32_t *log_level;
  /*
   * Writes one record to the host's log. From before `startup` until after `shutdown`. Arbitrary
   * bytes are accepted; the host escapes control characters and may cut long records.
   *                                                                     [app->host, any, live]
   * level   GW_LOG_ERROR to GW_LOG_TRACE
   * target  the part of the application that speaks, or NULL
   * kv, n   structured fields; borrowed, like all arguments. NULL if `n` is 0.
   */
  void (*log)(const gw_host *self, uint32_t level, const gw_str *target, const gw_str *message,
              const gw_kv *kv, uint32_t n);
  /*
   * Extensions of the host as a whole; look them up once, in `create`.    [app->host, any, live]
   * Result  what the id defines, valid until the process exits; NULL if unknown.
   */
  const void *(*ext)(const gw_host *self, const gw_str *id);
  /*
   * Asks the host to drain and stop serving this process, as an operator's signal would; returns
   * at once. `exit_code` 0 to 255 is the process's exit status if nothing fails on the way; what
   * a supervising process then does is its policy.                        [app->host, any, live]
   */
  void (*request_shutdown)(const gw_host *self, int32_t exit_code);
  gw_str name; /* name and version of the host, for diagnostics only */
};

/* What an instance is told when it is created; borrowed for the duration of `create`. */
struct gw_config {
  uint32_t struct_size;
  uint32_t n_entries;
  const gw_kv *entries; /* settings meant for the application; keys are unique */
  gw_str argument;      /* one free-form argument, empty if none; bytes */
  uint32_t worker_index; /* from 0 */
  uint32_t worker_count; /* processes that serve this application */
  uint32_t threads_per_worker; /* loop threads in this process, at least 1 */
  uint32_t reserved;
  gw_str mount;   /* raw prefix under which the application is mounted, empty at the root */
  uint64_t flags; /* GW_CONFIG_... */
};

/* Where a failing function says what went wrong. The caller fills struct_size, text and cap, and
 * zeroes the rest; the callee writes code and len, and the text. */
struct gw_error {
  uint32_t struct_size;
  int32_t code; /* a negative result; the function's own result decides if this is 0 */
  char *text;   /* the caller's memory; UTF-8, not NUL-terminated */
  size_t cap;   /* its size; longer messages are cut */
  size_t len;   /* bytes written, <= cap */
};

/* One application instance. */
struct gw_app {
  const gw_app_vt *vt;
};

/*
 * create -> startup until READY -> calls -> shutdown until READY or deadline -> destroy. Instances
 * of one module go through this independently. All of it may be cut short by the process's end.
 */
struct gw_app_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * Prepares to serve: opens pools, warms caches, builds a runtime. Polled until it is not
   * PENDING; no request arrives before READY. May be NULL: ready at once.
   *                                                           [host->app, loop, after create]
   * error   as for `create`, lent anew at each poll
   * Result  GW_READY; GW_PENDING; or an error: the host logs it, never serves, calls `destroy`.
   */
  int32_t (*startup)(const gw_app *self, const gw_waker *waker, gw_error *error);
  /*
   * Begins one call and polls it for the first time.
   *                     [host->app, loop, after startup was READY, before shutdown; concurrent]
   * request  borrowed until this function returns; `first`, `body` and `ctx` are explained at
   *          gw_request. The application gives `ctx` back and drops `body` whatever the result.
   * out      receives the pending call if and only if the result is GW_PENDING
   * Result   GW_READY: the call is over, and `respond` has been called successfully (else the host
   *            acts as on GW_NO_RESPONSE).
   *          GW_PENDING: `*out` is set; the call goes on until `gw_call_vt` ends it.
   *          An error: the call is over. See the table of results.
   */
  int32_t (*call)(const gw_app *self, const gw_request *request, const gw_waker *waker,
                  gw_call **out);
  /*
   * Ends orderly: no call is left and none will come. Polled until it is not PENDING. May be NULL.
   * Like everything else it runs on a thread that still has its thread-local values, so not in an
   * exit handler of the C library, which come after those of the thread that ends the process.
   *                                        [host->app, loop, after startup, all calls ended]
   * deadline_ns  CLOCK_MONOTONIC time, in nanoseconds, after which the host stops polling;
   *              0 for none
   * Result       GW_READY; GW_PENDING; an error is logged and counts as READY.
   */
  int32_t (*shutdown)(const gw_app *self, const gw_waker *waker, uint64_t deadline_ns);
  /*
   * Ends the instance. Bodies, contexts, streams and wakers that the application's threads still
   * hold stay valid. May be NULL, and may never be called.
   *                    [host->app, loop, once; after shutdown ended or after startup failed] */
  void (*destroy)(const gw_app *self);
  /* As gw_module.ext, for this instance: valid until `destroy`. May be NULL.
   *                                                                     [host->app, any, live] */
  const void *(*ext)(const gw_app *self, const gw_str *id);
};

/* ---- request -------------------------------------------------------------------------------- */

/*
 * A request's head and what belongs to it. The structure and all that it points to are borrowed
 * for the duration of `call`, except `body`, `ctx` and `slot`. The application copies what it
 * keeps.
 */
struct gw_request {
  uint32_t struct_size;
  uint32_t n_headers;
  uint64_t flags;     /* GW_REQUEST_... */
  uint16_t version;   /* GW_VERSION_... */
  uint16_t scheme;    /* GW_SCHEME_...: from the transport or a trusted proxy, never the target */
  uint32_t method_id; /* GW_METHOD_..., or 0: read `method` */
  gw_str method;      /* a token, case kept; always filled */
  gw_str target;      /* the request target exactly as received; HTTP/2: the `:path` */
  gw_str authority;   /* host[:port] of the target or the host field; empty if there is none */
  /* Subslices of `target`, not decoded, dot segments kept. `path` contains the mount prefix, is "*"
   * for OPTIONS *, and empty for CONNECT. Where a target in absolute-form has no path it is "/":
   * the second slash of the target's "://". `query` is what follows the first '?'; its `ptr` is NULL
   * if there is no '?', and not NULL if the query is empty. */
  gw_str path;
  gw_str query;
  gw_str mount; /* raw prefix of `path` on a segment boundary: empty, or "/x" without a last '/' */
  /* The protocol that the client offers to switch to: `:protocol` of an extended CONNECT, or the
   * value of a valid Upgrade field; `ptr` NULL if none. */
  gw_str protocol;
  gw_str id;  /* id of the request, taken from a trusted proxy or made by the host; empty if there is
                 none, or if it is made only for who asks by GW_EXT_REQUEST_ID */
  gw_str raw; /* one region that holds target, authority, path, query, protocol and all header
                 values and names (those with a name_id excepted), to be copied at once; or empty */
  const gw_header *headers; /* hop-by-hop fields removed; one `host` except for HTTP/1.0 */
  uint64_t content_length;  /* exact, 0 for no body, or GW_LENGTH_UNKNOWN */
  const gw_addr *peer;      /* the other end of the socket; as `client` if the host is not told */
  const gw_addr *client;    /* the client by the host's trusted-proxy policy, else as `peer` */
  const gw_addr *local;     /* our end of the socket */
  uint64_t t_mono_ns;       /* arrival of the head: CLOCK_MONOTONIC, nanoseconds */
  /* Bytes of the body that were there already; NULL if none. The application may move the buffer
   * out during `call` (copy, then zero it); what it leaves is the host's to drop. */
  gw_buf *first;
  /* The body after `first`; NULL if `first` is all of it or there is none. The application's from
   * the first moment: it drops it, on every path. It may be moved to another thread. */
  gw_body *body;
  /* The exchange. Carries one reference, the application's to give back with `drop`, on every
   * path, at any later time, from any thread. The object is valid as long as that reference is
   * held, and in any case until the call has ended. */
  gw_ctx *ctx;
  /* Scratch memory, aligned to 16, for the application alone, uninitialised; valid until the call
   * has ended. A pending call may live in it. */
  void *slot;
  uint64_t slot_len; /* at least GW_SLOT_MIN_SIZE */
};

/* ---- response ------------------------------------------------------------------------------- */

/*
 * A response; borrowed for the duration of `respond`, except what is moved: `first` and `body`.
 *
 * Length: with HAS_LENGTH, `content_length` counts `first` and `body` together; without, it is
 * first.len if `body` is NULL, else unknown. For HEAD and 304 it is announced only, and for
 * 1xx and 204 there is none. A content-length header is taken as such a declaration. The host cuts
 * what exceeds it, and resets the response if it falls short.
 *
 * Headers: those of framing and of the connection (connection, transfer-encoding, keep-alive,
 * proxy-connection, te, upgrade, trailer) are the host's: the response is refused as
 * GW_INVALID. Date and Server are added if absent (see NO_AUTO_DATE). LASTING_HEADERS promises that
 * the array and all that it points to stay as they are until the process exits: a host may keep what
 * it made of them, and knows them again by `headers` and `n_headers`. Static tables are the use.
 */
struct gw_response {
  uint32_t struct_size;
  uint32_t status; /* 200 to 599, in answer to CONNECT 300 to 599; with UPGRADE 101 or 200 */
  uint64_t flags;  /* GW_RESPONSE_... */
  const gw_header *headers;
  uint32_t n_headers;
  uint32_t reserved;
  uint64_t content_length; /* counts only with HAS_LENGTH */
  gw_buf first;            /* the body or its beginning; moved by success */
  gw_body *body;           /* what follows `first`, or NULL; moved by success */
  gw_str protocol;         /* with UPGRADE: the protocol chosen, one that the client offered */
};

/* What the host offers for one exchange. */
struct gw_ctx {
  const gw_ctx_vt *vt;
};

struct gw_ctx_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * Gives the response. Consumed before it returns: the host writes the head at once, without
   * waiting for body data, and polls `body` later on its own, also after the call has ended.
   *                                                            [app->host, loop, inside call|poll]
   * response  `first` and `body` are moved, and zeroed in place, if and only if the result is READY
   * Result    GW_READY       the response is on its way (also if the client has gone meanwhile)
   *           GW_INVALID     it breaks a rule: a bad status, name, value, length, framing field, an
   *                          upgrade that was not offered, or a success without an upgrade to
   *                          CONNECT. Another response may be tried.
   *           GW_UNSUPPORTED an unknown critical flag. Another response may be tried.
   *           GW_TOO_LATE    a response has been given already, or not inside call|poll
   *           GW_CLOSED      the exchange has ended
   */
  int32_t (*respond)(gw_ctx *self, gw_response *response);
  /*
   * Sends an interim response, such as 103 with link fields. Ignored (READY) for HTTP/1.0, and
   * by hosts that have no way to send one.
   *                                                              [app->host, any, before respond]
   * status  102 to 199, not 101; 100 is sent by the host itself when the body is first polled
   * Result  GW_READY; GW_INVALID; GW_LIMIT if too much waits to be sent; GW_TOO_LATE after
   *         `respond`; GW_CLOSED after the exchange
   */
  int32_t (*inform)(gw_ctx *self, uint32_t status, const gw_header *headers, uint32_t n);
  /*
   * Resolves when the client has gone. Seeing that may need a read, so it is not free; a host that
   * is not told of it answers PENDING until it finds out.                  [app->host, any, live]
   * Result  GW_READY: gone, and the call goes on; GW_PENDING; GW_CLOSED: the exchange has ended
   *         otherwise, or the call has; GW_UNSUPPORTED
   */
  int32_t (*poll_closed)(gw_ctx *self, const gw_waker *waker);
  /*
   * Resolves when the process begins to drain: end long answers soon.      [app->host, any, live]
   * Result  GW_READY: draining; GW_PENDING; GW_CLOSED: the exchange has ended; GW_UNSUPPORTED
   */
  int32_t (*poll_draining)(gw_ctx *self, const gw_waker *waker);
  /*
   * After an UPGRADE response: the connection as a stream, which is then the application's until
   * it drops it, on any thread. May stay PENDING at least until `call` or `poll` has returned once.
   * A call that ends without it closes the connection.
   *                                                 [app->host, any, after respond with UPGRADE]
   * out     receives the stream if and only if the result is READY; once
   * Result  GW_READY; GW_PENDING; GW_INVALID without an UPGRADE response; GW_TOO_LATE if the
   *         stream was given already; GW_CLOSED if the connection is lost; GW_UNSUPPORTED
   */
  int32_t (*upgrade)(gw_ctx *self, const gw_waker *waker, gw_stream **out);
  /*
   * Replaces the exchange's flags (GW_CTX_...).                            [app->host, any, live]
   * FINISH_ON_DISCONNECT: the call is polled to its end and its output discarded when the client
   * goes; otherwise it is dropped then.
   * Result  GW_READY; GW_UNSUPPORTED for an unknown critical flag; GW_CLOSED after the exchange
   */
  int32_t (*set_flags)(gw_ctx *self, uint64_t flags);
  /*
   * Facts and functions of this exchange by id, GW_EXT_...                 [app->host, any, live]
   * Result  what the id defines, valid as long as this reference; NULL if unknown or not
   *         applicable (GW_EXT_TLS on a plaintext connection).
   */
  const void *(*ext)(gw_ctx *self, const gw_str *id);
  /* Gives the reference back. Afterwards only the call itself may use the exchange: `respond` and
   * `upgrade`, inside its `call` and `poll`.                       [app->host, any, live, once] */
  void (*drop)(gw_ctx *self);
};

/* A pending call, made by `gw_app_vt.call`. It ends exactly once: by a result of `poll` other than
 * PENDING, when the application has already freed it, or by `drop`. */
struct gw_call {
  const gw_call_vt *vt;
};

struct gw_call_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * Goes on. The host polls after a wake; polls without a wake happen and are harmless. Staying
   * PENDING after `respond` is legal: for an upgraded stream, or for work behind the answer, which
   * delays nothing on the connection and is not cancelled by a disconnect.
   *                                                                    [host->app, loop, live]
   * Result  as of `call`; anything but PENDING ends the call, and the host touches it no more.
   */
  int32_t (*poll)(gw_call *self, const gw_waker *waker);
  /* Cancels the call and frees it. Not after `poll` returned anything but PENDING.
   *                                                               [host->app, any, live, once] */
  void (*drop)(gw_call *self);
};

/* ---- bodies --------------------------------------------------------------------------------- */

/*
 * One frame of a body. Before each poll the poller sets `struct_size` to its capacity, `fd` to -1,
 * and zeroes the rest; the body fills it only when it returns READY.
 */
struct gw_frame {
  uint32_t struct_size;
  uint32_t kind;   /* GW_FRAME_... */
  uint32_t flags;  /* GW_FRAME_LAST */
  /* FILE: a descriptor of a regular file with close-on-exec set, which the receiver closes. It is
   * read only by position, from `offset` for exactly `length` bytes. One frame owns one
   * descriptor. */
  int32_t fd;
  uint64_t offset;
  uint64_t length;
  gw_buf data; /* DATA: moved to the receiver; may be empty */
  /* TRAILERS: borrowed until the next function on this body. Fields that RFC 9110 forbids in
   * trailers are dropped. */
  const gw_header *trailers;
  uint32_t n_trailers;
  uint32_t reserved;
};

/*
 * A body that is pulled. The application implements the response's and the host polls it, on a loop
 * thread; the host implements the request's and the application polls it, on any thread.
 */
struct gw_body {
  const gw_body_vt *vt;
};

struct gw_body_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * The next frame. Polling is the back-pressure: a host polls only while it can write, and reads a
   * request's body from the network only when polled, beyond one bounded buffer. The first poll of
   * a request's body releases "100 Continue".
   *                                        [any->owner, one, live; not after END, LAST or error]
   * Result  GW_READY: `*out` holds a frame. GW_PENDING. Errors, which end the body:
   *         GW_CLOSED   the client has gone, or the exchange has ended
   *         GW_LIMIT    the request's body exceeds a limit; nothing beyond it was delivered
   *         GW_TIMEOUT  it came too slowly
   *         GW_PROTOCOL its framing is broken, or it is longer or shorter than declared
   *         GW_IO, GW_PANIC, GW_INTERNAL   reading or producing it failed
   *         The end (END, LAST), an error and a disconnect are thus three different things.
   */
  int32_t (*poll_frame)(gw_body *self, const gw_waker *waker, gw_frame *out);
  /*
   * Frees the body, finished or not. A host that drops a response's body early has lost the client
   * or cut an excess; an application that drops a request's body early leaves it to the host to
   * discard the rest or to close the connection.                  [any->owner, any, live, once]
   */
  void (*drop)(gw_body *self);
};

/* ---- upgraded streams ----------------------------------------------------------------------- */

/* The duplex byte stream of an upgraded connection: the host's object, the application's to drop.
 * Reading and writing are independent: one thread may read while another writes. */
struct gw_stream {
  const gw_stream_vt *vt;
};

struct gw_stream_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * Reads up to `cap` bytes. What the client sent together with its request comes first.
   *                                                    [app->host, one for this direction, live]
   * Result  GW_READY: `*n` bytes are at `ptr`; 0 with `cap` > 0 is the end of input. GW_PENDING.
   *         GW_CLOSED after a reset, GW_IO; both end this direction.
   */
  int32_t (*poll_read)(gw_stream *self, const gw_waker *waker, uint8_t *ptr, size_t cap, size_t *n);
  /*
   * Takes bytes from `count` pieces; they are copied or written before it returns.
   *                                                    [app->host, one for this direction, live]
   * Result  GW_READY: `*n` bytes were taken, at least 1 unless the pieces are empty. GW_PENDING.
   *         GW_CLOSED after a reset or `poll_shutdown`, GW_IO.
   */
  int32_t (*poll_write)(gw_stream *self, const gw_waker *waker, const gw_iov *pieces,
                        uint32_t count, size_t *n);
  /* READY when all that was taken has reached the operating system. Results as of poll_write.
   *                                                    [app->host, one for this direction, live] */
  int32_t (*poll_flush)(gw_stream *self, const gw_waker *waker);
  /* Flushes, then ends the output; reading goes on. Results as of poll_flush.
   *                                                    [app->host, one for this direction, live] */
  int32_t (*poll_shutdown)(gw_stream *self, const gw_waker *waker);
  /* As gw_ctx_vt.poll_draining.                                           [app->host, any, live] */
  int32_t (*poll_draining)(gw_stream *self, const gw_waker *waker);
  /* Closes both directions; bytes taken but not flushed may be lost.
   *                                                                [app->host, any, live, once] */
  void (*drop)(gw_stream *self);
};

/* ---- extensions ----------------------------------------------------------------------------- */

/* GW_EXT_TLS: facts of the exchange's TLS connection, valid as long as the reference to the
 * exchange. Absent on plaintext connections, also behind a proxy that ended TLS. */
struct gw_tls {
  uint32_t struct_size;
  uint16_t version;      /* 0x0303 for TLS 1.2, 0x0304 for TLS 1.3 */
  uint16_t cipher_suite; /* IANA's number */
  gw_str alpn;           /* the protocol agreed upon, empty if none */
  gw_str server_name;    /* what the client asked for by SNI, empty if nothing */
  const gw_str *peer_chain; /* the client's certificates, DER, leaf first; NULL if none */
  uint32_t n_peer_chain;
  uint32_t peer_verified; /* 1 if the host verified that chain, else 0 */
};

/* GW_EXT_REQUEST_ID: a `gw_str`, the request's id by which the host's log names it, made when it is first
 * asked for: visible ASCII, the same at every time, valid as long as the reference to the exchange.
 * For requests whose `gw_request.id` is empty; absent where the host makes no ids. */

/* What an application can do besides serving, for people at a terminal. Frozen. All texts are UTF-8
 * without control characters. */
struct gw_command {
  gw_str name;      /* one word, or two with a blank between them for a command of a group */
  gw_str arguments; /* what stands behind the name, for people: "NAME [--admin]"; or empty */
  gw_str about;     /* what it does, in one line */
};

/* GW_EXT_COMMANDS: the commands of an instance, valid until `destroy`. Asked for once `startup` was
 * READY; an application without commands answers NULL. A host that is asked for a command makes and
 * starts an instance as always, but gives it no requests. */
struct gw_commands {
  uint32_t struct_size;
  uint32_t n_commands;
  const gw_command *commands; /* n_commands of them, names unique */
  /*
   * Runs a command to its end. It may block, and has the process's standard streams to itself.
   *                                [host->app, loop, after startup, before shutdown; one at a time]
   * words, n  the name's words and the arguments as they were typed: any bytes; borrowed
   * Result    0 to 255: the status that the process is to exit with. GW_INVALID: there is no such
   *           command. Other errors: it failed, and nobody has said why.
   */
  int32_t (*run)(const gw_commands *self, const gw_str *words, uint32_t n);
};

/*
 * A metric that an application asks for; borrowed for the duration of `define`. All texts are UTF-8.
 *
 * name    letters, digits and underscores of ASCII, no digit first, at most GW_METRIC_MAX_NAME; that of a
 *         counter ends with "_total". A host may keep prefixes for itself.
 * labels  names as above, each once, not "app", not "le", not beginning with "__"; any values. Each
 *         combination of values is a metric of its own, of which a host keeps but so many.
 * bounds  of a histogram: finite, rising upper bounds, each included; what is above all of them is
 *         counted as well. Other kinds have none.
 */
struct gw_metric_definition {
  uint32_t struct_size;
  uint32_t kind; /* GW_METRIC_... */
  gw_str name;
  gw_str help; /* what it means, for people, in a sentence; the first one that was given is shown */
  const gw_kv *labels;
  const double *bounds;
  uint32_t n_labels;
  uint32_t n_bounds;
};

/* A metric of the host, valid until the process exits. Nobody drops it. */
struct gw_metric {
  const gw_metric_vt *vt;
};

/* Each of these is lock-free, returns nothing and cannot fail; one that is not for this kind of metric, and
 * a number that is not finite, change nothing. */
struct gw_metric_vt {
  uint32_t struct_size;
  uint32_t reserved;
  /* Counter: so many more.                                                 [app->host, any, live] */
  void (*count)(const gw_metric *self, uint64_t more);
  /* Gauge: so much more, or less.                                          [app->host, any, live] */
  void (*add)(const gw_metric *self, double more);
  /* Gauge: so much now.                                                    [app->host, any, live] */
  void (*set)(const gw_metric *self, double value);
  /* Histogram: another value.                                              [app->host, any, live] */
  void (*observe)(const gw_metric *self, double value);
};

/* GW_EXT_METRICS: what the host counts for this application and shows to operators, summed over all
 * processes of the application: counters and histograms over all there ever were, gauges over those there
 * are. Valid until the process exits; NULL if the host keeps no metrics, and the application goes on without. */
struct gw_metrics {
  uint32_t struct_size;
  uint32_t reserved;
  /*
   * The metric of this definition: the same one for the same name and labels, however often it is asked for.
   * It takes a lock: ask once and keep what you get.                       [app->host, any, live]
   * out     receives the metric if and only if the result is READY
   * Result  GW_READY; GW_INVALID: the definition breaks the grammar or a limit above, the name is of another
   *         kind or has other bounds, or the host keeps it for itself; GW_LIMIT: there are too many already
   */
  int32_t (*define)(const gw_metrics *self, const gw_metric_definition *definition,
                    const gw_metric **out);
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* GATEWAY_H */
