// One row of the list, opened: its lines, the message with its topic, and how to do it oneself.

import { clockTime } from "./clock.js";
import { make } from "./dom.js";
import { sentence, visitSentence } from "./say.js";
import { t } from "./words.js";
import { actBehind, asCommand, asCurl, asStep, topicOf } from "./yourself.js";

/** A visit is one sentence; a command is told by what it did. */
export function rowSentence(row) {
  if (row.visit) return visitSentence(row);
  return sentence(row.order && row.events.length > 1 ? row.events[1] : row.events[0]);
}

async function copy(value, button) {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // No clipboard on plain http at a LAN address: select and copy as of old.
    const field = make("textarea", { class: "unseen", readonly: "" });
    field.value = value;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.textContent = t("button.copied");
  setTimeout(() => { button.textContent = t("button.copy"); }, 2000);
}

function code(value, name) {
  const button = make("button", { type: "button", class: "plain" }, t("button.copy"));
  if (name) button.setAttribute("aria-label", `${t("button.copy")}: ${name}`);
  button.addEventListener("click", () => copy(value, button));
  return make("div", { class: "code" }, make("pre", {}, value), button);
}

function fold(summary, ...content) {
  return make("details", {}, make("summary", {}, summary), ...content);
}

function line(event) {
  return make("li", {}, make("time", {}, clockTime(Date.parse(event.time))),
    make("span", {}, sentence(event), make("small", {}, `${event.type} · ${event.seq}`)));
}

function yourself(row) {
  const act = actBehind(row.events[0], row.heardAt);
  const parts = act ? [["page.row.curl", asCurl(act)], ["page.row.step", asStep(act)]] : [];
  const own = asCommand(act);
  parts.push([own ? "page.row.order" : "page.row.doorctl", own ?? "doorctl watch --demo"]);
  return fold(t("page.row.yourself"),
    ...parts.flatMap(([key, value]) => [make("h3", {}, t(key)), code(value, t(key))]));
}

export function rowBody(row) {
  const body = make("div", { class: "row-body", "data-lines": String(row.events.length) });
  if (row.events.length > 1) body.append(make("ol", {}, ...row.events.map(line)));
  const messages = row.events.map((event) => code(JSON.stringify(event, null, 1), String(event.seq)));
  body.append(fold(t("page.row.message", { topic: topicOf() }), ...messages), yourself(row));
  return body;
}
