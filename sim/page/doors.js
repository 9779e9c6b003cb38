// Doors, exit buttons, fire and help: what a hand can do in the drawing.

import { boxOpen, fireOn, meant, press, rattle } from "./building.js";
import { endHint, goOut, hint, walk } from "./actors.js";
import { byId, make, rove } from "./dom.js";
import { act } from "./net.js";
import { complain } from "./notice.js";
import { changed, slots, state } from "./state.js";
import { t, title } from "./words.js";

let opener = null;

export async function attempt(verb, args) {
  const error = await act(verb, args);
  if (error) complain(error);
  return !error;
}

async function goThrough(portal) {
  const error = await walk(portal);
  if (error) complain(error);
}

/** Wedge a door: open it as somebody would, then leave it so. */
async function prop(portal) {
  const now = () => state.world.portals[portal];
  if (now().door !== "open") {
    if (now().lock !== "unlocked") await attempt("leave", { portal });
    else await attempt("push_door", { portal });
  }
  for (let i = 0; i < 40 && now().door !== "open"; i += 1) await new Promise((r) => setTimeout(r, 50));
  return attempt("prop_door", { portal });
}

const MENU = {
  walk: goThrough,
  push: (portal) => attempt("push_door", { portal }),
  prop, force: (portal) => attempt("force_door", { portal }),
  leave: (portal) => goOut(portal),
  close: (portal) => attempt("close_door", { portal }),
};

const wire = (portal) => state.world.portals[portal].contact;
const cutTo = (portal, fault) => async (on) =>
  attempt("fail_line", { device: wire(portal), fault: on ? fault : "none" });

/** What can be broken at a door, as switches: is it so, make it so, take it back. */
const BREAK = {
  jam: (portal) => ({ on: () => jammed(portal), set: (on) => attempt("jam_lock", { portal, on }) }),
  cut: (portal) => ({ on: () => brokenWire(portal) === "cut", set: cutTo(portal, "cut") }),
  short: (portal) => ({ on: () => brokenWire(portal) === "short", set: cutTo(portal, "short") }),
};

const jammed = (portal) => Boolean(state.world.portals[portal].jammed);
const brokenWire = (portal) => state.world.devices[wire(portal)]?.fault;

export function closeMenu(refocus = false) {
  const menu = byId("menu");
  if (menu.hidden) return;
  menu.hidden = true;
  opener?.setAttribute("aria-expanded", "false");
  if (refocus) opener?.focus();
}

function openMenu(slot, button) {
  const portal = slots()[slot];
  const menu = byId("menu");
  opener = button;
  menu.dataset.slot = slot;
  menu.setAttribute("aria-label", t("page.menu", { portal: title(state.world.portals[portal], portal) }));
  menu.replaceChildren(...Object.keys(MENU).map((key) => {
    const item = make("button", { type: "button" }, t(`page.do.${key}`));
    item.addEventListener("click", () => { closeMenu(true); MENU[key](portal); });
    return item;
  }), ...Object.keys(BREAK).map((key) => {
    const { on, set } = BREAK[key](portal);
    const thrown = on();
    const what = t(`page.do.${key}`);
    const item = make("button", { type: "button", "data-break": key, class: thrown ? "thrown" : "" }, thrown ? t("button.again", { what }) : what);
    item.addEventListener("click", () => { closeMenu(true); set(!thrown); });
    return item;
  }));
  menu.hidden = false;
  button.setAttribute("aria-expanded", "true");
  rove(menu);
}

function tryDoor(slot, button) {
  const portal = slots()[slot];
  const { door, lock } = state.world.portals[portal];
  endHint();
  openMenu(slot, button);
  if (door === "open") attempt("close_door", { portal });
  else if (lock === "unlocked") goThrough(portal);
  else { rattle(slot); if (slot === "front") hint(); attempt("push_door", { portal }); }
}

function toggle(key, verb, args) {
  return async (on) => {
    if (await attempt(verb, { ...args, on })) { state.thrown[key] = on; changed(); }
  };
}

const setFire = toggle("fire", "set_fire", {});
const setTamper = (on) => toggle("tamper", "tamper", { device: pointOf("tamper", "enclosure") })(on);

/** The alarm point of a class; the demo's own one where there are several. */
function pointOf(kind, usual) {
  const points = state.world.points ?? {};
  return usual in points ? usual : Object.keys(points).find((id) => points[id].class === kind) ?? usual;
}

const panic = () => { press("help-point"); attempt("press_panic", { point: pointOf("panic", "lobby-panic") }); };

const portalWith = (flag) => Object.entries(state.world.portals).find(([, p]) => p[flag] && p.door === "open")?.[0];

const closeThe = (flag) => attempt("close_door", { portal: portalWith(flag) ?? slots().front });

const hasPoint = (kind) => Object.values(state.world.points ?? {}).some((point) => point.class === kind);

/** The switches of the world: is it thrown, throw it, take it back. No `on`: a button, not a switch; `here`: not every building has it. */
export const SWITCHES = {
  fire: { on: fireOn, set: setFire },
  power: { on: () => !state.world.power, set: (on) => attempt(on ? "cut_power" : "restore_power") },
  network: { on: () => !state.world.network, set: (on) => attempt(on ? "cut_network" : "restore_network") },
  force: { on: () => Boolean(portalWith("broken")), set: (on) => (on ? attempt("force_door", { portal: slots().front }) : closeThe("broken")) },
  prop: { on: () => Boolean(portalWith("propped")), set: (on) => (on ? prop(slots().front) : closeThe("propped")) },
  tamper: { on: () => boxOpen(), set: setTamper },
  mains: { on: () => state.world.mains === false, set: (on) => attempt("fail_mains", { on }), here: () => hasPoint("power_fault") },
  battery: { on: () => state.world.battery === false, set: (on) => attempt("fail_battery", { on }), here: () => hasPoint("battery_low") },
  dies: { set: () => attempt("kill_process", { process: "door" }), here: () => state.world.storage != null },
  panic: { set: panic },
};

export function startDoors() {
  for (const slot of ["front", "yard"]) {
    const leaf = byId(`hot-${slot}`);
    leaf.setAttribute("aria-expanded", "false");
    leaf.addEventListener("click", () => tryDoor(slot, leaf));
    byId(`hot-${slot}-rex`).addEventListener("click", () => {
      press(`rex-${slot}`);
      attempt("press_rex", { portal: meant(`hot-${slot}-rex`) });
    });
  }
  byId("hot-fire").addEventListener("click", () => setFire(!fireOn()));
  byId("hot-help").addEventListener("click", panic);
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#menu, .leaf")) closeMenu();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenu(true); });
}
