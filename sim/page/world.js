// The world's switches, and its clock. They look thrown for as long as they are.

import { untilWeekday } from "./clock.js";
import { attempt, SWITCHES } from "./doors.js";
import { attr, byId, make, rove, text } from "./dom.js";
import { now, state } from "./state.js";
import { t } from "./words.js";

const HOUR_MS = 3600000;
const JUMPS = {
  hour_on: () => HOUR_MS, hour_back: () => -HOUR_MS, day_on: () => 24 * HOUR_MS,
  noon: () => untilWeekday(now(), 1, 10),
};

function switchButton(key) {
  const { on, set } = SWITCHES[key];
  const button = make("button", { type: "button", class: "switch", "data-switch": key });
  if (on) {
    button.setAttribute("role", "switch");
    button.append(make("span", { class: "knob", "aria-hidden": "true" }));
  }
  button.append(make("span", { class: "what" }), make("span", { class: "undo", "aria-hidden": "true" }));
  button.addEventListener("click", () => set(on ? !on() : true));
  return button;
}

export function drawWorld() {
  if (!state.world) return;
  for (const button of byId("world").children) {
    const key = button.dataset.switch;
    text(button.querySelector(".what"), t(`page.world.${key}`));
    button.disabled = !state.live;
    button.hidden = SWITCHES[key]?.here?.() === false;
    if (!SWITCHES[key]?.on) continue;
    const thrown = SWITCHES[key].on();
    attr(button, "aria-checked", thrown);
    text(button.querySelector(".undo"), thrown ? t("button.restore") : "");
  }
  drawStorage();
  for (const button of byId("clock-box").children) {
    text(button, t(`page.clock.${button.dataset.jump}`));
    button.disabled = !state.live;
  }
  rove(byId("world"));
  rove(byId("clock-box"));
}

const STORAGE = ["none", "error", "full", "slow"];

/** How the controller's storage does: one of four, and the switch shows which. */
function startStorage(row) {
  const box = byId("storage-box");
  const button = make("button", { type: "button", class: "switch", "data-switch": "storage", "aria-expanded": "false", "aria-controls": "storage-box" },
    make("span", { class: "what" }), make("span", { class: "undo" }));
  button.addEventListener("click", () => {
    box.hidden = !box.hidden;
    button.setAttribute("aria-expanded", String(!box.hidden));
    rove(box);
  });
  row.append(button);
  for (const mode of STORAGE) {
    const one = make("button", { type: "button", class: "plain", "data-storage": mode });
    one.addEventListener("click", () => attempt("fail_storage", mode === "none" ? { on: false } : { on: true, mode }));
    box.append(one);
  }
}

function drawStorage() {
  const { storage } = state.world;
  const button = byId("world").querySelector("[data-switch=storage]");
  button.hidden = storage == null;
  text(button.querySelector(".undo"), storage == null || storage === "none" ? "" : t(`page.storage.${storage}`));
  for (const one of byId("storage-box").children) {
    text(one, t(`page.storage.${one.dataset.storage}`));
    attr(one, "aria-pressed", one.dataset.storage === storage);
    one.disabled = !state.live;
  }
  rove(byId("storage-box"));
}

export function startWorld() {
  const row = byId("world");
  for (const key of Object.keys(SWITCHES)) row.append(switchButton(key));
  const clock = make("button", { type: "button", class: "switch", "data-switch": "clock", "aria-expanded": "false", "aria-controls": "clock-box" },
    make("span", { class: "what" }));
  clock.addEventListener("click", () => {
    const box = byId("clock-box");
    box.hidden = !box.hidden;
    clock.setAttribute("aria-expanded", String(!box.hidden));
    rove(box);
  });
  row.append(clock);
  startStorage(row);
  for (const [key, jump] of Object.entries(JUMPS)) {
    const button = make("button", { type: "button", class: "plain", "data-jump": key });
    button.addEventListener("click", () => attempt("set_clock", { jump_ms: Math.round(jump()) }));
    byId("clock-box").append(button);
  }
}
