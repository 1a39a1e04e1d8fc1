// Buttons, selects and the newer layout parts of a message. Numbers are Discord's component types.

import { attachment, attachments, safeUrl } from "./attachments.js";
import { displayName, h } from "./dom.js";
import { press } from "./interactions.js";
import { markup } from "./markup.js";
import * as store from "./store.js";
import { t } from "./strings.js";

const LINK_STYLE = 5;

const MAKERS = {
  1: (part, message) => h("div", { class: "row" }, children(part, message)),
  2: button,
  3: select,
  5: select,
  6: select,
  7: select,
  8: select,
  9: (part, message) =>
    h("div", { class: "section" }, h("div", {}, children(part, message)), make(part.accessory, message)),
  10: (part) => h("div", { class: "body" }, markup(part.content, store.names)),
  11: (part, message) => media(part.media, message, part.description),
  12: (part, message) =>
    h(
      "div",
      { class: "attachments" },
      part.items.map((item) => media(item.media, message, item.description)),
    ),
  13: (part, message) => media(part.file, message),
  14: (part) => (part.divider === false ? h("div") : h("hr")),
  17: container,
};

export function components(message) {
  if (!message.components?.length) return null;
  return h(
    "div",
    { class: "components" },
    message.components.map((part) => make(part, message)),
  );
}

function make(part, message) {
  return (part && MAKERS[part.type]?.(part, message)) ?? null;
}

function children(part, message) {
  return (part.components ?? []).map((child) => make(child, message));
}

function container(part, message) {
  const element = h("div", { class: "container" }, children(part, message));
  if (Number.isInteger(part.accent_color))
    element.style.borderLeftColor = `#${part.accent_color.toString(16).padStart(6, "0")}`;
  return element;
}

function media(item, message, description) {
  const name = item?.url?.startsWith("attachment://") ? item.url.slice(13) : null;
  const held = (message.attachments ?? []).find((file) => file.filename === name || file.url === item?.url);
  if (held) return attachments([{ ...held, description }]);
  return item?.url
    ? attachment({ url: item.url, filename: description ?? item.url, content_type: item.content_type })
    : null;
}

function emojiText(emoji) {
  if (!emoji) return "";
  return `${emoji.id ? `:${emoji.name}:` : emoji.name} `;
}

function button(part, message) {
  const label = `${emojiText(part.emoji)}${part.label ?? ""}`.trim();
  if (part.style === LINK_STYLE) {
    return h(
      "a",
      { class: "file", href: safeUrl(part.url), target: "_blank", rel: "noopener noreferrer" },
      label,
      " ↗",
    );
  }
  const element = h(
    "button",
    {
      type: "button",
      class: `component-button style-${part.style}`,
      disabled: part.disabled,
      on: {
        click: async () => {
          element.setAttribute("aria-busy", "true");
          await press(message, part.custom_id);
          element.removeAttribute("aria-busy");
        },
      },
    },
    label,
  );
  return element;
}

/** What a select offers: its own options, or users, roles and channels of the server. */
export function selectOptions(part) {
  const roles = () => store.roles().map((role) => ({ label: role.name, value: role.id }));
  const users = () => store.users().map((user) => ({ label: displayName(user), value: user.id }));
  const channels = () => store.guildChannels().map((channel) => ({ label: `#${channel.name}`, value: channel.id }));
  return { 3: () => part.options ?? [], 5: users, 6: roles, 7: () => [...users(), ...roles()], 8: channels }[
    part.type
  ]();
}

function select(part, message) {
  const many = (part.max_values ?? 1) > 1;
  const element = h(
    "select",
    { "aria-label": part.placeholder || t("choose"), multiple: many, disabled: part.disabled },
    many
      ? null
      : h(
          "option",
          { value: "", disabled: true, selected: !(part.options ?? []).some((option) => option.default) },
          part.placeholder || t("choose"),
        ),
    selectOptions(part).map((option) =>
      h(
        "option",
        { value: option.value, selected: Boolean(option.default) },
        `${emojiText(option.emoji)}${option.label}`,
      ),
    ),
  );
  const send = () =>
    press(
      message,
      part.custom_id,
      [...element.selectedOptions].map((option) => option.value),
    );
  if (!many) {
    element.addEventListener("change", send);
    return element;
  }
  return h(
    "div",
    { class: "row" },
    element,
    h("button", { type: "button", class: "component-button", on: { click: send } }, t("apply")),
  );
}
