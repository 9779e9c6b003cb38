// The strip in the header's band: what is not normal, what to do, since when, and "I have seen it".
// Its place is always there, so that an alarm that comes moves nothing that is read or aimed at.

import { clockTime } from "./clock.js";
import { byId, make, sign, text } from "./dom.js";
import { alarmLine, alarmsByWeight, statusLine, unseen } from "./door.js";
import { complain } from "./notice.js";
import { order } from "./orders.js";
import { placeName } from "./say.js";
import { parse, state } from "./state.js";
import { has, t } from "./words.js";

// These happen and are over at once: only whether somebody has seen them is news.
const MOMENTARY = new Set(["duress", "panic", "credential_misuse", "wrong_attempts"]);

let drawn = "";
let unfolded = false; // the alarms behind the first one are shown

/** What stands here is seen at the desk: a signed command for each, and no more than what was read. */
export async function seeAll() {
  const waiting = alarmsByWeight(state.world).filter(unseen);
  const told = await Promise.all(waiting.map(({ point, class: kind }) =>
    order("alarm.acknowledge", { point, class: kind }, placeName(point), "ctl.ack", { point: placeName(point) })));
  const bad = told.find((one) => !one.ok);
  if (bad) complain(bad.text, true);
}

function note(alarm) {
  const since = parse(alarm.since);
  const parts = [since == null ? null : t("page.since", { time: clockTime(since) })];
  const by = alarm.by ?? "unknown";
  if (alarm.state === "acknowledged") parts.push(t("page.seen_by", { by: has(`by.${by}`) ? t(`by.${by}`) : by }));
  if (alarm.state === "returned") parts.push(t(MOMENTARY.has(alarm.class) ? "page.unseen" : "page.over_unseen"));
  return parts.filter(Boolean).map((part) => make("span", {}, part));
}

function card(alarm) {
  const waiting = unseen(alarm);
  const todo = has(`todo.${alarm.class}`) ? t(`todo.${alarm.class}`) : "";
  return make("div", { class: `alarm p${alarm.priority}${waiting ? "" : " seen"}` },
    sign(alarm.priority, { full: waiting, pulse: waiting }),
    make("div", { class: "what" }, make("p", { class: "sentence" }, alarmLine(alarm)), make("p", { class: "todo" }, todo)),
    make("p", { class: "note" }, ...note(alarm)));
}

function button(kind, words, act) {
  const one = make("button", { type: "button", class: `plain ${kind}` }, words);
  one.addEventListener("click", act);
  return one;
}

/** The worst alarm, and behind a button what else there is: the strip has one height, whatever happens. */
function strip(alarms) {
  const [first, ...others] = alarms;
  const head = card(first);
  const buttons = make("div", { class: "acts" });
  if (others.length) {
    const more = button("more", t(others.length === 1 ? "page.one_more_alarm" : "page.more_alarms", { n: others.length }), () => {
      unfolded = !unfolded;
      drawn = "";
      drawAlarmStrip();
      byId("alarms").querySelector(".more")?.focus();
    });
    more.setAttribute("aria-expanded", String(unfolded));
    buttons.append(more);
  }
  if (alarms.some(unseen)) buttons.append(button("primary", t("button.seen"), seeAll));
  head.append(buttons);
  const rest = make("div", { class: "others" }, ...others.map(card));
  rest.hidden = !unfolded || !others.length;
  return [head, rest];
}

export function drawAlarmStrip() {
  const alarms = state.live && state.world.power ? alarmsByWeight(state.world) : [];
  const key = JSON.stringify([alarms, document.documentElement.lang]);
  const box = byId("alarms");
  if (key !== drawn) {
    drawn = key;
    const hadFocus = box.contains(document.activeElement);
    if (alarms.length < 2) unfolded = false;
    box.replaceChildren(...(alarms.length ? strip(alarms) : []));
    box.hidden = !alarms.length;
    document.body.classList.toggle("alarming", Boolean(alarms.length));
    // The button went with its alarm: the focus goes to the next one, else to the status.
    if (hadFocus) (box.querySelector(".primary") ?? byId("status")).focus();
  }
  const worst = alarms.find(unseen);
  document.title = worst ? t("page.alarm_title", { sentence: alarmLine(worst) }) : t("page.title");
}

export function drawStatus() {
  const line = statusLine();
  text(byId("status-text"), line.text);
  const key = `${line.priority ?? ""}${Boolean(line.full)}`;
  const box = byId("status-sign");
  if (box.dataset.sign === key) return;
  box.dataset.sign = key;
  box.replaceChildren(...(line.priority ? [sign(line.priority, { full: line.full, pulse: line.full })] : []));
}
