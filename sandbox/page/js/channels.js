// The left column: channels with their threads, the direct message, the bot's state, and whose eyes one looks through.

import { avatar, byId, displayName, h, icon, replace } from "./dom.js";
import { openMenu } from "./menu.js";
import * as store from "./store.js";
import { t } from "./strings.js";

export function startChannels() {
  for (const topic of ["state", "channel", "unread", "user"]) store.on(topic, show);
}

function show() {
  if (!store.store.state) return;
  showBot();
  showWho();
  const focused = document.activeElement?.dataset?.channel;
  const list = byId("channel-list");
  const direct = store.directChannel();
  replace(
    list,
    group(
      t("channels"),
      store.guildChannels().flatMap((channel) => [row(channel), threadRows(channel)]),
    ),
    direct ? group(t("direct"), row(direct)) : null,
  );
  if (focused) list.querySelector(`[data-channel="${CSS.escape(focused)}"]`)?.focus();
}

function group(title, ...rows) {
  if (!rows.flat(2).filter(Boolean).length) return null;
  return h("section", { class: "channel-group" }, h("h3", {}, title), rows);
}

function threadRows(channel) {
  const under = store.threads().filter((thread) => thread.parent_id === channel.id && store.canSee(thread));
  if (!under.length) return null;
  return h(
    "div",
    { class: "threads", role: "group", "aria-label": `${t("threads")}: ${channel.name}` },
    under.map((thread) => row(thread)),
  );
}

function glyph(channel) {
  if (channel.type === 1) return "at";
  if (channel.type === 12) return "lock";
  return store.isThread(channel) ? "thread" : "hash";
}

function row(channel) {
  const here = store.store.channelId === channel.id;
  const unread = store.store.unread.has(channel.id);
  const archived = channel.thread_metadata?.archived;
  return h(
    "button",
    {
      type: "button",
      class: `channel ${unread ? "unread" : ""} ${archived ? "archived" : ""}`,
      "aria-current": here ? "page" : null,
      dataset: { channel: channel.id },
      title: archived ? t("archived") : null,
      on: { click: () => store.select(channel.id) },
    },
    icon(glyph(channel)),
    h("span", { class: "name" }, store.channelName(channel)),
    unread ? h("span", { class: "mark" }, h("span", { class: "visually-hidden" }, t("unread"))) : null,
  );
}

function showBot() {
  const { state } = store.store;
  byId("guild-name").textContent = state.guilds?.[0]?.name ?? "Sandbox";
  const element = byId("bot-state");
  element.hidden = !state.parts?.discord;
  const up = Boolean(state.bot?.online);
  element.classList.toggle("online", up);
  element.textContent = t(up ? "online" : "offline");
}

function showWho() {
  const me = store.me();
  if (!me) return replace(byId("who"));
  replace(
    byId("who"),
    h(
      "button",
      {
        type: "button",
        "aria-haspopup": "menu",
        title: t("switchUser"),
        on: { click: (event) => openMenu(event.currentTarget, userItems()) },
      },
      avatar(me, "small"),
      h(
        "span",
        { class: "names" },
        h("span", {}, h("span", { class: "visually-hidden" }, `${t("you")}: `), displayName(me)),
        h("span", {}, roleNames(me), " · ", me.locale ?? ""),
      ),
    ),
  );
}

function roleNames(user) {
  return (user.roles ?? []).join(", ");
}

function userItems() {
  return [
    { heading: t("switchUser") },
    ...store.people().map((user) => ({
      label: displayName(user),
      second: `${roleNames(user)} · ${user.locale ?? ""}`,
      picture: avatar(user, "small"),
      checked: user.id === store.me()?.id,
      run: () => store.chooseUser(user.id),
    })),
  ];
}
