// The people: buttons below the drawing, figures in it, and cards that reach readers.

import { meant } from "./building.js";
import { attr, byId, label, make, rove, svg, text } from "./dom.js";
import { act } from "./net.js";
import { personName } from "./say.js";
import { accessPoint, changed, slots, state } from "./state.js";
import { complain } from "./notice.js";
import { language, t } from "./words.js";

const STRANGER = { name: "unknown", card: "w26:201:65000", pin: null, qr: null };
const SPOT = { street: 200, lobby: 423, yard: 796 };
const WALK_IN_AFTER_MS = 800;
const GRANT_WITHIN_MS = 6000;
const HINT_MS = 6000;

const at = { street: "resident", lobby: null, yard: null }; // who stands where
let walkIn = true;
let hintEnds = null;
let entering = null; // who may be let in: {portal, place, ends}
let walker = null;   // who goes when the door opens: {portal, place}

export const people = () => [...(state.world?.people ?? []), STRANGER];

const person = (name) => people().find((p) => p.name === name) ?? STRANGER;

const figure = (name) => (document.getElementById(`fig-${name}`) ? `#fig-${name}` : "#fig");

/** What a person shows at an access point: a card's frames or a code. Null where neither fits. */
function means(who, apId) {
  const ap = state.world.access_points[apId];
  const form = who.card?.split(":")[0];
  if (form && ap.accepts.includes(form)) return "present_card";
  if (who.qr && ap.accepts.includes("qr")) return "show_qr";
  return null;
}

/** The nearest reader that takes what they have: the front door's first. */
function nearest(who) {
  const { front, yard } = slots();
  const all = [accessPoint(front, "in"), accessPoint(yard, "in"), ...Object.keys(state.world.access_points)];
  return all.find((ap) => ap && means(who, ap));
}

const placeOf = (apId) => {
  const ap = state.world.access_points[apId];
  const side = ap.portal === slots().yard ? "yard" : "street";
  return ap.direction === "out" ? "lobby" : side;
};

function stand(place, name) {
  for (const other of Object.keys(at)) if (at[other] === name) at[other] = null;
  at[place] = name;
  for (const [slot, who] of Object.entries(at)) {
    const actor = byId(`actor-${slot}`);
    actor.classList.toggle("away", !who);
    if (who) attr(actor.querySelector(".fig"), "href", figure(who));
    actor.querySelector(".mover").style.transform = `translate(${SPOT[slot]}px, 440px)`;
  }
  changed();
}

function reach(place) {
  const actor = byId(`actor-${place}`);
  actor.classList.add("shows");
  setTimeout(() => actor.classList.remove("shows"), 600);
}

export function showView(place) {
  document.body.dataset.view = place;
  for (const b of document.querySelectorAll("#views button")) attr(b, "aria-pressed", b.dataset.view === place);
}

export function endHint() {
  clearTimeout(hintEnds);
  byId("actor-street").classList.remove("hinting");
}

/** "Here is the card": the ring moves to it, when somebody tried the locked door first. */
export function hint() {
  endHint();
  if (!at.street) stand("street", state.selected);
  byId("actor-street").classList.add("hinting");
  hintEnds = setTimeout(endHint, HINT_MS);
}

/** A person holds what they have to a reader. */
export async function present(name, apId) {
  const who = person(name);
  state.selected = name;
  endHint();
  const target = apId ?? nearest(who);
  if (!target) return complain(t("page.nothing_here"));
  const place = placeOf(target);
  stand(place, name);
  showView(place);
  reach(place);
  const verb = means(who, target) ?? (who.card ? "present_card" : "show_qr");
  const shown = who === STRANGER ? { number: who.card } : { person: name };
  awaitGrant(target);
  const error = await act(verb, { access_point: target, ...shown });
  if (error) complain(error);
  return undefined;
}

/** Somebody was let in on this page's account: with "then walk in" on, they go as soon as the lock is free. */
export function awaitGrant(apId) {
  const ap = state.world.access_points[apId];
  entering = { portal: ap.portal, place: placeOf(apId), ends: performance.now() + GRANT_WITHIN_MS };
}

/** Go through an unlocked door, from where the person stands. */
export async function walk(portal, place = portal === slots().yard ? "yard" : "street") {
  walker = { portal, place };
  return act("walk_through", { portal });
}

/** Somebody inside goes out by handle or button. */
export async function goOut(portal) {
  walker = { portal, place: "lobby" };
  const error = await act("leave", { portal });
  if (error) complain(error);
}

/** The figures follow the doors as the world shows them, not as the records say. */
function follow() {
  const portals = state.world.portals;
  if (entering && performance.now() > entering.ends) entering = null;
  if (entering && walkIn && !state.story && portals[entering.portal].mode === "accessed"
    && portals[entering.portal].door === "closed") {
    const { portal, place } = entering;
    entering = null;
    setTimeout(() => walk(portal, place), WALK_IN_AFTER_MS);
  }
  if (walker && portals[walker.portal].door === "open") {
    const { portal, place } = walker;
    walker = null;
    pass(portal, place);
  }
}

function pass(portal, place) {
  const name = at[place];
  if (!name) return;
  const outside = portal === slots().yard ? "yard" : "street";
  const mover = byId(`actor-${place}`).querySelector(".mover");
  mover.style.transform = `translate(${outside === "yard" ? 650 : 350}px, 440px)`;
  setTimeout(() => { if (at[place] === name) stand(place === "lobby" ? outside : "lobby", name); }, 500);
}

function personButton(who) {
  const button = make("button", { type: "button", class: "person", "data-person": who.name, draggable: "false" });
  const picture = svg("svg", { viewBox: "-8 0 60 104", "aria-hidden": "true" }, svg("use", { href: figure(who.name) }));
  const words = make("span", {}, make("b", {}), make("small", {}));
  words.firstChild.style.fontWeight = "600";
  button.append(picture, words);
  button.addEventListener("click", () => { if (!button.dataset.dragged) present(who.name); });
  startDrag(button, () => who.name);
  return button;
}

/** Drag a person to a reader. Tapping does the same, so dragging is never the only way. */
function startDrag(el, nameOf) {
  el.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || !nameOf()) return;
    let ghost = null;
    const move = (event) => {
      if (!ghost && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < 8) return;
      if (!ghost) {
        el.dataset.dragged = "1";
        ghost = svg("svg", { class: "ghost", viewBox: "-8 0 60 104", "aria-hidden": "true" }, svg("use", { href: figure(nameOf()) }));
        document.body.append(ghost);
      }
      ghost.style.left = `${event.clientX}px`;
      ghost.style.top = `${event.clientY}px`;
    };
    const end = (event) => {
      for (const [kind, fn] of [["pointermove", move], ["pointerup", end], ["pointercancel", end]]) removeEventListener(kind, fn);
      ghost?.remove();
      if (!ghost) return;
      setTimeout(() => delete el.dataset.dragged, 0);
      if (event.type === "pointerup") drop(nameOf(), event.clientX, event.clientY);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  });
}

function drop(name, x, y) {
  const under = document.elementsFromPoint(x, y).find((el) => el.dataset?.ap || el.classList?.contains("keypad"));
  if (under) present(name, under.dataset.ap ?? meant("hot-front-in"));
}

let drawn = "";

export function drawPeople() {
  if (!state.world) return;
  const row = byId("people");
  const key = people().map((p) => p.name).join();
  if (key !== drawn) {
    drawn = key;
    row.replaceChildren(...people().map(personButton));
  }
  for (const button of row.children) {
    const who = person(button.dataset.person);
    text(button.querySelector("b"), personName(who.name));
    text(button.querySelector("small"), who === STRANGER ? t("person.unknown.note") : who.note?.[language()] ?? "");
    attr(button, "aria-pressed", who.name === state.selected);
    button.disabled = !state.live;
  }
  rove(row);
  drawFigureButtons();
  follow();
}

function drawFigureButtons() {
  const spots = { street: "hot-street", lobby: "hot-lobby", yard: "hot-yard-person" };
  for (const [place, id] of Object.entries(spots)) {
    const hot = byId(id);
    hot.hidden = !at[place];
    if (!at[place]) continue;
    label(hot, t(place === "lobby" ? "page.figure_in" : "page.figure", { who: personName(at[place]) }));
  }
}

export function startPeople() {
  byId("hot-street").addEventListener("click", () => at.street && present(at.street));
  byId("hot-yard-person").addEventListener("click", () => at.yard && present(at.yard, meant("hot-yard-in")));
  byId("hot-lobby").addEventListener("click", () => goOut(slots().front));
  for (const id of ["hot-front-in", "hot-yard-in", "hot-yard-out"]) {
    byId(id).addEventListener("click", () => present(state.selected, byId(id).dataset.ap));
  }
  startDrag(byId("hot-street"), () => at.street);
  byId("walk-in").addEventListener("change", (event) => { walkIn = event.target.checked; });
  for (const b of document.querySelectorAll("#views button")) b.addEventListener("click", () => showView(b.dataset.view));
  byId("stage").addEventListener("focusin", (event) => {
    const side = event.target.closest("[data-side]")?.dataset.side;
    if (side && event.target.matches(":focus-visible")) showView(side);
  });
  showView("street");
  stand("street", "resident");
  hint();
}
