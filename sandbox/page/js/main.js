// Composes the page: reads the state, listens to what changes, and shows each view.

import { announceMessage } from "./announce.js";
import { api } from "./api.js";
import { startChannels } from "./channels.js";
import { startComposer } from "./composer.js";
import { byId, debounce, h, iconButton, replace } from "./dom.js";
import { listen } from "./events.js";
import { startKeys } from "./keys.js";
import { startMessages } from "./messages.js";
import * as store from "./store.js";
import { setLocale, t } from "./strings.js";
import { startTicking } from "./time.js";

const NARROW = matchMedia("(max-width: 719px)");

async function refresh() {
  try {
    store.setState(await api.state());
  } catch (trouble) {
    store.tell("notice", trouble.message);
  }
}

const refreshSoon = debounce(refresh, 80);

async function readChannel(id) {
  if (!id) return;
  try {
    store.setMessages(id, await api.messages(id));
  } catch (trouble) {
    store.tell("notice", trouble.message);
  }
}

const HANDLERS = {
  hello: () => refresh().then(() => readChannel(store.store.channelId)),
  lost: () => refresh().then(() => readChannel(store.store.channelId)),
  reset: () => location.reload(),
  message_create: (data) => {
    store.putMessage(data, { created: true });
    announceMessage(data);
  },
  message_update: (data) => {
    store.putMessage(data, { created: false });
    announceMessage(data);
  },
  message_delete: (data) => store.removeMessage(data.channel_id, data.id),
  typing: (data) => store.startTyping(data.channel_id, data.user_id),
  thread_create: refreshSoon,
  thread_update: refreshSoon,
  thread_delete: refreshSoon,
  commands: refreshSoon,
  bot: refreshSoon,
  keys: (data) => store.setKeys(data.keys),
  gemini_request: (data) => store.tell("requests", data),
};

function showConnection(connection) {
  return (up) => {
    if (up === store.store.connected) return;
    store.store.connected = up;
    const banner = byId("banner");
    banner.hidden = up;
    replace(
      banner,
      up
        ? null
        : [t("lost"), h("button", { type: "button", on: { click: () => connection.current.retry() } }, t("retry"))],
    );
  };
}

function showTools() {
  const app = byId("app");
  const dark = window.theme.isDark();
  replace(
    byId("tools"),
    iconButton(dark ? "sun" : "moon", t("theme"), () => {
      window.theme.toggle();
      showTools();
      byId("tools").firstChild.focus();
    }),
    iconButton(
      "key",
      t("keysToggle"),
      () => {
        app.classList.toggle("keys-open");
        showTools();
      },
      { class: "icon-button for-wide", "aria-pressed": String(app.classList.contains("keys-open")) },
    ),
  );
}

function showView(view) {
  byId("app").dataset.view = view;
  showBottom();
}

function showBottom() {
  const view = byId("app").dataset.view;
  const item = (name, glyph, mark) =>
    h(
      "button",
      { type: "button", "aria-current": String(view === name), on: { click: () => showView(name) } },
      iconOf(glyph),
      t(name),
      mark ? h("span", { class: "mark" }, h("span", { class: "visually-hidden" }, t("unread"))) : null,
    );
  replace(
    byId("bottom"),
    item("channels", "list", store.store.unread.size > 0),
    item("chat", "chat"),
    item("keys", "key"),
  );
}

function iconOf(name) {
  return iconButton(name, "", () => {}).firstChild;
}

function showWords() {
  setLocale(store.me()?.locale);
  for (const element of document.querySelectorAll("[data-string]")) element.textContent = t(element.dataset.string);
  byId("composer").setAttribute("aria-label", t("chat"));
  byId("messages").setAttribute("aria-label", t("chat"));
  showTools();
  showBottom();
}

function start() {
  byId("app").classList.toggle("keys-open", matchMedia("(min-width: 1040px)").matches);
  store.on("user", showWords);
  store.on("unread", showBottom);
  store.on("channel", () => {
    showView("chat");
    readChannel(store.store.channelId);
  });
  startChannels();
  startMessages();
  startComposer();
  startKeys({
    close: () => {
      byId("app").classList.remove("keys-open");
      showTools();
    },
  });
  startTicking();
  NARROW.addEventListener("change", showBottom);
  const connection = { current: null };
  connection.current = listen({
    onEvent: (kind, data) => HANDLERS[kind]?.(data),
    onConnection: showConnection(connection),
  });
  let worded = false;
  store.on("state", () => {
    if (!worded) showWords();
    worded = true;
  });
}

start();
