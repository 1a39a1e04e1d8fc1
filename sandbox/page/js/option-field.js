// One option of a command as a chip: text, number, choice, yes or no, somebody, a file; with the bot's suggestions.

import { api } from "./api.js";
import { localized, OPTION } from "./commands.js";
import { selectOptions } from "./components.js";
import { debounce, h, iconButton } from "./dom.js";
import { listbox } from "./listbox.js";
import { me, store, tell } from "./store.js";
import { t } from "./strings.js";

const SUGGEST_AFTER_MS = 150;
const SELECT_TYPE = { [OPTION.user]: 5, [OPTION.role]: 6, [OPTION.mentionable]: 7, [OPTION.channel]: 8 };

/** {element, read(files), focus(), setInvalid(bool), setFile(file)}; `read` answers undefined for "not given". */
export function optionField(option, hooks) {
  const made = make(option, hooks);
  const label = localized(option);
  made.control.setAttribute("aria-label", `${label}: ${localized(option, "description")}`);
  made.control.addEventListener("input", hooks.changed);
  const element = h(
    "span",
    { class: `chip ${made.wide ? "wide" : ""}`, title: localized(option, "description") },
    h("span", { class: "label", "aria-hidden": "true" }, label),
    made.control,
    made.extra,
    hooks.remove ? iconButton("close", t("removeFile", { name: label }), hooks.remove) : null,
  );
  return {
    element,
    read: made.read,
    focus: () => (made.focusOn ?? made.control).focus(),
    setInvalid(bad) {
      element.classList.toggle("invalid", bad);
      made.control.setAttribute("aria-invalid", String(bad));
    },
    setFile: made.setFile,
  };
}

function make(option, hooks) {
  if (option.autocomplete) return suggested(option, hooks);
  if (option.choices?.length)
    return chosen(
      option.choices.map((choice) => ({ label: localized(choice), value: choice.value })),
      option,
    );
  if (option.type === OPTION.boolean)
    return chosen(
      [
        { label: t("yes"), value: true },
        { label: t("no"), value: false },
      ],
      option,
    );
  if (option.type in SELECT_TYPE) return chosen(selectOptions({ type: SELECT_TYPE[option.type] }), option);
  if (option.type === OPTION.attachment) return fileField(hooks);
  if (option.type === OPTION.string) return textField(option);
  const control = h("input", {
    type: "number",
    inputmode: "decimal",
    min: option.min_value ?? null,
    max: option.max_value ?? null,
    step: option.type === OPTION.integer ? 1 : "any",
  });
  return { control, read: () => (control.value === "" ? undefined : Number(control.value)) };
}

function textField(option) {
  const control = h("textarea", {
    rows: "1",
    maxlength: option.max_length ?? 6000,
    minlength: option.min_length ?? null,
  });
  control.addEventListener("input", () => grow(control));
  return { control, wide: true, read: () => control.value.trim() || undefined };
}

/** Makes a text area as high as its text. */
export function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

function chosen(options, option) {
  const control = h(
    "select",
    {},
    h("option", { value: "" }, option.required ? t("choose") : ""),
    options.map((one, index) => h("option", { value: String(index) }, one.label)),
  );
  return { control, read: () => options[control.value]?.value };
}

function fileField(hooks) {
  let file = null;
  const input = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true" });
  const control = h("button", { type: "button", on: { click: () => input.click() } }, t("chooseFile"));
  const setFile = (next) => {
    file = next;
    control.textContent = file?.name ?? t("chooseFile");
    hooks.changed();
  };
  input.addEventListener("change", () => {
    setFile(input.files[0] ?? null);
    control.focus();
  });
  return { control, extra: input, setFile, read: (files) => (file ? `files[${files.push(file) - 1}]` : undefined) };
}

function suggested(option, hooks) {
  const control = h("input", { type: "text", autocomplete: "off", maxlength: option.max_length ?? 100 });
  let taken = null;
  const list = listbox(control, document.getElementById("composer"), localized(option));
  const ask = debounce(async () => {
    const typed = control.value;
    try {
      const { choices } = await api.autocomplete(store.channelId, {
        ...hooks.autocomplete(typed),
        user: me().id,
        locale: me().locale,
      });
      if (control.value !== typed || document.activeElement !== control) return;
      list.show(
        choices.map((choice) => ({
          element: h("div", {}, localized(choice)),
          take: () => {
            taken = choice;
            control.value = localized(choice);
          },
        })),
      );
    } catch (trouble) {
      tell("notice", trouble.message);
    }
  }, SUGGEST_AFTER_MS);
  control.addEventListener("input", () => {
    taken = null;
    ask();
  });
  control.addEventListener("focus", ask);
  control.addEventListener("blur", list.hide);
  control.addEventListener("keydown", list.onKey);
  const read = () => {
    const value = taken ? taken.value : control.value.trim();
    if (value === "") return undefined;
    return option.type === OPTION.string ? value : Number(value);
  };
  return { control, read };
}
