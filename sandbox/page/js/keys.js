// The right column: each emulated key with its state, counts and last minute, and what one can do to it.

import { api } from "./api.js";
import { byId, debounce, h, iconButton, replace, svg } from "./dom.js";
import { openMenu } from "./menu.js";
import { Minute, sparkline } from "./sparkline.js";
import * as store from "./store.js";
import { t } from "./strings.js";

const ACTIONS = ["kill", "leak", "throttle", "slow", "hang", "flap", "heal"];
const MOST_DOTS = 6;
const HIGH = 0.8;

// Each word has one of four looks; a shape and the word itself tell them apart without colour.
const LOOKS = {
  live: "live",
  slow: "cooling",
  throttled: "cooling",
  cooling: "cooling",
  flapping: "ejected",
  failing: "ejected",
  faulty: "ejected",
  ejected: "ejected",
  hanging: "ejected",
  leaked: "dead",
  suspended: "dead",
  dead: "dead",
};
const SHAPES = {
  live: () => svg("circle", { cx: 6, cy: 6, r: 5 }),
  cooling: () => [
    svg("circle", { cx: 6, cy: 6, r: 4.5, fill: "none", "stroke-width": 1.5 }),
    svg("path", { d: "M6 1.5a4.5 4.5 0 0 1 0 9z" }),
  ],
  ejected: () => svg("path", { d: "M6 1 11.5 11H.5z" }),
  dead: () => svg("path", { d: "M2 2l8 8M10 2l-8 8", "stroke-width": 2.5, fill: "none" }),
};

const minutes = new Map();
let last = null;
let made = null;
let close = () => {};

export function startKeys(hooks) {
  close = hooks.close;
  for (const topic of ["state", "user", "keys"]) store.on(topic, show);
  store.on("requests", onRequest);
  setInterval(() => [...minutes.keys()].forEach(showSpark), 1000);
}

const showSoon = debounce(() => show(), 50);

function onRequest(request) {
  if (!request.key) return;
  if (!minutes.has(request.key)) minutes.set(request.key, new Minute());
  minutes
    .get(request.key)
    .add(request.status >= 200 && request.status < 300 && ["ok", "", undefined].includes(request.outcome));
  last = request;
  showSoon();
}

function show() {
  const panel = byId("keys");
  const keys = store.store.state?.keys ?? [];
  const focused = document.activeElement?.dataset?.key;
  const scrolled = panel.querySelector(".scroll")?.scrollTop ?? 0;
  const projects = Map.groupBy(keys, (key) => key.project);
  replace(
    panel,
    h(
      "header",
      { class: "bar" },
      h("h2", { id: "keys-title" }, t("keys")),
      h(
        "div",
        { class: "tools" },
        keys.length ? iconButton("plus", t("newKey"), makeKey, { dataset: { key: "+" } }) : null,
        iconButton("close", t("closeKeys"), close, { class: "icon-button for-wide" }),
      ),
    ),
    made && newKey(),
    h("p", { class: "last" }, lastLine()),
    h(
      "div",
      { class: "scroll" },
      keys.length ? [...projects].map(([name, members]) => project(name, members)) : emptyKeys(),
    ),
  );
  panel.querySelector(".scroll").scrollTop = scrolled;
  if (focused) panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

// one field for all drawings: a fresh one would lose what is selected in it whenever a request comes in
function newKey() {
  made.firstChild.textContent = t("newKeyMade");
  return made;
}

function emptyKeys() {
  return h("p", { class: "empty" }, h("strong", {}, t("emptyKeys")), t("emptyKeysNext"));
}

function lastLine() {
  if (!last) return t("noRequests");
  const seconds = last.seconds === null || last.seconds === undefined ? "" : ` · ${Number(last.seconds).toFixed(2)} s`;
  const outcome = last.outcome && last.outcome !== "ok" ? ` ${last.outcome}` : "";
  return [
    `${t("lastRequest")}: `,
    h("strong", { class: "figure" }, `${last.key} (${last.project})`),
    h("br"),
    h("span", { class: "figure" }, `${last.model ?? ""} · ${last.status || "–"}${outcome}${seconds}`),
  ];
}

function project(name, members) {
  return h("section", { class: "project" }, h("h3", {}, name), quotas(members[0].quota), members.map(row));
}

// A project's quota by model, as far as it was used: {model: {requests_minute, rpm, ...}}.
function quotas(quota) {
  return Object.entries(quota ?? {})
    .filter(([, use]) => use.rpm)
    .map(([model, use]) => {
      const share = Math.min(1, use.requests_minute / use.rpm);
      const meter = h(
        "div",
        {
          class: `meter ${share >= HIGH ? "high" : ""}`,
          role: "meter",
          "aria-valuemin": 0,
          "aria-valuemax": use.rpm,
          "aria-valuenow": use.requests_minute,
          "aria-label": `${model}, ${t("perMinute")}`,
        },
        h("span"),
      );
      meter.firstChild.style.width = `${share * 100}%`;
      return h(
        "div",
        { class: "quota figure" },
        h("span", {}, model.replace(/^gemini-/, "")),
        meter,
        h("span", { title: t("perMinute") }, `${use.requests_minute} / ${use.rpm} /min`),
      );
    });
}

function row(key) {
  const look = LOOKS[key.state] ?? "ejected";
  const minute = minutes.get(key.label) ?? new Minute();
  const spark = sparkline(minute);
  spark.dataset.spark = key.label;
  return h(
    "div",
    { class: "key", role: "group", "aria-label": key.label },
    h(
      "div",
      { class: "names" },
      h("span", { class: "label" }, key.label),
      stateWord(key.state, look),
      dots(key.in_flight ?? 0),
    ),
    spark,
    iconButton("more", t("keyActions", { label: key.label }), (event) => openMenu(event.currentTarget, items(key)), {
      "aria-haspopup": "menu",
      dataset: { key: key.label },
    }),
    h("div", { class: "counts figure" }, count(key.requests ?? 0, "request"), count(key.errors ?? 0, "error")),
  );
}

function count(number, word) {
  return h("span", {}, h("b", {}, String(number)), ` ${t(number === 1 ? word : `${word}s`)}`);
}

function stateWord(state, look) {
  const name = `keyState_${state}`;
  const word = t(name);
  return h(
    "span",
    { class: `state ${look}` },
    svg("svg", { class: "shape", viewBox: "0 0 12 12", "aria-hidden": "true" }, SHAPES[look]()),
    word === name ? state : word,
  );
}

function dots(count) {
  if (!count) return null;
  return h(
    "span",
    { class: "in-flight", role: "img", "aria-label": t("inFlight", { n: count }), title: t("inFlight", { n: count }) },
    Array.from({ length: Math.min(count, MOST_DOTS) }, () => h("i")),
    count > MOST_DOTS ? h("span", { class: "figure quiet" }, `+${count - MOST_DOTS}`) : null,
  );
}

function showSpark(label) {
  const old = byId("keys").querySelector(`[data-spark="${CSS.escape(label)}"]`);
  if (!old) return;
  const fresh = sparkline(minutes.get(label));
  fresh.dataset.spark = label;
  old.replaceWith(fresh);
}

function items(key) {
  return [
    { heading: t("keyActions", { label: key.label }) },
    ...ACTIONS.map((action) => ({
      label: t(action),
      danger: action === "kill" || action === "leak",
      run: () => act(key, action),
    })),
  ];
}

async function makeKey() {
  try {
    const { secret } = await api.newKey();
    made = h("label", { class: "made" }, h("span"), h("input", { readOnly: true, value: secret, dataset: { key: "made" } }));
    show();
    made.querySelector("input").select();
  } catch (trouble) {
    store.tell("notice", trouble.message);
  }
}

async function act(key, action) {
  try {
    await api.keyAction(key.label, action);
  } catch (trouble) {
    store.tell("notice", trouble.message);
  }
}
