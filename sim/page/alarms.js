// The strip under the header: what is not normal, what to do, since when, and "I have seen it".

import { clockTime } from "./clock.js";
import { byId, make, sign, text } from "./dom.js";
import { alarmLine, alarmsByWeight, statusLine, unseen } from "./door.js";
import { act } from "./net.js";
import { complain } from "./notice.js";
import { parse, state } from "./state.js";
import { has, t } from "./words.js";

const SHOWN = 3;
let drawn = "";

async function seen() {
  const error = await act("press_ack");
  if (error) complain(error);
}

function note(alarm) {
  const since = parse(alarm.since);
  const parts = [since == null ? null : t("page.since", { time: clockTime(since) })];
  const by = alarm.by ?? "unknown";
  if (alarm.state === "acknowledged") parts.push(t("page.seen_by", { by: has(`by.${by}`) ? t(`by.${by}`) : by }));
  if (alarm.state === "returned") parts.push(t("page.over_unseen"));
  return parts.filter(Boolean).join(" · ");
}

function card(alarm) {
  const waiting = unseen(alarm);
  const todo = has(`todo.${alarm.class}`) ? t(`todo.${alarm.class}`) : "";
  const button = waiting ? make("button", { type: "button", class: "plain primary" }, t("button.seen")) : null;
  button?.addEventListener("click", seen);
  return make("div", { class: `alarm p${alarm.priority}${waiting ? "" : " seen"}` },
    sign(alarm.priority, { full: waiting, pulse: waiting }),
    make("div", { class: "what" },
      make("p", { class: "sentence" }, alarmLine(alarm)),
      make("p", { class: "todo" }, todo), make("p", {}, note(alarm))),
    button);
}

export function drawAlarmStrip() {
  const alarms = state.live && state.world.power ? alarmsByWeight(state.world) : [];
  const key = JSON.stringify([alarms, document.documentElement.lang]);
  const box = byId("alarms");
  if (key !== drawn) {
    drawn = key;
    const hadFocus = box.contains(document.activeElement);
    box.replaceChildren(...alarms.slice(0, SHOWN).map(card));
    if (alarms.length > SHOWN) box.append(make("p", { class: "more-alarms" }, t("page.more_alarms", { n: alarms.length - SHOWN })));
    box.hidden = !alarms.length;
    // The button went with its alarm: the focus goes to the next one, else to the status.
    if (hadFocus) (box.querySelector("button") ?? byId("status")).focus();
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
