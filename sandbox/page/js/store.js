// What the page knows: the sandbox's state, the messages that were read, and whose eyes it looks through.
// Views subscribe to topics: state, channel, messages, message, typing, keys, requests, user, connection, notice.

import { displayName } from "./dom.js";

const EPHEMERAL = 64;
const VIEW_CHANNEL = 1024n;
const TYPING_MS = 10_000;
const THREAD_TYPES = new Set([10, 11, 12]);
const PRIVATE_THREAD = 12;

const topics = new EventTarget();

export const store = {
  state: null,
  channelId: null,
  userId: null,
  messages: new Map(),
  unread: new Set(),
  dismissed: new Set(),
  typing: new Map(),
  connected: true,
};

export function on(topic, run) {
  topics.addEventListener(topic, (event) => run(event.detail));
}

export function tell(topic, detail) {
  topics.dispatchEvent(new CustomEvent(topic, { detail }));
}

export const users = () => store.state?.users ?? [];
export const people = () => users().filter((user) => !user.bot);
export const user = (id) => users().find((one) => String(one.id) === String(id)) ?? null;
export const me = () => user(store.userId) ?? people()[0] ?? null;
export const bot = () => users().find((one) => one.bot) ?? store.state?.bot?.user ?? null;
export const isThread = (channel) => THREAD_TYPES.has(channel?.type);
export const guildChannels = () => (store.state?.channels ?? []).filter((one) => one.type === 0 && canSee(one));
export const threads = () => store.state?.threads ?? [];
export const directChannel = () =>
  (store.state?.channels ?? []).find((one) => one.type === 1 && one.recipients?.some((who) => who.id === me()?.id)) ??
  null;

export function channel(id) {
  return [...(store.state?.channels ?? []), ...threads()].find((one) => String(one.id) === String(id)) ?? null;
}

export function channelName(one) {
  if (one?.type === 1) return displayName(bot() ?? {});
  return one?.name ?? "";
}

export const roles = () => store.state?.roles ?? [];
const guildOf = (one) => (store.state?.guilds ?? []).find((guild) => guild.id === one.guild_id);

/** Whether the chosen user runs the server: its owner, or who has the role called Admin. */
export function isAdmin() {
  const mine = me();
  return (
    Boolean(mine) &&
    ((store.state?.guilds ?? []).some((guild) => guild.owner_id === mine.id) || (mine.roles ?? []).includes("Admin"))
  );
}

/** Whether the chosen user may see a channel: by their roles; a thread as what it is under, a private one as its member. */
export function canSee(one) {
  if (one.type === PRIVATE_THREAD && !isAdmin() && !one.member_ids?.includes(me()?.id)) return false;
  if (isThread(one)) return canSee(channel(one.parent_id) ?? {});
  if (isAdmin()) return true;
  const mine = roles()
    .filter((role) => me()?.roles?.includes(role.name))
    .map((role) => role.id);
  const changes = (one.permission_overwrites ?? []).map(({ id, allow, deny }) => ({
    id,
    allow: BigInt(allow) & VIEW_CHANNEL,
    deny: BigInt(deny) & VIEW_CHANNEL,
  }));
  const everyone = changes.find((change) => change.id === guildOf(one)?.id);
  return (
    !everyone?.deny || changes.some((change) => change.allow && (mine.includes(change.id) || change.id === me()?.id))
  );
}

export const names = {
  user: (id) => (user(id) ? displayName(user(id)) : null),
  role: (id) => roles().find((role) => role.id === id)?.name ?? null,
  channel: (id) => channel(id)?.name ?? null,
  open: (id) => select(id),
};

/** The messages of a channel that the chosen user sees; an ephemeral one has one reader. */
export function visibleMessages(channelId) {
  return (store.messages.get(channelId) ?? []).filter((message) => isVisible(message));
}

export const isEphemeral = (message) => Boolean((message.flags ?? 0) & EPHEMERAL);

export function isVisible(message) {
  if (store.dismissed.has(message.id)) return false;
  if (!isEphemeral(message)) return true;
  const reader = message.only_for ?? message.interaction_metadata?.user?.id ?? message.interaction?.user?.id;
  return !reader || reader === me()?.id;
}

export function setState(state) {
  store.state = state;
  if (!user(store.userId))
    store.userId =
      remembered(
        "user",
        people().map((one) => one.id),
      ) ??
      people()[0]?.id ??
      null;
  const known = [...guildChannels(), ...threads().filter(canSee), directChannel()].filter(Boolean).map((one) => one.id);
  if (!known.includes(store.channelId)) {
    const wanted = remembered("channel", known) ?? known[0] ?? null;
    if (wanted !== store.channelId) select(wanted);
  }
  tell("state");
}

/** Takes in the keys' new state; it stays when the rest of the state is looked at through other eyes. */
export function setKeys(keys) {
  if (store.state) store.state.keys = keys;
  tell("keys");
}

export function select(id) {
  store.channelId = id;
  store.unread.delete(id);
  remember("channel", id);
  tell("channel");
}

export function chooseUser(id) {
  store.userId = id;
  remember("user", id);
  tell("user");
  setState(store.state);
}

export function setMessages(channelId, list) {
  store.messages.set(channelId, list);
  tell("messages", channelId);
}

/** Takes in a new or changed message; a gateway event that carries only some fields is laid over what is known. */
export function putMessage(message, { created }) {
  const list = store.messages.get(message.channel_id);
  if (created) stopTyping(message);
  if (created && message.channel_id !== store.channelId && isVisible(message)) {
    store.unread.add(message.channel_id);
    tell("unread");
  }
  if (!list) return;
  const at = list.findIndex((one) => one.id === message.id);
  if (at >= 0) list[at] = { ...list[at], ...message };
  else list.push(message);
  tell("message", { message: at >= 0 ? list[at] : message, created: at < 0 });
}

export function removeMessage(channelId, id) {
  const list = store.messages.get(channelId);
  if (!list) return;
  store.messages.set(
    channelId,
    list.filter((message) => message.id !== id),
  );
  tell("messages", channelId);
}

export function dismiss(id) {
  store.dismissed.add(id);
  tell("messages", store.channelId);
}

export function startTyping(channelId, userId) {
  if (userId === me()?.id) return;
  const key = `${channelId}/${userId}`;
  clearTimeout(store.typing.get(key));
  store.typing.set(
    key,
    setTimeout(() => endTyping(key), TYPING_MS),
  );
  tell("typing");
}

function stopTyping(message) {
  endTyping(`${message.channel_id}/${message.author?.id}`);
}

function endTyping(key) {
  clearTimeout(store.typing.get(key));
  if (store.typing.delete(key)) tell("typing");
}

export function typers(channelId) {
  return [...store.typing.keys()]
    .filter((key) => key.startsWith(`${channelId}/`))
    .map((key) => user(key.split("/")[1]) ?? bot())
    .filter(Boolean);
}

function remember(what, value) {
  try {
    localStorage.setItem(`chosen-${what}`, value);
  } catch {
    // storage can be forbidden; the choice then lasts as long as the page
  }
}

function remembered(what, allowed) {
  try {
    const value = localStorage.getItem(`chosen-${what}`);
    return allowed.includes(value) ? value : null;
  } catch {
    return null;
  }
}
