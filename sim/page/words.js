// The words: one file a language, fetched whole. Code holds keys, never sentences.

import { load, save } from "./saved.js";

let words = {};
let lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";

export const language = () => lang;

export async function useLanguage(next) {
  const answer = await fetch(`words/${next}.json`);
  if (!answer.ok) throw new Error(`words/${next}.json: ${answer.status}`);
  words = await answer.json();
  lang = next;
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
}

export function remember(next) {
  save("lang", next);
  const url = new URL(location.href);
  if (url.searchParams.has("lang")) {
    url.searchParams.set("lang", next);
    history.replaceState(null, "", url);
  }
}

export const savedLanguage = () => load("lang");

export const has = (key) => key in words;

const HOLE = /\{(\w+)\}/g;

/** The key that is said of n things: its ".one" form of one. */
const formOf = (key, n) => (String(n) === "1" && has(`${key}.one`) ? `${key}.one` : key);

/** The text of a key with its placeholders filled; what is not known says "?". */
export function t(key, values = {}) {
  return (words[formOf(key, values.n)] ?? key).replace(HOLE, (_, name) => values[name] ?? "?");
}

/** Like `t`, but takes the key's ".plain" form when a value that it needs is not known. */
export function say(key, values = {}) {
  const form = formOf(key, values.n);
  const known = [...(words[form] ?? "").matchAll(HOLE)].every(([, name]) => values[name] != null);
  return !known && has(`${form}.plain`) ? t(`${form}.plain`, values) : t(form, values);
}

/** The title of a thing of the board config in the language shown, else its id. */
export const title = (thing, id) => thing?.title?.[lang] ?? thing?.title?.en ?? id;

/** A title inside a sentence: English puts it in lower case unless it is an acronym. */
export const inner = (text) =>
  lang === "en" && /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text;

/** Sentences after one another: Chinese needs no space between them. */
export const sentences = (list) => list.join(lang === "zh" ? "" : " ");

export const listed = (list) => list.join(lang === "zh" ? "，" : ", ");

/** Fill every element that names its words in the document itself. */
export function fillDocument() {
  for (const el of document.querySelectorAll("[data-t]")) el.textContent = t(el.dataset.t);
  for (const el of document.querySelectorAll("[data-t-label]")) {
    el.setAttribute("aria-label", t(el.dataset.tLabel));
  }
}

/** A span of time in words, in its largest whole unit. */
export function span(ms) {
  const s = Math.round(Math.abs(ms) / 1000);
  const [unit, size] = s < 120 ? ["seconds", 1] : s < 7200 ? ["minutes", 60]
    : s < 172800 ? ["hours", 3600] : ["days", 86400];
  return t(`unit.${unit}`, { n: Math.round(s / size) });
}
