/** The password rules, as the page uses them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { rules, unmetRules } from "../rules.js";

const names = (password) => unmetRules(password).map((rule) => rule.name);

test("a good password breaks no rule", () => {
  assert.deepEqual(names("Correct-Horse-7"), []);
});

test("an empty password breaks every rule, in reading order", () => {
  assert.deepEqual(names(""), rules.map((rule) => rule.name));
});

test("each rule is broken alone by what lacks only that", () => {
  assert.deepEqual(names("Short-1"), ["length"]);
  assert.deepEqual(names("no upper case 1!"), ["upper"]);
  assert.deepEqual(names("NO LOWER CASE 1!"), ["lower"]);
  assert.deepEqual(names("No digit at all!"), ["digit"]);
  assert.deepEqual(names("No symbol at all 1"), ["symbol"]);
});

test("length counts characters, not UTF-16 units", () => {
  assert.deepEqual(names("Aa1!😀😀😀😀"), ["length"]);
});
