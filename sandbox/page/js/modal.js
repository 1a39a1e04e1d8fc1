// A form of the bot's in a dialog. The dialog keeps the focus inside and Escape closes it: the browser's own doing.

import { selectOptions } from "./components.js";
import { h } from "./dom.js";
import { markup } from "./markup.js";
import { names } from "./store.js";
import { t } from "./strings.js";

const ROW = 1;
const TEXT_INPUT = 4;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;
const PARAGRAPH = 2;

/** Shows the modal; `send(values, files)` answers whether it was taken in. Values are by custom id. */
export function showModal(modal, send) {
  const fields = [];
  const problem = h("p", { class: "problem", role: "alert" });
  const title = h("h2", { id: "modal-title" }, modal.title);
  const submit = h("button", { type: "submit", class: "primary" }, t("submit"));
  const form = h(
    "form",
    {},
    title,
    modal.components.map((part) => element(part, fields)),
    problem,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", on: { click: () => dialog.close() } }, t("cancel")),
      submit,
    ),
  );
  const dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const files = [];
    const values = Object.fromEntries(fields.map((field) => [field.id, field.read(files)]));
    if (await send(values, files)) dialog.close();
    submit.disabled = false;
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector("input, textarea, select")?.focus();
}

function element(part, fields) {
  if (part.type === TEXT_DISPLAY) return h("div", { class: "body" }, markup(part.content, names));
  if (part.type === ROW) return part.components.map((child) => labelled(child, child.label, null, fields));
  if (part.type === LABEL) return labelled(part.component, part.label, part.description, fields);
  return null;
}

function labelled(part, text, description, fields) {
  const words = [
    h(
      "span",
      { class: "label-text" },
      text,
      part.required === false ? null : h("span", { "aria-hidden": "true" }, " *"),
    ),
    description ? h("span", { class: "description" }, description) : null,
  ];
  const [control, read, grouped] = input(part);
  fields.push({ id: part.custom_id, read });
  return grouped ? h("fieldset", {}, h("legend", {}, words), control) : h("label", {}, words, control);
}

function input(part) {
  const required = part.required !== false;
  if (part.type === TEXT_INPUT) {
    const control = h(part.style === PARAGRAPH ? "textarea" : "input", {
      required,
      minlength: part.min_length ?? null,
      maxlength: part.max_length ?? 4000,
      placeholder: part.placeholder ?? null,
      value: part.value ?? "",
    });
    return [control, () => control.value, false];
  }
  if (part.type === FILE_UPLOAD) {
    const control = h("input", { type: "file", required, multiple: (part.max_values ?? 1) > 1 });
    return [control, (files) => [...control.files].map((file) => `files[${files.push(file) - 1}]`), false];
  }
  if (part.type === CHECKBOX) {
    const control = h("input", { type: "checkbox", checked: Boolean(part.default) });
    return [control, () => control.checked, false];
  }
  if (part.type === RADIO_GROUP || part.type === CHECKBOX_GROUP) return choices(part, required);
  const control = h(
    "select",
    { required, multiple: (part.max_values ?? 1) > 1 },
    selectOptions(part).map((option) =>
      h("option", { value: option.value, selected: Boolean(option.default) }, option.label),
    ),
  );
  return [control, () => [...control.selectedOptions].map((option) => option.value), false];
}

function choices(part, required) {
  const type = part.type === RADIO_GROUP ? "radio" : "checkbox";
  const boxes = part.options.map((option) =>
    h("input", {
      type,
      name: part.custom_id,
      value: option.value,
      required: required && type === "radio",
      checked: Boolean(option.default),
    }),
  );
  const control = h(
    "div",
    {},
    boxes.map((box, index) => h("label", { class: "choice" }, box, part.options[index].label)),
  );
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  return [control, () => (type === "radio" ? (chosen()[0] ?? null) : chosen()), true];
}
