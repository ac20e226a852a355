// Enter in a number's field scores, Ctrl+Enter does anywhere on the page; one Tab leads from field to field.
() => {
  const isList = (target) => target.getAttribute?.("role") === "combobox";
  // To Gradio the choices of one question are as many questions: arrow keys would not move among them.
  const unite = (group) => {
    const choices = group.querySelectorAll("input[type=radio]");
    choices.forEach((choice) => { choice.name = choices[0].name; });
  };
  addEventListener("keydown", (event) => {
    const { key, target } = event, score = document.querySelector("#lm-score");
    if (key === "Tab") document.querySelectorAll("fieldset").forEach(unite);
    if (key === "Tab" && isList(target)) {
      event.stopPropagation();  // Gradio takes the key for typing, and reopens the list that is left
      // A list that scrolls would be a stop of its own.
      document.getElementById(target.getAttribute("aria-controls"))?.setAttribute("tabindex", -1);
    }
    const asked = event.ctrlKey || event.metaKey || target.type === "number";
    if (key !== "Enter" || !asked || !score?.offsetParent) return;
    event.stopPropagation();
    if (isList(target)) score.focus();  // leaving a list takes what was typed into it
    setTimeout(() => score.click(), 200);  // by then the widgets have told of the last key
  }, true);
  // Gradio answers a key a moment later, and reopens the list if it was left meanwhile.
  addEventListener("focusout", ({ target }) => isList(target) && setTimeout(() => {
    const open = target.getAttribute("aria-expanded") === "true" && document.activeElement !== target;
    if (open) target.dispatchEvent(new FocusEvent("blur"));
  }, 100));
}
