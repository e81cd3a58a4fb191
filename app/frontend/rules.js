/** Which passwords are good enough; app/backend/passwords.py holds the same rules. */

export const rules = [
  { name: "length", text: "At least 12 characters", holds: (password) => [...password].length >= 12 },
  { name: "upper", text: "An upper-case letter", holds: (password) => /\p{Lu}/u.test(password) },
  { name: "lower", text: "A lower-case letter", holds: (password) => /\p{Ll}/u.test(password) },
  { name: "digit", text: "A digit", holds: (password) => /\p{Nd}/u.test(password) },
  { name: "symbol", text: "A symbol, such as ! or #", holds: (password) => /[\p{P}\p{S}]/u.test(password) },
];

/** Give the rules that a password breaks, in the order in which people read them. */
export const unmetRules = (password) => rules.filter((rule) => !rule.holds(password));
