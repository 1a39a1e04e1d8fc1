// Building elements. Text is only ever set as text: nothing here, or anywhere on this page, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  hash: "M5 9h14M4 15h14M10 4 8 20M16 4l-2 16",
  thread: "M4 5h16v10H10l-4 4v-4H4z",
  lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
  at: "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zm0 0v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-3.5 7.1",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  reply: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  attach: "M20 11.5 12 19.5a5 5 0 0 1-7-7l8.5-8.5a3.5 3.5 0 0 1 5 5L10 17.5a2 2 0 0 1-3-3l7.5-7.5",
  send: "M4 12 20 4l-6 16-3-7z",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  key: "M12 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 12h9M17.5 12v4M21 12v3",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  slash: "M15 5 9 19M4 4h16v16H4z",
  chat: "M4 5h16v11H9l-5 4z",
  list: "M4 6h16M4 12h16M4 18h10",
  spark: "M12 3c.8 5 3 7.5 9 9-6 1.5-8.2 4-9 9-.8-5-3-7.5-9-9 6-1.5 8.2-4 9-9z",
};

/** An element with properties, listeners (`on`) and children; null and false children are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, props);
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  element.append(...children.flat(3).filter(Boolean));
  return element;
}

function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else element.setAttribute(name === "class" ? "class" : name, value === true ? "" : String(value));
  }
}

/** A line icon that screen readers skip; the control around it carries the name. */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }),
  );
}

/** A button that shows only an icon. */
export function iconButton(name, label, onClick, props = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: onClick }, ...props },
    icon(name),
  );
}

/** A round picture made of the first letter and a hue that follows from the id. */
export function avatar(user, size = "") {
  const name = displayName(user);
  const hue = [...String(user.id)].reduce((sum, digit) => (sum * 31 + digit.codePointAt(0)) % 8, 0);
  return h(
    "span",
    { class: `avatar ${size} hue-${user.bot ? 0 : hue}`, "aria-hidden": "true" },
    user.bot ? icon("spark") : [...name][0].toUpperCase(),
  );
}

export function displayName(user) {
  return user?.nick || user?.global_name || user?.display_name || user?.name || user?.username || "?";
}

export function byId(id) {
  return document.getElementById(id);
}

export function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

const NOTICEABLE_MS = 300;

/** Marks an element as busy while work that takes long enough to be noticed runs; answers what the work answers. */
export async function busyWhile(element, work) {
  const timer = setTimeout(() => element.setAttribute("aria-busy", "true"), NOTICEABLE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    element.removeAttribute("aria-busy");
  }
}

/** Calls `run` once, `ms` after the last of a burst of calls. */
export function debounce(run, ms) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), ms);
  };
}
