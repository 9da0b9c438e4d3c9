// The panel: how fast searches are answered, what waits, and how far the copies of the shards are.

const $ = (id) => document.getElementById(id);
const count = (value) => value.toLocaleString("en");

export function showVitals({ searches, progress, problem }) {
  write("per-second", searches ? searches.per_second.toFixed(1) : "–");
  write("p50", milliseconds(searches?.p50_ms));
  write("p99", milliseconds(searches?.p99_ms));
  write("failed", searches ? count(searches.failed) : "–");
  $("failed").classList.toggle("bad", searches?.failed > 0);
  write("waiting", progress ? count(progress.to_extract + progress.to_index) : "–");
  $("shards-problem").hidden = progress !== null;
  write("shards-problem", problem === "asking" ? "Asking Kafka and Redis…" : `Not known: ${problem}`);
  if ($("shards").open) $("copies").replaceChildren(...(progress?.shards ?? []).flatMap(rows));
}

/** Text that is the same is left alone, so that whoever reads or selects it is not disturbed. */
function write(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

function milliseconds(value) {
  return value == null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

/** A row for each copy of a shard, the writer's first. */
function rows({ shard, end, images, position, replicas }) {
  const copies = replicas.map((copy) => [copy.replica, copy.state.replace("_", " "), copy.position]);
  const writer = position === null ? ["no indexer", "", null] : ["indexer", "", position];
  return [writer, ...copies].map(([name, state, at], number) => {
    const first = number === 0 ? [count(shard), images === null ? "–" : count(images), count(end)] : ["", "", ""];
    return row([...first, name, state, at === null ? "–" : place(at, end)]);
  });
}

function place(at, end) {
  return at < end ? `${count(at)} (${count(end - at)} behind)` : count(at);
}

function row(texts) {
  const line = document.createElement("tr");
  line.append(...texts.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return line;
}
