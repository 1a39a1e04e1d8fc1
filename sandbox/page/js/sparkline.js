// The last sixty seconds of one key's requests: good ones grow up from the line, failed ones hang below it.

import { svg } from "./dom.js";
import { t } from "./strings.js";

const SECONDS = 60;
const WIDTH = 64;
const HEIGHT = 28;
const BASE = 18;

export class Minute {
  #buckets = new Map();

  add(ok, at = Date.now()) {
    const second = Math.floor(at / 1000);
    const bucket = this.#buckets.get(second) ?? { ok: 0, bad: 0 };
    bucket[ok ? "ok" : "bad"] += 1;
    this.#buckets.set(second, bucket);
    for (const old of this.#buckets.keys()) if (old <= second - SECONDS) this.#buckets.delete(old);
  }

  /** Sixty {ok, bad}, the newest last. */
  read(now = Date.now()) {
    const end = Math.floor(now / 1000);
    return Array.from(
      { length: SECONDS },
      (_, index) => this.#buckets.get(end - SECONDS + 1 + index) ?? { ok: 0, bad: 0 },
    );
  }
}

export function sparkline(minute) {
  const seconds = minute.read();
  const most = Math.max(3, ...seconds.map(({ ok, bad }) => Math.max(ok, bad)));
  const sum = (kind) => seconds.reduce((total, second) => total + second[kind], 0);
  const bars = seconds.flatMap(({ ok, bad }, index) => {
    const x = 2 + index;
    const up = (ok / most) * (BASE - 2);
    const down = (bad / most) * (HEIGHT - BASE - 2);
    return [
      ok && bar("ok", x, BASE - Math.max(2, up), Math.max(2, up)),
      bad && bar("bad", x, BASE + 1, Math.max(2, down)),
    ];
  });
  return svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": t("spark", { ok: sum("ok"), bad: sum("bad") }),
    },
    svg("line", { class: "base", x1: 1, x2: WIDTH - 1, y1: BASE + 0.5, y2: BASE + 0.5 }),
    bars,
  );
}

function bar(kind, x, y, height) {
  return svg("rect", { class: kind, x, y, width: 1, height });
}
