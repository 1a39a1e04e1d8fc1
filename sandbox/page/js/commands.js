// The bot's slash commands as a person picks them: one entry per command or subcommand, in the chosen user's language.

import { isAdmin, me, store } from "./store.js";

const CHAT_INPUT = 1;
const SUBCOMMAND = 1;
const GROUP = 2;

export const OPTION = {
  string: 3,
  integer: 4,
  boolean: 5,
  user: 6,
  channel: 7,
  role: 8,
  mentionable: 9,
  number: 10,
  attachment: 11,
};

/** Name, description or choice in the chosen user's language, else as registered. */
export function localized(thing, field = "name") {
  return thing[`${field}_localizations`]?.[me()?.locale] ?? thing[field] ?? "";
}

/** {name, shown, description, options} of every command; a subcommand's name has spaces. */
export function entries() {
  return (store.state?.commands ?? [])
    .filter((command) => (command.type ?? CHAT_INPUT) === CHAT_INPUT && allowed(command))
    .flatMap((command) => flatten(command, "", ""));
}

// A command for administrators is not offered to others, as Discord's own client does it; the bot checks by itself.
function allowed(command) {
  const needed = command.default_member_permissions;
  return needed === null || needed === undefined || isAdmin();
}

function flatten(command, before, shownBefore) {
  const name = `${before}${command.name}`;
  const shown = `${shownBefore}${localized(command)}`;
  const options = command.options ?? [];
  if (options.some((option) => option.type === SUBCOMMAND || option.type === GROUP)) {
    return options.flatMap((option) => flatten(option, `${name} `, `${shown} `));
  }
  return [{ name, shown, description: localized(command, "description"), options }];
}

/** Entries whose name, in either language, fits what was typed; those that begin with it first. */
export function matching(typed) {
  const wanted = typed.trim().toLowerCase();
  const rank = (entry) => {
    const spellings = [entry.name.toLowerCase(), entry.shown.toLowerCase()];
    if (spellings.some((text) => text.startsWith(wanted))) return 0;
    return spellings.some((text) => text.includes(wanted)) ? 1 : 2;
  };
  return entries()
    .map((entry) => [rank(entry), entry])
    .filter(([order]) => order < 2)
    .sort(([a], [b]) => a - b)
    .map(([, entry]) => entry);
}
