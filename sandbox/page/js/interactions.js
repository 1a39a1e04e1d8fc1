// Interactions from this page: a command, a press, a submitted form; and what the bot makes of each within its time.

import { api } from "./api.js";
import { displayName } from "./dom.js";
import { showModal } from "./modal.js";
import { bot, me, store, tell } from "./store.js";
import { t } from "./strings.js";

const WAIT_S = 5;

/** Runs a command in the channel shown; answers whether it was taken in. */
export function run(command, files = []) {
  const who = me();
  return attempt(() => api.invoke(store.channelId, { user: who.id, locale: who.locale, ...command }, files));
}

export function press(message, customId, values = []) {
  return attempt(() => api.press({ message_id: message.id, custom_id: customId, values, user: me().id }));
}

export function submit(interactionId, customId, values, files) {
  return attempt(() =>
    api.submit({ interaction_id: interactionId, custom_id: customId, values, user: me().id }, files),
  );
}

async function attempt(start) {
  try {
    const { interaction_id: id } = await start();
    follow(id);
    return true;
  } catch (trouble) {
    tell("notice", trouble.message);
    return false;
  }
}

/** Waits for the first response: opens a modal, or says that none came in time. */
async function follow(id) {
  try {
    const found = await api.interaction(id, WAIT_S);
    const modal = found.responses.find((one) => one.title && one.custom_id && one.components);
    if (modal) showModal(modal, (values, files) => submit(id, modal.custom_id, values, files));
    else if (found.acknowledged_ms === null) tell("notice", t("unanswered", { name: displayName(bot() ?? {}) }));
  } catch (trouble) {
    tell("notice", trouble.message);
  }
}
