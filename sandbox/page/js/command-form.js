// A picked command with its options as labelled chips. Enter sends, Tab goes on, Escape or Backspace at the start leaves.

import { busyWhile, byId, h, replace } from "./dom.js";
import { localized, OPTION } from "./commands.js";
import { optionField } from "./option-field.js";
import { t } from "./strings.js";

/** The form of `entry`; `send({name, options}, files)` answers whether it was taken in, `leave()` goes back to text. */
export function commandForm(entry, { send, leave }) {
  const fields = new Map();
  const chips = h("div", { class: "command-line", role: "group", "aria-label": `/${entry.shown}` });
  // takes the focus when there is nothing to fill in, so that Enter sends and Escape leaves
  const name = h("span", { class: "command-name", tabindex: "-1" }, `/${entry.shown}`);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  let busy = false;

  function values({ without = null } = {}) {
    const options = {};
    const files = [];
    for (const [name, field] of fields) {
      const value = name === without ? undefined : field.read(files);
      if (value !== undefined && value !== "") options[name] = value;
    }
    return { options, files };
  }

  function add(option, { focus = false } = {}) {
    const field = optionField(option, {
      autocomplete: (typed) => ({
        name: entry.name,
        options: { ...values({ without: option.name }).options, [option.name]: typed },
        focused: option.name,
      }),
      changed: () => setProblem(null),
      remove: option.required
        ? null
        : () => {
            fields.delete(option.name);
            show();
            focusFirst();
          },
    });
    fields.set(option.name, field);
    show();
    if (focus) field.focus();
    return field;
  }

  function show() {
    const missing = entry.options.filter((option) => !fields.has(option.name));
    replace(
      chips,
      name,
      entry.options.filter((option) => fields.has(option.name)).map((option) => fields.get(option.name).element),
      missing.map((option) =>
        h(
          "button",
          {
            type: "button",
            class: "add-option",
            title: localized(option, "description"),
            on: { click: () => add(option, { focus: true }) },
          },
          h("span", { "aria-hidden": "true" }, "+ "),
          h("span", { class: "visually-hidden" }, t("optional", { option: "" })),
          localized(option),
        ),
      ),
    );
  }

  function focusFirst() {
    const first = [...fields.values()][0];
    if (first) first.focus();
    else name.focus();
  }

  function setProblem(text) {
    problem.hidden = !text;
    problem.textContent = text ?? "";
    if (!text) for (const field of fields.values()) field.setInvalid(false);
  }

  async function submit() {
    if (busy) return;
    const empty = entry.options.find((option) => option.required && isEmpty(fields.get(option.name).read([])));
    if (empty) {
      setProblem(t("required", { option: localized(empty) }));
      fields.get(empty.name).setInvalid(true);
      fields.get(empty.name).focus();
      return;
    }
    busy = true;
    const { options, files } = values();
    if (await busyWhile(byId("composer"), send({ name: entry.name, options }, files))) leave();
    busy = false;
  }

  function onKey(event) {
    if (event.isComposing || event.defaultPrevented) return;
    const field = event.target;
    const atStart = field.matches("input, textarea") && field.type !== "file" && !field.value;
    if (
      event.key === "Escape" ||
      (event.key === "Backspace" &&
        (field === name || (atStart && field === chips.querySelector("input, textarea, select"))))
    ) {
      event.preventDefault();
      leave();
    } else if (event.key === "Enter" && !event.shiftKey && !field.matches("button")) {
      event.preventDefault();
      submit();
    }
  }

  for (const option of entry.options) if (option.required) add(option);
  show();
  if (!fields.size && entry.options.some((option) => option.type === OPTION.string))
    add(entry.options.find((option) => option.type === OPTION.string));
  chips.addEventListener("keydown", onKey);

  return {
    element: problem,
    chips,
    submit,
    focus: focusFirst,
    /** A pasted or dropped file goes to the first option that takes one; answers whether there was any. */
    takeFile(file) {
      const option = entry.options.find((one) => one.type === OPTION.attachment);
      if (!option) return false;
      (fields.get(option.name) ?? add(option)).setFile(file);
      return true;
    },
  };
}

function isEmpty(value) {
  return value === undefined || value === "" || value === null;
}
