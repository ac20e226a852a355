// Makes a link of the values of the form, copies it and shows it.
(values, names, unknown) => {
  const lead = new URLSearchParams(), isGap = (value) => [null, undefined, "", unknown].includes(value);
  names.forEach((name, place) => name === null || isGap(values[place]) || lead.append(name, values[place]));
  const link = location.origin + location.pathname + "#lead?" + lead;
  navigator.clipboard?.writeText(link).catch(() => {});
  return { __type__: "update", value: link, visible: true };
}
