// What the page says aloud: one sentence in two seconds at most, and alarms at once.

import { byId, text } from "./dom.js";
import { state } from "./state.js";
import { t } from "./words.js";

const PAUSE_MS = 2000;
let queue = [];
let busy = false;

function next() {
  if (!queue.length) { busy = false; return; }
  busy = true;
  const [first, ...rest] = queue;
  queue = [];
  const log = byId("say");
  const line = document.createElement("p");
  line.textContent = rest.length ? `${first} ${t("page.more", { n: rest.length })}` : first;
  log.append(line);
  while (log.childElementCount > 5) log.firstElementChild.remove();
  setTimeout(next, PAUSE_MS);
}

/** Announce an event that came in now; what the page replays is not announced. */
export function announce(event, sentence) {
  if (event.seq <= state.replayTo || event.type === "system.checkpoint") return;
  if (event.type === "alarm.raised" && event.priority <= 2) { byId("shout").textContent = sentence; return; }
  queue.push(sentence);
  if (!busy) next();
}

let clears = null;

/** Say that an act was refused by the world, or a whole sentence; it stays long enough to be read. */
export function complain(error, whole = false) {
  text(byId("trouble"), whole ? error : t("page.error", { error }));
  clearTimeout(clears);
  clears = setTimeout(() => text(byId("trouble"), ""), 15000);
}
