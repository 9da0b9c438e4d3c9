// The API's description, drawn from /openapi.json.

const BRIEF = { minimum: "≥ ", exclusiveMinimum: "> ", maximum: "≤ ", default: "default " };

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.append(text, ...children);
  return made;
}

function table(title, rows) {
  if (rows.length === 0) return [];
  const lines = rows.map((cells) => element("tr", "", ...cells.map((cell) => element("td", cell))));
  return [element("h3", title), element("table", "", element("tbody", "", ...lines))];
}

/** The parts of a schema that are worth a line. */
function brief(schema, components) {
  const known = schema.$ref ? components[schema.$ref.split("/").pop()] : schema;
  const types = (known.anyOf ?? [known]).map((option) => option.format ?? option.type).filter((type) => type !== "null");
  const limits = Object.keys(BRIEF).filter((key) => key in known && known[key] !== null && !Array.isArray(known[key]));
  return [types.join(" or "), ...limits.map((key) => BRIEF[key] + known[key])].join(", ");
}

function fields(schema, components) {
  const known = schema.$ref ? components[schema.$ref.split("/").pop()] : schema;
  return Object.entries(known.properties ?? {}).map(([name, field]) => [
    known.required?.includes(name) ? name : `${name}?`,
    [brief(field, components), field.description].filter(Boolean).join(": "),
  ]);
}

function section(method, path, operation, components) {
  const parameters = (operation.parameters ?? []).map(({ name, schema, description }) => [
    name,
    [brief(schema, components), description].filter(Boolean).join(": "),
  ]);
  const bodies = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema }]) =>
    table(`Body, as ${type}`, fields(schema, components)),
  );
  const answers = Object.entries(operation.responses).flatMap(([status, { description, content }]) => {
    const schema = Object.values(content ?? {})[0]?.schema;
    return table(`${status}: ${description}`, schema ? fields(schema, components) : []);
  });
  const made = element(
    "section", "",
    element("h2", `${method.toUpperCase()} ${path}`),
    element("p", `${operation.summary}. ${operation.description ?? ""}`),
    ...table("Parameters", parameters), ...bodies, ...answers,
  );
  made.className = "panel";
  return made;
}

const place = document.getElementById("operations");
try {
  const { paths, components } = await (await fetch("/openapi.json")).json();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      place.append(section(method, path, operation, components.schemas));
    }
  }
} catch {
  place.append(element("p", "The description of the API cannot be loaded."));
}
place.ariaBusy = "false";
