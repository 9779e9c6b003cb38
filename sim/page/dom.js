// Small helpers for the document. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function make(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "class") el.className = value;
    else if (key in el && typeof value !== "string") el[key] = value;
    else el.setAttribute(key, value);
  }
  el.append(...children.filter((child) => child != null));
  return el;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attrs = {}, ...children) {
  const el = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attrs)) el.setAttribute(key, value);
  el.append(...children);
  return el;
}

/** Set text only when it differs: screen readers and selections stay undisturbed. */
export function text(el, value) {
  if (el.textContent !== value) el.textContent = value;
}

export function label(el, value) {
  if (el.getAttribute("aria-label") !== value) el.setAttribute("aria-label", value);
}

export function attr(el, name, value) {
  if (value == null) el.removeAttribute(name);
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

const SHAPES = {
  1: "M8 1H18L25 8V18L18 25H8L1 18V8Z",
  2: "M13 1 25.5 24H.5Z",
  3: "M13 0 26 13 13 26 0 13Z",
  4: "M13 1a12 12 0 1 1-.01 0Z",
};
const MARKS = { 1: "M13 6v8M13 19v.1", 2: "M13 9v7M13 20v.1", 3: "M13 6v8M13 19v.1", 4: "M13 12v7M13 7v.1" };

/** The sign of a priority; `full` for what nobody has seen yet, an outline after that. */
export function sign(priority, { full = true, pulse = false } = {}) {
  const kind = `sign p${priority}${full ? " full" : ""}${pulse ? " pulse" : ""}`;
  return svg("svg", { class: kind, viewBox: "0 0 26 26", "aria-hidden": "true" },
    svg("path", { class: "shape", d: SHAPES[priority] }),
    svg("path", { class: "mark", d: MARKS[priority] }));
}

const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const reachable = (group) => [...group.querySelectorAll("button")]
  .filter((b) => !b.disabled && !b.hidden && b.checkVisibility());

/** One tab stop a group; arrow keys move inside it. */
export function rove(group) {
  const all = reachable(group);
  const current = all.find((b) => b === document.activeElement) ?? all.find((b) => b.tabIndex === 0);
  for (const button of all) button.tabIndex = button === (current ?? all[0]) ? 0 : -1;
}

export function startRoving() {
  document.addEventListener("keydown", (event) => {
    const step = moves[event.key];
    const group = event.target.closest?.("[data-rove]");
    if (!step || !group || !(event.target instanceof HTMLButtonElement)) return;
    const all = reachable(group);
    const columns = Number(group.dataset.rove) || 1;
    const by = event.key === "ArrowDown" || event.key === "ArrowUp" ? step * columns : step;
    const next = all[(all.indexOf(event.target) + by + all.length) % all.length];
    for (const button of all) button.tabIndex = button === next ? 0 : -1;
    next?.focus();
    event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const group = event.target.closest?.("[data-rove]");
    if (group && event.target instanceof HTMLButtonElement) rove(group);
  });
}
