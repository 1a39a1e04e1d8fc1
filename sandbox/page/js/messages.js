// The conversation: an ordered list of messages that stays at its end while one is there, and is walked by arrow keys.

import { byId, displayName, h, replace } from "./dom.js";
import { messageElement, openActions } from "./message.js";
import * as store from "./store.js";
import { t } from "./strings.js";
import { day } from "./time.js";

const GROUP_MS = 7 * 60_000;
const NEAR_END_PX = 80;
const notices = new Map();
// Whether the reader has stayed at the end: what grows there, as pictures do, keeps them there. Growth scrolls down at
// most, so only a reader scrolls up.
let following = true;
let lastTop = 0;

export function startMessages() {
  store.on("channel", () => showAll({ toEnd: true }));
  store.on("user", () => showAll({ toEnd: true }));
  store.on("messages", (channelId) => channelId === store.store.channelId && showAll({ toEnd: true }));
  store.on("message", ({ message }) => message.channel_id === store.store.channelId && showOne(message));
  store.on("state", showHead);
  store.on("state", nameChannels);
  store.on("typing", showTyping);
  store.on("notice", showNotice);
  byId("jump").addEventListener("click", () => {
    toEnd();
    byId("composer-text")?.focus();
  });
  byId("message-scroll").addEventListener(
    "scroll",
    () => {
      const top = byId("message-scroll").scrollTop;
      following = atEnd() || (following && top >= lastTop);
      lastTop = top;
      if (following) byId("jump").hidden = true;
    },
    { passive: true },
  );
  new ResizeObserver(() => following && toEnd()).observe(byId("messages"));
  byId("messages").addEventListener("keydown", onKey);
  byId("messages").addEventListener("contextmenu", onContextMenu);
}

function showHead() {
  const channel = store.channel(store.store.channelId);
  byId("channel-title").textContent = channel ? `${channel.type === 0 ? "#" : ""}${store.channelName(channel)}` : "";
  byId("channel-topic").textContent = channel?.topic ?? "";
  if (!byId("messages").querySelector(".message")) showEmpty();
}

// A message may name a channel or thread before this page has heard of it.
function nameChannels() {
  for (const message of store.visibleMessages(store.store.channelId))
    if (/<#\d+>/.test(message.content) && byId(`m-${message.id}`)) showOne(message);
}

function showAll({ toEnd: go = false } = {}) {
  showHead();
  showTyping();
  byId("jump").hidden = true;
  const list = byId("messages");
  const messages = store.visibleMessages(store.store.channelId);
  const elements = [];
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    if (!before || day(before.timestamp) !== day(message.timestamp)) elements.push(dayLine(message));
    elements.push(messageElement(message, { grouped: isGrouped(message, before) }));
  });
  for (const notice of notices.values()) if (notice.channelId === store.store.channelId) elements.push(notice.element);
  replace(list, elements);
  list.querySelector(".message")?.setAttribute("tabindex", "0");
  if (!messages.length) showEmpty();
  if (go) toEnd();
}

function dayLine(message) {
  return h("li", { class: "day", role: "separator", dataset: { day: day(message.timestamp) } }, day(message.timestamp));
}

function isGrouped(message, before) {
  if (
    !before ||
    message.type === 19 ||
    message.interaction_metadata ||
    store.isEphemeral(message) !== store.isEphemeral(before)
  )
    return false;
  const near = Date.parse(message.timestamp) - Date.parse(before.timestamp) < GROUP_MS;
  return near && before.author.id === message.author.id && [0, 19, 20, 23].includes(before.type);
}

function showEmpty() {
  const list = byId("messages");
  if (list.querySelector(".message, .local")) return;
  const { state } = store.store;
  const unread = state?.parts.discord && store.store.channelId && !store.store.messages.has(store.store.channelId);
  if (!state || unread) return replace(list, h("li", { class: "empty loading", role: "status" }, t("loading")));
  const text = !state.parts?.discord
    ? ["emptyDiscord", "emptyDiscordNext"]
    : ["emptyChannel", state.bot?.online ? "emptyChannelNext" : "emptyOffline"];
  replace(list, h("li", { class: "empty" }, h("strong", {}, t(text[0])), t(text[1])));
}

function showOne(message) {
  const list = byId("messages");
  const stay = atEnd();
  const old = byId(`m-${message.id}`);
  if (old && !store.isVisible(message)) {
    old.remove();
  } else if (old) {
    const focusInside = old.contains(document.activeElement) && document.activeElement !== old;
    const fresh = messageElement(message, { grouped: old.classList.contains("grouped"), live: true });
    fresh.tabIndex = old.tabIndex;
    const focused = document.activeElement === old;
    if (!focusInside || !keepFocus(old, fresh)) old.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
  } else if (store.isVisible(message)) {
    append(list, message);
  }
  if (stay) toEnd();
  else if (!old) showJump();
}

// Replaces a message whose button has the focus without losing it.
function keepFocus(old, fresh) {
  const focusable = (root) => [...root.querySelectorAll("button, a, select, input, [tabindex]")];
  const at = focusable(old).indexOf(document.activeElement);
  old.replaceWith(fresh);
  focusable(fresh)[at]?.focus({ preventScroll: true });
  return true;
}

function append(list, message) {
  list.querySelector(".empty")?.remove();
  const visible = store.visibleMessages(store.store.channelId);
  const before = visible[visible.findIndex((one) => one.id === message.id) - 1];
  if (!before || day(before.timestamp) !== day(message.timestamp)) list.append(dayLine(message));
  const element = messageElement(message, { grouped: isGrouped(message, before) });
  if (!list.querySelector(".message")) element.tabIndex = 0;
  list.append(element);
}

function showJump() {
  const jump = byId("jump");
  jump.textContent = `${t("newMessages")} ↓`;
  jump.hidden = false;
}

/** A sentence in the conversation that only this page knows, such as a refused action. */
function showNotice(text) {
  const id = `notice-${Date.now()}-${notices.size}`;
  const remove = () => {
    notices.delete(id);
    element.remove();
    showEmpty();
  };
  const element = h(
    "li",
    { class: "message ephemeral local" },
    h(
      "div",
      { class: "content-column" },
      h("p", { class: "body", role: "alert" }, text),
      h("p", { class: "note" }, t("onlyYou"), h("button", { type: "button", on: { click: remove } }, t("dismiss"))),
    ),
  );
  notices.set(id, { channelId: store.store.channelId, element });
  byId("messages").querySelector(".empty")?.remove();
  byId("messages").append(element);
  toEnd();
}

function showTyping() {
  const names = store.typers(store.store.channelId).map(displayName);
  replace(
    byId("typing"),
    names.length
      ? [
          h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
          t("typing", { names: names.join(", ") }),
        ]
      : null,
  );
}

function atEnd() {
  const scroll = byId("message-scroll");
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
}

function toEnd() {
  const scroll = byId("message-scroll");
  scroll.scrollTop = scroll.scrollHeight;
  byId("jump").hidden = true;
}

function onContextMenu(event) {
  const element = event.target.closest(".message");
  const message = element && find(element);
  if (!message || event.target.closest("a, img") || getSelection().toString()) return;
  event.preventDefault();
  element.focus();
  openActions(message, element, { x: event.clientX, y: event.clientY });
}

function find(element) {
  return store.visibleMessages(store.store.channelId).find((message) => `m-${message.id}` === element.id);
}

function onKey(event) {
  const here = document.activeElement;
  if (!here.classList.contains("message")) {
    if (event.key === "Escape") here.closest(".message")?.focus();
    return;
  }
  const all = [...byId("messages").querySelectorAll(".message[id]")];
  const at = all.indexOf(here);
  const moves = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 };
  if (event.key in moves) {
    const next = all[moves[event.key]];
    if (next) rove(here, next);
  } else if (event.key === "Enter" || event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) {
    const message = find(here);
    if (message) openActions(message, here);
  } else return;
  event.preventDefault();
}

function rove(from, to) {
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
