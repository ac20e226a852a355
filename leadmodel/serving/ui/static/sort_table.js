// A press on a column's name tells the server; the new table gives the focus back to the same name.
let pressed = null;
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-column]');
  if (!button) return;
  pressed = button.dataset.column;
  trigger('select', {column: pressed});
});
watch('value', () => {
  for (const button of element.querySelectorAll('button[data-column]'))
    if (button.dataset.column === pressed) button.focus({preventScroll: true});
  pressed = null;
});
