// Embeds with their coloured bar, as the bot's statistics and art commands send them.

import { isLocal, safeUrl } from "./attachments.js";
import { h } from "./dom.js";
import { markup } from "./markup.js";
import { names } from "./store.js";
import { full } from "./time.js";

const SUPPRESS_EMBEDS = 4;

export function embeds(message) {
  const list = (message.flags ?? 0) & SUPPRESS_EMBEDS ? [] : (message.embeds ?? []);
  const files = message.attachments ?? [];
  return list.map((embed) => embedElement(embed, files));
}

function embedElement(embed, files) {
  const element = h(
    "article",
    { class: "embed" },
    embed.author?.name ? h("p", { class: "author-line" }, embed.author.name) : null,
    embed.title ? h("p", { class: "title" }, titleContent(embed)) : null,
    embed.description ? h("div", { class: "body" }, markup(embed.description, names)) : null,
    embed.fields?.length ? h("dl", { class: "fields" }, embed.fields.map(field)) : null,
    picture(embed.image, files),
    picture(embed.thumbnail, files),
    footer(embed),
  );
  if (Number.isInteger(embed.color)) element.style.borderLeftColor = `#${embed.color.toString(16).padStart(6, "0")}`;
  return element;
}

function titleContent(embed) {
  const link = embed.url && safeUrl(embed.url);
  return link
    ? h("a", { href: link, target: "_blank", rel: "noopener noreferrer nofollow" }, embed.title)
    : embed.title;
}

function field({ name, value, inline }) {
  return h(
    "div",
    { class: `field ${inline ? "inline" : ""}` },
    h("dt", {}, name),
    h("dd", { class: "body" }, markup(value, names)),
  );
}

function picture(image, files) {
  if (!image?.url) return null;
  const held = image.url.startsWith("attachment://")
    ? files.find((file) => file.filename === image.url.slice(13))?.url
    : image.url;
  const link = held && safeUrl(held);
  if (!link) return null;
  return isLocal(link)
    ? h("img", { src: link, alt: image.description ?? "", loading: "lazy" })
    : h("a", { href: link, target: "_blank", rel: "noopener noreferrer nofollow" }, link);
}

function footer(embed) {
  const parts = [embed.footer?.text, embed.timestamp ? full(embed.timestamp) : null].filter(Boolean);
  return parts.length ? h("p", { class: "footer" }, parts.join(" · ")) : null;
}
