// Signed commands: sent by the simulator over its broker; what is said of one is the controller's own word.

import { clockTime } from "./clock.js";
import { command } from "./net.js";
import { byName } from "./say.js";
import { now, state } from "./state.js";
import { has, say, sentences, t } from "./words.js";

const ANSWER_S = 5;

/** The reply as {ok, text}; nothing is assumed where none came. `done` names the sentence of success. */
function outcome({ op, what, done, values }, { status, body }) {
  const by = byName(state.world.operator?.id);
  const clock = clockTime(now());
  if (body.ok) return { ok: true, text: say(done, { by, time: clock, ...values }) };
  const about = { what, controller: state.world.controller, s: ANSWER_S };
  if (status === 202) {
    const away = !state.world.power || !state.world.network;
    const ends = t(op === "portal.release" ? "ctl.ends.open" : "ctl.ends", { time: clockTime(Date.parse(body.expires)) });
    return { ok: false, text: sentences([t(away ? "ctl.no_answer.offline" : "ctl.no_answer", about), ends]) };
  }
  const { code, message } = body.error ?? {};
  if (status !== 200 || !code) return { ok: false, text: t("page.error", { error: message ?? body.error ?? status }) };
  const refused = has(`refused.${code}`) ? t(`refused.${code}`) : code;
  const explained = (code === "failed" || code === "bad_command") && message;
  const why = has(`reason.${message}`) ? t(`reason.${message}`) : message;
  const lines = [t("ctl.refused", { ...about, refused }), explained && t("ctl.why", { why }), t("ctl.nothing_done")];
  return { ok: false, text: sentences(lines.filter(Boolean)) };
}

/** Send one command and wait for the controller's word: {ok, text}. */
export async function order(op, args, what, done, values = {}) {
  return outcome({ op, what, done, values }, await command({ op, args }));
}
