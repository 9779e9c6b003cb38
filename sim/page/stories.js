// Stories: lists of verbs with a caption each. They can be stopped, and tidy up after themselves.

import { present, showView, walk } from "./actors.js";
import { attr, byId, make, rove, text } from "./dom.js";
import { seeAll } from "./alarms.js";
import { typeIn } from "./keypad.js";
import { endLockdown, lockdown } from "./desk.js";
import { act, command } from "./net.js";
import { complain } from "./notice.js";
import { changed, onChange, slots, state, unsent } from "./state.js";
import { t } from "./words.js";

const PATIENCE_MS = 45000;
const READ_MS = 2500;
const OLD = 100; // commands that nobody wants any more

let playing = null; // {id, stopped, wake}
let lastEvents = [];

export function storyEvent(event) {
  lastEvents.push(event);
  if (lastEvents.length > 50) lastEvents.shift();
  playing?.wake?.();
}

class Stopped extends Error {}

/** What a story may do; every step ends at once when the story is stopped. */
function stage(story, run) {
  const check = () => { if (run.stopped) throw new Stopped(); };
  const wait = (ms, ready) => new Promise((done) => {
    const end = setTimeout(() => finish(!ready), ms);
    function finish(came) { clearTimeout(end); run.wake = null; run.stopped ||= !came; done(); }
    run.wake = () => { if (run.stopped || ready?.()) finish(true); };
    run.wake();
  }).then(check);
  const until = (ready) => wait(PATIENCE_MS, () => state.world && ready(state.world));
  const free = (portal) => until((w) => w.portals[portal].lock === "unlocked");
  return {
    say: (n) => { check(); run.caption = `story.${story}.${n}`; drawStories(); },
    order: async (asked) => { check(); const { body, status } = await command(asked); if (status === 422) complain(String(body.error)); check(); return body; },
    desk: async (doing) => { check(); const { ok, text: line } = await doing(); if (!ok) complain(line, true); check(); },
    do: async (verb, args) => { check(); const error = await act(verb, args); if (error) complain(error); check(); },
    pin: async (digits) => { check(); lastEvents = []; await typeIn(digits); check(); },
    show: async (name, ap) => { check(); lastEvents = []; await present(name, ap); check(); },
    free,
    walk: async (portal = front()) => {
      await free(portal);
      await walk(portal);
      await until((w) => w.portals[portal].door === "open");
    },
    forget: () => { lastEvents = []; },
    view: showView,
    read: () => wait(READ_MS),
    until,
    event: (type) => wait(PATIENCE_MS, () => lastEvents.some((event) => event.type === type)),
  };
}

const front = () => slots().front;
const door = (world) => world.portals[front()];

const STORIES = {
  home: async (s) => {
    s.say(1); await s.show("resident"); await s.event("access.granted");
    s.say(2); await s.read(); await s.walk(); await s.until((w) => door(w).door === "closed");
    s.say(3); await s.read();
  },
  ended: async (s) => {
    s.say(1); await s.show("ended_lease"); await s.event("access.denied");
    s.say(2); await s.read(); await s.read();
  },
  prop: async (s) => {
    s.say(1); await s.show("resident"); await s.walk(); await s.do("prop_door", { portal: front() });
    s.say(2); await s.until((w) => door(w).alarm === "door_held");
    s.say(3); await s.read(); await s.read();
    s.say(4); await s.do("press_ack"); await s.read(); await s.do("close_door", { portal: front() });
  },
  force: async (s) => {
    s.view("street"); s.say(1); await s.read(); await s.do("force_door", { portal: front() });
    s.say(2); await s.until((w) => w.alarms.length > 0); await s.read(); await s.read();
    s.say(3); await s.do("press_ack"); await s.read(); await s.do("close_door", { portal: front() });
    await s.until((w) => w.alarms.length === 0);
  },
  fire: async (s) => {
    s.view("lobby"); s.say(1); await s.do("set_fire", { on: true });
    await s.until((w) => door(w).fire); s.say(2); await s.read(); await s.read(); await s.do("press_ack");
    s.say(3); await s.do("set_fire", { on: false }); await s.until((w) => !door(w).fire); await s.read();
  },
  power: async (s) => {
    s.say(1); await s.show("resident"); await s.free(front()); await s.read(); await s.do("cut_power");
    await s.until((w) => !w.power); s.say(2); await s.read(); await s.read();
    s.say(3); await s.do("restore_power"); await s.until((w) => w.power); await s.read();
  },
  network: async (s) => {
    s.say(1); await s.do("cut_network"); await s.until((w) => !w.network); await s.read();
    s.say(2); await s.show("resident"); await s.walk(); await s.show("ended_lease"); await s.read();
    s.say(3); await s.do("restore_network"); await s.until((w) => w.network && !unsent(w)); await s.read();
  },
  visitor: async (s) => {
    s.say(1); await s.show("visitor"); await s.walk(slots().yard);
    await s.until((w) => w.portals[slots().yard].door === "closed");
    s.say(2); await s.show("visitor"); await s.event("access.denied"); await s.read();
  },
  duress: async (s) => {
    s.view("street"); s.say(1); await s.read();
    await s.pin(state.world.people.find((p) => p.duress_pin)?.duress_pin);
    await s.free(front()); s.say(2); await s.walk(); await s.event("alarm.raised");
    await s.read(); s.say(3); await s.read(); await s.until((w) => door(w).door === "closed");
    await seeAll(); await s.until((w) => !w.alarms.length);
  },
  jam: async (s) => {
    s.view("street"); s.say(1); await s.show("resident"); await s.free(front());
    await s.do("jam_lock", { portal: front(), on: true }); await s.walk();
    await s.until((w) => door(w).door === "closed" && w.alarms.some((alarm) => alarm.class === "lock_fault"));
    s.say(2); await s.read(); await s.read();
    s.say(3); await s.do("press_ack"); await s.read(); await s.do("jam_lock", { portal: front(), on: false });
    await s.until((w) => !w.alarms.length);
  },
  mains: async (s) => {
    s.view("lobby"); s.say(1); await s.do("fail_mains", { on: true }); await s.read();
    s.say(2); await s.until((w) => w.alarms.some((alarm) => alarm.class === "power_fault")); await s.read(); await s.read();
    s.say(3); await s.show("resident"); await s.walk(); await s.do("press_ack"); await s.do("fail_mains", { on: false });
    await s.until((w) => door(w).door === "closed" && !w.alarms.length);
  },
  lockdown: async (s) => {
    s.view("street"); s.say(1); await s.desk(lockdown); await s.until((w) => door(w).mode === "locked_down");
    s.say(2); await s.show("resident"); await s.event("access.denied"); await s.read();
    s.say(3); await s.do("leave", { portal: front() }); await s.until((w) => door(w).door === "open"); await s.read();
    await s.until((w) => door(w).door === "closed");
    s.view("lobby"); s.say(4); await s.do("set_fire", { on: true }); await s.until((w) => door(w).fire); await s.read();
    s.say(5); await s.do("set_fire", { on: false }); await s.until((w) => !door(w).fire); await seeAll(); await s.read();
    await s.desk(endLockdown); await s.until((w) => door(w).mode === "locked" && !w.alarms.length);
  },
  old: async (s) => {
    s.view("street"); s.say(1); await s.do("cut_network"); await s.until((w) => !w.network); await s.read();
    s.say(2);
    const old = { op: "portal.release", args: { portal: front() }, life_s: 1, wait_s: 0 };
    for (let sent = 0; sent < OLD; sent += 10) await Promise.all(Array.from({ length: 10 }, () => s.order(old)));
    await s.read();
    s.forget(); s.say(3); await s.do("restore_network"); await s.event("command.rejected");
    s.say(4); await s.read(); await s.read();
  },
  storage: async (s) => {
    s.view("lobby"); s.say(1); await s.do("fail_storage", { on: true, mode: "error" }); await s.read();
    s.say(2); await s.show("resident"); await s.walk(); await s.until((w) => door(w).door === "closed");
    s.view("lobby"); s.say(3); await s.read(); await s.read();
    s.forget(); s.say(4); await s.do("fail_storage", { on: false }); await s.event("access.granted"); await s.read();
  },
  stranger: async (s) => {
    s.view("street"); s.forget(); s.say(1); await s.read();
    const sent = s.order({ op: "portal.release", args: { portal: front() }, stranger: true });
    await s.event("command.rejected"); s.say(2); await sent; await s.read();
  },
};

// What each story may leave behind, taken back in this order when it ends or is stopped.
const TIDY = {
  prop: [["close_door"], ["press_ack"]], force: [["close_door"], ["press_ack"]],
  jam: [["jam_lock"], ["press_ack"]], mains: [["fail_mains", { on: false }], ["press_ack"]],
  fire: [["set_fire", { on: false }], ["press_ack"]], power: [["restore_power"]], network: [["restore_network"]],
  lockdown: [["set_fire", { on: false }], ["press_ack"]], old: [["restore_network"]], storage: [["fail_storage", { on: false }], ["press_ack"]],
};

// What a building must have for a story to be played in it.
const NEEDS = {
  visitor: (w) => w.people.some((p) => p.qr) && Boolean(slots().yard),
  duress: (w) => w.people.some((p) => p.duress_pin),
  jam: (w) => Boolean(w.portals[front()].bond),
  storage: (w) => w.storage != null,
  mains: (w) => Object.values(w.points).some((point) => point.class === "power_fault"),
};

const OF_FRONT = { close_door: () => ({ portal: front() }), jam_lock: () => ({ portal: front(), on: false }) };

async function tidy(id) {
  for (const [verb, args] of TIDY[id] ?? []) {
    if (verb === "restore_power" && state.world.power) continue;
    if (verb === "restore_network" && state.world.network) continue;
    if (verb === "press_ack" && !state.world.alarms.length) continue;
    if (verb === "close_door" && door(state.world).door !== "open") continue;
    await act(verb, args ?? OF_FRONT[verb]?.() ?? {});
  }
  if (id === "lockdown" && Object.values(state.world.portals).some((one) => one.mode === "locked_down")) await endLockdown();
}

async function play(id) {
  if (playing) return;
  const run = { id, stopped: false, wake: null, caption: null, ended: false };
  playing = run;
  state.story = id;
  lastEvents = [];
  byId("drawing").scrollIntoView({ block: "nearest" });
  try {
    await STORIES[id](stage(id, run));
    run.caption = `story.${id}.end`;
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    run.caption = null;
  } finally {
    await tidy(id);
    playing = null;
    state.story = null;
    finished = run.caption ? run : null;
    changed();
  }
}

let finished = null; // the last story, for its closing sentence

function stop() {
  if (playing) { playing.stopped = true; playing.wake?.(); } else { finished = null; changed(); }
}

export function drawStories() {
  const run = playing ?? finished;
  byId("caption").hidden = !run?.caption;
  if (run?.caption) text(byId("caption-text"), t("page.story.playing", { title: t(`story.${run.id}.title`), caption: t(run.caption) }));
  text(byId("story-stop"), t(playing ? "button.stop" : "button.close"));
  for (const button of byId("stories").children) {
    text(button.querySelector(".what"), t(`story.${button.dataset.story}.title`));
    attr(button, "aria-pressed", button.dataset.story === playing?.id);
    button.hidden = Boolean(state.world) && NEEDS[button.dataset.story]?.(state.world) === false;
    button.disabled = !state.live || (Boolean(playing) && button.dataset.story !== playing.id);
  }
  rove(byId("stories"));
}

export function startStories() {
  for (const id of Object.keys(STORIES)) {
    const button = make("button", { type: "button", class: "switch", "data-story": id },
      make("span", { class: "play", "aria-hidden": "true" }), make("span", { class: "what" }));
    button.addEventListener("click", () => { if (playing) stop(); else { finished = null; play(id); } });
    byId("stories").append(button);
  }
  byId("story-stop").addEventListener("click", stop);
  onChange(() => playing?.wake?.());
}
