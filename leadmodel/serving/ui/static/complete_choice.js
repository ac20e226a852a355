// Takes the only choice that begins with what was typed into a list; other texts stay as they are.
(value, choices) => {
  const fold = (text) => String(text ?? "").normalize("NFKC").trim().toLowerCase();
  const typed = fold(value), found = choices.filter((choice) => fold(choice).startsWith(typed));
  const same = found.filter((choice) => fold(choice) === typed);
  return typed && found.length === 1 ? found[0] : same.length === 1 ? same[0] : value;
}
