// The composer: text that grows, files by button, paste or drop, replies and edits, and the way into commands.

import { api } from "./api.js";
import { commandForm } from "./command-form.js";
import { entries, localized, matching } from "./commands.js";
import { busyWhile, byId, displayName, h, iconButton, replace } from "./dom.js";
import { run } from "./interactions.js";
import { listbox } from "./listbox.js";
import { grow } from "./option-field.js";
import * as store from "./store.js";
import { t } from "./strings.js";

const NEAREST_COARSE = matchMedia("(hover: none)");
const MOST_FILES = 10;
const draft = { files: [], voice: false, reply: null, editing: null, form: null };
let area = null;
let picker = null;

export function startComposer() {
  store.on("channel", () => {
    forget();
    show();
  });
  store.on("user", () => {
    forget();
    show();
  });
  let shown = false;
  store.on("state", () => {
    const possible = Boolean(store.store.channelId);
    if (possible !== shown) show();
    shown = possible;
  });
  const box = byId("composer");
  for (const kind of ["dragenter", "dragover"])
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      box.querySelector(".box")?.classList.add("dropping");
    });
  for (const kind of ["dragleave", "drop"])
    document.addEventListener(kind, () => box.querySelector(".box")?.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    addFiles(event.dataTransfer.files);
  });
  box.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    addFiles(event.clipboardData.files);
  });
}

function forget() {
  Object.assign(draft, { files: [], voice: false, reply: null, editing: null, form: null });
}

export function focusComposer() {
  draft.form ? draft.form.focus() : area?.focus();
}

export function replyTo(message) {
  forget();
  draft.reply = message;
  show();
  focusComposer();
}

export function edit(message) {
  forget();
  draft.editing = message;
  show();
  area.value = message.content;
  grow(area);
  focusComposer();
}

function show() {
  const box = byId("composer");
  picker = null;
  area = null;
  if (!store.store.channelId) return replace(box);
  const line = draft.form ? commandLine() : textLine();
  replace(
    box,
    h("div", { class: "box" }, contextLine(), fileLine(), line, draft.form?.element),
    draft.form ? h("p", { class: "hint" }, t("commandHint")) : null,
  );
  if (area) {
    picker = listbox(area, box, t("pickCommand"));
    grow(area);
  }
}

function contextLine() {
  const text = draft.reply
    ? t("replyingTo", { name: displayName(draft.reply.author) })
    : draft.editing
      ? t("editing")
      : null;
  if (!text) return null;
  return h(
    "div",
    { class: "context" },
    h("span", { class: "text" }, text),
    iconButton("close", t("cancel"), () => {
      forget();
      show();
      focusComposer();
    }),
  );
}

function fileLine() {
  if (!draft.files.length) return null;
  return h(
    "div",
    { class: "picked-files" },
    draft.files.map((file) =>
      h(
        "span",
        { class: "picked" },
        file.type.startsWith("image/") ? preview(file) : null,
        h("span", { class: "name" }, file.name),
        iconButton("close", t("removeFile", { name: file.name }), () => {
          draft.files = draft.files.filter((one) => one !== file);
          redraw();
        }),
      ),
    ),
    mayBeVoice() ? voiceChoice() : null,
  );
}

function mayBeVoice() {
  return draft.files.length === 1 && draft.files[0].type.startsWith("audio/");
}

function voiceChoice() {
  const box = h("input", { type: "checkbox", checked: draft.voice, on: { change: () => (draft.voice = box.checked) } });
  return h("label", { class: "voice" }, box, t("asVoice"));
}

function preview(file) {
  const address = URL.createObjectURL(file);
  return h("img", { src: address, alt: "", on: { load: () => URL.revokeObjectURL(address) } });
}

function commandLine() {
  return h(
    "div",
    { class: "line" },
    draft.form.chips,
    iconButton("close", t("cancel"), leaveCommand),
    iconButton("send", t("send"), draft.form.submit),
  );
}

function textLine() {
  const channel = store.channel(store.store.channelId);
  const label = t("messagePlaceholder", {
    channel: channel?.type === 0 ? `#${channel.name}` : store.channelName(channel),
  });
  area = h("textarea", {
    id: "composer-text",
    rows: "1",
    placeholder: label,
    "aria-label": label,
    maxlength: "4000",
    on: { input: onInput, keydown: onKey, blur: () => picker?.hide() },
  });
  const input = h("input", { type: "file", multiple: true, hidden: true, on: { change: () => addFiles(input.files) } });
  return h(
    "div",
    { class: "line" },
    iconButton("attach", t("attach"), () => input.click()),
    input,
    iconButton("slash", t("commandsButton"), () => {
      area.value = "/";
      area.focus();
      onInput();
    }),
    area,
    iconButton("send", t("send"), send),
  );
}

function redraw() {
  const text = area?.value ?? "";
  show();
  if (area) {
    area.value = text;
    grow(area);
  }
  focusComposer();
}

function addFiles(list) {
  const files = [...list];
  if (!files.length || draft.editing) return;
  if (draft.form) {
    files.some((file) => draft.form.takeFile(file));
    return;
  }
  draft.files = [...draft.files, ...files].slice(0, MOST_FILES);
  redraw();
}

function onInput() {
  grow(area);
  const typed = area.value;
  if (!typed.startsWith("/") || typed.includes("\n") || draft.editing) return picker.hide();
  const found = matching(typed.slice(1));
  const exact =
    typed.endsWith(" ") && entries().find((entry) => [entry.name, entry.shown].includes(typed.slice(1).trim()));
  if (exact) return enterCommand(exact);
  picker.show(
    found.map((entry) => ({ element: pickerRow(entry), take: () => enterCommand(entry) })),
    entries().length ? t("noMatch") : t("noCommands"),
  );
}

function pickerRow(entry) {
  return h(
    "div",
    {},
    h(
      "span",
      { class: "first" },
      `/${entry.shown}`,
      entry.options.map((option) => h("span", { class: "sample" }, localized(option))),
    ),
    h("span", { class: "second" }, entry.description),
  );
}

function enterCommand(entry) {
  const files = draft.files;
  forget();
  draft.form = commandForm(entry, { send: run, leave: leaveCommand });
  show();
  for (const file of files) draft.form.takeFile(file);
  draft.form.focus();
}

function leaveCommand() {
  forget();
  show();
  focusComposer();
}

function onKey(event) {
  if (event.isComposing || picker.onKey(event)) return;
  if (event.key === "Enter" && !event.shiftKey && !NEAREST_COARSE.matches) {
    event.preventDefault();
    send();
  } else if (event.key === "Escape" && (draft.reply || draft.editing)) {
    forget();
    show();
    focusComposer();
  } else if (event.key === "ArrowUp" && !area.value) {
    const own = store
      .visibleMessages(store.store.channelId)
      .findLast((message) => message.author.id === store.me()?.id);
    if (own && own.type !== 20) {
      event.preventDefault();
      edit(own);
    }
  }
}

async function send() {
  const content = area.value.trim();
  const { files, reply, editing } = draft;
  if (!content && !files.length) return;
  const channelId = store.store.channelId;
  area.disabled = true;
  try {
    const user = store.me().id;
    const work = editing
      ? api.edit(channelId, editing.id, { content, user })
      : api.say(channelId, { content, user, reply_to: reply?.id, voice: draft.voice && mayBeVoice() }, files);
    await busyWhile(byId("composer"), work);
    forget();
    show();
  } catch (trouble) {
    area.disabled = false;
    store.tell("notice", trouble.message);
  }
  focusComposer();
}
