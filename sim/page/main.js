// Start: words, then the building. Everything draws from `state`; nothing else keeps a copy.

import { drawPeople, startPeople } from "./actors.js";
import { drawAlarmStrip, drawStatus } from "./alarms.js";
import { drawBuilding } from "./building.js";
import { clockTime, zoneName } from "./clock.js";
import { drawDesk, startDesk } from "./desk.js";
import { startDoors } from "./doors.js";
import { attr, byId, label, rove, startRoving, text } from "./dom.js";
import { drawKeypad, startKeypad } from "./keypad.js";
import { drawFilters, drawList, noteNetwork, retell, startList, takeEvent } from "./list.js";
import { start } from "./net.js";
import { load, save } from "./saved.js";
import { drawSound, startSound } from "./sound.js";
import { changed, now, onChange, state } from "./state.js";
import { drawStories, startStories, storyEvent } from "./stories.js";
import { fillDocument, language, remember, t, useLanguage } from "./words.js";
import { drawWorld, startWorld } from "./world.js";

const THEMES = ["auto", "light", "dark"];
const TICK_MS = 250;
let theme = load("theme") ?? "auto";

function drawTools() {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
  const button = byId("theme");
  attr(button, "data-now", theme);
  label(button, t(`page.theme.${theme}`));
  button.title = t(`page.theme.${theme}`);
  text(byId("lang"), t("page.language"));
  attr(byId("lang"), "lang", language() === "zh" ? "en" : "zh-CN");
  label(byId("keys"), t("page.keys"));
  byId("keys").title = t("page.keys");
}

function drawClock() {
  if (!state.world) return;
  text(byId("clock"), clockTime(now()));
  text(byId("zone"), zoneName());
}

function draw() {
  if (state.world) noteNetwork(state.world.network, now());
  drawStatus();
  drawBuilding();
  drawPeople();
  drawKeypad();
  drawDesk();
  drawWorld();
  drawStories();
  drawList();
  drawSound();
  if (state.world) drawAlarmStrip();
  drawClock();
  for (const el of document.querySelectorAll(".hot")) el.disabled = !state.live;
  for (const group of document.querySelectorAll(".stage [data-rove], #views")) rove(group);
}

async function speak(next) {
  await useLanguage(next);
  fillDocument();
  drawTools();
  drawFilters();
  retell();
  changed();
}

function startTools() {
  byId("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    save("theme", theme);
    drawTools();
  });
  byId("lang").addEventListener("click", () => {
    const next = language() === "zh" ? "en" : "zh";
    remember(next);
    speak(next);
  });
  const dialog = byId("keys-dialog");
  byId("keys").addEventListener("click", () => dialog.showModal());
  byId("keys-close").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    if (event.key === "?" && !dialog.open) dialog.showModal();
  });
}

/** Countdown rings and clocks move between messages; a hidden page rests. */
function tick() {
  if (document.hidden || !state.world) return;
  drawClock();
  drawStatus();
  drawBuilding();
}

async function begin() {
  startRoving();
  startTools();
  startList();
  startKeypad();
  startWorld();
  startStories();
  startDoors();
  startDesk();
  startSound();
  startPeople();
  // Narrow screens begin with the building; the rest is a tap away.
  if (matchMedia("(max-width: 899px)").matches) for (const id of ["desk-box", "world-box", "stories-box"]) byId(id).open = false;
  await speak(language());
  onChange(draw);
  changed();
  start((event) => { takeEvent(event); storyEvent(event); changed(); });
  setInterval(tick, TICK_MS);
}

begin();
