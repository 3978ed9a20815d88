"use strict";
// Draws what status.json says, once a second. Rates and percentiles are of what has changed since the
// look before; what cannot be asked for is shown as gone.

const LOOK = 1000, KEPT = 120, LONG = 1, STUCK = 2, COLUMNS = ["Worker", "State", "Process", "Generation", "Requests", "In flight", "Connections", "Memory"];
const of = (id) => document.getElementById(id);
const say = (id, text) => { if (of(id).textContent !== text) of(id).textContent = text; };
const history = { rate: [], p50: [], p99: [], flight: [], failing: [] };
let before = null, pace = new Map();

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function short(number) {
  if (number === null || number === undefined) return "–";
  for (const [scale, unit] of [[1e9, " G"], [1e6, " M"], [1e4, " k"]])
    if (number >= scale) return (number / (unit === " k" ? 1e3 : scale)).toFixed(1) + unit;
  return number >= 100 || Number.isInteger(number) ? Math.round(number).toLocaleString("en") : number.toFixed(1);
}

function time(ms) {
  if (ms === null) return "–";
  if (ms >= 1000) return (ms / 1000).toFixed(ms >= 10000 ? 0 : 1) + " s";
  return (ms >= 10 ? Math.round(ms) : ms.toFixed(ms >= 1 ? 1 : 2)) + " ms";
}

function bytes(number) {
  if (number === null) return "–";
  for (const [scale, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (number >= scale) return (number / scale).toFixed(1) + " " + unit;
  return number + " B";
}

function since(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]];
  for (const [scale, unit] of parts) if (seconds >= scale) return Math.floor(seconds / scale) + " " + unit;
  return Math.max(0, Math.floor(seconds)) + " s";
}

// Within the bucket that holds it, a percentile is taken to be where its rank is.
function percentile(now, then, part) {
  const counts = now.map(([, count], at) => Math.max(0, count - then[at][1]));
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = all * part, lower = 0;
  for (const [at, count] of counts.entries()) {
    const upper = now[at][0];
    if (left <= count) return upper === null ? lower : lower + (upper - lower) * (left / count);
    left -= count;
    lower = upper;
  }
  return lower;
}

function keep(name, value) {
  history[name].push(value);
  if (history[name].length > KEPT) history[name].shift();
}

function draw(id, ...lines) {
  const svg = of(id), most = Math.max(1e-9, ...lines.flat().map((value) => value ?? 0));
  svg.setAttribute("viewBox", "0 0 " + (KEPT - 1) + " 100");
  svg.setAttribute("preserveAspectRatio", "none");
  const paths = lines.flatMap((values, number) => {
    const x = (at) => at + KEPT - values.length;
    const points = values.map((value, at) => x(at) + " " + (98 - 96 * (value ?? 0) / most).toFixed(1));
    if (points.length < 2) return [];
    const line = "M" + points.join("L");
    const area = number === 0 ? [["area", line + "V100H" + x(0) + "Z"]] : [];
    return [...area, [number === 0 ? "" : "second", line]];
  });
  svg.replaceChildren(...paths.map(([className, d]) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", className);
    path.setAttribute("d", d);
    return path;
  }));
}

function list(id, pairs) {
  of(id).replaceChildren(...pairs.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
}

// The day is told if it is another one.
function clock(at) {
  const then = new Date(at * 1000), today = then.toDateString() === new Date().toDateString();
  const form = today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "medium" };
  const element = make("time", then.toLocaleString("en-GB", form));
  element.dateTime = new Date(at * 1000).toISOString();
  return element;
}

function measure(now) {
  const then = before;
  before = { now, at: performance.now() };
  if (!then || now.pid !== then.now.pid || now.started !== then.now.started) return;
  const seconds = (before.at - then.at) / 1000;
  const grown = (read) => Math.max(0, (read(now) - read(then.now)) / seconds);
  const took = [now, then.now].map((one) => one.requests.took_up_to_ms);
  keep("rate", grown((one) => one.requests.answered));
  keep("failing", grown((one) => one.requests.by_status["5xx"]));
  keep("p50", percentile(took[0], took[1], 0.5));
  keep("p99", percentile(took[0], took[1], 0.99));
  keep("flight", now.requests.in_flight);
  const last = (name) => history[name].at(-1);
  say("rate", short(last("rate")));
  say("p50", time(last("p50")));
  say("p99", time(last("p99")));
  say("failing", short(last("failing")));
  const most = (name, show) => say(name + "-most", "most " + show(Math.max(...history[name].map((value) => value ?? 0))));
  most("rate", short);
  most("p99", time);
  most("flight", short);
  most("failing", short);
  pace = new Map(now.pools.map((pool) => {
    const former = then.now.pools.find((one) => one.name === pool.name);
    return [pool.name, former ? Math.max(0, (pool.answered - former.answered) / seconds) : null];
  }));
  draw("rate-line", history.rate);
  draw("p99-line", history.p99, history.p50);
  draw("flight-line", history.flight);
  draw("failing-line", history.failing);
}

function tell(id, parts) {
  of(id).replaceChildren(...parts.map((part) => make("span", part)));
}

function row(worker) {
  const element = make("tr");
  const state = worker.state === "ready" && worker.silent_s > STUCK ? "stuck" : worker.state;
  const pill = make("span", state === "stuck" ? "stuck for " + since(worker.silent_s) : state, "pill " + state);
  const texts = [worker.id, pill, worker.pid, worker.generation,
    short(worker.requests), short(worker.in_flight), short(worker.connections), bytes(worker.memory)];
  element.append(...texts.map((text, at) => {
    const cell = make("td", undefined, at > 3 ? "n" : undefined);
    cell.dataset.name = COLUMNS[at];
    cell.append(text);
    return cell;
  }));
  return element;
}

function head(pool, workers) {
  const element = make("tr", undefined, "pool"), cell = make("th", pool.name);
  const ready = workers.filter((worker) => worker.state === "ready").length;
  const apps = pool.apps.length > 1 ? pool.apps.join(", ") + " · " : "";
  const rate = pace.get(pool.name) ?? null;
  const told = apps + ready + " of " + pool.workers_wanted + " ready · " + short(rate) + " requests a second";
  cell.colSpan = COLUMNS.length;
  cell.scope = "rowgroup";
  cell.append(make("small", told));
  element.append(cell);
  return element;
}

function staff(now) {
  const of_pool = (pool) => now.workers.filter((worker) => worker.pool === pool.name).sort((one, other) => one.id - other.id);
  const pools = now.pools.filter((pool) => pool.workers_wanted > 0 || of_pool(pool).length > 0);
  say("wanted", now.workers_wanted + " wanted");
  of("workers").replaceChildren(...pools.flatMap((pool) => {
    const own = of_pool(pool);
    return [...(pools.length > 1 ? [head(pool, own)] : []), ...own.map(row)];
  }));
}

// One whose call has not come back has no age of its own; it is of interest if it blocks its worker.
function requests(now) {
  const silent = new Map(now.workers.map((worker) => [worker.id, worker.silent_s]));
  const long = now.requests_in_flight
    .map((one) => ({ ...one, blocks: one.age_s === null, age_s: one.age_s ?? silent.get(one.worker) ?? 0 }))
    .filter((one) => one.age_s > (one.blocks ? STUCK : LONG));
  of("slow").hidden = long.length === 0;
  of("requests").replaceChildren(...long.map((one) => {
    const item = make("li");
    const what = (one.app ? one.app + ": " : "") + one.method + " " + one.path;
    const where = "worker " + one.worker + (one.blocks ? ", blocked by it" : one.running ? ", at it" : ", waiting") + (one.id ? ", id " + one.id : "");
    item.append(make("b", since(one.age_s), "age"), make("span", what), make("small", where));
    return item;
  }));
}

function errors(now) {
  if (now.errors.length === 0) return;
  of("errors").replaceChildren(...now.errors.toReversed().map((one) => {
    const item = make("li");
    item.append(clock(one.at), make("span", one.text));
    return item;
  }));
}

function reload(last) {
  of("last").hidden = !last;
  if (!last) return;
  of("last").className = last.good ? "last" : "last failed";
  of("reload").replaceChildren(clock(last.at), " ", make("span", last.text, last.good ? "good" : "bad"));
}

const NAMES = { restart: "workers replaced, ", reload: "reloads, ", upgrade: "upgrades, " };

function show(now) {
  const age = Date.now() / 1000 - now.started;
  const apps = now.pools.flatMap((pool) => pool.apps);
  const name = apps.length > 1 ? apps.join(" · ") : now.app || "gatewayd";
  say("app", name);
  document.title = name + " · " + now.stage;
  of("main").className = "";
  say("stage", now.stage);
  of("stage").className = "pill " + now.stage;
  tell("about", [...now.urls, "generation " + now.generation, "process " + now.pid, "up " + since(age)]);
  say("version", now.version);
  say("flight", short(now.requests.in_flight));
  say("connections", short(now.connections.open) + (now.connections.open === 1 ? " connection" : " connections"));
  measure(now);
  staff(now);
  requests(now);
  reload(now.last_reload);
  const counts = Object.entries(now.counts).filter(([, count]) => count > 0).map(([name, count]) => {
    const [kind, which] = name.split(" ");
    return [NAMES[kind] + which.replaceAll("_", " "), short(count)];
  });
  list("counts", counts.length > 0 ? counts : [["no worker replaced, no reload, no upgrade", ""]]);
  const classes = Object.entries(now.requests.by_status).filter(([, count]) => count > 0);
  of("shares").replaceChildren(...classes.map(([name, count]) => {
    const part = make("i", undefined, "c" + name);
    part.style.flexGrow = count;
    return part;
  }));
  list("classes", [...classes.map(([name, count]) => [name, short(count)]),
    ["bytes in", bytes(now.bytes.in)], ["bytes out", bytes(now.bytes.out)]]);
  errors(now);
  say("seen", "as of now");
}

async function look() {
  try {
    const answer = await fetch("status.json", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(await answer.text());
    show(await answer.json());
  } catch (error) {
    say("seen", "nothing heard: " + error.message);
    of("stage").textContent = "gone";
    of("stage").className = "pill gone";
    of("main").className = "old";
  }
  setTimeout(look, LOOK);
}

look();
