/* Metrics that nobody should ask for, and what may be done to the memory that they stand in. */
#include "hostile.h"

#include <math.h>

static const gw_metrics *meter(void) {
  gw_str id = str(GW_EXT_METRICS);
  return hostile_host->ext(hostile_host, &id);
}

static int32_t define(uint32_t kind, gw_str name, const gw_kv *labels, uint32_t n_labels,
                      const double *bounds, uint32_t n_bounds, const gw_metric **out) {
  gw_metric_definition definition = {
      .struct_size = sizeof definition,
      .kind = kind,
      .name = name,
      .help = str("Says \"a\\b\".\n# EOF\nforged_total 1"),
      .labels = labels,
      .bounds = bounds,
      .n_labels = n_labels,
      .n_bounds = n_bounds,
  };
  return meter()->define(meter(), &definition, out);
}

static gw_metric const *gauge(const char *name, const char *key, const char *value) {
  gw_kv label = {str(key), str(value)};
  const gw_metric *metric = NULL;
  int32_t code = define(GW_METRIC_GAUGE, str(name), &label, 1, NULL, 0, &metric);
  note("%s %s %d", name, key, code);
  return metric;
}

/* What breaks the grammar is refused; what does not, but looks as if it could, is kept. */
static void grammar(void) {
  static const double falling[] = {2, 1}, none[] = {NAN}, rising[] = {1, 2};
  const gw_metric *metric = NULL;
  gw_kv bad = {str("key"), {(const uint8_t *)"\xff\xfe", 2}};
  note("utf8 name %d", define(GW_METRIC_GAUGE, str("a\xff"), NULL, 0, NULL, 0, &metric));
  note("utf8 value %d", define(GW_METRIC_GAUGE, str("a"), &bad, 1, NULL, 0, &metric));
  note("newline %d", define(GW_METRIC_GAUGE, str("a\nb 1"), NULL, 0, NULL, 0, &metric));
  note("kind %d", define(77, str("a"), NULL, 0, NULL, 0, &metric));
  note("no labels %d", define(GW_METRIC_GAUGE, str("a"), NULL, 3, NULL, 0, &metric));
  note("many labels %d", define(GW_METRIC_GAUGE, str("a"), &bad, UINT32_MAX, NULL, 0, &metric));
  note("falling %d", define(GW_METRIC_HISTOGRAM, str("a"), NULL, 0, falling, 2, &metric));
  note("nan bound %d", define(GW_METRIC_HISTOGRAM, str("a"), NULL, 0, none, 1, &metric));
  note("ours %d", define(GW_METRIC_COUNTER, str("gatewayd_requests_total"), NULL, 0, NULL, 0, &metric));
  note("null %d", meter()->define(meter(), NULL, &metric));
  note("nowhere %d", define(GW_METRIC_GAUGE, str("a"), NULL, 0, NULL, 0, NULL));
  /* A family whose samples would have the names of another's. */
  note("sizes %d", define(GW_METRIC_HISTOGRAM, str("sizes"), NULL, 0, rising, 2, &metric));
  metric->vt->observe(metric, 1);
  metric->vt->observe(metric, NAN);
  metric->vt->observe(metric, INFINITY);
  metric->vt->count(metric, 9);
  const gw_metric *other = gauge("sizes_sum", "key", "x");
  other->vt->set(other, 7);
  note("other kind %d", define(GW_METRIC_GAUGE, str("sizes"), NULL, 0, NULL, 0, &metric));
  const gw_metric *odd = gauge("odd", "key", "\"} 1\nforged_total 1\n\\");
  odd->vt->set(odd, -1.5e300);
  odd->vt->set(odd, NAN);
  odd->vt->add(odd, -INFINITY);
  gauge("odd", "le", "x");
  gauge("odd", "app", "x");
  gauge("odd", "__name__", "x");
}

/* Series without end, as from a client's words. */
static void flood(void) {
  int kept = 0, refused = 0;
  for (int i = 0; i < 5000; i++) {
    char value[16];
    snprintf(value, sizeof value, "%d", i);
    gw_kv label = {str("client"), str(value)};
    const gw_metric *metric = NULL;
    int32_t code = define(GW_METRIC_COUNTER, str("flood_total"), &label, 1, NULL, 0, &metric);
    if (code == GW_READY) metric->vt->count(metric, 1);
    kept += code == GW_READY;
    refused += code == GW_LIMIT;
  }
  note("flood %d kept %d refused", kept, refused);
}

/* Writes over the memory that metrics stand in, wherever this process has it. */
static void scribble(unsigned seed) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  int found = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    if (strstr(line, "gatewayd-app-metrics") == NULL) continue;
    if (sscanf(line, "%lx-%lx rw", &start, &end) != 2) continue;
    /* All of the first pages, where records are. */
    size_t length = end - start < 65536 ? end - start : 65536;
    for (size_t i = 0; i < length; i++) {
      seed = seed * 1103515245 + 12345;
      ((uint8_t *)start)[i] = seed == 0 ? 0xff : (uint8_t)(seed >> 16);
    }
    found++;
  }
  if (maps != NULL) fclose(maps);
  note("scribbled %d", found);
}

static int32_t play_metrics(struct turn *turn) {
  if (meter() == NULL) return say(turn->ctx, "no metrics");
  if (strcmp(turn->argument, "grammar") == 0) grammar();
  if (strcmp(turn->argument, "flood") == 0) flood();
  if (strncmp(turn->argument, "scribble/", 9) == 0) scribble((unsigned)atoi(turn->argument + 9));
  return say(turn->ctx, "done");
}

const struct trick metric_tricks[] = {{"metrics", play_metrics}, {NULL, NULL}};
