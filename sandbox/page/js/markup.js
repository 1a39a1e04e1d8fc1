// Makes elements of a Markdown tree. A link is a link only when it is http or https; text is only ever text.

import { h } from "./dom.js";
import { parse } from "./markdown.js";
import { t } from "./strings.js";
import { full, stamp } from "./time.js";

/** Elements for message text. `names` answers `user(id)`, `role(id)`, `channel(id)` with a name or null. */
export function markup(text, names) {
  return parse(text).map((block) => blockElement(block, names));
}

/** Message text without its marks, on one line, for where there is room for no more. */
export function plain(text, names) {
  const box = h("div", {}, markup(text, { ...names, open: null }));
  for (const bar of box.querySelectorAll(".bar-line")) bar.remove();
  return [...box.children]
    .map((block) => block.textContent)
    .join(" ")
    .replaceAll("\n", " ");
}

function blockElement(block, names) {
  switch (block.kind) {
    case "code":
      return codeBlock(block);
    case "quote":
      return h(
        "blockquote",
        {},
        block.blocks.map((child) => blockElement(child, names)),
      );
    case "list":
      return h(
        block.ordered ? "ol" : "ul",
        { start: block.ordered && block.start !== 1 ? block.start : null },
        block.items.map((item) =>
          h(
            "li",
            {},
            item.map((child) => blockElement(child, names)),
          ),
        ),
      );
    default:
      return h(block.kind, {}, inlineElements(block.children, names));
  }
}

function codeBlock({ lang, text }) {
  const copy = h("button", { type: "button", on: { click: () => copyText(text, copy) } }, t("copyCode"));
  return h(
    "div",
    { class: "code-block" },
    h("div", { class: "bar-line" }, h("span", {}, lang), copy),
    h("pre", { tabindex: "0" }, h("code", {}, text)),
  );
}

/** Copies text and says so on the button for a moment. */
export async function copyText(text, button) {
  await navigator.clipboard.writeText(text);
  if (!button) return;
  const before = button.textContent;
  button.textContent = t("copied");
  setTimeout(() => {
    button.textContent = before;
  }, 1500);
}

function inlineElements(children, names) {
  return children.map((child) => (typeof child === "string" ? child : inlineElement(child, names)));
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strike: "s" };

function inlineElement(node, names) {
  const inner = () => inlineElements(node.children, names);
  switch (node.kind) {
    case "bolditalic":
      return h("strong", {}, h("em", {}, inner()));
    case "inlineCode":
      return h("code", {}, node.text);
    case "link":
      return h("a", { href: node.url, target: "_blank", rel: "noopener noreferrer nofollow" }, inner());
    case "spoiler":
      return spoiler(inner());
    case "user":
      return h("span", { class: "mention" }, `@${names.user(node.id) ?? node.id}`);
    case "role":
      return h("span", { class: "mention" }, `@${names.role(node.id) ?? node.id}`);
    case "channel":
      return channelMention(node, names);
    case "everyone":
      return h("span", { class: "mention" }, node.text);
    case "command":
      return h("span", { class: "mention" }, `/${node.name}`);
    case "emoji":
      return h("span", {}, `:${node.name}:`);
    case "time":
      return timeElement(node);
    default:
      return h(TAGS[node.kind], {}, inner());
  }
}

function channelMention(node, names) {
  const name = names.channel(node.id);
  return name && names.open
    ? h("button", { type: "button", class: "mention", on: { click: () => names.open(node.id) } }, `#${name}`)
    : h("span", { class: "mention" }, `#${name ?? node.id}`);
}

function timeElement({ seconds, style }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(seconds);
  const iso = date.toISOString();
  const dataset = style === "R" ? { relative: String(seconds) } : {};
  return h("time", { class: "timestamp", datetime: iso, title: full(iso), dataset }, stamp(seconds, style));
}

function spoiler(children) {
  const button = h(
    "button",
    { type: "button", class: "spoiler", "aria-expanded": "false", "aria-label": t("spoiler") },
    h("span", { "aria-hidden": "true" }, children),
  );
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.firstChild.setAttribute("aria-hidden", String(!open));
    if (open) button.removeAttribute("aria-label");
    else button.setAttribute("aria-label", t("spoiler"));
  });
  return button;
}
