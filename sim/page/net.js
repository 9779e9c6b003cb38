// The one origin: the world, its changes and the events come in; acts go out.

import { setLive, state, takeChange, takeWorld } from "./state.js";

const RETRY_MS = 1000;
const SEEN_MAX = 2000;

export const origin = location.origin;
const seen = new Set();
const acts = [];
let source = null;
let onEvent = () => {};

/** Acts that this page began, newest last: {at, act}. */
export const recentActs = () => acts;

async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    return { status: 0, body: { ok: false, error: String(error.message ?? error) } };
  }
}

function remember(act) {
  acts.push({ at: Date.now(), act });
  if (acts.length > 50) acts.shift();
}

/** Ask the world for something. Returns null when it has begun, else the one line of refusal. */
export async function act(verb, args = {}) {
  const act = { do: verb, ...args };
  const { status, body } = await post("api/act", act);
  if (!body.ok) return String(body.error ?? status);
  remember(act);
  return null;
}

/** Have the demo's operator sign {op, args} and send it over the broker: {status, body} of the answer. */
export async function command(asked) {
  const answer = await post("api/command", asked);
  if (answer.body.id) remember({ do: "command", op: asked.op, args: asked.args ?? {}, id: answer.body.id });
  return answer;
}

function take(event) {
  if (seen.has(event.id)) return;
  seen.add(event.id);
  if (seen.size > SEEN_MAX) seen.delete(seen.values().next().value);
  onEvent(event);
}

function lost() {
  source?.close();
  source = null;
  setLive(false);
  setTimeout(connect, RETRY_MS);
}

async function askWorld() {
  const answer = await fetch("api/world", { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** The stream has begun: what changed between the first look and now was told to nobody. */
async function lookAgain() {
  setLive(true);
  const world = await askWorld().catch(() => null);
  if (!world) return;
  if (world.at_ms >= (state.world.at_ms ?? 0)) takeWorld(world);
  else lookAgain();
}

async function connect() {
  try {
    const world = await askWorld();
    if (!state.world) state.replayTo = world.records ?? 0;
    takeWorld(world);
  } catch {
    setLive(false);
    setTimeout(connect, RETRY_MS);
    return;
  }
  source = new EventSource("api/events");
  source.addEventListener("open", lookAgain);
  source.addEventListener("event", (message) => take(JSON.parse(message.data)));
  source.addEventListener("world", (message) => takeChange(JSON.parse(message.data)));
  source.addEventListener("error", lost);
}

export function start(eventListener) {
  onEvent = eventListener;
  connect();
}
