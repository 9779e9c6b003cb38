// One door, one state line: the first rule of the table that applies (UX, section 2).

import { clockTime } from "./clock.js";
import { alarmSentence, placeName } from "./say.js";
import { now, parse, state, unsent } from "./state.js";
import { inner, listed, say, sentences, t, title } from "./words.js";

const LATCHED = new Set(["unacknowledged", "returned"]);

export const unseen = (alarm) => LATCHED.has(alarm.state);

/** Duress shows nothing at the door: not in the drawing, not to the key switch. */
export const isSilent = (alarm) => alarm.class === "duress";

/** The door at which an alarm is: its portal, or the one that its device belongs to. */
export const doorOf = (point) => (point in state.world.portals ? point
  : Object.keys(state.world.portals).find((id) => state.world.portals[id].devices?.includes(point)));

/** Worst first, then oldest. */
export const alarmsByWeight = (world) => [...(world?.alarms ?? [])].sort((a, b) =>
  Number(unseen(b)) - Number(unseen(a)) || a.priority - b.priority || (parse(a.since) ?? 0) - (parse(b.since) ?? 0));

function timed(portal) {
  const end = parse(portal.until);
  return end == null ? {} : { left_ms: Math.max(0, end - now()) };
}

const seconds = (ms) => (ms == null ? null : Math.ceil(ms / 1000));

function opened(id, portal) {
  const since = state.openedAt[id];
  const ms = since == null ? null : Math.max(0, now() - since);
  const { left_ms: left } = timed(portal);
  const whole = left == null ? portal.open_ms : left + (ms ?? 0);
  return { s: ms == null ? null : Math.floor(ms / 1000), left, ring: ms == null ? null : Math.min(1, ms / (whole || 1)) };
}

/** {text, tone, sign, ring: 0..1 | null, quiet}; tone is ok, p1, p2, p3, unknown or "". */
export function doorLine(id) {
  const { world, live } = state;
  const portal = world.portals[id];
  const line = (key, values, extra = {}) =>
    ({ text: say(`door.${key}`, values), tone: "", sign: "closed", ring: null, quiet: false, ...extra });
  if (!live) return line("unknown", { time: clockTime(now()) }, { tone: "unknown", sign: "none" });
  if (world.power === false) {
    const free = portal.lock === "unlocked";
    return line(free ? "dead_free" : "dead_locked", {}, { sign: free ? "open" : "closed" });
  }
  const alarm = alarmsByWeight(world).find((a) => a.state === "unacknowledged" && !isSilent(a) && doorOf(a.point) === id);
  if (alarm) {
    return { text: alarmSentence(alarm), tone: `p${alarm.priority}`, sign: "alarm", priority: alarm.priority, ring: null };
  }
  if (portal.fire) return line("fire", {}, { tone: "p1", sign: "alarm", priority: 1 });
  if (portal.faults?.includes("lock")) return line("lock_fault", {}, { tone: "p2", sign: "alarm", priority: 2 });
  if (portal.faults?.includes("door")) return line("contact_fault", {}, { tone: "p2", sign: "alarm", priority: 2 });
  if (portal.door === "open") {
    const { s, left, ring } = opened(id, portal);
    if (portal.pre_alarm) return line("pre_alarm", { s: seconds(left ?? 0) }, { tone: "p3", sign: "ring", ring });
    if (portal.alarm === "door_held") return line("held", { s }, { sign: "ring", ring: 1 });
    return line("open", { s }, { sign: "ring", ring });
  }
  if (portal.lock === "unlocked" && portal.mode !== "unlocked" && portal.mode !== "locked_open") {
    const { left_ms: left } = timed(portal);
    const whole = Math.max(portal.release_ms ?? 0, portal.since ? parse(portal.until) - parse(portal.since) : 0, left ?? 0);
    return line("free", { s: seconds(left) }, { tone: "ok", sign: left == null ? "open" : "ring", ring: left == null ? null : left / (whole || 1) });
  }
  if (portal.mode === "locked_down" || portal.mode === "blocked") return line(portal.mode, {}, { sign: "barred" });
  if (portal.mode === "unlocked") {
    const end = parse(portal.until);
    return line("unlocked", { until: end == null ? null : clockTime(end, false) }, { tone: "ok", sign: "open" });
  }
  if (portal.mode === "locked_open") return line("locked_open", {}, { tone: "ok", sign: "open" });
  return line("locked", {}, { quiet: true });
}

/** What a watched area says: {text, tone}. */
export function watchLine(part) {
  if (!state.live || state.world.power === false || part.state == null) return { text: t("door.unknown.plain"), tone: "unknown" };
  const { left_ms: left } = timed(part);
  const tone = { armed: "armed", exiting: "armed", entering: "p3" }[part.state] ?? "";
  return { text: t(`watch.${part.state}`, { s: seconds(left) ?? "" }), tone };
}

export const alarmLine = (alarm) => t("event.alarm.raised", { point: placeName(alarm.point), alarm: alarmSentence(alarm) });

function doorsSentence(world) {
  return sentences(Object.keys(world.portals).map((id) =>
    t("status.door", { portal: title(world.portals[id], id), state: inner(doorLine(id).text).replace(/[.。]$/, "") })));
}

/** The first sentence of the page: what is true now. */
export function statusLine() {
  const { world, live } = state;
  if (!world) return { text: t("status.loading") };
  if (!live) return { text: t("status.stopped"), priority: null };
  if (world.power === false) return { text: t("status.no_power"), priority: 3 };
  const alarms = alarmsByWeight(world);
  const waiting = alarms.filter(unseen);
  if (waiting.length) {
    const key = waiting.length === 1 ? "status.needs_one" : "status.needs";
    return { text: t(key, { n: waiting.length, worst: alarmLine(waiting[0]) }), priority: waiting[0].priority, full: true };
  }
  if (world.network === false) {
    const n = unsent(world);
    return { text: t(n === 0 ? "status.alone_none" : n === 1 ? "status.alone_one" : "status.alone", { n }), priority: 4 };
  }
  if (alarms.length) return { text: t("status.seen", { worst: alarmLine(alarms[0]) }), priority: alarms[0].priority };
  const ids = Object.keys(world.portals);
  if (ids.every((id) => doorLine(id).quiet)) {
    const doors = ids.map((id) => t("status.quiet_door", { portal: title(world.portals[id], id) }));
    return { text: t("status.quiet", { doors: listed([doors[0], ...doors.slice(1).map(inner)]) }) };
  }
  return { text: doorsSentence(world) };
}
