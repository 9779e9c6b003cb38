// The keypad at the front reader: digits are gathered here and pressed at the door with "#".

import { awaitGrant, endHint } from "./actors.js";
import { meant } from "./building.js";
import { attr, byId, label, make, text } from "./dom.js";
import { act } from "./net.js";
import { complain } from "./notice.js";
import { beep } from "./sound.js";
import { state } from "./state.js";
import { t, title } from "./words.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const MAX_DIGITS = 12;
const KEY_LIT_MS = 150;
let digits = "";
let quiet = null;

/** Each key answers at once, before the door has heard of it: a beep, a ring, the light out for a moment. */
function answer() {
  beep(30);
  const pad = byId("keypad");
  pad.classList.remove("beeping");
  pad.getBoundingClientRect();
  pad.classList.add("beeping");
  clearTimeout(quiet);
  quiet = setTimeout(() => pad.classList.remove("beeping"), KEY_LIT_MS);
}

/** Press all of a PIN's keys, as a hand would. */
export async function typeIn(pin) {
  for (const key of `${pin}#`) {
    await press(key);
    await new Promise((r) => setTimeout(r, KEY_LIT_MS));
  }
}

async function press(key) {
  endHint();
  answer();
  if (key === "*") digits = "";
  else if (key !== "#") digits = (digits + key).slice(0, MAX_DIGITS);
  else if (digits) {
    const sent = digits;
    digits = "";
    drawKeypad();
    awaitGrant(meant("hot-front-in"));
    const error = await act("enter_pin", { access_point: meant("hot-front-in"), digits: sent });
    if (error) complain(error);
  }
  drawKeypad();
}

export function drawKeypad() {
  const pad = byId("keypad");
  const id = state.world && meant("hot-front-in");
  const ap = id && state.world.access_points[id];
  pad.hidden = !ap?.keypad;
  if (!ap) return;
  pad.dataset.ap = id;
  label(pad, t("page.keypad", { ap: title(ap, id) }));
  attr(byId("pad-led"), "data-led", state.live ? ap.led : "off");
  text(byId("pad-digits"), "•".repeat(digits.length));
  pad.classList.toggle("buzzing", Boolean(ap.buzzer));
  for (const b of byId("pad-keys").children) {
    const name = b.dataset.key === "*" ? t("page.key.clear") : b.dataset.key === "#" ? t("page.key.enter") : null;
    if (name) label(b, `${b.dataset.key} ${name}`);
    b.disabled = !state.live;
  }
}

export function startKeypad() {
  const pad = byId("keypad");
  pad.dataset.rove = "3";
  for (const key of KEYS) {
    const button = make("button", { type: "button", "data-key": key, tabindex: key === "1" ? "0" : "-1" }, key);
    button.addEventListener("click", () => press(key));
    byId("pad-keys").append(button);
  }
  pad.addEventListener("keydown", (event) => {
    if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    press(event.key);
    const button = [...byId("pad-keys").children].find((b) => b.dataset.key === event.key);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 120);
  });
}
