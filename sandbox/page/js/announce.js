// Tells screen readers of new answers: once each, when the text has come to rest.

import { byId, displayName, h } from "./dom.js";
import { isVisible, me, store } from "./store.js";

const REST_MS = 1500;
const LONGEST = 500;
const LOADING = 128;
const waiting = new Map();

export function announceMessage(message) {
  if (message.channel_id !== store.channelId || message.author?.id === me()?.id || !isVisible(message)) return;
  if ((message.flags ?? 0) & LOADING) return;
  clearTimeout(waiting.get(message.id));
  waiting.set(
    message.id,
    setTimeout(() => say(message), REST_MS),
  );
}

function say(message) {
  waiting.delete(message.id);
  const list = store.messages.get(message.channel_id) ?? [];
  const newest = list.find((one) => one.id === message.id);
  if (!newest) return;
  const text =
    newest.content || newest.embeds?.map((embed) => `${embed.title ?? ""} ${embed.description ?? ""}`).join(" ") || "";
  const announcer = byId("announcer");
  announcer.append(h("p", {}, `${displayName(newest.author)}: ${text.slice(0, LONGEST)}`));
  while (announcer.children.length > 5) announcer.firstChild.remove();
}
