// Files on a message: pictures of the sandbox as thumbnails, sounds with a player, everything else as a chip. Nothing is fetched from outside.

import { h, icon } from "./dom.js";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

export function attachments(files) {
  if (!files?.length) return null;
  return h("div", { class: "attachments" }, files.map(attachment));
}

export function attachment(file) {
  const link = safeUrl(file.url);
  if (link && isLocal(link) && file.content_type?.startsWith("image/")) {
    return h(
      "a",
      { class: "attachment", href: link, target: "_blank", rel: "noopener noreferrer" },
      h("img", { src: link, alt: file.description || file.filename, loading: "lazy" }),
    );
  }
  if (link && isLocal(link) && file.content_type?.startsWith("audio/")) {
    return h("figure", { class: "sound" }, player(link, file), chip(link, file));
  }
  return chip(link, file);
}

function player(link, file) {
  return h("audio", { controls: true, preload: "metadata", src: link, "aria-label": file.filename });
}

function chip(link, file) {
  return h(
    "a",
    { class: "file", href: link, target: "_blank", rel: "noopener noreferrer", download: file.filename },
    icon("file"),
    h("span", { class: "name" }, file.filename),
    h("span", { class: "quiet figure" }, sizeText(file.size)),
  );
}

/** An http or https address, or null: nothing else becomes a link. */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

export function isLocal(address) {
  return LOOPBACK.has(new URL(address).hostname);
}

export function sizeText(bytes) {
  if (!Number.isFinite(bytes)) return "";
  const units = ["B", "KiB", "MiB"];
  const power = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log2(bytes) / 10) : 0);
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}
