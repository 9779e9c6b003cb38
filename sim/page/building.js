// The drawing: what is physically so is drawn so, nothing more. Called for every change.

import { attr, byId, label, make, sign, svg, text } from "./dom.js";
import { alarmsByWeight, doorLine, doorOf, isSilent, unseen, watchLine } from "./door.js";
import { personName, placeName } from "./say.js";
import { accessPoint, slots, state, unsent } from "./state.js";
import { inner, t, title } from "./words.js";

/** Which drawn thing an alarm's point is. */
function placeOf(point) {
  const { front, yard } = slots();
  const fixed = { fire: "fire-point", enclosure: "box", controller: "box" };
  const door = doorOf(point);
  if (door === front) return "door-front";
  if (door === yard) return "door-yard";
  if (point in fixed) return fixed[point];
  const aps = state.world.access_points;
  const ap = Object.entries(readers()).find(([, id]) => id === point || aps[id]?.devices?.includes(point));
  if (ap) return ap[0];
  return state.world.points?.[point]?.class === "panic" ? "help-point" : "box";
}

function readers() {
  const { front, yard } = slots();
  return {
    "ap-front-in": accessPoint(front, "in"),
    "ap-yard-in": accessPoint(yard, "in"),
    "ap-yard-out": accessPoint(yard, "out"),
  };
}

/** Which portal or access point a button over the drawing means. */
export function meant(hotId) {
  const { front, yard } = slots();
  const all = readers();
  return {
    "hot-front": front, "hot-yard": yard, "hot-front-rex": front, "hot-yard-rex": yard,
    "hot-front-in": all["ap-front-in"], "hot-yard-in": all["ap-yard-in"], "hot-yard-out": all["ap-yard-out"],
  }[hotId];
}

const PADLOCK = {
  closed: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  open: "M6 11h12v9H6zM9 11V7a3 3 0 0 1 5.8-1",
  barred: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3M3 15h18",
  none: "M5 12h2M11 12h2M17 12h2",
};

function plateSign(line) {
  if (line.sign === "alarm") return sign(line.priority, { pulse: true });
  const mark = svg("svg", { class: "padlock", viewBox: "0 0 24 24", "aria-hidden": "true" });
  if (line.sign === "ring") {
    mark.append(svg("circle", { class: "ring-bg", cx: 12, cy: 12, r: 10 }),
      svg("circle", { class: "ring", cx: 12, cy: 12, r: 10, pathLength: 100, transform: "rotate(-90 12 12)" }));
  } else mark.append(svg("path", { d: PADLOCK[line.sign] }));
  return mark;
}

function drawPlate(slot, id) {
  const plate = byId(`plate-${slot}`);
  plate.hidden = !id;
  if (!id) return;
  const line = doorLine(id);
  const key = `${line.sign}${line.priority ?? ""}`;
  if (plate.dataset.sign !== key) {
    plate.dataset.sign = key;
    const words = document.createElement("span");
    words.append(document.createElement("b"), Object.assign(document.createElement("span"), { className: "state" }));
    plate.replaceChildren(plateSign(line), words);
  }
  plate.className = `plate ${line.tone}`;
  text(plate.querySelector("b"), title(state.world.portals[id], id));
  text(plate.querySelector(".state"), line.text);
  const ring = plate.querySelector(".ring");
  if (ring) attr(ring, "stroke-dasharray", `${Math.round((line.ring ?? 0) * 100)} 100`);
}

function drawDoor(slot, id) {
  const door = byId(`door-${slot}`);
  attr(door, "display", id ? null : "none");
  byId(`hot-${slot}`).hidden = !id;
  if (!id) return;
  const portal = state.world.portals[id];
  const line = doorLine(id);
  door.classList.toggle("open", portal.door === "open");
  door.classList.toggle("unlocked", portal.lock === "unlocked");
  door.classList.toggle("free", line.tone === "ok" && portal.door !== "open");
  door.classList.toggle("barred", line.sign === "barred");
  const verb = portal.door === "open" ? "close" : portal.lock === "unlocked" ? "walk" : "push";
  label(byId(`hot-${slot}`), t(`page.leaf.${verb}`, { portal: title(portal, id), state: inner(line.text) }));
}

function drawReader(drawn, id) {
  const group = byId(drawn);
  const hot = byId(drawn.replace("ap-", "hot-"));
  attr(group, "display", id ? null : "none");
  hot.hidden = !id;
  if (!id) return;
  const ap = state.world.access_points[id];
  attr(group, "data-led", state.live ? ap.led : "off");
  group.classList.toggle("beeping", Boolean(ap.buzzer));
  const condition = !state.world.power ? "dark" : ap.blocked_until ? "paused" : "ready";
  label(hot, t("page.reader", { ap: title(ap, id), state: t(`page.reader.${condition}`), who: personName(state.selected) }));
  hot.dataset.ap = id;
}

function drawLamps(world) {
  const lamps = {
    power: world.power ? "" : "off", network: !world.power ? "off" : world.network ? "" : "bad",
    clock: !world.power ? "off" : world.clock?.quality === "trusted" ? "" : "bad",
    record: !world.power ? "off" : unsent(world) || (world.storage ?? "none") !== "none" ? "bad" : "",
  };
  for (const [name, kind] of Object.entries(lamps)) attr(byId(`lamp-${name}`), "class", `lamp ${kind}`);
  text(byId("box-records"), world.records == null ? "" : t("page.records", { n: world.records }));
}

/** The areas that are watched or could be, where a building has any. */
function drawWatched(world) {
  const all = Object.entries(world.partitions ?? {});
  const box = byId("watched");
  box.hidden = !all.length;
  while (box.childElementCount > all.length) box.lastElementChild.remove();
  while (box.childElementCount < all.length) box.append(make("li", {}, make("b", {}), make("span", {})));
  for (const [at, [id, part]] of all.entries()) {
    const line = watchLine(part);
    const item = box.children[at];
    attr(item, "class", line.tone);
    text(item.firstChild, title(part, id));
    text(item.lastChild, line.text);
  }
}

const OUTLINED = ["door-front", "door-yard", "fire-point", "help-point", "box", "ap-front-in", "ap-yard-in", "ap-yard-out"];

function drawAlarms(world) {
  const worst = {};
  for (const alarm of state.live ? alarmsByWeight(world) : []) {
    if (!isSilent(alarm)) worst[placeOf(alarm.point)] ??= alarm;
  }
  for (const id of OUTLINED) {
    const alarm = worst[id];
    const el = byId(id);
    for (const p of [1, 2, 3, 4]) el.classList.toggle(`p${p}`, alarm?.priority === p);
    el.classList.toggle("seen", Boolean(alarm) && !unseen(alarm));
  }
}

export const boxOpen = () => state.thrown.tamper
  ?? state.world.alarms.some((a) => a.class === "tamper" && a.state !== "returned");

export const fireOn = () => state.thrown.fire ?? Object.values(state.world.portals).some((p) => p.fire);

export function drawBuilding() {
  const { world } = state;
  document.body.classList.toggle("loading", !world);
  document.body.classList.toggle("lost", Boolean(world) && !state.live);
  if (!world) return;
  const house = byId("house");
  attr(house, "class", `house${world.power ? "" : " dark"}${world.network ? "" : " cut"}`);
  const { front, yard } = slots();
  for (const [slot, id] of [["front", front], ["yard", yard]]) {
    drawDoor(slot, id);
    drawPlate(slot, id);
    const rex = byId(`hot-${slot}-rex`);
    attr(byId(`rex-${slot}`), "display", id ? null : "none");
    rex.hidden = !id;
    if (id) label(rex, t("page.exit_button", { portal: placeName(id) }));
  }
  for (const [drawn, id] of Object.entries(readers())) drawReader(drawn, id);
  drawLamps(world);
  drawWatched(world);
  drawAlarms(world);
  const outputs = state.live ? world.outputs ?? {} : {}; // what is not heard is not drawn as so
  byId("beacon").classList.toggle("on", Boolean(outputs.beacon));
  byId("horn").classList.toggle("on", Boolean(outputs.siren));
  byId("box").classList.toggle("open", boxOpen());
  label(byId("hot-fire"), t("page.fire_point", { state: t(fireOn() ? "page.fire.fire" : "page.fire.quiet") }));
  label(byId("hot-help"), t("page.help_button"));
  for (const el of house.querySelectorAll("[data-flat]")) text(el, world.flats?.[Number(el.dataset.flat)]?.number ?? "");
}

/** The door was tried and did not give. */
export function rattle(slot) {
  const door = byId(`door-${slot}`);
  door.classList.remove("rattle");
  door.getBoundingClientRect();
  door.classList.add("rattle");
}

export function press(id) {
  byId(id).classList.add("pressed");
  setTimeout(() => byId(id).classList.remove("pressed"), 300);
}

