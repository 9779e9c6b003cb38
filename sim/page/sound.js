// Sound is off until switched on: the reader's beeps, and a short tone for what is urgent.

import { attr, byId, label } from "./dom.js";
import { state } from "./state.js";
import { t } from "./words.js";

let context = null;
let on = false;
let wasSounding = false;
const buzzing = new Set();

function tone(hz, from_ms, ms) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const start = context.currentTime + from_ms / 1000;
  oscillator.frequency.value = hz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(.08, start + .005);
  gain.gain.setValueAtTime(.08, start + ms / 1000);
  gain.gain.linearRampToValueAtTime(0, start + ms / 1000 + .01);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(start + ms / 1000 + .02);
}

export function beep(ms) {
  if (on) tone(2300, 0, ms);
}

/** Follow the world: a buzzer that begins, a siren that begins. Nothing repeats by itself. */
export function drawSound() {
  const button = byId("sound");
  attr(button, "aria-pressed", on);
  label(button, t(on ? "page.sound.on" : "page.sound.off"));
  button.title = t(on ? "page.sound.on" : "page.sound.off");
  for (const [id, ap] of Object.entries(state.world?.access_points ?? {})) {
    if (ap.buzzer && !buzzing.has(id)) { buzzing.add(id); beep(100); }
    if (!ap.buzzer) buzzing.delete(id);
  }
  const sounding = Boolean(state.world?.outputs?.siren);
  if (sounding && !wasSounding && on) { tone(880, 0, 250); tone(660, 300, 250); tone(880, 600, 250); }
  wasSounding = sounding;
}

export function startSound() {
  byId("sound").addEventListener("click", () => {
    on = !on;
    if (on) context ??= new AudioContext();
    drawSound();
    beep(60);
  });
}
