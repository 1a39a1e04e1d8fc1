// Times as people read them, in the chosen user's language.

import { currentLocale } from "./strings.js";

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

function format(date, style) {
  return new Intl.DateTimeFormat(currentLocale(), STYLES[style] ?? STYLES.f).format(date);
}

function relative(seconds, now) {
  const distance = seconds - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(distance) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(currentLocale(), { numeric: "auto" }).format(Math.trunc(distance / size), unit);
}

/** A `<t:seconds:style>` of message text; R is "in 5 minutes". */
export function stamp(seconds, style, now = Date.now() / 1000) {
  return style === "R" ? relative(seconds, now) : format(new Date(seconds * 1000), style);
}

export const clock = (iso) => format(new Date(iso), "t");
export const full = (iso) => format(new Date(iso), "F");
export const day = (iso) => format(new Date(iso), "D");

/** Keeps relative times on the page true: each `time[data-relative]` is renewed while it can change. */
export function startTicking() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-relative]")) {
      const text = stamp(Number(element.dataset.relative), "R");
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
}
