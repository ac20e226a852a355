// What was understood of a list, or what is wrong with it, begins below a phone's screen.
watch('value', () => element.scrollIntoView({block: 'start'}));
