// What happened: newest on top, visits folded, never more rows than a browser likes.

import { clockTime, dayName, dayOf } from "./clock.js";
import { attr, byId, make, rove, sign, svg, text } from "./dom.js";
import { announce } from "./notice.js";
import { rowBody, rowSentence } from "./row.js";
import { state, unsent } from "./state.js";
import { t } from "./words.js";
import { Folder } from "./visits.js";

const ROWS_MAX = 200;
const FILTERS = ["all", "passages", "refused", "alarms", "system"];

const folder = new Folder();
let rows = [];           // newest first
const shown = new Map(); // row id -> its element
let held = 0;            // how many of the newest wait behind "4 new"
let filter = "all";
let dirty = new Set();
let offlineFrom = null;
let offlineTo = null;

/** Remember when the network was away: what carries a time from then was kept. */
export function noteNetwork(network, now) {
  if (network === false && offlineFrom == null) { offlineFrom = now; offlineTo = null; }
  if (network === true && offlineFrom != null && offlineTo == null) offlineTo = now;
  if (network === false && offlineTo != null) { offlineFrom = now; offlineTo = null; }
}

function wasKept(event) {
  const at = Date.parse(event.time);
  // What arrives from the time of the cut was kept, also when it overtakes the news of its end.
  return offlineFrom != null && at >= offlineFrom && (offlineTo == null || at <= offlineTo);
}

const reading = () => {
  const list = byId("rows");
  if (list.contains(document.activeElement) && document.activeElement !== list) return true;
  if (list.scrollTop > 8) return true;
  const ownScroll = getComputedStyle(list).overflowY === "auto";
  return !ownScroll && list.getBoundingClientRect().top < 60 && scrollY > 0;
};

export function takeEvent(event) {
  const { row, fresh } = event.type.startsWith("media.") ? joinPicture(event) : folder.add(event);
  row.heardAt = Date.now();
  row.kept ||= wasKept(event);
  if (fresh) {
    rows.unshift(row);
    if (held || (reading() && fits(row))) held += 1;
    if (rows.length > ROWS_MAX) rows.length = ROWS_MAX;
    held = Math.min(held, rows.length);
  }
  dirty.add(row);
  announce(event, rowSentence({ ...row, events: [event], visit: false }));
}

/** A picture belongs to its event's row and is no row of its own. */
function joinPicture(event) {
  const row = rows.find((r) => r.events.some((e) => e.id === event.event));
  if (!row) return folder.add(event);
  row.events.push(event);
  return { row, fresh: false };
}

function mark(row) {
  const first = row.events[0];
  if (first.type === "alarm.raised" || first.type === "alarm.repeated") return sign(first.priority ?? 3, { full: false });
  if (row.category === "refused") {
    return svg("svg", { class: "no", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: "M4 4l12 12M16 4 4 16" }));
  }
  return null;
}

function build(row) {
  const head = make("button", { type: "button", class: "row-head", "aria-expanded": "false" },
    make("time", {}), make("span", { class: "text" }, make("span", { class: "said" }), make("small", {})), mark(row));
  const item = make("li", { class: "row" }, head);
  head.addEventListener("click", () => toggle(row, item, head));
  return item;
}

function toggle(row, item, head) {
  const open = head.getAttribute("aria-expanded") === "true";
  head.setAttribute("aria-expanded", String(!open));
  item.querySelector(".row-body")?.remove();
  if (!open) item.append(rowBody(row));
}

function fill(row, item) {
  const first = row.events[0];
  text(item.querySelector("time"), clockTime(Date.parse(first.time)));
  text(item.querySelector(".said"), rowSentence(row));
  const count = row.events.length > 1 ? ` · ${t("page.row.lines", { n: row.events.length })}` : "";
  const kept = row.kept ? ` · ${t("page.offline_kept")}` : "";
  text(item.querySelector("small"), `${first.type} · ${first.seq}${count}${kept}`);
  item.classList.toggle("kept", Boolean(row.kept));
  const body = item.querySelector(".row-body");
  if (body && Number(body.dataset.lines) !== row.events.length) body.replaceWith(rowBody(row));
}

// Signed checkpoints come by the clock: whoever looks for them finds them under "System".
const isQuiet = (row) => row.events[0].type === "system.checkpoint";

const fits = (row) => (filter === "all" ? !isQuiet(row) : row.category === filter);

function itemOf(row) {
  let item = shown.get(row.id);
  if (!item) {
    item = build(row);
    shown.set(row.id, item);
    fill(row, item);
    if (row.events.at(-1).seq > state.replayTo) item.classList.add("new");
  } else if (dirty.has(row)) fill(row, item);
  return item;
}

/** Bring the list to what it should be, touching only what differs. */
export function drawList() {
  const list = byId("rows");
  const wanted = [];
  let day = null;
  for (const row of rows.slice(held)) {
    if (!fits(row)) continue;
    const at = Date.parse(row.events[0].time);
    if (day !== null && dayOf(at) !== day) wanted.push(dateLine(at));
    day = dayOf(at);
    wanted.push(itemOf(row));
  }
  dirty.clear();
  place(list, wanted);
  forget();
  const fresh = rows.slice(0, held).filter(fits).length;
  byId("fresh").hidden = fresh === 0;
  if (fresh) text(byId("fresh"), t(fresh === 1 ? "button.new_one" : "button.new", { n: fresh }));
  byId("nothing").hidden = wanted.length > 0;
  text(byId("nothing"), t(rows.length ? "page.nothing_here" : "page.nothing"));
  const { records, waiting } = state.world ?? {};
  const left = unsent(state.world);
  const count = left ? "page.records_wait" : waiting ? "page.records_held" : "page.records_sent";
  text(byId("records"), records == null ? "" : t(count, { n: records, waiting: left || waiting }));
}

const dates = new Map();

function dateLine(at) {
  const name = dayName(at);
  if (!dates.has(name)) dates.set(name, make("li", { class: "date" }, name));
  return dates.get(name);
}

function place(list, wanted) {
  const keep = new Set(wanted);
  for (const child of [...list.children]) if (!keep.has(child)) child.remove();
  let before = list.firstElementChild;
  for (const item of wanted) {
    if (item === before) before = before.nextElementSibling;
    else list.insertBefore(item, before);
  }
}

function forget() {
  if (shown.size <= ROWS_MAX) return;
  const alive = new Set(rows.map((row) => row.id));
  for (const id of shown.keys()) if (!alive.has(id)) shown.delete(id);
  if (dates.size > 10) dates.clear();
}

export function drawFilters() {
  for (const button of byId("filters").children) {
    text(button, t(`page.filter.${button.dataset.filter}`));
    attr(button, "aria-pressed", button.dataset.filter === filter);
  }
  rove(byId("filters"));
}

/** The language has changed: say everything again. */
export function retell() {
  dirty = new Set(rows);
  dates.clear();
  for (const [id, item] of shown) {
    const body = item.querySelector(".row-body");
    const row = rows.find((r) => r.id === id);
    if (body && row) body.replaceWith(rowBody(row));
  }
}

export function startList() {
  for (const key of FILTERS) {
    const button = make("button", { type: "button", "data-filter": key });
    button.addEventListener("click", () => { filter = key; drawFilters(); drawList(); });
    byId("filters").append(button);
  }
  byId("fresh").addEventListener("click", () => {
    held = 0;
    drawList();
    byId("rows").scrollTop = 0;
    byId("rows").focus({ preventScroll: true });
    byId("list-box").scrollIntoView({ block: "nearest" });
  });
  byId("rows").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const heads = [...byId("rows").querySelectorAll(".row-head")];
    const here = heads.indexOf(document.activeElement);
    if (!step || here < 0) return;
    event.preventDefault();
    heads[here + step]?.focus();
  });
}
