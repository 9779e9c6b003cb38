// "Do it yourself": the act behind an event as curl, as a scenario's step, as a command.

import { origin, recentActs } from "./net.js";
import { personOf } from "./say.js";
import { state } from "./state.js";

const SOON_MS = 6000;
const CARD = new Set(["present_card", "show_qr", "enter_pin"]);
const DOOR = new Set(["push_door", "walk_through", "close_door", "prop_door", "force_door", "leave", "press_rex"]);

const BREAKS = {
  tamper: ["tamper", "fail_line"], lock_fault: ["jam_lock", "fail_line"], power_fault: ["fail_mains"], battery_low: ["fail_battery"],
};

/** What was ordered, read from what it did. */
const OPS = {
  "portal.released": ({ portal, cause }) => cause === "command" && { op: "portal.release", args: { portal } },
  "portal.mode": ({ portal, mode, cause }) => cause === "command" && { op: "portal.mode", args: { portal, mode } },
  "alarm.acknowledged": ({ point, class: kind, by }) => by === state.world.operator?.id && { op: "alarm.acknowledge", args: { point, class: kind } },
  "alarm.silenced": () => ({ op: "alarm.silence", args: {} }),
  "alarm.shelved": ({ point, class: kind, until }) => ({ op: "alarm.shelve", args: { point, class: kind, until } }),
  "partition.armed": ({ partition }) => ({ op: "partition.arm", args: { partition } }),
  "partition.disarmed": ({ partition }) => ({ op: "partition.disarm", args: { partition } }),
};

function ordered(event) {
  const found = OPS[event.type]?.(event);
  return found ? { do: "command", ...found } : null;
}

function fits(act, event) {
  if (event.type.startsWith("access.")) return CARD.has(act.do) && (!event.access_point || act.access_point === event.access_point);
  if (event.type.startsWith("portal.")) return DOOR.has(act.do) && act.portal === event.portal;
  if (act.do === "command") return event.command ? event.command === act.id : OPS[event.type]?.(event)?.op === act.op;
  if (event.type === "alarm.acknowledged") return act.do === "press_ack";
  if (event.type === "alarm.raised") return BREAKS[event.class]?.includes(act.do);
  return false;
}

function forced(ap) {
  const digits = state.world?.people?.find((p) => p.duress_pin)?.duress_pin;
  return digits && { do: "enter_pin", access_point: ap, digits };
}

function fromEvent(event) {
  const who = personOf(event);
  const { access_point: ap, portal } = event;
  if (event.type === "access.granted" || event.type === "access.denied") {
    if (event.verification === "pin" && who?.pin) return { do: "enter_pin", access_point: ap, digits: who.pin };
    if (event.reason === "wrong_pin") return { do: "enter_pin", access_point: ap, digits: "0000" };
    if (who) return { do: who.card ? "present_card" : "show_qr", access_point: ap, person: who.name };
    return { do: "present_card", access_point: ap, number: "w26:201:65000" };
  }
  if (event.type === "portal.released" && event.cause === "rex") return { do: "press_rex", portal };
  if (event.type === "portal.released" && event.cause === "fire") return { do: "set_fire", on: true };
  if (event.type === "portal.opened" || event.type === "access.taken") return { do: "walk_through", portal };
  if (event.type === "portal.closed") return { do: "close_door", portal };
  if (event.type === "alarm.acknowledged" || event.type === "alarm.cleared") return { do: "press_ack" };
  const raised = {
    door_forced: { do: "force_door", portal: event.point }, fire: { do: "set_fire", on: true },
    panic: { do: "press_panic", point: event.point }, tamper: { do: "tamper", device: event.point, on: true },
    door_held: { do: "prop_door", portal: event.point },
    power_fault: { do: "fail_mains", on: true }, battery_low: { do: "fail_battery", on: true },
    intrusion: { do: "trip_sensor", point: event.point, on: true }, duress: forced(event.point),
    credential_misuse: { do: "present_card", access_point: event.point, person: "lost_card" },
  };
  if (event.type === "alarm.raised") return raised[event.class] ?? null;
  if (event.type === "system.started") return { do: "restore_power" };
  if (event.type === "clock.changed") return { do: "set_clock", jump_ms: event.delta_ms ?? 3600000 };
  return null;
}

/** The act that led to a row's first event: this page's own if it fits, else one that would. */
export function actBehind(event, heardAt) {
  const own = recentActs().findLast(({ at, act }) => Math.abs(heardAt - at) < SOON_MS && fits(act, event));
  return own?.act ?? ordered(event) ?? fromEvent(event);
}

const quoted = (value) => `'${JSON.stringify(value).replaceAll("'", "'\\''")}'`;

const inline = (value) => (typeof value === "object" && value
  ? `{ ${Object.entries(value).map(([key, one]) => `${key} = ${JSON.stringify(one)}`).join(", ")} }` : JSON.stringify(value));

const plain = ({ id, ...act }) => act;

export function asCurl(act) {
  const { do: verb, ...rest } = plain(act);
  const [path, body] = verb === "command" ? ["command", rest] : ["act", plain(act)];
  return `curl -X POST ${origin}/api/${path} -H 'content-type: application/json' -d ${quoted(body)}`;
}

export const asStep = (act) =>
  ["[[step]]", "at_ms = 1000", ...Object.entries(plain(act)).map(([key, value]) => `${key} = ${inline(value)}`)].join("\n");

const LINES = {
  "portal.release": ({ portal }) => `open ${portal}`,
  "portal.mode": ({ portal, mode }) => `mode ${portal} ${mode}`,
  "alarm.acknowledge": ({ point }) => (point ? `ack ${point}` : "ack"),
  "alarm.silence": () => "silence",
  "partition.arm": ({ partition }) => `arm ${partition}`,
  "partition.disarm": ({ partition }) => `disarm ${partition}`,
};

/** The line of `doorctl` that orders the same; null where it has none. */
export function asCommand(act) {
  const line = act?.do === "command" && LINES[act.op]?.(act.args);
  return line ? `doorctl ${line} --demo` : null;
}

export const topicOf = () => `${state.world.root}/event`;
