// What the page knows: the world as last heard, whether it is heard at all, and the site's time.

export const state = {
  world: null,
  live: false,          // the simulator answers
  selected: "resident", // who holds the card
  story: null,          // the id of the story that plays
  thrown: {},           // switches this page has thrown and the world does not show
  openedAt: {},         // portal -> site time in ms at which it was seen to open
  replayTo: 0,          // records up to this number were there before the page
};

const listeners = new Set();
let heardUtc = 0;
let heardAt = 0;
let lostAt = null;
let queued = false;

export const onChange = (listener) => listeners.add(listener);

/** Draw soon: many changes of one frame are one drawing. Hidden pages still keep their title. */
export function changed() {
  if (queued) return;
  queued = true;
  const run = () => { queued = false; for (const listener of listeners) listener(state); };
  if (document.hidden) setTimeout(run, 50); else requestAnimationFrame(run);
}

/** The site's clock in ms since 1970, running on between two messages; it stands while nothing is heard. */
export const now = () => heardUtc + (lostAt ?? performance.now()) - heardAt;

export function setLive(live) {
  if (!live && state.live) lostAt = performance.now();
  if (live) lostAt = null;
  state.live = live;
  changed();
}

/** Records that have not left the house; others the broker has, and a host may yet have to store them. */
export const unsent = (world) => Math.max(0, (world?.waiting ?? 0) - (world?.held ?? 0));

export const parse = (utc) => (utc ? Date.parse(utc) : null);

function hearClock(world) {
  if (!world?.clock?.utc) return;
  heardUtc = Date.parse(world.clock.utc);
  heardAt = performance.now();
}

function noteOpenings(before, after) {
  for (const [id, portal] of Object.entries(after?.portals ?? {})) {
    const was = before?.portals?.[id]?.door;
    if (portal.door !== "open") delete state.openedAt[id];
    else if (was !== "open" || !(id in state.openedAt)) {
      const end = parse(portal.until);
      const since = parse(portal.since);
      state.openedAt[id] = was === undefined
        ? Math.min(now(), since ?? (end ? end - portal.open_ms : now())) : now();
    }
  }
}

/** Take the whole world. */
export function takeWorld(world) {
  const before = state.world;
  state.world = world;
  hearClock(world);
  noteOpenings(before, world);
  changed();
}

const ONE_BY_ONE = ["portals", "access_points", "outputs"];

/** Take a change: top-level keys replace; of portals, access points and outputs only those named. */
export function takeChange(part) {
  if (!state.world) return;
  const before = state.world;
  const next = { ...before, ...part };
  for (const key of ONE_BY_ONE) if (part[key]) next[key] = { ...before[key], ...part[key] };
  state.world = next;
  hearClock(part);
  noteOpenings(before, next);
  changed();
}

// The drawing has two doors; a board may call them what it likes.
export function portalIds() { return Object.keys(state.world?.portals ?? {}); }

export function slots() {
  const ids = portalIds();
  const front = ids.includes("front") ? "front" : ids[0];
  const yard = ids.includes("yard") ? "yard" : ids.find((id) => id !== front);
  return { front, yard };
}

export function accessPoint(portal, direction) {
  const all = Object.entries(state.world?.access_points ?? {});
  return all.find(([, ap]) => ap.portal === portal && ap.direction === direction)?.[0];
}
