// A menu at an element or a point: arrows, Home, End, letters, Escape; focus goes back to where it came from.

import { h } from "./dom.js";

let current = null;

/** Items: {label, second?, picture?, danger?, checked?, run} or {heading} or {line: true}. */
export function openMenu(anchor, items, point = null) {
  closeMenu();
  const menu = h("div", { class: "menu", role: "menu" }, items.map(itemElement));
  const back = document.activeElement;
  current = { menu, back };
  document.body.append(menu);
  place(menu, point ? new DOMRect(point.x, point.y, 0, 0) : anchor.getBoundingClientRect());
  const buttons = [...menu.querySelectorAll("button")];
  (buttons.find((button) => button.getAttribute("aria-checked") === "true") ?? buttons[0])?.focus();
  menu.addEventListener("keydown", (event) => onKey(event, buttons));
  setTimeout(() => addEventListener("pointerdown", onOutside, { capture: true }));
}

export function closeMenu({ refocus = false } = {}) {
  if (!current) return;
  removeEventListener("pointerdown", onOutside, { capture: true });
  const { menu, back } = current;
  current = null;
  menu.remove();
  if (refocus && back?.isConnected) back.focus();
}

function itemElement(item) {
  if (item.heading) return h("p", { class: "heading", role: "presentation" }, item.heading);
  if (item.line) return h("hr", { role: "separator" });
  const radio = item.checked !== undefined;
  return h(
    "button",
    {
      type: "button",
      role: radio ? "menuitemradio" : "menuitem",
      "aria-checked": radio ? String(item.checked) : null,
      class: item.danger ? "danger" : null,
      disabled: item.disabled ?? null,
      tabindex: "-1",
      on: {
        click: () => {
          closeMenu({ refocus: true });
          item.run();
        },
      },
    },
    item.picture,
    h("span", {}, item.label, item.second ? h("span", { class: "second" }, item.second) : null),
  );
}

function place(menu, rect) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(Math.max(8, rect.left), innerWidth - width - 8);
  const below = rect.bottom + 4;
  const top = below + height < innerHeight - 8 ? below : Math.max(8, rect.top - height - 4);
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}

function onOutside(event) {
  if (!current?.menu.contains(event.target)) closeMenu();
}

function onKey(event, buttons) {
  const at = buttons.indexOf(document.activeElement);
  const go = (index) => buttons[(index + buttons.length) % buttons.length]?.focus();
  const moves = { ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(-1) };
  if (moves[event.key]) moves[event.key]();
  else if (event.key === "Escape") closeMenu({ refocus: true });
  else if (event.key === "Tab") return closeMenu({ refocus: true });
  else if (event.key.length === 1 && event.key !== " ") {
    const letter = event.key.toLowerCase();
    const rest = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
    rest.find((button) => button.textContent.trim().toLowerCase().startsWith(letter))?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
