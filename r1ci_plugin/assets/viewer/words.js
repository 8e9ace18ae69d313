// What values are called on the page. A value that is not listed shows as it is.

const VERDICTS = ["correct", "wrong", "unparseable", "timeout", "error", "lost"];

const OUTCOME_WORDS = {
  answered: "answered",
  no_answer: "no answer",
  call_limit: "call limit",
  length: "length",
  lost: "lost",
};
const OUTCOME_MEANING = {
  answered: "the final turn holds an answer",
  no_answer: "the policy ended its final turn without an answer",
  call_limit: "the policy asked for one more code call than it may",
  length: "the token budget ended it",
  lost: "the infrastructure failed: it counts nowhere",
};
const ISOLATION_MEANING = {
  ns: "namespaces of its own, no network, no files of the machine",
  landlock: "Landlock and seccomp: no network, no files outside its scratch folder",
  seccomp: "a root folder and a user of its own, seccomp: no network, no files of the machine",
  process: "a process of its own with limits, no wall against files or network",
  none: "nothing protected the machine",
};
const CALL_WORDS = { none: "no code", ok: "ok", error: "error", timeout: "timeout", memory: "memory" };

function seconds(value) {
  if (value >= 100) return `${Math.round(value)} s`;
  return value >= 1 ? `${value.toFixed(1)} s` : `${Math.round(value * 1000)} ms`;
}

function signed(value) {
  return `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
}

function percent(part, whole) {
  return whole ? `${(100 * part / whole).toFixed(1)} %` : "\u2013";
}

function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
