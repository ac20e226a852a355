"""What the page of lists does in the visitor's browser."""

__all__ = ["ARRIVING", "SAVING", "SORTING"]

# What was understood of a list, or what is wrong with it, begins below a phone's screen.
ARRIVING = "watch('value', () => element.scrollIntoView({block: 'start'}));"

SORTING = """
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
"""

# The file goes to the visitor in the answer itself: nothing of it is ever stored.
SAVING = """
watch('value', () => {
  const file = props.value;
  if (!file || !file.data) return;
  const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});
"""
