// From an event to one sentence, in the language shown. The words are in the words files.

import { clockTime, dayName, dayOf } from "./clock.js";
import { state } from "./state.js";
import { has, listed, say, span, t, title } from "./words.js";

export function personOf(event) {
  return state.world?.people?.find((p) => event.credential != null && p.credential === event.credential);
}

export const personName = (name) => (has(`person.${name}`) ? t(`person.${name}`) : name);

function who(event) {
  const person = personOf(event);
  if (person) return personName(person.name);
  if (event.visit != null) return t("who.visitor");
  return event.credential == null ? t("who.someone") : t("who.key", { credential: event.credential });
}

export function placeName(id) {
  const w = state.world;
  const found = w?.portals?.[id] ?? w?.access_points?.[id] ?? w?.points?.[id] ?? w?.devices?.[id]
    ?? w?.partitions?.[id] ?? w?.areas?.[id] ?? w?.automation?.[id];
  return id === "controller" ? t("page.box") : title(found, id);
}

export const byName = (id) => (has(`by.${id ?? "unknown"}`) ? t(`by.${id ?? "unknown"}`) : String(id));

const by = (event) => byName(event.by || null);

const word = (group, value) => (value == null ? null : has(`${group}.${value}`) ? t(`${group}.${value}`) : String(value));

const WIRES = new Set(["contact", "supervised_contact", "rex"]);

export function alarmSentence(alarm) {
  const wire = alarm.class === "tamper" && WIRES.has(state.world?.devices?.[alarm.point]?.driver);
  const key = wire ? "alarm.tamper.line" : `alarm.${alarm.class}`;
  return has(key) ? say(key, { n: alarm.count ?? alarm.attempts }) : String(alarm.class);
}

/** By a command one door is opened, another one is closed. */
function causeKey(event) {
  const key = `cause.${event.cause}`;
  return event.type === "portal.mode" && has(`${key}.mode`) ? `${key}.mode` : key;
}

function values(event) {
  const ap = state.world?.access_points?.[event.access_point];
  const portal = event.portal ?? ap?.portal;
  return {
    portal: portal == null ? null : placeName(portal),
    point: event.type === "alarm.silenced" && event.point == null ? null : placeName(event.point ?? event.device ?? "controller"),
    part: placeName(event.device ?? event.point ?? event.part ?? "controller"),
    ap: event.access_point == null ? null : placeName(event.access_point),
    who: who(event), by: by(event),
    reason: event.type === "access.denied" ? word("reason", event.reason) : event.reason,
    cause: event.cause && say(causeKey(event), { by: event.by && by(event), flat: event.flat }),
    mode: word("mode", event.mode), alarm: alarmSentence(event),
    change: word("change", event.change), credential: event.credential,
    op: event.op && (has(`op.${event.op}`) ? say(`op.${event.op}`, { portal: portal && placeName(portal) }) : event.op),
    refused: word("refused", event.reason), count: event.count,
    partition: event.partition == null ? null : placeName(event.partition),
    points: Array.isArray(event.points) && event.points.length ? listed(event.points.map(placeName)) : null,
    area: event.area == null ? null : placeName(event.area), automation: event.automation == null ? null : placeName(event.automation),
    flat: event.flat, talk: event.talk_ms == null ? null : span(event.talk_ms),
    from: time(event.from), to: time(event.to), until: moment(event.until, event.time),
    n: event.type === "system.egress_test" ? notPassed(event) : event.count, text: event.text, version: event.version, upto: event.upto,
    gap: event.gap_ms == null ? null : span(event.gap_ms),
    delta: event.delta_ms == null ? null : span(event.delta_ms),
    quality: word("clock", event.quality ?? event.clock),
  };
}

const time = (utc) => (typeof utc === "string" && !Number.isNaN(Date.parse(utc)) ? clockTime(Date.parse(utc)) : null);

/** A time of another day says which. */
function moment(utc, told) {
  const clock = time(utc);
  const at = Date.parse(utc);
  return clock && dayOf(at) !== dayOf(Date.parse(told)) ? `${dayName(at)} ${clock}` : clock;
}

/** How many steps of a walk through the exits did not pass. */
const notPassed = (event) => (event.results ?? []).filter((step) => step.result !== "passed").length;

function keyOf(event) {
  const key = `event.${event.type}`;
  if (event.type === "access.granted") {
    const out = state.world?.access_points?.[event.access_point]?.direction === "out";
    if (event.passback === "violated") return out ? `${key}.passback.out` : `${key}.passback`;
    if (event.visit != null && !out) return `${key}.visit`;
    return out ? `${key}.out` : has(`${key}.${event.verification}`) ? `${key}.${event.verification}` : `${key}.card`;
  }
  if (event.type === "access.denied" && personOf(event)) return `${key}.who`;
  if (event.type === "partition.refused" && event.reason === "sensor_unavailable") return `${key}.silent`;
  if (event.type === "system.egress_test" && notPassed(event)) return `${key}.bad`;
  if (event.type === "command.rejected" && event.count > 1) return `${key}.many`;
  return has(key) ? key : "event.unknown";
}

/** One event as one sentence. */
export function sentence(event) {
  return say(keyOf(event), values(event));
}

/** A visit (granted, opened, taken, closed, locked) as one sentence. */
export function visitSentence(row) {
  const types = new Set(row.events.map((event) => event.type));
  const first = row.events[0];
  const portal = placeName(row.portal);
  const out = state.world?.access_points?.[first.access_point]?.direction === "out";
  if (types.has("access.not_taken")) return sentence(row.events.find((e) => e.type === "access.not_taken"));
  if (types.has("access.taken")) return t(out ? "visit.out" : "visit.in", { portal, who: who(first) });
  if (first.cause === "rex" && types.has("portal.opened")) return t("visit.exit", { portal });
  return sentence(first);
}

