/** The registration form: shows the rules while the password is typed, and what the backend answers. */

import { config } from "/config.js";
import { rules, unmetRules } from "/rules.js";

const form = document.querySelector("#registration");
const password = form.elements.password;
const list = document.querySelector("#rules");
const message = document.querySelector("#message");
const button = form.querySelector("button");

const say = (kind, text, reasons = []) => {
  message.dataset.kind = kind;
  message.textContent = `${text} ${reasons.join("; ")}`.trim();
};

const showRules = () => {
  const unmet = new Set(unmetRules(password.value).map((rule) => rule.name));
  for (const item of list.children) {
    item.dataset.met = String(!unmet.has(item.dataset.rule));
    item.querySelector(".state").textContent = unmet.has(item.dataset.rule) ? "still needed: " : "done: ";
  }
};

const register = async () => {
  const body = {
    email: form.elements.email.value.trim(),
    display_name: form.elements.display_name.value.trim(),
    password: password.value,
  };
  const answer = await fetch(`${config.apiUrl}/auth/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { ok: answer.ok, ...(await answer.json()) };
};

const submit = async (event) => {
  event.preventDefault();
  const unmet = unmetRules(password.value);
  if (unmet.length > 0) {
    say("refused", "The password is too weak.", unmet.map((rule) => rule.text));
    password.focus();
    return;
  }
  button.disabled = true;
  say("waiting", "One moment …");
  try {
    const answer = await register();
    if (answer.ok) {
      form.reset();
      showRules();
      say("done", `Welcome, ${answer.display_name}. Your account is ready.`);
    } else {
      say("refused", answer.detail, answer.reasons);
    }
  } catch {
    say("refused", "The service cannot be reached. Please try again in a moment.");
  } finally {
    button.disabled = false;
  }
};

const template = document.querySelector("#rule");
for (const rule of rules) {
  const item = template.content.cloneNode(true).firstElementChild;
  item.dataset.rule = rule.name;
  item.querySelector(".text").textContent = rule.text;
  list.append(item);
}
document.querySelector("#environment").textContent = config.environment;
password.addEventListener("input", showRules);
form.addEventListener("submit", submit);
showRules();
