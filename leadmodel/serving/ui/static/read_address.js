// Puts the lead of the page's address in the place of the first input.
// A link pasted into an open page reloads it.
(_, ...others) => {
  addEventListener("hashchange", () => location.hash.startsWith("#lead?") && location.reload());
  return [location.hash.startsWith("#lead?") ? location.hash.slice(6) : "", ...others];
}
