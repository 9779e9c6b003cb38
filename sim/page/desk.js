// "From the desk": signed commands. What acts on a door takes a second press; what is said is the reply's.

import { clockTime } from "./clock.js";
import { alarmLine, alarmsByWeight } from "./door.js";
import { attr, byId, label, make, rove, text } from "./dom.js";
import { order } from "./orders.js";
import { placeName } from "./say.js";
import { changed, now, state } from "./state.js";
import { t, title } from "./words.js";

const SURE_MS = 4000;
const ASIDE_MS = 3600000;
const MODES = ["locked", "unlocked", "blocked", "locked_down", "locked_open"];

let said = null;   // () => text, so that it follows the language
let sure = null;   // {words, act, opener, timer}: what a second press would do
let shown = "";

const name = (id) => title(state.world.portals[id], id);
const inLockdown = () => Object.keys(state.world.portals).filter((id) => state.world.portals[id].mode === "locked_down");

function forget(refocus) {
  if (!sure) return;
  clearTimeout(sure.timer);
  const { opener } = sure;
  sure = null;
  if (refocus) opener.focus();
  changed();
}

/** Ask for the second press: elsewhere than the first, and only for a moment. */
function ask(opener, words, act) {
  if (sure) forget(false);
  const again = () => {
    const button = byId("desk-sure");
    if (button.matches(":hover, :focus-visible")) sure.timer = setTimeout(again, 500);
    else forget(button === document.activeElement);
  };
  sure = { words, act, opener, timer: setTimeout(again, SURE_MS) };
  drawDesk();
  if (opener.matches(":focus-visible")) byId("desk-sure").focus();
}

async function tell(promise) {
  said = () => t("page.desk.sending");
  changed();
  const { text: line } = await promise;
  said = () => line;
  changed();
}

const openNow = (id) => tell(order("portal.release", { portal: id }, name(id), "ctl.open",
  { portal: name(id), s: Math.round(state.world.portals[id].release_ms / 1000) }));

const setMode = (id, mode) => order("portal.mode", { portal: id, mode }, name(id), "ctl.mode", { portal: name(id), mode: t(`mode.${mode}`) });

/** One command a door: each answers for itself, and the first that does not is told. */
async function everyDoor(ids, mode, done) {
  const all = await Promise.all(ids.map((id) => setMode(id, mode)));
  return all.find((one) => !one.ok) ?? { ok: true, text: t(done, { by: t("by.op-demo"), time: clockTime(now()) }) };
}

export const lockdown = () => everyDoor(Object.keys(state.world.portals), "locked_down", "page.desk.all_down");
export const endLockdown = () => everyDoor(inLockdown(), "locked", "page.desk.all_up");

function setAside(key) {
  const alarm = state.world.alarms.find((one) => keyOf(one) === key);
  if (!alarm) return;
  const until = now() + ASIDE_MS;
  const args = { point: alarm.point, class: alarm.class, until: `${new Date(until).toISOString().slice(0, 19)}Z` };
  const point = placeName(alarm.point);
  tell(order("alarm.shelve", args, point, "page.desk.shelved", { point, until: clockTime(until) }));
}

const keyOf = (alarm) => `${alarm.point} ${alarm.class}`;

const button = (act, kind = "plain") => {
  const one = make("button", { type: "button", class: kind });
  one.addEventListener("click", () => act(one));
  return one;
};

function doorRow(id) {
  const modes = make("select", {});
  for (const mode of MODES) modes.append(make("option", { value: mode }));
  modes.addEventListener("change", () => { modes.dataset.chosen = "1"; drawDesk(); });
  const open = button((one) => ask(one, () => t("button.open_now", { portal: name(id), s: Math.round(state.world.portals[id].release_ms / 1000) }), () => openNow(id)));
  const change = button(() => { delete modes.dataset.chosen; tell(setMode(id, modes.value)); });
  return make("li", { "data-door": id }, make("b", {}), open, modes, change);
}

function areaRow(id) {
  const part = () => state.world.partitions[id];
  const act = (op, done) => button(() => tell(order(op, { partition: id }, title(part(), id), done, { partition: title(part(), id) })));
  return make("li", { "data-area": id }, make("b", {}), act("partition.arm", "ctl.arm"), act("partition.disarm", "ctl.disarm"));
}

function build(key) {
  shown = key;
  byId("desk-doors").replaceChildren(...Object.keys(state.world.portals).map(doorRow),
    ...Object.keys(state.world.partitions ?? {}).map(areaRow));
}

function drawDoor(row, id) {
  const [words, open, modes, change] = row.children;
  const mode = state.world.portals[id].mode;
  text(words, name(id));
  text(open, t("button.open"));
  label(open, t("page.desk.open_of", { portal: name(id) }));
  for (const option of modes.options) text(option, t(`mode.${option.value}`));
  label(modes, t("page.desk.mode", { portal: name(id) }));
  const now = mode === "accessed" ? "locked" : mode;
  if (!modes.dataset.chosen && now && document.activeElement !== modes) modes.value = now;
  text(change, t("page.desk.change"));
  label(change, t("page.desk.change_of", { portal: name(id) }));
  for (const one of [open, modes]) one.disabled = !state.live;
  change.disabled = !state.live || !modes.dataset.chosen;
}

function drawArea(row, id) {
  const [words, arm, disarm] = row.children;
  const partition = title(state.world.partitions[id], id);
  text(words, partition);
  for (const [one, key] of [[arm, "arm"], [disarm, "disarm"]]) {
    text(one, t(`page.desk.${key}`));
    label(one, t(`page.desk.${key}_of`, { partition }));
    one.disabled = !state.live;
  }
}

function drawAlarms() {
  const list = byId("desk-alarm");
  const alarms = alarmsByWeight(state.world);
  const key = JSON.stringify(alarms.map((one) => [keyOf(one), alarmLine(one)])) + document.documentElement.lang;
  if (list.dataset.key !== key) {
    const chosen = list.value;
    list.dataset.key = key;
    list.replaceChildren(...(alarms.length ? alarms.map((one) => make("option", { value: keyOf(one) }, alarmLine(one).replace(/[.。]$/, "")))
      : [make("option", { value: "" }, t("page.desk.no_alarm"))]));
    if ([...list.options].some((option) => option.value === chosen)) list.value = chosen;
  }
  label(list, t("page.desk.alarm"));
  list.disabled = byId("desk-aside").disabled = !state.live || !alarms.length;
  text(byId("desk-aside"), t("page.desk.aside"));
}

export function drawDesk() {
  if (!state.world) return;
  const key = [Object.keys(state.world.portals), Object.keys(state.world.partitions ?? {})].join(";");
  if (key !== shown) build(key);
  for (const row of byId("desk-doors").children) {
    if (row.dataset.door) drawDoor(row, row.dataset.door); else drawArea(row, row.dataset.area);
  }
  drawAlarms();
  const end = inLockdown().length > 0;
  text(byId("desk-lockdown"), t(end ? "button.end_lockdown" : "page.desk.lockdown"));
  text(byId("desk-silence"), t("button.silence"));
  for (const id of ["desk-lockdown", "desk-silence"]) byId(id).disabled = !state.live;
  const again = byId("desk-sure");
  again.hidden = !sure;
  if (sure) text(again, sure.words());
  byId("desk-said").hidden = Boolean(sure);
  text(byId("desk-said"), said ? said() : t("page.desk.note"));
  attr(byId("desk-word"), "class", said ? "said" : null);
  rove(byId("desk-house"));
}

export function startDesk() {
  byId("desk-lockdown").addEventListener("click", (event) => {
    const end = inLockdown().length > 0;
    ask(event.currentTarget, () => t(end ? "page.desk.end_now" : "page.desk.lockdown_now"), () => tell(end ? endLockdown() : lockdown()));
  });
  byId("desk-silence").addEventListener("click", () => tell(order("alarm.silence", {}, t("button.silence"), "ctl.silence")));
  byId("desk-aside").addEventListener("click", () => setAside(byId("desk-alarm").value));
  byId("desk-sure").addEventListener("click", () => {
    const { act } = sure;
    forget(true);
    act();
  });
  byId("desk-box").addEventListener("keydown", (event) => { if (event.key === "Escape") forget(true); });
}
