// Errors that say what kind they are (one of model::ErrorKind) and how to mend it.
const known = new WeakMap();

/** Marks an error and returns it. `line` is where it was, for an error that may have no frame of its own. */
export function told(error, kind, hint, line) {
  known.set(error, { kind, hint, line });
  return error;
}

/** What is known of an error; undefined for one of the program's own. */
export function knownOf(error) {
  return Object(error) === error ? known.get(error) : undefined;
}

/** `did you mean a or b? LEAD: a, b, c`, with twenty names at most. */
export function nearest(name, names, lead) {
  if (!names.length) return 'there are none';
  const wanted = name.toLowerCase().replaceAll('_', '');
  const close = names
    .map((n) => [distance(wanted, n.toLowerCase().replaceAll('_', '')), n])
    .filter(([d]) => d <= Math.max(2, wanted.length / 3))
    .sort(([a], [b]) => a - b)
    .slice(0, 3)
    .map(([, n]) => n);
  const shown = names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '');
  return `${close.length ? `did you mean ${close.join(' or ')}? ` : ''}${lead}: ${shown}`;
}

/** How many letters to insert, drop or change; less for a part of the other. */
function distance(a, b) {
  if (b.includes(a) || a.includes(b)) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
