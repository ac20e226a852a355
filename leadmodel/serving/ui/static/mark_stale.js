// Without a mark, an old answer would pass for the answer to values that changed since.
(...values) => {
  const result = document.querySelector("#lm-result");
  result.classList.toggle("lm-stale", JSON.stringify(values) !== result.dataset.scored);
}
