// A list of suggestions over a text field that keeps the focus: arrows walk it, Tab or Enter takes, Escape closes.

import { h, replace } from "./dom.js";

let counter = 0;

/** Attaches a list to `field`; `place` is the element it is put into. `show(items)`; an item is {element, take}. */
export function listbox(field, place, label) {
  counter += 1;
  const id = `list-${counter}`;
  const list = h("div", { class: "picker", role: "listbox", id, "aria-label": label, hidden: true });
  let items = [];
  let at = 0;
  place.append(list);
  for (const [name, value] of [
    ["role", "combobox"],
    ["aria-autocomplete", "list"],
    ["aria-controls", id],
    ["aria-expanded", "false"],
  ])
    field.setAttribute(name, value);

  function mark(index) {
    at = (index + items.length) % items.length;
    items.forEach((item, position) => item.element.setAttribute("aria-selected", String(position === at)));
    field.setAttribute("aria-activedescendant", items[at].element.id);
    items[at].element.scrollIntoView({ block: "nearest" });
  }

  function show(next, emptyText = null) {
    items = next;
    items.forEach((item, index) => {
      item.element.id = `${id}-${index}`;
      item.element.setAttribute("role", "option");
      item.element.classList.add("option");
      item.element.addEventListener("pointerdown", (event) => event.preventDefault());
      item.element.addEventListener("click", () => take(index));
      item.element.addEventListener("pointermove", () => index !== at && mark(index));
    });
    replace(
      list,
      items.length
        ? [h("p", { class: "heading", role: "presentation" }, label), ...items.map((item) => item.element)]
        : h("p", { class: "empty" }, emptyText),
    );
    list.hidden = !items.length && !emptyText;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
    if (items.length) mark(0);
  }

  function hide() {
    items = [];
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    const item = items[index];
    hide();
    item.take();
  }

  /** Answers whether the key was for the list. */
  function onKey(event) {
    if (list.hidden || event.isComposing) return false;
    if (event.key === "Escape") hide();
    else if (!items.length) return false;
    else if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) take(at);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { show, hide, onKey, remove: () => list.remove() };
}
