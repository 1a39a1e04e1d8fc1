// One message as an element: author, reply line, text, embeds, files, components, and what can be done to it.

import { api } from "./api.js";
import { attachments } from "./attachments.js";
import { components } from "./components.js";
import { edit, focusComposer, replyTo } from "./composer.js";
import { avatar, displayName, h, icon, iconButton } from "./dom.js";
import { embeds } from "./embeds.js";
import { run } from "./interactions.js";
import { copyText, markup, plain } from "./markup.js";
import { openMenu } from "./menu.js";
import * as store from "./store.js";
import { t } from "./strings.js";
import { clock, full } from "./time.js";

const LOADING = 128;
const COMPONENTS_V2 = 32768;
const STREAM_REST_MS = 2500;
const REPLY = 19;
const SYSTEM_TYPES = new Set([1, 2, 3, 4, 6, 18]);
const CURSOR = /[▌▍▎▏█■●…]\s*(```)?\s*$/u;
const lastChange = new Map();

export function messageElement(message, { grouped = false, live = false } = {}) {
  if (message.type === 21) return starterElement(message);
  if (SYSTEM_TYPES.has(message.type)) return systemElement(message);
  const streaming = isStreaming(message, live);
  const classes = [
    "message",
    grouped && "grouped",
    store.isEphemeral(message) && "ephemeral",
    isForMe(message) && "mentioned",
    streaming && "streaming",
    CURSOR.test(message.content ?? "") && "has-cursor",
  ]
    .filter(Boolean)
    .join(" ");
  return h(
    "li",
    { class: classes, id: `m-${message.id}`, tabindex: "-1" },
    replyLine(message),
    h(
      "div",
      { class: "side" },
      grouped
        ? h("time", { class: "hover-time", datetime: message.timestamp }, clock(message.timestamp))
        : avatar(message.author),
    ),
    h("div", { class: "content-column" }, grouped ? hiddenHead(message) : head(message), body(message), note(message)),
    tools(message),
  );
}

// A running answer is a bot's message that was edited a moment ago; when it has come to rest the cursor goes.
function isStreaming(message, live) {
  if (!message.author.bot || !message.edited_timestamp || (message.flags ?? 0) & LOADING) return false;
  if (!live) return false;
  const now = Date.now();
  lastChange.set(message.id, now);
  setTimeout(() => {
    if (lastChange.get(message.id) !== now) return;
    lastChange.delete(message.id);
    document.getElementById(`m-${message.id}`)?.classList.remove("streaming");
  }, STREAM_REST_MS);
  return true;
}

function isForMe(message) {
  return message.mention_everyone || (message.mentions ?? []).some((user) => user.id === store.me()?.id);
}

function head(message) {
  return h(
    "div",
    { class: "head" },
    h(
      "button",
      {
        type: "button",
        class: "author",
        tabindex: "-1",
        "aria-label": t("openMenu", { name: displayName(message.author) }),
        on: { click: (event) => openUserMenu(event.currentTarget, message.author) },
      },
      displayName(message.author),
    ),
    message.author.bot ? h("span", { class: "badge" }, t("bot")) : null,
    h("time", { datetime: message.timestamp, title: full(message.timestamp) }, clock(message.timestamp)),
  );
}

function hiddenHead(message) {
  return h("span", { class: "visually-hidden" }, `${displayName(message.author)} ${clock(message.timestamp)}`);
}

function replyLine(message) {
  const used = message.interaction ?? null;
  const by = message.interaction_metadata?.user ?? used?.user;
  if (used?.name && by) {
    return h(
      "p",
      { class: "reply-line" },
      avatar(by, "tiny"),
      h("span", { class: "text" }, t("used", { name: displayName(by), command: `/${used.name}` })),
    );
  }
  if (message.type !== REPLY) return null;
  const original = message.referenced_message;
  if (!original) return h("p", { class: "reply-line" }, h("span", { class: "text" }, t("removedReply")));
  const text = plain(original.content || "📎", store.names);
  return h(
    "button",
    { type: "button", class: "reply-line", tabindex: "-1", on: { click: () => goTo(original.id) } },
    avatar(original.author, "tiny"),
    h("strong", {}, displayName(original.author)),
    h("span", { class: "text" }, text),
  );
}

function goTo(id) {
  const element = document.getElementById(`m-${id}`);
  element?.scrollIntoView({ block: "center" });
  element?.focus();
}

function body(message) {
  if ((message.flags ?? 0) & LOADING) {
    return h(
      "p",
      { class: "body thinking" },
      h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
      t("thinking", { name: displayName(message.author) }),
    );
  }
  const v2 = Boolean((message.flags ?? 0) & COMPONENTS_V2);
  const text =
    message.content && !v2
      ? h("div", { class: "body" }, markup(message.content, store.names), editedMark(message))
      : null;
  return [text, embeds(message), v2 ? null : attachments(message.attachments), components(message)];
}

function editedMark(message) {
  return message.edited_timestamp
    ? h("span", { class: "edited", title: full(message.edited_timestamp) }, t("edited"))
    : null;
}

function note(message) {
  if (!store.isEphemeral(message)) return threadLink(message);
  return h(
    "p",
    { class: "note" },
    t("onlyYou"),
    h(
      "button",
      {
        type: "button",
        on: {
          click: () => {
            store.dismiss(message.id);
            focusComposer();
          },
        },
      },
      t("dismiss"),
    ),
  );
}

function threadLink(message) {
  const thread = message.thread ?? store.threads().find((one) => one.id === message.id);
  if (!thread) return null;
  return h(
    "button",
    { type: "button", class: "file", on: { click: () => store.select(thread.id) } },
    icon("thread"),
    h("span", { class: "name" }, thread.name),
  );
}

function systemElement(message) {
  const opened = message.type === 18 && message.message_reference?.channel_id;
  return h(
    "li",
    { class: "message system", id: `m-${message.id}`, tabindex: "-1" },
    h("div", { class: "side" }),
    h(
      "div",
      { class: "content-column" },
      h("strong", {}, displayName(message.author)),
      " ",
      opened
        ? h("button", { type: "button", class: "mention", on: { click: () => store.select(opened) } }, message.content)
        : message.content,
      " ",
      h("time", { datetime: message.timestamp }, clock(message.timestamp)),
    ),
  );
}

function starterElement(message) {
  const original = message.referenced_message;
  return original
    ? messageElement({ ...original, id: message.id, thread: null, type: 0 })
    : systemElement({ ...message, content: t("removedReply") });
}

function tools(message) {
  return h(
    "div",
    { class: "message-tools" },
    iconButton("reply", t("reply"), () => replyTo(message), { tabindex: "-1" }),
    iconButton("more", t("more"), (event) => openActions(message, event.currentTarget), {
      tabindex: "-1",
      "aria-haspopup": "menu",
    }),
  );
}

/** The message's menu: reply, copy, one's own edit and delete, and the bot's message commands. */
export function openActions(message, anchor, point = null) {
  const own = message.author.id === store.me()?.id && !store.isEphemeral(message);
  const apps = (store.store.state?.commands ?? []).filter((command) => command.type === 3);
  openMenu(
    anchor,
    [
      store.isEphemeral(message) ? null : { label: t("reply"), run: () => replyTo(message) },
      message.content ? { label: t("copy"), run: () => copyText(message.content) } : null,
      own ? { label: t("edit"), run: () => edit(message) } : null,
      own ? { label: t("remove"), danger: true, run: () => remove(message) } : null,
      { line: true },
      { heading: apps.length ? t("apps") : `${t("apps")}: ${t("noApps")}` },
      ...apps.map((command) => appItem(command, message.id)),
    ].filter(Boolean),
    point,
  );
}

function appItem(command, target) {
  return { label: localName(command), run: () => run({ name: command.name, options: {}, target }) };
}

function localName(command) {
  return command.name_localizations?.[store.me()?.locale] ?? command.name;
}

function openUserMenu(anchor, user) {
  const apps = (store.store.state?.commands ?? []).filter((command) => command.type === 2);
  openMenu(anchor, [
    { heading: displayName(user) },
    ...apps.map((command) => appItem(command, user.id)),
    ...(apps.length ? [] : [{ heading: `${t("apps")}: ${t("noApps")}` }]),
  ]);
}

async function remove(message) {
  try {
    await api.remove(message.channel_id, message.id, { user: store.me().id });
  } catch (trouble) {
    store.tell("notice", trouble.message);
  }
}
