// On a phone, or at the end of a long form, the answer would be out of sight.
(...values) => {
  const result = document.querySelector("#lm-result"), { top } = result.getBoundingClientRect();
  result.dataset.scored = JSON.stringify(values);
  result.classList.remove("lm-stale");
  result.setAttribute("aria-live", "polite");
  if (result.querySelector(".lm-chance") && (top < 0 || top > innerHeight / 2)) result.scrollIntoView();
}
