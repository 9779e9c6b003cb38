// Folding: what one passage leaves (let in, unlocked, opened, through, closed, locked) is one row.
// Pure: events in, rows out; no document, no words.

const JOINS = new Set(["portal.released", "portal.opened", "access.taken", "access.not_taken", "portal.secured", "portal.closed"]);
const JOIN_CAUSES = new Set(["credential", "override", "rex"]);
const EARLY_MAX = 10;
const APART_MS = 10 * 60 * 1000;

export const categoryOf = (type) => {
  if (type === "access.denied" || type === "command.rejected") return "refused";
  if (type.startsWith("access.") || type.startsWith("portal.") || type.startsWith("intercom.")) return "passages";
  return type.startsWith("alarm.") ? "alarms" : "system";
};

export class Folder {
  #open = new Map(); // portal -> the visit that is still going on
  #order = null;     // the row of a command that was just carried out: what it did follows it
  #early = [];       // rows that overtook the command that they are of: alarms leave first

  /** Take one event. Returns {row, fresh}: the row it belongs to, and whether that row is new. */
  add(event) {
    const order = this.#order;
    if (order && isEffect(order, event)) {
      order.events.push(event);
      if (order.events.length === 2) order.category = categoryOf(event.type);
      return { row: order, fresh: false };
    }
    this.#order = null;
    if (event.type === "command.accepted") {
      const early = this.#early.find((row) => row.events[0].seq === event.seq + 1 && row.events[0].journal === event.journal && row.events[0].by === event.by);
      if (early) {
        early.events.unshift(event);
        early.order = true;
        return { row: early, fresh: false };
      }
    }
    const visit = this.#open.get(event.portal);
    if (visit && joins(visit, event)) {
      visit.events.push(event);
      if (finished(visit)) this.#open.delete(event.portal);
      return { row: visit, fresh: false };
    }
    const row = { id: event.id, portal: event.portal, events: [event], category: categoryOf(event.type), visit: false };
    if (event.type === "access.granted" || (event.type === "portal.released" && event.cause === "rex")) {
      row.visit = true;
      this.#open.set(event.portal, row);
    }
    if (event.type.startsWith("alarm.") && event.by) this.#early = [row, ...this.#early].slice(0, EARLY_MAX);
    if (event.type === "command.accepted") {
      row.order = true;
      this.#order = row;
    }
    return { row, fresh: true };
  }
}

/** What a command did stands right behind it, in one piece with it, and names who ordered it. */
function isEffect(row, event) {
  const last = row.events.at(-1);
  return event.journal === last.journal && event.seq === last.seq + 1 && event.by === row.events[0].by
    && !event.type.startsWith("command.");
}

function joins(visit, event) {
  if (!JOINS.has(event.type)) return false;
  if (event.type === "portal.released" && !JOIN_CAUSES.has(event.cause)) return false;
  if (event.type === "portal.released" && event.cause !== "rex" && visit.events[0].cause === "rex") return false;
  return Math.abs(Date.parse(event.time) - Date.parse(visit.events.at(-1).time)) < APART_MS;
}

function finished(visit) {
  const types = new Set(visit.events.map((event) => event.type));
  const shut = types.has("portal.closed") || !types.has("portal.opened");
  // Whether somebody went through is told a moment after the lock: the visit waits for that word.
  const told = visit.events[0].type !== "access.granted" || types.has("access.taken") || types.has("access.not_taken");
  return shut && told && types.has("portal.secured");
}
